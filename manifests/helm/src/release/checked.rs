//! A chart rendered as far as it goes, past the first mistake.

use std::slice;

use serde_json::Value as Json;

use super::capabilities::Capabilities;
use super::hooks::{Role, role};
use super::manifests::{self, NOTES, documents};
use super::prepared::{Prepared, check_dependencies, check_kube_version, check_name, in_order};
use super::root::{Root, TemplateFile};
use super::schemas::check_schemas;
use super::{Release, RenderError, RenderedFile, Schemas, on_deep_stack};
use crate::chart::Chart;
use crate::codec::yaml;
use crate::template::{Limits, Machine, World};
use crate::values::{UserValues, merged};

/// What could be found out about a chart by rendering it.
#[derive(Default)]
pub(crate) struct Checked {
    /// All that went wrong.
    pub errors: Vec<RenderError>,
    /// The documents that templates made.
    pub documents: Vec<CheckedDocument>,
}

/// A document that a template made.
pub(crate) struct CheckedDocument {
    /// The template, as Helm calls it.
    pub file: String,
    /// The line of it that makes the document.
    pub line: u32,
    /// What it says.
    pub object: Json,
    /// What its annotations make of it.
    pub fate: Fate,
}

/// What becomes of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is installed.
    Installed,
    /// It is a hook.
    Hook,
    /// It is left out, because it is a hook of an event that does not exist.
    LeftOut,
}

impl Checked {
    /// Renders `chart`, and goes on after what is wrong.
    pub(crate) fn of(
        chart: &Chart,
        release: &Release,
        given: &[UserValues],
        world: &(dyn World + Sync),
        limits: Limits,
    ) -> Self {
        let checked = on_deep_stack(|| {
            let mut checked = Self::default();
            checked.render(chart, release, given, world, limits);
            Ok(checked)
        });
        checked.unwrap_or_else(|error| Self { errors: vec![error], ..Self::default() })
    }

    fn render(&mut self, chart: &Chart, release: &Release, given: &[UserValues], world: &dyn World, limits: Limits) {
        let sound = self.sound(given);
        self.note(check_name(&release.name));
        self.note(check_dependencies(chart));
        let laid_over = merged(&sound).map_err(RenderError::from);
        let laid_over = laid_over.and_then(|merged| Prepared::laid_over(chart, &sound, &merged));
        let (Some(prepared), Some(capabilities)) = (self.note(laid_over), self.note(Capabilities::new(release))) else {
            return;
        };
        if release.schemas == Schemas::Checked {
            self.note(check_schemas(&prepared));
        }
        self.note(check_kube_version(chart, &capabilities));
        self.execute(&prepared, &prepared.roots(release, capabilities), world, limits);
    }

    /// Those of `given` that can be used.
    fn sound(&mut self, given: &[UserValues]) -> Vec<UserValues> {
        let mut is_sound =
            |values: &UserValues| self.note(merged(slice::from_ref(values)).map_err(RenderError::from)).is_some();
        given.iter().filter(|values| is_sound(values)).cloned().collect()
    }

    fn execute(&mut self, prepared: &Prepared<'_>, roots: &[Root<'_>], world: &dyn World, limits: Limits) {
        let templates = in_order(roots);
        let (mut parsed, mut sound): (_, Vec<(&TemplateFile<'_>, &Root<'_>)>) = (Vec::new(), Vec::new());
        for (template, root) in &templates {
            if let Some(found) = self.note(template.parse()) {
                parsed.extend(found);
                sound.push((template, root));
            }
        }
        let is_whole = sound.len() == templates.len();
        for (template, root) in sound.into_iter().filter(|(template, _)| !template.is_partial()) {
            // One that stopped may have left its machine in the middle of something.
            let mut machine = Machine::new(&parsed, world, limits);
            match prepared.execute_one(&mut machine, template, root) {
                Ok(file) => self.read(&file),
                // What is missing may be in a file that does not parse.
                Err(error) if !is_whole && error.lacks_template() => {}
                Err(error) => self.errors.push(error),
            }
        }
    }

    fn read(&mut self, file: &RenderedFile) {
        if file.path.ends_with(NOTES) {
            return;
        }
        for document in documents(&String::from_utf8_lossy(&file.content)) {
            let Some((manifest, annotations)) = self.note(manifests::read(file, &document)) else { continue };
            let object = yaml::first_json(document.text).ok().flatten().unwrap_or(Json::Null);
            let line = manifest.line_in_file(1);
            let fate = match role(manifest, &annotations) {
                Role::Plain(_) => Fate::Installed,
                Role::Hook(_) => Fate::Hook,
                Role::Unknown => Fate::LeftOut,
            };
            self.documents.push(CheckedDocument { file: file.path.clone(), line, object, fate });
        }
    }

    /// Keeps what is wrong.
    fn note<T>(&mut self, outcome: Result<T, RenderError>) -> Option<T> {
        outcome.map_err(|error| self.errors.push(error)).ok()
    }
}
