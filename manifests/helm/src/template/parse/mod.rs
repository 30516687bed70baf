//! Tokens to templates.
//!
//! # Follows `text/template/parse`
//! What is accepted, which line an error names and what it says. Names of functions and variables are resolved here, so
//! that a misspelt one is found even where it is never evaluated.

mod pipeline;

use std::{borrow::Cow, mem, sync::Arc};

use super::ast::{Branch, Command, Id, Invocation, Node, Operand, Run, Source, Span, Syntax, Template};
use super::error::ParseError;
use super::lexer::Lexer;
use super::literal;
use super::token::{Token, TokenKind};
use crate::value::Text;

/// Deepest nesting of parentheses, and of `if`, `with` and `range`.
pub(crate) const MAX_NESTING: usize = 1000;

/// Reads `text`, which error messages call `name`, and returns the template of that name after those it defines.
pub(crate) fn parse(name: &str, text: &Text) -> Result<Vec<Arc<Template>>, ParseError> {
    let name: Arc<str> = name.into();
    let mut parser = Parser::new(&name, Lexer::new(text));
    parser.file()?;
    let Parser { syntax, definitions, .. } = parser;
    let source = Arc::new(Source { name, text: text.clone(), syntax: Arc::new(syntax) });
    let templates = definitions.into_iter();
    Ok(templates
        .map(|Definition { name, body }| Arc::new(Template { name, body, source: Arc::clone(&source) }))
        .collect())
}

/// What ends a list of nodes.
enum ListEnd {
    End,
    Else,
}

/// What begins with `{{`.
enum Part {
    Node(Node),
    End(ListEnd),
}

/// A template whose text is still being read.
struct Definition {
    name: Arc<str>,
    body: Run<Node>,
}

struct Parser<'p, 'a> {
    name: &'p Arc<str>,
    lexer: Lexer<'a>,
    syntax: Syntax,
    definitions: Vec<Definition>,
    collected: Collected,
    place: Place<'a>,
}

/// Nodes of collections whose end has not been read; those of the innermost are the last.
#[derive(Default)]
struct Collected {
    nodes: Vec<Node>,
    commands: Vec<Command>,
    operands: Vec<Operand>,
}

/// Where the parser is in one template.
struct Place<'a> {
    /// Tokens that were put back: the last is read first. `tokens[0]` is the newest, whose line errors name.
    tokens: [Token; 3],
    pending: usize,
    variables: Vec<&'a [u8]>,
    range_depth: usize,
    nesting: usize,
    /// Where the action began that is being read.
    action: Option<Span>,
}

impl Place<'_> {
    /// The start of a template, `nesting` deep in others.
    fn start(nesting: usize) -> Self {
        Self {
            tokens: <[Token; 3]>::default(),
            pending: 0,
            variables: vec![b"$"],
            range_depth: 0,
            nesting,
            action: None,
        }
    }
}

type Parsed<T> = Result<T, ParseError>;

impl<'p, 'a> Parser<'p, 'a> {
    fn new(name: &'p Arc<str>, lexer: Lexer<'a>) -> Self {
        Self {
            name,
            lexer,
            syntax: Syntax::default(),
            definitions: Vec::new(),
            collected: Collected::default(),
            place: Place::start(0),
        }
    }

    fn file(&mut self) -> Parsed<()> {
        let start = self.collected.nodes.len();
        while self.peek().kind != TokenKind::EndOfText {
            if self.peek().kind == TokenKind::LeftDelimiter {
                let delimiter = self.next();
                if self.next_non_space().kind == TokenKind::Define {
                    self.nested(Self::definition)?;
                    continue;
                }
                self.put_back_two(delimiter);
            }
            match self.text_or_action()? {
                Part::Node(node) => self.collected.nodes.push(node),
                Part::End(ListEnd::End) => return Err(self.error("unexpected {{end}}")),
                Part::End(ListEnd::Else) => return Err(self.error("unexpected {{else}}")),
            }
        }
        let body = self.collected_nodes(start);
        self.add(Arc::clone(self.name), body)
    }

