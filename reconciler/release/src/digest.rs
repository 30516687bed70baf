//! Digests by which values and revisions are told apart.

use std::collections::BTreeMap;

use fairlead_api::helm::{Snapshot, TestHook};
use fairlead_yaml::emit_json;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::Release;

/// The rule by which [`of_release`] digests, as snapshots name it. Flux passes by the digests of rules that it does not
/// know.
pub const RULE: &str = "fairlead.dev/v1";

/// The digest of values.
///
/// # Follows Flux
/// That of their YAML with sorted keys; of no values that of nothing.
pub fn of_values(values: &Map<String, Value>) -> String {
    if values.is_empty() { sha256(b"") } else { sha256(emit_json(&Value::Object(values.clone())).as_bytes()) }
}

/// The digest of anything that JSON can say.
pub fn of_json(value: &Value) -> String {
    sha256(value.to_string().as_bytes())
}

/// The digest of what matters of a revision: someone else has made another one of it where it differs.
pub fn of_release(release: &Release) -> String {
    of_json(&json!({
        "name": release.name,
        "namespace": release.namespace,
        "version": release.version,
        "status": release.info.status.name(),
        "chart": [release.chart_name(), release.chart_version()],
        "config": release.config,
        "manifest": release.manifest,
    }))
}

/// `release` as it is now, made by `action` of the artifact `oci_digest`; `now` stands for times that are not recorded.
pub fn snapshot(release: &Release, action: &str, oci_digest: Option<&str>, now: Timestamp) -> Snapshot {
    let info = &release.info;
    let app_version = release.app_version();
    Snapshot {
        api_version: Some(RULE.to_owned()),
        digest: of_release(release),
        name: release.name.clone(),
        namespace: release.namespace.clone(),
        version: release.version,
        status: info.status.name().to_owned(),
        action: Some(action.to_owned()),
        chart_name: release.chart_name().to_owned(),
        chart_version: release.chart_version().to_owned(),
        app_version: (!app_version.is_empty()).then(|| app_version.to_owned()),
        config_digest: of_values(&release.config),
        first_deployed: info.first_deployed.unwrap_or(now).into(),
        last_deployed: info.last_deployed.unwrap_or(now).into(),
        deleted: info.deleted.map(Into::into),
        test_hooks: None,
        oci_digest: oci_digest.map(str::to_owned),
    }
}

/// What came of the tests of `release`.
pub fn tests(release: &Release) -> BTreeMap<String, TestHook> {
    let tests = release.hooks.iter().filter(|hook| hook.is_test());
    tests
        .map(|hook| {
            let run = &hook.last_run;
            let phase = run.phase.name();
            let told = TestHook {
                last_started: run.started_at.map(Into::into),
                last_completed: run.completed_at.map(Into::into),
                phase: (!phase.is_empty()).then(|| phase.to_owned()),
            };
            (hook.name.clone(), told)
        })
        .collect()
}

fn sha256(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(values: Value) -> String {
        of_values(&serde_json::from_value(values).expect("a map"))
    }

    #[test]
    fn values_have_the_digest_that_flux_gives_them() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(digest(json!({})), empty);
        let values = json!({
            "replicas": 3,
            "image": {"repository": "nginx", "tag": "latest"},
            "ports": [{"port": 8080, "protocol": "TCP"}, {"port": 9090, "protocol": "UDP"}],
        });
        assert_eq!(digest(values), "sha256:fcdc2b0de1581a3633ada4afee3f918f6eaa5b5ab38c3fef03d5b48d3f85d9f6");
    }
}
