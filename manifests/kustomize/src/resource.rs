//! One object on its way through the overlays.

use std::sync::Arc;

use fairlead_object::{Manifest, ManifestError, Origin, TreePath};
use fairlead_yaml::{Mapping, Node, ResolveError, Schema, Written};
use serde_json::Value as Json;

use crate::{
    at::At,
    id::{GvkRef, Id, Scope, effective_namespace},
    node::{self, NodeKind},
    provenance::{self, Provenance, Step},
    shared::Shared,
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
    pub(crate) shared: Shared,
    pub(crate) provenance: Provenance,
    /// Whether a chart made it, which has chosen its namespace.
    pub(crate) is_from_chart: bool,
    /// Whether kustomize would keep notes about where it came from among its annotations.
    pub(crate) is_noted: bool,
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
            shared: Shared::default(),
            provenance,
            is_from_chart: false,
            is_noted: false,
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
    pub fn to_json(&self) -> Result<Json, ResolveError> {
        self.node.to_json(Schema::Kyaml)
    }

    /// The object for a cluster. Fails if it lacks what an API server needs to tell it from others.
    pub fn to_manifest(&self) -> Result<Manifest, ToManifestError> {
        self.read_as(Manifest::new)
    }

    /// The object for someone who prints it, as `kustomize build` does whatever it lacks.
    pub fn to_printed(&self) -> Result<Manifest, ToManifestError> {
        self.read_as(Manifest::to_be_printed)
    }

    fn read_as(
        &self,
        read: impl FnOnce(Json, Origin) -> Result<Manifest, ManifestError>,
    ) -> Result<Manifest, ToManifestError> {
        let unprintable = |source| ToManifestError::Unprintable { origin: self.origin.clone(), source };
        let manifest = read(self.to_json().map_err(unprintable)?, self.origin.clone())?;
        Ok(manifest.with_fields(provenance::field_places(&self.node)))
    }

    pub(crate) fn at(&self) -> At {
        At::line(&self.origin.file, self.origin.line)
    }

    /// Notes that a chart made it of the template `file`, and on which of its lines.
    pub(crate) fn come_from_chart(&mut self, file: &TreePath, line_in_file: &dyn Fn(u32) -> u32) {
        node::visit(&mut self.node, &mut |node| node.position.line = line_in_file(node.position.line));
        self.origin = Origin::new(file.clone(), line_in_file(self.origin.line));
        self.is_from_chart = true;
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

    /// Notes that a transformer saw it.
    pub(crate) fn note_transformation(&mut self, step: &Arc<Step>) {
        self.provenance.transformations.push(Arc::clone(step));
        self.tidy_annotations();
    }

    /// Takes over what another object was called and where it came from, as a merged generated object does.
    pub(crate) fn take_identity_of(&mut self, other: &Self) {
        self.previous.clone_from(&other.previous);
        self.prefixes.clone_from(&other.prefixes);
        self.suffixes.clone_from(&other.suffixes);
        self.vars.clone_from(&other.vars);
        self.provenance.transformations.clone_from(&other.provenance.transformations);
        let named_by = other.named_by();
        self.set_name(other.name());
        if let Some(name) = self.metadata().get_mut("name") {
            name.written = named_by;
        }
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
        if self.node.get("metadata").is_some_and(Node::is_null) {
            self.metadata();
        }
    }

    /// Makes the values of annotations texts, and gives an object a `metadata` even if it had none.
    ///
    /// # Follows kustomize
    /// It does so whenever it notes a transformer among them, and when it takes its own notes out of them.
    pub(crate) fn tidy_annotations(&mut self) {
        let Some(object) = self.node.as_mapping_mut() else { return };
        let metadata = object.get_or_insert_with("metadata", || node::empty(NodeKind::Mapping));
        let Some(metadata) = metadata.as_mapping_mut() else { return };
        let mut texts = Mapping::new();
        for (key, value) in metadata.remove("annotations").iter().filter_map(Node::as_mapping).flat_map(Mapping::iter) {
            let (position, written) = (value.position, value.written.clone());
            let text = Node { position, written, ..Node::string(value.as_str().unwrap_or_default()) };
            texts.insert(key.as_str().unwrap_or_default(), text);
        }
        if !texts.is_empty() {
            metadata.push(Node::string("annotations"), Node::mapping(texts));
        }
    }

    pub(crate) fn set_name(&mut self, name: &str) {
        node::set_text(self.metadata(), "name", name, &Written::default());
    }

    pub(crate) fn set_namespace(&mut self, namespace: &str) {
        node::set_text(self.metadata(), "namespace", namespace, &Written::default());
    }

    pub(crate) fn set_kind(&mut self, kind: &str) {
        if let Some(object) = self.node.as_mapping_mut() {
            node::set_text(object, "kind", kind, &Written::default());
        }
    }

    /// Who gave it the name that it has.
    pub(crate) fn named_by(&self) -> Written {
        let name = self.node.get("metadata").and_then(|metadata| metadata.get("name"));
        name.map_or_else(Written::default, |name| provenance::writer_of(name, &self.origin))
    }

    pub(crate) fn metadata(&mut self) -> &mut Mapping {
        node::mapping_at(&mut self.node, "metadata")
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
