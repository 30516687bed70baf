//! What a kustomization file says, read strictly.
//!
//! A file is YAML 1.1, its first document counts, its keys match in any case, and a field that kustomize does not know
//! is an error. Every entry keeps the line on which it was written, so that whatever goes wrong with it later can name
//! that line.

use std::collections::BTreeMap;

use fairlead_object::{EntryKind, Tree, TreePath};
use fairlead_yaml::Node;

use crate::{
    at::{At, Located},
    decode::{Decode, Path, Unknown, record},
    error::BuildError,
    field_spec::FieldSpec,
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

record! {
    /// The fields of a kustomization file, by kustomize's names.
    pub struct Fields {
        /// `apiVersion`; checked when a file is read.
        pub api_version: String = "apiVersion",
        /// `kind`; checked when a file is read.
        pub kind: String = "kind",
        /// Accepted and not used.
        pub metadata: Option<Node> = "metadata",
        /// Files and directories to build from.
        pub resources: Vec<Located<String>> = "resources",
        /// Directories of components.
        pub components: Vec<Located<String>> = "components",
        /// The old name for directories under `resources`.
        pub bases: Vec<Located<String>> = "bases",
        /// Files of `OpenAPI` definitions that say where custom resources refer to others.
        pub crds: Vec<Located<String>> = "crds",
        /// Files with further field specs.
        pub configurations: Vec<Located<String>> = "configurations",
        /// Configurations of generators, as paths or inline.
        pub generators: Vec<Located<String>> = "generators",
        /// Configurations of transformers, as paths or inline.
        pub transformers: Vec<Located<String>> = "transformers",
        /// Configurations of transformers that may only check.
        pub validators: Vec<Located<String>> = "validators",
        /// Put before every name.
        pub name_prefix: Option<Located<String>> = "namePrefix",
        /// Put after every name.
        pub name_suffix: Option<Located<String>> = "nameSuffix",
        /// Given to every namespaced object.
        pub namespace: Option<Located<String>> = "namespace",
        /// Labels for objects, templates and selectors.
        pub common_labels: Option<Located<BTreeMap<String, String>>> = "commonLabels",
        /// Labels, each entry with its own reach.
        pub labels: Vec<Located<Label>> = "labels",
        /// Annotations for objects and templates.
        pub common_annotations: Option<Located<BTreeMap<String, String>>> = "commonAnnotations",
        /// Strategic-merge and JSON 6902 patches.
        pub patches: Vec<Located<Patch>> = "patches",
        /// The old list of strategic-merge patches, as paths or inline.
        pub patches_strategic_merge: Vec<Located<String>> = "patchesStrategicMerge",
        /// The old list of JSON 6902 patches.
        pub patches_json6902: Vec<Located<Patch>> = "patchesJson6902",
        /// Changes of image names, tags and digests.
        pub images: Vec<Located<Image>> = "images",
        /// The old name of `images`.
        pub image_tags: Vec<Located<Image>> = "imageTags",
        /// Changes of replica counts.
        pub replicas: Vec<Located<Replica>> = "replicas",
        /// Values copied from one object to others.
        pub replacements: Vec<Located<Replacement>> = "replacements",
        /// The old form of replacements: `$(NAME)` in fields.
        pub vars: Vec<Located<Var>> = "vars",
        /// `ConfigMap`s to generate.
        pub config_map_generator: Vec<Located<Generator>> = "configMapGenerator",
        /// Secrets to generate.
        pub secret_generator: Vec<Located<Generator>> = "secretGenerator",
        /// What holds for all generated objects of this file.
        pub generator_options: Option<GeneratorOptions> = "generatorOptions",
        /// Where charts lie; refused.
        pub helm_globals: Option<Located<Node>> = "helmGlobals",
        /// Charts to inflate; refused.
        pub helm_charts: Option<Located<Node>> = "helmCharts",
        /// The old form of `helmCharts`; refused.
        pub helm_chart_inflation_generator: Option<Located<Node>> = "helmChartInflationGenerator",
        /// A schema of the build's own.
        pub openapi: Option<Located<BTreeMap<String, String>>> = "openapi",
        /// Which notes about their making objects bear.
        pub build_metadata: Vec<String> = "buildMetadata",
        /// The order of the output.
        pub sort_options: Option<Located<SortOptions>> = "sortOptions",
    }
}

record! {
    /// One entry of `labels`.
    pub struct Label {
        /// The labels.
        pub pairs: BTreeMap<String, String> = "pairs",
        /// Whether selectors get them too.
        pub include_selectors: bool = "includeSelectors",
        /// Whether pod templates get them too.
        pub include_templates: bool = "includeTemplates",
        /// Whether volume claim templates get them too.
        pub include_volume_claim_templates: bool = "includeVolumeClaimTemplates",
        /// Further places.
        pub fields: Vec<FieldSpec> = "fields",
    }
}

record! {
    /// One patch with its target.
    pub struct Patch {
        /// The file that holds it.
        pub path: String = "path",
        /// The patch itself.
        pub patch: Option<Located<String>> = "patch",
        /// Which objects it changes; a strategic-merge patch without one names its object itself.
        pub target: Option<Selector> = "target",
        /// What it may change besides.
        pub options: PatchOptions = "options",
    }
}

record! {
    /// What a patch may change besides fields.
    pub struct PatchOptions {
        /// Whether it may rename its target.
        pub allow_name_change: bool = "allowNameChange",
        /// Whether it may change its target's kind.
        pub allow_kind_change: bool = "allowKindChange",
    }
}

record! {
    /// Which objects something applies to: every field that is not empty must match.
    pub struct Selector {
        /// API group.
        pub group: String = "group",
        /// API version.
        pub version: String = "version",
        /// Kind.
        pub kind: String = "kind",
        /// Name.
        pub name: String = "name",
        /// Namespace.
        pub namespace: String = "namespace",
        /// Labels, in Kubernetes' selector syntax.
        pub label_selector: String = "labelSelector",
        /// Annotations, in Kubernetes' selector syntax.
        pub annotation_selector: String = "annotationSelector",
    }
}

record! {
    /// One entry of `images`.
    pub struct Image {
        /// The name to look for.
        pub name: String = "name",
        /// The name to put in its place.
        pub new_name: String = "newName",
        /// Put after the tag that is there.
        pub tag_suffix: String = "tagSuffix",
        /// The tag to set.
        pub new_tag: String = "newTag",
        /// The digest to set.
        pub digest: String = "digest",
    }
}

record! {
    /// One entry of `replicas`.
    pub struct Replica {
        /// The name of the workload.
        pub name: String = "name",
        /// Its number of replicas.
        pub count: i64 = "count",
    }
}

record! {
    /// One entry of `replacements`.
    pub struct Replacement {
        /// A file that holds replacements; then nothing else is given.
        pub path: String = "path",
        /// Where the value comes from.
        pub source: Option<ReplacementSource> = "source",
        /// The value itself.
        pub source_value: Option<String> = "sourceValue",
        /// Where the value goes.
        pub targets: Vec<ReplacementTarget> = "targets",
    }
}

record! {
    /// The field that a replacement copies.
    pub struct ReplacementSource {
        /// API group.
        pub group: String = "group",
        /// API version.
        pub version: String = "version",
        /// Kind.
        pub kind: String = "kind",
        /// Name.
        pub name: String = "name",
        /// Namespace.
        pub namespace: String = "namespace",
        /// The field, `metadata.name` if empty.
        pub field_path: String = "fieldPath",
        /// Which part of the field.
        pub options: FieldOptions = "options",
    }
}

record! {
    /// The fields that a replacement sets.
    pub struct ReplacementTarget {
        /// Which objects.
        pub select: Option<Selector> = "select",
        /// Which of them not.
        pub reject: Vec<Selector> = "reject",
        /// Which fields, `metadata.name` if empty.
        pub field_paths: Vec<String> = "fieldPaths",
        /// Which part of the fields.
        pub options: FieldOptions = "options",
    }
}

record! {
    /// Which part of a field a replacement reads or sets.
    pub struct FieldOptions {
        /// What separates the parts.
        pub delimiter: String = "delimiter",
        /// Which part.
        pub index: i64 = "index",
        /// Accepted and not used, as in kustomize.
        pub encoding: String = "encoding",
        /// Whether a missing field is made.
        pub create: bool = "create",
    }
}

record! {
    /// One entry of `vars`.
    pub struct Var {
        /// What stands between `$(` and `)`.
        pub name: String = "name",
        /// The object that holds the value.
        pub objref: ObjectReference = "objref",
        /// The field that holds it.
        pub fieldref: FieldReference = "fieldref",
    }
}

record! {
    /// The object that a var refers to.
    pub struct ObjectReference {
        /// Group and version; over the two fields below.
        pub api_version: String = "apiVersion",
        /// API group.
        pub group: String = "group",
        /// API version.
        pub version: String = "version",
        /// Kind.
        pub kind: String = "kind",
        /// Name.
        pub name: String = "name",
        /// Namespace.
        pub namespace: String = "namespace",
    }
}

record! {
    /// The field that a var refers to.
    pub struct FieldReference {
        /// The path, `metadata.name` if empty.
        pub field_path: String = "fieldPath",
    }
}

record! {
    /// One entry of `configMapGenerator` or `secretGenerator`.
    pub struct Generator {
        /// The name of the object, without prefix, suffix and hash.
        pub name: String = "name",
        /// Its namespace.
        pub namespace: String = "namespace",
        /// `create`, `merge` or `replace`.
        pub behavior: String = "behavior",
        /// `key=value` pairs.
        pub literals: Vec<String> = "literals",
        /// Files, as `path` or `key=path`.
        pub files: Vec<String> = "files",
        /// Files of `key=value` lines.
        pub envs: Vec<String> = "envs",
        /// The old form of `envs`.
        pub env: String = "env",
        /// What holds for this object.
        pub options: Option<GeneratorOptions> = "options",
        /// The Secret's type; a `ConfigMap` has none.
        pub secret_type: Option<Located<String>> = "type",
    }
}

record! {
    /// What holds for generated objects.
    pub struct GeneratorOptions {
        /// Labels that they get.
        pub labels: BTreeMap<String, String> = "labels",
        /// Annotations that they get.
        pub annotations: BTreeMap<String, String> = "annotations",
        /// Whether their names stay without the hash of their content.
        pub disable_name_suffix_hash: bool = "disableNameSuffixHash",
        /// Whether the API server refuses changes to them.
        pub immutable: bool = "immutable",
    }
}

record! {
    /// The order of the output.
    pub struct SortOptions {
        /// `fifo` or `legacy`.
        pub order: String = "order",
        /// What the legacy order puts first and last.
        pub legacy_sort_options: Option<LegacySortOptions> = "legacySortOptions",
    }
}

record! {
    /// What the legacy order puts first and last.
    pub struct LegacySortOptions {
        /// Kinds that come first, in this order.
        pub order_first: Vec<String> = "orderFirst",
        /// Kinds that come last, in this order.
        pub order_last: Vec<String> = "orderLast",
    }
}

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
        let path = Path::file(file, "Kustomization", Unknown::Refused);
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
