//! Helm charts in this process: a chart, the values of a release and what is known of the cluster to the manifests that
//! `helm template` prints, byte for byte.
//!
//! Two parts, of which the first knows nothing of the second:
//! - The *language*: `template` is Go's `text/template`, `value` its values, `fmt` its printing, `functions` the table
//!   of what templates may call, and `codec`, `schema`, `time`, `semver` and `certificate` what those functions need. To
//!   add a function or to mend a rounding, see the file of its topic below `functions`.
//! - *Charts*: `chart` loads them, `values` lays values over each other, `release` renders and puts in order what comes
//!   out, `lint` finds all that is wrong in one run.
//!
//! Nothing here reads a clock, asks a network or starts a process. The time and randomness that some charts ask for,
//! and the cluster behind `lookup`, come from the [`World`] of the caller; [`Limits`] bound what a chart may use.
//!
//! # Follows Helm
//! Version 4.3.1, its words for what is wrong included, because people search for them. Where Helm's order changes
//! from run to run, ours is that of the names.
//! # Differs from Helm
//! `getHostByName` finds nothing, schemas refer to nothing outside of their file, and no key for DSA is made.
//!
//! # Large dependencies
//! `rsa`, `p256`, `aes`, `blowfish`, `scrypt` and `hmac` are there for the functions that make keys, certificates and
//! password hashes; the SSH client of this workspace brings all of them along. `flate2` and `tar` read packed charts.

#![expect(clippy::format_push_string, reason = "texts are short where they are put together of parts")]

mod certificate;
mod chart;
mod codec;
mod fmt;
mod functions;
mod halves;
mod lint;
mod number;
mod patterns;
mod release;
mod schema;
mod semver;
mod template;
mod time;
mod unicode;
mod value;
mod values;

pub use chart::{
    Chart, ChartCache, ChartError, ChartType, Dependency, Examined, File, ImportValues, MAX_CHART_BYTES,
    MAX_CHART_DEPTH, MAX_FILE_BYTES, Maintainer, Metadata, NoValuesFile, examine, examine_archive, load, load_archive,
    load_metadata, parse_values, version_with_metadata,
};
pub use lint::{Finding, Severity, lint, lint_templates};
pub use release::{
    DEFAULT_API_VERSIONS, DEFAULT_KUBE_VERSION, Definitions, HELM_VERSION, Hook, HookEvent, HookOutput, PrintError,
    PrintOptions, Release, RenderError, Rendered, RenderedFile, RenderedManifest, Schemas, ValuesChange, ValuesRead,
    release_name, render, render_files, render_noting_values,
};
pub use template::{CallError, ExecError, Failure, LimitError, Limits, ParseError, World};
pub use values::{SetError, TypeMismatch, UserValues, ValuePath, ValuesError, lay_values_over};
