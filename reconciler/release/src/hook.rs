//! Hooks: objects that run around an action, by their annotations.
//!
//! # Follows Helm
//! An object whose annotation names an event that does not exist is left out. A hook is deleted before it runs anew
//! unless it says otherwise.

use serde_json::Value;

use crate::{Hook, HookRun};

/// The event at which tests run.
pub const TEST: &str = "test";

/// Deleted when it runs anew.
pub const BEFORE_CREATION: &str = "before-hook-creation";
/// Deleted when it has succeeded.
pub const SUCCEEDED: &str = "hook-succeeded";
/// Deleted when it has failed.
pub const FAILED: &str = "hook-failed";

const EVENTS: [&str; 9] = [
    "pre-install",
    "post-install",
    "pre-delete",
    "post-delete",
    "pre-upgrade",
    "post-upgrade",
    "pre-rollback",
    "post-rollback",
    TEST,
];

/// What annotations make of an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Role {
    /// It is installed.
    Installed,
    /// It runs around an action.
    Hook(Box<Hook>),
    /// It names an event that does not exist, and is left out.
    LeftOut,
}

/// What the annotations of `object` make of it, which the template at `path` makes and is written as `manifest`.
pub fn role(object: &Value, path: &str, manifest: &str) -> Role {
    let annotation = |key: &str| object["metadata"]["annotations"][key].as_str();
    let Some(events) = annotation("helm.sh/hook") else { return Role::Installed };
    let Some(events) = events.split(',').map(event).collect::<Option<Vec<_>>>() else { return Role::LeftOut };
    let words = |key: &str| match annotation(key) {
        Some(words) => words.split(',').map(|word| word.trim().to_lowercase()).collect(),
        None => Vec::new(),
    };
    let mut delete_policies = words("helm.sh/hook-delete-policy");
    if delete_policies.is_empty() {
        delete_policies.push(BEFORE_CREATION.to_owned());
    }
    let text = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    Role::Hook(Box::new(Hook {
        name: text("/metadata/name"),
        kind: text("/kind"),
        path: path.to_owned(),
        manifest: manifest.to_owned(),
        events,
        last_run: HookRun::default(),
        weight: annotation("helm.sh/hook-weight").and_then(|weight| weight.parse().ok()).unwrap_or_default(),
        delete_policies,
        output_log_policies: words("helm.sh/hook-output-log-policy"),
    }))
}

fn event(written: &str) -> Option<String> {
    let written = written.trim().to_lowercase();
    let known = if written == "test-success" { TEST } else { written.as_str() };
    EVENTS.contains(&known).then(|| known.to_owned())
}

impl Hook {
    /// Whether it is deleted in the case `policy`. A definition never is: its objects would go with it.
    pub fn is_deleted(&self, policy: &str) -> bool {
        self.kind != "CustomResourceDefinition" && self.delete_policies.iter().any(|own| own == policy)
    }

    /// Whether it is a test.
    pub fn is_test(&self) -> bool {
        self.events.iter().any(|event| event == TEST)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn role_of(annotations: &Value) -> Role {
        role(&json!({"kind": "Job", "metadata": {"name": "x", "annotations": annotations}}), "web/templates/x.yaml", "")
    }

    #[test]
    fn annotations_decide_when_an_object_runs() {
        assert_eq!(role_of(&json!({})), Role::Installed);
        assert_eq!(role_of(&json!({"helm.sh/hook": "pre-install,never"})), Role::LeftOut);
        let Role::Hook(hook) =
            role_of(&json!({"helm.sh/hook": "Pre-Install, test-success", "helm.sh/hook-weight": "-2"}))
        else {
            panic!("a hook")
        };
        assert_eq!((hook.events, hook.weight), (vec!["pre-install".to_owned(), "test".to_owned()], -2));
        assert_eq!(hook.delete_policies, [BEFORE_CREATION]);
    }
}
