//! `fairlead`: keeps Kubernetes clusters the way their repositories say they should be.
//!
//! One binary: the controller in a cluster, and the command line beside it. A command is one file in `commands`.
//!
//! # Exit codes
//! 0: done. 1: an error, or for `diff`: there are changes. 2: an error of `diff`, or a command line that cannot be read.
//!
//! # Large dependencies
//! - `clap`: flags, help and completion.
//! - `notify`: tells of saved files, for `build --watch`.
//! - `rustls` with `ring`: the one TLS stack of the process, installed here.

mod artifacts;
mod charts;
mod commands;
mod connection;
mod deferred;
mod digest_key;
mod installation;
mod local;
mod log;
mod output;
mod planning;
mod provider;
mod releases;
mod served;
mod shown_paths;
mod wait;

use std::{process::ExitCode, time::Duration};

use clap::{CommandFactory, FromArgMatches, Parser, parser::ValueSource};

use commands::Command;
use connection::Connection;

/// Keeps Kubernetes clusters the way their repositories say they should be.
#[derive(Parser)]
#[command(name = "fairlead", version, propagate_version = true, max_term_width = 110)]
struct Arguments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

fn main() -> ExitCode {
    // Another provider can only be installed already by this very line.
    drop(rustls::crypto::ring::default_provider().install_default());
    let arguments = match read_arguments() {
        Ok(arguments) => arguments,
        Err(error) => error.exit(),
    };
    let runtime = match arguments.command.runtime().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return output::fail(&error, ExitCode::FAILURE),
    };
    let failure = arguments.command.failure();
    let ended = runtime.block_on(arguments.command.run(&arguments.connection));
    // A fetch that hangs in a blocking thread must not keep the process.
    runtime.shutdown_timeout(SHUTDOWN_LIMIT);
    match ended {
        Ok(code) => code,
        Err(error) => output::fail(&*error, failure),
    }
}

/// How long threads that are in the middle of something may take to end.
const SHUTDOWN_LIMIT: Duration = Duration::from_secs(2);

fn read_arguments() -> Result<Arguments, clap::Error> {
    let mut matches = Arguments::command().try_get_matches()?;
    let is_namespace_given = matches.value_source("namespace") == Some(ValueSource::CommandLine);
    let mut arguments = Arguments::from_arg_matches_mut(&mut matches)?;
    arguments.connection.is_namespace_given = is_namespace_given;
    Ok(arguments)
}

#[cfg(test)]
mod tests {
    use clap::Command;

    use super::*;

    /// What every command has.
    const COMMON: [&str; 2] = ["help", "version"];

    /// The command lines of `command` and of all below it, as `get sources git`, and their flags.
    fn lines(command: &Command, above: &str) -> Vec<String> {
        let flags = command.get_arguments().filter_map(|flag| flag.get_long()).filter(|flag| !COMMON.contains(flag));
        let mut all: Vec<String> = flags.map(|flag| format!("--{flag}")).collect();
        for below in command.get_subcommands().filter(|below| !COMMON.contains(&below.get_name())) {
            let line = format!("{above} {}", below.get_name());
            all.extend(lines(below, &line));
            all.push(line);
        }
        all
    }

    #[test]
    fn the_guide_tells_of_every_command_and_every_flag() {
        let guide = include_str!("../../docs/cli.md");
        let mut command = Arguments::command();
        command.build();
        let missing: Vec<_> = lines(&command, "fairlead").into_iter().filter(|line| !guide.contains(line)).collect();
        assert!(missing.is_empty(), "docs/cli.md does not tell of {missing:?}");
    }
}
