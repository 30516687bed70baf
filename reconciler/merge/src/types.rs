//! What a merge must know of a type: how its members belong together.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::path::Step;

/// The types of one API version, and what they are called.
#[derive(Clone, Debug)]
pub struct Types {
    forms: Vec<Form>,
    by_kind: BTreeMap<(String, String), Type>,
}

/// One of the types of [`Types`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Type(usize);

/// The forms that a value of a type may have. One without any takes only null.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Form {
    pub(crate) scalar: Option<Scalar>,
    pub(crate) list: Option<List>,
    pub(crate) map: Option<Mapping>,
}

/// Which scalars are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scalar {
    Numeric,
    Text,
    Boolean,
    Any,
}

/// A list, and what its items are told apart by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct List {
    pub(crate) item: Type,
    pub(crate) items: Items,
}

/// What the items of a list are told apart by.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Items {
    /// By nothing: the list has one owner.
    Atomic,
    /// By themselves.
    Set,
    /// By the fields of these names, each with what it is if it is absent.
    Keyed(Vec<(String, Option<Value>)>),
}

/// A mapping.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mapping {
    pub(crate) fields: BTreeMap<String, Type>,
    /// The type of what is no declared field; without one there may be nothing else.
    pub(crate) other: Option<Type>,
    /// Whether it has one owner.
    pub(crate) is_atomic: bool,
}

/// Why an item of a list cannot be told from others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyError {
    NotAMapping,
    NoKey(Vec<String>),
    NotAScalar,
}

impl Types {
    /// A type that takes every value: scalars, lists with one owner, mappings whose members have owners of their own.
    pub(crate) const DEDUCED: Type = Type(0);
    /// A type that takes every value, which has one owner whatever it is.
    pub(crate) const ATOMIC: Type = Type(1);

    pub(crate) fn new() -> Self {
        let anything = |item, is_atomic| Form {
            scalar: Some(Scalar::Any),
            list: Some(List { item, items: Items::Atomic }),
            map: Some(Mapping { fields: BTreeMap::new(), other: Some(item), is_atomic }),
        };
        Self { forms: vec![anything(Self::DEDUCED, false), anything(Self::ATOMIC, true)], by_kind: BTreeMap::new() }
    }

    /// Makes room for a type that is described later, as one that names itself must be.
    pub(crate) fn reserve(&mut self) -> Type {
        self.add(Form::default())
    }

    pub(crate) fn add(&mut self, form: Form) -> Type {
        self.forms.push(form);
        Type(self.forms.len() - 1)
    }

    pub(crate) fn set(&mut self, ty: Type, form: Form) {
        self.forms[ty.0] = form;
    }

    pub(crate) fn form(&self, ty: Type) -> &Form {
        &self.forms[ty.0]
    }

    pub(crate) fn name(&mut self, api_version: String, kind: String, ty: Type) {
        self.by_kind.insert((api_version, kind), ty);
    }

    /// The type of the objects of a kind, if it is described.
    pub fn of_kind(&self, api_version: &str, kind: &str) -> Option<Type> {
        self.by_kind.get(&(api_version.to_owned(), kind.to_owned())).copied()
    }

    /// The type of what `step` leads to within a value of type `ty`.
    pub(crate) fn below(&self, ty: Type, step: &Step) -> Option<Type> {
        let form = self.form(ty);
        match step {
            Step::Field(name) => form.map.as_ref()?.member(name),
            Step::Key(_) | Step::Item(_) | Step::Index(_) => Some(form.list.as_ref()?.item),
        }
    }
}

impl Mapping {
    pub(crate) fn member(&self, name: &str) -> Option<Type> {
        self.fields.get(name).copied().or(self.other)
    }
}

impl List {
    pub(crate) fn is_atomic(&self) -> bool {
        self.items == Items::Atomic
    }

    /// The step to `item`, which is at `index`.
    pub(crate) fn step(&self, index: usize, item: &Value) -> Result<Step, KeyError> {
        match &self.items {
            Items::Atomic => Ok(Step::Index(index)),
            Items::Set if item.is_array() || item.is_object() => Err(KeyError::NotAScalar),
            Items::Set => Ok(Step::item(item.clone())),
            Items::Keyed(keys) => key(keys, item.as_object().ok_or(KeyError::NotAMapping)?),
        }
    }
}

fn key(keys: &[(String, Option<Value>)], item: &Map<String, Value>) -> Result<Step, KeyError> {
    let value = |(name, default): &(String, Option<Value>)| item.get(name).or(default.as_ref()).cloned();
    let values: Vec<Option<Value>> = keys.iter().map(value).collect();
    if values.iter().all(Option::is_none) {
        return Err(KeyError::NoKey(keys.iter().map(|(name, _)| name.clone()).collect()));
    }
    let values = values.into_iter().map(Option::unwrap_or_default);
    Ok(Step::key(keys.iter().map(|(name, _)| name.clone()).zip(values)))
}
