//! What the cluster holds, as far as anyone looked.

use std::collections::BTreeMap;

use fairlead_object::ObjectId;
use serde_json::Value;

/// What was observed of each object; an object that is missing here was not looked at.
#[derive(Clone, Debug, Default)]
pub struct Live(BTreeMap<ObjectId, Observed>);

/// What the API server said about one object.
#[derive(Clone, Debug)]
pub enum Observed {
    /// It does not exist, or its kind does not.
    Absent,
    /// It exists, and is known to be as its manifest says: its owner watches it.
    InSync,
    /// It exists.
    Present(LiveObject),
}

/// An object in the cluster, and what applying its manifest would make of it.
#[derive(Clone, Debug)]
pub struct LiveObject {
    /// The object, in the API version of its manifest.
    pub body: Value,
    /// The answer to a server-side dry run.
    pub preview: Preview,
}

/// What the API server answered to a dry run of the apply.
#[derive(Clone, Debug)]
pub enum Preview {
    /// The object as it would be.
    Answer(Value),
    /// The apply would change a field that cannot change.
    Immutable {
        /// The server's own words.
        message: String,
        /// The field, as `spec.selector`; `unknown` if the server did not name it.
        field: String,
    },
    /// No dry run was made: the manifest itself tells what changes.
    NotAsked,
}

impl Live {
    /// Records what was observed of `object`.
    pub fn insert(&mut self, object: ObjectId, observed: Observed) {
        self.0.insert(object, observed);
    }

    /// What was observed of `object`; nothing if it was not looked at.
    pub fn get(&self, object: &ObjectId) -> Option<&Observed> {
        self.0.get(object)
    }

    /// The object, if it was seen to exist.
    pub fn present(&self, object: &ObjectId) -> Option<&LiveObject> {
        match self.get(object)? {
            Observed::Present(live) => Some(live),
            Observed::Absent | Observed::InSync => None,
        }
    }
}

impl FromIterator<(ObjectId, Observed)> for Live {
    fn from_iter<I: IntoIterator<Item = (ObjectId, Observed)>>(observed: I) -> Self {
        Self(observed.into_iter().collect())
    }
}

/// Parts of the messages by which API servers refuse to change a field.
const IMMUTABLE_PHRASES: [&str; 8] = [
    "is immutable",
    "immutable field",
    "updates to statefulset spec for fields other than",
    "pod updates may not change fields other than",
    "may not change once set",
    "cannot change roleRef",
    "may not be changed in an update",
    "may not be modified",
];

impl Preview {
    /// Reads a refused dry run: `message` of the server's `Status` and the `fields` of its causes. Returns nothing if the
    /// refusal is about something else than an immutable field.
    ///
    /// # Differs from Flux
    /// Flux takes every 409 and 422 for an immutable field, so that with `force` a mere typing error deletes the object.
    /// Here the message must say so.
    pub fn from_refusal(message: &str, fields: &[String]) -> Option<Self> {
        if !IMMUTABLE_PHRASES.iter().any(|phrase| message.contains(phrase)) {
            return None;
        }
        let named = fields.first().map(String::as_str).or_else(|| field_in(message));
        Some(Self::Immutable { message: message.to_owned(), field: named.unwrap_or("unknown").to_owned() })
    }
}

/// The field that a message of the form `… is invalid: spec.selector: Invalid value: …` names.
fn field_in(message: &str) -> Option<&str> {
    let end = [": Invalid value", ": Forbidden"].iter().filter_map(|verdict| message.find(verdict)).min()?;
    let field = message[..end].rsplit(' ').next()?.trim_start_matches('[');
    (!field.is_empty()).then_some(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(message: &str) -> Option<String> {
        match Preview::from_refusal(message, &[])? {
            Preview::Immutable { field, .. } => Some(field),
            Preview::Answer(_) | Preview::NotAsked => None,
        }
    }

    #[test]
    fn messages_of_immutable_fields_name_the_field() {
        let cases = [
            (
                r#"Deployment.apps "web" is invalid: spec.selector: Invalid value: {"matchLabels":{}}: field is immutable"#,
                "spec.selector",
            ),
            (
                r#"Service "web" is invalid: spec.clusterIPs[0]: Invalid value: ["10.0.5.5"]: may not change once set"#,
                "spec.clusterIPs[0]",
            ),
            (
                r#"StatefulSet.apps "db" is invalid: spec: Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden"#,
                "spec",
            ),
            (r#"RoleBinding "x" is invalid: roleRef: Invalid value: {}: cannot change roleRef"#, "roleRef"),
            (
                r"Job.batch x is invalid: [spec.template: Invalid value: {}: field is immutable, spec.completions: Invalid value: 2: field is immutable]",
                "spec.template",
            ),
            ("admission webhook denied: image is immutable", "unknown"),
        ];
        for (message, expected) in cases {
            assert_eq!(field(message).as_deref(), Some(expected), "{message}");
        }
    }

    #[test]
    fn a_plain_validation_error_is_no_immutable_field() {
        assert_eq!(field(r#"Deployment.apps "web" is invalid: spec.replicas: Invalid value: -1: must be >= 0"#), None);
    }
}
