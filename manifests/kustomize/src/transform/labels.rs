//! `labels`, `commonLabels` and `commonAnnotations`.

use std::collections::BTreeMap;

use fairlead_yaml::{Node, Written};

use crate::{
    error::BuildError,
    field_spec::{FieldSpec, FieldSpecs, WalkError},
    node::{self, NodeKind},
    resource::Resource,
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

    /// How many bytes an object gets.
    pub(crate) fn bytes(&self) -> usize {
        self.pairs.iter().map(|(key, value)| key.len() + value.len()).sum()
    }

    pub(crate) fn apply(&self, resources: &mut Resources, mark: &Written) -> Result<(), BuildError> {
        if self.pairs.is_empty() {
            return Ok(());
        }
        for resource in resources.iter_mut_same_ids() {
            for (key, value) in &self.pairs {
                self.set(resource, key, value, mark)?;
            }
            resource.shared.settle(&mut resource.node);
        }
        Ok(())
    }

    fn set(&self, resource: &mut Resource, key: &str, value: &str, mark: &Written) -> Result<(), BuildError> {
        let new = Node { shared: resource.shared.next(), written: mark.clone(), ..Node::string(value) };
        let mut places = 0;
        self.specs.visit(resource, Some(NodeKind::Mapping), &mut |field| {
            let Some(entries) = field.as_mapping_mut() else {
                return Err(WalkError::wrong_kind(NodeKind::Mapping, field));
            };
            if let Some(old) = entries.get_mut(key) {
                node::rewrite(old, value, mark);
            } else {
                entries.insert(key, new.clone());
                places += 1;
            }
            Ok(())
        })?;
        resource.shared.add(&new, places);
        Ok(())
    }
}
