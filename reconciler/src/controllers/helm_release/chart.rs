//! The chart of a release: the `HelmChart` that is made for it, the artifact that holds it, and what it says of itself.

use std::sync::Arc;

use fairlead_api::{
    helm::{ChartReferenceKind, ChartTemplate, HelmRelease, HelmReleaseSpec},
    names::labels,
    reasons::helm as reason,
    source::{HelmChart, HelmChartSpec},
};
use fairlead_helm::{Chart, version_with_metadata};
use fairlead_manifests::{ChartBuildError, load_chart};
use fairlead_object::{EntryKind, Tree, TreePath};
use fairlead_sources::store::{Artifact, SourceKind, StoredTree};
use serde_json::{Value, json};
use tokio::task::spawn_blocking;

use super::{outcome::Failure, story::Story, work::Work};
use crate::{
    cluster::{ApplyOptions, FieldManager},
    controllers::{
        ObjectKey,
        source::{external_artifact, observed_generation, source_key},
        subject::resource,
    },
    watch::Object,
};

/// How many digits of an artifact's digest stand in the version of its chart.
const DIGITS: usize = 12;

/// What a chart says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct About {
    pub(super) name: String,
    pub(super) version: String,
}

/// Where the chart of a release is.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) artifact: Artifact,
    /// The digest in a registry, where it is from one.
    pub(super) oci_digest: Option<String>,
}

/// The source of the chart that `spec` of the release `key` asks for.
pub(crate) fn chart_source(spec: &HelmReleaseSpec, key: &ObjectKey) -> Option<(SourceKind, ObjectKey)> {
    if let Some(template) = &spec.chart {
        return Some((SourceKind::HelmChart, template_key(template, key)));
    }
    let reference = spec.chart_ref.as_ref()?;
    let namespace = reference.namespace.as_deref().unwrap_or(&key.namespace);
    let kind = match reference.kind {
        ChartReferenceKind::OCIRepository => SourceKind::OciRepository,
        ChartReferenceKind::HelmChart => SourceKind::HelmChart,
        ChartReferenceKind::ExternalArtifact => SourceKind::ExternalArtifact,
    };
    Some((kind, ObjectKey::new(namespace, &reference.name)))
}

fn template_key(template: &ChartTemplate, key: &ObjectKey) -> ObjectKey {
    let namespace = template.spec.source_ref.namespace.as_deref().unwrap_or(&key.namespace);
    ObjectKey::new(namespace, &format!("{}-{}", key.namespace, key.name))
}

/// The spec of the `HelmChart` that is made for `release`; `None` if it names a chart that is there already.
///
/// # Errors
/// If its template is none of a chart.
pub fn chart_spec(release: &HelmRelease) -> Result<Option<HelmChartSpec>, serde_json::Error> {
    let template = release.spec.chart.as_ref();
    template.map(|template| serde_json::from_value(spec_of(template, release))).transpose()
}

