//! What all templates of one rendering share.

use std::{collections::HashMap, rc::Rc, sync::Arc};

use super::ast::Template;
use super::error::{CallError, ExecError, LimitError};
use super::eval::Execution;
use super::marks::Marks;
use super::parse;
use crate::value::{Reads, Text, Value};

/// What templates may know of the world outside of their chart. A plan has one that does not change.
pub trait World {
    /// The time.
    fn now(&self) -> jiff::Zoned;

    /// Fills `bytes` with random ones.
    fn fill_random(&self, bytes: &mut [u8]);

    /// The object of this name in the cluster, or the list of them if the name is empty; nothing if there is none.
    fn lookup(&self, api_version: &str, kind: &str, namespace: &str, name: &str) -> Option<serde_json::Value>;
}

/// How much a rendering may use.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many nodes and elements may be evaluated.
    pub steps: u64,
    /// How many bytes may be made, texts that are thrown away included.
    pub bytes: u64,
    /// How deeply templates, branches and parentheses may be nested in each other.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 50_000_000, bytes: 1 << 30, depth: 10_000 }
    }
}

/// How often a template may include itself before Helm calls it a loop.
const MAX_SELF_INCLUDES: usize = 1000;

/// How deeply `include` and `tpl` may be nested in each other, whatever they execute. An error names them all.
const MAX_CALLS: usize = 2000;

/// Stack that a rendering needs at [`Limits::depth`].
pub(crate) const STACK_BYTES: usize = 1 << 30;

/// What a template prints.
pub(crate) struct Printed {
    /// The text.
    pub text: Vec<u8>,
    /// The line of the template that each line of the text comes from.
    pub lines: Vec<u32>,
}

/// Executes templates that know each other.
pub(crate) struct Machine<'w> {
    world: &'w dyn World,
    templates: Rc<Layer>,
    including: HashMap<Text, usize>,
    parsed: HashMap<Text, Rc<[Arc<Template>]>>,
    limits: Limits,
    steps: u64,
    bytes: u64,
    depth: usize,
    calls: usize,
    reads: Option<Rc<Reads>>,
    counted: Counted,
}

/// How many lines there are in the first bytes of a text.
#[derive(Default)]
struct Counted {
    bytes: usize,
    lines: usize,
}

/// Templates by name. What a `tpl` defines is seen inside of it only, so it goes into a layer of its own.
#[derive(Default)]
struct Layer {
    templates: HashMap<Arc<str>, Arc<Template>>,
    below: Option<Rc<Layer>>,
}

impl Layer {
    fn find(&self, name: &str) -> Option<&Arc<Template>> {
        let below = || self.below.as_ref().and_then(|below| below.find(name));
        self.templates.get(name).or_else(below)
    }

    /// Adds `template` over one of the same name, unless it is blank.
    fn add(&mut self, template: &Arc<Template>) {
        if !template.is_blank() || self.find(&template.name).is_none() {
            self.templates.insert(Arc::clone(&template.name), Arc::clone(template));
        }
    }
}

