//! Releases for tests.

use fairlead_api::helm::Snapshot;
use jiff::Timestamp;
use serde_json::json;

use crate::{Info, Release, Status, digest};

/// Revision `version` of a release `web`.
pub(crate) fn release(version: i64, status: Status) -> Release {
    Release {
        name: "web".to_owned(),
        namespace: "shop".to_owned(),
        version,
        info: Info { status, ..Info::default() },
        chart: json!({"metadata": {"name": "web", "version": "1.0.0"}}),
        ..Release::default()
    }
}

/// `release` as it is seen now.
pub(crate) fn snapshot(release: &Release) -> Snapshot {
    digest::snapshot(release, "install", None, Timestamp::UNIX_EPOCH)
}
