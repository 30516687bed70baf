//! Where the built objects go, and how they are written.

use std::{
    borrow::Cow,
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use fairlead_object::Manifest;
use serde_json::{Value, json};

use super::origins::{self, Origins};
use crate::{
    local,
    output::{CommandError, print, print_parts},
    shown_paths::ShownPaths,
};

/// Where the built objects go, and how they are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    /// As `kustomize build` prints them.
    Documents(Place),
    /// To standard output, as the list that `kubectl -o json` prints.
    Json,
    /// Into a directory, a file for each.
    Directory(PathBuf),
}

/// Where a text goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// To standard output.
    Output,
    /// To a file.
    File(PathBuf),
}

impl Destination {
    /// What `-o` means: a format where nothing of that name is there to write to, else a path.
    pub(super) fn of(written: Option<&Path>) -> Self {
        let Some(path) = written else { return Self::Documents(Place::Output) };
        if path.is_dir() {
            return Self::Directory(path.to_owned());
        }
        match path.as_os_str().to_str() {
            Some("yaml") if !path.exists() => Self::Documents(Place::Output),
            Some("json") if !path.exists() => Self::Json,
            Some(_) | None => Self::Documents(Place::File(path.to_owned())),
        }
    }

    /// Writes `manifests`, as `shown`.
    pub(super) fn write(&self, manifests: &[Manifest], shown: Shown<'_>) -> Result<(), CommandError> {
        match self {
            Self::Documents(place) => place.write(shown.documents(manifests)),
            Self::Json => print(&shown.json(manifests)?),
            Self::Directory(folder) => write_files(folder, manifests, shown),
        }
    }
}

impl Place {
    /// Writes a text that is made in `parts`.
    pub(super) fn write(&self, parts: impl Iterator<Item = Cow<'static, str>>) -> Result<(), CommandError> {
        match self {
            Self::Output => print_parts(parts),
            Self::File(file) => Ok(local::write(file, &parts.collect::<String>())?),
        }
    }
}

/// YAML documents, with a separator above all but the first.
pub(super) fn separated(documents: impl Iterator<Item = String>) -> impl Iterator<Item = Cow<'static, str>> {
    documents.enumerate().flat_map(|(index, document)| {
        let separator = (index > 0).then_some(Cow::Borrowed("---\n"));
        separator.into_iter().chain([Cow::Owned(document)])
    })
}

/// What is shown of the built objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown<'a> {
    /// They themselves.
    Objects,
    /// Where each of their fields was written.
    Origins(&'a ShownPaths),
}

impl Shown<'_> {
    /// The objects as one stream of YAML, in parts.
    pub(super) fn documents(self, manifests: &[Manifest]) -> impl Iterator<Item = Cow<'static, str>> {
        separated(manifests.iter().map(move |manifest| self.document(manifest)))
    }

    /// One object as YAML.
    pub(super) fn document(self, manifest: &Manifest) -> String {
        match self {
            Self::Objects => fairlead_yaml::emit_object(manifest.body()),
            Self::Origins(paths) => origins::annotated(manifest, paths),
        }
    }

    fn json(self, manifests: &[Manifest]) -> Result<String, CommandError> {
        let text = match self {
            Self::Objects => list(manifests),
            Self::Origins(paths) => serde_json::to_string_pretty(&Origins::of(manifests, paths)),
        };
        Ok(text? + "\n")
    }
}

/// The objects as one `List`, whatever their number.
fn list(manifests: &[Manifest]) -> serde_json::Result<String> {
    let items: Vec<Value> = manifests.iter().map(Manifest::to_value).collect();
    serde_json::to_string_pretty(&json!({ "apiVersion": "v1", "kind": "List", "items": items }))
}

/// Writes a file for each object, under kustomize's names.
fn write_files(folder: &Path, manifests: &[Manifest], shown: Shown<'_>) -> Result<(), CommandError> {
    let namespaces: BTreeSet<_> = manifests.iter().filter_map(|manifest| manifest.id().namespace.as_ref()).collect();
    for manifest in manifests {
        let namespace = manifest.id().namespace.as_deref().filter(|_| namespaces.len() > 1);
        let file = folder.join(file_name(manifest, namespace));
        local::write(&file, &shown.document(manifest))?;
    }
    Ok(())
}

/// The name of an object's file, which begins with `namespace` where there is more than one.
fn file_name(manifest: &Manifest, namespace: Option<&str>) -> String {
    let (gvk, name) = (manifest.gvk(), &manifest.id().name);
    let kind = [&gvk.group, &gvk.version, &gvk.kind].map(String::as_str).into_iter().filter(|part| !part.is_empty());
    let parts = namespace.into_iter().chain(kind).chain([name.as_str()]);
    format!("{}.yaml", parts.collect::<Vec<_>>().join("_")).to_lowercase()
}
