//! Selectors of labels, as Kubernetes writes them: `app=web,tier in (front, back),!legacy`.

use serde_json::{Map, Value};

/// Requirements that must all hold of an object's labels or annotations.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selector(Vec<Requirement>);

#[derive(Clone, Debug)]
struct Requirement {
    key: String,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Exists,
    Absent,
    In(Vec<String>),
    /// Holds for an absent key too.
    NotIn(Vec<String>),
}

impl Selector {
    /// Reads `text`; fails with the requirement that is none.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let requirements = split_requirements(text).into_iter().map(str::trim).filter(|part| !part.is_empty());
        requirements
            .map(|part| Requirement::parse(part).ok_or_else(|| part.to_owned()))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether `entries`, the labels or annotations of an object, meet all requirements.
    pub(crate) fn matches(&self, entries: Option<&Map<String, Value>>) -> bool {
        self.0.iter().all(|requirement| {
            let value = entries.and_then(|entries| entries.get(&requirement.key)).and_then(Value::as_str);
            let is_one_of = |values: &[String]| value.is_some_and(|value| values.iter().any(|other| other == value));
            match &requirement.test {
                Test::Exists => value.is_some(),
                Test::Absent => value.is_none(),
                Test::In(values) => is_one_of(values),
                Test::NotIn(values) => !is_one_of(values),
            }
        })
    }
}

/// Splits at commas, but not at those between the values of a set.
fn split_requirements(text: &str) -> Vec<&str> {
    let mut is_in_set = false;
    let is_separator = |character| {
        match character {
            '(' => is_in_set = true,
            ')' => is_in_set = false,
            _ => {}
        }
        character == ',' && !is_in_set
    };
    text.split(is_separator).collect()
}

impl Requirement {
    fn parse(written: &str) -> Option<Self> {
        let one = |value: &str| vec![value.trim().to_owned()];
        let (key, test) = if let Some(key) = written.strip_prefix('!') {
            (key, Test::Absent)
        } else if let Some((key, value)) = written.split_once("!=") {
            (key, Test::NotIn(one(value)))
        } else if let Some((key, value)) = written.split_once("==").or_else(|| written.split_once('=')) {
            (key, Test::In(one(value)))
        } else if let Some((key, set)) = written.split_once('(') {
            Self::parse_set(key.trim_end(), set.strip_suffix(')')?)?
        } else {
            (written, Test::Exists)
        };
        let key = key.trim();
        let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
        (!key.is_empty() && key.chars().all(is_key)).then(|| Self { key: key.to_owned(), test })
    }

    fn parse_set<'a>(key_and_operator: &'a str, set: &str) -> Option<(&'a str, Test)> {
        let (key, operator) = key_and_operator.rsplit_once(char::is_whitespace)?;
        let values = set.split(',').map(|value| value.trim().to_owned()).collect();
        match operator {
            "in" => Some((key, Test::In(values))),
            "notin" => Some((key, Test::NotIn(values))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn requirements_mean_what_kubernetes_says() {
        let labels = json!({"app": "web", "tier": "front", "a.b/c": ""});
        let cases = [
            ("", true),
            ("app=web", true),
            ("app == web , tier=front", true),
            ("app=shop", false),
            ("app!=shop,none!=x", true),
            ("app!=web", false),
            ("tier in (back, front),app", true),
            ("tier in (back)", false),
            ("tier notin (back),none notin (x)", true),
            ("tier notin (front,back)", false),
            ("!none", true),
            ("!app", false),
            ("a.b/c,a.b/c=", true),
        ];
        for (text, expected) in cases {
            assert_eq!(Selector::parse(text).expect(text).matches(labels.as_object()), expected, "{text}");
        }
        assert!(!Selector::parse("app").expect("valid").matches(None));
    }

    #[test]
    fn what_is_no_requirement_is_refused_and_quoted() {
        for text in ["app=web,=x", "tier in back", "tier within (x)", "a b", "tier in (x"] {
            assert!(Selector::parse(text).is_err(), "{text}");
        }
    }
}
