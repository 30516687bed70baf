//! JSON values as `kustomize build` and `sigs.k8s.io/yaml` write them.

use serde_json::Value as Json;
use serde_json::{Map, Number};

use super::analysis::Analysis;
use super::order::compare_keys;
use super::output::Output;
use super::scalar::{Place, write_scalar};
use crate::{Scalar, Schema, Style, number, resolve, timestamp};

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
    let mut writer = Writer { out: Output::default() };
    writer.value(json, Around { indent: 0, lead: Lead::Nothing });
    writer.out.end_line();
    writer.out.into_text()
}

const STEP: usize = 2;
const FOLD_AFTER: usize = 80;
/// Longest key that go-yaml writes without a `?`, in bytes.
const MAX_SIMPLE_KEY: usize = 128;

struct Writer {
    out: Output,
}

/// Where a value is written.
#[derive(Clone, Copy)]
struct Around {
    /// Indentation of the collection that holds the value.
    indent: usize,
    lead: Lead,
}

/// What was written before a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lead {
    /// Nothing: the value is the document.
    Nothing,
    /// `key:`
    Key,
    /// `-`, `?`, or the `:` below a `?`: a collection begins on the same line.
    Indicator,
}

impl Around {
    fn sequence_indent(self) -> usize {
        match self.lead {
            Lead::Nothing | Lead::Key => self.indent,
            Lead::Indicator => self.indent + STEP,
        }
    }

    fn mapping_indent(self) -> usize {
        match self.lead {
            Lead::Nothing => self.indent,
            Lead::Key | Lead::Indicator => self.indent + STEP,
        }
    }

    fn scalar_place(self) -> Place {
        Place { indent: self.indent + STEP, step: STEP, fold_after: Some(FOLD_AFTER) }
    }
}

impl Writer {
    fn value(&mut self, json: &Json, around: Around) {
        match json {
            Json::Null => self.word("null", around),
            Json::Bool(true) => self.word("true", around),
            Json::Bool(false) => self.word("false", around),
            Json::Number(number) => self.word(&number_text(number), around),
            Json::String(text) => {
                self.space(around);
                write_scalar(&mut self.out, text, value_style(text), around.scalar_place());
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
            self.start_entry(index, indent, around);
            self.out.push('-');
            self.value(item, Around { indent, lead: Lead::Indicator });
        }
    }

    fn mapping(&mut self, fields: &Map<String, Json>, around: Around) {
        let indent = around.mapping_indent();
        let mut fields: Vec<_> = fields.iter().collect();
        fields.sort_by(|(a, _), (b, _)| compare_keys(a, b));
        for (index, (key, value)) in fields.into_iter().enumerate() {
            self.start_entry(index, indent, around);
            self.entry(key, value, indent);
        }
    }

    fn entry(&mut self, key: &str, value: &Json, indent: usize) {
        let analysis = Analysis::of(key);
        let style = if key == "<<" { Style::DoubleQuoted } else { style_of(key, analysis) };
        if key.len() <= MAX_SIMPLE_KEY && !analysis.multiline {
            let place = Place { indent: indent + STEP, step: STEP, fold_after: None };
            write_scalar(&mut self.out, key, style, place);
            self.out.push(':');
            self.value(value, Around { indent, lead: Lead::Key });
            return;
        }
        let around = Around { indent, lead: Lead::Indicator };
        self.out.push_str("? ");
        write_scalar(&mut self.out, key, style, around.scalar_place());
        self.out.start_line(indent);
        self.out.push(':');
        self.value(value, around);
    }

    fn start_entry(&mut self, index: usize, indent: usize, around: Around) {
        if index == 0 && around.lead == Lead::Indicator {
            self.out.push(' ');
        } else {
            self.out.start_line(indent);
        }
    }

    fn word(&mut self, word: &str, around: Around) {
        self.space(around);
        self.out.push_str(word);
    }

    fn space(&mut self, around: Around) {
        if around.lead != Lead::Nothing {
            self.out.push(' ');
        }
    }
}

fn value_style(text: &str) -> Style {
    style_of(text, Analysis::of(text))
}

fn style_of(text: &str, analysis: Analysis) -> Style {
    if text.contains('\n') {
        return if analysis.block_scalar { Style::Literal } else { Style::DoubleQuoted };
    }
    if !reads_as_string(text) {
        return Style::DoubleQuoted;
    }
    match analysis {
        Analysis { plain_in_block: true, .. } => Style::Plain,
        Analysis { single_quoted: true, .. } => Style::SingleQuoted,
        Analysis { .. } => Style::DoubleQuoted,
    }
}

/// Whether YAML 1.1 reads `text` without quotes as a string; more types than [`Schema::SigsYaml`] has count.
fn reads_as_string(text: &str) -> bool {
    let looks_numeric = text.starts_with(|char: char| matches!(char, '+' | '-') || char.is_ascii_digit());
    matches!(resolve::resolve_plain(text, Schema::SigsYaml), Scalar::String(_))
        && !(looks_numeric && (timestamp::to_rfc3339(text).is_some() || is_base_60(text)))
}

/// Whether `text` is a base 60 number of YAML 1.1, such as `12:30:45`.
fn is_base_60(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let mut parts = whole.split(':');
    let first = parts.next().unwrap_or_default();
    let is_digit = |byte: u8| byte.is_ascii_digit() || byte == b'_';
    whole.contains(':')
        && first.starts_with(|char: char| char.is_ascii_digit())
        && first.bytes().all(is_digit)
        && parts.all(|part| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']))
        && fraction.bytes().all(is_digit)
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
