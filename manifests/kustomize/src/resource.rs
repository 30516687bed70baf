//! One object on its way through the overlays.

use fairlead_object::{Manifest, ManifestError, Origin, TreePath};
use fairlead_yaml::{Node, ResolveError, Schema, Value};
use serde_json::Value as Json;

use crate::{
    at::At,
    id::{GvkRef, Id, Scope, effective_namespace},
    node::{self, NodeKind},
    provenance::Provenance,
};

/// One object on its way through the overlays: what it says, and what it was called before.
#[derive(Clone, Debug)]
pub struct Resource {
    pub(crate) node: Node,
    pub(crate) scope: Scope,
    /// The ids that it had, oldest first.
    pub(crate) previous: Vec<PreviousId>,
    /// The prefixes that its name got, innermost first.
    pub(crate) prefixes: Vec<String>,
    /// The suffixes that its name got, innermost first.
    pub(crate) suffixes: Vec<String>,
    pub(crate) name_hash: NameHash,
    /// The vars that it holds the value of.
    pub(crate) vars: Vec<String>,
    pub(crate) provenance: Provenance,
    origin: Origin,
}

/// What an object was called at some stage; its group and version are always the current ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PreviousId {
    pub(crate) name: String,
    pub(crate) namespace: String,
    pub(crate) kind: String,
}

/// Whether a name ends in a hash of the object's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameHash {
    Wanted,
    Unwanted,
}

impl Resource {
    /// The object `node`, read from or generated for `file`.
    pub(crate) fn new(node: Node, scope: Scope, file: &TreePath, provenance: Provenance) -> Self {
        let origin = Origin::new(file.clone(), node.position.line.max(1));
        Self {
            node,
            scope,
            previous: Vec::new(),
            prefixes: Vec::new(),
            suffixes: Vec::new(),
            name_hash: NameHash::Unwanted,
            vars: Vec::new(),
            provenance,
            origin,
        }
    }

    /// Where it was written, and the kustomizations that it passed.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Its YAML.
    pub fn node(&self) -> &Node {
        &self.node
    }

    /// `Kind.version.group/name.namespace`, as it is called now.
    pub fn current_id(&self) -> String {
        self.id().to_string()
    }

    /// `Kind.version.group/name.namespace`, as it was called in the file that it comes from.
    pub fn original_id(&self) -> String {
        self.original().to_string()
    }

    /// The object as JSON, as it is printed.
    ///
    /// # Follows kustomize
    /// Values of annotations become strings, and an object gets a `metadata` even if it had none.
    pub fn to_json(&self) -> Result<Json, ResolveError> {
        let mut body = self.node.to_json(Schema::Kyaml)?;
        if let (Json::Object(body), Some(annotations)) = (&mut body, annotation_texts(&self.node)) {
            let metadata = body.entry("metadata").or_insert_with(|| Json::Object(serde_json::Map::new()));
            if let Json::Object(metadata) = metadata {
                metadata.remove("annotations");
                if !annotations.is_empty() {
                    metadata.insert("annotations".to_owned(), Json::Object(annotations));
                }
            }
        }
        Ok(body)
    }

    /// The object for a cluster. Fails if it lacks what an API server needs to tell it from others.
    pub fn to_manifest(&self) -> Result<Manifest, ToManifestError> {
        let unprintable = |source| ToManifestError::Unprintable { origin: self.origin.clone(), source };
        Ok(Manifest::new(self.to_json().map_err(unprintable)?, self.origin.clone())?)
    }

    pub(crate) fn at(&self) -> At {
        At::line(&self.origin.file, self.origin.line)
    }

    /// Counts its lines from `at`, where the text that it was read from was written.
    pub(crate) fn move_into(&mut self, at: &At) {
        if let At::Line { line, .. } = at {
            self.origin.line += line;
            node::move_down(&mut self.node, *line);
        }
    }

    /// Notes that it passed the kustomization `file`.
    pub(crate) fn pass(&mut self, file: &TreePath) {
        self.origin.overlays.push(file.clone());
    }

