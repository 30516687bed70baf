//! How kustomize names objects: group, version, kind, name and namespace.
//!
//! # Follows kustomize
//! An id is printed as `Deployment.v1.apps/web.shop`, with `[noGrp]`, `[noVer]`, `[noKind]`, `[noName]` and `[noNs]` for
//! what is empty. Namespaces are compared in effect: none at all means `default`, and an object of a cluster-scoped
//! kind is in none whatever it says.

use std::fmt;

use fairlead_yaml::Node;

/// Group, version and kind, borrowed from an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct GvkRef<'a> {
    pub(crate) group: &'a str,
    pub(crate) version: &'a str,
    pub(crate) kind: &'a str,
}

impl<'a> GvkRef<'a> {
    /// What `apiVersion` and `kind` of `node` say; empty where they say nothing.
    pub(crate) fn of(node: &'a Node) -> Self {
        let text = |key| node.get(key).and_then(Node::as_str).unwrap_or_default();
        Self::new(text("apiVersion"), text("kind"))
    }

    /// Splits `api_version` at its first `/`; without one the group is empty.
    pub(crate) fn new(api_version: &'a str, kind: &'a str) -> Self {
        let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
        Self { group, version, kind }
    }

    /// Whether each of the three that is not empty is the same here.
    pub(crate) fn is_selected_by(&self, group: &str, version: &str, kind: &str) -> bool {
        let same = |wanted: &str, found: &str| wanted.is_empty() || wanted == found;
        same(group, self.group) && same(version, self.version) && same(kind, self.kind)
    }

    /// The `apiVersion` that it was split from.
    pub(crate) fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.to_owned() } else { format!("{}/{}", self.group, self.version) }
    }
}

impl fmt::Display for GvkRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |text, none| if str::is_empty(text) { none } else { text };
        let (kind, version, group) =
            (or(self.kind, "[noKind]"), or(self.version, "[noVer]"), or(self.group, "[noGrp]"));
        write!(f, "{kind}.{version}.{group}")
    }
}

/// Whether objects of a kind are in a namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Scope {
    /// They are, or nothing is known about the kind.
    Namespaced,
    /// They are in none.
    Cluster,
}

/// An object's id.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Id<'a> {
    pub(crate) gvk: GvkRef<'a>,
    pub(crate) name: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) scope: Scope,
}

/// An id as it is compared: with the namespace that it has in effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key<'a> {
    gvk: GvkRef<'a>,
    name: &'a str,
    namespace: &'a str,
}

impl<'a> Key<'a> {
    pub(crate) fn name(&self) -> &'a str {
        self.name
    }
}

impl<'a> Id<'a> {
    /// The id by which objects are compared.
    pub(crate) fn key(&self) -> Key<'a> {
        Key { gvk: self.gvk, name: self.name, namespace: self.effective_namespace() }
    }

    /// The namespace that it is in, in effect.
    pub(crate) fn effective_namespace(&self) -> &'a str {
        effective_namespace(self.namespace, self.scope)
    }
}

/// The namespace that an object of `scope` is in when it says `written`.
pub(crate) fn effective_namespace(written: &str, scope: Scope) -> &str {
    match (scope, written) {
        (Scope::Cluster, _) => "_non_namespaceable_",
        (Scope::Namespaced, "") => "default",
        (Scope::Namespaced, namespace) => namespace,
    }
}

impl fmt::Display for Id<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |text, none| if str::is_empty(text) { none } else { text };
        write!(f, "{}/{}.{}", self.gvk, or(self.name, "[noName]"), or(self.namespace, "[noNs]"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(namespace: &'static str, scope: Scope) -> Id<'static> {
        Id { gvk: GvkRef::new("apps/v1", "Deployment"), name: "web", namespace, scope }
    }

    #[test]
    fn an_id_is_printed_as_kustomize_prints_it() {
        assert_eq!(id("shop", Scope::Namespaced).to_string(), "Deployment.v1.apps/web.shop");
        let empty = Id { gvk: GvkRef::new("", ""), name: "", namespace: "", scope: Scope::Namespaced };
        assert_eq!(empty.to_string(), "[noKind].[noVer].[noGrp]/[noName].[noNs]");
    }

    #[test]
    fn namespaces_are_compared_in_effect() {
        assert_eq!(id("", Scope::Namespaced).key(), id("default", Scope::Namespaced).key());
        assert_eq!(id("a", Scope::Cluster).key(), id("b", Scope::Cluster).key());
        assert_ne!(id("a", Scope::Namespaced).key(), id("b", Scope::Namespaced).key());
    }
}
