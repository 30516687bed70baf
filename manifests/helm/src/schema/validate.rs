//! Values against schemas.

use std::collections::BTreeSet;

use serde_json::{Map as JsonMap, Value as Json};

use super::{Draft, Problem, format};
use crate::number;
use crate::value::{List, Map, Text, Value};

/// Deepest nesting of schemas, references followed.
const MAX_DEPTH: usize = 200;

/// The schema of one file.
pub(super) struct Validator<'s> {
    root: &'s Json,
    draft: Draft,
}

/// What the keywords of a schema have looked at, for `unevaluatedProperties` and `unevaluatedItems`.
#[derive(Default)]
struct Seen {
    properties: BTreeSet<Text>,
    items: BTreeSet<usize>,
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.properties.extend(other.properties);
        self.items.extend(other.items);
    }
}

/// A value under a schema.
struct Site<'v> {
    value: &'v Value,
    pointer: String,
    depth: usize,
}

impl<'v> Site<'v> {
    fn inside(&self, value: &'v Value, key: &str) -> Self {
        let key = key.replace('~', "~0").replace('/', "~1");
        Self { value, pointer: format!("{}/{key}", self.pointer), depth: self.depth + 1 }
    }

    fn same(&self) -> Self {
        Self { value: self.value, pointer: self.pointer.clone(), depth: self.depth + 1 }
    }

    fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::new(&self.pointer, message)
    }
}

/// A schema that cannot be used, in words.
type Checked<T> = Result<T, String>;

impl<'s> Validator<'s> {
    pub(super) fn new(root: &'s Json, draft: Draft) -> Self {
        Self { root, draft }
    }

    pub(super) fn root(&self, value: &Value) -> Checked<Option<Problem>> {
        let site = Site { value, pointer: String::new(), depth: 0 };
        self.schema(self.root, &site, &mut Seen::default())
    }

    fn schema(&self, schema: &'s Json, site: &Site<'_>, seen: &mut Seen) -> Checked<Option<Problem>> {
        if site.depth > MAX_DEPTH {
            return Err(format!("the schema is nested deeper than {MAX_DEPTH}"));
        }
        match schema {
            Json::Bool(true) => Ok(None),
            Json::Bool(false) => Ok(Some(site.problem("false schema"))),
            Json::Object(keywords) => {
                let mut problems = Vec::new();
                self.keywords(keywords, site, seen, &mut problems)?;
                Ok(Problem::grouped(&site.pointer, problems))
            }
            Json::Null | Json::Number(_) | Json::String(_) | Json::Array(_) => {
                Err("a schema is neither an object nor a boolean".to_owned())
            }
        }
    }

    fn keywords(
        &self,
        keywords: &'s JsonMap<String, Json>,
        site: &Site<'_>,
        seen: &mut Seen,
        problems: &mut Vec<Problem>,
    ) -> Checked<()> {
        if let Some(Json::String(reference)) = keywords.get("$ref") {
            problems.extend(self.schema(self.referenced(reference)?, &site.same(), seen)?);
            if self.draft <= Draft::Seven {
                return Ok(());
            }
        }
        if let Some(problem) = wrong_type(keywords, site.value) {
            problems.push(site.problem(problem));
            return Ok(());
        }
        problems.extend(wrong_content(keywords, site.value).map(|problem| site.problem(problem)));
        match site.value {
            Value::Int(..) | Value::Uint(..) | Value::Float(_) => self.number(keywords, site, problems),
            Value::Text(text) => self.text(keywords, site, text, problems)?,
            Value::List(list) => self.list(keywords, site, list, seen, problems)?,
            Value::Map(map) => self.map(keywords, site, map, seen, problems)?,
            Value::Missing | Value::Nil | Value::Bool(_) | Value::Bytes(_) | Value::Object(_) => {}
        }
        self.combinations(keywords, site, seen, problems)?;
        self.unevaluated(keywords, site, seen, problems)
    }

