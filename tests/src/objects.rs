//! Objects by the words that a test uses for them: `Deployment shop/web`, `Namespace shop`.

use std::{fmt, time::Duration};

use futures::{StreamExt, TryStreamExt};
use kube::{
    Api, ResourceExt,
    api::{ApiResource, DeleteParams, DynamicObject, GroupVersionKind, Patch, PatchParams},
    core::gvk::ParseGroupVersionError,
    runtime::watcher::{self, watch_object},
};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::cluster::TestCluster;

/// Who writes what a test applies.
const FIELD_MANAGER: &str = "test";

/// The kinds that tests name, with their API versions; any other is written `<group>/<version>/<Kind>`.
const KINDS: [(&str, &str); 25] = [
    ("Bucket", "source.toolkit.fluxcd.io/v1"),
    ("ClusterRole", "rbac.authorization.k8s.io/v1"),
    ("ClusterRoleBinding", "rbac.authorization.k8s.io/v1"),
    ("ConfigMap", "v1"),
    ("CustomResourceDefinition", "apiextensions.k8s.io/v1"),
    ("Deployment", "apps/v1"),
    ("Event", "v1"),
    ("ExternalArtifact", "source.toolkit.fluxcd.io/v1"),
    ("FluxConfiguration", "fairlead.dev/v1alpha1"),
    ("GitRepository", "source.toolkit.fluxcd.io/v1"),
    ("HelmChart", "source.toolkit.fluxcd.io/v1"),
    ("HelmRelease", "helm.toolkit.fluxcd.io/v2"),
    ("HelmRepository", "source.toolkit.fluxcd.io/v1"),
    ("Kustomization", "kustomize.toolkit.fluxcd.io/v1"),
    ("Lease", "coordination.k8s.io/v1"),
    ("Namespace", "v1"),
    ("OCIRepository", "source.toolkit.fluxcd.io/v1"),
    ("Pod", "v1"),
    ("Receiver", "notification.toolkit.fluxcd.io/v1"),
    ("Role", "rbac.authorization.k8s.io/v1"),
    ("RoleBinding", "rbac.authorization.k8s.io/v1"),
    ("Secret", "v1"),
    ("Service", "v1"),
    ("ServiceAccount", "v1"),
    ("ValidatingWebhookConfiguration", "admissionregistration.k8s.io/v1"),
];

/// What an object says about itself under one heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// One word for programs.
    pub reason: String,
    /// A sentence for people.
    pub message: String,
}

/// An object's kind, namespace and name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Named {
    kind: GroupVersionKind,
    namespace: Option<String>,
    name: String,
}

impl Named {
    /// Reads `Kind name` or `Kind namespace/name`.
    fn parse(written: &str) -> Option<Self> {
        let (kind, name) = written.split_once(' ')?;
        let (namespace, name) = match name.split_once('/') {
            Some((namespace, name)) => (Some(namespace.to_owned()), name),
            None => (None, name),
        };
        Some(Self { kind: kind_of(kind).ok()?, namespace, name: name.to_owned() })
    }
}

fn kind_of(written: &str) -> Result<GroupVersionKind, ParseGroupVersionError> {
    let known = KINDS.iter().find(|(kind, _)| *kind == written).map(|(kind, version)| (*version, *kind));
    let (version, kind) = known.or_else(|| written.rsplit_once('/')).unwrap_or(("v1", written));
    Ok(version.parse::<kube::core::GroupVersion>()?.with_kind(kind))
}

impl TestCluster {
    /// Applies `object` with every right, taking fields over from whoever owns them, and returns what it then is.
    ///
    /// # Panics
    /// If it is no object or the API server refuses it.
    pub async fn apply(&self, object: Value) -> Value {
        self.try_apply(object).await.unwrap_or_else(|error| panic!("cannot apply: {error}"))
    }

    /// Applies `object` with every right, taking fields over from whoever owns them, and returns what it then is.
    ///
    /// # Errors
    /// If the API server refuses it.
    ///
    /// # Panics
    /// If it is no object.
    pub async fn try_apply(&self, object: Value) -> Result<Value, kube::Error> {
        let object: DynamicObject = serde_json::from_value(object).expect("an object has a kind and a name");
        let types = object.types.clone().expect("an object has a kind");
        let kind = GroupVersionKind::try_from(&types).expect("an API version is a group and a version");
        let api = self.api(&kind, object.namespace().as_deref());
        let parameters = PatchParams::apply(FIELD_MANAGER).force();
        let applied = api.patch(&object.name_any(), &parameters, &Patch::Apply(&object)).await?;
        Ok(to_value(&applied))
    }

    /// Merges `patch` into the object that is `written`, as `kubectl patch --type=merge` does.
    ///
    /// # Panics
    /// If the API server refuses it.
    pub async fn merge(&self, written: &str, patch: Value) -> Value {
        let named = named(written);
        let merged = self.named(&named).patch(&named.name, &PatchParams::default(), &Patch::Merge(patch)).await;
        to_value(&merged.unwrap_or_else(|error| panic!("cannot patch {written}: {error}")))
    }

