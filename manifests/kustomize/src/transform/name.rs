//! `namePrefix` and `nameSuffix`.
//!
//! # Follows kustomize
//! The names of namespaces, API services and custom resource definitions stay, judged by what an object was at first.
//! What a name got is remembered: references are told apart by it. A name without quotes that comes to look like a number
//! or a boolean is one then.

use fairlead_yaml::Written;

use crate::{
    error::BuildError,
    field_spec::{FieldSpec, FieldSpecs, WalkError},
    id::GvkRef,
    node::{self, NodeKind},
    resource::Resource,
    resources::Resources,
};

/// Puts a text before or after names.
pub(crate) struct Affix {
    text: String,
    side: Side,
    specs: Vec<(FieldSpec, FieldSpecs)>,
}

/// Where a text goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Before,
    After,
}

impl Affix {
    pub(crate) fn new(text: &str, side: Side, specs: &[FieldSpec]) -> Self {
        let specs = specs.iter().map(|spec| (spec.clone(), FieldSpecs::new([spec.clone()])));
        Self { text: text.to_owned(), side, specs: specs.collect() }
    }

    /// How many bytes an object gets.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }

    pub(crate) fn apply(&self, resources: &mut Resources, mark: &Written) -> Result<(), BuildError> {
        let mut renamed = resources.iter_mut().filter(|resource| !keeps_its_name(resource.original().gvk));
        renamed.try_for_each(|resource| self.rename(resource, mark))
    }

    fn rename(&self, resource: &mut Resource, mark: &Written) -> Result<(), BuildError> {
        for (spec, fields) in &self.specs {
            if !spec.selects(resource.gvk()) {
                continue;
            }
            if spec.path == "metadata/name" {
                let affixes = match self.side {
                    Side::Before => &mut resource.prefixes,
                    Side::After => &mut resource.suffixes,
                };
                affixes.push(self.text.clone());
                resource.remember_id();
            }
            fields.visit(resource, Some(NodeKind::Scalar), &mut |field| {
                let name = field.as_str().ok_or_else(|| WalkError::wrong_kind(NodeKind::Scalar, field))?;
                let name = match self.side {
                    Side::Before => format!("{}{name}", self.text),
                    Side::After => format!("{name}{}", self.text),
                };
                node::respell(field, name, mark);
                Ok(())
            })?;
        }
        Ok(())
    }
}

fn keeps_its_name(gvk: GvkRef<'_>) -> bool {
    matches!(
        (gvk.group, gvk.kind),
        (_, "CustomResourceDefinition" | "Namespace") | ("apiregistration.k8s.io", "APIService")
    )
}
