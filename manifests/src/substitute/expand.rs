//! Templates to texts.

use std::borrow::Cow;

use super::{
    OUTPUT_LIMIT_BYTES, Variables,
    error::ExpressionError,
    expression::{self, Case, End, Expression, Operation, Part, Place, Reach},
    glob::Glob,
};

/// What becomes of a variable that is not set, where its expression gives no default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unset {
    /// It is an error.
    Refused,
    /// It is empty.
    Empty,
}

/// Most steps that the patterns of one text may take: each character of a value is compared with each of its pattern.
pub const PATTERN_LIMIT_STEPS: usize = 1 << 26;

/// Expands the expressions of `text`.
///
/// # Follows Flux
/// Lengths and offsets count bytes. `${v:+d}` and `${v:?d}` are defaults, and `${v/#p/}` leaves the value as it is,
/// unlike in a shell. A value is not expanded again.
pub fn expand(text: &str, variables: &Variables, unset: Unset) -> Result<String, ExpressionError> {
    let template = expression::parse(text)?;
    let mut expander = Expander { variables, unset, written_bytes: 0, steps: 0 };
    expander.template(&template)
}

struct Expander<'v> {
    variables: &'v Variables,
    unset: Unset,
    /// Bytes made so far, those of nested expressions included.
    written_bytes: usize,
    /// Steps that patterns have taken so far.
    steps: usize,
}

