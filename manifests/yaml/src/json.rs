//! Trees to and from JSON values.

use serde_json::Map;
use serde_json::Value as Json;

use crate::emit::string_style;
use crate::{Duplicate, Mapping, Node, Position, Scalar, Schema, Style, TagError, Value, number};

/// Why a tree has no JSON form under a schema.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ResolveError {
    /// A tag whose type the scalar does not have.
    #[error(transparent)]
    Tag(#[from] TagError),
    /// A key that is written twice, which only [`Schema::Kyaml`] refuses.
    #[error(
        "yaml: unmarshal errors:\n  line {}: mapping key {:?} already defined at line {}",
        .0.again, .0.key, .0.first
    )]
    Duplicate(Duplicate),
    /// A key that no JSON object can have.
    #[error("yaml: line {position}: unsupported map key: {key}")]
    Key {
        /// Where the key is.
        position: Position,
        /// What was written.
        key: String,
    },
    /// An infinity or not a number.
    #[error("yaml: line {position}: json: unsupported value: {text}")]
    Number {
        /// Where the number is.
        position: Position,
        /// What was written.
        text: String,
    },
}

impl ResolveError {
    /// Where in the text the problem is.
    pub fn position(&self) -> Position {
        match self {
            Self::Tag(error) => error.position,
            Self::Duplicate(duplicate) => duplicate.again,
            Self::Key { position, .. } | Self::Number { position, .. } => *position,
        }
    }
}

impl Node {
    /// The JSON value that a tool with this schema makes of the tree.
    ///
    /// # Follows kustomize and `sigs.k8s.io/yaml`
    /// kustomize writes every object and reads it again before it prints it, which adds line breaks to folded texts that
    /// have indented lines. A repeated key is an error for [`Schema::Kyaml`], for [`Schema::SigsYaml`] the last one wins. A float whose text
    /// as JSON is an integer becomes one. For [`Schema::Kyaml`], a bare key, and a bare value in a flow collection,
    /// is an empty string, and a quoted key `<<` is left out.
    pub fn to_json(&self, schema: Schema) -> Result<Json, ResolveError> {
        Reader { schema }.value(self, Style::Block)
    }

    /// Finds what [`to_json`](Self::to_json) with [`Schema::SigsYaml`] objects to, without making a value.
    pub fn check_sigs_yaml(&self) -> Result<(), ResolveError> {
        Reader { schema: Schema::SigsYaml }.check(self)
    }

    /// The tree of a JSON value: collections in block style, strings that stay strings in every schema.
    pub fn from_json(json: &Json) -> Self {
        match json {
            Json::Null => Self::null(),
            Json::Bool(bool) => Self::plain(bool.to_string()),
            Json::Number(number) => Self::plain(number.to_string()),
            Json::String(text) => Self::string(text),
            Json::Array(items) => Self::sequence(items.iter().map(Self::from_json).collect()),
            Json::Object(fields) => {
                Self::mapping(fields.iter().map(|(key, value)| (Self::string(key), Self::from_json(value))).collect())
            }
        }
    }
}

struct Reader {
    schema: Schema,
}

impl Reader {
    fn value(&self, node: &Node, inside: Style) -> Result<Json, ResolveError> {
        let within = if inside == Style::Flow { inside } else { node.style };
        match &node.value {
            Value::Scalar(_) => self.scalar(node, inside),
            Value::Sequence(items) => items.iter().map(|item| self.value(item, within)).collect(),
            Value::Mapping(mapping) => self.object(mapping, within),
        }
    }

    fn check(&self, node: &Node) -> Result<(), ResolveError> {
        match &node.value {
            Value::Scalar(_) => match node.resolve(self.schema)? {
                Scalar::Float(float) if number::to_json(float).is_none() => Err(unsupported_number(node)),
                Scalar::Null
                | Scalar::Bool(_)
                | Scalar::Int(_)
                | Scalar::UInt(_)
                | Scalar::Float(_)
                | Scalar::String(_)
                | Scalar::Timestamp(_) => Ok(()),
            },
            Value::Sequence(items) => items.iter().try_for_each(|item| self.check(item)),
            Value::Mapping(mapping) => mapping.iter().try_for_each(|(key, value)| {
                let is_text =
                    matches!(key.value, Value::Scalar(_)) && matches!(key.resolve(self.schema)?, Scalar::String(_));
                if !is_text {
                    self.key(key)?;
                }
                self.check(value)
            }),
        }
    }

