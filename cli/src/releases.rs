//! From a `HelmRelease` to what it installs, and to a plan: the controller's own steps, in the controller's order.

use std::{path::Path, sync::Arc};

use fairlead_api::{
    helm::{ChartReferenceKind, Crds, HelmRelease},
    source::{Bucket, GitRepository, HelmChart, HelmChartSourceKind, HelmChartSpec, HelmRepository, OciRepository},
};
use fairlead_helm::Chart;
use fairlead_manifests::{ChartBuildError, load_chart};
use fairlead_object::{Manifest, Tree, TreePath};
use fairlead_plan::{Force, IgnoreRules, Owner, Prune, ReleaseName};
use fairlead_reconciler::{
    clock::Clock,
    cluster::{Cluster, FieldManager},
    controllers::{
        ObjectKey,
        helm_release::{
            chart::{chart_spec, load, version_by_digest},
            history::History,
            objects,
            render::{Asked, Draft, Occasion, Rendering},
            values,
        },
        source::{Clouds, Sharing, UnpackedChart, bucket_request, git_request, oci_request},
    },
};
use fairlead_release::{Release, Status, digest, shortened};
use fairlead_sources::{
    fetch::{Means, SourceFailure},
    store::{Store, StoreSettings},
};
use serde_json::{Map, Value};

use crate::{
    charts::in_namespace,
    local,
    output::{CommandError, warning, with_hint},
    planning::{Planned, Wanted, account, fetch, plan_for, read},
    served::{BUCKET, GIT_REPOSITORY, HELM_CHART, HELM_REPOSITORY, OCI_REPOSITORY},
};

/// A `HelmRelease`, and what is recorded of its release.
pub(crate) struct KnownRelease {
    release: HelmRelease,
    key: ObjectKey,
    name: ReleaseName,
    /// The newest first.
    records: Vec<Release>,
    /// The cluster, as whoever the release runs as.
    cluster: Cluster,
}

/// Where the chart is taken from.
#[derive(Clone, Copy)]
pub(crate) enum ChartPlace<'a> {
    /// From where the release asks for it, as it is there now.
    Asked,
    /// From this machine: a directory, or a package.
    Local(&'a Path),
    /// From the source that asks for the release.
    Beside(&'a dyn Tree, &'a TreePath),
}

/// A chart to render, and whether it is installed already.
struct Found {
    chart: Arc<Chart>,
    values: Map<String, Value>,
    is_installed: bool,
}

impl KnownRelease {
    /// What is known of `release`, which runs as the account that it names, or else as `default`.
    pub(crate) async fn of(
        release: HelmRelease,
        cluster: &Cluster,
        default: Option<&String>,
    ) -> Result<Self, CommandError> {
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        let key = ObjectKey { namespace: text(&release.metadata.namespace), name: text(&release.metadata.name) };
        let named = release.spec.service_account_name.as_ref().or(default);
        let cluster = account(cluster, &key.namespace, named)?.as_manager(FieldManager::HELM);
        let name = ReleaseName {
            namespace: release.spec.release_namespace(&key.namespace).to_owned(),
            name: shortened(release.spec.full_release_name(&key.name)),
        };
        let records = History::of(cluster.clone(), &release).list().await?;
        Ok(Self { release, key, name, records, cluster })
    }

    /// What it would install now, of the chart in `place`. `own` reads what it refers to.
    pub(crate) async fn draft(&self, own: &Cluster, place: ChartPlace<'_>) -> Result<Draft, CommandError> {
        let found = self.find(own, place).await?;
        self.render(found).await
    }

    async fn find(&self, own: &Cluster, place: ChartPlace<'_>) -> Result<Found, CommandError> {
        let values = values::compose(&self.cluster, &self.key, &self.release.spec).await?;
        let (chart, is_installed) = match place {
            ChartPlace::Asked => {
                let chart = self.newest_chart(own).await?;
                let is_installed = self.is_installed(&chart, &values);
                (chart, is_installed)
            }
            ChartPlace::Local(path) => (local_chart(path)?, false),
            ChartPlace::Beside(tree, path) => {
                (load_chart(tree, path).map_err(with_hint(ChartBuildError::hint))?, false)
            }
        };
        Ok(Found { chart: Arc::new(chart), values, is_installed })
    }

