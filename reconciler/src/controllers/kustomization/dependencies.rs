//! `spec.dependsOn`: what must be ready before.
//!
//! # Differs from Flux
//! A change of a dependency wakes who waits for it; nothing is asked again after a delay.

use fairlead_api::{
    conditions::READY,
    kustomize::{Dependency, Kustomization},
};
use fairlead_health::ReadyExpr;
use serde_json::Value;

use crate::controllers::{ObjectKey, SourceName, World};

/// Why a Kustomization cannot go on yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum DependencyError {
    #[error("dependency '{0}' not found")]
    Missing(ObjectKey),
    #[error("dependency '{0}' is not ready")]
    NotReady(ObjectKey),
    #[error("dependency '{dependency}' revision is not up to date")]
    Outdated { dependency: ObjectKey },
    #[error("dependency '{dependency}': {problem}")]
    Expression { dependency: ObjectKey, problem: String },
    /// The expression itself is wrong: only an edit helps.
    #[error("{problem}")]
    Invalid { problem: String },
}

/// The first dependency of `kustomization` that is not ready, if one is not. `revision` is what its source has now.
pub(super) fn check(
    world: &World,
    key: &ObjectKey,
    kustomization: &Kustomization,
    revision: &str,
) -> Result<(), DependencyError> {
    for (index, entry) in kustomization.spec.depends_on.iter().enumerate() {
        let namespace = entry.namespace.as_deref().unwrap_or(&key.namespace);
        let dependency = ObjectKey::new(namespace, &entry.name);
        let found = world.kustomizations.get(&dependency);
        let found = found.as_ref().and_then(|object| object.parsed.as_ref().ok());
        let Some(found) = found else { return Err(DependencyError::Missing(dependency)) };
        check_one(index, entry, &dependency, kustomization, found, (key, revision))?;
    }
    Ok(())
}

fn check_one(
    index: usize,
    entry: &Dependency,
    dependency: &ObjectKey,
    waiting: &Kustomization,
    found: &Kustomization,
    (key, revision): (&ObjectKey, &str),
) -> Result<(), DependencyError> {
    if let Some(expression) = &entry.ready_expr {
        let field = format!("spec.dependsOn[{index}].readyExpr");
        let expression = ReadyExpr::compile(&field, expression)
            .map_err(|error| DependencyError::Invalid { problem: error.to_string() })?;
        let value = |object| serde_json::to_value::<&Kustomization>(object).unwrap_or(Value::Null);
        return match expression.holds(&value(waiting), &value(found)) {
            Ok(true) => Ok(()),
            Ok(false) => Err(DependencyError::NotReady(dependency.clone())),
            Err(error) => {
                Err(DependencyError::Expression { dependency: dependency.clone(), problem: error.to_string() })
            }
        };
    }
    if !is_ready(found) {
        return Err(DependencyError::NotReady(dependency.clone()));
    }
    let shares_source =
        SourceName::of(&found.spec, &dependency.namespace) == SourceName::of(&waiting.spec, &key.namespace);
    let applied = found.status.as_ref().and_then(|status| status.last_applied_revision.as_deref());
    if shares_source && applied != Some(revision) {
        return Err(DependencyError::Outdated { dependency: dependency.clone() });
    }
    Ok(())
}

fn is_ready(kustomization: &Kustomization) -> bool {
    let Some(status) = &kustomization.status else { return false };
    status.conditions.is_true(READY) && status.observed_generation == kustomization.metadata.generation
}
