//! The work of one run: what is asked for, how the release stands, and what follows.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use fairlead_api::{
    conditions::READY,
    helm::{ChartNameChange, DriftMode, HelmRelease, HelmReleaseSpec, HelmReleaseStatus},
    names::annotations,
};
use fairlead_health::{HealthCheckExpr, HealthRules};
use fairlead_plan::{ReleaseName, scope::Scope};
use fairlead_release::{
    Decision, Release, Seen, Standing as ReleaseStanding, State, Status, decide, determine, digest, shortened,
};
use serde_json::{Map, Value, json};

use super::{
    Subject,
    action::{Purpose, Underway},
    chart::{About, Found},
    history::History,
    memory::{Kind, Memory},
    outcome::{End, Failure},
    story::{Fact, Story},
    values,
};
use crate::{
    cluster::{Cluster, FieldManager},
    controllers::{
        ObjectKey,
        dependencies::{self, DependencyError},
        identity::{Standing, standing},
    },
    watch::Interest,
};

pub(super) struct Work<'a> {
    pub(super) subject: &'a Subject<'a>,
    pub(super) release: &'a HelmRelease,
    pub(super) spec: &'a HelmReleaseSpec,
    pub(super) name: ReleaseName,
    pub(super) standing: Standing,
    pub(super) cluster: Cluster,
    /// The namespace in which the release is recorded.
    pub(super) storage: String,
    interval: Duration,
    pub(super) rules: Arc<HealthRules>,
}

/// What is asked for, as far as it takes others.
pub(super) struct Wanted {
    pub(super) found: Found,
    pub(super) about: About,
    pub(super) values: Map<String, Value>,
    pub(super) config_digest: String,
    pub(super) is_forced: bool,
}

impl<'a> Work<'a> {
    pub(super) fn new(
        subject: &'a Subject<'a>,
        release: &'a HelmRelease,
        memory: &mut Memory,
    ) -> Result<Self, Failure> {
        let spec = &release.spec;
        let key = subject.key;
        let interval = spec.interval.read("spec.interval")?;
        let standing = standing(subject.world, key, spec.service_account_name.as_deref());
        let cluster = subject.world.cluster.as_identity(&standing.identity)?.as_manager(FieldManager::HELM);
        let name = ReleaseName {
            namespace: spec.release_namespace(&key.namespace).to_owned(),
            name: shortened(spec.full_release_name(&key.name)),
        };
        let rules = rules(spec, subject.metadata().generation.unwrap_or(0), memory)?;
        let storage = spec.storage_namespace(&key.namespace).to_owned();
        Ok(Self { subject, release, spec, name, standing, cluster, storage, interval, rules })
    }

    pub(super) fn is_tenant(&self) -> bool {
        match self.standing.scope {
            Scope::Namespace { .. } => true,
            Scope::Cluster => false,
        }
    }

    /// Where the release is recorded.
    pub(super) fn history(&self) -> History {
        History { cluster: self.cluster.clone(), namespace: self.storage.clone(), name: self.name.name.clone() }
    }

    pub(super) async fn carry_out(&self, memory: &mut Memory, story: &mut Story) -> Result<End, Failure> {
        let pinned = self.pinned()?;
        let underway = memory.underway.take();
        if let Some(underway) = underway.filter(|underway| pinned.is_none() || !underway.yields_to_pin())
            && let Some(end) = self.at_place_of(&underway).go_on(underway, memory, story).await?
        {
            return Ok(ended(end, memory));
        }
        if let Some(revision) = pinned {
            let end = self.at_recorded_place(&story.status).keep_at(revision, memory, story).await?;
            return Ok(ended(end, memory));
        }
        let wanted = self.wanted(memory, story).await?;
        if let Some(end) = self.move_release(&wanted, memory, story).await? {
            return Ok(ended(end, memory));
        }
        self.note_attempt(&wanted, story);
        let end = self.bring_about(wanted, memory, story).await?;
        Ok(ended(end, memory))
    }

    async fn wanted(&self, memory: &mut Memory, story: &mut Story) -> Result<Wanted, Failure> {
        let key = self.subject.key;
        self.sync_chart(story).await?;
        dependencies::check(
            &self.subject.world.releases,
            &key.namespace,
            self.release,
            &self.spec.depends_on,
            is_ready,
        )?;
        let found = self.chart_artifact().await?;
        self.follow_references();
        let values = values::compose(&self.cluster, key, self.spec).await?;
        let about = self.about(&found, memory).await?;
        let config_digest = digest::of_values(&values);
        let handled = story.status.last_handled_force_at.as_deref();
        let is_forced = self.subject.asked_by(annotations::FORCE_AT, handled).is_some();
        Ok(Wanted { found, about, values, config_digest, is_forced })
    }

    /// The `ConfigMap`s and Secrets that values come from, watched: a change of one wakes the next run.
    fn follow_references(&self) {
        let (tracker, key) = (&self.subject.world.release_tracker, self.subject.key);
        let mut followed = BTreeSet::new();
        for reference in &self.spec.values_from {
            let (resource, id) = values::referred(key, reference);
            tracker.follow(key, &id, &resource, (Interest::Content, &self.rules));
            followed.insert(id);
        }
        tracker.unfollow(key, &followed);
    }