    /// Takes over what another object was called and where it came from, as a merged generated object does.
    pub(crate) fn take_identity_of(&mut self, other: &Self) {
        self.previous.clone_from(&other.previous);
        self.prefixes.clone_from(&other.prefixes);
        self.suffixes.clone_from(&other.suffixes);
        self.vars.clone_from(&other.vars);
        self.provenance.origin.clone_from(&other.provenance.origin);
        self.set_name(other.name());
        match other.namespace() {
            "" => drop(self.metadata().remove("namespace")),
            namespace => self.set_namespace(namespace),
        }
    }

    pub(crate) fn gvk(&self) -> GvkRef<'_> {
        GvkRef::of(&self.node)
    }

    pub(crate) fn name(&self) -> &str {
        node::text_at(&self.node, &["metadata", "name"])
    }

    pub(crate) fn namespace(&self) -> &str {
        node::text_at(&self.node, &["metadata", "namespace"])
    }

    pub(crate) fn id(&self) -> Id<'_> {
        Id { gvk: self.gvk(), name: self.name(), namespace: self.namespace(), scope: self.scope }
    }

    /// The ids that it had, oldest first.
    pub(crate) fn previous_ids(&self) -> impl DoubleEndedIterator<Item = Id<'_>> {
        let GvkRef { group, version, .. } = self.gvk();
        self.previous.iter().map(move |previous| Id {
            gvk: GvkRef { group, version, kind: &previous.kind },
            name: &previous.name,
            namespace: &previous.namespace,
            scope: self.scope,
        })
    }

    /// The id that it came with.
    pub(crate) fn original(&self) -> Id<'_> {
        self.previous_ids().next().unwrap_or_else(|| self.id())
    }

    /// Every id that it has or had, oldest first.
    pub(crate) fn any_ids(&self) -> impl Iterator<Item = Id<'_>> {
        self.previous_ids().chain([self.id()])
    }

    /// Remembers what it is called now.
    pub(crate) fn remember_id(&mut self) {
        let id = self.id();
        let namespace = effective_namespace(id.namespace, self.scope).to_owned();
        let remembered = PreviousId { name: id.name.to_owned(), namespace, kind: id.gvk.kind.to_owned() };
        self.previous.push(remembered);
    }

    pub(crate) fn set_name(&mut self, name: &str) {
        let name = Node::string(name);
        self.metadata().insert("name", name);
    }

    pub(crate) fn set_namespace(&mut self, namespace: &str) {
        self.metadata().insert("namespace", Node::string(namespace));
    }

    pub(crate) fn set_kind(&mut self, kind: &str) {
        if let Some(object) = self.node.as_mapping_mut() {
            object.insert("kind", Node::string(kind));
        }
    }

    pub(crate) fn metadata(&mut self) -> &mut fairlead_yaml::Mapping {
        node::mapping_at(&mut self.node, "metadata")
    }

    /// The value of the annotation `key`.
    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        self.node.get("metadata")?.get("annotations")?.get(key)?.as_str()
    }

    pub(crate) fn set_annotation(&mut self, key: &str, value: String) {
        let annotations = self.metadata().get_or_insert_with("annotations", || node::empty(NodeKind::Mapping));
        if annotations.as_mapping().is_none() {
            *annotations = node::empty(NodeKind::Mapping);
        }
        if let Some(entries) = annotations.as_mapping_mut() {
            entries.insert(key, Node::string(value));
        }
    }
}

/// Why an object is none that a cluster takes.
#[derive(Debug, thiserror::Error)]
pub enum ToManifestError {
    /// It holds a value that JSON has not.
    #[error("{origin}: cannot print the object")]
    Unprintable {
        /// Where the object was written.
        origin: Origin,
        /// The value.
        source: ResolveError,
    },
    /// It does not say what it is.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

/// The annotations of `object` with their values as texts; `None` if its `metadata` is no mapping.
fn annotation_texts(object: &Node) -> Option<serde_json::Map<String, Json>> {
    let Some(metadata) = object.get("metadata") else { return Some(serde_json::Map::new()) };
    let annotations = match metadata.as_mapping()?.get("annotations").map(|node| &node.value) {
        Some(Value::Mapping(annotations)) => annotations,
        Some(Value::Scalar(_) | Value::Sequence(_)) | None => return Some(serde_json::Map::new()),
    };
    let texts = annotations
        .iter()
        .filter_map(|(key, value)| Some((key.as_str()?.to_owned(), Json::String(value.as_str()?.to_owned()))));
    Some(texts.collect())
}
