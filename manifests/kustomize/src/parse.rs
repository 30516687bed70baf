//! Text to resources.
//!
//! # Follows kustomize
//! Empty documents are skipped. An object has a kind and, unless its kind ends in `List`, a name. A list with `items`
//! stands for its items: in their place if it is alone in its file and of kind `List`, else after all other objects.

use fairlead_object::TreePath;
use fairlead_yaml::{Node, Value};

use crate::{
    at::At,
    error::BuildError,
    id::{GvkRef, Scope},
    node,
    provenance::Provenance,
    resource::{NameHash, Resource},
};

/// Annotations that kustomize keeps its own notes in; they are never printed.
const INTERNAL: &str = "internal.config.kubernetes.io/";
const NEEDS_HASH: &str = "internal.config.kubernetes.io/needsHashSuffix";
const INTERNAL_OTHERS: [&str; 3] = ["config.kubernetes.io/path", "config.kubernetes.io/index", "config.k8s.io/id"];

/// Reads the objects of `file`.
pub(crate) fn resources(
    file: &TreePath,
    content: &[u8],
    provenance: &Provenance,
    scope_of: &dyn Fn(GvkRef<'_>) -> Scope,
) -> Result<Vec<Resource>, BuildError> {
    let nodes = objects(file, content)?;
    Ok(nodes
        .into_iter()
        .map(|mut node| {
            let name_hash = take_internal_notes(&mut node);
            let scope = scope_of(GvkRef::of(&node));
            let mut resource = Resource::new(node, scope, file, provenance.clone());
            resource.name_hash = name_hash;
            resource
        })
        .collect())
}

/// Reads the objects of `content`, lists expanded, each with a kind and a name.
pub(crate) fn objects(file: &TreePath, content: &[u8]) -> Result<Vec<Node>, BuildError> {
    let text = std::str::from_utf8(content).map_err(|_| BuildError::NotUtf8 { file: file.clone() })?;
    let text = if text.contains('\r') { text.replace("\r\n", "\n").into() } else { std::borrow::Cow::Borrowed(text) };
    let malformed =
        |source: fairlead_yaml::ParseError| BuildError::Malformed { at: At::line(file, source.position.line), source };
    let mut documents = Vec::new();
    for document in fairlead_yaml::documents(&text).map_err(malformed)? {
        documents.extend(document.parse().map_err(malformed)?.into_iter().filter(|node| !node.is_null()));
    }
    expand_lists(file, documents)
}

fn expand_lists(file: &TreePath, documents: Vec<Node>) -> Result<Vec<Node>, BuildError> {
    let (mut objects, mut listed) = (Vec::new(), Vec::new());
    for document in documents {
        expand(file, document, &mut objects, &mut listed)?;
    }
    objects.append(&mut listed);
    Ok(objects)
}

fn expand(file: &TreePath, object: Node, objects: &mut Vec<Node>, listed: &mut Vec<Node>) -> Result<(), BuildError> {
    let at = At::line(file, object.position.line);
    let kind = check(&object, &at)?.to_owned();
    if !kind.ends_with("List") || object.get("items").is_none() {
        objects.push(object);
        return Ok(());
    }
    for item in items(object, &kind, at)? {
        let mut nested = Vec::new();
        expand(file, item, listed, &mut nested)?;
        listed.append(&mut nested);
    }
    Ok(())
}

fn items(object: Node, kind: &str, at: At) -> Result<Vec<Node>, BuildError> {
    let Value::Mapping(mut object) = object.value else { return Ok(Vec::new()) };
    let Some(items) = object.remove("items") else { return Ok(Vec::new()) };
    let found = match items.value {
        Value::Sequence(items) => return Ok(items),
        Value::Scalar(_) if items.is_null() => return Ok(Vec::new()),
        Value::Scalar(_) => "string",
        Value::Mapping(_) => "object",
    };
    Err(BuildError::ListItems { at, kind: kind.to_owned(), found })
}

/// Checks that `object` can be told from others, and returns its kind.
pub(crate) fn check<'a>(object: &'a Node, at: &At) -> Result<&'a str, BuildError> {
    let found = if object.as_sequence().is_some() { "array" } else { "string" };
    let Some(fields) = object.as_mapping() else { return Err(BuildError::NotAMapping { at: at.clone(), found }) };
    let kind = node::text_at(object, &["kind"]);
    if kind.is_empty() {
        return Err(match fields.get("metadata") {
            Some(_) => BuildError::Unnamed { at: at.clone(), field: "kind" },
            None => BuildError::NoMetadata { at: at.clone() },
        });
    }
    if kind.ends_with("List") {
        return Ok(kind);
    }
    if fields.get("metadata").and_then(Node::as_mapping).is_none() {
        return Err(BuildError::NoMetadata { at: at.clone() });
    }
    if node::text_at(object, &["metadata", "name"]).is_empty() {
        return Err(BuildError::Unnamed { at: at.clone(), field: "metadata.name" });
    }
    Ok(kind)
}

/// Takes kustomize's own annotations out of `object`, and says what the one about the hash asks for.
fn take_internal_notes(object: &mut Node) -> NameHash {
    let annotations = object.get_mut("metadata").and_then(|metadata| metadata.get_mut("annotations"));
    let Some(annotations) = annotations.and_then(Node::as_mapping_mut) else { return NameHash::Unwanted };
    let wanted = annotations.get(NEEDS_HASH).and_then(Node::as_str) == Some("enabled");
    annotations
        .retain(|key, _| !key.as_str().is_some_and(|key| key.starts_with(INTERNAL) || INTERNAL_OTHERS.contains(&key)));
    if wanted { NameHash::Wanted } else { NameHash::Unwanted }
}
