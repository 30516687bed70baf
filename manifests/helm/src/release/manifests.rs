//! The texts that templates make, split into manifests.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use fairlead_yaml::Node;
use serde_json::Value as Json;

use super::hooks::{Role, role};
use super::{Definitions, Instance, RenderError, Rendered, RenderedFile, order};
use crate::chart::{as_text, document_problem, json_type};
use crate::codec::yaml;
use crate::halves::halved;
use crate::unicode;
use crate::values::ValuePath;

/// One document that a chart makes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RenderedManifest {
    /// The template, as `chart/templates/web.yaml`.
    pub source: String,
    /// The file below the folder of the chart in which it is written.
    pub file: String,
    /// The text, as the template made it.
    pub text: String,
    /// The kind of the object; empty if it says none.
    pub kind: String,
    /// The name of the object; empty if it says none.
    pub name: String,
    /// The values that were read for it, as far as they were noted.
    pub values: Vec<ValuePath>,
    /// For each line of the text the line of the file that it comes from; empty if they are the same.
    lines: Vec<u32>,
}

impl RenderedManifest {
    /// The line of the file that the line `line` of the text comes from, both from 1.
    pub fn line_in_file(&self, line: u32) -> u32 {
        let index = usize::try_from(line).unwrap_or(usize::MAX).saturating_sub(1);
        self.lines.get(index).or(self.lines.last()).copied().unwrap_or(line)
    }
}

pub(super) const NOTES: &str = "NOTES.txt";

/// Splits what the templates of `chart` made, and puts it in order.
pub(super) fn assembled(
    chart: &Instance<'_>,
    mut files: Vec<RenderedFile>,
    definitions: Definitions,
) -> Result<Rendered, RenderError> {
    let crds = match definitions {
        Definitions::Included => crds(chart, &chart.name, ""),
        Definitions::LeftOut => Vec::new(),
    };
    let mut rendered = Rendered { crds, ..Rendered::default() };
    let notes = format!("{}/templates/{NOTES}", chart.name);
    files.retain(|file| {
        if file.path == notes {
            rendered.notes = String::from_utf8_lossy(&file.content).into_owned();
        }
        !file.path.ends_with(NOTES)
    });
    files.sort_by(|a, b| a.path.cmp(&b.path));
    for role in roles_in(&files)? {
        match role {
            Role::Plain(manifest) => rendered.manifests.push(manifest),
            Role::Hook(hook) => rendered.hooks.push(hook),
            Role::Unknown => {}
        }
    }
    rendered.manifests.sort_by(|a, b| order::compare(&a.kind, &b.kind));
    rendered.hooks.sort_by(|a, b| order::compare(&a.manifest.kind, &b.manifest.kind));
    Ok(rendered)
}

/// A document of a file.
struct Part<'f> {
    file: &'f RenderedFile,
    document: Document<'f>,
    /// The lines of the file from the last document on.
    lines: Range<usize>,
}

/// Fewest bytes of documents that two threads read.
const MIN_SHARED_BYTES: usize = 64 << 10;

/// What the documents of `files` are, in their order; what is wrong with the first that is no manifest.
fn roles_in(files: &[RenderedFile]) -> Result<Vec<Role>, RenderError> {
    let texts: Vec<_> = files.iter().map(|file| String::from_utf8_lossy(&file.content)).collect();
    let parts: Vec<Part<'_>> = files.iter().zip(&texts).flat_map(|(file, text)| parts_of(file, text)).collect();
    let read = |parts: Vec<Part<'_>>| parts.iter().map(Part::role).collect::<Result<Vec<_>, _>>();
    let (roles, rest) = halved(parts, MIN_SHARED_BYTES, |part| part.document.text.len(), read);
    let mut roles = roles?;
    roles.extend(rest.transpose()?.into_iter().flatten());
    Ok(roles)
}

fn parts_of<'f>(file: &'f RenderedFile, text: &'f str) -> Vec<Part<'f>> {
    let mut start = 0;
    let parts = documents(text).into_iter().map(|document| {
        let end = document.lines_before + document.text.lines().count();
        let lines = std::mem::replace(&mut start, end)..end;
        Part { file, document, lines }
    });
    parts.collect()
}

