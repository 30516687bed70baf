//! The index of a Helm repository: read event by event and character by character, so that nothing of a large one is held
//! but the version that is being read.
//!
//! # Follows Flux
//! A version that is written exactly so counts first. Otherwise the highest within the range counts, and of equal ones the
//! youngest; versions that are none are not looked at. An empty version means `*`.
//! # Differs from Flux
//! Fields that nobody reads are not checked, and an index is served as it came, not as JSON.

use std::io::Read;

use granit_parser::{ErrorKind, Event, Parser};
use jiff::Timestamp;
use semver::Version;
use serde::{Deserialize, Serialize};

use super::characters::Characters;
use crate::version::{VersionRange, VersionRangeError, parse_tag};

/// One version of a chart, as an index lists it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChartVersion {
    /// The version as written.
    pub version: String,
    /// Where the chart's archive is; relative to the index, or whole URLs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub urls: Vec<String>,
    /// The SHA-256 of the archive in hex digits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// When it was made.
    #[serde(skip_serializing_if = "Option::is_none")]
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
    /// It lists more charts than are kept.
    #[error("it lists more than {0} charts")]
    TooManyCharts(usize),
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

/// What an index lists, one after the other.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Listed {
    /// A chart; its versions follow.
    Chart(String),
    /// A version of that chart.
    Version(ChartVersion),
    /// What is listed of a chart for which an alias stands.
    Alias {
        /// The chart.
        chart: String,
        /// The line of the index.
        line: usize,
    },
}

/// Reads `index` from its beginning to its end, and gives `take` all that it lists.
pub(super) fn read<E: From<IndexError>>(
    index: impl Read,
    mut take: impl FnMut(Listed) -> Result<(), E>,
) -> Result<(), E> {
    let options = granit_parser::options! { flow_nesting_limit: DEPTH_LIMIT, block_nesting_limit: DEPTH_LIMIT };
    let mut reading = Reading::default();
    for next in Parser::new_from_fallible_iter_with_options(Characters::of(index), options) {
        let (event, span) = next.map_err(|error| match error.kind() {
            ErrorKind::InputDecoding { .. } => IndexError::Encoding,
            _ => IndexError::Syntax { line: error.marker().line(), problem: error.info() },
        })?;
        if let Some(listed) = reading.next(event, span.start.line())? {
            take(listed)?;
        }
    }
    Ok(reading.end()?)
}

/// Where in the index the reading is.
#[derive(Default)]
struct Reading {
    /// The collections around what comes next, the outermost first.
    place: Vec<Around>,
    /// The version that is being read.
    version: Option<ChartVersion>,
    has_api_version: bool,
    has_content: bool,
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

impl Reading {
    /// What `event` brings to its end or begins.
    fn next(&mut self, event: Event<'_>, line: usize) -> Result<Option<Listed>, IndexError> {
        match event {
            Event::Scalar(text, ..) => {
                if let Some(Around::Mapping(key @ None)) = self.place.last_mut() {
                    *key = Some(text.into_owned());
                    return Ok(None);
                }
                self.value(&text);
                self.end_value();
                Ok(None)
            }
            Event::MappingStart(..) => Ok(self.begin(Around::Mapping(None))),
            Event::SequenceStart(..) => Ok(self.begin(Around::Sequence)),
            Event::MappingEnd | Event::SequenceEnd => {
                self.place.pop();
                let listed = self.is_version().then(|| self.version.take()).flatten();
                self.end_value();
                Ok(listed.map(Listed::Version))
            }
            Event::Alias(..) => self.alias(line),
            _ => Ok(None),
        }
    }

    fn end(self) -> Result<(), IndexError> {
        if !self.has_content {
            return Err(IndexError::Empty);
        }
        if self.has_api_version { Ok(()) } else { Err(IndexError::NoApiVersion) }
    }

    /// The keys on the way to what comes next; a `-` for each sequence.
    fn path(&self) -> Vec<&str> {
        self.place.iter().map(Around::part).collect()
    }

    /// Whether what comes next is a version of a chart.
    fn is_version(&self) -> bool {
        matches!(self.path()[..], ["entries", _, "-"])
    }

