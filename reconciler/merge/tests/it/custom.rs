//! A kind with a member of every sort, and an object of it that managers write one after the other.

use fairlead_merge::{ApplyError, Applying, Force, Kind, Live, Outcome, Set, Types, Updating, apply, update};
use serde_json::{Value, json};

pub(crate) const VERSION: &str = "x.io/v1";

/// The `OpenAPI` document of the kind.
fn document() -> Value {
    let text = || json!({ "type": "string" });
    let keyed = json!({
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name", "proto"],
        "items": {
            "type": "object",
            "properties": {
                "name": text(),
                "proto": { "type": "string", "default": "TCP" },
                "v": text(),
                "w": text(),
            },
        },
    });
    let properties = json!({
        "setl": { "type": "array", "x-kubernetes-list-type": "set", "items": text() },
        "atoml": { "type": "array", "items": text() },
        "mapl": keyed,
        "atomm": { "type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": text() },
        "m": { "type": "object", "additionalProperties": text() },
        "obj": { "type": "object", "properties": { "a": text(), "b": text() } },
        "any": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
        "replicas": { "type": "integer" },
        "str": text(),
    });
    let meta = json!({
        "type": "object",
        "properties": {
            "name": text(),
            "namespace": text(),
            "labels": { "type": "object", "additionalProperties": text() },
            "annotations": { "type": "object", "additionalProperties": text() },
            "finalizers": { "type": "array", "x-kubernetes-list-type": "set", "items": text() },
        },
    });
    let kind = json!({
        "type": "object",
        "properties": {
            "apiVersion": text(),
            "kind": text(),
            "metadata": { "allOf": [{ "$ref": "#/components/schemas/ObjectMeta" }], "default": {} },
            "spec": { "type": "object", "properties": properties },
        },
        "x-kubernetes-group-version-kind": [{ "group": "x.io", "version": "v1", "kind": "T" }],
    });
    json!({ "components": { "schemas": { "ObjectMeta": meta, "T": kind } } })
}

/// An object and the cluster that holds it.
pub(crate) struct Scene {
    types: Types,
    object: Option<Value>,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self { types: Types::from_open_api(&document()).expect("a document"), object: None }
    }

    /// Applies `spec` and keeps the outcome.
    pub(crate) fn apply(&mut self, manager: &str, spec: Value) -> Result<(), ApplyError> {
        self.write(manager, spec, Force::No)
    }

    pub(crate) fn force(&mut self, manager: &str, spec: Value) {
        self.write(manager, spec, Force::Yes).expect("no conflicts");
    }

    fn write(&mut self, manager: &str, spec: Value, force: Force) -> Result<(), ApplyError> {
        let applying = Applying { manager, api_version: VERSION, subresource: "", force, now: "2026-01-01T00:00:00Z" };
        let reset = Set::new();
        let outcome = apply(self.kind(&reset), self.live(&json!({})), &object(spec), &applying)?;
        self.keep(outcome);
        Ok(())
    }

    /// Puts `spec` in the place of what is there.
    pub(crate) fn put(&mut self, manager: &str, spec: Value) {
        let updating = Updating { manager, api_version: VERSION, subresource: "", now: "2026-01-01T00:00:00Z" };
        let reset = Set::new();
        let outcome = update(self.kind(&reset), self.live(&json!({})), &object(spec), &updating);
        self.keep(outcome);
    }

    fn keep(&mut self, outcome: Outcome) {
        self.object = Some(outcome.object);
    }

    fn kind<'a>(&'a self, reset: &'a Set) -> Kind<'a> {
        Kind { types: &self.types, ty: self.types.of_kind(VERSION, "T").expect("the kind"), reset }
    }

    fn live<'a>(&'a self, empty: &'a Value) -> Live<'a> {
        Live { object: self.object.as_ref(), empty }
    }

    pub(crate) fn spec(&self) -> Value {
        self.object.as_ref().map(|object| object["spec"].clone()).unwrap_or_default()
    }

    /// What each manager owns of the spec.
    pub(crate) fn owners(&self) -> Vec<(String, Value)> {
        let entries = self.object.as_ref().and_then(|object| object["metadata"]["managedFields"].as_array().cloned());
        let owner = |entry: Value| {
            let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
            (format!("{}/{}", text("manager"), text("operation")), entry["fieldsV1"]["f:spec"].clone())
        };
        entries.into_iter().flatten().map(owner).collect()
    }
}

fn object(spec: Value) -> Value {
    let mut object = json!({ "apiVersion": VERSION, "kind": "T", "metadata": { "name": "t", "namespace": "shop" } });
    if !spec.is_null() {
        object["spec"] = spec;
    }
    object
}