impl<'w> Machine<'w> {
    /// A machine that knows `templates`, of which a later one replaces an earlier one of the same name.
    pub(crate) fn new<'t>(
        templates: impl IntoIterator<Item = &'t Arc<Template>>,
        world: &'w dyn World,
        limits: Limits,
    ) -> Self {
        let mut layer = Layer::default();
        templates.into_iter().for_each(|template| layer.add(template));
        Self {
            world,
            templates: Rc::new(layer),
            including: HashMap::new(),
            parsed: HashMap::new(),
            limits,
            steps: 0,
            bytes: 0,
            depth: 0,
            calls: 0,
            reads: None,
            counted: Counted::default(),
        }
    }

    /// The same machine, which tells `reads` the line, from 0, that a template is at while it looks at something.
    pub(crate) fn noting(self, reads: Rc<Reads>) -> Self {
        Self { reads: Some(reads), ..self }
    }

    /// Notes that what follows is looked at for the line of `text` that is being made.
    pub(super) fn note_line(&mut self, text: &[u8]) {
        let Some(reads) = &self.reads else { return };
        let more = &text[self.counted.bytes.min(text.len())..];
        self.counted.lines += crate::unicode::line_breaks(more);
        self.counted.bytes = text.len();
        reads.go_to(self.counted.lines);
    }

    /// What the template `name` prints for `dot`, `<no value>` left out.
    pub(crate) fn render(&mut self, name: &str, dot: Value) -> Result<Printed, CallError> {
        let template = self.find(name).ok_or_else(|| CallError::NoTemplate(name.to_owned()))?;
        let (mut text, mut marks) = (Vec::new(), Marks::default());
        self.counted = Counted::default();
        let execution = Execution::new(self, &template, &mut text, dot.into()).marking(&mut marks);
        execution.run().map_err(CallError::Template)?;
        // What is left out has no line break in it.
        let lines = marks.lines(&text, &template.source);
        Ok(Printed { text: without_no_value(text), lines })
    }

    /// What the world outside says.
    pub(crate) fn world(&self) -> &'w dyn World {
        self.world
    }

    pub(super) fn find(&self, name: &str) -> Option<Arc<Template>> {
        self.templates.find(name).cloned()
    }

    /// What the template `name` prints for `dot`.
    pub(crate) fn include(&mut self, name: &Text, dot: Value) -> Result<Vec<u8>, CallError> {
        let nested = self.including.entry(name.clone()).or_default();
        if *nested > MAX_SELF_INCLUDES {
            let message = format!("rendering template has a nested reference name: {name}: unable to execute template");
            return Err(message.into());
        }
        *nested += 1;
        let template = self.find(&name.to_str()).ok_or_else(|| CallError::NoTemplate(name.to_string()));
        let text = template.and_then(|template| self.called(&template, dot)?.map_err(CallError::Template));
        if let Some(nested) = self.including.get_mut(name) {
            *nested -= 1;
        }
        text
    }

    /// What `text` prints for `dot`, read as a template that knows all others.
    pub(crate) fn tpl(&mut self, text: &Text, dot: Value) -> Result<Vec<u8>, CallError> {
        let quoted = || crate::fmt::quote(text);
        let templates = self.parsed(text).map_err(|error| CallError::Parse { text: quoted(), error })?;
        let Some(main) = templates.last() else { return Ok(Vec::new()) };
        if templates.len() == 1 {
            let printed = self.called(main, dot)?.map_err(|error| CallError::Tpl { text: quoted(), error })?;
            return Ok(without_no_value(printed));
        }
        let mut layer = Layer { below: Some(Rc::clone(&self.templates)), ..Layer::default() };
        templates.iter().for_each(|template| layer.add(template));
        let outside = std::mem::replace(&mut self.templates, Rc::new(layer));
        let printed = self.called(main, dot);
        self.templates = outside;
        printed?.map(without_no_value).map_err(|error| CallError::Tpl { text: quoted(), error })
    }

    fn parsed(&mut self, text: &Text) -> Result<Rc<[Arc<Template>]>, super::ParseError> {
        if let Some(templates) = self.parsed.get(text) {
            return Ok(Rc::clone(templates));
        }
        let templates: Rc<[_]> = parse(TPL_NAME, text)?.into();
        self.parsed.insert(text.clone(), Rc::clone(&templates));
        Ok(templates)
    }

    /// What `template` prints for `dot`, called by a function.
    fn called(&mut self, template: &Template, dot: Value) -> Result<Result<Vec<u8>, Box<ExecError>>, LimitError> {
        if self.calls >= MAX_CALLS {
            return Err(LimitError::Depth(MAX_CALLS));
        }
        self.calls += 1;
        let printed = self.execute(template, dot);
        self.calls -= 1;
        Ok(printed)
    }

    fn execute(&mut self, template: &Template, dot: Value) -> Result<Vec<u8>, Box<ExecError>> {
        let mut text = Vec::new();
        Execution::new(self, template, &mut text, dot.into()).run()?;
        Ok(text)
    }

    /// Counts one more step.
    pub(crate) fn step(&mut self) -> Result<(), LimitError> {
        self.steps += 1;
        if self.steps <= self.limits.steps { Ok(()) } else { Err(LimitError::Steps(self.limits.steps)) }
    }

    /// Counts `bytes` that are about to be made.
    pub(crate) fn charge(&mut self, bytes: usize) -> Result<(), LimitError> {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        if self.bytes <= self.limits.bytes { Ok(()) } else { Err(LimitError::Bytes(self.limits.bytes)) }
    }

    /// Goes one level deeper; [`Machine::leave`] comes back.
    pub(super) fn enter(&mut self) -> Result<(), LimitError> {
        self.depth += 1;
        if self.depth <= self.limits.depth { Ok(()) } else { Err(LimitError::Depth(self.limits.depth)) }
    }

    pub(super) fn leave(&mut self) {
        self.depth -= 1;
    }
}

/// The name that Helm gives to a text that `tpl` executes.
const TPL_NAME: &str = "gotpl";
/// What Go prints for a missing value.
pub(super) const NO_VALUE: &[u8] = b"<no value>";

/// Leaves out what Go prints for a missing value, as Helm does.
fn without_no_value(text: Vec<u8>) -> Vec<u8> {
    let is_at = |at: usize| text[at] == b'<' && text[at..].starts_with(NO_VALUE);
    if !(0..text.len()).any(is_at) {
        return text;
    }
    let mut cleaned = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        if is_at(at) {
            at += NO_VALUE.len();
        } else {
            cleaned.push(text[at]);
            at += 1;
        }
    }
    cleaned
}
