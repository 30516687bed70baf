//! The fields of a kustomization, each with how often it is there and how it is made.
#![expect(clippy::unnecessary_wraps, reason = "the rows of a table are of one type; some fields cannot always be made")]

use super::{
    Scene,
    object::Object,
    patch,
    plugin::{generator_plugins, transformers, validators},
    scalar::{NAMES, STRINGS, name},
    yaml::{Yaml, list, map},
};

/// A field's name, in how many of a hundred kustomizations it is, and what makes its value, if it can be made.
type Field = (&'static str, usize, fn(&mut Scene<'_>) -> Option<Yaml>);

/// The fields of every kustomization.
pub(super) const FIELDS: &[Field] = &[
    ("namePrefix", 35, |scene| Some(scene.choices.pick(&["p-", "x", "dev-", "\"1-\""]).into())),
    ("nameSuffix", 25, |scene| Some(scene.choices.pick(&["-s", "-v1", "\"-1\""]).into())),
    ("namespace", 30, |scene| Some(scene.choices.pick(&["a", "prod", "default", "\"1\""]).into())),
    ("commonLabels", 22, common_labels),
    ("labels", 25, labels),
    ("commonAnnotations", 25, common_annotations),
    ("images", 30, images),
    ("replicas", 15, replicas),
    ("patches", 45, patches),
    ("patchesStrategicMerge", 10, patches_strategic_merge),
    ("patchesJson6902", 10, patches_json6902),
    ("configMapGenerator", 40, generators),
    ("secretGenerator", 8, generators),
    ("generatorOptions", 15, generator_options),
    ("replacements", 30, replacements),
    ("vars", 10, vars),
    ("configurations", 6, configurations),
    ("openapi", 2, openapi),
    ("crds", 3, crds),
    ("transformers", 12, transformers),
    ("validators", 3, validators),
    ("generators", 5, generator_plugins),
];

/// The fields that count only in the kustomization that is built.
pub(super) const TOP_FIELDS: &[Field] = &[("buildMetadata", 10, build_metadata), ("sortOptions", 12, sort_options)];

fn common_labels(scene: &mut Scene<'_>) -> Option<Yaml> {
    let key = scene.choices.pick(&["app", "team"]);
    Some(Yaml::Map(vec![(key.to_owned(), scene.choices.pick(&["a", "\"1\"", "\"true\""]).into())]))
}

/// Without `includeTemplates`: releases of kustomize differ in whether it is about claims as well.
fn labels(scene: &mut Scene<'_>) -> Option<Yaml> {
    let count = scene.choices.between(1, 2);
    let entries = (0..count).map(|_| {
        let mut entry = map! { "pairs": map! { "owner": scene.choices.pick(&["me", "\"2\"", "\"null\""]) } };
        if scene.choices.below(4) == 0 {
            entry.put("includeSelectors", "true");
        }
        if scene.choices.chance(20) {
            entry.put("fields", list![map! { "path": "spec/extra/labels", "kind": "Widget", "create": "true" }]);
        }
        entry
    });
    Some(entries.collect::<Vec<_>>().into())
}

fn common_annotations(scene: &mut Scene<'_>) -> Option<Yaml> {
    let value = scene.choices.pick(&["hi", "\"1\"", "\"a\\nb\"", "\"{\\\"a\\\": 1}\""]);
    Some(map! { "note": value })
}

fn images(scene: &mut Scene<'_>) -> Option<Yaml> {
    let count = scene.choices.between(1, 2);
    let entries = (0..count).map(|_| {
        let names = &["nginx", "reg.io:5000/x/nginx", "app", "redis", "a/b/c", "reg.*", "n..nx"];
        let mut entry = map! { "name": scene.choices.pick(names) };
        if scene.choices.chance(50) {
            entry.put("newTag", scene.choices.pick(&["\"2\"", "v3", "\"1.10\""]));
        }
        if scene.choices.chance(40) {
            entry.put("newName", "new.io/img");
        }
        if scene.choices.chance(20) {
            entry.put("digest", "sha256:beef");
        }
        if scene.choices.chance(15) {
            entry.put("tagSuffix", "-x");
        }
        entry
    });
    Some(entries.collect::<Vec<_>>().into())
}

