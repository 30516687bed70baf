//! Whether what was applied is well: the verdicts of single objects, folded into one.

use std::time::Duration;

use fairlead_health::Health;
use fairlead_object::ObjectId;

/// The health of everything that is awaited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Folded {
    /// All of it is well.
    Current,
    /// Some of it is on its way.
    InProgress {
        /// Which, and why.
        waiting_for: String,
    },
    /// Some of it has failed and will not get well by waiting.
    Failed {
        /// Which, and why.
        stalled: String,
    },
}

/// Folds the verdicts of `objects`; an object that has not been seen yet is on its way.
pub(crate) fn fold(objects: &[ObjectId], verdict: impl Fn(&ObjectId) -> Option<Health>) -> Folded {
    let (mut failed, mut waiting) = (Vec::new(), Vec::new());
    for object in objects {
        match verdict(object) {
            Some(Health::Current) => {}
            Some(health @ Health::Failed(_)) => failed.push(item(object, &health)),
            Some(health) => waiting.push(item(object, &health)),
            None => waiting.push(format!("{} status: 'NotFound'", object.subject())),
        }
    }
    if !failed.is_empty() {
        Folded::Failed { stalled: failed.join(", ") }
    } else if waiting.is_empty() {
        Folded::Current
    } else {
        Folded::InProgress { waiting_for: waiting.join(", ") }
    }
}

/// Flux's form, with the reason that Flux leaves out.
fn item(object: &ObjectId, health: &Health) -> String {
    let why = health.message().map(|why| format!(": {why}")).unwrap_or_default();
    format!("{} status: '{}'{why}", object.subject(), health.name())
}

/// The message of a check that failed before its time was over.
pub(crate) fn failed_early(after: Duration, stalled: &str) -> String {
    format!("health check failed after {}: failed early due to stalled resources: [{stalled}]", seconds(after))
}

/// The message of a check whose time is over.
pub(crate) fn timed_out(after: Duration, waiting_for: &str) -> String {
    format!("health check failed after {}: timeout waiting for: [{waiting_for}]", seconds(after))
}

fn seconds(duration: Duration) -> String {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    fairlead_api::duration::Duration::from(Duration::from_millis(millis)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_outweighs_all_that_is_on_its_way() {
        let object = |name: &str| ObjectId::new("apps", "Deployment", "shop", name);
        let fold = |verdicts: &[(&str, Option<Health>)]| {
            let objects: Vec<_> = verdicts.iter().map(|(name, _)| object(name)).collect();
            fold(&objects, |id| {
                verdicts.iter().find(|(name, _)| *name == id.name).and_then(|(_, health)| health.clone())
            })
        };
        let progressing = || Some(Health::InProgress("0 of 1 ready".into()));
        assert_eq!(fold(&[]), Folded::Current);
        assert_eq!(fold(&[("a", Some(Health::Current))]), Folded::Current);
        assert_eq!(
            fold(&[("a", progressing()), ("b", None)]),
            Folded::InProgress {
                waiting_for:
                    "Deployment/shop/a status: 'InProgress': 0 of 1 ready, Deployment/shop/b status: 'NotFound'"
                        .to_owned()
            }
        );
        assert_eq!(
            fold(&[("a", progressing()), ("b", Some(Health::Failed("quota".into())))]),
            Folded::Failed { stalled: "Deployment/shop/b status: 'Failed': quota".to_owned() }
        );
    }
}
