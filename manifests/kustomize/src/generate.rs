//! `configMapGenerator` and `secretGenerator`.
//!
//! # Follows kustomize
//! Pairs come from env files, literals and files; a key may come only once. Values that are no text go to `binaryData`
//! of a `ConfigMap`; everything in a Secret is base64, broken into lines of 70 letters once it is that long.

use std::{collections::HashSet, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use fairlead_yaml::{Mapping, Node};

use crate::{
    at::{At, Located},
    error::BuildError,
    id::Scope,
    kustomization::{Generator, GeneratorOptions},
    load::Loader,
    node,
    provenance::{Provenance, Step},
    resource::{NameHash, Resource},
};

const BASE64_LINE: usize = 70;

/// Which kind of object is generated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GeneratedKind {
    ConfigMap,
    Secret,
}

/// A generated object, and what it does to one that is there.
pub(crate) struct Generated {
    pub(crate) resource: Resource,
    pub(crate) behavior: Behavior,
    /// Where its generator was written.
    pub(crate) at: At,
}

/// What a generated object does to one of the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Behavior {
    /// There must be none.
    Create,
    /// Adds its pairs.
    Merge,
    /// Takes its place.
    Replace,
}

impl Behavior {
    /// A word that kustomize does not know means the same as none.
    pub(crate) fn parse(word: &str) -> Self {
        match word {
            "merge" => Self::Merge,
            "replace" => Self::Replace,
            _ => Self::Create,
        }
    }
}

/// Makes the object that `entry` describes.
pub(crate) fn generate(
    kind: GeneratedKind,
    entry: &Located<Generator>,
    global: &GeneratorOptions,
    loader: &Loader<'_>,
    step: &Arc<Step>,
) -> Result<Generated, BuildError> {
    let options = merged_options(entry.options.as_ref(), global);
    let pairs = pairs(entry, loader)?;
    if entry.name.is_empty() {
        let what = if kind == GeneratedKind::Secret { "secret" } else { "configmap" };
        return Err(problem(&entry.at, format!("a {what} must have a name")));
    }
    let mut object = Mapping::new();
    object.insert("apiVersion", Node::string("v1"));
    object.insert("kind", Node::string(if kind == GeneratedKind::Secret { "Secret" } else { "ConfigMap" }));
    object.insert("metadata", metadata(entry, &options));
    match kind {
        GeneratedKind::ConfigMap => set_config_map_data(&mut object, pairs),
        GeneratedKind::Secret => set_secret_data(&mut object, pairs, entry),
    }
    if options.immutable {
        object.insert("immutable", Node::plain("true"));
    }
    let file = entry.at.file().unwrap_or(loader.root());
    let mut node = Node::mapping(object);
    if let At::Line { line, .. } = &entry.at {
        node.position.line = *line;
    }
    let mut resource = Resource::new(node, Scope::Namespaced, file, Provenance::made(step));
    if !options.disable_name_suffix_hash {
        resource.name_hash = NameHash::Wanted;
    }
    Ok(Generated { resource, behavior: Behavior::parse(&entry.behavior), at: entry.at.clone() })
}

fn merged_options(local: Option<&GeneratorOptions>, global: &GeneratorOptions) -> GeneratorOptions {
    let mut merged = global.clone();
    if let Some(local) = local {
        merged.labels.extend(local.labels.clone());
        merged.annotations.extend(local.annotations.clone());
        merged.disable_name_suffix_hash |= local.disable_name_suffix_hash;
        merged.immutable |= local.immutable;
    }
    merged
}

fn metadata(entry: &Generator, options: &GeneratorOptions) -> Node {
    let mut metadata = Mapping::new();
    metadata.insert("name", Node::string(entry.name.as_str()));
    if !entry.namespace.is_empty() {
        metadata.insert("namespace", Node::string(entry.namespace.as_str()));
    }
    for (key, pairs) in [("labels", &options.labels), ("annotations", &options.annotations)] {
        if !pairs.is_empty() {
            let entries = pairs.iter().map(|(key, value)| (Node::string(key.as_str()), Node::string(value.as_str())));
            metadata.insert(key, Node::mapping(entries.collect()));
        }
    }
    Node::mapping(metadata)
}

/// A key and its bytes.
type Pair = (String, Vec<u8>);

fn set_config_map_data(object: &mut Mapping, pairs: Vec<Pair>) {
    let (mut data, mut binary) = (Mapping::new(), Mapping::new());
    for (key, value) in pairs {
        match String::from_utf8(value) {
            Ok(text) => data.push(Node::string(key), Node::string(text)),
            Err(bytes) => binary.push(Node::string(key), Node::string(encode(bytes.as_bytes()))),
        }
    }
    for (key, entries) in [("data", data), ("binaryData", binary)] {
        if !entries.is_empty() {
            object.insert(key, Node::mapping(entries));
        }
    }
}

fn set_secret_data(object: &mut Mapping, pairs: Vec<Pair>, entry: &Generator) {
    let secret_type = entry.secret_type.as_ref().map(|located| located.value.as_str()).filter(|text| !text.is_empty());
    object.insert("type", Node::string(secret_type.unwrap_or("Opaque")));
    let data = pairs.into_iter().map(|(key, value)| (Node::string(key), Node::string(encode(&value))));
    object.insert("data", Node::mapping(data.collect()));
}

/// Moves the `stringData` of a Secret into its `data`, over what is there, as the API server does.
pub(crate) fn encode_string_data(secret: &mut Node) {
    let texts = secret.as_mapping_mut().and_then(|fields| fields.remove("stringData"));
    for (key, value) in texts.iter().filter_map(Node::as_mapping).flat_map(Mapping::iter) {
        if let (Some(key), Some(text)) = (key.as_str(), value.as_str()) {
            node::mapping_at(secret, "data").insert(key, Node::string(encode(text.as_bytes())));
        }
    }
}

