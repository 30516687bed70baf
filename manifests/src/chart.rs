//! Charts: from a chart in a tree and the values of a release to manifests.
//!
//! [`render_chart`] is a pure function of a tree, a [`ChartRequest`] and a [`World`]. [`attempt_chart`] does the same, and
//! says what it has looked at even if it fails: what of the tree, and what of the values.

use std::fmt;

use fairlead_helm::{
    Chart, ChartCache, ChartError, Examined, Finding, Limits, PrintError, PrintOptions, Release, RenderError, Rendered,
    RenderedManifest, Severity, UserValues, ValuePath, ValuesChange, ValuesRead, World, examine, examine_archive, lint,
    lint_templates, load, load_archive, render, render_noting_values,
};
use fairlead_kustomize::FILE_NAMES;
use fairlead_object::{
    EntryKind, FieldPlaces, Manifest, ManifestError, Origin, PathHash, ReadSet, Recorder, Tree, TreeError, TreePath,
};
use fairlead_yaml::{Node, ParseError, ResolveError, Schema, Value, parse};

use crate::limits::Bounded;

/// The file that makes a directory a chart.
const CHART_FILE: &str = "Chart.yaml";

/// How the names of packed charts end.
const ARCHIVES: [&str; 2] = [".tgz", ".tar.gz"];

/// What a chart is rendered to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChartRequest {
    /// The chart: its directory, or the archive that it is packed in.
    pub path: TreePath,
    /// What it is rendered for.
    pub release: Release,
    /// The values that are given, in any order of kinds; later ones of one kind win.
    pub values: Vec<ValuesSource>,
}

/// Where values come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ValuesSource {
    /// A YAML file.
    File(TreePath),
    /// The text of a file, for the value at a path.
    TextOfFile {
        /// The path of the value, as `--set-file` has it.
        path: String,
        /// The file.
        file: TreePath,
    },
    /// The request itself.
    Given(UserValues),
}

/// A chart that was rendered.
#[derive(Clone, Debug)]
pub struct RenderedChart {
    /// What it makes of its values.
    pub rendered: Rendered,
    path: TreePath,
}

/// What came of rendering a chart, and what that depended on.
#[derive(Debug)]
pub struct ChartAttempt {
    /// The chart, or why it could not be rendered.
    pub outcome: Result<RenderedChart, ChartBuildError>,
    /// What was looked at.
    pub inputs: ChartInputs,
}

/// What a rendering depended on: its request, what it looked at in the tree, and which values its templates read.
#[derive(Clone, Debug)]
pub struct ChartInputs {
    request: ChartRequest,
    reads: ReadSet,
    /// Unknown where the rendering failed.
    values: Option<ValuesRead>,
}

/// Why a chart must be rendered again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChartChange {
    /// Something else is asked.
    Request,
    /// Something in the tree is another: this file where it is one.
    Tree(Option<TreePath>),
    /// The values ask for other charts.
    Charts,
    /// This value, which a template read, is another.
    Value(ValuePath),
}

/// Why a chart could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum ChartBuildError {
    /// A file is not there, or cannot be read.
    #[error(transparent)]
    Tree(#[from] TreeError),
    /// It is no chart, or a broken one.
    #[error("cannot load the chart `{path}`")]
    Load {
        /// Where it is.
        path: TreePath,
        /// What is wrong with it.
        source: ChartError,
    },
    /// Its templates or the values for them are wrong.
    #[error("cannot render the chart `{path}`")]
    Render {
        /// Where it is.
        path: TreePath,
        /// What is wrong.
        source: RenderError,
    },
    /// A template that should be shown is not there.
    #[error(transparent)]
    Print(#[from] PrintError),
    /// What a template made is no YAML.
    #[error("{at}: the template makes no YAML")]
    Unparsed {
        /// The line of the template that makes the document.
        at: Origin,
        /// What is wrong with it.
        source: ParseError,
    },
    /// What a template made holds what JSON cannot.
    #[error("{at}: cannot read the object")]
    Unreadable {
        /// The line of the template that makes it.
        at: Origin,
        /// What it holds.
        source: ResolveError,
    },
    /// What a template made is no object.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

impl ChartBuildError {
    /// What the reader can look at or try, where the failure suggests it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Render { source, .. } => source.hint(),
            Self::Tree(_)
            | Self::Load { .. }
            | Self::Print(_)
            | Self::Unparsed { .. }
            | Self::Unreadable { .. }
            | Self::Manifest(_) => None,
        }
    }
}

