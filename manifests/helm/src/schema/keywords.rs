//! A value under the keywords of one schema.

use std::slice;

use serde_json::{Map as JsonMap, Value as Json};

use super::validate::{Checked, Key, Seen, Site, Validator};
use super::{Draft, Problem, format};
use crate::number;
use crate::value::{List, Map, Text, Value};

/// A value that is checked against the keywords of one schema.
pub(super) struct Check<'c, 's> {
    pub(super) validator: &'c Validator<'s>,
    pub(super) keywords: &'s JsonMap<String, Json>,
    pub(super) site: &'c Site<'c>,
    /// What other keywords have looked at.
    pub(super) seen: &'c mut Seen,
    /// What is wrong.
    pub(super) problems: Vec<Problem>,
}

impl<'s> Check<'_, 's> {
    /// Checks all keywords.
    pub(super) fn run(mut self) -> Checked<Vec<Problem>> {
        if let Some(Json::String(reference)) = self.keywords.get("$ref") {
            self.problems.extend(self.validator.schema(
                self.validator.referenced(reference)?,
                &self.site.same(),
                self.seen,
            )?);
            if self.validator.draft <= Draft::Seven {
                return Ok(self.problems);
            }
        }
        if let Some(problem) = wrong_type(self.keywords, self.site.value) {
            self.problems.push(self.site.problem(problem));
            return Ok(self.problems);
        }
        self.problems.extend(wrong_content(self.keywords, self.site.value).map(|problem| self.site.problem(problem)));
        match self.site.value {
            Value::Int(..) | Value::Uint(..) | Value::Float(_) => self.number(),
            Value::Text(text) => self.text(text)?,
            Value::List(list) => self.list(list)?,
            Value::Map(map) => self.map(map)?,
            Value::Missing | Value::Nil | Value::Bool(_) | Value::Bytes(_) | Value::Object(_) => {}
        }
        self.combinations()?;
        self.unevaluated()?;
        Ok(self.problems)
    }

    fn number(&mut self) {
        let got = to_float(self.site.value);
        let limit = |name: &str| self.keywords.get(name).and_then(Json::as_f64);
        let is_exclusive =
            |name: &str| self.validator.draft == Draft::Four && self.keywords.get(name) == Some(&Json::Bool(true));
        let say = |name: &str, want: f64| {
            self.site.problem(format!("{name}: got {}, want {}", show_number(got), show_number(want)))
        };
        if let Some(want) = limit("minimum") {
            let exclusive = is_exclusive("exclusiveMinimum");
            if got < want || exclusive && got <= want {
                self.problems.push(say(if exclusive { "exclusiveMinimum" } else { "minimum" }, want));
            }
        }
        if let Some(want) = limit("maximum") {
            let exclusive = is_exclusive("exclusiveMaximum");
            if got > want || exclusive && got >= want {
                self.problems.push(say(if exclusive { "exclusiveMaximum" } else { "maximum" }, want));
            }
        }
        self.problems
            .extend(limit("exclusiveMinimum").filter(|want| got <= *want).map(|want| say("exclusiveMinimum", want)));
        self.problems
            .extend(limit("exclusiveMaximum").filter(|want| got >= *want).map(|want| say("exclusiveMaximum", want)));
        let is_multiple = |of: &f64| {
            let quotient = got / of;
            (quotient - quotient.round()).abs() < 1e-9 * quotient.abs().max(1.0)
        };
        self.problems.extend(limit("multipleOf").filter(|want| !is_multiple(want)).map(|want| say("multipleOf", want)));
    }

    fn text(&mut self, text: &Text) -> Checked<()> {
        let shown = text.to_str();
        let length = shown.chars().count();
        self.problems
            .extend(bounds(self.keywords, "minLength", "maxLength", length).map(|problem| self.site.problem(problem)));
        if let Some(Json::String(pattern)) = self.keywords.get("pattern")
            && !matches_pattern(pattern, &shown)?
        {
            self.problems.push(self.site.problem(format!(
                "{} does not match pattern {}",
                quote(&shown),
                quote(pattern)
            )));
        }
        if let Some(Json::String(format)) = self.keywords.get("format")
            && self.validator.draft <= Draft::Seven
            && let Some(problem) = format::problem(format, &shown)
        {
            self.problems.push(self.site.problem(format!("{} is not valid {format}: {problem}", quote(&shown))));
        }
        Ok(())
    }

    fn list(&mut self, list: &List) -> Checked<()> {
        self.problems.extend(
            bounds(self.keywords, "minItems", "maxItems", list.len()).map(|problem| self.site.problem(problem)),
        );
        if self.keywords.get("uniqueItems") == Some(&Json::Bool(true)) {
            self.problems.extend(equal_items(list).map(|problem| self.site.problem(problem)));
        }
        let (each, rest) = match (self.keywords.get("prefixItems"), self.keywords.get("items")) {
            (Some(Json::Array(each)), rest) => (each.as_slice(), rest),
            (_, Some(Json::Array(each))) => (each.as_slice(), self.keywords.get("additionalItems")),
            (_, rest) => (&[][..], rest),
        };
        for (index, item) in list.iter().enumerate() {
            let Some(schema) = each.get(index).or(rest) else { continue };
            self.seen.items.insert(index);
            if schema == &Json::Bool(false) && index >= each.len() {
                let count = list.len() - each.len();
                self.problems.push(self.site.problem(format!("last {count} additionalItem(s) not allowed")));
                self.seen.items.extend(index..list.len());
                break;
            }
            self.problems.extend(self.validator.schema(
                schema,
                &self.site.inside(item, Key::Index(index)),
                &mut Seen::default(),
            )?);
        }
        self.contains(list)
    }

    fn contains(&mut self, list: &List) -> Checked<()> {
        let Some(schema) = self.keywords.get("contains") else { return Ok(()) };
        let (mut matching, mut others) = (Vec::new(), Vec::new());
        for (index, item) in list.iter().enumerate() {
            let below = self.site.inside(item, Key::Index(index));
            match self.validator.schema(schema, &below, &mut Seen::default())? {
                None => matching.push(index),
                Some(problem) => others.push(problem),
            }
        }
        let found = match &*matching {
            [] => "but none matched".to_owned(),
            items => {
                let places: Vec<String> = items.iter().map(usize::to_string).collect();
                format!("but matched {} items at {}", items.len(), places.join(" "))
            }
        };
        let count =
            |name: &str| self.keywords.get(name).and_then(Json::as_u64).and_then(|count| usize::try_from(count).ok());
        match count("minContains") {
            None if matching.is_empty() => {
                let message = "no items match contains schema";
                self.problems.push(Problem::with_causes(&self.site.pointer(), message, others));
            }
            Some(least) if matching.len() < least => {
                let message = format!("min {least} items required to match contains schema, {found}");
                self.problems.push(Problem::with_causes(&self.site.pointer(), message, others));
            }
            None | Some(_) => {}
        }
        if let Some(most) = count("maxContains").filter(|most| matching.len() > *most) {
            let message = format!("max {most} items required to match contains schema, {found}");
            self.problems.push(self.site.problem(message));
        }
        self.seen.items.extend(matching);
        Ok(())
    }

    fn map(&mut self, map: &Map) -> Checked<()> {
        self.problems.extend(
            bounds(self.keywords, "minProperties", "maxProperties", map.len())
                .map(|problem| self.site.problem(problem)),
        );
        self.problems.extend(missing(self.keywords.get("required"), map).map(|problem| self.site.problem(problem)));
        let entries = map.snapshot();
        let mut additional = Vec::new();
        for (key, value) in &entries {
            let name = key.to_str();
            let below = self.site.inside(value, Key::Name(&name));
            let mut is_known = false;
            if let Some(schema) = self.keywords.get("properties").and_then(|properties| properties.get(&*name)) {
                is_known = true;
                self.problems.extend(self.validator.schema(schema, &below, &mut Seen::default())?);
            }
            for (pattern, schema) in
                self.keywords.get("patternProperties").and_then(Json::as_object).into_iter().flatten()
            {
                if matches_pattern(pattern, &name)? {
                    is_known = true;
                    self.problems.extend(self.validator.schema(schema, &below, &mut Seen::default())?);
                }
            }
            if let Some(schema) = self.keywords.get("propertyNames") {
                let named = Value::Text(key.clone());
                let problem = self.validator.schema(schema, &self.site.with(&named), &mut Seen::default())?;
                self.problems.extend(problem.map(|problem| {
                    Problem::with_causes(
                        &self.site.pointer(),
                        format!("invalid propertyName {}", quote(&name)),
                        vec![problem],
                    )
                }));
            }
            match self.keywords.get("additionalProperties") {
                Some(_) if is_known => {}
                Some(Json::Bool(false)) => additional.push(quote(&name)),
                Some(schema) => self.problems.extend(self.validator.schema(schema, &below, &mut Seen::default())?),
                None if !is_known => continue,
                None => {}
            }
            // Earlier drafts have no keyword that asks.
            if self.validator.draft > Draft::Seven {
                self.seen.properties.insert(key.clone());
            }
        }
        if !additional.is_empty() {
            self.problems
                .push(self.site.problem(format!("additional properties {} not allowed", additional.join(", "))));
        }
        self.dependencies(map)
    }

    fn dependencies(&mut self, map: &Map) -> Checked<()> {
        for name in ["dependencies", "dependentRequired", "dependentSchemas"] {
            for (key, wanted) in self.keywords.get(name).and_then(Json::as_object).into_iter().flatten() {
                if !map.contains(key.as_bytes()) {
                    continue;
                }
                if let Json::Array(names) = wanted {
                    let absent = names.iter().filter_map(Json::as_str).filter(|name| !map.contains(name.as_bytes()));
                    let absent: Vec<String> = absent.map(quote).collect();
                    if !absent.is_empty() {
                        let message = format!("properties {} required, if {} exists", absent.join(", "), quote(key));
                        self.problems.push(self.site.problem(message));
                    }
                } else {
                    self.problems.extend(self.validator.schema(wanted, &self.site.same(), self.seen)?);
                }
            }
        }
        Ok(())
    }

    fn combinations(&mut self) -> Checked<()> {
        let list = |name: &str| self.keywords.get(name).and_then(Json::as_array).map(Vec::as_slice);
        if let Some(schemas) = list("allOf") {
            let causes = self.each(schemas)?.into_iter().flatten().collect::<Vec<_>>();
            if !causes.is_empty() {
                self.problems.push(Problem::with_causes(&self.site.pointer(), "'allOf' failed", causes));
            }
        }
        if let Some(schemas) = list("anyOf") {
            let outcomes = self.each(schemas)?;
            if outcomes.iter().all(Option::is_some) {
                let causes = outcomes.into_iter().flatten().collect();
                self.problems.push(Problem::with_causes(&self.site.pointer(), "'anyOf' failed", causes));
            }
        }
        if let Some(schemas) = list("oneOf") {
            let outcomes = self.each(schemas)?;
            let met: Vec<usize> =
                outcomes.iter().enumerate().filter(|(_, problem)| problem.is_none()).map(|(index, _)| index).collect();
            match met[..] {
                [_] => {}
                [] => {
                    let causes = outcomes.into_iter().flatten().collect();
                    self.problems.push(Problem::with_causes(
                        &self.site.pointer(),
                        "'oneOf' failed, none matched",
                        causes,
                    ));
                }
                [first, second, ..] => {
                    self.problems
                        .push(self.site.problem(format!("'oneOf' failed, subschemas {first}, {second} matched")));
                }
            }
        }
        if let Some(schema) = self.keywords.get("not")
            && self.validator.schema(schema, &self.site.same(), &mut Seen::default())?.is_none()
        {
            self.problems.push(self.site.problem("'not' failed"));
        }
        if let Some(condition) = self.keywords.get("if").filter(|_| self.validator.draft >= Draft::Seven) {
            let is_met = self.each(slice::from_ref(condition))?.iter().all(Option::is_none);
            if let Some(schema) = self.keywords.get(if is_met { "then" } else { "else" }) {
                self.problems.extend(self.validator.schema(schema, &self.site.same(), self.seen)?);
            }
        }
        Ok(())
    }

    /// What is wrong under each of `schemas`. Only one that is met counts as having seen something.
    fn each(&mut self, schemas: &'s [Json]) -> Checked<Vec<Option<Problem>>> {
        let mut outcomes = Vec::new();
        for schema in schemas {
            let mut theirs = Seen::default();
            let outcome = self.validator.schema(schema, &self.site.same(), &mut theirs)?;
            if outcome.is_none() {
                self.seen.add(theirs);
            }
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }

    fn unevaluated(&mut self) -> Checked<()> {
        if self.validator.draft <= Draft::Seven {
            return Ok(());
        }
        if let (Some(schema), Value::Map(map)) = (self.keywords.get("unevaluatedProperties"), self.site.value) {
            for (key, value) in map.snapshot().into_iter().filter(|(key, _)| !self.seen.properties.contains(key)) {
                let name = key.to_str();
                let below = self.site.inside(&value, Key::Name(&name));
                self.problems.extend(self.validator.schema(schema, &below, &mut Seen::default())?);
            }
            self.seen.properties.extend(map.entries().keys().cloned());
        }
        if let (Some(schema), Value::List(list)) = (self.keywords.get("unevaluatedItems"), self.site.value) {
            let unseen: Vec<usize> = (0..list.len()).filter(|index| !self.seen.items.contains(index)).collect();
            for index in unseen {
                let below = self.site.inside(&list[index], Key::Index(index));
                self.problems.extend(self.validator.schema(schema, &below, &mut Seen::default())?);
            }
            self.seen.items.extend(0..list.len());
        }
        Ok(())
    }
}

