//! `GitRepository`: the wanted revision of a repository.

use std::convert::Infallible;

use fairlead_api::source::{
    GitProvider, GitRepository, GitRepositoryInclude, GitRepositoryRef, GitRepositorySpec, GitRepositoryStatus,
    GitRepositoryVerification, GitVerificationMode as Mode,
};
use fairlead_object::PathError;
use fairlead_sources::{
    fetch::SourceFailure,
    git::{
        Checkout, GitAuth, GitError, GitReference, GitRequest, GitUrl, Include, IncludeError, ReferenceFields,
        Submodules,
    },
    identity::Cloud,
    secret::SecretData,
    store::{Artifact, SourceKind},
    transport::Proxy,
    verify::{GitVerification, GitVerificationMode},
};

use super::{
    Asked, Clouds, Plane, Resolved, Source, Sources, Told, World,
    outcome::status_artifact,
    secrets::{RequestError, Secrets},
    source_key,
};
use crate::{cluster::Cluster, controllers::ObjectKey};

impl Source for GitRepository {
    type Request = GitRequest;

    const KIND: SourceKind = SourceKind::GitRepository;

    fn plane(sources: &Sources) -> &Plane<Self> {
        &sources.git_repositories
    }

    fn asked(&self) -> Asked<'_> {
        Asked {
            is_suspended: self.spec.suspend,
            unsupported: self.spec.unsupported(),
            interval: self.spec.interval.read("spec.interval"),
            ignore: self.spec.ignore.as_deref(),
        }
    }

    async fn request(&self, world: &World, namespace: &str) -> Result<GitRequest, SourceFailure> {
        let mut request = git_request(&world.cluster, namespace, &self.spec, &world.clouds()).await?;
        for entry in &self.spec.include {
            let artifact = included(world, namespace, entry)?;
            request.checkout.includes.push(include(entry, artifact)?);
        }
        Ok(request)
    }

    fn note(&self, world: &World, request: &GitRequest, _: &Resolved<Self>, status: &mut GitRepositoryStatus) {
        status.observed_ignore.clone_from(&self.spec.ignore);
        status.observed_recurse_submodules = self.spec.recurse_submodules;
        status.observed_sparse_checkout.clone_from(&self.spec.sparse_checkout);
        status.observed_include.clone_from(&self.spec.include);
        let address = &world.settings.artifact_address;
        let included = request.checkout.includes.iter().map(|include| status_artifact(&include.artifact, address));
        status.included_artifacts = included.collect();
        let demanded = self.spec.verify.as_ref().map(|verify| mode(verify).as_str().to_owned());
        status.source_verification_mode = demanded;
    }

    fn note_url(_: &mut GitRepositoryStatus, _: String) {}

    fn told(&self, _: &Resolved<Self>, revision: &str, _: &GitRepositoryStatus) -> Told {
        Told::success(format!("stored artifact for revision '{revision}'"))
    }

    fn signature_news(verified: &str) -> Option<Told> {
        Some(Told::success(verified.to_owned()))
    }
}

/// What `spec` of a GitRepository in `namespace` asks of its server, credentials included.
pub async fn git_request(
    cluster: &Cluster,
    namespace: &str,
    spec: &GitRepositorySpec,
    clouds: &Clouds,
) -> Result<GitRequest, SourceFailure> {
    let url = GitUrl::parse(&spec.url).map_err(RequestError::from)?;
    let timeout = spec.timeout.read("spec.timeout").map_err(RequestError::from)?;
    let secrets = Secrets { cluster, namespace };
    let auth = auth(&secrets, spec, &url, clouds).await?;
    let verification = match &spec.verify {
        Some(demanded) => Some(verification(&secrets, demanded).await?),
        None => None,
    };
    let submodules = if spec.recurse_submodules { Submodules::Fetch } else { Submodules::Skip };
    let checkout = Checkout { sparse: spec.sparse_checkout.clone(), submodules, includes: Vec::new() };
    Ok(GitRequest { reference: reference(spec), url, auth, timeout, checkout, verification })
}

