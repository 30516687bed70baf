//! `fairlead create source bucket`.

use clap::Args as Flags;

use crate::{
    commands::create::{
        Common,
        object::{NewObject, given, lines, reference, switch, text, values},
        secret::NewSecret,
    },
    connection::dns_label,
    provider::Provider,
    served::BUCKET,
};

/// Flags of `create source bucket`.
#[derive(Flags)]
pub(crate) struct Args {
    /// The name of the source.
    #[arg(value_parser = dns_label)]
    name: String,
    /// The bucket.
    #[arg(long, value_name = "NAME")]
    bucket_name: String,
    /// Where it is: a host, and a port where that is not the usual one.
    #[arg(long, value_name = "HOST")]
    endpoint: String,
    /// Whose bucket it is.
    #[arg(long, value_enum, default_value = "generic")]
    provider: Provider,
    /// The region.
    #[arg(long)]
    region: Option<String>,
    /// Speak to the bucket without TLS.
    #[arg(long)]
    insecure: bool,
    /// The Secret with the credentials; without it one called `bucket-<name>` is made of the flags below.
    #[arg(long, value_name = "NAME")]
    secret_ref: Option<String>,
    /// The Secret with the proxy.
    #[arg(long, value_name = "NAME")]
    proxy_secret_ref: Option<String>,
    /// Patterns of files to leave out, as in `.gitignore`.
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    ignore_paths: Vec<String>,
    /// The access key.
    #[arg(long, value_name = "KEY", requires = "secret_key")]
    access_key: Option<String>,
    /// The secret key.
    #[arg(long, value_name = "KEY", requires = "access_key")]
    secret_key: Option<String>,
}

impl Args {
    pub(super) fn source(&self, common: &Common) -> NewObject<'_> {
        let spec = given([
            ("bucketName", text(Some(&self.bucket_name))),
            ("endpoint", text(Some(&self.endpoint))),
            ("provider", Some(self.provider.written().into())),
            ("region", text(self.region.as_ref())),
            ("insecure", switch(self.insecure)),
            ("interval", Some(common.interval())),
            ("secretRef", reference(self.secret_ref.as_ref())),
            ("proxySecretRef", reference(self.proxy_secret_ref.as_ref())),
            ("ignore", lines(&self.ignore_paths)),
        ]);
        NewObject::source(BUCKET, &self.name, spec)
    }

    /// The Secret that is made for the source.
    pub(super) fn secret(&self) -> Option<NewSecret> {
        let values = values([("accesskey", self.access_key.as_ref()), ("secretkey", self.secret_key.as_ref())]);
        let is_made = self.secret_ref.is_none() && !values.is_empty();
        is_made.then(|| NewSecret::new(&format!("bucket-{}", self.name), "bucket secret", values))
    }
}
