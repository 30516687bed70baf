//! One cluster as one identity sees it: the requests that Fairlead makes, and nothing else.
//!
//! Objects travel as JSON values: what a source asks for may be of any kind. One client and its connections serve all
//! identities; a tenant's requests, reads included, carry `Impersonate-User`.
//!
//! Where the API server asks to come back in a moment, a request is sent again. Whatever else goes wrong is the caller's
//! to decide on, and soon: none waits for an answer that does not come.

mod discovery;
mod error;

use std::{sync::Arc, time::Duration};

use fairlead_api::helm::DeletionPropagation;
use fairlead_object::{Gvk, ObjectId};
use http::{HeaderValue, Method, Request, header::CONTENT_TYPE};
use kube::{Client, client::Body};
use serde_json::{Map, Value, json};
use tokio::time::{sleep, timeout};

pub use discovery::{Discovery, Resource};
pub use error::ApiError;

use crate::metrics::Metrics;

/// In whose name fields are applied, and whose fields that takes.
///
/// The names are Flux's, so that its objects change hands silently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FieldManager {
    /// As `managedFields` has it.
    pub name: &'static str,
    /// What is done about fields that another one applies.
    pub rivals: Rivals,
}

/// What is done about fields that another manager applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rivals {
    /// They keep them, unless the object lists them.
    Respected,
    /// They lose them, as Helm does it.
    Overruled,
}

impl FieldManager {
    /// Of everything that a Kustomization applies.
    pub const KUSTOMIZE: Self = Self { name: "kustomize-controller", rivals: Rivals::Respected };
    /// Of everything that a `HelmRelease` applies.
    pub const HELM: Self = Self { name: "helm-controller", rivals: Rivals::Overruled };
}

/// How long one request may wait in all because the API server asks to come back later.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long an answer may take: the API server itself gives up after a minute.
const ANSWER_LIMIT: Duration = Duration::from_secs(70);

/// Who makes a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Identity {
    /// The identity of this process.
    Own,
    /// A service account, impersonated.
    ServiceAccount {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
}

impl Identity {
    fn user(&self) -> Option<String> {
        match self {
            Self::Own => None,
            Self::ServiceAccount { namespace, name } => Some(format!("system:serviceaccount:{namespace}:{name}")),
        }
    }
}

/// A name that no service account can have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("spec.serviceAccountName: {0:?} is no name of an account")]
pub struct InvalidAccount(String);

/// A cluster, reached as one identity.
#[derive(Clone)]
pub struct Cluster {
    client: Client,
    discovery: Arc<Discovery>,
    metrics: Metrics,
    user: Option<HeaderValue>,
    manager: FieldManager,
}

/// How an apply is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ApplyOptions {
    /// Ask what would happen, and change nothing.
    pub dry_run: bool,
    /// Take fields from other managers.
    pub force: bool,
    /// Fail with a conflict if the object exists.
    pub must_be_new: bool,
}

impl Cluster {
    /// The cluster that `client` is connected to, as the identity that `client` has.
    pub fn new(client: Client, metrics: Metrics) -> Self {
        Self { client, discovery: Arc::default(), metrics, user: None, manager: FieldManager::KUSTOMIZE }
    }

    /// What counts its requests.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The same cluster as another identity.
    pub fn as_identity(&self, identity: &Identity) -> Result<Self, InvalidAccount> {
        let header = |user: String| HeaderValue::from_str(&user).map_err(|_| InvalidAccount(user));
        Ok(Self { user: identity.user().map(header).transpose()?, ..self.clone() })
    }

    /// The same cluster, to which is applied as `manager`.
    #[must_use]
    pub fn as_manager(&self, manager: FieldManager) -> Self {
        Self { manager, ..self.clone() }
    }

    /// As whom is applied.
    pub fn manager(&self) -> FieldManager {
        self.manager
    }

