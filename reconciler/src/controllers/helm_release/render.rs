//! From a chart and values to a record that is not installed yet.

use std::collections::BTreeMap;

use fairlead_api::names::labels;
use fairlead_helm::{Release as ChartRelease, RenderedManifest, Schemas, UserValues};
use fairlead_manifests::{BuildRequest, ChartBuildError, RenderedChart, build, render_loaded};
use fairlead_object::{Manifest, MemoryTree, TreePath};
use fairlead_plan::ReleaseName;
use fairlead_release::{
    Release,
    hook::{Role, role},
};
use fairlead_yaml::emit_object;
use serde_json::{Map, Value, json};

use super::{
    chart::{Found, load},
    objects::document,
    outcome::Failure,
    work::Work,
};
use crate::{
    charts::{ChartWorld, render_for, served_versions},
    controllers::in_one_line,
};

/// A record that is not installed yet, and what goes with it.
pub(super) struct Draft {
    pub(super) record: Release,
    /// The definitions that the chart brings along.
    pub(super) definitions: Vec<Manifest>,
}

/// What a chart is rendered for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) revision: i64,
    pub(super) is_upgrade: bool,
    pub(super) schemas: Schemas,
    pub(super) values: Map<String, Value>,
}

/// What hooks and objects bear while post-renderers work on them: the template that makes each.
const MADE_BY: &str = "postrenderer.helm.sh/postrender-filename";

/// Why a chart makes no record, for people.
type Problem = String;

impl Work<'_> {
    /// Renders the chart in `found` as `asked`.
    ///
    /// # Errors
    /// Says why it cannot be rendered.
    pub(super) async fn render(&self, found: &Found, asked: &Asked) -> Result<Draft, Problem> {
        let told = |error: &dyn std::error::Error| in_one_line(error);
        let version = self.cluster.client().apiserver_version().await.map_err(|error| told(&error))?;
        let served = served_versions(&self.cluster).await.map_err(|error| told(&error))?;
        let release = ChartRelease {
            name: self.name.name.clone(),
            namespace: self.name.namespace.clone(),
            is_upgrade: asked.is_upgrade,
            revision: asked.revision,
            kube_version: Some(version.git_version),
            served_versions: Some(served),
            schemas: asked.schemas,
            ..ChartRelease::default()
        };
        let given = vec![UserValues::Json(Value::Object(asked.values.clone()).to_string())];
        let (store, tree, found) = (self.subject.world.store.clone(), found.artifact.tree, found.clone());
        let rendering = |world: ChartWorld| {
            let (store, found, release, given) = (store.clone(), found.clone(), release.clone(), given.clone());
            async move {
                let worked = tokio::task::spawn_blocking(move || {
                    let tree = store.tree(&tree).map_err(|error| in_one_line(&error));
                    let made = tree.and_then(|tree| {
                        let mut chart = load(&tree).map_err(|error| explained(&error))?;
                        chart.metadata.version = found.about(&chart).map_err(|error| in_one_line(&error))?.version;
                        let rendered = render_loaded(&chart, &release, &given, &world);
                        Ok((rendered.map_err(|error| explained(&error))?, chart.record()))
                    });
                    (made, world)
                });
                worked.await.unwrap_or_else(|stopped| std::panic::resume_unwind(stopped.into_panic()))
            }
        };
        let world = ChartWorld::new(self.subject.world.clock.clone());
        let (made, _) = render_for(&self.cluster, world, rendering).await.map_err(|error| told(&error))?;
        let (rendered, chart) = made?;
        self.draft(&rendered, chart, asked)
    }

    fn draft(&self, rendered: &RenderedChart, chart: Value, asked: &Asked) -> Result<Draft, Problem> {
        let objects_of = |documents: &[RenderedManifest]| {
            let mut objects = Vec::new();
            for made in documents {
                let found = rendered.objects(made).map_err(|error| explained(&error))?;
                objects.extend(found.into_iter().map(|object| (made.source.clone(), object)));
            }
            Ok::<_, Problem>(objects)
        };
        let hooks: Vec<RenderedManifest> = rendered.rendered.hooks.iter().map(|hook| hook.manifest.clone()).collect();
        let (mut objects, hooks) = (objects_of(&rendered.rendered.manifests)?, objects_of(&hooks)?);
        let passes = self.spec.post_render_strategy.unwrap_or_default();
        let untouched = match passes {
            fairlead_api::helm::PostRenderStrategy::NoHooks => hooks,
            fairlead_api::helm::PostRenderStrategy::Combined | fairlead_api::helm::PostRenderStrategy::Separate => {
                objects.extend(hooks);
                Vec::new()
            }
        };
        let objects = self.post_render(objects)?;
        let mut record = Release {
            name: self.name.name.clone(),
            namespace: self.name.namespace.clone(),
            version: asked.revision,
            config: asked.values.clone(),
            chart,
            apply_method: "ssa".to_owned(),
            ..Release::default()
        };
        record.info.notes.clone_from(&rendered.rendered.notes);
        for (path, object) in objects.into_iter().chain(untouched) {
            let value = object.to_value();
            match role(&value, &path, &emit_object(object.body())) {
                Role::Installed => record.manifest.push_str(&document(&path, &object)),
                Role::Hook(hook) => record.hooks.push(*hook),
                Role::LeftOut => {}
            }
        }
        let is_definition = |object: &Manifest| object.id().kind == "CustomResourceDefinition";
        let definitions = objects_of(&rendered.rendered.crds)?.into_iter().map(|(_, object)| object);
        let definitions = definitions.filter(is_definition).map(|object| self.marked(object)).collect();
        Ok(Draft { record, definitions })
    }

    /// What post-renderers, common metadata and the labels of the release make of `objects`.
    fn post_render(&self, mut objects: Vec<(String, Manifest)>) -> Result<Vec<(String, Manifest)>, Problem> {
        for renderer in self.spec.post_renderers.iter().filter_map(|renderer| renderer.kustomize.as_ref()) {
            objects = kustomized(objects, &BuildRequest::from(renderer))?;
        }
        let common = self.spec.common_metadata.clone().unwrap_or_default();
        let pairs = |map: &BTreeMap<String, String>| map.clone().into_iter().collect::<Vec<_>>();
        let (labels, annotations) = (pairs(&common.labels), pairs(&common.annotations));
        let told = |(path, mut object): (String, Manifest)| {
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
        let key = self.subject.key;
        object.set_labels([(labels::RELEASE_NAME, key.name.as_str()), (labels::RELEASE_NAMESPACE, &key.namespace)]);
        object
    }

    /// The name of the release.
    pub(super) fn release_name(&self) -> ReleaseName {
        self.name.clone()
    }
}

/// What kustomize makes of `objects` by `request`, each with the template that makes it.
fn kustomized(objects: Vec<(String, Manifest)>, request: &BuildRequest) -> Result<Vec<(String, Manifest)>, Problem> {
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
    let file = |(name, content): (&str, String)| -> (TreePath, std::sync::Arc<[u8]>) {
        (name.parse().expect("a name is a path"), content.into_bytes().into())
    };
    let tree: MemoryTree = files.into_iter().map(file).collect();
    let built = build(&tree, request).map_err(|error| format!("spec.postRenderers: {}", in_one_line(&error)))?;
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
fn explained(error: &ChartBuildError) -> Problem {
    let hint = error.hint().map(|hint| format!(" ({hint})")).unwrap_or_default();
    format!("{}{hint}", in_one_line(error))
}

impl From<ChartBuildError> for Failure {
    fn from(error: ChartBuildError) -> Self {
        Self::Load(Box::new(error))
    }
}