    /// What the chart says of itself, read once for each artifact.
    async fn about(&self, found: &Found, memory: &mut Memory) -> Result<About, Failure> {
        if let Some((tree, about)) = &memory.chart
            && *tree == found.artifact.tree
        {
            return Ok(about.clone());
        }
        let chart = self.chart(found).await?;
        let about = About { name: chart.metadata.name.clone(), version: chart.metadata.version.clone() };
        memory.chart = Some((found.artifact.tree, about.clone()));
        Ok(about)
    }

    /// Uninstalls the release where it was, if another one is asked for now.
    async fn move_release(
        &self,
        wanted: &Wanted,
        memory: &mut Memory,
        story: &mut Story,
    ) -> Result<Option<End>, Failure> {
        let Some(latest) = story.status.history.first() else { return Ok(None) };
        let in_place = self.spec.upgrade.as_ref().and_then(|upgrade| upgrade.chart_name_change_strategy);
        let is_other_chart = latest.chart_name != wanted.about.name && in_place != Some(ChartNameChange::InPlaceUpdate);
        let before = self.at_recorded_place(&story.status);
        if before.storage == self.storage && before.name == self.name && !is_other_chart {
            return Ok(None);
        }
        let records = before.history().list().await?;
        let Some(underway) = before.uninstall(records, Purpose::Move)? else {
            story.forget_history();
            story.status.storage_namespace = None;
            return Ok(Some(End::Again));
        };
        before.go_on(Box::new(underway), memory, story).await
    }

