//! YAML as a tree that remembers how it was written, and the two ways Kubernetes tools read and write it.
//!
//! [`parse`] turns text into [`Node`]s that keep raw text, styles, tags, comments and positions. What a scalar *means*
//! is decided late, by [`Node::resolve`] with a [`Schema`], because the tools that we must agree with do not agree with
//! each other: `yes` is text for kustomize and a boolean for `kubectl`. [`emit_json`] writes what `kustomize build` and
//! `sigs.k8s.io/yaml` write, byte for byte; [`emit`] writes a node in its own styles.
//!
//! ```
//! use fairlead_yaml::{Schema, emit, emit_json, parse};
//!
//! let mut nodes = parse("replicas: 0x10 # for the sale\nenabled: yes\n").unwrap();
//! let node = &mut nodes[0];
//! assert_eq!(emit_json(&node.to_json(Schema::Kyaml).unwrap()), "enabled: \"yes\"\nreplicas: 16\n");
//! assert_eq!(emit_json(&node.to_json(Schema::SigsYaml).unwrap()), "enabled: true\nreplicas: 16\n");
//! assert_eq!(node.get("replicas").unwrap().position.to_string(), "1");
//!
//! node.as_mapping_mut().unwrap().remove("enabled");
//! assert_eq!(emit(node), "replicas: 0x10 # for the sale\n");
//! ```
//!
//! # The parser
//! Events come from `granit-parser`. It passes the official test suite, reports comments, styles and anchors with their
//! positions, has no `unsafe` and bounds its own nesting. `yaml-rust2` drops comments, keeps a byte order mark in the
//! first key and refuses a tab after `key:`; `serde_yaml` is unmaintained and resolves by rules that no Kubernetes tool
//! has. Anchors, merge keys, limits and everything about values is done here.
//!
//! Most manifests use a small part of YAML. A reader of that part alone makes the same trees several times as fast, and
//! leaves every text with anything else in it to the parser. Scalars are `compact_str`'s texts, since most of them are
//! shorter than what it keeps without an allocation.
//!
//! # Limits
//! Text comes from strangers: [`MAX_BYTES`], [`MAX_DEPTH`], [`MAX_ALIASED_NODES`] and [`MAX_ALIASED_BYTES`] bound what
//! one text can cost.

mod anchors;
mod characters;
mod comments;
mod compose;
mod directives;
mod document;
mod emit;
mod json;
mod limits;
mod mapping;
mod merge;
mod node;
mod number;
mod parse_error;
mod parser;
mod pending;
mod position;
mod reindent;
mod resolve;
mod simple;
mod syntax;
mod timestamp;
mod written;

pub use comments::Comments;
pub use document::{Document, documents, parse, parse_first};
pub use emit::{emit, emit_json, emit_object};
pub use json::ResolveError;
pub use limits::{MAX_ALIASED_BYTES, MAX_ALIASED_NODES, MAX_BYTES, MAX_DEPTH};
pub use mapping::{Duplicate, Mapping};
pub use node::{Node, Style, Value};
pub use parse_error::ParseError;
pub use position::Position;
pub use resolve::{Scalar, Schema, TagError};
pub use written::{Writer, Written};
