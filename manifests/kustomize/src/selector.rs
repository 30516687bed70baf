//! Which objects a patch or a replacement is about.
//!
//! # Follows kustomize
//! Every text is a regular expression that must match the whole value; an empty one matches all.

use regex::Regex;

use crate::{
    at::At,
    error::BuildError,
    id::{GvkRef, Id, effective_namespace},
    kustomization::Selector,
    label_selector::LabelSelector,
    resource::Resource,
    resources::Resources,
};

/// A selector ready to be matched.
#[derive(Clone, Debug)]
pub(crate) struct Matcher {
    group: Pattern,
    version: Pattern,
    kind: Pattern,
    name: Pattern,
    namespace: Pattern,
    labels: LabelSelector,
    annotations: LabelSelector,
}

/// An anchored regular expression; none matches everything.
type Pattern = Option<Regex>;

impl Matcher {
    /// Reads `selector`, which was written at `at`.
    pub(crate) fn new(selector: &Selector, at: &At) -> Result<Self, BuildError> {
        let pattern = |text: &str| match text {
            "" => Ok(None),
            _ => Regex::new(&format!("^(?:{text})$")).map(Some).map_err(|error| BuildError::BadSelector {
                at: at.clone(),
                text: text.to_owned(),
                problem: error.to_string(),
            }),
        };
        let requirements = |text: &str| {
            LabelSelector::parse(text).map_err(|problem| BuildError::BadSelector {
                at: at.clone(),
                text: text.to_owned(),
                problem,
            })
        };
        Ok(Self {
            group: pattern(&selector.group)?,
            version: pattern(&selector.version)?,
            kind: pattern(&selector.kind)?,
            name: pattern(&selector.name)?,
            namespace: pattern(&selector.namespace)?,
            labels: requirements(&selector.label_selector)?,
            annotations: requirements(&selector.annotation_selector)?,
        })
    }

    /// Whether a patch with this target is about `resource`: by its current kind, and the name and namespace that it
    /// has or had at first.
    pub(crate) fn selects(&self, resource: &Resource) -> bool {
        let (current, original) = (resource.id(), resource.original());
        let namespace = |id: &Id<'_>| matches(&self.namespace, effective_namespace(id.namespace, id.scope));
        self.matches_gvk(current.gvk)
            && (matches(&self.name, current.name) || matches(&self.name, original.name))
            && (namespace(&current) || namespace(&original))
            && self.selects_metadata(resource)
    }

    /// Where the resources stand that a patch with this target is about.
    pub(crate) fn select(&self, resources: &Resources) -> Vec<usize> {
        let selected = resources.iter().enumerate().filter(|(_, resource)| self.selects(resource));
        selected.map(|(position, _)| position).collect()
    }

    /// Whether group, version, kind, name and namespace match `id`, the last as it is written.
    pub(crate) fn matches_id(&self, id: &Id<'_>) -> bool {
        self.matches_gvk(id.gvk) && matches(&self.name, id.name) && matches(&self.namespace, id.namespace)
    }

    /// Whether the labels and annotations of `resource` match.
    pub(crate) fn selects_metadata(&self, resource: &Resource) -> bool {
        let entries = |map| resource.node.get("metadata").and_then(|metadata| metadata.get(map));
        (self.labels.is_empty() || self.labels.selects(entries("labels")))
            && (self.annotations.is_empty() || self.annotations.selects(entries("annotations")))
    }

    fn matches_gvk(&self, gvk: GvkRef<'_>) -> bool {
        matches(&self.group, gvk.group) && matches(&self.version, gvk.version) && matches(&self.kind, gvk.kind)
    }
}

fn matches(pattern: &Pattern, text: &str) -> bool {
    pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
}