/// `bytes` in base64, in lines once there would be more than one.
fn encode(bytes: &[u8]) -> String {
    let encoded = STANDARD.encode(bytes);
    if encoded.len() < BASE64_LINE {
        return encoded;
    }
    let mut lines = String::with_capacity(encoded.len() + encoded.len() / BASE64_LINE + 1);
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(BASE64_LINE));
        lines.push_str(line);
        lines.push('\n');
        rest = after;
    }
    lines
}

fn problem(at: &At, problem: String) -> BuildError {
    BuildError::Generator { at: at.clone(), problem }
}

fn pairs(entry: &Located<Generator>, loader: &Loader<'_>) -> Result<Vec<Pair>, BuildError> {
    let at = &entry.at;
    let mut pairs = Vec::new();
    for env in &entry.envs {
        let (file, content) = loader.read(env, at)?;
        pairs.extend(env_pairs(&content).map_err(|(line, text)| problem(&At::line(&file, line), text))?);
    }
    for literal in &entry.literals {
        pairs.push(literal_pair(literal).map_err(|text| problem(at, text))?);
    }
    for source in &entry.files {
        let (key, path) = file_source(source).map_err(|text| problem(at, text))?;
        let (_, content) = loader.read(path, at)?;
        pairs.push((key.to_owned(), content.to_vec()));
    }
    let mut seen = HashSet::new();
    match pairs.iter().find(|(key, _)| !seen.insert(key.as_str())) {
        Some((key, _)) => Err(problem(at, format!("configmap {} illegally repeats the key `{key}`", entry.name))),
        None => Ok(pairs),
    }
}

fn literal_pair(literal: &str) -> Result<Pair, String> {
    let invalid = || format!("literal sources: invalid literal source {literal}, expected key=value");
    let (key, value) = literal.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or_else(invalid)?;
    let unquoted = ['"', '\''].iter().find_map(|quote| {
        let inside = value.strip_prefix(*quote)?.strip_suffix(*quote)?;
        Some(inside)
    });
    Ok((key.to_owned(), unquoted.unwrap_or(value).as_bytes().to_vec()))
}

/// Splits `path` or `key=path` into the key and the path.
fn file_source(source: &str) -> Result<(&str, &str), String> {
    match source.split('=').collect::<Vec<_>>().as_slice() {
        [path] => Ok((path.rsplit('/').next().unwrap_or(path), path)),
        ["", path] => Err(format!("missing key name for file path {path:?} in source {source:?}")),
        [key, ""] => Err(format!("missing file path for key name {key:?} in source {source:?}")),
        [key, path] => Ok((key, path)),
        _ => Err(format!("source {source:?} key name or file path contains '='")),
    }
}

/// Reads the lines of an env file; fails with the line that is no text.
fn env_pairs(content: &[u8]) -> Result<Vec<Pair>, (u32, String)> {
    let mut pairs = Vec::new();
    for (number, line) in (1..).zip(content.split(|byte| *byte == b'\n')) {
        let line = std::str::from_utf8(line).map_err(|_| (number, "env file is not UTF-8".to_owned()))?;
        let line = line.strip_suffix('\r').unwrap_or(line);
        let line = if number == 1 { line.strip_prefix('\u{feff}').unwrap_or(line) } else { line };
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        if !key.is_empty() {
            pairs.push((key.to_owned(), value.as_bytes().to_vec()));
        }
    }
    Ok(pairs)
}

/// The name of `object` with the hash of its content, if it wants one.
pub(crate) fn hashed_name(object: &Resource) -> Result<String, BuildError> {
    let unprintable = |source| BuildError::Unprintable { at: object.at(), id: object.current_id(), source };
    let hash = crate::hash::of(object.gvk().kind, &object.node).map_err(unprintable)?;
    let hash = hash.ok_or_else(|| BuildError::Unhashable { at: object.at(), id: object.current_id() })?;
    Ok(format!("{}-{hash}", node::text_at(&object.node, &["metadata", "name"])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_loses_one_pair_of_quotes() {
        let rows = [
            ("a=b", "a: b"),
            ("a=\"b\"", "a: b"),
            ("a='\"b\"'", "a: \"b\""),
            ("a='", "a: '"),
            ("a=b=c", "a: b=c"),
            ("=b", "literal sources: invalid literal source =b, expected key=value"),
            ("b", "literal sources: invalid literal source b, expected key=value"),
        ];
        for (literal, expected) in rows {
            let read = literal_pair(literal).map(|(key, value)| format!("{key}: {}", String::from_utf8_lossy(&value)));
            assert_eq!(read.unwrap_or_else(|problem| problem), expected, "{literal}");
        }
    }

    #[test]
    fn an_env_file_is_read_verbatim_but_for_indentation_and_comments() {
        let content = "\u{feff}A=1\n  B = x # y \r\n# C=2\n\n=x\nD\nE='q'\n";
        let pairs = env_pairs(content.as_bytes()).expect("text");
        let lines: Vec<_> =
            pairs.iter().map(|(key, value)| format!("{key}|{}", String::from_utf8_lossy(value))).collect();
        assert_eq!(lines, ["A|1", "B | x # y ", "D|", "E|'q'"]);
    }

    #[test]
    fn base64_is_broken_into_lines_once_it_is_long() {
        assert_eq!(encode(&[0; 51]).len(), 68);
        assert_eq!(encode(&[0; 52]), format!("{}\n==\n", "A".repeat(70)));
    }
}
