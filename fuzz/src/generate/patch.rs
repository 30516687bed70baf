//! Patches and paths that fit an object more or less.

use super::{
    object::Object,
    scalar::{scalar, some_entries, string},
    yaml::{Yaml, list, map},
};
use crate::Choices;

/// Keys by which elements of lists are matched; a patch mostly keeps them.
const MERGE_KEYS: &[&str] = &["name", "containerPort", "port", "mountPath", "protocol", "topologyKey", "ip", "uid"];
const DIRECTIVES: &[&str] = &["delete", "replace", "merge"];

/// A strategic-merge patch that names `object`, or any object of its kind.
pub(super) fn strategic_merge(object: &Object, choices: &mut Choices) -> Yaml {
    let mut metadata = map! { "name": object.name };
    if !object.namespace.is_empty() {
        metadata.put("namespace", object.namespace);
    }
    for (key, keys) in [("labels", &["app", "tier", "zz"]), ("annotations", &["n1", "p", "example.com/z"])] {
        if choices.chance(20) {
            metadata.put(key, some_entries(choices, keys, 2, if key == "labels" { string } else { scalar }));
        }
    }
    if choices.chance(5) {
        metadata.put("finalizers", list!["b", "c"]);
    }
    let mut patch = map! { "apiVersion": object.api_version, "kind": object.kind, "metadata": metadata };
    if choices.chance(6) {
        patch.put("$patch", choices.pick(DIRECTIVES));
    }
    let Yaml::Map(entries) = &object.body else { return patch };
    for (key, value) in entries.iter().skip(3) {
        if choices.chance(85) {
            let changed = changed(value, choices);
            patch.put(key, changed);
        }
    }
    patch
}

/// `value` as a patch might have it: parts of it, other scalars, directives, new things.
fn changed(value: &Yaml, choices: &mut Choices) -> Yaml {
    if choices.chance(1) {
        return choices.pick(&["null", "", "{}", "[]", "x"]).into();
    }
    match value {
        Yaml::Text(_) | Yaml::Lines(..) | Yaml::Quoted(_) if choices.chance(15) => "null".into(),
        Yaml::Text(_) | Yaml::Lines(..) | Yaml::Quoted(_) => scalar(choices),
        Yaml::Anchored(_, inner) => changed(inner, choices),
        Yaml::Map(entries) => Yaml::Map(changed_entries(entries, choices)),
        Yaml::List(items) => {
            let mut items = some_changed(items, choices);
            if choices.chance(8) {
                let place = choices.between(0, items.len());
                items.insert(place, map! { "$patch": choices.pick(DIRECTIVES) });
            }
            if choices.chance(15) {
                items.push(choices.pick(&["x", "null", "{}"]).into());
            }
            items.into()
        }
    }
}

fn changed_entries(entries: &[(String, Yaml)], choices: &mut Choices) -> Vec<(String, Yaml)> {
    let mut all = Vec::new();
    for (key, value) in entries {
        if MERGE_KEYS.contains(&key.as_str()) && choices.chance(92) {
            all.push((key.clone(), value.clone()));
        } else if choices.chance(50) && !key.starts_with("<<") {
            all.push((key.clone(), changed(value, choices)));
        }
    }
    if choices.chance(12) {
        all.push(("added".to_owned(), scalar(choices)));
    }
    if choices.chance(8) {
        all.push(("$patch".to_owned(), choices.pick(DIRECTIVES).into()));
    }
    all
}

fn some_changed(items: &[Yaml], choices: &mut Choices) -> Vec<Yaml> {
    let mut some = Vec::new();
    for item in items {
        if choices.chance(65) {
            some.push(changed(item, choices));
        }
        if choices.chance(5) {
            some.push(item.clone());
        }
    }
    if choices.chance(8) {
        some.reverse();
    }
    some
}

/// A JSON patch for `object`.
pub(super) fn operations(object: &Object, choices: &mut Choices) -> Yaml {
    let count = choices.between(1, 2);
    (0..count).map(|_| operation(object, choices)).collect::<Vec<_>>().into()
}

