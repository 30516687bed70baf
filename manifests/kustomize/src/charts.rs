//! Charts: `helmCharts` with `helmGlobals`, and the generator `HelmChartInflationGenerator` that they stand for.
//!
//! What a chart is to be rendered with is put together here; the caller of a build brings what renders it.
//!
//! # Follows kustomize
//! Charts lie in folders below `chartHome`. The values of one are those of its `valuesFile`, or else its own, with
//! `valuesInline` merged into them as `valuesMerge` says, and then those of `additionalValuesFiles`. Objects keep the
//! namespace that their templates gave them.
//! # Differs from kustomize
//! No `helm` is started, so nothing needs to be enabled and nothing is fetched: a chart that is not there is an error.

use std::{error::Error, fmt::Display, sync::Arc};

use fairlead_object::{EntryKind, Tree, TreePath};
use fairlead_yaml::{Mapping, Node, Schema as Reading, emit_json};
use serde_json::Value as Json;

use crate::{
    at::At,
    decode::{Path, Unknown},
    error::{BuildError, LoadError, PluginError},
    generate::{Behavior, Generated},
    id::GvkRef,
    kustomization::{HelmChart, HelmGlobals},
    load::Loader,
    merge::{MergeError, merge},
    parse,
    provenance::{Provenance, Step},
    resource::Resource,
    schema::Schema,
};

/// Renders a chart.
pub type RenderChart = fn(&dyn Tree, &ChartRelease) -> Result<ChartOutput, Box<dyn Error + Send + Sync>>;

/// What `helm template` prints for a chart, and where it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChartOutput {
    /// The documents.
    pub text: String,
    /// What the text consists of, in its order.
    pub parts: Vec<ChartPart>,
}

/// The part of a text that one file of a chart makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChartPart {
    /// The line of the text on which it begins, from 1.
    pub begins: u32,
    /// The file, below the folder of the chart.
    pub file: String,
    /// For each of its lines the line of the file.
    pub lines: Vec<u32>,
}

impl ChartPart {
    /// The line of the file that the line `line` of the text comes from.
    pub(crate) fn line_in_file(&self, line: u32) -> u32 {
        let index = usize::try_from(line.saturating_sub(self.begins)).unwrap_or(usize::MAX);
        self.lines.get(index).or(self.lines.last()).copied().unwrap_or(1)
    }
}

/// A chart, and what it is to be rendered with: the arguments of `helm template`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChartRelease {
    /// The folder of the chart.
    pub chart: TreePath,
    /// The name of the release; empty if none is given.
    pub name: String,
    /// A template of the name; empty if there is none.
    pub name_template: String,
    /// The namespace; empty if none is given.
    pub namespace: String,
    /// Values over those of the chart, later ones over earlier ones.
    pub values: Vec<ValuesFile>,
    /// What the cluster serves besides.
    pub api_versions: Vec<String>,
    /// The version of the cluster; empty if none is given.
    pub kube_version: String,
    /// Whether the definitions that the chart brings along are printed.
    pub include_crds: bool,
    /// Whether no hooks are printed.
    pub skip_hooks: bool,
    /// Whether no tests are printed.
    pub skip_tests: bool,
}

/// A file of values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ValuesFile {
    /// Its name, for messages.
    pub name: String,
    /// Its content.
    pub content: Arc<[u8]>,
}

/// What renders the charts of a build, and the types of what comes out.
#[derive(Clone, Copy)]
pub(crate) struct Renderer<'a> {
    pub(crate) render: Option<RenderChart>,
    pub(crate) schema: &'a Schema,
}

/// One chart that is asked for.
pub(crate) struct Inflation<'a> {
    pub(crate) chart: &'a HelmChart,
    pub(crate) globals: &'a HelmGlobals,
    /// The namespace of the kustomization, for a chart that names none.
    pub(crate) namespace: &'a str,
    /// Where the chart is asked for.
    pub(crate) at: &'a At,
    pub(crate) loader: &'a Loader<'a>,
}

