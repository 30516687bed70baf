//! The transformers, each with its configuration, and the one loop that runs them.
//!
//! A field of a kustomization and a plugin's file come to the same value here.

mod images;
mod labels;
mod name;
mod namespace;
mod patch;
mod replacement;
mod replicas;
mod value_add;

use std::sync::Arc;

pub(crate) use images::Images;
pub(crate) use labels::{Annotations, Labels};
pub(crate) use name::{Affix, Side};
pub(crate) use namespace::{Namespace, Subjects, Unset};
pub(crate) use patch::{JsonPatch, PatchTransformer, StrategicMergePatches};
pub(crate) use replacement::Replacements;
pub(crate) use replicas::Replicas;
pub(crate) use value_add::{ValueAdd, ValueTarget};

use fairlead_yaml::Written;

use crate::{
    at::At, error::BuildError, generate, provenance::Step, resource::NameHash, resources::Resources, schema::Schema,
};

/// One transformer, configured.
pub(crate) struct Transformer {
    /// Where its configuration was written.
    pub(crate) at: At,
    /// What it is called in the notes of the objects that it saw.
    pub(crate) step: Arc<Step>,
    pub(crate) change: Change,
    /// What the fields are marked with that it writes.
    mark: Written,
}

/// What a transformer does.
pub(crate) enum Change {
    Annotations(Annotations),
    Images(Images),
    JsonPatch(JsonPatch),
    Labels(Labels),
    Namespace(Namespace),
    Patch(PatchTransformer),
    /// Gives every generated object its hash at once.
    Hash,
    Names(Vec<Affix>),
    Replacements(Replacements),
    Replicas(Replicas),
    StrategicMergePatches(StrategicMergePatches),
    ValueAdd(ValueAdd),
    /// Changes nothing, and is noted all the same.
    Nothing,
}

impl Transformer {
    pub(crate) fn new(at: &At, step: Arc<Step>, change: Change) -> Self {
        Self { at: at.clone(), step, change, mark: at.mark() }
    }

    /// Changes `resources`, then drops those that have become empty.
    pub(crate) fn run(&self, resources: &mut Resources, schema: &Schema) -> Result<(), BuildError> {
        let added = self.change.bytes_each().saturating_mul(resources.as_slice().len());
        resources.count_added(added, &self.at)?;
        match &self.change {
            Change::Annotations(annotations) => annotations.apply(resources, &self.mark),
            Change::Images(images) => images.apply(resources, &self.at, &self.mark),
            Change::JsonPatch(patch) => patch.apply(resources, schema, &self.at),
            Change::Labels(labels) => labels.apply(resources, &self.mark),
            Change::Namespace(namespace) => namespace.apply(resources, &self.mark),
            Change::Patch(patch) => patch.apply(resources, schema, &self.at),
            Change::Hash => add_hashes(resources),
            Change::Names(affixes) => affixes.iter().try_for_each(|affix| affix.apply(resources, &self.mark)),
            Change::Replacements(replacements) => replacements.apply(resources).map(|()| resources.find_scopes(schema)),
            Change::Replicas(replicas) => replicas.apply(resources, &self.at, &self.mark),
            Change::StrategicMergePatches(patches) => patches.apply(resources, schema, &self.at),
            Change::ValueAdd(value) => value.apply(resources, &self.mark).map(|()| resources.find_scopes(schema)),
            Change::Nothing => Ok(()),
        }?;
        resources.drop_empty();
        Ok(())
    }
}

impl Change {
    /// Whether it would merge a patch into one of `resources`.
    pub(crate) fn merges_into(&self, resources: &Resources) -> bool {
        match self {
            Self::Patch(patch) => patch.merges_into(resources),
            Self::StrategicMergePatches(patches) => !patches.is_empty(),
            Self::Annotations(_)
            | Self::Images(_)
            | Self::JsonPatch(_)
            | Self::Labels(_)
            | Self::Namespace(_)
            | Self::Hash
            | Self::Names(_)
            | Self::Replacements(_)
            | Self::Replicas(_)
            | Self::ValueAdd(_)
            | Self::Nothing => false,
        }
    }

    /// How many bytes it puts into every object, about; none for a change that counts what it does.
    fn bytes_each(&self) -> usize {
        match self {
            Self::Annotations(labels) | Self::Labels(labels) => labels.bytes(),
            Self::Namespace(namespace) => namespace.bytes(),
            Self::Names(affixes) => affixes.iter().map(Affix::bytes).sum(),
            Self::ValueAdd(value) => value.bytes(),
            Self::Images(_)
            | Self::JsonPatch(_)
            | Self::Patch(_)
            | Self::Hash
            | Self::Replacements(_)
            | Self::Replicas(_)
            | Self::StrategicMergePatches(_)
            | Self::Nothing => 0,
        }
    }
}

/// Ends the names of generated objects with the hashes of their content.
pub(crate) fn add_hashes(resources: &mut Resources) -> Result<(), BuildError> {
    for resource in resources.iter_mut().filter(|resource| resource.name_hash == NameHash::Wanted) {
        let name = generate::hashed_name(resource)?;
        resource.remember_id();
        resource.set_name(&name);
    }
    Ok(())
}
