//! From a source tree to manifests: the one entry point over plain directories, kustomize overlays, Flux's overlay of
//! a Kustomization's `spec`, the substitution of variables, and charts.
//!
//! [`build`] is a pure function of a [`Tree`](fairlead_object::Tree) and a [`BuildRequest`]. What it returns says
//! where each object was written and what the build has looked at, so that a later revision that changed none of it
//! need not be built at all.
//!
//! ```
//! use fairlead_manifests::{BuildRequest, build};
//! use fairlead_object::MemoryTree;
//!
//! let tree = MemoryTree::new([
//!     ("apps/kustomization.yaml", "namespace: shop\nresources: [web.yaml]\n"),
//!     ("apps/web.yaml", "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\n"),
//! ])?;
//! let request = BuildRequest::new("apps".parse()?);
//! let built = build(&tree, &request)?;
//!
//! let web = &built.manifests[0];
//! assert_eq!(format!("{} at {}", web.id(), web.origin()), "Service shop/web at apps/web.yaml:1");
//! assert_eq!(built.inputs.first_change(&tree, &request), None);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`render_chart`] does the same for a chart. Decryption is not here yet. Nothing here opens a connection or starts a
//! process.

mod build;
mod chart;
mod drawn;
mod error;
mod inflation;
mod inputs;
mod limits;
mod normalise;
mod request;
mod root;
mod spec;
pub mod substitute;

pub use build::{Built, FailedBuild, attempt, build, render};
pub use chart::{
    ChartAttempt, ChartBuildError, ChartChange, ChartInputs, ChartRequest, RenderedChart, ValuesSource, attempt_chart,
    is_chart, lint_chart, load_chart, render_chart, render_loaded,
};
pub use drawn::note_drawn;
pub use error::{BuildError, Duplicate};
pub use fairlead_helm::{Finding, Severity};
pub use inputs::{BuildInputs, InputChange};
pub use limits::{DIRECTORY_LIMIT_DEPTH, READ_LIMIT_BYTES, READ_LIMIT_ENTRIES};
pub use normalise::normalise;
pub use request::{
    BuildMetadata, BuildRequest, Caller, CommonMetadata, Files, Image, ManagedByLabel, Order, Patch, Selector,
    Substitution,
};
pub use substitute::{Strategy, SubstituteError, VariableError, Variables};
