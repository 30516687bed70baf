//! Requests from the `spec` of a Kustomization, or of a part of a `HelmRelease`.

use fairlead_api::helm::KustomizeRenderer;
use fairlead_api::kustomize::{self, KustomizationSpec};

use crate::{BuildMetadata, BuildRequest, CommonMetadata, Image, Patch, Selector};

/// What `spec` lays over the directory that it builds. The directory itself and the variables are left at their
/// defaults: a caller may build another folder, and some variables stand in other objects.
impl From<&KustomizationSpec> for BuildRequest {
    fn from(spec: &KustomizationSpec) -> Self {
        Self {
            target_namespace: spec.target_namespace.clone(),
            name_prefix: spec.name_prefix.clone(),
            name_suffix: spec.name_suffix.clone(),
            patches: spec.patches.iter().map(Patch::from).collect(),
            images: spec.images.iter().map(Image::from).collect(),
            components: spec.components.clone(),
            ignore_missing_components: spec.ignore_missing_components,
            build_metadata: spec.build_metadata.iter().map(|note| BuildMetadata::from(*note)).collect(),
            common_metadata: spec.common_metadata.as_ref().map(CommonMetadata::from).unwrap_or_default(),
            ..Self::default()
        }
    }
}

/// What a post-renderer of a `HelmRelease` lays over the objects that its chart makes.
impl From<&KustomizeRenderer> for BuildRequest {
    fn from(renderer: &KustomizeRenderer) -> Self {
        Self {
            patches: renderer.patches.iter().map(Patch::from).collect(),
            images: renderer.images.iter().map(Image::from).collect(),
            ..Self::default()
        }
    }
}

impl From<&kustomize::Patch> for Patch {
    fn from(patch: &kustomize::Patch) -> Self {
        Self { patch: patch.patch.clone(), target: patch.target.as_ref().map(Selector::from) }
    }
}

impl From<&kustomize::Selector> for Selector {
    fn from(selector: &kustomize::Selector) -> Self {
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        Self {
            group: text(&selector.group),
            version: text(&selector.version),
            kind: text(&selector.kind),
            name: text(&selector.name),
            namespace: text(&selector.namespace),
            label_selector: text(&selector.label_selector),
            annotation_selector: text(&selector.annotation_selector),
        }
    }
}

impl From<&kustomize::Image> for Image {
    fn from(image: &kustomize::Image) -> Self {
        let kustomize::Image { name, new_name, new_tag, digest } = image.clone();
        Self { name, new_name, new_tag, digest }
    }
}

impl From<kustomize::BuildMetadata> for BuildMetadata {
    fn from(note: kustomize::BuildMetadata) -> Self {
        match note {
            kustomize::BuildMetadata::OriginAnnotations => Self::OriginAnnotations,
            kustomize::BuildMetadata::TransformerAnnotations => Self::TransformerAnnotations,
        }
    }
}

impl From<&kustomize::CommonMetadata> for CommonMetadata {
    fn from(metadata: &kustomize::CommonMetadata) -> Self {
        Self { labels: metadata.labels.clone(), annotations: metadata.annotations.clone() }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;

    #[test]
    fn every_field_that_changes_manifests_is_taken_over() {
        let spec = json!({
            "interval": "1m",
            "prune": true,
            "sourceRef": {"kind": "GitRepository", "name": "shop"},
            "path": "./shop",
            "targetNamespace": "shop",
            "namePrefix": "a-",
            "nameSuffix": "-b",
            "patches": [{
                "patch": "{}",
                "target": {
                    "group": "g",
                    "version": "v",
                    "kind": "k",
                    "name": "n",
                    "namespace": "s",
                    "labelSelector": "l",
                    "annotationSelector": "a",
                },
            }],
            "images": [{"name": "i", "newName": "j", "newTag": "t", "digest": "d"}],
            "components": ["../c"],
            "ignoreMissingComponents": true,
            "buildMetadata": ["originAnnotations", "transformerAnnotations"],
            "commonMetadata": {"labels": {"l": "1"}, "annotations": {"a": "2"}},
            "postBuild": {"substitute": {"v": "1"}},
        });
        let spec: KustomizationSpec = serde_json::from_value(spec).expect("a spec");
        let text = |text: &str| Some(text.to_owned());
        let target = Selector {
            group: "g".into(),
            version: "v".into(),
            kind: "k".into(),
            name: "n".into(),
            namespace: "s".into(),
            label_selector: "l".into(),
            annotation_selector: "a".into(),
        };
        let expected = BuildRequest {
            target_namespace: text("shop"),
            name_prefix: text("a-"),
            name_suffix: text("-b"),
            patches: vec![Patch { patch: "{}".into(), target: Some(target) }],
            images: vec![Image { name: "i".into(), new_name: text("j"), new_tag: text("t"), digest: text("d") }],
            components: vec!["../c".into()],
            ignore_missing_components: true,
            build_metadata: vec![BuildMetadata::OriginAnnotations, BuildMetadata::TransformerAnnotations],
            common_metadata: CommonMetadata {
                labels: BTreeMap::from([("l".into(), "1".into())]),
                annotations: BTreeMap::from([("a".into(), "2".into())]),
            },
            ..BuildRequest::default()
        };
        assert_eq!(BuildRequest::from(&spec), expected);
    }
}
