//! `replicas`.
//!
//! # Follows kustomize
//! An entry is about the workloads that have or had its name, of the kinds that its specs name. One that is about none
//! is an error.

use fairlead_object::nearest;
use fairlead_yaml::{Node, Written};

use crate::{
    at::At,
    error::BuildError,
    field_spec::{FieldSpec, FieldSpecs, WalkError},
    kustomization::Replica,
    node::NodeKind,
    resource::Resource,
    resources::Resources,
};

/// Sets the replica count of a workload.
pub(crate) struct Replicas {
    replica: Replica,
    specs: Vec<FieldSpec>,
}

impl Replicas {
    pub(crate) fn new(replica: &Replica, specs: &[FieldSpec]) -> Self {
        Self { replica: replica.clone(), specs: specs.to_vec() }
    }

    pub(crate) fn apply(&self, resources: &mut Resources, at: &At, mark: &Written) -> Result<(), BuildError> {
        let mut found = false;
        for position in resources.with_any_name(&self.replica.name) {
            let resource = resources.get_mut_same_id(position);
            for spec in &self.specs {
                let is_meant = |id: crate::id::Id<'_>| id.name == self.replica.name && spec.selects(id.gvk);
                if !resource.any_ids().any(is_meant) {
                    continue;
                }
                found = true;
                let fields = FieldSpecs::new([spec.clone()]);
                fields.visit(resource, Some(NodeKind::Scalar), &mut |field| {
                    if field.as_str().is_none() {
                        return Err(WalkError::wrong_kind(NodeKind::Scalar, field));
                    }
                    // A count that was quoted stays quoted, as in kustomize.
                    let style = field.style;
                    field.overwrite(Node { style, ..Node::plain(self.replica.count.to_string()) }, mark);
                    Ok(())
                })?;
            }
        }
        if found { Ok(()) } else { Err(self.not_found(resources, at)) }
    }

    fn not_found(&self, resources: &Resources, at: &At) -> BuildError {
        let scalable = resources.iter().filter(|resource| self.specs.iter().any(|spec| spec.selects(resource.gvk())));
        BuildError::ReplicaWithoutTarget {
            at: at.clone(),
            name: self.replica.name.clone(),
            kinds: self
                .specs
                .iter()
                .map(|spec| format!("{}.{}", spec.kind, "[noVer].[noGrp]"))
                .collect::<Vec<_>>()
                .join(" "),
            nearest: nearest(&self.replica.name, scalable.map(Resource::name)).map(str::to_owned),
        }
    }
}
