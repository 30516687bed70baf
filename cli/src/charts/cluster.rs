//! A chart for a cluster: it sees what the cluster serves, and its templates look up what is there.

use fairlead_helm::{Hook, HookOutput, PrintOptions};
use fairlead_manifests::{ChartBuildError, RenderedChart, note_drawn};
use fairlead_object::{Manifest, Place};
use fairlead_reconciler::{
    charts::{ChartWorld, LookupError, render_for, served_versions},
    cluster::Cluster,
};

use super::{LocalChart, explained, this_machine};
use crate::output::{CommandError, warning};

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
        let (chart, world) = self.render_for(cluster).await?;
        let hooks = &chart.rendered.hooks;
        if !hooks.is_empty() {
            warning(format!("left out, since only a release runs hooks: {}", named(hooks)));
        }
        let options = PrintOptions { include_crds: true, hooks: HookOutput::None, ..PrintOptions::default() };
        let objects =
            self.noting_drawn(&chart, &world, &options).map_err(|error| explained(error, &self.place.shown))?;
        let namespace = &self.request.release.namespace;
        Ok(objects.into_iter().map(|object| in_namespace(object, namespace)).collect())
    }

    /// The objects of `chart`, which was rendered in `world`, each with its fields that were drawn.
    fn noting_drawn(
        &self,
        chart: &RenderedChart,
        world: &ChartWorld,
        options: &PrintOptions,
    ) -> Result<Vec<Manifest>, ChartBuildError> {
        let objects = chart.manifests(options)?;
        if !world.has_drawn() {
            return Ok(objects);
        }
        Ok(note_drawn(objects, self.render(&world.another_time())?.manifests(options)?))
    }

    /// What it is rendered to with all that it looks up in `cluster`, and the world in which it was.
    async fn render_for(&self, cluster: &Cluster) -> Result<(RenderedChart, ChartWorld), CommandError> {
        let rendering = |world: ChartWorld| async { (self.render(&world), world) };
        let (outcome, world) = render_for(cluster, this_machine(), rendering).await.map_err(|error| match error {
            LookupError::Cluster(error) => CommandError::from(error),
            LookupError::Endless => error.into(),
        })?;
        Ok((outcome.map_err(|error| explained(error, &self.place.shown))?, world))
    }
}

fn named(hooks: &[Hook]) -> String {
    let names: Vec<_> = hooks.iter().map(|hook| format!("{} {}", hook.manifest.kind, hook.manifest.name)).collect();
    names.join(", ")
}

/// `object` in `namespace` if it names none; of a kind without namespaces it is taken away again later.
pub(crate) fn in_namespace(mut object: Manifest, namespace: &str) -> Manifest {
    if object.id().namespace.is_none() {
        object.set_namespace(Some(namespace));
        object.note_change("/metadata/namespace", Place::field(NAMESPACE));
    }
    object
}
