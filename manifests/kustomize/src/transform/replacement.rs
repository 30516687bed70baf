//! `replacements`: a value of one object, copied into fields of others.
//!
//! # Follows kustomize
//! The source is one object, named exactly; targets are selected by regular expressions. A scalar keeps its own type and
//! takes the source's text. A path may lead into a text that holds YAML or JSON itself.

use fairlead_object::TreePath;
use fairlead_yaml::{MAX_DEPTH, Node, Schema, Style, Value};

use crate::{
    at::{At, Located},
    decode::{Decode, Path, Unknown},
    error::{BuildError, ReferenceError},
    field_path,
    id::{Id, Scope, effective_namespace},
    json_patch::MAX_COPIED_BYTES,
    kustomization::{FieldOptions, Replacement, ReplacementSource, ReplacementTarget},
    load::Loader,
    node::{self, NodeKind},
    resource::Resource,
    resources::Resources,
    selector::Matcher,
};

const DEFAULT_PATH: &str = "metadata.name";

/// Copies values from objects to objects.
pub(crate) struct Replacements(Vec<Located<Replacement>>);

impl Replacements {
    /// Reads the replacements that `entries` hold or name.
    pub(crate) fn load(entries: &[Located<Replacement>], loader: &Loader<'_>) -> Result<Self, BuildError> {
        let mut replacements = Vec::new();
        for entry in entries {
            let has_more = entry.source.is_some() || entry.source_value.is_some() || !entry.targets.is_empty();
            match (entry.path.as_str(), has_more) {
                ("", _) => replacements.push(entry.clone()),
                (_, true) => return Err(problem(&entry.at, "cannot specify both path and inline replacement")),
                (path, false) => {
                    let (file, content) = loader.read(path, &entry.at)?;
                    replacements.extend(parse_file(&file, &content)?);
                }
            }
        }
        Ok(Self(replacements))
    }

    pub(crate) fn apply(&self, resources: &mut Resources) -> Result<(), BuildError> {
        let mut copied = 0;
        self.0.iter().try_for_each(|replacement| apply(replacement, resources, &mut copied))?;
        self.0.last().map_or(Ok(()), |last| resources.count_added(copied, &last.at))
    }
}

/// A file holds one replacement or a list of them.
fn parse_file(file: &TreePath, content: &[u8]) -> Result<Vec<Located<Replacement>>, BuildError> {
    let path = Path::file(file, "Replacement", Unknown::Ignored);
    let node = path.first_document(content)?;
    if node.as_sequence().is_some() { Vec::decode(&node, &path) } else { Ok(vec![Decode::decode(&node, &path)?]) }
}

fn problem(at: &At, problem: impl Into<String>) -> BuildError {
    ReferenceError::Replacement { at: at.clone(), problem: problem.into() }.into()
}

fn apply(replacement: &Located<Replacement>, resources: &mut Resources, copied: &mut usize) -> Result<(), BuildError> {
    let at = &replacement.at;
    let (value, origin) = match (&replacement.source, &replacement.source_value) {
        (Some(_), Some(_)) => return Err(problem(at, "value and resource selectors are mutually exclusive")),
        _ if replacement.targets.is_empty() => {
            return Err(problem(at, "replacements must specify a source and at least one target"));
        }
        (None, None) => return Err(problem(at, "replacements must specify a source and at least one target")),
        (Some(source), None) => source_value(source, resources, at)?,
        (None, Some(value)) => (Node::string(value.as_str()), None),
    };
    let mut copying = Copying { at, value: stamped(value, at), origin, copied };
    replacement.targets.iter().try_for_each(|target| copying.to(target, resources))
}

/// `value` as `at` writes it.
fn stamped(mut value: Node, at: &At) -> Node {
    node::stamp(&mut value, &at.mark());
    value
}

/// The value of a replacement on its way into fields.
struct Copying<'a> {
    at: &'a At,
    value: Node,
    origin: Option<SourceField>,
    /// The bytes that were copied.
    copied: &'a mut usize,
}

/// The field that a whole value comes from.
struct SourceField {
    /// The place of its object among the resources.
    position: usize,
    path: Vec<String>,
}

fn source_value(
    source: &ReplacementSource,
    resources: &Resources,
    at: &At,
) -> Result<(Node, Option<SourceField>), BuildError> {
    let is_meant = |(_, resource): &(usize, &Resource)| resource.any_ids().any(|id| is_source(source, &id));
    let found: Vec<(usize, &Resource)> = resources.iter().enumerate().filter(is_meant).collect();
    let (position, resource) = match found.as_slice() {
        [] => {
            let nearest = fairlead_object::nearest(&source.name, resources.iter().map(Resource::name));
            let (selector, nearest) = (shown_whole(source), nearest.map(str::to_owned));
            return Err(ReferenceError::ReplacementWithoutSource { at: at.clone(), selector, nearest }.into());
        }
        [only] => *only,
        [..] => return Err(problem(at, format!("multiple matches for selector {}", shown_whole(source)))),
    };
    let written = if source.field_path.is_empty() { DEFAULT_PATH } else { &source.field_path };
    let path = field_path::split(written);
    let value = field_path::find(&resource.node, &path).filter(|value| !node::is_empty(value));
    let missing = || problem(at, format!("fieldPath `{written}` is missing for replacement source {}", shown(source)));
    let value = refined(value.ok_or_else(missing)?, &source.options).map_err(|text| problem(at, text))?;
    Ok((value, source.options.delimiter.is_empty().then_some(SourceField { position, path })))
}

