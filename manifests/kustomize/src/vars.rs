//! `vars`: `$(NAME)` in fields, replaced by values of other objects.
//!
//! # Follows kustomize
//! A var is bound to the one object that its reference selects where it is declared, and replaced once everything else
//! is done. Names are global. `$$` stands for one `$`, and a name that is not declared stays as it is written.

use std::collections::HashMap;

use fairlead_yaml::{Node, Scalar, Schema, Style, Value};

use crate::{
    at::Located,
    config::Config,
    error::{BuildError, ReferenceError},
    field_path,
    field_spec::{FieldSpecs, WalkError},
    id::GvkRef,
    kustomization::Var,
    node,
    resource::Resource,
    resources::{MAX_ADDED_BYTES, Resources},
    schema::Schema as Types,
};

/// The vars that a build has met.
#[derive(Debug, Default)]
pub(crate) struct Vars(Vec<Located<Var>>);

impl Vars {
    /// Adds vars; fails if a name is there already.
    pub(crate) fn add(&mut self, vars: impl IntoIterator<Item = Located<Var>>) -> Result<(), ReferenceError> {
        for var in vars {
            if let Some(first) = self.0.iter().find(|other| other.name == var.name) {
                return Err(ReferenceError::RepeatedVar {
                    at: var.at.clone(),
                    name: var.name.clone(),
                    first: first.at.clone(),
                });
            }
            self.0.push(var);
        }
        Ok(())
    }

    pub(crate) fn into_list(self) -> Vec<Located<Var>> {
        self.0
    }

    /// Binds `vars`, which one kustomization declares, to the resources that are there now; fails if one could mean
    /// several.
    pub(crate) fn bind(vars: &[Located<Var>], resources: &mut Resources, types: &Types) -> Result<(), ReferenceError> {
        for var in vars {
            let found: Vec<_> =
                resources.iter_mut_same_ids().filter(|resource| selects(var, resource, types)).collect();
            let count = found.len();
            if count > 1 {
                return Err(ReferenceError::AmbiguousVar { at: var.at.clone(), name: var.name.clone(), found: count });
            }
            for resource in found {
                resource.vars.push(var.name.clone());
            }
        }
        Ok(())
    }

    /// Replaces the vars in all fields that may hold them.
    pub(crate) fn replace(&self, resources: &mut Resources, config: &Config) -> Result<(), BuildError> {
        if self.0.is_empty() {
            return Ok(());
        }
        let values = self.values(resources)?;
        let specs = FieldSpecs::new(config.var_reference.iter().cloned());
        let mut expansion = Expansion { values: &values, bytes: 0 };
        for resource in resources.iter_mut() {
            specs.visit(resource, None, &mut |field| expansion.field(field))?;
        }
        Ok(())
    }

    fn values(&self, resources: &Resources) -> Result<HashMap<&str, Node>, ReferenceError> {
        let mut values = HashMap::new();
        for var in &self.0 {
            let found = resources.iter().find(|resource| resource.vars.contains(&var.name));
            let resource = found.ok_or_else(|| ReferenceError::UnboundVar { at: var.at.clone(), var: shown(var) })?;
            let path = field(var);
            let value = field_path::find(&resource.node, &field_path::split(path));
            let value = value.ok_or_else(|| ReferenceError::VarWithoutField {
                at: var.at.clone(),
                var: shown(var),
                id: resource.current_id(),
            })?;
            // A null is the word that it is written with.
            let text = value.as_str().filter(|_| value.is_null());
            let mut value = text.map_or_else(|| value.clone(), Node::string);
            node::stamp(&mut value, &var.at.mark());
            values.insert(var.name.as_str(), value);
        }
        Ok(values)
    }
}

fn field(var: &Var) -> &str {
    if var.fieldref.field_path.is_empty() { "metadata.name" } else { &var.fieldref.field_path }
}

fn gvk(var: &Var) -> GvkRef<'_> {
    let reference = &var.objref;
    if reference.api_version.is_empty() {
        GvkRef { group: &reference.group, version: &reference.version, kind: &reference.kind }
    } else {
        GvkRef::new(&reference.api_version, &reference.kind)
    }
}

fn shown(var: &Var) -> String {
    format!("{{{} {} {{{}}}}}", var.name, gvk(var), field(var))
}

fn selects(var: &Var, resource: &Resource, types: &Types) -> bool {
    let wanted = gvk(var);
    let cluster = types.scope(wanted) == crate::id::Scope::Cluster;
    let namespace = crate::id::effective_namespace(&var.objref.namespace, types.scope(wanted));
    resource.any_ids().any(|id| {
        id.gvk == wanted
            && id.name == var.objref.name
            && ((var.objref.namespace.is_empty() && !cluster) || id.effective_namespace() == namespace)
    })
}

/// The expansion of all fields of a build.
struct Expansion<'a> {
    values: &'a HashMap<&'a str, Node>,
    /// How many bytes it has made.
    bytes: usize,
}

