//! `fairlead create source helm`.

use clap::Args as Flags;
use fairlead_sources::{oci::OciUrl, url::Url};
use serde_json::Value;

use crate::{
    commands::create::{
        Common,
        object::{NewObject, given, reference, switch, text},
        secret::{NewSecret, helm::HelmFlags},
    },
    connection::dns_label,
    output::CommandError,
    provider::Provider,
    served::HELM_REPOSITORY,
};

/// Flags of `create source helm`.
#[derive(Flags)]
pub(crate) struct Args {
    /// The name of the source.
    #[arg(value_parser = dns_label)]
    name: String,
    /// The repository: `https://…`, `http://…`, or `oci://…` for charts in a registry.
    #[arg(long)]
    url: String,
    /// Who gives the credentials of a registry.
    #[arg(long, value_enum)]
    oci_provider: Option<Provider>,
    /// The Secret with the credentials; without it one called `helm-<name>` is made of the flags below.
    #[arg(long, value_name = "NAME")]
    secret_ref: Option<String>,
    /// Send the credentials to other hosts that charts come from, too.
    #[arg(long)]
    pass_credentials: bool,
    #[command(flatten)]
    login: HelmFlags,
}

impl Args {
    pub(super) fn source(&self, common: &Common) -> Result<NewObject<'_>, CommandError> {
        let is_registry = self.url.starts_with("oci://");
        let problem = if is_registry {
            OciUrl::parse(&self.url).err().map(|error| error.to_string())
        } else {
            Url::parse_http(&self.url).err().map(|error| error.to_string())
        };
        if let Some(problem) = problem {
            return Err(format!("invalid URL of a Helm repository: {problem}").into());
        }
        let has_secret = self.secret_ref.is_some() || self.login.secret(&self.name)?.is_some();
        let spec = given([
            ("url", text(Some(&self.url))),
            ("interval", Some(common.interval())),
            ("type", is_registry.then(|| Value::from("oci"))),
            ("provider", self.oci_provider.map(|provider| provider.written().into())),
            ("secretRef", reference(self.secret_ref.as_ref())),
            ("passCredentials", switch(self.pass_credentials && has_secret)),
        ]);
        Ok(NewObject::source(HELM_REPOSITORY, &self.name, spec))
    }

    /// The Secret that is made for the source.
    pub(super) fn secret(&self) -> Result<Option<NewSecret>, CommandError> {
        if self.secret_ref.is_some() {
            return Ok(None);
        }
        self.login.secret(&format!("helm-{}", self.name))
    }
}
