//! Why a Git source could not be read, and what to do about it.

use std::io;

use fairlead_api::{
    conditions::{FETCH_FAILED, INCLUDE_UNAVAILABLE, STORAGE_OPERATION_FAILED},
    reasons::source as reason,
};

use super::{GitUrl, GitUrlError, auth::CredentialError};
use crate::{
    deadline::DeadlinePassed, fetch::SourceError, identity::IdentityError, store::StoreError,
    transport::TransportError, verify::GitVerificationError, version::VersionRangeError,
};

/// Why a Git source could not be resolved or fetched.
///
/// # Follows Flux
/// The texts start as Flux's do, so that searches and alerts made for them match. An answer of the server that refuses
/// credentials is a `GitOperationFailed`; `AuthenticationFailed` is kept for credentials that cannot be used at all.
#[derive(Debug, thiserror::Error)]
pub enum GitError {
    /// The URL is not one of a Git repository. Only an edit helps.
    #[error("failed to parse url")]
    Url(#[from] GitUrlError),
    /// The Secret does not hold what the URL needs.
    #[error("cannot use the credentials for '{url}'")]
    Credentials {
        /// The repository.
        url: GitUrl,
        /// What is wrong with them.
        source: CredentialError,
    },
    /// The repository has no commit.
    #[error("git repository is empty: '{url}'")]
    Empty {
        /// The repository.
        url: GitUrl,
    },
    /// The revision is not signed as it has to be.
    #[error(transparent)]
    Verification(#[from] GitVerificationError),
    /// The server could not be reached, refused, or does not have what is followed.
    #[error("failed to checkout and determine revision: unable to clone '{url}'")]
    Clone {
        /// The repository.
        url: GitUrl,
        /// What failed.
        source: CloneError,
    },
    /// An included artifact could not be copied into it.
    #[error(transparent)]
    Include(#[from] IncludeError),
}

/// Why an artifact could not be included.
#[derive(Debug, thiserror::Error)]
pub enum IncludeError {
    /// A path is none, or leads out of the source.
    #[error("path calculation for include '{name}' failed: {problem}")]
    Path {
        /// The included source.
        name: String,
        /// What is wrong with the path.
        problem: String,
    },
    /// It could not be copied.
    #[error("failed to copy '{name}' include from {from} to {to}: {problem}")]
    Copy {
        /// The included source.
        name: String,
        /// What of it.
        from: String,
        /// Where to.
        to: String,
        /// What is wrong.
        problem: String,
    },
    /// There is no such source.
    #[error("could not get resource for include '{name}': GitRepository '{namespace}/{name}' not found")]
    Missing {
        /// Its namespace.
        namespace: String,
        /// The included source.
        name: String,
    },
    /// It has no artifact yet.
    #[error("no artifact available for include '{0}'")]
    NoArtifact(String),
}

impl SourceError for IncludeError {
    fn condition(&self) -> &'static str {
        match self {
            Self::Path { .. } | Self::Copy { .. } => STORAGE_OPERATION_FAILED,
            Self::Missing { .. } | Self::NoArtifact(_) => INCLUDE_UNAVAILABLE,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Path { .. } => reason::ILLEGAL_PATH,
            Self::Copy { .. } => reason::COPY_FAILURE,
            Self::Missing { .. } => reason::NOT_FOUND,
            Self::NoArtifact(_) => reason::NO_ARTIFACT,
        }
    }

    fn is_terminal(&self) -> bool {
        false
    }

    fn is_waiting(&self) -> bool {
        match self {
            Self::Missing { .. } | Self::NoArtifact(_) => true,
            Self::Path { .. } | Self::Copy { .. } => false,
        }
    }
}

impl SourceError for GitError {
    fn condition(&self) -> &'static str {
        match self {
            Self::Include(error) => error.condition(),
            Self::Verification(error) => error.condition(),
            Self::Url(_) | Self::Credentials { .. } | Self::Empty { .. } | Self::Clone { .. } => FETCH_FAILED,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Url(_) => reason::URL_INVALID,
            Self::Credentials { .. } => reason::AUTHENTICATION_FAILED,
            Self::Empty { .. } => reason::EMPTY_GIT_REPOSITORY,
            Self::Clone { source: CloneError::App { .. } | CloneError::Identity(_), .. } => {
                reason::AUTHENTICATION_FAILED
            }
            Self::Verification(error) => error.reason(),
            Self::Clone { .. } => reason::GIT_OPERATION_FAILED,
            Self::Include(error) => error.reason(),
        }
    }

    fn is_terminal(&self) -> bool {
        match self {
            Self::Url(_) => true,
            Self::Verification(error) => error.is_terminal(),
            Self::Credentials { .. } | Self::Empty { .. } | Self::Clone { .. } | Self::Include(_) => false,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Url(GitUrlError::Scheme) => {
                Some("write `ssh://git@host/path` in place of `git@host:path`".to_owned())
            }
            Self::Url(_) | Self::Include(_) => None,
            Self::Credentials { source, .. } => source.hint(),
            Self::Empty { .. } => Some("push a first commit".to_owned()),
            Self::Verification(error) => error.hint(),
            Self::Clone { source, .. } => source.hint(),
        }
    }
}

/// A failure that does not know yet at which repository it happened.
pub(super) enum Failure {
    Credentials(CredentialError),
    Empty,
    Verification(GitVerificationError),
    Clone(CloneError),
    Include(IncludeError),
}

impl Failure {
    pub(super) fn at(self, url: &GitUrl) -> GitError {
        let url = url.clone();
        match self {
            Self::Credentials(source) => GitError::Credentials { url, source },
            Self::Empty => GitError::Empty { url },
            Self::Verification(error) => GitError::Verification(error),
            Self::Clone(source) => GitError::Clone { url, source },
            Self::Include(error) => GitError::Include(error),
        }
    }
}

impl From<CredentialError> for Failure {
    fn from(error: CredentialError) -> Self {
        Self::Credentials(error)
    }
}

impl From<GitVerificationError> for Failure {
    fn from(error: GitVerificationError) -> Self {
        Self::Verification(error)
    }
}

impl From<CloneError> for Failure {
    fn from(error: CloneError) -> Self {
        Self::Clone(error)
    }
}

impl From<DeadlinePassed> for CloneError {
    fn from(passed: DeadlinePassed) -> Self {
        Self::Transport(passed.into())
    }
}

/// What failed between the first byte sent to a server and the last file stored.
#[derive(Debug, thiserror::Error)]
pub enum CloneError {
    /// The followed branch or tag does not exist.
    #[error("couldn't find remote ref \"{0}\"")]
    RefMissing(String),
    /// No ref has the followed name.
    #[error("unable to resolve ref '{0}' to a specific commit")]
    NameUnresolved(String),
    /// No tag is a version within the range.
    #[error("no match found for semver: {0}")]
    NoVersion(String),
    /// The range cannot be read.
    #[error("malformed semver range `{range}`")]
    MalformedRange {
        /// The range as written.
        range: String,
        /// What is wrong with it.
        source: VersionRangeError,
    },
    /// `spec.ref.commit` is not a full id.
    #[error("`{0}` is not a commit id of 40 hex digits")]
    MalformedCommit(String),
    /// The server does not give out the commit.
    #[error("object not found: the server has no commit {0}")]
    CommitMissing(String),
    /// What the ref names is a file or a tree.
    #[error("{0} is not a commit")]
    NotCommit(String),
    /// The server wants credentials, and none were sent.
    #[error("authentication required: {0}")]
    Unauthenticated(&'static str),
    /// The server does not accept the credentials, or they do not suffice.
    #[error("authorization failed: {0}")]
    Unauthorized(&'static str),
    /// GitHub does not give its app a token.
    #[error("GitHub gives its app no token: HTTP status {status}: {said}")]
    App {
        /// The status.
        status: u16,
        /// What GitHub says.
        said: String,
    },
    /// The identity of this process gives no access.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// There is no repository, or none that these credentials may see.
    #[error("repository not found")]
    NotFound,
    /// The server's key is not the one in `known_hosts`.
    #[error("ssh: handshake failed: knownhosts: key mismatch: {host} has {got} and should have {expected}")]
    HostKeyMismatch {
        /// The host, with its port where it is not 22.
        host: String,
        /// The fingerprints of the keys that `known_hosts` names for the host.
        expected: String,
        /// The fingerprint of the server's key.
        got: String,
    },
    /// `known_hosts` names no key for the host.
    #[error("ssh: handshake failed: knownhosts: key is unknown: {host} has {got}")]
    HostKeyUnknown {
        /// The host, with its port where it is not 22.
        host: String,
        /// The fingerprint of the server's key.
        got: String,
    },
    /// `known_hosts` revokes the server's key.
    #[error("ssh: handshake failed: knownhosts: key is revoked: {host} has {got}")]
    HostKeyRevoked {
        /// The host, with its port where it is not 22.
        host: String,
        /// The fingerprint of the server's key.
        got: String,
    },
    /// The server does not take the key.
    #[error("ssh: handshake failed: ssh: unable to authenticate: the server does not accept the key")]
    KeyRefused,
    /// SSH failed otherwise.
    #[error("ssh: {0}")]
    Ssh(String),
    /// No bytes got to the server or back, or not in time.
    #[error(transparent)]
    Transport(#[from] TransportError),
    /// An HTTP status that says nothing more specific.
    #[error("unexpected response: HTTP status {0}")]
    Status(u16),
    /// The server does not speak Git's smart protocol, or not as it should.
    #[error("protocol error: {0}")]
    Protocol(String),
    /// The server says why.
    #[error("remote: {0}")]
    Remote(String),
    /// Something is larger than a source may be.
    #[error("{what} exceeds the limit of {limit}")]
    Limit {
        /// What is too large; names the file where it is one.
        what: String,
        /// The limit, with its unit.
        limit: String,
    },
    /// A name in the repository cannot be a name in an artifact.
    #[error("the repository holds `{path}`, {problem}")]
    Name {
        /// The path, with what cannot be shown escaped.
        path: String,
        /// Why it is refused.
        problem: &'static str,
    },
    /// A directory of a sparse checkout is not there.
    #[error("failed to sparse checkout directories : sparse checkout dir '{0}' does not exist in repository")]
    SparseMissing(String),
    /// A submodule could not be fetched.
    #[error("submodule `{path}`")]
    Submodule {
        /// Its path.
        path: String,
        /// What failed.
        source: Box<CloneError>,
    },
    /// `.gitmodules` does not say where a submodule is.
    #[error("`.gitmodules` names no URL for it")]
    SubmoduleUnknown,
    /// It names a URL that is not asked.
    #[error("the URL that `.gitmodules` names {problem}")]
    SubmoduleUrl {
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The pack is broken, or an object in it is missing.
    #[error("the fetched objects cannot be read: {0}")]
    Objects(String),
    /// The folder for what is being fetched cannot be used.
    #[error("cannot keep what is being fetched")]
    Scratch(#[source] io::Error),
    /// The artifact cannot be stored.
    #[error("cannot store the fetched files")]
    Store(#[from] StoreError),
}

impl CloneError {
    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::RefMissing(_) | Self::NameUnresolved(_) => "check `spec.ref`, or whether the ref was deleted",
            Self::NoVersion(_) => {
                "a tag must be three numbers, with or without `v`; pre-releases need a range such as `>=1.0.0-0`"
            }
            Self::CommitMissing(_) => {
                "it may be gone after a forced push; name a branch, or a commit that a ref still reaches"
            }
            Self::Unauthenticated(_) => "name a Secret with credentials in `spec.secretRef`",
            Self::Unauthorized(_) => "check that the credentials in `spec.secretRef` are valid and not expired",
            Self::App { .. } => "check `githubAppID`, the installation and the key in the Secret",
            Self::NotFound => "check the URL, and that the credentials may read the repository",
            Self::HostKeyMismatch { .. } => {
                "make sure that the server's key was changed on purpose, then update `known_hosts` in the Secret"
            }
            Self::HostKeyUnknown { .. } => {
                "add the host to `known_hosts` in the Secret, with `[host]:port` where the port is not 22"
            }
            Self::Submodule { source, .. } => return source.hint(),
            Self::SparseMissing(_) => "check `spec.sparseCheckout`",
            Self::KeyRefused => "add the public key to the repository's deploy keys",
            Self::Transport(TransportError::Tls(_)) => {
                "name the server's CA as `ca.crt` in the Secret, and check that the certificate is for this host"
            }
            Self::Limit { .. } => "leave files out with `spec.ignore` or `.sourceignore`, or keep them elsewhere",
            Self::Transport(TransportError::Timeout(_)) => "raise `spec.timeout` if the repository is large",
            Self::MalformedRange { .. }
            | Self::MalformedCommit(_)
            | Self::NotCommit(_)
            | Self::Identity(_)
            | Self::HostKeyRevoked { .. }
            | Self::Ssh(_)
            | Self::Transport(
                TransportError::Connect { .. }
                | TransportError::Egress(_)
                | TransportError::Proxy { .. }
                | TransportError::Redirect { .. }
                | TransportError::Protocol(_),
            )
            | Self::Status(_)
            | Self::Protocol(_)
            | Self::Remote(_)
            | Self::Name { .. }
            | Self::SubmoduleUnknown
            | Self::SubmoduleUrl { .. }
            | Self::Objects(_)
            | Self::Scratch(_)
            | Self::Store(_) => return None,
        };
        Some(hint.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_outcome_has_the_reason_that_flux_gives() {
        let url = || GitUrl::parse("https://user:canary@example.com/r").expect("a URL");
        let rows = [
            (GitError::Url(GitUrlError::Scheme), "URLInvalid", true),
            (
                GitError::Credentials { url: url(), source: CredentialError::BasicAndBearer },
                "AuthenticationFailed",
                false,
            ),
            (GitError::Empty { url: url() }, "EmptyGitRepository", false),
            (GitError::Clone { url: url(), source: CloneError::NotFound }, "GitOperationFailed", false),
        ];
        for (error, reason, is_terminal) in rows {
            assert_eq!((error.reason(), error.is_terminal()), (reason, is_terminal), "{error}");
            assert!(!format!("{error} {error:?}").contains("canary"));
        }
    }
}
