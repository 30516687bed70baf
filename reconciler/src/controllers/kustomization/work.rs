//! The work of one run: build, observe, plan, apply, and ask how it is.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use fairlead_api::{
    conditions::HEALTHY,
    helm::DeletionPropagation,
    kustomize::{Kustomization, KustomizationSpec},
};
use fairlead_health::{HealthCheckExpr, HealthRules};
use fairlead_manifests::{BuildError, Built, build};
use fairlead_object::{Digest, Gvk, Manifest, ObjectId};
use fairlead_plan::{
    Action, Force, Inventory, KeepReason, Live, Options, Owner, Plan, Prune, Stage, plan,
    scope::{self, Scope},
};
use fairlead_sources::{
    oci::ORIGIN_REVISION,
    store::{Artifact, SourceKind},
};
use tokio::time::Instant;
use tracing::warn;

use super::{
    Failure, HEALTH_TO_COME, Memory, Outcome, SHORTEST_TIMEOUT, Subject, dependencies,
    ledger::Ledger,
    memory::{LastBuild, Waiting},
    outcome::{self, Applied, Settled},
    request::{self, build_request, ignore_rules},
};
use crate::{
    apply::{Applier, ApplyError},
    cluster::{Cluster, Identity},
    controllers::{
        SourceName,
        health::{Folded, failed_early, fold, timed_out},
        identity::{Standing, standing},
        source::{external_artifact, source_key},
    },
    observe::{Newcomers, Questions, observe},
    prepare::{Prepared, prepare},
    watch::Interest,
};

/// Time that a health check leaves of an interval.
const INTERVAL_MARGIN: Duration = Duration::from_secs(30);

pub(super) struct Work<'a> {
    subject: &'a Subject<'a>,
    kustomization: &'a Kustomization,
    spec: &'a KustomizationSpec,
    interval: Duration,
    timeout: Duration,
    standing: Standing,
    cluster: Cluster,
}

impl<'a> Work<'a> {
    pub(super) fn new(subject: &'a Subject<'a>, kustomization: &'a Kustomization) -> Result<Self, Failure> {
        let spec = &kustomization.spec;
        let interval = spec.interval.read("spec.interval")?;
        if let Some(retry) = &spec.retry_interval {
            retry.read("spec.retryInterval")?;
        }
        let timeout = match &spec.timeout {
            Some(timeout) => timeout.read("spec.timeout")?,
            None => interval.saturating_sub(INTERVAL_MARGIN),
        };
        let standing = standing(subject.world, subject.key, spec.service_account_name.as_deref());
        let cluster = subject.world.cluster.as_identity(&standing.identity)?;
        Ok(Self { subject, kustomization, spec, interval, timeout: timeout.max(SHORTEST_TIMEOUT), standing, cluster })
    }

    pub(super) async fn carry_out(&self, memory: &mut Memory) -> Result<Outcome, Failure> {
        let rules = self.rules(memory)?;
        let artifact = self.artifact().await?;
        dependencies::check(self.subject.world, self.subject.key, self.kustomization, &artifact.revision)?;
        memory.attempted = Some(artifact.revision.clone());
        memory.origin_revision = origin_revision(&artifact);
        let world = self.subject.world;
        let request =
            build_request(&self.cluster, &self.subject.key.namespace, self.spec, world.settings.strict_substitution)
                .await?;
        let drifted = world.tracker.drifted(self.subject.key);
        let is_new_request = self.subject.requested_at() != self.subject.before().last_handled_reconcile_at.as_deref();
        // Who asks for a reconciliation wants to know, and what is not watched is not known: both are read anew.
        let must_look = is_new_request || world.tracker.is_blind_for(self.subject.key);
        if must_look {
            memory.applied.clear();
        }
        let (store, tree_digest) = (world.store.clone(), artifact.tree);
        let (last, generation) = (memory.built.take(), self.subject.metadata().generation);
        let must_build = !drifted.is_empty() || must_look;
        let built = tokio::task::spawn_blocking(move || {
            let tree = store.tree(&tree_digest)?;
            let is_same =
                |last: &LastBuild| last.generation == generation && last.inputs.first_change(&tree, &request).is_none();
            let unchanged = last.filter(|last| !must_build && is_same(last));
            match unchanged {
                Some(last) => Ok(Build::Unchanged(last)),
                None => build(&tree, &request).map(Build::New).map_err(Failure::from),
            }
        });
        let built = built.await.map_err(|error| Failure::Interrupted(error.to_string()))??;
        match built {
            Build::Unchanged(last) => self.conclude_unchanged(memory, last, &artifact),
            Build::New(built) => {
                if !drifted.is_empty() {
                    world.metrics.count_drift("kustomization");
                    if let Some(rest) = memory.corrected(Instant::now()) {
                        return self.hold_back(&artifact, rest);
                    }
                }
                self.bring_about(memory, built, &artifact, &rules).await
            }
        }
    }

