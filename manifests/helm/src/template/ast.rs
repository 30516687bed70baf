//! Parsed templates.
//!
//! All nodes of a text are in a few vectors, its [`Syntax`], and refer to each other by their places in them; names and
//! texts are parts of what was parsed. So a text of any size is parsed with few allocations.
//!
//! A node prints itself in Go's canonical form, which is what error messages [show](Source::show) of it.

use std::{fmt, iter, marker::PhantomData, ops::Range, sync::Arc};

use crate::functions::Function;
use crate::value::Text;

/// A text, and what was parsed from it.
#[derive(Debug)]
pub(crate) struct Source {
    /// The name that error messages give it.
    pub name: Arc<str>,
    /// The text.
    pub text: Text,
    /// Its nodes.
    pub syntax: Arc<Syntax>,
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

    /// `node` in Go's canonical form.
    pub(crate) fn show<'s, T>(&'s self, node: &'s T) -> Shown<'s, T> {
        Shown { text: &self.text, syntax: &self.syntax, node }
    }
}

/// A part of a text, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    /// Where it begins.
    pub start: u32,
    end: u32,
}

impl Span {
    /// What is between two places of a text, which is shorter than four gigabytes.
    pub(super) fn new(start: usize, end: usize) -> Self {
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: place(start), end: place(end) }
    }

    /// From where this one begins to where `last` ends.
    pub(super) fn to(self, last: Self) -> Self {
        Self { end: last.end, ..self }
    }

    /// The part of `text`.
    pub(crate) fn of(self, text: &[u8]) -> &[u8] {
        &text[self.start as usize..self.end as usize]
    }

    /// The names in `.a.b`, or in `$x.a.b` behind its first.
    pub(crate) fn fields(self, text: &[u8]) -> impl Iterator<Item = &[u8]> {
        self.of(text).split(|byte| *byte == b'.').skip(1)
    }

    /// The `$x` of `$x.a.b`.
    pub(crate) fn variable(self, text: &[u8]) -> &[u8] {
        self.of(text).split(|byte| *byte == b'.').next().unwrap_or_default()
    }
}

/// The nodes of a text.
#[derive(Debug, Default)]
pub(crate) struct Syntax {
    pub(super) nodes: Vec<Node>,
    pub(super) branches: Vec<Branch>,
    pub(super) invocations: Vec<Invocation>,
    pub(super) commands: Vec<Command>,
    pub(super) operands: Vec<Operand>,
    pub(super) variables: Vec<Span>,
    pub(super) numbers: Vec<Literal>,
    pub(super) texts: Vec<Text>,
}