fn to_float(value: &Value) -> f64 {
    match value {
        Value::Float(number) => *number,
        #[expect(clippy::cast_precision_loss, reason = "JSON numbers are floats")]
        Value::Int(number, _) => *number as f64,
        #[expect(clippy::cast_precision_loss, reason = "JSON numbers are floats")]
        Value::Uint(number, _) => *number as f64,
        _ => f64::NAN,
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Bool(_) => "boolean",
        Value::Int(..) | Value::Uint(..) | Value::Float(_) => "number",
        Value::List(_) => "array",
        Value::Map(_) => "object",
        Value::Missing | Value::Nil => "null",
        Value::Text(_) | Value::Bytes(_) | Value::Object(_) => "string",
    }
}

fn wrong_type(keywords: &JsonMap<String, Json>, value: &Value) -> Option<String> {
    let wanted = match keywords.get("type")? {
        name @ Json::String(_) => slice::from_ref(name),
        Json::Array(names) => names,
        _ => return None,
    };
    let got = type_of(value);
    let is_integer = got == "number" && to_float(value).fract() == 0.0;
    let names = wanted.iter().filter_map(Json::as_str);
    if names.clone().any(|name| name == got || name == "integer" && is_integer) {
        return None;
    }
    let mut wanted: Vec<&str> = names.collect();
    let rank = |name: &str| {
        ["null", "boolean", "number", "integer", "string", "array", "object"].iter().position(|known| *known == name)
    };
    wanted.sort_by_key(|name| rank(name));
    Some(format!("got {got}, want {}", wanted.join(" or ")))
}

