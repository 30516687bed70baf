//! From a Kustomization or a local directory to a plan: the controller's own steps, in the controller's order.

use std::{path::Path, sync::Arc};

use fairlead_api::{
    kustomize::{Kustomization, SourceKind},
    source::{Bucket, GitRepository, OciRepository},
};
use fairlead_manifests::{BuildError, BuildRequest, Built, build, normalise, render};
use fairlead_object::{Manifest, Tree, TreePath};
use fairlead_plan::{CustomStage, Force, IgnoreRules, Inventory, Options, Owner, Plan, Prune, plan};
use fairlead_reconciler::{
    clock::Clock,
    cluster::{Cluster, Identity, InvalidAccount},
    controllers::{
        ObjectKey, SourceName,
        kustomization::request::{build_request, ignore_rules, path},
        source::{Clouds, Sharing, bucket_request, git_request, oci_request},
    },
    observe::{Newcomers, ObserveError, Questions, observe},
    prepare::{PrepareError, Prepared, prepare},
};
use fairlead_sources::{
    fetch::{Content, Fetch, Means, SourceFailure},
    store::{Store, StoreSettings},
};
use serde::de::DeserializeOwned;
use serde_json::Value;
use tempfile::TempDir;

use crate::{
    charts::{LocalChart, ReleaseFlags},
    connection::Connection,
    digest_key::digest_key,
    local::{self, LocalPlace},
    output::{CommandError, Hinted, quote, with_hint},
    served::{KUSTOMIZATION, SOURCES},
    shown_paths::ShownPaths,
};

/// The revision of what is on this machine.
pub(crate) const LOCAL_REVISION: &str = "local";

/// A tree to build from.
pub(crate) struct Source {
    pub(crate) tree: Arc<dyn Tree>,
    /// The directory to build.
    pub(crate) path: TreePath,
    /// The root of the source in the tree, where it is known: what `spec.path` of others begins at.
    pub(crate) root: Option<TreePath>,
    /// The source's revision; for a local directory `local`.
    pub(crate) revision: String,
    /// How its paths are shown.
    pub(crate) shown: ShownPaths,
    /// Where the tree is kept, for as long as anything is built from it.
    store: Option<Arc<TempDir>>,
}

impl Source {
    /// A local directory that stands for `spec_path` of a source, if it does.
    pub(crate) fn local(directory: &Path, spec_path: Option<&TreePath>) -> Result<Self, CommandError> {
        let LocalPlace { tree, path, shown, .. } = local::open_directory(directory)?;
        let root = spec_path.and_then(|spec_path| above(&path, spec_path));
        Ok(Self { tree: Arc::new(tree), path, root, revision: LOCAL_REVISION.to_owned(), shown, store: None })
    }

    /// What `kustomization` would be built from now: the newest revision of its source.
    pub(crate) async fn remote(cluster: &Cluster, kustomization: &Kustomization) -> Result<Self, CommandError> {
        let (spec, metadata) = (&kustomization.spec, &kustomization.metadata);
        let own = metadata.namespace.as_deref().unwrap_or_default();
        let name = SourceName::of(spec, own);
        let folder = tempfile::tempdir()?;
        let store = Store::open(folder.path(), StoreSettings::default())?;
        let newest = newest(cluster, &name, &store).await?;
        Ok(Self {
            tree: Arc::new(newest.tree.clone()),
            path: path(spec)?,
            root: Some(TreePath::root()),
            revision: newest.revision.clone(),
            shown: ShownPaths::AsInTree,
            store: Some(Arc::new(folder)),
        })
    }

    /// The directory that `spec_path` names in the same source.
    pub(crate) fn beside(&self, spec_path: &TreePath) -> Option<Self> {
        let root = self.root.clone()?;
        let path = TreePath::parse(&root, spec_path.as_str()).ok()?;
        Some(Self {
            tree: Arc::clone(&self.tree),
            path,
            root: Some(root),
            revision: self.revision.clone(),
            shown: self.shown.clone(),
            store: self.store.clone(),
        })
    }

    /// Builds `request` from here, and says what kustomize would warn of.
    pub(crate) fn build(&self, mut request: BuildRequest) -> Result<Built, CommandError> {
        request.path = self.path.clone();
        let built = build(&*self.tree, &request).map_err(|error| explained(error, &self.shown))?;
        built.warnings.iter().for_each(quote);
        Ok(built)
    }

