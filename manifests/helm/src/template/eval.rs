//! Executing a template.
//!
//! # Follows `text/template`
//! Go evaluates with reflection, and its messages show it: they name the type of the variable that holds a value,
//! which for an element of a map is `interface {}` whatever is in it. [`Held`] keeps that apart. An error is placed
//! at the node that was visited last, so the evaluator notes each one.

use std::sync::Arc;

use super::ast::{Binding, Branch, Command, Invocation, Literal, Node, Operand, OperandKind, Pipeline, Template};
use super::error::{ExecError, Failure, LimitError};
use super::machine::{Machine, NO_VALUE};
use super::marks::Marks;
use crate::fmt;
use crate::functions::{Call, Function, ShortCircuit, Type};
use crate::value::{ListType, MapType, Text, UintType, Value};

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
    text: &'x mut Vec<u8>,
    variables: Vec<(Arc<str>, Held)>,
    dot: Held,
    at: At<'t>,
    /// Whoever wants to know where the text comes from.
    marks: Option<&'x mut Marks>,
}

impl<'x, 'w, 't> Execution<'x, 'w, 't> {
    pub(super) fn new(machine: &'x mut Machine<'w>, template: &'t Template, text: &'x mut Vec<u8>, dot: Held) -> Self {
        let variables = vec![("$".into(), dot.clone())];
        Self { machine, template, text, variables, dot, at: At::Start, marks: None }
    }

    /// Notes in `marks` which part of the template makes which part of the text.
    pub(super) fn marking(self, marks: &'x mut Marks) -> Self {
        Self { marks: Some(marks), ..self }
    }

    pub(super) fn run(mut self) -> Executed<()> {
        self.nodes(&self.template.body).map(|_| ())
    }

    fn nodes(&mut self, nodes: &'t [Node]) -> Executed<Flow> {
        for node in nodes {
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
            Node::Text(_, text) => self.write(text)?,
            Node::Action(pipeline) => {
                let value = self.pipeline(pipeline)?;
                if pipeline.variables.is_empty() {
                    self.at = At::Action(pipeline);
                    self.print(&value.value)?;
                }
            }
            Node::If(branch) => return self.nested(|execution| execution.if_branch(branch)),
            Node::With(branch) => return self.nested(|execution| execution.with_branch(branch)),
            Node::Range(branch) => return self.nested(|execution| execution.range(branch)),
            Node::Template(invocation) => self.nested(|execution| execution.invoke(invocation))?,
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Next)
    }

