//! `fairlead create secret receiver`.

use std::{
    fs::File,
    io::{self, Read},
};

use clap::Args as Flags;
use fairlead_object::Digest;
use serde_json::json;

use super::NewSecret;
use crate::{commands::create::object::Values, connection::dns_label, output::CommandError};

/// Says where the webhook is that the Secret is for.
const WEBHOOK: &str = "notification.toolkit.fluxcd.io/webhook";
/// The type of receivers whose senders prove by an email address who they are.
const GCR: &str = "gcr";

/// Flags of `create secret receiver`.
#[derive(Flags)]
pub(crate) struct Args {
    /// The name of the Secret, and of the Receiver that it is for.
    #[arg(value_parser = dns_label)]
    name: String,
    /// The type of the Receiver.
    #[arg(long = "type", value_name = "TYPE", value_parser = [
        "generic", "generic-hmac", "github", "gitlab", "bitbucket", "harbor", "dockerhub", "quay", GCR, "nexus", "acr",
        "cdevents",
    ])]
    kind: String,
    /// The host that webhooks are sent to.
    #[arg(long)]
    hostname: String,
    /// The token; otherwise one is made.
    #[arg(long)]
    token: Option<String>,
    /// The email address of the sender, for `gcr`.
    #[arg(long, value_name = "EMAIL", required_if_eq("kind", GCR))]
    email_claim: Option<String>,
    /// Whom the sender's token is for, for `gcr`; otherwise the URL of the webhook.
    #[arg(long, value_name = "AUDIENCE")]
    audience_claim: Option<String>,
}

impl Args {
    pub(super) fn secret(&self, namespace: &str) -> Result<NewSecret, CommandError> {
        let token = self.token.clone().map_or_else(drawn, Ok)?;
        let path = Digest::of(format!("{token}{}{namespace}", self.name).as_bytes()).hex();
        let webhook = format!("https://{}/hook/{path}", self.hostname);
        let mut values = Values::from([("token".to_owned(), token)]);
        if let Some(email) = self.email_claim.clone().filter(|_| self.kind == GCR) {
            let audience = self.audience_claim.clone().unwrap_or_else(|| webhook.clone());
            values.extend([("email".to_owned(), email), ("audience".to_owned(), audience)]);
        }
        let secret = NewSecret::new(&self.name, "receiver secret", values);
        Ok(NewSecret { annotations: json!({ WEBHOOK: webhook }), ..secret })
    }
}

/// A token that nobody can guess.
fn drawn() -> io::Result<String> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(Digest::from_bytes(bytes).hex())
}
