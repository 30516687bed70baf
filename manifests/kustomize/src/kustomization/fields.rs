//! The fields of a kustomization file, and of what its lists hold.

use std::collections::BTreeMap;

use fairlead_yaml::Node;

use super::charts::{HelmChart, HelmChartArgs, HelmGlobals};
use crate::{at::Located, decode::record, field_spec::FieldSpec};

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
        /// Where charts lie.
        pub helm_globals: Option<HelmGlobals> = "helmGlobals",
        /// Charts to inflate.
        pub helm_charts: Vec<Located<HelmChart>> = "helmCharts",
        /// The old form of `helmCharts`.
        pub helm_chart_inflation_generator: Vec<Located<HelmChartArgs>> = "helmChartInflationGenerator",
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
