//! What a kustomization file says, read strictly.
//!
//! A file is YAML 1.1, its first document counts, its keys match in any case, and a field that kustomize does not know
//! is an error. Every entry keeps the line on which it was written, so that whatever goes wrong with it later can name
//! that line.

mod charts;
mod fields;

use fairlead_object::{EntryKind, Tree, TreePath};
use fairlead_yaml::Node;

use crate::{
    at::At,
    decode::{Decode, Path},
    error::BuildError,
};
pub use charts::{HelmChart, HelmChartArgs, HelmGlobals};
pub use fields::{
    FieldOptions, FieldReference, Fields, Generator, GeneratorOptions, Image, Label, LegacySortOptions,
    ObjectReference, Patch, PatchOptions, Replacement, ReplacementSource, ReplacementTarget, Replica, Selector,
    SortOptions, Var,
};

/// The names under which a kustomization file is found.
pub const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

const KUSTOMIZATION_VERSION: &str = "kustomize.config.k8s.io/v1beta1";
const COMPONENT_VERSION: &str = "kustomize.config.k8s.io/v1alpha1";

/// Whether a file stands for itself or adds to the one that names it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Builds resources of its own.
    #[default]
    Kustomization,
    /// Works on the resources of the kustomization that lists it under `components`.
    Component,
}

impl Kind {
    /// The kind as a file spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kustomization => "Kustomization",
            Self::Component => "Component",
        }
    }

    fn api_version(self) -> &'static str {
        match self {
            Self::Kustomization => KUSTOMIZATION_VERSION,
            Self::Component => COMPONENT_VERSION,
        }
    }
}

/// A kustomization: what to build from and how to change it.
///
/// The fields bear kustomize's names and may be edited before a build, as Flux does with what its own `Kustomization`
/// object adds.
#[derive(Clone, Debug, PartialEq)]
pub struct Kustomization {
    /// The file that it was read from, or that a generated one stands for.
    pub file: TreePath,
    /// Kustomization or component.
    pub kind: Kind,
    /// Everything that it asks for.
    pub fields: Fields,
    /// The deprecated fields that it has, in the order in which kustomize warns of them.
    deprecated: Vec<&'static Deprecated>,
}

/// A field that kustomize reads and warns of.
#[derive(Debug, PartialEq, Eq)]
struct Deprecated {
    field: &'static str,
    instead: &'static str,
    /// What stands before the advice to let kustomize rewrite the file.
    caveat: &'static str,
}

const DEPRECATED: [Deprecated; 6] = [
    Deprecated { field: "bases", instead: "resources", caveat: "" },
    Deprecated { field: "commonLabels", instead: "labels", caveat: "" },
    Deprecated { field: "imageTags", instead: "images", caveat: "" },
    Deprecated { field: "patchesJson6902", instead: "patches", caveat: "" },
    Deprecated { field: "patchesStrategicMerge", instead: "patches", caveat: "" },
    Deprecated { field: "vars", instead: "replacements", caveat: "[EXPERIMENTAL] " },
];

impl Kustomization {
    /// A kustomization without a file: what a plain directory is built with. Its entries are relative to `directory`.
    pub fn generated(directory: &TreePath) -> Self {
        Self {
            file: directory.join(FILE_NAMES[0]),
            kind: Kind::Kustomization,
            fields: Fields::default(),
            deprecated: Vec::new(),
        }
    }

    /// Finds and reads the kustomization file of `directory`; `None` if there is none.
    pub fn find(tree: &dyn Tree, directory: &TreePath) -> Result<Option<Self>, BuildError> {
        let mut found = Vec::new();
        for name in FILE_NAMES {
            let path = directory.join(name);
            let entry = tree.entry(&path).map_err(BuildError::Tree)?;
            if entry.is_some_and(|entry| entry.kind == EntryKind::File) {
                found.push(path);
            }
        }
        match found.as_slice() {
            [] => Ok(None),
            [file] => {
                let content = tree.read(file).map_err(BuildError::Tree)?;
                Self::parse(file, &content).map(Some)
            }
            [..] => Err(BuildError::SeveralKustomizationFiles { directory: directory.clone() }),
        }
    }