fn replicas(scene: &mut Scene<'_>) -> Option<Yaml> {
    let scaled = scene.objects.iter().filter(|object| matches!(object.kind, "Deployment" | "StatefulSet"));
    let names: Vec<_> = scaled.map(|object| object.name).collect();
    let name = if names.is_empty() { return None } else { scene.choices.pick(&names) };
    Some(list![map! { "name": name, "count": scene.choices.below(10) }])
}

fn patches(scene: &mut Scene<'_>) -> Option<Yaml> {
    let count = scene.choices.between(1, 2);
    let entries: Vec<_> = (0..count).filter_map(|_| patch_entry(scene)).collect();
    (!entries.is_empty()).then(|| entries.into())
}

fn patch_entry(scene: &mut Scene<'_>) -> Option<Yaml> {
    let object = scene.some_object()?;
    let mut entry = map! {};
    let is_json = scene.choices.chance(35);
    let body = if is_json {
        patch::operations(&object, scene.choices)
    } else {
        patch::strategic_merge(&object, scene.choices)
    };
    scene.put_text(&mut entry, &body, "patch", "path");
    if is_json || scene.choices.chance(40) {
        let target = scene.target_of(&object);
        entry.put("target", target);
    }
    if scene.choices.chance(8) {
        let options = patch_options(scene);
        entry.put("options", options);
    }
    Some(entry)
}

fn patches_strategic_merge(scene: &mut Scene<'_>) -> Option<Yaml> {
    let object = scene.some_object()?;
    let body = patch::strategic_merge(&object, scene.choices);
    Some(list![scene.text_or_file(&body)])
}

fn patches_json6902(scene: &mut Scene<'_>) -> Option<Yaml> {
    let object = scene.some_object()?;
    let (group, version) = object.api_version.split_once('/').unwrap_or(("", object.api_version));
    let target = map! { "group": group, "version": version, "kind": object.kind, "name": object.name };
    let mut entry = map! { "target": target };
    let body = patch::operations(&object, scene.choices);
    scene.put_text(&mut entry, &body, "patch", "path");
    Some(list![entry])
}

fn generators(scene: &mut Scene<'_>) -> Option<Yaml> {
    let count = scene.choices.between(1, 2);
    Some((0..count).map(|_| generator(scene)).collect::<Vec<_>>().into())
}

fn generator(scene: &mut Scene<'_>) -> Yaml {
    const LITERALS: &[&str] = &[
        "a=b",
        "k=v v",
        "'q=\"quoted\"'",
        "e=",
        "n=1",
        "t=true",
        "\"ml=a\\nb\"",
        "u=é",
        "\"x='s'\"",
        "\"y=yes\"",
        "'j={\"a\": 1}'",
        "'d=2020-01-01'",
        "\"w=trail \"",
        "\"<>=<&>\"",
    ];
    const FILES: &[&str] =
        &["text\n", "no newline", "multi\nline\n\n", "\ttab", "  lead\n", "trail \nx\n", "a: b\n", "", "\r\n"];
    let known = scene.choices.below(4 * scene.generated.len() + 1);
    let mut entry = map! {};
    if let Some(name) = scene.generated.get(known).cloned() {
        entry = map! { "name": name, "behavior": scene.choices.pick(&["merge", "replace"]) };
    } else {
        let name = if scene.choices.chance(10) { scene.choices.pick(NAMES).to_owned() } else { scene.fresh("gen") };
        scene.generated.push(name.clone());
        entry.put("name", name);
    }
    if scene.choices.chance(6) {
        entry.put("namespace", scene.choices.pick(&["a", "b", "default"]));
    }
    let literals = scene.choices.some(LITERALS, 1, 3).into_iter().map(Yaml::from);
    entry.put("literals", literals.collect::<Vec<_>>());
    if scene.choices.chance(25) {
        let text = if scene.choices.chance(15) { "x".repeat(200) } else { scene.choices.pick(FILES).to_owned() };
        let file = scene.file("txt", text);
        entry.put("files", list![if scene.choices.chance(40) { format!("key.x={file}") } else { file }]);
    }
    if scene.choices.chance(15) {
        let file = scene.file("env", "A=1\n  B = x # y \n# C=2\n\nD\nE='q'\n".to_owned());
        entry.put("envs", list![file]);
    }
    if scene.choices.chance(20) {
        entry.put("options", options(scene));
    }
    entry
}