    /// The same work for a release called `name`, recorded in the namespace `storage`.
    fn elsewhere(&self, name: ReleaseName, storage: String) -> Work<'_> {
        Work {
            subject: self.subject,
            release: self.release,
            spec: self.spec,
            name,
            standing: self.standing.clone(),
            cluster: self.cluster.clone(),
            storage,
            interval: self.interval,
            rules: Arc::clone(&self.rules),
        }
    }

    /// The same work where the newest revision that `status` knows is: another place may be asked for since.
    fn at_recorded_place(&self, status: &HelmReleaseStatus) -> Work<'_> {
        let Some(latest) = status.history.first() else {
            return self.elsewhere(self.name.clone(), self.storage.clone());
        };
        let name = ReleaseName { namespace: latest.namespace.clone(), name: latest.name.clone() };
        self.elsewhere(name, status.storage_namespace.clone().unwrap_or_else(|| self.storage.clone()))
    }

    /// The same work where `underway` was begun: what is asked for may be another place since.
    fn at_place_of(&self, underway: &Underway) -> Work<'_> {
        let name = ReleaseName { namespace: underway.record.namespace.clone(), name: underway.record.name.clone() };
        self.elsewhere(name, underway.storage.clone())
    }

    /// Notes what is tried, and forgets failures of anything else.
    fn note_attempt(&self, wanted: &Wanted, story: &mut Story) {
        let generation = self.subject.metadata().generation;
        let reset = self.subject.asked_by(annotations::RESET_AT, story.status.last_handled_reset_at.as_deref());
        let status = &story.status;
        let is_same = status.last_attempted_generation == generation
            && status.last_attempted_revision.as_ref() == Some(&wanted.about.version)
            && status.last_attempted_config_digest.as_ref() == Some(&wanted.config_digest);
        if !is_same || reset.is_some() {
            story.forget_failures();
        }
        let status = &mut story.status;
        status.last_handled_reset_at = reset.map(str::to_owned).or(status.last_handled_reset_at.take());
        if let Some(force) = self.subject.force_annotation() {
            status.last_handled_force_at = Some(force.to_owned());
        }
        status.last_attempted_generation = generation;
        status.last_attempted_revision = Some(wanted.about.version.clone());
        status.last_attempted_revision_digest.clone_from(&wanted.found.oci_digest);
        status.last_attempted_config_digest = Some(wanted.config_digest.clone());
        status.storage_namespace = Some(self.storage.clone());
    }

    /// Does what follows, until nothing does.
    async fn bring_about(&self, mut wanted: Wanted, memory: &mut Memory, story: &mut Story) -> Result<End, Failure> {
        loop {
            let records = self.history().list().await?;
            let state = self.state(&wanted, &records, &story.status);
            if state == State::Unmanaged {
                story.forget_history();
            }
            let status = story.status.clone();
            let standing =
                ReleaseStanding { spec: self.spec, status: &status, is_forced: wanted.is_forced, records: &records };
            let decision = decide(&state, &standing);
            let Some(kind) = Kind::of(&decision) else {
                if let Decision::Stop(done) = decision {
                    return Ok(End::Stopped(done));
                }
                return self.settle(&records, &standing, memory, story).await;
            };
            if memory.done.contains(&kind) {
                return Ok(match (standing.retry()?, standing.after_remediation()) {
                    (Some(after), _) => End::Later { after },
                    (None, None) => End::Again,
                    (None, Some(done)) => End::Stopped(done),
                });
            }
            wanted.is_forced = false;
            if state == State::Untested {
                story.replace_remediated();
            }
            if decision == Decision::Unlock {
                memory.done.push(kind);
                self.unlock(&records, story).await?;
                continue;
            }
            let underway = self.start(&decision, &wanted, records, story).await?;
            if let Some(end) = self.go_on(Box::new(underway), memory, story).await? {
                return Ok(end);
            }
        }
    }

    fn state(&self, wanted: &Wanted, records: &[Release], status: &HelmReleaseStatus) -> State {
        // What was restored is not what was last asked for.
        let is_restored = records.first().is_some_and(|last| last.info.rollback_revision != 0);
        let is_new = is_restored || status.observed_generation != self.subject.metadata().generation;
        let [renderers, metadata] = self.overlay_digests();
        let other_overlay = if is_new && renderers != status.observed_post_renderers_digest {
            Some("postRenderers")
        } else if is_new && metadata != status.observed_common_metadata_digest {
            Some("commonMetadata")
        } else {
            None
        };
        let standing = ReleaseStanding { spec: self.spec, status, is_forced: false, records };
        determine(&Seen {
            last: records.first(),
            snapshot: status.history.first(),
            chart: (&wanted.about.name, &wanted.about.version),
            config_digest: &wanted.config_digest,
            other_overlay,
            is_tested: self.spec.is_tested(),
            is_failed_by_tests: !standing.ignores_tests(),
        })
    }

    /// Digests of what is done with rendered objects.
    fn overlay_digests(&self) -> [Option<String>; 2] {
        let renderers =
            (!self.spec.post_renderers.is_empty()).then(|| digest::of_json(&json!(self.spec.post_renderers)));
        let metadata = self.spec.common_metadata.as_ref().map(|metadata| digest::of_json(&json!(metadata)));
        [renderers, metadata]
    }

    /// Notes what was done with the objects of the newest revision.
    pub(super) fn note_overlays(&self, story: &mut Story) {
        let [renderers, metadata] = self.overlay_digests();
        story.status.observed_post_renderers_digest = renderers;
        story.status.observed_common_metadata_digest = metadata;
    }

    /// The release is as it should be; is the cluster?
    async fn settle(
        &self,
        records: &[Release],
        standing: &ReleaseStanding<'_>,
        memory: &mut Memory,
        story: &mut Story,
    ) -> Result<End, Failure> {
        story.trim_history(standing.ignores_tests(), standing.retry()?.is_some());
        story.replace_remediated();
        story.mend_released();
        if let Some(record) = records.first() {
            self.watch_for_drift(record, memory, story).await?;
        }
        self.note_overlays(story);
        Ok(self.settled())
    }

    pub(super) fn settled(&self) -> End {
        End::Settled { interval: self.interval }
    }

    /// Looks for drift, if the spec asks for that.
    pub(super) async fn watch_for_drift(
        &self,
        record: &Release,
        memory: &mut Memory,
        story: &mut Story,
    ) -> Result<(), Failure> {
        match self.spec.drift_mode() {
            DriftMode::Disabled => Ok(()),
            DriftMode::Enabled | DriftMode::Warn => self.look_for_drift(record, memory, story).await,
        }
    }

    /// Marks as failed what was cut off.
    pub(super) async fn unlock(&self, records: &[Release], story: &mut Story) -> Result<(), Failure> {
        let Some(last) = records.first() else { return Ok(()) };
        let mut record = last.clone();
        let stale = record.info.status.name();
        record.set_status(Status::Failed, format!("Release unlocked from stale '{stale}' state"));
        let now = self.subject.world.clock.now();
        self.history().update(&record, now).await?;
        let snapshot = digest::snapshot(&record, "upgrade", None, now);
        let message = format!(
            "Unlocked Helm release {} with chart {} from stale '{stale}' state",
            snapshot.full_name(),
            snapshot.chart()
        );
        story.tell(Fact::Unlocked { snapshot, message });
        Ok(())
    }
}

/// What was done counts until the release has come to an end.
fn ended(end: End, memory: &mut Memory) -> End {
    if !matches!(end, End::Waiting { .. }) {
        memory.done.clear();
    }
    end
}

/// The rules by which health is judged, compiled once for each generation.
fn rules(spec: &HelmReleaseSpec, generation: i64, memory: &mut Memory) -> Result<Arc<HealthRules>, Failure> {
    if let Some((of, rules)) = &memory.rules
        && *of == generation
    {
        return Ok(Arc::clone(rules));
    }
    let expressions = spec.health_check_exprs.iter().map(|entry| HealthCheckExpr {
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

/// Whether the release `dependency` is ready.
fn is_ready(dependency: &ObjectKey, found: &HelmRelease) -> Result<(), DependencyError> {
    let is_ready = found.status.as_ref().is_some_and(|status| {
        status.conditions.is_true(READY) && status.observed_generation == found.metadata.generation
    });
    if is_ready { Ok(()) } else { Err(DependencyError::NotReady(dependency.clone())) }
}
