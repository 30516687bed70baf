//! What templates compute with: Go's values, as far as a template can tell them apart.
//!
//! Functions look at more than content. `add` gives an `int64` and `len` an `int`, a number of a values file is a
//! `float64`, and `until`, `eq` and `printf "%d"` treat the three differently. So a [`Value`] carries its Go type.
//! Maps and lists are references, as in Go: `set` on one name is seen through every other.
//!
//! Go knows two kinds of nothing, and so does a template. [`Value::Nil`] is a nil interface: what a map holds for a
//! null, and gives for a key that it does not have. [`Value::Missing`] is no value at all, Go's zero `reflect.Value`:
//! what a pipeline makes of a nil. A field of the first is an error, a field of the second is missing as well.

mod convert;
mod list;
mod map;
mod object;
mod reads;
mod text;

use std::rc::Rc;

pub(crate) use list::{List, ListType};
pub(crate) use map::{Entries, Map, MapType};
pub(crate) use object::{Named, Object};
pub(crate) use reads::{Look, Looked, Reads};
pub(crate) use text::Text;

/// Deepest nesting that is compared or copied.
const MAX_DEPTH: usize = 1000;

/// A value of a template.
#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// No value at all. Neither a list nor a map ever holds it.
    Missing,
    /// A nil interface.
    Nil,
    /// `bool`
    Bool(bool),
    /// A signed integer.
    Int(i64, IntType),
    /// An unsigned integer.
    Uint(u64, UintType),
    /// `float64`
    Float(f64),
    /// `string`, which may hold any bytes.
    Text(Text),
    /// `[]uint8`
    Bytes(Text),
    /// A slice.
    List(List),
    /// A map with text keys.
    Map(Map),
    /// A struct, a pointer or a number with methods.
    Object(Rc<dyn Object>),
}

/// Which of Go's signed integers a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum IntType {
    /// `int`: literals, lengths, indexes.
    Int,
    /// `int64`: what arithmetic functions return.
    Int64,
}

/// Which of Go's unsigned integers a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UintType {
    /// `uint8`: a byte of a text.
    Uint8,
    /// `uint32`
    Uint32,
    /// `uint64`
    Uint64,
}

/// Go's kinds, as far as a template meets them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Nothing.
    Invalid,
    /// `bool`
    Bool,
    /// `int`
    Int,
    /// `int64`
    Int64,
    /// `uint8`
    Uint8,
    /// `uint32`
    Uint32,
    /// `uint64`
    Uint64,
    /// `float64`
    Float64,
    /// `string`
    String,
    /// `slice`
    Slice,
    /// `map`
    Map,
    /// `struct`
    Struct,
    /// `ptr`
    Pointer,
}

impl Kind {
    /// Go's name of the kind.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Invalid => "invalid",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Int64 => "int64",
            Self::Uint8 => "uint8",
            Self::Uint32 => "uint32",
            Self::Uint64 => "uint64",
            Self::Float64 => "float64",
            Self::String => "string",
            Self::Slice => "slice",
            Self::Map => "map",
            Self::Struct => "struct",
            Self::Pointer => "ptr",
        }
    }
}

impl Value {
    /// An `int`.
    pub(crate) fn int(number: i64) -> Self {
        Self::Int(number, IntType::Int)
    }

    /// An `int64`.
    pub(crate) fn int64(number: i64) -> Self {
        Self::Int(number, IntType::Int64)
    }

    /// A length or index as an `int`.
    pub(crate) fn length(length: usize) -> Self {
        Self::int(i64::try_from(length).unwrap_or(i64::MAX))
    }

    /// A `[]interface {}`.
    pub(crate) fn list(items: Vec<Value>) -> Self {
        Self::List(List::new(items))
    }

    /// A `[]string`.
    pub(crate) fn texts<T: Into<Text>>(items: impl IntoIterator<Item = T>) -> Self {
        let items = items.into_iter().map(|item| Self::Text(item.into())).collect();
        Self::List(List::of_type(items, ListType::Texts))
    }

    /// Whether there is nothing: no value, or a nil interface.
    pub(crate) fn is_nil(&self) -> bool {
        matches!(self, Self::Missing | Self::Nil)
    }

