//! `fairlead create secret notation`.

use std::path::{Path, PathBuf};

use clap::Args as Flags;
use serde_json::Value;

use super::NewSecret;
use crate::{
    commands::create::object::Values,
    connection::dns_label,
    local::{self, LocalError},
    output::CommandError,
};

/// Flags of `create secret notation`.
#[derive(Flags)]
pub(crate) struct Args {
    /// The name of the Secret.
    #[arg(value_parser = dns_label)]
    name: String,
    /// A file with a trusted certificate authority, `*.crt` or `*.pem`; repeatable.
    #[arg(long, required = true, value_name = "FILE", value_delimiter = ',')]
    ca_cert_file: Vec<PathBuf>,
    /// A file with the trust policy, in JSON.
    #[arg(long, value_name = "FILE")]
    trust_policy_file: PathBuf,
}

impl Args {
    pub(super) fn secret(&self) -> Result<NewSecret, CommandError> {
        let policy = local::read(&self.trust_policy_file)?;
        if let Err(error) = serde_json::from_str::<Value>(&policy) {
            return Err(format!("`{}` is no trust policy: {error}", self.trust_policy_file.display()).into());
        }
        let mut values = Values::from([("trustpolicy.json".to_owned(), policy)]);
        for file in &self.ca_cert_file {
            values.insert(key_of(file)?, local::read(file)?);
        }
        Ok(NewSecret::new(&self.name, "notation configuration secret", values))
    }
}

/// Under which key a certificate is kept: the name of its file.
fn key_of(file: &Path) -> Result<String, CommandError> {
    let is_certificate = file.extension().is_some_and(|extension| extension == "crt" || extension == "pem");
    if !is_certificate {
        return Err(format!("`{}` must end with .crt or .pem", file.display()).into());
    }
    let name = file.file_name().and_then(|name| name.to_str());
    name.map(str::to_owned).ok_or_else(|| LocalError::NotText(file.to_owned()).into())
}
