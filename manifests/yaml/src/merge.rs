//! Merge keys: `<<: *defaults`.

use crate::{Mapping, Node, ParseError, Style, Value};

/// Replaces the merge keys among `entries` by the entries that they bring in.
///
/// A key that the mapping itself has wins over a merged one; of several merged ones the first wins.
pub(crate) fn expand_merges(entries: Vec<(Node, Node)>) -> Result<Mapping, ParseError> {
    let (merges, own): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(key, _)| is_merge_key(key));
    let mut mapping: Mapping = own.into_iter().collect();
    for (_, source) in merges {
        merge(&mut mapping, source)?;
    }
    Ok(mapping)
}

/// Whether `key` is a merge key and not the quoted text `<<`.
pub(crate) fn is_merge_key(key: &Node) -> bool {
    key.style == Style::Plain && key.as_str() == Some("<<") && key.tag.as_deref().is_none_or(|tag| tag == "!!merge")
}

fn merge(into: &mut Mapping, source: Node) -> Result<(), ParseError> {
    match source.value {
        Value::Mapping(mapping) => add_missing(into, mapping),
        Value::Sequence(items) => {
            for item in items {
                let Value::Mapping(mapping) = item.value else {
                    return Err(not_mergeable(&item));
                };
                add_missing(into, mapping);
            }
        }
        Value::Scalar(_) => return Err(not_mergeable(&source)),
    }
    Ok(())
}

fn add_missing(into: &mut Mapping, from: Mapping) {
    for (key, value) in from {
        if !into.iter().any(|(own, _)| own.value == key.value) {
            into.push(key, value);
        }
    }
}

fn not_mergeable(source: &Node) -> ParseError {
    ParseError::new(source.position, "map merge requires map or sequence of maps as the value")
}