    fn begin(&mut self, collection: Around) -> Option<Listed> {
        self.has_content = true;
        let chart = match self.path()[..] {
            ["entries", chart] => Some(Listed::Chart(chart.to_owned())),
            _ => None,
        };
        if self.is_version() {
            self.version = Some(ChartVersion::default());
        }
        self.place.push(collection);
        chart
    }

    fn value(&mut self, text: &str) {
        let path = self.path();
        match path[..] {
            ["apiVersion"] => self.has_api_version = !text.is_empty(),
            ["entries", _, "-", ref field @ ..] => {
                let field = field.join("/");
                self.field(&field, text);
            }
            _ => {}
        }
    }

    /// Keeps a field of the version that is being read.
    fn field(&mut self, field: &str, text: &str) {
        let Some(version) = &mut self.version else { return };
        match field {
            "version" => text.clone_into(&mut version.version),
            "urls/-" => version.urls.push(text.to_owned()),
            "digest" => version.digest = Some(text.to_owned()).filter(|digest| !digest.is_empty()),
            "created" => version.created = text.parse().ok(),
            _ => {}
        }
    }

    /// Aliases are not followed: where one stands for something that is read, that is not known.
    fn alias(&mut self, line: usize) -> Result<Option<Listed>, IndexError> {
        let listed = match self.path()[..] {
            ["entries" | "apiVersion"] => return Err(IndexError::Alias(line)),
            ["entries", chart, ..] => Some(Listed::Alias { chart: chart.to_owned(), line }),
            _ => None,
        };
        self.end_value();
        Ok(listed)
    }

    /// A key that is no scalar has no name.
    fn end_value(&mut self) {
        if let Some(Around::Mapping(key)) = self.place.last_mut() {
            *key = if key.is_some() { None } else { Some(String::new()) };
        }
    }
}

/// The version that is asked for, chosen from what is listed.
pub(super) struct Choice<'a> {
    chart: &'a str,
    wanted: &'a str,
    within: Result<VersionRange, VersionRangeError>,
    exact: Option<ChartVersion>,
    best: Option<(Version, ChartVersion)>,
}

impl<'a> Choice<'a> {
    /// Chooses the version of `chart` that is `wanted`: exactly that one, or the highest within a range.
    pub(super) fn new(chart: &'a str, wanted: &'a str) -> Self {
        let within = VersionRange::parse(if wanted.is_empty() { "*" } else { wanted });
        Self { chart, wanted, within, exact: None, best: None }
    }

    /// Looks at a version.
    pub(super) fn look(&mut self, listed: ChartVersion) {
        let is_wanted = !self.wanted.is_empty() && listed.version == self.wanted;
        if is_wanted && self.exact.is_none() {
            self.exact = Some(listed);
            return;
        }
        let Ok(within) = &self.within else { return };
        let Some(version) = parse_tag(&listed.version).filter(|version| within.matches(version)) else { return };
        let candidate = (version, listed);
        if self.best.as_ref().is_none_or(|best| order(best, &candidate).is_le()) {
            self.best = Some(candidate);
        }
    }

    /// The chosen one.
    pub(super) fn end(self) -> Result<ChartVersion, IndexError> {
        let range = || if self.wanted.is_empty() { "*" } else { self.wanted }.to_owned();
        match (self.exact, self.within) {
            (Some(exact), _) => Ok(exact),
            (None, Err(source)) => Err(IndexError::MalformedRange { range: range(), source }),
            (None, Ok(_)) => {
                let none = || IndexError::NoVersion { chart: self.chart.to_owned(), range: range() };
                self.best.map(|(_, listed)| listed).ok_or_else(none)
            }
        }
    }
}

fn order(a: &(Version, ChartVersion), b: &(Version, ChartVersion)) -> std::cmp::Ordering {
    a.0.cmp_precedence(&b.0).then_with(|| a.1.created.cmp(&b.1.created))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(index: &[u8]) -> Result<(), IndexError> {
        read(index, |_| Ok(()))
    }

    #[test]
    fn depth_and_encoding_have_limits() {
        let deep = format!("apiVersion: v1\nx: {}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(read_all(deep.as_bytes()).is_err());
        assert_eq!(read_all(b"\xff"), Err(IndexError::Encoding));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "\\PC*|(entries|shop|version|urls|[-:&*a\\[\\]{}?, \n]){0,30}") {
            let _ = read_all(text.as_bytes());
        }
    }
}