/// Whether a chart is at `path`: an archive, or a directory with a `Chart.yaml`. A directory with a kustomization file is
/// built as that says, which may name the chart.
pub fn is_chart(tree: &dyn Tree, path: &TreePath) -> Result<bool, TreeError> {
    let is_file = |path: &TreePath| Ok(tree.entry(path)?.is_some_and(|entry| entry.kind == EntryKind::File));
    if is_file(path)? {
        return Ok(ARCHIVES.iter().any(|ending| path.as_str().ends_with(ending)));
    }
    for name in FILE_NAMES {
        if is_file(&path.join(name))? {
            return Ok(false);
        }
    }
    is_file(&path.join(CHART_FILE))
}

/// Renders what `request` asks for from `tree`. Equal inputs in an equal world give equal manifests, byte for byte.
///
/// # Errors
/// If it is no chart, or if it cannot be rendered.
pub fn render_chart(
    tree: &dyn Tree,
    request: &ChartRequest,
    world: &(dyn World + Sync),
) -> Result<RenderedChart, ChartBuildError> {
    let (chart, values) = inputs(&Bounded::new(tree), request)?;
    let rendered = render(&chart, &request.release, &values, world, Limits::default());
    request.outcome(rendered)
}

/// Loads the chart at `path` of `tree`.
///
/// # Errors
/// If there is none, or a broken one.
pub fn load_chart(tree: &dyn Tree, path: &TreePath) -> Result<Chart, ChartBuildError> {
    loaded(&Bounded::new(tree), path)
}

/// Renders `chart`, which whoever renders many of its releases has from a [`ChartCache`], for `release` with `values`.
/// The places of what it makes begin at the chart.
pub fn render_loaded(
    chart: &Chart,
    release: &Release,
    values: &[UserValues],
    world: &(dyn World + Sync),
) -> Result<RenderedChart, ChartBuildError> {
    let request = ChartRequest::default();
    request.outcome(render(chart, release, values, world, Limits::default()))
}

/// Renders what `request` asks for from `tree` like [`render_chart`], and says what that depended on. What of the chart is
/// as it was the last time is taken from `charts`.
pub fn attempt_chart(
    tree: &dyn Tree,
    request: &ChartRequest,
    charts: &ChartCache,
    world: &(dyn World + Sync),
) -> ChartAttempt {
    let bounded = Bounded::new(tree);
    let recorder = Recorder::new(&bounded);
    let reloaded = || {
        let chart = charts.reload(request.path.as_str(), || loaded(&recorder, &request.path))?;
        Ok((chart, request.given(&recorder)?))
    };
    let outcome = reloaded().and_then(|(chart, values)| {
        let rendered = render_noting_values(&chart, &request.release, &values, world, Limits::default());
        let (rendered, read) = rendered.map_or_else(|error| (Err(error), None), |(made, read)| (Ok(made), Some(read)));
        Ok((request.outcome(rendered)?, read))
    });
    let (outcome, values) = outcome.map_or_else(|error| (Err(error), None), |(chart, read)| (Ok(chart), read));
    ChartAttempt { outcome, inputs: ChartInputs { request: request.clone(), reads: recorder.into_reads(), values } }
}

fn inputs(tree: &dyn Tree, request: &ChartRequest) -> Result<(Chart, Vec<UserValues>), ChartBuildError> {
    Ok((loaded(tree, &request.path)?, request.given(tree)?))
}

impl ChartRequest {
    /// The values that are given, read from `tree` where they are in files.
    fn given(&self, tree: &dyn Tree) -> Result<Vec<UserValues>, TreeError> {
        self.values.iter().map(|source| source.read(tree)).collect()
    }

    fn outcome(&self, rendered: Result<Rendered, RenderError>) -> Result<RenderedChart, ChartBuildError> {
        let path = self.path.clone();
        match rendered {
            Ok(rendered) => Ok(RenderedChart { rendered, path }),
            Err(source) => Err(ChartBuildError::Render { path, source }),
        }
    }

