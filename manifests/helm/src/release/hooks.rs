//! Hooks: manifests that run around an installation.

use std::collections::BTreeMap;

use super::RenderedManifest;

/// A manifest that is applied at an event, not with the others.
#[derive(Clone, Debug, PartialEq)]
pub struct Hook {
    /// The manifest.
    pub manifest: RenderedManifest,
    /// When it is applied.
    pub events: Vec<HookEvent>,
    /// Which of several comes first: the lightest.
    pub weight: i64,
    /// When it is deleted again.
    pub delete_policies: Vec<String>,
    /// When the output of its pods is kept.
    pub output_log_policies: Vec<String>,
}

/// When a hook is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookEvent {
    /// Before anything is installed.
    PreInstall,
    /// After everything is installed.
    PostInstall,
    /// Before anything is deleted.
    PreDelete,
    /// After everything is deleted.
    PostDelete,
    /// Before anything is upgraded.
    PreUpgrade,
    /// After everything is upgraded.
    PostUpgrade,
    /// Before anything is rolled back.
    PreRollback,
    /// After everything is rolled back.
    PostRollback,
    /// When the release is tested.
    Test,
}

impl HookEvent {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "pre-install" => Self::PreInstall,
            "post-install" => Self::PostInstall,
            "pre-delete" => Self::PreDelete,
            "post-delete" => Self::PostDelete,
            "pre-upgrade" => Self::PreUpgrade,
            "post-upgrade" => Self::PostUpgrade,
            "pre-rollback" => Self::PreRollback,
            "post-rollback" => Self::PostRollback,
            "test" | "test-success" => Self::Test,
            _ => return None,
        })
    }
}

/// What annotations make of a manifest.
pub(super) enum Role {
    /// It is installed with the others.
    Plain(RenderedManifest),
    /// It is a hook.
    Hook(Hook),
    /// It names an event that does not exist, and is left out.
    Unknown,
}

/// Decides what `manifest` is.
pub(super) fn role(manifest: RenderedManifest, annotations: &BTreeMap<String, String>) -> Role {
    let Some(events) = annotations.get("helm.sh/hook") else { return Role::Plain(manifest) };
    let events: Option<Vec<_>> =
        events.split(',').map(|event| HookEvent::parse(&event.trim().to_lowercase())).collect();
    let Some(events) = events else { return Role::Unknown };
    let weight = annotations.get("helm.sh/hook-weight").and_then(|weight| weight.parse().ok());
    let words = |key: &str| match annotations.get(key) {
        None => Vec::new(),
        Some(words) => words.split(',').map(|word| word.trim().to_lowercase()).collect(),
    };
    Role::Hook(Hook {
        manifest,
        events,
        weight: weight.unwrap_or_default(),
        delete_policies: words("helm.sh/hook-delete-policy"),
        output_log_policies: words("helm.sh/hook-output-log-policy"),
    })
}