    fn mark(&mut self, node: &Node) {
        let Some(marks) = &mut self.marks else { return };
        match node {
            Node::Text(position, _) => marks.copied(self.text.len(), *position),
            Node::Action(pipeline) => marks.made(self.text.len(), pipeline.position),
            Node::Template(invocation) => marks.made(self.text.len(), invocation.position),
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
        if value.value.is_true() { self.nodes(&branch.body) } else { self.otherwise(branch) }
    }

    fn with_branch(&mut self, branch: &'t Branch) -> Executed<Flow> {
        let value = self.pipeline(&branch.pipeline)?;
        if !value.value.is_true() {
            return self.otherwise(branch);
        }
        self.with_dot(value, &branch.body)
    }

    fn with_dot(&mut self, dot: Held, body: &'t [Node]) -> Executed<Flow> {
        let outside = std::mem::replace(&mut self.dot, dot);
        let flow = self.nodes(body);
        self.dot = outside;
        flow
    }

    fn otherwise(&mut self, branch: &'t Branch) -> Executed<Flow> {
        branch.otherwise.as_ref().map_or(Ok(Flow::Next), |nodes| self.nodes(nodes))
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
        if branch.pipeline.variables.len() > 1 {
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
            let flow = self.with_dot(element, &branch.body)?;
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
        match (pipeline.variables.as_slice(), pipeline.binding) {
            ([], _) => {}
            // The pipeline declared them just before, with the whole list as their value.
            ([_], Binding::Declare) => self.variables[count - 1].1 = element.clone(),
            ([_, _, ..], Binding::Declare) => {
                self.variables[count - 2].1 = index;
                self.variables[count - 1].1 = element.clone();
            }
            ([name], Binding::Assign) => self.assign(name, element.clone())?,
            ([first, second, ..], Binding::Assign) => {
                self.assign(first, index)?;
                self.assign(second, element.clone())?;
            }
        }
        Ok(())
    }

    fn invoke(&mut self, invocation: &'t Invocation) -> Executed<()> {
        self.at = At::Invocation(invocation);
        let Some(template) = self.machine.find(&invocation.name) else {
            let name = fmt::quote(invocation.name.as_bytes());
            return Err(self.problem(format!("template {name} not defined")));
        };
        let dot = invocation.pipeline.as_ref().map_or(Ok(Held::MISSING), |pipeline| self.pipeline(pipeline))?;
        Execution::new(self.machine, &template, self.text, dot).run()
    }

    fn pipeline(&mut self, pipeline: &'t Pipeline) -> Executed<Held> {
        self.at = At::Pipeline(pipeline);
        let mut value = None;
        for command in &pipeline.commands {
            value = Some(self.command(command, value)?.unboxed());
        }
        let value = value.unwrap_or(Held::MISSING);
        for variable in &pipeline.variables {
            match pipeline.binding {
                Binding::Declare => self.variables.push((Arc::clone(variable), value.clone())),
                Binding::Assign => self.assign(variable, value.clone())?,
            }
        }
        Ok(value)
    }

    fn assign(&mut self, name: &str, value: Held) -> Executed<()> {
        match self.variables.iter_mut().rev().find(|(variable, _)| &**variable == name) {
            Some((_, held)) => {
                *held = value;
                Ok(())
            }
            None => Err(self.problem(format!("undefined variable: {name}"))),
        }
    }

    /// Evaluates a command whose last argument is the result of the one before.
    fn command(&mut self, command: &'t Command, last: Option<Held>) -> Executed<Held> {
        let (first, arguments) = command.operands.split_first().expect("a parsed command has an operand");
        let arguments = Arguments { operands: arguments, last };
        match &first.kind {
            OperandKind::Field(names) => {
                self.at = At::Operand(first);
                self.fields(self.dot.clone(), names, first, arguments)
            }
            OperandKind::Chain(start, names) => {
                let start = self.chain_start(first, start)?;
                self.fields(start, names, first, arguments)
            }
            OperandKind::Variable(name, names) => {
                self.at = At::Operand(first);
                let value = self.variable(name)?;
                if names.is_empty() {
                    self.takes_no_argument(first, &arguments)?;
                    return Ok(value);
                }
                self.fields(value, names, first, arguments)
            }
            OperandKind::Function(function) => {
                self.at = At::Operand(first);
                self.call(function, None, At::Command(command), arguments)
            }
            OperandKind::Pipeline(pipeline) => {
                self.takes_no_argument(first, &arguments)?;
                self.parentheses(pipeline)
            }
            OperandKind::Dot
            | OperandKind::Nil
            | OperandKind::Bool(_)
            | OperandKind::Number(_)
            | OperandKind::Text(..) => {
                self.at = At::Operand(first);
                self.takes_no_argument(first, &arguments)?;
                self.constant(first)
            }
        }
    }

    fn parentheses(&mut self, pipeline: &'t Pipeline) -> Executed<Held> {
        self.machine.enter().map_err(|limit| self.limit(limit))?;
        let value = self.pipeline(pipeline);
        self.machine.leave();
        value
    }

    fn constant(&mut self, operand: &'t Operand) -> Executed<Held> {
        match &operand.kind {
            OperandKind::Dot => Ok(self.dot.clone()),
            OperandKind::Nil => Err(self.problem("nil is not a command")),
            OperandKind::Bool(bool) => Ok(Value::Bool(*bool).into()),
            OperandKind::Number(literal) => self.ideal_number(literal),
            OperandKind::Text(_, text) => Ok(Value::Text(text.clone()).into()),
            OperandKind::Field(_)
            | OperandKind::Variable(..)
            | OperandKind::Function(_)
            | OperandKind::Pipeline(_)
            | OperandKind::Chain(..) => Err(self.problem(format!("can't evaluate command {operand}"))),
        }
    }

    /// The value of a number where nothing asks for a type.
    fn ideal_number(&mut self, literal: &Literal) -> Executed<Held> {
        if literal.is_float() {
            return Ok(Value::Float(literal.float.unwrap_or_default()).into());
        }
        match literal.int {
            Some(int) => Ok(Value::int(int).into()),
            None => Err(self.problem(format!("{} overflows int", literal.text))),
        }
    }

    fn takes_no_argument(&mut self, operand: &Operand, arguments: &Arguments<'t>) -> Executed<()> {
        if arguments.is_empty() {
            return Ok(());
        }
        Err(self.problem(format!("can't give argument to non-function {operand}")))
    }

    fn variable(&mut self, name: &str) -> Executed<Held> {
        match self.variables.iter().rev().find(|(variable, _)| &**variable == name) {
            Some((_, value)) => Ok(value.clone()),
            None => Err(self.problem(format!("undefined variable: {name}"))),
        }
    }

    fn chain_start(&mut self, chain: &'t Operand, start: &'t Operand) -> Executed<Held> {
        self.at = At::Operand(chain);
        self.untyped(start)
    }

    fn fields(
        &mut self,
        receiver: Held,
        names: &'t [Text],
        node: &'t Operand,
        arguments: Arguments<'t>,
    ) -> Executed<Held> {
        let (last, path) = names.split_last().expect("a parsed chain has a field");
        let mut receiver = receiver;
        for name in path {
            receiver = self.field(&receiver, name, node, Arguments::NONE)?;
        }
        self.field(&receiver, last, node, arguments)
    }

    fn field(&mut self, receiver: &Held, name: &Text, node: &'t Operand, arguments: Arguments<'t>) -> Executed<Held> {
        let type_name = receiver.type_name();
        match &receiver.value {
            Value::Missing => return Ok(Held::MISSING),
            Value::Nil => return Err(self.problem(format!("nil pointer evaluating {type_name}.{name}"))),
            Value::Map(map) => {
                if let Some(method) = method(&receiver.value, name) {
                    return self.call(method, Some(&receiver.value), At::Operand(node), arguments);
                }
                if !arguments.is_empty() {
                    return Err(self.problem(format!("{name} is not a method but has arguments")));
                }
                let map_type = map.map_type();
                let value = map.get(name).unwrap_or_else(|| map_type.zero());
                return Ok(Held { value, boxed: map_type.holds_interfaces() });
            }
            Value::Object(object) => {
                if let Some(method) = method(&receiver.value, name) {
                    return self.call(method, Some(&receiver.value), At::Operand(node), arguments);
                }
                if let Some(value) = object.field(&name.to_str()) {
                    if !arguments.is_empty() {
                        let message = format!("{name} has arguments but cannot be invoked as function");
                        return Err(self.problem(message));
                    }
                    return Ok(value.into());
                }
                if object.hides(&name.to_str()) {
                    let message = format!("{name} is an unexported field of struct type {type_name}");
                    return Err(self.problem(message));
                }
            }
            Value::List(_) => {
                if let Some(method) = method(&receiver.value, name) {
                    return self.call(method, Some(&receiver.value), At::Operand(node), arguments);
                }
            }
            Value::Bool(_) | Value::Int(..) | Value::Uint(..) | Value::Float(_) | Value::Text(_) | Value::Bytes(_) => {}
        }
        Err(self.problem(format!("can't evaluate field {name} in type {type_name}")))
    }

    fn call(
        &mut self,
        function: &'static Function,
        receiver: Option<&Value>,
        node: At<'t>,
        arguments: Arguments<'t>,
    ) -> Executed<Held> {
        self.check_count(function, &arguments)?;
        if let Some(short_circuit) = function.short_circuit {
            return self.short_circuit(short_circuit, arguments);
        }
        let mut values = Vec::with_capacity(arguments.len());
        for (index, operand) in arguments.operands.iter().enumerate() {
            values.push(self.argument(operand, function.parameter(index))?);
        }
        if let Some(last) = arguments.last {
            values.push(self.converted(last, function.parameter(arguments.operands.len()))?);
        }
        self.step()?;
        self.machine.enter().map_err(|limit| self.limit(limit))?;
        let outcome = (function.run)(&mut Call::new(self.machine, receiver, &values));
        self.machine.leave();
        match outcome {
            Ok(value) => Ok(value.into()),
            Err(cause) => {
                self.at = node;
                Err(self.failure(Failure::Call { function: function.name.to_owned(), cause: Box::new(cause) }))
            }
        }
    }

    fn check_count(&mut self, function: &Function, arguments: &Arguments<'t>) -> Executed<()> {
        let (name, wanted, given) = (function.name, function.parameters.len(), arguments.len());
        if function.rest.is_some() && given < wanted {
            let written = arguments.operands.len();
            return Err(self.problem(format!("wrong number of args for {name}: want at least {wanted} got {written}")));
        }
        if function.rest.is_none() && given != wanted {
            return Err(self.problem(format!("wrong number of args for {name}: want {wanted} got {given}")));
        }
        Ok(())
    }

    /// `and` and `or`, which evaluate no more arguments than they need.
    fn short_circuit(&mut self, stops_at: ShortCircuit, arguments: Arguments<'t>) -> Executed<Held> {
        let mut value = Held::MISSING;
        for operand in arguments.operands {
            value = self.argument(operand, Type::Reflected)?.into();
            if value.value.is_true() == (stops_at == ShortCircuit::True) {
                return Ok(value);
            }
        }
        Ok(arguments.last.unwrap_or(value))
    }

    /// The value of an argument for a parameter of the type `wanted`.
    fn argument(&mut self, operand: &'t Operand, wanted: Type) -> Executed<Value> {
        self.at = At::Operand(operand);
        match &operand.kind {
            OperandKind::Nil if wanted.takes_nil() => Ok(wanted.nil()),
            OperandKind::Nil => Err(self.problem(format!("cannot assign nil to {}", wanted.name()))),
            OperandKind::Bool(_) | OperandKind::Number(_) | OperandKind::Text(..) => self.literal(operand, wanted),
            OperandKind::Dot
            | OperandKind::Field(_)
            | OperandKind::Variable(..)
            | OperandKind::Function(_)
            | OperandKind::Pipeline(_)
            | OperandKind::Chain(..) => {
                let value = self.untyped(operand)?;
                self.converted(value, wanted)
            }
        }
    }

    /// The value of an operand that is no literal, whatever its type.
    fn untyped(&mut self, operand: &'t Operand) -> Executed<Held> {
        self.at = At::Operand(operand);
        match &operand.kind {
            OperandKind::Dot => Ok(self.dot.clone()),
            OperandKind::Field(names) => self.fields(self.dot.clone(), names, operand, Arguments::NONE),
            OperandKind::Variable(name, names) => {
                let value = self.variable(name)?;
                if names.is_empty() { Ok(value) } else { self.fields(value, names, operand, Arguments::NONE) }
            }
            OperandKind::Pipeline(pipeline) => self.parentheses(pipeline),
            OperandKind::Function(function) => self.call(function, None, At::Operand(operand), Arguments::NONE),
            OperandKind::Chain(start, names) => {
                let start = self.chain_start(operand, start)?;
                self.fields(start, names, operand, Arguments::NONE)
            }
            OperandKind::Nil | OperandKind::Bool(_) | OperandKind::Number(_) | OperandKind::Text(..) => {
                self.constant(operand)
            }
        }
    }

    /// A literal takes the type of its parameter.
    fn literal(&mut self, operand: &'t Operand, wanted: Type) -> Executed<Value> {
        let expected = |what: &str| Err(format!("expected {what}; found {operand}"));
        let value = match (wanted, &operand.kind) {
            (Type::Any | Type::Reflected, _) => return Ok(self.constant(operand)?.value),
            (Type::Text, OperandKind::Text(_, text)) => Ok(Value::Text(text.clone())),
            (Type::Text, _) => expected("string"),
            (Type::Bool, OperandKind::Bool(bool)) => Ok(Value::Bool(*bool)),
            (Type::Bool, _) => expected("bool"),
            (Type::Int(int_type), OperandKind::Number(Literal { int: Some(int), .. })) => {
                Ok(Value::Int(*int, int_type))
            }
            (Type::Int(_), _) => expected("integer"),
            (Type::Uint(uint_type), OperandKind::Number(Literal { uint: Some(uint), .. })) => {
                Ok(Value::Uint(*uint, uint_type))
            }
            (Type::Uint(_), _) => expected("unsigned integer"),
            (Type::Float, OperandKind::Number(Literal { float: Some(float), .. })) => Ok(Value::Float(*float)),
            (Type::Float, _) => expected("float"),
            (Type::Map | Type::List | Type::Object(_), _) => {
                Err(format!("can't handle {operand} for arg of type {}", wanted.name()))
            }
        };
        value.map_err(|message| self.problem(message))
    }

    /// `held` for a parameter of the type `wanted`.
    fn converted(&mut self, held: Held, wanted: Type) -> Executed<Value> {
        if matches!(held.value, Value::Missing) {
            if wanted.takes_nil() {
                return Ok(wanted.nil());
            }
            return Err(self.problem(format!("invalid value; expected {}", wanted.name())));
        }
        let type_name =
            if matches!(held.value, Value::Nil) { "interface {}" } else { held.value.type_name().unwrap_or_default() };
        wanted
            .take(held.value)
            .ok_or_else(|| self.problem(format!("wrong type for value; expected {}; got {type_name}", wanted.name())))
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

    fn write(&mut self, text: &Text) -> Executed<()> {
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
        let (position, node) = match self.at {
            At::Start => (0, String::new()),
            At::Action(pipeline) => (pipeline.position, format!("{{{{{pipeline}}}}}")),
            At::Pipeline(pipeline) => (pipeline.position, pipeline.to_string()),
            At::Command(command) => (command.position, command.to_string()),
            At::Operand(operand) => (operand.position, operand.to_string()),
            At::Invocation(invocation) => (invocation.position, invocation.to_string()),
        };
        let source = &self.template.source;
        let (line, column) = source.line_and_column(position);
        let (file, template) = (Arc::clone(&source.name), Arc::clone(&self.template.name));
        Box::new(ExecError { file, line, column, template, node, failure })
    }
}

/// The arguments of a call.
struct Arguments<'t> {
    operands: &'t [Operand],
    /// The result of the command before.
    last: Option<Held>,
}

impl Arguments<'_> {
    const NONE: Self = Self { operands: &[], last: None };

    fn len(&self) -> usize {
        self.operands.len() + usize::from(self.last.is_some())
    }

    fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// The method `name` of `value`.
fn method(value: &Value, name: &Text) -> Option<&'static Function> {
    let methods = match value {
        Value::Map(map) => match map.map_type() {
            MapType::Named(named) => named.methods,
            MapType::Any | MapType::Texts | MapType::NilTexts => return None,
        },
        Value::List(list) => match list.list_type() {
            ListType::Named(named) => named.methods,
            ListType::Any | ListType::Texts | ListType::Ints | ListType::Maps | ListType::Lists => return None,
        },
        Value::Object(object) => object.methods(),
        Value::Missing
        | Value::Nil
        | Value::Bool(_)
        | Value::Int(..)
        | Value::Uint(..)
        | Value::Float(_)
        | Value::Text(_)
        | Value::Bytes(_) => return None,
    };
    methods.iter().find(|method| method.name.as_bytes() == &**name)
}