    async fn render(&self, Found { chart, values, .. }: Found) -> Result<Draft, CommandError> {
        let is_there = self.records.first().is_some_and(|last| last.info.status != Status::Uninstalled);
        let occasion = if is_there { Occasion::Upgrade } else { Occasion::Install };
        let asked = Asked::next(&self.release.spec, occasion, values, &self.records);
        let rendering = Rendering {
            cluster: &self.cluster,
            clock: Clock::system(),
            key: &self.key,
            spec: &self.release.spec,
            name: &self.name,
        };
        Ok(rendering.preview(&chart, &asked).await?)
    }

    /// Whether the newest revision is of this chart and these values, so that the controller would make no other.
    fn is_installed(&self, chart: &Chart, values: &Map<String, Value>) -> bool {
        let status = self.release.status.as_ref();
        let is_observed = status.is_some_and(|status| status.observed_generation == self.release.metadata.generation);
        let wanted = (chart.metadata.name.as_str(), chart.metadata.version.as_str());
        let is_as_wanted = |last: &Release| {
            last.info.status == Status::Deployed
                && (last.chart_name(), last.chart_version()) == wanted
                && digest::of_values(&last.config) == digest::of_values(values)
        };
        is_observed && self.records.first().is_some_and(is_as_wanted)
    }

    /// Plans what the controller would do with the chart in `place`. `own` reads what the release refers to.
    pub(crate) async fn plan(&self, own: &Cluster, place: ChartPlace<'_>) -> Result<Planned, CommandError> {
        let found = self.find(own, place).await?;
        let revision = format!("{}@{}", found.chart.metadata.name, found.chart.metadata.version);
        let manifests = match self.records.first().filter(|_| found.is_installed) {
            Some(installed) => objects::read(&self.cluster, &installed.manifest, &installed.namespace).await?,
            None => self.objects(self.render(found).await?).await?,
        };
        plan_for(&self.cluster, manifests, &revision, &self.wanted().await?).await
    }

    /// The objects of `draft`, and those of its definitions that would be created.
    async fn objects(&self, draft: Draft) -> Result<Vec<Manifest>, CommandError> {
        if !draft.record.hooks.is_empty() {
            let named: Vec<_> = draft.record.hooks.iter().map(|hook| format!("{} {}", hook.kind, hook.name)).collect();
            warning(format!("hooks are not compared: {}", named.join(", ")));
        }
        let spec = &self.release.spec;
        let crds = if self.records.is_empty() {
            spec.install.as_ref().and_then(|install| install.crds)
        } else {
            spec.upgrade.as_ref().and_then(|upgrade| upgrade.crds)
        };
        let mut objects = Vec::new();
        if crds.unwrap_or_default() != Crds::Skip {
            for definition in draft.definitions {
                match self.cluster.get_by_id(definition.id()).await? {
                    None => objects.push(definition),
                    Some(_) if crds == Some(Crds::CreateReplace) => {
                        warning(format!("{} is replaced, and not compared", definition.id().subject()));
                    }
                    Some(_) => {}
                }
            }
        }
        objects.extend(draft.objects.into_iter().map(|object| in_namespace(object, &self.name.namespace)));
        Ok(objects)
    }

    async fn wanted(&self) -> Result<Wanted, CommandError> {
        let HelmRelease { metadata, spec, .. } = &self.release;
        let is_forced = spec.upgrade.as_ref().is_some_and(|upgrade| upgrade.force);
        let last = self.records.first();
        Ok(Wanted {
            owner: Owner::helm_release(&self.key.namespace, &self.key.name, self.name.clone()),
            inventory: objects::held(&self.cluster, &self.records).await?,
            prune: Prune::Yes,
            force: if is_forced { Force::Yes } else { Force::No },
            ignore: IgnoreRules::default(),
            revision_from: last.map(|last| format!("{}@{}", last.chart_name(), last.chart_version())),
            approved: metadata.annotations.as_ref().and_then(|all| all.get(fairlead_plan::APPROVE_ANNOTATION)).cloned(),
        })
    }

