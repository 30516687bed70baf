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
        writeln!(out, "  {}", heading(step, change))?;
        for line in changed_lines(change) {
            writeln!(out, "  {line}")?;
        }
    }
    Ok(())
}

/// The field's path, with the manager that owns it now and the place that sets it.
pub(super) fn heading(step: &Step, change: &FieldChange) -> String {
    let set_at = step.set_at(change).map(|place| format!("set at {place}"));
    let notes: Vec<String> = change.manager.iter().cloned().chain(set_at).collect();
    format!("@@ {} @@ {}", change.path, notes.join(", ")).trim_end().to_owned()
}
