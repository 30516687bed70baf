//! The end of a Kustomization: its objects go or stay, as it says.

use std::time::Duration;

use fairlead_api::{helm::DeletionPropagation, kustomize::DeletionPolicy, reasons::kustomization as reason};
use fairlead_object::{Manifest, ObjectId};
use fairlead_plan::{Budget, Desired, Options, Owner, Stage, Step, plan};
use tracing::warn;

use super::{Failure, Subject};
use crate::{
    apply::{Applier, Witness},
    cluster::{ApiError, Cluster, Identity, Resource},
    controllers::{Said, identity::standing, in_one_line},
    events::Severity,
    observe::{Newcomers, Questions, observe},
    prepare::{Prepared, Resources},
    queue::NextRun,
    watch::Tracker,
};

/// How often is looked whether deleted objects are gone, where `spec.deletionPolicy` waits for it.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

impl Subject<'_> {
    /// Deletes what is to be deleted, and lets the object go.
    pub(super) async fn finalize(&self) -> Result<NextRun, ApiError> {
        match self.delete_owned().await {
            Ok(Gone::Yes) => {}
            Ok(Gone::NotYet) => return Ok(NextRun::After(LOOK_AGAIN)),
            Err(failure) => {
                let message = format!("pruning for deleted resource failed: {}", in_one_line(&failure));
                self.say(&Said { severity: Severity::Error, reason: reason::PRUNE_FAILED, message });
                return Ok(self.after_failure());
            }
        }
        self.let_go().await
    }

    async fn delete_owned(&self) -> Result<Gone, Failure> {
        let Ok(parsed) = &self.object.parsed else { return Ok(Gone::Yes) };
        let spec = &parsed.spec;
        let policy = spec.deletion_policy.unwrap_or_default();
        let deletes = match policy {
            DeletionPolicy::MirrorPrune => spec.prune,
            DeletionPolicy::Delete | DeletionPolicy::WaitForTermination => true,
            DeletionPolicy::Orphan => false,
        };
        let inventory = self.inventory()?;
        if spec.suspend || !deletes || inventory.is_empty() {
            return Ok(Gone::Yes);
        }
        let standing = standing(self.world, self.key, spec.service_account_name.as_deref());
        if !self.account_exists(&standing.identity).await? {
            let message = "unable to prune objects: the service account does not exist".to_owned();
            warn!(kind = "Kustomization", namespace = self.key.namespace, name = self.key.name, message);
            self.say(&Said { severity: Severity::Error, reason: reason::PRUNE_FAILED, message });
            return Ok(Gone::Yes);
        }
        let cluster = self.world.cluster.as_identity(&standing.identity)?;
        let is_gone = self.prune_all(&cluster, &inventory).await?;
        Ok(if policy == DeletionPolicy::WaitForTermination { is_gone } else { Gone::Yes })
    }

    async fn account_exists(&self, identity: &Identity) -> Result<bool, Failure> {
        let Identity::ServiceAccount { namespace, name } = identity else { return Ok(true) };
        let accounts = Resource::namespaced("", "v1", "ServiceAccount", "serviceaccounts");
        let found = self.world.cluster.get(&accounts, namespace, name).await;
        found.map(|account| account.is_some()).map_err(Failure::Record)
    }

    async fn prune_all(&self, cluster: &Cluster, inventory: &fairlead_plan::Inventory) -> Result<Gone, Failure> {
        let owner = Owner::kustomization(&self.key.namespace, &self.key.name);
        let desired = Desired::new(String::new(), Vec::new()).expect("nothing is named twice");
        let prepared = Prepared { desired, resources: Resources::default() };
        let questions = Questions { is_in_sync: &|_| false, newcomers: Newcomers::Read, override_managers: &[] };
        let live = observe(cluster, &prepared, inventory, questions).await?;
        let options = Options { budget: Budget::Unlimited, ..Options::new(owner, self.world.digest_key.clone()) };
        let plan = plan(&prepared.desired, &live, inventory, &options)?;
        let witness = Farewell { tracker: &self.world.tracker, owner: self.key };
        let applier = Applier {
            cluster,
            resources: &prepared.resources,
            is_guarded: false,
            propagation: DeletionPropagation::Background,
            witness: &witness,
        };
        let steps: Vec<_> = plan.steps.iter().collect();
        applier.apply_stage(&steps, Stage::Prune).await.map_err(Failure::Prune)?;
        if plan.is_empty() {
            return Ok(Gone::Yes);
        }
        let is_new = |step: &&Step| {
            let found = live.present(&step.object);
            found.is_none_or(|found| found.body["metadata"]["deletionTimestamp"].is_null())
        };
        let deleted = plan.work().filter(is_new).map(|step| format!("{} deleted", step.object.subject()));
        let deleted: Vec<String> = deleted.collect();
        if deleted.is_empty() {
            return Ok(Gone::NotYet);
        }
        let said =
            Said { severity: Severity::Info, reason: reason::RECONCILIATION_SUCCEEDED, message: deleted.join("\n") };
        self.say(&said);
        Ok(Gone::NotYet)
    }
}

/// Whether everything that was to be deleted is gone.
enum Gone {
    Yes,
    NotYet,
}

struct Farewell<'a> {
    tracker: &'a Tracker,
    owner: &'a crate::controllers::ObjectKey,
}

impl Witness for Farewell<'_> {
    fn writing(&self, _: &Manifest) {}

    fn written(&self, _: &Manifest, _: &serde_json::Value) {}

    fn deleting(&self, object: &ObjectId) {
        self.tracker.forget(self.owner, object);
    }

    fn deleted(&self, _: &ObjectId) {}
}
