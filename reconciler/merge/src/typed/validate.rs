//! Whether a value fits its type.

use std::collections::HashSet;

use serde_json::Value;

use crate::{
    path::{Ordered, Path, Step, shown},
    types::{Items, KeyError, List, Mapping, Scalar, Type, Types},
};

/// What does not fit in `value`, each as the API server words it. No item of a list may be there twice.
pub(crate) fn validate(types: &Types, ty: Type, value: &Value) -> Vec<String> {
    let mut check = Check { types, at: Path::new(), problems: Vec::new() };
    check.value(ty, value);
    check.problems
}

struct Check<'t> {
    types: &'t Types,
    at: Path,
    problems: Vec<String>,
}

impl Check<'_> {
    fn value(&mut self, ty: Type, value: &Value) {
        let form = self.types.form(ty);
        match value {
            Value::Null => {}
            Value::Array(items) => match &form.list {
                Some(list) => self.list(list, items),
                None => self.misfit(ty, value),
            },
            Value::Object(members) => match &form.map {
                Some(map) => members.iter().for_each(|(name, member)| self.member(map, name, member)),
                None => self.misfit(ty, value),
            },
            Value::Bool(_) | Value::Number(_) | Value::String(_) => match form.scalar {
                Some(scalar) if fits(scalar, value) => {}
                Some(_) | None => self.misfit(ty, value),
            },
        }
    }

    fn member(&mut self, map: &Mapping, name: &str, member: &Value) {
        self.at.push(Step::field(name));
        match map.member(name) {
            Some(ty) => self.value(ty, member),
            None => self.problem("field not declared in schema"),
        }
        self.at.pop();
    }

    fn list(&mut self, list: &List, items: &[Value]) {
        let mut seen = HashSet::new();
        for (index, item) in items.iter().enumerate() {
            let step = match list.step(index, item) {
                Ok(step) => step,
                Err(error) => {
                    self.at.push(Step::Index(index));
                    self.problem(&keyless(&error, item));
                    self.at.pop();
                    continue;
                }
            };
            if list.items != Items::Atomic && !seen.insert(step.to_string()) {
                self.problem(&format!("duplicate entries for key {step}"));
            }
            self.at.push(step);
            self.value(list.item, item);
            self.at.pop();
        }
    }

    fn misfit(&mut self, ty: Type, value: &Value) {
        let form = self.types.form(ty);
        let wanted = match (&form.map, &form.list, form.scalar) {
            (Some(_), ..) => "map",
            (None, Some(_), _) => "list",
            (None, None, Some(Scalar::Numeric)) => "numeric (int or float)",
            (None, None, Some(Scalar::Text)) => "string",
            (None, None, Some(Scalar::Boolean)) => "boolean",
            (None, None, Some(Scalar::Any) | None) => "any scalar",
        };
        let found = match value {
            Value::Array(_) | Value::Object(_) => format!("&{{{}}}", Ordered(value.clone())),
            scalar if form.scalar.is_some() => format!("&value.valueUnstructured{{Value:{scalar}}}"),
            Value::String(text) => format!("&{{{text}}}"),
            scalar => format!("&{{{scalar}}}"),
        };
        self.problem(&format!("expected {wanted}, got {found}"));
    }

    fn problem(&mut self, problem: &str) {
        self.problems.push(format!("{}: {problem}", shown(&self.at)));
    }
}

fn fits(scalar: Scalar, value: &Value) -> bool {
    match scalar {
        Scalar::Numeric => value.is_number(),
        Scalar::Text => value.is_string(),
        Scalar::Boolean => value.is_boolean(),
        Scalar::Any => true,
    }
}

fn keyless(error: &KeyError, item: &Value) -> String {
    match error {
        KeyError::NotAMapping => format!("associative list with keys may not have non-map elements: {item}"),
        KeyError::NotAScalar => "scalar sets may not have map or list elements".to_owned(),
        KeyError::NoKey(keys) => {
            let keys: Vec<_> = keys.iter().map(|key| format!("{key:?}")).collect();
            format!(
                "associative list with keys has an element that omits key field {} (and doesn't have default value)",
                keys.join(", ")
            )
        }
    }
}
