//! Which objects a patch or a replacement is about.
//!
//! # Follows kustomize
//! Every text is a regular expression that must match the whole value; an empty one matches all. Labels and annotations
//! are selected in Kubernetes' syntax.

use fairlead_yaml::Node;
use regex::Regex;

use crate::{
    at::At,
    error::BuildError,
    id::{GvkRef, Id, effective_namespace},
    kustomization::Selector,
    resource::Resource,
    resources::Resources,
};

/// A selector ready to be matched.
#[derive(Clone, Debug)]
pub(crate) struct Matcher {
    group: Pattern,
    version: Pattern,
    kind: Pattern,
    name: Pattern,
    namespace: Pattern,
    labels: Requirements,
    annotations: Requirements,
}

/// An anchored regular expression; none matches everything.
type Pattern = Option<Regex>;

impl Matcher {
    /// Reads `selector`, which was written at `at`.
    pub(crate) fn new(selector: &Selector, at: &At) -> Result<Self, BuildError> {
        let pattern = |text: &str| match text {
            "" => Ok(None),
            _ => Regex::new(&format!("^(?:{text})$")).map(Some).map_err(|error| BuildError::BadSelector {
                at: at.clone(),
                text: text.to_owned(),
                problem: error.to_string(),
            }),
        };
        let requirements = |text: &str| {
            Requirements::parse(text).map_err(|problem| BuildError::BadSelector {
                at: at.clone(),
                text: text.to_owned(),
                problem,
            })
        };
        Ok(Self {
            group: pattern(&selector.group)?,
            version: pattern(&selector.version)?,
            kind: pattern(&selector.kind)?,
            name: pattern(&selector.name)?,
            namespace: pattern(&selector.namespace)?,
            labels: requirements(&selector.label_selector)?,
            annotations: requirements(&selector.annotation_selector)?,
        })
    }

    /// Whether a patch with this target is about `resource`: by its current kind, and the name and namespace that it
    /// has or had at first.
    pub(crate) fn selects(&self, resource: &Resource) -> bool {
        let (current, original) = (resource.id(), resource.original());
        let namespace = |id: &Id<'_>| matches(&self.namespace, effective_namespace(id.namespace, id.scope));
        self.matches_gvk(current.gvk)
            && (matches(&self.name, current.name) || matches(&self.name, original.name))
            && (namespace(&current) || namespace(&original))
            && self.selects_metadata(resource)
    }

    /// Where the resources stand that a patch with this target is about.
    pub(crate) fn select(&self, resources: &Resources) -> Vec<usize> {
        let selected = resources.iter().enumerate().filter(|(_, resource)| self.selects(resource));
        selected.map(|(position, _)| position).collect()
    }

    /// Whether group, version, kind, name and namespace match `id`, the last as it is written.
    pub(crate) fn matches_id(&self, id: &Id<'_>) -> bool {
        self.matches_gvk(id.gvk) && matches(&self.name, id.name) && matches(&self.namespace, id.namespace)
    }

    /// Whether the labels and annotations of `resource` match.
    pub(crate) fn selects_metadata(&self, resource: &Resource) -> bool {
        self.labels.select(resource, "labels") && self.annotations.select(resource, "annotations")
    }

    fn matches_gvk(&self, gvk: GvkRef<'_>) -> bool {
        matches(&self.group, gvk.group) && matches(&self.version, gvk.version) && matches(&self.kind, gvk.kind)
    }
}

fn matches(pattern: &Pattern, text: &str) -> bool {
    pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
}

/// A label selector of Kubernetes: requirements that must all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Requirements(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    Exists(String),
    Absent(String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
}

impl Requirements {
    fn parse(text: &str) -> Result<Self, String> {
        let mut requirements = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let (requirement, after) = requirement(rest)?;
            requirements.push(requirement);
            rest = after.trim_start();
            match rest.strip_prefix(',') {
                Some(after) if !after.trim().is_empty() => rest = after.trim_start(),
                None if rest.is_empty() => {}
                Some(_) | None => return Err(unparsable("found", rest, "expected: identifier")),
            }
        }
        Ok(Self(requirements))
    }

    fn select(&self, resource: &Resource, map: &str) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let entries = resource.node.get("metadata").and_then(|metadata| metadata.get(map));
        self.0.iter().all(|requirement| requirement.holds(entries))
    }
}

