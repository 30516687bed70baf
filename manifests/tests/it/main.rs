//! What a build makes of a tree, through the one entry point.

mod bad_input;
mod charts;
mod charts_as_kustomize;
mod corpus;
mod examples;
mod guide;
mod incremental;
mod links;
mod origins;
mod overlay;
mod plain;
mod scene;
mod substitution;
