//! Who an artifact belongs to.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::StoreError;

/// The source object that an artifact belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SourceKey {
    /// The object's kind.
    pub kind: SourceKind,
    /// The object's namespace.
    pub namespace: String,
    /// The object's name.
    pub name: String,
}

/// The kinds that have artifacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum SourceKind {
    /// A branch, tag or commit of a Git repository.
    GitRepository,
    /// A layer of an image in an OCI registry.
    #[serde(rename = "OCIRepository")]
    OciRepository,
    /// The objects of a bucket.
    Bucket,
    /// The index of a Helm repository.
    HelmRepository,
    /// A Helm chart.
    HelmChart,
    /// What another controller makes.
    ExternalArtifact,
}

impl SourceKind {
    const ALL: [Self; 6] = [
        Self::GitRepository,
        Self::OciRepository,
        Self::Bucket,
        Self::HelmRepository,
        Self::HelmChart,
        Self::ExternalArtifact,
    ];

    /// The kind's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::GitRepository => "GitRepository",
            Self::OciRepository => "OCIRepository",
            Self::Bucket => "Bucket",
            Self::HelmRepository => "HelmRepository",
            Self::HelmChart => "HelmChart",
            Self::ExternalArtifact => "ExternalArtifact",
        }
    }

    /// The kind's name in lower case, which is also the first folder of an artifact's path.
    pub const fn folder(self) -> &'static str {
        match self {
            Self::GitRepository => "gitrepository",
            Self::OciRepository => "ocirepository",
            Self::Bucket => "bucket",
            Self::HelmRepository => "helmrepository",
            Self::HelmChart => "helmchart",
            Self::ExternalArtifact => "externalartifact",
        }
    }

    /// The kind with that first folder.
    fn of_folder(folder: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.folder() == folder)
    }

    /// The part of `revision` that names the artifact's file: the commit, or the digest. Flux keeps the algorithm in
    /// the name for registries only.
    fn identity(self, revision: &str) -> &str {
        let separator = match self {
            Self::GitRepository | Self::Bucket | Self::HelmRepository => ':',
            Self::OciRepository => '@',
            Self::HelmChart | Self::ExternalArtifact => return revision,
        };
        revision.rsplit(separator).next().unwrap_or(revision)
    }
}

impl fmt::Display for SourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl SourceKey {
    /// Where the newest artifact is served, whatever its revision: `status.url`.
    pub fn newest_path(&self) -> Result<String, StoreError> {
        match self.kind {
            SourceKind::HelmRepository => self.path_of("index.yaml"),
            SourceKind::GitRepository
            | SourceKind::OciRepository
            | SourceKind::Bucket
            | SourceKind::HelmChart
            | SourceKind::ExternalArtifact => self.path_of("latest.tar.gz"),
        }
    }

    /// The name of the archive of `revision`, in Flux's form: `<commit or digest>.tar.gz`.
    pub(crate) fn archive_name(&self, revision: &str) -> String {
        format!("{}.tar.gz", self.kind.identity(revision))
    }

    /// Where an artifact with that file name is served, in Flux's form: `<kind>/<namespace>/<name>/<file>`.
    pub(crate) fn path_of(&self, file_name: &str) -> Result<String, StoreError> {
        for part in [&self.namespace, &self.name, file_name] {
            let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'+');
            if part.is_empty() || part.starts_with('.') || !part.bytes().all(is_safe) {
                return Err(StoreError::Name { key: self.clone(), part: part.to_owned() });
            }
        }
        Ok(format!("{}/{}/{}/{file_name}", self.kind.folder(), self.namespace, self.name))
    }

    /// The source whose artifacts are served beside `path`.
    pub(crate) fn of_path(path: &str) -> Option<Self> {
        let mut parts = path.splitn(4, '/');
        let kind = SourceKind::of_folder(parts.next()?)?;
        let mut part = || parts.next().map(str::to_owned);
        Some(Self { kind, namespace: part()?, name: part()? })
    }
}

impl fmt::Display for SourceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.kind, self.namespace, self.name)
    }
}
