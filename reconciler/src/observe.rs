//! What the cluster holds of the objects that a plan is about. It only reads.
//!
//! An object is read once. Whether it is as its manifest says is then told by its managed fields; only where they leave
//! a doubt is the API server asked, by a dry run of the apply.

use std::collections::BTreeSet;

use fairlead_object::{Manifest, ObjectId, Place};
use fairlead_plan::{Inventory, Live, LiveObject, Observed, Preview, ownership};
use futures::{FutureExt, StreamExt, TryFutureExt, future::BoxFuture, stream};
use serde_json::Value;

use crate::{
    cluster::{ApiError, ApplyOptions, Cluster, FieldManager, Rivals},
    named_field::place_of,
    prepare::Prepared,
};

/// How many requests of one run are under way at once.
const CONCURRENT: usize = 8;

/// The annotation by which an object lists the managers whose applied fields are taken from them; `*` for all.
pub const FORCE_CONFLICTS: &str = "fairlead.dev/force-conflicts";

/// What need not be asked, and what is asked besides.
#[derive(Clone, Copy)]
pub struct Questions<'a> {
    /// Objects that are known to be as their manifest says: nothing is asked about them.
    pub is_in_sync: &'a (dyn Fn(&Manifest) -> bool + Sync),
    /// What is done about objects that the inventory does not hold.
    pub newcomers: Newcomers,
    /// Further managers whose fields an apply takes over, by the beginning of their names.
    pub override_managers: &'a [String],
}

/// What is done about objects that the inventory does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Newcomers {
    /// They are taken to be absent, and applied with a guard that fails if they are not.
    Assumed,
    /// They are read.
    Read,
    /// They are read, and the API server is asked by a dry run whether it would accept them.
    Rehearsed,
}

/// The API server's refusals of the objects that a plan is about.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct ObserveError(pub Vec<Refusal>);

/// The API server's refusal of one object.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}{} {verb}{}", place(.at.as_ref()), .object.subject(), answer(.object, .error))]
pub struct Refusal {
    /// The object.
    pub object: ObjectId,
    /// Where the field that the answer names was written, or else the object.
    pub at: Option<Place>,
    /// What was refused: `dry-run failed`, `apply failed`, …
    pub verb: &'static str,
    /// The answer.
    pub error: ApiError,
}

fn place(at: Option<&Place>) -> String {
    at.map(|at| format!("{at}: ")).unwrap_or_default()
}

/// The server's words; of a Secret only the reason, for they may quote its values.
fn answer(object: &ObjectId, error: &ApiError) -> String {
    let reason = if error.reason().is_empty() { String::new() } else { format!(" ({})", error.reason()) };
    let names_no_value = error.is_not_found() || error.is_forbidden() || !error.conflicting_managers().is_empty();
    let is_quotable = object.kind != "Secret" || names_no_value;
    if is_quotable { format!("{reason}: {error}") } else { reason }
}

impl ObserveError {
    /// What the reader can try.
    pub fn hint(&self) -> Option<String> {
        self.0.iter().find_map(Refusal::hint)
    }
}

impl Refusal {
    /// What the reader can try.
    pub fn hint(&self) -> Option<String> {
        let managers: BTreeSet<String> = self.error.conflicting_managers().into_iter().collect();
        let namespace = self.object.namespace_or_empty();
        if !managers.is_empty() {
            let managers = managers.into_iter().collect::<Vec<_>>().join(",");
            return Some(format!(
                "leave the field out of the source, or take it over: annotate the object there with \
                 {FORCE_CONFLICTS}: {managers}"
            ));
        }
        if self.error.is_namespace_missing() {
            return Some(format!("create Namespace {namespace}, or add it to the source"));
        }
        if self.error.is_namespace_terminating() {
            return Some(format!(
                "Namespace {namespace} goes when nothing is left in it: its status says what still is"
            ));
        }
        if self.error.is_right_missing() {
            return Some("bind a role that allows this to the user".to_owned());
        }
        let is_webhook = self.error.is_webhook_failing();
        is_webhook.then(|| "mend the webhook, or remove its configuration from the cluster".to_owned())
    }

    /// The namespace that must come, or go, before the object can be applied.
    pub fn awaited_namespace(&self) -> Option<&str> {
        let is_awaited = self.error.is_namespace_missing() || self.error.is_namespace_terminating();
        is_awaited.then(|| self.object.namespace_or_empty())
    }
}

