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
    /// A nil `[]interface {}`, which is empty and which codecs write as null.
    Nil,
    /// `[]string`
    Texts,
    /// A nil `[]string`.
    NilTexts,
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
            Self::Any | Self::Nil => "[]interface {}",
            Self::Texts | Self::NilTexts => "[]string",
            Self::Ints => "[]int",
            Self::Maps => "[]map[string]interface {}",
            Self::Lists => "[][]interface {}",
            Self::Named(named) => named.name,
        }
    }

    /// Whether its elements are interfaces, so that one may be nil and forgets its type in messages.
    pub(crate) fn holds_interfaces(self) -> bool {
        match self {
            Self::Any | Self::Nil => true,
            Self::Texts | Self::NilTexts | Self::Ints | Self::Maps | Self::Lists | Self::Named(_) => false,
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

    /// A nil slice of the given type.
    pub(crate) fn nil(list_type: ListType) -> Self {
        Self::of_type(Vec::new(), list_type)
    }

    /// Whether it is nil.
    pub(crate) fn is_nil(&self) -> bool {
        match self.list_type {
            ListType::Nil | ListType::NilTexts => true,
            ListType::Any
            | ListType::Texts
            | ListType::Ints
            | ListType::Maps
            | ListType::Lists
            | ListType::Named(_) => false,
        }
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
