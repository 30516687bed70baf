//! Random input for everything that reads text from strangers, and what must hold for all of it.
//!
//! [`generate`] makes source trees up from [`Choices`], [`mutate`] spoils them, and [`shrink`] cuts what was found down
//! to what matters. [`property`] names what must hold; two things drive it:
//! - The tests of this crate run every property over a fixed number of seeds and over every file of `seeds/`, so that it
//!   holds on each change, and compare builds with `kustomize` itself and [`templates`] with [`helm`] itself.
//! - `cargo xtask fuzz NAME` runs one property under libFuzzer for as long as it is told.
//!
//! # The fuzzer
//! libFuzzer follows coverage, which LLVM counts on a stable compiler as well (`-C passes=sancov-module`), so neither a
//! nightly toolchain nor `cargo fuzz` is needed. It begins with what is in `seeds/`, where findings are kept as well. It is C++ and its entry point is unsafe by nature; `driver/` beside
//! this crate holds both, in a workspace of its own, and one function. No sanitizer is on: there is no unsafe code to
//! watch.

mod charts;
mod choices;
pub mod generate;
pub mod helm;
pub mod mutate;
pub mod oracle;
mod properties;
pub mod shrink;
mod source;
mod sources;
pub mod templates;
mod webhooks;

pub use choices::Choices;
pub use properties::{build_to_text, builds};
pub use source::Source;

/// What must hold for some bytes; it panics where that does not hold.
pub type Property = fn(&[u8]);

/// Every property by its name, with what it says.
pub const PROPERTIES: &[(&str, &str, Property)] = &[
    ("parser", "any text is read or refused", properties::parser),
    ("emitter", "what was read is written so that it reads the same", properties::emitter),
    ("patch", "a patch is applied to an object or refused", properties::patch),
    ("build", "a tree of kustomizations is built or refused", properties::tree),
    ("template", "any text is a template of a chart or refused, and ends within its limits", charts::template),
    ("format", "`printf` takes any format and any values", charts::format),
    ("archive", "any bytes are a packed chart or refused", charts::archive),
    ("set", "any text of a flag sets values or is refused", charts::set),
    ("git", "any answers of a Git server give refs and a pack, or an error", sources::git),
    ("known_hosts", "a key that is revoked is never trusted", sources::known_hosts),
    ("tar", "any archive is unpacked or refused, and is packed to the same", sources::tar),
    ("index", "any index of a Helm repository is read or refused, the same by both readers", sources::index),
    ("manifest", "any answer of a registry is read or refused", sources::manifest),
    ("ignore", "the last pattern that matches decides", sources::ignore),
    ("webhook", "any webhook is taken or refused, and none of a stranger is taken", webhooks::webhook),
];

/// The property called `name`.
pub fn property(name: &str) -> Option<Property> {
    PROPERTIES.iter().find(|(known, ..)| *known == name).map(|(.., property)| *property)
}
