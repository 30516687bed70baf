//! Variables in objects.

use fairlead_object::{Manifest, ManifestError, ObjectId, Origin, Place, pointer_to};
use fairlead_yaml::{Schema, emit_json};
use serde_json::{Map, Value};

use super::{ExpressionError, Strategy, Unset, expand};
use crate::Substitution;

/// The label or annotation that keeps an object's text as it is, with the value `disabled`.
const OPT_OUT: &str = "kustomize.toolkit.fluxcd.io/substitute";

/// Why the variables of an object could not be expanded.
#[derive(Debug, thiserror::Error)]
pub enum SubstituteError {
    /// An expression has no value.
    #[error("{at}: cannot substitute the variables of {id}{}", in_field(field.as_deref()))]
    Expression {
        /// Where the object was written.
        at: Origin,
        /// The object.
        id: ObjectId,
        /// The field that holds the expression, where it was found.
        field: Option<String>,
        /// What is wrong with the expression.
        source: ExpressionError,
    },
    /// The values have broken the object's text.
    ///
    /// The parser's message is left out, for it may quote a secret value.
    #[error("{at}: {id} is no YAML any more once its variables have their values{}", near(line.as_deref()))]
    Broken {
        /// Where the object was written.
        at: Origin,
        /// The object.
        id: ObjectId,
        /// The last line with an expression before the place where reading stopped, as it was before.
        line: Option<String>,
    },
    /// The values have taken the object its name.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
}

/// Gives the variables in `manifest` their values.
///
/// # Follows Flux
/// It is done on the text of the object. A value is read again as YAML in its new place: `123` becomes a number and
/// `yes` a boolean where the expression stands without quotes, and a value may even add fields. Objects can opt out with
/// the label or annotation `kustomize.toolkit.fluxcd.io/substitute: disabled`.
pub(crate) fn substitute(manifest: Manifest, substitution: &Substitution) -> Result<Manifest, Box<SubstituteError>> {
    let has_work = match substitution.strategy {
        Strategy::WithVariables => !substitution.variables.is_empty(),
        Strategy::Always => true,
    };
    if !has_work || opts_out(&manifest) || !any_mentions_dollar(manifest.body()) {
        return Ok(manifest);
    }
    let body = manifest.to_value();
    let text = emit_json(&body);
    let unset = if substitution.strict { Unset::Refused } else { Unset::Empty };
    let expanded = expand(&text, &substitution.variables, unset).map_err(|source| {
        let (at, id) = (manifest.origin().clone(), manifest.id().clone());
        Box::new(SubstituteError::Expression { at, id, field: field_with(&body, source.expression()), source })
    })?;
    let expanded = read(&expanded).map_err(|stopped_at| {
        let (at, id) = (manifest.origin().clone(), manifest.id().clone());
        SubstituteError::Broken { at, id, line: last_expression(&text, stopped_at) }
    })?;
    let mut changed = Vec::new();
    changed_fields("", &body, &expanded, &mut changed);
    let substituted = Manifest::new(expanded, manifest.origin().clone()).map_err(SubstituteError::Manifest)?;
    let mut substituted = substituted.with_fields(manifest.fields().clone());
    for pointer in changed {
        substituted.note_change(&pointer, Place::field("spec.postBuild"));
    }
    Ok(substituted)
}

/// Adds the JSON pointers to the fields of `after`, which is at `pointer`, that `before` has not or not so.
fn changed_fields(pointer: &str, before: &Value, after: &Value, changed: &mut Vec<String>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (name, after) in after {
                let before = before.get(name).unwrap_or(&Value::Null);
                changed_fields(&pointer_to(pointer, name), before, after, changed);
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            for (index, after) in after.iter().enumerate() {
                let before = before.get(index).unwrap_or(&Value::Null);
                changed_fields(&pointer_to(pointer, &index.to_string()), before, after, changed);
            }
        }
        (before, after) if before == after => {}
        _ => changed.push(pointer.to_owned()),
    }
}

