//! How a command reaches its cluster: `kubectl`'s flags and environment.

use std::{error::Error, path::PathBuf, time::Duration};

use clap::Args;
use fairlead_api::duration::GoDuration;
use fairlead_reconciler::{cluster::Cluster, metrics::Metrics};
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

use crate::output::{CommandError, Hinted};

/// Flags that all commands share.
#[derive(Args, Debug)]
pub(crate) struct Connection {
    /// The kubeconfig file; otherwise $KUBECONFIG, ~/.kube/config, or in a pod its own account.
    #[arg(long, global = true, help_heading = "Global options", value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The kubeconfig's context.
    #[arg(long, global = true, help_heading = "Global options")]
    context: Option<String>,
    /// The namespace to work in.
    #[arg(short, long, global = true, help_heading = "Global options", env = "FLUX_SYSTEM_NAMESPACE", default_value = "flux-system", value_parser = dns_label)]
    pub(crate) namespace: String,
    /// Whether the command line names the namespace.
    #[arg(skip)]
    pub(crate) is_namespace_given: bool,
    /// How long the whole command may take.
    #[arg(long, global = true, help_heading = "Global options", default_value = "5m0s", value_parser = duration)]
    pub(crate) timeout: Duration,
}

/// Reads a duration as Go writes it.
pub(crate) fn duration(written: &str) -> Result<Duration, String> {
    GoDuration::parse(written).map(|duration| duration.0).map_err(|error| error.to_string())
}

/// Reads `KEY=VALUE`.
pub(crate) fn pair(written: &str) -> Result<(String, String), String> {
    let (key, value) = written.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or("it is not KEY=VALUE")?;
    Ok((key.to_owned(), value.to_owned()))
}

/// Reads a name as Kubernetes has them.
pub(crate) fn dns_label(written: &str) -> Result<String, String> {
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let is_label = (1..=63).contains(&written.len())
        && written.chars().all(is_inner)
        && !written.starts_with('-')
        && !written.ends_with('-');
    if is_label {
        return Ok(written.to_owned());
    }
    Err("a name has 1 to 63 lower-case letters, digits and `-`, and begins and ends with no `-`".to_owned())
}

impl Connection {
    /// The namespace, if the command line names it.
    pub(crate) fn given_namespace(&self) -> Option<&str> {
        Some(self.namespace.as_str()).filter(|_| self.is_namespace_given)
    }

    /// The client's configuration.
    pub(crate) async fn config(&self) -> Result<Config, CommandError> {
        let options = KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        let mut config = match &self.kubeconfig {
            Some(file) => Config::from_custom_kubeconfig(Kubeconfig::read_from(file)?, &options).await?,
            None if self.context.is_some() => Config::from_kubeconfig(&options).await?,
            None => Config::infer().await.map_err(|error| {
                Hinted::new(error, "name a kubeconfig with --kubeconfig, or in the environment variable KUBECONFIG")
            })?,
        };
        // A request that is sent again and again would hold its run for minutes without a word.
        config.default_retry = false;
        Ok(config)
    }

    /// The cluster.
    ///
    /// # Errors
    /// If nothing answers there, in words that every command has in common.
    pub(crate) async fn cluster(&self) -> Result<Cluster, CommandError> {
        let config = self.config().await?;
        let url = config.cluster_url.to_string();
        let client = Client::try_from(config)?;
        match client.apiserver_version().await {
            // Whoever refuses or does not understand the question is there.
            Ok(_) | Err(kube::Error::Api(_) | kube::Error::SerdeError(_)) => {
                Ok(Cluster::new(client, Metrics::default()))
            }
            Err(error) => {
                let hint = "check that the cluster runs and can be reached from here; --context and --kubeconfig choose \
                            another one";
                Err(Hinted::new(Unreachable { url, chosen_by: self.chosen_by(), source: innermost(&error) }, hint)
                    .into())
            }
        }
    }

    /// What names the cluster.
    fn chosen_by(&self) -> String {
        let kubeconfig = match &self.kubeconfig {
            Some(file) => Kubeconfig::read_from(file),
            None => Kubeconfig::read(),
        };
        let Ok(kubeconfig) = kubeconfig else { return "the account of this pod".to_owned() };
        let context = self.context.clone().or(kubeconfig.current_context).unwrap_or_default();
        let file = match &self.kubeconfig {
            Some(file) => file.display().to_string(),
            None => std::env::var("KUBECONFIG").unwrap_or_else(|_| "~/.kube/config".to_owned()),
        };
        format!("context `{context}` of `{file}`")
    }
}

/// A server that gives no answer.
#[derive(Debug, thiserror::Error)]
#[error("cannot reach the API server at {url}, which {chosen_by} names")]
struct Unreachable {
    url: String,
    chosen_by: String,
    source: Reason,
}

/// Why a server gives no answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Reason(String);

/// What is at the bottom of `error`: those above it tell which library met it.
fn innermost(error: &dyn Error) -> Reason {
    let mut cause = error;
    while let Some(below) = cause.source() {
        cause = below;
    }
    Reason(cause.to_string())
}
