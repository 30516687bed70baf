//! The end of a `HelmRelease`: what it installed is uninstalled, unless it is suspended.

use fairlead_api::reasons::helm as reason;

use super::{
    Subject,
    action::{Action, Purpose},
    memory::Memory,
    outcome::{End, Failure},
    story::Story,
    work::Work,
};
use crate::{
    cluster::{ApiError, Identity, Resource},
    controllers::in_one_line,
    queue::NextRun,
};

impl Subject<'_> {
    /// Uninstalls, and lets the object go.
    pub(super) async fn finalize(&self) -> Result<NextRun, ApiError> {
        let Some(release) = self.parsed() else { return self.let_go().await };
        let mut memory = self.world.release_memories.take(self.key);
        let before = self.latest_status();
        let mut story = self.story(memory.untold.take().unwrap_or_else(|| before.clone()));
        let outcome = if release.spec.suspend {
            Ok(None)
        } else {
            match Work::new(self, release, &mut memory) {
                Ok(work) => work.remove(&mut memory, &mut story).await,
                Err(failure) => Err(failure),
            }
        };
        self.world.release_memories.put(self.key, memory);
        let next = match outcome {
            Ok(None) => None,
            Ok(Some(End::Waiting { left })) => Some(NextRun::After(left)),
            Ok(Some(_)) => Some(self.after_failure()),
            Err(failure) => {
                story.complain(reason::UNINSTALL_FAILED, in_one_line(&failure));
                Some(self.after_failure())
            }
        };
        self.announce(&story);
        match next {
            None => self.let_go().await,
            Some(next) => {
                self.write(&before, &story.status).await?;
                Ok(next)
            }
        }
    }
}

impl Work<'_> {
    /// Uninstalls the release and deletes its chart; `None` when nothing is left.
    async fn remove(&self, memory: &mut Memory, story: &mut Story) -> Result<Option<End>, Failure> {
        let was_tried = story.status.last_attempted_release_action.is_some() || !story.status.history.is_empty();
        if was_tried && self.account_exists().await? {
            // What was being done is cut off by this.
            let underway = memory.underway.take().filter(|underway| underway.purpose == Purpose::Deletion);
            let started = match underway {
                Some(underway) => Some(*underway),
                None => self.uninstall(self.history().list().await?, Purpose::Deletion)?,
            };
            if let Some(underway) = started {
                debug_assert_eq!(underway.action, Action::Uninstall);
                let end = self.go_on(Box::new(underway), memory, story).await?;
                let is_gone = self.history().list().await?.iter().all(|record| record.info.deleted.is_some());
                if matches!(end, Some(End::Waiting { .. })) || !is_gone {
                    return Ok(end);
                }
            }
        }
        self.delete_chart(story).await?;
        Ok(None)
    }

    async fn account_exists(&self) -> Result<bool, Failure> {
        let Identity::ServiceAccount { namespace, name } = &self.standing.identity else { return Ok(true) };
        let accounts = Resource::namespaced("", "v1", "ServiceAccount", "serviceaccounts");
        let found = self.subject.world.cluster.get(&accounts, namespace, name).await;
        found.map(|account| account.is_some()).map_err(|error| Failure::History(error.into()))
    }
}