    /// The rules by which health is judged, compiled once for each generation.
    fn rules(&self, memory: &mut Memory) -> Result<Arc<HealthRules>, Failure> {
        let generation = self.subject.metadata().generation.unwrap_or(0);
        if let Some((of, rules)) = &memory.rules
            && *of == generation
        {
            return Ok(Arc::clone(rules));
        }
        let expressions = self.spec.health_check_exprs.iter().map(|entry| HealthCheckExpr {
            api_version: entry.api_version.clone(),
            kind: entry.kind.clone(),
            current: entry.current.clone(),
            in_progress: entry.in_progress.clone(),
            failed: entry.failed.clone(),
        });
        let rules = HealthRules::compile(&expressions.collect::<Vec<_>>())
            .map_err(|error| Failure::Expression(error.to_string()))?;
        let rules = Arc::new(rules);
        memory.rules = Some((generation, Arc::clone(&rules)));
        Ok(rules)
    }

    async fn artifact(&self) -> Result<Artifact, Failure> {
        let (world, key) = (self.subject.world, self.subject.key);
        let source = SourceName::of(self.spec, &key.namespace);
        let is_foreign = source.key.namespace != key.namespace;
        if is_foreign && (world.settings.no_cross_namespace_refs || self.is_tenant()) {
            return Err(Failure::CrossNamespace(source.to_string()));
        }
        let named = || (source.kind.name(), source.key.to_string());
        let kind = source.stored_kind();
        let is_external = kind == SourceKind::ExternalArtifact;
        if is_external && !world.settings.external_artifacts {
            return Err(Failure::ExternalArtifacts(source.to_string()));
        }
        if !world.sources.has(kind, &source.key) {
            let (kind, name) = named();
            return Err(Failure::SourceMissing(kind, name));
        }
        let artifact = if is_external {
            external_artifact(world, &source.key).await?
        } else {
            world.store.artifact(&source_key(kind, &source.key))
        };
        artifact.ok_or_else(|| {
            let (kind, name) = named();
            Failure::NoArtifact(kind, name)
        })
    }

    fn is_tenant(&self) -> bool {
        match self.standing.scope {
            Scope::Namespace { .. } => true,
            Scope::Cluster => false,
        }
    }

    async fn bring_about(
        &self,
        memory: &mut Memory,
        built: Built,
        artifact: &Artifact,
        rules: &Arc<HealthRules>,
    ) -> Result<Outcome, Failure> {
        let digest = built.digest();
        let Built { mut manifests, inputs, warnings } = built;
        self.log(&warnings, &artifact.revision, memory);
        manifests.iter_mut().for_each(fairlead_manifests::normalise);
        let owner = Owner::kustomization(&self.subject.key.namespace, &self.subject.key.name);
        let custom = &self.subject.world.settings.custom_stage;
        let prepared = prepare(&self.cluster, manifests, &artifact.revision, &owner, custom).await?;
        self.check_scope(&prepared)?;
        let (tracker, key) = (&self.subject.world.tracker, self.subject.key);
        let ledger = Ledger::new(tracker, key, &prepared.resources, rules, memory);
        let reached =
            match self.plan_and_apply(&prepared, owner.clone(), artifact, digest, &ledger, self.newcomers()).await {
                Err(Failure::Apply(ApplyError::NotNew(_))) => {
                    self.plan_and_apply(&prepared, owner, artifact, digest, &ledger, Newcomers::Read).await
                }
                reached => reached,
            };
        if reached.is_err() {
            memory.untold = ledger.changes();
        }
        memory.applied = ledger.into_applied();
        let (applied, awaited_definitions) = reached?;
        if let Some(waiting_for) = awaited_definitions {
            return self.await_definitions(memory, applied, &waiting_for);
        }
        let objects = self.awaited(&prepared, rules).await?;
        let generation = self.subject.metadata().generation;
        let last = LastBuild { inputs, generation, digest, objects };
        let has_changes = !applied.changes.is_empty();
        self.conclude(memory, last, applied, has_changes)
    }

