//! `ValueAddTransformer`: puts one value into fields, as text or as an element of a path.

use fairlead_yaml::{Node, Written};

use crate::{
    error::BuildError,
    field_spec::{FieldSpec, FieldSpecs, WalkError},
    node::{self, NodeKind},
    resources::Resources,
    selector::Matcher,
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
            let spec = FieldSpec { path: target.field_path.clone(), create: true, ..FieldSpec::default() };
            let fields = FieldSpecs::new([spec]);
            for resource in resources.iter_mut() {
                if target.selector.as_ref().is_none_or(|selector| selector.selects(resource)) {
                    fields.visit(resource, Some(NodeKind::Scalar), &mut |field| self.put(field, target, mark))?;
                }
            }
        }
        Ok(())
    }

    fn put(&self, field: &mut Node, target: &ValueTarget, mark: &Written) -> Result<(), WalkError> {
        let text = field.as_str().ok_or_else(|| WalkError::wrong_kind(NodeKind::Scalar, field))?;
        let Some(place) = usize::try_from(target.file_path_position).ok().filter(|place| *place > 0) else {
            node::rewrite(field, self.value.as_str(), mark);
            return Ok(());
        };
        let is_absolute = text.starts_with('/');
        let mut parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
        parts.insert((place - 1).min(parts.len()), &self.value);
        let joined = parts.join("/");
        node::rewrite(field, if is_absolute { format!("/{joined}") } else { joined }, mark);
        Ok(())
    }
}