    /// The schema that a reference names.
    fn referenced(&self, reference: &str) -> Checked<&'s Json> {
        let missing = || format!("`$ref` {reference} names nothing in this file, and others are not read");
        let fragment = reference.strip_prefix('#').ok_or_else(missing)?;
        if fragment.is_empty() || fragment.starts_with('/') {
            let decoded = fragment.replace("%25", "%").replace("%24", "$");
            return self.root.pointer(&decoded).ok_or_else(missing);
        }
        find_anchor(self.root, fragment, 0).ok_or_else(missing)
    }

    fn number(&self, keywords: &JsonMap<String, Json>, site: &Site<'_>, problems: &mut Vec<Problem>) {
        let got = to_float(site.value);
        let limit = |name: &str| keywords.get(name).and_then(Json::as_f64);
        let is_exclusive = |name: &str| self.draft == Draft::Four && keywords.get(name) == Some(&Json::Bool(true));
        let say = |name: &str, want: f64| {
            site.problem(format!("{name}: got {}, want {}", show_number(got), show_number(want)))
        };
        if let Some(want) = limit("minimum") {
            let exclusive = is_exclusive("exclusiveMinimum");
            if got < want || exclusive && got <= want {
                problems.push(say(if exclusive { "exclusiveMinimum" } else { "minimum" }, want));
            }
        }
        if let Some(want) = limit("maximum") {
            let exclusive = is_exclusive("exclusiveMaximum");
            if got > want || exclusive && got >= want {
                problems.push(say(if exclusive { "exclusiveMaximum" } else { "maximum" }, want));
            }
        }
        problems
            .extend(limit("exclusiveMinimum").filter(|want| got <= *want).map(|want| say("exclusiveMinimum", want)));
        problems
            .extend(limit("exclusiveMaximum").filter(|want| got >= *want).map(|want| say("exclusiveMaximum", want)));
        let is_multiple = |of: &f64| {
            let quotient = got / of;
            (quotient - quotient.round()).abs() < 1e-9 * quotient.abs().max(1.0)
        };
        problems.extend(limit("multipleOf").filter(|want| !is_multiple(want)).map(|want| say("multipleOf", want)));
    }

    fn text(
        &self,
        keywords: &JsonMap<String, Json>,
        site: &Site<'_>,
        text: &Text,
        problems: &mut Vec<Problem>,
    ) -> Checked<()> {
        let shown = text.to_str();
        let length = shown.chars().count();
        problems.extend(bounds(keywords, "minLength", "maxLength", length).map(|problem| site.problem(problem)));
        if let Some(Json::String(pattern)) = keywords.get("pattern")
            && !matches_pattern(pattern, &shown)?
        {
            problems.push(site.problem(format!("{} does not match pattern {}", quote(&shown), quote(pattern))));
        }
        if let Some(Json::String(format)) = keywords.get("format")
            && self.draft <= Draft::Seven
            && let Some(problem) = format::problem(format, &shown)
        {
            problems.push(site.problem(format!("{} is not valid {format}: {problem}", quote(&shown))));
        }
        Ok(())
    }

    fn list(
        &self,
        keywords: &'s JsonMap<String, Json>,
        site: &Site<'_>,
        list: &List,
        seen: &mut Seen,
        problems: &mut Vec<Problem>,
    ) -> Checked<()> {
        problems.extend(bounds(keywords, "minItems", "maxItems", list.len()).map(|problem| site.problem(problem)));
        if keywords.get("uniqueItems") == Some(&Json::Bool(true)) {
            problems.extend(equal_items(list).map(|problem| site.problem(problem)));
        }
        let (each, rest) = match (keywords.get("prefixItems"), keywords.get("items")) {
            (Some(Json::Array(each)), rest) => (each.as_slice(), rest),
            (_, Some(Json::Array(each))) => (each.as_slice(), keywords.get("additionalItems")),
            (_, rest) => (&[][..], rest),
        };
        for (index, item) in list.iter().enumerate() {
            let Some(schema) = each.get(index).or(rest) else { continue };
            seen.items.insert(index);
            if schema == &Json::Bool(false) && index >= each.len() {
                let count = list.len() - each.len();
                problems.push(site.problem(format!("last {count} additionalItem(s) not allowed")));
                seen.items.extend(index..list.len());
                break;
            }
            problems.extend(self.schema(schema, &site.inside(item, &index.to_string()), &mut Seen::default())?);
        }
        self.contains(keywords, site, list, seen, problems)
    }

    fn contains(
        &self,
        keywords: &'s JsonMap<String, Json>,
        site: &Site<'_>,
        list: &List,
        seen: &mut Seen,
        problems: &mut Vec<Problem>,
    ) -> Checked<()> {
        let Some(schema) = keywords.get("contains") else { return Ok(()) };
        let mut matching = Vec::new();
        for (index, item) in list.iter().enumerate() {
            if self.schema(schema, &site.inside(item, &index.to_string()), &mut Seen::default())?.is_none() {
                matching.push(index);
            }
        }
        let count =
            |name: &str| keywords.get(name).and_then(Json::as_u64).and_then(|count| usize::try_from(count).ok());
        match count("minContains") {
            None if matching.is_empty() => problems.push(site.problem("no items match contains schema")),
            Some(least) if matching.len() < least => {
                let message = format!(
                    "min {least} items required to match contains schema, but matched {} items",
                    matching.len()
                );
                problems.push(site.problem(message));
            }
            None | Some(_) => {}
        }
        if let Some(most) = count("maxContains").filter(|most| matching.len() > *most) {
            let message =
                format!("max {most} items required to match contains schema, but matched {} items", matching.len());
            problems.push(site.problem(message));
        }
        seen.items.extend(matching);
        Ok(())
    }

    fn map(
        &self,
        keywords: &'s JsonMap<String, Json>,
        site: &Site<'_>,
        map: &Map,
        seen: &mut Seen,
        problems: &mut Vec<Problem>,
    ) -> Checked<()> {
        problems
            .extend(bounds(keywords, "minProperties", "maxProperties", map.len()).map(|problem| site.problem(problem)));
        problems.extend(missing(keywords.get("required"), map).map(|problem| site.problem(problem)));
        let entries = map.snapshot();
        let mut additional = Vec::new();
        for (key, value) in &entries {
            let name = key.to_str();
            let below = site.inside(value, &name);
            let mut is_known = false;
            if let Some(schema) = keywords.get("properties").and_then(|properties| properties.get(&*name)) {
                is_known = true;
                problems.extend(self.schema(schema, &below, &mut Seen::default())?);
            }
            for (pattern, schema) in keywords.get("patternProperties").and_then(Json::as_object).into_iter().flatten() {
                if matches_pattern(pattern, &name)? {
                    is_known = true;
                    problems.extend(self.schema(schema, &below, &mut Seen::default())?);
                }
            }
            if let Some(schema) = keywords.get("propertyNames") {
                let named = Value::Text(key.clone());
                let problem = self.schema(schema, &Site { value: &named, ..below.same() }, &mut Seen::default())?;
                problems.extend(problem.map(|problem| {
                    Problem::with_causes(&site.pointer, format!("invalid propertyName {}", quote(&name)), vec![problem])
                }));
            }
            match keywords.get("additionalProperties") {
                Some(_) if is_known => {}
                Some(Json::Bool(false)) => additional.push(quote(&name)),
                Some(schema) => problems.extend(self.schema(schema, &below, &mut Seen::default())?),
                None if !is_known => continue,
                None => {}
            }
            seen.properties.insert(key.clone());
        }
        if !additional.is_empty() {
            problems.push(site.problem(format!("additional properties {} not allowed", additional.join(", "))));
        }
        self.dependencies(keywords, site, map, seen, problems)
    }

    fn dependencies(
        &self,
        keywords: &'s JsonMap<String, Json>,
        site: &Site<'_>,
        map: &Map,
        seen: &mut Seen,
        problems: &mut Vec<Problem>,
    ) -> Checked<()> {
        for name in ["dependencies", "dependentRequired", "dependentSchemas"] {
            for (key, wanted) in keywords.get(name).and_then(Json::as_object).into_iter().flatten() {
                if !map.contains(key.as_bytes()) {
                    continue;
                }
                if let Json::Array(names) = wanted {
                    let absent = names.iter().filter_map(Json::as_str).filter(|name| !map.contains(name.as_bytes()));
                    let absent: Vec<String> = absent.map(quote).collect();
                    if !absent.is_empty() {
                        let message = format!("properties {} required, if {} exists", absent.join(", "), quote(key));
                        problems.push(site.problem(message));
                    }
                } else {
                    problems.extend(self.schema(wanted, &site.same(), seen)?);
                }
            }
        }
        Ok(())
    }

    fn combinations(
        &self,
        keywords: &'s JsonMap<String, Json>,
        site: &Site<'_>,
        seen: &mut Seen,
        problems: &mut Vec<Problem>,
    ) -> Checked<()> {
        let list = |name: &str| keywords.get(name).and_then(Json::as_array).map(Vec::as_slice);
        if let Some(schemas) = list("allOf") {
            let causes = self.each(schemas, site, seen)?.into_iter().flatten().collect::<Vec<_>>();
            if !causes.is_empty() {
                problems.push(Problem::with_causes(&site.pointer, "'allOf' failed", causes));
            }
        }
        if let Some(schemas) = list("anyOf") {
            let outcomes = self.each(schemas, site, seen)?;
            if outcomes.iter().all(Option::is_some) {
                let causes = outcomes.into_iter().flatten().collect();
                problems.push(Problem::with_causes(&site.pointer, "'anyOf' failed", causes));
            }
        }
        if let Some(schemas) = list("oneOf") {
            let outcomes = self.each(schemas, site, seen)?;
            let met: Vec<usize> =
                outcomes.iter().enumerate().filter(|(_, problem)| problem.is_none()).map(|(index, _)| index).collect();
            match met[..] {
                [_] => {}
                [] => {
                    let causes = outcomes.into_iter().flatten().collect();
                    problems.push(Problem::with_causes(&site.pointer, "'oneOf' failed, none matched", causes));
                }
                [first, second, ..] => {
                    problems.push(site.problem(format!("'oneOf' failed, subschemas {first}, {second} matched")));
                }
            }
        }
        if let Some(schema) = keywords.get("not")
            && self.schema(schema, &site.same(), &mut Seen::default())?.is_none()
        {
            problems.push(site.problem("'not' failed"));
        }
        if let Some(condition) = keywords.get("if").filter(|_| self.draft >= Draft::Seven) {
            let is_met = self.each(std::slice::from_ref(condition), site, seen)?.iter().all(Option::is_none);
            if let Some(schema) = keywords.get(if is_met { "then" } else { "else" }) {
                problems.extend(self.schema(schema, &site.same(), seen)?);
            }
        }
        Ok(())
    }

    /// What is wrong under each of `schemas`. Only one that is met counts as having seen something.
    fn each(&self, schemas: &'s [Json], site: &Site<'_>, seen: &mut Seen) -> Checked<Vec<Option<Problem>>> {
        let mut outcomes = Vec::new();
        for schema in schemas {
            let mut theirs = Seen::default();
            let outcome = self.schema(schema, &site.same(), &mut theirs)?;
            if outcome.is_none() {
                seen.add(theirs);
            }
            outcomes.push(outcome);
        }
        Ok(outcomes)
    }

    fn unevaluated(
        &self,
        keywords: &'s JsonMap<String, Json>,
        site: &Site<'_>,
        seen: &mut Seen,
        problems: &mut Vec<Problem>,
    ) -> Checked<()> {
        if self.draft <= Draft::Seven {
            return Ok(());
        }
        if let (Some(schema), Value::Map(map)) = (keywords.get("unevaluatedProperties"), site.value) {
            let mut refused = Vec::new();
            for (key, value) in map.snapshot().into_iter().filter(|(key, _)| !seen.properties.contains(key)) {
                let name = key.to_str();
                if schema == &Json::Bool(false) {
                    refused.push(quote(&name));
                } else {
                    problems.extend(self.schema(schema, &site.inside_owned(&value, &name), &mut Seen::default())?);
                }
            }
            if !refused.is_empty() {
                problems.push(site.problem(format!("additional properties {} not allowed", refused.join(", "))));
            }
            seen.properties.extend(map.entries().keys().cloned());
        }
        if let (Some(schema), Value::List(list)) = (keywords.get("unevaluatedItems"), site.value) {
            let unseen: Vec<usize> = (0..list.len()).filter(|index| !seen.items.contains(index)).collect();
            if schema == &Json::Bool(false) && !unseen.is_empty() {
                problems.push(site.problem(format!("last {} additionalItem(s) not allowed", unseen.len())));
            } else {
                for index in unseen {
                    let below = site.inside(&list[index], &index.to_string());
                    problems.extend(self.schema(schema, &below, &mut Seen::default())?);
                }
            }
            seen.items.extend(0..list.len());
        }
        Ok(())
    }
}

