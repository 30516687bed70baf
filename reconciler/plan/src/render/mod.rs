//! A plan for people: as text for a terminal, as a diff for other tools, as Markdown for a review.
//!
//! All of them tell the risks first, then the objects in the order in which they are applied. None of them can tell a
//! Secret's value: the plan does not hold it, and the manifests that do are rendered through the same rule.

mod diff;
mod lines;
mod markdown;
mod text;

use crate::{Action, KeepReason, Plan, Stage, Step};

pub use diff::diff;
pub use markdown::{MAX_MARKDOWN_BYTES, markdown};
pub use text::text;

/// What carrying the plan out does to each object that it changes, one a line, as Flux writes it into its events:
/// `Deployment/shop/web configured`.
pub fn change_log(plan: &Plan) -> String {
    plan.work().map(change_log_line).collect::<Vec<_>>().join("\n")
}

/// One line of the [`change_log`].
pub fn change_log_line(step: &Step) -> String {
    let done = match &step.action {
        // Once it is deleted, a replaced object is created.
        Action::Create(_) | Action::Replace { .. } => "created",
        Action::Update { .. } => "configured",
        Action::Delete | Action::Keep(KeepReason::AlreadyGone) => "deleted",
        Action::Keep(KeepReason::InSync) => "unchanged",
        Action::Keep(
            KeepReason::OptedOut(_) | KeepReason::NotOurs | KeepReason::PruneDisabled | KeepReason::NotObserved,
        ) => "skipped",
    };
    format!("{} {done}", step.object.subject())
}

/// What `diff` says about an object, in Flux's words where it has one; nothing about one that stays as it is.
fn verdict(step: &Step) -> Option<&'static str> {
    match &step.action {
        Action::Create(_) => Some("created"),
        Action::Update { changes, .. } if changes.is_empty() => Some("configured"),
        Action::Update { .. } => Some("drifted"),
        Action::Replace { .. } => Some("replaced"),
        Action::Delete => Some("deleted"),
        Action::Keep(reason) => kept_noticeably(reason).then_some("skipped"),
    }
}

/// Whether a reader would wonder about an object that is kept for this reason.
fn kept_noticeably(reason: &KeepReason) -> bool {
    match reason {
        KeepReason::OptedOut(_) | KeepReason::NotOurs | KeepReason::NotObserved => true,
        KeepReason::InSync | KeepReason::PruneDisabled | KeepReason::AlreadyGone => false,
    }
}

/// Why a step is what it is, where the verdict alone does not say it.
fn explanation(step: &Step) -> Option<String> {
    match &step.action {
        Action::Keep(reason) => Some(reason.to_string()),
        Action::Replace { field, .. } => Some(format!("{field} is immutable")),
        Action::Update { changes, cleanup: Some(_), .. } if changes.is_empty() => {
            Some("takes over what other tools left in its metadata".to_owned())
        }
        Action::Delete => Some("no longer in the source".to_owned()),
        Action::Create(_) | Action::Update { .. } => None,
    }
}

/// Where a step's manifest was written, with the overlays that it passed.
fn place(step: &Step) -> Option<String> {
    let origin = step.origin.as_ref()?;
    let overlays = origin.overlays.iter().map(|overlay| format!(" < {overlay}"));
    Some(std::iter::once(origin.to_string()).chain(overlays).collect())
}

/// The whole plan in one line.
fn summary_line(plan: &Plan) -> String {
    let summary = plan.summary();
    let counts = [
        (summary.create, "create"),
        (summary.update, "update"),
        (summary.replace, "replace"),
        (summary.delete, "delete"),
        (summary.keep, "keep"),
    ];
    let counted = counts.iter().filter(|(count, _)| *count > 0).map(|(count, verb)| format!("{count} to {verb}"));
    let nothing = plan.is_empty().then(|| "nothing to do".to_owned());
    format!("Plan: {}.", nothing.into_iter().chain(counted).collect::<Vec<_>>().join(", "))
}

/// The steps that a reader sees, deletions last.
fn shown_steps(plan: &Plan) -> impl Iterator<Item = (&Step, &'static str)> {
    let is_last = |step: &&Step| step.stage == Stage::Prune;
    let (last, first): (Vec<&Step>, Vec<&Step>) = plan.steps.iter().partition(is_last);
    first.into_iter().chain(last).filter_map(|step| Some((step, verdict(step)?)))
}

/// Text without characters that would move the cursor, change colours or turn the order of letters: what a source holds
/// must not draw on the terminal of whoever reads it.
fn printable(text: &str) -> String {
    let is_harmful = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t')) || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let escaped = |c: char| if is_harmful(c) { c.escape_unicode().to_string() } else { c.to_string() };
    text.chars().map(escaped).collect()
}