fn wrong_content(keywords: &JsonMap<String, Json>, value: &Value) -> Option<String> {
    let is_same = |json: &Json| same(&Value::from_json(json), value);
    if let Some(wanted) = keywords.get("const")
        && !is_same(wanted)
    {
        return Some(
            show(wanted).map_or_else(|| "'const' failed".to_owned(), |wanted| format!("value must be {wanted}")),
        );
    }
    let Some(Json::Array(wanted)) = keywords.get("enum") else { return None };
    if wanted.iter().any(is_same) {
        return None;
    }
    let shown: Option<Vec<String>> = wanted.iter().map(show).collect();
    Some(match shown {
        Some(shown) if shown.len() == 1 => format!("value must be {}", shown[0]),
        Some(shown) => format!("value must be one of {}", shown.join(", ")),
        None => "'enum' failed".to_owned(),
    })
}

/// Whether two JSON values are equal; numbers are by their value.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::List(a), Value::List(b)) => a.len() == b.len() && a.iter().zip(b.iter()).all(|(a, b)| same(a, b)),
        (Value::Map(a), Value::Map(b)) => {
            let (a, b) = (a.entries(), b.entries());
            a.len() == b.len() && a.iter().zip(b.iter()).all(|((key_a, a), (key_b, b))| key_a == key_b && same(a, b))
        }
        #[expect(clippy::float_cmp, reason = "JSON numbers are equal or not")]
        (a, b) if type_of(a) == "number" && type_of(b) == "number" => to_float(a) == to_float(b),
        (a, b) => a.deep_equal(b),
    }
}

