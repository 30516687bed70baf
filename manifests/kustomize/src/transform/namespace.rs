//! `namespace`.
//!
//! # Follows kustomize
//! Every object of a kind that is in a namespace gets the new one, whatever it had. A `v1` Namespace is renamed to it.
//! Of the subjects of role bindings those called `default` follow, unless the configuration says otherwise; other
//! service accounts are followed later, by name. What a chart made stays where the chart put it.

use fairlead_yaml::{Node, Value, Written};

use crate::{
    error::BuildError,
    field_spec::{Create, FieldSpec, FieldSpecs, WalkError, walk},
    id::Scope,
    node::{self, NodeKind},
    resource::Resource,
    resources::Resources,
};

/// Puts objects into a namespace.
pub(crate) struct Namespace {
    target: String,
    /// The namespace of an object itself.
    own: FieldSpecs,
    specs: FieldSpecs,
    names: FieldSpecs,
    unset: Unset,
    subjects: Subjects,
}

/// Which objects get the namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unset {
    /// All.
    Any,
    /// Those that have none.
    Only,
}

/// Which subjects of role bindings get the namespace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Subjects {
    /// Those called `default`.
    #[default]
    Default,
    /// All service accounts.
    ServiceAccounts,
    /// None.
    None,
}

impl Namespace {
    pub(crate) fn new(namespace: &str, specs: &[FieldSpec], unset: Unset, subjects: Subjects) -> Self {
        let is_name = |spec: &FieldSpec| spec.path == "metadata/name";
        let handled_here = |spec: &FieldSpec| {
            let of_bindings = matches!(spec.kind.as_str(), "RoleBinding" | "ClusterRoleBinding");
            is_name(spec) || spec.path == "metadata/namespace" || (of_bindings && spec.path == "subjects/namespace")
        };
        Self {
            target: namespace.to_owned(),
            own: FieldSpecs::new([FieldSpec::new("", "", "", "metadata/namespace", Create::Yes)]),
            specs: FieldSpecs::new(specs.iter().cloned()).without(handled_here),
            names: FieldSpecs::new(specs.iter().filter(|spec| is_name(spec)).cloned()),
            unset,
            subjects,
        }
    }

    /// How many bytes an object gets.
    pub(crate) fn bytes(&self) -> usize {
        self.target.len()
    }

    pub(crate) fn apply(&self, resources: &mut Resources, mark: &Written) -> Result<(), BuildError> {
        if self.target.is_empty() {
            return Ok(());
        }
        for resource in resources.iter_mut().filter(|resource| !resource.is_from_chart) {
            self.apply_to(resource, mark)?;
        }
        resources.check_ids().map_err(|conflict| BuildError::NamespaceConflict { source: Box::new(conflict) })
    }

    fn apply_to(&self, resource: &mut Resource, mark: &Written) -> Result<(), BuildError> {
        resource.remember_id();
        self.set_in(resource, mark)
    }

    /// Puts `resource` into the namespace, and does not remember what it was called.
    pub(crate) fn set_in(&self, resource: &mut Resource, mark: &Written) -> Result<(), BuildError> {
        if resource.scope == Scope::Namespaced {
            self.visit(&self.own, resource, mark)?;
        }
        if matches!(resource.gvk().kind, "RoleBinding" | "ClusterRoleBinding") {
            let subjects = self.set_subjects(&mut resource.node, mark);
            subjects.map_err(|error| error.on("subjects", resource))?;
        }
        if (resource.gvk().group, resource.gvk().version) == ("", "v1") {
            self.visit(&self.names, resource, mark).map_err(BuildError::into_namespace_field)?;
        }
        self.visit(&self.specs, resource, mark).map_err(BuildError::into_namespace_field)
    }

    fn visit(&self, specs: &FieldSpecs, resource: &mut Resource, mark: &Written) -> Result<(), BuildError> {
        specs.visit(resource, Some(NodeKind::Scalar), &mut |field| self.set(field, mark))
    }

    fn set(&self, field: &mut Node, mark: &Written) -> Result<(), WalkError> {
        let current = field.as_str().ok_or_else(|| WalkError::wrong_kind(NodeKind::Scalar, field))?;
        if self.unset == Unset::Any || current.is_empty() || field.is_null() {
            node::rewrite(field, self.target.as_str(), mark);
        }
        Ok(())
    }

    fn set_subjects(&self, binding: &mut Node, mark: &Written) -> Result<(), WalkError> {
        let (key, followed) = match self.subjects {
            Subjects::Default => ("name", "default"),
            Subjects::ServiceAccounts => ("kind", "ServiceAccount"),
            Subjects::None => return Ok(()),
        };
        let Some(subjects) = binding.get_mut("subjects") else { return Ok(()) };
        if subjects.is_null() {
            return Ok(());
        }
        let Value::Sequence(subjects) = &mut subjects.value else {
            return Err(WalkError::wrong_kind(NodeKind::Sequence, subjects));
        };
        for subject in subjects.iter_mut().filter(|subject| !subject.is_null()) {
            if subject.as_mapping().is_none() {
                return Err(WalkError::wrong_kind(NodeKind::Mapping, subject));
            }
            let value = subject.get(key);
            if let Some(collection) = value.filter(|value| value.as_str().is_none()) {
                return Err(WalkError::wrong_kind(NodeKind::Scalar, collection));
            }
            if value.and_then(Node::as_str) == Some(followed) {
                walk(subject, &["namespace".to_owned()], Some(NodeKind::Scalar), &mut |field| self.set(field, mark))?;
            }
        }
        Ok(())
    }
}
