//! The least that any tool must write: four objects and one status for each application, and the record of a release.
//!
//! The client knows beforehand what to write and looks at nothing, so its time is what the API server gives.

use std::time::{Duration, Instant};

use fairlead_manifests::{BuildRequest, Substitution, build};
use fairlead_object::MemoryTree;
use futures::{StreamExt, TryStreamExt, stream};
use kube::{
    Api, ResourceExt,
    api::{ApiResource, DynamicObject, Patch, PatchParams},
};
use serde_json::{Value, json};

use crate::{
    Outcome,
    applications::{Application, CONCURRENT, Scene, api},
    delivery::{Delivery, KUSTOMIZATION},
};

/// What results call it.
pub(crate) const NAME: &str = "the necessary writes alone";

const FIELD_MANAGER: &str = "floor";

/// What Helm writes of a release of four objects.
const RECORD_BYTES: usize = 4 << 10;

/// Creates the applications and writes what they ask for; returns how long that took, and how long until the
/// cluster's controllers had seen every Deployment.
pub(crate) async fn write_all(scene: &Scene) -> Outcome<(Duration, Duration)> {
    let objects_of = |application| objects(scene.delivery, application);
    let objects = scene.applications.iter().map(objects_of).collect::<Outcome<Vec<_>>>()?;
    let began = Instant::now();
    let (written, ()) = tokio::try_join!(write_each(scene, &objects, began), scene.all_rolled_out())?;
    Ok((written, began.elapsed()))
}

/// Writes what every application asks for and returns how long after `began` that was done.
async fn write_each(scene: &Scene, objects: &[Vec<DynamicObject>], began: Instant) -> Outcome<Duration> {
    let all = stream::iter(scene.applications.iter().zip(objects));
    let all = all.map(|(application, objects)| write(scene, application, objects));
    all.buffer_unordered(CONCURRENT).try_collect::<()>().await?;
    Ok(began.elapsed())
}

async fn write(scene: &Scene, application: &Application, objects: &[DynamicObject]) -> Outcome<()> {
    scene.create(application).await?;
    for object in objects {
        let parameters = PatchParams::apply(FIELD_MANAGER);
        api(&scene.client, object)?.patch(&object.name_any(), &parameters, &Patch::Apply(object)).await?;
    }
    let resource = ApiResource::from_gvk(&scene.delivery.group_version_kind());
    let owners: Api<DynamicObject> = Api::namespaced_with(scene.client.clone(), &application.namespace, &resource);
    let status = Patch::Merge(status(objects));
    owners.patch_status(&application.name, &PatchParams::default(), &status).await?;
    Ok(())
}

fn objects(delivery: Delivery, application: &Application) -> Outcome<Vec<DynamicObject>> {
    let mut substitution = Substitution::default();
    substitution.variables.set("app", &application.name)?;
    let request = BuildRequest {
        path: "app".parse()?,
        target_namespace: Some(application.namespace.clone()),
        substitution: Some(substitution),
        ..BuildRequest::default()
    };
    let built = build(&MemoryTree::new(KUSTOMIZATION)?, &request)?;
    let objects = built.manifests.iter().map(fairlead_object::Manifest::to_value);
    let record = (delivery == Delivery::HelmRelease).then(|| record(application));
    objects.chain(record).map(|object| Ok(serde_json::from_value(object)?)).collect()
}

/// Returns a Secret of the size of a release's record.
fn record(Application { namespace, name }: &Application) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "helm.sh/release.v1",
        "metadata": { "name": format!("sh.helm.release.v1.{name}.v1"), "namespace": namespace },
        "stringData": { "release": "r".repeat(RECORD_BYTES) },
    })
}

/// Returns a status of the size that a tool would write.
fn status(objects: &[DynamicObject]) -> Value {
    let entry = |object: &DynamicObject| {
        let (group, kind) = object.types.as_ref().map_or(("", ""), |types| {
            (types.api_version.split_once('/').map_or("", |(group, _)| group), types.kind.as_str())
        });
        let namespace = object.namespace().unwrap_or_default();
        json!({ "id": format!("{namespace}_{}_{group}_{kind}", object.name_any()), "v": "v1" })
    };
    let condition = json!({
        "type": "Ready",
        "status": "True",
        "reason": "ReconciliationSucceeded",
        "message": "Applied revision: main@sha1:0000000000000000000000000000000000000000",
        "lastTransitionTime": "2026-01-01T00:00:00Z",
        "observedGeneration": 1,
    });
    let entries: Vec<Value> = objects.iter().map(entry).collect();
    json!({ "status": { "observedGeneration": 1, "conditions": [condition], "inventory": { "entries": entries } } })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_application_is_four_objects_of_its_name_and_namespace() {
        let application = Application { namespace: "team-1".into(), name: "app-7".into() };
        let objects = objects(Delivery::Kustomization, &application).unwrap();
        let ids: Vec<_> = status(&objects)["status"]["inventory"]["entries"]
            .as_array()
            .unwrap()
            .iter()
            .map(|entry| entry["id"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(
            ids,
            [
                "team-1_app-7__ServiceAccount",
                "team-1_app-7_apps_Deployment",
                "team-1_app-7__Service",
                "team-1_app-7_networking.k8s.io_Ingress",
            ]
        );
    }
}
