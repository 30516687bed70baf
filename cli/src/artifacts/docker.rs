//! What `docker login` has written.
//!
//! # Differs from Flux
//! Credentials that a helper keeps are not read, because a helper is a program.

use std::{
    env, fs,
    io::ErrorKind,
    path::{Path, PathBuf},
};

use fairlead_sources::{
    oci::{OciAuth, OciUrl},
    secret::{SecretData, SecretError},
};
use serde_json::Value;

use crate::{
    local::LocalError,
    output::{CommandError, Hinted},
};

/// How Docker Hub is called in a configuration.
const DOCKER_HUB_ENTRY: &str = "https://index.docker.io/v1/";
const DOCKER_HUB: &str = "index.docker.io";

/// The credentials for registries that Docker's configuration holds; none where there is no such file.
///
/// # Errors
/// If the configuration leaves the credentials for `url` to a helper.
pub(super) fn login(url: &OciUrl) -> Result<OciAuth, CommandError> {
    let Some(file) = file() else { return Ok(OciAuth::anonymous()) };
    let text = match fs::read_to_string(&file) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(OciAuth::anonymous()),
        read => read.map_err(|source| LocalError::Read { path: file.clone(), source })?,
    };
    let config: Value =
        serde_json::from_str(&text).map_err(|error| format!("cannot read `{}`: {error}", file.display()))?;
    if let Some(helper) = helper(&config, url.registry()) {
        return Err(kept_by_helper(&file, url, helper).into());
    }
    auth(text).map_err(|error| format!("cannot use `{}`: {error}", file.display()).into())
}

/// The credentials in the Docker configuration `config`.
pub(super) fn auth(config: String) -> Result<OciAuth, SecretError> {
    let data = SecretData::from([(".dockerconfigjson".to_owned(), config.into_bytes().into())]);
    OciAuth::from_pull_secrets([&data])
}

fn file() -> Option<PathBuf> {
    let folder = env::var_os("DOCKER_CONFIG").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    let folder = folder.or_else(|| Some(Path::new(&env::var_os("HOME")?).join(".docker")));
    folder.map(|folder| folder.join("config.json"))
}

/// The helper that keeps the credentials for `registry`. An entry without content is how Docker notes that one does.
fn helper<'a>(config: &'a Value, registry: &str) -> Option<&'a str> {
    let name = if registry == DOCKER_HUB { DOCKER_HUB_ENTRY } else { registry };
    if let Some(helper) = config["credHelpers"][name].as_str() {
        return Some(helper);
    }
    let is_empty = config["auths"][name].as_object().is_some_and(serde_json::Map::is_empty);
    config["credsStore"].as_str().filter(|_| is_empty)
}

fn kept_by_helper(file: &Path, url: &OciUrl, helper: &str) -> Hinted {
    let (file, registry) = (file.display(), url.registry());
    let error = format!("`{file}` leaves the credentials for {registry} to the helper `docker-credential-{helper}`");
    Hinted::new(error, "no helper is started: give --creds USER:PASSWORD")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_helper_keeps_what_it_is_named_for_and_what_an_empty_entry_leaves_to_it() {
        let config = json!({
            "auths": { "ghcr.io": {}, "quay.io": { "auth": "dXNlcjp3b3Jk" }, DOCKER_HUB_ENTRY: {} },
            "credsStore": "desktop",
            "credHelpers": { "gcr.io": "gcloud" },
        });
        let rows = [
            ("gcr.io", Some("gcloud")),
            ("ghcr.io", Some("desktop")),
            ("index.docker.io", Some("desktop")),
            ("quay.io", None),
            ("example.com", None),
        ];
        for (registry, expected) in rows {
            assert_eq!(helper(&config, registry), expected, "{registry}");
        }
        assert_eq!(helper(&json!({ "auths": { "ghcr.io": {} } }), "ghcr.io"), None);
    }
}