fn unparsable(what: &str, found: &str, expected: &str) -> String {
    format!("unable to parse requirement: {what} '{found}', {expected}")
}

/// Splits one requirement off the front of `text`.
fn requirement(text: &str) -> Result<(Requirement, &str), String> {
    if let Some(rest) = text.strip_prefix('!') {
        let (key, rest) = word(rest.trim_start())?;
        return Ok((Requirement::Absent(key), rest));
    }
    let (key, rest) = word(text)?;
    let rest = rest.trim_start();
    for (operator, negated) in [("!=", true), ("==", false), ("=", false)] {
        if let Some(rest) = rest.strip_prefix(operator) {
            let (value, rest) = optional_word(rest.trim_start());
            let requirement = if negated { Requirement::NotIn } else { Requirement::In };
            return Ok((requirement(key, vec![value]), rest));
        }
    }
    if rest.is_empty() || rest.starts_with(',') {
        return Ok((Requirement::Exists(key), rest));
    }
    let (operator, rest) = word(rest)?;
    let (values, rest) = list(rest.trim_start())?;
    match operator.as_str() {
        "in" => Ok((Requirement::In(key, values), rest)),
        "notin" => Ok((Requirement::NotIn(key, values), rest)),
        other => Err(unparsable("found", other, "expected: in, notin, =, ==, !=")),
    }
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '-' | '_' | '.' | '/')
}

fn optional_word(text: &str) -> (String, &str) {
    let end = text.find(|letter| !is_word(letter)).unwrap_or(text.len());
    (text[..end].to_owned(), &text[end..])
}

fn word(text: &str) -> Result<(String, &str), String> {
    match optional_word(text) {
        (word, _) if word.is_empty() => Err(unparsable("found", text, "expected: !, identifier, or 'end of string'")),
        found => Ok(found),
    }
}

fn list(text: &str) -> Result<(Vec<String>, &str), String> {
    let inside = text.strip_prefix('(').ok_or_else(|| unparsable("found", text, "expected: '('"))?;
    let (values, rest) = inside.split_once(')').ok_or_else(|| unparsable("found", text, "expected: ',' or ')'"))?;
    Ok((values.split(',').map(|value| value.trim().to_owned()).collect(), rest))
}

impl Requirement {
    fn holds(&self, entries: Option<&Node>) -> bool {
        let value = |key: &str| entries.and_then(|entries| entries.get(key)).and_then(Node::as_str);
        match self {
            Self::Exists(key) => value(key).is_some(),
            Self::Absent(key) => value(key).is_none(),
            Self::In(key, values) => value(key).is_some_and(|value| values.iter().any(|wanted| wanted == value)),
            Self::NotIn(key, values) => !value(key).is_some_and(|value| values.iter().any(|wanted| wanted == value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_selectors_hold_as_in_kubernetes() {
        let labels = fairlead_yaml::parse("app: web\ntier: front").expect("YAML").remove(0);
        let rows = [
            ("", "yes"),
            ("app=web", "yes"),
            ("app==web,tier!=back", "yes"),
            ("app in (web, db), !old", "yes"),
            ("app notin (web)", "no"),
            ("missing!=x", "yes"),
            ("tier", "yes"),
            ("missing", "no"),
            ("app=web,", "unable to parse requirement: found ',', expected: identifier"),
            ("app in web", "unable to parse requirement: found 'web', expected: '('"),
        ];
        for (selector, expected) in rows {
            let holds = Requirements::parse(selector).map(|requirements| {
                if requirements.0.iter().all(|requirement| requirement.holds(Some(&labels))) { "yes" } else { "no" }
            });
            assert_eq!(holds.unwrap_or_else(|problem| Box::leak(problem.into_boxed_str())), expected, "{selector}");
        }
    }
}
