//! Carries out a plan. It decides nothing.
//!
//! The caller has recorded the plan's inventory before: whatever is created here can be found again after a crash.
//! Stages are carried out one by one, so that the caller can see that definitions are served before objects of their
//! kinds are sent.

use fairlead_api::helm::DeletionPropagation;
use fairlead_object::{Manifest, ObjectId};
use fairlead_plan::{Action, Stage, Step};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream};
use serde_json::Value;

use crate::{
    cluster::{ApiError, ApplyOptions, Cluster},
    observe::{Refusal, may_take_over, refusal},
    prepare::Resources,
};

/// How many objects of one kind are written at once.
const CONCURRENT: usize = 4;

/// Told what happens to each object, before and after.
pub trait Witness: Sync {
    /// The object is about to be written.
    fn writing(&self, manifest: &Manifest);
    /// The object was written and is now `body`.
    fn written(&self, manifest: &Manifest, body: &Value);
    /// The object is about to be deleted.
    fn deleting(&self, object: &ObjectId);
    /// The object was deleted.
    fn deleted(&self, object: &ObjectId);
}

/// Why a plan was not carried out to its end. The steps before stay done.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApplyError {
    /// The API server refused a step.
    #[error(transparent)]
    Refused(Box<Refusal>),
    /// An object that was taken to be new exists: the plan was made without looking, and must be made again.
    #[error("{0} exists already")]
    NotNew(ObjectId),
    /// An object that is replaced is not gone yet: something holds it by a finalizer.
    #[error("{} is being deleted, to be created anew: waiting for its finalizers", .0.subject())]
    Terminating(ObjectId),
}

impl From<Refusal> for ApplyError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl ApplyError {
    /// Whether the same write may succeed later without anyone's doing.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused(refusal) => refusal.error.is_transient(),
            Self::Terminating(_) => true,
            Self::NotNew(_) => false,
        }
    }

    /// What the reader can try.
    pub fn hint(&self) -> Option<String> {
        self.refusal().and_then(Refusal::hint)
    }

    /// The refusal, if it is one.
    pub fn refusal(&self) -> Option<&Refusal> {
        match self {
            Self::Refused(refusal) => Some(refusal),
            Self::NotNew(_) | Self::Terminating(_) => None,
        }
    }
}

/// How the steps of a plan are sent.
pub struct Applier<'a> {
    /// The cluster, as the identity that the objects are written by.
    pub cluster: &'a Cluster,
    /// Where their kinds are served.
    pub resources: &'a Resources,
    /// Whether objects that are created were taken to be new without looking.
    pub is_guarded: bool,
    /// What becomes of what deleted objects own.
    pub propagation: DeletionPropagation,
    /// Told what happens.
    pub witness: &'a dyn Witness,
}

impl Applier<'_> {
    /// Carries out the steps of `stage`, one kind after the other; objects of one kind side by side.
    ///
    /// # Errors
    /// Stops at the first kind of which the API server refuses an object, and returns the first refusal; at once, if it
    /// cannot answer now.
    pub async fn apply_stage(&self, steps: &[&Step], stage: Stage) -> Result<(), ApplyError> {
        let steps: Vec<&Step> = steps.iter().copied().filter(|step| step.stage == stage).collect();
        let is_of_one_kind = |a: &&Step, b: &&Step| a.object.kind == b.object.kind && a.object.group == b.object.group;
        for of_kind in steps.chunk_by(is_of_one_kind) {
            let writes: Vec<BoxFuture<'_, _>> = of_kind.iter().map(|step| self.apply_step(step).boxed()).collect();
            let mut outcomes = stream::iter(writes).buffered(CONCURRENT);
            let mut applied = Ok(());
            while let Some(outcome) = outcomes.next().await {
                if outcome.as_ref().is_err_and(ApplyError::is_transient) {
                    return outcome;
                }
                applied = applied.and(outcome);
            }
            applied?;
        }
        Ok(())
    }

    async fn apply_step(&self, step: &Step) -> Result<(), ApplyError> {
        match &step.action {
            Action::Keep(_) => Ok(()),
            Action::Create(to) => {
                self.witness.writing(to);
                if self.is_guarded { self.create_new(to, ApplyError::NotNew).await } else { self.update(to).await }
            }
            Action::Update { to, cleanup, .. } => {
                self.witness.writing(to);
                if let Some(cleanup) = cleanup {
                    self.clean_up(to, &cleanup.patch).await?;
                }
                self.update(to).await
            }
            Action::Replace { to, .. } => {
                self.witness.writing(to);
                self.delete(step).await?;
                self.create_new(to, ApplyError::Terminating).await
            }
            Action::Delete => {
                self.witness.deleting(&step.object);
                self.delete(step).await?;
                self.witness.deleted(&step.object);
                Ok(())
            }
        }
    }

    /// Creates the object; `exists` says what it means that there is one of that name.
    async fn create_new(&self, manifest: &Manifest, exists: fn(ObjectId) -> ApplyError) -> Result<(), ApplyError> {
        match self.send(manifest, ApplyOptions { must_be_new: true, ..ApplyOptions::default() }).await {
            Ok(body) => {
                self.witness.written(manifest, &body);
                Ok(())
            }
            Err(error) if error.is_conflict() => Err(exists(manifest.id().clone())),
            Err(error) => Err(refusal(manifest, "apply failed", error).into()),
        }
    }

    async fn update(&self, manifest: &Manifest) -> Result<(), ApplyError> {
        let mut answer = self.send(manifest, ApplyOptions::default()).await;
        if let Err(error) = &answer
            && !error.conflicting_managers().is_empty()
        {
            let id = manifest.id();
            let live = self.cluster.get(self.resources.of(manifest), id.namespace_or_empty(), &id.name).await;
            if let Ok(Some(live)) = live
                && may_take_over(self.cluster.manager(), manifest, &live, error)
            {
                answer = self.send(manifest, ApplyOptions { force: true, ..ApplyOptions::default() }).await;
            }
        }
        let body = answer.map_err(|error| refusal(manifest, "apply failed", error))?;
        self.witness.written(manifest, &body);
        Ok(())
    }

    async fn clean_up(&self, manifest: &Manifest, patch: &Value) -> Result<(), ApplyError> {
        let id = manifest.id();
        let name = (id.namespace_or_empty(), id.name.as_str());
        let cleaned = self.cluster.json_patch(self.resources.of(manifest), name, patch).await;
        cleaned.map_err(|error| refusal(manifest, "metadata.managedFields cleanup failed", error))?;
        Ok(())
    }

    async fn delete(&self, step: &Step) -> Result<(), ApplyError> {
        let id = &step.object;
        let failed = |error| Refusal {
            object: id.clone(),
            at: step.origin.as_ref().map(Into::into),
            verb: "delete failed",
            error,
        };
        let Some(resource) = self.cluster.resolve_any(&id.group, &id.kind).await.map_err(failed)? else {
            return Ok(());
        };
        let name = (id.namespace_or_empty(), id.name.as_str());
        match self.cluster.delete_with(&resource, name, step.uid.as_deref(), self.propagation).await {
            Ok(_) => Ok(()),
            // Another object of that name took its place: it is not ours to delete.
            Err(error) if error.code() == 409 => Ok(()),
            Err(error) => Err(failed(error).into()),
        }
    }

    async fn send(&self, manifest: &Manifest, options: ApplyOptions) -> Result<Value, ApiError> {
        self.cluster.apply(self.resources.of(manifest), manifest.body(), options).await
    }
}
