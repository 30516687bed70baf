//! From a chart and values to a record that is not installed yet.

use std::{collections::BTreeMap, panic::resume_unwind, sync::Arc};

use fairlead_api::{
    helm::{HelmReleaseSpec, PostRenderStrategy},
    names::labels,
};
use fairlead_helm::{Chart, Release as ChartRelease, RenderedManifest, Schemas, UserValues};
use fairlead_manifests::{BuildRequest, ChartBuildError, RenderedChart, build, note_drawn, render_loaded};
use fairlead_object::{Manifest, MemoryTree, TreePath};
use fairlead_plan::ReleaseName;
use fairlead_release::{
    Release,
    hook::{Role, role},
};
use fairlead_yaml::emit_object;
use serde_json::{Map, Value, json};
use tokio::task::spawn_blocking;

use super::{objects::document, outcome::Failure, values, work::Work};
use crate::{
    charts::{ChartWorld, render_for, served_versions},
    clock::Clock,
    cluster::Cluster,
    controllers::{ObjectKey, in_one_line},
};

/// Whose chart is rendered, and for which cluster.
pub struct Rendering<'a> {
    /// The cluster, in the name of whoever the release runs as.
    pub cluster: &'a Cluster,
    /// The time that templates are told.
    pub clock: Clock,
    /// The object that asks for the release.
    pub key: &'a ObjectKey,
    /// What it asks for.
    pub spec: &'a HelmReleaseSpec,
    /// The release.
    pub name: &'a ReleaseName,
}

/// What a chart is rendered for.
#[derive(Clone, Debug)]
pub struct Asked {
    revision: i64,
    occasion: Occasion,
    schemas: Schemas,
    values: Map<String, Value>,
}

/// Whether a revision is the first of its release.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Occasion {
    /// It is.
    Install,
    /// Another one is there.
    Upgrade,
}

/// A record that is not installed yet, and what goes with it.
pub struct Draft {
    /// The record.
    pub record: Release,
    /// The objects in it, hooks left out. The items of lists are objects of their own.
    pub objects: Vec<Manifest>,
    /// The definitions that the chart brings along.
    pub definitions: Vec<Manifest>,
}

/// Why a chart makes no record.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unrendered(String);

/// What hooks and objects bear while post-renderers work on them: the template that makes each.
const MADE_BY: &str = "postrenderer.helm.sh/postrender-filename";

/// An object, and the template that makes it.
type Made = (String, Manifest);

impl Asked {
    /// What the revision after `records`, the newest of which comes first, is rendered for with `values`.
    pub fn next(spec: &HelmReleaseSpec, occasion: Occasion, values: Map<String, Value>, records: &[Release]) -> Self {
        let (install, upgrade) = (spec.install.as_ref(), spec.upgrade.as_ref());
        let skips_schemas = match occasion {
            Occasion::Install => install.is_some_and(|install| install.disable_schema_validation),
            Occasion::Upgrade => upgrade.is_some_and(|upgrade| upgrade.disable_schema_validation),
        };
        let preserves = occasion == Occasion::Upgrade && upgrade.is_some_and(|upgrade| upgrade.preserve_values);
        let last = records.first();
        let mut all = last.filter(|_| preserves).map(|last| last.config.clone()).unwrap_or_default();
        values::merge(&mut all, values);
        Self {
            revision: last.map_or(0, |last| last.version) + 1,
            occasion,
            schemas: if skips_schemas { Schemas::Skipped } else { Schemas::Checked },
            values: all,
        }
    }
}

