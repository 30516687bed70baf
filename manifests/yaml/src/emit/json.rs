//! JSON values as `kustomize build` and `sigs.k8s.io/yaml` write them.

use serde_json::Value as Json;
use serde_json::{Map, Number};

use super::analysis::Analysis;
use super::layout::{Around, Lead, MAX_SIMPLE_KEY, STEP};
use super::order::{is_sorted, sort_by_key};
use super::output::Output;
use super::scalar::{Place, write_scalar};
use super::style::{is_word, string_style, style_of};
use crate::{Style, number};

/// Writes `json` as one YAML document.
///
/// # Follows `sigs.k8s.io/yaml`
/// This is the text of its `Marshal`, byte for byte, and so of `kustomize build`: keys in natural order, lists at the
/// indentation of their key, strings quoted where YAML 1.1 would read them as something else, lines folded after
/// column 80.
///
/// # Differs from `sigs.k8s.io/yaml`
/// What it would read back as something else is quoted: a key `<<`, and text with U+2028 or U+2029.
pub fn emit_json(json: &Json) -> String {
    let mut writer = Writer { out: Output::new() };
    writer.value(json, Around::DOCUMENT);
    writer.out.end_line();
    writer.out.into_text()
}

/// Writes an object as [`emit_json`] does.
pub fn emit_object(fields: &Map<String, Json>) -> String {
    let mut writer = Writer { out: Output::new() };
    if fields.is_empty() {
        writer.word("{}", Around::DOCUMENT);
    } else {
        writer.mapping(fields, Around::DOCUMENT);
    }
    writer.out.end_line();
    writer.out.into_text()
}

/// Column after which a line is folded.
const FOLD_AFTER: usize = 80;

struct Writer {
    out: Output,
}

impl Writer {
    fn value(&mut self, json: &Json, around: Around) {
        match json {
            Json::Null => self.word("null", around),
            Json::Bool(true) => self.word("true", around),
            Json::Bool(false) => self.word("false", around),
            Json::Number(number) => self.word(&number_text(number), around),
            Json::String(text) if is_word(text) => self.word(text, around),
            Json::String(text) => {
                around.space(&mut self.out);
                write_scalar(&mut self.out, text, string_style(text), place(around));
            }
            Json::Array(items) if items.is_empty() => self.word("[]", around),
            Json::Object(fields) if fields.is_empty() => self.word("{}", around),
            Json::Array(items) => self.sequence(items, around),
            Json::Object(fields) => self.mapping(fields, around),
        }
    }

    fn sequence(&mut self, items: &[Json], around: Around) {
        let indent = around.sequence_indent();
        for (index, item) in items.iter().enumerate() {
            around.start_entry(&mut self.out, index, indent);
            self.out.push('-');
            self.value(item, Around { indent, lead: Lead::Indicator });
        }
    }

    fn mapping(&mut self, fields: &Map<String, Json>, around: Around) {
        if is_sorted(fields.keys()) {
            self.entries(fields.iter(), around);
        } else {
            self.entries(sort_by_key(&fields.iter().collect::<Vec<_>>()).into_iter(), around);
        }
    }

    fn entries<'a>(&mut self, entries: impl Iterator<Item = (&'a String, &'a Json)>, around: Around) {
        let indent = around.mapping_indent();
        for (index, (key, value)) in entries.enumerate() {
            around.start_entry(&mut self.out, index, indent);
            self.entry(key, value, indent);
        }
    }

    fn entry(&mut self, key: &str, value: &Json, indent: usize) {
        if key.len() <= MAX_SIMPLE_KEY && is_word(key) {
            self.out.push_str(key);
            self.out.push(':');
            return self.value(value, Around { indent, lead: Lead::Key });
        }
        let analysis = Analysis::of(key);
        let style = if key == "<<" { Style::DoubleQuoted } else { style_of(key, analysis) };
        if key.len() <= MAX_SIMPLE_KEY && !analysis.multiline {
            write_scalar(&mut self.out, key, style, Place::at(indent + STEP));
            self.out.push(':');
            self.value(value, Around { indent, lead: Lead::Key });
            return;
        }
        let around = Around { indent, lead: Lead::Indicator };
        self.out.push_str("? ");
        write_scalar(&mut self.out, key, style, place(around));
        self.out.start_line(indent);
        self.out.push(':');
        self.value(value, around);
    }

    fn word(&mut self, word: &str, around: Around) {
        around.space(&mut self.out);
        self.out.push_str(word);
    }
}

fn place(around: Around) -> Place<'static> {
    Place { fold_after: Some(FOLD_AFTER), ..Place::at(around.indent + STEP) }
}

/// A number as Go prints it after one passage through JSON.
fn number_text(number: &Number) -> String {
    let float = if number.is_f64() { number.as_f64() } else { None };
    match float.and_then(number::to_json) {
        Some(integer) if !integer.is_f64() => integer.to_string(),
        Some(_) => float.map(number::format_general).unwrap_or_default(),
        None => number.to_string(),
    }
}
