//! What every kind of golden case shares.

use std::path::Path;

use fairlead_kustomize::{BuildError, Options, build, print};
use fairlead_object::{LocalTree, TreePath};

/// What a build printed, or why it failed: the whole chain of reasons, and the hint.
pub(crate) fn outcome(input: &Path, target: &str, options: &Options) -> Result<String, String> {
    let tree = LocalTree::open(input).map_err(|error| format!("{}: {error}", input.display()))?;
    let directory: TreePath = target.parse().map_err(|error: fairlead_object::PathError| error.to_string())?;
    build(&tree, &directory, options).and_then(|built| print(&built.resources)).map_err(|error| chain(&error))
}

fn chain(error: &BuildError) -> String {
    let mut text = error.to_string();
    let mut next = std::error::Error::source(error);
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    match error.hint() {
        Some(hint) => format!("{text}\nhint: {hint}"),
        None => text,
    }
}
