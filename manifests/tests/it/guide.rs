//! What `docs/build.md` promises.

use std::{fs, path::Path};

use fairlead_manifests::{
    DIRECTORY_LIMIT_DEPTH, READ_LIMIT_BYTES, READ_LIMIT_ENTRIES, Variables,
    substitute::{NESTING_LIMIT, OUTPUT_LIMIT_BYTES, PATTERN_LIMIT_STEPS, Unset, expand},
};
use fairlead_object::LocalTree;

fn guide() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/build.md");
    fs::read_to_string(path).expect("the guide")
}

#[test]
fn its_examples_of_variables_are_true() {
    let mut variables = Variables::default();
    variables.set("v", "abcdef").expect("a name");
    let guide = guide();
    // An example is written as `…` is `…`.
    let quoted: Vec<&str> =
        guide.lines().filter(|line| line.starts_with('|')).flat_map(|line| line.split('`')).collect();
    let examples: Vec<_> = quoted.windows(3).filter(|window| window[1] == " is ").collect();
    assert_eq!(examples.len(), 11);
    for example in examples {
        assert_eq!(expand(example[0], &variables, Unset::Refused).as_deref(), Ok(example[2]), "{}", example[0]);
    }
}

#[test]
fn its_limits_are_the_constants() {
    let mebibytes = |bytes: u64| format!("{} MiB", bytes >> 20);
    let rows = [
        ("READ_LIMIT_ENTRIES", format!("{} 000", READ_LIMIT_ENTRIES / 1000)),
        ("READ_LIMIT_BYTES", mebibytes(READ_LIMIT_BYTES)),
        ("DIRECTORY_LIMIT_DEPTH", DIRECTORY_LIMIT_DEPTH.to_string()),
        ("FILE_LIMIT_BYTES", mebibytes(LocalTree::FILE_LIMIT_BYTES)),
        ("fairlead_kustomize::MAX_DEPTH", fairlead_kustomize::MAX_DEPTH.to_string()),
        ("MAX_KUSTOMIZATIONS", format!("{} 000", fairlead_kustomize::MAX_KUSTOMIZATIONS / 1000)),
        ("MAX_RESOURCES", format!("{} 000", fairlead_kustomize::MAX_RESOURCES / 1000)),
        ("MAX_ADDED_BYTES", mebibytes(fairlead_kustomize::MAX_ADDED_BYTES as u64)),
        ("MAX_COPIED_BYTES", mebibytes(fairlead_kustomize::MAX_COPIED_BYTES as u64)),
        ("fairlead_yaml::MAX_DEPTH", fairlead_yaml::MAX_DEPTH.to_string()),
        ("MAX_ALIASED_NODES", format!("{} 000", fairlead_yaml::MAX_ALIASED_NODES / 1000)),
        ("MAX_ALIASED_BYTES", mebibytes(fairlead_yaml::MAX_ALIASED_BYTES as u64)),
        ("NESTING_LIMIT", NESTING_LIMIT.to_string()),
        ("PATTERN_LIMIT_STEPS", format!("{} million", PATTERN_LIMIT_STEPS / 1_000_000)),
        ("OUTPUT_LIMIT_BYTES", mebibytes(OUTPUT_LIMIT_BYTES as u64)),
    ];
    let guide = guide();
    for (constant, value) in rows {
        let row = guide.lines().find(|line| line.contains(constant)).expect(constant);
        let values = row.split('|').nth(2).expect("a value");
        assert!(values.split(',').any(|written| written.trim() == value), "{constant} is {value}: {row}");
    }
}
