//! What a `HelmChart` asks for: a chart of a repository over HTTP, in a registry, or in the artifact of another source.

use std::sync::Arc;

use fairlead_api::source::{HelmChart, HelmChartSourceKind, HelmChartSpec, HelmRepository, ReconcileStrategy};
use fairlead_object::{Digest, TreePath};
use fairlead_sources::{
    fetch::{Content, Fetch, Means, SourceFailure},
    helm::{ChartVersion, FetchedChart, HelmRequest, fetch_chart, find, pull_chart},
    oci::{self, OciError, OciReference, OciRequest},
    store::{Artifact, SourceKind, Store},
};
use tokio::task::spawn_blocking;

use super::{
    dependencies::Repositories,
    error::ChartError,
    package::{self, Form, Missing, Packing},
};
use crate::controllers::{
    ObjectKey, World,
    source::{
        helm_repository::{chart_in_registry, helm_request},
        secrets::Secrets,
        source_key,
        verification::Demand,
    },
};

/// What is asked for.
pub(crate) struct ChartRequest {
    place: Place,
    packing: Packing,
    repositories: Repositories,
}

/// Where a chart is.
enum Place {
    /// In the artifact of another source.
    Source { tree: Digest, revision: String, path: TreePath },
    /// In a repository over HTTP, whose index is in the store.
    Index { tree: Digest, revision: String, request: HelmRequest, name: String, version: String },
    /// In a registry.
    Registry { request: OciRequest, name: String },
}

/// The chart that is asked for, at one moment.
pub(crate) struct ResolvedChart {
    pub(super) name: String,
    /// Whether it is packed here.
    pub(super) is_packed: bool,
    /// The version of the package.
    version: String,
    found: Found,
}

/// What is to be fetched.
enum Found {
    Source { tree: Digest, path: TreePath },
    Index { request: HelmRequest, listed: ChartVersion },
    Registry(OciRequest),
}

/// What `chart` asks for, credentials included.
pub(super) async fn chart_request(
    world: &World,
    namespace: &str,
    chart: &HelmChart,
) -> Result<ChartRequest, SourceFailure> {
    let HelmChart { metadata, spec, .. } = chart;
    let place = match spec.source_ref.kind {
        HelmChartSourceKind::HelmRepository => in_repository(world, namespace, spec).await?,
        HelmChartSourceKind::GitRepository => in_source(world, namespace, spec, SourceKind::GitRepository)?,
        HelmChartSourceKind::Bucket => in_source(world, namespace, spec, SourceKind::Bucket)?,
    };
    if spec.verify.is_some() && !place.has_signatures() {
        return Err(ChartError::NoSignatures.into());
    }
    let missing = if spec.ignore_missing_values_files { Missing::PassBy } else { Missing::Refuse };
    let values_files = spec.values_files().to_vec();
    let revision = place.revision_in_version(spec.reconcile_strategy);
    let generation = (!values_files.is_empty()).then(|| metadata.generation.unwrap_or_default().to_string());
    let version_metadata = revision.into_iter().chain(generation).collect::<Vec<_>>().join(".");
    Ok(ChartRequest {
        place,
        packing: Packing {
            values_files,
            missing,
            version_metadata,
            limit_bytes: world.settings.helm_limits.chart_bytes,
        },
        repositories: Repositories::of(world, namespace),
    })
}

async fn in_repository(world: &World, namespace: &str, spec: &HelmChartSpec) -> Result<Place, SourceFailure> {
    let (name, version) = (checked_name(&spec.chart)?, spec.version.clone());
    let key = ObjectKey::new(namespace, &spec.source_ref.name);
    let repository = world.sources.helm_repositories.served.get(&key);
    let repository = repository.as_ref().and_then(|object| object.parsed.as_ref().ok());
    let HelmRepository { spec: repository, .. } = repository.ok_or_else(|| missing(namespace, spec))?;
    if repository.is_oci() {
        let secrets = Secrets { cluster: &world.cluster, namespace };
        let verification = match &spec.verify {
            Some(demanded) => Some(Demand::from(demanded).read(&secrets).await?),
            None => None,
        };
        let request = chart_in_registry(&secrets, &world.clouds(), repository, (&name, &version)).await?;
        let limit_bytes = world.settings.helm_limits.chart_bytes;
        return Ok(Place::Registry { request: OciRequest { limit_bytes, verification, ..request }, name });
    }
    let Artifact { tree, revision, .. } = artifact(world, namespace, spec, SourceKind::HelmRepository)?;
    let secrets = Secrets { cluster: &world.cluster, namespace };
    let request = helm_request(&secrets, repository, world.settings.helm_limits.chart_bytes).await?;
    Ok(Place::Index { tree, revision, request, name, version })
}

