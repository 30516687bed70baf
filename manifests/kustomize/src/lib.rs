//! kustomize in this process: a directory of a source tree to the resources that `kustomize build` prints for it, byte
//! for byte.
//!
//! A build is a pipeline. [`build`] finds the kustomization of a directory and accumulates it: its files and bases are
//! read, objects are generated, components join in, transformers change what is there. What concerns all objects at
//! once comes last: name hashes, references to names, variables, order. Every stage is a file of this crate; which
//! fields a stage touches is data ([`FieldSpec`]).
//!
//! Nothing here fetches, starts a process or reads a clock: files come from the [`Tree`](fairlead_object::Tree) that the
//! caller passes, so that a recorder around it knows what a build depends on.

mod accumulate;
mod at;
mod build;
mod charts;
mod config;
mod crds;
mod decode;
mod defaults;
mod error;
mod field_path;
mod field_spec;
mod generate;
mod hash;
mod id;
mod json_patch;
mod kustomization;
mod label_selector;
mod load;
mod merge;
mod name_reference;
mod node;
mod parse;
mod plugin;
mod provenance;
mod remote;
mod resource;
mod resources;
mod schema;
mod selector;
mod shared;
mod sort;
mod transform;
mod vars;

pub use accumulate::MAX_KUSTOMIZATIONS;
pub use at::{At, Located};
pub use build::{Built, ManagedByLabel, Manager, Options, Order, build, build_with, print};
pub use charts::{ChartOutput, ChartPart, ChartRelease, RenderChart, ValuesFile};
pub use error::{AbsorbProblem, BuildError, LoadError, PatchError, PluginError, ReferenceError};
pub use field_spec::FieldSpec;
pub use json_patch::MAX_COPIED_BYTES;
pub use kustomization::{
    FILE_NAMES, FieldOptions, FieldReference, Fields, Generator, GeneratorOptions, HelmChart, HelmChartArgs,
    HelmGlobals, Image, Kind, Kustomization, Label, LegacySortOptions, ObjectReference, Patch, PatchOptions,
    Replacement, ReplacementSource, ReplacementTarget, Replica, Selector, SortOptions, Var,
};
pub use load::{LoadRestrictions, MAX_DEPTH};
pub use remote::is_repository;
pub use resource::{Resource, ToManifestError};
pub use resources::{MAX_ADDED_BYTES, MAX_RESOURCES};
pub use schema::BuiltInTypes;
