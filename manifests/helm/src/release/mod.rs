//! Rendering a chart for a release: values to templates to manifests.

mod advice;
mod capabilities;
mod checked;
mod error;
mod files;
mod hooks;
mod instance;
mod manifests;
mod name;
mod order;
mod prepared;
mod print;
mod reads;
mod root;
mod schemas;

pub use capabilities::{DEFAULT_API_VERSIONS, DEFAULT_KUBE_VERSION, HELM_VERSION};
pub use error::RenderError;
pub use hooks::{Hook, HookEvent};
pub use manifests::RenderedManifest;
pub use name::release_name;
pub use print::{HookOutput, PrintError, PrintOptions};

pub(crate) use checked::{Checked, CheckedDocument, Fate};

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use crate::chart::Chart;
use crate::template::{Limits, STACK_BYTES, World};
use crate::value::Reads;
use crate::values::{UserValues, ValuePath};
use instance::Instance;
use prepared::Prepared;

pub use reads::{ValuesChange, ValuesRead};

/// What a chart is rendered for.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// What the cluster serves, as `group/version` and `group/version/Kind`; [`DEFAULT_API_VERSIONS`] if nothing is said.
    pub served_versions: Option<Vec<String>>,
    /// What it serves besides.
    pub api_versions: Vec<String>,
    /// Whether the values must meet the schemas of the charts.
    pub schemas: Schemas,
    /// Whether the definitions that the charts bring along are part of what is rendered.
    pub definitions: Definitions,
}

/// Whether values must meet the schemas of charts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Schemas {
    /// They must.
    #[default]
    Checked,
    /// They need not.
    Skipped,
}

/// Whether definitions are part of what is rendered. To leave out what nobody prints saves copies of megabytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Definitions {
    /// They are.
    #[default]
    Included,
    /// They are not.
    LeftOut,
}

impl Default for Release {
    fn default() -> Self {
        Self {
            name: "release-name".to_owned(),
            namespace: "default".to_owned(),
            is_upgrade: false,
            revision: 1,
            kube_version: None,
            served_versions: None,
            api_versions: Vec::new(),
            schemas: Schemas::Checked,
            definitions: Definitions::Included,
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
    /// The file below the folder of the chart in which it is written.
    pub file: String,
    /// What it made, which may be anything.
    pub content: Vec<u8>,
    /// For each line of that the line of the template that it comes from.
    pub lines: Vec<u32>,
    /// The values that were read for it, each with the line, from 0, that was being made.
    pub(crate) values: Vec<(usize, ValuePath)>,
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
    parsing_meanwhile(chart, || {
        let prepared = Prepared::new(chart, release, given)?;
        let files = prepared.execute(release, world, limits, None)?;
        manifests::assembled(&prepared.chart, files, release.definitions)
    })
}

/// Renders `chart` like [`render`], and says which values its templates read: those of all together, and with each
/// manifest those that were read for it.
pub fn render_noting_values(
    chart: &Chart,
    release: &Release,
    given: &[UserValues],
    world: &(dyn World + Sync),
    limits: Limits,
) -> Result<(Rendered, ValuesRead), RenderError> {
    parsing_meanwhile(chart, || {
        let prepared = Prepared::new(chart, release, given)?;
        let mut read = ValuesRead::nothing_of(&prepared);
        let reads = Reads::of(&prepared.values);
        let files = prepared.execute(release, world, limits, Some((&reads, &mut read)))?;
        Ok((manifests::assembled(&prepared.chart, files, release.definitions)?, read))
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
    on_deep_stack(|| Prepared::new(chart, release, given)?.execute(release, world, limits, None))
}

/// Does `work` on a deep stack. The thread that waits for it parses templates until the work comes to them itself.
fn parsing_meanwhile<T: Send>(
    chart: &Chart,
    work: impl FnOnce() -> Result<T, RenderError> + Send,
) -> Result<T, RenderError> {
    let has_ended = AtomicBool::new(false);
    let work = || {
        let outcome = work();
        has_ended.store(true, Ordering::Relaxed);
        outcome
    };
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        let thread = thread.map_err(RenderError::Thread)?;
        chart.parse_ahead(&|| has_ended.load(Ordering::Relaxed));
        thread.join().unwrap_or(Err(RenderError::Stopped))
    })
}

fn on_deep_stack<T: Send>(work: impl FnOnce() -> Result<T, RenderError> + Send) -> Result<T, RenderError> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work);
        thread.map_err(RenderError::Thread)?.join().unwrap_or(Err(RenderError::Stopped))
    })
}
