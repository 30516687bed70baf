//! Who wrote the fields of an object that was patched.

use fairlead_yaml::{Node, Schema, Value, Written};

use super::{Operation, edit::tokens};
use crate::node;

/// The walk through an object and what operations have made of it, which keeps where unchanged fields were written.
pub(super) struct Graft<'a> {
    operations: &'a [Operation],
    path: Vec<String>,
}

impl<'a> Graft<'a> {
    pub(super) fn new(operations: &'a [Operation]) -> Self {
        Self { operations, path: Vec::new() }
    }

    /// Tells for all of `new` who wrote it, where it stands for `old`.
    pub(super) fn keep(&mut self, new: &mut Node, old: Option<&Node>) {
        let Some(old) = old else { return node::stamp(new, &self.mark()) };
        let unchanged = match (&mut new.value, &old.value) {
            (Value::Mapping(fields), Value::Mapping(before)) => {
                for (key, field) in fields.iter_mut() {
                    let key = key.as_str().unwrap_or_default();
                    self.keep_below(key, field, before.get(key));
                }
                true
            }
            (Value::Sequence(items), Value::Sequence(before)) => {
                for (index, old) in counterparts(items, before).into_iter().enumerate() {
                    self.keep_below(&index.to_string(), &mut items[index], old.map(|old| &before[old]));
                }
                true
            }
            _ => is_same(new, old),
        };
        let written = if unchanged { old.written.clone() } else { self.mark().over(&old.written) };
        (new.position, new.written) = (old.position, written);
    }

    fn keep_below(&mut self, name: &str, new: &mut Node, old: Option<&Node>) {
        self.path.push(name.to_owned());
        self.keep(new, old);
        self.path.pop();
    }

    /// The last operation that is about this field, one around it or one in it.
    fn mark(&self) -> Written {
        let is_meant = |operation: &&Operation| {
            tokens(operation.path.as_deref().unwrap_or_default())
                .iter()
                .zip(&self.path)
                .all(|(token, name)| token == name || token == "-")
        };
        let operation = self.operations.iter().rev().find(is_meant).or(self.operations.last());
        operation.map_or_else(Written::default, |operation| operation.mark.clone())
    }
}

/// Which item of `before` each of `items` was: those at both ends that are the same, or all if there are as many.
fn counterparts(items: &[Node], before: &[Node]) -> Vec<Option<usize>> {
    if items.len() == before.len() {
        return (0..items.len()).map(Some).collect();
    }
    let shared = items.len().min(before.len());
    let head = items.iter().zip(before).take_while(|(new, old)| is_same(new, old)).count();
    let tail = items.iter().rev().zip(before.iter().rev()).take(shared - head);
    let tail = tail.take_while(|(new, old)| is_same(new, old)).count();
    let counterpart = |index: usize| match index {
        index if index < head => Some(index),
        index if index >= items.len() - tail => Some(index + before.len() - items.len()),
        _ => None,
    };
    (0..items.len()).map(counterpart).collect()
}

fn is_same(a: &Node, b: &Node) -> bool {
    matches!((a.to_json(Schema::Kyaml), b.to_json(Schema::Kyaml)), (Ok(a), Ok(b)) if a == b)
}
