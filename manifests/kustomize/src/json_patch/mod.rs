//! JSON patches (RFC 6902), as kustomize's library applies them.
//!
//! # Differs from RFC 6902, with kustomize
//! A negative index counts from the end, and `replace` of a key that is missing adds it.

mod edit;
mod graft;

use fairlead_object::TreePath;
use fairlead_yaml::{Node, ResolveError, Scalar, Schema, Value, Written, emit_json};
use serde_json::Value as Json;

use crate::{
    at::At,
    error::{BuildError, PatchError},
};
use edit::{add, get, remove, replace};
use graft::Graft;

use crate::node::VALUE_BYTES;

/// Most bytes that the copies of one patch may add to an object: each can double it.
pub const MAX_COPIED_BYTES: usize = 64 << 20;

/// A list of operations.
#[derive(Clone, Debug)]
pub(crate) struct Operations(Vec<Operation>);

#[derive(Clone, Debug)]
struct Operation {
    op: String,
    path: Option<String>,
    from: Option<String>,
    value: Json,
    /// What the fields are marked with that it writes.
    mark: Written,
}

/// Why an operation does not apply, in the words of kustomize's library.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OperationError(pub(crate) String);

impl Operations {
    /// Reads a patch: JSON if it starts with a bracket, else YAML 1.1 whose first document counts. Nothing at all is a
    /// patch without operations. Its first line is at `at`.
    pub(crate) fn parse(text: &str, at: &At) -> Result<Self, OperationError> {
        let lines = lines(text);
        let value = if text.starts_with('[') {
            serde_json::from_str(text).map_err(|error| OperationError(error.to_string()))?
        } else {
            let document = fairlead_yaml::parse_first(text).map_err(|error| OperationError(error.to_string()))?;
            let first = document.map(|node| node.to_json(Schema::SigsYaml));
            first.transpose().map_err(|error| OperationError(error.to_string()))?.unwrap_or(Json::Null)
        };
        let operations = match value {
            Json::Null => Vec::new(),
            Json::Array(operations) => {
                let lines = lines.into_iter().chain(std::iter::repeat(1));
                let read = |(operation, line)| Operation::read(operation, at.line_below(line).mark());
                operations.into_iter().zip(lines).map(read).collect::<Result<_, _>>()?
            }
            other => return Err(cannot_unmarshal(&other, "jsonpatch.Patch")),
        };
        Ok(Self(operations))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many bytes an object gets, copies apart.
    pub(crate) fn weight(&self) -> usize {
        self.0.iter().map(|operation| weight(&operation.value)).sum()
    }

    /// Applies the operations to `object` in their order, and says how many bytes they have copied.
    pub(crate) fn apply(&self, object: &mut Json) -> Result<usize, OperationError> {
        let mut copied = 0;
        for operation in &self.0 {
            if operation.op == "copy" {
                copied += get(object, "copy", operation.from()?)?.map_or(0, weight);
            }
            if copied > MAX_COPIED_BYTES {
                return Err(OperationError(format!("copies add more than {MAX_COPIED_BYTES} bytes")));
            }
            operation.apply(object)?;
        }
        Ok(copied)
    }
}

/// The lines on which the operations of `text` begin.
fn lines(text: &str) -> Vec<u32> {
    let documents = fairlead_yaml::parse(text).unwrap_or_default();
    let operations = documents.first().and_then(Node::as_sequence).unwrap_or_default();
    operations.iter().map(|operation| operation.position.line).collect()
}

/// How many bytes `value` costs, about.
fn weight(value: &Json) -> usize {
    let content = match value {
        Json::Array(items) => items.iter().map(weight).sum(),
        Json::Object(fields) => fields.iter().map(|(key, value)| key.len() + weight(value)).sum(),
        Json::String(text) => text.len(),
        Json::Null | Json::Bool(_) | Json::Number(_) => 0,
    };
    VALUE_BYTES + content
}

fn cannot_unmarshal(value: &Json, wanted: &str) -> OperationError {
    let found = match value {
        Json::Null => "null",
        Json::Bool(_) => "bool",
        Json::Number(_) => "number",
        Json::String(_) => "string",
        Json::Array(_) => "array",
        Json::Object(_) => "object",
    };
    OperationError(format!("json: cannot unmarshal {found} into Go value of type {wanted}"))
}

impl Operation {
    fn read(value: Json, mark: Written) -> Result<Self, OperationError> {
        let Json::Object(mut fields) = value else { return Err(cannot_unmarshal(&value, "jsonpatch.Operation")) };
        let text = |key: &str| fields.get(key).and_then(Json::as_str).map(str::to_owned);
        let (op, path, from) = (text("op").unwrap_or_default(), text("path"), text("from"));
        Ok(Self { op, path, from, value: fields.remove("value").unwrap_or(Json::Null), mark })
    }

