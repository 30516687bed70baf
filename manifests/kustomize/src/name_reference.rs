//! References by name: what pointed to an object points to it under its last name.
//!
//! # Follows kustomize
//! An object is looked for by the names that it had. Of several that had the name, kustomize takes the one in the same
//! namespace whose prefixes and suffixes end as the referrer's do; if more than one is left, the build fails.

use std::collections::{BTreeSet, HashMap};

use fairlead_yaml::{Node, Value, Written};

use crate::{
    config::{Config, NameReference},
    error::{BuildError, ReferenceError},
    field_spec::{FieldSpec, WalkError, split_path, walk},
    id::{GvkRef, Scope},
    node,
    resource::{PreviousId, Resource},
    sort,
};

/// Writes the current name of every object wherever another object refers to it.
pub(crate) fn fix(resources: &mut [Resource], config: &Config) -> Result<(), BuildError> {
    let targets = Targets::new(resources);
    let specs = Specs::new(config);
    for resource in resources {
        fix_one(resource, &targets, &specs)?;
    }
    Ok(())
}

/// The specs of references by the kind of the referrer; a spec for all kinds stands under the empty one.
struct Specs<'a>(HashMap<&'a str, Vec<Spec<'a>>>);

struct Spec<'a> {
    /// The order of the spec among all.
    order: usize,
    target: &'a NameReference,
    field: &'a FieldSpec,
    segments: Vec<String>,
}

impl<'a> Specs<'a> {
    fn new(config: &'a Config) -> Self {
        let mut targets: Vec<&NameReference> = config.name_reference.iter().collect();
        targets.sort_by(|a, b| sort::compare_gvks(gvk_of(a), gvk_of(b)));
        let mut by_kind: HashMap<&str, Vec<Spec<'_>>> = HashMap::new();
        let fields = targets.into_iter().flat_map(|target| target.field_specs.iter().map(move |field| (target, field)));
        for (order, (target, field)) in fields.enumerate() {
            let segments = split_path(&field.path);
            by_kind.entry(&field.kind).or_default().push(Spec { order, target, field, segments });
        }
        Self(by_kind)
    }

    /// The specs that are about referrers of `gvk`, in their order.
    fn of(&self, gvk: GvkRef<'_>) -> Vec<&Spec<'a>> {
        let of_kind = |kind: &str| self.0.get(kind).into_iter().flatten();
        let mut specs: Vec<_> = of_kind(gvk.kind).chain(of_kind("")).filter(|spec| spec.field.selects(gvk)).collect();
        specs.sort_by_key(|spec| spec.order);
        specs
    }
}

fn gvk_of(reference: &NameReference) -> GvkRef<'_> {
    GvkRef { group: &reference.group, version: &reference.version, kind: &reference.kind }
}

/// An object that was renamed, as references see it.
struct Target {
    group: String,
    version: String,
    kind: String,
    name: String,
    namespace: String,
    effective_namespace: String,
    original_namespace: String,
    scope: Scope,
    id: String,
    previous: Vec<PreviousId>,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
    /// Who gave it its name.
    named_by: Written,
}

impl Target {
    fn new(resource: &Resource) -> Self {
        let id = resource.id();
        Self {
            group: id.gvk.group.to_owned(),
            version: id.gvk.version.to_owned(),
            kind: id.gvk.kind.to_owned(),
            name: id.name.to_owned(),
            namespace: id.namespace.to_owned(),
            effective_namespace: id.effective_namespace().to_owned(),
            original_namespace: resource.original().effective_namespace().to_owned(),
            scope: resource.scope,
            id: id.to_string(),
            previous: resource.previous.clone(),
            prefixes: resource.prefixes.clone(),
            suffixes: resource.suffixes.clone(),
            named_by: resource.named_by(),
        }
    }
}

/// The objects that have been renamed, by the names that they had.
struct Targets {
    list: Vec<Target>,
    by_name: HashMap<String, Vec<usize>>,
}

impl Targets {
    fn new(resources: &[Resource]) -> Self {
        let list: Vec<_> = resources.iter().filter(|resource| !resource.previous.is_empty()).map(Target::new).collect();
        let mut by_name: HashMap<String, Vec<usize>> = HashMap::new();
        for (position, target) in list.iter().enumerate() {
            let names: BTreeSet<&String> = target.previous.iter().map(|previous| &previous.name).collect();
            for name in names {
                by_name.entry(name.clone()).or_default().push(position);
            }
        }
        Self { list, by_name }
    }

