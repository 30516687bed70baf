//! The kustomization that a build begins with: the one that stands in the directory, or one that lists its manifests;
//! and what a request lays over it.
//!
//! # Follows Flux
//! A directory without a kustomization file is walked by name in byte order, hidden entries included. A directory below
//! it that has one is built as it says; every other file that ends in `.yaml` or `.yml` must hold Kubernetes objects.
//! A directory in which nothing is found builds to nothing. No source has a `.git`, and that of a checkout is passed over.

use fairlead_kustomize::{At, FILE_NAMES, Kustomization, Located, is_repository};
use fairlead_object::{EntryKind, Tree, TreePath};

use crate::{BuildError, BuildMetadata, BuildRequest, Image, Patch, Selector, limits::DIRECTORY_LIMIT_DEPTH};

/// The kustomization that a build begins with.
pub(crate) enum Root {
    /// It stands in the directory.
    Written(Kustomization),
    /// It was made for a directory that has none.
    Generated(Kustomization),
}

impl Root {
    /// The kustomization of `directory`.
    pub(crate) fn of(tree: &dyn Tree, directory: &TreePath) -> Result<Self, BuildError> {
        match tree.entry(directory)?.map(|entry| entry.kind) {
            None => Err(BuildError::PathMissing(directory.clone())),
            Some(EntryKind::File) => Err(BuildError::PathNotDirectory(directory.clone())),
            Some(EntryKind::Directory) => match Kustomization::find(tree, directory) {
                Ok(Some(written)) => Ok(Self::Written(written)),
                Ok(None) => Ok(Self::Generated(plain(tree, directory)?)),
                // Flux writes into the file before it is built, so that it is never empty.
                Err(fairlead_kustomize::BuildError::EmptyKustomization { .. }) => {
                    Ok(Self::Written(Kustomization::generated(directory)))
                }
                Err(error) => Err(error.into()),
            },
        }
    }

    /// The kustomization with what `request` lays over it.
    pub(crate) fn with_overlay(&self, tree: &dyn Tree, request: &BuildRequest) -> Result<Kustomization, BuildError> {
        let (Self::Written(root) | Self::Generated(root)) = self;
        let mut kustomization = root.clone();
        let fields = &mut kustomization.fields;
        replace(&mut fields.namespace, request.target_namespace.as_ref(), "spec.targetNamespace");
        replace(&mut fields.name_prefix, request.name_prefix.as_ref(), "spec.namePrefix");
        replace(&mut fields.name_suffix, request.name_suffix.as_ref(), "spec.nameSuffix");
        fields.patches.extend(located(request.patches.iter(), "spec.patches").map(kustomize_patch));
        fields.components.extend(components(tree, request)?);
        merge_images(&mut fields.images, &request.images);
        if !request.build_metadata.is_empty() {
            fields.build_metadata = request.build_metadata.iter().map(|note| note_name(*note).to_owned()).collect();
        }
        Ok(kustomization)
    }

    /// What `error` of the build means to who wrote the directory. A generated kustomization is no file that anyone
    /// wrote: what failed is the entry that it lists.
    pub(crate) fn explain(&self, error: fairlead_kustomize::BuildError) -> BuildError {
        use fairlead_kustomize::{
            BuildError::{NeitherFileNorDirectory, Resource},
            LoadError::NotAFile,
        };
        match (self, error) {
            (Self::Written(_), error) => BuildError::Kustomize(error),
            (Self::Generated(_), Resource { source, .. }) => BuildError::PlainFile(*source),
            (Self::Generated(_), NeitherFileNorDirectory { as_file, source, .. }) => match *as_file {
                NotAFile { .. } => BuildError::PlainFile((*source).into()),
                as_file => BuildError::PlainFile(as_file.into()),
            },
            (Self::Generated(_), error) => BuildError::PlainFile(error),
        }
    }
}

/// A kustomization that lists the manifests of a directory without one.
fn plain(tree: &dyn Tree, directory: &TreePath) -> Result<Kustomization, BuildError> {
    let mut found = Vec::new();
    walk(tree, directory, 0, &mut found)?;
    let mut kustomization = Kustomization::generated(directory);
    let depth = directory.parts().count();
    kustomization.fields.resources = found
        .into_iter()
        .map(|path| {
            let below: Vec<&str> = path.parts().skip(depth).collect();
            Located::new(At::line(&path, 1), format!("./{}", below.join("/")))
        })
        .collect();
    Ok(kustomization)
}

