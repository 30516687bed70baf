//! `printf`: a format and its arguments.

use super::printer::Printer;
use crate::unicode;
use crate::value::Value;

/// What `printf` makes of `format` and `arguments`.
pub(crate) fn sprintf(format: &[u8], arguments: &[Value]) -> Vec<u8> {
    let mut text = Vec::with_capacity(format.len());
    let mut reader = Reader { format, position: 0, arguments, next: 0, reordered: false, good_index: true };
    while let Some(length) = format[reader.position..].iter().position(|byte| *byte == b'%') {
        text.extend_from_slice(&format[reader.position..reader.position + length]);
        reader.position += length + 1;
        reader.directive(&mut text);
    }
    text.extend_from_slice(&format[reader.position..]);
    if !reader.reordered && reader.next < arguments.len() {
        extra(&mut text, &arguments[reader.next..]);
    }
    text
}

/// Widths and precisions that are larger than this are none.
const MAX_NUMBER: i64 = 1_000_000;

struct Reader<'f> {
    format: &'f [u8],
    position: usize,
    arguments: &'f [Value],
    next: usize,
    /// Whether the format chose an argument by its number.
    reordered: bool,
    good_index: bool,
}

impl Reader<'_> {
    /// Reads what follows a `%` and prints it.
    fn directive(&mut self, text: &mut Vec<u8>) {
        let mut printer = Printer::new(text);
        self.good_index = true;
        let mut after_index = false;
        self.flags(&mut printer);
        self.argument_index(&mut after_index);
        if self.take(b'*') {
            match self.number_argument() {
                Some(width) => {
                    printer.minus |= width < 0;
                    printer.width = usize::try_from(width.unsigned_abs()).ok();
                }
                None => printer.write("%!(BADWIDTH)"),
            }
            after_index = false;
        } else {
            printer.width = self.number();
            if after_index && printer.width.is_some() {
                self.good_index = false;
            }
        }
        if self.take(b'.') {
            if after_index {
                self.good_index = false;
            }
            self.argument_index(&mut after_index);
            if self.take(b'*') {
                match self.number_argument() {
                    Some(precision) if precision >= 0 => printer.precision = usize::try_from(precision).ok(),
                    Some(_) => {}
                    None => printer.write("%!(BADPREC)"),
                }
                after_index = false;
            } else {
                printer.precision = Some(self.number().unwrap_or_default());
            }
        }
        if !after_index {
            self.argument_index(&mut after_index);
        }
        let Some((verb, length)) = unicode::decode(&self.format[self.position..]) else {
            return printer.write("%!(NOVERB)");
        };
        self.position += length;
        self.verb(&mut printer, verb);
    }

    fn verb(&mut self, printer: &mut Printer<'_>, verb: char) {
        if verb == '%' {
            return printer.write("%");
        }
        if !self.good_index {
            return printer.write(&format!("%!{verb}(BADINDEX)"));
        }
        let Some(argument) = self.arguments.get(self.next) else {
            return printer.write(&format!("%!{verb}(MISSING)"));
        };
        self.next += 1;
        if verb == 'v' {
            printer.sharp_v = std::mem::take(&mut printer.sharp);
            printer.plus_v = std::mem::take(&mut printer.plus);
        }
        printer.argument(argument, verb);
    }

    fn flags(&mut self, printer: &mut Printer<'_>) {
        while let Some(byte) = self.format.get(self.position) {
            match byte {
                b'#' => printer.sharp = true,
                b'0' => printer.zero = true,
                b'+' => printer.plus = true,
                b'-' => printer.minus = true,
                b' ' => printer.space = true,
                _ => return,
            }
            self.position += 1;
        }
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.format.get(self.position) == Some(&byte);
        self.position += usize::from(found);
        found
    }

    fn number(&mut self) -> Option<usize> {
        let digits = self.format[self.position..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let text = std::str::from_utf8(&self.format[self.position..self.position + digits]).unwrap_or_default();
        let number: i64 = if digits == 0 { return None } else { text.parse().unwrap_or(i64::MAX) };
        if number > MAX_NUMBER {
            return None;
        }
        self.position += digits;
        usize::try_from(number).ok()
    }

    /// The next argument, which a `*` asks for as a number.
    fn number_argument(&mut self) -> Option<i64> {
        let argument = self.arguments.get(self.next)?;
        self.next += 1;
        let number = match argument {
            Value::Int(number, _) => *number,
            Value::Uint(number, _) => i64::try_from(*number).ok()?,
            _ => return None,
        };
        (-MAX_NUMBER..=MAX_NUMBER).contains(&number).then_some(number)
    }

    /// Reads `[3]`, which chooses the argument that comes next.
    fn argument_index(&mut self, after_index: &mut bool) {
        *after_index = false;
        if self.format.get(self.position) != Some(&b'[') {
            return;
        }
        self.reordered = true;
        let rest = &self.format[self.position + 1..];
        let Some(length) = rest.iter().position(|byte| *byte == b']') else {
            self.good_index = false;
            self.position += 1;
            return;
        };
        let number = std::str::from_utf8(&rest[..length]).ok().and_then(|text| text.parse::<usize>().ok());
        self.position += length + 2;
        match number {
            Some(number) if (1..=self.arguments.len()).contains(&number) => {
                self.next = number - 1;
                *after_index = true;
            }
            _ => self.good_index = false,
        }
    }
}

/// Lists arguments that the format does not use.
fn extra(text: &mut Vec<u8>, arguments: &[Value]) {
    text.extend_from_slice(b"%!(EXTRA ");
    for (index, argument) in arguments.iter().enumerate() {
        if index > 0 {
            text.extend_from_slice(b", ");
        }
        match argument.type_name() {
            None => text.extend_from_slice(b"<nil>"),
            Some(name) => {
                text.extend_from_slice(name.as_bytes());
                text.push(b'=');
                Printer::new(text).argument(argument, 'v');
            }
        }
    }
    text.push(b')');
}
