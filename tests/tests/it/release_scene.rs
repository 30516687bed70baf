//! A chart in a repository, a release of it, and what is said of that.

use std::{fs, process::Output};

use fairlead_tools::Tool;
use serde_json::{Value, json};

use crate::scene::{LIMIT, Team};

const CHART: &str = "apiVersion: v2\nname: shop\nversion: 1.0.0\nappVersion: '3'\n";
const VALUES: &str = "greeting: hello\nport: 80\n";
const GREETING: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-greeting
data:
  greeting: {{ .Values.greeting }}
  revision: '{{ .Release.Revision }}'
";
const SERVICE: &str = "\
apiVersion: v1
kind: Service
metadata:
  name: {{ .Release.Name }}
spec:
  selector: {app: shop}
  ports: [{port: {{ .Values.port }}}]
";
const CHECK: &str = "\
apiVersion: v1
kind: Pod
metadata:
  name: {{ .Release.Name }}-check
  annotations: {helm.sh/hook: test}
spec:
  restartPolicy: Never
  containers: [{name: check, image: check}]
";

/// What runs before an upgrade, and is there at once.
pub(crate) const HOOK: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-before
  annotations: {helm.sh/hook: pre-upgrade}
";
/// A definition that a chart brings along.
pub(crate) const CRD: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things.release.example.org
spec:
  group: release.example.org
  names: {kind: Thing, plural: things}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}
";
/// An object of that kind.
pub(crate) const CUSTOM: &str = "\
apiVersion: release.example.org/v1
kind: Thing
metadata:
  name: {{ .Release.Name }}
spec: {size: large}
";

/// The files of the chart.
pub(crate) const FILES: [(&str, &str); 5] = [
    ("shop/Chart.yaml", CHART),
    ("shop/values.yaml", VALUES),
    ("shop/templates/greeting.yaml", GREETING),
    ("shop/templates/service.yaml", SERVICE),
    ("shop/templates/check.yaml", CHECK),
];

/// Commits the chart and follows it.
pub(crate) async fn team(prefix: &str) -> Team<'static> {
    team_with(prefix, &[]).await
}

/// Commits the chart with the files `more`, and follows it.
pub(crate) async fn team_with(prefix: &str, more: &[(&str, &str)]) -> Team<'static> {
    let team = Team::new(prefix).await;
    commit(&team, more).await;
    team
}

/// Commits the chart with the files `more` for `team`, and follows it.
pub(crate) async fn commit(team: &Team<'_>, more: &[(&str, &str)]) {
    let files = FILES.iter().chain(more).map(|(path, content)| (*path, Some(*content)));
    team.repository.commit(files, "first");
    team.fetch().await;
}

/// Applies `HelmRelease web` of the chart, whose spec has `spec` besides; with a `chartRef`, of that.
pub(crate) async fn release(team: &Team<'_>, spec: Value) {
    let source = json!({ "kind": "GitRepository", "name": "app" });
    let mut object = json!({
        "apiVersion": "helm.toolkit.fluxcd.io/v2",
        "kind": "HelmRelease",
        "metadata": { "name": "web", "namespace": team.namespace },
        "spec": { "chart": { "spec": { "chart": "shop", "sourceRef": source } }, "interval": "1h" },
    });
    let more = spec.as_object().expect("fields").clone();
    let fields = object["spec"].as_object_mut().expect("fields");
    fields.extend(more);
    if fields.contains_key("chartRef") {
        fields.remove("chart");
    }
    team.cluster.apply(object).await;
}

/// Waits until the newest revision of `HelmRelease web` is `version` and it has been seen to the end, and returns its status.
pub(crate) async fn settled(team: &Team<'_>, version: i64) -> Value {
    let is_done = |found: Option<&Value>| {
        let (status, generation) = (&found?["status"], &found?["metadata"]["generation"]);
        let is_done = status["observedGeneration"] == *generation && status["history"][0]["version"] == version;
        is_done.then(|| status.clone())
    };
    team.cluster.watch(&team.named("HelmRelease", "web"), LIMIT, is_done).await
}

/// What a condition of `status` says.
pub(crate) fn said(team: &Team<'_>, status: &Value, kind: &str) -> String {
    let conditions = status["conditions"].as_array().into_iter().flatten();
    let told = conditions.filter(|condition| condition["type"] == kind).map(|condition| {
        let text = |key: &str| condition[key].as_str().unwrap_or_default();
        format!("{} {}: {}", text("status"), text("reason"), text("message"))
    });
    team.steady(&told.collect::<String>())
}

/// What the history of `status` says.
pub(crate) fn history(status: &Value) -> String {
    let entries = status["history"].as_array().into_iter().flatten();
    let told = entries.map(|entry| {
        let text = |key: &str| entry[key].as_str().unwrap_or_default();
        format!("v{} {} by {}", entry["version"], text("status"), text("action"))
    });
    told.collect::<Vec<_>>().join(", ")
}

/// Runs Helm itself against the cluster, in the team's namespace and beside the chart.
pub(crate) async fn helm(team: &Team<'_>, line: &str) -> String {
    fairlead_tools::provide(&[Tool::Helm], |line| eprintln!("{line}")).expect("helm can be built");
    let mut command = team.cluster.command(&Tool::Helm.path());
    command.args(line.split_whitespace()).args(["-n", &team.namespace]);
    let folder = tempfile::tempdir().expect("a folder");
    for (path, content) in FILES {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a folder");
        fs::write(path, content).expect("a file");
    }
    command.current_dir(folder.path());
    let Output { status, stdout, stderr } =
        tokio::task::spawn_blocking(move || command.output()).await.expect("it ends").expect("it starts");
    let (stdout, stderr) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "helm {line}: {stderr}");
    team.steady(&stdout)
}

/// The revisions that Helm knows, and what it says of each.
pub(crate) async fn known_to_helm(team: &Team<'_>) -> String {
    let listed: Value = serde_json::from_str(&helm(team, "history web -o json").await).expect("JSON");
    let text = |entry: &Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    let told = listed.as_array().into_iter().flatten().map(|entry| {
        let [status, chart, description] = ["status", "chart", "description"].map(|key| text(entry, key));
        format!("{} {status} {chart}: {description}", entry["revision"])
    });
    told.collect::<Vec<_>>().join("\n")
}

pub(crate) async fn greeting(team: &Team<'_>) -> String {
    let found = team.find("ConfigMap", "web-greeting").await.unwrap_or_default();
    found["data"]["greeting"].as_str().unwrap_or_default().to_owned()
}
