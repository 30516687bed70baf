//! Text to resources.
//!
//! # Follows kustomize
//! Empty documents and items are skipped, and what comes after the end of a document up to the next separator. An object
//! has a kind and, unless its kind ends in `List`, a name. A list with `items` stands for its items. A `List` that is alone
//! in its file is only unwrapped; the items of any other list are read as JSON and come after all other objects.

use std::collections::VecDeque;

use fairlead_object::TreePath;
use fairlead_yaml::{Mapping, Node, Value};

use crate::{
    at::At,
    error::BuildError,
    id::{GvkRef, Scope},
    json_patch, node,
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
    let texts = fairlead_yaml::documents(&text).map_err(malformed)?;
    let mut documents = Vec::with_capacity(texts.len());
    for document in &texts {
        documents.extend(document.parse_first().map_err(malformed)?.filter(|node| !node::is_empty(node)));
    }
    let documents = match documents.as_slice() {
        [object] if texts.len() == 1 && is_wrapper(object) => documents.into_iter().flat_map(unwrapped).collect(),
        _ => documents,
    };
    expand_lists(file, documents)
}

/// Puts the items of lists behind all objects that are there, and those of lists among them behind these again.
fn expand_lists(file: &TreePath, documents: Vec<Node>) -> Result<Vec<Node>, BuildError> {
    let mut objects = Vec::with_capacity(documents.len());
    let mut waiting = VecDeque::from(documents);
    while let Some(object) = waiting.pop_front() {
        let at = At::line(file, object.position.line);
        let kind = check(&object, &at)?.to_owned();
        if !kind.ends_with("List") || object.get("items").is_none() {
            objects.push(object);
            continue;
        }
        for item in items(object, &kind, &at)? {
            let unprintable = |source| BuildError::Unprintable { at: at.clone(), id: kind.clone(), source };
            let item = json_patch::read_again(&item).map_err(unprintable)?;
            waiting.extend(if is_wrapper(&item) { unwrapped(item) } else { vec![item] });
        }
    }
    Ok(objects)
}

/// Whether `object` does nothing but hold others, if it is all that a text has.
fn is_wrapper(object: &Node) -> bool {
    let is_list = matches!(node::text_at(object, &["kind"]), "List" | "ResourceList");
    is_list
        && match object.get("items") {
            Some(items) => items.as_mapping().is_none_or(Mapping::is_empty),
            None => object.get("functionConfig").is_some(),
        }
}

/// What a wrapper holds; nothing if its items are no list.
fn unwrapped(wrapper: Node) -> Vec<Node> {
    match wrapper.value {
        Value::Mapping(mut fields) => match fields.remove("items").map(|items| items.value) {
            Some(Value::Sequence(items)) => filled(items),
            Some(Value::Scalar(_) | Value::Mapping(_)) | None => Vec::new(),
        },
        Value::Scalar(_) | Value::Sequence(_) => Vec::new(),
    }
}

fn filled(items: Vec<Node>) -> Vec<Node> {
    items.into_iter().filter(|item| !node::is_empty(item)).collect()
}

fn items(object: Node, kind: &str, at: &At) -> Result<Vec<Node>, BuildError> {
    let Value::Mapping(mut object) = object.value else { return Ok(Vec::new()) };
    let Some(items) = object.remove("items") else { return Ok(Vec::new()) };
    let found = match items.value {
        Value::Sequence(items) => return Ok(filled(items)),
        Value::Scalar(_) if items.is_null() => return Ok(Vec::new()),
        Value::Scalar(_) => "string",
        Value::Mapping(_) => "object",
    };
    Err(BuildError::ListItems { at: at.clone(), kind: kind.to_owned(), found })
}

/// Checks that `object` can be told from others, and returns its kind.
pub(crate) fn check<'a>(object: &'a Node, at: &At) -> Result<&'a str, BuildError> {
    let found = if object.as_sequence().is_some() { "array" } else { "string" };
    let Some(fields) = object.as_mapping() else { return Err(BuildError::NotAMapping { at: at.clone(), found }) };
    let kind = node::text_at(object, &["kind"]);
    if kind.is_empty() {
        let says_anything = ["apiVersion", "metadata"].iter().any(|key| fields.contains_key(key));
        let unnamed = BuildError::Unnamed { at: at.clone(), field: "kind" };
        return Err(if says_anything { unnamed } else { BuildError::NoMetadata { at: at.clone() } });
    }
    if kind.ends_with("List") {
        return Ok(kind);
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
