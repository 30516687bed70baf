//! What is known of the Flux objects that a configuration stands for, as far as its status tells it.

use std::collections::{HashSet, VecDeque};

use fairlead_api::{conditions::Conditions, kustomize::Kustomization, names::labels, time::Time};
use fairlead_object::{Digest, ObjectId};
use fairlead_plan::Inventory;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::core::object::HasStatus;

use super::live::belongs;
use crate::{
    controllers::{
        ObjectKey, SourceName, World,
        source::{Source, Sources},
    },
    watch::Object,
};

/// Most objects that one status lists: what is too large for the API server is told to nobody.
const LISTED_LIMIT: usize = 500;

/// How many Kustomizations may apply one another before it is no longer asked whose they are.
const NESTING_LIMIT: usize = 8;

/// What matters of a Flux object that is served here.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Facts {
    pub(super) generation: Option<i64>,
    pub(super) observed_generation: Option<i64>,
    pub(super) conditions: Conditions,
    pub(super) is_suspended: bool,
    /// It is only a name that others refer to, and says nothing of itself.
    pub(super) is_name_only: bool,
    /// The revision that a source has, or that a Kustomization applied last.
    pub(super) revision: Option<String>,
    /// The revision that a Kustomization tried last.
    pub(super) attempted: Option<String>,
    /// When a source got its revision.
    pub(super) updated_at: Option<Time>,
    /// What a Kustomization is built from.
    pub(super) source: Option<SourceName>,
    /// The Kustomizations that it waits for.
    pub(super) dependencies: Vec<ObjectKey>,
    /// The Flux objects that it applied.
    pub(super) applied: Vec<ObjectId>,
}

impl Facts {
    /// Equal for equal facts; a stand-in that costs little to keep.
    pub(super) fn digest(&self) -> Digest {
        Digest::of(format!("{self:?}").as_bytes())
    }
}

/// A kind of which a configuration has objects, or whose objects its Kustomizations apply.
pub(crate) trait FluxKind {
    /// The kind's name.
    const KIND: &'static str;

    /// What the object itself tells.
    fn facts(&self) -> Facts;
}

impl<K: Source> FluxKind for K {
    const KIND: &'static str = <K as Source>::KIND.name();

    fn facts(&self) -> Facts {
        let status = HasStatus::status(self).map(|status| status.as_ref().clone()).unwrap_or_default();
        Facts {
            observed_generation: status.observed_generation,
            conditions: status.conditions,
            is_suspended: self.asked().is_suspended,
            is_name_only: Source::is_name_only(self),
            updated_at: status.artifact.as_ref().map(|artifact| artifact.last_update_time),
            revision: status.artifact.map(|artifact| artifact.revision),
            ..Facts::default()
        }
    }
}

impl FluxKind for Kustomization {
    const KIND: &'static str = "Kustomization";

    fn facts(&self) -> Facts {
        let status = self.status.clone().unwrap_or_default();
        let namespace = self.metadata.namespace.as_deref().unwrap_or_default();
        let dependencies = self.spec.depends_on.iter();
        let entries = status.inventory.iter().flat_map(|inventory| &inventory.entries);
        let inventory = Inventory::from_entries(entries.map(|entry| (entry.id.as_str(), entry.version.as_str())));
        let applied = inventory.unwrap_or_default();
        Facts {
            observed_generation: status.observed_generation,
            conditions: status.conditions,
            is_suspended: self.spec.suspend,
            revision: status.last_applied_revision,
            attempted: status.last_attempted_revision,
            source: Some(SourceName::of(&self.spec, namespace)),
            dependencies: dependencies
                .map(|entry| ObjectKey::new(entry.namespace.as_deref().unwrap_or(namespace), &entry.name))
                .collect(),
            applied: applied.iter().map(|(object, _)| object).filter(|object| is_flux(object)).cloned().collect(),
            ..Facts::default()
        }
    }
}

fn is_flux(object: &ObjectId) -> bool {
    object.group.ends_with(".toolkit.fluxcd.io")
}

/// What is known of `object`; nothing but its generation if it cannot be read.
pub(crate) fn facts<K: FluxKind>(object: &Object<K>) -> Facts {
    let told = object.parsed.as_ref().map(FluxKind::facts).unwrap_or_default();
    Facts { generation: object.metadata.generation, ..told }
}

