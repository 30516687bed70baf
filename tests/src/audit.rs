//! What the API server was asked, by whom: read from its audit log.

use std::{fs, io, path::PathBuf};

use serde::Deserialize;

/// The policy that the API server logs by: every request once, when it is answered, without bodies.
pub(crate) const POLICY: &str = r#"{
  "apiVersion": "audit.k8s.io/v1",
  "kind": "Policy",
  "omitStages": ["RequestReceived", "ResponseStarted"],
  "rules": [{"level": "Metadata"}]
}"#;

/// The log of one API server.
#[derive(Clone, Debug)]
pub struct AuditLog {
    path: PathBuf,
}

/// A request that the API server has answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Whose rights it used: the impersonated user if there is one.
    pub user: String,
    /// Who sent it.
    pub sender: String,
    /// The program that sent it.
    pub agent: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`.
    pub verb: String,
    /// The API group, empty for the core.
    pub group: String,
    /// The plural with its subresource, as in `deployments/status`; empty if the request is not about a resource.
    pub resource: String,
    /// The namespace, empty for what has none.
    pub namespace: String,
    /// The object's name, empty for lists and for creations.
    pub name: String,
    /// The path and query.
    pub uri: String,
    /// The HTTP status of the answer.
    pub status: u16,
}

impl Request {
    /// Returns whether it asks for a change that is kept: neither a read, nor a review, nor a dry run.
    pub fn is_write(&self) -> bool {
        let changes = matches!(self.verb.as_str(), "create" | "update" | "patch" | "delete" | "deletecollection");
        let asks_only = self.group == "authorization.k8s.io" || self.group == "authentication.k8s.io";
        changes && !asks_only && !self.uri.contains("dryRun=All")
    }
}

impl AuditLog {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path }
    }

    /// Returns all that was answered so far, oldest first.
    ///
    /// An answer is logged just after it is sent: [`TestCluster::requests`](crate::TestCluster::requests) waits for it.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn requests(&self) -> io::Result<Vec<Request>> {
        Ok(fs::read_to_string(&self.path)?.lines().filter_map(parse).collect())
    }
}

/// Reads one line of the log; a line that is still being written is none yet.
fn parse(line: &str) -> Option<Request> {
    let event: Event = serde_json::from_str(line).ok()?;
    let object = event.object_ref.unwrap_or_default();
    let resource = match object.subresource.as_str() {
        "" => object.resource,
        subresource => format!("{}/{subresource}", object.resource),
    };
    let sender = event.user.username;
    Some(Request {
        user: event.impersonated_user.map_or_else(|| sender.clone(), |user| user.username),
        sender,
        agent: event.user_agent,
        verb: event.verb,
        group: object.api_group,
        resource,
        namespace: object.namespace,
        name: object.name,
        uri: event.request_uri,
        status: event.response_status.code,
    })
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    verb: String,
    #[serde(rename = "requestURI")]
    request_uri: String,
    user: User,
    impersonated_user: Option<User>,
    #[serde(default)]
    user_agent: String,
    object_ref: Option<ObjectRef>,
    #[serde(default)]
    response_status: ResponseStatus,
}

#[derive(Default, Deserialize)]
struct User {
    #[serde(default)]
    username: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct ObjectRef {
    resource: String,
    subresource: String,
    namespace: String,
    name: String,
    api_group: String,
}

#[derive(Default, Deserialize)]
struct ResponseStatus {
    #[serde(default)]
    code: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_read_with_the_identity_that_it_impersonates() {
        let request = parse(
            r#"{"stage":"ResponseComplete","requestURI":"/apis/apps/v1/namespaces/shop/deployments/web?fieldManager=x",
            "verb":"patch","user":{"username":"system:serviceaccount:flux-system:fairlead"},
            "impersonatedUser":{"username":"system:serviceaccount:shop:team"},"userAgent":"fairlead/1",
            "objectRef":{"resource":"deployments","namespace":"shop","name":"web","apiGroup":"apps","apiVersion":"v1"},
            "responseStatus":{"code":200}}"#,
        )
        .unwrap();
        assert_eq!(request.user, "system:serviceaccount:shop:team");
        assert_eq!(request.sender, "system:serviceaccount:flux-system:fairlead");
        assert_eq!((request.group.as_str(), request.resource.as_str()), ("apps", "deployments"));
        assert!(request.is_write());
    }

    #[test]
    fn a_dry_run_and_a_review_are_no_writes() {
        let dry_run = r#"{"requestURI":"/api/v1/namespaces/a/secrets?dryRun=All","verb":"create","user":{}}"#;
        let review = r#"{"requestURI":"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews","verb":"create","user":{},
            "objectRef":{"resource":"selfsubjectaccessreviews","apiGroup":"authorization.k8s.io"}}"#;
        for line in [dry_run, review] {
            assert!(!parse(line).unwrap().is_write(), "{line}");
        }
    }
}
