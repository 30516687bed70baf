//! Everything that is wrong with a chart, as far as it can be found in one run.
//!
//! A rendering stops at the first mistake. Here each template is parsed and executed for itself, and what it makes is
//! looked at document by document.
//!
//! # Follows Helm
//! What `helm lint` calls an error is one, and what it recommends is told. Helm stops at the first template that fails.

mod metadata;
mod objects;
mod removed;

use std::{error::Error, fmt};

use crate::chart::{Chart, ChartType};
use crate::release::{Checked, Release, RenderError};
use crate::template::{Limits, World};
use crate::values::UserValues;

/// Something that was found in a chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// The file, with the line where there is one.
    pub place: String,
    /// What is wrong there.
    pub message: String,
    /// What helps.
    pub hint: Option<String>,
}

/// How bad something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It could be better.
    Info,
    /// It may fail, or not do what was meant.
    Warning,
    /// The chart cannot be used so.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
        })
    }
}

/// Printed as `helm lint` prints it.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}] {}: {}", self.severity, self.place, self.message)
    }
}

impl Finding {
    fn new(severity: Severity, place: impl Into<String>, message: impl Into<String>) -> Self {
        Self { severity, place: place.into(), message: message.into(), hint: None }
    }

    fn error(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Error, place, message)
    }

    fn warning(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Warning, place, message)
    }

    fn info(place: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(Severity::Info, place, message)
    }
}

/// What is wrong with `chart`, rendered for `release` with the values `given`.
pub fn lint(
    chart: &Chart,
    release: &Release,
    given: &[UserValues],
    world: &(dyn World + Sync),
    limits: Limits,
) -> Vec<Finding> {
    let mut findings = metadata::findings(chart);
    // A library is rendered by the charts that use it.
    if chart.metadata.chart_type == ChartType::Library {
        return findings;
    }
    let checked = Checked::of(chart, release, given, world, limits);
    findings.extend(checked.errors.iter().map(in_file));
    findings.extend(objects::findings(&checked.documents, release));
    findings
}

/// What is wrong with the templates of a chart that cannot be rendered: those that do not parse.
pub fn lint_templates(chart: &Chart) -> Vec<Finding> {
    let mut findings = Vec::new();
    collect_unparsed(chart, &chart.metadata.name, &mut findings);
    findings
}

fn collect_unparsed(chart: &Chart, path: &str, findings: &mut Vec<Finding>) {
    for template in &chart.templates {
        let file = format!("{path}/{}", template.path);
        if let Err(error) = template.templates(&file) {
            findings.push(in_file(&RenderError::Parse { file, error }));
        }
    }
    for inside in &chart.dependencies {
        collect_unparsed(inside, &format!("{path}/{}", inside.folder), findings);
    }
}

/// What kept a chart from being rendered, as a finding in the file that it is about.
fn in_file(error: &RenderError) -> Finding {
    let place = match error {
        RenderError::Given(_) | RenderError::Schema { .. } | RenderError::Values(_) | RenderError::Dependencies(_) => {
            "values.yaml".to_owned()
        }
        RenderError::MissingDependencies(_) | RenderError::Library | RenderError::KubeVersion { .. } => {
            "Chart.yaml".to_owned()
        }
        RenderError::Parse { error, .. } => format!("{}:{}", error.file, error.line),
        RenderError::Execute { file, .. } => file.clone(),
        RenderError::Manifest { file, line, .. } => format!("{file}:{line}"),
        RenderError::Name(_) | RenderError::BadKubeVersion { .. } | RenderError::Thread(_) | RenderError::Stopped => {
            "templates/".to_owned()
        }
    };
    let reason = || error.source().map(ToString::to_string);
    Finding { hint: error.hint().or_else(reason), ..Finding::error(place, error.to_string()) }
}
