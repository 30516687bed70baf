//! Objects as they are written, before a cluster has seen them.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::{Digest, FieldPlaces, Gvk, ObjectId, Origin, Place};

/// One object that a source asks for, with where it was written.
///
/// It has an `apiVersion`, a `kind` and a `metadata.name`, unless it was read [to be printed](Manifest::to_be_printed); its
/// body is a JSON object.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    id: ObjectId,
    version: String,
    body: Map<String, Value>,
    origin: Origin,
    fields: FieldPlaces,
    values_read: Vec<String>,
    drawn: Vec<String>,
}

/// What makes a document no object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ManifestError {
    /// The document is a list, a text or a number.
    #[error("{0}: not an object")]
    NotAnObject(Origin),
    /// One of the three fields that name an object is missing, empty or no text.
    #[error("{origin}: `{field}` is missing or not a text")]
    Unnamed {
        /// Where the document stands.
        origin: Origin,
        /// The missing field.
        field: &'static str,
    },
}

impl Manifest {
    /// Reads `body` as an object that was written at `origin`.
    pub fn new(body: Value, origin: Origin) -> Result<Self, ManifestError> {
        let Value::Object(body) = body else { return Err(ManifestError::NotAnObject(origin)) };
        let text = |value: Option<&Value>, field| match value.and_then(Value::as_str) {
            Some(text) if !text.is_empty() => Ok(text.to_owned()),
            _ => Err(ManifestError::Unnamed { origin: origin.clone(), field }),
        };
        let api_version = text(body.get("apiVersion"), "apiVersion")?;
        let kind = text(body.get("kind"), "kind")?;
        let name = text(body.get("metadata").and_then(|metadata| metadata.get("name")), "metadata.name")?;
        Ok(Self::named([&api_version, &kind, &name], body, origin))
    }

    /// Reads `body` as an object that is printed and goes to no cluster: a number is as good a name as a text, and what is
    /// missing is empty in its id.
    pub fn to_be_printed(body: Value, origin: Origin) -> Result<Self, ManifestError> {
        let Value::Object(body) = body else { return Err(ManifestError::NotAnObject(origin)) };
        let text = |value: Option<&Value>| match value {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_)) | None => String::new(),
        };
        let name = text(body.get("metadata").and_then(|metadata| metadata.get("name")));
        let (api_version, kind) = (text(body.get("apiVersion")), text(body.get("kind")));
        Ok(Self::named([&api_version, &kind, &name], body, origin))
    }

    fn named([api_version, kind, name]: [&str; 3], body: Map<String, Value>, origin: Origin) -> Self {
        let namespace = body.get("metadata").and_then(|metadata| metadata.get("namespace")).and_then(Value::as_str);
        let gvk = Gvk::from_api_version(api_version, kind);
        let id = ObjectId::new(&gvk.group, kind, namespace.unwrap_or_default(), name);
        let (fields, values_read, drawn) = (FieldPlaces::default(), Vec::new(), Vec::new());
        Self { id, version: gvk.version, body, origin, fields, values_read, drawn }
    }

    /// Names the object.
    pub fn id(&self) -> &ObjectId {
        &self.id
    }

    /// The API version it is written in.
    pub fn gvk(&self) -> Gvk {
        Gvk { group: self.id.group.clone(), version: self.version.clone(), kind: self.id.kind.clone() }
    }

    /// The version part of `apiVersion`, as `v1`.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The object.
    pub fn body(&self) -> &Map<String, Value> {
        &self.body
    }

    /// The object as a JSON value.
    pub fn to_value(&self) -> Value {
        Value::Object(self.body.clone())
    }

    /// Takes the object out.
    pub fn into_body(self) -> Map<String, Value> {
        self.body
    }

    /// Where it was written.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The same object, which comes from `origin`.
    #[must_use]
    pub fn with_origin(self, origin: Origin) -> Self {
        Self { origin, ..self }
    }

    /// The same object, whose fields were written where `fields` says.
    #[must_use]
    pub fn with_fields(self, fields: FieldPlaces) -> Self {
        Self { fields, ..self }
    }

    /// The same object, for which the template of a chart read the values at these paths.
    #[must_use]
    pub fn with_values_read(self, values_read: Vec<String>) -> Self {
        Self { values_read, ..self }
    }

    /// The paths of the values that the template of a chart read for it, as `image.tag`, as far as they were noted.
    pub fn values_read(&self) -> &[String] {
        &self.values_read
    }

    /// The same object, whose fields at these JSON pointers are another each time that it is built.
    #[must_use]
    pub fn with_drawn(self, drawn: Vec<String>) -> Self {
        Self { drawn, ..self }
    }

    /// The JSON pointers of its fields that are drawn: made of random numbers or of the time, and so another each time that
    /// the object is built. Those of a Secret are below `data`, where `stringData` is sent.
    pub fn drawn(&self) -> &[String] {
        &self.drawn
    }

    /// Where its fields were written, as far as that is known.
    pub fn fields(&self) -> &FieldPlaces {
        &self.fields
    }

    /// Where the field at the JSON pointer `pointer` was written: last change first, the object's own file last. Empty
    /// if nobody knows.
    pub fn places(&self, pointer: &str) -> Vec<Place> {
        let Some((line, changes)) = self.fields.get(pointer) else { return Vec::new() };
        let own = |line| Place { file: self.origin.file.as_str().into(), line };
        match line {
            0 if changes.is_empty() => vec![own(self.origin.line)],
            0 => changes.to_vec(),
            line => changes.iter().cloned().chain([own(line)]).collect(),
        }
    }

    /// Notes that `place` has changed the field at the JSON pointer `pointer`.
    pub fn note_change(&mut self, pointer: &str, place: Place) {
        self.fields.change(pointer, place);
    }

    /// The value of an annotation.
    pub fn annotation(&self, key: &str) -> Option<&str> {
        self.metadata_entry("annotations", key)
    }

    /// The value of a label.
    pub fn label(&self, key: &str) -> Option<&str> {
        self.metadata_entry("labels", key)
    }

    /// Sets labels, over those of the same keys.
    pub fn set_labels<'a>(&mut self, labels: impl IntoIterator<Item = (&'a str, &'a str)>) {
        self.set_metadata_entries("labels", labels);
    }

    /// Sets annotations, over those of the same keys.
    pub fn set_annotations<'a>(&mut self, annotations: impl IntoIterator<Item = (&'a str, &'a str)>) {
        self.set_metadata_entries("annotations", annotations);
    }

    /// Gives the object a namespace, or takes it away.
    pub fn set_namespace(&mut self, namespace: Option<&str>) {
        let metadata = self.metadata_mut();
        if let Some(namespace) = namespace {
            metadata.insert("namespace".to_owned(), namespace.into());
        } else {
            metadata.remove("namespace");
        }
        self.id.namespace = namespace.map(str::to_owned);
    }

    /// Changes the body; names stay as they are.
    pub fn edit(&mut self, change: impl FnOnce(&mut Map<String, Value>)) {
        change(&mut self.body);
    }

    /// The digest of the body, independent of where it was written and of the order of its keys.
    pub fn digest(&self) -> Digest {
        Digest::of(&serde_json::to_vec(&self.body).expect("JSON with text keys serialises"))
    }

    fn metadata_entry(&self, map: &str, key: &str) -> Option<&str> {
        self.body.get("metadata")?.get(map)?.get(key)?.as_str()
    }

    fn metadata_mut(&mut self) -> &mut Map<String, Value> {
        let metadata = self.body.get_mut("metadata").and_then(Value::as_object_mut);
        metadata.expect("a manifest has a name in its metadata")
    }

    fn set_metadata_entries<'a>(&mut self, map: &str, entries: impl IntoIterator<Item = (&'a str, &'a str)>) {
        let mut entries = entries.into_iter().peekable();
        if entries.peek().is_none() {
            return;
        }
        let written = self.metadata_mut().entry(map).or_insert_with(|| Value::Object(Map::new()));
        if !written.is_object() {
            *written = Value::Object(Map::new());
        }
        let written = written.as_object_mut().expect("it was just made an object");
        written.extend(entries.map(|(key, value)| (key.to_owned(), Value::from(value))));
    }
}

