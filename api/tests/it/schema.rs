//! A small API server's look at an object: defaults, structure, and CEL rules of its definition.

use std::sync::LazyLock;

use fairlead_api::crds::crds;
use regex::Regex;
use serde_json::{Map, Value, json};

static DEFINITIONS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    crds().iter().map(|crd| serde_json::to_value(crd).expect("a definition has a JSON form")).collect()
});

/// The definition of `kind` as JSON.
pub(crate) fn definition(kind: &str) -> &'static Value {
    let is_it = |definition: &&Value| definition["spec"]["names"]["kind"] == kind;
    DEFINITIONS.iter().find(is_it).expect("the kind is served")
}

/// The schema of the only version in `definition`.
pub(crate) fn schema(definition: &Value) -> &Value {
    &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
}

/// What a server would say against storing `object`, or against changing `old` into it.
pub(crate) fn complaints(object: &Value, old: Option<&Value>) -> Vec<String> {
    let definition = definition(object["kind"].as_str().expect("an object has a kind"));
    let mut root = schema(definition).clone();
    for field in ["apiVersion", "kind"] {
        root["properties"][field] = json!({"type": "string"});
    }
    root["properties"]["metadata"] = json!({"x-kubernetes-preserve-unknown-fields": true});
    let mut found = Vec::new();
    let with_defaults = |object: &Value| {
        let mut object = object.clone();
        set_defaults(&root, &mut object);
        object
    };
    let (object, old) = (with_defaults(object), old.map(with_defaults));
    Place { schema: &root, path: String::new() }.check(&object, old.as_ref(), &mut found);
    found
}

fn set_defaults(schema: &Value, value: &mut Value) {
    if let (Some(fields), Some(properties)) = (value.as_object_mut(), schema["properties"].as_object()) {
        for (name, property) in properties {
            if let (None, Some(default)) = (fields.get(name), property.get("default")) {
                fields.insert(name.clone(), default.clone());
            }
            if let Some(field) = fields.get_mut(name) {
                set_defaults(property, field);
            }
        }
    } else if let Some(fields) = value.as_object_mut() {
        for field in fields.values_mut() {
            set_defaults(&schema["additionalProperties"], field);
        }
    } else if let Some(items) = value.as_array_mut() {
        for item in items {
            set_defaults(&schema["items"], item);
        }
    }
}

/// A place in an object, with the schema for it.
struct Place<'a> {
    schema: &'a Value,
    path: String,
}

impl<'a> Place<'a> {
    fn below(&self, name: &str, schema: &'a Value) -> Self {
        Place { schema, path: format!("{}.{name}", self.path).trim_start_matches('.').to_owned() }
    }

    fn check(&self, value: &Value, old: Option<&Value>, found: &mut Vec<String>) {
        let before = found.len();
        match value {
            Value::Object(fields) => self.check_fields(fields, old, found),
            Value::Array(items) => {
                self.expect(self.schema["type"] == "array", "is a list", found);
                for (index, item) in items.iter().enumerate() {
                    self.below(&index.to_string(), &self.schema["items"]).check(item, None, found);
                }
            }
            Value::String(text) => self.check_text(text, found),
            Value::Number(number) => {
                self.expect(self.schema["type"] == "integer", "is a number", found);
                let within = |bound: &str, fits: fn(f64, f64) -> bool| {
                    self.schema[bound].as_f64().is_none_or(|bound| number.as_f64().is_some_and(|n| fits(n, bound)))
                };
                self.expect(within("minimum", |n, min| n >= min), "is too small", found);
                self.expect(within("maximum", |n, max| n <= max), "is too large", found);
            }
            Value::Bool(_) => self.expect(self.schema["type"] == "boolean", "is a boolean", found),
            Value::Null => self.expect(false, "is null", found),
        }
        if found.len() == before {
            self.check_rules(value, old, found);
        }
    }

    fn check_fields(&self, fields: &Map<String, Value>, old: Option<&Value>, found: &mut Vec<String>) {
        if self.schema["x-kubernetes-preserve-unknown-fields"] == true {
            return;
        }
        self.expect(self.schema["type"] == "object", "is a map", found);
        for name in self.schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            self.below(name, &Value::Null).expect(fields.contains_key(name), "is required", found);
        }
        for (name, field) in fields {
            let known = self.schema["properties"].get(name).or_else(|| self.schema.get("additionalProperties"));
            let place = self.below(name, known.unwrap_or(&Value::Null));
            match known {
                Some(_) => place.check(field, old.and_then(|old| old.get(name)), found),
                None => place.expect(false, "is unknown", found),
            }
        }
    }

    fn check_text(&self, text: &str, found: &mut Vec<String>) {
        self.expect(self.schema["type"] == "string", "is a text", found);
        let length = text.chars().count() as u64;
        self.expect(self.schema["minLength"].as_u64().is_none_or(|min| length >= min), "is too short", found);
        self.expect(self.schema["maxLength"].as_u64().is_none_or(|max| length <= max), "is too long", found);
        let allowed = self.schema["enum"].as_array();
        self.expect(allowed.is_none_or(|allowed| allowed.iter().any(|one| one == text)), "is not one of those", found);
        let pattern = self.schema["pattern"].as_str().map(|pattern| Regex::new(pattern).expect(pattern));
        self.expect(pattern.is_none_or(|pattern| pattern.is_match(text)), "does not match", found);
    }

    fn check_rules(&self, value: &Value, old: Option<&Value>, found: &mut Vec<String>) {
        for rule in self.schema["x-kubernetes-validations"].as_array().into_iter().flatten() {
            let text = rule["rule"].as_str().expect("a rule is text");
            if text.contains("oldSelf") && old.is_none() {
                continue;
            }
            if !holds(text, value, old) {
                self.expect(false, rule["message"].as_str().expect("each rule has a message"), found);
            }
        }
    }

    fn expect(&self, holds: bool, complaint: &str, found: &mut Vec<String>) {
        if !holds {
            found.push(format!("{}: {complaint}", self.path));
        }
    }
}

/// Whether the CEL expression `rule` is true of `value`.
fn holds(rule: &str, value: &Value, old: Option<&Value>) -> bool {
    let program = cel::Program::compile(rule).unwrap_or_else(|error| panic!("{rule}: {error}"));
    let mut context = cel::Context::default();
    context.add_variable("self", escaped(value)).expect("JSON is a CEL value");
    context.add_variable("oldSelf", old.map(escaped)).expect("JSON is a CEL value");
    match program.execute(&context) {
        Ok(cel::Value::Bool(answer)) => answer,
        other => panic!("{rule}: {other:?}"),
    }
}

/// `value` with its first level of fields named as CEL needs it: `namespace` is a word of the language.
fn escaped(value: &Value) -> Value {
    let mut value = value.clone();
    if let Some(fields) = value.as_object_mut()
        && let Some(namespace) = fields.remove("namespace")
    {
        fields.insert("__namespace__".to_owned(), namespace);
    }
    value
}
