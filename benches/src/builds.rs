//! Builds: whole processes, from their start to their end.

mod trees;
mod yaml;

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use fairlead_manifests::{BuildRequest, Caller, Files, Order, build};
use fairlead_object::LocalTree;
use fairlead_tests::binary::fairlead;
use fairlead_tools::{Tool, command};
use tokio::time::sleep;

use crate::{
    Extent, Outcome,
    report::{Report, median},
    say,
    usage::{has_ended, peak_mib, user_seconds},
};
use trees::{Against, Case};

/// Builds that take longer are measured less often.
const LONG: Duration = Duration::from_secs(5);

/// How often a build that takes long is measured.
const ROUNDS_IF_LONG: usize = 3;

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
    milliseconds: f64,
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
        report.state(format!("{}: in process", case.name), "ms", in_process(folder.path(), case.path, rounds)?);
        if case.against == Against::Nobody {
            report.state(format!("{}: time", case.name), "ms", ours.milliseconds);
            report.state(format!("{}: user time", case.name), "s", ours.user_seconds);
            report.state(format!("{}: peak memory", case.name), "MiB", ours.peak_mib);
            continue;
        }
        for builder in Builder::THEIRS {
            let theirs = cost(builder, &path, rounds).await?;
            let mut compare = |what: &str, unit, ours, theirs| {
                report.compare(format!("{}: {what}", case.name), unit, ours, (builder.name(), theirs));
            };
            compare("time", "ms", ours.milliseconds, theirs.milliseconds);
            compare("user time", "s", ours.user_seconds, theirs.user_seconds);
            compare("peak memory", "MiB", ours.peak_mib, theirs.peak_mib);
        }
    }
    let megabytes = if extent == Extent::Quick { 1 } else { 10 };
    report.state("reading YAML on one thread", "MB/s", yaml::reading(megabytes, rounds)?);
    report.state("writing YAML on one thread", "MB/s", yaml::writing(megabytes, rounds)?);
    Ok(report)
}

/// Builds the directory `path` of `root` in this process, as often as it takes, and returns milliseconds.
fn in_process(root: &Path, path: &str, rounds: usize) -> Outcome<f64> {
    let tree = LocalTree::open(root)?;
    let request = BuildRequest {
        order: Order::ByKind,
        files: Files::BelowRoot,
        caller: Caller::CommandLine,
        ..BuildRequest::new(path.parse()?)
    };
    let mut times = Vec::new();
    for _ in 0..rounds {
        let began = Instant::now();
        let text = build(&tree, &request)?.text();
        times.push(began.elapsed().as_secs_f64() * 1e3);
        drop(text);
    }
    Ok(median(&times))
}

/// Builds `path` several times for the time, and once more for the rest, since looking on takes time too.
async fn cost(builder: Builder, path: &Path, rounds: usize) -> Outcome<Cost> {
    let mut times = Vec::new();
    let mut wanted = rounds;
    while times.len() < wanted {
        let began = Instant::now();
        let status = builder.command(path).status()?;
        let took = began.elapsed();
        times.push(took.as_secs_f64() * 1e3);
        if took > LONG {
            wanted = ROUNDS_IF_LONG.min(rounds);
        }
        if !status.success() {
            return Err(format!("`{}` failed, its message is above", builder.name()).into());
        }
    }
    let (user_seconds, peak_mib) = look_on(builder.command(path).spawn()?).await?;
    let cost = Cost { milliseconds: median(&times), user_seconds, peak_mib };
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
