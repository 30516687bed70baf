//! Values with fields and methods.

use std::{any::Any, fmt};

use super::{Kind, Value};
use crate::functions::Function;

/// A struct, a pointer to one, or a number of a named type: whatever a template sees through fields and methods.
pub(crate) trait Object: fmt::Debug {
    /// Go's name of the type, as `time.Time`.
    fn type_name(&self) -> &'static str;

    /// Go's kind.
    fn kind(&self) -> Kind {
        Kind::Struct
    }

    /// The exported field `name`.
    fn field(&self, name: &str) -> Option<Value> {
        let _ = name;
        None
    }

    /// Whether it has a field `name` that templates may not see.
    fn hides(&self, name: &str) -> bool {
        let _ = name;
        false
    }

    /// The methods, whose receiver is the object.
    fn methods(&self) -> &'static [Function] {
        &[]
    }

    /// The text that `{{ x }}` prints.
    fn text(&self) -> String;

    /// The text of `printf "%v"` and `toString`, where it is another one than [`Object::text`].
    fn verb_text(&self) -> String {
        self.text()
    }

    /// The fields of a struct in the order in which JSON writes them; `None` for what is no struct to a codec.
    fn written_fields(&self) -> Option<Vec<(&'static str, Value)>> {
        None
    }

    /// What a codec writes for it.
    fn plain(&self) -> Value {
        match self.written_fields() {
            Some(fields) => Value::Map(fields.into_iter().map(|(name, value)| (name.into(), value)).collect()),
            None => Value::Text(self.text().into()),
        }
    }

    /// Whether the object counts as true. A struct always does.
    fn is_true(&self) -> bool {
        true
    }

    /// The object itself, so that a function finds the type that it knows.
    fn as_any(&self) -> &dyn Any;
}

/// A named map or slice type.
pub(crate) struct Named {
    /// Go's name of the type.
    pub name: &'static str,
    /// What a lookup gives that finds nothing.
    pub zero: fn() -> Value,
    /// Its methods, which hide entries of the same name.
    pub methods: &'static [Function],
}

impl PartialEq for Named {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl fmt::Debug for Named {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