impl Rendering<'_> {
    /// Renders `chart` as `asked`.
    ///
    /// # Errors
    /// If it cannot be rendered, or if the cluster does not tell what its templates look up.
    pub async fn render(&self, chart: &Arc<Chart>, asked: &Asked) -> Result<Draft, Unrendered> {
        Ok(self.render_in(ChartWorld::new(self.clock.clone()), chart, asked).await?.0)
    }

    /// Renders `chart` as `asked` to be looked at: what it draws is noted on the objects as not known before they are
    /// applied.
    ///
    /// # Errors
    /// If it cannot be rendered, or if the cluster does not tell what its templates look up.
    pub async fn preview(&self, chart: &Arc<Chart>, asked: &Asked) -> Result<Draft, Unrendered> {
        let (draft, world) = self.render_in(ChartWorld::new(self.clock.clone()), chart, asked).await?;
        if !world.has_drawn() {
            return Ok(draft);
        }
        let (again, _) = self.render_in(world.another_time(), chart, asked).await?;
        Ok(Draft { objects: note_drawn(draft.objects, again.objects), ..draft })
    }

    async fn render_in(
        &self,
        world: ChartWorld,
        chart: &Arc<Chart>,
        asked: &Asked,
    ) -> Result<(Draft, ChartWorld), Unrendered> {
        let version = self.cluster.client().apiserver_version().await.map_err(|error| told(&error))?;
        let served = served_versions(self.cluster).await.map_err(|error| told(&error))?;
        let release = Arc::new(ChartRelease {
            name: self.name.name.clone(),
            namespace: self.name.namespace.clone(),
            is_upgrade: asked.occasion == Occasion::Upgrade,
            revision: asked.revision,
            kube_version: Some(version.git_version),
            served_versions: Some(served),
            schemas: asked.schemas,
            ..ChartRelease::default()
        });
        let given: Arc<[UserValues]> = [UserValues::Json(Value::Object(asked.values.clone()).to_string())].into();
        let rendering = |world: ChartWorld| {
            let (chart, release, given) = (Arc::clone(chart), Arc::clone(&release), Arc::clone(&given));
            async move {
                let work = move || (render_loaded(&chart, &release, &given, &world), world);
                spawn_blocking(work).await.unwrap_or_else(|stopped| resume_unwind(stopped.into_panic()))
            }
        };
        let (rendered, world) = render_for(self.cluster, world, rendering).await.map_err(|error| told(&error))?;
        let draft = self.draft(&rendered.map_err(|error| explained(&error))?, chart.record(), asked)?;
        Ok((draft, world))
    }

    fn draft(&self, rendered: &RenderedChart, chart: Value, asked: &Asked) -> Result<Draft, Unrendered> {
        let hooks: Vec<RenderedManifest> = rendered.rendered.hooks.iter().map(|hook| hook.manifest.clone()).collect();
        let (objects, hooks) = (made(rendered, &rendered.rendered.manifests)?, made(rendered, &hooks)?);
        let mut draft = Draft {
            record: Release {
                name: self.name.name.clone(),
                namespace: self.name.namespace.clone(),
                version: asked.revision,
                config: asked.values.clone(),
                chart,
                apply_method: "ssa".to_owned(),
                ..Release::default()
            },
            objects: Vec::new(),
            definitions: self.definitions(rendered)?,
        };
        draft.record.info.notes.clone_from(&rendered.rendered.notes);
        for (path, object) in self.post_rendered(objects, hooks)? {
            let (value, text) = (object.to_value(), emit_object(object.body()));
            match role(&value, &path, &text) {
                Role::Installed => {
                    draft.record.manifest.push_str(&document(&path, &text));
                    draft.objects.push(object);
                }
                Role::Hook(hook) => draft.record.hooks.push(*hook),
                Role::LeftOut => {}
            }
        }
        Ok(draft)
    }

    fn definitions(&self, rendered: &RenderedChart) -> Result<Vec<Manifest>, Unrendered> {
        let is_definition = |object: &Manifest| object.id().kind == "CustomResourceDefinition";
        let objects = made(rendered, &rendered.rendered.crds)?.into_iter().map(|(_, object)| object);
        Ok(objects.filter(is_definition).map(|object| self.marked(object)).collect())
    }

    /// What post-renderers make of `objects` and `hooks`: together, one after the other, or of the objects alone.
    fn post_rendered(&self, mut objects: Vec<Made>, hooks: Vec<Made>) -> Result<Vec<Made>, Unrendered> {
        match self.spec.post_render_strategy.unwrap_or_default() {
            PostRenderStrategy::Combined => {
                objects.extend(hooks);
                self.post_render(objects)
            }
            PostRenderStrategy::Separate => {
                let mut all = self.post_render(objects)?;
                all.extend(self.post_render(hooks)?);
                Ok(all)
            }
            PostRenderStrategy::NoHooks => {
                let mut all = self.post_render(objects)?;
                all.extend(hooks);
                Ok(all)
            }
        }
    }

    /// What post-renderers, common metadata and the labels of the release make of `objects`.
    fn post_render(&self, mut objects: Vec<Made>) -> Result<Vec<Made>, Unrendered> {
        for renderer in self.spec.post_renderers.iter().filter_map(|renderer| renderer.kustomize.as_ref()) {
            objects = kustomized(objects, &BuildRequest::from(renderer))?;
        }
        let common = self.spec.common_metadata.clone().unwrap_or_default();
        let pairs = |map: &BTreeMap<String, String>| map.clone().into_iter().collect::<Vec<_>>();
        let (labels, annotations) = (pairs(&common.labels), pairs(&common.annotations));
        let told = |(path, mut object): Made| {
            if !labels.is_empty() {
                object.set_labels(labels.iter().map(|(key, value)| (key.as_str(), value.as_str())));
            }
            if !annotations.is_empty() {
                object.set_annotations(annotations.iter().map(|(key, value)| (key.as_str(), value.as_str())));
            }
            (path, self.marked(object))
        };
        Ok(objects.into_iter().map(told).collect())
    }

    /// `object` with the labels that say to which release it belongs.
    fn marked(&self, mut object: Manifest) -> Manifest {
        let key = self.key;
        object.set_labels([(labels::RELEASE_NAME, key.name.as_str()), (labels::RELEASE_NAMESPACE, &key.namespace)]);
        object
    }
}

