//! What a derived schema needs beyond its derive.

use schemars::Schema;

/// Leaves the description to the field: that of an enum would otherwise replace that of an optional field.
pub(crate) fn described_by_field(schema: &mut Schema) {
    schema.remove("description");
}

/// An integer of no particular size, as Go's own `int` is described.
pub(crate) fn without_format(schema: &mut Schema) {
    schema.remove("format");
}

/// Anything that JSON can say.
pub(crate) fn of_any_type(schema: &mut Schema) {
    schema.insert("x-kubernetes-preserve-unknown-fields".to_owned(), true.into());
}

/// What a release was last tried to be brought about by.
pub(crate) fn action_of_attempt(schema: &mut Schema) {
    schema.insert("enum".to_owned(), ["install", "upgrade"].to_vec().into());
}
