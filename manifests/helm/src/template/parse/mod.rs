//! Tokens to templates.
//!
//! # Follows `text/template/parse`
//! What is accepted, which line an error names and what it says. Names of functions and variables are resolved here, so
//! that a misspelt one is found even where it is never evaluated.

mod pipeline;

use std::sync::Arc;

use super::ast::{Branch, Invocation, Node, Source, Template};
use super::error::ParseError;
use super::lexer::Lexer;
use super::literal;
use super::token::{Token, TokenKind};
use crate::value::Text;

/// Deepest nesting of parentheses, and of `if`, `with` and `range`.
pub(crate) const MAX_NESTING: usize = 1000;

/// Reads `text`, which error messages call `name`, and returns the template of that name after those it defines.
pub(crate) fn parse(name: &str, text: &Text) -> Result<Vec<Arc<Template>>, ParseError> {
    let source = Arc::new(Source { name: name.into(), text: text.clone() });
    let mut lexer = Lexer::new(text);
    let mut templates = Vec::new();
    Parser::new(&source, &mut lexer, &mut templates).file()?;
    Ok(templates)
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

struct Parser<'p, 'a> {
    source: &'p Arc<Source>,
    lexer: &'p mut Lexer<'a>,
    templates: &'p mut Vec<Arc<Template>>,
    /// Tokens that were put back: the last is read first. `tokens[0]` is the newest, whose line errors name.
    tokens: [Token; 3],
    pending: usize,
    variables: Vec<String>,
    range_depth: usize,
    nesting: usize,
    action_line: u32,
}

type Parsed<T> = Result<T, ParseError>;

impl<'p, 'a> Parser<'p, 'a> {
    fn new(source: &'p Arc<Source>, lexer: &'p mut Lexer<'a>, templates: &'p mut Vec<Arc<Template>>) -> Self {
        Self {
            source,
            lexer,
            templates,
            tokens: <[Token; 3]>::default(),
            pending: 0,
            variables: vec!["$".to_owned()],
            range_depth: 0,
            nesting: 0,
            action_line: 0,
        }
    }

    fn file(mut self) -> Parsed<()> {
        let mut body = Vec::new();
        while self.peek().kind != TokenKind::EndOfText {
            if self.peek().kind == TokenKind::LeftDelimiter {
                let delimiter = self.next();
                if self.next_non_space().kind == TokenKind::Define {
                    self.nested().definition()?;
                    continue;
                }
                self.put_back_two(delimiter);
            }
            match self.text_or_action()? {
                Part::Node(node) => body.push(node),
                Part::End(ListEnd::End) => return Err(self.error("unexpected {{end}}")),
                Part::End(ListEnd::Else) => return Err(self.error("unexpected {{else}}")),
            }
        }
        let name = Arc::clone(&self.source.name);
        self.add(name, body)
    }

    /// A parser of a template inside this one, which reads the same tokens and shares no variable.
    fn nested(&mut self) -> Parser<'_, 'a> {
        let nesting = self.nesting;
        Parser { nesting, ..Parser::new(self.source, self.lexer, self.templates) }
    }

    fn definition(mut self) -> Parsed<()> {
        const CONTEXT: &str = "define clause";
        let name = self.next_non_space();
        let name = match name.kind {
            TokenKind::String | TokenKind::RawString => self.unquote(&name)?,
            _ => return Err(self.unexpected(&name, CONTEXT)),
        };
        self.expect(TokenKind::RightDelimiter, CONTEXT)?;
        self.body_of(&name, CONTEXT)
    }

    /// The rest of a `define` or `block`.
    fn body_of(mut self, name: &Text, context: &str) -> Parsed<()> {
        let (body, end) = self.list()?;
        match end {
            ListEnd::End => self.add(name.to_str().into(), body),
            ListEnd::Else => Err(self.error(format!("unexpected {{{{else}}}} in {context}"))),
        }
    }

    fn add(self, name: Arc<str>, body: Vec<Node>) -> Parsed<()> {
        let template = Template { name, body, source: Arc::clone(self.source) };
        let same = self.templates.iter().position(|other| other.name == template.name);
        match same {
            None => self.templates.push(Arc::new(template)),
            Some(at) if self.templates[at].is_blank() => self.templates[at] = Arc::new(template),
            Some(_) if template.is_blank() => {}
            Some(_) => {
                let name = crate::fmt::quote(template.name.as_bytes());
                return Err(self.error(format!("template: multiple definition of template {name}")));
            }
        }
        Ok(())
    }

    fn list(&mut self) -> Parsed<(Vec<Node>, ListEnd)> {
        let mut nodes = Vec::new();
        while self.peek_non_space().kind != TokenKind::EndOfText {
            match self.text_or_action()? {
                Part::Node(node) => nodes.push(node),
                Part::End(end) => return Ok((nodes, end)),
            }
        }
        Err(self.error("unexpected EOF"))
    }

    fn text_or_action(&mut self) -> Parsed<Part> {
        let token = self.next_non_space();
        match token.kind {
            TokenKind::Text => Ok(Part::Node(Node::Text(token.position, self.written(&token)))),
            TokenKind::LeftDelimiter => {
                self.action_line = token.line;
                let part = self.action()?;
                self.action_line = 0;
                Ok(part)
            }
            _ => Err(self.unexpected(&token, "input")),
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
            return Err(self.unexpected(&token, &format!("{{{{{word}}}}}")));
        }
        if self.range_depth == 0 {
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

    fn branch(&mut self, context: &str) -> Parsed<Branch> {
        self.nesting += 1;
        if self.nesting > MAX_NESTING {
            return Err(self.error(format!("nested deeper than {MAX_NESTING}")));
        }
        let variables = self.variables.len();
        let pipeline = self.pipeline(context, TokenKind::RightDelimiter)?;
        let in_range = usize::from(context == "range");
        self.range_depth += in_range;
        let (body, end) = self.list()?;
        self.range_depth -= in_range;
        let otherwise = match end {
            ListEnd::End => None,
            ListEnd::Else => Some(self.else_branch(context)?),
        };
        self.variables.truncate(variables);
        self.nesting -= 1;
        Ok(Branch { pipeline, body, otherwise })
    }

    fn else_branch(&mut self, context: &str) -> Parsed<Vec<Node>> {
        match (context, self.peek().kind) {
            ("if", TokenKind::If) => {
                self.next();
                Ok(vec![Node::If(self.branch("if")?)])
            }
            ("with", TokenKind::With) => {
                self.next();
                Ok(vec![Node::With(self.branch("with")?)])
            }
            _ => match self.list()? {
                (nodes, ListEnd::End) => Ok(nodes),
                (_, ListEnd::Else) => Err(self.error("expected end; found {{else}}")),
            },
        }
    }

    fn block(&mut self) -> Parsed<Node> {
        const CONTEXT: &str = "block clause";
        let (position, name) = self.template_name(CONTEXT)?;
        let pipeline = self.pipeline(CONTEXT, TokenKind::RightDelimiter)?;
        self.nested().body_of(&name, CONTEXT)?;
        Ok(Node::Template(Invocation { position, name: name.to_str().into(), pipeline: Some(pipeline) }))
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
        Ok(Node::Template(Invocation { position, name: name.to_str().into(), pipeline }))
    }

    fn template_name(&mut self, context: &str) -> Parsed<(u32, Text)> {
        let token = self.next_non_space();
        match token.kind {
            TokenKind::String | TokenKind::RawString => Ok((token.position, self.unquote(&token)?)),
            _ => Err(self.unexpected(&token, context)),
        }
    }

    fn written(&self, token: &Token) -> Text {
        self.source.text[token.range.clone()].into()
    }

    fn unquote(&mut self, token: &Token) -> Parsed<Text> {
        let text = literal::unquote(&self.written(token));
        text.ok_or_else(|| self.error("invalid syntax"))
    }

    fn expect(&mut self, kind: TokenKind, context: &str) -> Parsed<()> {
        let token = self.next_non_space();
        if token.kind == kind { Ok(()) } else { Err(self.unexpected(&token, context)) }
    }

    fn next(&mut self) -> Token {
        if self.pending > 0 {
            self.pending -= 1;
        } else {
            self.tokens[0] = self.lexer.next_token();
        }
        self.tokens[self.pending].clone()
    }

    fn peek(&mut self) -> Token {
        if self.pending == 0 {
            self.pending = 1;
            self.tokens[0] = self.lexer.next_token();
        }
        self.tokens[self.pending - 1].clone()
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
        self.pending += 1;
    }

    /// Puts back the newest token and `first` before it.
    fn put_back_two(&mut self, first: Token) {
        self.tokens[1] = first;
        self.pending = 2;
    }

    /// Puts back the newest token, and `first` and `second` before it.
    fn put_back_three(&mut self, first: Token, second: Token) {
        self.tokens[1] = second;
        self.tokens[2] = first;
        self.pending = 3;
    }

    fn unexpected(&self, token: &Token, context: &str) -> ParseError {
        if token.kind != TokenKind::Error {
            return self.error(format!("unexpected {} in {context}", describe(token)));
        }
        if self.action_line == 0 || self.action_line == token.line {
            return self.error(token.text.clone());
        }
        let action = if token.text.ends_with(" action") { "" } else { " in action" };
        let file = &self.source.name;
        self.error(format!("{}{action} started at {file}:{}", token.text, self.action_line))
    }

    fn error(&self, problem: impl Into<String>) -> ParseError {
        ParseError { file: Arc::clone(&self.source.name), line: self.tokens[0].line, problem: problem.into() }
    }
}

/// A token as error messages show it.
fn describe(token: &Token) -> String {
    match token.kind {
        TokenKind::EndOfText | TokenKind::Error => token.text.clone(),
        kind if kind.is_keyword() => format!("<{}>", token.text),
        _ if token.text.len() > 10 => {
            let start: String = token.text.chars().take(10).collect();
            format!("{}...", crate::fmt::quote(start.as_bytes()))
        }
        _ => crate::fmt::quote(token.text.as_bytes()),
    }
}
