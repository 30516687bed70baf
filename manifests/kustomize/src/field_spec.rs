//! Field specs: which field of which kinds something is about, as data, and the one walk that finds it.
//!
//! # Follows kustomize
//! A path is separated by `/`, with `\/` for a slash inside a segment. A list on the way means each of its elements. A
//! segment that ends in `[]` says that its field is a list.

use fairlead_yaml::{MAX_DEPTH, Node, Value};

use crate::{
    decode::record,
    error::BuildError,
    id::GvkRef,
    node::{self, NodeKind},
    resource::Resource,
};

record! {
    /// A field of the objects of some kinds.
    pub struct FieldSpec {
        /// API group; any if empty.
        pub group: String = "group",
        /// API version; any if empty.
        pub version: String = "version",
        /// Kind; any if empty.
        pub kind: String = "kind",
        /// The field.
        pub path: String = "path",
        /// Whether a missing field is made.
        pub create: bool = "create",
    }
}

impl FieldSpec {
    /// A spec from its four texts, as the tables of defaults write it.
    pub(crate) fn new(group: &str, version: &str, kind: &str, path: &str, create: Create) -> Self {
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            path: path.to_owned(),
            create: create == Create::Yes,
        }
    }

    /// Whether objects of `gvk` have this field.
    pub(crate) fn selects(&self, gvk: GvkRef<'_>) -> bool {
        gvk.is_selected_by(&self.group, &self.version, &self.kind)
    }

    /// The kinds that it is about.
    pub(crate) fn gvk(&self) -> GvkRef<'_> {
        GvkRef { group: &self.group, version: &self.version, kind: &self.kind }
    }

    /// Whether it names the same field as `other`, of all the kinds that `other` is about.
    pub(crate) fn covers(&self, other: &Self) -> bool {
        self.path == other.path && self.selects(other.gvk())
    }
}

/// Field specs ready to be walked.
#[derive(Clone, Debug, Default)]
pub(crate) struct FieldSpecs(Vec<(FieldSpec, Vec<String>)>);

impl FieldSpecs {
    pub(crate) fn new(specs: impl IntoIterator<Item = FieldSpec>) -> Self {
        Self(specs.into_iter().map(|spec| (spec.clone(), split_path(&spec.path))).collect())
    }

    /// The same specs without those that `drop` is true for.
    pub(crate) fn without(mut self, mut drop: impl FnMut(&FieldSpec) -> bool) -> Self {
        self.0.retain(|(spec, _)| !drop(spec));
        self
    }

    /// Calls `visit` with each field of `resource` that the specs name. A spec that creates makes missing fields of the
    /// kind `made`; without a kind, nothing is made.
    pub(crate) fn visit(
        &self,
        resource: &mut Resource,
        made: Option<NodeKind>,
        visit: &mut dyn FnMut(&mut Node) -> Result<(), WalkError>,
    ) -> Result<(), BuildError> {
        for (spec, segments) in &self.0 {
            if spec.selects(resource.gvk()) {
                let made = made.filter(|_| spec.create);
                walk(&mut resource.node, segments, made, visit).map_err(|error| error.on(&spec.path, resource))?;
            }
        }
        Ok(())
    }
}

/// Whether a missing field is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Create {
    /// It is.
    Yes,
    /// It is left missing.
    No,
}

/// Splits `path` at `/`, except where it is written `\/`; a slash in front is dropped.
pub(crate) fn split_path(path: &str) -> Vec<String> {
    let mut segments = vec![String::new()];
    let mut letters = path.strip_prefix('/').unwrap_or(path).chars().peekable();
    while let Some(letter) = letters.next() {
        let last = segments.last_mut().expect("there is always a last segment");
        match letter {
            '\\' if letters.peek() == Some(&'/') => last.extend(letters.next()),
            '/' => segments.push(String::new()),
            other => last.push(other),
        }
    }
    segments
}

/// Why a walk stopped: a node on the way, or at its end, was of another kind than the path says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WalkError(pub(crate) String);

