//! `Receiver`: a path at which webhooks are taken.
//!
//! A run reads the Secret and says what the path is; [`crate::webhook`] takes what comes there.
//!
//! # Differs from Flux
//! A change of the Secret is noticed at once, whatever its labels. A run that finds nothing new writes nothing.

mod outcome;

use std::{collections::BTreeSet, sync::Arc};

use fairlead_api::notification::{Receiver, ReceiverStatus};
use fairlead_health::HealthRules;
use fairlead_object::ObjectId;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::{ObjectKey, Reconciled, Unusable, World};
use crate::{
    backoff::Backoff,
    cluster::ApiError,
    queue::{NextRun, Queue},
    watch::{Interest, Marks, Owner, Served},
    webhook::{filter, hook_secret, secrets, webhook_path},
};
use outcome::{Failure, Outcome, Situation};

/// All Receivers, and who works on them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Receivers {
    pub(crate) served: Served<Receiver>,
    pub(crate) queue: Arc<Queue<ObjectKey>>,
}

impl Receivers {
    pub(crate) fn new() -> Self {
        Self { served: Served::default(), queue: Queue::new() }
    }

    /// Those whose status names `path`.
    pub(crate) fn at(&self, path: &str) -> Vec<(ObjectKey, Receiver)> {
        let is_at = |receiver: &Receiver| {
            receiver.status.as_ref().and_then(|status| status.webhook_path.as_deref()) == Some(path)
        };
        let found = self.served.all().into_iter().filter_map(|object| {
            let receiver = object.parsed.as_ref().ok().filter(|receiver| is_at(receiver))?;
            Some((object.key(), receiver.clone()))
        });
        found.collect()
    }
}

/// A Receiver owns nothing; what it reads is watched by name.
pub(crate) const MARKS: Marks = Marks { label: "", manager: MANAGER, owner_of: nobody };

const MANAGER: &str = "notification-controller";

fn nobody(_: &ObjectMeta) -> Option<Owner> {
    None
}

/// One Receiver in one run.
type Subject<'a> = super::Subject<'a, Receiver>;

impl Reconciled for Receiver {
    type Status = ReceiverStatus;

    const CONTROLLER: &'static str = MANAGER;
    const METRICS: &'static str = "receiver";
    const MANAGER: &'static str = MANAGER;

    fn served(world: &World) -> &Served<Self> {
        &world.receivers.served
    }

    fn queue(world: &World) -> &Arc<Queue<ObjectKey>> {
        &world.receivers.queue
    }

    fn backoff(world: &World) -> &Backoff<ObjectKey> {
        &world.receiver_backoff
    }

    fn status(&self) -> Option<&ReceiverStatus> {
        self.status.as_ref()
    }

    fn forget(world: &World, key: &ObjectKey) {
        world.receiver_tracker.unfollow(key, &BTreeSet::new());
    }

    async fn reconcile(subject: &Subject<'_>) -> Result<NextRun, ApiError> {
        subject.reconcile().await
    }

    async fn finalize(subject: &Subject<'_>) -> Result<NextRun, ApiError> {
        subject.let_go().await
    }
}

impl Subject<'_> {
    async fn reconcile(&self) -> Result<NextRun, ApiError> {
        let before = self.before();
        let outcome = self.outcome().await;
        let situation = Situation {
            before: &before,
            generation: self.metadata().generation,
            requested_at: self.requested_at(),
            now: self.world.clock.now(),
        };
        let report = outcome::report(&situation, &outcome);
        self.write(&before, &report.status).await?;
        if let Some(said) = &report.event {
            self.publish(said, "", self.event_annotations());
        }
        Ok(self.next_run(report.next))
    }

    async fn outcome(&self) -> Result<Outcome, Failure> {
        let receiver = self.readable()?;
        if receiver.spec.suspend {
            return Ok(Outcome::Suspended);
        }
        Unusable::refuse(receiver.spec.unsupported())?;
        let interval = receiver.spec.interval.read("spec.interval")?;
        filter(receiver)?;
        self.follow_secret(receiver);
        let secret = hook_secret(&self.world.cluster, &self.key.namespace, &receiver.spec).await?;
        Ok(Outcome::Listening { path: webhook_path(&secret, self.key), interval })
    }

    /// Lets a change of the Secret wake the Receiver.
    fn follow_secret(&self, receiver: &Receiver) {
        let named = receiver.spec.secret_ref.as_ref();
        let followed = named.map(|named| ObjectId::new("", "Secret", &self.key.namespace, &named.name));
        let tracker = &self.world.receiver_tracker;
        tracker.unfollow(self.key, &followed.iter().cloned().collect());
        if let Some(secret) = &followed {
            tracker.follow(self.key, secret, &secrets(), (Interest::Content, &Arc::new(HealthRules::none())));
        }
    }
}
