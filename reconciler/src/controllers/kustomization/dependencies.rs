//! What a Kustomization waits for.

use fairlead_api::{conditions::READY, kustomize::Kustomization};

use crate::controllers::{
    ObjectKey, SourceName, World,
    dependencies::{self, DependencyError},
};

/// The first dependency of `kustomization` that is not ready, if one is not. `revision` is what its source has now.
pub(super) fn check(
    world: &World,
    key: &ObjectKey,
    kustomization: &Kustomization,
    revision: &str,
) -> Result<(), DependencyError> {
    let own_source = SourceName::of(&kustomization.spec, &key.namespace);
    let usual = |dependency: &ObjectKey, found: &Kustomization| {
        if !is_ready(found) {
            return Err(DependencyError::NotReady(dependency.clone()));
        }
        let shares_source = SourceName::of(&found.spec, &dependency.namespace) == own_source;
        let applied = found.status.as_ref().and_then(|status| status.last_applied_revision.as_deref());
        if shares_source && applied != Some(revision) {
            return Err(DependencyError::Outdated { dependency: dependency.clone() });
        }
        Ok(())
    };
    let entries = &kustomization.spec.depends_on;
    dependencies::check(&world.kustomizations, &key.namespace, kustomization, entries, usual)
}

fn is_ready(kustomization: &Kustomization) -> bool {
    let Some(status) = &kustomization.status else { return false };
    status.conditions.is_true(READY) && status.observed_generation == kustomization.metadata.generation
}
