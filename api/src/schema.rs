//! What a derived schema needs beyond its derive.

use schemars::Schema;

/// Leaves the description to the field: that of an enum would otherwise replace that of an optional field.
pub(crate) fn described_by_field(schema: &mut Schema) {
    schema.remove("description");
}
