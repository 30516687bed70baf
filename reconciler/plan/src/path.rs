//! Where in an object a field stands.

use std::fmt;

use serde_json::Value;

/// The place of a field in an object, printed as `spec.containers[name="app"].image`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FieldPath(Vec<Segment>);

/// One step down from an object or a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Segment {
    /// A member of an object.
    Field(String),
    /// The item of a list whose field `key` has `value`.
    Item {
        /// Place of the item in its list.
        index: usize,
        /// The field that names the item.
        key: String,
        /// What that field holds.
        value: Value,
    },
    /// The item at a place of a list whose items have no names.
    Index(usize),
}

impl FieldPath {
    /// The whole object.
    pub fn root() -> Self {
        Self::default()
    }

    /// The member `name` of what stands here.
    #[must_use]
    pub fn field(&self, name: &str) -> Self {
        self.child(Segment::Field(name.to_owned()))
    }

    /// What stands at `segment` of what stands here.
    #[must_use]
    pub(crate) fn child(&self, segment: Segment) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment);
        Self(segments)
    }

    /// The steps from the object down to the field.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Whether the path begins with these member names.
    pub fn is_below(&self, names: &[&str]) -> bool {
        let is_named = |(segment, name): (&Segment, &&str)| matches!(segment, Segment::Field(field) if field == name);
        self.0.len() >= names.len() && self.0.iter().zip(names).all(is_named)
    }

    /// The JSON pointer (RFC 6901) to the field.
    pub fn pointer(&self) -> String {
        self.0.iter().fold(String::new(), |pointer, segment| pointer + "/" + &pointer_token(segment))
    }
}

fn pointer_token(segment: &Segment) -> String {
    match segment {
        Segment::Field(name) => name.replace('~', "~0").replace('/', "~1"),
        Segment::Item { index, .. } | Segment::Index(index) => index.to_string(),
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Field(name) if !is_plain(name) => write!(f, "[{}]", Value::from(name.as_str()))?,
                Segment::Field(name) if place == 0 => f.write_str(name)?,
                Segment::Field(name) => write!(f, ".{name}")?,
                Segment::Item { key, value, .. } => write!(f, "[{key}={value}]")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '$'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_prints_for_people_and_as_a_pointer() {
        let item = Segment::Item { index: 2, key: "name".to_owned(), value: "app".into() };
        let path = FieldPath::root().field("spec").child(item).child(Segment::Index(1)).field("a.b/c~d");
        assert_eq!(path.to_string(), r#"spec[name="app"][1]["a.b/c~d"]"#);
        assert_eq!(path.pointer(), "/spec/2/1/a.b~1c~0d");
    }
}