    /// The chart that it asks for, as it is now.
    async fn newest_chart(&self, own: &Cluster) -> Result<Chart, CommandError> {
        let folder = tempfile::tempdir()?;
        let store = Store::open(folder.path(), StoreSettings::default())?;
        if let Some(spec) = chart_spec(&self.release)? {
            let template = self.release.spec.chart.as_ref();
            let namespace = template.and_then(|template| template.spec.source_ref.namespace.as_ref());
            let name = format!("{}-{}", self.key.namespace, self.key.name);
            return packed(own, (namespace.unwrap_or(&self.key.namespace), &name), &spec, &store).await;
        }
        let reference = self.release.spec.chart_ref.as_ref().ok_or("either spec.chart or spec.chartRef must be set")?;
        let namespace = reference.namespace.as_ref().unwrap_or(&self.key.namespace);
        match reference.kind {
            ChartReferenceKind::HelmChart => {
                let chart: HelmChart = read(HELM_CHART.get(own, namespace, &reference.name).await?)?;
                packed(own, (namespace, &reference.name), &chart.spec, &store).await
            }
            ChartReferenceKind::OCIRepository => {
                let source: OciRepository = read(OCI_REPOSITORY.get(own, namespace, &reference.name).await?)?;
                let request = oci_request(own, namespace, &source.spec, &clouds()).await?;
                let content = fetch(&request, &store, source.spec.ignore.as_deref()).await?;
                let mut chart = load(&content.tree).map_err(with_hint(ChartBuildError::hint))?;
                let digest = content.revision.split_once('@').map(|(_, digest)| digest);
                chart.metadata.version = version_by_digest(&chart.metadata.version, digest)?;
                Ok(chart)
            }
            ChartReferenceKind::ExternalArtifact => {
                Err("cannot read a chart from an ExternalArtifact: name its files with --path".into())
            }
        }
    }
}

fn clouds() -> Clouds {
    Clouds::of_process(Clock::system().now(), Sharing::All)
}

/// The chart at `path` of this machine: a directory, or a package.
fn local_chart(path: &Path) -> Result<Chart, CommandError> {
    let place = local::open(path, &[])?;
    let loaded = load_chart(&place.tree, &place.path);
    loaded.map_err(|error| place.shown.in_error(with_hint(ChartBuildError::hint)(error)))
}

/// The chart that the `HelmChart` `name` in `namespace` asks for by `spec`.
async fn packed(
    own: &Cluster,
    (namespace, name): (&str, &str),
    spec: &HelmChartSpec,
    store: &Store,
) -> Result<Chart, CommandError> {
    let live = own.get(&HELM_CHART.resource(), namespace, name).await?;
    let generation = live.and_then(|chart| chart["metadata"]["generation"].as_i64());
    let unpacked = UnpackedChart { spec, generation };
    let (clouds, source) = (clouds(), &spec.source_ref.name);
    let content = match spec.source_ref.kind {
        HelmChartSourceKind::HelmRepository => {
            let repository: HelmRepository = read(HELM_REPOSITORY.get(own, namespace, source).await?)?;
            let means = Means { store, ignore: None, now: Clock::system().now() };
            let chart = unpacked.of_repository((own, namespace), &repository.spec, &clouds, &means).await;
            return chart.map_err(with_hint(SourceFailure::hint));
        }
        HelmChartSourceKind::GitRepository => {
            let GitRepository { spec, .. } = read(GIT_REPOSITORY.get(own, namespace, source).await?)?;
            fetch(&git_request(own, namespace, &spec, &clouds).await?, store, spec.ignore.as_deref()).await?
        }
        HelmChartSourceKind::Bucket => {
            let Bucket { spec, .. } = read(BUCKET.get(own, namespace, source).await?)?;
            fetch(&bucket_request(own, namespace, &spec, &clouds).await?, store, spec.ignore.as_deref()).await?
        }
    };
    unpacked.of_source(&content.tree, &content.revision).map_err(with_hint(SourceFailure::hint))
}
