//! `GitRepository`: the wanted revision of a repository.

use fairlead_api::source::{GitRepository, GitRepositoryRef, GitRepositorySpec, GitRepositoryStatus};
use fairlead_sources::{
    fetch::SourceFailure,
    git::{GitAuth, GitError, GitReference, GitRequest, GitUrl, ReferenceFields},
    store::SourceKind,
    transport::Proxy,
};

use super::{
    Asked, Plane, Resolved, Source, Sources, Told, World,
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
        git_request(&world.cluster, namespace, &self.spec).await
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
) -> Result<GitRequest, SourceFailure> {
    let url = GitUrl::parse(&spec.url).map_err(RequestError::from)?;
    let timeout = spec.timeout.read("spec.timeout").map_err(RequestError::from)?;
    let secrets = Secrets { cluster, namespace };
    let auth = secrets.read(spec.secret_ref.as_ref(), |data| GitAuth::from_secret(&url, data)).await?;
    let mut auth = auth.unwrap_or(GitAuth::Anonymous);
    if let Some(proxy) = secrets.read(spec.proxy_secret_ref.as_ref(), Proxy::from_secret).await? {
        auth = auth.through(&url, &proxy).map_err(|source| GitError::Credentials { url: url.clone(), source })?;
    }
    Ok(GitRequest { reference: reference(spec), url, auth, timeout })
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