impl Work<'_> {
    /// Brings the `HelmChart` of the release to what its template says, and deletes one that has none any more.
    pub(super) async fn sync_chart(&self, story: &mut Story) -> Result<(), Failure> {
        let wanted = self.spec.chart.as_ref().map(|template| (template, template_key(template, self.subject.key)));
        let name = wanted.as_ref().map(|(_, key)| key.to_string());
        if story.status.helm_chart.is_some() && story.status.helm_chart != name {
            self.delete_chart(story).await?;
        }
        let Some((template, key)) = wanted else { return Ok(()) };
        self.check_namespace(&key, "HelmChart")?;
        let known = self.subject.world.sources.chart(&key);
        if known.as_deref().is_some_and(|known| is_as_asked(known, template, self.release)) {
            story.status.helm_chart = name;
            return Ok(());
        }
        let body = helm_chart(template, &key, self.release, self.subject.key);
        let body = body.as_object().expect("a chart is an object");
        let options = ApplyOptions { force: true, ..ApplyOptions::default() };
        let cluster = self.subject.world.cluster.as_manager(FieldManager::HELM);
        cluster.apply(&resource::<HelmChart>(), body, options).await.map_err(Failure::Chart)?;
        let said = if known.is_some() { reason::HELM_CHART_CONFIGURED } else { reason::HELM_CHART_CREATED };
        let verb = if known.is_some() { "configured" } else { "created" };
        story.mention(said, format!("{verb} HelmChart '{key}'"));
        story.status.helm_chart = name;
        Ok(())
    }

    /// Deletes the `HelmChart` that was made for the release.
    pub(super) async fn delete_chart(&self, story: &mut Story) -> Result<(), Failure> {
        let Some(written) = story.status.helm_chart.take() else { return Ok(()) };
        let Some(name) = written.split_once('/') else { return Ok(()) };
        let deleted = self.subject.world.cluster.delete(&resource::<HelmChart>(), name, None).await;
        if deleted.map_err(Failure::Chart)? {
            story.mention(reason::HELM_CHART_DELETED, format!("deleted HelmChart '{written}'"));
        }
        Ok(())
    }

    fn check_namespace(&self, source: &ObjectKey, kind: &str) -> Result<(), Failure> {
        let is_foreign = source.namespace != self.subject.key.namespace;
        if is_foreign && (self.subject.world.settings.no_cross_namespace_refs || self.is_tenant()) {
            return Err(Failure::CrossNamespace(format!("{kind}/{source}")));
        }
        Ok(())
    }

    /// The artifact that holds the chart.
    pub(super) async fn chart_artifact(&self) -> Result<Found, Failure> {
        let world = self.subject.world;
        let (kind, key) = chart_source(self.spec, self.subject.key).ok_or(Failure::NoChart)?;
        self.check_namespace(&key, kind.name())?;
        let is_external = kind == SourceKind::ExternalArtifact;
        if is_external && !world.settings.external_artifacts {
            return Err(Failure::ExternalArtifacts(format!("{}/{key}", kind.name())));
        }
        let not_ready = |why: &str| Failure::SourceNotReady(kind.name(), key.to_string(), why.to_owned());
        if !world.sources.has(kind, &key) && self.spec.chart.is_some() {
            return Err(not_ready("it was just made"));
        }
        if !world.sources.has(kind, &key) {
            return Err(Failure::SourceMissing(kind.name(), key.to_string()));
        }
        if kind == SourceKind::HelmChart && !self.is_observed(&key) {
            return Err(not_ready("latest generation of object has not been reconciled"));
        }
        let artifact = if is_external {
            external_artifact(world, &key).await?
        } else {
            world.store.artifact(&source_key(kind, &key))
        };
        let artifact = artifact.ok_or_else(|| not_ready("does not have an artifact"))?;
        let digest = artifact.revision.split_once('@').map(|(_, digest)| digest.to_owned());
        let oci_digest = digest.filter(|digest| kind != SourceKind::HelmChart && digest.starts_with("sha256:"));
        Ok(Found { artifact, oci_digest })
    }

    /// The chart in `found`, its version told apart by the digest of its artifact. It is loaded once for all releases.
    pub(super) async fn chart(&self, found: &Found) -> Result<Arc<Chart>, Failure> {
        let (store, charts, found) =
            (self.subject.world.store.clone(), Arc::clone(&self.subject.world.charts), found.clone());
        let tree = found.artifact.tree;
        let name = format!("{tree} {}", found.oci_digest.as_deref().unwrap_or_default());
        let fresh = move || -> Result<Chart, Failure> {
            let mut chart = load(&store.tree(&tree)?)?;
            let version = version_by_digest(&chart.metadata.version, found.oci_digest.as_deref());
            chart.metadata.version = version.map_err(Failure::Version)?;
            Ok(chart)
        };
        let loaded = spawn_blocking(move || charts.get_or_load(&name, fresh)).await;
        loaded.map_err(|error| Failure::Interrupted(error.to_string()))?
    }

    /// Whether the chart in the store is of the spec that the `HelmChart` has now.
    fn is_observed(&self, key: &ObjectKey) -> bool {
        let known = self.subject.world.sources.chart(key);
        known.is_some_and(|known| observed_generation(Some(&*known)) == known.metadata.generation)
    }
}

