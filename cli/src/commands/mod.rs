//! The commands, one file each.

mod apply;
mod build;
mod check;
mod completion;
mod controller;
mod diff;
mod events;
mod get;
mod install;
mod kustomizations;
mod lint;
mod local_inventory;
mod reconcile;
mod sources;
mod suspend;
mod tree;
mod uninstall;

use std::process::ExitCode;

use clap::Subcommand;

use crate::{connection::Connection, output::CommandError};
pub(crate) use controller::accept_go_flags;

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Print what a directory or a Kustomization is built to.
    Build(build::Args),
    /// Show what would change in the cluster.
    Diff(diff::Args),
    /// Bring the cluster to what a local directory says.
    Apply(apply::Args),
    /// Tell everything that is wrong with charts.
    Lint(lint::Args),
    /// List objects and how they are.
    #[command(subcommand)]
    Get(get::Args),
    /// Show what belongs to an object.
    #[command(subcommand)]
    Tree(tree::Args),
    /// Show what happened.
    Events(events::Args),
    /// Ask for a reconciliation now, and wait for it.
    #[command(subcommand)]
    Reconcile(reconcile::Args),
    /// Stop reconciling objects.
    #[command(subcommand)]
    Suspend(suspend::Args),
    /// Go on reconciling objects.
    #[command(subcommand)]
    Resume(suspend::Args),
    /// Check whether the cluster can run Fairlead, and whether it does.
    Check(check::Args),
    /// Put Fairlead into the cluster.
    Install(install::Args),
    /// Remove Fairlead from the cluster; what it applied stays.
    Uninstall(uninstall::Args),
    /// Run the controllers: what `install` puts into a cluster.
    Controller(Box<controller::Args>),
    /// Print a completion script for a shell.
    Completion(completion::Args),
}

impl Command {
    /// Carries it out.
    pub(crate) async fn run(self, connection: &Connection) -> Result<ExitCode, CommandError> {
        match self {
            Self::Build(args) => build::run(args, connection).await,
            Self::Diff(args) => diff::run(args, connection).await,
            Self::Apply(args) => apply::run(args, connection).await,
            Self::Lint(args) => lint::run(&args, connection),
            Self::Get(args) => get::run(args, connection).await,
            Self::Tree(args) => tree::run(args, connection).await,
            Self::Events(args) => events::run(args, connection).await,
            Self::Reconcile(args) => reconcile::run(args, connection).await,
            Self::Suspend(args) => suspend::run(args, suspend::Change::Suspend, connection).await,
            Self::Resume(args) => suspend::run(args, suspend::Change::Resume, connection).await,
            Self::Check(args) => check::run(args, connection).await,
            Self::Install(args) => install::run(args, connection).await,
            Self::Uninstall(args) => uninstall::run(args, connection).await,
            Self::Controller(args) => controller::run(*args, connection).await,
            Self::Completion(args) => completion::run(&args),
        }
    }

    /// The exit code of a command that fails: `diff` keeps 1 for changes.
    pub(crate) fn failure(&self) -> ExitCode {
        match self {
            Self::Diff(_) => ExitCode::from(2),
            Self::Build(_)
            | Self::Apply(_)
            | Self::Lint(_)
            | Self::Get(_)
            | Self::Tree(_)
            | Self::Events(_)
            | Self::Reconcile(_)
            | Self::Suspend(_)
            | Self::Resume(_)
            | Self::Check(_)
            | Self::Install(_)
            | Self::Uninstall(_)
            | Self::Controller(_)
            | Self::Completion(_) => ExitCode::FAILURE,
        }
    }
}
