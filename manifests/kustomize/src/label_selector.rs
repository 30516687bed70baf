//! Selectors of labels and annotations, in Kubernetes' syntax.
//!
//! # Follows Kubernetes
//! A selector is a list of requirements that must all hold: `app=web,tier in (front, back),!old,size>3`. Keys and values
//! must be such as labels have, for annotations as well.

use std::{iter::Peekable, vec};

use fairlead_yaml::Node;

/// Longest name and value of a label, in bytes.
const LONGEST_NAME: usize = 63;

/// Longest domain before the name of a label, in bytes.
const LONGEST_DOMAIN: usize = 253;

/// Requirements that must all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LabelSelector(Vec<Requirement>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: String,
    test: Test,
}

/// What must hold for the value of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Exists,
    Absent,
    In(Vec<String>),
    NotIn(Vec<String>),
    Above(i64),
    Below(i64),
}

impl LabelSelector {
    /// Reads `text`; fails with kustomize's words.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut tokens = Tokens(tokens(text).into_iter().peekable());
        let mut requirements = Vec::new();
        match tokens.peek() {
            "" => return Ok(Self::default()),
            "!" => {}
            other if is_word(other) => {}
            other => return Err(format!("found '{other}', expected: !, identifier, or 'end of string'")),
        }
        loop {
            let requirement = tokens.requirement();
            requirements.push(requirement.map_err(|problem| format!("unable to parse requirement: {problem}"))?);
            match tokens.next().as_str() {
                "" => return Ok(Self(requirements)),
                "," => {}
                other => return Err(format!("found '{other}', expected: ',' or 'end of string'")),
            }
            let next = tokens.peek();
            if next != "!" && !is_word(next) {
                return Err(format!("found '{next}', expected: identifier after ','"));
            }
        }
    }

    /// Whether all requirements hold for `entries`, the labels or annotations of an object that may have none.
    pub(crate) fn selects(&self, entries: Option<&Node>) -> bool {
        self.0.iter().all(|Requirement { key, test }| {
            let value = entries.and_then(|entries| entries.get(key)).and_then(Node::as_str);
            test.holds(value)
        })
    }

    /// Whether there is no requirement.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Test {
    fn holds(&self, value: Option<&str>) -> bool {
        let number = || value.and_then(|value| value.parse::<i64>().ok());
        match self {
            Self::Exists => value.is_some(),
            Self::Absent => value.is_none(),
            Self::In(values) => value.is_some_and(|value| values.iter().any(|wanted| wanted == value)),
            Self::NotIn(values) => !value.is_some_and(|value| values.iter().any(|other| other == value)),
            Self::Above(least) => number().is_some_and(|number| number > *least),
            Self::Below(most) => number().is_some_and(|number| number < *most),
        }
    }
}

fn is_symbol(letter: char) -> bool {
    matches!(letter, '=' | '!' | '(' | ')' | ',' | '>' | '<')
}

/// Whether a token is none of the signs.
fn is_word(token: &str) -> bool {
    !token.is_empty() && !token.starts_with(is_symbol)
}

/// Splits `text` into words and signs.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '=' | '!' => 1 + usize::from(rest[1..].starts_with('=')),
            first if is_symbol(first) => 1,
            _ => rest.find(|letter: char| is_symbol(letter) || letter.is_ascii_whitespace()).unwrap_or(rest.len()),
        };
        tokens.push(rest[..end].to_owned());
        rest = rest[end..].trim_start();
    }
    tokens
}

/// The tokens of a selector; an empty one stands for its end.
struct Tokens(Peekable<vec::IntoIter<String>>);

impl Tokens {
    fn peek(&mut self) -> &str {
        self.0.peek().map_or("", String::as_str)
    }

    fn next(&mut self) -> String {
        self.0.next().unwrap_or_default()
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let is_negated = self.peek() == "!";
        if is_negated {
            self.next();
        }
        let key = self.next();
        if !is_word(&key) {
            return Err(format!("found '{key}', expected: identifier"));
        }
        check_key(&key)?;
        let test = match self.peek() {
            "" | "," if is_negated => Test::Absent,
            "" | "," => Test::Exists,
            _ => self.test(&key)?,
        };
        Ok(Requirement { key, test })
    }

