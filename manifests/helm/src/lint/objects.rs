//! What the objects of a chart should have.

use std::collections::HashMap;

use serde_json::Value as Json;

use super::{Finding, removed};
use crate::release::{CheckedDocument, DEFAULT_KUBE_VERSION, Fate, Release};

/// What is wrong with the objects that templates make.
pub(super) fn findings(documents: &[CheckedDocument], release: &Release) -> Vec<Finding> {
    let objects: Vec<Object<'_>> = documents.iter().filter(|document| !document.object.is_null()).map(Object).collect();
    let version = release.kube_version.as_deref().unwrap_or(DEFAULT_KUBE_VERSION);
    let mut findings: Vec<Finding> = objects.iter().flat_map(|object| object.findings(version)).collect();
    findings.extend(repeated(&objects));
    findings
}

/// An object that a template makes.
struct Object<'d>(&'d CheckedDocument);

impl<'d> Object<'d> {
    fn place(&self) -> String {
        format!("{}:{}", self.0.file, self.0.line)
    }

    fn text(&self, path: &[&str]) -> &'d str {
        let found = path.iter().try_fold(&self.0.object, |json, key| json.get(key));
        found.and_then(Json::as_str).unwrap_or_default()
    }

    fn findings(&self, kube_version: &str) -> Vec<Finding> {
        let (api_version, kind) = (self.text(&["apiVersion"]), self.text(&["kind"]));
        let mut findings = Vec::new();
        for (field, text) in [("apiVersion", api_version), ("kind", kind)] {
            if text.is_empty() {
                findings.push(Finding::error(self.place(), format!("the object has no `{field}`")));
            }
        }
        findings.extend(self.on_name(kind));
        if let Some(removed) = removed::find(api_version, kind, kube_version) {
            findings.push(Finding::warning(self.place(), removed));
        }
        if self.0.fate == Fate::LeftOut {
            let message = "`helm.sh/hook` names an event that does not exist, so the object is left out";
            findings.push(Finding::warning(self.place(), message));
        }
        findings
    }

    fn on_name(&self, kind: &str) -> Option<Finding> {
        let name = self.text(&["metadata", "name"]);
        let needs_none = kind.ends_with("List") || !self.text(&["metadata", "generateName"]).is_empty();
        if name.is_empty() {
            return (!needs_none).then(|| Finding::error(self.place(), "the object has no `metadata.name`"));
        }
        let message = format!("object name does not conform to Kubernetes naming requirements: {name:?}");
        (!is_name(name, kind)).then(|| Finding::warning(self.place(), message))
    }
}

/// Objects that are made twice; the second would replace the first.
fn repeated(objects: &[Object<'_>]) -> Vec<Finding> {
    let mut seen: HashMap<_, &Object<'_>> = HashMap::new();
    let mut findings = Vec::new();
    for object in objects.iter().filter(|object| object.0.fate == Fate::Installed) {
        let (kind, name) = (object.text(&["kind"]), object.text(&["metadata", "name"]));
        let group = object.text(&["apiVersion"]).split_once('/').map_or("", |(group, _)| group);
        if name.is_empty() {
            continue;
        }
        if let Some(first) = seen.insert((group, kind, object.text(&["metadata", "namespace"]), name), object) {
            let message = format!("{kind} {name} is there twice; the first is at {}", first.place());
            findings.push(Finding::error(object.place(), message));
        }
    }
    findings
}

/// Whether an object of `kind` may be called `name`.
///
/// # Follows Helm
/// Most names are those of subdomains; those of RBAC are anything that fits into a path.
fn is_name(name: &str, kind: &str) -> bool {
    const MAX_BYTES: usize = 253;
    if matches!(kind, "Role" | "ClusterRole" | "RoleBinding" | "ClusterRoleBinding") {
        return !matches!(name, "." | "..") && !name.contains(['/', '%']);
    }
    let is_inner = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
    let is_label = |label: &str| {
        !label.is_empty() && label.chars().all(is_inner) && !label.starts_with('-') && !label.ends_with('-')
    };
    name.len() <= MAX_BYTES && name.split('.').all(is_label)
}
