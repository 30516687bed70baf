//! A plan as Markdown, for a comment on a change.

use std::fmt::{self, Write as _};

use super::{diff::hunks, explanation, place, printable, shown_steps, summary_line};
use crate::{Plan, Risk, Step};

/// Longest comment, in bytes: hosts of repositories take 65 536.
pub const MAX_MARKDOWN_BYTES: usize = 65_000;

/// Most risks that are listed.
const MAX_RISKS: usize = 100;

/// The plan for a review: risks first, then what happens to each object, folded.
///
/// It begins with a hidden mark that names the owner, so that whoever posts it finds and replaces the comment of the last
/// run. Past [`MAX_MARKDOWN_BYTES`] objects are left out, and counted.
pub fn markdown(plan: &Plan) -> String {
    const WRITTEN: &str = "a String takes all that is written to it";
    let mut out = String::new();
    write_head(&mut out, plan).expect(WRITTEN);
    let steps: Vec<_> = shown_steps(plan).collect();
    for (place, (step, verdict)) in steps.iter().enumerate() {
        let rest = format!("\n_{} more objects are not shown._\n", steps.len() - place);
        let mut section = String::new();
        write_section(&mut section, step, verdict).expect(WRITTEN);
        let section = printable(&section);
        if out.len() + section.len() + rest.len() > MAX_MARKDOWN_BYTES {
            return out + &rest;
        }
        out += &section;
    }
    out
}

fn write_head(out: &mut String, plan: &Plan) -> fmt::Result {
    let owner = plan.owner.to_string();
    writeln!(out, "<!-- fairlead plan {} -->\n### {}\n\n{}\n", html(&owner), code(&owner), summary_line(plan))?;
    let from = plan.revision_from.as_ref().filter(|from| **from != plan.revision);
    let from = from.map(|from| format!("{} → ", code(from))).unwrap_or_default();
    writeln!(out, "Revision {from}{}, plan `{}`\n", code(&plan.revision), plan.digest())?;
    if let Some(held) = &plan.held {
        writeln!(out, "> **Held:** {}\n", html(&held.to_string()))?;
    }
    write_risks(out, &plan.risks())
}

fn write_risks(out: &mut String, risks: &[Risk]) -> fmt::Result {
    for risk in risks.iter().take(MAX_RISKS) {
        let detail = risk.detail.as_ref().map(|detail| format!(" ({})", html(detail)));
        writeln!(out, "- ⚠️ {} {}{}", risk.kind.phrase(), code(&risk.object.to_string()), detail.unwrap_or_default())?;
    }
    if risks.len() > MAX_RISKS {
        writeln!(out, "- ⚠️ and {} more risks", risks.len() - MAX_RISKS)?;
    }
    if risks.is_empty() { Ok(()) } else { writeln!(out) }
}

fn write_section(out: &mut String, step: &Step, verdict: &str) -> fmt::Result {
    let notes: Vec<String> = place(step).into_iter().chain(explanation(step)).map(|note| html(&note)).collect();
    let subject = html(&step.object.subject());
    writeln!(out, "<details><summary><code>{subject}</code> {verdict}</summary>\n\n{}", notes.join("; "))?;
    let hunks = hunks(step);
    if !hunks.is_empty() {
        let fence = fence(&hunks);
        writeln!(out, "\n{fence}diff\n{}\n{fence}", hunks.join("\n"))?;
    }
    writeln!(out, "\n</details>")
}

/// A fence that none of the lines can close.
fn fence(lines: &[String]) -> String {
    let longest = lines.iter().flat_map(|line| line.split(|c| c != '`')).map(str::len).max();
    "`".repeat(longest.unwrap_or_default().max(2) + 1)
}

/// Text as inline code.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'").replace(['\n', '\r'], " "))
}

/// Text that is no markup, wherever HTML is read.
fn html(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace(['\n', '\r'], " ")
}