    /// Merges `patch` into the status of the object that is `written`, as its controller does.
    ///
    /// # Panics
    /// If the API server refuses it.
    pub async fn merge_status(&self, written: &str, patch: Value) {
        let (named, patch) = (named(written), Patch::Merge(json!({ "status": patch })));
        let merged = self.named(&named).patch_status(&named.name, &PatchParams::default(), &patch).await;
        merged.unwrap_or_else(|error| panic!("cannot patch the status of {written}: {error}"));
    }

    /// Returns the object that is `written`, if it exists.
    ///
    /// # Panics
    /// If the API server cannot be asked.
    pub async fn find(&self, written: &str) -> Option<Value> {
        let named = named(written);
        let found = self.named(&named).get_opt(&named.name).await;
        found.unwrap_or_else(|error| panic!("cannot read {written}: {error}")).as_ref().map(to_value)
    }

    /// Deletes the object that is `written` and does not wait until it is gone.
    ///
    /// # Panics
    /// If it does not exist.
    pub async fn delete(&self, written: &str) {
        let named = named(written);
        let deleted = self.named(&named).delete(&named.name, &DeleteParams::default()).await;
        deleted.unwrap_or_else(|error| panic!("cannot delete {written}: {error}"));
    }

    /// Watches the object that is `written`, which may not exist yet, until `seen` finds what it looks for.
    ///
    /// # Panics
    /// If it has found nothing when `limit` is over; the message shows the object as it is then.
    pub async fn watch<T>(
        &self,
        written: &str,
        limit: Duration,
        mut seen: impl FnMut(Option<&Value>) -> Option<T>,
    ) -> T {
        let named = named(written);
        let states = watch_object(self.named(&named), &named.name).map_ok(|object| object.as_ref().map(to_value));
        let mut found = Box::pin(states.filter_map(|state: watcher::Result<Option<Value>>| {
            // A broken watch is begun again by the stream itself.
            let found = state.ok().and_then(|object| seen(object.as_ref()));
            async move { found }
        }));
        match timeout(limit, found.next()).await {
            Ok(Some(found)) => found,
            Ok(None) | Err(_) => panic!("{limit:?} were not enough for {written}: {:#}", self.shown(written).await),
        }
    }

    /// Watches the object that is `written` until the condition `kind` has `status` for its current generation.
    ///
    /// # Panics
    /// If it has not when `limit` is over; the message shows the object as it is then.
    pub async fn wait_for(&self, written: &str, kind: &str, status: &str, limit: Duration) -> Condition {
        self.watch(written, limit, |object| {
            let object = object?;
            let condition = object["status"]["conditions"].as_array()?.iter().find(|one| one["type"] == kind)?;
            let is_current = condition["observedGeneration"] == object["metadata"]["generation"];
            (is_current && condition["status"] == status).then(|| Condition {
                status: status.to_owned(),
                reason: text(&condition["reason"]),
                message: text(&condition["message"]),
            })
        })
        .await
    }

    /// Watches until the object that is `written` is gone.
    ///
    /// # Panics
    /// If it is still there when `limit` is over.
    pub async fn wait_until_gone(&self, written: &str, limit: Duration) {
        self.watch(written, limit, |object| object.is_none().then_some(())).await;
    }

    /// Returns the object that is `written` as a person wants to read it.
    async fn shown(&self, written: &str) -> Value {
        let mut object = self.find(written).await.unwrap_or_default();
        if let Some(metadata) = object["metadata"].as_object_mut() {
            metadata.remove("managedFields");
        }
        object
    }

    fn named(&self, named: &Named) -> Api<DynamicObject> {
        self.api(&named.kind, named.namespace.as_deref())
    }

    fn api(&self, kind: &GroupVersionKind, namespace: Option<&str>) -> Api<DynamicObject> {
        let resource = ApiResource::from_gvk(kind);
        match namespace {
            Some(namespace) => Api::namespaced_with(self.client(), namespace, &resource),
            None => Api::all_with(self.client(), &resource),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}: {}", self.status, self.reason, self.message)
    }
}

fn named(written: &str) -> Named {
    Named::parse(written).unwrap_or_else(|| panic!("`{written}` is not `Kind name` or `Kind namespace/name`"))
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn to_value(object: &DynamicObject) -> Value {
    serde_json::to_value(object).expect("an object is JSON")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_named_by_kind_namespace_and_name() {
        let rows = [
            ("Namespace shop", "", "v1", None, "shop"),
            ("Deployment shop/web", "apps", "v1", Some("shop"), "web"),
            ("networking.k8s.io/v1/Ingress shop/web", "networking.k8s.io", "v1", Some("shop"), "web"),
        ];
        for (written, group, version, namespace, name) in rows {
            let named = named(written);
            assert_eq!((named.kind.group.as_str(), named.kind.version.as_str()), (group, version), "{written}");
            assert_eq!((named.namespace.as_deref(), named.name.as_str()), (namespace, name), "{written}");
        }
    }
}
