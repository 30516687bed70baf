//! `fairlead create secret githubapp`.

use std::path::PathBuf;

use clap::Args as Flags;

use super::{NewSecret, OPAQUE};
use crate::{commands::create::object::values, connection::dns_label, local, output::CommandError};

/// Flags of `create secret githubapp`.
#[derive(Flags)]
pub(crate) struct Args {
    /// The name of the Secret.
    #[arg(value_parser = dns_label)]
    name: String,
    /// The id of the app.
    #[arg(long, value_name = "ID")]
    app_id: String,
    /// The id of its installation.
    #[arg(long, value_name = "ID", required_unless_present = "app_installation_owner")]
    app_installation_id: Option<String>,
    /// The organisation or user that it is installed for, instead of an id.
    #[arg(long, value_name = "NAME", conflicts_with = "app_installation_id")]
    app_installation_owner: Option<String>,
    /// A file with the private key of the app.
    #[arg(long, value_name = "FILE")]
    app_private_key: PathBuf,
    /// Where the API of GitHub Enterprise is.
    #[arg(long, value_name = "URL")]
    app_base_url: Option<String>,
}

impl Args {
    pub(super) fn secret(&self) -> Result<NewSecret, CommandError> {
        let key = local::read(&self.app_private_key)?;
        let values = values([
            ("githubAppID", Some(&self.app_id)),
            ("githubAppInstallationID", self.app_installation_id.as_ref()),
            ("githubAppInstallationOwner", self.app_installation_owner.as_ref()),
            ("githubAppPrivateKey", Some(&key)),
            ("githubAppBaseURL", self.app_base_url.as_ref()),
        ]);
        Ok(NewSecret::new(&self.name, "githubapp secret", values).of_kind(OPAQUE))
    }
}
