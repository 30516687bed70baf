//! The resources of a build in their order.

use std::collections::HashMap;

use fairlead_object::{Origin, nearest};
use fairlead_yaml::{Mapping, Node, Position};

use crate::{
    at::At,
    error::{AbsorbProblem, BuildError},
    generate::{self, Behavior, Generated},
    id::{GvkRef, Id, Key},
    node, provenance,
    resource::{NameHash, Resource},
    schema::Schema,
};

/// Most resources that one build holds.
pub const MAX_RESOURCES: usize = 100_000;

/// Most bytes that a build puts into objects besides what it reads: what is written once may go into every object.
pub const MAX_ADDED_BYTES: usize = 1 << 30;

/// The resources of a build, in their order; no two of them have the same current id.
#[derive(Debug, Default)]
pub(crate) struct Resources {
    list: Vec<Resource>,
    /// Where each current id stands; absent when ids may have changed since it was made.
    index: Option<HashMap<OwnedKey, usize>>,
    /// Where the objects stand that have or had a name; absent when ids may have changed since it was made.
    by_name: Option<HashMap<String, Vec<usize>>>,
    /// How many bytes were put into them.
    added: usize,
}

/// A [`Key`](crate::id::Key) that outlives the object.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct OwnedKey {
    group: String,
    version: String,
    kind: String,
    name: String,
    namespace: String,
}

impl OwnedKey {
    fn of(id: &Id<'_>) -> Self {
        let GvkRef { group, version, kind } = id.gvk;
        Self {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            name: id.name.to_owned(),
            namespace: id.effective_namespace().to_owned(),
        }
    }
}

impl Resources {
    /// Counts bytes that what stands at `at` puts into the resources.
    pub(crate) fn count_added(&mut self, bytes: usize, at: &At) -> Result<(), BuildError> {
        self.added = self.added.saturating_add(bytes);
        if self.added <= MAX_ADDED_BYTES {
            return Ok(());
        }
        Err(BuildError::TooMuchAdded { at: at.clone(), limit: MAX_ADDED_BYTES })
    }

    /// How many bytes were put into them.
    pub(crate) fn added(&self) -> usize {
        self.added
    }

    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Resource> {
        self.list.iter()
    }