impl Site<'_> {
    fn inside_owned<'o>(&self, value: &'o Value, key: &str) -> Site<'o> {
        let key = key.replace('~', "~0").replace('/', "~1");
        Site { value, pointer: format!("{}/{key}", self.pointer), depth: self.depth + 1 }
    }
}

fn find_anchor<'s>(schema: &'s Json, name: &str, depth: usize) -> Option<&'s Json> {
    if depth > MAX_DEPTH {
        return None;
    }
    match schema {
        Json::Object(object) => {
            let id = format!("#{name}");
            let is_named = object.get("$anchor").and_then(Json::as_str) == Some(name)
                || ["$id", "id"].iter().any(|key| object.get(*key).and_then(Json::as_str) == Some(&id));
            if is_named {
                return Some(schema);
            }
            object.values().find_map(|inside| find_anchor(inside, name, depth + 1))
        }
        Json::Array(items) => items.iter().find_map(|inside| find_anchor(inside, name, depth + 1)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => None,
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
    let mut wanted: Vec<&str> = match keywords.get("type")? {
        Json::String(name) => vec![name],
        Json::Array(names) => names.iter().filter_map(Json::as_str).collect(),
        _ => return None,
    };
    let got = type_of(value);
    let is_integer = got == "number" && to_float(value).fract() == 0.0;
    if wanted.iter().any(|name| *name == got || *name == "integer" && is_integer) {
        return None;
    }
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
    let regex = regex::Regex::new(pattern).map_err(|_| format!("{} is not valid regex", quote(pattern)))?;
    Ok(regex.is_match(text))
}
