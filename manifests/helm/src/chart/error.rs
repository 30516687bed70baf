//! Why a chart cannot be loaded.

use fairlead_object::TreeError;

/// Why a chart cannot be loaded, in Helm's own words.
#[derive(Debug, thiserror::Error)]
pub enum ChartError {
    /// A file of it could not be read.
    #[error("cannot read the chart")]
    Tree(#[from] TreeError),
    /// There is no `Chart.yaml`.
    #[error("Chart.yaml file is missing")]
    NoChartFile,
    /// A file is no YAML, or none of the expected form.
    #[error("cannot load {file}: {problem}")]
    File {
        /// The file.
        file: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// It is written for another version of Helm.
    #[error("{0}")]
    Unsupported(&'static str),
    /// The metadata is refused.
    #[error("validation: {0}")]
    Metadata(String),
    /// `.helmignore` is refused.
    #[error("{0}")]
    Ignore(String),
    /// A chart inside cannot be loaded.
    #[error("error unpacking subchart {name} in {parent}: {source}")]
    Subchart {
        /// Its file or folder.
        name: String,
        /// The chart it is in.
        parent: String,
        /// What is wrong with it.
        source: Box<ChartError>,
    },
    /// An archive is none, or holds what it must not.
    #[error("{0}")]
    Archive(String),
    /// A file or the whole chart is too large.
    #[error("{0}")]
    TooLarge(String),
}
