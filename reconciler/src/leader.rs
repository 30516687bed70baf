//! Leader election by a Lease of `coordination.k8s.io/v1`, as client-go does it.
//!
//! A candidate takes a lease that nobody renewed for its whole duration, measured by the candidate's own clock from
//! when it first saw the lease in that state: clocks of two machines are never compared. The leader counts from when it
//! began to ask for its last renewal, so it knows that it has lost the lease before anyone else may take it.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout_at};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{
    clock::Clock,
    cluster::{ApiError, Cluster, Resource},
};

/// Which lease is contended for, by whom, and how patiently.
#[derive(Clone, Debug)]
pub struct Election {
    /// Namespace of the lease.
    pub namespace: String,
    /// Name of the lease.
    pub lease: String,
    /// Name of this candidate; another at each start.
    pub identity: String,
    /// How long a lease that is not renewed stays taken.
    pub lease_duration: Duration,
    /// How long the leader tries to renew before it gives up.
    pub renew_deadline: Duration,
    /// How long to wait between tries.
    pub retry_period: Duration,
    /// Give the lease back at the end, so that the next candidate need not wait.
    pub release_on_cancel: bool,
}

/// How an attempt on the lease ended.
#[derive(Debug, PartialEq, Eq)]
enum Attempt {
    Held,
    TakenBy(String),
    /// Someone wrote the lease between our reading and our writing it.
    Raced,
}

impl Election {
    /// Waits until this candidate leads, and returns when it began to ask for the lease; nothing if `stop` came first.
    pub async fn win(&self, cluster: &Cluster, clock: &Clock, stop: &CancellationToken) -> Option<Instant> {
        let mut seen = Observation::default();
        let mut last_leader = String::new();
        loop {
            let asked_at = Instant::now();
            match self.try_to_hold(cluster, clock, &mut seen).await {
                Ok(Attempt::Held) => {
                    info!(lease = self.lease, identity = self.identity, "leading");
                    return Some(asked_at);
                }
                Ok(Attempt::TakenBy(leader)) if leader != last_leader => {
                    info!(lease = self.lease, leader, "waiting for the leader to go");
                    last_leader = leader;
                }
                Ok(Attempt::TakenBy(_) | Attempt::Raced) => {}
                Err(error) => warn!(lease = self.lease, %error, "cannot read or take the lease"),
            }
            tokio::select! {
                () = sleep(self.retry_period) => {}
                () = stop.cancelled() => return None,
            }
        }
    }

    /// Renews the lease, which was last asked for at `asked_at`, and returns when it is lost: the caller must not write
    /// any more.
    pub async fn keep(&self, cluster: &Cluster, clock: &Clock, mut asked_at: Instant) {
        let mut seen = Observation::default();
        loop {
            let deadline = asked_at + self.renew_deadline;
            match timeout_at(deadline, self.renew(cluster, clock, &mut seen)).await {
                Ok(Some(renewed)) => asked_at = renewed,
                Ok(None) => return,
                Err(_) => {
                    warn!(lease = self.lease, "the lease could not be renewed in time");
                    return;
                }
            }
        }
    }

    /// Gives the lease back, if that is wanted. Whoever waits for it may then write at once.
    pub async fn release(&self, cluster: &Cluster, clock: &Clock) {
        if !self.release_on_cancel {
            return;
        }
        let mut released = self.try_to_release(cluster, clock).await;
        if released.as_ref().is_err_and(ApiError::is_conflict) {
            // A renewal that was under way came in between; there is no other.
            released = self.try_to_release(cluster, clock).await;
        }
        if let Err(error) = released {
            warn!(lease = self.lease, %error, "the lease was not given back");
        }
    }