    /// Whether the file at `path` holds nothing but values: one that is given, or the defaults of a chart.
    fn is_of_values(&self, path: &TreePath) -> bool {
        let is_given = self.values.iter().any(|source| match source {
            ValuesSource::File(file) | ValuesSource::TextOfFile { file, .. } => file == path,
            ValuesSource::Given(_) => false,
        });
        is_given || self.is_of_defaults(path)
    }

    fn is_of_defaults(&self, path: &TreePath) -> bool {
        let mut parts: Vec<&str> = path.parts().collect();
        let above: Vec<&str> = self.path.parts().collect();
        if !parts.starts_with(&above) {
            return false;
        }
        parts.drain(..above.len());
        matches!(parts.split_last(), Some((&"values.yaml", charts)) if charts.chunks(2).all(|pair| matches!(pair, ["charts", _])))
    }
}

impl ChartInputs {
    /// What makes a rendering of `request` from `tree` differ from the recorded one; `None` if it would be the same.
    ///
    /// A change of files with values counts only if a template has read one of the values that are another. What a chart
    /// is told by its world is no part of this.
    pub fn first_change(&self, tree: &dyn Tree, request: &ChartRequest) -> Option<ChartChange> {
        if self.request != *request {
            return Some(ChartChange::Request);
        }
        let Some(changed) = self.reads.changed_files_in(tree) else { return Some(ChartChange::Tree(None)) };
        let changed_file = *changed.first()?;
        if let Some(other) = changed.iter().find(|path| !request.is_of_values(path)) {
            return Some(ChartChange::Tree(Some((*other).clone())));
        }
        let unknown = || Some(ChartChange::Tree(Some(changed_file.clone())));
        let Some(read) = &self.values else { return unknown() };
        let Ok((chart, values)) = inputs(&Bounded::new(tree), request) else { return unknown() };
        match read.first_change(&chart, &request.release, &values) {
            Ok(None) => None,
            Ok(Some(ValuesChange::Charts)) => Some(ChartChange::Charts),
            Ok(Some(ValuesChange::Value(path))) => Some(ChartChange::Value(path)),
            Err(_) => unknown(),
        }
    }

    /// What was looked at in the tree.
    pub fn reads(&self) -> &ReadSet {
        &self.reads
    }
}

impl fmt::Display for ChartChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Request => f.write_str("the request"),
            Self::Tree(None) => f.write_str("a directory"),
            Self::Tree(Some(path)) => write!(f, "{path}"),
            Self::Charts => f.write_str("which charts are used"),
            Self::Value(path) => write!(f, "`.Values.{path}`"),
        }
    }
}

fn loaded(tree: &dyn Tree, path: &TreePath) -> Result<Chart, ChartBuildError> {
    let is_archive = tree.entry(path)?.is_some_and(|entry| entry.kind == EntryKind::File);
    let loaded = if is_archive { load_archive(&tree.read(path)?) } else { load(tree, path) };
    loaded.map_err(|source| ChartBuildError::Load { path: path.clone(), source })
}

/// Finds what is wrong with a chart, as far as that can be found in one run.
pub fn lint_chart(
    tree: &dyn Tree,
    request: &ChartRequest,
    world: &(dyn World + Sync),
) -> Result<Vec<Finding>, ChartBuildError> {
    let bounded = Bounded::new(tree);
    let path = &request.path;
    let is_archive = bounded.entry(path)?.is_some_and(|entry| entry.kind == EntryKind::File);
    let examined = if is_archive { examine_archive(&bounded.read(path)?) } else { examine(&bounded, path) };
    let Examined { chart, errors } = match examined {
        Ok(examined) => examined,
        Err(error) => return Ok(vec![unloadable(&error)]),
    };
    if !errors.is_empty() {
        let unloadable = errors.iter().map(unloadable);
        return Ok(unloadable.chain(lint_templates(&chart)).collect());
    }
    Ok(lint(&chart, &request.release, &request.given(&bounded)?, world, Limits::default()))
}

fn unloadable(error: &ChartError) -> Finding {
    let place = match error {
        ChartError::File { file, .. } => (*file).to_owned(),
        ChartError::NoChartFile | ChartError::Unsupported(_) | ChartError::Metadata(_) => CHART_FILE.to_owned(),
        ChartError::Ignore(_) => ".helmignore".to_owned(),
        ChartError::Subchart { name, .. } => format!("charts/{name}"),
        ChartError::Tree(_) | ChartError::Archive(_) | ChartError::TooLarge(_) => ".".to_owned(),
    };
    Finding { severity: Severity::Error, place, message: format!("unable to load chart: {error}"), hint: None }
}

