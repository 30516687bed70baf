//! Labels and annotations by which a single object changes how it is applied.
//!
//! # Follows Flux
//! Each key stands under `kustomize.toolkit.fluxcd.io/`, as a label or as an annotation, and its value is compared
//! without regard to case.

use fairlead_object::Manifest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The label or annotation by which an object opts out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OptOut {
    /// The full key, as `kustomize.toolkit.fluxcd.io/ssa`.
    pub key: String,
    /// Its value, as `IfNotPresent`.
    pub value: String,
    /// Where it stands.
    pub place: OptOutPlace,
}

/// Where an opt-out stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OptOutPlace {
    /// On the manifest.
    Source,
    /// On the object in the cluster.
    Cluster,
}

impl std::fmt::Display for OptOut {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let place = match self.place {
            OptOutPlace::Source => "in the source",
            OptOutPlace::Cluster => "in the cluster",
        };
        write!(f, "{}: {} {place}", self.key, self.value)
    }
}

/// A key and the value that gives it an effect.
type Mark = (&'static str, &'static str);

const RECONCILE_DISABLED: Mark = ("kustomize.toolkit.fluxcd.io/reconcile", "Disabled");
const APPLY_IGNORED: Mark = ("kustomize.toolkit.fluxcd.io/ssa", "Ignore");
const APPLY_IF_ABSENT: Mark = ("kustomize.toolkit.fluxcd.io/ssa", "IfNotPresent");
const APPLY_MERGES: Mark = ("kustomize.toolkit.fluxcd.io/ssa", "Merge");
const FORCE_ENABLED: Mark = ("kustomize.toolkit.fluxcd.io/force", "Enabled");
const PRUNE_DISABLED: Mark = ("kustomize.toolkit.fluxcd.io/prune", "Disabled");
const KEPT_BY_HELM: Mark = ("helm.sh/resource-policy", "keep");

/// The mark by which an object opts out of being applied; `live` is absent before it is created.
pub(crate) fn apply_opt_out(manifest: &Manifest, live: Option<&Value>) -> Option<OptOut> {
    let source = Marked { metadata: manifest.body().get("metadata"), place: OptOutPlace::Source };
    let cluster = live.map(Marked::in_cluster);
    let both = || [Some(source), cluster].into_iter().flatten();
    let if_absent = cluster.and_then(|_| source.opt_out(APPLY_IF_ABSENT));
    let of = |mark| both().find_map(|marked| marked.opt_out(mark));
    of(RECONCILE_DISABLED).or_else(|| of(APPLY_IGNORED)).or(if_absent)
}

/// The mark by which the live object opts out of being deleted.
pub(crate) fn prune_opt_out(live: &Value) -> Option<OptOut> {
    let marked = Marked::in_cluster(live);
    [PRUNE_DISABLED, RECONCILE_DISABLED, APPLY_IGNORED].into_iter().find_map(|mark| marked.opt_out(mark))
}

/// The mark by which a live object outlasts its release.
pub(crate) fn kept_by_helm(live: &Value) -> Option<OptOut> {
    Marked::in_cluster(live).opt_out(KEPT_BY_HELM)
}

/// Whether the object asks to be replaced when an immutable field changes.
pub(crate) fn forces(manifest: &Manifest, live: &Value) -> bool {
    on_either(manifest, live, FORCE_ENABLED)
}

/// Whether the object asks that fields of `kubectl` stay.
pub(crate) fn merges(manifest: &Manifest, live: &Value) -> bool {
    on_either(manifest, live, APPLY_MERGES)
}

fn on_either(manifest: &Manifest, live: &Value, mark: Mark) -> bool {
    let source = Marked { metadata: manifest.body().get("metadata"), place: OptOutPlace::Source };
    [source, Marked::in_cluster(live)].iter().any(|marked| marked.opt_out(mark).is_some())
}

/// An object's metadata, and which copy of the object it is from.
#[derive(Clone, Copy)]
struct Marked<'a> {
    metadata: Option<&'a Value>,
    place: OptOutPlace,
}

impl<'a> Marked<'a> {
    fn in_cluster(live: &'a Value) -> Self {
        Self { metadata: live.get("metadata"), place: OptOutPlace::Cluster }
    }

    fn opt_out(&self, (key, expected): Mark) -> Option<OptOut> {
        let value = |map| self.metadata?.get(map)?.get(key)?.as_str();
        let value = ["labels", "annotations"]
            .into_iter()
            .filter_map(value)
            .find(|value| value.eq_ignore_ascii_case(expected))?;
        Some(OptOut { key: key.to_owned(), value: value.to_owned(), place: self.place })
    }
}
