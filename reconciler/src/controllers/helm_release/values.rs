//! The values of a release: those of `valuesFrom`, one over the other, and those of the object itself over them.
//!
//! # Follows Flux
//! A value at a `targetPath` is read as `--set` reads it, unless it is quoted or literal. It wins over `values` where its
//! path has more than one part.

use fairlead_api::helm::{HelmReleaseSpec, ValuesReference, ValuesSourceKind};
use fairlead_helm::{UserValues, ValuesError as PathError, lay_values_over, parse_values};
use fairlead_object::ObjectId;
use k8s_openapi::ByteString;
use serde_json::{Map, Value};

use crate::{
    cluster::{ApiError, Cluster, Resource},
    controllers::ObjectKey,
};

/// The key under which values are looked for.
const DEFAULT_KEY: &str = "values.yaml";

/// Why values could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ValuesError {
    /// What a reference names is not there.
    #[error("could not resolve {}", .0)]
    Reference(String),
    /// The cluster does not tell it.
    #[error("could not resolve {reference}")]
    Read {
        /// The reference, for people.
        reference: String,
        /// What the cluster answered.
        source: ApiError,
    },
    /// It holds no map of values.
    #[error("could not resolve {reference}: {problem}")]
    Content {
        /// The reference, for people.
        reference: String,
        /// What is wrong with it.
        problem: String,
    },
    /// It cannot be put where it shall be.
    #[error("could not resolve {reference}")]
    Path {
        /// The reference, for people.
        reference: String,
        /// What is wrong with its path.
        source: PathError,
    },
    /// The values of the object itself are of another type.
    #[error("spec.values is no map")]
    NoMap,
}

/// A value for one path.
struct AtPath {
    reference: String,
    path: String,
    given: UserValues,
}

/// Composes the values that `spec` of the object `key` asks for.
///
/// # Errors
/// If something that it refers to is missing, or holds nothing that it could be.
pub async fn compose(
    cluster: &Cluster,
    key: &ObjectKey,
    spec: &HelmReleaseSpec,
) -> Result<Map<String, Value>, ValuesError> {
    let inline = match &spec.values {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(values)) => values.clone(),
        Some(_) => return Err(ValuesError::NoMap),
    };
    let (mut values, mut at_paths) = (Map::new(), Vec::new());
    for reference in &spec.values_from {
        let Some(content) = content(cluster, key, reference).await? else { continue };
        match &reference.target_path {
            None => merge(&mut values, parsed(key, reference, &content)?),
            Some(path) => {
                let at_path = at_path(key, reference, path, &content);
                values = at_path.lay_over(&values)?;
                at_paths.push(at_path);
            }
        }
    }
    merge(&mut values, inline);
    for at_path in at_paths.iter().filter(|at_path| at_path.is_nested()) {
        values = at_path.lay_over(&values)?;
    }
    Ok(values)
}

/// Where the objects that values come from are found, and which one `reference` names.
pub(super) fn referred(key: &ObjectKey, reference: &ValuesReference) -> (Resource, ObjectId) {
    let plural = match reference.kind {
        ValuesSourceKind::ConfigMap => "configmaps",
        ValuesSourceKind::Secret => "secrets",
    };
    let kind = reference.kind.name();
    (Resource::namespaced("", "v1", kind, plural), ObjectId::new("", kind, &key.namespace, &reference.name))
}

async fn content(
    cluster: &Cluster,
    key: &ObjectKey,
    reference: &ValuesReference,
) -> Result<Option<Vec<u8>>, ValuesError> {
    let (resource, id) = referred(key, reference);
    let read = cluster.get(&resource, &key.namespace, &id.name).await;
    let read = read.map_err(|source| ValuesError::Read { reference: named(key, reference), source })?;
    let values_key = values_key(reference);
    let found = read.map(|object| match reference.kind {
        ValuesSourceKind::ConfigMap => object["data"][values_key].as_str().map(|text| text.as_bytes().to_vec()),
        ValuesSourceKind::Secret => {
            serde_json::from_value::<ByteString>(object["data"][values_key].clone()).ok().map(|bytes| bytes.0)
        }
    });
    match found {
        Some(Some(content)) => Ok(Some(content)),
        Some(None) | None if reference.optional => Ok(None),
        Some(None) => Err(ValuesError::Reference(format!("{}: missing key", named(key, reference)))),
        None => Err(ValuesError::Reference(format!("{}: not found", named(key, reference)))),
    }
}

fn values_key(reference: &ValuesReference) -> &str {
    reference.values_key.as_deref().unwrap_or(DEFAULT_KEY)
}

fn named(key: &ObjectKey, reference: &ValuesReference) -> String {
    let optional = if reference.optional { "optional " } else { "" };
    let (kind, namespace, name) = (reference.kind.name(), &key.namespace, &reference.name);
    format!("{optional}{kind} chart values reference '{namespace}/{name}' with key '{}'", values_key(reference))
}

fn parsed(key: &ObjectKey, reference: &ValuesReference, content: &[u8]) -> Result<Map<String, Value>, ValuesError> {
    // What is wrong with a Secret's text may quote it.
    let told = |problem: String| match reference.kind {
        ValuesSourceKind::ConfigMap => problem,
        ValuesSourceKind::Secret => "it holds no map of values".to_owned(),
    };
    parse_values(content)
        .map_err(|problem| ValuesError::Content { reference: named(key, reference), problem: told(problem) })
}

fn at_path(key: &ObjectKey, reference: &ValuesReference, path: &str, content: &[u8]) -> AtPath {
    let text = String::from_utf8_lossy(content);
    let quoted = ['\'', '"'].into_iter().find_map(|quote| text.strip_prefix(quote)?.strip_suffix(quote));
    let given = match (reference.literal, quoted) {
        (true, _) => UserValues::SetLiteral(format!("{path}={text}")),
        (false, Some(inner)) => UserValues::SetString(format!("{path}={}", inner.replace(',', "\\,"))),
        (false, None) => UserValues::Set(format!("{path}={text}")),
    };
    AtPath { reference: named(key, reference), path: path.to_owned(), given }
}

impl AtPath {
    fn is_nested(&self) -> bool {
        self.path.contains(['.', '['])
    }

    fn lay_over(&self, values: &Map<String, Value>) -> Result<Map<String, Value>, ValuesError> {
        lay_values_over(values, &self.given)
            .map_err(|source| ValuesError::Path { reference: self.reference.clone(), source })
    }
}

/// Merges `over` into `values`: maps are merged, anything else is replaced.
pub(super) fn merge(values: &mut Map<String, Value>, over: Map<String, Value>) {
    for (key, value) in over {
        match (values.get_mut(&key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => merge(old, new),
            (_, value) => drop(values.insert(key, value)),
        }
    }
}
