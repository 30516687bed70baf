//! A chart for a cluster: it sees what the cluster serves, and its templates look up what is there.

use fairlead_helm::{Hook, HookOutput, PrintOptions};
use fairlead_manifests::{ChartBuildError, RenderedChart, note_drawn};
use fairlead_object::{Gvk, Manifest, Place};
use fairlead_reconciler::cluster::{ApiError, Cluster};
use serde_json::{Value, json};

use super::{LocalChart, Machine, explained, world::Question};
use crate::output::{CommandError, warning};

/// How often a chart may look up something new because of what it was told before.
const MAX_ROUNDS: usize = 10;

/// Where an object says nothing, it goes to the namespace of the release.
const NAMESPACE: &str = "the namespace of the release";

impl LocalChart {
    /// The objects that it makes for `cluster`, its definitions among them. Hooks are left out, and said to be.
    pub(crate) async fn objects_for(mut self, cluster: &Cluster) -> Result<Vec<Manifest>, CommandError> {
        let release = &mut self.request.release;
        if release.kube_version.is_none() {
            release.kube_version = Some(cluster.client().apiserver_version().await?.git_version);
        }
        release.served_versions = Some(served_versions(cluster).await?);
        let mut machine = Machine::default();
        let chart = self.render_with_answers(cluster, &mut machine).await?;
        let hooks = &chart.rendered.hooks;
        if !hooks.is_empty() {
            warning(format!("left out, since only a release runs hooks: {}", named(hooks)));
        }
        let options = PrintOptions { include_crds: true, hooks: HookOutput::None, ..PrintOptions::default() };
        let objects =
            self.noting_drawn(&chart, &machine, &options).map_err(|error| explained(error, &self.place.shown))?;
        let namespace = &self.request.release.namespace;
        Ok(objects.into_iter().map(|object| in_namespace(object, namespace)).collect())
    }

    /// The objects of `chart`, which was rendered in the world of `machine`, each with its fields that were drawn.
    fn noting_drawn(
        &self,
        chart: &RenderedChart,
        machine: &Machine,
        options: &PrintOptions,
    ) -> Result<Vec<Manifest>, ChartBuildError> {
        let objects = chart.manifests(options)?;
        if !machine.has_drawn() {
            return Ok(objects);
        }
        Ok(note_drawn(objects, self.render(&machine.another_time())?.manifests(options)?))
    }

    async fn render_with_answers(
        &self,
        cluster: &Cluster,
        machine: &mut Machine,
    ) -> Result<RenderedChart, CommandError> {
        for _ in 0..MAX_ROUNDS {
            let outcome = self.render(machine);
            let open = machine.take_open();
            if open.is_empty() {
                return outcome.map_err(|error| explained(error, &self.place.shown));
            }
            for question in open {
                let answer = answer(cluster, &question).await?;
                machine.answer(question, answer);
            }
        }
        Err(format!("the chart looks up something else each time that it is rendered, {MAX_ROUNDS} times so far")
            .into())
    }
}

/// What `cluster` serves, as charts ask for it.
async fn served_versions(cluster: &Cluster) -> Result<Vec<String>, ApiError> {
    let served = cluster.served().await?;
    let mut versions: Vec<String> = served.iter().map(|resource| resource.api_version()).collect();
    versions.extend(served.iter().map(|resource| format!("{}/{}", resource.api_version(), resource.kind)));
    versions.dedup();
    Ok(versions)
}

/// What `cluster` says to `question`; nothing for a kind that it does not serve.
async fn answer(cluster: &Cluster, question: &Question) -> Result<Option<Value>, ApiError> {
    let Question { api_version, kind, namespace, name } = question;
    let Some(resource) = cluster.resolve(&Gvk::from_api_version(api_version, kind)).await? else { return Ok(None) };
    if !name.is_empty() {
        return cluster.get(&resource, namespace, name).await;
    }
    let items = cluster.list(&resource, namespace, "").await?;
    Ok(Some(json!({ "apiVersion": api_version, "kind": format!("{kind}List"), "items": items })))
}

fn named(hooks: &[Hook]) -> String {
    let names: Vec<_> = hooks.iter().map(|hook| format!("{} {}", hook.manifest.kind, hook.manifest.name)).collect();
    names.join(", ")
}

/// `object` in `namespace` if it names none; of a kind without namespaces it is taken away again later.
fn in_namespace(mut object: Manifest, namespace: &str) -> Manifest {
    if object.id().namespace.is_none() {
        object.set_namespace(Some(namespace));
        object.note_change("/metadata/namespace", Place::field(NAMESPACE));
    }
    object
}