    fn named<'a>(&'a self, name: &str) -> impl Iterator<Item = &'a Target> + use<'a> {
        self.by_name.get(name).into_iter().flatten().map(|position| &self.list[*position])
    }
}

/// The object that refers, as the search for what it means needs it.
struct Referrer {
    scope: Scope,
    effective_namespace: String,
    /// Namespaces besides its own that it may refer to: those of a role binding's service accounts.
    bound_namespaces: BTreeSet<String>,
    /// The group and the kind of the role that it says it binds, if it says both; any where it says nothing.
    role: Option<(String, String)>,
    prefixes: Vec<String>,
    suffixes: Vec<String>,
}

fn fix_one(resource: &mut Resource, targets: &Targets, specs: &Specs<'_>) -> Result<(), ReferenceError> {
    let specs: Vec<_> = specs.of(resource.original().gvk);
    let present = |spec: &&Spec<'_>| has_field(&resource.node, &spec.segments);
    let specs: Vec<_> = specs.into_iter().filter(present).collect();
    if specs.is_empty() {
        return Ok(());
    }
    let referrer = Referrer::new(resource)?;
    for spec in specs {
        let search = Search { referrer: &referrer, targets, spec };
        let fixed = walk(&mut resource.node, &spec.segments, None, &mut |field| search.fix(field));
        fixed.map_err(|WalkError(problem)| ReferenceError::Name {
            at: resource.at(),
            id: resource.current_id(),
            path: spec.field.path.clone(),
            problem,
        })?;
    }
    Ok(())
}

/// Whether `node` has something at `segments`, in any element of the lists on the way; a scalar on the way is for the
/// walk to refuse.
fn has_field(node: &Node, segments: &[String]) -> bool {
    let Some((segment, rest)) = segments.split_first() else { return true };
    match &node.value {
        Value::Scalar(_) => !node.is_null(),
        Value::Sequence(items) => items.iter().any(|item| has_field(item, segments)),
        Value::Mapping(entries) => {
            let name = segment.strip_suffix("[]").unwrap_or(segment);
            entries.get(name).is_some_and(|field| has_field(field, rest))
        }
    }
}

impl Referrer {
    fn new(resource: &Resource) -> Result<Self, ReferenceError> {
        let text = |key| {
            let text = resource.node.get("roleRef")?.get(key).filter(|text| !text.is_null())?;
            Some(text.as_str().unwrap_or_default().to_owned())
        };
        let role = text("apiGroup").zip(text("kind"));
        Ok(Self {
            scope: resource.scope,
            effective_namespace: resource.id().effective_namespace().to_owned(),
            bound_namespaces: bound_namespaces(resource)?,
            role,
            prefixes: resource.prefixes.clone(),
            suffixes: resource.suffixes.clone(),
        })
    }

    fn may_refer_to(&self, target: &Target) -> bool {
        self.scope == Scope::Cluster
            || target.scope == Scope::Cluster
            || target.effective_namespace == self.effective_namespace
            || self.bound_namespaces.contains(&target.namespace)
    }

    fn shares_namespace_with(&self, target: &Target) -> bool {
        self.scope == Scope::Cluster
            || target.scope == Scope::Cluster
            || target.kind == "ServiceAccount"
            || target.effective_namespace == self.effective_namespace
    }
}

fn bound_namespaces(resource: &Resource) -> Result<BTreeSet<String>, ReferenceError> {
    if resource.gvk().kind != "RoleBinding" || resource.scope == Scope::Cluster {
        return Ok(BTreeSet::new());
    }
    let subjects = resource.node.get("subjects").and_then(Node::as_sequence).unwrap_or_default();
    let accounts = subjects.iter().filter(|subject| node::text_at(subject, &["kind"]) == "ServiceAccount");
    accounts
        .map(|account| match account.get("namespace") {
            Some(namespace) if namespace.is_null() => {
                Err(ReferenceError::BlankNamespace { at: resource.at(), id: resource.current_id() })
            }
            Some(namespace) => Ok(namespace.as_str().unwrap_or_default().to_owned()),
            None => Ok(String::new()),
        })
        .collect()
}

/// The search for what the fields of one spec refer to.
struct Search<'a> {
    referrer: &'a Referrer,
    targets: &'a Targets,
    spec: &'a Spec<'a>,
}

