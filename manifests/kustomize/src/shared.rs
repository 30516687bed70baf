//! Values that kustomize holds once although they stand in several places of an object.
//!
//! # Follows kustomize
//! A label or annotation that one transformer adds in several places, such as `metadata/labels` and a selector, is one
//! node of its tree. Whatever sets it in one of them later, a patch or a label of an overlay that leaves selectors
//! alone, sets it in all.

use std::num::NonZeroU32;

use fairlead_yaml::Node;

use crate::node;

/// The values of one object that were added to it, each with what it is at present; none for one in a single place.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared(Vec<Option<Node>>);

impl Shared {
    /// The mark of the next value that will be [added](Self::add).
    pub(crate) fn next(&self) -> Option<NonZeroU32> {
        u32::try_from(self.0.len() + 1).ok().and_then(NonZeroU32::new)
    }

    /// Remembers a value that was put in `places` with the [next](Self::next) mark.
    pub(crate) fn add(&mut self, value: &Node, places: usize) {
        self.0.push((places > 1).then(|| value.clone()));
    }

    fn is_empty(&self) -> bool {
        self.0.iter().all(Option::is_none)
    }

    /// Sets what was changed in one place of `object` in its other places.
    pub(crate) fn settle(&mut self, object: &mut Node) {
        if self.is_empty() {
            return;
        }
        let mut changed = Vec::new();
        node::visit(object, &mut |node| {
            if self.of(node).is_some_and(|known| differs(known, node)) {
                changed.push(node.clone());
            }
        });
        if changed.is_empty() {
            return;
        }
        for node in changed {
            if let Some(known) = self.of(&node) {
                *known = node;
            }
        }
        node::visit(object, &mut |node| {
            if let Some(known) = self.of(node) {
                *node = Node { position: node.position, ..known.clone() };
            }
        });
    }

    fn of(&mut self, node: &Node) -> Option<&mut Node> {
        let place = usize::try_from(node.shared?.get()).ok()? - 1;
        self.0.get_mut(place)?.as_mut()
    }
}

fn differs(known: &Node, node: &Node) -> bool {
    (&known.value, known.style, &known.tag) != (&node.value, node.style, &node.tag)
}
