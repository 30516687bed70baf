//! Text to resources.
//!
//! # Follows kustomize
//! Empty documents and items are skipped, and what comes after the end of a document up to the next separator. An object
//! has a kind and, unless its kind ends in `List`, a name. A list with `items`
//! stands for its items: in their place if it is alone in its file and of kind `List`, else after all other objects.

use fairlead_object::TreePath;
use fairlead_yaml::{Node, Value};

use crate::{
    at::At,
    error::BuildError,
    id::{GvkRef, Scope},
    node,
    provenance::Provenance,
    resource::{NameHash, PreviousId, Resource},
};

/// Annotations of kustomize's own that are never printed, besides those that are read.
const INTERNAL: [&str; 13] = [
    "internal.config.kubernetes.io/allowKindChange",
    "internal.config.kubernetes.io/allowNameChange",
    "internal.config.kubernetes.io/annotations-migration-resource-id",
    "internal.config.kubernetes.io/generatorBehavior",
    "internal.config.kubernetes.io/helm-generated",
    "internal.config.kubernetes.io/id",
    "internal.config.kubernetes.io/index",
    "internal.config.kubernetes.io/path",
    "internal.config.kubernetes.io/refBy",
    "internal.config.kubernetes.io/seqindent",
    "config.kubernetes.io/index",
    "config.kubernetes.io/path",
    "config.k8s.io/id",
];

/// Reads the objects of `file`.
pub(crate) fn resources(
    file: &TreePath,
    content: &[u8],
    provenance: &Provenance,
    scope_of: &dyn Fn(GvkRef<'_>) -> Scope,
) -> Result<Vec<Resource>, BuildError> {
    let read = |node| {
        let scope = scope_of(GvkRef::of(&node));
        let mut resource = Resource::new(node, scope, file, provenance.clone());
        take_internal_notes(&mut resource);
        resource
    };
    Ok(objects(file, content)?.into_iter().map(read).collect())
}

/// Reads the objects of `content`, lists expanded, each with a kind and a name.
pub(crate) fn objects(file: &TreePath, content: &[u8]) -> Result<Vec<Node>, BuildError> {
    let text = std::str::from_utf8(content).map_err(|_| BuildError::NotUtf8 { file: file.clone() })?;
    let text = if text.contains('\r') { text.replace("\r\n", "\n").into() } else { std::borrow::Cow::Borrowed(text) };
    let malformed =
        |source: fairlead_yaml::ParseError| BuildError::Malformed { at: At::line(file, source.position.line), source };
    let mut documents = Vec::new();
    for document in fairlead_yaml::documents(&text).map_err(malformed)? {
        documents.extend(document.parse_first().map_err(malformed)?.filter(|node| !node::is_empty(node)));
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
    for item in items(object, &kind, at)?.into_iter().filter(|item| !node::is_empty(item)) {
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

/// Takes kustomize's own annotations out of `resource`, which then is what they say.
fn take_internal_notes(resource: &mut Resource) {
    let annotations = resource.node.get_mut("metadata").and_then(|metadata| metadata.get_mut("annotations"));
    let Some(annotations) = annotations.and_then(Node::as_mapping_mut) else { return };
    let mut take = |note: &str| {
        let taken = annotations.remove(&format!("internal.config.kubernetes.io/{note}"));
        taken.and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
    };
    let mut list = |note: &str| {
        let text = take(note);
        text.split(',').filter(|_| !text.is_empty()).map(str::to_owned).collect::<Vec<_>>()
    };
    let (names, namespaces, kinds) = (list("previousNames"), list("previousNamespaces"), list("previousKinds"));
    let previous = names.into_iter().zip(namespaces).zip(kinds);
    resource.previous = previous.map(|((name, namespace), kind)| PreviousId { name, namespace, kind }).collect();
    (resource.prefixes, resource.suffixes) = (list("prefixes"), list("suffixes"));
    if take("needsHashSuffix") == "enabled" {
        resource.name_hash = NameHash::Wanted;
    }
    annotations.retain(|key, _| !key.as_str().is_some_and(|key| INTERNAL.contains(&key)));
}
