//! `fairlead create`: writes sources, Kustomizations, HelmReleases, Receivers and Secrets from flags, or prints them for a
//! repository.

mod git_keys;
mod helm_release;
mod kustomization;
mod object;
mod receiver;
mod secret;
mod source;

use std::{process::ExitCode, time::Duration};

use clap::{Args as Flags, Subcommand};
use fairlead_api::duration::GoDuration;
use serde_json::Value;

use crate::{
    connection::{Connection, duration, pair},
    output::CommandError,
};

/// Flags of `create`.
#[derive(Flags)]
pub(crate) struct Args {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    what: What,
}

/// Flags that all kinds share.
#[derive(Flags)]
pub(crate) struct Common {
    /// How often it is reconciled.
    #[arg(long, global = true, default_value = "1m0s", value_parser = duration)]
    interval: Duration,
    /// Print it as YAML, and write nothing to the cluster.
    #[arg(long, global = true)]
    export: bool,
    /// Labels that it bears.
    #[arg(long = "label", global = true, value_name = "KEY=VALUE", value_delimiter = ',', value_parser = pair)]
    labels: Vec<(String, String)>,
}

/// What to create.
#[derive(Subcommand)]
enum What {
    /// Create a source, or change it.
    #[command(subcommand)]
    Source(Box<source::Args>),
    /// Create a Kustomization, or change it.
    #[command(alias = "ks")]
    Kustomization(Box<kustomization::Args>),
    /// Create a HelmRelease, or change it.
    #[command(alias = "hr")]
    Helmrelease(Box<helm_release::Args>),
    /// Create a Receiver, or change it.
    Receiver(receiver::Args),
    /// Create a Secret, or change it.
    #[command(subcommand)]
    Secret(Box<secret::Args>),
}

pub(crate) async fn run(args: Args, connection: &Connection) -> Result<ExitCode, CommandError> {
    let Args { common, what } = args;
    match what {
        What::Source(args) => source::create(*args, &common, connection).await?,
        What::Kustomization(args) => kustomization::create(&args, &common, connection).await?,
        What::Helmrelease(args) => helm_release::create(&args, &common, connection).await?,
        What::Receiver(args) => receiver::create(&args, &common, connection).await?,
        What::Secret(args) => secret::create(&args, &common, connection).await?,
    }
    Ok(ExitCode::SUCCESS)
}

impl Common {
    /// `spec.interval`.
    fn interval(&self) -> Value {
        written(self.interval)
    }

    /// The metadata of the object `name`.
    fn metadata(&self, name: &str, connection: &Connection) -> Value {
        let label = |(key, value): &(String, String)| (key.clone(), Value::from(value.as_str()));
        let mut metadata = serde_json::json!({ "name": name, "namespace": connection.namespace });
        if !self.labels.is_empty() {
            metadata["labels"] = self.labels.iter().map(label).collect();
        }
        metadata
    }
}

/// A duration as objects write it.
fn written(duration: Duration) -> Value {
    GoDuration(duration).to_string().into()
}