fn opts_out(manifest: &Manifest) -> bool {
    [manifest.label(OPT_OUT), manifest.annotation(OPT_OUT)].contains(&Some("disabled"))
}

fn mentions_dollar(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => text.contains('$'),
        Value::Array(items) => items.iter().any(mentions_dollar),
        Value::Object(fields) => any_mentions_dollar(fields),
    }
}

fn any_mentions_dollar(fields: &Map<String, Value>) -> bool {
    fields.iter().any(|(key, value)| key.contains('$') || mentions_dollar(value))
}

/// Reads the first document of `text`; fails with the line at which reading stopped.
fn read(text: &str) -> Result<Value, u32> {
    let documents = fairlead_yaml::parse(text).map_err(|error| error.position.line)?;
    let document = documents.first().ok_or(1_u32)?;
    document.to_json(Schema::SigsYaml).map_err(|error| error.position().line)
}

/// The last of the first `count` lines of `text` that holds an expression.
fn last_expression(text: &str, count: u32) -> Option<String> {
    let lines = text.lines().take(usize::try_from(count).unwrap_or(usize::MAX));
    lines.filter(|line| line.contains("${")).last().map(|line| line.trim().to_owned())
}

/// The path of the first field of `value` whose key or text holds `expression`.
fn field_with(value: &Value, expression: &str) -> Option<String> {
    let below = |name: &str, value: &Value| {
        field_with(value, expression).map(|rest| match rest.as_str() {
            "" => name.to_owned(),
            rest if rest.starts_with('[') => format!("{name}{rest}"),
            rest => format!("{name}.{rest}"),
        })
    };
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => None,
        Value::String(text) => text.contains(expression).then(String::new),
        Value::Array(items) => items.iter().enumerate().find_map(|(at, item)| below(&format!("[{at}]"), item)),
        Value::Object(fields) => fields
            .iter()
            .find_map(|(key, value)| if key.contains(expression) { Some(key.clone()) } else { below(key, value) }),
    }
}

fn in_field(field: Option<&str>) -> String {
    field.map(|field| format!(" in `{field}`")).unwrap_or_default()
}

fn near(line: Option<&str>) -> String {
    line.map(|line| format!(", near `{line}`")).unwrap_or_default()
}