    /// Logs what kustomize would warn of, once for each revision.
    fn log(&self, warnings: &[String], revision: &str, memory: &mut Memory) {
        if memory.warned_of.as_deref() == Some(revision) {
            return;
        }
        memory.warned_of = Some(revision.to_owned());
        let (namespace, name) = (&self.subject.key.namespace, &self.subject.key.name);
        for warning in warnings.iter().collect::<BTreeSet<_>>() {
            warn!(kind = "Kustomization", namespace, name, revision, warning, "kustomize warns");
        }
    }

    /// Objects that are new to the inventory are written unseen, guarded; a tenant's are rehearsed, so that a refusal
    /// comes before the first write.
    fn newcomers(&self) -> Newcomers {
        match self.standing.identity {
            Identity::Own => Newcomers::Assumed,
            Identity::ServiceAccount { .. } => Newcomers::Rehearsed,
        }
    }

    fn check_scope(&self, prepared: &Prepared) -> Result<(), Failure> {
        let manifests: Vec<Manifest> =
            prepared.desired.in_apply_order().into_iter().map(|(_, manifest)| manifest.clone()).collect();
        let is_namespaced = |gvk: &Gvk| prepared.resources.is_namespaced(gvk);
        let escapes = scope::escapes(&manifests, &self.standing.scope, is_namespaced);
        if escapes.is_empty() { Ok(()) } else { Err(Failure::Escapes(escapes)) }
    }

    /// Plans and applies. Returns what was applied, and which definitions must be served before the rest can follow.
    async fn plan_and_apply(
        &self,
        prepared: &Prepared,
        owner: Owner,
        artifact: &Artifact,
        digest: Digest,
        ledger: &Ledger<'_>,
        newcomers: Newcomers,
    ) -> Result<(Applied, Option<String>), Failure> {
        let inventory = self.subject.inventory()?;
        let is_in_sync = |manifest: &Manifest| ledger.is_in_sync(manifest);
        let questions = Questions {
            is_in_sync: &is_in_sync,
            newcomers,
            override_managers: &self.subject.world.settings.override_managers,
        };
        let live = observe(&self.cluster, prepared, &inventory, questions).await?;
        let plan = self.plan(prepared, &live, &inventory, owner)?;
        ledger.note_in_sync(&plan, prepared, &live);
        if !plan.is_empty() {
            self.record(&plan).await?;
        }
        let applier = Applier {
            cluster: &self.cluster,
            resources: &prepared.resources,
            is_guarded: newcomers == Newcomers::Assumed,
            propagation: DeletionPropagation::Background,
            witness: ledger,
        };
        let steps: Vec<_> = plan.steps.iter().collect();
        let applied = |changes| Applied {
            revision: artifact.revision.clone(),
            origin_revision: origin_revision(artifact),
            inventory: changes,
            digest,
            changes: ledger.changes(),
        };
        for stage in [Stage::Definitions, Stage::Classes, Stage::Custom, Stage::Rest, Stage::Prune] {
            let failure = |error| if stage == Stage::Prune { Failure::Prune(error) } else { Failure::Apply(error) };
            applier.apply_stage(&steps, stage).await.map_err(failure)?;
            if let Some(waiting) = self.unserved(&plan, artifact, stage)? {
                return Ok((applied(plan.inventory_during()), Some(waiting)));
            }
        }
        Ok((applied(plan.inventory_after()), None))
    }

    fn plan(&self, prepared: &Prepared, live: &Live, inventory: &Inventory, owner: Owner) -> Result<Plan, Failure> {
        let mut options = Options::new(owner, self.subject.world.digest_key.clone());
        options.prune = if self.spec.prune { Prune::Yes } else { Prune::No };
        options.force = if self.spec.force { Force::Yes } else { Force::No };
        options.budget = self.subject.world.settings.deletion_budget.clone();
        options.approved = self.subject.approved();
        options.override_managers.clone_from(&self.subject.world.settings.override_managers);
        options.ignore = ignore_rules(self.spec)?;
        options.revision_from = self.subject.before().last_applied_revision;
        let plan = plan(&prepared.desired, live, inventory, &options)?;
        match &plan.held {
            Some(held) => Err(Failure::Held(Box::new(held.clone()))),
            None => Ok(plan),
        }
    }

    /// Records what may exist from now on, before the first write.
    async fn record(&self, plan: &Plan) -> Result<(), Failure> {
        let before = self.subject.latest_status();
        let situation = self.subject.situation(&before, None);
        let status = outcome::progress(&situation, &plan.revision, &plan.inventory_during());
        self.subject.write(&before, &status).await.map_err(Failure::Record)
    }

