//! The index of a Helm repository: read event by event, so that of a large one only what is asked for is kept.
//!
//! # Follows Flux
//! A version that is written exactly so counts first. Otherwise the highest within the range counts, and of equal ones the
//! youngest; versions that are none are not looked at. An empty version means `*`.
//! # Differs from Flux
//! Fields that nobody reads are not checked, and an index is served as it came, not as JSON.

use granit_parser::{Event, Parser};
use jiff::Timestamp;
use semver::Version;

use crate::version::{VersionRange, VersionRangeError, parse_tag};

/// One version of a chart, as an index lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChartVersion {
    /// The version as written.
    pub version: String,
    /// Where the chart's archive is; relative to the index, or whole URLs.
    pub urls: Vec<String>,
    /// The SHA-256 of the archive in hex digits.
    pub digest: Option<String>,
    /// When it was made.
    pub created: Option<Timestamp>,
}

/// Why an index cannot be used, or does not have what is asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// It is no YAML.
    #[error("line {line}: {problem}")]
    Syntax {
        /// Where.
        line: usize,
        /// What is wrong.
        problem: String,
    },
    /// It is not UTF-8.
    #[error("it is not UTF-8 text")]
    Encoding,
    /// It is empty.
    #[error("empty index.yaml file")]
    Empty,
    /// It is something else than an index.
    #[error("no API version specified")]
    NoApiVersion,
    /// An alias stands where a value is read.
    #[error("line {0}: an alias stands for a value")]
    Alias(usize),
    /// No chart has the name.
    #[error("no chart name found")]
    NoChart,
    /// The range cannot be read.
    #[error("malformed version range `{range}`")]
    MalformedRange {
        /// The range as written.
        range: String,
        /// What is wrong with it.
        source: VersionRangeError,
    },
    /// No version of the chart is within the range.
    #[error("no '{chart}' chart with version matching '{range}' found")]
    NoVersion {
        /// The chart.
        chart: String,
        /// The range as written.
        range: String,
    },
}

/// Deepest nesting that is read.
const DEPTH_LIMIT: usize = 64;

/// Finds the version of `chart` that `version` asks for: exactly that one, or the highest within a range.
pub fn find(index: &[u8], chart: &str, version: &str) -> Result<ChartVersion, IndexError> {
    let versions = read(index, Some(chart))?.ok_or(IndexError::NoChart)?;
    if let Some(exact) = versions.iter().find(|listed| !version.is_empty() && listed.version == version) {
        return Ok(exact.clone());
    }
    let range = if version.is_empty() { "*" } else { version };
    let within =
        VersionRange::parse(range).map_err(|source| IndexError::MalformedRange { range: range.to_owned(), source })?;
    let matching = versions.into_iter().filter_map(|listed| Some((parse_tag(&listed.version)?, listed)));
    let best = matching.filter(|(version, _)| within.matches(version)).max_by(order);
    best.map(|(_, listed)| listed)
        .ok_or_else(|| IndexError::NoVersion { chart: chart.to_owned(), range: version.to_owned() })
}

fn order(a: &(Version, ChartVersion), b: &(Version, ChartVersion)) -> std::cmp::Ordering {
    a.0.cmp_precedence(&b.0).then_with(|| a.1.created.cmp(&b.1.created))
}

/// Reads an index from its beginning to its end, and nothing of it.
pub(super) fn check(index: &[u8]) -> Result<(), IndexError> {
    read(index, None).map(drop)
}