/// Reads what `prepared` and `inventory` name. All refusals are collected, unless the API server cannot answer now.
pub async fn observe(
    cluster: &Cluster,
    prepared: &Prepared,
    inventory: &Inventory,
    questions: Questions<'_>,
) -> Result<Live, ObserveError> {
    let of_desired = prepared.desired.in_apply_order().into_iter().map(|(_, manifest)| {
        let asked = observe_desired(cluster, prepared, inventory, manifest, questions);
        asked.map_ok(|observed| (manifest.id().clone(), observed)).boxed()
    });
    let stale = inventory.iter().map(|(id, _)| id).filter(|id| !prepared.desired.contains(id));
    let of_stale = stale.map(|id| observe_stale(cluster, id).map_ok(|observed| (id.clone(), observed)).boxed());
    // Boxed and listed before they are polled: the compiler cannot see that a lazy chain of them may move between threads.
    let asked: Vec<BoxFuture<'_, _>> = of_desired.chain(of_stale).collect();
    let mut answers = stream::iter(asked).buffer_unordered(CONCURRENT);
    let (mut live, mut refusals) = (Live::default(), Vec::new());
    while let Some(answer) = answers.next().await {
        match answer {
            Ok((id, observed)) => live.insert(id, observed),
            Err(refusal) if refusal.error.is_transient() => return Err(ObserveError(vec![refusal])),
            Err(refusal) => refusals.push(refusal),
        }
    }
    refusals.sort_by(|a, b| a.object.cmp(&b.object));
    if refusals.is_empty() { Ok(live) } else { Err(ObserveError(refusals)) }
}

async fn observe_desired(
    cluster: &Cluster,
    prepared: &Prepared,
    inventory: &Inventory,
    manifest: &Manifest,
    questions: Questions<'_>,
) -> Result<Observed, Refusal> {
    if (questions.is_in_sync)(manifest) {
        return Ok(Observed::InSync);
    }
    let is_new = !inventory.contains(manifest.id());
    if is_new && questions.newcomers == Newcomers::Assumed || prepared.resources.is_to_come(manifest) {
        return Ok(Observed::Absent);
    }
    let resource = prepared.resources.of(manifest);
    let id = manifest.id();
    let read = cluster.get(resource, id.namespace_or_empty(), &id.name).await;
    match read.map_err(|error| refusal(manifest, "cannot be read", error))? {
        None if questions.newcomers == Newcomers::Rehearsed => rehearse(cluster, prepared, manifest).await,
        None => Ok(Observed::Absent),
        Some(body) => {
            let preview = if ownership::is_in_sync(manifest, &body, cluster.manager().name) {
                Preview::NotAsked
            } else {
                preview(cluster, prepared, manifest, &body, questions.override_managers).await?
            };
            Ok(Observed::Present(LiveObject { body, preview }))
        }
    }
}

/// Asks whether the server would create the object. Where that takes another one of the same manifests it cannot know.
async fn rehearse(cluster: &Cluster, prepared: &Prepared, manifest: &Manifest) -> Result<Observed, Refusal> {
    let options = ApplyOptions { dry_run: true, ..ApplyOptions::default() };
    match cluster.apply(prepared.resources.of(manifest), manifest.body(), options).await {
        Ok(_) => Ok(Observed::Absent),
        Err(error) if error.is_not_found() && takes_another(prepared, manifest) => Ok(Observed::Absent),
        Err(error) => Err(refusal(manifest, "dry-run failed", error)),
    }
}

/// Whether the namespace of `manifest`, or the role that it binds, is among the manifests too.
fn takes_another(prepared: &Prepared, manifest: &Manifest) -> bool {
    let namespace = manifest.id().namespace_or_empty();
    let role = manifest.body().get("roleRef").unwrap_or(&Value::Null);
    let text = |field: &str| role[field].as_str().unwrap_or_default();
    let role_namespace = if text("kind") == "Role" { namespace } else { "" };
    let role = ObjectId::new(text("apiGroup"), text("kind"), role_namespace, text("name"));
    [ObjectId::new("", "Namespace", "", namespace), role].iter().any(|id| prepared.desired.contains(id))
}

async fn preview(
    cluster: &Cluster,
    prepared: &Prepared,
    manifest: &Manifest,
    live: &Value,
    override_managers: &[String],
) -> Result<Preview, Refusal> {
    let resource = prepared.resources.of(manifest);
    let dry_run =
        |force| cluster.apply(resource, manifest.body(), ApplyOptions { dry_run: true, force, must_be_new: false });
    let mut answer = dry_run(false).await;
    if let Err(error) = &answer
        && may_take_over(cluster.manager(), manifest, live, error)
    {
        answer = dry_run(true).await;
    }
    match answer {
        Ok(preview) => Ok(Preview::Answer(preview)),
        Err(error) => match Preview::from_refusal(&error.to_string(), &error.fields()) {
            Some(preview) => Ok(preview),
            // What is refused is a mixture with what an earlier tool left. The apply takes that over first, which no dry
            // run can show.
            None if ownership::needs_cleanup(live, cluster.manager().name, override_managers).is_some() => {
                Ok(Preview::NotAsked)
            }
            None => Err(refusal(manifest, "dry-run failed", error)),
        },
    }
}

/// Whether fields that others hold may be taken from them.
///
/// Who changed a field in passing (`Update`) has no lasting claim to it: that is drift, and is put right. Who applies it
/// (`Apply`) declares it, as we do: taking it would start a fight without end, so the object must list that manager.
pub(crate) fn may_take_over(ours: FieldManager, manifest: &Manifest, live: &Value, error: &ApiError) -> bool {
    let managers = error.conflicting_managers();
    if ours.rivals == Rivals::Overruled {
        return !managers.is_empty();
    }
    let listed = manifest.annotation(FORCE_CONFLICTS).unwrap_or_default();
    let is_listed = |manager: &str| listed.split(',').map(str::trim).any(|entry| entry == manager || entry == "*");
    !managers.is_empty() && managers.iter().all(|manager| is_listed(manager) || !applies(live, manager))
}

