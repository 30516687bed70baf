//! The order in which objects are applied and deleted.
//!
//! # Follows Flux
//! Stages and the order of kinds inside a stage are those of Flux's apply engine. Deletion goes by the order of kinds
//! alone, reversed.

use std::{cmp::Ordering, collections::BTreeSet};

use fairlead_object::ObjectId;
use serde::{Deserialize, Serialize};

/// A group of steps that starts only when the one before it is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Stage {
    /// What others are instances or members of: `CustomResourceDefinition`, Namespace, `ClusterRole`. Awaited.
    Definitions,
    /// Every kind whose name ends in `Class`. Awaited.
    Classes,
    /// The kinds of `--custom-apply-stage-kinds`.
    Custom,
    /// Everything else.
    Rest,
    /// Deletion of what the source no longer names.
    Prune,
}

impl Stage {
    /// The stage in which `object` is applied.
    pub fn of(object: &ObjectId, custom: &CustomStage) -> Self {
        if is_definition(object) {
            Self::Definitions
        } else if object.kind.ends_with("Class") {
            Self::Classes
        } else if custom.contains(object) {
            Self::Custom
        } else {
            Self::Rest
        }
    }
}

fn is_definition(object: &ObjectId) -> bool {
    let kind = |expected: &str| object.kind.eq_ignore_ascii_case(expected);
    match object.group.as_str() {
        "apiextensions.k8s.io" => kind("CustomResourceDefinition"),
        "rbac.authorization.k8s.io" => kind("ClusterRole"),
        "" => kind("Namespace"),
        _ => false,
    }
}

/// The kinds that `--custom-apply-stage-kinds` applies before the rest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomStage(BTreeSet<(String, String)>);

/// An entry of `--custom-apply-stage-kinds` that names no kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is neither `group/Kind` nor `Kind`")]
pub struct CustomStageError(String);

impl CustomStage {
    /// Reads entries of the form `group/Kind`; a bare `Kind` is of the core group.
    pub fn parse<'a>(entries: impl IntoIterator<Item = &'a str>) -> Result<Self, CustomStageError> {
        let parse = |entry: &str| {
            let (group, kind) = entry.split_once('/').unwrap_or(("", entry));
            if kind.is_empty() || kind.contains('/') {
                return Err(CustomStageError(entry.to_owned()));
            }
            Ok((group.to_owned(), kind.to_owned()))
        };
        entries.into_iter().map(parse).collect::<Result<_, _>>().map(Self)
    }

    fn contains(&self, object: &ObjectId) -> bool {
        self.0.iter().any(|(group, kind)| *group == object.group && *kind == object.kind)
    }
}

/// Kinds that come before all others, in this order.
const FIRST_KINDS: [&str; 23] = [
    "CustomResourceDefinition",
    "Namespace",
    "ClusterRole",
    "ClusterClass",
    "RuntimeClass",
    "PriorityClass",
    "StorageClass",
    "VolumeSnapshotClass",
    "IngressClass",
    "GatewayClass",
    "ClusterRoleBinding",
    "ResourceQuota",
    "ServiceAccount",
    "Role",
    "RoleBinding",
    "ConfigMap",
    "Secret",
    "Service",
    "LimitRange",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

/// Kinds that come after all others, in this order.
const LAST_KINDS: [&str; 2] = ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

fn kind_rank(kind: &str) -> usize {
    let place = |kinds: &[&str]| kinds.iter().position(|other| *other == kind);
    place(&FIRST_KINDS)
        .or_else(|| place(&LAST_KINDS).map(|place| FIRST_KINDS.len() + 1 + place))
        .unwrap_or(FIRST_KINDS.len())
}

/// Orders two objects inside a stage: by kind, then by group, kind, namespace and name.
pub(crate) fn compare_objects(a: &ObjectId, b: &ObjectId) -> Ordering {
    kind_rank(&a.kind).cmp(&kind_rank(&b.kind)).then_with(|| a.cmp(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(group: &str, kind: &str) -> ObjectId {
        ObjectId::new(group, kind, "", "x")
    }

    #[test]
    fn every_kind_has_the_stage_that_flux_gives_it() {
        let custom = CustomStage::parse(["example.com/Queue", "PersistentVolume"]).expect("well formed");
        let cases = [
            ("apiextensions.k8s.io", "CustomResourceDefinition", Stage::Definitions),
            ("", "Namespace", Stage::Definitions),
            ("", "namespace", Stage::Definitions),
            ("rbac.authorization.k8s.io", "ClusterRole", Stage::Definitions),
            ("example.com", "Namespace", Stage::Rest),
            ("rbac.authorization.k8s.io", "ClusterRoleBinding", Stage::Rest),
            ("storage.k8s.io", "StorageClass", Stage::Classes),
            ("karpenter.k8s.aws", "EC2NodeClass", Stage::Classes),
            ("example.com", "Queue", Stage::Custom),
            ("", "PersistentVolume", Stage::Custom),
            ("other.com", "Queue", Stage::Rest),
            ("apps", "Deployment", Stage::Rest),
        ];
        for (group, kind, stage) in cases {
            assert_eq!(Stage::of(&object(group, kind), &custom), stage, "{group}/{kind}");
        }
    }

    #[test]
    fn webhooks_come_after_kinds_that_nobody_listed() {
        let mut kinds =
            ["ValidatingWebhookConfiguration", "Widget", "Deployment", "MutatingWebhookConfiguration", "Secret"]
                .map(|kind| object("", kind));
        kinds.sort_by(compare_objects);
        assert_eq!(
            kinds.map(|object| object.kind),
            ["Secret", "Deployment", "Widget", "MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"]
        );
    }

    #[test]
    fn a_custom_stage_entry_without_a_kind_is_refused() {
        let error = CustomStage::parse(["example.com/"]).expect_err("no kind");
        assert_eq!(error.to_string(), "`example.com/` is neither `group/Kind` nor `Kind`");
    }
}
