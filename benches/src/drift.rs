//! Drift: someone edits one object of thousands; how long until it is put right?

use std::time::{Duration, Instant};

use futures::StreamExt;
use kube::{
    Api, Client,
    api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams},
    runtime::{WatchStreamExt, watcher::watch_object},
};
use serde_json::json;
use tokio::time::{sleep, timeout};

use crate::{
    Extent, Outcome,
    applications::{Application, Scene},
    contender::Tool,
    delivery::Delivery,
    report::{Report, percentile},
    say,
};

/// How many objects are edited, one after the other, each of another application.
const EDITS: usize = 50;

/// A label that the application's source sets.
const LABEL: &str = "app.kubernetes.io/name";

const SETTLE: Duration = Duration::from_secs(5);
const LIMIT: Duration = Duration::from_mins(2);

const MS_PER_S: f64 = 1000.0;

pub(crate) async fn run(extent: Extent) -> Outcome<Report> {
    let applications = match extent {
        Extent::Quick => 50,
        Extent::Full => 1000,
    };
    say(&format!("{applications} applications by {}", Tool::Fairlead.name()));
    let scene = Scene::prepare(Delivery::Kustomization, applications).await?;
    let _controller = Tool::Fairlead.start(&scene.cluster, Delivery::Kustomization).await?;
    tokio::try_join!(scene.create_all(), scene.all_ready())?;
    sleep(SETTLE).await;
    let mut times = Vec::new();
    for application in scene.applications.iter().step_by(applications / EDITS) {
        times.push(edit(&scene.client, application).await?.as_secs_f64() * MS_PER_S);
    }
    let mut report = Report::new("drift");
    let case = |what: &str| format!("edit 1 of {} objects until it is put right: {what}", applications * 4);
    report.state(case("p50"), "ms", percentile(&times, 50));
    report.state(case("p99"), "ms", percentile(&times, 99));
    Ok(report)
}

/// Edits a label of the application's Service and returns how long it took until the label was back.
async fn edit(client: &Client, application: &Application) -> Outcome<Duration> {
    let kind = ApiResource::from_gvk(&GroupVersionKind::gvk("", "v1", "Service"));
    let services: Api<DynamicObject> = Api::namespaced_with(client.clone(), &application.namespace, &kind);
    let edited = Patch::Merge(json!({ "metadata": { "labels": { LABEL: "edited" } } }));
    let began = Instant::now();
    services.patch(&application.name, &PatchParams::default(), &edited).await?;
    let states = watch_object(services, &application.name).default_backoff();
    let mut states = std::pin::pin!(states);
    let put_right = async {
        loop {
            // A broken watch is begun again by the stream itself.
            if let Some(Ok(Some(service))) = states.next().await
                && service.metadata.labels.is_some_and(|labels| labels.get(LABEL) == Some(&application.name))
            {
                return began.elapsed();
            }
        }
    };
    let put_right = timeout(LIMIT, put_right).await;
    put_right.map_err(|_| format!("Service {} is not put right after {LIMIT:?}", application.name).into())
}
