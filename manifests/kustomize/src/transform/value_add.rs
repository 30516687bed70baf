//! `ValueAddTransformer`: puts one value into fields, as text or as an element of a path.
//!
//! # Follows kustomize
//! A namespace is put where the field `namespace` puts it. The way to another field leads through mappings only.

use fairlead_yaml::{Node, Written};

use crate::{
    error::BuildError,
    field_path,
    field_spec::{WalkError, split_path},
    node::{self, NodeKind},
    resource::Resource,
    resources::Resources,
    selector::Matcher,
    transform::{Namespace, Subjects, Unset},
};

/// Puts a value into fields.
pub(crate) struct ValueAdd {
    pub(crate) value: String,
    pub(crate) targets: Vec<ValueTarget>,
}

/// Which fields of which objects, and where in a field that is a path.
pub(crate) struct ValueTarget {
    pub(crate) selector: Option<Matcher>,
    pub(crate) field_path: String,
    /// The place of the value among the parts of the path, from 1; 0 replaces the field.
    pub(crate) file_path_position: i64,
}

impl ValueAdd {
    /// How many bytes an object gets.
    pub(crate) fn bytes(&self) -> usize {
        self.value.len().saturating_mul(self.targets.len())
    }

    pub(crate) fn apply(&self, resources: &mut Resources, mark: &Written) -> Result<(), BuildError> {
        for target in &self.targets {
            let segments = split_path(&target.field_path);
            let namespace = Namespace::new(&self.value, &[], Unset::Any, Subjects::default());
            let is_meant = |resource: &&mut Resource| match &target.selector {
                Some(selector) => selector.selects(resource),
                None => true,
            };
            for resource in resources.iter_mut().filter(is_meant) {
                if target.field_path == "metadata/namespace" {
                    namespace.set_in(resource, mark)?;
                } else {
                    let put = &mut |field: &mut Node| self.put(field, target, mark);
                    let put = field_path::set(&mut resource.node, &segments, Some(NodeKind::Scalar), put);
                    put.map_err(|problem| WalkError(problem).on(&target.field_path, resource))?;
                }
            }
        }
        Ok(())
    }

    fn put(&self, field: &mut Node, target: &ValueTarget, mark: &Written) -> Result<(), String> {
        let text = field.as_str().ok_or_else(|| WalkError::wrong_kind(NodeKind::Scalar, field).0)?;
        let Some(place) = usize::try_from(target.file_path_position).ok().filter(|place| *place > 0) else {
            node::respell(field, self.value.as_str(), mark);
            return Ok(());
        };
        let is_absolute = text.starts_with('/');
        let mut parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
        parts.insert((place - 1).min(parts.len()), &self.value);
        let joined = parts.join("/");
        node::respell(field, if is_absolute { format!("/{joined}") } else { joined }, mark);
        Ok(())
    }
}
