//! The plugins of a kustomization, inline or in files.
#![expect(clippy::unnecessary_wraps, reason = "they are rows of a table whose fields cannot always be made")]

use super::{
    Scene,
    field::replacement,
    layout::document,
    patch,
    scalar::name,
    yaml::{Yaml, list, map},
};

pub(super) fn transformers(scene: &mut Scene<'_>) -> Option<Yaml> {
    let labels = list![map! { "path": "metadata/labels", "create": "true" }];
    let names = list![map! { "path": "metadata/name" }];
    let text = |value: &Yaml, scene: &mut Scene<'_>| Yaml::Quoted(document(value, scene.choices, false));
    let (kind, fields) = match scene.choices.below(14) {
        0 => ("LabelTransformer", vec![("labels", map! { "plug": "in" }), ("fieldSpecs", labels)]),
        1 => ("PrefixTransformer", vec![("prefix", "pl-".into()), ("fieldSpecs", names)]),
        2 => ("SuffixTransformer", vec![("suffix", "-pl".into()), ("fieldSpecs", names)]),
        3 => ("NamespaceTransformer", namespace_plugin(scene)),
        4 => ("HashTransformer", vec![]),
        5 => {
            let notes = list![map! { "path": "metadata/annotations", "create": "true" }];
            ("AnnotationsTransformer", vec![("annotations", map! { "plug": "\"1\"" }), ("fieldSpecs", notes)])
        }
        6 => {
            let image = map! { "name": "nginx", "newTag": "v9" };
            ("ImageTagTransformer", vec![("imageTag", image), ("fieldSpecs", list![map! { "path": "spec/a" }])])
        }
        7 => {
            let size = list![map! { "path": "spec/replicas", "create": "true", "kind": "Deployment" }];
            let replica = map! { "name": name(scene.choices), "count": 4 };
            ("ReplicaCountTransformer", vec![("replica", replica), ("fieldSpecs", size)])
        }
        8 => ("ReplacementTransformer", vec![("replacements", list![replacement(scene)?])]),
        9 => ("ValueAddTransformer", value_add_plugin(scene)),
        10 => {
            let prefix = ("prefix", "\"0\"".into());
            ("PrefixSuffixTransformer", vec![prefix, ("suffix", "-e".into()), ("fieldSpecs", names)])
        }
        11 => {
            let object = scene.some_object()?;
            let target = map! { "kind": object.kind, "name": object.name };
            let operations = patch::operations(&object, scene.choices);
            ("PatchJson6902Transformer", vec![("target", target), ("jsonOp", text(&operations, scene))])
        }
        12 => {
            let object = scene.some_object()?;
            let body = patch::strategic_merge(&object, scene.choices);
            ("PatchTransformer", vec![("target", scene.target_of(&object)), ("patch", text(&body, scene))])
        }
        _ => {
            let object = scene.some_object()?;
            let body = patch::strategic_merge(&object, scene.choices);
            ("PatchStrategicMergeTransformer", vec![("patches", text(&body, scene))])
        }
    };
    let mut metadata = map! { "name": "plugin" };
    if kind == "NamespaceTransformer" {
        metadata.put("namespace", "plugged");
    }
    let mut config = map! { "apiVersion": "builtin", "kind": kind, "metadata": metadata };
    for (key, value) in fields {
        config.put(key, value);
    }
    Some(list![scene.text_or_file(&config)])
}

fn namespace_plugin(scene: &mut Scene<'_>) -> Vec<(&'static str, Yaml)> {
    let mut fields = vec![("fieldSpecs", list![map! { "path": "metadata/namespace", "create": "true" }])];
    if scene.choices.chance(30) {
        fields.push(("unsetOnly", "true".into()));
    }
    if scene.choices.chance(40) {
        let subjects = scene.choices.pick(&["allServiceAccounts", "none", "defaultOnly"]);
        fields.push(("setRoleBindingSubjects", subjects.into()));
    }
    fields
}

fn value_add_plugin(scene: &mut Scene<'_>) -> Vec<(&'static str, Yaml)> {
    let path = scene.choices.pick(&["spec/c/d", "metadata/namespace", "metadata/annotations/v", "spec/list[]/x"]);
    let mut target = map! { "fieldPath": path };
    if scene.choices.chance(50) {
        target.put("filePathPosition", scene.choices.between(0, 2));
    }
    if scene.choices.chance(60) {
        target.put("selector", map! { "kind": scene.choices.pick(&["Widget", "Deployment|Service"]) });
    }
    vec![("value", scene.choices.pick(&["added", "\"2\""]).into()), ("targets", list![target])]
}

pub(super) fn validators(scene: &mut Scene<'_>) -> Option<Yaml> {
    let label = scene.choices.pick(&["validated-by", "validated-by", "other"]);
    let labels = Yaml::Map(vec![(label.to_owned(), "me".into())]);
    let mut config = map! { "apiVersion": "builtin", "kind": "LabelTransformer", "metadata": map! { "name": "check" } };
    config.put("labels", labels);
    config.put("fieldSpecs", list![map! { "path": "metadata/labels", "create": "true" }]);
    Some(list![scene.text_or_file(&config)])
}

pub(super) fn generator_plugins(scene: &mut Scene<'_>) -> Option<Yaml> {
    let kind = scene.choices.pick(&["ConfigMapGenerator", "SecretGenerator", "IAMPolicyGenerator"]);
    let name = scene.fresh("plugged");
    let mut config = map! { "apiVersion": "builtin", "kind": kind, "metadata": map! { "name": name } };
    if kind == "IAMPolicyGenerator" {
        config.put("cloud", "gke");
        config.put("kubernetesService", map! { "name": "robot", "namespace": scene.choices.pick(&["a", "\"1\""]) });
        config.put("serviceAccount", map! { "name": "g", "projectId": "p" });
    } else {
        config.put("literals", list!["a=b", scene.choices.pick(&["c=1", "d=yes"])]);
    }
    Some(list![scene.text_or_file(&config)])
}