    /// Reads the kustomization file `file`, strictly.
    pub fn parse(file: &TreePath, content: &[u8]) -> Result<Self, BuildError> {
        let path = Path::kustomization(file);
        let node = path.first_document(content)?;
        let mut fields = Fields::decode(&node, &path)?;
        if asks_for_nothing(&node) {
            return Err(BuildError::EmptyKustomization { at: At::line(file, 1) });
        }
        let kind = check_header(file, &fields)?;
        fields.rewrite_old_spellings();
        fields.check_generators()?;
        Ok(Self { file: file.clone(), kind, fields, deprecated: deprecated_in(&node) })
    }

    /// The directory that its entries are relative to.
    pub fn directory(&self) -> TreePath {
        self.file.parent().unwrap_or_default()
    }

    /// What kustomize prints on stderr about deprecated fields, a line each.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        self.deprecated.iter().map(|Deprecated { field, instead, caveat }| {
            format!(
                "# Warning: '{field}' is deprecated. Please use '{instead}' instead. {caveat}Run 'kustomize edit fix' to \
                 update your Kustomization automatically."
            )
        })
    }
}

impl Fields {
    /// Moves what stands under a deprecated name to where its successor is read.
    fn rewrite_old_spellings(&mut self) {
        self.resources.append(&mut self.bases);
        self.images.append(&mut self.image_tags);
        for generator in self.config_map_generator.iter_mut().chain(&mut self.secret_generator) {
            let env = std::mem::take(&mut generator.env);
            generator.envs.extend((!env.is_empty()).then_some(env));
        }
        self.rewrite_old_charts();
    }

    fn check_generators(&self) -> Result<(), BuildError> {
        match self.config_map_generator.iter().find_map(|generator| generator.secret_type.as_ref()) {
            Some(secret_type) => {
                Err(BuildError::UnknownField { at: secret_type.at.clone(), field: "type".to_owned(), nearest: None })
            }
            None => Ok(()),
        }
    }
}

/// The deprecated fields that a file sets; an empty list is set.
fn deprecated_in(file: &Node) -> Vec<&'static Deprecated> {
    let Some(entries) = file.as_mapping() else { return Vec::new() };
    let is_set = |field: &str| {
        entries
            .iter()
            .any(|(key, value)| key.as_str().is_some_and(|key| key.eq_ignore_ascii_case(field)) && !value.is_null())
    };
    DEPRECATED.iter().filter(|deprecated| is_set(deprecated.field)).collect()
}

/// Whether a file says nothing but what it is; an empty list says something.
fn asks_for_nothing(file: &Node) -> bool {
    let says = |key: &Node| !matches!(key.as_str(), Some("apiVersion" | "kind"));
    let unset = |value: &Node| value.is_null() || value.as_str() == Some("");
    file.as_mapping().is_none_or(|fields| fields.iter().all(|(key, value)| !says(key) || unset(value)))
}

fn check_header(file: &TreePath, fields: &Fields) -> Result<Kind, BuildError> {
    let kind = match fields.kind.as_str() {
        "" | "Kustomization" => Some(Kind::Kustomization),
        "Component" => Some(Kind::Component),
        _ => None,
    };
    let mut problems = Vec::new();
    if kind.is_none() {
        problems.push("kind should be Kustomization or Component".to_owned());
    }
    let version = kind.unwrap_or_default().api_version();
    if !fields.api_version.is_empty() && fields.api_version != version {
        problems.push(format!("apiVersion for {} should be {version}", kind.unwrap_or_default().as_str()));
    }
    match kind {
        Some(kind) if problems.is_empty() => Ok(kind),
        _ => Err(BuildError::Header { at: At::line(file, 1), problems: problems.join("\n") }),
    }
}
