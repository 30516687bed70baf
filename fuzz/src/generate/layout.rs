//! Writes generated YAML in one of the many ways in which people write it.

use super::yaml::Yaml;
use crate::Choices;

/// Writes `value` as one document. `wild` writing has comments, blank lines, brackets and odd indentation.
pub(super) fn document(value: &Yaml, choices: &mut Choices, wild: bool) -> String {
    let mut layout = Layout { choices, text: String::new(), wild };
    match value {
        Yaml::Map(entries) if !entries.is_empty() => layout.entries(entries, 0, false),
        Yaml::List(items) if !items.is_empty() => layout.items(items, 0),
        other => {
            let text = flow(other);
            layout.text.push_str(&text);
            layout.text.push('\n');
        }
    }
    layout.text
}

struct Layout<'a> {
    choices: &'a mut Choices,
    text: String,
    wild: bool,
}

impl Layout<'_> {
    fn sometimes(&mut self, percent: usize) -> bool {
        self.wild && self.choices.chance(percent)
    }

    fn indent(&mut self, columns: usize) {
        self.text.extend(std::iter::repeat_n(' ', columns));
    }

    fn entries(&mut self, entries: &[(String, Yaml)], indent: usize, mut is_begun: bool) {
        for (key, value) in entries {
            if !std::mem::take(&mut is_begun) {
                self.space_above(indent);
                self.indent(indent);
            }
            self.text.push_str(key);
            self.text.push(':');
            self.value(value, indent, indent);
        }
    }

    fn items(&mut self, items: &[Yaml], indent: usize) {
        for item in items {
            self.space_above(indent);
            self.indent(indent);
            self.text.push('-');
            match item {
                Yaml::Map(entries) if !entries.is_empty() && !self.sometimes(8) => {
                    self.text.push(' ');
                    self.entries(entries, indent + 2, true);
                }
                other => self.value(other, indent, indent + 1),
            }
        }
    }

    /// A comment or an empty line, as they stand above things.
    fn space_above(&mut self, indent: usize) {
        if self.sometimes(4) {
            self.indent(indent);
            self.text.push_str("# a note\n");
        }
        if self.sometimes(2) {
            self.text.push('\n');
        }
    }

    /// What stands behind a key or a dash at `indent`; a list in it may stand at `list_indent`.
    fn value(&mut self, value: &Yaml, indent: usize, list_indent: usize) {
        match value {
            Yaml::Map(entries) if !entries.is_empty() && !self.sometimes(10) => {
                self.end_line();
                let step = if self.sometimes(10) { 4 } else { 2 };
                self.entries(entries, indent + step, false);
            }
            Yaml::List(items) if !items.is_empty() && !self.sometimes(15) => {
                self.end_line();
                let step = if self.sometimes(30) { 2 } else { 0 };
                self.items(items, list_indent + step);
            }
            Yaml::Lines(header, lines) => self.lines(header, lines.iter().copied(), indent),
            Yaml::Quoted(text) => {
                let header = self.choices.pick(&["|-", "|"]);
                self.lines(header, text.lines(), indent);
            }
            Yaml::Anchored(name, inner) => {
                self.text.push_str(" &");
                self.text.push_str(name);
                self.value(inner, indent, list_indent);
            }
            scalar => {
                let text = flow(scalar);
                if !text.is_empty() {
                    self.text.push(' ');
                    self.text.push_str(&text);
                }
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        if self.sometimes(4) {
            self.text.push_str(" # a word");
        }
        self.text.push('\n');
    }

    fn lines<'t>(&mut self, header: &str, lines: impl Iterator<Item = &'t str>, indent: usize) {
        self.text.push(' ');
        self.text.push_str(header);
        self.text.push('\n');
        for line in lines {
            if !line.is_empty() {
                self.indent(indent + 2);
                self.text.push_str(line);
            }
            self.text.push('\n');
        }
    }
}

/// `value` on one line.
pub(super) fn flow(value: &Yaml) -> String {
    match value {
        Yaml::Text(text) => text.clone(),
        Yaml::Lines(_, lines) => format!("\"{}\"", lines.join("\\n").replace('"', "")),
        Yaml::Quoted(text) => serde_json::Value::from(text.as_str()).to_string(),
        Yaml::List(items) => format!("[{}]", items.iter().map(flow_item).collect::<Vec<_>>().join(", ")),
        Yaml::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| format!("{key}: {}", flow(value)));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
        }
        Yaml::Anchored(name, inner) => format!("&{name} {}", flow(inner)),
    }
}

/// An item of a list in brackets, where nothing at all would be no item.
fn flow_item(item: &Yaml) -> String {
    let text = flow(item);
    if text.is_empty() { "''".to_owned() } else { text }
}
