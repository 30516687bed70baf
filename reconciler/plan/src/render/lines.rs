//! Values as lines, and the difference between two values line by line.

use serde_json::Value;
use similar::{ChangeTag, TextDiff};

use crate::{
    FieldChange, FieldPath, Segment, Shown,
    drawn::{NOT_KNOWN, known_part},
    secret::is_confidential,
};
use fairlead_object::Manifest;

/// Lines of unchanged text around a change.
const CONTEXT_LINES: usize = 3;

/// Most lines of a value that are compared with those of another: beyond, finding the shortest difference takes too long.
const MAX_COMPARED_LINES: usize = 5_000;

/// What stands for a value that is not shown.
const HIDDEN: &str = "***";

/// The lines of a field's change, each with `-`, `+` or a blank before it.
pub(super) fn changed_lines(change: &FieldChange) -> Vec<String> {
    let is_change = change.before.is_some() && change.after.is_some();
    let before = change.before.as_ref().map(|shown| shown_lines(shown, if is_change { " (before)" } else { "" }));
    let after = change.after.as_ref().map(|shown| shown_lines(shown, if is_change { " (after)" } else { "" }));
    match (&change.before, &change.after) {
        (Some(Shown::Value(old)), Some(Shown::Value(new))) if before == after => {
            vec![format!("-{old}"), format!("+{new}")]
        }
        _ => difference(&before.unwrap_or_default(), &after.unwrap_or_default()),
    }
}

fn shown_lines(shown: &Shown, which: &str) -> Vec<String> {
    match shown {
        Shown::Value(value) => value_lines(value),
        Shown::Secret(_) => vec![format!("{HIDDEN}{which}")],
        Shown::NotKnown => vec![NOT_KNOWN.to_owned()],
    }
}

fn difference(before: &[String], after: &[String]) -> Vec<String> {
    if before.len().min(after.len()) > MAX_COMPARED_LINES {
        return vec![format!("-({} lines)", before.len()), format!("+({} lines)", after.len())];
    }
    let (before, after): (Vec<&str>, Vec<&str>) =
        (before.iter().map(String::as_str).collect(), after.iter().map(String::as_str).collect());
    let diff = TextDiff::from_slices(&before, &after);
    let mut lines = Vec::new();
    for (place, group) in diff.grouped_ops(CONTEXT_LINES).iter().enumerate() {
        if place > 0 {
            lines.push(" …".to_owned());
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            lines.push(format!("{sign}{}", change.value()));
        }
    }
    lines
}

/// The object of `manifest` as YAML, with what is confidential in it hidden, and without what is drawn.
pub(super) fn object_lines(manifest: &Manifest) -> Vec<String> {
    value_lines(&hidden(&manifest.id().kind, &FieldPath::root(), &known_part(manifest)))
}

