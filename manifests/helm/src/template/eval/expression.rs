//! Pipelines, commands and operands: what stands between the braces.

use super::super::ast::{Binding, Command, Id, Literal, Operand, OperandKind, Pipeline, Span};
use super::super::error::{ExecError, Failure};
use super::{At, Executed, Execution, Held};
use crate::functions::{Call, Function, ShortCircuit, Type};
use crate::value::{ListType, MapType, Value};

impl<'t> Execution<'_, '_, 't> {
    pub(super) fn pipeline(&mut self, pipeline: &'t Pipeline) -> Executed<Held> {
        self.at = At::Pipeline(pipeline);
        let mut value = None;
        for command in pipeline.commands.of(&self.source.syntax.commands) {
            value = Some(self.command(command, value)?.unboxed());
        }
        let value = value.unwrap_or(Held::MISSING);
        for variable in self.variables_of(pipeline) {
            match pipeline.binding {
                Binding::Declare => self.variables.push((variable, value.clone())),
                Binding::Assign => self.assign(variable, value.clone())?,
            }
        }
        Ok(value)
    }

    pub(super) fn assign(&mut self, name: &[u8], value: Held) -> Executed<()> {
        match self.variables.iter_mut().rev().find(|(variable, _)| *variable == name) {
            Some((_, held)) => {
                *held = value;
                Ok(())
            }
            None => Err(self.undefined(name)),
        }
    }

