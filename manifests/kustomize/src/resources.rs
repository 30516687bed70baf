//! The resources of a build in their order.

use std::collections::HashMap;

use crate::{
    error::BuildError,
    id::{GvkRef, Id},
    resource::Resource,
};

/// Most resources that one build holds.
pub const MAX_RESOURCES: usize = 100_000;

/// The resources of a build, in their order; no two of them have the same current id.
#[derive(Debug, Default)]
pub(crate) struct Resources {
    list: Vec<Resource>,
    /// Where each current id stands; absent when ids may have changed since it was made.
    index: Option<HashMap<OwnedKey, usize>>,
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
    pub(crate) fn iter(&self) -> std::slice::Iter<'_, Resource> {
        self.list.iter()
    }

    /// The resources, to change them; their ids may change too.
    pub(crate) fn iter_mut(&mut self) -> std::slice::IterMut<'_, Resource> {
        self.index = None;
        self.list.iter_mut()
    }

    pub(crate) fn as_slice(&self) -> &[Resource] {
        &self.list
    }

    /// The resources, to change them; their ids may change too.
    pub(crate) fn list_mut(&mut self) -> &mut Vec<Resource> {
        self.index = None;
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
        match index.insert(OwnedKey::of(&resource.id()), self.list.len()) {
            Some(first) => Err(duplicate(&self.list[first], &resource)),
            None => {
                self.list.push(resource);
                Ok(())
            }
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

fn duplicate(first: &Resource, second: &Resource) -> BuildError {
    BuildError::Duplicate { at: second.at(), id: second.current_id(), first: first.at() }
}