    /// Go's kind of the value.
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Missing | Self::Nil => Kind::Invalid,
            Self::Bool(_) => Kind::Bool,
            Self::Int(_, IntType::Int) => Kind::Int,
            Self::Int(_, IntType::Int64) => Kind::Int64,
            Self::Uint(_, UintType::Uint8) => Kind::Uint8,
            Self::Uint(_, UintType::Uint32) => Kind::Uint32,
            Self::Uint(_, UintType::Uint64) => Kind::Uint64,
            Self::Float(_) => Kind::Float64,
            Self::Text(_) => Kind::String,
            Self::Bytes(_) | Self::List(_) => Kind::Slice,
            Self::Map(_) => Kind::Map,
            Self::Object(object) => object.kind(),
        }
    }

    /// Go's name of the type; `None` for nothing.
    pub(crate) fn type_name(&self) -> Option<&'static str> {
        Some(match self {
            Self::Missing | Self::Nil => return None,
            Self::Bytes(_) => "[]uint8",
            Self::List(list) => list.list_type().name(),
            Self::Map(map) => map.map_type().name(),
            Self::Object(object) => object.type_name(),
            Self::Bool(_) | Self::Int(..) | Self::Uint(..) | Self::Float(_) | Self::Text(_) => self.kind().name(),
        })
    }

    /// Whether the value counts as true in `if`, `and` and `or`: anything but nothing, `false`, zero and what is empty.
    pub(crate) fn is_true(&self) -> bool {
        match self {
            Self::Missing | Self::Nil => false,
            Self::Bool(bool) => *bool,
            Self::Int(number, _) => *number != 0,
            Self::Uint(number, _) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Text(text) | Self::Bytes(text) => !text.is_empty(),
            Self::List(list) => !list.is_empty(),
            Self::Map(map) => !map.is_empty(),
            Self::Object(object) => object.is_true(),
        }
    }

    /// What Go's `reflect.DeepEqual` says: types must be the same, not only contents.
    pub(crate) fn deep_equal(&self, other: &Self) -> bool {
        self.equals(other, 0)
    }

    fn equals(&self, other: &Self, depth: usize) -> bool {
        match (self, other) {
            // What is nested so deeply contains itself.
            _ if depth > MAX_DEPTH => true,
            (Self::Missing | Self::Nil, Self::Missing | Self::Nil) => true,
            (Self::Bool(a), Self::Bool(b)) => a == b,
            (Self::Int(a, type_a), Self::Int(b, type_b)) => a == b && type_a == type_b,
            (Self::Uint(a, type_a), Self::Uint(b, type_b)) => a == b && type_a == type_b,
            #[expect(clippy::float_cmp, reason = "Go compares them exactly")]
            (Self::Float(a), Self::Float(b)) => a == b,
            (Self::Text(a), Self::Text(b)) | (Self::Bytes(a), Self::Bytes(b)) => a == b,
            (Self::List(a), Self::List(b)) => {
                a.list_type() == b.list_type()
                    && a.len() == b.len()
                    && a.iter().zip(b.iter()).all(|(a, b)| a.equals(b, depth + 1))
            }
            (Self::Map(a), Self::Map(b)) => a.equals(b, depth + 1),
            (Self::Object(a), Self::Object(b)) => a.type_name() == b.type_name() && a.text() == b.text(),
            (
                Self::Missing
                | Self::Nil
                | Self::Bool(_)
                | Self::Int(..)
                | Self::Uint(..)
                | Self::Float(_)
                | Self::Text(_)
                | Self::Bytes(_)
                | Self::List(_)
                | Self::Map(_)
                | Self::Object(_),
                _,
            ) => false,
        }
    }

    /// A copy that shares no map with this value.
    ///
    /// A map that contains itself is shared again where it is nested too deeply.
    #[must_use]
    pub(crate) fn deep_copy(&self) -> Self {
        self.copied(0)
    }

    fn copied(&self, depth: usize) -> Self {
        match self {
            _ if depth > MAX_DEPTH => self.clone(),
            Self::List(list) => {
                let items = list.iter().map(|item| item.copied(depth + 1)).collect();
                Self::List(List::of_type(items, list.list_type()))
            }
            Self::Map(map) => Self::Map(map.copied(depth + 1)),
            Self::Missing
            | Self::Nil
            | Self::Bool(_)
            | Self::Int(..)
            | Self::Uint(..)
            | Self::Float(_)
            | Self::Text(_)
            | Self::Bytes(_)
            | Self::Object(_) => self.clone(),
        }
    }
}

impl From<bool> for Value {
    fn from(bool: bool) -> Self {
        Self::Bool(bool)
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Float(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Vec<u8>> for Value {
    fn from(text: Vec<u8>) -> Self {
        Self::Text(text.into())
    }
}

impl From<Text> for Value {
    fn from(text: Text) -> Self {
        Self::Text(text)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}
