//! `patches`, `patchesStrategicMerge` and `patchesJson6902`.
//!
//! # Follows kustomize
//! A strategic-merge patch without a target names its object itself, by any id that the object has or had, and must find
//! exactly one. With a target it changes all that are selected, none included. A patch keeps its target's kind, name and
//! namespace unless it is allowed to change them.

use fairlead_yaml::{Mapping, Node};

use crate::{
    at::{At, Located},
    error::{BuildError, PatchError},
    id::{GvkRef, Id},
    json_patch::{self, OperationError, Operations},
    kustomization::{Patch, PatchOptions},
    load::Loader,
    merge::{MergeError, merge, replaces},
    node, parse,
    resource::{NameHash, Resource},
    resources::Resources,
    schema::Schema,
    selector::Matcher,
    shared::Shared,
};

/// One entry of `patches`.
pub(crate) struct PatchTransformer {
    patch: Kind,
    target: Option<Matcher>,
    options: PatchOptions,
}

enum Kind {
    Nothing,
    StrategicMerge(Vec<Located<Node>>),
    Json(Operations),
}

/// The entries of `patchesStrategicMerge`.
pub(crate) struct StrategicMergePatches(Vec<Located<Node>>);

/// One entry of `patchesJson6902`.
pub(crate) struct JsonPatch {
    operations: Operations,
    target: Matcher,
}

impl PatchTransformer {
    /// Reads the patch that `entry` holds or names.
    pub(crate) fn load(entry: &Located<Patch>, loader: &Loader<'_>) -> Result<Self, BuildError> {
        let at = &entry.at;
        let problem = |problem: &str| bad(at, problem);
        let inline = entry.patch.as_ref().filter(|patch| !patch.trim().is_empty());
        let (file, text_at, content) = match (entry.path.trim(), inline) {
            ("", None) => return Err(problem("must specify one of patch and path in")),
            ("", Some(patch)) => (None, patch.at.clone(), patch.trim().as_bytes().into()),
            (path, None) => {
                let (file, content) = loader.read(path, at)?;
                let first_line = At::line(&file, 1);
                (Some(file), first_line, content)
            }
            (_, Some(_)) => return Err(problem("patch and path can't be set at the same time")),
        };
        let kustomization = at.file().unwrap_or(loader.root());
        let objects = parse::objects(file.as_ref().unwrap_or(kustomization), &content);
        let operations = Operations::parse(&String::from_utf8_lossy(&content), &text_at);
        let located = |nodes: Vec<Node>| {
            let line =
                |node: &Node| file.as_ref().map_or_else(|| at.clone(), |file| At::line(file, node.position.line));
            nodes.into_iter().map(|node| Located::new(line(&node), marked(node, &text_at))).collect()
        };
        let patch = match (objects, operations) {
            (Ok(objects), _) if objects.is_empty() => Kind::Nothing,
            (_, Ok(operations)) if operations.is_empty() => Kind::Nothing,
            (Ok(_), Ok(_)) => return Err(problem("illegally qualifies as both an SM and JSON patch")),
            (Ok(objects), Err(_)) => Kind::StrategicMerge(with_texts(located(objects), texts_of(entry))),
            (Err(_), Ok(operations)) => Kind::Json(operations),
            (Err(as_objects), Err(OperationError(as_json))) => {
                let shown = match &file {
                    Some(_) => format!("[path: {:?}]", entry.path),
                    None => format!("[patch: {:?}]", inline.map_or("", |patch| patch.value.as_str())),
                };
                return Err(PatchError::Neither { at: at.clone(), shown, as_json, source: Box::new(as_objects) }.into());
            }
        };
        let target = entry.target.as_ref().map(|target| Matcher::new(target, at)).transpose()?;
        match &patch {
            Kind::Json(_) if target.is_none() => {
                Err(problem(&format!("must specify a target for JSON patch [path: {:?}]", entry.path)))
            }
            Kind::StrategicMerge(patches) if target.is_some() && patches.len() > 1 => Err(problem(
                "Multiple Strategic-Merge Patches in one `patches` entry is not allowed to set `patches.target` field",
            )),
            Kind::Nothing | Kind::Json(_) | Kind::StrategicMerge(_) => {
                Ok(Self { patch, target, options: entry.options.clone() })
            }
        }
    }

    /// Whether it would be merged into one of `resources`.
    pub(crate) fn merges_into(&self, resources: &Resources) -> bool {
        match (&self.patch, &self.target) {
            (Kind::Nothing | Kind::Json(_), _) => false,
            (Kind::StrategicMerge(_), None) => true,
            (Kind::StrategicMerge(_), Some(target)) => !target.select(resources).is_empty(),
        }
    }

