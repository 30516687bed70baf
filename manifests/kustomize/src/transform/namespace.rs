//! `namespace`.
//!
//! # Follows kustomize
//! Every object of a kind that is in a namespace gets the new one, whatever it had. A `v1` Namespace is renamed to it.
//! Of the subjects of role bindings those called `default` follow, unless the configuration says otherwise; other
//! service accounts are followed later, by name. What a chart made stays where the chart put it.

use fairlead_yaml::{Node, Written};

use crate::{
    error::BuildError,
    field_spec::{FieldSpec, FieldSpecs, WalkError},
    id::Scope,
    node::{self, NodeKind},
    resource::Resource,
    resources::Resources,
};

/// Puts objects into a namespace.
pub(crate) struct Namespace {
    target: String,
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
        if resource.scope == Scope::Namespaced && (self.unset == Unset::Any || resource.namespace().is_empty()) {
            let namespace = resource.metadata().get_or_insert_with("namespace", || Node::plain(""));
            node::rewrite(namespace, self.target.as_str(), mark);
        }
        if matches!(resource.gvk().kind, "RoleBinding" | "ClusterRoleBinding") {
            self.set_subjects(&mut resource.node, mark);
        }
        if (resource.gvk().group, resource.gvk().version) == ("", "v1") {
            self.set_fields(&self.names, resource, mark)?;
        }
        self.set_fields(&self.specs, resource, mark)
    }

    fn set_fields(&self, specs: &FieldSpecs, resource: &mut Resource, mark: &Written) -> Result<(), BuildError> {
        let set = &mut |field: &mut Node| {
            let current = field.as_str().ok_or_else(|| WalkError::wrong_kind(NodeKind::Scalar, field))?;
            if self.unset == Unset::Any || current.is_empty() || field.is_null() {
                node::rewrite(field, self.target.as_str(), mark);
            }
            Ok(())
        };
        specs.visit(resource, Some(NodeKind::Scalar), set).map_err(BuildError::into_namespace_field)
    }

    fn set_subjects(&self, binding: &mut Node, mark: &Written) {
        let Some(subjects) = binding.get_mut("subjects").and_then(Node::as_sequence_mut) else { return };
        for subject in subjects {
            let follows = match self.subjects {
                Subjects::Default => node::text_at(subject, &["name"]) == "default",
                Subjects::ServiceAccounts => node::text_at(subject, &["kind"]) == "ServiceAccount",
                Subjects::None => false,
            };
            let is_set = !node::text_at(subject, &["namespace"]).is_empty();
            if let Some(subject) = subject.as_mapping_mut()
                && follows
                && !(is_set && self.unset == Unset::Only)
            {
                node::put(subject, "namespace", Node::string(self.target.as_str()), mark);
            }
        }
    }
}
