//! Executing a template.
//!
//! # Follows `text/template`
//! Go evaluates with reflection, and its messages show it: they name the type of the variable that holds a value,
//! which for an element of a map is `interface {}` whatever is in it. [`Held`] keeps that apart. An error is placed
//! at the node that was visited last, so the evaluator notes each one.

mod expression;

use std::sync::Arc;

use super::ast::{Binding, Branch, Command, Invocation, Node, Operand, Pipeline, Run, Source, Template};
use super::error::{ExecError, Failure, LimitError};
use super::machine::{Machine, NO_VALUE};
use super::marks::Marks;
use crate::fmt;
use crate::value::{UintType, Value};

/// A value, and whether it is in a variable of the type `interface {}`.
#[derive(Clone, Debug)]
pub(super) struct Held {
    value: Value,
    boxed: bool,
}

impl From<Value> for Held {
    fn from(value: Value) -> Self {
        let boxed = matches!(value, Value::Nil);
        Self { value, boxed }
    }
}

impl Held {
    const MISSING: Self = Self { value: Value::Missing, boxed: false };

    /// The value outside of its interface, as each stage of a pipeline gets it. A nil interface holds nothing.
    fn unboxed(self) -> Self {
        match self.value {
            Value::Nil => Self::MISSING,
            value => Self { value, boxed: false },
        }
    }

    fn type_name(&self) -> &'static str {
        if self.boxed { "interface {}" } else { self.value.type_name().unwrap_or("<nil>") }
    }
}

