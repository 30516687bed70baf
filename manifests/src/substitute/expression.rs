//! The expressions between `${` and `}`: what they are, and how they are read.
//!
//! # Follows Flux
//! The language is that of its `envsubst`, which is near to a shell's and less than it: one character of lookahead
//! decides the operation, a pattern or number is *either* one text *or* one nested expression, and only the word of a
//! default mixes both. Where the two differ, a manifest that Flux accepts means the same here.

use std::borrow::Cow;

use super::error::{ExpressionError, Problem};

/// A text with expressions in it.
pub(super) type Template<'t> = Vec<Part<'t>>;

/// A piece of a template.
#[derive(Debug)]
pub(super) enum Part<'t> {
    /// Printed as it is; escapes are resolved.
    Text(Cow<'t, str>),
    /// Replaced by its value.
    Expression(Expression<'t>),
}

/// A variable and what is made of its value.
#[derive(Debug)]
pub(super) struct Expression<'t> {
    /// The variable.
    pub(super) name: &'t str,
    /// What is made of it.
    pub(super) operation: Operation<'t>,
    /// The expression as it is written.
    pub(super) written: &'t str,
}

/// What an expression makes of its variable's value.
#[derive(Debug)]
pub(super) enum Operation<'t> {
    /// `${v}`
    Value,
    /// `${#v}`
    Length,
    /// `${v^}`, `${v^^}`, `${v,}`, `${v,,}`
    Case { to: Case, reach: Reach },
    /// `${v=d}`, `${v:=d}`, `${v:-d}`, `${v:+d}`, `${v:?d}`: all mean the same.
    Default(Template<'t>),
    /// `${v:offset}`, `${v:offset:length}`
    Substring { offset: Box<Part<'t>>, length: Option<Box<Part<'t>>> },
    /// `${v#p}`, `${v##p}`, `${v%p}`, `${v%%p}`
    Trim { end: End, reach: Reach, pattern: Box<Part<'t>> },
    /// `${v/p/r}`, `${v//p/r}`, `${v/#p/r}`, `${v/%p/r}`
    Replace { place: Place, pattern: Box<Part<'t>>, replacement: Option<Box<Part<'t>>> },
}

/// The case that letters are brought to.
#[derive(Clone, Copy, Debug)]
pub(super) enum Case {
    Upper,
    Lower,
}

/// Whether an operation takes as little as it can (one operator character) or as much (two).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    Least,
    Most,
}

/// The end of a value that is trimmed.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    Prefix,
    Suffix,
}

/// Where a pattern is replaced.
#[derive(Clone, Copy, Debug)]
pub(super) enum Place {
    First,
    All,
    Prefix,
    Suffix,
}

/// How deep expressions may nest in one another.
pub const NESTING_LIMIT: usize = 32;

/// Reads `text` up to its end, or to a NUL character, which ends it as well.
pub(super) fn parse(text: &str) -> Result<Template<'_>, ExpressionError> {
    let text = text.split('\0').next().unwrap_or_default();
    let mut parser = Parser { text, at: 0, open: Vec::new() };
    let mut template = Template::new();
    while parser.peek().is_some() {
        template.push(if parser.take("${") {
            Part::Expression(parser.expression()?)
        } else {
            Part::Text(parser.text_until(|_| false, Escapes::Dollar))
        });
    }
    Ok(template)
}

/// The escapes that a text resolves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Escapes {
    /// None: `$$` stays.
    None,
    /// `$$` is `$`.
    Dollar,
    /// And `\/` is `/`, `\\` is `\`.
    All,
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    /// Where the expressions begin that are being read, outermost first.
    open: Vec<usize>,
}

