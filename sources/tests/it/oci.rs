//! OCI sources against a real registry and against one that does what it should not.

mod copy;
mod login;
mod push;
mod registry;
mod signatures;
mod stub;
mod trouble;

use std::time::Duration;

use fairlead_sources::{
    fetch::{Content, Means, SourceError},
    oci::{
        LAYER_LIMIT_BYTES, LayerSelector, OciAuth, OciError, OciReference, OciReferenceFields, OciRequest, OciUrl,
        Resolved, fetch, resolve,
    },
    secret::SecretData,
    store::{SourceKey, SourceKind},
    transport::{Encryption, Transport},
};

use jiff::Timestamp;

use crate::{
    git::secret,
    scene::{Scene, chain},
};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

fn tag(name: &str) -> OciReference {
    OciReference::new(OciReferenceFields { tag: Some(name), ..OciReferenceFields::default() })
}

fn digest(digest: &str) -> OciReference {
    OciReference::new(OciReferenceFields { digest: Some(digest), ..OciReferenceFields::default() })
}

fn semver(range: &str) -> OciReference {
    OciReference::new(OciReferenceFields { semver: Some(range), ..OciReferenceFields::default() })
}

fn request(url: &str, reference: OciReference) -> OciRequest {
    OciRequest {
        url: OciUrl::parse(url).expect("a URL"),
        reference,
        layer: LayerSelector::default(),
        auth: OciAuth::anonymous(),
        transport: Transport::default(),
        encryption: Encryption::Off,
        limit_bytes: LAYER_LIMIT_BYTES,
        timeout: PATIENCE,
        verification: None,
    }
}

/// A pull Secret for the host of `request`, with what `login` says there.
fn with_login(request: OciRequest, login: &serde_json::Value) -> OciRequest {
    let json = serde_json::json!({ "auths": { request.url.registry(): login } }).to_string();
    let data: SecretData = secret([(".dockerconfigjson", json.as_str())]);
    OciRequest { auth: OciAuth::from_pull_secrets([&data]).expect("a login"), ..request }
}

fn key(name: &str) -> SourceKey {
    SourceKey { kind: SourceKind::OciRepository, namespace: "flux-system".into(), name: name.into() }
}

/// With what is fetched here: in 2040.
fn means<'a>(scene: &'a Scene, ignore: Option<&'a str>) -> Means<'a> {
    Means { store: &scene.store, ignore, now: Timestamp::from_second(2_208_988_800).expect("a time") }
}

/// Resolves and fetches at once.
async fn pull(scene: &Scene, request: &OciRequest, ignore: Option<&str>) -> Result<(Resolved, Content), OciError> {
    let resolved = resolve(request).await?;
    let fetched = fetch(request, &resolved, &means(scene, ignore)).await?;
    Ok((resolved, fetched))
}

/// An error as the command line prints it, with its hint; ports are not shown.
fn told(error: &OciError, port: u16) -> String {
    let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    format!("{}: {}{hint}", error.reason(), chain(error)).replace(&port.to_string(), "PORT")
}

/// The error of something that must not succeed.
fn refusal<T>(outcome: Result<T, OciError>) -> OciError {
    match outcome {
        Ok(_) => panic!("this must fail"),
        Err(error) => error,
    }
}
