//! What must hold for every input. A property panics when it does not hold.
//!
//! Each is a function from bytes, so that a fuzzer can drive it; the tests of this crate run the same functions over
//! seeds and over everything that was ever found.

use fairlead_kustomize::{Manager, Options, Order, build, print};
use fairlead_object::{Tree, TreePath};
use fairlead_yaml::{Schema, documents, emit, emit_json, parse};

use crate::{Choices, Source, generate, mutate};

const SCHEMAS: [Schema; 2] = [Schema::Kyaml, Schema::SigsYaml];

/// Any text is read or refused, and what was read has a meaning or none, without a panic.
pub(crate) fn parser(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    drop(documents(&text));
    for node in parse(&text).unwrap_or_default() {
        for schema in SCHEMAS {
            if let Ok(json) = node.to_json(schema) {
                let printed = emit_json(&json);
                assert_eq!(read(&printed, Schema::SigsYaml), Ok(json), "{printed}");
            }
        }
    }
}

/// A tree is written so that it is read back with the same meaning.
pub(crate) fn emitter(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for node in parse(&text).unwrap_or_default() {
        let written = emit(&node);
        let mut again = parse(&written).unwrap_or_else(|error| panic!("{error}\n{written}"));
        assert_eq!(again.len(), 1, "one document:\n{written}");
        let again = again.remove(0);
        if let Ok(json) = node.to_json(Schema::Kyaml) {
            assert_eq!(again.to_json(Schema::Kyaml), Ok(json), "the meaning of\n{written}");
        }
    }
}

/// A patch is applied to an object, or refused.
pub(crate) fn patch(bytes: &[u8]) {
    builds(&generate::patched(&mut Choices::given(bytes)));
}

/// A tree of kustomizations is built, or refused. The first byte says how much is spoilt after it was generated.
pub(crate) fn tree(bytes: &[u8]) {
    let (spoilt, bytes) = bytes.split_first().unwrap_or((&0, &[]));
    let mut choices = Choices::given(bytes);
    let mut source = generate::tree(&mut choices);
    for _ in 0..spoilt % 8 {
        mutate::spoil(&mut source, &mut choices);
    }
    builds(&source);
}

/// Equal inputs give equal bytes, and what was printed is built to itself.
pub fn builds(source: &Source) {
    let Ok(printed) = build_to_text(&source.tree(), &source.directory()) else { return };
    assert_eq!(build_to_text(&source.tree(), &source.directory()).as_ref(), Ok(&printed), "built again");
    for document in parse(&printed).unwrap_or_else(|error| panic!("{error}\n{printed}")) {
        let json = document.to_json(Schema::SigsYaml).unwrap_or_else(|error| panic!("{error}\n{printed}"));
        assert!(printed.contains(&emit_json(&json)), "printed again:\n{}\nof\n{printed}", emit_json(&json));
    }
}

/// What a build prints, or the first line of why it fails.
pub fn build_to_text(tree: &dyn Tree, directory: &TreePath) -> Result<String, String> {
    let options = Options { order: Order::Legacy, manager: Manager::Release, ..Options::default() };
    build(tree, directory, &options).and_then(|built| print(&built.resources)).map_err(|error| {
        let mut text = error.to_string();
        let mut next = std::error::Error::source(&error);
        while let Some(source) = next {
            text = format!("{text}: {source}");
            next = source.source();
        }
        text
    })
}

fn read(text: &str, schema: Schema) -> Result<serde_json::Value, String> {
    let nodes = parse(text).map_err(|error| error.to_string())?;
    let [node] = nodes.as_slice() else { return Err(format!("{} documents", nodes.len())) };
    node.to_json(schema).map_err(|error| error.to_string())
}
