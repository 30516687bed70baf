//! Charts: from a chart in a tree and the values of a release to manifests.
//!
//! [`render_chart`] is to charts what [`attempt`](crate::attempt) is to directories: a pure function of a tree, a
//! [`ChartRequest`] and a [`World`], which says what it has looked at even if it fails.

use fairlead_helm::{
    Chart, ChartError, Finding, Limits, PrintError, PrintOptions, Release, RenderError, Rendered, RenderedManifest,
    Severity, UserValues, World, lint, load, load_archive, render,
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
#[derive(Clone, Debug, Default)]
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
    /// What was looked at.
    pub reads: ReadSet,
    path: TreePath,
}

/// A chart that could not be rendered.
#[derive(Debug)]
pub struct FailedChart {
    /// Why.
    pub error: ChartBuildError,
    /// What was looked at.
    pub reads: ReadSet,
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
pub fn render_chart(
    tree: &dyn Tree,
    request: &ChartRequest,
    world: &(dyn World + Sync),
) -> Result<RenderedChart, Box<FailedChart>> {
    let bounded = Bounded::new(tree);
    let recorder = Recorder::new(&bounded);
    let outcome = rendered(&recorder, request, world);
    let reads = recorder.into_reads();
    match outcome {
        Ok(rendered) => Ok(RenderedChart { rendered, reads, path: request.path.clone() }),
        Err(error) => Err(Box::new(FailedChart { error, reads })),
    }
}

fn rendered(tree: &dyn Tree, request: &ChartRequest, world: &(dyn World + Sync)) -> Result<Rendered, ChartBuildError> {
    let path = &request.path;
    let chart = loaded(tree, path)?;
    let values: Vec<_> = request.values.iter().map(|source| source.read(tree)).collect::<Result<_, _>>()?;
    let rendered = render(&chart, &request.release, &values, world, Limits::default());
    rendered.map_err(|source| ChartBuildError::Render { path: path.clone(), source })
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
    let chart = match loaded(&bounded, &request.path) {
        Ok(chart) => chart,
        Err(ChartBuildError::Load { source, .. }) => return Ok(vec![unloadable(&source)]),
        Err(error) => return Err(error),
    };
    let values: Vec<_> = request.values.iter().map(|source| source.read(&bounded)).collect::<Result<_, _>>()?;
    Ok(lint(&chart, &request.release, &values, world, Limits::default()))
}

fn unloadable(error: &ChartError) -> Finding {
    let place = match error {
        ChartError::File { file, .. } => (*file).to_owned(),
        ChartError::NoChartFile | ChartError::Metadata(_) => CHART_FILE.to_owned(),
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
            let file = TreePath::parse(&self.path, &rendered.file).unwrap_or_else(|_| self.path.clone());
            let template = Template { file, rendered };
            let nodes = parse(&rendered.text).map_err(|source| {
                let at = template.origin(source.position.line);
                ChartBuildError::Unparsed { at, source }
            })?;
            for node in nodes.iter().filter(|node| !node.is_null()) {
                template.add_objects(node, &mut manifests)?;
            }
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
        Ok(Manifest::new(body, at)?.with_fields(places))
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