    /// The texts of what [`build`](Self::build) makes, as `show` writes them, in the memory of one object.
    pub(crate) fn render(
        &self,
        mut request: BuildRequest,
        show: impl FnMut(Manifest) -> String,
    ) -> Result<Vec<String>, CommandError> {
        request.path = self.path.clone();
        let (texts, warnings) = render(&*self.tree, &request, show).map_err(|error| explained(error, &self.shown))?;
        warnings.iter().for_each(quote);
        Ok(texts)
    }
}

/// The newest revision of the source `name`.
async fn newest(cluster: &Cluster, name: &SourceName, store: &Store) -> Result<Arc<Content>, CommandError> {
    let ObjectKey { namespace, name: object } = &name.key;
    let kind = SOURCES.into_iter().find(|kind| kind.name == name.kind.name());
    let kind = kind.ok_or_else(|| format!("cannot build from a source of kind {}", name.kind.name()))?;
    let found = kind.get(cluster, namespace, object).await?;
    let clouds = Clouds::of_process(Clock::system().now(), Sharing::All);
    match name.kind {
        SourceKind::GitRepository => {
            let spec = read::<GitRepository>(found)?.spec;
            if !spec.include.is_empty() {
                return Err(format!(
                    "cannot build from {} {}: its `spec.include` is only read by the controller",
                    kind.name, name.key
                )
                .into());
            }
            fetch(&git_request(cluster, namespace, &spec, &clouds).await?, store, spec.ignore.as_deref()).await
        }
        SourceKind::OCIRepository => {
            let spec = read::<OciRepository>(found)?.spec;
            fetch(&oci_request(cluster, namespace, &spec, &clouds).await?, store, spec.ignore.as_deref()).await
        }
        SourceKind::Bucket => {
            let spec = read::<Bucket>(found)?.spec;
            fetch(&bucket_request(cluster, namespace, &spec, &clouds).await?, store, spec.ignore.as_deref()).await
        }
        SourceKind::ExternalArtifact => Err(format!("cannot build from a source of kind {}", name.kind.name()).into()),
    }
}

pub(crate) async fn fetch(
    request: &impl Fetch,
    store: &Store,
    ignore: Option<&str>,
) -> Result<Arc<Content>, CommandError> {
    let means = Means { store, ignore, now: Clock::system().now() };
    let fetched = async { request.fetch(&request.resolve(&means).await?, &means).await };
    fetched.await.map_err(with_hint(SourceFailure::hint))
}

/// The error of a build with what the reader can try, and with paths as they are `shown`.
pub(crate) fn explained(error: BuildError, shown: &ShownPaths) -> CommandError {
    shown.in_error(with_hint(BuildError::hint)(error))
}

/// The path that `path` has once `below` is taken from its end; `None` if it does not end so.
fn above(path: &TreePath, below: &TreePath) -> Option<TreePath> {
    let (path, below): (Vec<_>, Vec<_>) = (path.parts().collect(), below.parts().collect());
    path.strip_suffix(below.as_slice())?.join("/").parse().ok()
}

/// What a directory or a chart on this machine is built to.
pub(crate) struct LocalBuild {
    pub(crate) manifests: Vec<Manifest>,
    pub(crate) shown: ShownPaths,
    /// The cluster that it is for.
    pub(crate) cluster: Cluster,
}

impl LocalBuild {
    /// Builds what is at `path` for the cluster of `connection`; a chart as `flags` say, as the release `name`.
    pub(crate) async fn of(
        path: &Path,
        flags: &ReleaseFlags,
        name: Option<&str>,
        connection: &Connection,
    ) -> Result<Self, CommandError> {
        if let Some(chart) = LocalChart::find(path, flags, name, connection.given_namespace())? {
            let (cluster, shown) = (connection.cluster().await?, chart.place.shown.clone());
            return Ok(Self { manifests: chart.objects_for(&cluster).await?, shown, cluster });
        }
        let source = Source::local(path, None)?;
        let built = source.build(BuildRequest::default())?;
        Ok(Self { manifests: built.manifests, shown: source.shown, cluster: connection.cluster().await? })
    }
}

