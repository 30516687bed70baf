//! `fairlead create source oci`.

use clap::Args as Flags;
use fairlead_sources::oci::OciUrl;
use serde_json::{Value, json};

use super::VerifyFlags;
use crate::{
    commands::create::{
        Common,
        object::{NewObject, given, lines, reference, switch, text},
    },
    connection::dns_label,
    output::CommandError,
    provider::Provider,
    served::OCI_REPOSITORY,
};

/// Flags of `create source oci`.
#[derive(Flags)]
pub(crate) struct Args {
    /// The name of the source.
    #[arg(value_parser = dns_label)]
    name: String,
    /// The repository: `oci://<host>/<path>`.
    #[arg(long)]
    url: String,
    #[command(flatten)]
    reference: Reference,
    /// Who gives the credentials.
    #[arg(long, value_enum, default_value = "generic")]
    provider: Provider,
    /// The Secret with the credentials.
    #[arg(long, value_name = "NAME")]
    secret_ref: Option<String>,
    /// The service account with the pull Secrets.
    #[arg(long, value_name = "NAME")]
    service_account: Option<String>,
    /// The Secret with certificates.
    #[arg(long, value_name = "NAME")]
    cert_ref: Option<String>,
    /// The Secret with the proxy.
    #[arg(long, value_name = "NAME")]
    proxy_secret_ref: Option<String>,
    /// Speak to the registry without TLS.
    #[arg(long)]
    insecure: bool,
    /// Patterns of files to leave out, as in `.gitignore`.
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    ignore_paths: Vec<String>,
    /// Which layer is taken, and whether it is unpacked or kept as it is.
    #[arg(long, value_name = "MEDIA_TYPE:extract|copy", value_parser = layer)]
    layer_selector: Option<Value>,
    #[command(flatten)]
    verify: VerifyFlags,
}

/// What of the repository is followed. A digest counts before versions, and those before a tag.
#[derive(Flags)]
struct Reference {
    /// The tag.
    #[arg(long, required_unless_present_any = ["tag_semver", "digest"])]
    tag: Option<String>,
    /// The highest tag within a range of versions.
    #[arg(long, value_name = "RANGE")]
    tag_semver: Option<String>,
    /// The digest.
    #[arg(long)]
    digest: Option<String>,
}

impl Reference {
    /// `spec.ref`.
    fn spec(&self) -> Value {
        let fields = [("digest", &self.digest), ("semver", &self.tag_semver), ("tag", &self.tag)];
        let first = fields.into_iter().find_map(|(key, value)| Some((key, value.as_ref()?)));
        first.map_or(Value::Null, |(key, value)| json!({ key: value }))
    }
}

impl Args {
    pub(super) fn source(&self, common: &Common) -> Result<NewObject<'_>, CommandError> {
        OciUrl::parse(&self.url).map_err(|error| format!("invalid URL `{}`: {error}", self.url))?;
        let spec = given([
            ("url", text(Some(&self.url))),
            ("interval", Some(common.interval())),
            ("ref", Some(self.reference.spec())),
            ("provider", Some(self.provider.written().into())),
            ("secretRef", reference(self.secret_ref.as_ref())),
            ("serviceAccountName", text(self.service_account.as_ref())),
            ("certSecretRef", reference(self.cert_ref.as_ref())),
            ("proxySecretRef", reference(self.proxy_secret_ref.as_ref())),
            ("insecure", switch(self.insecure)),
            ("ignore", lines(&self.ignore_paths)),
            ("layerSelector", self.layer_selector.clone()),
            ("verify", self.verify.spec()),
        ]);
        Ok(NewObject::source(OCI_REPOSITORY, &self.name, spec))
    }
}

fn layer(written: &str) -> Result<Value, String> {
    let (media_type, operation) = written.rsplit_once(':').ok_or("it is not MEDIA_TYPE:extract or MEDIA_TYPE:copy")?;
    if !matches!(operation, "extract" | "copy") {
        return Err(format!("`{operation}` is neither `extract` nor `copy`"));
    }
    Ok(json!({ "mediaType": media_type, "operation": operation }))
}
