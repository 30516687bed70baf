//! `OCIRepository`: one layer of the wanted image in a registry.

use fairlead_api::source::{
    OciLayerOperation, OciRepository, OciRepositoryRef, OciRepositorySpec, OciRepositoryStatus,
};
use fairlead_sources::{
    fetch::SourceFailure,
    oci::{
        LAYER_LIMIT_BYTES, LayerOperation, LayerSelector, OciAuth, OciError, OciReference, OciReferenceFields,
        OciRequest, OciUrl,
    },
    store::SourceKind,
    transport::Encryption,
};

use super::{
    Asked, Clouds, Plane, Resolved, Source, Sources, Told, World,
    secrets::{RequestError, Secrets},
    verification::Demand,
};
use crate::cluster::Cluster;

impl Source for OciRepository {
    type Request = OciRequest;

    const KIND: SourceKind = SourceKind::OciRepository;

    fn plane(sources: &Sources) -> &Plane<Self> {
        &sources.oci_repositories
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            is_suspended: self.spec.suspend,
            unsupported: self.spec.unsupported(),
            interval: self.spec.interval.read("spec.interval"),
            ignore: self.spec.ignore.as_deref(),
        }
    }

    async fn request(&self, world: &World, namespace: &str) -> Result<OciRequest, SourceFailure> {
        oci_request(&world.cluster, namespace, &self.spec, &world.clouds()).await
    }

    fn note(&self, _: &World, _: &OciRequest, _: &Resolved<Self>, status: &mut OciRepositoryStatus) {
        status.observed_ignore.clone_from(&self.spec.ignore);
        status.observed_layer_selector.clone_from(&self.spec.layer_selector);
    }

    fn note_url(status: &mut OciRepositoryStatus, url: String) {
        status.url = Some(url);
    }

    fn told(&self, _: &Resolved<Self>, revision: &str, _: &OciRepositoryStatus) -> Told {
        Told::success(format!("stored artifact for digest '{revision}'"))
    }
}

/// What `spec` of an OCIRepository in `namespace` asks of its registry, credentials included.
pub async fn oci_request(
    cluster: &Cluster,
    namespace: &str,
    spec: &OciRepositorySpec,
    clouds: &Clouds,
) -> Result<OciRequest, SourceFailure> {
    let url = OciUrl::parse(&spec.url).map_err(|source| OciError::Url { url: spec.url.clone(), source })?;
    let timeout = spec.timeout.read("spec.timeout").map_err(RequestError::from)?;
    let secrets = Secrets { cluster, namespace };
    let transport = secrets.transport(spec.cert_secret_ref.as_ref(), spec.proxy_secret_ref.as_ref()).await?;
    let verification = match &spec.verify {
        Some(demanded) => Some(Demand::from(demanded).read(&secrets).await?),
        None => None,
    };
    Ok(OciRequest {
        verification,
        reference: reference(spec),
        layer: layer(spec),
        auth: auth(&secrets, spec, clouds).await?,
        transport,
        limit_bytes: LAYER_LIMIT_BYTES,
        encryption: if spec.insecure { Encryption::Off } else { Encryption::Tls },
        timeout,
        url,
    })
}

fn reference(spec: &OciRepositorySpec) -> OciReference {
    let wanted = spec.reference.as_ref();
    let field = |read: fn(&OciRepositoryRef) -> &Option<String>| wanted.and_then(|wanted| read(wanted).as_deref());
    OciReference::new(OciReferenceFields {
        digest: field(|wanted| &wanted.digest),
        semver: field(|wanted| &wanted.semver),
        semver_filter: field(|wanted| &wanted.semver_filter),
        tag: field(|wanted| &wanted.tag),
    })
}

fn layer(spec: &OciRepositorySpec) -> LayerSelector {
    let Some(selector) = &spec.layer_selector else { return LayerSelector::default() };
    let operation = match selector.operation {
        Some(OciLayerOperation::Copy) => LayerOperation::Copy,
        Some(OciLayerOperation::Extract) | None => LayerOperation::Extract,
    };
    LayerSelector { media_type: selector.media_type.clone(), operation }
}

async fn auth(secrets: &Secrets<'_>, spec: &OciRepositorySpec, clouds: &Clouds) -> Result<OciAuth, RequestError> {
    if spec.secret_ref.is_none()
        && let Some(auth) = clouds.registry_auth(spec.provider)?
    {
        return Ok(auth);
    }
    let named = secrets.pull_secrets(spec.secret_ref.as_ref(), spec.service_account_name.as_deref()).await?;
    // Each on its own first, so that an error names the Secret that is wrong.
    for (name, data) in &named {
        OciAuth::from_pull_secrets([data]).map_err(|error| secrets.unusable(name, error))?;
    }
    Ok(OciAuth::from_pull_secrets(named.values()).unwrap_or_else(|_| OciAuth::anonymous()))
}
