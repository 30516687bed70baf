//! What stands between the braces: pipelines, commands and operands.

use super::super::ast::{Binding, Command, Id, Literal, Operand, OperandKind, Pipeline, Run, Shown, Span};
use super::super::literal;
use super::super::token::{Token, TokenKind};
use super::{MAX_NESTING, Parsed, Parser};
use crate::functions;

impl Parser<'_, '_> {
    pub(super) fn pipeline(&mut self, context: &str, end: TokenKind) -> Parsed<Pipeline> {
        let position = self.peek_non_space().span.start;
        let (variables, binding) = self.declarations(context)?;
        let start = self.collected.commands.len();
        loop {
            let token = self.next_non_space();
            match token.kind {
                kind if kind == end => break,
                TokenKind::Bool
                | TokenKind::CharConstant
                | TokenKind::Dot
                | TokenKind::Field
                | TokenKind::Identifier
                | TokenKind::Number
                | TokenKind::Nil
                | TokenKind::RawString
                | TokenKind::String
                | TokenKind::Variable
                | TokenKind::LeftParen => {
                    self.put_back();
                    let command = self.command()?;
                    self.collected.commands.push(command);
                }
                _ => return Err(self.unexpected(token, context)),
            }
        }
        let commands = Run::add(&mut self.collected.commands, start, &mut self.syntax.commands);
        self.check_commands(commands, context)?;
        Ok(Pipeline { position, variables, binding, commands })
    }

    /// The variables before `:=` or `=`, if the pipeline starts with some.
    fn declarations(&mut self, context: &str) -> Parsed<(Run<Span>, Binding)> {
        let start = self.syntax.variables.len();
        let mut binding = Binding::Declare;
        loop {
            let variable = self.peek_non_space();
            if variable.kind != TokenKind::Variable {
                break;
            }
            self.next();
            let after = self.peek();
            let following = self.peek_non_space();
            match following.kind {
                TokenKind::Assign | TokenKind::Declare => {
                    self.next_non_space();
                    self.declare(variable);
                    if following.kind == TokenKind::Assign {
                        binding = Binding::Assign;
                    }
                    break;
                }
                TokenKind::Char if self.written(following) == b"," => {
                    self.next_non_space();
                    self.declare(variable);
                    self.check_list_of_variables(context, start)?;
                }
                _ if after.kind == TokenKind::Space => {
                    self.put_back_three(variable, after);
                    break;
                }
                _ => {
                    self.put_back_two(variable);
                    break;
                }
            }
        }
        Ok((Run::at(start..self.syntax.variables.len()), binding))
    }

    /// Refuses what may not stand before or behind a comma between variables, of which the first is at `start`.
    fn check_list_of_variables(&mut self, context: &str, start: usize) -> Parsed<()> {
        if context != "range" || self.syntax.variables.len() - start >= 2 {
            return Err(self.error(format!("too many declarations in {context}")));
        }
        match self.peek_non_space().kind {
            TokenKind::Variable | TokenKind::RightDelimiter | TokenKind::RightParen => Ok(()),
            _ => Err(self.error("range can only initialize variables")),
        }
    }

    fn declare(&mut self, token: Token) {
        self.syntax.variables.push(token.span);
        self.place.variables.push(self.written(token));
    }

    fn check_commands(&self, commands: Run<Command>, context: &str) -> Parsed<()> {
        let commands = commands.of(&self.syntax.commands);
        if commands.is_empty() {
            return Err(self.error(format!("missing value for {context}")));
        }
        let is_value = |command: &Command| {
            let operands = command.operands.of(&self.syntax.operands);
            matches!(
                operands[0].kind,
                OperandKind::Bool(_)
                    | OperandKind::Dot
                    | OperandKind::Nil
                    | OperandKind::Number(_)
                    | OperandKind::Text(..)
            )
        };
        match commands.iter().skip(1).position(is_value) {
            Some(index) => Err(self.error(format!("non executable command in pipeline stage {}", index + 2))),
            None => Ok(()),
        }
    }