/// The versions of `chart`; `None` if the index has no such chart.
fn read(index: &[u8], chart: Option<&str>) -> Result<Option<Vec<ChartVersion>>, IndexError> {
    let text = std::str::from_utf8(index).map_err(|_| IndexError::Encoding)?;
    let options = granit_parser::options! { flow_nesting_limit: DEPTH_LIMIT, block_nesting_limit: DEPTH_LIMIT };
    let mut reading = Reading { chart, place: Vec::new(), found: None, has_api_version: false, is_empty: true };
    for next in Parser::new_from_str_with_options(text, options) {
        let (event, span) =
            next.map_err(|error| IndexError::Syntax { line: error.marker().line(), problem: error.info() })?;
        reading.take(event, span.start.line())?;
    }
    if reading.is_empty {
        return Err(IndexError::Empty);
    }
    if reading.has_api_version { Ok(reading.found) } else { Err(IndexError::NoApiVersion) }
}

/// Where in the index the reading is, and what it has found.
struct Reading<'a> {
    chart: Option<&'a str>,
    /// The collections around what comes next, the outermost first.
    place: Vec<Around>,
    found: Option<Vec<ChartVersion>>,
    has_api_version: bool,
    is_empty: bool,
}

/// A collection that is being read.
enum Around {
    Sequence,
    /// A mapping, with the key whose value comes next.
    Mapping(Option<String>),
}

impl Around {
    fn part(&self) -> &str {
        match self {
            Self::Sequence => "-",
            Self::Mapping(key) => key.as_deref().unwrap_or_default(),
        }
    }
}

