//! Charts on this machine: which one, with which values, and in which world it is rendered.

mod cluster;
mod flags;

use std::path::Path;

use fairlead_helm::ChartCache;
use fairlead_manifests::{
    ChartAttempt, ChartBuildError, ChartRequest, RenderedChart, attempt_chart, is_chart, render_chart,
};
use fairlead_reconciler::{charts::ChartWorld, clock::Clock};

use crate::{
    local::{self, LocalPlace},
    output::{CommandError, Hinted, with_hint},
    shown_paths::ShownPaths,
};
pub(crate) use cluster::in_namespace;
pub(crate) use flags::{PrintFlags, ReleaseFlags};

/// A chart on this machine, and what it is rendered to.
pub(crate) struct LocalChart {
    /// The tree that holds it and all files with values.
    pub(crate) place: LocalPlace,
    pub(crate) request: ChartRequest,
}

impl LocalChart {
    /// The chart at `path`, if there is one, with the values and the cluster that `flags` name, as the release `name` in
    /// `namespace`.
    ///
    /// # Errors
    /// If a file with values cannot be read, or if `flags` are given and there is no chart.
    pub(crate) fn find(
        path: &Path,
        flags: &ReleaseFlags,
        name: Option<&str>,
        namespace: Option<&str>,
    ) -> Result<Option<Self>, CommandError> {
        let place = local::open(path, &flags.files())?;
        if is_chart(&place.tree, &place.path)? {
            let request = flags.request(&place, name, namespace)?;
            return Ok(Some(Self { place, request }));
        }
        match flags.first_given().or(name.map(|_| "the name of a release")) {
            None => Ok(None),
            Some(flag) => {
                let problem = format!("{flag} is for charts, and `{}` is none", path.display());
                Err(Hinted::new(
                    problem,
                    "a chart is an archive, or a directory with a `Chart.yaml` and no kustomization file",
                )
                .into())
            }
        }
    }

    /// Renders it.
    pub(crate) fn render(&self, world: &ChartWorld) -> Result<RenderedChart, ChartBuildError> {
        render_chart(&self.place.tree, &self.request, world)
    }

    /// Renders it, and notes what that depends on. What was parsed for the last attempt is in `charts`.
    pub(crate) fn attempt(&self, charts: &ChartCache, world: &ChartWorld) -> ChartAttempt {
        attempt_chart(&self.place.tree, &self.request, charts, world)
    }
}

/// This machine, of which no cluster is known yet.
pub(crate) fn this_machine() -> ChartWorld {
    ChartWorld::new(Clock::system())
}

/// The error of a chart with what the reader can try, and with paths as they are `shown`.
pub(crate) fn explained(error: ChartBuildError, shown: &ShownPaths) -> CommandError {
    shown.in_error(with_hint(ChartBuildError::hint)(error))
}
