//! Folders and archives to charts.

use std::collections::BTreeMap;

use fairlead_object::{EntryKind, Tree, TreePath};
use serde_json::{Map, Value as Json};

use super::decode::{self, Fields, document_problem, json_type};
use super::ignore::{Ignore, PathKind};
use super::metadata::{BAD_TYPE, locked};
use super::{Chart, ChartError, File, Lock, MAX_CHART_BYTES, MAX_CHART_DEPTH, MAX_FILE_BYTES, Metadata, archive};
use crate::codec::yaml;
use crate::halves::halved;
use crate::schema::Schema;

/// Deepest folder inside a chart.
const MAX_FOLDER_DEPTH: usize = 64;

/// A chart as far as it can be read.
#[derive(Debug)]
pub struct Examined {
    /// What could be read.
    pub chart: Chart,
    /// All that is wrong with it, in the order in which it is found.
    pub errors: Vec<ChartError>,
}

impl Examined {
    fn of(files: Vec<File>, mut errors: Vec<ChartError>) -> Self {
        let mut chart = assembled(files, 0, &mut errors);
        chart.share_templates(&mut BTreeMap::new());
        Self { chart, errors }
    }

    fn sound(self) -> Result<Chart, ChartError> {
        self.errors.into_iter().next().map_or(Ok(self.chart), Err)
    }
}

/// Reads the chart in the folder `path` of `tree`.
pub fn load(tree: &dyn Tree, path: &TreePath) -> Result<Chart, ChartError> {
    examine(tree, path)?.sound()
}

/// Reads a chart that is packed as `.tgz`.
pub fn load_archive(content: &[u8]) -> Result<Chart, ChartError> {
    examine_archive(content)?.sound()
}

/// Reads the chart in the folder `path` of `tree` as far as it goes.
///
/// # Errors
/// If files cannot be read, or are more than a chart may have.
pub fn examine(tree: &dyn Tree, path: &TreePath) -> Result<Examined, ChartError> {
    let ignore = path.join(".helmignore");
    let rules = if tree.entry(&ignore)?.is_some_and(|entry| entry.kind == EntryKind::File) {
        String::from_utf8_lossy(&tree.read(&ignore)?).into_owned()
    } else {
        String::new()
    };
    let mut errors = Vec::new();
    let ignore = noted(Ignore::parse(&rules).map_err(ChartError::Ignore), &mut errors).unwrap_or_default();
    let mut walk = Walk { tree, ignore, files: Vec::new(), bytes: 0 };
    walk.folder(path, "", 0)?;
    Ok(Examined::of(walk.files, errors))
}

/// Reads a chart that is packed as `.tgz` as far as it goes.
///
/// # Errors
/// If it is no archive of a chart.
pub fn examine_archive(content: &[u8]) -> Result<Examined, ChartError> {
    Ok(Examined::of(archive::unpack(content)?, Vec::new()))
}

/// Keeps what is wrong in `errors`.
fn noted<T>(outcome: Result<T, ChartError>, errors: &mut Vec<ChartError>) -> Option<T> {
    outcome.map_err(|error| errors.push(error)).ok()
}

/// Reads what the chart in the folder `path` of `tree` says of itself, and nothing else of it.
pub fn load_metadata(tree: &dyn Tree, path: &TreePath) -> Result<Metadata, ChartError> {
    let mut files = Vec::new();
    for name in ["Chart.yaml", "requirements.yaml"] {
        let at = path.join(name);
        if tree.entry(&at)?.is_some_and(|entry| entry.kind == EntryKind::File) {
            files.push(File::new(name.to_owned(), tree.read(&at)?.into()));
        }
    }
    Ok(from_files(files, 0)?.metadata)
}

struct Walk<'t> {
    tree: &'t dyn Tree,
    ignore: Ignore,
    files: Vec<File>,
    bytes: usize,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &TreePath, inside: &str, depth: usize) -> Result<(), ChartError> {
        if depth > MAX_FOLDER_DEPTH {
            return Err(ChartError::TooLarge(format!("`{folder}` lies deeper than {MAX_FOLDER_DEPTH} folders")));
        }
        for entry in self.tree.list(folder)? {
            let path = if inside.is_empty() { entry.name.clone() } else { format!("{inside}/{}", entry.name) };
            let at = folder.join(&entry.name);
            match entry.kind {
                EntryKind::Directory if self.ignore.is_ignored(&path, PathKind::Directory) => {}
                EntryKind::Directory => self.folder(&at, &path, depth + 1)?,
                EntryKind::File if self.ignore.is_ignored(&path, PathKind::File) => {}
                EntryKind::File => self.file(&at, path)?,
            }
        }
        Ok(())
    }

    fn file(&mut self, at: &TreePath, path: String) -> Result<(), ChartError> {
        let content = self.tree.read(at)?;
        if content.len() > MAX_FILE_BYTES {
            let name = crate::fmt::quote(path.as_bytes());
            let message = format!("chart file {name} is larger than the maximum file size {MAX_FILE_BYTES}");
            return Err(ChartError::TooLarge(message));
        }
        self.bytes += content.len();
        if self.bytes > MAX_CHART_BYTES {
            return Err(ChartError::TooLarge(format!("the chart has more than {MAX_CHART_BYTES} bytes")));
        }
        let content = match content.strip_prefix(BYTE_ORDER_MARK) {
            Some(rest) => rest.into(),
            None => content.into(),
        };
        self.files.push(File::new(path, content));
        Ok(())
    }
}