impl Work<'_> {
    /// How the chart of the release is rendered.
    pub(super) fn rendering(&self) -> Rendering<'_> {
        Rendering {
            cluster: &self.cluster,
            clock: self.subject.world.clock.clone(),
            key: self.subject.key,
            spec: self.spec,
            name: &self.name,
        }
    }
}

/// The objects in `documents` of `rendered`.
fn made(rendered: &RenderedChart, documents: &[RenderedManifest]) -> Result<Vec<Made>, Unrendered> {
    let mut objects = Vec::new();
    for document in documents {
        let found = rendered.objects(document).map_err(|error| explained(&error))?;
        objects.extend(found.into_iter().map(|object| (document.source.clone(), object)));
    }
    Ok(objects)
}

/// What kustomize makes of `objects` by `request`, each with the template that makes it.
fn kustomized(objects: Vec<Made>, request: &BuildRequest) -> Result<Vec<Made>, Unrendered> {
    if objects.is_empty() {
        return Ok(objects);
    }
    let written: Vec<String> = objects
        .into_iter()
        .map(|(path, mut object)| {
            object.set_annotations([(MADE_BY, path.as_str())]);
            emit_object(object.body())
        })
        .collect();
    let kustomization = json!({ "resources": ["objects.yaml"] }).to_string();
    let files = [("kustomization.yaml", kustomization), ("objects.yaml", written.join("---\n"))];
    let file = |(name, content): (&str, String)| -> (TreePath, Arc<[u8]>) {
        (name.parse().expect("a name is a path"), content.into_bytes().into())
    };
    let tree: MemoryTree = files.into_iter().map(file).collect();
    let built =
        build(&tree, request).map_err(|error| Unrendered(format!("spec.postRenderers: {}", in_one_line(&error))))?;
    let taken_out = |mut object: Manifest| {
        let path = object.annotation(MADE_BY).unwrap_or_default().to_owned();
        object.edit(|body| {
            let Some(metadata) = body.get_mut("metadata").and_then(Value::as_object_mut) else { return };
            let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) else { return };
            annotations.remove(MADE_BY);
            if annotations.is_empty() {
                metadata.remove("annotations");
            }
        });
        (path, object)
    };
    Ok(built.manifests.into_iter().map(taken_out).collect())
}

/// An error with what the reader can look at or try.
fn explained(error: &ChartBuildError) -> Unrendered {
    let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
    Unrendered(format!("{}{hint}", in_one_line(error)))
}

fn told(error: &dyn std::error::Error) -> Unrendered {
    Unrendered(in_one_line(error))
}

impl From<ChartBuildError> for Failure {
    fn from(error: ChartBuildError) -> Self {
        Self::Load(Box::new(error))
    }
}