fn options(scene: &mut Scene<'_>) -> Yaml {
    match scene.choices.below(4) {
        0 => map! { "disableNameSuffixHash": "true", "labels": map! { "g": "h" } },
        1 => map! { "annotations": map! { "go": scene.choices.pick(STRINGS) }, "immutable": "true" },
        2 => map! { "disableNameSuffixHash": "false" },
        _ => map! { "labels": map! { "g": scene.choices.pick(STRINGS) } },
    }
}

fn generator_options(scene: &mut Scene<'_>) -> Option<Yaml> {
    Some(options(scene))
}

fn replacements(scene: &mut Scene<'_>) -> Option<Yaml> {
    let count = scene.choices.between(1, 2);
    let entries: Vec<_> = (0..count).filter_map(|_| replacement(scene)).collect();
    if entries.is_empty() {
        return None;
    }
    if scene.choices.chance(20) {
        let file = scene.yaml_file(&entries.into());
        return Some(list![map! { "path": file }]);
    }
    Some(entries.into())
}

pub(super) fn replacement(scene: &mut Scene<'_>) -> Option<Yaml> {
    let object = scene.some_object()?;
    let mut entry = map! {};
    if scene.choices.chance(10) {
        entry.put("sourceValue", scene.choices.pick(&["a", "x-y", "v1.2", "\"a:b\""]));
    } else {
        let mut source = map! { "kind": object.kind, "name": object.name };
        if !object.namespace.is_empty() {
            source.put("namespace", object.namespace);
        }
        source.put("fieldPath", quoted(&patch::source_path(&object, scene.choices)));
        if scene.choices.chance(12) {
            source.put(
                "options",
                map! { "delimiter": scene.choices.pick(&["\":\"", "\"-\"", "\".\""]), "index": scene.choices.below(2) },
            );
        }
        entry.put("source", source);
    }
    let target = scene.some_object()?;
    let paths = (0..scene.choices.between(1, 2)).map(|_| quoted(&patch::field_path(&target, scene.choices)).into());
    let mut selected = map! { "fieldPaths": paths.collect::<Vec<Yaml>>() };
    let select = scene.target_of(&target);
    selected.put("select", select);
    if scene.choices.chance(15) {
        let reject = match scene.choices.below(3) {
            0 => map! { "labelSelector": "app" },
            1 => map! { "kind": "Widget", "annotationSelector": "n1" },
            _ => map! { "name": name(scene.choices) },
        };
        selected.put("reject", list![reject]);
    }
    match scene.choices.below(6) {
        0..=3 => selected.put("options", map! { "create": "true" }),
        4 => {
            let index = scene.choices.pick(&["0", "1", "-1", "9"]);
            selected
                .put("options", map! { "delimiter": scene.choices.pick(&["\":\"", "\"-\"", "\"/\""]), "index": index });
        }
        _ => {}
    }
    entry.put("targets", list![selected]);
    Some(entry)
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn vars(scene: &mut Scene<'_>) -> Option<Yaml> {
    let object = scene.some_object()?;
    let name = scene.choices.pick(&["V1", "V2"]);
    if !scene.var_names.insert(name) {
        return None;
    }
    let reference = map! { "apiVersion": object.api_version, "kind": object.kind, "name": object.name };
    let mut var = map! { "name": name, "objref": reference };
    if scene.choices.chance(40) {
        var.put("fieldref", map! { "fieldPath": quoted(&patch::source_path(&object, scene.choices)) });
    }
    Some(list![var])
}

fn configurations(scene: &mut Scene<'_>) -> Option<Yaml> {
    let spec = |path: &str, kind: &str, create: &str| map! { "path": path, "kind": kind, "create": create };
    let mut config = map! {};
    match scene.choices.below(9) {
        0 => config.put("namePrefix", list![map! { "path": "spec/c/d", "kind": "Widget" }]),
        4 => config.put("namespace", list![spec("spec/c/ns", "Widget", "true")]),
        5 => config.put("commonAnnotations", list![spec("spec/notes", "Widget", "true")]),
        6 => config.put("replicas", list![spec("spec/size", "Widget", "true")]),
        7 => config.put("templateLabels", list![spec("spec/tl", "Widget", "true")]),
        1 => config.put("commonLabels", list![spec("spec/labels", "Widget", "true")]),
        2 => config.put("images", list![map! { "path": "spec/a", "kind": "Widget" }]),
        3 => config.put("varReference", list![map! { "path": "spec/a", "kind": "Widget" }]),
        _ => {
            let field = map! { "path": "spec/c/d", "kind": "Widget" };
            config
                .put("nameReference", list![map! { "kind": "ConfigMap", "version": "v1", "fieldSpecs": list![field] }]);
        }
    }
    let file = scene.yaml_file(&config);
    Some(list![file])
}

fn openapi(scene: &mut Scene<'_>) -> Option<Yaml> {
    if scene.choices.chance(30) {
        return Some(map! { "version": "v1.21.2" });
    }
    let merged =
        map! { "type": "array", "x-kubernetes-patch-merge-key": "name", "x-kubernetes-patch-strategy": "merge" };
    let spec = map! { "type": "object", "properties": map! { "b": merged } };
    let gvk = map! { "group": "example.com", "version": "v1", "kind": "Widget" };
    let widget = map! { "properties": map! { "spec": spec }, "x-kubernetes-group-version-kind": list![gvk] };
    let file = scene.yaml_file(&map! { "definitions": map! { "v1.Widget": widget } });
    Some(map! { "path": file })
}

fn crds(scene: &mut Scene<'_>) -> Option<Yaml> {
    let reference = map! {
        "x-kubernetes-object-ref-api-version": "v1",
        "x-kubernetes-object-ref-kind": "ConfigMap",
        "x-kubernetes-object-ref-name-key": "d",
        "type": "object",
    };
    let spec = map! { "Schema": map! { "properties": map! { "c": reference } } };
    let top = map! {
        "apiVersion": map! { "type": "string" },
        "kind": map! { "type": "string" },
        "metadata": map! { "type": "object" },
        "spec": map! { "$ref": "example.com/v1.WidgetSpec" },
    };
    let widget = map! { "Schema": map! { "properties": top } };
    let file = scene.yaml_file(&map! { "example.com/v1.Widget": widget, "example.com/v1.WidgetSpec": spec });
    Some(list![file])
}

fn build_metadata(scene: &mut Scene<'_>) -> Option<Yaml> {
    let words = scene.choices.some(&["originAnnotations", "transformerAnnotations", "managedByLabel", "other"], 1, 2);
    Some(words.into_iter().map(Yaml::from).collect::<Vec<_>>().into())
}

fn sort_options(scene: &mut Scene<'_>) -> Option<Yaml> {
    Some(match scene.choices.below(3) {
        0 => map! { "order": "fifo" },
        1 => map! { "order": "legacy" },
        _ => {
            let order = map! { "orderFirst": list!["Widget", "Secret"], "orderLast": list!["Deployment"] };
            map! { "order": "legacy", "legacySortOptions": order }
        }
    })
}

/// The options of a patch that may rename its target.
fn patch_options(scene: &mut Scene<'_>) -> Yaml {
    match scene.choices.below(3) {
        0 => map! { "allowNameChange": "true" },
        1 => map! { "allowKindChange": "true" },
        _ => map! { "allowNameChange": "true", "allowKindChange": "true" },
    }
}

/// A selector that means `object` and maybe others.
pub(super) fn selector(object: &Object, scene: &mut Scene<'_>) -> Yaml {
    let mut selector = map! {};
    match scene.choices.below(4) {
        0 => selector.put("kind", scene.choices.pick(&[".*Set", "Secret|Role", "Deployment", "ConfigMap"])),
        1 => {}
        _ => selector.put("kind", object.kind),
    }
    match scene.choices.below(4) {
        0 => selector.put("name", scene.choices.pick(&["w.*", "(web|db)", "cache"])),
        1 => {}
        _ => selector.put("name", object.name),
    }
    if scene.choices.chance(10) {
        selector.put("namespace", scene.choices.pick(&["a", "default"]));
    }
    if scene.choices.chance(10) {
        selector.put(
            "labelSelector",
            scene.choices.pick(&[
                "app=a",
                "tier",
                "\"app in (a,b)\"",
                "\"!env\"",
                "\"app!=a,tier\"",
                "\"app>0\"",
                "app=",
            ]),
        );
    }
    if scene.choices.chance(4) {
        selector.put("annotationSelector", scene.choices.pick(&["n1", "n1=a", "\"!n2\""]));
    }
    selector
}
