//! Fields that others may change without it being put right: `spec.ignore`.
//!
//! # Follows Flux
//! A rule's target is a set of anchored regular expressions and of selectors, all of which must match; without one it is
//! for every object. Ignored fields take no part in a comparison. When their object is applied for another reason, an
//! ignored field that differs is left out of what is sent if another manager applied it, and else is sent as it is. A path
//! that leads nowhere is no error. Objects are created with all their fields.

use std::borrow::Cow;

use fairlead_object::Manifest;
use regex::Regex;
use serde_json::{Map, Value};

use crate::{ownership::is_applied_by_another, selector::Selector};

/// One entry of `spec.ignore`, as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IgnoreRule {
    /// JSON pointers (RFC 6901) to the fields.
    pub paths: Vec<String>,
    /// The objects that it is for; all without one.
    pub target: Option<IgnoreTarget>,
}

/// Which objects a rule is for: every part that is given must match.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IgnoreTarget {
    /// API group.
    pub group: Option<String>,
    /// API version.
    pub version: Option<String>,
    /// Kind.
    pub kind: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
    /// Labels, in Kubernetes' selector syntax.
    pub label_selector: Option<String>,
    /// Annotations, in Kubernetes' selector syntax.
    pub annotation_selector: Option<String>,
}

/// The compiled rules of one owner.
#[derive(Clone, Debug, Default)]
pub struct IgnoreRules(Vec<Rule>);

/// A rule that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct IgnoreRuleError {
    /// The field, as `spec.ignore[0].target.kind`.
    pub field: String,
    /// What is wrong with it.
    pub problem: String,
}

#[derive(Clone, Debug)]
struct Rule {
    paths: Vec<Pointer>,
    target: Option<Target>,
}

#[derive(Clone, Debug)]
struct Target {
    /// Expressions over group, version, kind, name and namespace.
    names: [Option<Regex>; 5],
    labels: Selector,
    annotations: Selector,
}

/// The tokens of a JSON pointer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pointer(Vec<String>);

impl IgnoreRules {
    /// Compiles `spec.ignore`.
    pub fn compile(rules: &[IgnoreRule]) -> Result<Self, IgnoreRuleError> {
        let compile = |(place, rule): (usize, &IgnoreRule)| {
            let target = rule.target.as_ref().map(|target| Target::compile(place, target)).transpose()?;
            Ok(Rule { paths: rule.paths.iter().filter_map(|path| Pointer::parse(path)).collect(), target })
        };
        rules.iter().enumerate().map(compile).collect::<Result<_, _>>().map(Self)
    }

    /// The ignored paths of `object`.
    pub(crate) fn paths(&self, object: &Value) -> Vec<&Pointer> {
        let is_for = |rule: &&Rule| rule.target.as_ref().is_none_or(|target| target.matches(object));
        self.0.iter().filter(is_for).flat_map(|rule| &rule.paths).collect()
    }
}

impl Target {
    fn compile(place: usize, written: &IgnoreTarget) -> Result<Self, IgnoreRuleError> {
        let fail =
            |name: &str, problem| IgnoreRuleError { field: format!("spec.ignore[{place}].target.{name}"), problem };
        let regex = |name: &str, text: &Option<String>| {
            let Some(text) = text.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
            let anchored = Regex::new(&format!("^(?:{text})$"));
            anchored.map(Some).map_err(|_| fail(name, format!("`{text}` is not a regular expression")))
        };
        let selector = |name: &str, text: &Option<String>| {
            let parsed = Selector::parse(text.as_deref().unwrap_or_default());
            parsed.map_err(|part| fail(name, format!("`{part}` is not a requirement of a selector")))
        };
        Ok(Self {
            names: [
                regex("group", &written.group)?,
                regex("version", &written.version)?,
                regex("kind", &written.kind)?,
                regex("name", &written.name)?,
                regex("namespace", &written.namespace)?,
            ],
            labels: selector("labelSelector", &written.label_selector)?,
            annotations: selector("annotationSelector", &written.annotation_selector)?,
        })
    }

    fn matches(&self, object: &Value) -> bool {
        let text = |pointer| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
        let api_version = text("/apiVersion");
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        let names = [group, version, text("/kind"), text("/metadata/name"), text("/metadata/namespace")];
        let entries = |pointer| object.pointer(pointer).and_then(Value::as_object);
        self.names.iter().zip(names).all(|(regex, name)| regex.as_ref().is_none_or(|regex| regex.is_match(name)))
            && self.labels.matches(entries("/metadata/labels"))
            && self.annotations.matches(entries("/metadata/annotations"))
    }
}

impl Pointer {
    /// Reads a JSON pointer to something inside an object; nothing if `text` is none.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let tokens = text.strip_prefix('/')?.split('/');
        Some(Self(tokens.map(|token| token.replace("~1", "/").replace("~0", "~")).collect()))
    }

    pub(crate) fn tokens(&self) -> &[String] {
        &self.0
    }

    fn get<'a>(&self, object: &'a Value) -> Option<&'a Value> {
        self.0.iter().try_fold(object, |value, token| match value {
            Value::Object(members) => members.get(token),
            Value::Array(items) => items.get(token.parse::<usize>().ok()?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        })
    }

    /// The value that holds the field, with the field's own token.
    fn parent<'a>(&self, object: &'a mut Value) -> Option<(&'a mut Value, &str)> {
        let (last, above) = self.0.split_last()?;
        let parent = above.iter().try_fold(object, |value, token| match value {
            Value::Object(members) => members.get_mut(token),
            Value::Array(items) => items.get_mut(token.parse::<usize>().ok()?),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        })?;
        Some((parent, last))
    }

    fn remove(&self, object: &mut Value) {
        match self.parent(object) {
            Some((Value::Object(members), last)) => drop(members.remove(last)),
            Some((Value::Array(items), last)) => match last.parse::<usize>() {
                Ok(index) if index < items.len() => drop(items.remove(index)),
                Ok(_) | Err(_) => {}
            },
            Some(_) | None => {}
        }
    }

    pub(crate) fn set(&self, object: &mut Value, value: Value) {
        match self.parent(object) {
            Some((Value::Object(members), last)) => drop(members.insert(last.to_owned(), value)),
            Some((Value::Array(items), last)) => {
                if let Some(item) = last.parse::<usize>().ok().and_then(|index| items.get_mut(index)) {
                    *item = value;
                }
            }
            Some(_) | None => {}
        }
    }
}