/// Whether `source` means `id`; kustomize does not look up here which kinds are in no namespace.
fn is_source(source: &ReplacementSource, id: &Id<'_>) -> bool {
    let namespace = |written| effective_namespace(written, Scope::Namespaced);
    id.gvk.is_selected_by(&source.group, &source.version, &source.kind)
        && (source.name.is_empty() || source.name == id.name)
        && (source.namespace.is_empty() || namespace(&source.namespace) == namespace(id.namespace))
}

fn shown(source: &ReplacementSource) -> String {
    let gvk = crate::id::GvkRef { group: &source.group, version: &source.version, kind: &source.kind };
    Id { gvk, name: &source.name, namespace: &source.namespace, scope: Scope::Namespaced }.to_string()
}

/// `source` with its field and what is taken of that.
fn shown_whole(source: &ReplacementSource) -> String {
    let FieldOptions { delimiter, index, create, .. } = &source.options;
    let has_options = !delimiter.is_empty() || *create;
    let options = if has_options { format!("{delimiter}({index}), create={create}") } else { String::new() };
    let parts = [shown(source), source.field_path.clone(), options];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(":")
}

/// The part of `value` that `options` ask for.
fn refined(value: &Node, options: &FieldOptions) -> Result<Node, String> {
    if options.delimiter.is_empty() {
        return Ok(node::copied(value));
    }
    let text = value.as_str().ok_or("delimiter option can only be used with scalar nodes")?;
    let part = usize::try_from(options.index).ok().and_then(|index| text.split(options.delimiter.as_str()).nth(index));
    let part = part.ok_or_else(|| format!("options.index {} is out of bounds for value {text}", options.index))?;
    Ok(Node { value: Value::Scalar(part.into()), ..node::copied(value) })
}

impl Copying<'_> {
    /// Sets the fields of `target` to the value.
    fn to(&mut self, target: &ReplacementTarget, resources: &mut Resources) -> Result<(), BuildError> {
        let at = self.at;
        let select = target.select.as_ref().ok_or_else(|| problem(at, "target must specify resources to select"))?;
        let matcher = Matcher::new(select, at)?;
        let rejects = target.reject.iter().map(|reject| Reject::new(reject, at)).collect::<Result<Vec<_>, _>>()?;
        for (position, resource) in resources.iter_mut().enumerate() {
            let is_meant = matcher.selects_metadata(resource)
                && !rejects.iter().any(|reject| reject.rejects(resource))
                && resource.any_ids().any(|id| matcher.matches_id(&id));
            if is_meant {
                self.set_fields(resource, position, target)?;
                resource.shared.settle(&mut resource.node);
                if *self.copied > MAX_COPIED_BYTES {
                    return Err(problem(at, format!("replacements copy more than {MAX_COPIED_BYTES} bytes")));
                }
            }
        }
        Ok(())
    }

    fn set_fields(
        &mut self,
        resource: &mut Resource,
        position: usize,
        target: &ReplacementTarget,
    ) -> Result<(), BuildError> {
        let default = [DEFAULT_PATH.to_owned()];
        let paths = if target.field_paths.is_empty() { default.as_slice() } else { &target.field_paths };
        for path in paths {
            let count = set_field_at(path, resource, target, &self.value, self.at)?;
            *self.copied += count * node::weight(&self.value);
            self.look_again(resource, position);
        }
        Ok(())
    }

    /// Takes the value that its source has come to have: kustomize holds on to the field and not to what was in it.
    fn look_again(&mut self, resource: &Resource, position: usize) {
        let Some(origin) = self.origin.as_ref().filter(|origin| origin.position == position) else { return };
        if let Some(value) = field_path::find(&resource.node, &origin.path) {
            self.value = stamped(node::copied(value), self.at);
        }
    }
}

/// An entry of `reject`: by id, or by labels and annotations.
struct Reject {
    matcher: Matcher,
    by_id: bool,
    by_metadata: bool,
}

impl Reject {
    fn new(reject: &crate::kustomization::Selector, at: &At) -> Result<Self, BuildError> {
        let id = [&reject.group, &reject.version, &reject.kind, &reject.name, &reject.namespace];
        let metadata = [&reject.label_selector, &reject.annotation_selector];
        Ok(Self {
            matcher: Matcher::new(reject, at)?,
            by_id: id.iter().any(|text| !text.is_empty()),
            by_metadata: metadata.iter().any(|text| !text.is_empty()),
        })
    }