fn applies(live: &Value, manager: &str) -> bool {
    let entries = live["metadata"]["managedFields"].as_array().into_iter().flatten();
    let is_kubectl = manager.starts_with("kubectl");
    !is_kubectl && entries.into_iter().any(|entry| entry["manager"] == manager && entry["operation"] == "Apply")
}

async fn observe_stale(cluster: &Cluster, id: &ObjectId) -> Result<Observed, Refusal> {
    match cluster.get_by_id(id).await {
        Ok(Some(body)) => Ok(Observed::Present(LiveObject { body, preview: Preview::NotAsked })),
        Ok(None) => Ok(Observed::Absent),
        Err(error) => Err(Refusal { object: id.clone(), at: None, verb: "cannot be read", error }),
    }
}

pub(crate) fn refusal(manifest: &Manifest, verb: &'static str, error: ApiError) -> Refusal {
    let field = error.first_field().and_then(|field| place_of(manifest, field));
    let at = Some(field.unwrap_or_else(|| manifest.origin().into()));
    Refusal { object: manifest.id().clone(), at, verb, error }
}

#[cfg(test)]
mod tests {
    use fairlead_object::Origin;
    use fairlead_plan::Desired;
    use kube::core::Status;
    use serde_json::json;

    use super::*;
    use crate::prepare::Resources;

    fn conflict_with(manager: &str) -> ApiError {
        let status = json!({
            "status": "Failure", "message": "conflict", "reason": "Conflict", "code": 409,
            "details": {"causes": [{
                "reason": "FieldManagerConflict",
                "message": format!("conflict with \"{manager}\" using apps/v1"),
                "field": ".spec.replicas",
            }]},
        });
        let status: Status = serde_json::from_value(status).expect("a status");
        ApiError::Refused(status.boxed())
    }

    #[test]
    fn a_field_is_taken_from_who_changed_it_and_not_from_who_applies_it() {
        let live = json!({"metadata": {"managedFields": [
            {"manager": "hpa", "operation": "Update"},
            {"manager": "helm", "operation": "Apply"},
            {"manager": "kubectl", "operation": "Apply"},
        ]}});
        let may = |manager: &str, annotation: Option<&str>| {
            let mut body = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}});
            if let Some(listed) = annotation {
                body["metadata"]["annotations"] = json!({FORCE_CONFLICTS: listed});
            }
            let manifest = Manifest::new(body, Origin::default()).expect("an object");
            may_take_over(FieldManager::KUSTOMIZE, &manifest, &live, &conflict_with(manager))
        };
        assert!(may("hpa", None));
        assert!(may("kubectl", None));
        assert!(!may("helm", None));
        assert!(may("helm", Some("other, helm")));
        assert!(may("helm", Some("*")));
    }

    #[test]
    fn what_takes_another_of_the_same_manifests_cannot_be_rehearsed() {
        let manifest = |body: Value| Manifest::new(body, Origin::default()).expect("an object");
        let rbac = "rbac.authorization.k8s.io";
        let role = json!({
            "apiVersion": format!("{rbac}/v1"), "kind": "Role", "metadata": {"name": "reader", "namespace": "shop"},
        });
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "new"}});
        let desired = Desired::new(String::new(), vec![manifest(role), manifest(namespace)]);
        let desired = desired.expect("nothing is named twice");
        let prepared = Prepared { desired, resources: Resources::default() };
        let binding = |namespace: &str, kind: &str| {
            manifest(json!({
                "apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding",
                "metadata": {"name": "reader", "namespace": namespace},
                "roleRef": {"apiGroup": rbac, "kind": kind, "name": "reader"},
            }))
        };
        assert!(takes_another(&prepared, &binding("shop", "Role")));
        assert!(takes_another(&prepared, &binding("new", "ClusterRole")));
        assert!(!takes_another(&prepared, &binding("shop", "ClusterRole")));
        assert!(!takes_another(&prepared, &binding("other", "Role")));
    }

    #[test]
    fn a_refusal_of_a_secret_does_not_repeat_the_server() {
        let status = json!({"status": "Failure", "message": "data[0]: hunter2", "reason": "Invalid", "code": 422});
        let error = ApiError::Refused(serde_json::from_value::<Status>(status).expect("a status").boxed());
        let of = |kind: &str| {
            let object = ObjectId::new("", kind, "shop", "x");
            Refusal { object, at: None, verb: "dry-run failed", error: error.clone() }.to_string()
        };
        assert_eq!(of("Secret"), "Secret/shop/x dry-run failed (Invalid)");
        assert_eq!(of("ConfigMap"), "ConfigMap/shop/x dry-run failed (Invalid): data[0]: hunter2");
    }
}
