//! How a command reaches its cluster: `kubectl`'s flags and environment.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use fairlead_api::duration::GoDuration;
use fairlead_reconciler::{cluster::Cluster, metrics::Metrics};
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

use crate::output::CommandError;

/// Flags that all commands share.
#[derive(Args, Debug)]
pub(crate) struct Connection {
    /// The kubeconfig file; otherwise $KUBECONFIG, ~/.kube/config, or in a pod its own account.
    #[arg(long, global = true, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
    /// The kubeconfig's context.
    #[arg(long, global = true)]
    context: Option<String>,
    /// The namespace to work in.
    #[arg(short, long, global = true, env = "FLUX_SYSTEM_NAMESPACE", default_value = "flux-system")]
    pub(crate) namespace: String,
    /// How long the whole command may take.
    #[arg(long, global = true, default_value = "5m0s", value_parser = duration)]
    pub(crate) timeout: Duration,
}

/// Reads a duration as Go writes it.
pub(crate) fn duration(written: &str) -> Result<Duration, String> {
    GoDuration::parse(written).map(|duration| duration.0).map_err(|error| error.to_string())
}

impl Connection {
    /// The client's configuration.
    pub(crate) async fn config(&self) -> Result<Config, CommandError> {
        let options = KubeConfigOptions { context: self.context.clone(), ..KubeConfigOptions::default() };
        let config = match &self.kubeconfig {
            Some(file) => Config::from_custom_kubeconfig(Kubeconfig::read_from(file)?, &options).await?,
            None if self.context.is_some() => Config::from_kubeconfig(&options).await?,
            None => Config::infer().await?,
        };
        Ok(config)
    }

    /// A client of the cluster.
    pub(crate) async fn client(&self) -> Result<Client, CommandError> {
        Ok(Client::try_from(self.config().await?)?)
    }

    /// The cluster.
    pub(crate) async fn cluster(&self) -> Result<Cluster, CommandError> {
        Ok(Cluster::new(self.client().await?, Metrics::default()))
    }
}