const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

pub(super) fn without_byte_order_mark(content: &[u8]) -> &[u8] {
    content.strip_prefix(BYTE_ORDER_MARK).unwrap_or(content)
}

/// The chart of `files`, which is the one that is `depth` charts deep.
pub(super) fn from_files(files: Vec<File>, depth: usize) -> Result<Chart, ChartError> {
    let mut errors = Vec::new();
    let chart = assembled(files, depth, &mut errors);
    Examined { chart, errors }.sound()
}

/// Sorts the files of a chart by what they mean, and notes what is wrong with them.
fn assembled(files: Vec<File>, depth: usize, errors: &mut Vec<ChartError>) -> Chart {
    let mut chart = Chart::default();
    if depth > MAX_CHART_DEPTH {
        errors.push(ChartError::TooLarge(format!("charts are nested deeper than {MAX_CHART_DEPTH}")));
        return chart;
    }
    let errors_before = errors.len();
    let metadata = files.iter().find(|file| file.path == "Chart.yaml");
    let has_metadata = metadata.is_some();
    if let Some(file) = metadata {
        let is_known = if depth == 0 { check_base(file) } else { Ok(()) };
        noted(is_known.and_then(|()| read_metadata(&mut chart.metadata, file, "Chart.yaml")), errors);
        if chart.metadata.api_version.is_empty() {
            "v1".clone_into(&mut chart.metadata.api_version);
        }
    }
    let is_readable = errors.len() == errors_before;
    let mut inside: BTreeMap<String, Vec<File>> = BTreeMap::new();
    for file in files {
        noted(place(&mut chart, &mut inside, file), errors);
    }
    if !has_metadata {
        errors.push(ChartError::NoChartFile);
    } else if is_readable {
        noted(chart.metadata.validate().map_err(ChartError::Metadata), errors);
    }
    for Inside { name, chart: loaded, errors: inner } in loaded_inside(inside.into_iter().collect(), depth) {
        errors.extend(inner.into_iter().map(|error| ChartError::Subchart {
            name: name.clone(),
            parent: chart.metadata.name.clone(),
            source: Box::new(error),
        }));
        chart.dependencies.extend(loaded.map(|inside| Chart { folder: format!("charts/{name}"), ..inside }));
    }
    chart
}

/// An entry of `charts`, and what is wrong with it.
struct Inside {
    name: String,
    /// `None` if it is not meant to be a chart.
    chart: Option<Chart>,
    errors: Vec<ChartError>,
}

/// Fewest bytes of charts that two threads load.
const MIN_SHARED_BYTES: usize = 256 << 10;

/// Loads the entries of `charts`, each with its files, in a chart that is `depth` charts deep.
fn loaded_inside(entries: Vec<(String, Vec<File>)>, depth: usize) -> Vec<Inside> {
    let load = |entries: Vec<(String, Vec<File>)>| {
        let loaded = entries.into_iter().map(|(name, files)| {
            let mut errors = Vec::new();
            let chart = subchart(&name, files, depth, &mut errors);
            Inside { name, chart, errors }
        });
        loaded.collect::<Vec<_>>()
    };
    let bytes_of = |(_, files): &(String, Vec<File>)| files.iter().map(|file| file.content.len()).sum();
    let min_bytes = if depth == 0 { MIN_SHARED_BYTES } else { usize::MAX };
    let (mut loaded, rest) = halved(entries, min_bytes, bytes_of, load);
    loaded.extend(rest.into_iter().flatten());
    loaded
}

/// Refuses what Helm does not know how to load. Of charts inside it does not ask.
fn check_base(file: &File) -> Result<(), ChartError> {
    let problem = |problem: String| ChartError::File { file: "Chart.yaml", problem };
    let object = decode::object(&file.content, "loader.chartBase").map_err(problem)?;
    let fields = Fields { name: "chartBase", object: &object };
    match fields.text("apiVersion").map_err(problem)?.as_str() {
        "" | "v1" | "v2" => Ok(()),
        "v3" => Err(ChartError::Unsupported("invalid chart apiVersion")),
        _ => Err(ChartError::Unsupported("unsupported chart version")),
    }
}

