//! The commands, one file each.

mod controller;

use std::process::ExitCode;

use clap::Subcommand;

use crate::{connection::Connection, output::CommandError};

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Run the controllers: what `install` puts into a cluster.
    Controller(controller::Args),
}

impl Command {
    /// Carries it out.
    pub(crate) async fn run(self, connection: &Connection) -> Result<ExitCode, CommandError> {
        match self {
            Self::Controller(args) => controller::run(args, connection).await,
        }
    }

    /// The exit code of a command that fails: `diff` keeps 1 for changes.
    pub(crate) fn failure(&self) -> ExitCode {
        match self {
            Self::Controller(_) => ExitCode::FAILURE,
        }
    }
}
