//! A tree, a request, and what comes of it, in a few lines.

use std::error::Error;

use fairlead_manifests::{BuildRequest, Built, build};
use fairlead_object::{MemoryTree, Tree, TreePath};

/// A tree of the given files.
pub(crate) fn tree(files: &[(impl AsRef<str>, impl AsRef<str>)]) -> MemoryTree {
    let files = files.iter().map(|(path, content)| (path.as_ref(), content.as_ref()));
    MemoryTree::new(files).expect("paths inside of a tree")
}

/// A path below the root.
pub(crate) fn path(written: &str) -> TreePath {
    written.parse().expect("a path inside of a tree")
}

/// A request for `directory` as it is written.
pub(crate) fn request(directory: &str) -> BuildRequest {
    BuildRequest::new(path(directory))
}

/// What the root of `files` builds to, as it is printed.
pub(crate) fn printed(files: &[(impl AsRef<str>, impl AsRef<str>)]) -> String {
    outcome(&tree(files), &BuildRequest::default(), Built::text)
}

/// The objects that `directory` of `tree` builds to, each with where it was written, a line each.
pub(crate) fn listed(tree: &dyn Tree, directory: &str) -> String {
    outcome(tree, &request(directory), |built| {
        let lines = built.manifests.iter().map(|manifest| format!("{}  {}\n", manifest.id(), manifest.origin()));
        lines.collect()
    })
}

/// What `show` shows of the build; or its error, as a person reads it.
pub(crate) fn outcome(tree: &dyn Tree, request: &BuildRequest, show: impl FnOnce(&Built) -> String) -> String {
    match build(tree, request) {
        Ok(built) => show(&built),
        Err(error) => {
            let mut lines = vec![format!("error: {error}\n")];
            let mut cause = error.source();
            while let Some(source) = cause {
                lines.push(format!("  caused by: {source}\n"));
                cause = source.source();
            }
            lines.extend(error.hint().map(|hint| format!("hint: {hint}\n")));
            lines.concat()
        }
    }
}

/// A `ConfigMap` without data.
pub(crate) fn config_map(name: &str) -> String {
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {name}\n")
}
