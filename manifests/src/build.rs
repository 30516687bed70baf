//! The build: from a tree to objects, in one pass and in the order in which they are written.

use std::collections::HashMap;

use fairlead_kustomize::{BuiltInTypes, LoadRestrictions, Manager, Options, Resource};
use fairlead_object::{Digest, Manifest, ObjectId, Origin, Place, Recorder, Tree, pointer_to};
use fairlead_yaml::emit_object;

use crate::{
    BuildError, BuildInputs, BuildRequest, Caller, CommonMetadata, Duplicate, Files, ManagedByLabel, Order, inflation,
    limits::Bounded, root::Root, substitute::substitute,
};

/// What a build made.
#[derive(Clone, Debug)]
pub struct Built {
    /// The objects, in the order in which they were built. No two have the same id, unless the caller was the command line.
    pub manifests: Vec<Manifest>,
    /// What they depend on.
    pub inputs: BuildInputs,
    /// What kustomize prints on stderr about deprecated fields, a line each.
    pub warnings: Vec<String>,
}

/// A build that failed.
#[derive(Debug)]
pub struct FailedBuild {
    /// Why.
    pub error: BuildError,
    /// What it depended on.
    pub inputs: BuildInputs,
}

/// Builds what `request` asks for from `tree`. Equal inputs give equal manifests, byte for byte.
///
/// # Follows Flux
/// A kustomization may name every file of the tree, not only those below its own directory. Variables get their values
/// after the build, each object on its own. kustomize's own `Kustomization` objects are left out.
pub fn build(tree: &dyn Tree, request: &BuildRequest) -> Result<Built, BuildError> {
    attempt(tree, request).map_err(|failed| failed.error)
}

/// Builds as [`build`] does, and says what that depends on even if it fails: whoever waits for the mistake to be put
/// right knows what to watch.
pub fn attempt(tree: &dyn Tree, request: &BuildRequest) -> Result<Built, Box<FailedBuild>> {
    let bounded = Bounded::new(tree);
    let recorder = Recorder::new(&bounded);
    let outcome = manifests(&recorder, request);
    let inputs = BuildInputs::new(request, recorder.into_reads());
    match outcome {
        Ok((manifests, warnings)) => Ok(Built { manifests, inputs, warnings }),
        Err(error) => Err(Box::new(FailedBuild { error, inputs })),
    }
}

impl Built {
    /// The objects as `kustomize build` prints them: YAML documents with sorted keys, separated by `---`.
    pub fn text(&self) -> String {
        self.manifests.iter().map(|manifest| emit_object(manifest.body())).collect::<Vec<_>>().join("---\n")
    }

    /// The digest of [`text`](Self::text), as `status.history` records it.
    pub fn digest(&self) -> Digest {
        Digest::of(self.text().as_bytes())
    }
}

/// Builds `request` for someone who only shows the objects: each is let go once `show` has its text, and the warnings
/// come beside.
pub fn render(
    tree: &dyn Tree,
    request: &BuildRequest,
    show: impl FnMut(Manifest) -> String,
) -> Result<(Vec<String>, Vec<String>), BuildError> {
    each(&Bounded::new(tree), request, show)
}

/// The objects, and the warnings.
fn manifests(tree: &dyn Tree, request: &BuildRequest) -> Result<(Vec<Manifest>, Vec<String>), BuildError> {
    let (manifests, warnings) = each(tree, request, |manifest| manifest)?;
    match request.caller {
        Caller::Flux => refuse_duplicates(&manifests)?,
        Caller::CommandLine => {}
    }
    Ok((manifests, warnings))
}

/// What `make` makes of each object, and the warnings.
fn each<T>(
    tree: &dyn Tree,
    request: &BuildRequest,
    mut make: impl FnMut(Manifest) -> T,
) -> Result<(Vec<T>, Vec<String>), BuildError> {
    let root = Root::of(tree, &request.path)?;
    let kustomization = root.with_overlay(tree, request)?;
    let built = fairlead_kustomize::build_with(tree, &request.path, &kustomization, &options(request));
    let built = built.map_err(|error| root.explain(error))?;
    let mut made = Vec::with_capacity(built.resources.len());
    // One form of an object is let go before the next one is made in its second form.
    for resource in built.resources {
        let manifest = manifest(&resource, &root, request.caller)?;
        if request.caller == Caller::CommandLine || !is_kustomization_file(&manifest) {
            made.push(make(finish(manifest, request)?));
        }
    }
    Ok((made, built.warnings))
}

fn options(request: &BuildRequest) -> Options {
    let (manager, built_in_types) = match request.caller {
        Caller::Flux => (Manager::Library, BuiltInTypes::Kept),
        Caller::CommandLine => (Manager::Release, BuiltInTypes::Forgotten),
    };
    Options {
        load_restrictions: match request.files {
            Files::OfSource => LoadRestrictions::None,
            Files::BelowRoot => LoadRestrictions::Root,
        },
        order: match request.order {
            Order::AsWritten => fairlead_kustomize::Order::Fifo,
            Order::ByKind => fairlead_kustomize::Order::Legacy,
        },
        managed_by_label: match request.managed_by_label {
            ManagedByLabel::WhereAsked => fairlead_kustomize::ManagedByLabel::WhereAsked,
            ManagedByLabel::Always => fairlead_kustomize::ManagedByLabel::Always,
        },
        manager,
        built_in_types,
        charts: Some(inflation::inflate),
    }
}

/// The object that `resource` has become. A generated root is no file that anyone could look into.
fn manifest(resource: &Resource, root: &Root, caller: Caller) -> Result<Manifest, BuildError> {
    let manifest = match caller {
        Caller::Flux => resource.to_manifest()?,
        Caller::CommandLine => resource.to_printed()?,
    };
    match root {
        Root::Written(_) => Ok(manifest),
        Root::Generated(generated) => {
            let mut origin = manifest.origin().clone();
            origin.overlays.retain(|overlay| *overlay != generated.file);
            Ok(manifest.with_origin(origin))
        }
    }
}

fn is_kustomization_file(manifest: &Manifest) -> bool {
    let id = manifest.id();
    id.kind == "Kustomization" && id.group == "kustomize.config.k8s.io"
}

fn finish(manifest: Manifest, request: &BuildRequest) -> Result<Manifest, BuildError> {
    let mut manifest = match &request.substitution {
        Some(substitution) => substitute(manifest, substitution)?,
        None => manifest,
    };
    let CommonMetadata { labels, annotations } = &request.common_metadata;
    for (map, entries) in [("labels", labels), ("annotations", annotations)] {
        for key in entries.keys() {
            let pointer = pointer_to(&format!("/metadata/{map}"), key);
            manifest.note_change(&pointer, Place::field("spec.commonMetadata"));
        }
    }
    manifest.set_labels(labels.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    manifest.set_annotations(annotations.iter().map(|(key, value)| (key.as_str(), value.as_str())));
    Ok(manifest)
}

/// An object that is written twice would be applied twice, the second time over the first.
fn refuse_duplicates(manifests: &[Manifest]) -> Result<(), BuildError> {
    let mut seen: HashMap<&ObjectId, &Origin> = HashMap::with_capacity(manifests.len());
    for manifest in manifests {
        if let Some(first) = seen.insert(manifest.id(), manifest.origin()) {
            let (id, second) = (manifest.id().clone(), manifest.origin().clone());
            return Err(Box::new(Duplicate { id, first: first.clone(), second }).into());
        }
    }
    Ok(())
}
