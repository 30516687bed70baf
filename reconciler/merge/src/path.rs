//! Places in an object.

use std::{cmp::Ordering, fmt};

use serde_json::{Map, Value};

/// One step into an object.
///
/// Steps are ordered as the API server orders them: fields, keys, values, positions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The field of this name.
    Field(String),
    /// The item of a list whose key fields have these values; sorted by name.
    Key(Vec<(String, Ordered)>),
    /// This item of a set.
    Item(Ordered),
    /// The item at this position.
    Index(usize),
}

/// A place: the steps that lead to it.
pub type Path = Vec<Step>;

impl Step {
    /// The step into the field `name`.
    pub fn field(name: &str) -> Self {
        Self::Field(name.to_owned())
    }

    /// The step to the item that has these values in its key fields.
    pub fn key(fields: impl IntoIterator<Item = (String, Value)>) -> Self {
        let mut fields: Vec<_> = fields.into_iter().map(|(name, value)| (name, Ordered(value))).collect();
        fields.sort();
        Self::Key(fields)
    }

    /// The step to an item of a set.
    pub fn item(value: Value) -> Self {
        Self::Item(Ordered(value))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Field(name) => write!(f, ".{name}"),
            Self::Key(fields) => {
                let fields: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
                write!(f, "[{}]", fields.join(","))
            }
            Self::Item(value) => write!(f, "[={value}]"),
            Self::Index(index) => write!(f, "[{index}]"),
        }
    }
}

/// Writes `path` as the API server does in conflicts, as `.spec.containers[name="web"].image`.
pub fn shown(path: &[Step]) -> String {
    path.iter().map(Step::to_string).collect()
}

/// A JSON value with an order: numbers, texts, booleans, lists, mappings, null.
#[derive(Clone, Debug)]
pub struct Ordered(pub Value);

impl Ordered {
    const fn rank(&self) -> u8 {
        match self.0 {
            Value::Number(_) => 0,
            Value::String(_) => 1,
            Value::Bool(_) => 2,
            Value::Array(_) => 3,
            Value::Object(_) => 4,
            Value::Null => 5,
        }
    }
}

impl fmt::Display for Ordered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Value::Number(mine), Value::Number(others)) => compare_numbers(mine, others),
            (Value::String(mine), Value::String(others)) => mine.cmp(others),
            (Value::Bool(mine), Value::Bool(others)) => mine.cmp(others),
            (Value::Array(mine), Value::Array(others)) => compare_all(mine, others),
            (Value::Object(mine), Value::Object(others)) => compare_mappings(mine, others),
            _ => self.rank().cmp(&other.rank()),
        }
    }
}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ordered {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ordered {}

/// Whether two values are the same to the API server, which tells `1` and `1.0` not apart.
pub(crate) fn are_equal(mine: &Value, others: &Value) -> bool {
    compare(mine, others) == Ordering::Equal
}

fn compare(mine: &Value, others: &Value) -> Ordering {
    Ordered(mine.clone()).cmp(&Ordered(others.clone()))
}

fn compare_numbers(mine: &serde_json::Number, others: &serde_json::Number) -> Ordering {
    match (mine.as_i64(), others.as_i64()) {
        (Some(mine), Some(others)) => mine.cmp(&others),
        _ => mine.as_f64().unwrap_or(f64::MAX).total_cmp(&others.as_f64().unwrap_or(f64::MAX)),
    }
}

fn compare_all(mine: &[Value], others: &[Value]) -> Ordering {
    let first = mine.iter().zip(others).map(|(mine, others)| compare(mine, others)).find(|order| order.is_ne());
    first.unwrap_or_else(|| mine.len().cmp(&others.len()))
}

fn compare_mappings(mine: &Map<String, Value>, others: &Map<String, Value>) -> Ordering {
    let first = mine
        .iter()
        .zip(others)
        .map(|((key, value), (other_key, other))| key.cmp(other_key).then_with(|| compare(value, other)));
    first.into_iter().find(|order| order.is_ne()).unwrap_or_else(|| mine.len().cmp(&others.len()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_path_is_shown_as_the_api_server_shows_it() {
        let port = Step::key([("protocol".to_owned(), json!("TCP")), ("containerPort".to_owned(), json!(80))]);
        let path = [Step::field("spec"), Step::field("ports"), port, Step::field("hostPort")];
        assert_eq!(shown(&path), r#".spec.ports[containerPort=80,protocol="TCP"].hostPort"#);
        let path = [Step::field("finalizers"), Step::item(json!("x.io/a")), Step::Index(0)];
        assert_eq!(shown(&path), r#".finalizers[="x.io/a"][0]"#);
    }

    #[test]
    fn values_of_one_kind_are_in_their_own_order_and_numbers_come_first() {
        let sorted = [json!(1), json!(1.5), json!(20), json!("10"), json!("9"), json!(false), json!([1]), json!(null)];
        assert!(sorted.windows(2).all(|pair| Ordered(pair[0].clone()) < Ordered(pair[1].clone())));
        assert!(are_equal(&json!({ "a": [1] }), &json!({ "a": [1.0] })));
    }
}