impl<'v> Expander<'v> {
    fn template(&mut self, template: &[Part<'_>]) -> Result<String, ExpressionError> {
        let mut text = String::new();
        for part in template {
            text += &self.part(part)?;
        }
        Ok(text)
    }

    fn part<'t>(&mut self, part: &'t Part<'_>) -> Result<Cow<'t, str>, ExpressionError> {
        match part {
            Part::Text(text) => Ok(Cow::Borrowed(text)),
            Part::Expression(expression) => {
                let value = self.expression(expression)?;
                self.written_bytes += value.len();
                within_limit(self.written_bytes, expression)?;
                Ok(Cow::Owned(value))
            }
        }
    }

    fn expression(&mut self, expression: &Expression<'_>) -> Result<String, ExpressionError> {
        // Arguments come first, so that the innermost missing variable is the one that is named.
        match &expression.operation {
            Operation::Default(word) => {
                let word = self.template(word)?;
                Ok(match self.variables.get(expression.name) {
                    Some(value) if !value.is_empty() => value.to_owned(),
                    _ => word,
                })
            }
            Operation::Value => self.value(expression).map(str::to_owned),
            Operation::Length => self.value(expression).map(|value| value.len().to_string()),
            Operation::Case { to, reach } => self.value(expression).map(|value| in_case(value, *to, *reach)),
            Operation::Substring { offset, length } => {
                let offset = self.part(offset)?;
                let length = length.as_ref().map(|length| self.part(length)).transpose()?;
                let cut = substring(self.value(expression)?, &offset, length.as_deref());
                cut.ok_or_else(|| ExpressionError::CutsCharacter { expression: expression.written.to_owned() })
            }
            Operation::Trim { end, reach, pattern } => {
                let pattern = self.part(pattern)?;
                let value = self.value(expression)?;
                self.steps = self.steps.saturating_add(value.len().saturating_mul(pattern.len()));
                if self.steps > PATTERN_LIMIT_STEPS {
                    return Err(ExpressionError::TooCostly { expression: expression.written.to_owned() });
                }
                Ok(trim(value, &pattern, *end, *reach))
            }
            Operation::Replace { place, pattern, replacement } => {
                let pattern = self.part(pattern)?;
                let replacement = replacement.as_ref().map(|replacement| self.part(replacement)).transpose()?;
                let (value, replacement) = (self.value(expression)?, replacement.as_deref());
                let inserted = value.matches(&*pattern).count().saturating_mul(replacement.map_or(0, str::len));
                within_limit(inserted, expression)?;
                Ok(replace(value, &pattern, replacement, *place))
            }
        }
    }

    fn value(&self, expression: &Expression<'_>) -> Result<&'v str, ExpressionError> {
        match (self.variables.get(expression.name), self.unset) {
            (Some(value), _) => Ok(value),
            (None, Unset::Empty) => Ok(""),
            (None, Unset::Refused) => {
                let (expression, name) = (expression.written.to_owned(), expression.name.to_owned());
                Err(ExpressionError::NotSet { expression, name })
            }
        }
    }
}

fn within_limit(bytes: usize, expression: &Expression<'_>) -> Result<(), ExpressionError> {
    if bytes > OUTPUT_LIMIT_BYTES {
        return Err(ExpressionError::TooLarge { expression: expression.written.to_owned() });
    }
    Ok(())
}

fn in_case(value: &str, to: Case, reach: Reach) -> String {
    let convert = |c: char| match to {
        Case::Upper => single(c.to_uppercase(), c),
        Case::Lower => single(c.to_lowercase(), c),
    };
    let converted = match reach {
        Reach::Least => 1,
        Reach::Most => usize::MAX,
    };
    value.chars().enumerate().map(|(at, c)| if at < converted { convert(c) } else { c }).collect()
}

/// A letter whose other case is more than one letter stays as it is.
fn single(mut converted: impl Iterator<Item = char>, original: char) -> char {
    match (converted.next(), converted.next()) {
        (Some(only), None) => only,
        _ => original,
    }
}

/// The part of `value` that begins at byte `offset`; both numbers count from the end where they are negative. A number
/// that cannot be read leaves the value whole. `None` if a character would be cut in two.
fn substring(value: &str, offset: &str, length: Option<&str>) -> Option<String> {
    let whole = i64::try_from(value.len()).expect("a value fits into memory");
    let Ok(offset) = offset.parse::<i64>() else { return Some(value.to_owned()) };
    let start = if offset < 0 { (whole + offset).max(0) } else { offset };
    let end = match length.map(str::parse::<i64>) {
        None => whole,
        Some(Ok(length)) if length < 0 => whole.saturating_add(length),
        Some(Ok(length)) => start.saturating_add(length).min(whole),
        Some(Err(_)) => return Some(value.to_owned()),
    };
    if end <= start {
        return Some(String::new());
    }
    let at = |number: i64| usize::try_from(number).expect("between 0 and the length");
    value.get(at(start)..at(end)).map(str::to_owned)
}

/// `value` without the prefix or suffix that matches `pattern`; a pattern that cannot be read matches nothing.
fn trim(value: &str, pattern: &str, end: End, reach: Reach) -> String {
    match end {
        End::Prefix => trim_prefix(value, pattern, reach).to_owned(),
        // Flux reverses both, the pattern's brackets and backslashes included.
        End::Suffix => reversed(trim_prefix(&reversed(value), &reversed(pattern), reach)),
    }
}

fn trim_prefix<'v>(value: &'v str, pattern: &str, reach: Reach) -> &'v str {
    let Some(glob) = Glob::parse(pattern) else { return value };
    let mut lengths = glob.matching_prefixes(value);
    let length = match reach {
        Reach::Least => lengths.next(),
        Reach::Most => lengths.last(),
    };
    &value[length.unwrap_or_default()..]
}

fn reversed(text: &str) -> String {
    text.chars().rev().collect()
}

