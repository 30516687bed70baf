//! What must hold for every input, over fixed seeds; builds against `kustomize` itself.

mod differential;
mod properties;