/// The artifact that `entry` of `spec.include` names.
fn included(world: &World, namespace: &str, entry: &GitRepositoryInclude) -> Result<Artifact, IncludeError> {
    let key = ObjectKey::new(namespace, &entry.repository.name);
    if !world.sources.has(SourceKind::GitRepository, &key) {
        return Err(IncludeError::Missing { namespace: key.namespace, name: key.name });
    }
    let artifact = world.store.artifact(&source_key(SourceKind::GitRepository, &key));
    artifact.ok_or(IncludeError::NoArtifact(key.name))
}

fn include(entry: &GitRepositoryInclude, artifact: Artifact) -> Result<Include, IncludeError> {
    let name = &entry.repository.name;
    let path = |written: Option<&str>| {
        let written = written.unwrap_or_default();
        // Flux joins it below the root of the source.
        written
            .trim_start_matches('/')
            .parse()
            .map_err(|problem: PathError| IncludeError::Path { name: name.clone(), problem: problem.to_string() })
    };
    let to = entry.to_path.as_deref().filter(|path| !path.is_empty()).unwrap_or(name);
    Ok(Include { name: name.clone(), artifact, from: path(entry.from_path.as_deref())?, to: path(Some(to))? })
}

async fn verification(
    secrets: &Secrets<'_>,
    demanded: &GitRepositoryVerification,
) -> Result<GitVerification, RequestError> {
    let read = |data: &SecretData| Ok::<_, Infallible>(GitVerification::new(mode(demanded), data));
    secrets.verified_with("PGP public keys secret error", &demanded.secret_ref, read).await
}

fn mode(demanded: &GitRepositoryVerification) -> GitVerificationMode {
    match demanded.mode {
        Mode::LowercaseHead | Mode::Head => GitVerificationMode::Head,
        Mode::Tag => GitVerificationMode::Tag,
        Mode::TagAndHead => GitVerificationMode::TagAndHead,
    }
}

/// Who asks, and by way of which proxy.
async fn auth(
    secrets: &Secrets<'_>,
    spec: &GitRepositorySpec,
    url: &GitUrl,
    clouds: &Clouds,
) -> Result<GitAuth, SourceFailure> {
    let secret = spec.secret_ref.as_ref();
    let proxy = secrets.read(spec.proxy_secret_ref.as_ref(), Proxy::from_secret).await?;
    let auth = match (spec.provider.unwrap_or(GitProvider::Generic), secret) {
        (GitProvider::Github, _) => {
            let proxy = proxy.clone().unwrap_or_default();
            let app = secrets.read(secret, |data| GitAuth::app(data, &proxy, clouds.now)).await?;
            Some(app.ok_or(RequestError::NoApp)?)
        }
        (GitProvider::Azure, None) => Some(GitAuth::cloud(url, clouds.identity(Cloud::Azure)?)?),
        (GitProvider::Generic | GitProvider::Aws | GitProvider::Azure, _) => {
            secrets.read(secret, |data| GitAuth::from_secret(url, data)).await?
        }
    };
    let auth = auth.unwrap_or(GitAuth::Anonymous);
    match proxy {
        Some(proxy) => {
            Ok(auth.through(url, &proxy).map_err(|source| GitError::Credentials { url: url.clone(), source })?)
        }
        None => Ok(auth),
    }
}

fn reference(spec: &GitRepositorySpec) -> GitReference {
    let wanted = spec.reference.as_ref();
    let field = |read: fn(&GitRepositoryRef) -> &Option<String>| wanted.and_then(|wanted| read(wanted).as_deref());
    GitReference::new(ReferenceFields {
        commit: field(|wanted| &wanted.commit),
        name: field(|wanted| &wanted.name),
        tag: field(|wanted| &wanted.tag),
        semver: field(|wanted| &wanted.semver),
        branch: field(|wanted| &wanted.branch),
    })
}