/// A plain JSON value as messages show it; `None` for a list or a map.
fn show(json: &Json) -> Option<String> {
    match json {
        Json::Null => Some("null".to_owned()),
        Json::Bool(bool) => Some(bool.to_string()),
        Json::Number(number) => Some(number.as_f64().map_or_else(|| number.to_string(), show_number)),
        Json::String(text) => Some(quote(text)),
        Json::Array(_) | Json::Object(_) => None,
    }
}

fn show_number(number: f64) -> String {
    number::format_general(number)
}

fn quote(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn bounds(
    keywords: &JsonMap<String, Json>,
    least: &'static str,
    most: &'static str,
    got: usize,
) -> impl Iterator<Item = String> {
    let limit = |name: &str| keywords.get(name).and_then(Json::as_f64);
    #[expect(clippy::cast_precision_loss, reason = "no length is so long")]
    let size = got as f64;
    let short = limit(least).filter(|want| size < *want).map(|want| format!("{least}: got {got}, want {want}"));
    let long = limit(most).filter(|want| size > *want).map(|want| format!("{most}: got {got}, want {want}"));
    short.into_iter().chain(long)
}

fn missing(required: Option<&Json>, map: &Map) -> Option<String> {
    let names = required.and_then(Json::as_array)?.iter().filter_map(Json::as_str);
    let absent: Vec<String> = names.filter(|name| !map.contains(name.as_bytes())).map(quote).collect();
    match absent.len() {
        0 => None,
        1 => Some(format!("missing property {}", absent[0])),
        _ => Some(format!("missing properties {}", absent.join(", "))),
    }
}

fn equal_items(list: &List) -> Option<String> {
    (0..list.len()).find_map(|second| {
        let first = (0..second).find(|first| same(&list[*first], &list[second]))?;
        Some(format!("items at {first} and {second} are equal"))
    })
}

fn matches_pattern(pattern: &str, text: &str) -> Checked<bool> {
    let regex = crate::patterns::compiled(pattern).map_err(|_| format!("{} is not valid regex", quote(pattern)))?;
    Ok(regex.is_match(text))
}
