//! `HelmRepository`: the index of a repository over HTTP. One in a registry is only a name for others.

use fairlead_api::source::{HelmRepository, HelmRepositorySpec, HelmRepositoryStatus};
use fairlead_sources::{
    fetch::SourceFailure,
    helm::{CHART_LIMIT_BYTES, HelmAuth, HelmRequest, PassCredentials, is_kept_index},
    oci::{CHART_MEDIA_TYPE, LayerOperation, LayerSelector, OciAuth, OciError, OciReference, OciRequest, OciUrl},
    store::{SourceKind, StoredTree},
    transport::{Encryption, Transport, Trust},
    url::Url,
    version::parse_tag,
};

use super::{
    Asked, Clouds, Plane, Resolved, Source, Sources, Told, World,
    secrets::{RequestError, Secrets},
};

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
        let secrets = Secrets { cluster: &world.cluster, namespace };
        helm_request(&secrets, &self.spec, world.settings.helm_limits.index_bytes).await
    }

    fn note(&self, _: &World, _: &HelmRequest, _: &Resolved<Self>, _: &mut HelmRepositoryStatus) {}

    fn note_url(status: &mut HelmRepositoryStatus, url: String) {
        status.url = Some(url);
    }

    fn is_readable(kept: &StoredTree) -> bool {
        is_kept_index(kept)
    }

    fn told(&self, _: &Resolved<Self>, revision: &str, _: &HelmRepositoryStatus) -> Told {
        Told::success(format!("stored artifact: revision '{revision}'"))
    }
}

/// What `spec` of a HelmRepository beside `secrets` asks of its server, credentials included, for something of up to
/// `limit_bytes`.
pub(super) async fn helm_request(
    secrets: &Secrets<'_>,
    spec: &HelmRepositorySpec,
    limit_bytes: u64,
) -> Result<HelmRequest, SourceFailure> {
    let url = Url::parse_http(&spec.url).map_err(RequestError::from)?;
    let timeout = spec.timeout().read("spec.timeout").map_err(RequestError::from)?;
    let pass = if spec.pass_credentials { PassCredentials::Everywhere } else { PassCredentials::Home };
    let secret = spec.secret_ref.as_ref();
    let auth = secrets.read(secret, |data| HelmAuth::from_secret(data, pass)).await?.unwrap_or_default();
    let trust = match &spec.cert_secret_ref {
        Some(certificates) => secrets.read(Some(certificates), Trust::from_secret).await?,
        // Older repositories have everything in one Secret.
        None => secrets.read(secret, Trust::among_others).await?,
    };
    let transport = Transport { trust: trust.unwrap_or_default(), ..Transport::default() };
    Ok(HelmRequest { url, auth, transport, limit_bytes, timeout })
}

/// What is asked of the registry that `spec` of a HelmRepository beside `secrets` names, for the package of the chart `name`
/// in `version`, which may be a range of versions.
pub(super) async fn chart_in_registry(
    secrets: &Secrets<'_>,
    clouds: &Clouds,
    spec: &HelmRepositorySpec,
    (name, version): (&str, &str),
) -> Result<OciRequest, SourceFailure> {
    let text = format!("{}/{name}", spec.url.trim_end_matches('/'));
    let url = OciUrl::parse(&text).map_err(|source| OciError::Url { url: text, source })?;
    let timeout = spec.timeout().read("spec.timeout").map_err(RequestError::from)?;
    let auth = match &spec.secret_ref {
        None => clouds.registry_auth(spec.provider)?,
        named => secrets.read(named.as_ref(), |data| OciAuth::from_login(&url, data)).await?,
    };
    let layer = LayerSelector { media_type: Some(CHART_MEDIA_TYPE.to_owned()), operation: LayerOperation::Copy };
    Ok(OciRequest {
        reference: version_reference(version),
        layer,
        auth: auth.unwrap_or_else(OciAuth::anonymous),
        transport: secrets.transport(spec.cert_secret_ref.as_ref(), None).await?,
        encryption: if spec.insecure { Encryption::Off } else { Encryption::Tls },
        limit_bytes: CHART_LIMIT_BYTES,
        verification: None,
        timeout,
        url,
    })
}

/// What Helm takes for versions among tags: nothing with a `v` before it.
const STRICT_VERSION: &str = "^[0-9]";

/// The tags that stand for `version`; what is `+` in a version is `_` in a tag.
fn version_reference(version: &str) -> OciReference {
    if parse_tag(version).is_some() {
        return OciReference::Tag(version.replace('+', "_"));
    }
    let range = if version.is_empty() { "*" } else { version };
    OciReference::Semver { range: range.to_owned(), filter: Some(STRICT_VERSION.to_owned()) }
}
