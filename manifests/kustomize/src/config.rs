//! Which fields the transformers touch: kustomize's defaults and what `configurations` and `crds` add.
//!
//! # Follows kustomize
//! Specs of a base hold for everything above it, never below. Each time that specs are added to others, all are sorted by
//! kind. One that is about the kinds of one before it, or about more of them, is not added: what a configuration says of
//! the names of one kind takes the place of what holds for all. The same field with another `create` is a conflict.

use std::sync::{Arc, LazyLock};

use fairlead_object::TreePath;
use fairlead_yaml::{Duplicate, Node, Value};

use crate::{
    at::At,
    decode::{Decode, Path, Unknown, record},
    defaults,
    error::BuildError,
    field_spec::FieldSpec,
    sort,
};

record! {
    /// The field specs of each transformer.
    pub(crate) struct Config {
        pub(crate) name_prefix: Vec<FieldSpec> = "namePrefix",
        pub(crate) name_suffix: Vec<FieldSpec> = "nameSuffix",
        pub(crate) namespace: Vec<FieldSpec> = "namespace",
        pub(crate) common_labels: Vec<FieldSpec> = "commonLabels",
        pub(crate) labels: Vec<FieldSpec> = "labels",
        pub(crate) template_labels: Vec<FieldSpec> = "templateLabels",
        pub(crate) volume_claim_template_labels: Vec<FieldSpec> = "volumeClaimTemplateLabels",
        pub(crate) common_annotations: Vec<FieldSpec> = "commonAnnotations",
        pub(crate) name_reference: Vec<NameReference> = "nameReference",
        pub(crate) var_reference: Vec<FieldSpec> = "varReference",
        pub(crate) images: Vec<FieldSpec> = "images",
        pub(crate) replicas: Vec<FieldSpec> = "replicas",
    }
}

record! {
    /// The fields that hold names of objects of one kind.
    pub(crate) struct NameReference {
        pub(crate) group: String = "group",
        pub(crate) version: String = "version",
        pub(crate) kind: String = "kind",
        pub(crate) field_specs: Vec<FieldSpec> = "fieldSpecs",
    }
}

static DEFAULTS: LazyLock<Arc<Config>> = LazyLock::new(|| Arc::new(defaults::config()));

impl Config {
    /// kustomize's own specs.
    pub(crate) fn defaults() -> Arc<Self> {
        Arc::clone(&DEFAULTS)
    }

    /// No specs.
    pub(crate) fn none() -> Arc<Self> {
        Arc::default()
    }

    /// Reads a file that `configurations` names.
    pub(crate) fn parse(file: &TreePath, content: &[u8]) -> Result<Self, BuildError> {
        let path = Path::file(file, "TransformerConfig", Unknown::Refused);
        let document = path.first_document(content)?;
        match duplicate_in(&document) {
            Some(Duplicate { key, again, .. }) => Err(BuildError::RepeatedKey { at: At::line(file, again.line), key }),
            None => Self::decode(&document, &path),
        }
    }

    /// `base` with the specs of `other`, which `at` brings.
    pub(crate) fn merged(base: &Arc<Self>, other: &Arc<Self>, at: &At) -> Result<Arc<Self>, BuildError> {
        let says_nothing = |config: &Self| *config == Self::default();
        let are_defaults = Arc::ptr_eq(other, &DEFAULTS);
        // The defaults are in whatever has been merged before.
        if Arc::ptr_eq(base, other) || says_nothing(other) || (are_defaults && !says_nothing(base)) {
            return Ok(Arc::clone(base));
        }
        if are_defaults {
            return Ok(Arc::clone(other));
        }
        let mut merged = Self::clone(base);
        merged.merge(other, at)?;
        Ok(Arc::new(merged))
    }

    fn merge(&mut self, other: &Self, at: &At) -> Result<(), BuildError> {
        let lists = [
            ("NamePrefix", &mut self.name_prefix, &other.name_prefix),
            ("NameSuffix", &mut self.name_suffix, &other.name_suffix),
            ("NameSpace", &mut self.namespace, &other.namespace),
            ("CommonLabels", &mut self.common_labels, &other.common_labels),
            ("Labels", &mut self.labels, &other.labels),
            ("TemplateLabels", &mut self.template_labels, &other.template_labels),
            ("VolumeClaimTemplateLabels", &mut self.volume_claim_template_labels, &other.volume_claim_template_labels),
            ("CommonAnnotations", &mut self.common_annotations, &other.common_annotations),
            ("VarReference", &mut self.var_reference, &other.var_reference),
            ("Images", &mut self.images, &other.images),
            ("Replicas", &mut self.replicas, &other.replicas),
        ];
        for (name, mine, others) in lists {
            add_all(mine, others, name, at)?;
            mine.sort_by_cached_key(|spec| sort::gvk_key(spec.gvk()));
        }
        for reference in &other.name_reference {
            self.add_reference(reference, at)?;
        }
        Ok(())
    }

    fn add_reference(&mut self, reference: &NameReference, at: &At) -> Result<(), BuildError> {
        let same = |mine: &&mut NameReference| {
            mine.group == reference.group && mine.version == reference.version && mine.kind == reference.kind
        };
        if let Some(mine) = self.name_reference.iter_mut().find(same) {
            return add_all(&mut mine.field_specs, &reference.field_specs, "NameReference", at);
        }
        self.name_reference.push(reference.clone());
        Ok(())
    }
}

/// The first key below `node` that is written twice in one mapping.
fn duplicate_in(node: &Node) -> Option<Duplicate> {
    match &node.value {
        Value::Scalar(_) => None,
        Value::Sequence(items) => items.iter().find_map(duplicate_in),
        Value::Mapping(entries) => entries.duplicate().or_else(|| entries.values().find_map(duplicate_in)),
    }
}

/// Adds `others` to `mine` unless they are there.
pub(crate) fn add_all(
    mine: &mut Vec<FieldSpec>,
    others: &[FieldSpec],
    list: &'static str,
    at: &At,
) -> Result<(), BuildError> {
    for other in others {
        match mine.iter().find(|spec| other.covers(spec)) {
            None => mine.push(other.clone()),
            Some(spec) if spec.create == other.create => {}
            Some(_) => {
                return Err(BuildError::ConflictingFieldSpecs { at: at.clone(), list, path: other.path.clone() });
            }
        }
    }
    Ok(())
}