    /// The definitions of `stage` that the cluster does not serve yet; an error if one cannot be served at all.
    fn unserved(&self, plan: &Plan, artifact: &Artifact, stage: Stage) -> Result<Option<String>, Failure> {
        match stage {
            Stage::Definitions | Stage::Classes => {}
            Stage::Custom | Stage::Rest | Stage::Prune => return Ok(None),
        }
        let was_applied = |action: &Action| !matches!(action, Action::Keep(KeepReason::OptedOut(_)));
        let objects: Vec<ObjectId> =
            plan.stage(stage).filter(|step| was_applied(&step.action)).map(|step| step.object.clone()).collect();
        let tracker = &self.subject.world.tracker;
        let health = |id: &ObjectId| tracker.verdict(self.subject.key, id).and_then(|verdict| verdict.health);
        if objects.iter().any(|id| id.kind == "CustomResourceDefinition")
            && plan.stage(stage).any(|step| step.action.manifest().is_some())
        {
            self.cluster.expect_new_kinds();
        }
        match fold(&objects, health) {
            Folded::Current => Ok(None),
            Folded::InProgress { waiting_for } => Ok(Some(waiting_for)),
            Folded::Failed { stalled } => {
                let message = failed_early(self.subject.began.elapsed(), &stalled);
                let applied = Applied {
                    revision: plan.revision.clone(),
                    origin_revision: origin_revision(artifact),
                    inventory: plan.inventory_during(),
                    digest: Digest::of(b""),
                    changes: Vec::new(),
                };
                Err(Failure::Health { message, applied: Box::new(applied) })
            }
        }
    }

    /// What is applied next needs definitions that are not served yet: their health wakes the next run.
    fn await_definitions(&self, memory: &mut Memory, applied: Applied, waiting_for: &str) -> Result<Outcome, Failure> {
        self.subject.world.tracker.set_awaiting(self.subject.key, true);
        let (now, since) = (Instant::now(), self.subject.began);
        let deadline = since + self.subject.world.settings.definition_timeout;
        let waiting = Waiting { since, deadline, quiet_until: now, has_changes: true, failed_after: None };
        let waiting = *memory.waiting.get_or_insert(waiting);
        if now >= waiting.deadline {
            memory.waiting = None;
            let message = timed_out(now.duration_since(waiting.since), waiting_for);
            return Err(Failure::Health { message, applied: Box::new(applied) });
        }
        let message = format!("waiting for what the rest depends on: [{waiting_for}]");
        Ok(Outcome::Waiting { applied, message, left: waiting.deadline - now, is_final: false })
    }

    /// The `ConfigMap`s and Secrets that variables come from, watched: a change of one wakes the next run.
    fn follow_references(&self, rules: &Arc<HealthRules>) -> BTreeSet<ObjectId> {
        let (world, key) = (self.subject.world, self.subject.key);
        let references = self.spec.post_build.iter().flat_map(|post_build| &post_build.substitute_from);
        let mut followed = BTreeSet::new();
        for reference in references {
            let resource = request::resource_of(reference.kind);
            let id = ObjectId::new("", &resource.kind, &key.namespace, &reference.name);
            world.tracker.follow(key, &id, &resource, (Interest::Content, rules));
            followed.insert(id);
        }
        followed
    }

    /// The objects whose health is awaited, all of them watched.
    async fn awaited(&self, prepared: &Prepared, rules: &Arc<HealthRules>) -> Result<Arc<[ObjectId]>, Failure> {
        let (world, key) = (self.subject.world, self.subject.key);
        let mut followed = self.follow_references(rules);
        if self.spec.wait {
            world.tracker.unfollow(key, &followed);
            let owned = prepared.desired.inventory();
            let is_itself = |id: &ObjectId| {
                id.kind == "Kustomization" && id.name == key.name && id.namespace_or_empty() == key.namespace
            };
            let known = owned.iter().map(|(id, _)| id).filter(|id| !is_itself(id));
            return Ok(known.filter(|id| world.tracker.verdict(key, id).is_some()).cloned().collect());
        }
        let mut objects = Vec::new();
        for check in &self.spec.health_checks {
            let gvk = Gvk::from_api_version(check.api_version.as_deref().unwrap_or("apps/v1"), &check.kind);
            let resource = self.cluster.resolve_any(&gvk.group, &gvk.kind).await;
            let resource = resource.ok().flatten();
            let is_namespaced = resource.as_ref().is_none_or(|resource| resource.is_namespaced);
            let namespace = check.namespace.as_deref().unwrap_or(&key.namespace);
            let id = ObjectId::new(&gvk.group, &gvk.kind, if is_namespaced { namespace } else { "" }, &check.name);
            if let Some(resource) = resource
                && !prepared.desired.contains(&id)
            {
                world.tracker.follow(key, &id, &resource, (Interest::Health, rules));
                followed.insert(id.clone());
            }
            objects.push(id);
        }
        world.tracker.unfollow(key, &followed);
        Ok(objects.into())
    }