    fn command(&mut self) -> Parsed<Command> {
        let position = self.peek_non_space().span.start;
        let start = self.collected.operands.len();
        loop {
            self.peek_non_space();
            let operand = self.operand()?;
            self.collected.operands.extend(operand);
            let token = self.next();
            match token.kind {
                TokenKind::Space => {}
                TokenKind::RightDelimiter | TokenKind::RightParen => {
                    self.put_back();
                    break;
                }
                TokenKind::Pipe => break,
                _ => return Err(self.unexpected(token, "operand")),
            }
        }
        if self.collected.operands.len() == start {
            return Err(self.error("empty command"));
        }
        let operands = Run::add(&mut self.collected.operands, start, &mut self.syntax.operands);
        Ok(Command { position, operands })
    }

    fn operand(&mut self) -> Parsed<Option<Operand>> {
        let Some(term) = self.term()? else { return Ok(None) };
        let first = self.peek();
        if first.kind != TokenKind::Field {
            return Ok(Some(term));
        }
        let mut names = first.span;
        while self.peek().kind == TokenKind::Field {
            names = names.to(self.next().span);
        }
        let kind = match term.kind {
            OperandKind::Field(fields) => OperandKind::Field(fields.to(names)),
            OperandKind::Variable(fields) => OperandKind::Variable(fields.to(names)),
            OperandKind::Bool(_)
            | OperandKind::Text(..)
            | OperandKind::Number(_)
            | OperandKind::Nil
            | OperandKind::Dot => {
                let shown = Shown { text: self.lexer.text(), syntax: &self.syntax, node: &term };
                let term = crate::fmt::quote(shown.to_string().as_bytes());
                return Err(self.error(format!("unexpected . after term {term}")));
            }
            OperandKind::Function(_) | OperandKind::Pipeline(_) | OperandKind::Chain(..) => {
                OperandKind::Chain(Id::add(term, &mut self.syntax.operands), names)
            }
        };
        Ok(Some(Operand { position: first.span.start, kind }))
    }

    fn term(&mut self) -> Parsed<Option<Operand>> {
        let token = self.next_non_space();
        let kind = match token.kind {
            TokenKind::Identifier => self.function(token)?,
            TokenKind::Dot => OperandKind::Dot,
            TokenKind::Nil => OperandKind::Nil,
            TokenKind::Variable => self.variable(token)?,
            TokenKind::Field => OperandKind::Field(token.span),
            TokenKind::Bool => OperandKind::Bool(self.written(token) == b"true"),
            TokenKind::CharConstant | TokenKind::Number => {
                let number = self.number(token)?;
                OperandKind::Number(Id::add(number, &mut self.syntax.numbers))
            }
            TokenKind::LeftParen => {
                self.place.nesting += 1;
                if self.place.nesting > MAX_NESTING {
                    return Err(self.error("max expression depth exceeded"));
                }
                let pipeline = self.pipeline("parenthesized pipeline", TokenKind::RightParen)?;
                self.place.nesting -= 1;
                OperandKind::Pipeline(pipeline)
            }
            TokenKind::String | TokenKind::RawString => {
                let text = self.unquote(token)?;
                OperandKind::Text(token.span, Id::add(text, &mut self.syntax.texts))
            }
            _ => {
                self.put_back();
                return Ok(None);
            }
        };
        Ok(Some(Operand { position: token.span.start, kind }))
    }

    fn function(&mut self, token: Token) -> Parsed<OperandKind> {
        let name = self.written(token);
        match str::from_utf8(name).ok().and_then(functions::find) {
            Some(function) => Ok(OperandKind::Function(function)),
            None => Err(self.error(format!("function {} not defined", crate::fmt::quote(name)))),
        }
    }

    fn variable(&mut self, token: Token) -> Parsed<OperandKind> {
        let name = self.written(token);
        if self.place.variables.contains(&name) {
            return Ok(OperandKind::Variable(token.span));
        }
        Err(self.error(format!("undefined variable {}", crate::fmt::quote(name))))
    }

    fn number(&mut self, token: Token) -> Parsed<Literal> {
        let text = String::from_utf8_lossy(self.written(token));
        literal::number(&text, token.span).map_err(|problem| self.error(problem))
    }
}