fn read_metadata(metadata: &mut Metadata, file: &File, name: &'static str) -> Result<(), ChartError> {
    let object = decode::object(&file.content, "chart.Metadata");
    let read = object.and_then(|object| metadata.read(&object));
    read.map_err(|problem| match problem {
        problem if problem == BAD_TYPE => ChartError::Metadata(problem),
        problem => match problem.strip_prefix("validation: ") {
            Some(problem) => ChartError::Metadata(problem.to_owned()),
            None => ChartError::File { file: name, problem },
        },
    })
}

#[expect(clippy::case_sensitive_file_extension_comparisons, reason = "Helm compares them so")]
fn place(chart: &mut Chart, inside: &mut BTreeMap<String, Vec<File>>, file: File) -> Result<(), ChartError> {
    match file.path.as_str() {
        "Chart.yaml" => {}
        "Chart.lock" => chart.lock = Some(read_lock(&file, "Chart.lock")?),
        "values.yaml" => {
            let values = values(&file.content);
            chart.values = values.map_err(|problem| ChartError::File { file: "values.yaml", problem })?;
            chart.values_file = Some(file.content);
        }
        "values.schema.json" => chart.schema = Some(Schema::new(file.content)),
        "requirements.yaml" => {
            read_metadata(&mut chart.metadata, &file, "requirements.yaml")?;
            keep_for_v1(chart, file);
        }
        "requirements.lock" => {
            chart.lock = Some(read_lock(&file, "requirements.lock")?);
            keep_for_v1(chart, file);
        }
        path if path.starts_with("templates/") => chart.templates.push(file),
        path => match path.strip_prefix("charts/") {
            Some(below) if !path.ends_with(".prov") => {
                let (name, rest) = below.split_once('/').unwrap_or((below, ""));
                let (name, path) = (name.to_owned(), rest.to_owned());
                inside.entry(name).or_default().push(File { path, ..file });
            }
            _ => chart.files.push(file),
        },
    }
    Ok(())
}

fn read_lock(file: &File, name: &'static str) -> Result<Lock, ChartError> {
    let lock = decode::object(&file.content, "chart.Lock").and_then(|object| locked(&object));
    let dependencies = lock.map_err(|problem| ChartError::File { file: name, problem })?;
    Ok(Lock { content: file.content.clone(), dependencies })
}

fn keep_for_v1(chart: &mut Chart, file: File) {
    if chart.metadata.api_version == "v1" {
        chart.files.push(file);
    }
}

/// The chart of an entry of `charts`; `None` if it is not meant to be one.
#[expect(clippy::case_sensitive_file_extension_comparisons, reason = "Helm compares them so")]
fn subchart(name: &str, files: Vec<File>, depth: usize, errors: &mut Vec<ChartError>) -> Option<Chart> {
    if name.starts_with(['_', '.']) {
        return None;
    }
    let files = if name.ends_with(".tgz") {
        let missing = || ChartError::Archive(format!("error unpacking subchart tar: expected {name}"));
        let file = files.into_iter().find(|file| file.path.is_empty()).ok_or_else(missing);
        noted(file.and_then(|file| archive::unpack(&file.content)), errors)?
    } else {
        // A file that lies directly in `charts` is none.
        files.into_iter().filter(|file| !file.path.is_empty()).collect()
    };
    Some(assembled(files, depth + 1, errors))
}

/// All documents of a values file, later ones merged over earlier ones; an error in Helm's words.
pub(crate) fn values(text: &[u8]) -> Result<Map<String, Json>, String> {
    let text = String::from_utf8_lossy(text);
    let problem = |problem: String| format!("cannot unmarshal yaml document: {problem}");
    let mut values = Map::new();
    for document in yaml_documents(&text) {
        let json = yaml::first_json(document).map_err(|error| problem(document_problem(&error)))?;
        match json.unwrap_or(Json::Null) {
            Json::Null => {}
            Json::Object(object) => merge(&mut values, object),
            other => {
                let word = json_type(&other);
                return Err(problem(format!(
                    "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {word} into Go value of type map[string]interface {{}}"
                )));
            }
        }
    }
    Ok(values)
}

/// Splits a text at its lines that begin with `---`.
fn yaml_documents(text: &str) -> Vec<&str> {
    let (mut documents, mut start, mut offset) = (Vec::new(), 0, 0);
    for line in text.split_inclusive('\n') {
        let is_separator = line.strip_prefix("---").is_some_and(|rest| rest.trim_end().is_empty());
        if is_separator {
            documents.push(&text[start..offset]);
            start = offset + line.len();
        }
        offset += line.len();
    }
    documents.push(&text[start..]);
    documents
}

/// Merges `over` into `values`: maps are merged, anything else is replaced, a null included.
pub(super) fn merge(values: &mut Map<String, Json>, over: Map<String, Json>) {
    for (key, value) in over {
        match (values.get_mut(&key), value) {
            (Some(Json::Object(old)), Json::Object(new)) => merge(old, new),
            (_, value) => {
                values.insert(key, value);
            }
        }
    }
}
