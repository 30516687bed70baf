//! Which entries of maps are looked at.
//!
//! A map that is watched notes whatever is asked of it, so that no function has to know of it.

use std::{
    cell::{Cell, RefCell},
    collections::BTreeSet,
    rc::Rc,
};

use super::{Map, Text, Value};

/// Where a watched map is below the outermost one.
type Path = Rc<[Text]>;

/// What was looked at in some maps.
#[derive(Debug, Default)]
pub(crate) struct Reads {
    maps: RefCell<Vec<Path>>,
    looks: RefCell<BTreeSet<(usize, usize, Looked)>>,
    now: Cell<usize>,
}

/// What was looked at in one map.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Looked {
    /// The value of a key, if there is one; of a map only that it is one.
    At(Text),
    /// Which keys there are.
    Keys,
    /// All keys and their values; of a map only that it is one.
    Entries,
}

/// A look at a watched map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Look {
    /// When, as [`Reads::go_to`] was told.
    pub time: usize,
    /// The map.
    pub path: Path,
    /// What of it.
    pub looked: Looked,
}

/// The watch over one map.
#[derive(Clone, Debug)]
pub(super) struct Watch {
    reads: Rc<Reads>,
    map: usize,
}

impl Reads {
    /// Watches `map` and the maps in it.
    pub(crate) fn of(map: &Map) -> Rc<Self> {
        let reads = Rc::new(Self::default());
        Self::watch(&reads, map, &mut Vec::new());
        reads
    }

    fn watch(reads: &Rc<Self>, map: &Map, path: &mut Vec<Text>) {
        for (key, value) in map.snapshot() {
            if let Value::Map(below) = value {
                path.push(key);
                Self::watch(reads, &below, path);
                path.pop();
            }
        }
        let mut maps = reads.maps.borrow_mut();
        maps.push(path.as_slice().into());
        map.watch(Watch { reads: Rc::clone(reads), map: maps.len() - 1 });
    }

    /// Says when what follows is looked at.
    pub(crate) fn go_to(&self, time: usize) {
        self.now.set(time);
    }

    /// What was looked at since this was asked for the last time.
    pub(crate) fn take(&self) -> Vec<Look> {
        let maps = self.maps.borrow();
        let looks = self.looks.take().into_iter();
        looks.map(|(time, map, looked)| Look { time, path: Rc::clone(&maps[map]), looked }).collect()
    }
}

impl Watch {
    pub(super) fn note(&self, looked: Looked) {
        self.reads.looks.borrow_mut().insert((self.reads.now.get(), self.map, looked));
    }
}
