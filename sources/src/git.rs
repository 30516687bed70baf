//! Git sources: what a reference stands for now, and the files of that commit.
//!
//! [`resolve`] asks the server for one list of refs, restricted to those that matter where the server speaks version 2 of
//! the protocol; [`fetch`] fetches one commit without its history and puts its files into the store. Both are
//! conversations with `git-upload-pack`, which this module holds itself over HTTP ([`ureq`]) and SSH ([`russh`]);
//! libgit2 indexes the pack and reads its objects.
//!
//! # Why libgit2 does not do the talking
//! It speaks the old protocol only, in which a server lists all its refs each time, and its hooks for other transports
//! are process-wide and `unsafe`. One question and one answer are all that a fetch without history needs, and written
//! here they have a deadline, limits, credentials that are bound to their host, and no configuration of the machine's.
//!
//! # Nothing is kept between fetches
//! A fetch is a pack of one commit in a folder of its own that is removed afterwards. Keeping a clone would save the
//! transfer of unchanged files and hold every source twice on the disk.
//!
//! # Follows Flux
//! What each reference means, the revisions, and the beginnings of the error texts.
//! # Differs from Flux
//! A commit is fetched by its id, so no history is transferred, and it is not checked to be reachable from a branch; a
//! ref by its full name is fetched as such, whether a branch reaches it or not.

use std::{panic::resume_unwind, sync::Arc, time::Duration};

use fairlead_object::{Digest, TreePath};
use jiff::Timestamp;
use secrecy::ExposeSecret;
use tempfile::TempDir;
use tokio::task::spawn_blocking;

mod app;
mod auth;
mod checkout;
mod config;
mod deploy_key;
mod error;
mod host_key;
mod http;
mod known_hosts;
mod objects;
mod pack;
mod packet;
mod reference;
mod refs;
mod rehearsal;
mod ssh;
mod upload_pack;

pub use app::AppCredentials;
pub use auth::{CloudCredentials, CredentialError, GitAuth, HttpCredentials, SshCredentials};
pub use checkout::{Checkout, Include, Submodules};
pub use deploy_key::{Curve, DeployKey, KeyKind};
pub use error::{CloneError, GitError, IncludeError};
pub use host_key::scan_host_key;
pub use known_hosts::KnownHostsError;
pub use reference::{GitReference, ReferenceFields, Resolved};

pub use crate::{
    secret::SecretData,
    url::{Url as GitUrl, UrlError as GitUrlError},
    version::VersionRangeError,
};

pub(crate) use known_hosts::{KnownHosts, Verdict};
pub(crate) use rehearsal::rehearse;

use checkout::Fetching;
use error::Failure;
use http::HttpWire;
use objects::Objects;
use pack::PackWriter;
use reference::{Selected, select};
use refs::ObjectId;
use ssh::SshWire;
use upload_pack::Wire;

use crate::{
    deadline::Deadline,
    fetch::{Content, Fetch, Means, SourceFailure},
    secret::keyed_digest,
    store::StoredTree,
    verify::{GitVerification, Signable, SignableTag, Verified},
};

/// What is asked of a server.
#[derive(Clone)]
pub struct GitRequest {
    /// The repository.
    pub url: GitUrl,
    /// What of it is followed.
    pub reference: GitReference,
    /// Who asks.
    pub auth: GitAuth,
    /// How long one call may take.
    pub timeout: Duration,
    /// What of a commit is taken, and what comes along.
    pub checkout: Checkout,
    /// What must be signed, and by whom; nothing where this is absent.
    pub verification: Option<GitVerification>,
}

impl Fetch for GitRequest {
    type Resolved = Resolved;

    fn fingerprint(&self) -> Digest {
        let url = self.url.parts();
        let reference = format!("{:?} {:?}", self.reference, self.checkout);
        let auth = self.auth.fingerprint().to_string();
        let signers = format!("{:?}", self.verification());
        let parts = url.iter().map(|part| part.expose_secret().as_bytes());
        keyed_digest(parts.chain([reference.as_bytes(), auth.as_bytes(), signers.as_bytes()]))
    }

    fn verification(&self) -> Option<Digest> {
        self.verification.as_ref().map(GitVerification::digest)
    }

    async fn resolve(&self, _: &Means<'_>) -> Result<Resolved, SourceFailure> {
        Ok(resolve(self).await?)
    }

    fn revision(resolved: &Resolved) -> &str {
        &resolved.revision
    }

    async fn fetch(&self, resolved: &Resolved, means: &Means<'_>) -> Result<Arc<Content>, SourceFailure> {
        let Fetched { tree, subject, verified } = fetch(self, resolved, means).await?;
        let mut shown: String = subject.chars().take(SHOWN_SUBJECT).collect();
        if shown.len() < subject.len() {
            shown.push_str("...");
        }
        let news = format!("stored artifact for commit '{shown}'");
        let revision = resolved.revision.clone();
        Ok(Arc::new(Content { verified, ..Content::packed(revision, tree, news) }))
    }
}

/// How many characters of a commit's subject are told.
const SHOWN_SUBJECT: usize = 50;

/// The files of a commit, in the store.
pub struct Fetched {
    /// The files. They stay in the store as long as this lives.
    pub tree: StoredTree,
    /// The first line of the commit's message.
    pub subject: String,
    /// That it is signed, where that was demanded.
    pub verified: Option<Verified>,
}