fn in_source(world: &World, namespace: &str, spec: &HelmChartSpec, kind: SourceKind) -> Result<Place, SourceFailure> {
    let Artifact { tree, revision, .. } = artifact(world, namespace, spec, kind)?;
    let path = spec.chart.parse().map_err(|error| ChartError::Reference(format!("{error}")))?;
    Ok(Place::Source { tree, revision, path })
}

/// The artifact of the source that the chart is found in.
fn artifact(world: &World, namespace: &str, spec: &HelmChartSpec, kind: SourceKind) -> Result<Artifact, ChartError> {
    let key = ObjectKey::new(namespace, &spec.source_ref.name);
    if !world.sources.has(kind, &key) {
        return Err(missing(namespace, spec));
    }
    let artifact = world.store.artifact(&source_key(kind, &key));
    artifact.ok_or_else(|| ChartError::NoArtifact { kind: kind.name(), name: key.name })
}

fn missing(namespace: &str, spec: &HelmChartSpec) -> ChartError {
    let (kind, name) = (spec.source_ref.kind.name(), spec.source_ref.name.clone());
    ChartError::SourceMissing { kind, namespace: namespace.to_owned(), name }
}

/// The name of a chart in a repository.
pub(super) fn checked_name(name: &str) -> Result<String, ChartError> {
    let is_allowed = |part: &str| {
        !part.is_empty()
            && part.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.'))
            && !part.starts_with('.')
    };
    if name.trim_end_matches('/').split('/').all(is_allowed) {
        return Ok(name.trim_end_matches('/').to_owned());
    }
    Err(ChartError::Reference(format!(
        "invalid chart name '{name}': a valid name must be lower case letters and numbers and MAY be separated with \
         dashes (-), slashes (/) or periods (.)"
    )))
}

/// How many hex digits of a revision are put into a version.
pub(super) const REVISION_DIGITS: usize = 12;

impl Place {
    /// Whether charts in it can be signed.
    fn has_signatures(&self) -> bool {
        match self {
            Self::Registry { .. } => true,
            Self::Source { .. } | Self::Index { .. } => false,
        }
    }

    /// The beginning of the source's revision, where it is part of the version of the package.
    fn revision_in_version(&self, strategy: ReconcileStrategy) -> Option<String> {
        match (self, strategy) {
            (Self::Source { revision, .. }, ReconcileStrategy::Revision) => {
                let hash = revision.rsplit(':').next().unwrap_or(revision);
                Some(hash.chars().take(REVISION_DIGITS).collect())
            }
            (Self::Source { .. }, ReconcileStrategy::ChartVersion)
            | (Self::Index { .. } | Self::Registry { .. }, _) => None,
        }
    }
}

impl ChartRequest {
    /// The revision of the artifact that the chart is found in or by.
    pub(super) fn source_revision(&self) -> Option<&str> {
        match &self.place {
            Place::Source { revision, .. } | Place::Index { revision, .. } => Some(revision),
            Place::Registry { .. } => None,
        }
    }

    /// The chart `name` of a repository in `version`.
    fn listed(&self, name: &str, version: &str, found: Found) -> Result<ResolvedChart, ChartError> {
        let is_packed = self.packing.changes_something();
        Ok(ResolvedChart { name: name.to_owned(), is_packed, version: self.packing.version(version)?, found })
    }

    async fn in_source(&self, tree: Digest, path: &TreePath, store: &Store) -> Result<ResolvedChart, ChartError> {
        let (store, path, place) = (store.clone(), path.clone(), path.clone());
        let about = blocking(move || package::describe(&store.tree(&tree)?, &place)).await?;
        let is_packed = about.form == Form::Folder || self.packing.changes_something();
        let version = self.packing.version(&about.version)?;
        Ok(ResolvedChart { name: about.name, is_packed, version, found: Found::Source { tree, path } })
    }

    async fn in_index(
        &self,
        tree: Digest,
        request: &HelmRequest,
        (name, version): (&str, &str),
        store: &Store,
    ) -> Result<ResolvedChart, ChartError> {
        let (store, wanted, range) = (store.clone(), name.to_owned(), version.to_owned());
        let listed = blocking(move || Ok(find(&store.tree(&tree)?, &wanted, &range)?)).await?;
        let version = listed.version.clone();
        self.listed(name, &version, Found::Index { request: request.clone(), listed })
    }

