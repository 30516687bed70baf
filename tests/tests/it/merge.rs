//! Server-side apply by `fairlead-merge` against that of the API server: the same writes, the same object and owners.
//!
//! `FAIRLEAD_DIFFERENTIAL_WRITES` says how many objects are written to, `FAIRLEAD_DIFFERENTIAL_SEED` the seed of the first.

use std::env;

use fairlead_merge::{ApplyError, Applying, Force, Kind, Live, Set, Type, Types, Updating, apply, update};
use fairlead_tests::{TestCluster, eventually};
use kube::{
    Api, Client, Error,
    api::{ApiResource, DynamicObject, GroupVersionKind, Patch, PatchParams, PostParams},
};
use rand::{Rng, SeedableRng, rngs::StdRng, seq::SliceRandom};
use serde_json::{Map, Value, json};

use crate::{definitions::established, scene::LIMIT};

const OBJECTS: u64 = 60;
const FIRST_SEED: u64 = 1;
const MOST_WRITES: usize = 6;
const NOW: &str = "2026-01-01T00:00:00Z";
const MANAGERS: [&str; 3] = ["m1", "m2", "m3"];
const WORDS: [&str; 3] = ["a", "b", "c"];

/// A kind of both sides.
struct Subject {
    api_version: String,
    kind: &'static str,
    objects: Api<DynamicObject>,
    types: Types,
    ty: Type,
    /// What an object of the kind is when nothing is set.
    empty: Value,
    body: fn(&mut StdRng) -> Value,
}

/// One write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Write {
    Apply(Force),
    Replace,
}

#[tokio::test]
async fn random_writes_leave_the_same_object_and_owners_as_on_the_api_server() {
    let cluster = TestCluster::shared().await;
    let namespace = cluster.namespace("merge").await;
    let group = format!("{namespace}.example.com");
    cluster.apply(definition(&group)).await;
    established(cluster, &format!("CustomResourceDefinition subjects.{group}")).await;
    let client = cluster.client();
    let version = format!("{group}/v1");
    let custom = subject(&client, &namespace, (&version, "Subject"), json!({}), custom_body).await;
    let map = subject(&client, &namespace, ("v1", "ConfigMap"), json!({}), map_body).await;
    let first = number("SEED", FIRST_SEED);
    let mut differences = Vec::new();
    for seed in first..first + number("WRITES", OBJECTS) {
        for subject in [&custom, &map] {
            differences.extend(difference(subject, seed).await);
        }
    }
    assert!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
}