/// Asks the server what the request's reference stands for now.
///
/// A pinned commit is not asked for. Tags of equal precedence cost a fetch of their commits, whose age decides.
pub async fn resolve(request: &GitRequest) -> Result<Resolved, GitError> {
    run(request, resolve_blocking).await
}

/// Fetches what was resolved and stores its files, less those that `.sourceignore` files, `spec.ignore` or Flux's default
/// list exclude. Nothing is stored of a revision that is not signed as the request demands.
pub async fn fetch(request: &GitRequest, resolved: &Resolved, means: &Means<'_>) -> Result<Fetched, GitError> {
    let (resolved, store, now) = (resolved.clone(), means.store.clone(), means.now);
    let ignore = means.ignore.map(str::to_owned);
    run(request, move |remote| {
        let means = Means { store: &store, ignore: ignore.as_deref(), now };
        fetch_blocking(remote, &resolved, &means)
    })
    .await
}

/// Runs `work` where it may block. It ends soon after the answer is no longer waited for.
async fn run<T: Send + 'static>(
    request: &GitRequest,
    work: impl FnOnce(&Remote) -> Result<T, Failure> + Send + 'static,
) -> Result<T, GitError> {
    let (deadline, _guard) = Deadline::after(request.timeout);
    let remote = Remote { request: request.clone(), deadline };
    let done = spawn_blocking(move || work(&remote)).await;
    let outcome = done.unwrap_or_else(|stopped| resume_unwind(stopped.into_panic()));
    outcome.map_err(|failure| failure.at(&request.url))
}

/// A request that is being answered.
struct Remote {
    request: GitRequest,
    deadline: Deadline,
}

impl Remote {
    fn connect(&self) -> Result<Box<dyn Wire>, Failure> {
        let GitRequest { url, auth, .. } = &self.request;
        if !url.is_ssh() {
            return Ok(Box::new(HttpWire::new(url, auth, &self.deadline)?));
        }
        let GitAuth::Ssh(credentials) = auth else {
            return Err(CredentialError::Missing { transport: "ssh", key: "identity" }.into());
        };
        Ok(Box::new(SshWire::connect(url, credentials, &self.deadline)?))
    }

    /// Fetches the objects at `targets` into `folder`.
    fn fetch_objects(&self, targets: &[ObjectId], folder: &TempDir) -> Result<Objects, Failure> {
        let mut wire = self.connect()?;
        let mut pack = PackWriter::new(folder.path(), &self.deadline)?;
        upload_pack::fetch(wire.as_mut(), targets, &mut |piece| pack.take(piece))?;
        pack.finish()?;
        Ok(Objects::open(folder.path())?)
    }
}

fn resolve_blocking(remote: &Remote) -> Result<Resolved, Failure> {
    let reference = &remote.request.reference;
    if let GitReference::Commit { commit, branch } = reference {
        return Ok(Resolved::pinned(commit, branch.as_deref())?);
    }
    let listing = upload_pack::list(remote.connect()?.as_mut(), &reference.prefixes())?;
    if listing.is_empty {
        return Err(Failure::Empty);
    }
    match select(reference, &listing.refs)? {
        Selected::One(resolved) => Ok(resolved),
        Selected::Tied(tied) => youngest(remote, tied),
    }
}

/// The one of `tied` whose commit is the youngest; the last of those that are.
fn youngest(remote: &Remote, tied: Vec<Resolved>) -> Result<Resolved, Failure> {
    let folder = TempDir::new().map_err(CloneError::Scratch)?;
    let targets: Vec<ObjectId> = tied.iter().map(|resolved| resolved.target).collect();
    let objects = remote.fetch_objects(&targets, &folder)?;
    let mut dated = Vec::with_capacity(tied.len());
    for resolved in tied {
        dated.push((objects.commit(resolved.target)?.committed_at, resolved));
    }
    let (_, youngest) = dated.into_iter().max_by_key(|(committed_at, _)| *committed_at).expect("at least two are tied");
    Ok(youngest)
}

fn fetch_blocking(remote: &Remote, resolved: &Resolved, means: &Means<'_>) -> Result<Fetched, Failure> {
    let mut fetching = Fetching::new(means.store);
    let commit = fetching.add(remote, resolved.target, (&TreePath::root(), 0))?;
    if commit.id.to_string() != resolved.commit {
        return Err(CloneError::CommitMissing(resolved.commit.clone()).into());
    }
    let verification = remote.request.verification.as_ref();
    let verified = verification.map(|demanded| verify(fetching.newest(), resolved, demanded, means.now)).transpose()?;
    let tree = fetching.keep(remote, means.ignore)?;
    Ok(Fetched { tree, subject: commit.subject, verified })
}

/// Verifies the commit that was resolved, and the tag if one is followed.
fn verify(
    objects: &Objects,
    resolved: &Resolved,
    demanded: &GitVerification,
    now: Timestamp,
) -> Result<Verified, Failure> {
    let Resolved { commit, reference_name, target, .. } = resolved;
    let content = objects.named(commit)?;
    let tag = match reference_name.as_deref().and_then(|name| name.strip_prefix("refs/tags/")) {
        Some(name) if target.to_string() == *commit => Some(SignableTag { name, object: None }),
        Some(name) => {
            let id = target.to_string();
            let content = objects.named(&id)?;
            Some(SignableTag { name, object: Some((id, content)) })
        }
        None => None,
    };
    Ok(demanded.verify(&Signable { commit, content: &content, tag }, now)?)
}