fn replace(value: &str, pattern: &str, replacement: Option<&str>, place: Place) -> String {
    match (place, replacement) {
        (Place::First, _) => value.replacen(pattern, replacement.unwrap_or_default(), 1),
        (Place::All, _) => value.replace(pattern, replacement.unwrap_or_default()),
        (Place::Prefix, Some(replacement)) if value.starts_with(pattern) => value.replacen(pattern, replacement, 1),
        (Place::Suffix, Some(replacement)) => match value.strip_suffix(pattern) {
            Some(rest) => format!("{rest}{replacement}"),
            None => value.to_owned(),
        },
        (Place::Prefix, _) | (Place::Suffix, None) => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `text` becomes, or the error behind `!`.
    fn expanded(text: &str, unset: Unset) -> String {
        let values =
            [("a", "abcdef"), ("e", ""), ("n", "2"), ("back", "-2"), ("path", "/usr/lib/x.tar.gz"), ("u", "élan")];
        let mut variables = Variables::default();
        for (name, value) in values {
            variables.set(name, value).expect("a name");
        }
        expand(text, &variables, unset).unwrap_or_else(|error| format!("!{error}"))
    }

    #[test]
    fn every_form_has_the_value_that_flux_gives_it() {
        let rows = [
            // The value.
            ("x${a}y${a}", "xabcdefyabcdef"),
            ("${a}\nb", "abcdef\nb"),
            ("${e}", ""),
            ("$a $(a) {a} $", "$a $(a) {a} $"),
            // Escapes.
            ("$$${a}", "$abcdef"),
            ("$$${e}$$", "$$"),
            ("$$$$", "$$"),
            ("$$$", "$$"),
            ("$${a}", "${a}"),
            ("$${a:-x}", "${a:-x}"),
            ("\\${a}", "\\abcdef"),
            ("pa$$word", "pa$word"),
            // The length, in bytes.
            ("${#a}", "6"),
            ("${#u}", "5"),
            ("${#e}", "0"),
            // The case.
            ("${a^} ${a^^} ${a,} ${u^}", "Abcdef ABCDEF abcdef Élan"),
            ("${a^,}", "abcdef"),
            ("${a^^^}", "!`${a^^^}`: bad substitution"),
            // Substrings, in bytes.
            ("${a:2} ${a:2:2} ${a:0:99} ${a:9}", "cdef cd abcdef "),
            ("${a:${n}:${n}} ${a:${back}}", "cd ef"),
            ("${a:1:-1} ${a:4:-4} ${a:-9}", "bcde  abcdef"),
            ("${a:-2} ${a: -2} ${a:x} ${a:1:x}", "abcdef abcdef abcdef abcdef"),
            ("${a:2::2}", "cd"),
            ("${u:1}", "!`${u:1}`: the substring cuts a character in two"),
            ("${a:}", "!`${a:}`: unable to parse substitution within function"),
            ("${a::2}", "!`${a::2}`: unable to parse substitution within function"),
            ("${a:1${n}}", "!`${a:1${n}`: bad substitution"),
            // Prefixes and suffixes.
            ("${path#*/} ${path##*/}", "usr/lib/x.tar.gz x.tar.gz"),
            ("${path%.*} ${path%%.*}", "/usr/lib/x.tar /usr/lib/x"),
            ("${a#b} ${a#?} ${a#[a-c]} ${a#*} ${a##*}", "abcdef bcdef bcdef bcdef "),
            ("${a#[} ${a%?f} ${a%[ef]}", "abcdef abcd abcdef"),
            ("${u#?}", "lan"),
            ("${a#}", "!`${a#}`: unable to parse substitution within function"),
            ("${a#a${n}}", "!`${a#a${n}`: bad substitution"),
            // Replacements, by literal text.
            ("${a/b/} ${a/b/-} ${path//\\//-}", "acdef a-cdef -usr-lib-x.tar.gz"),
            ("${a/#ab/x} ${a/%ef/x} ${a/#b/x} ${a/%e/x}", "xcdef abcdx abcdef abcdef"),
            ("${a/#ab/} ${a/%ef/}", "abcdef abcdef"),
            ("${a/?/x} ${a/${n}/x} ${a/a/${n}}", "abcdef abcdef 2bcdef"),
            ("${a/b/$$}", "a$cdef"),
            ("${a/b}", "!`${a/b}`: bad substitution"),
            ("${a//}", "!`${a//}`: bad substitution"),
            // Defaults.
            ("${e:-d} ${z=d} ${z:=d} ${z:+d} ${z:?d} ${a:-d}", "d d d d d abcdef"),
            ("${z:=} ${z:=a$$b}", " a$$b"),
            ("${z:-x${a}y} ${z:-${y:-${x:-deep}}} ${z:-${e}}", "xabcdefy deep "),
            ("${z:-a}b} ${z:- }", "ab}  "),
            ("${a:-${z}}", "!`${z}`: variable not set (strict mode): \"z\""),
            // Variables that are not set.
            ("${z}", "!`${z}`: variable not set (strict mode): \"z\""),
            ("${#z}", "!`${#z}`: variable not set (strict mode): \"z\""),
            ("${z^^}", "!`${z^^}`: variable not set (strict mode): \"z\""),
            ("${1}", "!`${1}`: variable not set (strict mode): \"1\""),
            // What is no expression.
            ("${a.b}", "!`${a.b}`: missing closing brace"),
            ("${a[0]}", "!`${a[0]}`: missing closing brace"),
            ("${a }", "!`${a }`: missing closing brace"),
            ("${a-x}", "!`${a-x}`: missing closing brace"),
            ("${a+x}", "!`${a+x}`: missing closing brace"),
            ("${a?x}", "!`${a?x}`: missing closing brace"),
            ("${a", "!`${a`: missing closing brace"),
            ("${a:-x", "!`${a:-x`: unable to parse substitution within function"),
            ("${ a }", "!`${ a }`: unable to parse variable name"),
            ("${@}", "!`${@}`: unable to parse variable name"),
            ("${!a}", "!`${!a}`: unable to parse variable name"),
            ("${}", "!`${}`: unable to parse variable name"),
            ("${", "!`${`: unable to parse variable name"),
            ("${#}", "!`${#}`: bad substitution"),
            ("x ${z:-${ }", "!`${ }`: unable to parse variable name"),
            // A NUL character ends the text.
            ("${a}\0${", "abcdef"),
        ];
        for (text, expected) in rows {
            assert_eq!(expanded(text, Unset::Refused), expected, "{text}");
        }
    }

    #[test]
    fn a_variable_that_is_not_set_is_empty_where_that_is_allowed() {
        let rows =
            [("x${z}y", "xy"), ("${#z}", "0"), ("${z^^}${z:1}${z#a}${z/a/b}", ""), ("${z:-d}", "d"), ("${1}", "")];
        for (text, expected) in rows {
            assert_eq!(expanded(text, Unset::Empty), expected, "{text}");
        }
    }

    #[test]
    fn a_value_is_not_expanded_again() {
        let mut variables = Variables::default();
        variables.set("a", "${a}$$").expect("a name");
        assert_eq!(expand("${a}", &variables, Unset::Refused).as_deref(), Ok("${a}$$"));
    }

    #[test]
    fn nesting_has_a_limit() {
        let nested = |depth: usize| format!("{}d{}", "${z:-".repeat(depth), "}".repeat(depth));
        assert_eq!(expanded(&nested(32), Unset::Refused), "d");
        assert_eq!(expanded(&nested(33), Unset::Refused), "!`${z:-d}`: expressions nest deeper than 32");
        assert!(expanded(&"${z:-".repeat(100_000), Unset::Refused).ends_with("expressions nest deeper than 32"));
    }

    #[test]
    fn the_output_has_a_limit() {
        let mut variables = Variables::default();
        variables.set("big", &"x".repeat(1 << 20)).expect("a name");
        let error = |text: &str| expand(text, &variables, Unset::Refused).expect_err("too large").to_string();
        assert_eq!(error(&"${big}".repeat(9)), "`${big}`: the object grows larger than 8388608 bytes");
        assert_eq!(error("${big//x/${big}}"), "`${big//x/${big}}`: the object grows larger than 8388608 bytes");
    }

    #[test]
    fn patterns_have_a_limit() {
        let mut variables = Variables::default();
        variables.set("big", &"x".repeat(1 << 14)).expect("a name");
        assert_eq!(
            expand("${big#${big}}", &variables, Unset::Refused).expect_err("too costly").to_string(),
            "`${big#${big}}`: value and pattern are too long to be compared"
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_a_value_or_an_error(text in "[${}#%/:=,^a-cz*? \\\\\\[\\]é1-]{0,24}", is_refused: bool) {
            let mut variables = Variables::default();
            variables.set("a", "aéb/c").expect("a name");
            variables.set("b", "").expect("a name");
            let unset = if is_refused { Unset::Refused } else { Unset::Empty };
            let _ = expand(&text, &variables, unset);
        }

        #[test]
        fn a_text_without_dollars_stays_as_it_is(text in "[^$\0]*") {
            let expanded = expand(&text, &Variables::default(), Unset::Refused);
            proptest::prop_assert_eq!(expanded.as_deref(), Ok(text.as_str()));
        }
    }
}
