//! What a registry asks for when it answers 401: the `WWW-Authenticate` header.

use ureq::http::{HeaderMap, header};

/// What a registry asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Challenge {
    /// User and password, with each request.
    Basic,
    /// A token from the server at `realm`.
    Bearer { realm: String, service: Option<String> },
}

impl Challenge {
    /// The one challenge that is answered: a token before user and password. `None` if neither is asked for.
    pub(super) fn of(headers: &HeaderMap) -> Option<Self> {
        let values = headers.get_all(header::WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok());
        let found: Vec<Self> = values.flat_map(challenges).collect();
        let is_token = |challenge: &&Self| matches!(challenge, Self::Bearer { .. });
        found.iter().find(is_token).or(found.first()).cloned()
    }
}

/// The challenges in one header that are understood.
pub(crate) fn challenges(header: &str) -> Vec<Challenge> {
    let mut written: Vec<(String, Vec<(String, String)>)> = Vec::new();
    let mut rest = header.trim_start_matches([' ', ',']);
    while !rest.is_empty() {
        let (word, after) = rest.split_at(rest.find([' ', ',', '=']).unwrap_or(rest.len()));
        rest = if let Some(value) = after.strip_prefix('=') {
            let (value, after) = parse_value(value);
            if let Some((_, parameters)) = written.last_mut() {
                parameters.push((word.to_ascii_lowercase(), value));
            }
            after
        } else {
            written.push((word.to_ascii_lowercase(), Vec::new()));
            after
        }
        .trim_start_matches([' ', ',']);
    }
    written.into_iter().filter_map(|(scheme, parameters)| read(&scheme, &parameters)).collect()
}

fn read(scheme: &str, parameters: &[(String, String)]) -> Option<Challenge> {
    let take = |name: &str| parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
    match scheme {
        "basic" => Some(Challenge::Basic),
        "bearer" => Some(Challenge::Bearer { realm: take("realm")?, service: take("service") }),
        _ => None,
    }
}

/// A parameter's value, quoted or not, and what follows it.
fn parse_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let (value, rest) = text.split_at(text.find([' ', ',']).unwrap_or(text.len()));
        return (value.to_owned(), rest);
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            plain => value.push(plain),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&str]) -> String {
        let headers: HeaderMap =
            values.iter().map(|value| (header::WWW_AUTHENTICATE, value.parse().expect("a header"))).collect();
        match Challenge::of(&headers) {
            None => "nothing".to_owned(),
            Some(Challenge::Basic) => "basic".to_owned(),
            Some(Challenge::Bearer { realm, service }) => format!("{realm} for {}", service.unwrap_or_default()),
        }
    }

    #[test]
    fn challenges_are_read_however_they_are_written() {
        let rows: [(&[&str], &str); 12] = [
            (
                &[r#"Bearer realm="https://a/token",service="registry",scope="repository:x:pull""#],
                "https://a/token for registry",
            ),
            (&[r#"bearer service=registry , realm="https://a/token""#], "https://a/token for registry"),
            (&[r#"Bearer realm="https://a/\"q\"?x=1,2""#], "https://a/\"q\"?x=1,2 for "),
            (&[r#"Basic realm="Registry""#], "basic"),
            (&["Basic"], "basic"),
            (&[r#"Basic realm="x", Bearer realm="https://a""#], "https://a for "),
            (&[r#"Basic realm="x""#, r#"Bearer realm="https://a""#], "https://a for "),
            (&[r#"Negotiate abc==, Basic realm="x""#], "basic"),
            (&["Bearer service=x"], "nothing"),
            (&[r#"Bearer realm="https://a"#], "https://a for "),
            (&["Negotiate"], "nothing"),
            (&[], "nothing"),
        ];
        for (values, expected) in rows {
            assert_eq!(of(values), expected, "{values:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_header_makes_the_parser_panic(header in "\\PC*|(Bearer|Basic|[a-z]{1,3})( [a-z=\",\\\\ ]{0,20})*") {
            challenges(&header);
        }
    }
}
