//! `fairlead completion`: a script that completes commands and flags in a shell.

use std::{io, process::ExitCode};

use clap::{Args as Flags, CommandFactory};
use clap_complete::Shell;

use crate::{Arguments, output::CommandError};

/// Flags of `completion`.
#[derive(Flags)]
pub(crate) struct Args {
    /// The shell.
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, CommandError> {
    clap_complete::generate(args.shell, &mut Arguments::command(), "fairlead", &mut io::stdout());
    Ok(ExitCode::SUCCESS)
}
