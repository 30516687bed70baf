//! Why a plugin cannot be used.

use std::error::Error;

use fairlead_object::TreePath;

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
    /// A chart cannot be rendered.
    #[error("{at}: cannot render the chart `{chart}`")]
    Chart {
        /// Where it is asked for.
        at: At,
        /// Its folder.
        chart: TreePath,
        /// Why.
        source: Box<dyn Error + Send + Sync>,
    },
    /// A chart would have to be fetched.
    #[error("{at}: `repo` is not supported: no chart found at '/{}', and nothing is fetched from {repo}", path.as_str())]
    RemoteChart {
        /// Where it is asked for.
        at: At,
        /// Where kustomize would fetch it from.
        repo: String,
        /// Where it is looked for.
        path: TreePath,
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
            Self::RemoteChart { path, .. } => {
                Some(format!("keep the chart in the source, unpacked at `{path}`, or render it as a HelmRelease"))
            }
            Self::External { .. }
            | Self::Unknown { .. }
            | Self::Bad { .. }
            | Self::Chart { .. }
            | Self::ValidatorChanges { .. } => None,
        }
    }
}