    /// The resources, to change them; their ids may change too.
    pub(crate) fn iter_mut(&mut self) -> std::slice::IterMut<'_, Resource> {
        self.list_mut().iter_mut()
    }

    /// The resources, to change what is no part of their ids.
    pub(crate) fn iter_mut_same_ids(&mut self) -> std::slice::IterMut<'_, Resource> {
        self.list.iter_mut()
    }

    /// The resource at `position`, to change what is no part of its id.
    pub(crate) fn get_mut_same_id(&mut self, position: usize) -> &mut Resource {
        &mut self.list[position]
    }

    pub(crate) fn as_slice(&self) -> &[Resource] {
        &self.list
    }

    /// The resources, to change them; their ids may change too.
    pub(crate) fn list_mut(&mut self) -> &mut Vec<Resource> {
        self.index = None;
        self.by_name = None;
        &mut self.list
    }

    pub(crate) fn into_list(self) -> Vec<Resource> {
        self.list
    }

    /// Appends `resource`; fails if one with its id is there.
    pub(crate) fn append(&mut self, resource: Resource) -> Result<(), BuildError> {
        let index = self.index.get_or_insert_with(|| index(&self.list));
        if self.list.len() >= MAX_RESOURCES {
            return Err(BuildError::TooManyResources { at: resource.at(), limit: MAX_RESOURCES });
        }
        if let Some(first) = index.insert(OwnedKey::of(&resource.id()), self.list.len()) {
            return Err(duplicate(&self.list[first], &resource));
        }
        self.by_name = None;
        self.list.push(resource);
        Ok(())
    }

    /// Adds a generated object, or puts it in place of the one that it merges with or replaces.
    ///
    /// # Follows kustomize
    /// The object that it is about may be named by any id that it has or had, but must still be of its kind. Name, place
    /// and history are that object's, and the name keeps its hash only if both want one.
    pub(crate) fn absorb(&mut self, generated: Generated) -> Result<(), BuildError> {
        let Generated { mut resource, behavior, at } = generated;
        let found = self.with_any_id(&resource.id().key());
        let id = resource.current_id();
        let conflict = |problem| BuildError::Absorb { at, id, problem };
        match (found.as_slice(), behavior) {
            ([], Behavior::Create) => return self.append(resource),
            ([], Behavior::Merge | Behavior::Replace) => return Err(conflict(AbsorbProblem::Missing)),
            ([_], Behavior::Create) => return Err(conflict(AbsorbProblem::Exists)),
            ([_], Behavior::Merge | Behavior::Replace) => {}
            ([..], _) => return Err(conflict(AbsorbProblem::Several)),
        }
        let old = &mut self.list_mut()[found[0]];
        if resource.gvk() != old.gvk() {
            return Err(conflict(AbsorbProblem::OtherKind));
        }
        resource.take_identity_of(old);
        if behavior == Behavior::Merge {
            resource.provenance.origin.clone_from(&old.provenance.origin);
        }
        if old.name_hash == NameHash::Unwanted {
            resource.name_hash = NameHash::Unwanted;
        }
        let kept: &[&[&str]] = match behavior {
            Behavior::Merge => &[&["metadata", "labels"], &["metadata", "annotations"], &["data"], &["binaryData"]],
            Behavior::Replace | Behavior::Create => &[&["metadata", "labels"], &["metadata", "annotations"]],
        };
        if behavior == Behavior::Merge && resource.gvk().kind == "Secret" {
            generate::encode_string_data(&mut old.node);
        }
        for path in kept {
            union(&mut resource.node, &old.node, old.origin(), path);
        }
        *old = resource;
        Ok(())
    }

    /// Where the resources stand that have or had the id `key`.
    pub(crate) fn with_any_id(&mut self, key: &Key<'_>) -> Vec<usize> {
        let mut found = self.with_any_name(key.name());
        found.retain(|position| self.list[*position].any_ids().any(|id| id.key() == *key));
        found
    }

    /// Where the resources stand that have or had `name`.
    pub(crate) fn with_any_name(&mut self, name: &str) -> Vec<usize> {
        let by_name = self.by_name.get_or_insert_with(|| by_name(&self.list));
        by_name.get(name).cloned().unwrap_or_default()
    }

    /// The id that `id` was probably meant to be: the same kind with a similar name, or the same name elsewhere.
    pub(crate) fn nearest(&self, id: &Id<'_>) -> Option<String> {
        let same_name = self.list.iter().find(|resource| resource.name() == id.name);
        let of_kind = || self.list.iter().filter(|resource| resource.gvk().kind == id.gvk.kind);
        let similar = || {
            let name = nearest(id.name, of_kind().map(Resource::name))?;
            of_kind().find(|resource| resource.name() == name)
        };
        same_name.or_else(similar).map(Resource::current_id)
    }

    /// Finds out anew which resources are in a namespace, since their kinds may be others.
    pub(crate) fn find_scopes(&mut self, schema: &Schema) {
        for resource in self.list_mut() {
            resource.scope = schema.scope(resource.gvk());
        }
    }

    /// Drops the resources that have become empty.
    pub(crate) fn drop_empty(&mut self) {
        if self.list.iter().any(|resource| node::is_empty(&resource.node)) {
            self.list_mut().retain(|resource| !node::is_empty(&resource.node));
        }
    }

    /// Appends all of `others` in their order.
    pub(crate) fn append_all(&mut self, others: impl IntoIterator<Item = Resource>) -> Result<(), BuildError> {
        others.into_iter().try_for_each(|resource| self.append(resource))
    }

    /// Fails if two resources have come to have one id.
    pub(crate) fn check_ids(&self) -> Result<(), BuildError> {
        let mut seen = HashMap::with_capacity(self.list.len());
        for resource in &self.list {
            if let Some(first) = seen.insert(resource.id().key(), resource) {
                return Err(duplicate(first, resource));
            }
        }
        Ok(())
    }
}

fn index(list: &[Resource]) -> HashMap<OwnedKey, usize> {
    list.iter().enumerate().map(|(position, resource)| (OwnedKey::of(&resource.id()), position)).collect()
}

fn by_name(list: &[Resource]) -> HashMap<String, Vec<usize>> {
    let mut by_name: HashMap<String, Vec<usize>> = HashMap::with_capacity(list.len());
    for (position, resource) in list.iter().enumerate() {
        for id in resource.any_ids() {
            let positions = by_name.entry(id.name.to_owned()).or_default();
            if positions.last() != Some(&position) {
                positions.push(position);
            }
        }
    }
    by_name
}

/// Adds the entries of the mapping at `path` in `old` that `new` does not have. They become texts; a null among data is
/// an empty one. What then has no entries goes.
fn union(new: &mut Node, old: &Node, origin: &Origin, path: &[&str]) {
    let entries = path.iter().try_fold(old, |node, key| node.get(key)).and_then(Node::as_mapping);
    let Some((last, parents)) = path.split_last() else { return };
    let is_data = parents.is_empty();
    let mut parent = new;
    for key in parents {
        let Some(child) = parent.get_mut(key) else { return };
        parent = child;
    }
    let merged = node::mapping_at(parent, last);
    for (key, value) in entries.into_iter().flat_map(Mapping::iter) {
        if !key.as_str().is_some_and(|key| merged.contains_key(key)) {
            let written = provenance::writer_of(value, origin);
            let text = if is_data && value.is_null() { "" } else { value.as_str().unwrap_or_default() };
            merged.push(key.clone(), Node { position: Position::default(), written, ..Node::string(text) });
        }
    }
    if merged.is_empty() {
        parent.as_mapping_mut().and_then(|parent| parent.remove(last));
    }
}

fn duplicate(first: &Resource, second: &Resource) -> BuildError {
    BuildError::Duplicate { at: second.at(), id: second.current_id(), first: first.at() }
}
