//! What must hold for every input, over fixed seeds; builds against `kustomize` itself, templates against
//! `helm` itself.

mod cases;
mod charts;
mod differential;
mod properties;
