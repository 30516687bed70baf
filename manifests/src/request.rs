//! What is asked of a build.

use std::collections::BTreeMap;

use fairlead_object::{Digest, TreePath};
use serde::Serialize;

use crate::substitute::{Strategy, Variables};

/// What to build, and what to lay over it: the fields of a Kustomization's `spec` that decide its manifests.
///
/// The default request builds the root of the tree as it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct BuildRequest {
    /// The directory to build.
    pub path: TreePath,
    /// Replaces `namespace` of the root kustomization.
    pub target_namespace: Option<String>,
    /// Replaces `namePrefix` of the root kustomization.
    pub name_prefix: Option<String>,
    /// Replaces `nameSuffix` of the root kustomization.
    pub name_suffix: Option<String>,
    /// Applied after the patches of the root kustomization.
    pub patches: Vec<Patch>,
    /// Merged into the images of the root kustomization, by exact name.
    pub images: Vec<Image>,
    /// Directories of components, relative to [`path`](Self::path), used after those of the root kustomization.
    pub components: Vec<String>,
    /// Whether a component of this request that does not exist is left out; otherwise it is an error.
    pub ignore_missing_components: bool,
    /// Replaces `buildMetadata` of the root kustomization, unless empty.
    pub build_metadata: Vec<BuildMetadata>,
    /// Labels and annotations that every object gets, over those of the same keys.
    pub common_metadata: CommonMetadata,
    /// The order of the objects, where the root kustomization does not say it itself.
    pub order: Order,
    /// Which files a kustomization may name.
    pub files: Files,
    /// Whether objects get the label `app.kubernetes.io/managed-by` unasked.
    pub managed_by_label: ManagedByLabel,
    /// Whose behaviour the build has where they differ.
    pub caller: Caller,
    /// Variables to expand in every object; without it the objects stay as they were built.
    // Its values may be secret: they enter the digest and nothing else.
    #[serde(skip)]
    pub substitution: Option<Substitution>,
}

/// The order of the objects.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Order {
    /// As they were read and made: Flux's order.
    #[default]
    AsWritten,
    /// By kind and name, namespaces first: the order in which `kustomize build` prints them.
    ByKind,
}

/// Which files a kustomization may name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Files {
    /// All of the source: what Flux allows.
    #[default]
    OfSource,
    /// Those in or below its own directory: what `kustomize build` allows.
    BelowRoot,
}

/// Whether objects get the label `app.kubernetes.io/managed-by` unasked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum ManagedByLabel {
    /// Only where a kustomization asks for it by `buildMetadata`.
    #[default]
    WhereAsked,
    /// All objects.
    Always,
}

/// Whose behaviour a build has where Flux and kustomize's command line differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub enum Caller {
    /// Flux, which builds what it then applies: no object twice, no object of kustomize's own.
    #[default]
    Flux,
    /// `kustomize build`, which prints what there is.
    CommandLine,
}

/// A patch and the objects it applies to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Patch {
    /// A strategic merge patch or a list of JSON 6902 operations, as YAML.
    pub patch: String,
    /// The objects to patch; a strategic merge patch without it names its object itself.
    pub target: Option<Selector>,
}

/// Selects objects; an empty field selects all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Selector {
    /// API group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Kind.
    pub kind: String,
    /// A regular expression for the whole name.
    pub name: String,
    /// A regular expression for the whole namespace.
    pub namespace: String,
    /// A label selector, as `app=web,tier!=db`.
    pub label_selector: String,
    /// A selector of the same form for annotations.
    pub annotation_selector: String,
}

/// What to use instead of an image. A field that is absent leaves that part of the image as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Image {
    /// The image without tag and digest.
    pub name: String,
    /// Another image name.
    pub new_name: Option<String>,
    /// Another tag.
    pub new_tag: Option<String>,
    /// A digest to pin, in place of a tag.
    pub digest: Option<String>,
}

/// What kustomize writes into the annotations of the objects that it builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum BuildMetadata {
    /// The file that an object was read from, or the generator that made it.
    OriginAnnotations,
    /// The transformers that an object passed.
    TransformerAnnotations,
}

/// Labels and annotations for every object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct CommonMetadata {
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Annotations.
    pub annotations: BTreeMap<String, String>,
}

/// How variables are expanded in the built objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Substitution {
    /// The variables.
    pub variables: Variables,
    /// What to do when there are none.
    pub strategy: Strategy,
    /// Whether a variable without a value and without a default is an error; otherwise it is empty.
    pub strict: bool,
}

impl BuildRequest {
    /// A request for the directory `path` as it is written.
    pub fn new(path: TreePath) -> Self {
        Self { path, ..Self::default() }
    }

    /// The digest of everything that is asked: equal requests on equal trees build equal manifests.
    pub fn digest(&self) -> Digest {
        let overlay = serde_json::to_vec(self).expect("a request has only texts as keys");
        let mut parts: Vec<&[u8]> = vec![&overlay];
        if let Some(substitution) = &self.substitution {
            parts.push(substitution.strategy.name().as_bytes());
            parts.push(if substitution.strict { b"strict" } else { b"lenient" });
            for (name, value) in substitution.variables.iter() {
                parts.extend([name.as_bytes(), value.as_bytes()]);
            }
        }
        Digest::of_parts(parts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_a_request_is_in_its_digest() {
        let base = BuildRequest::default();
        let with = |change: fn(&mut BuildRequest)| {
            let mut request = base.clone();
            change(&mut request);
            request.digest()
        };
        let variable = |value: &str, strict| {
            let mut variables = Variables::default();
            variables.set("a", value).expect("a name");
            let substitution = Substitution { variables, strict, ..Substitution::default() };
            BuildRequest { substitution: Some(substitution), ..base.clone() }.digest()
        };
        let digests = [
            base.digest(),
            with(|request| request.path = "apps".parse().expect("relative")),
            with(|request| request.target_namespace = Some("shop".into())),
            with(|request| request.name_prefix = Some("shop".into())),
            with(|request| request.name_suffix = Some("shop".into())),
            with(|request| request.patches.push(Patch::default())),
            with(|request| request.images.push(Image::default())),
            with(|request| request.components.push("shop".into())),
            with(|request| request.ignore_missing_components = true),
            with(|request| request.build_metadata.push(BuildMetadata::OriginAnnotations)),
            with(|request| request.order = Order::ByKind),
            with(|request| request.files = Files::BelowRoot),
            with(|request| request.managed_by_label = ManagedByLabel::Always),
            with(|request| request.caller = Caller::CommandLine),
            with(|request| drop(request.common_metadata.labels.insert("a".into(), "b".into()))),
            with(|request| drop(request.common_metadata.annotations.insert("a".into(), "b".into()))),
            with(|request| request.substitution = Some(Substitution::default())),
            variable("1", false),
            variable("1", true),
            variable("2", true),
        ];
        for (at, digest) in digests.iter().enumerate() {
            assert!(!digests[..at].contains(digest), "row {at} has the digest of another");
        }
    }
}