impl<'t> Parser<'t> {
    /// Reads an expression whose `${` has been taken, with its closing brace.
    fn expression(&mut self) -> Result<Expression<'t>, ExpressionError> {
        let start = self.at - "${".len();
        self.open.push(start);
        if self.open.len() > NESTING_LIMIT {
            return Err(self.fail(Problem::TooDeep));
        }
        let (name, operation) = if self.take("#") { self.length()? } else { self.name_and_operation()? };
        self.open.pop();
        Ok(Expression { name, operation, written: &self.text[start..self.at] })
    }

    fn length(&mut self) -> Result<(&'t str, Operation<'t>), ExpressionError> {
        let name = self.name().ok_or_else(|| self.fail(Problem::BadSubstitution))?;
        self.close()?;
        Ok((name, Operation::Length))
    }

    fn name_and_operation(&mut self) -> Result<(&'t str, Operation<'t>), ExpressionError> {
        let name = self.name().ok_or_else(|| self.fail(Problem::VariableName))?;
        let operation = match self.peek() {
            Some('}') => Operation::Value,
            Some(':') if [":=", ":-", ":?", ":+"].into_iter().any(|operator| self.take(operator)) => self.default()?,
            Some(':') => self.substring()?,
            Some('=') => {
                self.take("=");
                self.default()?
            }
            Some('^' | ',') => self.case(),
            Some('/') => self.replace()?,
            Some('#') => self.trim("#", End::Prefix)?,
            Some('%') => self.trim("%", End::Suffix)?,
            _ => return Err(self.fail(Problem::ClosingBrace)),
        };
        self.close()?;
        Ok((name, operation))
    }

    fn name(&mut self) -> Option<&'t str> {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        self.at += end;
        (end > 0).then(|| &rest[..end])
    }

    fn default(&mut self) -> Result<Operation<'t>, ExpressionError> {
        let mut word = Template::new();
        while self.peek() != Some('}') {
            word.push(self.parameter(|c| c == '}', Escapes::None)?);
        }
        Ok(Operation::Default(word))
    }

    /// Two different characters, as `^,`, are taken and do nothing.
    fn case(&mut self) -> Operation<'t> {
        let rest = &self.text[self.at..];
        let length = rest.bytes().take(2).take_while(|byte| matches!(byte, b'^' | b',')).count();
        self.at += length;
        match &rest[..length] {
            "^" => Operation::Case { to: Case::Upper, reach: Reach::Least },
            "^^" => Operation::Case { to: Case::Upper, reach: Reach::Most },
            "," => Operation::Case { to: Case::Lower, reach: Reach::Least },
            ",," => Operation::Case { to: Case::Lower, reach: Reach::Most },
            _ => Operation::Value,
        }
    }

    fn trim(&mut self, operator: &str, end: End) -> Result<Operation<'t>, ExpressionError> {
        self.take(operator);
        let reach = if self.take(operator) { Reach::Most } else { Reach::Least };
        let pattern = Box::new(self.parameter(|c| c == '}', Escapes::None)?);
        Ok(Operation::Trim { end, reach, pattern })
    }

    fn substring(&mut self) -> Result<Operation<'t>, ExpressionError> {
        self.take(":");
        let offset = Box::new(self.parameter(|c| matches!(c, ':' | '}'), Escapes::None)?);
        if self.peek() == Some('}') {
            return Ok(Operation::Substring { offset, length: None });
        }
        self.separator(':')?;
        let length = Some(Box::new(self.parameter(|c| c == '}', Escapes::None)?));
        Ok(Operation::Substring { offset, length })
    }

    /// A pattern reaches to the next `/`, over a closing brace if one comes first.
    fn replace(&mut self) -> Result<Operation<'t>, ExpressionError> {
        self.take("/");
        let places = [("/", Place::All), ("#", Place::Prefix), ("%", Place::Suffix)];
        let place =
            places.into_iter().find(|(operator, _)| self.take(operator)).map_or(Place::First, |(_, place)| place);
        let pattern = Box::new(self.parameter(|c| c == '/', Escapes::All)?);
        self.separator('/')?;
        let replacement = match self.peek() {
            Some('}') => None,
            _ => Some(Box::new(self.parameter(|c| c == '}', Escapes::All)?)),
        };
        Ok(Operation::Replace { place, pattern, replacement })
    }

    /// One nested expression, or one text that is not empty.
    fn parameter(&mut self, is_end: fn(char) -> bool, escapes: Escapes) -> Result<Part<'t>, ExpressionError> {
        if self.take("${") {
            return self.expression().map(Part::Expression);
        }
        match self.text_until(is_end, escapes) {
            text if text.is_empty() => Err(self.fail(Problem::Parameter)),
            text => Ok(Part::Text(text)),
        }
    }

    /// The text up to the next expression or to where `is_end` holds.
    fn text_until(&mut self, is_end: fn(char) -> bool, escapes: Escapes) -> Cow<'t, str> {
        let mut text = Cow::Borrowed("");
        let mut copied = self.at;
        while let Some(next) = self.peek() {
            let rest = &self.text[self.at..];
            if rest.starts_with("${") {
                break;
            }
            if is_escaped(rest, escapes) {
                text += &self.text[copied..self.at];
                copied = self.at + 1;
                self.at += 2;
            } else if is_end(next) {
                break;
            } else {
                self.at += next.len_utf8();
            }
        }
        text += &self.text[copied..self.at];
        text
    }

    /// Takes `separator`, once or repeated.
    fn separator(&mut self, separator: char) -> Result<(), ExpressionError> {
        let count = self.text[self.at..].chars().take_while(|c| *c == separator).count();
        self.at += count * separator.len_utf8();
        if count > 0 { Ok(()) } else { Err(self.fail(Problem::BadSubstitution)) }
    }

    fn close(&mut self) -> Result<(), ExpressionError> {
        if self.take("}") { Ok(()) } else { Err(self.fail(Problem::BadSubstitution)) }
    }

    fn take(&mut self, token: &str) -> bool {
        let is_next = self.text[self.at..].starts_with(token);
        if is_next {
            self.at += token.len();
        }
        is_next
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    /// The innermost open expression has `problem`.
    fn fail(&self, problem: Problem) -> ExpressionError {
        let start = self.open.last().copied().unwrap_or_default();
        ExpressionError::Syntax { expression: excerpt(&self.text[start..]), problem }
    }
}

/// Whether `rest` begins with an escape and the character that it stands for.
fn is_escaped(rest: &str, escapes: Escapes) -> bool {
    match escapes {
        Escapes::None => false,
        Escapes::Dollar => rest.starts_with("$$"),
        Escapes::All => ["$$", "\\/", "\\\\"].into_iter().any(|escape| rest.starts_with(escape)),
    }
}

/// The beginning of a broken expression: up to its brace, the end of its line, or what fits a message.
fn excerpt(text: &str) -> String {
    const LONGEST: usize = 60;
    let line = text.lines().next().unwrap_or_default();
    let end = line.find('}').map_or(line.len(), |brace| brace + 1);
    let shown: String = line[..end].chars().take(LONGEST).collect();
    if shown.len() < end { shown + "…" } else { shown }
}
