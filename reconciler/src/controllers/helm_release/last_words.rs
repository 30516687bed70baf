//! How the pods of a hook ended that failed: which container, with which code, and what it said last.

use fairlead_object::ObjectId;
use serde_json::Value;

use super::work::Work;
use crate::cluster::Resource;

/// How many lines of a log are told.
const LINES: u32 = 5;

/// How many characters of it are told, counted from the end.
const CHARACTERS: usize = 1000;

/// A container that did not end well.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Failed {
    pod: String,
    container: String,
    exit_code: i64,
    /// What it left for whoever asks why.
    message: Option<String>,
}

impl Work<'_> {
    /// How the first container of the hook `id` that did not end well ended; nothing if none is known.
    pub(super) async fn last_words(&self, id: &ObjectId) -> String {
        let pods = Resource::namespaced("", "v1", "Pod", "pods");
        let namespace = id.namespace_or_empty();
        let found = match id.kind.as_str() {
            "Job" => self.cluster.list(&pods, namespace, &format!("labelSelector=job-name%3D{}", id.name)).await,
            "Pod" => self.cluster.get(&pods, namespace, &id.name).await.map(|pod| pod.into_iter().collect()),
            _ => return String::new(),
        };
        let Some(failed) = found.unwrap_or_default().iter().find_map(failed_container) else { return String::new() };
        let Failed { pod, container, exit_code, message } = failed;
        let said = match message {
            Some(message) => message,
            None => self.cluster.log((namespace, &pod), &container, LINES).await.unwrap_or_default(),
        };
        let said = match end_of(&said) {
            "" => String::new(),
            said => format!(": {said}"),
        };
        format!(" (container {container} of pod {pod} exited with {exit_code}{said})")
    }
}

fn failed_container(pod: &Value) -> Option<Failed> {
    let statuses = ["initContainerStatuses", "containerStatuses"].map(|field| &pod["status"][field]);
    let mut containers = statuses.into_iter().filter_map(Value::as_array).flatten();
    containers.find_map(|container| {
        let ended = &container["state"]["terminated"];
        Some(Failed {
            pod: pod["metadata"]["name"].as_str()?.to_owned(),
            container: container["name"].as_str()?.to_owned(),
            exit_code: ended["exitCode"].as_i64().filter(|code| *code != 0)?,
            message: ended["message"].as_str().filter(|said| !said.trim().is_empty()).map(str::to_owned),
        })
    })
}

/// The last characters of `said`.
fn end_of(said: &str) -> &str {
    let said = said.trim();
    let start = said.char_indices().rev().nth(CHARACTERS - 1).map_or(0, |(at, _)| at);
    said[start..].trim_start()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_container_that_failed_is_found_among_those_that_did_not() {
        let ended = |name: &str, code: i64| json!({ "name": name, "state": { "terminated": { "exitCode": code } } });
        let pod = json!({
            "metadata": { "name": "migrate-x1" },
            "status": {
                "initContainerStatuses": [ended("wait", 0)],
                "containerStatuses": [{ "name": "proxy", "state": { "running": {} } }, ended("migrate", 3)],
            },
        });
        let failed = Failed { pod: "migrate-x1".into(), container: "migrate".into(), exit_code: 3, message: None };
        assert_eq!(failed_container(&pod), Some(failed));
    }

    #[test]
    fn of_a_long_log_the_end_is_told() {
        let long = format!("{}\nthe end\n", "é".repeat(CHARACTERS));
        let told = end_of(&long);
        assert!(told.ends_with("é\nthe end"), "{told}");
        assert_eq!(told.chars().count(), CHARACTERS);
        assert_eq!(end_of(" \n"), "");
    }
}
