//! `HelmRepository`: the index of a repository over HTTP. One in a registry is only a name for others.

use fairlead_api::source::{HelmRepository, HelmRepositorySpec, HelmRepositoryStatus};
use fairlead_sources::{
    fetch::SourceFailure,
    helm::{HelmAuth, HelmRequest, INDEX_LIMIT_BYTES, PassCredentials},
    store::SourceKind,
    transport::{Transport, Trust},
    url::Url,
};

use super::{
    Asked, Plane, Source, Sources, World,
    secrets::{RequestError, Secrets},
};
use crate::cluster::Cluster;

impl Source for HelmRepository {
    type Request = HelmRequest;

    const KIND: SourceKind = SourceKind::HelmRepository;

    fn plane(sources: &Sources) -> &Plane<Self> {
        &sources.helm_repositories
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            is_suspended: self.spec.suspend,
            unsupported: Vec::new(),
            interval: self.spec.interval().read("spec.interval"),
            ignore: None,
        }
    }

    fn is_name_only(&self) -> bool {
        self.spec.is_oci()
    }

    async fn request(&self, world: &World, namespace: &str) -> Result<HelmRequest, SourceFailure> {
        helm_request(&world.cluster, namespace, &self.spec).await
    }

    fn note(&self, _: &mut HelmRepositoryStatus) {}

    fn note_url(status: &mut HelmRepositoryStatus, url: String) {
        status.url = Some(url);
    }

    fn stored(revision: &str) -> String {
        format!("stored artifact: revision '{revision}'")
    }
}

/// What `spec` of a HelmRepository in `namespace` asks of its server, credentials included.
async fn helm_request(
    cluster: &Cluster,
    namespace: &str,
    spec: &HelmRepositorySpec,
) -> Result<HelmRequest, SourceFailure> {
    let url = Url::parse_http(&spec.url).map_err(RequestError::from)?;
    let timeout = spec.timeout().read("spec.timeout").map_err(RequestError::from)?;
    let secrets = Secrets { cluster, namespace };
    let pass = if spec.pass_credentials { PassCredentials::Everywhere } else { PassCredentials::Home };
    let secret = spec.secret_ref.as_ref();
    let auth = secrets.read(secret, |data| HelmAuth::from_secret(data, pass)).await?.unwrap_or_default();
    let trust = match &spec.cert_secret_ref {
        Some(certificates) => secrets.read(Some(certificates), Trust::from_secret).await?,
        // Older repositories have everything in one Secret.
        None => secrets.read(secret, Trust::among_others).await?,
    };
    let transport = Transport { trust: trust.unwrap_or_default(), ..Transport::default() };
    Ok(HelmRequest { url, auth, transport, limit_bytes: INDEX_LIMIT_BYTES, timeout })
}
