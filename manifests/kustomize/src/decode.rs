//! Strict reading of kustomize's own files into typed records.
//!
//! kustomize converts these files from YAML 1.1 to JSON and decodes the JSON into Go structs; the errors here have the
//! words of that decoder, with the line in front.

use std::collections::BTreeMap;

use fairlead_object::{TreePath, nearest};
use fairlead_yaml::{Node, Scalar, Schema, Value, emit_json};
use serde_json::Value as Json;

use crate::{
    at::{At, Located},
    error::BuildError,
};

/// What becomes of a field that a record does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unknown {
    /// It is an error: kustomization files, configurations, replacements.
    Refused,
    /// It is skipped, as kustomize does in the configurations of plugins.
    Ignored,
}

/// What becomes of a number or a boolean where a text is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Texts {
    /// It is an error: kustomizations are read without regard to what is wanted.
    Written,
    /// It is a text: all other files.
    OfAnyScalar,
}

/// A value that can be read from a node.
pub(crate) trait Decode: Sized {
    /// Reads `node`, which stands at `path`.
    fn decode(node: &Node, path: &Path<'_>) -> Result<Self, BuildError>;

    /// What a null at `at` means in a list or a map: a value of which nothing is said.
    fn unsaid(at: At) -> Self;

    /// Reads an element of a list or a map.
    fn decode_element(node: &Node, path: &Path<'_>) -> Result<Self, BuildError> {
        if node.is_null() { Ok(Self::unsaid(path.at(node))) } else { Self::decode(node, path) }
    }
}

/// Where in a file a decoder is: the file, the fields down from its root, and how strict it is.
#[derive(Clone, Copy)]
pub(crate) struct Path<'a> {
    file: &'a TreePath,
    unknown: Unknown,
    texts: Texts,
    schema: Schema,
    parent: Option<&'a Path<'a>>,
    name: &'a str,
}

impl<'a> Path<'a> {
    /// The root of `file`, whose Go type is `type_name`.
    pub(crate) fn file(file: &'a TreePath, type_name: &'a str, unknown: Unknown) -> Self {
        Self { file, unknown, texts: Texts::OfAnyScalar, schema: Schema::SigsYaml, parent: None, name: type_name }
    }

    /// The root of the kustomization `file`.
    pub(crate) fn kustomization(file: &'a TreePath) -> Self {
        Self { texts: Texts::Written, ..Self::file(file, "Kustomization", Unknown::Refused) }
    }

    /// The root of the configuration of a plugin of `kind` in `file`. It is an object like any other, so its scalars
    /// mean what they mean there.
    pub(crate) fn plugin(file: &'a TreePath, kind: &'a str) -> Self {
        Self { schema: Schema::Kyaml, ..Self::file(file, kind, Unknown::Ignored) }
    }

    /// The first document of `content`; later ones are not read. A file without documents is an empty mapping.
    pub(crate) fn first_document(&self, content: &[u8]) -> Result<Node, BuildError> {
        let text = std::str::from_utf8(content).map_err(|_| BuildError::NotUtf8 { file: self.file.clone() })?;
        let malformed = |source: fairlead_yaml::ParseError| BuildError::Malformed {
            at: At::line(self.file, source.position.line),
            source,
        };
        let document = fairlead_yaml::parse_first(text).map_err(malformed)?;
        Ok(document.filter(|node| !node.is_null()).unwrap_or_else(|| Node::mapping(fairlead_yaml::Mapping::new())))
    }

    /// Where `node` stands.
    pub(crate) fn at(&self, node: &Node) -> At {
        At::line(self.file, node.position.line.max(1))
    }

    /// The path of the field `name`.
    pub(crate) fn field<'b>(&'b self, name: &'b str) -> Path<'b> {
        Path { parent: Some(self), name, ..*self }
    }

    /// `node` is not of the Go type `wanted`.
    pub(crate) fn mismatch(&self, node: &Node, wanted: &str) -> BuildError {
        let found = json_type(node, self.schema);
        let field = self.dotted();
        let problem = if self.parent.is_some() {
            format!("cannot unmarshal {found} into Go struct field {field} of type {wanted}")
        } else {
            format!("cannot unmarshal {found} into Go value of type {wanted}")
        };
        BuildError::InvalidField { at: self.at(node), problem }
    }

