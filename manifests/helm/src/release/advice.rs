//! What helps with a chart that fails, beyond Helm's own words: which template was called from where, which value is
//! missing and what it may have been meant to be, and where a value that is wrong was set.

use fairlead_object::nearest;

use super::prepared::Prepared;
use crate::template::{CallError, ExecError};
use crate::value::{Map, Value};
use crate::values::place::place_of;

/// Most keys that are listed where none is near.
const MAX_KEYS: usize = 8;

/// What helps with a template that stopped; `None` if nothing is known beyond the error itself.
pub(super) fn on_template(cause: &CallError, prepared: &Prepared<'_>) -> Option<String> {
    let CallError::Template(error) = cause else { return None };
    let chain = error.chain();
    let innermost = chain.last()?;
    let scope = scope(&chain.first()?.file);
    let values = values_paths(&innermost.node).into_iter().map(|path| on_value(&path, &scope, prepared));
    let calls = (error.refusal().is_some() && chain.len() > 1).then(|| calls(&chain));
    let parts: Vec<String> = values.flatten().chain(calls).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Where values are set that do not meet a schema, by their paths from the outermost chart.
pub(super) fn on_values(paths: &[Vec<String>], prepared: &Prepared<'_>) -> Option<String> {
    let setters = prepared.setters();
    let places = paths.iter().filter_map(|path| Some((path, place_of(&setters, path)?)));
    let parts: Vec<String> = places.map(|(path, place)| format!("`{}` is set at {place}", path.join("."))).collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// Which templates called each other, the innermost first.
fn calls(chain: &[&ExecError]) -> String {
    let place = |error: &&ExecError| format!("{}:{}", error.file, error.line);
    let places: Vec<String> = chain.iter().rev().map(place).collect();
    format!("refused at {}", places.join(", called from "))
}

/// The names of the charts on the way to the chart of a template, as Helm calls it.
fn scope(file: &str) -> Vec<String> {
    let (_, mut rest) = file.split_once('/').unwrap_or(("", file));
    let mut names = Vec::new();
    while let Some((name, below)) = rest.strip_prefix("charts/").and_then(|below| below.split_once('/')) {
        names.push(name.to_owned());
        rest = below;
    }
    names
}

/// The paths of the values that an expression names, as `[image, tag]` of `.Values.image.tag`.
fn values_paths(node: &str) -> Vec<Vec<String>> {
    const VALUES: &str = ".Values.";
    let is_part_of_name = |char: char| char.is_alphanumeric() || char == '_';
    let mut paths: Vec<Vec<String>> = Vec::new();
    for (at, _) in node.match_indices(VALUES) {
        let before = node[..at].chars().next_back();
        if before.is_some_and(is_part_of_name) {
            continue;
        }
        let rest = &node[at + VALUES.len()..];
        let end = rest.find(|char| !is_part_of_name(char) && char != '.').unwrap_or(rest.len());
        let path = rest[..end].trim_end_matches('.').split('.').map(str::to_owned).collect();
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

/// What is known of the value at `path` of the chart `scope`.
fn on_value(path: &[String], scope: &[String], prepared: &Prepared<'_>) -> Option<String> {
    let mut map = scope.iter().try_fold(prepared.values.clone(), |map, name| below(&map, name))?;
    for (depth, key) in path.iter().enumerate() {
        let written = path[..=depth].join(".");
        match map.get(key.as_bytes()) {
            Some(Value::Map(below)) => map = below,
            None | Some(Value::Nil | Value::Missing) => return Some(missing(&written, key, &path[..depth], &map)),
            Some(_) => {
                let full: Vec<String> = scope.iter().chain(&path[..=depth]).cloned().collect();
                let place = place_of(&prepared.setters(), &full)?;
                return Some(format!("`.Values.{written}` is set at {place}"));
            }
        }
    }
    let full: Vec<String> = scope.iter().chain(path).cloned().collect();
    place_of(&prepared.setters(), &full).map(|place| format!("`.Values.{}` is set at {place}", path.join(".")))
}

fn below(map: &Map, name: &str) -> Option<Map> {
    match map.get(name.as_bytes()) {
        Some(Value::Map(below)) => Some(below),
        _ => None,
    }
}

/// That `key` is not among the keys of `map`, and which of them may have been meant.
fn missing(written: &str, key: &str, above: &[String], map: &Map) -> String {
    let keys: Vec<String> = map.entries().keys().map(|key| key.to_str().into_owned()).collect();
    let others = || keys.iter().map(String::as_str).filter(|other| *other != key);
    let above = above.iter().fold(".Values".to_owned(), |above, key| format!("{above}.{key}"));
    if let Some(near) = nearest(key, others()) {
        return format!("`.Values.{written}` is not set; did you mean `{above}.{near}`?");
    }
    let known: Vec<&str> = others().take(MAX_KEYS).collect();
    if known.is_empty() || above == ".Values" {
        return format!("`.Values.{written}` is not set");
    }
    format!("`.Values.{written}` is not set; `{above}` has `{}`", known.join("`, `"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_names_its_values_and_a_template_its_chart() {
        let paths =
            values_paths("printf \"%s\" .Values.image.tag $.Values.a | default (.Values.image.tag).x.Values.no");
        assert_eq!(paths, [vec!["image".to_owned(), "tag".to_owned()], vec!["a".to_owned()]]);
        assert_eq!(scope("shop/charts/cache/charts/store/templates/web.yaml"), ["cache", "store"]);
        assert_eq!(scope("shop/templates/web.yaml"), Vec::<String>::new());
    }
}
