//! Pipelines, commands and operands: what stands between the braces.

use std::sync::Arc;

use super::super::ast::{Binding, Command, Literal, Operand, OperandKind, Pipeline};
use super::super::error::Failure;
use super::{At, Executed, Execution, Held};
use crate::functions::{Call, Function, ShortCircuit, Type};
use crate::value::{ListType, MapType, Text, Value};

impl<'t> Execution<'_, '_, 't> {
    pub(super) fn pipeline(&mut self, pipeline: &'t Pipeline) -> Executed<Held> {
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

    pub(super) fn assign(&mut self, name: &str, value: Held) -> Executed<()> {
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