impl Manifest {
    /// The labels that are texts.
    pub fn labels(&self) -> BTreeMap<&str, &str> {
        let labels = self.body.get("metadata").and_then(|metadata| metadata.get("labels")).and_then(Value::as_object);
        labels.into_iter().flatten().filter_map(|(key, value)| Some((key.as_str(), value.as_str()?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn origin() -> Origin {
        Origin::new("web.yaml".parse().expect("relative"), 3)
    }

    #[test]
    fn an_object_is_named_by_its_body() {
        let body =
            json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}});
        let manifest = Manifest::new(body, origin()).expect("well formed");
        assert_eq!(manifest.id().to_string(), "Deployment shop/web");
        assert_eq!(manifest.gvk().to_string(), "apps/v1 Deployment");
    }

    #[test]
    fn a_document_without_a_name_is_refused_with_its_place() {
        let error = Manifest::new(json!({"apiVersion": "v1", "kind": "Secret", "metadata": {}}), origin());
        assert_eq!(error.expect_err("no name").to_string(), "web.yaml:3: `metadata.name` is missing or not a text");
    }

    #[test]
    fn an_object_that_is_printed_needs_no_version_and_no_text_for_a_name() {
        let body = json!({"kind": "Custom", "metadata": {"name": 7}});
        let manifest = Manifest::to_be_printed(body, origin()).expect("an object");
        assert_eq!((manifest.id().to_string().as_str(), manifest.version()), ("Custom 7", ""));
    }

    #[test]
    fn labels_replace_those_of_the_same_key() {
        let body =
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "labels": {"a": "1", "b": "2"}}});
        let mut manifest = Manifest::new(body, origin()).expect("well formed");
        manifest.set_labels([("b", "3"), ("c", "4")]);
        assert_eq!(manifest.labels(), BTreeMap::from([("a", "1"), ("b", "3"), ("c", "4")]));
    }
}
