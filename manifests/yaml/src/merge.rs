//! Merge keys: `<<: *defaults`.

use std::collections::HashSet;

use crate::{Mapping, Node, ParseError, Style, Value, emit};

/// Replaces the merge keys among `entries` by the entries that they bring in.
///
/// A key that the mapping itself has wins over a merged one; of several merged ones the first wins.
pub(crate) fn expand_merges(entries: Vec<(Node, Node)>) -> Result<Mapping, ParseError> {
    let (merges, own): (Vec<_>, Vec<_>) = entries.into_iter().partition(|(key, _)| is_merge_key(key));
    let mut all = Merged { keys: own.iter().map(|(key, _)| key_text(key)).collect(), entries: own };
    for (_, source) in merges {
        all.add(source)?;
    }
    Ok(all.entries.into_iter().collect())
}

/// Whether `key` is a merge key and not the quoted text `<<`.
pub(crate) fn is_merge_key(key: &Node) -> bool {
    key.style == Style::Plain && key.as_str() == Some("<<") && key.tag.as_deref().is_none_or(|tag| tag == "!!merge")
}

/// Entries whose keys are all different as far as merging goes.
struct Merged {
    entries: Vec<(Node, Node)>,
    keys: HashSet<String>,
}

impl Merged {
    fn add(&mut self, source: Node) -> Result<(), ParseError> {
        match source.value {
            Value::Mapping(mapping) => self.add_missing(mapping),
            Value::Sequence(items) => {
                for item in items {
                    let Value::Mapping(mapping) = item.value else {
                        return Err(not_mergeable(&item));
                    };
                    self.add_missing(mapping);
                }
            }
            Value::Scalar(_) => return Err(not_mergeable(&source)),
        }
        Ok(())
    }

    fn add_missing(&mut self, from: Mapping) {
        for (key, value) in from {
            if self.keys.insert(key_text(&key)) {
                self.entries.push((key, value));
            }
        }
    }
}

/// What makes two keys the same.
fn key_text(key: &Node) -> String {
    key.as_str().map_or_else(|| emit(key), str::to_owned)
}

fn not_mergeable(source: &Node) -> ParseError {
    ParseError::new(source.position, "map merge requires map or sequence of maps as the value")
}
