//! What the environment of a process says of its cloud.

use std::sync::Arc;

use crate::url::Url;

/// The variables that clouds and their operators set for a process: `AWS_ROLE_ARN`, `AZURE_CLIENT_ID`, and so on, with the
/// names that the clouds' own libraries have for them. Cheap to clone.
#[derive(Clone)]
pub struct Environment {
    variable: Arc<Variables>,
    trusted: Arc<[String]>,
}

/// The value of a variable, if it is set.
type Variables = dyn Fn(&str) -> Option<String> + Send + Sync;

/// What decides who this process is.
const DECISIVE: [&str; 8] = [
    "AWS_ROLE_ARN",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GCE_METADATA_HOST",
    "AZURE_TENANT_ID",
    "AZURE_CLIENT_ID",
    "AZURE_AUTHORITY_HOST",
];

impl Environment {
    /// That of this process.
    pub fn of_process() -> Self {
        Self::new(|name| std::env::var(name).ok())
    }

    /// One in which a name has the value that `variable` says.
    pub fn new(variable: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self { variable: Arc::new(variable), trusted: Arc::default() }
    }

    /// The same, where `hosts` count as the cloud's own, as those of an emulator do.
    #[must_use]
    pub fn trusting(self, hosts: impl IntoIterator<Item = String>) -> Self {
        Self { trusted: hosts.into_iter().collect(), ..self }
    }

    /// The value of a variable, if it is set to something.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        (self.variable)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// The URL in the variable `name`, or `usual`, with `path` behind it.
    pub(super) fn url(&self, name: &str, usual: &str, path: &str) -> Option<Url> {
        let base = self.get(name).unwrap_or_else(|| usual.to_owned());
        let base = if base.contains("://") { base } else { format!("http://{base}") };
        Url::parse_http(&format!("{}{path}", base.trim_end_matches('/'))).ok()
    }

    pub(super) fn is_trusted(&self, host: &str) -> bool {
        self.trusted.iter().any(|trusted| trusted == host)
    }

    pub(super) fn fingerprint(&self) -> String {
        DECISIVE.map(|name| self.get(name).unwrap_or_default()).join("\n")
    }
}