fn number(name: &str, default: u64) -> u64 {
    env::var(format!("FAIRLEAD_DIFFERENTIAL_{name}")).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

async fn subject(
    client: &Client,
    namespace: &str,
    (api_version, kind): (&str, &'static str),
    empty: Value,
    body: fn(&mut StdRng) -> Value,
) -> Subject {
    let path = if api_version.contains('/') { format!("apis/{api_version}") } else { format!("api/{api_version}") };
    // The document of a new kind comes a moment after the kind.
    let described = eventually(LIMIT, async || {
        let request = http::Request::get(format!("/openapi/v3/{path}")).body(Vec::new()).expect("a request");
        let document: Value = client.request(request).await.ok()?;
        let types = Types::from_open_api(&document).expect("types");
        types.of_kind(api_version, kind).map(|ty| (types, ty))
    });
    let (types, ty) = described.await.expect("an OpenAPI document with the kind");
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
    let objects = Api::namespaced_with(client.clone(), namespace, &resource);
    Subject { api_version: api_version.to_owned(), kind, objects, types, ty, empty, body }
}

/// Writes to one object on both sides until they differ.
async fn difference(subject: &Subject, seed: u64) -> Option<String> {
    let mut rng = StdRng::seed_from_u64(seed);
    let name = format!("{}-{seed}", subject.kind.to_lowercase());
    let (mut live, mut told) = (None, Vec::new());
    for _ in 0..rng.gen_range(1..=MOST_WRITES) {
        let write = match rng.gen_range(0..10) {
            0..7 => Write::Apply(Force::No),
            7 => Write::Apply(Force::Yes),
            _ => Write::Replace,
        };
        let manager = *MANAGERS.choose(&mut rng).expect("a manager");
        let body = subject.object(&name, (subject.body)(&mut rng));
        told.push(format!("{write:?} by {manager}: {body}"));
        let ours = subject.ours(live.as_ref(), write, manager, &body);
        let theirs = subject.theirs(live.as_ref(), write, manager, &body).await;
        // What is null where its type has no null is refused after the merge.
        let is_refused_later = ours.as_ref().is_ok_and(has_null) && theirs.is_err();
        if !is_refused_later && ours.as_ref().map(compared) != theirs.as_ref().map(compared) {
            let told = told.join("\n");
            return Some(format!("--- {name}\n{told}\nours: {ours:?}\nthe server: {theirs:?}"));
        }
        if let Ok(object) = theirs {
            live = Some(object);
        }
    }
    None
}

impl Subject {
    fn object(&self, name: &str, body: Value) -> Value {
        let mut object = body;
        object["apiVersion"] = json!(self.api_version);
        object["kind"] = json!(self.kind);
        object["metadata"]["name"] = json!(name);
        object
    }

    fn ours(&self, live: Option<&Value>, write: Write, manager: &str, body: &Value) -> Result<Value, String> {
        let reset = Set::new();
        let kind = Kind { types: &self.types, ty: self.ty, reset: &reset };
        let (api_version, subresource, now) = (self.api_version.as_str(), "", NOW);
        let before = Live { object: live, empty: &self.empty };
        match write {
            Write::Apply(force) => {
                let applying = Applying { manager, api_version, subresource, force, now };
                apply(kind, before, body, &applying).map(|outcome| outcome.object).map_err(|error| match error {
                    ApplyError::Untyped { .. } => error.to_string(),
                    ApplyError::Conflicts(conflicts) => match conflicts.0.len() {
                        1 => format!("Apply failed with 1 conflict: {conflicts}"),
                        count => format!("Apply failed with {count} conflicts: {conflicts}"),
                    },
                })
            }
            Write::Replace => {
                let updating = Updating { manager, api_version, subresource, now };
                Ok(update(kind, before, &Self::replacement(live, body), &updating).object)
            }
        }
    }

    /// `body` in the place of `live`, as the API server reads it: with defaults, without empty members of built-in types.
    fn replacement(live: Option<&Value>, body: &Value) -> Value {
        let mut new = read(body);
        for field in ["uid", "resourceVersion", "creationTimestamp", "generation", "namespace"] {
            if let Some(value) = live.and_then(|live| live["metadata"].get(field)) {
                new["metadata"][field] = value.clone();
            }
        }
        new
    }

    async fn theirs(&self, live: Option<&Value>, write: Write, manager: &str, body: &Value) -> Result<Value, String> {
        let name = body["metadata"]["name"].as_str().expect("a name");
        let written = match write {
            Write::Apply(force) => {
                let parameters = PatchParams { force: force == Force::Yes, ..PatchParams::apply(manager) };
                self.objects.patch(name, &parameters, &Patch::Apply(body)).await
            }
            Write::Replace => {
                let parameters = PostParams { field_manager: Some(manager.to_owned()), ..PostParams::default() };
                let object = serde_json::from_value(Self::replacement(live, body)).expect("an object");
                match live {
                    Some(_) => self.objects.replace(name, &parameters, &object).await,
                    None => self.objects.create(&parameters, &object).await,
                }
            }
        };
        match written {
            Ok(object) => Ok(serde_json::to_value(object).expect("an object")),
            Err(Error::Api(status)) => Err(status.message.clone()),
            Err(error) => panic!("{error}"),
        }
    }
}

fn has_null(object: &Value) -> bool {
    match object {
        Value::Null => true,
        Value::Array(items) => items.iter().any(has_null),
        Value::Object(members) => members.values().any(has_null),
        Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// `object` with defaults, and without members of built-in types that are empty.
fn read(object: &Value) -> Value {
    let mut object = object.clone();
    for item in object.pointer_mut("/spec/keyed").and_then(Value::as_array_mut).into_iter().flatten() {
        item.as_object_mut().expect("an object").entry("protocol").or_insert_with(|| json!("TCP"));
    }
    let is_empty = |value: &Value| [json!({}), json!([]), json!(null)].contains(value);
    object.as_object_mut().expect("an object").retain(|field, value| field != "data" || !is_empty(value));
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.retain(|_, value| !is_empty(value));
    }
    object
}

/// What must be equal: all but what only a server knows, with times that are there or not.
fn compared(object: &Value) -> Value {
    let mut object = read(object);
    let Some(metadata) = object["metadata"].as_object_mut() else { return object };
    metadata.retain(|field, _| ["name", "labels", "finalizers", "managedFields"].contains(&field.as_str()));
    if let Some(entries) = metadata.get_mut("managedFields").and_then(Value::as_array_mut) {
        entries.iter_mut().filter(|entry| entry.get("time").is_some()).for_each(|entry| entry["time"] = json!(NOW));
        entries.sort_by_key(Value::to_string);
    }
    object
}

fn definition(group: &str) -> Value {
    let text = json!({ "type": "string" });
    let keyed = json!({
        "type": "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["name", "protocol"],
        "items": {
            "type": "object",
            "required": ["name"],
            "properties": { "name": text, "protocol": { "type": "string", "default": "TCP" }, "v": text, "w": text },
        },
    });
    let properties = json!({
        "set": { "type": "array", "x-kubernetes-list-type": "set", "items": text },
        "list": { "type": "array", "items": text },
        "keyed": keyed,
        "whole": { "type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": text },
        "map": { "type": "object", "additionalProperties": text },
        "fields": { "type": "object", "properties": { "a": text, "b": text, "c": { "type": "integer" } } },
        "any": { "type": "object", "x-kubernetes-preserve-unknown-fields": true },
        "port": { "x-kubernetes-int-or-string": true },
    });
    let spec = json!({ "type": "object", "properties": properties });
    let schema = json!({ "type": "object", "properties": { "spec": spec } });
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": { "name": format!("subjects.{group}") },
        "spec": {
            "group": group,
            "names": { "kind": "Subject", "plural": "subjects" },
            "scope": "Namespaced",
            "versions": [
                { "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": schema } },
            ],
        },
    })
}

