//! One command for each chore: `cargo xtask <chore>`.
//!
//! It compiles in seconds, since it starts what a chore needs and links none of it: the programs that talk to a
//! cluster are binaries of `tests/` and `benches/`.

mod cargo;
mod fuzz;
mod prerequisites;
mod test;

use std::{error::Error, process::ExitCode};

use clap::{Parser, Subcommand};
use fairlead_tools::Tool;
use xtask::image;

use crate::{cargo::Addresses, prerequisites::Prerequisite};

const NO_ARGUMENTS: [&str; 0] = [];

/// One command for each chore of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    /// Start an API server and a Git server, run the controller, and show a commit becoming the state of the cluster.
    Demo {
        /// End after the tour instead of staying until Ctrl-C.
        #[arg(long)]
        once: bool,
    },
    /// Install or build what tests need, run every test, and end with one line that counts them.
    Test {
        /// Passed on to `cargo test`, such as the name of a test.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Start an API server with its controllers, print the path of its kubeconfig, and keep it until Ctrl-C.
    Cluster,
    /// Build the Kubernetes programs that tests, the demo and benchmarks start, as far as they are missing.
    Tools,
    /// Run one benchmark.
    Bench {
        /// Which one; without a name the benchmarks are listed.
        name: Option<String>,
        /// Smaller sizes, fewer rounds.
        #[arg(long)]
        quick: bool,
        /// Print one JSON object on one line.
        #[arg(long)]
        json: bool,
    },
    /// Run one property of `fuzz/` under libFuzzer; what breaks it is kept in `target/fuzz/findings/`.
    Fuzz {
        /// `parser`, `emitter`, `patch` or `build`; of charts `template`, `format`, `archive` or `set`; of sources `git`,
        /// `known_hosts`, `tar`, `index`, `manifest`, `ignore` or `webhook`.
        property: String,
        /// How long.
        #[arg(long, default_value_t = 15)]
        minutes: u64,
    },
    /// Build the command line as one file that needs nothing else to run, and print its path.
    Binary,
    /// Write the image that `fairlead install` runs, as an OCI archive.
    Image,
    /// Write the generated files anew: those under `deploy/`, and what kustomize knows of Kubernetes' types.
    Generate,
}

fn main() -> ExitCode {
    match run(Arguments::parse().chore) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            let mut source = error.source();
            while let Some(cause) = source {
                eprintln!("  caused by: {cause}");
                source = cause.source();
            }
            ExitCode::FAILURE
        }
    }
}

fn run(chore: Chore) -> Result<ExitCode, Box<dyn Error>> {
    match chore {
        Chore::Demo { once } => {
            prepare(&[Prerequisite::CCompiler, Prerequisite::Git, Prerequisite::Go], &Tool::CLUSTER)?;
            say("building Fairlead and the demo, without optimisation since that is ready sooner");
            cargo::build_binaries(&["fairlead", "fairlead-tests"], cargo::Profile::Dev)?;
            Err(cargo::become_binary("demo", cargo::Profile::Dev, once.then_some("--once")).into())
        }
        Chore::Test { arguments } => {
            prepare(&Prerequisite::ALL, &Tool::ALL)?;
            say("building every binary, since scenarios start them, and every test");
            cargo::build_everything()?;
            Ok(test::run(&arguments)?)
        }
        Chore::Cluster => {
            prepare(&[Prerequisite::CCompiler, Prerequisite::Go], &Tool::CLUSTER)?;
            cargo::build_binaries(&["fairlead-tests"], cargo::Profile::Dev)?;
            Err(cargo::become_binary("cluster", cargo::Profile::Dev, NO_ARGUMENTS).into())
        }
        Chore::Tools => {
            prepare(&[Prerequisite::Go], &Tool::ALL)?;
            for tool in Tool::ALL {
                println!("{}", tool.path().display());
            }
            Ok(ExitCode::SUCCESS)
        }
        Chore::Bench { name, quick, json } => {
            prepare(&[Prerequisite::CCompiler, Prerequisite::Git, Prerequisite::Go], &Tool::CLUSTER)?;
            say("building Fairlead and its benchmarks with optimisation");
            cargo::build_static("fairlead", Addresses::Fixed)?;
            cargo::build_binaries(&["fairlead-benches"], cargo::Profile::Release)?;
            let flags = [(quick, "--quick"), (json, "--json")];
            let flags = flags.into_iter().filter(|(given, _)| *given).map(|(_, flag)| flag.to_owned());
            Err(cargo::become_binary("fairlead-benches", cargo::Profile::Release, name.into_iter().chain(flags)).into())
        }
        Chore::Fuzz { property, minutes } => {
            prerequisites::require(&[Prerequisite::CCompiler])?;
            say("building the fuzzer, with counters for what an input reaches");
            Err(fuzz::run(&property, minutes)?.into())
        }
        Chore::Binary => {
            prerequisites::require(&[Prerequisite::CCompiler])?;
            say("building a static Fairlead with optimisation");
            println!("{}", cargo::build_static("fairlead", Addresses::Fixed)?.display());
            Ok(ExitCode::SUCCESS)
        }
        Chore::Image => {
            prerequisites::require(&[Prerequisite::CCompiler])?;
            say("building a static Fairlead with optimisation");
            let archive = fairlead_tools::target_directory().join("fairlead-image.tar");
            image::pack(&cargo::build_static("fairlead", Addresses::Random)?)?.write(&archive)?;
            say(&format!(
                "wrote {}; load it with `docker load`, `podman load` or `kind load image-archive`",
                image::REFERENCE
            ));
            println!("{}", archive.display());
            Ok(ExitCode::SUCCESS)
        }
        Chore::Generate => {
            prerequisites::require(&[Prerequisite::CCompiler, Prerequisite::Go])?;
            cargo::build_binaries(&["fairlead-tests"], cargo::Profile::Dev)?;
            Err(cargo::become_binary("generate", cargo::Profile::Dev, NO_ARGUMENTS).into())
        }
    }
}

/// Makes sure that `needed` is there, and `tools`, which Go builds.
fn prepare(needed: &[Prerequisite], tools: &[Tool]) -> Result<(), Box<dyn Error>> {
    prerequisites::require(needed)?;
    Ok(fairlead_tools::provide(tools, say)?)
}

/// Tells what is being done, and leaves standard output to results.
fn say(line: &str) {
    eprintln!("xtask: {line}");
}
