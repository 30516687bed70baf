//! Whom a webhook wakes.
//!
//! # Differs from Flux
//! A source that this process reconciles is woken where it is, and asks its server anew; nothing is written. All others,
//! and all of them where this replica only stands by, get the annotation that Flux writes.

use std::{collections::BTreeMap, sync::Arc};

use fairlead_api::{
    names::annotations,
    notification::{ReceiverResource, ResourceKind},
};
use fairlead_health::{EvaluationError, Expression};
use fairlead_object::Gvk;
use fairlead_sources::store::SourceKind;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Value, json};

use crate::{
    cluster::{ApiError, Cluster, Part, Resource},
    controllers::{ObjectKey, World, source::Known},
};

/// Why an object that a Receiver names was not woken.
#[derive(Debug, thiserror::Error)]
pub(super) enum WakeError {
    #[error("cross-namespace references are not allowed")]
    CrossNamespace,
    #[error("apiVersion must be specified for kind \"{0}\"")]
    NoApiVersion(&'static str),
    #[error("matchLabels field not set when using wildcard '*' as name")]
    NoLabels,
    #[error("the cluster serves no {kind} of {api_version}")]
    Unserved { kind: &'static str, api_version: String },
    #[error("unable to read {kind} '{key}'")]
    Missing { kind: &'static str, key: ObjectKey },
    #[error("spec.resourceFilter")]
    Filter(#[from] EvaluationError),
    #[error(transparent)]
    Api(#[from] ApiError),
}

/// Which objects are meant.
pub(super) struct Filter {
    pub(super) expression: Option<Expression>,
    /// What the webhook says.
    pub(super) said: Value,
}

/// Who wakes.
pub(super) struct Waker<'a> {
    pub(super) cluster: &'a Cluster,
    /// What this process reconciles, if it does.
    pub(super) world: Option<&'a Arc<World>>,
    pub(super) now: Timestamp,
}

impl Filter {
    /// Whether the object with `metadata` is meant.
    fn means(&self, (api_version, kind): (&str, &str), metadata: &Value) -> Result<bool, EvaluationError> {
        let Some(expression) = &self.expression else { return Ok(true) };
        let resource = json!({ "apiVersion": api_version, "kind": kind, "metadata": metadata });
        expression.holds([("res", &resource), ("req", &self.said)])
    }
}

impl Waker<'_> {
    /// Wakes those that `resource` of a Receiver in `namespace` names and `filter` means. Returns how many.
    pub(super) async fn wake(
        &self,
        resource: &ReceiverResource,
        namespace: &str,
        filter: &Filter,
    ) -> Result<usize, WakeError> {
        let kind = resource.kind.name();
        let written = resource.api_version.as_deref().filter(|version| !version.is_empty());
        let api_version =
            written.or(resource.kind.default_api_version()).ok_or(WakeError::NoApiVersion(kind))?.to_owned();
        let namespace = resource.namespace.as_deref().unwrap_or(namespace);
        let labels = match (resource.name.as_str(), &resource.match_labels) {
            ("*", None) => return Err(WakeError::NoLabels),
            ("*", Some(labels)) => Some(labels),
            (_, Some(_) | None) => None,
        };
        let wanted = Wanted { api_version, kind, namespace, name: &resource.name, labels };
        match self.known(resource.kind, &wanted) {
            Some(known) => wake_known(known, &wanted, filter),
            None => self.annotate(&wanted, filter).await,
        }
    }

    /// The sources of a kind, if this process reconciles those that are wanted.
    fn known(&self, kind: ResourceKind, wanted: &Wanted<'_>) -> Option<&dyn Known> {
        let world = self.world?;
        let settings = &world.settings;
        let is_watched = settings.namespace.as_deref().is_none_or(|only| only == wanted.namespace);
        let is_of_sources = wanted.api_version.starts_with("source.toolkit.fluxcd.io/");
        if !is_watched || !is_of_sources || !settings.label_selector.is_empty() {
            return None;
        }
        world.sources.of(source_kind(kind)?)
    }

    /// Asks for a reconciliation as Flux does.
    async fn annotate(&self, wanted: &Wanted<'_>, filter: &Filter) -> Result<usize, WakeError> {
        let gvk = Gvk::from_api_version(&wanted.api_version, wanted.kind);
        let unserved = || WakeError::Unserved { kind: wanted.kind, api_version: wanted.api_version.clone() };
        let resource = self.cluster.resolve(&gvk).await?.ok_or_else(unserved)?;
        let mut woken = 0;
        for object in self.read(&resource, wanted).await? {
            let metadata = &object["metadata"];
            if filter.means((&wanted.api_version, wanted.kind), metadata)? {
                let name = metadata["name"].as_str().unwrap_or_default();
                let asked = json!({ annotations::REQUESTED_AT: self.now.to_string() });
                let patch = json!({ "metadata": { "annotations": asked } });
                self.cluster.merge(&resource, (wanted.namespace, name), &patch, Part::Whole, MANAGER).await?;
                woken += 1;
            }
        }
        Ok(woken)
    }

    async fn read(&self, resource: &Resource, wanted: &Wanted<'_>) -> Result<Vec<Value>, WakeError> {
        if wanted.labels.is_some() {
            let mut objects = self.cluster.list(resource, wanted.namespace, "").await?;
            objects.retain(|object| {
                let labels = serde_json::from_value(object["metadata"]["labels"].clone()).unwrap_or_default();
                wanted.has_labels(&labels)
            });
            return Ok(objects);
        }
        let found = self.cluster.get(resource, wanted.namespace, wanted.name).await?;
        Ok(vec![found.ok_or_else(|| wanted.missing())?])
    }
}

/// The field manager of the annotation.
const MANAGER: &str = "notification-controller";

/// Objects that a Receiver names.
struct Wanted<'a> {
    api_version: String,
    kind: &'static str,
    namespace: &'a str,
    name: &'a str,
    /// All that have these labels, whatever their name.
    labels: Option<&'a BTreeMap<String, String>>,
}

impl Wanted<'_> {
    fn key(&self) -> ObjectKey {
        ObjectKey::new(self.namespace, self.name)
    }

    fn missing(&self) -> WakeError {
        WakeError::Missing { kind: self.kind, key: self.key() }
    }

    fn has_labels(&self, labels: &BTreeMap<String, String>) -> bool {
        self.labels.into_iter().flatten().all(|(key, value)| labels.get(key) == Some(value))
    }
}

fn wake_known(known: &dyn Known, wanted: &Wanted<'_>, filter: &Filter) -> Result<usize, WakeError> {
    let found = match wanted.labels {
        Some(_) => known.all_in(wanted.namespace),
        None => vec![known.metadata(&wanted.key()).ok_or_else(|| wanted.missing())?],
    };
    let mut woken = 0;
    for metadata in
        found.iter().filter(|metadata| wanted.has_labels(metadata.labels.as_ref().unwrap_or(&BTreeMap::new())))
    {
        if filter.means((&wanted.api_version, wanted.kind), &as_json(metadata))? {
            known.request(ObjectKey::new(wanted.namespace, metadata.name.as_deref().unwrap_or_default()));
            woken += 1;
        }
    }
    Ok(woken)
}

fn as_json(metadata: &ObjectMeta) -> Value {
    serde_json::to_value(metadata).expect("metadata serialises")
}

/// The store's name of a kind of source.
fn source_kind(kind: ResourceKind) -> Option<SourceKind> {
    match kind {
        ResourceKind::Bucket => Some(SourceKind::Bucket),
        ResourceKind::GitRepository => Some(SourceKind::GitRepository),
        ResourceKind::HelmChart => Some(SourceKind::HelmChart),
        ResourceKind::HelmRepository => Some(SourceKind::HelmRepository),
        ResourceKind::OciRepository => Some(SourceKind::OciRepository),
        ResourceKind::Kustomization
        | ResourceKind::HelmRelease
        | ResourceKind::ImageRepository
        | ResourceKind::ImagePolicy
        | ResourceKind::ImageUpdateAutomation
        | ResourceKind::ArtifactGenerator
        | ResourceKind::ExternalArtifact => None,
    }
}