    /// Tries until the lease is renewed, and returns when that try began; nothing if someone else has it.
    async fn renew(&self, cluster: &Cluster, clock: &Clock, seen: &mut Observation) -> Option<Instant> {
        loop {
            sleep(self.retry_period).await;
            let asked_at = Instant::now();
            match self.try_to_hold(cluster, clock, seen).await {
                Ok(Attempt::Held) => return Some(asked_at),
                Ok(Attempt::TakenBy(leader)) => {
                    warn!(lease = self.lease, leader, "the lease was taken");
                    return None;
                }
                Ok(Attempt::Raced) => {}
                Err(error) => warn!(lease = self.lease, %error, "the lease was not renewed"),
            }
        }
    }

    async fn try_to_hold(&self, cluster: &Cluster, clock: &Clock, seen: &mut Observation) -> Result<Attempt, ApiError> {
        let resource = leases();
        let Some(lease) = cluster.get(&resource, &self.namespace, &self.lease).await? else {
            let body = self.body(clock, &Value::Null, &self.identity);
            return match cluster.create(&resource, &self.namespace, &body).await {
                Ok(_) => Ok(Attempt::Held),
                Err(error) if error.code() == 409 => Ok(Attempt::Raced),
                Err(error) => Err(error),
            };
        };
        let holder = lease["spec"]["holderIdentity"].as_str().unwrap_or_default();
        if !holder.is_empty() && holder != self.identity && !seen.has_expired(&lease) {
            return Ok(Attempt::TakenBy(holder.to_owned()));
        }
        let body = self.body(clock, &lease, &self.identity);
        match cluster.replace(&resource, &self.namespace, &body).await {
            Ok(_) => Ok(Attempt::Held),
            Err(error) if error.is_conflict() => Ok(Attempt::Raced),
            Err(error) => Err(error),
        }
    }

    async fn try_to_release(&self, cluster: &Cluster, clock: &Clock) -> Result<(), ApiError> {
        let resource = leases();
        let Some(lease) = cluster.get(&resource, &self.namespace, &self.lease).await? else { return Ok(()) };
        if lease["spec"]["holderIdentity"] != self.identity {
            return Ok(());
        }
        let mut body = self.body(clock, &lease, "");
        body["spec"]["leaseDurationSeconds"] = 1.into();
        cluster.replace(&resource, &self.namespace, &body).await.map(drop)
    }

    /// The lease as `holder` would have it, on top of the one that was read.
    fn body(&self, clock: &Clock, lease: &Value, holder: &str) -> Value {
        let now = clock.now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
        let spec = &lease["spec"];
        let (acquired, transitions) = if spec["holderIdentity"] == holder {
            (spec["acquireTime"].clone(), spec["leaseTransitions"].as_i64().unwrap_or(0))
        } else {
            (Value::from(now.as_str()), spec["leaseTransitions"].as_i64().map_or(0, |count| count + 1))
        };
        let mut metadata = json!({"name": self.lease, "namespace": self.namespace});
        if let Some(version) = lease["metadata"]["resourceVersion"].as_str() {
            metadata["resourceVersion"] = version.into();
        }
        json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": metadata,
            "spec": {
                "holderIdentity": holder,
                "leaseDurationSeconds": self.lease_duration.as_secs().max(1),
                "acquireTime": acquired,
                "renewTime": now,
                "leaseTransitions": transitions,
            },
        })
    }
}

/// The lease as it was last seen to change, by our own clock.
#[derive(Default)]
struct Observation {
    version: String,
    since: Option<Instant>,
}

impl Observation {
    fn has_expired(&mut self, lease: &Value) -> bool {
        let version = lease["metadata"]["resourceVersion"].as_str().unwrap_or_default();
        if self.version != version || self.since.is_none() {
            version.clone_into(&mut self.version);
            self.since = Some(Instant::now());
        }
        let seconds = lease["spec"]["leaseDurationSeconds"].as_u64().unwrap_or(1);
        self.since.is_some_and(|since| since.elapsed() >= Duration::from_secs(seconds))
    }
}

fn leases() -> Resource {
    Resource::namespaced("coordination.k8s.io", "v1", "Lease", "leases")
}
