//! How an object came to be: for `buildMetadata`, and field by field for everyone who asks where a value comes from.
//!
//! Every stage marks what it writes with where it was told to, so that the places of all fields are at hand when the
//! build is done, without a stage of their own.
//!
//! # Follows kustomize
//! `originAnnotations` writes `config.kubernetes.io/origin`, `transformerAnnotations` writes
//! `alpha.config.kubernetes.io/transformations`; paths are relative to the directory that is built.

use std::sync::Arc;

use fairlead_object::{FieldPlaces, Origin, PathHash, Place, TreePath};
use fairlead_yaml::{Node, Value, Written};

use crate::{
    build::Manager,
    node::{self, NodeKind},
    resource::Resource,
};

const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
const ORIGIN: &str = "config.kubernetes.io/origin";
const TRANSFORMATIONS: &str = "alpha.config.kubernetes.io/transformations";

/// Where an object came from and what it went through.
#[derive(Clone, Debug, Default)]
pub(crate) struct Provenance {
    pub(crate) origin: Option<Arc<Step>>,
    pub(crate) transformations: Vec<Arc<Step>>,
}

/// A file that was read, or a plugin that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// The object was read from this file.
    Read(TreePath),
    /// A plugin made or changed it.
    Ran {
        /// The file that configures the plugin.
        configured_in: TreePath,
        /// What the configuration calls itself.
        configured_by: ConfiguredBy,
    },
}

/// What a plugin's configuration calls itself; for a field of a kustomization, the plugin's own name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ConfiguredBy {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    pub(crate) namespace: String,
}

impl ConfiguredBy {
    /// The plugin `kind` that a field of a kustomization stands for.
    pub(crate) fn field(kind: &str) -> Self {
        Self { api_version: "builtin".to_owned(), kind: kind.to_owned(), ..Self::default() }
    }
}

impl Provenance {
    /// An object that was read from `file`.
    pub(crate) fn read(file: &TreePath) -> Self {
        Self { origin: Some(Arc::new(Step::Read(file.clone()))), transformations: Vec::new() }
    }

    /// An object that a plugin made.
    pub(crate) fn made(step: &Arc<Step>) -> Self {
        Self { origin: Some(Arc::clone(step)), transformations: Vec::new() }
    }
}

/// Which of the notes `buildMetadata` asks for. A word that kustomize does not know asks for nothing, as there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Note {
    Origin,
    Transformations,
    ManagedBy,
}

impl Note {
    pub(crate) fn parse(word: &str) -> Option<Self> {
        match word {
            "originAnnotations" => Some(Self::Origin),
            "transformerAnnotations" => Some(Self::Transformations),
            "managedByLabel" => Some(Self::ManagedBy),
            _ => None,
        }
    }
}

/// Whether each transformer is noted by the objects that it sees.
///
/// # Follows kustomize
/// It is as soon as `buildMetadata` asks for anything, whether it is printed or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transformers {
    Noted,
    Forgotten,
}

impl Transformers {
    /// What the words of `buildMetadata` ask for.
    pub(crate) fn of(build_metadata: &[String]) -> Self {
        if build_metadata.is_empty() { Self::Forgotten } else { Self::Noted }
    }
}

/// Removes notes from `resource` that are not among `asked`: those that it was read with.
pub(crate) fn forget(resource: &mut Resource, asked: &[Note]) {
    let annotations = resource.node.get_mut("metadata").and_then(|metadata| metadata.get_mut("annotations"));
    let Some(annotations) = annotations.and_then(Node::as_mapping_mut) else { return };
    for (note, annotation) in [(Note::Origin, ORIGIN), (Note::Transformations, TRANSFORMATIONS)] {
        if !asked.contains(&note) {
            annotations.remove(annotation);
        }
    }
}

/// Writes `note` on `resource` with paths relative to `directory`, and `manager` as what built it.
pub(crate) fn annotate(resource: &mut Resource, note: Note, directory: &TreePath, manager: Manager) {
    match note {
        Note::Origin => {
            let Some(origin) = &resource.provenance.origin else { return };
            let text = origin.lines(directory).join("\n") + "\n";
            resource.set_annotation(ORIGIN, text);
        }
        Note::Transformations => {
            let steps = &resource.provenance.transformations;
            if steps.is_empty() {
                return;
            }
            let entry = |step: &Arc<Step>| format!("- {}\n", step.lines(directory).join("\n  "));
            let text = steps.iter().map(entry).collect();
            resource.set_annotation(TRANSFORMATIONS, text);
        }
        Note::ManagedBy => {
            let metadata = resource.metadata();
            let labels = metadata.get_or_insert_with("labels", || node::empty(NodeKind::Mapping));
            if labels.is_null() {
                *labels = node::empty(NodeKind::Mapping);
            }
            if let Some(labels) = labels.as_mapping_mut() {
                labels.insert(MANAGED_BY, Node::string(manager.label()));
            }
        }
    }
}

impl Step {
    fn lines(&self, directory: &TreePath) -> Vec<String> {
        match self {
            Self::Read(path) => vec![format!("path: {}", relative(path, directory))],
            Self::Ran { configured_in, configured_by } => {
                let mut lines =
                    vec![format!("configuredIn: {}", relative(configured_in, directory)), "configuredBy:".to_owned()];
                let fields = [
                    ("apiVersion", &configured_by.api_version),
                    ("kind", &configured_by.kind),
                    ("name", &configured_by.name),
                    ("namespace", &configured_by.namespace),
                ];
                let given = fields.into_iter().filter(|(_, value)| !value.is_empty());
                lines.extend(given.map(|(key, value)| format!("  {key}: {value}")));
                lines
            }
        }
    }
}

/// Who wrote `node` of an object from `origin`, be it who wrote the object.
pub(crate) fn writer_of(node: &Node, origin: &Origin) -> Written {
    match (node.written.is_as_read(), node.position.line) {
        (false, _) => node.written.clone(),
        (true, 0) => Written::by(origin.file.as_str(), origin.line),
        (true, line) => Written::by(origin.file.as_str(), line),
    }
}

/// Where all fields of `object` were written.
pub(crate) fn field_places(object: &Node) -> FieldPlaces {
    let mut places = FieldPlaces::default();
    add_places(object, PathHash::ROOT, &mut places);
    places
}

fn add_places(node: &Node, path: PathHash, places: &mut FieldPlaces) {
    let changes = node.written.writers().map(|writer| Place { file: Arc::clone(&writer.text), line: writer.line });
    places.add(path, node.position.line, changes);
    match &node.value {
        Value::Scalar(_) => {}
        Value::Sequence(items) => {
            for (index, item) in items.iter().enumerate() {
                add_places(item, path.child(&index.to_string()), places);
            }
        }
        Value::Mapping(entries) => {
            for (key, value) in entries.iter() {
                add_places(value, path.child(key.as_str().unwrap_or_default()), places);
            }
        }
    }
}

/// `path` as it is written in `directory`.
fn relative(path: &TreePath, directory: &TreePath) -> String {
    let (path, directory): (Vec<_>, Vec<_>) = (path.parts().collect(), directory.parts().collect());
    let common = path.iter().zip(&directory).take_while(|(a, b)| a == b).count();
    let climb = directory.iter().skip(common).map(|_| "..");
    climb.chain(path.into_iter().skip(common)).collect::<Vec<_>>().join("/")
}