/// The node that was visited last.
#[derive(Clone, Copy)]
enum At<'t> {
    Start,
    Action(&'t Pipeline),
    Pipeline(&'t Pipeline),
    Command(&'t Command),
    Operand(&'t Operand),
    Invocation(&'t Invocation),
}

/// How the nodes behind this one go on.
enum Flow {
    Next,
    Break,
    Continue,
}

type Executed<T> = Result<T, Box<ExecError>>;

/// One template being executed.
pub(super) struct Execution<'x, 'w, 't> {
    machine: &'x mut Machine<'w>,
    template: &'t Template,
    source: &'t Source,
    text: &'x mut Vec<u8>,
    variables: Vec<(&'t [u8], Held)>,
    dot: Held,
    at: At<'t>,
    /// Whoever wants to know where the text comes from.
    marks: Option<&'x mut Marks>,
}

impl<'x, 'w, 't> Execution<'x, 'w, 't> {
    pub(super) fn new(machine: &'x mut Machine<'w>, template: &'t Template, text: &'x mut Vec<u8>, dot: Held) -> Self {
        let variables: Vec<(&[u8], Held)> = vec![(b"$", dot.clone())];
        Self { machine, template, source: &template.source, text, variables, dot, at: At::Start, marks: None }
    }

    /// Notes in `marks` which part of the template makes which part of the text.
    pub(super) fn marking(self, marks: &'x mut Marks) -> Self {
        Self { marks: Some(marks), ..self }
    }

    pub(super) fn run(mut self) -> Executed<()> {
        self.nodes(self.template.body).map(|_| ())
    }

    fn nodes(&mut self, nodes: Run<Node>) -> Executed<Flow> {
        for node in nodes.of(&self.source.syntax.nodes) {
            match self.node(node)? {
                Flow::Next => {}
                flow @ (Flow::Break | Flow::Continue) => return Ok(flow),
            }
        }
        Ok(Flow::Next)
    }

    fn node(&mut self, node: &'t Node) -> Executed<Flow> {
        self.step()?;
        self.mark(node);
        match node {
            Node::Text(span) => self.write(span.of(&self.source.text))?,
            Node::Action(pipeline) => {
                let value = self.pipeline(pipeline)?;
                if self.variables_of(pipeline).len() == 0 {
                    self.at = At::Action(pipeline);
                    self.print(&value.value)?;
                }
            }
            Node::If(branch) => {
                let branch = branch.of(&self.source.syntax.branches);
                return self.nested(|execution| execution.if_branch(branch));
            }
            Node::With(branch) => {
                let branch = branch.of(&self.source.syntax.branches);
                return self.nested(|execution| execution.with_branch(branch));
            }
            Node::Range(branch) => {
                let branch = branch.of(&self.source.syntax.branches);
                return self.nested(|execution| execution.range(branch));
            }
            Node::Template(invocation) => {
                let invocation = invocation.of(&self.source.syntax.invocations);
                self.nested(|execution| execution.invoke(invocation))?;
            }
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn mark(&mut self, node: &Node) {
        let Some(marks) = &mut self.marks else { return };
        self.machine.note_line(self.text);
        match node {
            Node::Text(span) => marks.copied(self.text.len(), span.start),
            Node::Action(pipeline) => marks.made(self.text.len(), pipeline.position),
            Node::Template(invocation) => {
                marks.made(self.text.len(), invocation.of(&self.source.syntax.invocations).position);
            }
            Node::If(_) | Node::With(_) | Node::Range(_) | Node::Break | Node::Continue => {}
        }
    }

    /// Goes one level deeper, and forgets afterwards which variables were declared there.
    fn nested<T>(&mut self, run: impl FnOnce(&mut Self) -> Executed<T>) -> Executed<T> {
        self.machine.enter().map_err(|limit| self.limit(limit))?;
        let variables = self.variables.len();
        let outcome = run(self);
        self.variables.truncate(variables);
        self.machine.leave();
        outcome
    }

    fn if_branch(&mut self, branch: &'t Branch) -> Executed<Flow> {
        let value = self.pipeline(&branch.pipeline)?;
        if value.value.is_true() { self.nodes(branch.body) } else { self.otherwise(branch) }
    }

    fn with_branch(&mut self, branch: &'t Branch) -> Executed<Flow> {
        let value = self.pipeline(&branch.pipeline)?;
        if !value.value.is_true() {
            return self.otherwise(branch);
        }
        self.with_dot(value, branch.body)
    }

    fn with_dot(&mut self, dot: Held, body: Run<Node>) -> Executed<Flow> {
        let outside = std::mem::replace(&mut self.dot, dot);
        let flow = self.nodes(body);
        self.dot = outside;
        flow
    }

    fn otherwise(&mut self, branch: &'t Branch) -> Executed<Flow> {
        branch.otherwise.map_or(Ok(Flow::Next), |nodes| self.nodes(nodes))
    }

    fn range(&mut self, branch: &'t Branch) -> Executed<Flow> {
        let value = self.pipeline(&branch.pipeline)?.value;
        let is_empty = match &value {
            Value::Missing | Value::Nil => true,
            Value::Int(count, _) => self.range_numbers(branch, *count, &value)?,
            Value::Uint(count, _) => self.range_numbers(branch, i64::try_from(*count).unwrap_or(i64::MAX), &value)?,
            Value::List(list) => {
                let boxed = list.list_type().holds_interfaces();
                let elements = list.iter().map(|element| Held { value: element.clone(), boxed });
                self.range_elements(
                    branch,
                    elements.enumerate().map(|(index, element)| (Value::length(index), element)),
                )?
            }
            Value::Bytes(bytes) => {
                let element = |byte: &u8| Held::from(Value::Uint((*byte).into(), UintType::Uint8));
                self.range_elements(
                    branch,
                    bytes.iter().enumerate().map(|(index, byte)| (Value::length(index), element(byte))),
                )?
            }
            Value::Map(map) => {
                let boxed = map.map_type().holds_interfaces();
                let entries = map.snapshot().into_iter();
                self.range_elements(branch, entries.map(|(key, value)| (Value::Text(key), Held { value, boxed })))?
            }
            Value::Bool(_) | Value::Float(_) | Value::Text(_) | Value::Object(_) => {
                let text = fmt::display(&value);
                return Err(self.problem(format!("range can't iterate over {text}")));
            }
        };
        if is_empty { self.otherwise(branch) } else { Ok(Flow::Next) }
    }

    /// Counts from zero; a count has no index beside its elements.
    fn range_numbers(&mut self, branch: &'t Branch, count: i64, value: &Value) -> Executed<bool> {
        if self.variables_of(&branch.pipeline).len() > 1 {
            let text = fmt::display(value);
            return Err(self.problem(format!("can't use {text} to iterate over more than one variable")));
        }
        let element = |number| match value {
            Value::Int(_, int_type) => Value::Int(number, *int_type),
            Value::Uint(_, uint_type) => Value::Uint(number.unsigned_abs(), *uint_type),
            _ => Value::int(number),
        };
        self.range_elements(branch, (0..count).map(|number| (Value::Missing, element(number).into())))
    }

    /// Executes the body for each element; says whether there was none.
    fn range_elements(&mut self, branch: &'t Branch, elements: impl Iterator<Item = (Value, Held)>) -> Executed<bool> {
        let variables = self.variables.len();
        let mut is_empty = true;
        for (index, element) in elements {
            is_empty = false;
            self.step()?;
            self.bind_element(&branch.pipeline, index.into(), &element)?;
            let flow = self.with_dot(element, branch.body)?;
            self.variables.truncate(variables);
            match flow {
                Flow::Next | Flow::Continue => {}
                Flow::Break => break,
            }
        }
        Ok(is_empty)
    }

    fn bind_element(&mut self, pipeline: &'t Pipeline, index: Held, element: &Held) -> Executed<()> {
        let count = self.variables.len();
        let mut names = self.variables_of(pipeline);
        match (names.next(), names.next(), pipeline.binding) {
            (None, ..) => {}
            // The pipeline declared them just before, with the whole list as their value.
            (Some(_), None, Binding::Declare) => self.variables[count - 1].1 = element.clone(),
            (Some(_), Some(_), Binding::Declare) => {
                self.variables[count - 2].1 = index;
                self.variables[count - 1].1 = element.clone();
            }
            (Some(name), None, Binding::Assign) => self.assign(name, element.clone())?,
            (Some(first), Some(second), Binding::Assign) => {
                self.assign(first, index)?;
                self.assign(second, element.clone())?;
            }
        }
        Ok(())
    }

    /// The names of the variables that take the value of `pipeline`.
    fn variables_of(&self, pipeline: &Pipeline) -> impl ExactSizeIterator<Item = &'t [u8]> + use<'t> {
        let Source { text, syntax, .. } = self.source;
        pipeline.variables.of(&syntax.variables).iter().map(|span| span.of(text))
    }

    fn invoke(&mut self, invocation: &'t Invocation) -> Executed<()> {
        self.at = At::Invocation(invocation);
        let Some(template) = self.machine.find(&invocation.name) else {
            return Err(self.failure(Failure::Undefined(invocation.name.to_string())));
        };
        let dot = invocation.pipeline.as_ref().map_or(Ok(Held::MISSING), |pipeline| self.pipeline(pipeline))?;
        Execution::new(self.machine, &template, self.text, dot).run()
    }

    fn print(&mut self, value: &Value) -> Executed<()> {
        let before = self.text.len();
        match value {
            Value::Missing | Value::Nil => self.text.extend_from_slice(NO_VALUE),
            value => fmt::write_display(self.text, value),
        }
        let made = self.text.len() - before;
        self.machine.charge(made).map_err(|limit| self.limit(limit))
    }

    fn write(&mut self, text: &[u8]) -> Executed<()> {
        self.machine.charge(text.len()).map_err(|limit| self.limit(limit))?;
        self.text.extend_from_slice(text);
        Ok(())
    }

    fn step(&mut self) -> Executed<()> {
        self.machine.step().map_err(|limit| self.limit(limit))
    }

    #[expect(clippy::unnecessary_box_returns, reason = "an error is boxed wherever it goes")]
    fn problem(&self, message: impl Into<String>) -> Box<ExecError> {
        self.failure(Failure::Problem(message.into()))
    }

    #[expect(clippy::unnecessary_box_returns, reason = "an error is boxed wherever it goes")]
    fn limit(&self, limit: LimitError) -> Box<ExecError> {
        self.failure(Failure::Limit(limit))
    }

    #[expect(clippy::unnecessary_box_returns, reason = "an error is boxed wherever it goes")]
    fn failure(&self, failure: Failure) -> Box<ExecError> {
        let source = self.source;
        let (position, node) = match self.at {
            At::Start => (0, String::new()),
            At::Action(pipeline) => (pipeline.position, format!("{{{{{}}}}}", source.show(pipeline))),
            At::Pipeline(pipeline) => (pipeline.position, source.show(pipeline).to_string()),
            At::Command(command) => (command.position, source.show(command).to_string()),
            At::Operand(operand) => (operand.position, source.show(operand).to_string()),
            At::Invocation(invocation) => (invocation.position, source.show(invocation).to_string()),
        };
        let (line, column) = source.line_and_column(position);
        let (file, template) = (Arc::clone(&source.name), Arc::clone(&self.template.name));
        Box::new(ExecError { file, line, column, template, node, failure })
    }
}