impl Part<'_> {
    fn role(&self) -> Result<Role, RenderError> {
        let (mut manifest, annotations) = read(self.file, &self.document)?;
        manifest.values = values_for(self.file, self.lines.clone());
        Ok(role(manifest, &annotations))
    }
}

/// The definitions of `chart`, whose name among the others is `path`, and whose files are below `folder`.
fn crds(chart: &Instance<'_>, path: &str, folder: &str) -> Vec<RenderedManifest> {
    let is_manifest = |file: &&crate::chart::File| {
        let extension = file.path.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
        file.path.starts_with("crds/") && matches!(extension.as_deref(), Some("yaml" | "yml" | "json"))
    };
    let own = chart.chart.files.iter().filter(is_manifest).map(|file| RenderedManifest {
        source: format!("{path}/{}", file.path),
        file: format!("{folder}{}", file.path),
        text: file.content.to_string(),
        kind: "CustomResourceDefinition".to_owned(),
        ..RenderedManifest::default()
    });
    let inside = chart.inside.iter().flat_map(|inside| {
        crds(inside, &format!("{path}/charts/{}", inside.name), &format!("{folder}{}/", inside.chart.folder))
    });
    own.chain(inside).collect()
}

/// One document of a text.
pub(super) struct Document<'t> {
    pub(super) text: &'t str,
    /// How many lines of the text are before it.
    lines_before: usize,
}

/// The documents of a text. A `---` at the start of a line separates them, whatever stands behind it.
pub(super) fn documents(text: &str) -> Vec<Document<'_>> {
    let (mut ranges, mut start) = (Vec::new(), text.len() - text.trim_start().len());
    let mut offset = start;
    for line in text[start..].split_inclusive('\n') {
        if let Some(rest) = line.strip_prefix("---") {
            ranges.push(start..offset);
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
            start = offset + "---".len() + blanks;
        }
        offset += line.len();
    }
    ranges.push(start..text.len());
    let (mut documents, mut counted, mut lines_before) = (Vec::new(), 0, 0);
    for range in ranges {
        let trimmed = text[range.clone()].trim_start();
        let begin = range.end - trimmed.len();
        lines_before += unicode::line_breaks(&text.as_bytes()[counted..begin]);
        counted = begin;
        if !trimmed.is_empty() {
            documents.push(Document { text: trimmed, lines_before });
        }
    }
    documents
}

/// The values that were read while `lines` of a file were made, and those of which its first line depends: they may
/// have decided about all of it.
fn values_for(file: &RenderedFile, lines: Range<usize>) -> Vec<ValuePath> {
    let read = file.values.iter().filter(|(line, _)| *line == 0 || lines.contains(line)).map(|(_, path)| path);
    read.cloned().collect::<BTreeSet<_>>().into_iter().collect()
}

/// What Helm reads of a document: its kind, its name and its annotations.
pub(super) fn read(
    file: &RenderedFile,
    document: &Document<'_>,
) -> Result<(RenderedManifest, BTreeMap<String, String>), RenderError> {
    let problem = |problem: String| RenderError::Manifest {
        file: file.path.clone(),
        line: line_of(&problem, file, document),
        problem,
    };
    let node = yaml::first_checked(document.text).map_err(|error| problem(document_problem(&error)))?;
    let json = node.map_or(Json::Null, |node| head_of(&node));
    let head = Head { json: &json };
    head.check().map_err(problem)?;
    let lines = file.lines.get(document.lines_before..).unwrap_or_default();
    let manifest = RenderedManifest {
        source: file.path.clone(),
        file: file.file.clone(),
        text: document.text.to_owned(),
        kind: head.text(&["kind"]),
        name: head.text(&["metadata", "name"]),
        values: Vec::new(),
        lines: lines[..lines.len().min(document.text.lines().count())].to_vec(),
    };
    Ok((manifest, head.annotations()))
}

/// The fields of a document that Helm looks at; of what is no object, all of it.
fn head_of(document: &Node) -> Json {
    some_fields(document, |key, value| {
        let name = known(key, &["apiVersion", "kind", "metadata"])?;
        if name == "metadata" {
            return Some((name, some_fields(value, in_metadata)));
        }
        Some((name, yaml::checked_json(value)))
    })
}

fn in_metadata(key: &str, value: &Node) -> Option<(&'static str, Json)> {
    Some((known(key, &["name", "annotations"])?, yaml::checked_json(value)))
}