    fn conclude_unchanged(
        &self,
        memory: &mut Memory,
        last: LastBuild,
        artifact: &Artifact,
    ) -> Result<Outcome, Failure> {
        let inventory = self.subject.inventory()?;
        let changes = std::mem::take(&mut memory.untold);
        let (revision, origin_revision) = (artifact.revision.clone(), origin_revision(artifact));
        let applied = Applied { revision, origin_revision, inventory, digest: last.digest, changes };
        self.conclude(memory, last, applied, false)
    }

    /// Everything is applied: how is it?
    fn conclude(
        &self,
        memory: &mut Memory,
        last: LastBuild,
        applied: Applied,
        has_changes: bool,
    ) -> Result<Outcome, Failure> {
        let now = Instant::now();
        let (tracker, key) = (&self.subject.world.tracker, self.subject.key);
        tracker.set_awaiting(key, true);
        let folded = fold(&last.objects, |id| tracker.verdict(key, id).and_then(|verdict| verdict.health));
        let is_looked_at = !last.objects.is_empty();
        memory.built = Some(last);
        let (since, deadline) = (self.subject.began, now + self.timeout);
        let quiet_until = now + HEALTH_TO_COME;
        let fresh = Waiting { since, deadline, quiet_until, has_changes, failed_after: None };
        let mut waiting = match memory.waiting.take() {
            Some(waiting) if !has_changes => waiting,
            Some(_) | None => fresh,
        };
        let after = now.duration_since(waiting.since);
        match folded {
            Folded::Current => {
                tracker.set_awaiting(key, false);
                let was_healthy = self.subject.before().conditions.is_true(HEALTHY);
                Ok(Outcome::Settled(Settled {
                    applied,
                    healthy_after: is_looked_at.then_some(after),
                    has_recovered: waiting.has_changes || !was_healthy,
                    interval: self.interval,
                    held_back: None,
                }))
            }
            Folded::Failed { stalled } => {
                let failed_after = *waiting.failed_after.get_or_insert(after);
                memory.waiting = Some(waiting);
                Err(Failure::Health { message: failed_early(failed_after, &stalled), applied: Box::new(applied) })
            }
            Folded::InProgress { waiting_for } if now >= waiting.deadline => {
                memory.waiting = Some(waiting);
                Err(Failure::Health { message: timed_out(self.timeout, &waiting_for), applied: Box::new(applied) })
            }
            Folded::InProgress { .. } => {
                memory.waiting = Some(waiting);
                let timeout = fairlead_api::duration::Duration::from(self.timeout);
                let message =
                    format!("Running health checks for revision {} with a timeout of {timeout}", applied.revision);
                Ok(Outcome::Waiting { applied, message, left: waiting.deadline - now, is_final: true })
            }
        }
    }

    /// Someone undoes every correction of drift: wait before the next one.
    fn hold_back(&self, artifact: &Artifact, rest: Duration) -> Result<Outcome, Failure> {
        let applied = Applied {
            revision: artifact.revision.clone(),
            origin_revision: origin_revision(artifact),
            inventory: self.subject.inventory()?,
            digest: Digest::of(b""),
            changes: Vec::new(),
        };
        Ok(Outcome::Settled(Settled {
            applied,
            healthy_after: None,
            has_recovered: false,
            interval: self.interval,
            held_back: Some(rest),
        }))
    }
}

/// The revision of what the source was made of, where its origin says it.
fn origin_revision(artifact: &Artifact) -> Option<String> {
    artifact.metadata.get(ORIGIN_REVISION).filter(|revision| !revision.is_empty()).cloned()
}

enum Build {
    Unchanged(LastBuild),
    New(Built),
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::PathMissing(path) => Self::PathMissing(path.to_string()),
            error => Self::Build(Box::new(error)),
        }
    }
}
