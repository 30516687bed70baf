//! YAML as text: what is read, what it means, and what is written.

mod corpus;
mod keeping;
mod limits;
mod printing;
mod properties;
mod reading;
mod resolving;
mod semantics;

use fairlead_yaml::{Schema, parse};

/// The JSON text of every document, or the error that reading ends with.
fn read_as(text: &str, schema: Schema) -> String {
    let documents = match parse(text) {
        Ok(documents) => documents,
        Err(error) => return error.to_string(),
    };
    let read = |node: &fairlead_yaml::Node| match node.to_json(schema) {
        Ok(json) => json.to_string(),
        Err(error) => error.to_string(),
    };
    documents.iter().map(read).collect::<Vec<_>>().join("\n")
}

/// Reads as kustomize reads resources.
fn read(text: &str) -> String {
    read_as(text, Schema::Kyaml)
}