/// That of `names` which `key` means.
fn known(key: &str, names: &[&'static str]) -> Option<&'static str> {
    names.iter().copied().find(|name| name.eq_ignore_ascii_case(key))
}

/// The object of those fields of `node` of which `read` makes something, the last one of a name; of what is no object, all
/// of it.
///
/// # Follows Go
/// A field may be written in letters of any case. Of several the last by name counts, which is the one in lower case.
fn some_fields(node: &Node, read: impl Fn(&str, &Node) -> Option<(&'static str, Json)>) -> Json {
    let Some(fields) = node.as_mapping() else { return yaml::checked_json(node) };
    let mut found: Vec<_> = fields.iter().filter_map(|(key, value)| Some((key.as_str()?, value))).collect();
    found.sort_by_key(|(name, _)| *name);
    let parts = found.into_iter().filter_map(|(name, value)| read(name, value));
    Json::Object(parts.map(|(name, json)| (name.to_owned(), json)).collect())
}

/// The line of a template that makes what `problem` is about: it may name a line of the document.
fn line_of(problem: &str, file: &RenderedFile, document: &Document<'_>) -> u32 {
    let named = problem.split_once("yaml: line ").and_then(|(_, rest)| rest.split(':').next()?.parse().ok());
    let index = document.lines_before + named.map_or(0, |line: usize| line.saturating_sub(1));
    file.lines.get(index).or(file.lines.last()).copied().unwrap_or(1)
}

/// Go's name of the type of an object's metadata in Helm.
const METADATA: &str =
    r#"struct { Name string "json:\"name\""; Annotations map[string]string "json:\"annotations\"" }"#;

/// The few fields of an object that Helm looks at.
struct Head<'j> {
    json: &'j Json,
}

impl Head<'_> {
    /// Refuses fields of other types, in Go's words.
    fn check(&self) -> Result<(), String> {
        let refuse = |json: &Json, target: &str| {
            let word = json_type(json);
            Err(format!("error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {word} into Go {target}"))
        };
        let texts = [
            (&["apiVersion"][..], "SimpleHead.apiVersion"),
            (&["kind"], "SimpleHead.kind"),
            (&["metadata", "name"], ".metadata.name"),
        ];
        if !matches!(self.json, Json::Object(_) | Json::Null) {
            return refuse(self.json, "value of type util.SimpleHead");
        }
        for (path, field) in texts {
            if let Some(json) = self.at(path).filter(|json| json.is_object() || json.is_array()) {
                return refuse(json, &format!("struct field {field} of type string"));
            }
        }
        match self.at(&["metadata"]) {
            None | Some(Json::Null | Json::Object(_)) => {}
            Some(other) => return refuse(other, &format!("struct field SimpleHead.metadata of type {METADATA}")),
        }
        match self.at(&["metadata", "annotations"]) {
            None | Some(Json::Null | Json::Object(_)) => {}
            Some(other) => return refuse(other, "struct field .metadata.annotations of type map[string]string"),
        }
        for value in
            self.at(&["metadata", "annotations"]).and_then(Json::as_object).into_iter().flat_map(|map| map.values())
        {
            if value.is_object() || value.is_array() {
                return refuse(value, "struct field .metadata.annotations of type string");
            }
        }
        Ok(())
    }

    fn at(&self, path: &[&str]) -> Option<&Json> {
        path.iter().try_fold(self.json, |json, key| json.get(key))
    }

    fn text(&self, path: &[&str]) -> String {
        self.at(path).and_then(as_text).unwrap_or_default()
    }

    fn annotations(&self) -> BTreeMap<String, String> {
        let annotations = self.at(&["metadata", "annotations"]).and_then(Json::as_object);
        let texts = annotations.into_iter().flatten();
        texts.map(|(key, value)| (key.clone(), as_text(value).unwrap_or_default())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::documents;

    #[test]
    fn a_separator_starts_a_line_and_may_be_followed_by_anything() {
        let text = "\n---\na: 1\n\n---b: 2\n  ---\n--- # c\n---\n \n";
        let found: Vec<_> = documents(text).iter().map(|document| (document.lines_before, document.text)).collect();
        assert_eq!(found, [(2, "a: 1\n\n"), (4, "b: 2\n  ---\n"), (6, "# c\n")]);
    }
}
