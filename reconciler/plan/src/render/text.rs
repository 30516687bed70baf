//! A plan as text for a terminal.

use std::fmt::{self, Write as _};

use super::{explanation, lines::changed_lines, place, printable, shown_steps, summary_line};
use crate::{FieldChange, Plan, Step};

/// The plan for a terminal: what it waits for, its risks, each object with its changes, and a summary.
pub fn text(plan: &Plan) -> String {
    let mut out = String::new();
    write(&mut out, plan).expect("a String takes all that is written to it");
    printable(&out)
}

fn write(out: &mut String, plan: &Plan) -> fmt::Result {
    if let Some(held) = &plan.held {
        writeln!(out, "Held: {held}\n")?;
    }
    let risks = plan.risks();
    if !risks.is_empty() {
        writeln!(out, "Risks:")?;
        for risk in &risks {
            writeln!(out, "  ! {risk}")?;
        }
        writeln!(out)?;
    }
    for (step, verdict) in shown_steps(plan) {
        writeln!(out, "► {} {verdict}", step.object.subject())?;
        write_step(out, step)?;
    }
    writeln!(out, "{}", summary_line(plan))
}

fn write_step(out: &mut String, step: &Step) -> fmt::Result {
    for note in place(step).into_iter().chain(explanation(step)) {
        writeln!(out, "  {note}")?;
    }
    for change in step.action.changes() {
        writeln!(out, "  {}", heading(change))?;
        for line in changed_lines(change) {
            writeln!(out, "  {line}")?;
        }
    }
    Ok(())
}

/// The field's path, with the manager that owns it now.
pub(super) fn heading(change: &FieldChange) -> String {
    match &change.manager {
        Some(manager) => format!("@@ {} @@ {manager}", change.path),
        None => format!("@@ {} @@", change.path),
    }
}