fn hidden(kind: &str, path: &FieldPath, value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), hidden(kind, &path.field(name), value))).collect()
        }
        Value::Array(items) => {
            let item = |(index, value)| hidden(kind, &path.child(Segment::Index(index)), value);
            items.iter().enumerate().map(item).collect()
        }
        Value::String(text) if text == NOT_KNOWN => value.clone(),
        _ if is_confidential(kind, path) && !names_the_object(path) => HIDDEN.into(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

fn names_the_object(path: &FieldPath) -> bool {
    ["name", "namespace"].iter().any(|name| path.is_below(&["metadata", name]))
}

/// A value as lines of YAML; a text of several lines as these lines.
pub(super) fn value_lines(value: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    match value {
        Value::String(text) if text.contains('\n') => lines.extend(text.lines().map(str::to_owned)),
        value => push_block(&mut lines, "", "", value),
    }
    lines
}

/// Writes `value` after `lead` (a key or a dash) at the depth of `indent`.
fn push_block(lines: &mut Vec<String>, indent: &str, lead: &str, value: &Value) {
    let deeper = if lead.is_empty() { indent.to_owned() } else { format!("{indent}  ") };
    match value {
        Value::Object(members) if !members.is_empty() => {
            push_lead(lines, indent, lead);
            for (name, value) in members {
                push_block(lines, &deeper, &format!("{}:", scalar(name)), value);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            push_lead(lines, indent, lead);
            for item in items {
                push_item(lines, &deeper, item);
            }
        }
        Value::String(text) if text.contains('\n') => {
            lines.push(format!("{indent}{lead} |").trim_end().to_owned());
            lines.extend(text.lines().map(|line| format!("{deeper}{line}")));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) | Value::Array(_) => {
            let separator = if lead.is_empty() { "" } else { " " };
            lines.push(format!("{indent}{lead}{separator}{}", inline(value)));
        }
    }
}

fn push_lead(lines: &mut Vec<String>, indent: &str, lead: &str) {
    if !lead.is_empty() {
        lines.push(format!("{indent}{lead}"));
    }
}

/// A list's item: its first line follows the dash.
fn push_item(lines: &mut Vec<String>, indent: &str, item: &Value) {
    let first = lines.len();
    push_block(lines, &format!("{indent}  "), "", item);
    if let Some(line) = lines.get_mut(first) {
        line.replace_range(indent.len()..=indent.len(), "-");
    }
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(text) => scalar(text),
        other => other.to_string(),
    }
}

/// A text as YAML: bare where nothing else could be meant, else quoted.
fn scalar(text: &str) -> String {
    let is_word = |c: char| {
        c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | '*' | ' ' | '=' | ',' | '@' | '+' | '(' | ')' | '%')
    };
    let starts_plainly = text.starts_with(|c: char| c.is_alphabetic() || c == '/');
    let is_plain = starts_plainly
        && !text.ends_with(' ')
        && text.chars().all(|c| is_word(c) || c == ':')
        && !text.contains(": ")
        && !text.ends_with(':')
        && !is_keyword(text);
    if is_plain || [HIDDEN, NOT_KNOWN].contains(&text) { text.to_owned() } else { Value::from(text).to_string() }
}

fn is_keyword(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    matches!(lower.as_str(), "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_print_as_yaml() {
        let value = json!({
            "args": ["-v", "run"], "empty": {}, "list": [], "on": "yes", "port": "80", "count": 80, "none": null,
            "items": [{"name": "a", "nested": {"x": 1}}, ["deep", ["er"]]],
            "script": "echo a\necho b\n", "odd": "a: b", "time": "10:30", "url": "https://example.com/x", "weird key": true,
        });
        insta::assert_snapshot!(value_lines(&value).join("\n"), @r#"
        args:
          - "-v"
          - run
        count: 80
        empty: {}
        items:
          - name: a
            nested:
              x: 1
          - - deep
            - - er
        list: []
        none: null
        odd: "a: b"
        "on": "yes"
        port: "80"
        script: |
          echo a
          echo b
        time: "10:30"
        url: https://example.com/x
        weird key: true
        "#);
    }

    #[test]
    fn texts_of_several_lines_are_compared_line_by_line() {
        let old = (1..=12).map(|line| format!("line {line}\n")).collect::<Vec<_>>().concat();
        let new = old.replace("line 2\n", "line two\n").replace("line 11\n", "");
        let change = |before: &str, after: &str| FieldChange {
            path: FieldPath::root(),
            before: Some(Shown::Value(before.into())),
            after: Some(Shown::Value(after.into())),
            manager: None,
        };
        insta::assert_snapshot!(changed_lines(&change(&old, &new)).join("\n"), @r"
         line 1
        -line 2
        +line two
         line 3
         line 4
         line 5
         …
         line 8
         line 9
         line 10
        -line 11
         line 12
        ");
    }

    #[test]
    fn texts_that_differ_only_in_their_last_line_break_are_quoted() {
        let change = FieldChange {
            path: FieldPath::root(),
            before: Some(Shown::Value("a\nb".into())),
            after: Some(Shown::Value("a\nb\n".into())),
            manager: None,
        };
        insta::assert_snapshot!(changed_lines(&change).join("\n"), @r#"
        -"a\nb"
        +"a\nb\n"
        "#);
    }
}
