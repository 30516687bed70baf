//! Requests from the `spec` of a Kustomization.

use std::collections::BTreeMap;

use fairlead_api::kustomize::{self, KustomizationSpec, PostBuild, SubstituteStrategy};
use fairlead_object::{PathError, TreePath};

use crate::{
    BuildMetadata, BuildRequest, CommonMetadata, Image, Patch, Selector, Strategy, Substitution, VariableError,
    Variables,
};

impl BuildRequest {
    /// What `spec` asks for, without its variables: some of them stand in other objects, so they are a second step.
    ///
    /// # Follows Flux
    /// A path that begins with `/` begins at the root of the source.
    /// # Differs from Flux
    /// A path that climbs above the root is an error; Flux stops at the root.
    pub fn from_spec(spec: &KustomizationSpec) -> Result<Self, PathError> {
        let path = spec.path.as_deref().unwrap_or_default().trim_start_matches('/');
        Ok(Self {
            path: TreePath::parse(&TreePath::root(), path)?,
            target_namespace: spec.target_namespace.clone(),
            name_prefix: spec.name_prefix.clone(),
            name_suffix: spec.name_suffix.clone(),
            patches: spec.patches.iter().map(Patch::from).collect(),
            images: spec.images.iter().map(Image::from).collect(),
            components: spec.components.clone(),
            ignore_missing_components: spec.ignore_missing_components,
            build_metadata: spec.build_metadata.iter().map(|note| BuildMetadata::from(*note)).collect(),
            common_metadata: spec.common_metadata.as_ref().map(CommonMetadata::from).unwrap_or_default(),
            substitution: None,
        })
    }
}

impl Substitution {
    /// What `post_build` asks for, with the contents of the objects that its `substituteFrom` names, in its order.
    ///
    /// # Follows Flux
    /// Later objects win over earlier ones, and what stands in `substitute` wins over all of them.
    pub fn from_spec<'a>(
        post_build: &'a PostBuild,
        referenced: impl IntoIterator<Item = &'a BTreeMap<String, String>>,
        strict: bool,
    ) -> Result<Self, VariableError> {
        let mut variables = Variables::default();
        for (name, value) in referenced.into_iter().chain([&post_build.substitute]).flatten() {
            variables.set(name, value)?;
        }
        let strategy = match post_build.substitute_strategy.unwrap_or_default() {
            SubstituteStrategy::WithVariables => Strategy::WithVariables,
            SubstituteStrategy::Always => Strategy::Always,
        };
        Ok(Self { variables, strategy, strict })
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
    use serde_json::{Value, json};

    use super::*;

    fn spec(fields: &Value) -> KustomizationSpec {
        let mut spec = json!({"interval": "1m", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "shop"}});
        let fields = fields.as_object().expect("fields").clone();
        spec.as_object_mut().expect("an object").extend(fields);
        serde_json::from_value(spec).expect("a spec")
    }

    fn path(written: &str) -> String {
        let request = BuildRequest::from_spec(&spec(&json!({"path": written})));
        request.map_or_else(|error| error.to_string(), |request| request.path.to_string())
    }

    #[test]
    fn a_path_begins_at_the_root_of_the_source() {
        let rows = [
            ("./apps/shop/", "apps/shop"),
            ("/apps", "apps"),
            ("", "."),
            ("apps/../..", "`apps/../..` leaves the source"),
        ];
        for (written, expected) in rows {
            assert_eq!(path(written), expected, "{written}");
        }
    }

    #[test]
    fn every_field_that_decides_a_build_is_taken_over() {
        let request = BuildRequest::from_spec(&spec(&json!({
            "targetNamespace": "shop",
            "namePrefix": "a-",
            "nameSuffix": "-b",
            "patches": [{"patch": "{}", "target": {"group": "g", "version": "v", "kind": "k", "name": "n", "namespace": "s", "labelSelector": "l", "annotationSelector": "a"}}],
            "images": [{"name": "i", "newName": "j", "newTag": "t", "digest": "d"}],
            "components": ["../c"],
            "ignoreMissingComponents": true,
            "buildMetadata": ["originAnnotations", "transformerAnnotations"],
            "commonMetadata": {"labels": {"l": "1"}, "annotations": {"a": "2"}},
        })));
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
            path: TreePath::root(),
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
            substitution: None,
        };
        assert_eq!(request, Ok(expected));
    }

    #[test]
    fn inline_variables_win_over_referenced_ones_and_later_references_over_earlier_ones() {
        let values = |pairs: &[(&str, &str)]| {
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<BTreeMap<_, _>>()
        };
        let post_build = PostBuild {
            substitute: values(&[("a", "inline")]),
            substitute_strategy: Some(SubstituteStrategy::Always),
            ..PostBuild::default()
        };
        let referenced = [values(&[("a", "1"), ("b", "1"), ("c", "1")]), values(&[("a", "2"), ("b", "2")])];
        let substitution = Substitution::from_spec(&post_build, &referenced, true).expect("names");
        let variables: Vec<_> = substitution.variables.iter().collect();
        assert_eq!(variables, [("a", "inline"), ("b", "2"), ("c", "1")]);
        assert_eq!((substitution.strategy, substitution.strict), (Strategy::Always, true));
    }
}
