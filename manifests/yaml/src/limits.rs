//! What one text may cost.

/// Longest text that is read, in bytes: a large Helm repository index has tens of megabytes.
pub const MAX_BYTES: usize = 128 * 1024 * 1024;

/// Deepest nesting of collections, aliases expanded. It keeps every recursive walk of a tree within its stack.
pub const MAX_DEPTH: usize = 255;

/// Most nodes that may be copied for the anchors and aliases of one text; a "billion laughs" stops here.
pub const MAX_ALIASED_NODES: usize = 100_000;

/// Most bytes of scalar text that those copies may hold.
pub const MAX_ALIASED_BYTES: usize = 64 * 1024 * 1024;
