//! Measurements: `cargo xtask bench NAME [--quick] [--json]`.
//!
//! Each gives the same work to Fairlead and to what people use today, one after the other on the same machine, and
//! reports what it took. Nothing here is a test: a time is reported and never asserted.

mod applications;
mod builds;
mod charts;
mod contender;
mod delivery;
mod drift;
mod floor;
mod flux;
mod machine;
mod measurement;
mod mttp;
mod processes;
mod report;
mod sources;
mod usage;

use std::{error::Error, process::ExitCode};

use clap::{Parser, ValueEnum};
use fairlead_tests::shutdown;

use crate::{delivery::Delivery, report::Report};

/// What goes wrong in a benchmark ends it, and is told to whoever started it.
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// Run one benchmark.
#[derive(Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Arguments {
    /// Which one; without a name the benchmarks are listed.
    name: Option<Benchmark>,
    /// Smaller sizes, fewer rounds.
    #[arg(long)]
    quick: bool,
    /// Print one JSON object on one line.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Benchmark {
    /// Overlays and plain manifests: `fairlead build` against `kubectl kustomize` and `kustomize build`.
    Build,
    /// Charts: `fairlead build` against `helm template`, and renderings of a chart that is loaded.
    Charts,
    /// An object that someone edits: until it is put right.
    Drift,
    /// Mean time to production: from the first of many applications being created to the last being ready.
    Mttp,
    /// The same for releases of a chart, and a value that changes in all of them.
    MttpHelm,
    /// Sources: a first fetch and one that finds nothing new, against Flux, `git clone` and `helm repo update`.
    Sources,
}

/// How much of a benchmark is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Extent {
    /// Enough to see that it works.
    Quick,
    /// What results are quoted from.
    Full,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let Some(benchmark) = arguments.name else {
        list();
        return ExitCode::SUCCESS;
    };
    let extent = if arguments.quick { Extent::Quick } else { Extent::Full };
    let report = tokio::select! {
        report = benchmark.run(extent) => report,
        () = shutdown() => return ExitCode::FAILURE,
    };
    match report {
        Ok(report) if arguments.json => println!("{}", report.json()),
        Ok(report) => print!("{report}"),
        Err(error) => {
            eprintln!("error: {}", fairlead_tests::report(error.as_ref()));
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

impl Benchmark {
    async fn run(self, extent: Extent) -> Outcome<Report> {
        match self {
            Self::Build => builds::run(extent).await,
            Self::Charts => charts::run(extent).await,
            Self::Drift => drift::run(extent).await,
            Self::Mttp => mttp::run(Delivery::Kustomization, extent).await,
            Self::MttpHelm => mttp::run(Delivery::HelmRelease, extent).await,
            Self::Sources => sources::run(extent).await,
        }
    }
}

fn list() {
    for benchmark in Benchmark::value_variants() {
        let value = benchmark.to_possible_value().expect("no benchmark is hidden");
        let help = value.get_help().map(ToString::to_string).unwrap_or_default();
        println!("{:<9} {help}", value.get_name());
    }
}

/// Tells what is being done, and leaves standard output to results.
fn say(line: &str) {
    eprintln!("bench: {line}");
}