impl WalkError {
    /// `node` is not of the kind `wanted`.
    pub(crate) fn wrong_kind(wanted: NodeKind, node: &Node) -> Self {
        let (wanted, found) = (wanted.name(), NodeKind::of(node).name());
        let contents = fairlead_yaml::emit(node);
        Self(format!("wrong node kind: expected {wanted} but got {found}: node contents:\n{contents}"))
    }

    /// The error as it concerns the field `path` of `resource`.
    pub(crate) fn on(self, path: &str, resource: &Resource) -> BuildError {
        let (at, id) = (resource.at(), resource.current_id());
        BuildError::Field { at, path: path.to_owned(), id, problem: self.0 }
    }
}

/// Calls `visit` with every node that `segments` lead to in `root`.
///
/// With `create`, missing mappings on the way are made, and the field itself as an empty node of that kind; a field
/// that is null becomes one. Segments that name lists are never made.
pub(crate) fn walk(
    root: &mut Node,
    segments: &[String],
    create: Option<NodeKind>,
    visit: &mut dyn FnMut(&mut Node) -> Result<(), WalkError>,
) -> Result<(), WalkError> {
    if segments.len() > MAX_DEPTH {
        return Err(WalkError(format!("the path has more than {MAX_DEPTH} segments")));
    }
    let Some((segment, rest)) = segments.split_first() else { return visit(root) };
    if let Value::Sequence(items) = &mut root.value {
        return items.iter_mut().try_for_each(|item| walk(item, segments, create, visit));
    }
    if root.is_null() {
        return Ok(());
    }
    let Value::Mapping(mapping) = &mut root.value else {
        return Err(WalkError("expected sequence or mapping node".to_owned()));
    };
    let (name, is_list) = segment.strip_suffix("[]").map_or((segment.as_str(), false), |name| (name, true));
    if name.is_empty() {
        return Err(WalkError("cannot set or create an empty field name".to_owned()));
    }
    let made = match (is_list, rest.is_empty()) {
        (true, _) => NodeKind::Sequence,
        (false, true) => create.unwrap_or(NodeKind::Scalar),
        (false, false) => NodeKind::Mapping,
    };
    match mapping.get_mut(name) {
        None if create.is_none() || is_list => return Ok(()),
        None => drop(mapping.insert(name, node::empty(made))),
        Some(field) if field.is_null() && (is_list || create.is_some()) => *field = node::empty(made),
        Some(_) => {}
    }
    let field = mapping.get_mut(name).expect("the field is there or was made");
    walk(field, rest, create, visit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_splits_at_slashes_that_are_not_escaped() {
        let rows: [(&str, &[&str]); 3] = [
            ("metadata/name", &["metadata", "name"]),
            ("/spec/containers[]/image", &["spec", "containers[]", "image"]),
            (r"metadata/annotations/ingress.io\/auth", &["metadata", "annotations", "ingress.io/auth"]),
        ];
        for (path, expected) in rows {
            assert_eq!(split_path(path), expected, "{path}");
        }
    }

    #[test]
    fn a_walk_passes_through_lists_and_makes_only_mappings() {
        let found = |text: &str, path: &str, create| {
            let mut root = fairlead_yaml::parse(text).expect("YAML").remove(0);
            let visited = walk(&mut root, &split_path(path), create, &mut |node| {
                *node = Node::string("x");
                Ok(())
            });
            visited.map_or_else(|WalkError(problem)| problem, |()| node::printed(&root))
        };
        assert_eq!(found("a: [{b: 1}, {c: 2}]", "a/b", None), "a:\n- b: x\n- c: 2\n");
        assert_eq!(found("a: {}", "a/b/c", Some(NodeKind::Scalar)), "a:\n  b:\n    c: x\n");
        assert_eq!(found("a: {}", "a/b[]/c", Some(NodeKind::Scalar)), "a: {}\n");
        assert_eq!(found("a: 1", "a/b", None), "expected sequence or mapping node");
    }
}
