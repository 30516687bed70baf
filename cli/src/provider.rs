//! Who gives the credentials for a registry or a bucket: `--provider`.

use clap::ValueEnum;
use fairlead_sources::identity::Cloud;

/// Who gives the credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Provider {
    Generic,
    Aws,
    Azure,
    Gcp,
}

impl Provider {
    /// As `spec.provider` has it.
    pub(crate) fn written(self) -> &'static str {
        match self {
            Self::Generic => "generic",
            Self::Aws => "aws",
            Self::Azure => "azure",
            Self::Gcp => "gcp",
        }
    }

    /// The cloud whose identity is used; none where credentials are given otherwise.
    pub(crate) fn cloud(self) -> Option<Cloud> {
        match self {
            Self::Generic => None,
            Self::Aws => Some(Cloud::Aws),
            Self::Azure => Some(Cloud::Azure),
            Self::Gcp => Some(Cloud::Gcp),
        }
    }
}
