//! Slices.

use std::{ops::Deref, rc::Rc};

use super::{Named, Value};

/// A slice. No function of a template changes one in place, so it is shared without a lock.
#[derive(Clone, Debug)]
pub(crate) struct List {
    items: Rc<Vec<Value>>,
    list_type: ListType,
}

/// Go's type of a slice.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum ListType {
    /// `[]interface {}`
    Any,
    /// `[]string`
    Texts,
    /// `[]int`
    Ints,
    /// `[]map[string]interface {}`
    Maps,
    /// `[][]interface {}`
    Lists,
    /// A slice with a name and methods.
    Named(&'static Named),
}

impl ListType {
    /// Go's name of the type.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Any => "[]interface {}",
            Self::Texts => "[]string",
            Self::Ints => "[]int",
            Self::Maps => "[]map[string]interface {}",
            Self::Lists => "[][]interface {}",
            Self::Named(named) => named.name,
        }
    }

    /// Whether its elements are interfaces, so that one may be nil and forgets its type in messages.
    pub(crate) fn holds_interfaces(self) -> bool {
        match self {
            Self::Any => true,
            Self::Texts | Self::Ints | Self::Maps | Self::Lists | Self::Named(_) => false,
        }
    }
}

impl List {
    /// A `[]interface {}`.
    pub(crate) fn new(items: Vec<Value>) -> Self {
        Self::of_type(items, ListType::Any)
    }

    /// A slice of the given type, whose items must be of it.
    pub(crate) fn of_type(items: Vec<Value>, list_type: ListType) -> Self {
        Self { items: Rc::new(items), list_type }
    }

    /// Go's type of the slice.
    pub(crate) fn list_type(&self) -> ListType {
        self.list_type
    }
}

impl Deref for List {
    type Target = [Value];

    fn deref(&self) -> &[Value] {
        &self.items
    }
}