impl Expansion<'_> {
    fn field(&mut self, field: &mut Node) -> Result<(), WalkError> {
        match &mut field.value {
            Value::Scalar(_) => {
                if is_text(field) {
                    self.scalar(field)?;
                }
                Ok(())
            }
            Value::Mapping(entries) => {
                let mut texts = entries.iter_mut().map(|(_, value)| value).filter(|value| is_text(value));
                texts.try_for_each(|value| self.scalar(value))
            }
            Value::Sequence(items) => items.iter_mut().try_for_each(|item| {
                if !is_text(item) {
                    return Err(WalkError("invalid value type expect a string".to_owned()));
                }
                self.scalar(item)
            }),
        }
    }

    /// Replaces the vars in a text, which is folded no more even if it has none, and a string if it was of no type.
    fn scalar(&mut self, field: &mut Node) -> Result<(), WalkError> {
        if field.style == Style::Folded {
            field.style = Style::Literal;
        }
        if let Some(text) = field.as_str().filter(|_| field.untyped) {
            let text = text.to_owned();
            node::set_string(field, text);
        }
        let Some(text) = field.as_str().filter(|text| text.contains('$')) else { return Ok(()) };
        let whole = text.strip_prefix("$(").and_then(|rest| rest.strip_suffix(')'));
        if let Some(value) = whole.and_then(|name| self.values.get(name)).filter(|value| value.as_str().is_some()) {
            self.count(node::weight(value))?;
            field.overwrite(node::copied(value), &value.written);
            return Ok(());
        }
        let expanded = self.text(text)?;
        if expanded != text {
            let mut names = text.split("$(").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
            let first = names.find_map(|name| self.values.get(name)).map(|value| value.written.clone());
            node::rewrite(field, expanded, &first.unwrap_or_default());
        }
        Ok(())
    }

    /// Replaces the vars in `text`.
    fn text(&mut self, text: &str) -> Result<String, WalkError> {
        let mut expanded = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(dollar) = rest.find('$') {
            expanded.push_str(&rest[..dollar]);
            rest = &rest[dollar + 1..];
            if let Some(after) = rest.strip_prefix('$') {
                expanded.push('$');
                rest = after;
            } else if let Some((name, after)) = rest.strip_prefix('(').and_then(|rest| rest.split_once(')')) {
                match self.values.get(name).and_then(as_text) {
                    Some(value) => {
                        self.count(value.len())?;
                        expanded.push_str(&value);
                    }
                    None => expanded.extend(["$(", name, ")"]),
                }
                rest = after;
            } else {
                expanded.push('$');
            }
        }
        Ok(expanded + rest)
    }

    fn count(&mut self, bytes: usize) -> Result<(), WalkError> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes <= MAX_ADDED_BYTES {
            return Ok(());
        }
        Err(WalkError(format!("vars add more than {MAX_ADDED_BYTES} bytes")))
    }
}

/// Whether `node` is a string that no tag of its own makes anything else, or a scalar of no type.
fn is_text(node: &Node) -> bool {
    let is_scalar = node.as_str().is_some();
    is_scalar && (node.untyped || node::is_string(node) && matches!(node.tag.as_deref(), None | Some("!!str")))
}

/// A value as it is written inside a text; `None` for collections.
fn as_text(value: &Node) -> Option<String> {
    match value.resolve(Schema::Kyaml).ok()? {
        Scalar::Null => Some("<nil>".to_owned()),
        Scalar::Bool(value) => Some(value.to_string()),
        Scalar::Int(value) => Some(value.to_string()),
        Scalar::UInt(value) => Some(value.to_string()),
        Scalar::Float(value) => Some(value.to_string()),
        Scalar::String(text) => Some(text.into_owned()),
        Scalar::Timestamp(text) => Some(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_vars_add_is_counted_wherever_they_stand() {
        let values = HashMap::from([("A", Node::string("four"))]);
        for text in ["$(A)", "a text with $(A) inside"] {
            let outcome = |bytes| {
                let mut field = Node::string(text);
                Expansion { values: &values, bytes }.field(&mut field).map_err(|WalkError(problem)| problem)
            };
            assert_eq!(outcome(0), Ok(()), "{text}");
            assert_eq!(outcome(MAX_ADDED_BYTES - 3), Err("vars add more than 1073741824 bytes".to_owned()), "{text}");
        }
    }

    #[test]
    fn names_in_a_text_are_replaced_and_dollars_escaped() {
        let values = HashMap::from([("A", Node::string("web")), ("N", Node::plain("80"))]);
        let rows =
            [("http://$(A):$(N)/", "http://web:80/"), ("$$(A)", "$(A)"), ("$(B) $A $", "$(B) $A $"), ("$(A", "$(A")];
        for (text, expected) in rows {
            let expanded = Expansion { values: &values, bytes: 0 }.text(text);
            assert_eq!(expanded.map_err(|WalkError(problem)| problem).as_deref(), Ok(expected), "{text}");
        }
    }
}
