//! `images`.
//!
//! # Follows kustomize
//! Two passes: over every list called `containers` or `initContainers` anywhere in an object, then over the specs. The
//! name is part of a regular expression as it is written, and one that is none matches nothing. Both passes see the
//! usual places, so a tag suffix is put there twice, as kustomize does.

use fairlead_yaml::{Node, Value, Written};
use regex::Regex;

use crate::{
    at::At,
    error::BuildError,
    field_spec::{FieldSpec, FieldSpecs, WalkError},
    kustomization::Image,
    node::{self, NodeKind},
    resources::Resources,
};

/// Changes the references to one image.
pub(crate) struct Images {
    image: Image,
    pattern: Option<Regex>,
    specs: FieldSpecs,
    /// How many bytes a reference gets.
    bytes: usize,
}

impl Images {
    pub(crate) fn new(image: &Image, specs: &[FieldSpec]) -> Self {
        let reference = r"(:[a-zA-Z0-9_.{}-]*)?(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{}-]*)?$";
        let pattern = Regex::new(&format!("^{}{reference}", image.name)).ok();
        let bytes = [&image.new_name, &image.new_tag, &image.tag_suffix, &image.digest].map(String::len).iter().sum();
        Self { image: image.clone(), pattern, specs: FieldSpecs::new(specs.iter().cloned()), bytes }
    }

    pub(crate) fn apply(&self, resources: &mut Resources, at: &At, mark: &Written) -> Result<(), BuildError> {
        for position in 0..resources.as_slice().len() {
            let resource = resources.get_mut_same_id(position);
            if resource.gvk().kind == "CustomResourceDefinition" {
                continue;
            }
            let mut count = 0;
            let mut change = |field: &mut Node| {
                count += usize::from(self.change(field, mark)?);
                Ok(())
            };
            let changed = change_containers(&mut resource.node, &mut change);
            changed.map_err(|error| error.on("image", resource))?;
            self.specs.visit(resource, None, &mut change)?;
            resources.count_added(count * self.bytes, at)?;
        }
        Ok(())
    }

    /// Changes a reference, and says whether it is one to this image.
    fn change(&self, field: &mut Node, mark: &Written) -> Result<bool, WalkError> {
        if field.is_null() {
            return Ok(false);
        }
        let written = field.as_str().ok_or_else(|| WalkError::wrong_kind(NodeKind::Scalar, field))?;
        let is_meant = self.pattern.as_ref().is_some_and(|pattern| pattern.is_match(written));
        if is_meant {
            let changed = changed(written, &self.image);
            node::respell(field, changed, mark);
        }
        Ok(is_meant)
    }
}

fn change_containers(
    node: &mut Node,
    change: &mut dyn FnMut(&mut Node) -> Result<(), WalkError>,
) -> Result<(), WalkError> {
    match &mut node.value {
        Value::Scalar(_) => Ok(()),
        Value::Sequence(items) => items.iter_mut().try_for_each(|item| change_containers(item, change)),
        Value::Mapping(entries) => entries.iter_mut().try_for_each(|(key, value)| {
            change_containers(value, change)?;
            let holds_containers = matches!(key.as_str(), Some("containers" | "initContainers"));
            let containers = value.as_sequence_mut().filter(|_| holds_containers);
            let mut images = containers.into_iter().flatten().filter_map(|container| container.get_mut("image"));
            images.try_for_each(&mut *change)
        }),
    }
}

/// The reference `written` as `image` wants it.
fn changed(written: &str, image: &Image) -> String {
    let (name, tag, digest) = split(written);
    let name = if image.new_name.is_empty() { name } else { &image.new_name };
    let suffixed = format!("{tag}{}", image.tag_suffix);
    let (tag, digest) = match (image.new_tag.as_str(), image.digest.as_str(), image.tag_suffix.as_str()) {
        ("", "", "") => (tag, digest),
        ("", "", _) => (suffixed.as_str(), ""),
        (new_tag, new_digest, _) => (new_tag, new_digest),
    };
    let part = |sign: &str, text: &str| if text.is_empty() { String::new() } else { format!("{sign}{text}") };
    format!("{name}{}{}", part(":", tag), part("@", digest))
}

/// Splits a reference into name, tag and digest; a colon before the first slash is part of a host's port.
fn split(reference: &str) -> (&str, &str, &str) {
    let start = reference.find('/').filter(|slash| *slash > 0).unwrap_or(0);
    let (rest, digest) = match reference[start..].find('@') {
        Some(sign) => (&reference[..start + sign], &reference[start + sign + 1..]),
        None => (reference, ""),
    };
    match rest[start..].find(':') {
        Some(sign) => (&rest[..start + sign], &rest[start + sign + 1..], digest),
        None => (rest, "", digest),
    }
}

#[cfg(test)]
mod tests {
    use fairlead_object::TreePath;

    use super::*;
    use crate::{parse, provenance::Provenance, resources::MAX_ADDED_BYTES, schema::Schema};

    #[test]
    fn what_references_get_is_counted() {
        let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{image: a}, {image: b}]}\n";
        let file = TreePath::root().join("pod.yaml");
        let read =
            parse::resources(&file, pod.as_bytes(), &Provenance::read(&file), &|gvk| Schema::built_in().scope(gvk));
        let mut resources = Resources::default();
        resources.append_all(read.expect("an object")).expect("one object");
        let at = At::line(&TreePath::root().join("kustomization.yaml"), 3);
        resources.count_added(MAX_ADDED_BYTES, &at).expect("as many as there may be");
        let outcome = |name: &str, resources: &mut Resources| {
            let image = Image { name: name.to_owned(), new_tag: "1".to_owned(), ..Image::default() };
            let specs = [];
            Images::new(&image, &specs).apply(resources, &at, &Written::default()).map_err(|error| error.to_string())
        };
        assert_eq!(outcome("none", &mut resources), Ok(()));
        let expected = "kustomization.yaml:3: overlays add more than 1073741824 bytes to what they are made of";
        assert_eq!(outcome("a", &mut resources), Err(expected.to_owned()));
    }

    #[test]
    fn a_reference_is_split_and_put_together_again() {
        let tag = |new_tag: &str| Image { new_tag: new_tag.to_owned(), ..Image::default() };
        let digest = |digest: &str| Image { digest: digest.to_owned(), ..Image::default() };
        let name = |new_name: &str| Image { new_name: new_name.to_owned(), ..Image::default() };
        let both = Image { new_tag: "2".to_owned(), ..digest("sha256:b") };
        let suffix = Image { tag_suffix: "-x".to_owned(), ..Image::default() };
        let rows = [
            ("nginx", tag("2"), "nginx:2"),
            ("host:5000/nginx", tag("2"), "host:5000/nginx:2"),
            ("nginx:1@sha256:a", tag("2"), "nginx:2"),
            ("nginx:1", digest("sha256:b"), "nginx@sha256:b"),
            ("nginx:1@sha256:a", both, "nginx:2@sha256:b"),
            ("nginx:1@sha256:a", name("apache"), "apache:1@sha256:a"),
            ("nginx:1@sha256:a", suffix, "nginx:1-x"),
        ];
        for (written, image, expected) in rows {
            assert_eq!(changed(written, &image), expected, "{written}");
        }
    }
}
