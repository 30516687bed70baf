//! The Secrets in which releases are recorded, one for each revision.
//!
//! # Follows Helm
//! Name, type, labels and content are those of its driver for Secrets: base64 of gzip of JSON, in one more base64 that is
//! the Secret's own. A record that is not compressed is read as well.

use std::io::{Read, Write};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use flate2::{Compression, read::GzDecoder, write::GzEncoder};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::Release;

/// The type of the Secrets.
pub const TYPE: &str = "helm.sh/release.v1";

/// Most bytes that a Secret may hold.
pub const LIMIT_BYTES: usize = 1 << 20;

/// Most bytes that a record may have: more is no record of Helm.
const MAX_RECORD_BYTES: u64 = 64 << 20;

const GZIP: [u8; 3] = [0x1f, 0x8b, 0x08];

/// Which label says when the Secret was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stamp {
    /// It is new.
    Created,
    /// It was there before.
    Modified,
}

/// A release that does not fit into a Secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the record of revision {version} has {bytes} bytes, and a Secret holds {LIMIT_BYTES}: leave files that no template \
     needs out of the chart, by its .helmignore"
)]
pub struct TooLarge {
    /// Number of the revision.
    pub version: i64,
    /// Size of the record.
    pub bytes: usize,
}

/// A Secret that records no release.
#[derive(Debug, thiserror::Error)]
#[error(
    "Secret {name} holds no record of a release ({problem}): restore it, or delete it to go on without that revision"
)]
pub struct Unreadable {
    /// Its name.
    pub name: String,
    /// What is wrong with it.
    pub problem: String,
}

/// The name of the Secret of a revision.
pub fn name(release: &str, version: i64) -> String {
    format!("sh.helm.release.v1.{release}.v{version}")
}

/// The selector of the Secrets of a release.
pub fn selector(release: &str) -> String {
    format!("name={release},owner=helm")
}

/// The Secret that records `release` in `namespace`.
///
/// # Errors
/// If the record does not fit into a Secret.
pub fn write(release: &Release, namespace: &str, stamp: Stamp, now: Timestamp) -> Result<Value, TooLarge> {
    let record = encode(release);
    if record.len() > LIMIT_BYTES {
        return Err(TooLarge { version: release.version, bytes: record.len() });
    }
    let stamp = match stamp {
        Stamp::Created => "createdAt",
        Stamp::Modified => "modifiedAt",
    };
    Ok(json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": name(&release.name, release.version),
            "namespace": namespace,
            "labels": {
                "name": release.name,
                "owner": "helm",
                "status": release.info.status.name(),
                "version": release.version.to_string(),
                stamp: now.as_second().to_string(),
            },
        },
        "type": TYPE,
        "data": { "release": STANDARD.encode(record) },
    }))
}

/// The release that `secret` records.
///
/// # Errors
/// If it records none.
pub fn read(secret: &Value) -> Result<Release, Unreadable> {
    let data = secret["data"]["release"].as_str().unwrap_or_default();
    decode(data).map_err(|problem| {
        let name = secret["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        Unreadable { name, problem }
    })
}

fn encode(release: &Release) -> String {
    let json = serde_json::to_vec(release).expect("a record has only texts as keys");
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    packed.write_all(&json).expect("memory takes every byte");
    STANDARD.encode(packed.finish().expect("memory takes every byte"))
}

fn decode(data: &str) -> Result<Release, String> {
    let outer = STANDARD.decode(data).map_err(|error| error.to_string())?;
    let packed = STANDARD.decode(outer).map_err(|error| error.to_string())?;
    let json = if packed.starts_with(&GZIP) { unpacked(&packed)? } else { packed };
    serde_json::from_slice(&json).map_err(|error| error.to_string())
}

fn unpacked(packed: &[u8]) -> Result<Vec<u8>, String> {
    let mut json = Vec::new();
    let read = GzDecoder::new(packed).take(MAX_RECORD_BYTES).read_to_end(&mut json);
    read.map_err(|error| error.to_string())?;
    Ok(json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Hook, Info, Status};

    fn release() -> Release {
        let at: Timestamp = "2026-01-05T10:00:00.5Z".parse().expect("a time");
        let info =
            Info { first_deployed: Some(at), last_deployed: Some(at), status: Status::Deployed, ..Info::default() };
        Release {
            name: "web".to_owned(),
            info,
            version: 3,
            namespace: "shop".to_owned(),
            hooks: vec![Hook { name: "check".to_owned(), ..Hook::default() }],
            chart: json!({"metadata": {"name": "web", "version": "1.2.0"}, "templates": [], "lock": null}),
            ..Release::default()
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let secret = write(&release(), "shop", Stamp::Created, Timestamp::UNIX_EPOCH).expect("it fits");
        assert_eq!(secret["metadata"]["name"], "sh.helm.release.v1.web.v3");
        assert_eq!(
            secret["metadata"]["labels"],
            json!({"name": "web", "owner": "helm", "status": "deployed", "version": "3", "createdAt": "0"})
        );
        assert_eq!(read(&secret).expect("a release"), release());
    }

    #[test]
    fn a_record_that_is_not_compressed_or_leaves_times_out_is_read_too() {
        let record = json!({
            "name": "web", "version": 1, "namespace": "shop",
            "info": {"status": "failed", "deleted": "", "first_deployed": "0001-01-01T00:00:00Z"},
            "hooks": [{"name": "x", "last_run": {"phase": "", "started_at": ""}}],
        });
        let data = STANDARD.encode(STANDARD.encode(record.to_string()));
        let release = read(&json!({"data": {"release": data}})).expect("a release");
        assert_eq!((release.info.status, release.info.first_deployed), (Status::Failed, None));
        assert_eq!(release.hooks[0].last_run, crate::HookRun::default());
    }

    #[test]
    fn a_secret_that_holds_something_else_is_named() {
        let secret = json!({"metadata": {"name": "sh.helm.release.v1.web.v1"}, "data": {"release": "!"}});
        let error = read(&secret).expect_err("no release").to_string();
        assert!(error.starts_with("Secret sh.helm.release.v1.web.v1 holds no record of a release ("), "{error}");
    }
}
