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

/// Puts a text before names.
pub(crate) struct Prefix {
    prefix: String,
    specs: Vec<(FieldSpec, FieldSpecs)>,
}

/// Puts a text after names.
pub(crate) struct Suffix {
    suffix: String,
    specs: Vec<(FieldSpec, FieldSpecs)>,
}

impl Prefix {
    pub(crate) fn new(prefix: &str, specs: &[FieldSpec]) -> Self {
        Self { prefix: prefix.to_owned(), specs: one_by_one(specs) }
    }

    /// How many bytes an object gets.
    pub(crate) fn bytes(&self) -> usize {
        self.prefix.len()
    }

    pub(crate) fn apply(&self, resources: &mut Resources, mark: &Written) -> Result<(), BuildError> {
        rename(
            resources,
            &self.specs,
            mark,
            |name| format!("{}{name}", self.prefix),
            |resource| {
                resource.prefixes.push(self.prefix.clone());
            },
        )
    }
}

impl Suffix {
    pub(crate) fn new(suffix: &str, specs: &[FieldSpec]) -> Self {
        Self { suffix: suffix.to_owned(), specs: one_by_one(specs) }
    }

    /// How many bytes an object gets.
    pub(crate) fn bytes(&self) -> usize {
        self.suffix.len()
    }

    pub(crate) fn apply(&self, resources: &mut Resources, mark: &Written) -> Result<(), BuildError> {
        rename(
            resources,
            &self.specs,
            mark,
            |name| format!("{name}{}", self.suffix),
            |resource| {
                resource.suffixes.push(self.suffix.clone());
            },
        )
    }
}

fn one_by_one(specs: &[FieldSpec]) -> Vec<(FieldSpec, FieldSpecs)> {
    specs.iter().map(|spec| (spec.clone(), FieldSpecs::new([spec.clone()]))).collect()
}

fn rename(
    resources: &mut Resources,
    specs: &[(FieldSpec, FieldSpecs)],
    mark: &Written,
    renamed: impl Fn(&str) -> String,
    remember: impl Fn(&mut Resource),
) -> Result<(), BuildError> {
    for resource in resources.iter_mut() {
        if keeps_its_name(resource.original().gvk) {
            continue;
        }
        for (spec, fields) in specs {
            if !spec.selects(resource.gvk()) {
                continue;
            }
            if spec.path == "metadata/name" {
                remember(resource);
                resource.remember_id();
            }
            fields.visit(resource, Some(NodeKind::Scalar), &mut |field| {
                let name = field.as_str().ok_or_else(|| WalkError::wrong_kind(NodeKind::Scalar, field))?;
                let name = renamed(name);
                node::respell(field, name, mark);
                Ok(())
            })?;
        }
    }
    Ok(())
}

fn keeps_its_name(gvk: GvkRef<'_>) -> bool {
    matches!(
        (gvk.group, gvk.kind),
        (_, "CustomResourceDefinition" | "Namespace") | ("apiregistration.k8s.io", "APIService")
    )
}
