//! From a Kustomization's `spec` to what is asked of a build.

use std::collections::BTreeMap;

use fairlead_api::kustomize::{
    self, KustomizationSpec, PostBuild, Selector, SubstituteKind, SubstituteReference, SubstituteStrategy,
};
use fairlead_manifests::{BuildRequest, Strategy, Substitution, VariableError, Variables};
use fairlead_object::{PathError, TreePath};
use fairlead_plan::{IgnoreRule, IgnoreRuleError, IgnoreRules, IgnoreTarget};
use k8s_openapi::ByteString;
use serde_json::Value;

use crate::cluster::{ApiError, Cluster, Resource};

/// Why a `spec` asks for no build.
#[derive(Debug, thiserror::Error)]
pub enum RequestError {
    /// `spec.path` is not a path in the source.
    #[error("spec.path")]
    Path(#[source] PathError),
    /// A ConfigMap or Secret of `spec.postBuild.substituteFrom` is not there.
    #[error("substitute from '{kind}/{name}' not found")]
    Missing {
        /// `ConfigMap` or `Secret`.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// It could not be read.
    #[error("substitute from '{kind}/{name}'")]
    Read {
        /// `ConfigMap` or `Secret`.
        kind: &'static str,
        /// Its name.
        name: String,
        /// The API server's answer.
        source: ApiError,
    },
    /// A variable has a name that no expression can have.
    #[error("spec.postBuild")]
    Variable(#[from] VariableError),
}

/// Reads what `spec` of a Kustomization in `namespace` asks for, variables included.
///
/// # Follows Flux
/// Variables come from the Kustomization's own namespace, later references win over earlier, and inline ones over both.
pub async fn build_request(
    cluster: &Cluster,
    namespace: &str,
    spec: &KustomizationSpec,
    is_strict: bool,
) -> Result<BuildRequest, RequestError> {
    let mut request = BuildRequest::from(spec);
    request.path = path(spec)?;
    if let Some(post_build) = &spec.post_build {
        request.substitution = Some(substitution(cluster, namespace, post_build, is_strict).await?);
    }
    Ok(request)
}

/// The directory that `spec` builds.
pub fn path(spec: &KustomizationSpec) -> Result<TreePath, RequestError> {
    // Flux joins the path below the root of the artifact, so that `/apps` and `./apps` mean the same.
    let written = spec.path.as_deref().unwrap_or_default().trim_start_matches('/');
    written.parse().map_err(RequestError::Path)
}

/// The fields that `spec.ignore` leaves to others.
pub fn ignore_rules(spec: &KustomizationSpec) -> Result<IgnoreRules, IgnoreRuleError> {
    let target = |selector: &Selector| IgnoreTarget {
        group: selector.group.clone(),
        version: selector.version.clone(),
        kind: selector.kind.clone(),
        name: selector.name.clone(),
        namespace: selector.namespace.clone(),
        label_selector: selector.label_selector.clone(),
        annotation_selector: selector.annotation_selector.clone(),
    };
    let rule = |rule: &kustomize::IgnoreRule| IgnoreRule {
        paths: rule.paths.clone(),
        target: rule.target.as_ref().map(target),
    };
    IgnoreRules::compile(&spec.ignore.iter().map(rule).collect::<Vec<_>>())
}

async fn substitution(
    cluster: &Cluster,
    namespace: &str,
    post_build: &PostBuild,
    is_strict: bool,
) -> Result<Substitution, RequestError> {
    let mut variables = Variables::default();
    for reference in &post_build.substitute_from {
        for (name, value) in referenced(cluster, namespace, reference).await? {
            variables.set(&name, &value)?;
        }
    }
    for (name, value) in &post_build.substitute {
        variables.set(name, value)?;
    }
    let strategy = match post_build.substitute_strategy.unwrap_or_default() {
        SubstituteStrategy::WithVariables => Strategy::WithVariables,
        SubstituteStrategy::Always => Strategy::Always,
    };
    Ok(Substitution { variables, strategy, strict: is_strict })
}

fn kind_name(kind: SubstituteKind) -> &'static str {
    match kind {
        SubstituteKind::ConfigMap => "ConfigMap",
        SubstituteKind::Secret => "Secret",
    }
}

/// Where the objects that variables come from are found.
pub(super) fn resource_of(kind: SubstituteKind) -> Resource {
    let plural = match kind {
        SubstituteKind::ConfigMap => "configmaps",
        SubstituteKind::Secret => "secrets",
    };
    Resource::namespaced("", "v1", kind_name(kind), plural)
}

async fn referenced(
    cluster: &Cluster,
    namespace: &str,
    reference: &SubstituteReference,
) -> Result<BTreeMap<String, String>, RequestError> {
    let (resource, name) = (resource_of(reference.kind), reference.name.clone());
    let kind = kind_name(reference.kind);
    match cluster.get(&resource, namespace, &name).await {
        Ok(Some(mut object)) => Ok(values(reference.kind, object["data"].take())),
        Ok(None) if reference.optional => Ok(BTreeMap::new()),
        Ok(None) => Err(RequestError::Missing { kind, name }),
        Err(source) => Err(RequestError::Read { kind, name, source }),
    }
}

fn values(kind: SubstituteKind, data: Value) -> BTreeMap<String, String> {
    match kind {
        SubstituteKind::ConfigMap => serde_json::from_value(data).unwrap_or_default(),
        SubstituteKind::Secret => {
            let data: BTreeMap<String, ByteString> = serde_json::from_value(data).unwrap_or_default();
            let text = |value: ByteString| String::from_utf8_lossy(&value.0).into_owned();
            data.into_iter().map(|(key, value)| (key, text(value))).collect()
        }
    }
}