impl<'a> Search<'a> {
    fn fix(&self, field: &mut Node) -> Result<(), WalkError> {
        if field.is_null() {
            return Ok(());
        }
        match &mut field.value {
            Value::Scalar(name) => {
                if let Some(target) = self.target(name, |_| true, |target| &target.name)? {
                    node::respell(field, target.name.as_str(), &target.named_by);
                }
                Ok(())
            }
            Value::Mapping(_) => self.fix_mapping(field),
            Value::Sequence(items) => items.iter_mut().try_for_each(|item| match item.value {
                Value::Scalar(_) | Value::Mapping(_) => self.fix(item),
                Value::Sequence(_) => {
                    Err(WalkError("a list is expected to be either a string or a map of string".into()))
                }
            }),
        }
    }

    /// Fixes a reference that has a `name`, and may have a `namespace`, of its own.
    fn fix_mapping(&self, field: &mut Node) -> Result<(), WalkError> {
        let name = field.get("name");
        let name = name.ok_or_else(|| WalkError("path config error; no 'name' field in node".to_owned()))?;
        let Some(name) = name.as_str() else { return Ok(()) };
        let namespace = field.get("namespace").and_then(Node::as_str);
        let target = match namespace {
            None => self.target(name, |_| true, name_and_namespace)?,
            Some(namespace) => {
                let in_original = |target: &Target| target.original_namespace == namespace;
                let any_in_original =
                    self.targets.list.iter().any(|target| self.referrer.may_refer_to(target) && in_original(target));
                if any_in_original {
                    self.target(name, in_original, name_and_namespace)?
                } else {
                    self.target(name, |target| target.effective_namespace == namespace, name_and_namespace)?
                }
            }
        };
        let Some((target, entries)) = target.zip(field.as_mapping_mut()) else { return Ok(()) };
        node::set_text(entries, "name", &target.name, &target.named_by);
        if !target.namespace.is_empty() {
            node::set_text(entries, "namespace", &target.namespace, &target.named_by);
        }
        Ok(())
    }

    /// The one object that `name` means among those that `is_candidate` is true for; of several that are the same by
    /// `written`, which is what the reference takes from them, the first.
    fn target<W: PartialEq>(
        &self,
        name: &str,
        is_candidate: impl Fn(&Target) -> bool,
        written: impl Fn(&'a Target) -> W,
    ) -> Result<Option<&'a Target>, WalkError> {
        let wanted = self.spec.target;
        let had_id = |target: &Target| {
            target.previous.iter().any(|previous| {
                GvkRef { group: &target.group, version: &target.version, kind: &previous.kind }.is_selected_by(
                    &wanted.group,
                    &wanted.version,
                    &wanted.kind,
                )
            })
        };
        let is_role_ref = self.spec.field.path.ends_with("roleRef/name");
        let is_the_role = |target: &Target| match self.referrer.role.as_ref().filter(|_| is_role_ref) {
            None => true,
            Some((group, kind)) => {
                let of_kind = |previous: &PreviousId| kind.is_empty() || previous.kind == *kind;
                (group.is_empty() || target.group == *group) && target.previous.iter().any(of_kind)
            }
        };
        let mut left: Vec<&'a Target> = self
            .targets
            .named(name)
            .filter(|target| self.referrer.may_refer_to(target) && is_candidate(target))
            .filter(|target| had_id(target) && is_the_role(target) && self.referrer.shares_namespace_with(target))
            .collect();
        for empty in [Empty::Matches, Empty::Differs] {
            if left.len() > 1 {
                left.retain(|target| {
                    same_ending(&target.prefixes, &self.referrer.prefixes, empty)
                        && same_ending(&target.suffixes, &self.referrer.suffixes, empty)
                });
            }
        }
        match left.as_slice() {
            [] => Ok(None),
            [first, rest @ ..] if rest.iter().all(|target| written(target) == written(first)) => Ok(Some(first)),
            [..] => {
                let ids = left.iter().map(|target| target.id.as_str()).collect::<Vec<_>>().join(", ");
                Err(WalkError(format!("found multiple possible referrals: {ids}")))
            }
        }
    }
}

fn name_and_namespace(target: &Target) -> (&str, &str) {
    (&target.name, &target.namespace)
}

/// Whether a list without entries ends as any other does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Empty {
    Matches,
    Differs,
}

/// Whether the shorter of two lists is the end of the longer one.
fn same_ending(a: &[String], b: &[String], empty: Empty) -> bool {
    if a.is_empty() || b.is_empty() {
        return empty == Empty::Matches || a.len() == b.len();
    }
    a.iter().rev().zip(b.iter().rev()).all(|(a, b)| a == b)
}
