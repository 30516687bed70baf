//! Rendering a chart for a release: values to templates to manifests.

mod capabilities;
mod error;
mod files;
mod hooks;
mod instance;
mod manifests;
mod name;
mod order;
mod print;
mod root;

pub use capabilities::{DEFAULT_API_VERSIONS, DEFAULT_KUBE_VERSION, HELM_VERSION};
pub use error::RenderError;
pub use hooks::{Hook, HookEvent};
pub use manifests::RenderedManifest;
pub use name::release_name;
pub use print::{HookOutput, PrintError, PrintOptions};

use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use crate::chart::{Chart, ChartType};
use crate::schema::{self, SchemaError};
use crate::semver::{Range, Version};
use crate::template::{Limits, Machine, STACK_BYTES, Template, World, parse};
use crate::value::{Map, Text, Value};
use crate::values::coalesce::{Nulls, coalesced};
use crate::values::{UserValues, merged};
use capabilities::Capabilities;
use instance::Instance;

/// What a chart is rendered for.
#[derive(Clone, Debug)]
pub struct Release {
    /// The name of the release.
    pub name: String,
    /// The namespace it goes to.
    pub namespace: String,
    /// Whether it replaces an earlier one.
    pub is_upgrade: bool,
    /// How many releases there are with it.
    pub revision: i64,
    /// The version of the cluster; [`DEFAULT_KUBE_VERSION`] if nothing is said.
    pub kube_version: Option<String>,
    /// What the cluster serves beside [`DEFAULT_API_VERSIONS`].
    pub api_versions: Vec<String>,
}

impl Default for Release {
    fn default() -> Self {
        Self {
            name: "release-name".to_owned(),
            namespace: "default".to_owned(),
            is_upgrade: false,
            revision: 1,
            kube_version: None,
            api_versions: Vec::new(),
        }
    }
}

/// What a chart makes of its values.
#[derive(Clone, Debug, Default)]
pub struct Rendered {
    /// The definitions that the chart brings along, which are never templates.
    pub crds: Vec<RenderedManifest>,
    /// Everything else, in the order in which it is installed.
    pub manifests: Vec<RenderedManifest>,
    /// What runs around the installation, in the order in which it is printed.
    pub hooks: Vec<Hook>,
    /// What the chart tells its user.
    pub notes: String,
}

/// A file that a template made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RenderedFile {
    /// The template, as `chart/templates/web.yaml`.
    pub path: String,
    /// What it made, which may be anything.
    pub content: Vec<u8>,
}

/// Renders `chart` for `release` with the values `given`.
///
/// It runs on a thread of its own, whose stack is as deep as templates may be nested.
pub fn render(
    chart: &Chart,
    release: &Release,
    given: &[UserValues],
    world: &(dyn World + Sync),
    limits: Limits,
) -> Result<Rendered, RenderError> {
    on_deep_stack(|| {
        let instance = prepared(chart, release, given)?;
        let files = execute(&instance.roots(release)?, world, limits)?;
        manifests::assembled(&instance.chart, files)
    })
}

/// Renders `chart` like [`render`], and gives what its templates made before anything is read from it.
pub fn render_files(
    chart: &Chart,
    release: &Release,
    given: &[UserValues],
    world: &(dyn World + Sync),
    limits: Limits,
) -> Result<Vec<RenderedFile>, RenderError> {
    on_deep_stack(|| execute(&prepared(chart, release, given)?.roots(release)?, world, limits))
}

fn on_deep_stack<T: Send>(work: impl FnOnce() -> Result<T, RenderError> + Send) -> Result<T, RenderError> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        thread.map_err(RenderError::Thread)?.join().unwrap_or(Err(RenderError::Stopped))
    })
}

/// A chart with its values laid over each other.
struct Prepared<'c> {
    chart: Instance<'c>,
    values: Map,
}

impl Prepared<'_> {
    fn roots(&self, release: &Release) -> Result<Vec<root::Root<'_>>, RenderError> {
        let capabilities = Capabilities::new(release.kube_version.as_deref(), &release.api_versions)?;
        check_kube_version(self.chart.chart, &capabilities)?;
        Ok(root::roots(&self.chart, release, Value::Object(Rc::new(capabilities)), &self.values))
    }
}

