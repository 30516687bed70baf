//! `fairlead create secret git`.

use clap::Args as Flags;

use super::NewSecret;
use crate::{
    commands::create::git_keys::{GitFlags, git_url},
    connection::{Connection, dns_label},
    output::CommandError,
};

/// Flags of `create secret git`.
#[derive(Flags)]
pub(crate) struct Args {
    /// The name of the Secret.
    #[arg(value_parser = dns_label)]
    name: String,
    /// The repository: its scheme says what the Secret holds.
    #[arg(long)]
    url: String,
    /// A token that is sent instead of user and password.
    #[arg(long, value_name = "TOKEN", conflicts_with_all = ["username", "password"])]
    bearer_token: Option<String>,
    #[command(flatten)]
    git: GitFlags,
}

impl Args {
    pub(super) async fn secret(&self, connection: &Connection) -> Result<NewSecret, CommandError> {
        let url = git_url(&self.url)?;
        let mut values = self.git.values(&url, connection).await?;
        if !url.is_ssh() {
            values.extend(self.bearer_token.clone().map(|token| ("bearerToken".to_owned(), token)));
            if !["username", "bearerToken"].iter().any(|key| values.contains_key(*key)) {
                return Err("a repository over HTTP needs --username and --password, or --bearer-token".into());
            }
        }
        Ok(NewSecret::new(&self.name, "git secret", values))
    }
}