/// Adds the files and directories below `directory` that are to be built, in order.
fn walk(tree: &dyn Tree, directory: &TreePath, depth: usize, found: &mut Vec<TreePath>) -> Result<(), BuildError> {
    if depth > DIRECTORY_LIMIT_DEPTH {
        return Err(BuildError::TooDeep { directory: directory.clone() });
    }
    for entry in tree.list(directory)? {
        let path = directory.join(&entry.name);
        match entry.kind {
            EntryKind::File if matches!(entry.name.rsplit_once('.'), Some((_, "yaml" | "yml"))) => found.push(path),
            EntryKind::File => {}
            EntryKind::Directory if entry.name == ".git" => {}
            EntryKind::Directory if has_kustomization(tree, &path)? => found.push(path),
            EntryKind::Directory => walk(tree, &path, depth + 1, found)?,
        }
    }
    Ok(())
}

fn has_kustomization(tree: &dyn Tree, directory: &TreePath) -> Result<bool, BuildError> {
    for name in FILE_NAMES {
        if tree.entry(&directory.join(name))?.is_some() {
            return Ok(true);
        }
    }
    Ok(false)
}

fn replace(field: &mut Option<Located<String>>, value: Option<&String>, name: &str) {
    if let Some(value) = value {
        *field = Some(Located::new(At::field(name), value.clone()));
    }
}

/// Values of the list `name` of a Kustomization's spec, each with its place in it.
fn located<T>(values: impl Iterator<Item = T>, name: &str) -> impl Iterator<Item = Located<T>> {
    values.enumerate().map(move |(at, value)| Located::new(At::field(format!("{name}[{at}]")), value))
}

/// The components of `request`, less those that may be missing and are.
fn components(tree: &dyn Tree, request: &BuildRequest) -> Result<Vec<Located<String>>, BuildError> {
    let mut components = Vec::new();
    for component in located(request.components.iter().cloned(), "spec.components") {
        let is_missing = match TreePath::parse(&request.path, &component) {
            Ok(path) => !is_repository(&component) && tree.entry(&path)?.is_none(),
            // What is no path at all is refused where it is read.
            Err(_) => false,
        };
        if !(is_missing && request.ignore_missing_components) {
            components.push(component);
        }
    }
    Ok(components)
}

/// Merges `images` into those of the root by exact name; tag and digest are one, so that either replaces both.
fn merge_images(written: &mut Vec<Located<fairlead_kustomize::Image>>, images: &[Image]) {
    for image in located(images.iter(), "spec.images") {
        let position = written.iter().position(|entry| entry.name == image.name).unwrap_or_else(|| {
            let name = image.name.clone();
            let unchanged = fairlead_kustomize::Image { name, ..fairlead_kustomize::Image::default() };
            written.push(Located::new(image.at.clone(), unchanged));
            written.len() - 1
        });
        let entry = &mut written[position];
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        let (name, tag, digest) = (text(&image.new_name), text(&image.new_tag), text(&image.digest));
        if !name.is_empty() {
            entry.new_name = name;
        }
        if !(tag.is_empty() && digest.is_empty()) {
            (entry.new_tag, entry.digest) = (tag, digest);
        }
    }
}

fn kustomize_patch(patch: Located<&Patch>) -> Located<fairlead_kustomize::Patch> {
    let Located { at, value: Patch { patch, target } } = patch;
    let target = target.as_ref().map(kustomize_selector);
    let patch = Some(Located::new(at.clone(), patch.clone()));
    Located::new(at, fairlead_kustomize::Patch { patch, target, ..fairlead_kustomize::Patch::default() })
}

fn kustomize_selector(selector: &Selector) -> fairlead_kustomize::Selector {
    let Selector { group, version, kind, name, namespace, label_selector, annotation_selector } = selector.clone();
    fairlead_kustomize::Selector { group, version, kind, name, namespace, label_selector, annotation_selector }
}

fn note_name(note: BuildMetadata) -> &'static str {
    match note {
        BuildMetadata::OriginAnnotations => "originAnnotations",
        BuildMetadata::TransformerAnnotations => "transformerAnnotations",
    }
}