/// What is planned, and what is needed to carry it out.
pub(crate) struct Planned {
    pub(crate) plan: Plan,
    pub(crate) prepared: Prepared,
}

/// What a plan is for.
pub(crate) struct Wanted {
    pub(crate) owner: Owner,
    pub(crate) inventory: Inventory,
    pub(crate) prune: Prune,
    pub(crate) force: Force,
    pub(crate) ignore: IgnoreRules,
    pub(crate) revision_from: Option<String>,
    pub(crate) approved: Option<String>,
}

impl Wanted {
    /// What the live `kustomization` wants.
    pub(crate) fn by_kustomization(kustomization: &Kustomization) -> Result<Self, CommandError> {
        let (spec, status) = (&kustomization.spec, kustomization.status.as_ref());
        let entries = status.and_then(|status| status.inventory.as_ref()).into_iter().flat_map(|held| &held.entries);
        let inventory = Inventory::from_entries(entries.map(|entry| (entry.id.as_str(), entry.version.as_str())))?;
        let metadata = &kustomization.metadata;
        let text = |part: &Option<String>| part.clone().unwrap_or_default();
        Ok(Self {
            owner: Owner::kustomization(&text(&metadata.namespace), &text(&metadata.name)),
            inventory,
            prune: if spec.prune { Prune::Yes } else { Prune::No },
            force: if spec.force { Force::Yes } else { Force::No },
            ignore: ignore_rules(spec)?,
            revision_from: status.and_then(|status| status.last_applied_revision.clone()),
            approved: metadata.annotations.as_ref().and_then(|all| all.get(fairlead_plan::APPROVE_ANNOTATION)).cloned(),
        })
    }
}

/// The live Kustomization `name`.
pub(crate) async fn kustomization(
    cluster: &Cluster,
    namespace: &str,
    name: &str,
) -> Result<Kustomization, CommandError> {
    read(KUSTOMIZATION.get(cluster, namespace, name).await?)
}

/// Reads an object as one of our kinds.
pub(crate) fn read<K: DeserializeOwned>(object: Value) -> Result<K, CommandError> {
    Ok(serde_json::from_value(object)?)
}

/// The cluster as the account `name` in `namespace`, if there is one.
pub(crate) fn account(cluster: &Cluster, namespace: &str, name: Option<&String>) -> Result<Cluster, InvalidAccount> {
    let identity = name
        .map_or(Identity::Own, |name| Identity::ServiceAccount { namespace: namespace.to_owned(), name: name.clone() });
    cluster.as_identity(&identity)
}

/// Builds what `kustomization` would build from `source`, variables included.
pub(crate) async fn build_kustomization(
    cluster: &Cluster,
    kustomization: &Kustomization,
    source: &Source,
    is_strict: bool,
) -> Result<Built, CommandError> {
    let namespace = kustomization.metadata.namespace.as_deref().unwrap_or_default();
    source.build(build_request(cluster, namespace, &kustomization.spec, is_strict).await?)
}

/// Plans how to bring `cluster` to `manifests`.
pub(crate) async fn plan_for(
    cluster: &Cluster,
    mut manifests: Vec<Manifest>,
    revision: &str,
    wanted: &Wanted,
) -> Result<Planned, CommandError> {
    manifests.iter_mut().for_each(normalise);
    let prepared = prepare(cluster, manifests, revision, &wanted.owner, &CustomStage::default()).await;
    let prepared = prepared.map_err(with_hint(PrepareError::hint))?;
    let questions = Questions { is_in_sync: &|_| false, newcomers: Newcomers::Rehearsed, override_managers: &[] };
    let live = observe(cluster, &prepared, &wanted.inventory, questions).await;
    let live = live.map_err(with_hint(ObserveError::hint))?;
    let mut options = Options::new(wanted.owner.clone(), digest_key()?);
    cluster.manager().name.clone_into(&mut options.manager);
    options.prune = wanted.prune;
    options.force = wanted.force;
    options.ignore = wanted.ignore.clone();
    options.revision_from.clone_from(&wanted.revision_from);
    options.approved.clone_from(&wanted.approved);
    let plan = plan(&prepared.desired, &live, &wanted.inventory, &options).map_err(|error| {
        let hint = error.hint();
        Hinted::new(error, hint)
    })?;
    Ok(Planned { plan, prepared })
}