/// `object` without what stands at `paths`.
pub(crate) fn without<'a>(object: &'a Value, paths: &[&Pointer]) -> Cow<'a, Value> {
    if paths.is_empty() {
        return Cow::Borrowed(object);
    }
    let mut rest = object.clone();
    let mut paths = paths.to_vec();
    // Later items of a list go first, so that the places of the earlier ones still hold.
    paths.sort_by_key(|path| path.0.iter().map(|token| (token.parse::<usize>().ok(), token)).collect::<Vec<_>>());
    paths.iter().rev().for_each(|path| path.remove(&mut rest));
    Cow::Owned(rest)
}

/// What is sent to apply `manifest` to the object `live`, which would become `preview` if all of it were sent.
pub(crate) fn payload(
    manifest: &Manifest,
    live: &Value,
    preview: &Value,
    paths: &[&Pointer],
    manager: &str,
) -> Manifest {
    if paths.is_empty() {
        return manifest.clone();
    }
    let mut body = manifest.to_value();
    for path in paths.iter().filter(|path| path.get(live) != path.get(preview)) {
        match path.get(live) {
            Some(value) if !is_applied_by_another(live, path.tokens(), manager) => path.set(&mut body, value.clone()),
            Some(_) | None => path.remove(&mut body),
        }
    }
    let mut sent = manifest.clone();
    sent.edit(|members| *members = object_members(body));
    sent
}

fn object_members(body: Value) -> Map<String, Value> {
    match body {
        Value::Object(members) => members,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules(paths: &[&str], target: Option<IgnoreTarget>) -> IgnoreRules {
        let paths = paths.iter().map(|path| (*path).to_owned()).collect();
        IgnoreRules::compile(&[IgnoreRule { paths, target }]).expect("valid rules")
    }

    fn deployment() -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "shop", "labels": {"tier": "front"}},
            "spec": {"replicas": 2, "containers": [{"name": "a"}, {"name": "b"}]},
        })
    }

    #[test]
    fn a_target_matches_when_all_its_parts_do() {
        let some = |text: &str| Some(text.to_owned());
        let none = IgnoreTarget::default;
        let cases = [
            ("nothing given", none(), true),
            ("kind", IgnoreTarget { kind: some("Deployment"), ..none() }, true),
            ("a part of the kind", IgnoreTarget { kind: some("Deploy"), ..none() }, false),
            ("an alternative", IgnoreTarget { kind: some("StatefulSet|Deployment"), ..none() }, true),
            ("group and version", IgnoreTarget { group: some("apps"), version: some("v1"), ..none() }, true),
            ("another group", IgnoreTarget { group: some("batch"), ..none() }, false),
            ("name and namespace", IgnoreTarget { name: some("w.*"), namespace: some("shop"), ..none() }, true),
            ("labels", IgnoreTarget { label_selector: some("tier in (front)"), ..none() }, true),
            ("other labels", IgnoreTarget { label_selector: some("tier=back"), ..none() }, false),
            ("annotations", IgnoreTarget { annotation_selector: some("!x"), kind: some(".*"), ..none() }, true),
        ];
        for (name, target, expected) in cases {
            assert_eq!(!rules(&["/spec"], Some(target)).paths(&deployment()).is_empty(), expected, "{name}");
        }
    }

    #[test]
    fn paths_that_lead_nowhere_are_left_alone() {
        let rules =
            rules(&["", "spec", "/spec/none/x", "/spec/containers/7", "/spec/containers/x", "/spec/replicas/x"], None);
        assert_eq!(without(&deployment(), &rules.paths(&deployment())).into_owned(), deployment());
    }

    #[test]
    fn items_are_removed_from_the_end() {
        let rules = rules(&["/spec/containers/0", "/spec/containers/1", "/spec/replicas"], None);
        assert_eq!(without(&deployment(), &rules.paths(&deployment()))["spec"], json!({"containers": []}));
    }

    #[test]
    fn an_unusable_rule_names_its_field() {
        let error = |target| {
            let rule = IgnoreRule { paths: Vec::new(), target: Some(target) };
            IgnoreRules::compile(&[rule]).expect_err("not usable").to_string()
        };
        let kind = IgnoreTarget { kind: Some("(".to_owned()), ..IgnoreTarget::default() };
        assert_eq!(error(kind), "spec.ignore[0].target.kind: `(` is not a regular expression");
        let labels = IgnoreTarget { label_selector: Some("a,b c".to_owned()), ..IgnoreTarget::default() };
        assert_eq!(error(labels), "spec.ignore[0].target.labelSelector: `b c` is not a requirement of a selector");
    }
}
