//! Short spellings for tests.

use fairlead_object::{Manifest, Origin};
use serde_json::{Value, json};

/// The API version under which tests write `kind`.
fn api_version(kind: &str) -> &'static str {
    match kind {
        "Deployment" | "StatefulSet" => "apps/v1",
        "Job" => "batch/v1",
        "CustomResourceDefinition" => "apiextensions.k8s.io/v1",
        "ClusterRole" | "ClusterRoleBinding" | "Role" | "RoleBinding" => "rbac.authorization.k8s.io/v1",
        "StorageClass" => "storage.k8s.io/v1",
        "Widget" => "example.com/v1",
        _ => "v1",
    }
}

/// The object that `Kind namespace/name` or `Kind name` names, with nothing else in it.
pub(crate) fn object(named: &str) -> Value {
    let (kind, name) = named.split_once(' ').expect("a kind and a name");
    let mut body = json!({"apiVersion": api_version(kind), "kind": kind, "metadata": {"name": name}});
    if let Some((namespace, name)) = name.split_once('/') {
        body["metadata"] = json!({"name": name, "namespace": namespace});
    }
    body
}

/// The manifest of [`object`].
pub(crate) fn manifest(named: &str) -> Manifest {
    manifest_of(object(named))
}

/// `body` as it was written at the first line of `<kind>-<name>.yaml`.
pub(crate) fn manifest_of(body: Value) -> Manifest {
    let text = |pointer| body.pointer(pointer).and_then(Value::as_str).expect(pointer).to_lowercase();
    let file = format!("{}-{}.yaml", text("/kind"), text("/metadata/name"));
    Manifest::new(body, Origin::new(file.parse().expect("relative"), 1)).expect("well formed")
}
