//! A chart made ready for its templates, and what they make of it.

use std::{cmp::Reverse, rc::Rc};

use super::capabilities::Capabilities;
use super::root::{Root, TemplateFile, roots};
use super::schemas::check_schemas;
use super::{Instance, Release, RenderError, RenderedFile, Schemas, ValuesRead, advice, error, reads};
use crate::chart::{Chart, ChartType};
use crate::semver::{Range, Version};
use crate::template::{Limits, Machine, Printed, World};
use crate::value::{Map, Reads, Value};
use crate::values::coalesce::{Nulls, coalesced};
use crate::values::place::Setter;
use crate::values::{UserValues, merged, sorted};

/// A chart with its values laid over each other.
pub(super) struct Prepared<'c> {
    pub(super) chart: Instance<'c>,
    pub(super) values: Map,
    given: &'c [UserValues],
}

impl<'c> Prepared<'c> {
    /// Checks all that must hold before templates are executed.
    pub(super) fn new(chart: &'c Chart, release: &Release, given: &'c [UserValues]) -> Result<Self, RenderError> {
        let merged = merged(given)?;
        if chart.metadata.chart_type == ChartType::Library {
            return Err(RenderError::Library);
        }
        check_dependencies(chart)?;
        check_name(&release.name)?;
        let prepared = Self::laid_over(chart, given, &merged)?;
        if release.schemas == Schemas::Checked {
            check_schemas(&prepared)?;
        }
        Ok(prepared)
    }

    /// Lays `given`, which was `merged`, over the defaults of the charts that are used.
    pub(super) fn laid_over(chart: &'c Chart, given: &'c [UserValues], merged: &Map) -> Result<Self, RenderError> {
        let mut instance = Instance::of(chart);
        instance.process_dependencies(merged).map_err(RenderError::Dependencies)?;
        let values = coalesced(&instance, merged, Nulls::Remove).map_err(RenderError::Values)?;
        Ok(Self { chart: instance, values, given })
    }

    /// All that sets values, the weakest first: defaults from the innermost chart on, then what the user gives.
    pub(super) fn setters(&self) -> Vec<Setter<'_>> {
        let mut setters = Vec::new();
        self.chart.add_setters(&mut setters);
        setters.extend(sorted(self.given).into_iter().map(Setter::Given));
        setters
    }

    /// Executes all templates, and notes in a record what they read of the values, where there is one.
    pub(super) fn execute(
        &self,
        release: &Release,
        world: &dyn World,
        limits: Limits,
        record: Option<(&Rc<Reads>, &mut ValuesRead)>,
    ) -> Result<Vec<RenderedFile>, RenderError> {
        let capabilities = Capabilities::new(release)?;
        check_kube_version(self.chart.chart, &capabilities)?;
        let roots = self.roots(release, capabilities);
        let templates = in_order(&roots);
        let mut parsed = Vec::new();
        for (template, _) in &templates {
            parsed.extend(template.parse()?);
        }
        let mut machine = Machine::new(&parsed, world, limits);
        let files = templates.iter().filter(|(template, _)| !template.is_partial());
        let Some((reads, read)) = record else {
            return files.map(|(template, root)| self.execute_one(&mut machine, template, root)).collect();
        };
        let Value::Map(before) = Value::Map(self.values.clone()).deep_copy() else {
            unreachable!("a copy of a map is a map");
        };
        drop(reads.take());
        let mut machine = machine.noting(Rc::clone(reads));
        files
            .map(|(template, root)| {
                let mut file = self.execute_one(&mut machine, template, root)?;
                let looks = reads.take();
                read.add(&looks, &before);
                file.values = looks.iter().map(|look| (look.time, reads::path_of(look))).collect();
                Ok(file)
            })
            .collect()
    }

    /// What templates see, chart by chart.
    pub(super) fn roots(&self, release: &Release, capabilities: Capabilities) -> Vec<Root<'_>> {
        roots(&self.chart, release, Value::Object(Rc::new(capabilities)), &self.values)
    }

    /// Executes a template that `machine` knows.
    pub(super) fn execute_one(
        &self,
        machine: &mut Machine<'_>,
        template: &TemplateFile<'_>,
        root: &Root<'_>,
    ) -> Result<RenderedFile, RenderError> {
        let TemplateFile { path, file, .. } = template;
        let made = machine.render(path, root.for_template(path)).map_err(|cause| RenderError::Execute {
            file: path.clone(),
            problem: error::explained(&cause),
            hint: advice::on_template(&cause, self),
            lacks_template: cause.lacks_template(),
        });
        let Printed { text, lines } = made?;
        Ok(RenderedFile { path: path.clone(), file: file.clone(), content: text, lines, values: Vec::new() })
    }
}

/// All templates, in the order in which they are executed.
///
/// # Follows Helm
/// The deepest come first, and among those the last by name. All know each other, so that a chart replaces what a chart
/// inside of it defines; and what one does to the values is seen by those after it.
pub(super) fn in_order<'r, 'i>(roots: &'r [Root<'i>]) -> Vec<(TemplateFile<'i>, &'r Root<'i>)> {
    let mut templates: Vec<_> =
        roots.iter().flat_map(|root| root.templates().map(move |template| (template, root))).collect();
    templates.sort_by_cached_key(|(template, _)| Reverse((template.path.matches('/').count(), template.path.clone())));
    templates
}

pub(super) fn check_name(name: &str) -> Result<(), RenderError> {
    const MAX_BYTES: usize = 53;
    let is_part = |part: &str| {
        let is_inner = |char: char| char.is_ascii_lowercase() || char.is_ascii_digit() || char == '-';
        !part.is_empty() && part.chars().all(is_inner) && !part.starts_with('-') && !part.ends_with('-')
    };
    if name.len() <= MAX_BYTES && name.split('.').all(is_part) {
        Ok(())
    } else {
        Err(RenderError::Name(name.to_owned()))
    }
}

pub(super) fn check_dependencies(chart: &Chart) -> Result<(), RenderError> {
    let has = |name: &str| chart.dependencies.iter().any(|inside| inside.metadata.name == name);
    let asked = chart.metadata.dependencies.iter().flatten().map(|dependency| dependency.name.clone());
    let missing: Vec<String> = asked.filter(|name| !has(name)).collect();
    if missing.is_empty() { Ok(()) } else { Err(RenderError::MissingDependencies(missing)) }
}

pub(super) fn check_kube_version(chart: &Chart, capabilities: &Capabilities) -> Result<(), RenderError> {
    let wanted = &chart.metadata.kube_version;
    if wanted.is_empty() {
        return Ok(());
    }
    let version = capabilities.kube_version().normalized();
    let is_met =
        Range::parse(wanted).is_ok_and(|range| Version::parse(version).is_ok_and(|version| range.contains(&version)));
    if is_met {
        return Ok(());
    }
    Err(RenderError::KubeVersion { wanted: wanted.clone(), version: version.to_owned() })
}