impl SubstituteError {
    /// What the reader can try, where the failure suggests it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Expression { source, .. } => source.hint(),
            Self::Broken { .. } => Some("put the expression between quotes, as `\"${name}\"`".to_owned()),
            Self::Manifest(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error as _;

    use serde_json::json;

    use super::*;
    use crate::Variables;

    fn substitution(values: &[(&str, &str)]) -> Substitution {
        let mut variables = Variables::default();
        for (name, value) in values {
            variables.set(name, value).expect("a name");
        }
        Substitution { variables, strict: true, ..Substitution::default() }
    }

    fn config_map(annotations: &Value, data: &Value) -> Manifest {
        let metadata = json!({"name": "limits", "namespace": "shop", "annotations": annotations});
        let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data});
        Manifest::new(body, Origin::new("shop/limits.yaml".parse().expect("relative"), 4)).expect("an object")
    }

    fn data_of(data: &Value, values: &[(&str, &str)]) -> Value {
        let manifest = substitute(config_map(&json!({}), data), &substitution(values)).expect("substituted");
        manifest.to_value()["data"].clone()
    }

    fn explain(error: &SubstituteError) -> String {
        let source = error.source().map(|source| format!("\n  caused by: {source}")).unwrap_or_default();
        let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
        format!("{error}{source}{hint}")
    }

    #[test]
    fn a_value_is_read_again_as_yaml_in_its_place() {
        let rows = [
            (json!("${v}"), "123", json!(123)),
            (json!("${v}"), "yes", json!(true)),
            (json!("${v}"), "\"123\"", json!("123")),
            (json!("v${v}"), "123", json!("v123")),
            (json!("${v}\n"), "123", json!("123\n")),
            (json!("${v}"), "", json!(null)),
            (json!("${v}"), "{a: [1]}", json!({"a": [1]})),
            (json!({"${v}": 1}), "key", json!({"key": 1})),
        ];
        for (written, value, expected) in rows {
            assert_eq!(data_of(&json!({"x": written}), &[("v", value)]), json!({"x": expected}), "{value}");
        }
    }

    #[test]
    fn dollars_are_paired_even_outside_of_expressions() {
        assert_eq!(data_of(&json!({"password": "pa$$word"}), &[("v", "")]), json!({"password": "pa$word"}));
    }

    #[test]
    fn an_object_is_left_alone_that_opts_out_or_where_there_are_no_variables() {
        let some = substitution(&[("v", "1")]);
        let none = substitution(&[]);
        let always = Substitution { strategy: Strategy::Always, ..substitution(&[]) };
        let rows = [
            ("opted out", json!({OPT_OUT: "disabled"}), &some, "${v:=d}"),
            ("a capital letter opts nothing out", json!({OPT_OUT: "Disabled"}), &some, "1"),
            ("no variables", json!({}), &none, "${v:=d}"),
            ("no variables, always", json!({}), &always, "d"),
        ];
        for (row, annotations, substitution, expected) in rows {
            let manifest = config_map(&annotations, &json!({"x": "x${v:=d}"}));
            let body = substitute(manifest, substitution).expect(row).to_value();
            assert_eq!(body["data"]["x"], json!(format!("x{expected}")), "{row}");
        }
    }

    #[test]
    fn a_label_opts_out_too() {
        let mut manifest = config_map(&json!({}), &json!({"x": "${v"}));
        manifest.set_labels([(OPT_OUT, "disabled")]);
        assert!(substitute(manifest, &substitution(&[("v", "1")])).is_ok());
    }

    #[test]
    fn an_error_names_object_place_field_and_variable_and_says_what_to_do() {
        let error = |data: Value, values: &[(&str, &str)]| {
            let result = substitute(config_map(&json!({}), &data), &substitution(values));
            explain(&result.expect_err("no value"))
        };
        insta::assert_snapshot!(error(json!({"a": "x", "run.sh": "cp ${src} ."}), &[("v", "1")]), @r#"
        shop/limits.yaml:4: cannot substitute the variables of ConfigMap shop/limits in `data.run.sh`
          caused by: `${src}`: variable not set (strict mode): "src"
        hint: set `src` in `postBuild`, give it a default as `${src:=…}`, or write `$${src}` to keep `${src}` as it is
        "#);
        insta::assert_snapshot!(error(json!({"list": [{"x": "${v-1}"}]}), &[("v", "1")]), @r"
        shop/limits.yaml:4: cannot substitute the variables of ConfigMap shop/limits in `data.list[0].x`
          caused by: `${v-1}`: missing closing brace
        hint: write `$${v-1}` to keep `${v-1}` as it is, e.g. in a script
        ");
        insta::assert_snapshot!(error(json!({"port": "${v}"}), &[("v", "s3cret: {")]), @r#"
        shop/limits.yaml:4: ConfigMap shop/limits is no YAML any more once its variables have their values, near `port: ${v}`
        hint: put the expression between quotes, as `"${name}"`
        "#);
    }

    #[test]
    fn a_name_may_come_from_a_variable_and_must_then_be_one() {
        let named = |value: &str| {
            let body = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "${v}"}});
            let manifest =
                Manifest::new(body, Origin::new("ns.yaml".parse().expect("relative"), 1)).expect("an object");
            substitute(manifest, &substitution(&[("v", value)]))
        };
        assert_eq!(named("shop").expect("named").id().to_string(), "Namespace shop");
        assert_eq!(
            named("12").expect_err("a number").to_string(),
            "ns.yaml:1: `metadata.name` is missing or not a text"
        );
    }
}