    fn object(&self, mapping: &Mapping, within: Style) -> Result<Json, ResolveError> {
        let mut object = Map::new();
        for (key, value) in mapping.iter() {
            if self.schema == Schema::Kyaml && key.as_str() == Some("<<") {
                continue;
            }
            let repeated = object.insert(self.key(key)?, self.value(value, within)?);
            if self.schema == Schema::Kyaml
                && repeated.is_some()
                && let Some(duplicate) = mapping.duplicate()
            {
                return Err(ResolveError::Duplicate(duplicate));
            }
        }
        Ok(Json::Object(object))
    }

    fn key(&self, key: &Node) -> Result<String, ResolveError> {
        let unsupported = || ResolveError::Key { position: key.position, key: describe_key(key) };
        if !matches!(key.value, Value::Scalar(_)) {
            return Err(unsupported());
        }
        if self.schema == Schema::Kyaml && key.is_bare() {
            return Ok(String::new());
        }
        match (key.resolve(self.schema)?, self.schema) {
            (Scalar::String(text), _) => Ok(text.into_owned()),
            (Scalar::Int(number), _) => Ok(number.to_string()),
            (Scalar::Bool(bool), Schema::SigsYaml) => Ok(bool.to_string()),
            (Scalar::Float(number), Schema::SigsYaml) => Ok(number::format_general(number)),
            (Scalar::Bool(_) | Scalar::Float(_), Schema::Kyaml)
            | (Scalar::Null | Scalar::UInt(_) | Scalar::Timestamp(_), _) => Err(unsupported()),
        }
    }

    fn scalar(&self, node: &Node, inside: Style) -> Result<Json, ResolveError> {
        if self.schema == Schema::Kyaml && inside == Style::Flow && node.is_bare() {
            return Ok(Json::String(String::new()));
        }
        Ok(match node.resolve(self.schema)? {
            Scalar::Null => Json::Null,
            Scalar::Bool(bool) => Json::Bool(bool),
            Scalar::Int(number) => number.into(),
            Scalar::UInt(number) => number.into(),
            Scalar::Float(float) => match number::to_json(float) {
                Some(number) => Json::Number(number),
                None => return Err(unsupported_number(node)),
            },
            Scalar::String(text)
                if self.schema == Schema::Kyaml && inside != Style::Flow && stays_folded(node, &text) =>
            {
                Json::String(folded_again(&text))
            }
            Scalar::String(text) => Json::String(text.into_owned()),
            Scalar::Timestamp(text) => Json::String(text),
        })
    }
}

/// Whether go-yaml writes a text folded again, which it does not where a line ends in a blank, and not in brackets.
fn stays_folded(node: &Node, text: &str) -> bool {
    node.style == Style::Folded && string_style(text) == Style::Literal
}

/// What becomes of a folded text when go-yaml v3 has written it and read it.
///
/// Between two lines it writes one line break more than there are, unless the line above is indented; it forgets to
/// look at the line below, and looks at the first letter of the whole text instead.
fn folded_again(text: &str) -> String {
    let adds = !text.trim_start_matches('\n').starts_with([' ', '\t']) && !text.trim_matches('\n').is_empty();
    let is_indented = |line: &str| line.starts_with([' ', '\t']);
    let mut folded = String::with_capacity(text.len());
    let mut rest = text;
    let mut above = None;
    while let Some(start) = rest.find('\n') {
        let (line, after) = rest.split_at(start);
        let breaks = after.len() - after.trim_start_matches('\n').len();
        rest = &after[breaks..];
        folded.push_str(line);
        if above.is_some() || !line.is_empty() {
            above = Some(line);
        }
        let indented_above = above.is_none_or(is_indented);
        let written = breaks + usize::from(adds && !indented_above);
        let read = match (indented_above, rest) {
            (_, "") if breaks > 1 => written,
            (_, "") => 1,
            (false, below) if !is_indented(below) => written - 1,
            (..) => written,
        };
        folded.push_str(if read == 0 { " " } else { "" });
        folded.extend(std::iter::repeat_n('\n', read));
    }
    folded + rest
}

fn unsupported_number(node: &Node) -> ResolveError {
    ResolveError::Number { position: node.position, text: node.as_str().unwrap_or_default().to_owned() }
}

fn describe_key(key: &Node) -> String {
    match &key.value {
        Value::Scalar(text) if text.is_empty() => "null".to_owned(),
        Value::Scalar(text) => text.to_string(),
        Value::Sequence(_) => "a sequence".to_owned(),
        Value::Mapping(_) => "a mapping".to_owned(),
    }
}