fn operation(object: &Object, choices: &mut Choices) -> Yaml {
    let op = choices
        .pick(&["add", "replace", "remove", "add", "replace", "copy", "move", "add", "replace", "remove", "test"]);
    if matches!(op, "copy" | "move") {
        return map! { "op": op, "path": new_pointer(choices), "from": pointer(object, choices) };
    }
    let is_new = matches!(op, "add" | "replace") && choices.chance(50);
    let path = if is_new { new_pointer(choices) } else { pointer(object, choices) };
    let mut operation = map! { "op": op, "path": path };
    match op {
        "remove" => {}
        _ => match choices.below(4) {
            0 => operation.put("value", map! { "a": "1", "b": list!["1.5", "yes", "null"] }),
            1 => operation.put("value", list![scalar(choices)]),
            _ => operation.put("value", scalar(choices)),
        },
    }
    operation
}

/// The place of something that is mostly new.
fn new_pointer(choices: &mut Choices) -> String {
    const COMMON: &[&str] =
        &["/metadata/annotations/j", "/metadata/labels", "/metadata/name", "/extra", "/metadata/replicas"];
    choices.pick(COMMON).to_owned()
}

/// The place of something in `object`.
fn pointer(object: &Object, choices: &mut Choices) -> String {
    let mut tokens: Vec<String> = path(&object.body, choices).into_iter().map(|step| step.token().to_owned()).collect();
    if choices.chance(8) {
        tokens.push(choices.pick(&["new", "-", "0", "-1", "9"]).to_owned());
    }
    let tokens = tokens.iter().map(|token| token.replace('~', "~0").replace('/', "~1"));
    let pointer = tokens.collect::<Vec<_>>().join("/").replace('"', "");
    format!("\"/{pointer}\"")
}

/// A step down into an object.
#[derive(Clone, Debug)]
enum Step {
    Key(String),
    /// An element, and its name if it has one.
    Element(String, Option<String>),
}

impl Step {
    fn token(&self) -> &str {
        match self {
            Self::Key(key) => key.trim_matches(['"', '\'']),
            Self::Element(index, _) => index,
        }
    }

    /// The step as a part of the field path of a replacement.
    fn part(&self, choices: &mut Choices) -> String {
        match self {
            Self::Key(key) if key.contains('.') => format!("[{}]", self.token()),
            Self::Key(_) => self.token().to_owned(),
            Self::Element(index, name) => match (choices.below(3), name) {
                (0, Some(name)) => format!("[name={name}]"),
                (1, _) if choices.chance(20) => "*".to_owned(),
                _ => index.clone(),
            },
        }
    }
}

/// The way to some value in `body`.
fn path(body: &Yaml, choices: &mut Choices) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut value = body;
    loop {
        match value {
            Yaml::Map(entries) if !entries.is_empty() => {
                let (key, next) = &entries[choices.below(entries.len())];
                steps.push(Step::Key(key.clone()));
                value = next;
            }
            Yaml::List(items) if !items.is_empty() => {
                let index = choices.below(items.len());
                let name = items[index].get("name").map(|name| name.text().to_owned());
                steps.push(Step::Element(index.to_string(), name));
                value = &items[index];
            }
            Yaml::Anchored(_, inner) => value = inner,
            Yaml::Map(_) | Yaml::List(_) | Yaml::Text(_) | Yaml::Lines(..) | Yaml::Quoted(_) => return steps,
        }
        if steps.len() > 1 && choices.chance(15) {
            return steps;
        }
    }
}

/// The field path of a replacement to some value in `object`, or near one.
pub(super) fn field_path(object: &Object, choices: &mut Choices) -> String {
    const COMMON: &[&str] = &[
        "metadata.name",
        "metadata.annotations.r",
        "metadata.labels.app",
        "kind",
        "spec.template.spec.containers.*.image",
        "spec.template.spec.containers.[name=main].image",
        "spec.json.a.b",
        "spec.text.l.1.n",
        "spec.new.0.deep",
        "metadata.annotations.[example.com/z]",
    ];
    if choices.chance(25) {
        return choices.pick(COMMON).to_owned();
    }
    let mut parts: Vec<String> = path(&object.body, choices).iter().map(|step| step.part(choices)).collect();
    if choices.chance(10) {
        parts.push(choices.pick(&["new", "0", "-", "*", "[name=x]"]).to_owned());
    }
    parts.join(".")
}

/// The field path of some value in `object`.
pub(super) fn source_path(object: &Object, choices: &mut Choices) -> String {
    if choices.chance(60) {
        return choices.pick(&["metadata.name", "metadata.name", "kind", "metadata.namespace"]).to_owned();
    }
    let parts: Vec<String> = path(&object.body, choices).iter().map(|step| step.part(choices)).collect();
    parts.join(".")
}