    /// Reads a template inside this one, which shares no variable with it.
    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Parsed<()>) -> Parsed<()> {
        let inside = Place::start(self.place.nesting);
        let outside = mem::replace(&mut self.place, inside);
        read(self)?;
        self.place = outside;
        Ok(())
    }

    fn definition(&mut self) -> Parsed<()> {
        const CONTEXT: &str = "define clause";
        let name = self.next_non_space();
        let name = match name.kind {
            TokenKind::String | TokenKind::RawString => self.unquote(name)?,
            _ => return Err(self.unexpected(name, CONTEXT)),
        };
        self.expect(TokenKind::RightDelimiter, CONTEXT)?;
        self.body_of(&name, CONTEXT)
    }

    /// The rest of a `define` or `block`.
    fn body_of(&mut self, name: &Text, context: &str) -> Parsed<()> {
        let (body, end) = self.list()?;
        match end {
            ListEnd::End => self.add(name.to_str().into(), body),
            ListEnd::Else => Err(self.error(format!("unexpected {{{{else}}}} in {context}"))),
        }
    }

    fn add(&mut self, name: Arc<str>, body: Run<Node>) -> Parsed<()> {
        let is_blank = |body| self.syntax.is_blank(body, self.lexer.text());
        let same = self.definitions.iter().position(|other| other.name == name);
        match same {
            None => self.definitions.push(Definition { name, body }),
            Some(at) if is_blank(self.definitions[at].body) => self.definitions[at].body = body,
            Some(_) if is_blank(body) => {}
            Some(_) => {
                let name = crate::fmt::quote(name.as_bytes());
                return Err(self.error(format!("template: multiple definition of template {name}")));
            }
        }
        Ok(())
    }

    fn list(&mut self) -> Parsed<(Run<Node>, ListEnd)> {
        let start = self.collected.nodes.len();
        while self.peek_non_space().kind != TokenKind::EndOfText {
            match self.text_or_action()? {
                Part::Node(node) => self.collected.nodes.push(node),
                Part::End(end) => return Ok((self.collected_nodes(start), end)),
            }
        }
        Err(self.error("unexpected EOF"))
    }

    fn collected_nodes(&mut self, start: usize) -> Run<Node> {
        Run::add(&mut self.collected.nodes, start, &mut self.syntax.nodes)
    }

    fn text_or_action(&mut self) -> Parsed<Part> {
        let token = self.next_non_space();
        match token.kind {
            TokenKind::Text => Ok(Part::Node(Node::Text(token.span))),
            TokenKind::LeftDelimiter => {
                self.place.action = Some(token.span);
                let part = self.action()?;
                self.place.action = None;
                Ok(part)
            }
            _ => Err(self.unexpected(token, "input")),
        }
    }

    fn action(&mut self) -> Parsed<Part> {
        let node = match self.next_non_space().kind {
            TokenKind::Block => self.block()?,
            TokenKind::Break => self.jump("break", Node::Break)?,
            TokenKind::Continue => self.jump("continue", Node::Continue)?,
            TokenKind::Else => return self.otherwise(),
            TokenKind::End => {
                self.expect(TokenKind::RightDelimiter, "end")?;
                return Ok(Part::End(ListEnd::End));
            }
            TokenKind::If => Node::If(self.branch("if")?),
            TokenKind::RangeKeyword => Node::Range(self.branch("range")?),
            TokenKind::Template => self.template()?,
            TokenKind::With => Node::With(self.branch("with")?),
            _ => {
                self.put_back();
                Node::Action(self.pipeline("command", TokenKind::RightDelimiter)?)
            }
        };
        Ok(Part::Node(node))
    }

    fn jump(&mut self, word: &str, node: Node) -> Parsed<Node> {
        let token = self.next_non_space();
        if token.kind != TokenKind::RightDelimiter {
            return Err(self.unexpected(token, &format!("{{{{{word}}}}}")));
        }
        if self.place.range_depth == 0 {
            return Err(self.error(format!("{{{{{word}}}}} outside {{{{range}}}}")));
        }
        Ok(node)
    }

    fn otherwise(&mut self) -> Parsed<Part> {
        if !matches!(self.peek_non_space().kind, TokenKind::If | TokenKind::With) {
            self.expect(TokenKind::RightDelimiter, "else")?;
        }
        Ok(Part::End(ListEnd::Else))
    }

    fn branch(&mut self, context: &str) -> Parsed<Id<Branch>> {
        self.place.nesting += 1;
        if self.place.nesting > MAX_NESTING {
            return Err(self.error(format!("nested deeper than {MAX_NESTING}")));
        }
        let variables = self.place.variables.len();
        let pipeline = self.pipeline(context, TokenKind::RightDelimiter)?;
        let in_range = usize::from(context == "range");
        self.place.range_depth += in_range;
        let (body, end) = self.list()?;
        self.place.range_depth -= in_range;
        let otherwise = match end {
            ListEnd::End => None,
            ListEnd::Else => Some(self.else_branch(context)?),
        };
        self.place.variables.truncate(variables);
        self.place.nesting -= 1;
        Ok(Id::add(Branch { pipeline, body, otherwise }, &mut self.syntax.branches))
    }

    fn else_branch(&mut self, context: &str) -> Parsed<Run<Node>> {
        let start = self.collected.nodes.len();
        let chained = match (context, self.peek().kind) {
            ("if", TokenKind::If) => Node::If,
            ("with", TokenKind::With) => Node::With,
            _ => {
                return match self.list()? {
                    (nodes, ListEnd::End) => Ok(nodes),
                    (_, ListEnd::Else) => Err(self.error("expected end; found {{else}}")),
                };
            }
        };
        self.next();
        let node = chained(self.branch(context)?);
        self.collected.nodes.push(node);
        Ok(self.collected_nodes(start))
    }

    fn block(&mut self) -> Parsed<Node> {
        const CONTEXT: &str = "block clause";
        let (position, name) = self.template_name(CONTEXT)?;
        let pipeline = self.pipeline(CONTEXT, TokenKind::RightDelimiter)?;
        self.nested(|parser| parser.body_of(&name, CONTEXT))?;
        Ok(self.invocation(position, &name, Some(pipeline)))
    }

    fn template(&mut self) -> Parsed<Node> {
        const CONTEXT: &str = "template clause";
        let (position, name) = self.template_name(CONTEXT)?;
        let pipeline = if self.next_non_space().kind == TokenKind::RightDelimiter {
            None
        } else {
            self.put_back();
            Some(self.pipeline(CONTEXT, TokenKind::RightDelimiter)?)
        };
        Ok(self.invocation(position, &name, pipeline))
    }

    fn invocation(&mut self, position: u32, name: &Text, pipeline: Option<super::ast::Pipeline>) -> Node {
        let invocation = Invocation { position, name: name.to_str().into(), pipeline };
        Node::Template(Id::add(invocation, &mut self.syntax.invocations))
    }

    fn template_name(&mut self, context: &str) -> Parsed<(u32, Text)> {
        let token = self.next_non_space();
        match token.kind {
            TokenKind::String | TokenKind::RawString => Ok((token.span.start, self.unquote(token)?)),
            _ => Err(self.unexpected(token, context)),
        }
    }

    /// What a token was read from.
    fn written(&self, token: Token) -> &'a [u8] {
        token.span.of(self.lexer.text())
    }

    fn unquote(&mut self, token: Token) -> Parsed<Text> {
        literal::unquote(self.written(token)).ok_or_else(|| self.error("invalid syntax"))
    }

    fn expect(&mut self, kind: TokenKind, context: &str) -> Parsed<()> {
        let token = self.next_non_space();
        if token.kind == kind { Ok(()) } else { Err(self.unexpected(token, context)) }
    }

    fn next(&mut self) -> Token {
        if self.place.pending > 0 {
            self.place.pending -= 1;
        } else {
            self.place.tokens[0] = self.lexer.next_token();
        }
        self.place.tokens[self.place.pending]
    }

    fn peek(&mut self) -> Token {
        if self.place.pending == 0 {
            self.place.pending = 1;
            self.place.tokens[0] = self.lexer.next_token();
        }
        self.place.tokens[self.place.pending - 1]
    }

    fn next_non_space(&mut self) -> Token {
        loop {
            let token = self.next();
            if token.kind != TokenKind::Space {
                return token;
            }
        }
    }

    fn peek_non_space(&mut self) -> Token {
        let token = self.next_non_space();
        self.put_back();
        token
    }

    fn put_back(&mut self) {
        self.place.pending += 1;
    }

    /// Puts back the newest token and `first` before it.
    fn put_back_two(&mut self, first: Token) {
        self.place.tokens[1] = first;
        self.place.pending = 2;
    }

    /// Puts back the newest token, and `first` and `second` before it.
    fn put_back_three(&mut self, first: Token, second: Token) {
        self.place.tokens[1] = second;
        self.place.tokens[2] = first;
        self.place.pending = 3;
    }

    fn unexpected(&self, token: Token, context: &str) -> ParseError {
        if token.kind != TokenKind::Error {
            return self.error(format!("unexpected {} in {context}", self.described(token)));
        }
        let problem = self.lexer.problem();
        match self.place.action.map(|action| self.line(action)) {
            Some(began) if began != self.line(token.span) => {
                let action = if problem.ends_with(" action") { "" } else { " in action" };
                self.error(format!("{problem}{action} started at {}:{began}", self.name))
            }
            Some(_) | None => self.error(problem),
        }
    }

    fn error(&self, problem: impl Into<String>) -> ParseError {
        let line = self.line(self.place.tokens[0].span);
        ParseError { file: Arc::clone(self.name), line, problem: problem.into() }
    }

    /// The line, from 1, on which a part of the text begins.
    fn line(&self, span: Span) -> u32 {
        let before = &self.lexer.text()[..span.start as usize];
        u32::try_from(1 + crate::unicode::line_breaks(before)).unwrap_or(u32::MAX)
    }

    /// A token as error messages show it.
    fn described(&self, token: Token) -> Cow<'_, str> {
        let written = String::from_utf8_lossy(self.written(token));
        match token.kind {
            TokenKind::EndOfText => "EOF".into(),
            TokenKind::Error => self.lexer.problem().into(),
            kind if kind.is_keyword() => format!("<{written}>").into(),
            _ if written.len() > 10 => {
                let start: String = written.chars().take(10).collect();
                format!("{}...", crate::fmt::quote(start.as_bytes())).into()
            }
            _ => crate::fmt::quote(written.as_bytes()).into(),
        }
    }
}