impl Syntax {
    /// Whether nothing but blanks and comments of `text` is in `body`. Such a template never replaces another one.
    pub(super) fn is_blank(&self, body: Run<Node>, text: &[u8]) -> bool {
        body.of(&self.nodes).iter().all(|node| match node {
            Node::Text(span) => String::from_utf8_lossy(span.of(text)).trim().is_empty(),
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

/// The place of one node.
#[derive(Debug)]
pub(crate) struct Id<T>(u32, PhantomData<fn() -> T>);

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Id<T> {}

impl<T> Id<T> {
    /// Puts `node` behind all others.
    pub(super) fn add(node: T, all: &mut Vec<T>) -> Self {
        all.push(node);
        Self(place(all.len() - 1), PhantomData)
    }

    /// The node.
    pub(super) fn of(self, all: &[T]) -> &T {
        &all[self.0 as usize]
    }
}

/// The place of nodes that follow each other.
#[derive(Debug)]
pub(crate) struct Run<T>(u32, u32, PhantomData<fn() -> T>);

impl<T> Clone for Run<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Run<T> {}

impl<T> Run<T> {
    /// Moves those that were `collected` from `start` on behind all others.
    pub(super) fn add(collected: &mut Vec<T>, start: usize, all: &mut Vec<T>) -> Self {
        let first = all.len();
        all.extend(collected.drain(start..));
        Self::at(first..all.len())
    }

    /// The nodes in a range.
    pub(super) fn at(range: Range<usize>) -> Self {
        Self(place(range.start), place(range.end), PhantomData)
    }

    /// The nodes.
    pub(super) fn of(self, all: &[T]) -> &[T] {
        &all[self.0 as usize..self.1 as usize]
    }
}

/// A place in a vector of nodes. A node takes at least one byte of a text, so that there are fewer than four billion.
fn place(index: usize) -> u32 {
    u32::try_from(index).expect("a text has fewer nodes than bytes")
}

/// A template with a name: a file, a `define` or a `block`.
#[derive(Debug)]
pub(crate) struct Template {
    /// What `template` and `include` call it.
    pub name: Arc<str>,
    /// Its body.
    pub(super) body: Run<Node>,
    /// Where it was written.
    pub source: Arc<Source>,
}

impl Template {
    /// Whether it has nothing but blanks and comments. Such a template never replaces another one.
    pub(crate) fn is_blank(&self) -> bool {
        self.source.syntax.is_blank(self.body, &self.source.text)
    }
}

/// The templates of one file, as they would be if it were called `name`; `None` if one of them is named like a file, so
/// that they would not be the same.
pub(crate) fn renamed(templates: &[Arc<Template>], name: &str) -> Option<Vec<Arc<Template>>> {
    let (main, definitions) = templates.split_last()?;
    let old = &main.source;
    let is_of_file = |template: &Arc<Template>| template.name == old.name || *template.name == *name;
    if main.name != old.name || definitions.iter().any(is_of_file) {
        return None;
    }
    let source = Source { name: name.into(), text: old.text.clone(), syntax: Arc::clone(&old.syntax) };
    let source = Arc::new(source);
    let named = |name: &Arc<str>, template: &Template| {
        Arc::new(Template { name: Arc::clone(name), body: template.body, source: Arc::clone(&source) })
    };
    let definitions = definitions.iter().map(|template| named(&template.name, template));
    Some(definitions.chain([named(&source.name, main)]).collect())
}

/// One part of a template's body.
#[derive(Debug)]
pub(crate) enum Node {
    /// Text that is copied.
    Text(Span),
    /// `{{ pipeline }}`
    Action(Pipeline),
    /// `{{ if }}`
    If(Id<Branch>),
    /// `{{ with }}`
    With(Id<Branch>),
    /// `{{ range }}`
    Range(Id<Branch>),
    /// `{{ template }}`, or the use of a `{{ block }}`.
    Template(Id<Invocation>),
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
    pub body: Run<Node>,
    /// Done otherwise.
    pub otherwise: Option<Run<Node>>,
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
    pub variables: Run<Span>,
    /// Whether those variables exist already.
    pub binding: Binding,
    /// At least one command.
    pub commands: Run<Command>,
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
    pub operands: Run<Operand>,
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
    Field(Span),
    /// `$x.a.b`
    Variable(Span),
    /// The name of a function.
    Function(&'static Function),
    /// `(pipeline)`
    Pipeline(Pipeline),
    /// Fields of something else: `(pipeline).a.b`.
    Chain(Id<Operand>, Span),
    /// `true` or `false`
    Bool(bool),
    /// A number or character.
    Number(Id<Literal>),
    /// A string: as it is written, and what it means.
    Text(Span, Id<Text>),
}

/// A number, whose type depends on where it is used.
#[derive(Debug)]
pub(crate) struct Literal {
    /// As it is written.
    pub written: Span,
    /// Its value as an integer, if it is one.
    pub int: Option<i64>,
    /// Its value as an integer without a sign, if it is one.
    pub uint: Option<u64>,
    /// Its value as a float, if it is one.
    pub float: Option<f64>,
    /// Whether it is a `float64` where nothing asks for a type.
    pub is_float: bool,
}

/// A node that prints itself.
pub(crate) struct Shown<'s, T> {
    pub(super) text: &'s [u8],
    pub(super) syntax: &'s Syntax,
    pub(super) node: &'s T,
}

impl<'s, T> Shown<'s, T> {
    fn with<U>(&self, node: &'s U) -> Shown<'s, U> {
        Shown { text: self.text, syntax: self.syntax, node }
    }

    fn written(&self, span: Span) -> std::borrow::Cow<'s, str> {
        String::from_utf8_lossy(span.of(self.text))
    }
}

impl fmt::Display for Shown<'_, Invocation> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{{template {}", crate::fmt::quote(self.node.name.as_bytes()))?;
        if let Some(pipeline) = &self.node.pipeline {
            write!(f, " {}", self.with(pipeline))?;
        }
        f.write_str("}}")
    }
}

impl fmt::Display for Shown<'_, Pipeline> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variables = self.node.variables.of(&self.syntax.variables);
        for (index, variable) in variables.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{}", self.written(*variable))?;
        }
        match self.node.binding {
            _ if variables.is_empty() => {}
            Binding::Declare => f.write_str(" := ")?,
            Binding::Assign => f.write_str(" = ")?,
        }
        for (index, command) in self.node.commands.of(&self.syntax.commands).iter().enumerate() {
            let separator = if index == 0 { "" } else { " | " };
            write!(f, "{separator}{}", self.with(command))?;
        }
        Ok(())
    }
}

impl fmt::Display for Shown<'_, Command> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, operand) in self.node.operands.of(&self.syntax.operands).iter().enumerate() {
            let separator = if index == 0 { "" } else { " " };
            match &operand.kind {
                OperandKind::Pipeline(pipeline) => write!(f, "{separator}({})", self.with(pipeline))?,
                OperandKind::Dot
                | OperandKind::Nil
                | OperandKind::Field(_)
                | OperandKind::Variable(_)
                | OperandKind::Function(_)
                | OperandKind::Chain(..)
                | OperandKind::Bool(_)
                | OperandKind::Number(_)
                | OperandKind::Text(..) => write!(f, "{separator}{}", self.with(operand))?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for Shown<'_, Operand> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.node.kind {
            OperandKind::Dot => f.write_str("."),
            OperandKind::Nil => f.write_str("nil"),
            OperandKind::Field(span) | OperandKind::Variable(span) | OperandKind::Text(span, _) => {
                f.write_str(&self.written(*span))
            }
            OperandKind::Function(function) => f.write_str(function.name),
            OperandKind::Pipeline(pipeline) => write!(f, "{}", self.with(pipeline)),
            OperandKind::Chain(start, fields) => {
                let start = start.of(&self.syntax.operands);
                match &start.kind {
                    OperandKind::Pipeline(pipeline) => write!(f, "({})", self.with(pipeline))?,
                    _ => write!(f, "{}", self.with(start))?,
                }
                f.write_str(&self.written(*fields))
            }
            OperandKind::Bool(bool) => write!(f, "{bool}"),
            OperandKind::Number(literal) => f.write_str(&self.written(literal.of(&self.syntax.numbers).written)),
        }
    }
}