    pub(crate) fn apply(&self, resources: &mut Resources, schema: &Schema, at: &At) -> Result<(), BuildError> {
        match (&self.patch, &self.target) {
            (Kind::Nothing, _) | (Kind::Json(_), None) => Ok(()),
            (Kind::StrategicMerge(patches), None) => {
                for patch in patches {
                    let position = named(resources, patch, schema)?;
                    merge_into(self.resource_at(position, resources), patch, &self.options, schema)?;
                }
                Ok(())
            }
            (Kind::StrategicMerge(patches), Some(target)) => {
                if let Some(patch) = patches.first() {
                    let selected = target.select(resources);
                    resources.count_added(selected.len().saturating_mul(node::weight(patch)), at)?;
                    let list = resources.list_mut();
                    let merge = |position| merge_copy_into(&mut list[position], patch, &self.options, schema);
                    selected.into_iter().try_for_each(merge)?;
                }
                resources.drop_empty();
                resources.check_ids()
            }
            (Kind::Json(operations), Some(target)) => {
                let weight = operations.weight();
                for position in target.select(resources) {
                    let resource = &mut resources.list_mut()[position];
                    resource.remember_id();
                    let copied = apply_operations(resource, operations, at, schema)?;
                    resources.count_added(weight + copied, at)?;
                }
                resources.check_ids()
            }
        }
    }

    /// The resource at `position`, which may come to have another id.
    fn resource_at<'a>(&self, position: usize, resources: &'a mut Resources) -> &'a mut Resource {
        if self.options.allow_name_change || self.options.allow_kind_change {
            return &mut resources.list_mut()[position];
        }
        resources.get_mut_same_id(position)
    }
}

impl StrategicMergePatches {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads the patches that `entries` hold or name.
    pub(crate) fn load(entries: &[Located<String>], loader: &Loader<'_>) -> Result<Self, BuildError> {
        let patches = entries.iter().map(|entry| match inline(entry, loader) {
            Ok(patches) => not_empty(patches, &entry.at),
            Err(as_inline) => from_file(entry, loader).map_err(|as_file| not_a_patch(entry, as_inline, as_file)),
        });
        Ok(Self(with_texts(patches.collect::<Result<Vec<_>, _>>()?.concat(), LABELS_AND_ANNOTATIONS)))
    }

    /// Reads the patches in the files `paths`, and those that `text` holds.
    pub(crate) fn load_separately(
        paths: &[Located<String>],
        text: Option<&Located<String>>,
        loader: &Loader<'_>,
    ) -> Result<Self, BuildError> {
        let from_files = paths.iter().map(|path| from_file(path, loader));
        let from_text = text.map(|text| not_empty(inline(text, loader)?, &text.at));
        let patches = from_files.chain(from_text).collect::<Result<Vec<_>, _>>()?;
        Ok(Self(with_texts(patches.concat(), LABELS_AND_ANNOTATIONS)))
    }

    pub(crate) fn apply(&self, resources: &mut Resources, schema: &Schema, _: &At) -> Result<(), BuildError> {
        for patch in &self.0 {
            let position = named(resources, patch, schema)?;
            merge_copy_into(resources.get_mut_same_id(position), patch, &PatchOptions::default(), schema)?;
        }
        resources.drop_empty();
        resources.check_ids()
    }
}

fn inline(entry: &Located<String>, loader: &Loader<'_>) -> Result<Vec<Located<Node>>, BuildError> {
    let objects = parse::objects(entry.at.file().unwrap_or(loader.root()), entry.as_bytes())?;
    Ok(objects.into_iter().map(|node| Located::new(entry.at.clone(), marked(node, &entry.at))).collect())
}

fn from_file(entry: &Located<String>, loader: &Loader<'_>) -> Result<Vec<Located<Node>>, BuildError> {
    let (file, content) = loader.read(entry, &entry.at)?;
    let objects = parse::objects(&file, &content)?;
    let first_line = At::line(&file, 1);
    let located = |node: Node| Located::new(At::line(&file, node.position.line), marked(node, &first_line));
    let patches = objects.into_iter().map(located);
    not_empty(patches.collect(), &entry.at)
}

/// `patch`, of which every field says that it was written in the text that begins at `text_at`.
fn marked(mut patch: Node, text_at: &At) -> Node {
    node::stamp_lines(&mut patch, text_at);
    patch
}

fn not_empty(patches: Vec<Located<Node>>, at: &At) -> Result<Vec<Located<Node>>, BuildError> {
    if patches.is_empty() {
        return Err(bad(at, "patch appears to be empty"));
    }
    Ok(patches)
}