    /// Calls `set` with each field of `node` that is not null, by its name in `known`. Of a field that is written twice,
    /// the last one counts; if letters differ in case, the last one in the order of bytes, since JSON is read sorted.
    pub(crate) fn each_field(
        &self,
        node: &Node,
        known: &[&'static str],
        mut set: impl FnMut(&'static str, &Node, &Path<'_>) -> Result<(), BuildError>,
    ) -> Result<(), BuildError> {
        let mapping = node.as_mapping().ok_or_else(|| self.mismatch(node, "object"))?;
        let mut entries: Vec<_> =
            mapping.iter().map(|(key, value)| (key.as_str().unwrap_or_default(), key, value)).collect();
        entries.sort_by_key(|(written, ..)| *written);
        for (position, (written, key, value)) in entries.iter().copied().enumerate() {
            if entries.get(position + 1).is_some_and(|(later, ..)| *later == written) {
                continue;
            }
            let name = known.iter().find(|name| name.eq_ignore_ascii_case(written));
            match name {
                Some(name) if !value.is_null() => set(name, value, &self.field(name))?,
                Some(_) => {}
                None => self.unknown_field(key, written, known)?,
            }
        }
        Ok(())
    }

    fn unknown_field(&self, key: &Node, written: &str, known: &[&'static str]) -> Result<(), BuildError> {
        match self.unknown {
            Unknown::Ignored => Ok(()),
            Unknown::Refused => Err(BuildError::UnknownField {
                at: self.at(key),
                field: written.to_owned(),
                nearest: nearest(written, known.iter().copied()).map(str::to_owned),
            }),
        }
    }

    fn dotted(&self) -> String {
        match self.parent {
            Some(parent) => format!("{}.{}", parent.dotted(), self.name),
            None => self.name.to_owned(),
        }
    }
}

/// The name that Go's JSON decoder gives to the type of `node`.
fn json_type(node: &Node, schema: Schema) -> &'static str {
    match &node.value {
        Value::Mapping(_) => "object",
        Value::Sequence(_) => "array",
        Value::Scalar(_) => match node.resolve(schema) {
            Ok(Scalar::Null) => "null",
            Ok(Scalar::Bool(_)) => "bool",
            Ok(Scalar::String(_)) | Err(_) => "string",
            Ok(_) => "number",
        },
    }
}

/// Defines a record with its fields' names in YAML, and how it is read. A field that is absent or null has its default.
macro_rules! record {
    (
        $(#[$doc:meta])*
        $vis:vis struct $name:ident {
            $( $(#[$field_doc:meta])* $field_vis:vis $field:ident: $type:ty = $key:literal, )*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        $vis struct $name {
            $( $(#[$field_doc])* $field_vis $field: $type, )*
        }

        impl $crate::decode::Decode for $name {
            fn decode(
                node: &fairlead_yaml::Node,
                path: &$crate::decode::Path<'_>,
            ) -> Result<Self, $crate::error::BuildError> {
                let mut record = Self::default();
                path.each_field(node, &[$($key),*], |key, value, path| {
                    match key {
                        $( $key => record.$field = $crate::decode::Decode::decode(value, path)?, )*
                        _ => unreachable!("only known fields are handed on"),
                    }
                    Ok(())
                })?;
                Ok(record)
            }

            fn unsaid(_: $crate::at::At) -> Self {
                Self::default()
            }
        }
    };
}
pub(crate) use record;

impl Decode for String {
    fn decode(node: &Node, path: &Path<'_>) -> Result<Self, BuildError> {
        match (path.texts, node.to_json(path.schema)) {
            (_, Ok(Json::String(text))) => Ok(text),
            (Texts::OfAnyScalar, Ok(scalar @ (Json::Bool(_) | Json::Number(_)))) => {
                Ok(emit_json(&scalar).trim_end().to_owned())
            }
            _ => Err(path.mismatch(node, "string")),
        }
    }

    fn unsaid(_: At) -> Self {
        Self::new()
    }
}

impl Decode for bool {
    fn decode(node: &Node, path: &Path<'_>) -> Result<Self, BuildError> {
        match (&node.value, node.resolve(path.schema)) {
            (Value::Scalar(_), Ok(Scalar::Bool(value))) => Ok(value),
            _ => Err(path.mismatch(node, "bool")),
        }
    }

    fn unsaid(_: At) -> Self {
        false
    }
}

impl Decode for i64 {
    fn decode(node: &Node, path: &Path<'_>) -> Result<Self, BuildError> {
        node.to_json(path.schema).ok().and_then(|value| value.as_i64()).ok_or_else(|| path.mismatch(node, "int64"))
    }

    fn unsaid(_: At) -> Self {
        0
    }
}

impl Decode for Node {
    fn decode(node: &Node, _: &Path<'_>) -> Result<Self, BuildError> {
        Ok(node.clone())
    }

    fn unsaid(_: At) -> Self {
        Self::null()
    }
}

impl Decode for Json {
    fn decode(node: &Node, path: &Path<'_>) -> Result<Self, BuildError> {
        let unreadable =
            |source| BuildError::Unprintable { at: path.at(node), id: format!("`{}`", path.dotted()), source };
        node.to_json(path.schema).map_err(unreadable)
    }

    fn unsaid(_: At) -> Self {
        Self::Null
    }
}

impl<T: Decode> Decode for Option<T> {
    fn decode(node: &Node, path: &Path<'_>) -> Result<Self, BuildError> {
        T::decode(node, path).map(Some)
    }

    fn unsaid(_: At) -> Self {
        None
    }
}

impl<T: Decode> Decode for Located<T> {
    fn decode(node: &Node, path: &Path<'_>) -> Result<Self, BuildError> {
        Ok(Self::new(path.at(node), T::decode(node, path)?))
    }

    fn unsaid(at: At) -> Self {
        Self::new(at.clone(), T::unsaid(at))
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(node: &Node, path: &Path<'_>) -> Result<Self, BuildError> {
        let items = node.as_sequence().ok_or_else(|| path.mismatch(node, "[]"))?;
        items.iter().map(|item| T::decode_element(item, path)).collect()
    }

    fn unsaid(_: At) -> Self {
        Self::new()
    }
}

impl<T: Decode> Decode for BTreeMap<String, T> {
    fn decode(node: &Node, path: &Path<'_>) -> Result<Self, BuildError> {
        let mapping = node.as_mapping().ok_or_else(|| path.mismatch(node, "map[string]string"))?;
        let entry = |(key, value): (&Node, &Node)| {
            let key = key.as_str().unwrap_or_default();
            Ok((key.to_owned(), T::decode_element(value, &path.field(key))?))
        };
        mapping.iter().map(entry).collect()
    }

    fn unsaid(_: At) -> Self {
        Self::new()
    }
}