    /// The client behind it, as the identity of this process.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Where objects of `gvk` are found; `None` if the server does not serve it.
    pub async fn resolve(&self, gvk: &Gvk) -> Result<Option<Arc<Resource>>, ApiError> {
        self.discovery.resolve(&self.client, gvk).await
    }

    /// Where the objects of a group's kind are found, in the version that the server prefers.
    pub async fn resolve_any(&self, group: &str, kind: &str) -> Result<Option<Arc<Resource>>, ApiError> {
        self.discovery.preferred(&self.client, group, kind).await
    }

    /// Everything that the server serves now, in the order of groups, versions and kinds.
    pub async fn served(&self) -> Result<Vec<Arc<Resource>>, ApiError> {
        self.discovery.all(&self.client).await
    }

    /// Forgets which kinds are not served: a definition was just applied.
    pub fn expect_new_kinds(&self) {
        self.discovery.expect_new_kinds();
    }

    /// The object; `None` if it does not exist.
    pub async fn get(&self, resource: &Resource, namespace: &str, name: &str) -> Result<Option<Value>, ApiError> {
        let path = path(resource, namespace, Some(name));
        match self.send(Method::GET, &path, None, Vec::new()).await {
            Ok(object) => Ok(Some(object)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The object that `id` names, in the version that the server prefers; `None` if it or its kind does not exist.
    pub async fn get_by_id(&self, id: &ObjectId) -> Result<Option<Value>, ApiError> {
        match self.resolve_any(&id.group, &id.kind).await? {
            Some(resource) => self.get(&resource, id.namespace_or_empty(), &id.name).await,
            None => Ok(None),
        }
    }

    /// The objects of one kind, in one namespace or, where it is empty, in all.
    pub async fn list(&self, resource: &Resource, namespace: &str, query: &str) -> Result<Vec<Value>, ApiError> {
        let path = format!("{}?{query}", path(resource, namespace, None));
        let mut list = self.send(Method::GET, &path, None, Vec::new()).await?;
        match list.get_mut("items").map(Value::take) {
            Some(Value::Array(items)) => Ok(items),
            _ => Ok(Vec::new()),
        }
    }

    /// Server-side apply as [`Cluster::manager`]; returns the object as it is (or would be) afterwards.
    pub async fn apply(
        &self,
        resource: &Resource,
        body: &Map<String, Value>,
        options: ApplyOptions,
    ) -> Result<Value, ApiError> {
        self.apply_as(self.manager.name, resource, body, options).await
    }

    /// Server-side apply as `manager`; returns the object as it is (or would be) afterwards.
    pub async fn apply_as(
        &self,
        manager: &str,
        resource: &Resource,
        body: &Map<String, Value>,
        options: ApplyOptions,
    ) -> Result<Value, ApiError> {
        let metadata = &body["metadata"];
        let text = |key: &str| metadata[key].as_str().unwrap_or_default();
        let namespace = if resource.is_namespaced { text("namespace") } else { "" };
        let mut path = format!("{}?fieldManager={manager}", path(resource, namespace, Some(text("name"))));
        if options.dry_run {
            path.push_str("&dryRun=All");
        }
        if options.force {
            path.push_str("&force=true");
        }
        let body = if options.must_be_new { guarded(body) } else { serde_json::to_vec(body) };
        let body = body.expect("JSON with text keys serialises");
        let applied = self.send(Method::PATCH, &path, Some("application/apply-patch+yaml"), body).await;
        if applied.as_ref().is_err_and(ApiError::is_kind_unserved) {
            self.discovery.forget();
        }
        applied
    }

    /// Creates the object `body`.
    pub async fn create(&self, resource: &Resource, namespace: &str, body: &Value) -> Result<Value, ApiError> {
        let body = serde_json::to_vec(body).expect("JSON with text keys serialises");
        self.send(Method::POST, &path(resource, namespace, None), Some("application/json"), body).await
    }

    /// Replaces the object that `body` names.
    pub async fn replace(&self, resource: &Resource, namespace: &str, body: &Value) -> Result<Value, ApiError> {
        let name = body["metadata"]["name"].as_str().unwrap_or_default();
        let path = path(resource, namespace, Some(name));
        let body = serde_json::to_vec(body).expect("JSON with text keys serialises");
        self.send(Method::PUT, &path, Some("application/json"), body).await
    }

    /// Merges `patch` (RFC 7386) into the object, or into its `status` subresource.
    pub async fn merge(
        &self,
        resource: &Resource,
        (namespace, name): (&str, &str),
        patch: &Value,
        part: Part,
        manager: &str,
    ) -> Result<Value, ApiError> {
        let subresource = match part {
            Part::Whole => "",
            Part::Status => "/status",
        };
        let path = format!("{}{subresource}?fieldManager={manager}", path(resource, namespace, Some(name)));
        let body = serde_json::to_vec(patch).expect("JSON with text keys serialises");
        self.send(Method::PATCH, &path, Some("application/merge-patch+json"), body).await
    }

    /// Carries out the operations `patch` (RFC 6902) on the object.
    pub async fn json_patch(
        &self,
        resource: &Resource,
        (namespace, name): (&str, &str),
        patch: &Value,
    ) -> Result<Value, ApiError> {
        let path = format!("{}?fieldManager={}", path(resource, namespace, Some(name)), self.manager.name);
        let body = serde_json::to_vec(patch).expect("JSON with text keys serialises");
        self.send(Method::PATCH, &path, Some("application/json-patch+json"), body).await
    }

    /// Deletes the object with background propagation, if it still is the one with `uid`. Returns whether it was there.
    pub async fn delete(
        &self,
        resource: &Resource,
        (namespace, name): (&str, &str),
        uid: Option<&str>,
    ) -> Result<bool, ApiError> {
        self.delete_with(resource, (namespace, name), uid, DeletionPropagation::Background).await
    }

    /// Deletes the object, if it still is the one with `uid`; `propagation` says what becomes of what it owns. Returns
    /// whether it was there.
    pub async fn delete_with(
        &self,
        resource: &Resource,
        (namespace, name): (&str, &str),
        uid: Option<&str>,
        propagation: DeletionPropagation,
    ) -> Result<bool, ApiError> {
        let policy = match propagation {
            DeletionPropagation::Background => "Background",
            DeletionPropagation::Foreground => "Foreground",
            DeletionPropagation::Orphan => "Orphan",
        };
        let mut options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": policy});
        if let Some(uid) = uid {
            options["preconditions"] = json!({"uid": uid});
        }
        let body = serde_json::to_vec(&options).expect("JSON with text keys serialises");
        let path = path(resource, namespace, Some(name));
        match self.send(Method::DELETE, &path, Some("application/json"), body).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_not_found() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Sends a request, and once more whenever the API server asks to come back in a moment.
    async fn send(
        &self,
        method: Method,
        path_and_query: &str,
        content_type: Option<&'static str>,
        body: Vec<u8>,
    ) -> Result<Value, ApiError> {
        let mut patience = PATIENCE;
        loop {
            let request = self.request(&method, path_and_query, content_type, body.clone())?;
            let answer = self.exchange(request).await;
            self.metrics.count_request(&method, answer.as_ref().err().map_or(200, ApiError::code));
            let asked_to_wait = answer.as_ref().err().and_then(ApiError::retry_after);
            let Some((wait, left)) = asked_to_wait.and_then(|wait| Some((wait, patience.checked_sub(wait)?))) else {
                return answer;
            };
            patience = left;
            sleep(wait).await;
        }
    }

    fn request(
        &self,
        method: &Method,
        path_and_query: &str,
        content_type: Option<&'static str>,
        body: Vec<u8>,
    ) -> Result<Request<Body>, ApiError> {
        let mut request = Request::builder().method(method).uri(path_and_query);
        if let Some(content_type) = content_type {
            request = request.header(CONTENT_TYPE, content_type);
        }
        if let Some(user) = &self.user {
            request = request.header("Impersonate-User", user);
        }
        request.body(Body::from(body)).map_err(|error| ApiError::Malformed(error.to_string()))
    }

    /// The last `lines` of what a container of a pod has printed.
    ///
    /// # Errors
    /// If the API server, or the node of the pod, does not give them.
    pub async fn log(&self, (namespace, pod): (&str, &str), container: &str, lines: u32) -> Result<String, ApiError> {
        let pods = Resource::namespaced("", "v1", "Pod", "pods");
        let path = format!("{}/log?container={container}&tailLines={lines}", path(&pods, namespace, Some(pod)));
        let bytes = self.answer(self.request(&Method::GET, &path, None, Vec::new())?).await?;
        Ok(String::from_utf8_lossy(bytes.as_ref()).into_owned())
    }

    async fn exchange(&self, request: Request<Body>) -> Result<Value, ApiError> {
        let body = self.answer(request).await?;
        serde_json::from_slice(body.as_ref()).map_err(|error| ApiError::Malformed(error.to_string()))
    }

    async fn answer(&self, request: Request<Body>) -> Result<impl AsRef<[u8]> + use<>, ApiError> {
        let exchange = async {
            let (head, body) = self.client.send(request).await?.into_parts();
            Ok::<_, kube::Error>((head, body.collect_bytes().await?))
        };
        let late = |_| ApiError::Unreachable(format!("no answer within {} s", ANSWER_LIMIT.as_secs()));
        let (head, body) = timeout(ANSWER_LIMIT, exchange).await.map_err(late)??;
        if head.status.is_success() { Ok(body) } else { Err(ApiError::refused(head.status, &head.headers, &body)) }
    }
}

/// Which part of an object a patch changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Everything but the status.
    Whole,
    /// The status alone.
    Status,
}

/// An apply with a resource version is refused when the object exists, and ignores it when it does not: what it costs
/// to learn that an object is new is nothing.
fn guarded(body: &Map<String, Value>) -> serde_json::Result<Vec<u8>> {
    let mut body = body.clone();
    if let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.insert("resourceVersion".to_owned(), "1".into());
    }
    serde_json::to_vec(&body)
}

/// The URL path of a collection or of one of its objects.
pub(crate) fn path(resource: &Resource, namespace: &str, name: Option<&str>) -> String {
    let mut path = if resource.group.is_empty() {
        format!("/api/{}", resource.version)
    } else {
        format!("/apis/{}/{}", resource.group, resource.version)
    };
    if resource.is_namespaced && !namespace.is_empty() {
        path.push_str("/namespaces/");
        escape(&mut path, namespace);
    }
    path.push('/');
    path.push_str(&resource.plural);
    if let Some(name) = name {
        path.push('/');
        escape(&mut path, name);
    }
    path
}

/// Writes one part of a path, percent-encoded where it must be.
fn escape(path: &mut String, part: &str) {
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:@".contains(&byte) {
            path.push(char::from(byte));
        } else {
            path.push('%');
            path.push_str(&hex::encode_upper([byte]));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_group_namespace_and_escaped_name() {
        let resource = |group: &str, is_namespaced| Resource {
            group: group.to_owned(),
            version: "v1".to_owned(),
            kind: "Role".to_owned(),
            plural: "roles".to_owned(),
            is_namespaced,
        };
        let rows = [
            (resource("", true), "shop", Some("a"), "/api/v1/namespaces/shop/roles/a"),
            (resource("rbac.x.io", true), "", None, "/apis/rbac.x.io/v1/roles"),
            (resource("rbac.x.io", false), "shop", Some("system:a/b c"), "/apis/rbac.x.io/v1/roles/system:a%2Fb%20c"),
        ];
        for (resource, namespace, name, expected) in rows {
            assert_eq!(path(&resource, namespace, name), expected);
        }
    }
}