    fn rejects(&self, resource: &Resource) -> bool {
        (self.by_metadata && self.matcher.selects_metadata(resource))
            || (self.by_id && resource.any_ids().any(|id| self.matcher.matches_id(&id)))
    }
}

/// Sets the field at `path`, or each that it means, and says how many these are.
fn set_field_at(
    path: &str,
    resource: &mut Resource,
    target: &ReplacementTarget,
    value: &Node,
    at: &At,
) -> Result<usize, BuildError> {
    let create = target.options.create.then(|| NodeKind::of(value));
    let parts = field_path::split(path);
    if parts.len() + node::depth(value) > MAX_DEPTH {
        return Err(problem(at, format!("the value at {path:?} would be nested more than {MAX_DEPTH} deep")));
    }
    let set = &mut |field: &mut Node| set_field(field, value, &target.options);
    let in_text = set_in_text(&mut resource.node, &parts, create, set);
    let outcome = in_text.unwrap_or_else(|| field_path::set(&mut resource.node, &parts, create, set));
    let what = if create.is_some() { "unable to find or create field" } else { "unable to find field" };
    let failed = |detail: &str| -> BuildError {
        let problem = format!("{what} {path:?} in replacement target{detail}");
        ReferenceError::ReplacementField { at: at.clone(), id: resource.current_id(), problem }.into()
    };
    match outcome {
        Ok(0) => Err(failed("")),
        Ok(count) => Ok(count),
        Err(detail) if detail == NOT_SCALAR => Err(problem(at, detail)),
        Err(detail) => Err(failed(&format!(": {detail}"))),
    }
}

const NOT_SCALAR: &str = "delimiter option can only be used with scalar nodes";

fn set_field(field: &mut Node, value: &Node, options: &FieldOptions) -> Result<(), String> {
    if options.delimiter.is_empty() {
        put(field, value, value.as_str().unwrap_or_default());
        return Ok(());
    }
    let text = field.as_str().ok_or(NOT_SCALAR)?;
    let new = value.as_str().unwrap_or_default();
    let mut parts: Vec<&str> = text.split(options.delimiter.as_str()).collect();
    match usize::try_from(options.index) {
        Err(_) => parts.insert(0, new),
        Ok(index) if index < parts.len() => parts[index] = new,
        Ok(_) => parts.push(new),
    }
    let joined = parts.join(&options.delimiter);
    put(field, value, &joined);
    Ok(())
}

/// Puts `text` into a scalar, which keeps its type and style; anything else becomes a copy of `value`.
fn put(field: &mut Node, value: &Node, text: &str) {
    if field.as_str().is_none() {
        field.overwrite(value.clone(), &value.written);
        return;
    }
    field.written = value.written.over(&field.written);
    let old = node::type_tag(field);
    field.value = Value::Scalar(text.into());
    if field.tag.is_none() && node::type_tag(field) != old {
        match old {
            Some("!!str") => field.style = Style::DoubleQuoted,
            other => field.tag = other.map(Into::into),
        }
    }
}

/// Sets the value inside a text on the way that holds YAML or JSON itself; `None` if there is no such text.
fn set_in_text(
    root: &mut Node,
    parts: &[String],
    create: Option<NodeKind>,
    set: &mut dyn FnMut(&mut Node) -> Result<(), String>,
) -> Option<Result<usize, String>> {
    let is_text =
        |length: &usize| field_path::find(root, &parts[..*length]).is_some_and(|field| field.as_str().is_some());
    let length = (1..parts.len()).find(is_text)?;
    let text = field_path::find(root, &parts[..length])?.as_str()?.to_owned();
    if text.is_empty() {
        return Some(Err("wrong node kind: expected MappingNode but got : node contents:\nnull\n".to_owned()));
    }
    let mut inner = fairlead_yaml::parse(&text).ok()?.into_iter().next()?;
    // kustomize then makes the way in what it has read, which is forgotten.
    if inner.is_null() && create.is_some() {
        return Some(Ok(1));
    }
    if inner.as_str().is_some() {
        return None;
    }
    let count = match field_path::set(&mut inner, &parts[length..], create, set) {
        Ok(count) if count > 0 => count,
        nothing_or_error => return Some(nothing_or_error),
    };
    // And here it sets the field of what it has read.
    let Some(written) = written_like(&text, &inner) else { return Some(Ok(count)) };
    let put_back = &mut |field: &mut Node| {
        put(field, &inner, &written);
        Ok(())
    };
    Some(field_path::set(root, &parts[..length], None, put_back).map(|_| count))
}

/// `inner` in the format that `text` had.
fn written_like(text: &str, inner: &Node) -> Option<String> {
    if !text.trim_start().starts_with(['{', '[']) {
        return Some(fairlead_yaml::emit(inner).trim().to_owned());
    }
    let json = inner.to_json(Schema::Kyaml).ok()?;
    let is_pretty = text.contains('\n') && text.contains("  ");
    let printed = if is_pretty { serde_json::to_string_pretty(&json).ok()? } else { json.to_string() };
    Some(crate::hash::go_escaped(&printed))
}
