//! Sets of places: the fields that someone owns.

use std::collections::BTreeMap;

use crate::path::{Path, Step};

/// A set of places in an object.
///
/// That a place is in the set says nothing of what is below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Set {
    /// By the first step; no entry is empty.
    entries: BTreeMap<Step, Entry>,
}

/// What a set says of one step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Entry {
    /// Whether the place itself is in the set.
    is_member: bool,
    below: Set,
}

impl Set {
    /// A set without places.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether there is no place in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Puts `path` into it. The whole object is no place.
    pub fn insert(&mut self, path: &[Step]) {
        let Some((step, rest)) = path.split_first() else { return };
        let entry = self.entries.entry(step.clone()).or_default();
        if rest.is_empty() { entry.is_member = true } else { entry.below.insert(rest) }
    }

    /// Whether `path` itself is in it.
    pub fn contains(&self, path: &[Step]) -> bool {
        let Some((step, rest)) = path.split_first() else { return false };
        let entry = self.entries.get(step);
        entry.is_some_and(|entry| if rest.is_empty() { entry.is_member } else { entry.below.contains(rest) })
    }

    /// Whether the place that `step` leads to is in it.
    pub(crate) fn has(&self, step: &Step) -> bool {
        self.entries.get(step).is_some_and(|entry| entry.is_member)
    }

    /// The places below `step`, seen from there; `None` if there are none.
    pub(crate) fn below(&self, step: &Step) -> Option<&Self> {
        self.entries.get(step).map(|entry| &entry.below).filter(|below| !below.is_empty())
    }

    /// The places of either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let mut united = self.clone();
        for (step, theirs) in &other.entries {
            let mine = united.entries.entry(step.clone()).or_default();
            mine.is_member |= theirs.is_member;
            mine.below = mine.below.union(&theirs.below);
        }
        united
    }

    /// The places of both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        self.combined(other, |mine, theirs| mine && theirs, Self::intersection)
    }

    /// Its places that are not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.combined(other, |mine, theirs| mine && !theirs, Self::difference)
    }

    /// Its places that are neither in `other` nor below a place of `other`.
    #[must_use]
    pub fn without_all_of(&self, other: &Self) -> Self {
        let kept = self.entries.iter().filter(|(step, _)| !other.has(step));
        Self::of(kept.map(|(step, entry)| {
            let below =
                other.below(step).map_or_else(|| entry.below.clone(), |other| entry.below.without_all_of(other));
            (step.clone(), Entry { below, ..*entry })
        }))
    }

    fn combined(
        &self,
        other: &Self,
        members: impl Fn(bool, bool) -> bool,
        below: impl Fn(&Self, &Self) -> Self,
    ) -> Self {
        let nothing = Entry::default();
        Self::of(self.entries.iter().map(|(step, mine)| {
            let theirs = other.entries.get(step).unwrap_or(&nothing);
            let is_member = members(mine.is_member, theirs.is_member);
            (step.clone(), Entry { is_member, below: below(&mine.below, &theirs.below) })
        }))
    }

    fn of(entries: impl Iterator<Item = (Step, Entry)>) -> Self {
        let filled = entries.filter(|(_, entry)| entry.is_member || !entry.below.is_empty());
        Self { entries: filled.collect() }
    }

    /// Its places in the order of the API server: those that one step leads to, then what is below each step.
    pub fn paths(&self) -> Vec<Path> {
        let mut paths = Vec::new();
        self.collect(&mut Vec::new(), &mut paths);
        paths
    }

    fn collect(&self, at: &mut Path, paths: &mut Vec<Path>) {
        let members = self.entries.iter().filter(|(_, entry)| entry.is_member);
        paths.extend(members.map(|(step, _)| at.iter().chain([step]).cloned().collect()));
        for (step, entry) in &self.entries {
            at.push(step.clone());
            entry.below.collect(at, paths);
            at.pop();
        }
    }

    /// The first steps of its places: whether the place is in the set itself, and what is below.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (&Step, bool, &Self)> {
        self.entries.iter().map(|(step, entry)| (step, entry.is_member, &entry.below))
    }

    /// Puts what is said of `step` into it.
    pub(crate) fn put(&mut self, step: Step, is_member: bool, below: Self) {
        if is_member || !below.is_empty() {
            self.entries.insert(step, Entry { is_member, below });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(paths: &[&str]) -> Set {
        let mut set = Set::new();
        for path in paths {
            set.insert(&path.split('.').map(Step::field).collect::<Vec<_>>());
        }
        set
    }

    #[test]
    fn sets_are_united_and_compared_place_by_place() {
        let (left, right) = (set(&["a", "a.b", "c.d"]), set(&["a.b", "c", "e"]));
        assert_eq!(left.union(&right), set(&["a", "a.b", "c", "c.d", "e"]));
        assert_eq!(left.intersection(&right), set(&["a.b"]));
        assert_eq!(left.difference(&right), set(&["a", "c.d"]));
        assert_eq!(left.without_all_of(&right), set(&["a"]));
    }

    #[test]
    fn a_place_is_not_what_is_below_it() {
        let set = set(&["a.b"]);
        assert!(set.contains(&[Step::field("a"), Step::field("b")]));
        assert!(!set.contains(&[Step::field("a")]));
        assert!(!set.contains(&[]));
    }
}
