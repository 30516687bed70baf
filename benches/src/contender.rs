//! Who brings the applications to the cluster.

use std::io;

use fairlead_tests::{Controller, TestCluster};

use crate::{
    Outcome,
    delivery::Delivery,
    flux::{self, Flux},
    usage::Processes,
};

/// How many applications each works on at once.
const CONCURRENT: &str = "--concurrent=20";

/// What can be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tool {
    Fairlead,
    Flux,
}

/// A running tool, alone in its cluster.
pub(crate) enum Contender {
    Fairlead(Controller),
    Flux(Flux),
}

impl Tool {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fairlead => "Fairlead",
            Self::Flux => flux::NAME,
        }
    }

    /// Installs it in `cluster` and starts what brings applications by `delivery`.
    pub(crate) async fn start(self, cluster: &TestCluster, delivery: Delivery) -> Outcome<Contender> {
        match self {
            Self::Fairlead => {
                cluster.install().await;
                Ok(Contender::Fairlead(Controller::start(cluster, &[CONCURRENT]).await))
            }
            Self::Flux => Ok(Contender::Flux(Flux::start(cluster, delivery).await?)),
        }
    }
}

impl Contender {
    /// Returns its processes.
    pub(crate) fn processes(&self) -> io::Result<Processes> {
        match self {
            Self::Fairlead(_) => Processes::running(&["fairlead"]),
            Self::Flux(flux) => Processes::running(&flux.programs()),
        }
    }

    /// Returns that of its processes which fetches sources.
    pub(crate) fn source_processes(&self) -> io::Result<Processes> {
        match self {
            Self::Fairlead(_) => self.processes(),
            Self::Flux(_) => Processes::running(&[Flux::SOURCE_PROGRAM]),
        }
    }

    /// Returns whether `user` is one that it makes requests as.
    pub(crate) fn is_user(&self, user: &str) -> bool {
        match self {
            Self::Fairlead(_) => user == Controller::user(),
            Self::Flux(_) => Flux::USERS.contains(&user),
        }
    }

    /// Returns how many runs for applications that come by `delivery` it has counted.
    pub(crate) async fn runs(&self, delivery: Delivery) -> f64 {
        let metrics = match self {
            Self::Fairlead(controller) => controller.metrics().await,
            Self::Flux(flux) => flux.metrics().await,
        };
        runs(&metrics, delivery)
    }
}

fn runs(metrics: &str, delivery: Delivery) -> f64 {
    let label = format!("controller=\"{}\"", delivery.kind().to_lowercase());
    let of_kind =
        metrics.lines().filter(|line| line.starts_with("controller_runtime_reconcile_total{") && line.contains(&label));
    of_kind.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_summed_over_their_results() {
        let metrics = "\
            # TYPE controller_runtime_reconcile counter\n\
            controller_runtime_reconcile_total{controller=\"kustomization\",result=\"success\"} 3\n\
            controller_runtime_reconcile_total{controller=\"kustomization\",result=\"requeue_after\"} 40\n\
            controller_runtime_reconcile_total{controller=\"gitrepository\",result=\"success\"} 5\n";
        assert_eq!(runs(metrics, Delivery::Kustomization).to_string(), "43");
    }
}
