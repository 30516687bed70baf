//! The charts that a chart needs and does not carry along.
//!
//! # Follows Flux
//! One without a URL, or with a `file://` URL, is at a path of the same source, seen from the chart. Any other is in a Helm
//! repository: one of the namespace that has the same URL, with its credentials and its kept index, or else one that
//! everybody may read.

use std::error::Error;

use fairlead_api::source::{HelmRepository, HelmRepositorySpec, HelmRepositoryType};
use fairlead_helm::{Chart, Dependency, load, load_archive};
use fairlead_object::{Digest, EntryKind, Tree, TreePath};
use fairlead_sources::{
    fetch::{Means, SourceFailure},
    helm::{FetchedChart, HelmLimits, HelmRequest, fetch_chart, fetch_index, find, pull_chart},
    oci::OciRequest,
    store::{SourceKind, Store, StoredTree},
};
use jiff::Timestamp;
use serde_json::json;
use tokio::task::spawn_blocking;

use super::{
    error::{ChartError, DependencyError},
    request::pinned,
};
use crate::{
    cluster::Cluster,
    controllers::{
        ObjectKey, World,
        source::{
            Clouds,
            helm_repository::{chart_in_registry, helm_request},
            secrets::Secrets,
            source_key,
        },
    },
    watch::Served,
};

/// The Helm repositories of a namespace.
pub(super) struct Repositories {
    cluster: Cluster,
    clouds: Clouds,
    served: Served<HelmRepository>,
    namespace: String,
    now: Timestamp,
    limits: HelmLimits,
}

/// A repository, and the object that names it if there is one.
struct Repository {
    spec: HelmRepositorySpec,
    name: Option<String>,
}

type Cause = Box<dyn Error + Send + Sync>;

impl Repositories {
    pub(super) fn of(world: &World, namespace: &str) -> Self {
        let served = world.sources.helm_repositories.served.clone();
        let (cluster, clouds, now) = (world.cluster.clone(), world.clouds(), world.clock.now());
        Self { cluster, clouds, served, namespace: namespace.to_owned(), now, limits: world.settings.helm_limits }
    }

    pub(super) fn namespace(&self) -> &str {
        &self.namespace
    }

    /// The chart that the one at `path` of `tree` needs.
    pub(super) async fn dependency(
        &self,
        wanted: &Dependency,
        (tree, path): (Digest, &TreePath),
        store: &Store,
    ) -> Result<Chart, ChartError> {
        let name = wanted.name.clone();
        let Some(below) = local_path(&wanted.repository) else {
            let remote = self.remote(wanted, store).await;
            return remote.map_err(|source| ChartError::Dependency { place: "remote", name, source: source.into() });
        };
        let local = local(wanted, &below, path);
        let (store, wanted) = (store.clone(), wanted.clone());
        let loaded = spawn_blocking(move || load_local(&wanted, &local?, &store.tree(&tree)?)).await;
        let loaded = loaded.unwrap_or_else(|error| Err(DependencyError::Interrupted(error.to_string())));
        loaded.map_err(|source| ChartError::Dependency { place: "local", name, source: source.into() })
    }

    async fn remote(&self, wanted: &Dependency, store: &Store) -> Result<Chart, DependencyError> {
        let Dependency { name, version, repository: url, .. } = wanted;
        let repository = self.repository(url)?;
        let fetched = self.fetch(&repository, (name, version), store).await;
        let (fetched, version) = fetched.map_err(|source| DependencyError::NotFound {
            name: name.clone(),
            version: version.clone(),
            url: url.clone(),
            source,
        })?;
        let package = fetched.read()?;
        load_archive(&package).map_err(|source| DependencyError::Archive { version, source })
    }

    /// The repository at `url`.
    fn repository(&self, url: &str) -> Result<Repository, DependencyError> {
        let is_meant = |spec: &HelmRepositorySpec| normal(&spec.url) == normal(url);
        let mut known: Vec<_> =
            self.served.all().into_iter().filter(|object| object.key().namespace == self.namespace).collect();
        // Where several are meant, the same one is taken each time.
        known.sort_by_key(|object| object.key().name);
        let known = known.into_iter().find_map(|object| {
            let spec = &object.parsed.as_ref().ok().filter(|parsed| is_meant(&parsed.spec))?.spec;
            Some(Repository { spec: spec.clone(), name: Some(object.key().name) })
        });
        if let Some(known) = known {
            return Ok(known);
        }
        let type_ = if url.starts_with("oci://") { HelmRepositoryType::Oci } else { HelmRepositoryType::Default };
        let spec = serde_json::from_value(json!({ "url": normal(url), "type": type_ }));
        let spec = spec.map_err(|error| DependencyError::Repository { url: url.to_owned(), source: error.into() })?;
        Ok(Repository { spec, name: None })
    }

