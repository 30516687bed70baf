//! The place of a field that the API server complains about.
//!
//! # Follows Kubernetes
//! A field is named as `spec.ports[0].name`, as `metadata.annotations[example.com/a]`, or, where fields have owners, as
//! `.spec.containers[name="web"].image`.

use fairlead_object::{Manifest, Place, pointer_to};
use serde_json::Value;

/// Where `manifest` sets `field`, or else what it is in; nothing if nobody knows.
pub(crate) fn place_of(manifest: &Manifest, field: &str) -> Option<Place> {
    let body = Value::Object(manifest.body().clone());
    let mut value = &body;
    let mut pointers = Vec::new();
    for step in steps(field) {
        let Some((name, below)) = step.in_value(value) else { break };
        pointers.push(pointer_to(pointers.last().map_or("", String::as_str), &name));
        value = below;
    }
    pointers.iter().rev().find_map(|pointer| manifest.places(pointer).into_iter().next())
}

/// One part of a field's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step<'a> {
    /// Behind a dot.
    Name(&'a str),
    /// In brackets.
    Bracket(&'a str),
}

impl Step<'_> {
    /// Its name in a JSON pointer, and what `value` has there.
    fn in_value(self, value: &Value) -> Option<(String, &Value)> {
        match (self, value) {
            (Self::Name(name) | Self::Bracket(name), Value::Object(fields)) => {
                Some((name.to_owned(), fields.get(name)?))
            }
            (Self::Bracket(item), Value::Array(items)) => {
                let index = item.parse().ok().or_else(|| items.iter().position(|value| is_item(value, item)))?;
                Some((index.to_string(), items.get(index)?))
            }
            (Self::Name(_) | Self::Bracket(_), _) => None,
        }
    }
}

/// Whether `value` has all the keys that `selector` names, as `containerPort=80,protocol="TCP"`.
fn is_item(value: &Value, selector: &str) -> bool {
    selector.split(',').all(|pair| {
        pair.split_once('=').is_some_and(|(key, wanted)| match &value[key] {
            Value::String(text) => text == wanted.trim_matches('"'),
            Value::Number(number) => number.to_string() == wanted,
            Value::Bool(bool) => bool.to_string() == wanted,
            Value::Null | Value::Array(_) | Value::Object(_) => false,
        })
    })
}

fn steps(field: &str) -> Vec<Step<'_>> {
    let mut steps = Vec::new();
    let mut rest = field;
    while !rest.is_empty() {
        rest = rest.strip_prefix('.').unwrap_or(rest);
        if let Some((inside, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            steps.push(Step::Bracket(inside));
            rest = after;
        } else {
            let end = rest.find(['.', '[']).filter(|end| *end > 0).unwrap_or(rest.len());
            steps.push(Step::Name(&rest[..end]));
            rest = &rest[end..];
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use fairlead_manifests::{BuildRequest, build};
    use fairlead_object::MemoryTree;

    use super::*;

    const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations:
    example.com/a: x
spec:
  template:
    spec:
      containers:
      - name: main
        image: a:1
        ports:
        - containerPort: 80
          protocol: TCP
";

    #[test]
    fn the_line_is_that_of_the_field_or_of_what_it_is_in() {
        let kustomization = "resources: [web.yaml]\nreplicas:\n- name: web\n  count: -1\n";
        let tree = MemoryTree::new([("web.yaml", WEB), ("kustomization.yaml", kustomization)]).expect("paths");
        let built = build(&tree, &BuildRequest::default()).expect("it can be built");
        let rows = [
            ("spec.replicas", "kustomization.yaml:3"),
            ("metadata.annotations[example.com/a]", "web.yaml:6"),
            ("spec.template.spec.containers[0].image", "web.yaml:12"),
            (".spec.template.spec.containers[name=\"main\"].image", "web.yaml:12"),
            (
                ".spec.template.spec.containers[name=\"main\"].ports[containerPort=80,protocol=\"TCP\"].protocol",
                "web.yaml:15",
            ),
            ("spec.template.spec.containers[0].ports[0].hostPort", "web.yaml:14"),
            ("spec.template.spec.containers[7].image", "web.yaml:11"),
            ("status.replicas", ""),
            ("", ""),
        ];
        for (field, expected) in rows {
            let place = place_of(&built.manifests[0], field).map(|place| place.to_string());
            assert_eq!(place.unwrap_or_default(), expected, "{field}");
        }
    }
}