impl Inflation<'_> {
    /// The objects that the chart makes.
    pub(crate) fn objects(&self, renderer: Renderer<'_>, step: &Arc<Step>) -> Result<Vec<Generated>, BuildError> {
        let render = renderer.render.ok_or_else(|| BuildError::unrendered(self.at))?;
        let release = self.release(renderer.schema)?;
        let ChartOutput { text, parts } = render(self.loader.tree(), &release).map_err(|source| {
            let chart = release.chart.clone();
            PluginError::Chart { at: self.at.clone(), chart, source }
        })?;
        let scope_of = |gvk: GvkRef<'_>| renderer.schema.scope(gvk);
        let made = parse::resources(&release.chart, text.as_bytes(), &Provenance::made(step), &scope_of)?;
        Ok(made.into_iter().map(|resource| self.generated(resource, &release.chart, &parts)).collect())
    }

    fn generated(&self, mut resource: Resource, chart: &TreePath, parts: &[ChartPart]) -> Generated {
        let line = resource.origin().line;
        let part = parts[..parts.partition_point(|part| part.begins <= line)].last();
        if let Some(part) = part {
            let file = TreePath::parse(chart, &part.file);
            resource.come_from_chart(file.as_ref().unwrap_or(chart), &|line| part.line_in_file(line));
        }
        Generated { resource, behavior: Behavior::Create, at: self.at.clone() }
    }

    fn release(&self, schema: &Schema) -> Result<ChartRelease, BuildError> {
        self.check_names()?;
        let chart = self.chart;
        let additional = chart.additional_values_files.iter().map(|file| self.read(file));
        let additional = additional.collect::<Result<Vec<_>, _>>()?;
        let folder = self.folder();
        let found = self.find(&folder)?;
        Ok(ChartRelease {
            chart: found,
            name: chart.release_name.clone(),
            name_template: chart.name_template.clone(),
            namespace: if chart.namespace.is_empty() { self.namespace } else { &chart.namespace }.to_owned(),
            values: [self.values(&folder, schema)?].into_iter().chain(additional).collect(),
            api_versions: chart.api_versions.clone(),
            kube_version: chart.kube_version.clone(),
            include_crds: chart.include_crds,
            skip_hooks: chart.skip_hooks,
            skip_tests: chart.skip_tests,
        })
    }

    fn check_names(&self) -> Result<(), BuildError> {
        let HelmChart { name, release_name, .. } = self.chart;
        if name.is_empty() {
            return Err(self.bad("chart name cannot be empty"));
        }
        if release_name.starts_with('-') {
            return Err(self.bad(&format!("releaseName must not start with '-', got {release_name:?}")));
        }
        if name.starts_with('-') {
            return Err(self.bad(&format!("chart name must not start with '-', got {name:?}")));
        }
        Ok(())
    }

    /// The folder of the chart, from the kustomization's. One that was fetched lies in a folder with its version.
    fn folder(&self) -> String {
        let HelmChart { name, version, repo, .. } = self.chart;
        let home = if self.globals.chart_home.is_empty() { "charts" } else { &self.globals.chart_home };
        match (version.as_str(), repo.as_str()) {
            ("", _) | (_, "") => format!("{home}/{name}"),
            (version, _) => format!("{home}/{name}-{version}/{name}"),
        }
    }

    fn find(&self, folder: &str) -> Result<TreePath, BuildError> {
        let path = self.loader.path(folder, self.at)?;
        let unreadable = |source| LoadError::Unreadable { at: self.at.clone(), source };
        let entry = self.loader.tree().entry(&path).map_err(unreadable)?;
        if entry.is_some_and(|entry| entry.kind == EntryKind::Directory) {
            return Ok(path);
        }
        let repo = self.chart.repo.clone();
        if repo.is_empty() {
            return Err(self.bad(&format!("no repo specified for pull, no chart found at '/{}'", path.as_str())));
        }
        Err(PluginError::RemoteChart { at: self.at.clone(), repo, path }.into())
    }

    /// The values of `valuesFile` with those of `valuesInline`.
    fn values(&self, folder: &str, schema: &Schema) -> Result<ValuesFile, BuildError> {
        let HelmChart { values_file, values_inline, values_merge, .. } = self.chart;
        let own = format!("{folder}/values.yaml");
        let file = if values_file.is_empty() { &own } else { values_file };
        let inline =
            values_inline.as_ref().filter(|inline| inline.as_object().is_some_and(|fields| !fields.is_empty()));
        let values = match (values_merge.as_str(), inline) {
            ("" | "merge" | "override" | "replace", None) => return self.read(file),
            ("" | "override", Some(inline)) => self.merged(self.parsed(file)?, &Node::from_json(inline), schema)?,
            ("merge", Some(inline)) => self.merged(Node::from_json(inline), &self.parsed(file)?, schema)?,
            ("replace", Some(inline)) => inline.clone(),
            (..) => return Err(self.bad("valuesMerge must be one of [merge override replace]")),
        };
        Ok(ValuesFile { name: "valuesInline".to_owned(), content: emit_json(&values).into_bytes().into() })
    }

    fn read(&self, file: &str) -> Result<ValuesFile, BuildError> {
        let (path, content) = self.loader.read(file, self.at)?;
        Ok(ValuesFile { name: path.to_string(), content })
    }

    fn parsed(&self, file: &str) -> Result<Node, BuildError> {
        let (path, content) = self.loader.read(file, self.at)?;
        Path::file(&path, "values", Unknown::Ignored).first_document(&content)
    }

    fn merged(&self, values: Node, over: &Node, schema: &Schema) -> Result<Json, BuildError> {
        let unmergeable = |problem: &dyn Display| self.bad(&format!("could not merge values: {problem}"));
        let place = schema.place(GvkRef::of(over));
        let merged = merge(Some(values), Some(over), place).map_err(|MergeError(problem)| unmergeable(&problem))?;
        let merged = merged.unwrap_or_else(|| Node::mapping(Mapping::new()));
        merged.to_json(Reading::Kyaml).map_err(|error| unmergeable(&error))
    }

    fn bad(&self, problem: &str) -> BuildError {
        PluginError::Bad { at: self.at.clone(), problem: problem.to_owned() }.into()
    }
}
