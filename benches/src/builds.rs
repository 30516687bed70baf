//! Builds: whole processes, from their start to their end.

mod trees;
mod yaml;

use std::{path::Path, process::Command, time::Instant};

use fairlead_manifests::{BuildRequest, Caller, Files, Order, build};
use fairlead_object::LocalTree;
use fairlead_tests::binary::fairlead;
use fairlead_tools::{Tool, command};

use crate::{
    Extent, Outcome,
    processes::Cost,
    report::{Report, median},
    say,
};
use trees::{Against, Case};

/// Who builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Builder {
    Fairlead,
    Kubectl,
    Kustomize,
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
        build.arg(subcommand).arg(path);
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
        let path = path.as_path();
        let cost = |builder: Builder| Cost::of(builder.name(), move || builder.command(path), rounds);
        let ours = cost(Builder::Fairlead).await?;
        report.state(format!("{}: in process", case.name), "ms", in_process(folder.path(), case.path, rounds)?);
        if case.against == Against::Nobody {
            ours.state(&case.name, &mut report);
            continue;
        }
        for builder in Builder::THEIRS {
            let theirs = cost(builder).await?;
            ours.compare(&case.name, (builder.name(), theirs), &mut report);
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
