//! The order of the output.
//!
//! # Follows kustomize
//! `fifo` keeps the order in which objects came. `legacy` sorts by kind, those that others need first and admission
//! webhooks last, then by group, version, kind, namespace and name.

use std::cmp::Ordering;

use crate::{at::Located, build::Order, error::BuildError, id::GvkRef, kustomization::SortOptions, resource::Resource};

const FIRST: &[&str] = &[
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];

const LAST: &[&str] = &["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"];

/// What the legacy order puts first and last.
struct Ranks<'a> {
    first: Vec<&'a str>,
    last: Vec<&'a str>,
}

impl Default for Ranks<'_> {
    fn default() -> Self {
        Self { first: FIRST.to_vec(), last: LAST.to_vec() }
    }
}

/// Sorts `resources` as `asked` says, or else as the caller wants it.
pub(crate) fn sort(
    resources: &mut [Resource],
    asked: Option<&Located<SortOptions>>,
    wanted: Order,
) -> Result<(), BuildError> {
    let (order, ranks) = match asked {
        None => (wanted, Ranks::default()),
        Some(asked) => parse(asked)?,
    };
    match order {
        Order::Fifo => {}
        Order::Legacy => resources.sort_by(|a, b| compare(a, b, &ranks)),
    }
    Ok(())
}

fn parse(asked: &Located<SortOptions>) -> Result<(Order, Ranks<'_>), BuildError> {
    let problem = |problem| BuildError::SortOptions { at: asked.at.clone(), problem };
    let order = match asked.order.as_str() {
        "fifo" => Order::Fifo,
        "legacy" => Order::Legacy,
        _ => return Err(problem("the field 'sortOptions.order' must be one of [fifo, legacy]")),
    };
    match (&asked.legacy_sort_options, order) {
        (Some(_), Order::Fifo) => Err(problem(
            "the field 'sortOptions.legacySortOptions' is set but the selected sort order is 'fifo', not 'legacy'",
        )),
        (Some(options), Order::Legacy) => {
            let first = options.order_first.iter().map(String::as_str).collect();
            let last = options.order_last.iter().map(String::as_str).collect();
            Ok((order, Ranks { first, last }))
        }
        (None, _) => Ok((order, Ranks::default())),
    }
}

impl Ranks<'_> {
    /// The rank of `kind`, by the last place where it is listed.
    fn rank(&self, kind: &str) -> i64 {
        let place =
            |kinds: &[&str]| kinds.iter().rposition(|other| *other == kind).and_then(|at| i64::try_from(at).ok());
        let last = place(&self.last).map(|at| at + 1);
        last.or_else(|| place(&self.first).map(|at| at - i64::MAX / 2)).unwrap_or(0)
    }
}

fn compare(a: &Resource, b: &Resource, ranks: &Ranks<'_>) -> Ordering {
    let (a_id, b_id) = (a.id(), b.id());
    if a_id.gvk != b_id.gvk {
        return compare_gvks_by(a_id.gvk, b_id.gvk, ranks);
    }
    legacy_text(a).cmp(&legacy_text(b))
}

/// The legacy order of kinds.
pub(crate) fn compare_gvks(a: GvkRef<'_>, b: GvkRef<'_>) -> Ordering {
    compare_gvks_by(a, b, &Ranks::default())
}

/// What the legacy order looks at of a kind: its rank, and its text.
pub(crate) fn gvk_key(gvk: GvkRef<'_>) -> (i64, String) {
    (Ranks::default().rank(gvk.kind), gvk_text(gvk))
}

fn compare_gvks_by(a: GvkRef<'_>, b: GvkRef<'_>, ranks: &Ranks<'_>) -> Ordering {
    let by_rank = ranks.rank(a.kind).cmp(&ranks.rank(b.kind));
    let of_namespaces = a.kind == "Namespace" && b.kind == "Namespace";
    let is_one_core = a.group.is_empty() || b.group.is_empty();
    let by_text = gvk_text(a).cmp(&gvk_text(b));
    by_rank.then(if of_namespaces && is_one_core { by_text.reverse() } else { by_text })
}

fn or<'a>(text: &'a str, none: &'a str) -> &'a str {
    if text.is_empty() { none } else { text }
}

fn gvk_text(gvk: GvkRef<'_>) -> String {
    format!("{}_{}_{}", or(gvk.group, "~G"), or(gvk.version, "~V"), or(gvk.kind, "~K"))
}

fn legacy_text(resource: &Resource) -> String {
    let id = resource.id();
    format!("{}|{}|{}", id.gvk, or(id.namespace, "~X"), or(id.name, "~N"))
}
