//! Waiting for an object to be well, as a command does it: asked again and again until a deadline.

use std::time::Duration;

use fairlead_health::{Health, HealthRules, Surroundings, assess};
use fairlead_object::ObjectId;
use fairlead_reconciler::{clock::Clock, cluster::Cluster};
use tokio::time::{Instant, sleep};

use crate::output::CommandError;

/// How long a command waits before it asks again.
pub(crate) const POLL: Duration = Duration::from_millis(200);

/// Waits until the object is as it was asked to be; fails when it has failed, or at the `deadline`.
pub(crate) async fn until_current(cluster: &Cluster, id: &ObjectId, deadline: Instant) -> Result<(), CommandError> {
    let (rules, clock) = (HealthRules::none(), Clock::system());
    loop {
        let seen = match cluster.get_by_id(id).await? {
            None => "not found".to_owned(),
            Some(object) => match assess(&object, &rules, &Surroundings { pods: &[], now: clock.now() }) {
                Health::Current => return Ok(()),
                Health::Failed(why) => return Err(format!("{} failed: {why}", id.subject()).into()),
                health @ (Health::InProgress(_) | Health::Terminating | Health::Unknown(_)) => health.to_string(),
            },
        };
        if Instant::now() >= deadline {
            return Err(format!("timeout waiting for {}: {seen}", id.subject()).into());
        }
        sleep(POLL).await;
    }
}
