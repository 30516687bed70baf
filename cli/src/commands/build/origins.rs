//! `--origin`: where each field of each object was written.

use fairlead_object::{Manifest, ObjectId, Place, pointer_to};
use fairlead_yaml::{Comments, Node};
use serde::Serialize;
use serde_json::Value;

use crate::shown_paths::ShownPaths;

/// The version of the shape of [`Origins`].
const SCHEMA_VERSION: u32 = 1;

/// Where the fields of all objects were written, for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Origins<'a> {
    schema_version: u32,
    objects: Vec<ObjectOrigins<'a>>,
}

#[derive(Serialize)]
struct ObjectOrigins<'a> {
    object: &'a ObjectId,
    origin: ShownOrigin,
    /// The values of a chart that its template read.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    values: &'a [String],
    fields: Vec<FieldOrigin>,
}

/// Where an object was written, and the kustomizations that it passed.
#[derive(Serialize)]
struct ShownOrigin {
    file: String,
    line: u32,
    overlays: Vec<String>,
}

/// A field that holds no others, and who wrote it: last change first.
#[derive(Serialize)]
struct FieldOrigin {
    pointer: String,
    places: Vec<WrittenPlace>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum WrittenPlace {
    Line { file: String, line: u32 },
    Field { field: String },
}

impl<'a> Origins<'a> {
    /// The origins of `manifests`.
    pub(super) fn of(manifests: &'a [Manifest], paths: &ShownPaths) -> Self {
        let objects = manifests.iter().map(|manifest| ObjectOrigins::of(manifest, paths)).collect();
        Self { schema_version: SCHEMA_VERSION, objects }
    }
}

impl<'a> ObjectOrigins<'a> {
    fn of(manifest: &'a Manifest, paths: &ShownPaths) -> Self {
        let mut fields = Vec::new();
        leaves(&manifest.to_value(), "", &mut |pointer| {
            let places = places(manifest, pointer, paths).into_iter().map(WrittenPlace::from).collect();
            fields.push(FieldOrigin { pointer: pointer.to_owned(), places });
        });
        Self { object: manifest.id(), origin: ShownOrigin::of(manifest, paths), values: manifest.values_read(), fields }
    }
}

impl ShownOrigin {
    fn of(manifest: &Manifest, paths: &ShownPaths) -> Self {
        let origin = manifest.origin();
        Self {
            file: paths.path(origin.file.as_str()),
            line: origin.line,
            overlays: origin.overlays.iter().map(|overlay| paths.path(overlay.as_str())).collect(),
        }
    }
}

impl From<Place> for WrittenPlace {
    fn from(place: Place) -> Self {
        let file = place.file.to_string();
        if place.line == 0 { Self::Field { field: file } } else { Self::Line { file, line: place.line } }
    }
}

/// Calls `visit` with the pointer of every field of `value` that holds no others.
fn leaves(value: &Value, pointer: &str, visit: &mut dyn FnMut(&str)) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            fields.iter().for_each(|(name, value)| leaves(value, &pointer_to(pointer, name), visit));
        }
        Value::Array(items) if !items.is_empty() => {
            let below = |index: usize| pointer_to(pointer, &index.to_string());
            items.iter().enumerate().for_each(|(index, value)| leaves(value, &below(index), visit));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) | Value::Array(_) => {
            visit(pointer);
        }
    }
}

/// The places of a field, as they are shown; of one that nobody told of, those of what holds it.
fn places(manifest: &Manifest, pointer: &str, paths: &ShownPaths) -> Vec<Place> {
    let mut pointer = pointer;
    let mut places = manifest.places(pointer);
    while let (true, Some((parent, _))) = (places.is_empty(), pointer.rsplit_once('/')) {
        pointer = parent;
        places = manifest.places(pointer);
    }
    for place in places.iter_mut().filter(|place| place.line > 0) {
        place.file = paths.path(&place.file).into();
    }
    places
}

/// The object as YAML, under a line about its own origin and with a comment on every field.
pub(super) fn annotated(manifest: &Manifest, paths: &ShownPaths) -> String {
    let ShownOrigin { file, line, overlays } = ShownOrigin::of(manifest, paths);
    let overlays = overlays.iter().flat_map(|overlay| [" < ", overlay.as_str()]).collect::<String>();
    let values = match manifest.values_read() {
        [] => String::new(),
        values => format!("# values: {}\n", values.join(", ")),
    };
    let body = annotated_node(&manifest.to_value(), "", manifest, paths);
    format!("# {}: {file}:{line}{overlays}\n{values}{}", manifest.id(), fairlead_yaml::emit(&body))
}

fn annotated_node(value: &Value, pointer: &str, manifest: &Manifest, paths: &ShownPaths) -> Node {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            let field = |(name, value): (&String, &Value)| {
                (Node::string(name), annotated_node(value, &pointer_to(pointer, name), manifest, paths))
            };
            Node::mapping(fields.iter().map(field).collect())
        }
        Value::Array(items) if !items.is_empty() => {
            let below = |index: usize| pointer_to(pointer, &index.to_string());
            let item = |(index, value)| annotated_node(value, &below(index), manifest, paths);
            Node::sequence(items.iter().enumerate().map(item).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) | Value::Array(_) => {
            let places: Vec<String> = places(manifest, pointer, paths).iter().map(Place::to_string).collect();
            let beside = Some(format!("# {}", places.join(" over ")));
            Node { comments: Some(Box::new(Comments { beside, ..Comments::default() })), ..Node::from_json(value) }
        }
    }
}
