//! Charts as they are written: metadata, default values, templates and files, and the charts inside of them.

mod archive;
mod decode;
mod error;
mod ignore;
mod load;
mod metadata;
mod package;

pub use error::ChartError;
pub use load::{load, load_archive, load_metadata};
pub use metadata::{ChartType, Dependency, ImportValues, Maintainer, Metadata};
pub use package::{NoValuesFile, parse_values, version_with_metadata};

pub(crate) use decode::{as_text, document_problem, json_type};
pub(crate) use ignore::matches_glob;
pub(crate) use load::values;

use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value as Json};

use crate::template::{ParseError, Template, parse};
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
    /// The content of `values.yaml`, if it has one.
    pub(crate) values_file: Option<Text>,
    /// Which charts it was last built with: `Chart.lock`, or `requirements.lock` in old charts.
    pub(crate) lock: Option<Lock>,
    /// The content of `values.schema.json`.
    pub(crate) schema: Option<Text>,
    /// The files below `templates`.
    pub templates: Vec<File>,
    /// All files that have no other meaning; templates may read them.
    pub files: Vec<File>,
    /// The charts in `charts`.
    pub dependencies: Vec<Chart>,
}

/// Which charts a chart was last built with.
#[derive(Clone, Debug)]
pub(crate) struct Lock {
    /// As it is written.
    pub(crate) content: Text,
    /// The charts.
    pub(crate) dependencies: Vec<Dependency>,
}

/// A file of a chart.
#[derive(Clone, Debug)]
pub struct File {
    /// Its path inside the chart.
    pub path: String,
    /// Its content.
    pub(crate) content: Text,
    /// The templates in it, once it was parsed: a chart is parsed for the first of its releases.
    pub(crate) parsed: OnceLock<Parsed>,
}

/// The templates in a file.
#[derive(Clone, Debug)]
pub(crate) struct Parsed {
    /// What the file was called, which is part of the templates; a chart that is used twice has two names.
    pub name: String,
    /// The templates.
    pub templates: Vec<Arc<Template>>,
}

impl File {
    fn new(path: String, content: Text) -> Self {
        Self { path, content, parsed: OnceLock::new() }
    }

    /// The templates in it, where it is called `name`.
    pub(crate) fn templates(&self, name: &str) -> Result<Vec<Arc<Template>>, ParseError> {
        if let Some(parsed) = self.parsed.get().filter(|parsed| parsed.name == name) {
            return Ok(parsed.templates.clone());
        }
        let templates = parse(name, &self.content)?;
        // Under another name it is parsed again.
        drop(self.parsed.set(Parsed { name: name.to_owned(), templates: templates.clone() }));
        Ok(templates)
    }
}