/// Whether the `HelmChart` as it is known is what its template asks for.
fn is_as_asked(known: &Object<HelmChart>, template: &ChartTemplate, release: &HelmRelease) -> bool {
    let Ok(parsed) = &known.parsed else { return false };
    let wanted = spec_of(template, release);
    let of_known = serde_json::to_value(&parsed.spec).unwrap_or(Value::Null);
    let of_wanted: Result<HelmChartSpec, _> = serde_json::from_value(wanted);
    let is_same = of_wanted.is_ok_and(|wanted| serde_json::to_value(&wanted).unwrap_or_default() == of_known);
    let metadata = template.metadata.clone().unwrap_or_default();
    let has = |known: &Option<std::collections::BTreeMap<String, String>>,
               wanted: &std::collections::BTreeMap<_, _>| {
        wanted.iter().all(|(key, value)| known.as_ref().and_then(|known| known.get(key)) == Some(value))
    };
    is_same && has(&known.metadata.labels, &metadata.labels) && has(&known.metadata.annotations, &metadata.annotations)
}

fn spec_of(template: &ChartTemplate, release: &HelmRelease) -> Value {
    let asked = &template.spec;
    let mut spec = json!({
        "chart": asked.chart,
        "version": asked.version,
        "sourceRef": { "kind": asked.source_ref.kind, "name": asked.source_ref.name },
        "interval": asked.interval.as_ref().unwrap_or(&release.spec.interval),
        "reconcileStrategy": asked.reconcile_strategy,
        "valuesFiles": asked.values_files,
        "ignoreMissingValuesFiles": asked.ignore_missing_values_files,
    });
    if let Some(verify) = &asked.verify {
        spec["verify"] = json!(verify);
    }
    spec
}

fn helm_chart(template: &ChartTemplate, key: &ObjectKey, release: &HelmRelease, owner: &ObjectKey) -> Value {
    let metadata = template.metadata.clone().unwrap_or_default();
    let mut labels = metadata.labels;
    labels.insert(labels::RELEASE_NAME.to_owned(), owner.name.clone());
    labels.insert(labels::RELEASE_NAMESPACE.to_owned(), owner.namespace.clone());
    json!({
        "apiVersion": "source.toolkit.fluxcd.io/v1",
        "kind": "HelmChart",
        "metadata": {
            "name": key.name,
            "namespace": key.namespace,
            "labels": labels,
            "annotations": metadata.annotations,
        },
        "spec": spec_of(template, release),
    })
}

/// `version` of a chart, told apart by the `digest` of the artifact in a registry that it is from.
///
/// # Errors
/// If it is no version.
pub fn version_by_digest(version: &str, digest: Option<&str>) -> Result<String, String> {
    let digits = digest.and_then(|digest| digest.strip_prefix("sha256:")?.get(..DIGITS));
    digits.map_or_else(|| Ok(version.to_owned()), |digits| version_with_metadata(version, digits))
}

/// Loads the chart in `tree`: its only package, or a folder of it with a `Chart.yaml`.
///
/// # Errors
/// If there is none, or a broken one.
pub fn load(tree: &StoredTree) -> Result<Chart, ChartBuildError> {
    load_chart(tree, &place(tree)?)
}

fn place(tree: &StoredTree) -> Result<TreePath, ChartBuildError> {
    let root = TreePath::root();
    let entries = tree.list(&root)?;
    match entries.as_slice() {
        [only] if only.name != "Chart.yaml" => Ok(root.join(&only.name)),
        _ => {
            let folder = entries.iter().filter(|entry| entry.kind == EntryKind::Directory).find(|entry| {
                let file = root.join(&entry.name).join("Chart.yaml");
                tree.entry(&file).is_ok_and(|found| found.is_some())
            });
            let is_here = entries.iter().any(|entry| entry.name == "Chart.yaml");
            Ok(folder.filter(|_| !is_here).map_or(root.clone(), |folder| root.join(&folder.name)))
        }
    }
}
