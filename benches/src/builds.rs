//! Builds: whole processes, from their start to their end.

mod trees;

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use fairlead_tests::binary::fairlead;
use fairlead_tools::{Tool, command};
use tokio::time::sleep;

use crate::{
    Extent, Outcome,
    report::{Report, median},
    say,
    usage::{has_ended, peak_mib, user_seconds},
};
use trees::Case;

/// How often a running build is looked at while its memory is watched.
const LOOK: Duration = Duration::from_millis(1);

/// Who builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Builder {
    Fairlead,
    Kubectl,
    Kustomize,
}

/// What one build took.
#[derive(Clone, Copy, Debug)]
struct Cost {
    /// The median of all rounds.
    seconds: f64,
    /// Processor time outside of the kernel.
    user_seconds: f64,
    peak_mib: f64,
}

impl Builder {
    const THEIRS: [Self; 2] = [Self::Kubectl, Self::Kustomize];

    fn name(self) -> &'static str {
        match self {
            Self::Fairlead => "fairlead build",
            Self::Kubectl => "kubectl kustomize",
            Self::Kustomize => "kustomize build",
        }
    }

    fn command(self, path: &Path) -> Command {
        let (program, subcommand) = match self {
            Self::Fairlead => (fairlead(), "build"),
            Self::Kubectl => (Tool::Kubectl.path(), "kustomize"),
            Self::Kustomize => (Tool::Kustomize.path(), "build"),
        };
        let mut build = command(program);
        build.arg(subcommand).arg(path).stdin(Stdio::null()).stdout(Stdio::null());
        build
    }
}

pub(crate) async fn run(extent: Extent) -> Outcome<Report> {
    fairlead_tools::provide(&[Tool::Kubectl, Tool::Kustomize], say)?;
    let rounds = match extent {
        Extent::Quick => 3,
        Extent::Full => 5,
    };
    let mut report = Report::new("build");
    for case in Case::all(extent) {
        let folder = tempfile::tempdir()?;
        case.write(folder.path())?;
        let path = folder.path().join(case.path);
        let ours = cost(Builder::Fairlead, &path, rounds).await?;
        for builder in Builder::THEIRS {
            let theirs = cost(builder, &path, rounds).await?;
            let mut compare = |what: &str, unit, ours, theirs| {
                report.compare(format!("{}: {what}", case.name), unit, ours, (builder.name(), theirs));
            };
            compare("time", "s", ours.seconds, theirs.seconds);
            compare("user time", "s", ours.user_seconds, theirs.user_seconds);
            compare("peak memory", "MiB", ours.peak_mib, theirs.peak_mib);
        }
    }
    Ok(report)
}

/// Builds `path` several times for the time, and once more for the rest, since looking on takes time too.
async fn cost(builder: Builder, path: &Path, rounds: usize) -> Outcome<Cost> {
    let mut times = Vec::new();
    for _ in 0..rounds {
        let began = Instant::now();
        let status = builder.command(path).status()?;
        times.push(began.elapsed().as_secs_f64());
        if !status.success() {
            return Err(format!("`{}` failed, its message is above", builder.name()).into());
        }
    }
    let (user_seconds, peak_mib) = look_on(builder.command(path).spawn()?).await?;
    let cost = Cost { seconds: median(&times), user_seconds, peak_mib };
    say(&format!("{}: {cost:?}", builder.name()));
    Ok(cost)
}

/// Returns user seconds and peak memory of a build.
async fn look_on(mut build: Child) -> Outcome<(f64, f64)> {
    let mut peak = 0.0;
    while !has_ended(build.id())? {
        peak = peak_mib(build.id()).unwrap_or(peak);
        sleep(LOOK).await;
    }
    let user = user_seconds(build.id())?;
    build.wait()?;
    Ok((user, peak))
}