    fn test(&mut self, key: &str) -> Result<Test, String> {
        let operator = self.next();
        let values = match operator.as_str() {
            "in" | "notin" => self.values()?,
            "=" | "==" | "!=" | ">" | "<" => vec![self.value()?],
            other => return Err(format!("found '{other}', expected: '=', '!=', '==', 'in', notin'")),
        };
        values.iter().try_for_each(|value| check_value(key, value))?;
        let number = || {
            let number = values.first().and_then(|value| value.parse().ok());
            number.ok_or("for 'Gt', 'Lt' operators, the value must be an integer")
        };
        Ok(match operator.as_str() {
            ">" => Test::Above(number()?),
            "<" => Test::Below(number()?),
            "notin" | "!=" => Test::NotIn(values),
            _ => Test::In(values),
        })
    }

    fn value(&mut self) -> Result<String, String> {
        match self.peek() {
            "" | "," => Ok(String::new()),
            word if is_word(word) => Ok(self.next()),
            other => Err(format!("found '{other}', expected: identifier")),
        }
    }

    /// Words in brackets; between two commas is an empty one.
    fn values(&mut self) -> Result<Vec<String>, String> {
        match self.next().as_str() {
            "(" => {}
            other => return Err(format!("found '{other}' expected: '('")),
        }
        let mut values = Vec::new();
        loop {
            values.push(if is_word(self.peek()) { self.next() } else { String::new() });
            match self.next().as_str() {
                "," => {}
                ")" => return Ok(values),
                other => return Err(format!("found '{other}', expected: ',' or ')'")),
            }
        }
    }
}

fn check_key(key: &str) -> Result<(), String> {
    let (domain, name) = key.split_once('/').map_or((None, key), |(domain, name)| (Some(domain), name));
    if is_name(name) && domain.is_none_or(is_domain) {
        return Ok(());
    }
    Err(format!(
        "invalid label key {key:?}: a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must \
         start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for \
         validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. \
         'example.com/MyName')"
    ))
}

fn check_value(key: &str, value: &str) -> Result<(), String> {
    if value.is_empty() || is_name(value) {
        return Ok(());
    }
    Err(format!(
        "invalid label value: {value:?}: at key: {key:?}: a valid label must be an empty string or consist of \
         alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. \
         'MyValue',  or 'my_value',  or '12345', regex used for validation is \
         '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
    ))
}

fn is_name(text: &str) -> bool {
    let ends_well = text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.ends_with(|last: char| last.is_ascii_alphanumeric());
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    ends_well && text.len() <= LONGEST_NAME && text.chars().all(is_allowed)
}

fn is_domain(text: &str) -> bool {
    let is_edge = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    let is_label = |label: &str| {
        label.starts_with(is_edge)
            && label.ends_with(is_edge)
            && label.chars().all(|letter| is_edge(letter) || letter == '-')
    };
    text.len() <= LONGEST_DOMAIN && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_hold_as_in_kubernetes() {
        let labels = fairlead_yaml::parse("{app: web, tier: front, size: 5, none: ''}").expect("YAML").remove(0);
        let rows = [
            ("", true),
            ("app=web", true),
            ("app==web,tier!=back", true),
            ("app in (web, db), ! old", true),
            ("app notin (web)", false),
            ("missing!=x", true),
            ("tier", true),
            ("missing", false),
            ("none=", true),
            ("none in (x,)", true),
            ("app in ()", false),
            ("size>4,size < 6", true),
            ("size>5", false),
            ("tier>1", false),
            ("example.com/app!=web", true),
        ];
        for (selector, expected) in rows {
            let selects = LabelSelector::parse(selector).map(|selector| selector.selects(Some(&labels)));
            assert_eq!(selects, Ok(expected), "{selector}");
        }
    }

    #[test]
    fn what_is_no_selector_is_refused() {
        let rows = [
            ("app=web,", "found '', expected: identifier after ','"),
            (",app", "found ',', expected: !, identifier, or 'end of string'"),
            ("app web", "unable to parse requirement: found 'web', expected: '=', '!=', '==', 'in', notin'"),
            ("app in web", "unable to parse requirement: found 'web' expected: '('"),
            ("app in (web", "unable to parse requirement: found '', expected: ',' or ')'"),
            ("app=web db", "found 'db', expected: ',' or 'end of string'"),
            ("size>x", "unable to parse requirement: for 'Gt', 'Lt' operators, the value must be an integer"),
        ];
        for (selector, expected) in rows {
            assert_eq!(LabelSelector::parse(selector), Err(expected.to_owned()), "{selector}");
        }
        for selector in ["a/b/c=d", "-a", "A.B/c", "a=-b", "a=b:c", "a in (b/c)"] {
            let problem = LabelSelector::parse(selector).expect_err(selector);
            assert!(problem.starts_with("unable to parse requirement: invalid label "), "{problem}");
        }
    }
}
