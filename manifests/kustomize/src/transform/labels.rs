//! `labels`, `commonLabels` and `commonAnnotations`.

use std::collections::BTreeMap;

use fairlead_yaml::Node;

use crate::{
    error::BuildError,
    field_spec::{FieldSpec, FieldSpecs, WalkError},
    node::NodeKind,
    resources::Resources,
};

/// Sets entries of the mappings that its specs name.
pub(crate) struct Labels {
    pairs: BTreeMap<String, String>,
    specs: FieldSpecs,
}

/// Sets annotations: as labels, with other specs.
pub(crate) type Annotations = Labels;

impl Labels {
    pub(crate) fn new(pairs: &BTreeMap<String, String>, specs: &[FieldSpec]) -> Self {
        Self { pairs: pairs.clone(), specs: FieldSpecs::new(specs.iter().cloned()) }
    }

    pub(crate) fn apply(&self, resources: &mut Resources) -> Result<(), BuildError> {
        if self.pairs.is_empty() {
            return Ok(());
        }
        for resource in resources.iter_mut_same_ids() {
            self.specs.visit(resource, Some(NodeKind::Mapping), &mut |field| self.set(field))?;
        }
        Ok(())
    }

    fn set(&self, field: &mut Node) -> Result<(), WalkError> {
        let Some(entries) = field.as_mapping_mut() else {
            return Err(WalkError::wrong_kind(NodeKind::Mapping, field));
        };
        for (key, value) in &self.pairs {
            entries.insert(key, Node::string(value.as_str()));
        }
        Ok(())
    }
}
