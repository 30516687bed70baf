//! The commands, one file each.

mod apply;
mod build;
mod check;
mod completion;
mod controller;
mod create;
mod debug;
mod delete;
mod diff;
mod events;
mod export;
mod get;
mod history;
mod install;
mod kustomizations;
mod lint;
mod list;
mod local_inventory;
mod pull;
mod push;
mod reconcile;
mod release_selection;
mod rollback;
mod sources;
mod suspend;
mod tag;
mod trace;
mod tree;
mod uninstall;

use std::process::ExitCode;

use clap::Subcommand;
use tokio::runtime;

use crate::{connection::Connection, deferred::Deferred, output::CommandError};

/// What to do.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Print what a directory or a Kustomization is built to.
    Build(Box<build::Args>),
    /// Show what would change in the cluster.
    Diff(diff::Args),
    /// Bring the cluster to what a local directory says.
    Apply(apply::Args),
    /// Tell everything that is wrong with charts.
    Lint(lint::Args),
    /// List objects and how they are.
    #[command(subcommand)]
    Get(Deferred<get::Args>),
    /// Show what belongs to an object.
    #[command(subcommand)]
    Tree(Deferred<tree::Args>),
    /// Show where an object comes from.
    Trace(Deferred<trace::Args>),
    /// Show what happened.
    Events(Deferred<events::Args>),
    /// Show the revisions of a release.
    #[command(subcommand)]
    History(Deferred<history::Args>),
    /// Show the values of a release, or what is known of it.
    #[command(subcommand)]
    Debug(Deferred<debug::Args>),
    /// Ask for a reconciliation now, and wait for it.
    #[command(subcommand)]
    Reconcile(Deferred<reconcile::Args>),
    /// Bring a release back to an earlier revision.
    #[command(subcommand)]
    Rollback(Deferred<rollback::Args>),
    /// Stop reconciling objects.
    #[command(subcommand)]
    Suspend(Deferred<suspend::Args>),
    /// Go on reconciling objects.
    #[command(subcommand)]
    Resume(Deferred<suspend::Args>),
    /// Write sources, Kustomizations, HelmReleases and Secrets from flags.
    Create(Deferred<create::Args>),
    /// Delete an object.
    #[command(subcommand)]
    Delete(Deferred<delete::Args>),
    /// Print objects as they were applied.
    #[command(subcommand)]
    Export(Deferred<export::Args>),
    /// Put files into a registry.
    #[command(subcommand)]
    Push(Deferred<push::Args>),
    /// Take files from a registry.
    #[command(subcommand)]
    Pull(Deferred<pull::Args>),
    /// Give an artifact in a registry more tags.
    #[command(subcommand)]
    Tag(Deferred<tag::Args>),
    /// List what is in a registry.
    #[command(subcommand)]
    List(Deferred<list::Args>),
    /// Check whether the cluster can run Fairlead, and whether it does.
    Check(Deferred<check::Args>),
    /// Put Fairlead into the cluster.
    Install(Deferred<install::Args>),
    /// Remove Fairlead from the cluster; what it applied stays.
    Uninstall(Deferred<uninstall::Args>),
    /// Run the controllers: what `install` puts into a cluster.
    Controller(Deferred<Box<controller::Args>>),
    /// Print a completion script for a shell.
    Completion(Deferred<completion::Args>),
}

impl Command {
    /// Carries it out.
    pub(crate) async fn run(self, connection: &Connection) -> Result<ExitCode, CommandError> {
        match self {
            Self::Build(args) => build::run(*args, connection).await,
            Self::Diff(args) => Box::pin(diff::run(args, connection)).await,
            Self::Apply(args) => apply::run(args, connection).await,
            Self::Lint(args) => lint::run(&args, connection),
            Self::Get(Deferred(args)) => get::run(args, connection).await,
            Self::Tree(Deferred(args)) => tree::run(args, connection).await,
            Self::Trace(Deferred(args)) => trace::run(args, connection).await,
            Self::Events(Deferred(args)) => events::run(args, connection).await,
            Self::History(Deferred(args)) => history::run(args, connection).await,
            Self::Debug(Deferred(args)) => debug::run(args, connection).await,
            Self::Reconcile(Deferred(args)) => reconcile::run(args, connection).await,
            Self::Rollback(Deferred(args)) => rollback::run(args, connection).await,
            Self::Suspend(Deferred(args)) => suspend::run(args, suspend::Change::Suspend, connection).await,
            Self::Resume(Deferred(args)) => suspend::run(args, suspend::Change::Resume, connection).await,
            Self::Create(Deferred(args)) => create::run(args, connection).await,
            Self::Delete(Deferred(args)) => delete::run(args, connection).await,
            Self::Export(Deferred(args)) => export::run(args, connection).await,
            Self::Push(Deferred(args)) => push::run(args, connection).await,
            Self::Pull(Deferred(args)) => pull::run(args, connection).await,
            Self::Tag(Deferred(args)) => tag::run(args, connection).await,
            Self::List(Deferred(args)) => list::run(args, connection).await,
            Self::Check(Deferred(args)) => check::run(args, connection).await,
            Self::Install(Deferred(args)) => install::run(args, connection).await,
            Self::Uninstall(Deferred(args)) => uninstall::run(args, connection).await,
            Self::Controller(Deferred(args)) => controller::run(*args, connection).await,
            Self::Completion(Deferred(args)) => completion::run(&args),
        }
    }

    /// What it runs on: the controller on every processor, all others on the thread they started on.
    pub(crate) fn runtime(&self) -> runtime::Builder {
        if matches!(self, Self::Controller(_)) {
            runtime::Builder::new_multi_thread()
        } else {
            runtime::Builder::new_current_thread()
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
            | Self::Trace(_)
            | Self::Events(_)
            | Self::History(_)
            | Self::Debug(_)
            | Self::Reconcile(_)
            | Self::Rollback(_)
            | Self::Suspend(_)
            | Self::Resume(_)
            | Self::Create(_)
            | Self::Delete(_)
            | Self::Export(_)
            | Self::Push(_)
            | Self::Pull(_)
            | Self::Tag(_)
            | Self::List(_)
            | Self::Check(_)
            | Self::Install(_)
            | Self::Uninstall(_)
            | Self::Controller(_)
            | Self::Completion(_) => ExitCode::FAILURE,
        }
    }
}
