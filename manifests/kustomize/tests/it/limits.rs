//! What a hostile tree can cost: each limit has an error that names it.

use std::fmt::Write as _;

use fairlead_kustomize::{MAX_ADDED_BYTES, MAX_DEPTH, MAX_KUSTOMIZATIONS, MAX_RESOURCES, Options, build};
use fairlead_object::{MemoryTree, TreePath};

/// The innermost reason why the tree of `files` does not build.
fn error(files: &[(String, String)]) -> String {
    let tree = MemoryTree::new(files.iter().map(|(path, text)| (path.as_str(), text.as_str()))).expect("paths");
    let error = build(&tree, &TreePath::root(), &Options::default()).expect_err("the build is refused");
    let mut error: &dyn std::error::Error = &error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

fn file(path: impl Into<String>, text: impl Into<String>) -> (String, String) {
    (path.into(), text.into())
}

#[test]
fn bases_are_nested_as_deeply_as_a_build_follows_them() {
    let mut files = vec![file("kustomization.yaml", "resources: [b1]\n")];
    let mut folder = String::new();
    for depth in 1..=MAX_DEPTH {
        write!(folder, "b{depth}/").expect("a text grows");
        files.push(file(format!("{folder}kustomization.yaml"), format!("resources: [b{}]\n", depth + 1)));
    }
    write!(folder, "b{}/", MAX_DEPTH + 1).expect("a text grows");
    files.push(file(format!("{folder}kustomization.yaml"), "namePrefix: x-\n"));
    let expected = format!("kustomization.yaml:1: bases are nested more than {MAX_DEPTH} deep");
    assert!(error(&files).ends_with(&expected), "{}", error(&files));
}

#[test]
fn a_kustomization_that_is_reached_along_many_ways_counts_each_time() {
    let levels = MAX_KUSTOMIZATIONS.ilog2() + 1;
    let twice = |next: u32| format!("resources: [../l{next}, ../l{next}]\n");
    let mut files: Vec<_> =
        (1..levels).map(|level| file(format!("l{level}/kustomization.yaml"), twice(level + 1))).collect();
    files.push(file(format!("l{levels}/kustomization.yaml"), "namePrefix: x-\n"));
    files.push(file("kustomization.yaml", "resources: [l1]\n"));
    let expected = format!(": the build accumulates more than {MAX_KUSTOMIZATIONS} kustomizations");
    assert!(error(&files).ends_with(&expected), "{}", error(&files));
}

#[test]
fn there_are_as_many_objects_as_a_build_holds() {
    let object = |number: usize| format!("---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: c{number}}}}}\n");
    let all: String = (0..=MAX_RESOURCES).map(object).collect();
    let files = [file("all.yaml", all), file("kustomization.yaml", "resources: [all.yaml]\n")];
    let expected = format!("all.yaml:{}: the build has more than {MAX_RESOURCES} resources", 2 * (MAX_RESOURCES + 1));
    assert_eq!(error(&files), expected);
}

#[test]
fn replacements_that_double_an_object_are_stopped() {
    let widget =
        "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: one}\nspec: {a: [1, 2, 3, 4, 5, 6, 7, 8, 9]}\n";
    let mut kustomization = "resources: [widget.yaml]\nreplacements:\n".to_owned();
    for number in 0..20 {
        write!(
            kustomization,
            "- source: {{kind: Widget, fieldPath: spec}}\n  targets:\n  - select: {{kind: Widget}}\n    \
             fieldPaths: [spec.x{number}]\n    options: {{create: true}}\n"
        )
        .expect("a text grows");
    }
    let files = [file("widget.yaml", widget), file("kustomization.yaml", kustomization)];
    assert!(error(&files).ends_with(": replacements copy more than 67108864 bytes"), "{}", error(&files));
}

#[test]
fn what_is_written_once_is_put_into_objects_only_so_often() {
    let objects = 2000;
    let object = |number: usize| format!("---\n{{apiVersion: v1, kind: ConfigMap, metadata: {{name: c{number}}}}}\n");
    let all: String = (0..objects).map(object).collect();
    let long = "x".repeat(MAX_ADDED_BYTES / objects + 1);
    let rows = [
        ("prefix", format!("namePrefix: {long}\n")),
        ("labels", format!("labels:\n- pairs: {{a: {long}}}\n")),
        ("annotations", format!("commonAnnotations: {{a: {long}}}\n")),
        (
            "a merge",
            format!(
                "patches:\n- target: {{kind: ConfigMap}}\n  patch: '{{kind: ConfigMap, metadata: {{name: a}}, data: {{a: {long}}}}}'\n"
            ),
        ),
    ];
    for (what, fields) in rows {
        let kustomization = format!("resources: [all.yaml]\n{fields}");
        let files = [file("all.yaml", all.as_str()), file("kustomization.yaml", kustomization)];
        let expected = format!(": overlays add more than {MAX_ADDED_BYTES} bytes to what they are made of");
        assert!(error(&files).ends_with(&expected), "{what}: {:.200}", error(&files));
    }
}

#[test]
fn definitions_that_lead_to_each_other_again_and_again_are_stopped() {
    let crds = |types: usize, fields: usize| {
        let mut text =
            "{\"v1.Widget\": {\"Schema\": {\"properties\": {\"apiVersion\": {}, \"kind\": {}, \"metadata\": {}, \
             \"spec\": {\"$ref\": \"t0\"}}}}"
                .to_owned();
        for number in 0..types {
            let reference = |field: usize| format!("\"f{field}\": {{\"$ref\": \"t{}\"}}", number + 1);
            let fields: Vec<_> = (0..fields).map(reference).collect();
            write!(text, ", \"t{number}\": {{\"Schema\": {{\"properties\": {{{}}}}}}}", fields.join(", "))
                .expect("a text grows");
        }
        write!(text, ", \"t{types}\": {{\"Schema\": {{\"properties\": {{}}}}}}}}").expect("a text grows");
        [file("crds.json", text), file("kustomization.yaml", "crds: [crds.json]\n")]
    };
    let expected = "crds.json:1: the definitions are nested more than 64 deep, or have more than 100000 fields along all ways to them";
    assert_eq!(error(&crds(65, 1)), expected, "deep");
    assert_eq!(error(&crds(17, 2)), expected, "wide");
}
