//! Values whose type is known: whether they fit it, which places they fill, how two of them differ or come together.
//!
//! # Follows the API server
//! These are the operations of structured-merge-diff v6, by the same rules. A value may have one of several forms where its
//! type allows that; it then is what it looks like, and null is whatever the type has first: a mapping, a scalar, a list.

mod compare;
mod field_set;
mod merge;
mod remove;
mod validate;

use serde_json::{Map, Value};

pub(crate) use compare::{Differences, compare};
pub(crate) use field_set::{field_set, with_named_fields};
pub(crate) use merge::merge;
pub(crate) use remove::remove;
pub(crate) use validate::validate;

use crate::types::{Form, List, Mapping, Type, Types};

/// How a value is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum View<'t> {
    Scalar,
    List(&'t List),
    Mapping(&'t Mapping),
    /// Its type has no form that fits.
    Misfit,
}

impl Types {
    /// How `value` is looked at as one of type `ty`.
    pub(crate) fn view(&self, ty: Type, value: &Value) -> View<'_> {
        let form = self.form(ty);
        match value {
            Value::Null => first(form),
            Value::Array(_) => form.list.as_ref().map_or(View::Misfit, View::List),
            Value::Object(_) => form.map.as_ref().map_or(View::Misfit, View::Mapping),
            Value::Bool(_) | Value::Number(_) | Value::String(_) => form.scalar.map_or(View::Misfit, |_| View::Scalar),
        }
    }
}

/// What null is.
fn first(form: &Form) -> View<'_> {
    match form {
        Form { map: Some(map), .. } => View::Mapping(map),
        Form { scalar: Some(_), .. } => View::Scalar,
        Form { list: Some(list), .. } => View::List(list),
        Form { .. } => View::Misfit,
    }
}

/// The items of a list; none if it is absent or null.
fn items(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The members of a mapping, if it is one.
fn members(value: Option<&Value>) -> Option<&Map<String, Value>> {
    value.and_then(Value::as_object)
}

impl View<'_> {
    /// Whether two values have nothing inside that could be compared or merged piece by piece.
    fn are_blank(self, values: [Option<&Value>; 2]) -> bool {
        match self {
            Self::Scalar | Self::Misfit => true,
            Self::List(list) => list.is_atomic() || values.iter().all(|value| items(*value).is_empty()),
            Self::Mapping(map) => map.is_atomic || values.iter().all(|value| members(*value).is_none_or(Map::is_empty)),
        }
    }
}