fn prepared<'c>(chart: &'c Chart, release: &Release, given: &[UserValues]) -> Result<Prepared<'c>, RenderError> {
    let given = merged(given)?;
    if chart.metadata.chart_type == ChartType::Library {
        return Err(RenderError::Library);
    }
    check_dependencies(chart)?;
    check_name(&release.name)?;
    let mut instance = Instance::of(chart);
    instance.process_dependencies(&given).map_err(RenderError::Dependencies)?;
    let values = coalesced(&instance, &given, Nulls::Remove).map_err(RenderError::Values)?;
    check_schemas(&instance, &values)?;
    Ok(Prepared { chart: instance, values })
}

/// Checks the values of a chart and of those inside of it against their schemas; all that is wrong is reported at once.
fn check_schemas(chart: &Instance<'_>, values: &Map) -> Result<(), RenderError> {
    let mut problems = String::new();
    collect_schema_problems(chart, &values.clone().into(), &mut problems);
    if problems.is_empty() { Ok(()) } else { Err(RenderError::Schema(problems)) }
}

fn collect_schema_problems(chart: &Instance<'_>, values: &Value, problems: &mut String) {
    if let Some(schema) = &chart.chart.schema {
        match schema::check(schema, values) {
            Ok(()) => {}
            Err(SchemaError::Bad(problem)) => problems.push_str(&format!("{}:\n{problem}\n", chart.name)),
            Err(SchemaError::Unmet(unmet)) => {
                problems.push_str(&format!("{}:\n", chart.name));
                for problem in &unmet {
                    problem.write(problems, 0);
                }
            }
        }
    }
    let Value::Map(values) = values else { return };
    for inside in &chart.inside {
        if let Some(below) = values.get(inside.name.as_bytes()).filter(|below| !below.is_nil()) {
            collect_schema_problems(inside, &below, problems);
        }
    }
}

fn check_name(name: &str) -> Result<(), RenderError> {
    const MAX_BYTES: usize = 53;
    let is_part = |part: &str| {
        let is_inner = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
        !part.is_empty() && part.chars().all(is_inner) && !part.starts_with('-') && !part.ends_with('-')
    };
    if name.len() <= MAX_BYTES && name.split('.').all(is_part) {
        Ok(())
    } else {
        Err(RenderError::Name(name.to_owned()))
    }
}

fn check_dependencies(chart: &Chart) -> Result<(), RenderError> {
    let has = |name: &str| chart.dependencies.iter().any(|inside| inside.metadata.name == name);
    let asked = chart.metadata.dependencies.iter().flatten().map(|dependency| dependency.name.clone());
    let missing: Vec<String> = asked.filter(|name| !has(name)).collect();
    if missing.is_empty() { Ok(()) } else { Err(RenderError::MissingDependencies(missing)) }
}

fn check_kube_version(chart: &Chart, capabilities: &Capabilities) -> Result<(), RenderError> {
    let wanted = &chart.metadata.kube_version;
    if wanted.is_empty() {
        return Ok(());
    }
    let version = capabilities.kube_version().normalized();
    let is_met =
        Range::parse(wanted).is_ok_and(|range| Version::parse(version).is_ok_and(|version| range.contains(&version)));
    if is_met {
        return Ok(());
    }
    Err(RenderError::KubeVersion { wanted: wanted.clone(), version: version.to_owned() })
}

/// Executes all templates, in the order in which Helm does.
///
/// # Follows Helm
/// The deepest come first, and among those the last by name. All know each other, so that a chart replaces what a
/// chart inside of it defines; and what one does to the values is seen by those after it.
fn execute(roots: &[root::Root<'_>], world: &dyn World, limits: Limits) -> Result<Vec<RenderedFile>, RenderError> {
    let mut templates: Vec<(String, &Text, &root::Root<'_>)> = Vec::new();
    for root in roots {
        templates.extend(root.templates().map(|(path, text)| (path, text, root)));
    }
    templates.sort_by(|(a, ..), (b, ..)| {
        let depth = |path: &str| path.matches('/').count();
        depth(b).cmp(&depth(a)).then_with(|| b.cmp(a))
    });
    let mut parsed: Vec<Arc<Template>> = Vec::new();
    for (path, text, _) in &templates {
        parsed.extend(parse(path, text).map_err(|error| RenderError::Parse { file: path.clone(), error })?);
    }
    let mut machine = Machine::new(&parsed, world, limits);
    let mut files = Vec::new();
    for (path, _, root) in templates {
        if path.rsplit('/').next().is_some_and(|name| name.starts_with('_')) {
            continue;
        }
        let dot = root.for_template(&path);
        let made = machine
            .render(&path, dot)
            .map_err(|cause| RenderError::Execute { file: path.clone(), problem: error::explained(&cause) });
        files.push(RenderedFile { content: made?, path });
    }
    Ok(files)
}
