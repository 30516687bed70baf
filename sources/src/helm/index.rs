//! The index of a Helm repository: read event by event and character by character, so that nothing of a large one is held
//! but the version that is being read. Most are in one layout, for which there is a reader that is many times as fast
//! ([`super::layout`]); what both know of an index is [`Reading`].
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
pub(crate) enum Listed {
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

/// Reads `index` from its beginning to its end, whatever YAML it is, and gives `take` all that it lists.
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
        let listed = match event {
            Event::Scalar(text, ..) => {
                reading.scalar(&text);
                None
            }
            Event::MappingStart(..) => reading.begin(Collection::Mapping),
            Event::SequenceStart(..) => reading.begin(Collection::Sequence),
            Event::MappingEnd | Event::SequenceEnd => reading.end_collection(),
            Event::Alias(..) => reading.alias(span.start.line())?,
            _ => None,
        };
        if let Some(listed) = listed {
            take(listed)?;
        }
    }
    Ok(reading.end()?)
}

/// Where in an index the reading is, and what it has seen. It is told of every value, in their order.
#[derive(Default)]
pub(super) struct Reading {
    /// The collections around what comes next, the outermost first. Those beyond `depth` are kept for their memory.
    around: Vec<Around>,
    depth: usize,
    /// The version that is being read.
    version: Option<ChartVersion>,
    has_api_version: bool,
    has_content: bool,
}

/// A kind of collection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Collection {
    #[default]
    Sequence,
    Mapping,
}

/// A collection that is being read.
#[derive(Default)]
struct Around {
    collection: Collection,
    /// The last key of a mapping.
    key: String,
    /// Whether the value of that key comes next.
    has_key: bool,
}

impl Around {
    fn is_sequence(&self) -> bool {
        self.collection == Collection::Sequence
    }
}

/// What comes next.
#[derive(Clone, Copy)]
enum Place<'a> {
    ApiVersion,
    Entries,
    /// What is listed of a chart.
    Chart(&'a str),
    /// A version of a chart.
    Version,
    /// The value of a field of a version.
    Field(&'a str),
    /// One of the URLs of a version.
    Url,
    /// Something else about a chart.
    Below(&'a str),
    Elsewhere,
}

impl Reading {
    /// A key or a value that is one text.
    pub(super) fn scalar(&mut self, text: &str) {
        if let Some(around) = self.around[..self.depth].last_mut()
            && around.collection == Collection::Mapping
            && !around.has_key
        {
            text.clone_into(&mut around.key);
            around.has_key = true;
            return;
        }
        self.value(text);
        self.end_value();
    }

    /// Whether the text of the value that comes next matters.
    pub(super) fn reads_next_value(&self) -> bool {
        match self.place() {
            Place::ApiVersion | Place::Url => true,
            Place::Field(field) => matches!(field, "version" | "digest" | "created"),
            Place::Entries | Place::Chart(_) | Place::Version | Place::Below(_) | Place::Elsewhere => false,
        }
    }

    pub(super) fn begin(&mut self, collection: Collection) -> Option<Listed> {
        self.has_content = true;
        let mut listed = None;
        match self.place() {
            Place::Chart(chart) => listed = Some(Listed::Chart(chart.to_owned())),
            Place::Version => self.version = Some(ChartVersion::default()),
            Place::ApiVersion | Place::Entries | Place::Field(_) | Place::Url | Place::Below(_) | Place::Elsewhere => {}
        }
        if self.depth == self.around.len() {
            self.around.push(Around::default());
        }
        let around = &mut self.around[self.depth];
        around.collection = collection;
        around.key.clear();
        around.has_key = false;
        self.depth += 1;
        listed
    }

    pub(super) fn end_collection(&mut self) -> Option<Listed> {
        self.depth = self.depth.saturating_sub(1);
        let version = if matches!(self.place(), Place::Version) { self.version.take() } else { None };
        self.end_value();
        version.map(Listed::Version)
    }

    pub(super) fn end(self) -> Result<(), IndexError> {
        if !self.has_content {
            return Err(IndexError::Empty);
        }
        if self.has_api_version { Ok(()) } else { Err(IndexError::NoApiVersion) }
    }

    fn place(&self) -> Place<'_> {
        match &self.around[..self.depth] {
            [root] if root.key == "apiVersion" => Place::ApiVersion,
            [root] if root.key == "entries" => Place::Entries,
            [root, ..] if root.key != "entries" => Place::Elsewhere,
            [_, chart] => Place::Chart(&chart.key),
            [_, _, versions] if versions.is_sequence() => Place::Version,
            [_, _, versions, version] if versions.is_sequence() => Place::Field(&version.key),
            [_, _, versions, version, urls]
                if versions.is_sequence() && version.key == "urls" && urls.is_sequence() =>
            {
                Place::Url
            }
            [_, chart, ..] => Place::Below(&chart.key),
            [] | [_] => Place::Elsewhere,
        }
    }

    fn value(&mut self, text: &str) {
        match self.place() {
            Place::ApiVersion => self.has_api_version = !text.is_empty(),
            Place::Url => {
                if let Some(version) = &mut self.version {
                    version.urls.push(text.to_owned());
                }
            }
            Place::Field(_) => self.field(text),
            Place::Entries | Place::Chart(_) | Place::Version | Place::Below(_) | Place::Elsewhere => {}
        }
    }

    /// Keeps a field of the version that is being read.
    fn field(&mut self, text: &str) {
        let (Some(version), Some(around)) = (&mut self.version, self.around[..self.depth].last()) else { return };
        match around.key.as_str() {
            "version" => text.clone_into(&mut version.version),
            "digest" => version.digest = Some(text.to_owned()).filter(|digest| !digest.is_empty()),
            "created" => version.created = text.parse().ok(),
            _ => {}
        }
    }

    /// Aliases are not followed: where one stands for something that is read, that is not known.
    fn alias(&mut self, line: usize) -> Result<Option<Listed>, IndexError> {
        let listed = match self.place() {
            Place::ApiVersion | Place::Entries => return Err(IndexError::Alias(line)),
            Place::Chart(chart) | Place::Below(chart) => Some(chart),
            Place::Version | Place::Field(_) | Place::Url => Some(self.around[1].key.as_str()),
            Place::Elsewhere => None,
        };
        let listed = listed.map(|chart| Listed::Alias { chart: chart.to_owned(), line });
        self.end_value();
        Ok(listed)
    }

    /// A key that is no scalar has no name.
    fn end_value(&mut self) {
        let Some(around) = self.around[..self.depth].last_mut() else { return };
        if around.collection == Collection::Sequence {
            return;
        }
        around.has_key = !around.has_key;
        around.key.clear();
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