    /// Evaluates a command whose last argument is the result of the one before.
    fn command(&mut self, command: &'t Command, last: Option<Held>) -> Executed<Held> {
        let (first, arguments) =
            command.operands.of(&self.source.syntax.operands).split_first().expect("a parsed command has an operand");
        let arguments = Arguments { operands: arguments, last };
        match &first.kind {
            OperandKind::Field(names) => {
                self.at = At::Operand(first);
                self.fields(self.dot.clone(), *names, first, arguments)
            }
            OperandKind::Chain(start, names) => {
                let start = self.chain_start(first, *start)?;
                self.fields(start, *names, first, arguments)
            }
            OperandKind::Variable(names) => {
                self.at = At::Operand(first);
                let value = self.variable(*names)?;
                if names.fields(&self.source.text).next().is_none() {
                    self.takes_no_argument(first, &arguments)?;
                    return Ok(value);
                }
                self.fields(value, *names, first, arguments)
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
            OperandKind::Number(literal) => self.ideal_number(literal.of(&self.source.syntax.numbers)),
            OperandKind::Text(_, text) => Ok(Value::Text(text.of(&self.source.syntax.texts).clone()).into()),
            OperandKind::Field(_)
            | OperandKind::Variable(_)
            | OperandKind::Function(_)
            | OperandKind::Pipeline(_)
            | OperandKind::Chain(..) => {
                Err(self.problem(format!("can't evaluate command {}", self.source.show(operand))))
            }
        }
    }

    /// The value of a number where nothing asks for a type.
    fn ideal_number(&mut self, literal: &Literal) -> Executed<Held> {
        if literal.is_float {
            return Ok(Value::Float(literal.float.unwrap_or_default()).into());
        }
        let written = || String::from_utf8_lossy(literal.written.of(&self.source.text));
        match literal.int {
            Some(int) => Ok(Value::int(int).into()),
            None => Err(self.problem(format!("{} overflows int", written()))),
        }
    }

    fn takes_no_argument(&self, operand: &Operand, arguments: &Arguments<'t>) -> Executed<()> {
        if arguments.is_empty() {
            return Ok(());
        }
        Err(self.problem(format!("can't give argument to non-function {}", self.source.show(operand))))
    }

    /// The value of the variable `$x` of `$x.a.b`.
    fn variable(&mut self, written: Span) -> Executed<Held> {
        let name = written.variable(&self.source.text);
        match self.variables.iter().rev().find(|(variable, _)| *variable == name) {
            Some((_, value)) => Ok(value.clone()),
            None => Err(self.undefined(name)),
        }
    }

    #[expect(clippy::unnecessary_box_returns, reason = "an error is boxed wherever it goes")]
    fn undefined(&self, name: &[u8]) -> Box<ExecError> {
        self.problem(format!("undefined variable: {}", String::from_utf8_lossy(name)))
    }

    fn chain_start(&mut self, chain: &'t Operand, start: Id<Operand>) -> Executed<Held> {
        self.at = At::Operand(chain);
        self.untyped(start.of(&self.source.syntax.operands))
    }

    /// What the fields that are `written` lead to, of which the last may be a method with `arguments`.
    fn fields(
        &mut self,
        mut receiver: Held,
        written: Span,
        node: &'t Operand,
        arguments: Arguments<'t>,
    ) -> Executed<Held> {
        let mut names = written.fields(&self.source.text).peekable();
        while let Some(name) = names.next() {
            if names.peek().is_none() {
                return self.field(&receiver, name, node, arguments);
            }
            receiver = self.field(&receiver, name, node, Arguments::NONE)?;
        }
        Ok(receiver)
    }

    fn field(&mut self, receiver: &Held, name: &[u8], node: &'t Operand, arguments: Arguments<'t>) -> Executed<Held> {
        let shown = || String::from_utf8_lossy(name);
        let type_name = receiver.type_name();
        match &receiver.value {
            Value::Missing => return Ok(Held::MISSING),
            Value::Nil => return Err(self.problem(format!("nil pointer evaluating {type_name}.{}", shown()))),
            Value::Map(map) => {
                if let Some(method) = method(&receiver.value, name) {
                    return self.call(method, Some(&receiver.value), At::Operand(node), arguments);
                }
                if !arguments.is_empty() {
                    return Err(self.problem(format!("{} is not a method but has arguments", shown())));
                }
                let map_type = map.map_type();
                let value = map.get(name).unwrap_or_else(|| map_type.zero());
                return Ok(Held { value, boxed: map_type.holds_interfaces() });
            }
            Value::Object(object) => {
                if let Some(method) = method(&receiver.value, name) {
                    return self.call(method, Some(&receiver.value), At::Operand(node), arguments);
                }
                if let Some(value) = object.field(&shown()) {
                    if !arguments.is_empty() {
                        let message = format!("{} has arguments but cannot be invoked as function", shown());
                        return Err(self.problem(message));
                    }
                    return Ok(value.into());
                }
                if object.hides(&shown()) {
                    let message = format!("{} is an unexported field of struct type {type_name}", shown());
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
        Err(self.problem(format!("can't evaluate field {} in type {type_name}", shown())))
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
            | OperandKind::Variable(_)
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
            OperandKind::Field(names) => self.fields(self.dot.clone(), *names, operand, Arguments::NONE),
            OperandKind::Variable(names) => {
                let value = self.variable(*names)?;
                self.fields(value, *names, operand, Arguments::NONE)
            }
            OperandKind::Pipeline(pipeline) => self.parentheses(pipeline),
            OperandKind::Function(function) => self.call(function, None, At::Operand(operand), Arguments::NONE),
            OperandKind::Chain(start, names) => {
                let start = self.chain_start(operand, *start)?;
                self.fields(start, *names, operand, Arguments::NONE)
            }
            OperandKind::Nil | OperandKind::Bool(_) | OperandKind::Number(_) | OperandKind::Text(..) => {
                self.constant(operand)
            }
        }
    }

    /// A literal takes the type of its parameter.
    fn literal(&mut self, operand: &'t Operand, wanted: Type) -> Executed<Value> {
        let syntax = &self.source.syntax;
        let number = match &operand.kind {
            OperandKind::Number(literal) => Some(literal.of(&syntax.numbers)),
            _ => None,
        };
        let (value, expected) = match wanted {
            Type::Any | Type::Reflected => return Ok(self.constant(operand)?.value),
            Type::Text => match &operand.kind {
                OperandKind::Text(_, text) => (Some(Value::Text(text.of(&syntax.texts).clone())), "string"),
                _ => (None, "string"),
            },
            Type::Bool => match &operand.kind {
                OperandKind::Bool(bool) => (Some(Value::Bool(*bool)), "bool"),
                _ => (None, "bool"),
            },
            Type::Int(int_type) => {
                (number.and_then(|number| number.int).map(|int| Value::Int(int, int_type)), "integer")
            }
            Type::Uint(uint_type) => {
                (number.and_then(|number| number.uint).map(|uint| Value::Uint(uint, uint_type)), "unsigned integer")
            }
            Type::Float => (number.and_then(|number| number.float).map(Value::Float), "float"),
            Type::Map | Type::List | Type::Object(_) => {
                let operand = self.source.show(operand);
                return Err(self.problem(format!("can't handle {operand} for arg of type {}", wanted.name())));
            }
        };
        value.ok_or_else(|| self.problem(format!("expected {expected}; found {}", self.source.show(operand))))
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
fn method(value: &Value, name: &[u8]) -> Option<&'static Function> {
    let methods = match value {
        Value::Map(map) => match map.map_type() {
            MapType::Named(named) => named.methods,
            MapType::Any | MapType::Texts | MapType::NilTexts => return None,
        },
        Value::List(list) => match list.list_type() {
            ListType::Named(named) => named.methods,
            ListType::Any
            | ListType::Nil
            | ListType::Texts
            | ListType::NilTexts
            | ListType::Ints
            | ListType::Maps
            | ListType::Lists => return None,
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
    methods.iter().find(|method| method.name.as_bytes() == name)
}
