//! Maps.

use std::{
    cell::{OnceCell, Ref, RefCell},
    collections::BTreeMap,
    rc::Rc,
};

use super::reads::{Looked, Watch};
use super::{Named, Text, Value};

/// The entries of a map by key, in byte order: the order in which Go's templates and `fmt` walk a map.
pub(crate) type Entries = BTreeMap<Text, Value>;

/// A map with text keys. Clones are the same map.
#[derive(Clone, Debug)]
pub(crate) struct Map {
    held: Rc<Held>,
    map_type: MapType,
}

/// What all clones of a map share.
#[derive(Debug)]
struct Held {
    entries: RefCell<Entries>,
    watch: OnceCell<Watch>,
}

impl Held {
    /// Notes what is looked at, if anybody wants to know.
    fn note(&self, looked: impl FnOnce() -> Looked) {
        if let Some(watch) = self.watch.get() {
            watch.note(looked());
        }
    }
}

/// Go's type of a map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum MapType {
    /// `map[string]interface {}`
    Any,
    /// `map[string]string`
    Texts,
    /// A nil `map[string]string`, which is empty and which codecs write as null.
    NilTexts,
    /// A map with a name and methods.
    Named(&'static Named),
}

impl MapType {
    /// Go's name of the type.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Any => "map[string]interface {}",
            Self::Texts | Self::NilTexts => "map[string]string",
            Self::Named(named) => named.name,
        }
    }

    /// What a lookup of a key gives that the map does not have.
    pub(crate) fn zero(self) -> Value {
        match self {
            Self::Any => Value::Nil,
            Self::Texts | Self::NilTexts => Value::Text(Text::default()),
            Self::Named(named) => (named.zero)(),
        }
    }

    /// Whether its values are interfaces.
    pub(crate) fn holds_interfaces(self) -> bool {
        self.zero().is_nil()
    }
}

impl Default for Map {
    fn default() -> Self {
        Self::new(Entries::new())
    }
}

impl Map {
    /// A `map[string]interface {}`.
    pub(crate) fn new(entries: Entries) -> Self {
        Self::of_type(entries, MapType::Any)
    }

    /// A map of the given type, whose values must be of it.
    pub(crate) fn of_type(entries: Entries, map_type: MapType) -> Self {
        Self { held: Rc::new(Held { entries: RefCell::new(entries), watch: OnceCell::new() }), map_type }
    }

    /// The same map under another type.
    #[must_use]
    pub(crate) fn with_type(&self, map_type: MapType) -> Self {
        Self { held: Rc::clone(&self.held), map_type }
    }

    /// Go's type of the map.
    pub(crate) fn map_type(&self) -> MapType {
        self.map_type
    }

    /// Notes from now on what is looked at; a map that is watched already stays so.
    pub(super) fn watch(&self, watch: Watch) {
        drop(self.held.watch.set(watch));
    }

    /// The value of `key`.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Value> {
        self.held.note(|| Looked::At(key.into()));
        self.held.entries.borrow().get(key).cloned()
    }

    /// Whether there is an entry of `key`.
    pub(crate) fn contains(&self, key: &[u8]) -> bool {
        self.held.note(|| Looked::At(key.into()));
        self.held.entries.borrow().contains_key(key)
    }

    /// Sets an entry, for everyone who holds the map.
    pub(crate) fn insert(&self, key: Text, value: Value) {
        self.held.entries.borrow_mut().insert(key, value);
    }

    /// Takes an entry out, for everyone who holds the map.
    pub(crate) fn remove(&self, key: &[u8]) -> Option<Value> {
        self.held.note(|| Looked::At(key.into()));
        self.held.entries.borrow_mut().remove(key)
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.held.note(|| Looked::Keys);
        self.held.entries.borrow().len()
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The entries, to read. The map must not be changed meanwhile.
    pub(crate) fn entries(&self) -> Ref<'_, Entries> {
        self.held.note(|| Looked::Entries);
        self.held.entries.borrow()
    }

    /// The entries as they are now, so that the map may change while they are walked.
    pub(crate) fn snapshot(&self) -> Vec<(Text, Value)> {
        self.entries().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Whether both names stand for one map.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.held, &other.held)
    }

    pub(super) fn copied(&self, depth: usize) -> Self {
        let entries = self.entries().iter().map(|(key, value)| (key.clone(), value.copied(depth))).collect();
        Self::of_type(entries, self.map_type)
    }

    pub(super) fn equals(&self, other: &Self, depth: usize) -> bool {
        if self.is_same(other) {
            return self.map_type == other.map_type;
        }
        let (a, b) = (self.entries(), other.entries());
        self.map_type == other.map_type
            && a.len() == b.len()
            && a.iter().zip(b.iter()).all(|((key_a, a), (key_b, b))| key_a == key_b && a.equals(b, depth))
    }
}

impl FromIterator<(Text, Value)> for Map {
    fn from_iter<I: IntoIterator<Item = (Text, Value)>>(entries: I) -> Self {
        Self::new(entries.into_iter().collect())
    }
}
