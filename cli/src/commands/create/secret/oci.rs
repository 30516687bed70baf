//! `fairlead create secret oci`.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use clap::Args as Flags;
use fairlead_sources::oci::OciUrl;
use serde::Serialize;

use super::NewSecret;
use crate::{commands::create::object::Values, connection::dns_label, output::CommandError};

/// The type of a Secret with the logins of registries.
const DOCKER_CONFIG: &str = "kubernetes.io/dockerconfigjson";

/// Flags of `create secret oci`.
#[derive(Flags)]
pub(crate) struct Args {
    /// The name of the Secret.
    #[arg(value_parser = dns_label)]
    name: String,
    /// The registry or a repository in it, as `ghcr.io/team/app`.
    #[arg(long)]
    url: String,
    /// The user.
    #[arg(short, long)]
    username: String,
    /// The user's password.
    #[arg(short, long)]
    password: String,
}

#[derive(Serialize)]
struct Config<'a> {
    auths: BTreeMap<String, Login<'a>>,
}

#[derive(Serialize)]
struct Login<'a> {
    username: &'a str,
    password: &'a str,
    auth: String,
}

impl Args {
    pub(super) fn secret(&self) -> Result<NewSecret, CommandError> {
        let Self { name, url, username, password } = self;
        let auth = BASE64_STANDARD.encode(format!("{username}:{password}"));
        let auths = BTreeMap::from([(host(url)?, Login { username, password, auth })]);
        let config = serde_json::to_string_pretty(&Config { auths })?;
        let values = Values::from([(".dockerconfigjson".to_owned(), config)]);
        Ok(NewSecret::new(name, "oci secret", values).of_kind(DOCKER_CONFIG))
    }
}

/// The registry that `written` names.
fn host(written: &str) -> Result<String, CommandError> {
    let name = written.strip_prefix("oci://").unwrap_or(written).trim_end_matches('/');
    let is_host = !name.contains('/') && name.contains(['.', ':']);
    let url = if is_host { format!("oci://{name}/any") } else { format!("oci://{name}") };
    let url = OciUrl::parse(&url).map_err(|error| format!("invalid URL `{written}`: {error}"))?;
    Ok(url.registry().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_registry_is_named_alone_or_by_a_repository_in_it() {
        let rows = [
            ("ghcr.io", "ghcr.io"),
            ("ghcr.io/team/app", "ghcr.io"),
            ("oci://ghcr.io/team/app", "ghcr.io"),
            ("localhost:5000", "localhost:5000"),
            (
                "https://ghcr.io",
                "invalid URL `https://ghcr.io`: repository can only contain the characters `a-z0-9_-./`, and 2 to 255 of \
                 them: /ghcr.io",
            ),
        ];
        for (written, expected) in rows {
            assert_eq!(host(written).unwrap_or_else(|error| error.to_string()), expected, "{written}");
        }
    }
}
