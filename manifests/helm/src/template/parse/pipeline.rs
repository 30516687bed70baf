//! What stands between the braces: pipelines, commands and operands.

use std::sync::Arc;

use super::super::ast::{Binding, Command, Literal, Operand, OperandKind, Pipeline};
use super::super::literal;
use super::super::token::{Token, TokenKind};
use super::{MAX_NESTING, Parsed, Parser};
use crate::functions;
use crate::value::Text;

impl Parser<'_, '_> {
    pub(super) fn pipeline(&mut self, context: &str, end: TokenKind) -> Parsed<Pipeline> {
        let position = self.peek_non_space().position;
        let (variables, binding) = self.declarations(context)?;
        let mut commands = Vec::new();
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
                    commands.push(self.command()?);
                }
                _ => return Err(self.unexpected(&token, context)),
            }
        }
        self.check_commands(&commands, context)?;
        Ok(Pipeline { position, variables, binding, commands })
    }

    /// The variables before `:=` or `=`, if the pipeline starts with some.
    fn declarations(&mut self, context: &str) -> Parsed<(Vec<Arc<str>>, Binding)> {
        let mut variables: Vec<Arc<str>> = Vec::new();
        loop {
            let variable = self.peek_non_space();
            if variable.kind != TokenKind::Variable {
                return Ok((variables, Binding::Declare));
            }
            self.next();
            let after = self.peek();
            let following = self.peek_non_space();
            match following.kind {
                TokenKind::Assign | TokenKind::Declare => {
                    self.next_non_space();
                    self.declare(&mut variables, &variable);
                    let is_assign = following.kind == TokenKind::Assign;
                    return Ok((variables, if is_assign { Binding::Assign } else { Binding::Declare }));
                }
                TokenKind::Char if following.text == "," => {
                    self.next_non_space();
                    self.declare(&mut variables, &variable);
                    if context != "range" || variables.len() >= 2 {
                        return Err(self.error(format!("too many declarations in {context}")));
                    }
                    let is_variable = matches!(
                        self.peek_non_space().kind,
                        TokenKind::Variable | TokenKind::RightDelimiter | TokenKind::RightParen
                    );
                    if !is_variable {
                        return Err(self.error("range can only initialize variables"));
                    }
                }
                _ if after.kind == TokenKind::Space => {
                    self.put_back_three(variable, after);
                    return Ok((variables, Binding::Declare));
                }
                _ => {
                    self.put_back_two(variable);
                    return Ok((variables, Binding::Declare));
                }
            }
        }
    }

    fn declare(&mut self, variables: &mut Vec<Arc<str>>, token: &Token) {
        variables.push(token.text.as_str().into());
        self.variables.push(token.text.clone());
    }

    fn check_commands(&mut self, commands: &[Command], context: &str) -> Parsed<()> {
        if commands.is_empty() {
            return Err(self.error(format!("missing value for {context}")));
        }
        let is_value = |command: &Command| {
            matches!(
                command.operands[0].kind,
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
        let position = self.peek_non_space().position;
        let mut operands = Vec::new();
        loop {
            self.peek_non_space();
            operands.extend(self.operand()?);
            let token = self.next();
            match token.kind {
                TokenKind::Space => {}
                TokenKind::RightDelimiter | TokenKind::RightParen => {
                    self.put_back();
                    break;
                }
                TokenKind::Pipe => break,
                _ => return Err(self.unexpected(&token, "operand")),
            }
        }
        if operands.is_empty() {
            return Err(self.error("empty command"));
        }
        Ok(Command { position, operands })
    }

    fn operand(&mut self) -> Parsed<Option<Operand>> {
        let Some(term) = self.term()? else { return Ok(None) };
        let first = self.peek();
        if first.kind != TokenKind::Field {
            return Ok(Some(term));
        }
        let mut names = Vec::new();
        while self.peek().kind == TokenKind::Field {
            names.push(Text::from(&self.next().text[1..]));
        }
        let Operand { position, kind } = term;
        let kind = match kind {
            OperandKind::Field(mut fields) => {
                fields.append(&mut names);
                OperandKind::Field(fields)
            }
            OperandKind::Variable(name, mut fields) => {
                fields.append(&mut names);
                OperandKind::Variable(name, fields)
            }
            OperandKind::Bool(_)
            | OperandKind::Text(..)
            | OperandKind::Number(_)
            | OperandKind::Nil
            | OperandKind::Dot => {
                let term = crate::fmt::quote(Operand { position, kind }.to_string().as_bytes());
                return Err(self.error(format!("unexpected . after term {term}")));
            }
            OperandKind::Function(_) | OperandKind::Pipeline(_) | OperandKind::Chain(..) => {
                OperandKind::Chain(Box::new(Operand { position, kind }), names)
            }
        };
        Ok(Some(Operand { position: first.position, kind }))
    }

    fn term(&mut self) -> Parsed<Option<Operand>> {
        let token = self.next_non_space();
        let kind = match token.kind {
            TokenKind::Identifier => {
                let name = || crate::fmt::quote(token.text.as_bytes());
                let function = functions::find(&token.text);
                OperandKind::Function(function.ok_or_else(|| self.error(format!("function {} not defined", name())))?)
            }
            TokenKind::Dot => OperandKind::Dot,
            TokenKind::Nil => OperandKind::Nil,
            TokenKind::Variable => self.variable(&token)?,
            TokenKind::Field => OperandKind::Field(vec![Text::from(&token.text[1..])]),
            TokenKind::Bool => OperandKind::Bool(token.text == "true"),
            TokenKind::CharConstant | TokenKind::Number => OperandKind::Number(self.number(&token)?),
            TokenKind::LeftParen => {
                self.nesting += 1;
                if self.nesting > MAX_NESTING {
                    return Err(self.error("max expression depth exceeded"));
                }
                let pipeline = self.pipeline("parenthesized pipeline", TokenKind::RightParen)?;
                self.nesting -= 1;
                OperandKind::Pipeline(pipeline)
            }
            TokenKind::String | TokenKind::RawString => {
                let text = self.unquote(&token)?;
                OperandKind::Text(self.written(&token), text)
            }
            _ => {
                self.put_back();
                return Ok(None);
            }
        };
        Ok(Some(Operand { position: token.position, kind }))
    }

    fn variable(&mut self, token: &Token) -> Parsed<OperandKind> {
        if self.variables.contains(&token.text) {
            return Ok(OperandKind::Variable(token.text.as_str().into(), Vec::new()));
        }
        let name = crate::fmt::quote(token.text.as_bytes());
        Err(self.error(format!("undefined variable {name}")))
    }

    fn number(&mut self, token: &Token) -> Parsed<Literal> {
        literal::number(&token.text, token.kind == TokenKind::CharConstant).map_err(|problem| self.error(problem))
    }
}