fn bad(at: &At, problem: &str) -> BuildError {
    PatchError::Bad { at: at.clone(), problem: problem.to_owned() }.into()
}

const LABELS_AND_ANNOTATIONS: &[&str] = &["labels", "annotations"];

/// Which mappings of the metadata of a patch become texts before it is applied.
///
/// # Follows kustomize
/// It copies a patch before it is applied to what it selects, and copies labels and annotations as texts. Of one without
/// a target that may rename, it notes so among the annotations.
fn texts_of(entry: &Patch) -> &'static [&'static str] {
    match (&entry.target, entry.options.allow_name_change || entry.options.allow_kind_change) {
        (Some(_), _) => LABELS_AND_ANNOTATIONS,
        (None, true) => &["annotations"],
        (None, false) => &[],
    }
}

/// Makes the values of `maps` in the metadata of `patches` strings, as they are written: a null in them is the word, and
/// removes nothing, and neither does a null in their place.
fn with_texts(patches: Vec<Located<Node>>, maps: &[&str]) -> Vec<Located<Node>> {
    let with_texts = |mut patch: Located<Node>| {
        if let Some(metadata) = patch.value.get_mut("metadata").and_then(Node::as_mapping_mut) {
            for map in maps {
                make_texts(metadata, map);
            }
        }
        patch
    };
    patches.into_iter().map(with_texts).collect()
}

/// Makes the values of the mapping at `key` texts; what has none goes.
fn make_texts(metadata: &mut Mapping, key: &str) {
    let entries = metadata.get_mut(key).and_then(Node::as_mapping_mut).filter(|entries| !entries.is_empty());
    let Some(entries) = entries else { return drop(metadata.remove(key)) };
    for (_, value) in entries.iter_mut() {
        let text = value.as_str().unwrap_or_default().to_owned();
        node::set_string(value, text);
    }
}

/// A text of several lines was meant as a patch, one of a single line as a path.
fn not_a_patch(entry: &str, as_inline: BuildError, as_file: BuildError) -> BuildError {
    if entry.trim().contains('\n') || entry.contains(": ") { as_inline } else { as_file }
}

impl JsonPatch {
    /// Reads the patch that `entry` holds or names.
    pub(crate) fn load(entry: &Located<Patch>, loader: &Loader<'_>) -> Result<Self, BuildError> {
        let at = &entry.at;
        let problem = |problem: &str| bad(at, problem);
        let target = entry.target.clone().unwrap_or_default();
        if target.name.is_empty() {
            return Err(problem("must specify the target name"));
        }
        let inline = entry.patch.as_ref().filter(|patch| !patch.is_empty());
        let operations = match (entry.path.as_str(), inline) {
            ("", None) => return Err(problem("empty file path and empty jsonOp")),
            ("", Some(patch)) => Operations::parse(patch, &patch.at).map_err(|OperationError(text)| problem(&text))?,
            (path, None) => {
                let (file, content) = loader.read(path, at)?;
                json_patch::parse_file(&file, &content)?
            }
            (_, Some(_)) => return Err(problem("must specify a file path or jsonOp, not both")),
        };
        if operations.is_empty() {
            return Err(problem("patch appears to be empty"));
        }
        Ok(Self { operations, target: Matcher::new(&target, at)? })
    }

    pub(crate) fn apply(&self, resources: &mut Resources, schema: &Schema, at: &At) -> Result<(), BuildError> {
        let weight = self.operations.weight();
        for position in self.target.select(resources) {
            let copied = apply_operations(&mut resources.list_mut()[position], &self.operations, at, schema)?;
            resources.count_added(weight + copied, at)?;
        }
        resources.check_ids()
    }
}

/// The place of the one object that `patch` names.
fn named(resources: &mut Resources, patch: &Located<Node>, schema: &Schema) -> Result<usize, BuildError> {
    let id = id_of(patch, schema);
    let found = resources.with_any_id(&id.key());
    match found.as_slice() {
        [position] => Ok(*position),
        [] => {
            let nearest = resources.nearest(&id);
            Err(PatchError::WithoutTarget { at: patch.at.clone(), id: id.to_string(), nearest }.into())
        }
        [..] => {
            let found = found.iter().map(|position| resources.as_slice()[*position].current_id()).collect();
            Err(PatchError::SeveralTargets { at: patch.at.clone(), id: id.to_string(), found }.into())
        }
    }
}

fn id_of<'a>(object: &'a Node, schema: &Schema) -> Id<'a> {
    let gvk = GvkRef::of(object);
    Id {
        gvk,
        name: node::text_at(object, &["metadata", "name"]),
        namespace: node::text_at(object, &["metadata", "namespace"]),
        scope: schema.scope(gvk),
    }
}

