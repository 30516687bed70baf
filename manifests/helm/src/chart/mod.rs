//! Charts as they are written: metadata, default values, templates and files, and the charts inside of them.

mod archive;
mod decode;
mod error;
mod ignore;
mod load;
mod metadata;

pub use error::ChartError;
pub use load::{load, load_archive};
pub use metadata::{ChartType, Dependency, ImportValues, Maintainer, Metadata};

pub(crate) use decode::{as_text, document_problem};
pub(crate) use ignore::matches_glob;
pub(crate) use load::values;

use serde_json::{Map, Value as Json};

use crate::value::Text;

/// Largest file of a chart, in bytes.
pub const MAX_FILE_BYTES: usize = 5 << 20;

/// Most bytes that all files of a chart may have together.
pub const MAX_CHART_BYTES: usize = 100 << 20;

/// Deepest nesting of charts in charts.
pub const MAX_CHART_DEPTH: usize = 32;

/// A chart with the charts that it carries along.
#[derive(Clone, Debug)]
pub struct Chart {
    /// Its folder or archive inside the chart that carries it along, as `charts/redis`; empty for the outermost.
    pub folder: String,
    /// What `Chart.yaml` says.
    pub metadata: Metadata,
    /// What `values.yaml` says.
    pub values: Map<String, Json>,
    /// The content of `values.yaml`.
    pub(crate) values_file: Text,
    /// The content of `values.schema.json`.
    pub(crate) schema: Option<Text>,
    /// The files below `templates`.
    pub templates: Vec<File>,
    /// All files that have no other meaning; templates may read them.
    pub files: Vec<File>,
    /// The charts in `charts`.
    pub dependencies: Vec<Chart>,
}

/// A file of a chart.
#[derive(Clone, Debug)]
pub struct File {
    /// Its path inside the chart.
    pub path: String,
    /// Its content.
    pub(crate) content: Text,
}
