//! Parsed templates.
//!
//! A node prints itself in Go's canonical form, which is what error messages show of it.

use std::{fmt, iter, sync::Arc};

use crate::functions::Function;
use crate::value::Text;

/// The text that templates were parsed from.
#[derive(Debug)]
pub(crate) struct Source {
    /// The name that error messages give it.
    pub name: Arc<str>,
    /// The text.
    pub text: Text,
}

impl Source {
    /// Where each line begins.
    pub(crate) fn line_starts(&self) -> Vec<usize> {
        let breaks = self.text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
        iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect()
    }

    /// Line (from 1) and column (from 0, in bytes) of the byte at `position`.
    pub(crate) fn line_and_column(&self, position: u32) -> (usize, usize) {
        let before = &self.text[..self.text.len().min(position as usize)];
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        (1 + crate::unicode::line_breaks(before), before.len() - line_start)
    }
}

/// A template with a name: a file, a `define` or a `block`.
#[derive(Debug)]
pub(crate) struct Template {
    /// What `template` and `include` call it.
    pub name: Arc<str>,
    /// Its body.
    pub body: Vec<Node>,
    /// Where it was written.
    pub source: Arc<Source>,
}

impl Template {
    /// Whether it has nothing but blanks and comments. Such a template never replaces another one.
    pub(crate) fn is_blank(&self) -> bool {
        self.body.iter().all(|node| match node {
            Node::Text(_, text) => is_blank(text),
            Node::Action(_)
            | Node::If(_)
            | Node::With(_)
            | Node::Range(_)
            | Node::Template(_)
            | Node::Break
            | Node::Continue => false,
        })
    }
}

fn is_blank(text: &[u8]) -> bool {
    String::from_utf8_lossy(text).trim().is_empty()
}

/// One part of a template's body.
#[derive(Debug)]
pub(crate) enum Node {
    /// Text that is copied, and where it begins.
    Text(u32, Text),
    /// `{{ pipeline }}`
    Action(Pipeline),
    /// `{{ if }}`
    If(Branch),
    /// `{{ with }}`
    With(Branch),
    /// `{{ range }}`
    Range(Branch),
    /// `{{ template }}`, or the use of a `{{ block }}`.
    Template(Invocation),
    /// `{{ break }}`
    Break,
    /// `{{ continue }}`
    Continue,
}

/// `if`, `with` or `range`.
#[derive(Debug)]
pub(crate) struct Branch {
    /// What decides.
    pub pipeline: Pipeline,
    /// Done when it is true, or for each element.
    pub body: Vec<Node>,
    /// Done otherwise.
    pub otherwise: Option<Vec<Node>>,
}

/// `{{ template "name" pipeline }}`
#[derive(Debug)]
pub(crate) struct Invocation {
    /// Where its name is written.
    pub position: u32,
    /// The template.
    pub name: Arc<str>,
    /// What it is given as dot.
    pub pipeline: Option<Pipeline>,
}

/// Commands, each of which gets the result of the one before it as its last argument.
#[derive(Debug)]
pub(crate) struct Pipeline {
    /// Where it begins.
    pub position: u32,
    /// The variables that take its value.
    pub variables: Vec<Arc<str>>,
    /// Whether those variables exist already.
    pub binding: Binding,
    /// At least one command.
    pub commands: Vec<Command>,
}

/// How a pipeline's variables take its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binding {
    /// `:=`
    Declare,
    /// `=`
    Assign,
}

/// A value, or a function or method with its arguments.
#[derive(Debug)]
pub(crate) struct Command {
    /// Where it begins.
    pub position: u32,
    /// What is called, then its arguments.
    pub operands: Vec<Operand>,
}

/// A part of a command.
#[derive(Debug)]
pub(crate) struct Operand {
    /// Where error messages place it.
    pub position: u32,
    /// What it is.
    pub kind: OperandKind,
}

/// What a part of a command is.
#[derive(Debug)]
pub(crate) enum OperandKind {
    /// `.`
    Dot,
    /// `nil`
    Nil,
    /// `.a.b`
    Field(Vec<Text>),
    /// `$x.a.b`
    Variable(Arc<str>, Vec<Text>),
    /// The name of a function.
    Function(&'static Function),
    /// `(pipeline)`
    Pipeline(Pipeline),
    /// Fields of something else: `(pipeline).a.b`.
    Chain(Box<Operand>, Vec<Text>),
    /// `true` or `false`
    Bool(bool),
    /// A number or character.
    Number(Literal),
    /// A string: as it is written, and what it means.
    Text(Text, Text),
}

/// A number, whose type depends on where it is used.
#[derive(Debug)]
pub(crate) struct Literal {
    /// As it is written.
    pub text: Arc<str>,
    /// Its value as an integer, if it is one.
    pub int: Option<i64>,
    /// Its value as an integer without a sign, if it is one.
    pub uint: Option<u64>,
    /// Its value as a float, if it is one.
    pub float: Option<f64>,
}

impl Literal {
    /// Whether it is a `float64` where nothing asks for a type.
    pub(crate) fn is_float(&self) -> bool {
        let lower = self.text.to_ascii_lowercase();
        let is_hex_integer = lower.starts_with("0x") && !lower.contains('p');
        let is_character = self.text.starts_with('\'');
        self.float.is_some() && !is_hex_integer && !is_character && lower.contains(['.', 'e', 'p'])
    }
}

impl fmt::Display for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{{template {}", crate::fmt::quote(self.name.as_bytes()))?;
        if let Some(pipeline) = &self.pipeline {
            write!(f, " {pipeline}")?;
        }
        f.write_str("}}")
    }
}

impl fmt::Display for Pipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.variables.join(", "))?;
        match self.binding {
            _ if self.variables.is_empty() => {}
            Binding::Declare => f.write_str(" := ")?,
            Binding::Assign => f.write_str(" = ")?,
        }
        for (index, command) in self.commands.iter().enumerate() {
            let separator = if index == 0 { "" } else { " | " };
            write!(f, "{separator}{command}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, operand) in self.operands.iter().enumerate() {
            let separator = if index == 0 { "" } else { " " };
            match &operand.kind {
                OperandKind::Pipeline(pipeline) => write!(f, "{separator}({pipeline})")?,
                OperandKind::Dot
                | OperandKind::Nil
                | OperandKind::Field(_)
                | OperandKind::Variable(..)
                | OperandKind::Function(_)
                | OperandKind::Chain(..)
                | OperandKind::Bool(_)
                | OperandKind::Number(_)
                | OperandKind::Text(..) => write!(f, "{separator}{operand}")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            OperandKind::Dot => f.write_str("."),
            OperandKind::Nil => f.write_str("nil"),
            OperandKind::Field(names) => write_fields(f, names),
            OperandKind::Variable(name, fields) => {
                f.write_str(name)?;
                write_fields(f, fields)
            }
            OperandKind::Function(function) => f.write_str(function.name),
            OperandKind::Pipeline(pipeline) => write!(f, "{pipeline}"),
            OperandKind::Chain(start, fields) => {
                match &start.kind {
                    OperandKind::Pipeline(pipeline) => write!(f, "({pipeline})")?,
                    _ => write!(f, "{start}")?,
                }
                write_fields(f, fields)
            }
            OperandKind::Bool(bool) => write!(f, "{bool}"),
            OperandKind::Number(literal) => f.write_str(&literal.text),
            OperandKind::Text(written, _) => write!(f, "{written}"),
        }
    }
}

fn write_fields(f: &mut fmt::Formatter<'_>, names: &[Text]) -> fmt::Result {
    names.iter().try_for_each(|name| write!(f, ".{name}"))
}
