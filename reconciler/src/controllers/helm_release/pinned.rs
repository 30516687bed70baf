//! A release that is kept at one of its revisions, whatever is asked for: what `fairlead rollback` writes.
//!
//! Neither its chart nor its values are looked at meanwhile, so a source that is broken is no hindrance.

use fairlead_api::names::annotations::PINNED_REVISION;
use fairlead_release::{Decision, Standing, decide_kept, digest};

use super::{
    action::{Action, Purpose, Underway},
    memory::Memory,
    outcome::{End, Failure},
    story::{Fact, Story},
    work::Work,
};

impl Work<'_> {
    /// The revision that the release is kept at.
    pub(super) fn pinned(&self) -> Result<Option<i64>, Failure> {
        let annotations = self.subject.metadata().annotations.as_ref();
        let Some(written) = annotations.and_then(|all| all.get(PINNED_REVISION)) else { return Ok(None) };
        written.parse().map(Some).map_err(|_| Failure::Pin(written.clone()))
    }

    /// Brings the release to `revision`, unless it is there.
    pub(super) async fn keep_at(&self, revision: i64, memory: &mut Memory, story: &mut Story) -> Result<End, Failure> {
        let mut is_forced = self.subject.requested_at() != story.status.last_handled_reconcile_at.as_deref();
        loop {
            let records = self.history().list().await?;
            let status = story.status.clone();
            let standing = Standing { spec: self.spec, status: &status, is_forced, records: &records };
            match decide_kept(revision, &standing) {
                Decision::Unlock => {
                    self.unlock(&records, story).await?;
                    // What was cut off has not failed.
                    is_forced = true;
                }
                Decision::Rollback { to } => {
                    let underway = self.roll_back(to, Purpose::Keep, records, story)?;
                    if let Some(end) = self.go_on(Box::new(underway), memory, story).await? {
                        return Ok(end);
                    }
                    is_forced = false;
                }
                Decision::Stop(done) => return Ok(End::Stopped(done)),
                Decision::Nothing | Decision::Install | Decision::Upgrade | Decision::Test | Decision::Uninstall => {
                    let Some(latest) = records.first() else { return Ok(End::Again) };
                    let snapshot =
                        digest::snapshot(latest, Action::Rollback.name(), None, self.subject.world.clock.now());
                    story.tell(Fact::Kept { snapshot, revision });
                    self.watch_for_drift(latest, memory, story).await?;
                    return Ok(self.settled());
                }
            }
        }
    }
}

impl Underway {
    /// Whether it is given up for a revision that the release is to be kept at.
    pub(super) fn yields_to_pin(&self) -> bool {
        match (self.action, self.purpose) {
            (Action::Uninstall, _) | (Action::Rollback, Purpose::Keep) => false,
            (Action::Install | Action::Upgrade | Action::Test | Action::Rollback, _) => true,
        }
    }
}
