//! Which charts of a chart are used, under which name and with which defaults.

use crate::chart::{Chart, Dependency, ImportValues};
use crate::semver::{Range, Version};
use crate::value::{Map, Text, Value};
use crate::values::coalesce::{Nulls, Scope, TypeMismatch, coalesced, lay_over, leaf, table, take_over};
use crate::values::from_object;
use crate::values::place::Setter;

/// A chart in its place: one that is used twice under two names is two of them.
#[derive(Clone, Debug)]
pub(super) struct Instance<'c> {
    pub(super) chart: &'c Chart,
    /// The alias, or the name of the chart.
    pub(super) name: String,
    /// What it asks for, of which those that are not used are taken out.
    pub(super) dependencies: Option<Vec<Dependency>>,
    values: Map,
    pub(super) inside: Vec<Instance<'c>>,
}

impl Scope for Instance<'_> {
    fn name(&self) -> &str {
        &self.name
    }

    fn values(&self) -> &Map {
        &self.values
    }

    fn inside(&self) -> &[Self] {
        &self.inside
    }
}

impl<'c> Instance<'c> {
    /// `chart` with all charts that it carries along.
    pub(super) fn of(chart: &'c Chart) -> Self {
        Self {
            chart,
            name: chart.metadata.name.clone(),
            dependencies: chart.metadata.dependencies.clone(),
            values: from_object(&chart.values),
            inside: chart.dependencies.iter().map(Self::of).collect(),
        }
    }

    /// Adds the defaults of this chart and of those inside of it, the innermost first.
    pub(super) fn add_setters<'v>(&'v self, setters: &mut Vec<Setter<'v>>) {
        self.add_setters_of(&format!("{}/", self.name), &[], setters);
    }

    fn add_setters_of<'v>(&'v self, folder: &str, scope: &[String], setters: &mut Vec<Setter<'v>>) {
        for inside in &self.inside {
            let scope: Vec<String> = scope.iter().chain([&inside.name]).cloned().collect();
            inside.add_setters_of(&format!("{folder}{}/", inside.chart.folder), &scope, setters);
        }
        if let Some(text) = &self.chart.values_file {
            setters.push(Setter::Defaults { file: format!("{folder}values.yaml"), text, scope: scope.to_vec() });
        }
    }

    /// Takes out what `given` and the defaults say is not used, and takes values over from charts inside.
    pub(super) fn process_dependencies(&mut self, given: &Map) -> Result<(), TypeMismatch> {
        self.take_out_disabled(given, "")?;
        self.import_values()
    }

    /// # Follows Helm
    /// What no entry of `dependencies` asks for stays. Tags come first, then the condition has the last word.
    fn take_out_disabled(&mut self, given: &Map, path: &str) -> Result<(), TypeMismatch> {
        let Some(mut asked) = self.dependencies.take() else { return Ok(()) };
        let is_asked = |inside: &Self| asked.iter().any(|dependency| inside.meets(dependency));
        let mut used: Vec<Self> = self.inside.iter().filter(|inside| !is_asked(inside)).cloned().collect();
        for dependency in &asked {
            if let Some(found) = self.inside.iter().find(|inside| inside.meets(dependency)) {
                used.push(Self { name: dependency.effective_name().to_owned(), ..found.clone() });
            }
        }
        self.inside = used;
        self.dependencies = Some(asked.clone());
        let values = coalesced(self, &self.deciding(given, path), Nulls::Remove)?;
        let is_enabled = |dependency: &Dependency| is_enabled(dependency, &values, path);
        let disabled: Vec<String> = asked
            .iter()
            .filter(|dependency| !is_enabled(dependency))
            .map(|dependency| dependency.effective_name().to_owned())
            .collect();
        self.inside.retain(|inside| !disabled.contains(&inside.name));
        asked.retain(|dependency| !disabled.iter().any(|name| name == dependency.effective_name()));
        for inside in &mut self.inside {
            let path = format!("{path}{}.", inside.name);
            inside.take_out_disabled(&values, &path)?;
        }
        self.dependencies = (!asked.is_empty()).then_some(asked);
        Ok(())
    }

    /// The values of `given` that decide which of the charts inside are used, where this chart is at `path`: tags,
    /// conditions, whose paths begin with `path`, and what the charts inside are given.
    fn deciding(&self, given: &Map, path: &str) -> Map {
        let Some((first, _)) = path.split_once('.') else { return given.clone() };
        let decides = |key: &Text, value: &Value| {
            let is_for_inside = || self.inside.iter().any(|inside| inside.name.as_bytes() == &**key);
            let is_named = ["tags", "global", first].iter().any(|name| name.as_bytes() == &**key);
            is_named || !matches!(value, Value::Map(_)) || is_for_inside()
        };
        let entries = given.entries();
        let deciding = entries.iter().filter(|(key, value)| decides(key, value));
        deciding.map(|(key, value)| (key.clone(), value.clone())).collect()
    }

    /// Whether this is the chart that `dependency` asks for.
    fn meets(&self, dependency: &Dependency) -> bool {
        let is_in_range = || {
            let range = Range::parse(&dependency.version).ok()?;
            Some(range.contains(&Version::parse(&self.chart.metadata.version).ok()?))
        };
        self.chart.metadata.name == dependency.name && is_in_range().unwrap_or(false)
    }

    /// Takes values over, those of the innermost charts first.
    ///
    /// # Follows Helm
    /// A map that is taken over is one with that of the chart inside: what another chart adds to it, that chart gets too.
    fn import_values(&mut self) -> Result<(), TypeMismatch> {
        for inside in &mut self.inside {
            inside.import_values()?;
        }
        let Some(dependencies) = &self.dependencies else { return Ok(()) };
        let own = coalesced(self, &Map::default(), Nulls::Keep)?;
        let imported = Map::default();
        for dependency in dependencies {
            for import in &dependency.import_values {
                if let Some(values) = imported_from(&own, dependency.effective_name(), import) {
                    take_over(&imported, &values);
                }
            }
        }
        lay_over(&own, &imported, Nulls::Keep);
        self.values = own;
        Ok(())
    }
}

/// Whether values ask for a chart.
fn is_enabled(dependency: &Dependency, values: &Map, path: &str) -> bool {
    let tags = table(values, "tags");
    let tagged: Vec<bool> = dependency
        .tags
        .iter()
        .filter_map(|tag| match tags.as_ref()?.get(tag.as_bytes())? {
            Value::Bool(bool) => Some(bool),
            _ => None,
        })
        .collect();
    let by_tags = tagged.is_empty() || tagged.contains(&true);
    let conditions = dependency.condition.trim().split(',').filter(|condition| !condition.is_empty());
    let by_condition = conditions.into_iter().find_map(|condition| match leaf(values, &format!("{path}{condition}")) {
        Some(Value::Bool(bool)) => Some(bool),
        _ => None,
    });
    by_condition.unwrap_or(by_tags)
}

/// What one entry of `import-values` takes over from the chart `name`.
fn imported_from(values: &Map, name: &str, import: &ImportValues) -> Option<Map> {
    match import {
        ImportValues::Export(export) => table(values, &format!("{name}.exports.{export}")),
        ImportValues::Path { child, parent } => {
            let found = table(values, &format!("{name}.{child}"))?;
            if parent == "." {
                return Some(found);
            }
            let wrap = |inner: Map, key: &str| [(key.into(), inner.into())].into_iter().collect();
            Some(parent.rsplit('.').fold(found, wrap))
        }
    }
}
