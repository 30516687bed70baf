//! The transformers that the fields of a kustomization stand for.

use crate::{
    at::{At, Located},
    config::{self, Config},
    error::BuildError,
    field_spec::{Create, FieldSpec},
    kustomization::{Fields, Kustomization, Label},
    load::Loader,
    transform::{
        Affix, Change, Images, JsonPatch, Labels, Namespace, PatchTransformer, Replacements, Replicas, Side,
        StrategicMergePatches, Subjects, Transformer, Unset,
    },
};

use super::field_step;

/// What the fields of a kustomization change, in kustomize's order.
pub(super) fn transformers(
    kustomization: &Kustomization,
    config: &Config,
    loader: &Loader<'_>,
) -> Result<Vec<Transformer>, BuildError> {
    let fields = &kustomization.fields;
    let mut list = TransformerList { kustomization, list: Vec::new() };
    if let Some(first) = fields.patches_strategic_merge.first() {
        let patches = StrategicMergePatches::load(&fields.patches_strategic_merge, loader)?;
        list.push(&first.at, "PatchStrategicMergeTransformer", Change::StrategicMergePatches(patches));
    }
    for patch in &fields.patches {
        list.push(&patch.at, "PatchTransformer", Change::Patch(PatchTransformer::load(patch, loader)?));
    }
    if let Some(namespace) = given(fields.namespace.as_ref()) {
        let change = Namespace::new(namespace, &config.namespace, Unset::Any, Subjects::default());
        list.push(&namespace.at, "NamespaceTransformer", Change::Namespace(change));
    }
    if let Some(prefix) = given(fields.name_prefix.as_ref()) {
        list.push(
            &prefix.at,
            "PrefixTransformer",
            Change::Names(vec![Affix::new(prefix, Side::Before, &config.name_prefix)]),
        );
    }
    if let Some(suffix) = given(fields.name_suffix.as_ref()) {
        list.push(
            &suffix.at,
            "SuffixTransformer",
            Change::Names(vec![Affix::new(suffix, Side::After, &config.name_suffix)]),
        );
    }
    push_labels(&mut list, fields, config)?;
    if let Some(annotations) = fields.common_annotations.as_ref().filter(|annotations| !annotations.is_empty()) {
        let change = Labels::new(annotations, &config.common_annotations);
        list.push(&annotations.at, "AnnotationsTransformer", Change::Annotations(change));
    }
    for patch in &fields.patches_json6902 {
        list.push(&patch.at, "PatchJson6902Transformer", Change::JsonPatch(JsonPatch::load(patch, loader)?));
    }
    for replica in &fields.replicas {
        list.push(&replica.at, "ReplicaCountTransformer", Change::Replicas(Replicas::new(replica, &config.replicas)));
    }
    for image in &fields.images {
        list.push(&image.at, "ImageTagTransformer", Change::Images(Images::new(image, &config.images)));
    }
    if let Some(first) = fields.replacements.first() {
        let change = Change::Replacements(Replacements::load(&fields.replacements, loader)?);
        list.push(&first.at, "ReplacementTransformer", change);
    }
    Ok(list.list)
}

/// Transformers of one kustomization.
struct TransformerList<'a> {
    kustomization: &'a Kustomization,
    list: Vec<Transformer>,
}

impl TransformerList<'_> {
    fn push(&mut self, at: &At, plugin: &str, change: Change) {
        self.list.push(Transformer::new(at, field_step(self.kustomization, plugin), change));
    }
}

fn given(field: Option<&Located<String>>) -> Option<&Located<String>> {
    field.filter(|field| !field.is_empty())
}

/// One transformer for each entry of `labels`, then one for `commonLabels`; kustomize runs the last one even if there
/// are no common labels.
fn push_labels(list: &mut TransformerList<'_>, fields: &Fields, config: &Config) -> Result<(), BuildError> {
    const PLUGIN: &str = "LabelTransformer";
    for label in &fields.labels {
        let specs = label_specs(label, config)?;
        list.push(&label.at, PLUGIN, Change::Labels(Labels::new(&label.pairs, &specs)));
    }
    match (&fields.common_labels, fields.labels.last()) {
        (Some(labels), _) if !labels.is_empty() => {
            list.push(&labels.at, PLUGIN, Change::Labels(Labels::new(labels, &config.common_labels)));
        }
        (_, Some(label)) => list.push(&label.at, PLUGIN, Change::Nothing),
        (_, None) => {}
    }
    Ok(())
}

fn label_specs(label: &Located<Label>, config: &Config) -> Result<Vec<FieldSpec>, BuildError> {
    let metadata = [FieldSpec::new("", "", "", "metadata/labels", Create::Yes)];
    let mut lists: Vec<&[FieldSpec]> = vec![&config.labels];
    if label.include_selectors {
        lists.push(&config.common_labels);
    } else {
        lists.extend(label.include_templates.then_some(config.template_labels.as_slice()));
        let volumes = label.include_volume_claim_templates;
        lists.extend(volumes.then_some(config.volume_claim_template_labels.as_slice()));
        lists.push(&metadata);
    }
    let mut specs = label.fields.clone();
    for list in lists {
        config::add_all(&mut specs, list, "Labels", &label.at)?;
    }
    Ok(specs)
}
