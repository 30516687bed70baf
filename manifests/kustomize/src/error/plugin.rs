//! Why a plugin cannot be used.

use super::BuildError;
use crate::at::At;

/// Why an entry of `generators`, `transformers` or `validators` cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PluginError {
    /// A plugin would be a program.
    #[error("{at}: external plugins disabled; unable to load external plugin '{kind}'")]
    External {
        /// The plugin's configuration.
        at: At,
        /// Its kind.
        kind: String,
    },
    /// There is no such plugin.
    #[error("{at}: unable to load builtin {gvk}")]
    Unknown {
        /// The plugin's configuration.
        at: At,
        /// Its version and kind.
        gvk: String,
    },
    /// A plugin cannot be configured.
    #[error("{at}: trouble configuring builtin {kind}")]
    Configuration {
        /// The plugin's configuration.
        at: At,
        /// Its kind.
        kind: String,
        /// Why.
        source: Box<BuildError>,
    },
    /// A plugin's configuration is incomplete or contradicts itself.
    #[error("{at}: {problem}")]
    Bad {
        /// The configuration.
        at: At,
        /// What is wrong.
        problem: String,
    },
    /// A validator changed an object.
    #[error("{at}: validator {id} shouldn't modify the resource map")]
    ValidatorChanges {
        /// The validator's configuration.
        at: At,
        /// Its id.
        id: String,
    },
}

impl PluginError {
    /// What the reader can try, where the failure suggests it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Configuration { source, .. } => source.hint(),
            Self::External { .. } | Self::Unknown { .. } | Self::Bad { .. } | Self::ValidatorChanges { .. } => None,
        }
    }
}
