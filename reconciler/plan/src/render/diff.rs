//! A plan as a unified diff, for tools that show or count one.

use std::fmt::{self, Write as _};

use super::{
    explanation,
    lines::{changed_lines, object_lines},
    place, printable, shown_steps,
    text::heading,
};
use crate::{Action, Plan, Step};

/// The plan as one unified diff: a file for each object, a hunk for each field.
///
/// What is created is shown whole. Of what is deleted only the name is known.
pub fn diff(plan: &Plan) -> String {
    let mut out = String::new();
    let changed = shown_steps(plan).filter(|(step, _)| !matches!(step.action, Action::Keep(_)));
    for (step, verdict) in changed {
        write_step(&mut out, step, verdict).expect("a String takes all that is written to it");
    }
    printable(&out)
}

fn write_step(out: &mut String, step: &Step, verdict: &str) -> fmt::Result {
    let subject = step.object.subject();
    let (old, new) = match &step.action {
        Action::Create(_) => ("/dev/null".to_owned(), format!("b/{subject}")),
        Action::Delete => (format!("a/{subject}"), "/dev/null".to_owned()),
        Action::Update { .. } | Action::Replace { .. } | Action::Keep(_) => {
            (format!("a/{subject}"), format!("b/{subject}"))
        }
    };
    let notes: Vec<String> = std::iter::once(verdict.to_owned()).chain(place(step)).chain(explanation(step)).collect();
    writeln!(out, "# {subject}: {}\n--- {old}\n+++ {new}", notes.join(", "))?;
    for line in hunks(step) {
        writeln!(out, "{line}")?;
    }
    Ok(())
}

pub(super) fn hunks(step: &Step) -> Vec<String> {
    match &step.action {
        Action::Create(manifest) => {
            let lines = object_lines(manifest);
            let head = format!("@@ -0,0 +1,{} @@", lines.len());
            std::iter::once(head).chain(lines.into_iter().map(|line| format!("+{line}"))).collect()
        }
        Action::Update { changes, .. } | Action::Replace { changes, .. } => changes
            .iter()
            .flat_map(|change| std::iter::once(heading(step, change)).chain(changed_lines(change)))
            .collect(),
        Action::Delete | Action::Keep(_) => Vec::new(),
    }
}