impl ValuesSource {
    fn read(&self, tree: &dyn Tree) -> Result<UserValues, TreeError> {
        Ok(match self {
            Self::File(file) => UserValues::File { name: file.to_string(), content: tree.read(file)?.to_vec() },
            Self::TextOfFile { path, file } => {
                let content = String::from_utf8_lossy(&tree.read(file)?).into_owned();
                UserValues::SetFile { path: path.clone(), content }
            }
            Self::Given(values) => values.clone(),
        })
    }
}

impl RenderedChart {
    /// What `helm template` prints.
    pub fn text(&self, options: &PrintOptions) -> Result<String, ChartBuildError> {
        Ok(self.rendered.print(options)?)
    }

    /// The objects that are printed, each with the line of the template that makes it, and of those that make its fields.
    /// The items of a list are objects of their own.
    pub fn manifests(&self, options: &PrintOptions) -> Result<Vec<Manifest>, ChartBuildError> {
        let mut manifests = Vec::new();
        for rendered in self.rendered.printed(options)? {
            manifests.extend(self.objects(rendered)?);
        }
        Ok(manifests)
    }

    /// The objects in one document of those that were rendered.
    pub fn objects(&self, rendered: &RenderedManifest) -> Result<Vec<Manifest>, ChartBuildError> {
        let file = TreePath::parse(&self.path, &rendered.file).unwrap_or_else(|_| self.path.clone());
        let template = Template { file, rendered };
        let nodes = parse(&rendered.text).map_err(|source| {
            let at = template.origin(source.position.line);
            ChartBuildError::Unparsed { at, source }
        })?;
        let mut manifests = Vec::new();
        for node in nodes.iter().filter(|node| !node.is_null()) {
            template.add_objects(node, &mut manifests)?;
        }
        Ok(manifests)
    }
}

/// A document, and the template that makes it.
struct Template<'r> {
    file: TreePath,
    rendered: &'r RenderedManifest,
}

impl Template<'_> {
    fn origin(&self, line: u32) -> Origin {
        Origin::new(self.file.clone(), self.rendered.line_in_file(line))
    }

    fn add_objects(&self, node: &Node, manifests: &mut Vec<Manifest>) -> Result<(), ChartBuildError> {
        if let Some(items) = list_items(node) {
            return items.iter().try_for_each(|item| self.add_objects(item, manifests));
        }
        manifests.push(self.object(node)?);
        Ok(())
    }

    fn object(&self, node: &Node) -> Result<Manifest, ChartBuildError> {
        let at = self.origin(node.position.line);
        let body = node.to_json(Schema::SigsYaml);
        let body = body.map_err(|source| ChartBuildError::Unreadable { at: at.clone(), source })?;
        let mut places = FieldPlaces::default();
        self.add_places(node, PathHash::ROOT, &mut places);
        let values_read = self.rendered.values.iter().map(ToString::to_string).collect();
        Ok(Manifest::new(body, at)?.with_fields(places).with_values_read(values_read))
    }

    fn add_places(&self, node: &Node, path: PathHash, places: &mut FieldPlaces) {
        let mut add = |name: &str, line: u32, below: &Node| {
            let path = path.child(name);
            places.add(path, self.rendered.line_in_file(line), []);
            self.add_places(below, path, places);
        };
        match &node.value {
            Value::Scalar(_) => {}
            Value::Sequence(items) => {
                for (index, item) in items.iter().enumerate() {
                    add(&index.to_string(), item.position.line, item);
                }
            }
            Value::Mapping(fields) => {
                for (key, value) in fields.iter() {
                    add(key.as_str().unwrap_or_default(), key.position.line, value);
                }
            }
        }
    }
}

/// The items of a list of objects, as `kubectl` takes it: a kind that ends in `List`, with `items`.
fn list_items(node: &Node) -> Option<&[Node]> {
    let kind = node.get("kind")?.as_str()?;
    node.get("items")?.as_sequence().filter(|_| kind.ends_with("List"))
}