fn custom_body(rng: &mut StdRng) -> Value {
    let mut spec = Map::new();
    let mut set = |rng: &mut StdRng, name: &str, value: Value| {
        if rng.gen_bool(0.4) {
            spec.insert(name.to_owned(), value);
        }
    };
    let value = distinct(rng);
    set(rng, "set", value);
    let value = distinct(rng);
    set(rng, "list", value);
    let value = keyed(rng);
    set(rng, "keyed", value);
    let value = texts(rng);
    set(rng, "whole", value);
    let value = texts(rng);
    set(rng, "map", value);
    let value = fields(rng);
    set(rng, "fields", value);
    let value = anything(rng, 3);
    set(rng, "any", json!({ "a": value }));
    let port = if rng.gen_bool(0.5) { json!(word(rng)) } else { json!(rng.gen_range(1..3)) };
    set(rng, "port", port);
    let mut body = json!({ "metadata": metadata(rng) });
    if rng.gen_bool(0.9) {
        body["spec"] = Value::Object(spec);
    }
    body
}

fn map_body(rng: &mut StdRng) -> Value {
    let mut body = json!({ "metadata": metadata(rng) });
    if rng.gen_bool(0.8) {
        body["data"] = texts(rng);
    }
    body
}

fn metadata(rng: &mut StdRng) -> Value {
    let mut metadata = json!({});
    if rng.gen_bool(0.3) {
        metadata["labels"] = texts(rng);
    }
    if rng.gen_bool(0.3) {
        let finalizers: Vec<_> =
            WORDS.iter().filter(|_| rng.gen_bool(0.5)).map(|word| format!("x.io/{word}")).collect();
        metadata["finalizers"] = json!(finalizers);
    }
    metadata
}

fn word(rng: &mut StdRng) -> &'static str {
    WORDS.choose(rng).expect("a word")
}

/// Some of the words, in any order.
fn distinct(rng: &mut StdRng) -> Value {
    let mut words: Vec<_> = WORDS.iter().filter(|_| rng.gen_bool(0.6)).collect();
    if rng.gen_bool(0.5) {
        words.reverse();
    }
    json!(words)
}

fn texts(rng: &mut StdRng) -> Value {
    let chosen = WORDS.iter().filter(|_| rng.gen_bool(0.5)).collect::<Vec<_>>();
    chosen.into_iter().map(|key| ((*key).to_owned(), json!(word(rng)))).collect::<Map<_, _>>().into()
}

fn fields(rng: &mut StdRng) -> Value {
    let mut fields = texts(rng);
    if fields.get("c").is_some() {
        fields["c"] = json!(rng.gen_range(0..3));
    }
    fields
}

fn keyed(rng: &mut StdRng) -> Value {
    let mut items = Vec::new();
    for (name, protocol) in [("a", None), ("a", Some("UDP")), ("b", Some("TCP")), ("c", None)] {
        if rng.gen_bool(0.5) {
            continue;
        }
        let mut item = json!({ "name": name });
        for key in ["v", "w"] {
            if rng.gen_bool(0.4) {
                item[key] = json!(word(rng));
            }
        }
        if let Some(protocol) = protocol {
            item["protocol"] = json!(protocol);
        }
        items.push(item);
    }
    if rng.gen_bool(0.5) {
        items.reverse();
    }
    json!(items)
}

fn anything(rng: &mut StdRng, depth: usize) -> Value {
    match rng.gen_range(0..if depth == 0 { 3 } else { 5 }) {
        0 => json!(rng.gen_range(0..3)),
        1 => json!(word(rng)),
        2 => json!(rng.gen_bool(0.5)),
        3 => (0..rng.gen_range(0..3)).map(|_| anything(rng, depth - 1)).collect(),
        _ => {
            let keys: Vec<_> = WORDS.iter().filter(|_| rng.gen_bool(0.4)).collect();
            keys.into_iter().map(|key| ((*key).to_owned(), anything(rng, depth - 1))).collect::<Map<_, _>>().into()
        }
    }
}