    async fn in_registry(&self, request: &OciRequest, name: &str) -> Result<ResolvedChart, ChartError> {
        let (version, request) = pinned(request).await.map_err(ChartError::Tags)?;
        self.listed(name, &version, Found::Registry(request))
    }

    /// Makes the content of a chart that came as a package.
    async fn pulled(
        &self,
        fetched: FetchedChart,
        resolved: &ResolvedChart,
        store: &Store,
    ) -> Result<Content, ChartError> {
        let (packing, store) = (self.packing.clone(), store.clone());
        let (name, version) = (resolved.name.clone(), resolved.version.clone());
        blocking(move || package::repack(fetched, &packing, (&name, &version), &store)).await
    }

    /// Makes the content of a chart that is in the artifact of another source.
    async fn built(
        &self,
        tree: Digest,
        path: &TreePath,
        resolved: &ResolvedChart,
        store: &Store,
    ) -> Result<Content, ChartError> {
        let (packing, kept, place) = (self.packing.clone(), store.clone(), path.clone());
        let version = resolved.version.clone();
        let mut draft = blocking(move || package::draft(&kept.tree(&tree)?, &place, &packing, &version)).await?;
        if draft.form == Form::Folder {
            for wanted in draft.chart.missing_dependencies() {
                let inside = self.repositories.dependency(&wanted, (tree, path), store).await?;
                draft.chart.dependencies.push(inside);
            }
        }
        let (store, name, version) = (store.clone(), resolved.name.clone(), resolved.version.clone());
        blocking(move || draft.keep((&name, &version), &store)).await
    }
}

impl Fetch for ChartRequest {
    type Resolved = ResolvedChart;

    fn fingerprint(&self) -> Digest {
        let place = match &self.place {
            Place::Source { tree, revision, path } => format!("source {tree} {revision} {path}"),
            Place::Index { tree, request, name, version, .. } => {
                format!("index {tree} {} {name} {version}", request.fingerprint())
            }
            Place::Registry { request, name } => format!("registry {} {name}", request.fingerprint()),
        };
        let packing = format!("{:?}", self.packing);
        // The repositories of a namespace have credentials of their own.
        Digest::of_parts([place.as_bytes(), packing.as_bytes(), self.repositories.namespace().as_bytes()])
    }

    fn verification(&self) -> Option<Digest> {
        match &self.place {
            Place::Registry { request, .. } => request.verification(),
            Place::Source { .. } | Place::Index { .. } => None,
        }
    }

    async fn resolve(&self, means: &Means<'_>) -> Result<ResolvedChart, SourceFailure> {
        let resolved = match &self.place {
            Place::Source { tree, path, .. } => self.in_source(*tree, path, means.store).await,
            Place::Index { tree, request, name, version, .. } => {
                self.in_index(*tree, request, (name, version), means.store).await
            }
            Place::Registry { request, name } => self.in_registry(request, name).await,
        };
        Ok(resolved?)
    }

    fn revision(resolved: &ResolvedChart) -> &str {
        &resolved.version
    }

    async fn fetch(&self, resolved: &ResolvedChart, means: &Means<'_>) -> Result<Arc<Content>, SourceFailure> {
        let store = means.store;
        let content = match &resolved.found {
            Found::Source { tree, path } => self.built(*tree, path, resolved, store).await,
            Found::Index { request, listed } => {
                let fetched = fetch_chart(request, listed, store).await.map_err(ChartError::of_download)?;
                self.pulled(fetched, resolved, store).await
            }
            Found::Registry(request) => {
                let fetched = pull_chart(request, means).await.map_err(ChartError::of_pull)?;
                self.pulled(fetched, resolved, store).await
            }
        };
        Ok(Arc::new(content?))
    }
}

/// The version that `request` stands for, and the request for it alone. A version that is written out is not asked for.
pub(super) async fn pinned(request: &OciRequest) -> Result<(String, OciRequest), OciError> {
    let tag = match &request.reference {
        OciReference::Tag(tag) => tag.clone(),
        OciReference::Semver { .. } | OciReference::Digest(_) => oci::resolve(request).await?.tag.unwrap_or_default(),
    };
    let version = tag.replace('_', "+");
    Ok((version, OciRequest { reference: OciReference::Tag(tag), ..request.clone() }))
}

/// Runs `work` where it may block.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ChartError> + Send + 'static,
) -> Result<T, ChartError> {
    spawn_blocking(work).await.map_err(|error| ChartError::Interrupted(error.to_string()))?
}
