//! `spec.dependsOn`: what must be ready before.
//!
//! # Differs from Flux
//! A change of a dependency wakes who waits for it; nothing is asked again after a delay.

use fairlead_api::kustomize::Dependency;
use fairlead_health::ReadyExpr;
use serde::Serialize;
use serde_json::Value;

use super::{ObjectKey, Reconciled};
use crate::watch::Served;

/// Why an object cannot go on yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum DependencyError {
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

/// The first dependency among `entries` of `waiting`, which is in `namespace`, that is not ready, if one is not.
/// `usual` decides where an entry has no expression.
pub(crate) fn check<K: Reconciled + Serialize>(
    served: &Served<K>,
    namespace: &str,
    waiting: &K,
    entries: &[Dependency],
    usual: impl Fn(&ObjectKey, &K) -> Result<(), DependencyError>,
) -> Result<(), DependencyError> {
    for (index, entry) in entries.iter().enumerate() {
        let dependency = ObjectKey::new(entry.namespace.as_deref().unwrap_or(namespace), &entry.name);
        let found = served.get(&dependency);
        let found = found.as_ref().and_then(|object| object.parsed.as_ref().ok());
        let Some(found) = found else { return Err(DependencyError::Missing(dependency)) };
        match &entry.ready_expr {
            Some(expression) => {
                let field = format!("spec.dependsOn[{index}].readyExpr");
                by_expression((&field, expression), &dependency, waiting, found)?;
            }
            None => usual(&dependency, found)?,
        }
    }
    Ok(())
}

fn by_expression<K: Serialize>(
    (field, expression): (&str, &str),
    dependency: &ObjectKey,
    waiting: &K,
    found: &K,
) -> Result<(), DependencyError> {
    let expression = ReadyExpr::compile(field, expression)
        .map_err(|error| DependencyError::Invalid { problem: error.to_string() })?;
    let value = |object: &K| serde_json::to_value(object).unwrap_or(Value::Null);
    match expression.holds(&value(waiting), &value(found)) {
        Ok(true) => Ok(()),
        Ok(false) => Err(DependencyError::NotReady(dependency.clone())),
        Err(error) => Err(DependencyError::Expression { dependency: dependency.clone(), problem: error.to_string() }),
    }
}
