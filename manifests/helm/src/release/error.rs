//! Why a chart cannot be rendered.

use std::io;

use crate::template::{CallError, ExecError, Failure, ParseError};
use crate::values::ValuesError;
use crate::values::coalesce::TypeMismatch;

/// Why a chart cannot be rendered, in Helm's own words.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The name of the release is none.
    #[error(
        "release name check failed: release name {0:?}: invalid release name, must match regex \
         ^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$ and the length must not be longer than 53"
    )]
    Name(String),
    /// Values that the user gives cannot be used.
    #[error(transparent)]
    Given(#[from] ValuesError),
    /// The chart is there for other charts.
    #[error("library charts are not installable")]
    Library,
    /// Charts that it asks for are not in it.
    #[error("an error occurred while checking for chart dependencies. You may need to run 'helm dependency build' to fetch missing dependencies: found in Chart.yaml, but missing in charts/ directory: {}", .0.join(", "))]
    MissingDependencies(Vec<String>),
    /// The values of a chart inside are no map, which shows when it is decided which charts are used.
    #[error("chart dependencies processing failed: {0}")]
    Dependencies(TypeMismatch),
    /// The values of a chart inside are no map.
    #[error("{0}")]
    Values(TypeMismatch),
    /// Values do not meet the schemas of the charts.
    #[error("values don't meet the specifications of the schema(s) in the following chart(s):\n{problems}")]
    Schema {
        /// What is wrong, chart by chart.
        problems: String,
        /// Where the values are set.
        hint: Option<String>,
    },
    /// The version of the cluster is none.
    #[error("invalid kube version '{version}': {problem}")]
    BadKubeVersion {
        /// As it was given.
        version: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The chart is not meant for this version of Kubernetes.
    #[error("chart requires kubeVersion: {wanted} which is incompatible with Kubernetes {version}")]
    KubeVersion {
        /// The range that it asks for.
        wanted: String,
        /// The version that there is.
        version: String,
    },
    /// A template does not parse.
    #[error("parse error at ({}:{}): {}", error.file, error.line, last_part(&error.problem))]
    Parse {
        /// The file.
        file: String,
        /// What is wrong with it.
        error: ParseError,
    },
    /// A template stopped.
    #[error("{problem}")]
    Execute {
        /// The file.
        file: String,
        /// Why it stopped, as Helm lays it out. A chain of errors may be too long for the stack of whoever prints it.
        problem: String,
        /// Which values it is about, and which templates called each other.
        hint: Option<String>,
        /// Whether it called a template that does not exist.
        lacks_template: bool,
    },
    /// What a template made is no YAML, or no object.
    #[error("YAML parse error on {file}: {problem}")]
    Manifest {
        /// The file.
        file: String,
        /// The line of it that made what is wrong, as far as that is known.
        line: u32,
        /// What is wrong with it.
        problem: String,
    },
    /// No thread could be started.
    #[error("cannot start a thread to render on")]
    Thread(#[source] io::Error),
    /// The thread ended without a word.
    #[error("rendering stopped")]
    Stopped,
}

impl RenderError {
    /// Whether a template called another one that does not exist.
    pub(super) fn lacks_template(&self) -> bool {
        matches!(self, Self::Execute { lacks_template: true, .. })
    }

    /// What the reader can look at or try, beyond Helm's words.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Execute { hint, .. } | Self::Schema { hint, .. } => hint.clone(),
            Self::Manifest { file, line, .. } => Some(format!("look at {file}:{line}, which makes it")),
            Self::Name(_)
            | Self::Given(_)
            | Self::Library
            | Self::MissingDependencies(_)
            | Self::Dependencies(_)
            | Self::Values(_)
            | Self::BadKubeVersion { .. }
            | Self::KubeVersion { .. }
            | Self::Parse { .. }
            | Self::Thread(_)
            | Self::Stopped => None,
        }
    }

    /// Whether Helm suggests its flag `--debug` after this error.
    pub fn is_of_templates(&self) -> bool {
        match self {
            Self::KubeVersion { .. } | Self::Parse { .. } | Self::Execute { .. } | Self::Manifest { .. } => true,
            Self::Name(_)
            | Self::Given(_)
            | Self::Library
            | Self::MissingDependencies(_)
            | Self::Dependencies(_)
            | Self::Values(_)
            | Self::Schema { .. }
            | Self::BadKubeVersion { .. }
            | Self::Thread(_)
            | Self::Stopped => false,
        }
    }
}

/// Helm shows what follows the last colon.
fn last_part(problem: &str) -> &str {
    problem.rsplit(": ").next().unwrap_or(problem)
}

/// The error as Helm lays it out.
///
/// # Follows Helm
/// What the chart itself refuses is shown with the place in the outermost file. A chain of nothing but templates is a
/// block each; as soon as something else is in it, Go's one line is shown as it is.
pub(super) fn explained(cause: &CallError) -> String {
    let CallError::Template(error) = cause else { return cause.to_string() };
    if let Some(message) = error.refusal() {
        return format!("execution error at ({}:{}:{}): {message}", error.file, error.line, error.column);
    }
    let mut blocks = Vec::new();
    if collect_blocks(error, &mut blocks) { blocks.join("\n").trim().to_owned() } else { error.to_string() }
}

/// Lists the blocks of `error` and of those inside of it; false if something else than a template failed.
fn collect_blocks(error: &ExecError, blocks: &mut Vec<String>) -> bool {
    let message = match &error.failure {
        failure @ (Failure::Problem(_) | Failure::Undefined(_) | Failure::Limit(_)) => failure.to_string(),
        Failure::Call { function, .. } => format!("error calling {function}:"),
    };
    let template = crate::fmt::quote(error.template.as_bytes());
    let block = format!(
        "{}:{}:{}\n  executing {template} at <{}>:\n    {message}",
        error.file, error.line, error.column, error.node
    );
    let Failure::Call { cause, .. } = &error.failure else {
        blocks.push(block);
        return true;
    };
    match &**cause {
        CallError::Template(inner) => {
            blocks.push(block);
            collect_blocks(inner, blocks)
        }
        CallError::NoTemplate(_) => {
            blocks.push(block);
            blocks.push(cause.to_string());
            true
        }
        CallError::Message(_)
        | CallError::Refused(_)
        | CallError::Parse { .. }
        | CallError::Tpl { .. }
        | CallError::Limit(_) => false,
    }
}
