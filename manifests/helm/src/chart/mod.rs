//! Charts as they are written: metadata, default values, templates and files, and the charts inside of them.

mod archive;
mod cache;
mod decode;
mod error;
mod ignore;
mod load;
mod metadata;
mod package;
mod record;

pub use cache::ChartCache;
pub use error::ChartError;
pub use load::{Examined, examine, examine_archive, load, load_archive, load_metadata};
pub use metadata::{ChartType, Dependency, ImportValues, Maintainer, Metadata};
pub use package::{NoValuesFile, parse_values, version_with_metadata};

pub(crate) use decode::{as_text, document_problem, json_type};
pub(crate) use ignore::matches_glob;
pub(crate) use load::values;

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::{Arc, OnceLock},
};

use serde_json::{Map, Value as Json};

use crate::schema::Schema;
use crate::template::{ParseError, Template, parse, renamed};
use crate::value::Text;

/// Largest file of a chart, in bytes.
pub const MAX_FILE_BYTES: usize = 5 << 20;

/// Most bytes that all files of a chart may have together.
pub const MAX_CHART_BYTES: usize = 100 << 20;

/// Deepest nesting of charts in charts.
pub const MAX_CHART_DEPTH: usize = 32;

/// A chart with the charts that it carries along.
#[derive(Clone, Debug, Default)]
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
    pub(crate) schema: Option<Schema>,
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
    /// The templates in it, once it was parsed: a chart is parsed for the first of its releases, and a file that several
    /// charts have is parsed once.
    parsed: Arc<OnceLock<Parsed>>,
}

/// The templates in a file.
#[derive(Clone, Debug)]
struct Parsed {
    /// What the file was called, which is part of the templates.
    name: String,
    templates: Result<Vec<Arc<Template>>, ParseError>,
}

impl Chart {
    /// Parses its templates and those of the charts inside as they are called where nothing is renamed, until `stop` says
    /// so. What is wrong with one is told to whoever asks for it.
    pub(crate) fn parse_ahead(&self, stop: &dyn Fn() -> bool) {
        self.parse_ahead_at(&self.metadata.name, stop);
    }

    /// Has templates parsed once that several charts inside have, as those of a library are that each carries along.
    fn share_templates(&mut self, seen: &mut BTreeMap<String, File>) {
        for file in &mut self.templates {
            match seen.entry(file.path.clone()) {
                Entry::Occupied(first) => file.share(first.get()),
                Entry::Vacant(place) => _ = place.insert(file.clone()),
            }
        }
        self.dependencies.iter_mut().for_each(|inside| inside.share_templates(seen));
    }

    fn parse_ahead_at(&self, path: &str, stop: &dyn Fn() -> bool) {
        for file in &self.templates {
            if stop() {
                return;
            }
            drop(file.templates(&format!("{path}/{}", file.path)));
        }
        for inside in &self.dependencies {
            let asked = self.metadata.dependencies.iter().flatten();
            let asked = asked.into_iter().find(|dependency| dependency.name == inside.metadata.name);
            let name = asked.map_or(inside.metadata.name.as_str(), Dependency::effective_name);
            inside.parse_ahead_at(&format!("{path}/charts/{name}"), stop);
        }
    }
}

impl File {
    fn new(path: String, content: Text) -> Self {
        Self { path, content, parsed: Arc::default() }
    }

    /// The templates in it, where it is called `name`.
    pub(crate) fn templates(&self, name: &str) -> Result<Vec<Arc<Template>>, ParseError> {
        let read = || Parsed { name: name.to_owned(), templates: parse(name, &self.content) };
        let Parsed { name: old_name, templates } = self.parsed.get_or_init(read);
        if old_name == name {
            return templates.clone();
        }
        // What is wrong with it is said with its name.
        let renamed = templates.as_ref().ok().and_then(|templates| renamed(templates, name));
        renamed.map_or_else(|| parse(name, &self.content), Ok)
    }

    /// Has the content of `other` parsed once for both, if it is the same.
    fn share(&mut self, other: &Self) {
        if self.content == other.content {
            self.content = other.content.clone();
            self.parsed = Arc::clone(&other.parsed);
        }
    }
}
