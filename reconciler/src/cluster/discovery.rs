//! Which kinds the API server serves, where, and whether they live in namespaces.
//!
//! Read by aggregated discovery (two requests), kept until a kind is asked for that is not in it, and read again then,
//! at most once in [`REFRESH_AFTER`].

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use fairlead_object::Gvk;
use http::{Request, header::ACCEPT};
use kube::Client;
use serde::Deserialize;
use tokio::time::Instant;

use super::ApiError;

/// How long an answer "there is no such kind" is believed.
const REFRESH_AFTER: Duration = Duration::from_millis(500);

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// Where the objects of one kind are found.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Resource {
    /// API group, empty for the core group.
    pub group: String,
    /// Version, as `v1`.
    pub version: String,
    /// Kind, as `Deployment`.
    pub kind: String,
    /// The name in URLs, as `deployments`.
    pub plural: String,
    /// Whether its objects live in namespaces.
    pub is_namespaced: bool,
}

impl Resource {
    /// A kind that is known to live in namespaces and to be served as `plural`.
    pub fn namespaced(group: &str, version: &str, kind: &str, plural: &str) -> Self {
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            is_namespaced: true,
        }
    }

    /// `group/version`, or the version alone for the core group.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }
}

/// What the API server serves. Shared by all identities.
#[derive(Default)]
pub struct Discovery {
    known: Mutex<Known>,
    refreshing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Known {
    resources: HashMap<(String, String), Vec<Arc<Resource>>>,
    read_at: Option<Instant>,
}

impl Discovery {
    /// Where objects of `gvk` are found; `None` if the server does not serve it.
    pub async fn resolve(&self, client: &Client, gvk: &Gvk) -> Result<Option<Arc<Resource>>, ApiError> {
        let version = |resource: &Resource| resource.version == gvk.version;
        self.find(client, &gvk.group, &gvk.kind, version).await
    }

    /// Where objects of `kind` in `group` are found, in the version that the server prefers.
    pub async fn preferred(&self, client: &Client, group: &str, kind: &str) -> Result<Option<Arc<Resource>>, ApiError> {
        self.find(client, group, kind, |_| true).await
    }

    /// Everything that the server serves now, in the order of groups, versions and kinds.
    pub async fn all(&self, client: &Client) -> Result<Vec<Arc<Resource>>, ApiError> {
        let mut all: Vec<_> = read(client).await?.into_values().flatten().collect();
        all.sort();
        Ok(all)
    }

    /// Forgets that kinds are missing: a definition was just applied.
    pub fn expect_new_kinds(&self) {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).read_at = None;
    }

    /// Forgets everything: a kind that was served is not served any more.
    pub fn forget(&self) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Known::default();
    }

    async fn find(
        &self,
        client: &Client,
        group: &str,
        kind: &str,
        accept: impl Fn(&Resource) -> bool,
    ) -> Result<Option<Arc<Resource>>, ApiError> {
        let key = (group.to_owned(), kind.to_owned());
        if let Some(found) = self.known(&key, &accept) {
            return Ok(Some(found));
        }
        let asked_at = Instant::now();
        let _one_at_a_time = self.refreshing.lock().await;
        let is_fresh = {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.read_at.is_some_and(|read_at| read_at + REFRESH_AFTER > asked_at)
        };
        if !is_fresh {
            let resources = read(client).await?;
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            *known = Known { resources, read_at: Some(Instant::now()) };
        }
        Ok(self.known(&key, &accept))
    }

    fn known(&self, key: &(String, String), accept: impl Fn(&Resource) -> bool) -> Option<Arc<Resource>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.resources.get(key)?.iter().find(|resource| accept(resource)).cloned()
    }
}

async fn read(client: &Client) -> Result<HashMap<(String, String), Vec<Arc<Resource>>>, ApiError> {
    let mut resources: HashMap<_, Vec<Arc<Resource>>> = HashMap::new();
    for path in ["/api", "/apis"] {
        let request = Request::get(path).header(ACCEPT, AGGREGATED).body(Vec::new());
        let request = request.expect("a constant request is well formed");
        let groups: Groups = client.request(request).await?;
        for resource in groups.items.into_iter().flat_map(Group::into_resources) {
            let key = (resource.group.clone(), resource.kind.clone());
            resources.entry(key).or_default().push(Arc::new(resource));
        }
    }
    Ok(resources)
}

/// `APIGroupDiscoveryList` of `apidiscovery.k8s.io/v2`, as far as it is used.
#[derive(Deserialize)]
struct Groups {
    items: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    metadata: GroupName,
    #[serde(default)]
    versions: Vec<Version>,
}

#[derive(Deserialize, Default)]
struct GroupName {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Version {
    version: String,
    #[serde(default)]
    resources: Vec<ServedResource>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ServedResource {
    resource: String,
    #[serde(default)]
    response_kind: ResponseKind,
    scope: String,
}

#[derive(Deserialize, Default)]
struct ResponseKind {
    #[serde(default)]
    kind: String,
}

impl Group {
    fn into_resources(self) -> impl Iterator<Item = Resource> {
        let group = self.metadata.name;
        self.versions.into_iter().flat_map(move |served| {
            let (group, version) = (group.clone(), served.version);
            served.resources.into_iter().map(move |resource| Resource {
                group: group.clone(),
                version: version.clone(),
                kind: resource.response_kind.kind,
                plural: resource.resource,
                is_namespaced: resource.scope == "Namespaced",
            })
        })
    }
}