    fn apply(&self, object: &mut Json) -> Result<(), OperationError> {
        match self.op.as_str() {
            "add" => add(object, self.path()?, self.value.clone()),
            "remove" => remove(object, self.path()?).map(drop),
            "replace" => replace(object, self.path()?, self.value.clone()),
            "move" => {
                let moved = remove(object, self.from()?)?;
                add(object, self.path()?, moved)
            }
            "copy" => {
                let copied = get(object, "copy", self.from()?)?.cloned().unwrap_or_default();
                add(object, self.path()?, copied)
            }
            "test" => self.test(object),
            other => Err(OperationError(format!("Unexpected kind: {other}"))),
        }
    }

    fn test(&self, object: &mut Json) -> Result<(), OperationError> {
        let path = self.path()?;
        let found = if path.is_empty() { Some(&*object) } else { get(object, "test", path)? };
        if found.unwrap_or(&Json::Null) == &self.value {
            return Ok(());
        }
        Err(OperationError(format!("testing value {path} failed: test failed")))
    }

    fn path(&self) -> Result<&str, OperationError> {
        let undecodable = || OperationError(format!("{} operation failed to decode path: missing value", self.op));
        self.path.as_deref().ok_or_else(undecodable)
    }

    fn from(&self) -> Result<&str, OperationError> {
        let undecodable = || OperationError(format!("{} operation failed to decode from: missing value", self.op));
        self.from.as_deref().ok_or_else(undecodable)
    }
}

/// Applies `operations` to the object `node` of `file`, and says how many bytes they have copied.
///
/// # Follows kustomize
/// The object is rebuilt from JSON, in which a number is a double: integers beyond 2^53 lose digits, and where a number of
/// seven digits stands for a text, as in an annotation, the text has an exponent.
pub(crate) fn apply(node: &mut Node, operations: &Operations, at: &At, id: &str) -> Result<usize, BuildError> {
    let unprintable = |source| BuildError::Unprintable { at: at.clone(), id: id.to_owned(), source };
    let mut object = node.to_json(Schema::Kyaml).map_err(unprintable)?;
    let copied = operations.apply(&mut object).map_err(|OperationError(problem)| PatchError::Operation {
        at: at.clone(),
        id: id.to_owned(),
        problem,
    })?;
    round_integers(&mut object);
    let mut patched = Node::from_json(&object);
    Graft::new(&operations.0).keep(&mut patched, Some(node));
    *node = patched;
    respell_floats(node);
    Ok(copied)
}

/// What `node` is when it has been written as JSON and read again.
pub(crate) fn read_again(node: &Node) -> Result<Node, ResolveError> {
    let mut again = Node::from_json(&node.to_json(Schema::Kyaml)?);
    Graft::new(&[]).keep(&mut again, Some(node));
    respell_floats(&mut again);
    Ok(again)
}

/// Makes floats of integers that Go writes with an exponent as floats.
fn round_integers(value: &mut Json) {
    const LONG: u64 = 1_000_000;
    match value {
        Json::Number(number) => {
            let magnitude = number.as_i64().map(i64::unsigned_abs).or(number.as_u64());
            if let (Some(LONG..), Some(float)) = (magnitude, number.as_f64()) {
                *value = Json::from(float);
            }
        }
        Json::Array(items) => items.iter_mut().for_each(round_integers),
        Json::Object(fields) => fields.values_mut().for_each(round_integers),
        Json::Null | Json::Bool(_) | Json::String(_) => {}
    }
}

/// Writes floats as they will be printed: a float in an annotation is a text, spelled that way.
fn respell_floats(node: &mut Node) {
    if let Ok(Scalar::Float(float)) = node.resolve(Schema::Kyaml) {
        node.value = Value::Scalar(spelled(float).into());
        return;
    }
    match &mut node.value {
        Value::Scalar(_) => {}
        Value::Sequence(items) => items.iter_mut().for_each(respell_floats),
        Value::Mapping(entries) => entries.iter_mut().for_each(|(_, value)| respell_floats(value)),
    }
}

/// `float` as Go's `%g` writes it; as a value of its own, a large integer is written without an exponent.
fn spelled(float: f64) -> String {
    let value = emit_json(&Json::from(float)).trim_end().to_owned();
    let scientific = format!("{float:e}");
    match scientific.split_once('e') {
        Some((digits, exponent)) if !value.contains(['.', 'e']) => format!("{digits}e+{exponent:0>2}"),
        Some(_) | None => value,
    }
}

/// Reads the patch in the file `file`.
pub(crate) fn parse_file(file: &TreePath, content: &[u8]) -> Result<Operations, BuildError> {
    let text = std::str::from_utf8(content).map_err(|_| BuildError::NotUtf8 { file: file.clone() })?;
    let at = At::line(file, 1);
    Ok(Operations::parse(text, &at).map_err(|OperationError(problem)| PatchError::Bad { at: at.clone(), problem })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_apply_as_kustomize_applies_them_or_say_why_not() {
        let rows = [
            (r#"[{"op":"add","path":"/a/-","value":3}]"#, r#"{"a":[1,2,3],"b":{"c/d":1}}"#),
            (r#"[{"op":"add","path":"/a/-1","value":3}]"#, r#"{"a":[1,2,3],"b":{"c/d":1}}"#),
            (r#"[{"op":"remove","path":"/b/c~1d"}]"#, r#"{"a":[1,2],"b":{}}"#),
            (r#"[{"op":"replace","path":"/b/new","value":1}]"#, r#"{"a":[1,2],"b":{"c/d":1,"new":1}}"#),
            (r#"[{"op":"move","from":"/b","path":"/c"}]"#, r#"{"a":[1,2],"c":{"c/d":1}}"#),
            (r#"[{"op":"copy","from":"/a/0","path":"/c"}]"#, r#"{"a":[1,2],"b":{"c/d":1},"c":1}"#),
            (r#"[{"op":"test","path":"/zz"}]"#, r#"{"a":[1,2],"b":{"c/d":1}}"#),
            (r#"[{"op":"test","path":"/a/0","value":2}]"#, "testing value /a/0 failed: test failed"),
            (
                r#"[{"op":"add","path":"/a/9","value":3}]"#,
                "error in add for path: '/a/9': Unable to access invalid index: 9: invalid index referenced",
            ),
            (
                r#"[{"op":"remove","path":"/zz"}]"#,
                "error in remove for path: '/zz': Unable to remove nonexistent key: zz: missing value",
            ),
            (
                r#"[{"op":"add","path":"/zz/y"}]"#,
                r#"add operation does not apply: doc is missing path: "/zz/y": missing value"#,
            ),
            (r#"[{"op":"foo","path":"/a"}]"#, "Unexpected kind: foo"),
        ];
        for (patch, expected) in rows {
            let mut object = serde_json::json!({"a": [1, 2], "b": {"c/d": 1}});
            let applied =
                Operations::parse(patch, &At::field("patch")).and_then(|operations| operations.apply(&mut object));
            let outcome = applied.map_or_else(|OperationError(problem)| problem, |_| object.to_string());
            assert_eq!(outcome, expected, "{patch}");
        }
    }
}