    /// The package of the chart `name` in the best version, and that version.
    async fn fetch(
        &self,
        repository: &Repository,
        (name, version): (&str, &str),
        store: &Store,
    ) -> Result<(FetchedChart, String), Cause> {
        let Repository { spec, name: object } = repository;
        let secrets = Secrets { cluster: &self.cluster, namespace: &self.namespace };
        if spec.is_oci() {
            let request = chart_in_registry(&secrets, &self.clouds, spec, (name, version)).await?;
            let request = OciRequest { limit_bytes: self.limits.chart_bytes, ..request };
            let (version, request) = pinned(&request).await?;
            let means = Means { store, ignore: None, now: self.now };
            return Ok((pull_chart(&request, &means).await?, version));
        }
        let request = helm_request(&secrets, spec, self.limits.index_bytes).await?;
        let index = self.index(object.as_deref(), &request, store).await?;
        let (wanted, range) = (name.to_owned(), version.to_owned());
        let listed = spawn_blocking(move || find(&index, &wanted, &range)).await??;
        let request = HelmRequest { limit_bytes: self.limits.chart_bytes, ..request };
        Ok((fetch_chart(&request, &listed, store).await?, listed.version))
    }

    /// The index of a repository: the one that is kept, or else the one that is there now.
    async fn index(&self, object: Option<&str>, request: &HelmRequest, store: &Store) -> Result<StoredTree, Cause> {
        let key = object.map(|name| source_key(SourceKind::HelmRepository, &ObjectKey::new(&self.namespace, name)));
        match key.and_then(|key| store.artifact(&key)) {
            Some(kept) => Ok(store.tree(&kept.tree)?),
            None => Ok(fetch_index(request, store).await.map_err(SourceFailure::from)?.tree),
        }
    }
}

/// The path of a chart that is in the same source; `None` for the URL of a repository.
fn local_path(repository: &str) -> Option<String> {
    match repository.split_once(':') {
        None => Some(repository.to_owned()),
        Some(("file", path)) => Some(path.trim_start_matches('/').to_owned()),
        Some(_) => None,
    }
}

fn local(wanted: &Dependency, below: &str, chart: &TreePath) -> Result<TreePath, DependencyError> {
    let written = &wanted.repository;
    if below.is_empty() {
        return Err(DependencyError::NoChart {
            path: format!("{chart}/charts/{}", wanted.name),
            written: written.clone(),
        });
    }
    TreePath::parse(chart, below).map_err(|_| DependencyError::Outside(written.clone()))
}

fn load_local(wanted: &Dependency, path: &TreePath, tree: &StoredTree) -> Result<Chart, DependencyError> {
    let unreadable = |source| DependencyError::Load { path: path.to_string(), source };
    let entry = tree.entry(path).map_err(|error| unreadable(error.into()))?;
    let loaded = match entry.map(|entry| entry.kind) {
        None => return Err(DependencyError::NoChart { path: path.to_string(), written: wanted.repository.clone() }),
        Some(EntryKind::Directory) => load(tree, path),
        Some(EntryKind::File) => tree.read(path).map_err(Into::into).and_then(|package| load_archive(&package)),
    };
    let chart = loaded.map_err(unreadable)?;
    match wanted.takes(&chart.metadata.version) {
        Ok(true) => Ok(chart),
        Ok(false) => Err(DependencyError::OtherVersion(wanted.version.clone())),
        Err(problem) => Err(DependencyError::Range { range: wanted.version.clone(), problem }),
    }
}

/// The one form of a repository's URL.
fn normal(url: &str) -> String {
    let url = url.trim_end_matches('/');
    if url.starts_with("oci://") { url.to_owned() } else { format!("{url}/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_scheme_of_its_own_is_in_a_repository() {
        let rows = [
            ("file://../base", Some("../base")),
            ("file:///base", Some("base")),
            ("../base", Some("../base")),
            ("", Some("")),
            ("@alias", Some("@alias")),
            ("https://charts.example.org", None),
            ("oci://example.org/charts", None),
        ];
        for (written, path) in rows {
            assert_eq!(local_path(written).as_deref(), path, "{written}");
        }
    }

    #[test]
    fn a_path_is_seen_from_the_chart_and_stays_in_the_source() {
        let chart = "charts/web".parse().expect("a path");
        let shown = |repository: &str| {
            let wanted = Dependency { name: "base".into(), repository: repository.into(), ..Dependency::default() };
            let below = local_path(repository).expect("a path");
            local(&wanted, &below, &chart).map_or_else(|error| error.to_string(), |path| path.to_string())
        };
        assert_eq!(shown("file://../base"), "charts/base");
        assert_eq!(shown("file://../../../base"), "'file://../../../base' leads out of the source");
        assert_eq!(shown(""), "no chart found at 'charts/web/charts/base' (reference '')");
    }

    #[test]
    fn a_slash_at_the_end_makes_no_other_repository() {
        for (written, one) in [
            ("https://example.org/charts", "https://example.org/charts/"),
            ("https://example.org/charts//", "https://example.org/charts/"),
            ("oci://example.org/charts/", "oci://example.org/charts"),
        ] {
            assert_eq!(normal(written), one);
        }
    }
}