impl Reading<'_> {
    fn take(&mut self, event: Event<'_>, line: usize) -> Result<(), IndexError> {
        match event {
            Event::Scalar(text, ..) => {
                if let Some(Around::Mapping(key @ None)) = self.place.last_mut() {
                    *key = Some(text.into_owned());
                    return Ok(());
                }
                self.value(&text);
                self.end_value();
            }
            Event::MappingStart(..) => {
                self.begin_collection();
                self.place.push(Around::Mapping(None));
            }
            Event::SequenceStart(..) => {
                self.begin_collection();
                self.place.push(Around::Sequence);
            }
            Event::MappingEnd | Event::SequenceEnd => {
                self.place.pop();
                self.end_value();
            }
            Event::Alias(..) if self.is_read() => return Err(IndexError::Alias(line)),
            Event::Alias(..) => self.end_value(),
            _ => {}
        }
        Ok(())
    }

    /// The keys on the way to what comes next; a `-` for each sequence.
    fn path(&self) -> Vec<&str> {
        self.place.iter().map(Around::part).collect()
    }

    fn begin_collection(&mut self) {
        self.is_empty = false;
        let path = self.path();
        let is_chart = matches!(path[..], ["entries", chart] if Some(chart) == self.chart);
        let is_version = matches!(path[..], ["entries", chart, "-"] if Some(chart) == self.chart);
        if is_chart || is_version {
            let found = self.found.get_or_insert_default();
            found.extend(is_version.then(ChartVersion::default));
        }
    }

    fn value(&mut self, text: &str) {
        let path = self.path();
        match path[..] {
            ["apiVersion"] => self.has_api_version = !text.is_empty(),
            ["entries", chart, "-", ref field @ ..] if Some(chart) == self.chart => {
                let field = field.join("/");
                self.field(&field, text);
            }
            _ => {}
        }
    }

    /// Keeps a field of the version that was begun last.
    fn field(&mut self, field: &str, text: &str) {
        let Some(listed) = self.found.as_mut().and_then(|found| found.last_mut()) else { return };
        match field {
            "version" => text.clone_into(&mut listed.version),
            "urls/-" => listed.urls.push(text.to_owned()),
            "digest" => listed.digest = Some(text.to_owned()).filter(|digest| !digest.is_empty()),
            "created" => listed.created = text.parse().ok(),
            _ => {}
        }
    }

    /// Whether what comes next is something that is kept.
    fn is_read(&self) -> bool {
        let path = self.path();
        matches!(path[..], ["entries" | "apiVersion"])
            || matches!(path[..], ["entries", chart, ..] if Some(chart) == self.chart)
    }

    fn end_value(&mut self) {
        if let Some(Around::Mapping(key)) = self.place.last_mut() {
            *key = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = r#"
apiVersion: v1
generated: "2026-01-01T00:00:00Z"
entries:
  other:
  - version: 9.0.0
    urls: [other-9.0.0.tgz]
  shop:
  - version: 1.0.0
    name: shop
    created: "2026-01-01T00:00:00Z"
    urls: ["https://charts.example.com/shop-1.0.0.tgz", backup/shop-1.0.0.tgz]
    digest: aa
  - version: 1.10.0
    created: "2026-01-02T00:00:00Z"
    dependencies:
    - name: base
      version: 7.0.0
      urls: [no]
    urls:
    - shop-1.10.0.tgz
  - version: v1.10.0
    created: "2026-01-03T00:00:00Z"
    urls: [shop-v1.10.0.tgz]
  - null
  - version: 2.0.0-rc.1
    urls: [shop-2.0.0-rc.1.tgz]
  - version: latest
    urls: [shop-latest.tgz]
  empty: []
"#;

    fn found(index: &str, chart: &str, version: &str) -> String {
        match find(index.as_bytes(), chart, version) {
            Ok(ChartVersion { version, urls, digest, .. }) => {
                format!("{version} {} {}", urls.join(" "), digest.unwrap_or_default()).trim_end().to_owned()
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn an_exact_version_counts_before_the_highest_in_a_range_and_the_youngest_of_equal_ones() {
        let rows = [
            ("shop", "1.0.0", "1.0.0 https://charts.example.com/shop-1.0.0.tgz backup/shop-1.0.0.tgz aa"),
            ("shop", "1.10.0", "1.10.0 shop-1.10.0.tgz"),
            ("shop", "", "v1.10.0 shop-v1.10.0.tgz"),
            ("shop", "*", "v1.10.0 shop-v1.10.0.tgz"),
            ("shop", "1.x", "v1.10.0 shop-v1.10.0.tgz"),
            ("shop", "<1.10", "1.0.0 https://charts.example.com/shop-1.0.0.tgz backup/shop-1.0.0.tgz aa"),
            ("shop", ">=1.0.0-0", "2.0.0-rc.1 shop-2.0.0-rc.1.tgz"),
            ("shop", "latest", "latest shop-latest.tgz"),
            ("shop", "7.0.0", "no 'shop' chart with version matching '7.0.0' found"),
            ("shop", "a b", "malformed version range `a b`"),
            ("none", "*", "no chart name found"),
            ("empty", "*", "no 'empty' chart with version matching '*' found"),
        ];
        for (chart, version, expected) in rows {
            assert_eq!(found(INDEX, chart, version), expected, "{chart} {version}");
        }
    }

    #[test]
    fn json_is_read_too() {
        let json = r#"{"apiVersion":"v1","entries":{"shop":[{"version":"1.0.0","urls":["a.tgz"]}]}}"#;
        assert_eq!(found(json, "shop", "1"), "1.0.0 a.tgz");
    }

    #[test]
    fn what_is_no_index_is_refused() {
        let rows = [
            ("", "empty index.yaml file"),
            ("# nothing\n", "empty index.yaml file"),
            ("entries: {}", "no API version specified"),
            ("<html>", "empty index.yaml file"),
            ("apiVersion: v1\nentries:\n  shop: [\n", "line 3: "),
            ("apiVersion: v1\na: &a [1]\nentries:\n  shop: *a\n", "line 4: an alias stands for a value"),
        ];
        for (index, expected) in rows {
            let outcome = found(index, "shop", "*");
            assert!(outcome.starts_with(expected), "{index:?}: {outcome}");
        }
        let deep = format!("apiVersion: v1\nx: {}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(check(deep.as_bytes()).is_err());
        assert_eq!(check(b"\xff"), Err(IndexError::Encoding));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*|(entries|shop|version|urls|[-:&*a\\[\\]{}, \n]){0,30}") {
            let _ = find(text.as_bytes(), "shop", "*");
        }
    }
}