/// The configuration that the object with `metadata` belongs to: by its own label, or through the Kustomization that
/// applied it.
pub(super) fn owner(world: &World, metadata: &ObjectMeta) -> Option<ObjectKey> {
    let label = |metadata: &ObjectMeta, key: &str| metadata.labels.as_ref().and_then(|all| all.get(key)).cloned();
    let mut metadata = metadata.clone();
    for _ in 0..NESTING_LIMIT {
        let namespace = metadata.namespace.clone().unwrap_or_default();
        if let Some(name) = configuration_name(&metadata) {
            return Some(ObjectKey { namespace, name });
        }
        let namespace = label(&metadata, labels::OWNER_NAMESPACE)?;
        let applier = ObjectKey { namespace, name: label(&metadata, labels::OWNER_NAME)? };
        metadata = world.kustomizations.get(&applier)?.metadata.clone();
    }
    None
}

/// The configuration that an object names as its owner, else in its label.
fn configuration_name(metadata: &ObjectMeta) -> Option<String> {
    let mut owners = metadata.owner_references.iter().flatten();
    let owner =
        owners.find(|owner| owner.kind == "FluxConfiguration" && owner.api_version.starts_with("fairlead.dev/"));
    let label = || metadata.labels.as_ref()?.get(labels::CONFIGURATION_NAME).cloned();
    owner.map(|owner| owner.name.clone()).or_else(label)
}

/// A Flux object that a configuration stands for.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) kind: String,
    pub(super) key: ObjectKey,
    /// The Kustomization that applied it; `None` for the configuration's own.
    pub(super) applied_by: Option<ObjectKey>,
    /// `None` for an object that is not served here.
    pub(super) facts: Option<Facts>,
}

/// The objects of the configuration `key` and those that they applied, its source first.
pub(super) fn parts(world: &World, key: &ObjectKey, uid: &str) -> Vec<Part> {
    let sources = Sources::KINDS.into_iter().filter_map(|kind| {
        let (metadata, facts) = world.sources.of(kind)?.seen(key)?;
        belongs(&metadata, key, uid).then(|| own_part(kind.name(), key, facts))
    });
    let mut parts: Vec<Part> = sources.collect();
    let all = world.kustomizations.all();
    let own = all.iter().filter(|object| {
        object.metadata.namespace.as_ref() == Some(&key.namespace) && belongs(&object.metadata, key, uid)
    });
    let mut own: Vec<Part> = own.map(|object| own_part(Kustomization::KIND, &object.key(), facts(object))).collect();
    own.sort_by(|a, b| a.key.cmp(&b.key));
    parts.extend(own);
    add_applied(world, &mut parts);
    parts
}

/// One of the configuration's own objects.
fn own_part(kind: &str, key: &ObjectKey, facts: Facts) -> Part {
    Part { kind: kind.to_owned(), key: key.clone(), applied_by: None, facts: Some(facts) }
}

/// Adds what the Kustomizations among `parts` applied, and what the Kustomizations among that did.
fn add_applied(world: &World, parts: &mut Vec<Part>) {
    let name = |part: &Part| (part.kind.clone(), part.key.clone());
    let mut known: HashSet<_> = parts.iter().map(name).collect();
    let mut appliers: VecDeque<Part> = parts.iter().cloned().collect();
    while let Some(applier) = appliers.pop_front() {
        for object in applier.facts.iter().flat_map(|facts| &facts.applied) {
            let part = applied(world, &applier.key, object);
            if parts.len() < LISTED_LIMIT && known.insert(name(&part)) {
                parts.push(part.clone());
                appliers.push_back(part);
            }
        }
    }
}

fn applied(world: &World, applier: &ObjectKey, object: &ObjectId) -> Part {
    let key = ObjectKey::new(object.namespace_or_empty(), &object.name);
    let facts = if object.kind == Kustomization::KIND {
        world.kustomizations.get(&key).map(|object| facts(&object))
    } else {
        let kind = Sources::KINDS.into_iter().find(|kind| kind.name() == object.kind);
        kind.and_then(|kind| world.sources.of(kind)?.seen(&key)).map(|(_, facts)| facts)
    };
    Part { kind: object.kind.clone(), key, applied_by: Some(applier.clone()), facts }
}