fn merge_into(
    resource: &mut Resource,
    patch: &Located<Node>,
    options: &PatchOptions,
    schema: &Schema,
) -> Result<(), BuildError> {
    let id = resource.id();
    let (kind, name, namespace) = (id.gvk.kind.to_owned(), id.name.to_owned(), id.namespace.to_owned());
    if options.allow_name_change || options.allow_kind_change {
        resource.remember_id();
    }
    let identity = Identity::of(resource);
    // kustomize drops what such a patch makes of an object.
    if !replaces(patch) && !merge_body(resource, patch, schema)? {
        return Ok(());
    }
    if !options.allow_kind_change {
        resource.set_kind(&kind);
    }
    if !options.allow_name_change {
        resource.set_name(&name);
    }
    if namespace.is_empty() {
        resource.metadata().remove("namespace");
    } else {
        resource.set_namespace(&namespace);
    }
    identity.restore(resource);
    resource.shared.settle(&mut resource.node);
    resource.scope = schema.scope(resource.gvk());
    Ok(())
}

/// Merges a copy of `patch` that says it is of the `apiVersion` of `resource`, even if that has none.
fn merge_copy_into(
    resource: &mut Resource,
    patch: &Located<Node>,
    options: &PatchOptions,
    schema: &Schema,
) -> Result<(), BuildError> {
    let api_version = resource.gvk().api_version();
    merge_into(resource, patch, options, schema)?;
    if let Some(object) = resource.node.as_mapping_mut() {
        object.insert("apiVersion", if api_version.is_empty() { Node::plain("") } else { node::untyped(api_version) });
        resource.scope = schema.scope(resource.gvk());
    }
    Ok(())
}

/// Merges `patch` into the fields of `resource`; false if nothing is left.
fn merge_body(resource: &mut Resource, patch: &Located<Node>, schema: &Schema) -> Result<bool, BuildError> {
    let own = resource.gvk();
    let patched_kind = GvkRef { kind: node::text_at(patch, &["kind"]), ..own };
    let place = Some(schema.place(own)).filter(|place| place.is_known()).unwrap_or(schema.place(patched_kind));
    let id = format!("{}/{}", own.kind, resource.name());
    let object = std::mem::replace(&mut resource.node, Node::null());
    let position = object.position;
    let unmergeable = |MergeError(problem)| PatchError::Merge { at: patch.at.clone(), id, problem };
    let merged = merge(Some(object), Some(&patch.value), place).map_err(unmergeable)?;
    let Some(merged) = merged.filter(|merged| !node::is_empty(merged)) else { return Ok(false) };
    resource.node = Node { position, ..merged };
    Ok(true)
}

/// Who wrote the fields that name an object: a patch names its object by them and does not change them.
struct Identity(Vec<Option<Node>>);

impl Identity {
    const FIELDS: [&[&str]; 4] = [&["apiVersion"], &["kind"], &["metadata", "name"], &["metadata", "namespace"]];

    fn of(resource: &Resource) -> Self {
        let find = |path: &&[&str]| path.iter().try_fold(&resource.node, |node, key| node.get(key)).cloned();
        Self(Self::FIELDS.iter().map(find).collect())
    }

    /// Puts back who wrote the fields that are as they were.
    fn restore(self, resource: &mut Resource) {
        for (path, before) in Self::FIELDS.iter().zip(self.0) {
            let field = path.iter().try_fold(&mut resource.node, |node, key| node.get_mut(key));
            if let Some((field, before)) = field.zip(before).filter(|(field, before)| field.as_str() == before.as_str())
            {
                (field.position, field.written) = (before.position, before.written);
            }
        }
    }
}

/// Applies `operations` and says how many bytes they have copied.
fn apply_operations(
    resource: &mut Resource,
    operations: &Operations,
    at: &At,
    schema: &Schema,
) -> Result<usize, BuildError> {
    // kustomize keeps notes in annotations, so a patch may rely on them being there.
    let is_noted = resource.is_noted || !resource.previous.is_empty() || resource.name_hash == NameHash::Wanted;
    if is_noted {
        let metadata = resource.metadata();
        let annotations = metadata.get_or_insert_with("annotations", || node::empty(node::NodeKind::Mapping));
        if annotations.is_null() {
            *annotations = node::empty(node::NodeKind::Mapping);
        }
    }
    let id = resource.current_id();
    let copied = json_patch::apply(&mut resource.node, operations, at, &id)?;
    resource.tidy_annotations();
    resource.shared = Shared::default();
    resource.scope = schema.scope(resource.gvk());
    Ok(copied)
}
