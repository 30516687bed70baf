//! `GitRepository`: the wanted revision of a repository.

use fairlead_api::source::{GitProvider, GitRepository, GitRepositoryRef, GitRepositorySpec, GitRepositoryStatus};
use fairlead_sources::{
    fetch::SourceFailure,
    git::{GitAuth, GitError, GitReference, GitRequest, GitUrl, ReferenceFields},
    identity::Cloud,
    store::SourceKind,
    transport::Proxy,
};

use super::{
    Asked, Clouds, Plane, Resolved, Source, Sources, Told, World,
    secrets::{RequestError, Secrets},
};
use crate::cluster::Cluster;

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
        git_request(&world.cluster, namespace, &self.spec, &world.clouds()).await
    }

    fn note(&self, _: &GitRequest, _: &Resolved<Self>, status: &mut GitRepositoryStatus) {
        status.observed_ignore.clone_from(&self.spec.ignore);
    }

    fn note_url(_: &mut GitRepositoryStatus, _: String) {}

    fn told(&self, _: &Resolved<Self>, revision: &str, _: &GitRepositoryStatus) -> Told {
        Told::success(format!("stored artifact for revision '{revision}'"))
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
    Ok(GitRequest { reference: reference(spec), url, auth, timeout })
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
