//! `fairlead completion`: a script that completes commands and flags in a shell.

use std::process::ExitCode;

use clap::{Args as Flags, CommandFactory};
use clap_complete::Shell;

use crate::{
    Arguments,
    output::{CommandError, print},
};

/// Flags of `completion`.
#[derive(Flags)]
pub(crate) struct Args {
    /// The shell.
    shell: Shell,
}

pub(crate) fn run(args: &Args) -> Result<ExitCode, CommandError> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Arguments::command(), "fairlead", &mut script);
    print(&String::from_utf8(script)?)?;
    Ok(ExitCode::SUCCESS)
}
