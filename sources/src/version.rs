//! Version ranges, such as `>=1.2 <2` or `1.x || 3.1.0`.
//!
//! # Follows Flux
//! The syntax and its meaning are those of Masterminds/semver v3: a space or a comma means *and*, `||` means *or*;
//! `=`, `!=`, `>`, `<`, `>=` (`=>`), `<=` (`=<`), `~` (`~>`) and `^` come before a version whose last parts may be left
//! out or written `x`, `X` or `*`; `1.2 - 1.4` is a range with both ends. Pre-releases match only where a version
//! between two `||` has one itself.

use std::cmp::Ordering;

use semver::{BuildMetadata, Prerelease, Version};

/// A range of versions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VersionRange(Vec<Group>);

/// Why a text is not a range of versions.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum VersionRangeError {
    /// Nothing stands before, after or between `||`.
    #[error("an alternative is empty")]
    Empty,
    /// Something that is neither an operator nor a version.
    #[error("`{0}` is not a version")]
    Version(String),
    /// Two comparisons without a space or a comma between them.
    #[error("a space or a comma is missing before `{0}`")]
    Separator(String),
}

/// Comparisons that must all hold.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    comparisons: Vec<(Operator, Partial)>,
    prereleases: Prereleases,
}

/// Whether pre-releases can match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prereleases {
    Match,
    Skip,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    Tilde,
    Caret,
}

/// A version whose last parts may have been left open; they count as zero in `version`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Partial {
    version: Version,
    fixed: Fixed,
}

/// How many parts of a version are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fixed {
    Nothing,
    Major,
    Minor,
    Patch,
}

/// Reads a tag as a version: three numbers with or without `v`, and what semantic versioning lets follow them. Leading
/// zeros are tolerated.
pub fn parse_tag(tag: &str) -> Option<Version> {
    let (partial, rest) = Partial::parse(tag).ok()?;
    (rest.is_empty() && partial.fixed == Fixed::Patch).then_some(partial.version)
}

impl VersionRange {
    /// Reads a range.
    pub(crate) fn parse(text: &str) -> Result<Self, VersionRangeError> {
        text.split("||").map(Group::parse).collect::<Result<_, _>>().map(Self)
    }

    /// Whether `version` lies in the range. Build metadata does not count.
    pub(crate) fn matches(&self, version: &Version) -> bool {
        self.0.iter().any(|group| group.matches(version))
    }
}

impl Group {
    fn parse(text: &str) -> Result<Self, VersionRangeError> {
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(VersionRangeError::Empty);
        }
        let mut comparisons = Vec::new();
        while !rest.is_empty() {
            rest = parse_comparison(rest, &mut comparisons)?;
        }
        let has_prerelease = comparisons.iter().any(|(_, partial)| !partial.version.pre.is_empty());
        let prereleases = if has_prerelease { Prereleases::Match } else { Prereleases::Skip };
        Ok(Self { comparisons, prereleases })
    }

    fn matches(&self, version: &Version) -> bool {
        (version.pre.is_empty() || self.prereleases == Prereleases::Match)
            && self.comparisons.iter().all(|(operator, bound)| operator.holds(version, bound))
    }
}

/// Reads one comparison, or a range with both ends, and returns what follows its separator.
fn parse_comparison<'a>(
    text: &'a str,
    comparisons: &mut Vec<(Operator, Partial)>,
) -> Result<&'a str, VersionRangeError> {
    let (operator, rest) = Operator::parse(text);
    let (first, rest) = Partial::parse(rest.trim_start())?;
    if operator.is_none()
        && let Some(end) = after_hyphen(rest)
    {
        let (last, rest) = Partial::parse(end)?;
        comparisons.extend([(Operator::GreaterOrEqual, first), (Operator::LessOrEqual, last)]);
        return after_separator(rest);
    }
    comparisons.push((operator.unwrap_or(Operator::Equal), first));
    after_separator(rest)
}

fn after_hyphen(rest: &str) -> Option<&str> {
    let end = rest.trim_start().strip_prefix('-')?;
    let is_apart = rest.starts_with(char::is_whitespace) && end.starts_with(char::is_whitespace);
    is_apart.then(|| end.trim_start())
}

fn after_separator(rest: &str) -> Result<&str, VersionRangeError> {
    let next = rest.trim_start();
    if let Some(next) = next.strip_prefix(',') {
        let next = next.trim_start();
        return if next.is_empty() { Err(VersionRangeError::Empty) } else { Ok(next) };
    }
    if next.is_empty() || next.len() < rest.len() {
        return Ok(next);
    }
    Err(VersionRangeError::Separator(next.to_owned()))
}

impl Operator {
    /// Longer operators stand before those that they start with.
    const WRITTEN: [(&str, Operator); 11] = [
        ("!=", Operator::NotEqual),
        (">=", Operator::GreaterOrEqual),
        ("=>", Operator::GreaterOrEqual),
        ("<=", Operator::LessOrEqual),
        ("=<", Operator::LessOrEqual),
        ("~>", Operator::Tilde),
        (">", Operator::Greater),
        ("<", Operator::Less),
        ("=", Operator::Equal),
        ("~", Operator::Tilde),
        ("^", Operator::Caret),
    ];

    fn parse(text: &str) -> (Option<Self>, &str) {
        Self::WRITTEN
            .iter()
            .find_map(|(written, operator)| Some((Some(*operator), text.strip_prefix(written)?)))
            .unwrap_or((None, text))
    }

    fn holds(self, version: &Version, bound: &Partial) -> bool {
        let order = version.cmp_precedence(&bound.version);
        match self {
            Self::Equal if bound.fixed == Fixed::Patch => order.is_eq(),
            Self::Equal | Self::Tilde => order.is_ge() && bound.tilde(version),
            Self::NotEqual => bound.differs(version),
            Self::Greater => bound.is_below(version),
            Self::GreaterOrEqual => order.is_ge(),
            Self::Less => order.is_lt(),
            Self::LessOrEqual => bound.is_not_below(version),
            Self::Caret => order.is_ge() && bound.caret(version),
        }
    }
}

impl Partial {
    /// Reads a version at the start of `text` and returns what follows it.
    fn parse(text: &str) -> Result<(Self, &str), VersionRangeError> {
        let end = text.find(|c: char| c.is_whitespace() || matches!(c, ',' | '<' | '>' | '=' | '!' | '~' | '^'));
        let (written, rest) = text.split_at(end.unwrap_or(text.len()));
        let malformed = || VersionRangeError::Version(if written.is_empty() { text } else { written }.to_owned());
        Self::read(written).map(|partial| (partial, rest)).ok_or_else(malformed)
    }

    fn read(written: &str) -> Option<Self> {
        let written = written.strip_prefix('v').unwrap_or(written);
        let (written, build) = written.split_once('+').map_or((written, None), |(v, build)| (v, Some(build)));
        let (written, pre) = written.split_once('-').map_or((written, None), |(v, pre)| (v, Some(pre)));
        let parts: Vec<Part> = written.split('.').map(Part::parse).collect::<Option<_>>()?;
        if parts.len() > 3 {
            return None;
        }
        let number = |index: usize| parts.get(index).copied().and_then(Part::number);
        let (fixed, [major, minor, patch]) = match (number(0), number(1), number(2)) {
            (None, ..) => (Fixed::Nothing, [0, 0, 0]),
            (Some(major), None, _) => (Fixed::Major, [major, 0, 0]),
            (Some(major), Some(minor), None) => (Fixed::Minor, [major, minor, 0]),
            (Some(major), Some(minor), Some(patch)) => (Fixed::Patch, [major, minor, patch]),
        };
        let present = |text: Option<&str>| text.is_none_or(|text| !text.is_empty());
        if !present(pre) || !present(build) {
            return None;
        }
        let pre = Prerelease::new(pre.unwrap_or_default()).ok()?;
        let build = BuildMetadata::new(build.unwrap_or_default()).ok()?;
        Some(Self { version: Version { major, minor, patch, pre, build }, fixed })
    }

    fn has_major_of(&self, version: &Version) -> bool {
        version.major == self.version.major
    }

    fn has_minor_of(&self, version: &Version) -> bool {
        self.has_major_of(version) && version.minor == self.version.minor
    }

    /// The last written part may grow, of three the last; `~0.0.0` and `~*` take everything.
    fn tilde(&self, version: &Version) -> bool {
        let is_zero = (self.version.major, self.version.minor, self.version.patch) == (0, 0, 0);
        match self.fixed {
            Fixed::Nothing => true,
            Fixed::Patch if is_zero => true,
            Fixed::Major => self.has_major_of(version),
            Fixed::Minor | Fixed::Patch => self.has_minor_of(version),
        }
    }

    /// Whatever stands right of the first part that is not zero may grow.
    fn caret(&self, version: &Version) -> bool {
        if self.version.major > 0 || self.fixed == Fixed::Major {
            return self.has_major_of(version);
        }
        if self.version.minor > 0 || self.fixed == Fixed::Minor {
            return self.has_minor_of(version);
        }
        self.has_minor_of(version) && version.patch == self.version.patch
    }

    fn differs(&self, version: &Version) -> bool {
        match self.fixed {
            Fixed::Nothing | Fixed::Patch => version.cmp_precedence(&self.version).is_ne(),
            Fixed::Major => !self.has_major_of(version),
            Fixed::Minor => !self.has_minor_of(version) || version.pre != self.version.pre,
        }
    }

    /// Whether `version` lies above everything that these parts stand for.
    fn is_below(&self, version: &Version) -> bool {
        match (self.fixed, version.major.cmp(&self.version.major)) {
            (Fixed::Nothing | Fixed::Patch, _) => version.cmp_precedence(&self.version).is_gt(),
            (Fixed::Major | Fixed::Minor, Ordering::Less) | (Fixed::Major, Ordering::Equal) => false,
            (Fixed::Major | Fixed::Minor, Ordering::Greater) => true,
            (Fixed::Minor, Ordering::Equal) => version.minor > self.version.minor,
        }
    }

    /// Whether `version` does not lie above what these parts stand for. An open first part stands for `0.0`.
    fn is_not_below(&self, version: &Version) -> bool {
        match self.fixed {
            Fixed::Patch => version.cmp_precedence(&self.version).is_le(),
            Fixed::Major => version.major <= self.version.major,
            Fixed::Nothing | Fixed::Minor => (version.major, version.minor) <= (self.version.major, self.version.minor),
        }
    }
}

/// One part of a version as written.
#[derive(Clone, Copy)]
enum Part {
    Number(u64),
    Any,
}

impl Part {
    fn parse(written: &str) -> Option<Self> {
        match written {
            "x" | "X" | "*" => Some(Self::Any),
            digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits.parse().ok().map(Self::Number),
            _ => None,
        }
    }

    fn number(self) -> Option<u64> {
        match self {
            Self::Number(number) => Some(number),
            Self::Any => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VERSIONS: [&str; 14] = [
        "0.0.0",
        "0.0.3",
        "0.1.0",
        "0.2.3",
        "1.0.0",
        "1.2.3",
        "1.2.4",
        "1.3.0",
        "2.0.0",
        "11.1.0",
        "1.2.3-beta.2",
        "1.3.0-alpha",
        "2.0.0-rc.1",
        "1.2.3+build",
    ];

    fn matching(range: &str) -> String {
        let range = match VersionRange::parse(range) {
            Ok(range) => range,
            Err(error) => return format!("error: {error}"),
        };
        let matches = |text: &&str| range.matches(&parse_tag(text).expect("a version"));
        VERSIONS.into_iter().filter(matches).collect::<Vec<_>>().join(" ")
    }

    const RELEASES: &str = "0.0.0 0.0.3 0.1.0 0.2.3 1.0.0 1.2.3 1.2.4 1.3.0 2.0.0 11.1.0 1.2.3+build";

    #[test]
    fn ranges_hold_what_masterminds_semver_says_they_hold() {
        let rows = [
            ("*", RELEASES),
            ("x", RELEASES),
            ("1", "1.0.0 1.2.3 1.2.4 1.3.0 1.2.3+build"),
            ("1.2", "1.2.3 1.2.4 1.2.3+build"),
            ("1.2.3", "1.2.3 1.2.3+build"),
            ("v1.2.3", "1.2.3 1.2.3+build"),
            ("=1.2.3", "1.2.3 1.2.3+build"),
            ("!=1.2.3", "0.0.0 0.0.3 0.1.0 0.2.3 1.0.0 1.2.4 1.3.0 2.0.0 11.1.0"),
            ("!=1.2", "0.0.0 0.0.3 0.1.0 0.2.3 1.0.0 1.3.0 2.0.0 11.1.0"),
            ("!=1", "0.0.0 0.0.3 0.1.0 0.2.3 2.0.0 11.1.0"),
            (">1", "2.0.0 11.1.0"),
            (">1.2", "1.3.0 2.0.0 11.1.0"),
            (">1.2.3", "1.2.4 1.3.0 2.0.0 11.1.0"),
            (">=1.2", "1.2.3 1.2.4 1.3.0 2.0.0 11.1.0 1.2.3+build"),
            ("=>1.2", "1.2.3 1.2.4 1.3.0 2.0.0 11.1.0 1.2.3+build"),
            ("<1.2", "0.0.0 0.0.3 0.1.0 0.2.3 1.0.0"),
            ("<=1.2", "0.0.0 0.0.3 0.1.0 0.2.3 1.0.0 1.2.3 1.2.4 1.2.3+build"),
            ("=<1", "0.0.0 0.0.3 0.1.0 0.2.3 1.0.0 1.2.3 1.2.4 1.3.0 1.2.3+build"),
            ("<=1.2.3", "0.0.0 0.0.3 0.1.0 0.2.3 1.0.0 1.2.3 1.2.3+build"),
            ("~1", "1.0.0 1.2.3 1.2.4 1.3.0 1.2.3+build"),
            ("~1.2", "1.2.3 1.2.4 1.2.3+build"),
            ("~1.2.3", "1.2.3 1.2.4 1.2.3+build"),
            ("~>1.2.3", "1.2.3 1.2.4 1.2.3+build"),
            ("~0", "0.0.0 0.0.3 0.1.0 0.2.3"),
            ("~0.0.0", RELEASES),
            ("^1.2.3", "1.2.3 1.2.4 1.3.0 1.2.3+build"),
            ("^1", "1.0.0 1.2.3 1.2.4 1.3.0 1.2.3+build"),
            ("^0.2.3", "0.2.3"),
            ("^0.0.3", "0.0.3"),
            ("^0.0", "0.0.0 0.0.3"),
            ("^0", "0.0.0 0.0.3 0.1.0 0.2.3"),
            ("1.x", "1.0.0 1.2.3 1.2.4 1.3.0 1.2.3+build"),
            ("1.2.X", "1.2.3 1.2.4 1.2.3+build"),
            ("1.*", "1.0.0 1.2.3 1.2.4 1.3.0 1.2.3+build"),
            ("1.2 - 1.3", "1.2.3 1.2.4 1.3.0 1.2.3+build"),
            ("1.2.3 - 2", "1.2.3 1.2.4 1.3.0 2.0.0 1.2.3+build"),
            (">=1.0.0 <1.3.0", "1.0.0 1.2.3 1.2.4 1.2.3+build"),
            (">=1.0.0, <1.3.0", "1.0.0 1.2.3 1.2.4 1.2.3+build"),
            (">=1.0.0,<1.3.0", "1.0.0 1.2.3 1.2.4 1.2.3+build"),
            ("<1.0.0 || >=2", "0.0.0 0.0.3 0.1.0 0.2.3 2.0.0 11.1.0"),
            ("1.2.3-0", ""),
            (">=1.2.3-0", "1.2.3 1.2.4 1.3.0 2.0.0 11.1.0 1.2.3-beta.2 1.3.0-alpha 2.0.0-rc.1 1.2.3+build"),
            (">=1.2.3-beta.1 <2", "1.2.3 1.2.4 1.3.0 1.2.3-beta.2 1.3.0-alpha 2.0.0-rc.1 1.2.3+build"),
            ("^1.2.3-0", "1.2.3 1.2.4 1.3.0 1.2.3-beta.2 1.3.0-alpha 1.2.3+build"),
            (
                "<2.0.0-rc.2",
                "0.0.0 0.0.3 0.1.0 0.2.3 1.0.0 1.2.3 1.2.4 1.3.0 1.2.3-beta.2 1.3.0-alpha 2.0.0-rc.1 1.2.3+build",
            ),
            (">=1 <2.0.0-rc.2", "1.0.0 1.2.3 1.2.4 1.3.0 1.2.3-beta.2 1.3.0-alpha 2.0.0-rc.1 1.2.3+build"),
            ("~1.2.3-0", "1.2.3 1.2.4 1.2.3-beta.2 1.2.3+build"),
            ("01.2.3", "1.2.3 1.2.3+build"),
            (">=1.2.3+build", "1.2.3 1.2.4 1.3.0 2.0.0 11.1.0 1.2.3+build"),
            ("> 1 <2", ""),
            ("1,2", ""),
            (">=1.0.0 , <2", "1.0.0 1.2.3 1.2.4 1.3.0 1.2.3+build"),
            ("!=1.2.3 >1.0.0", "1.2.4 1.3.0 2.0.0 11.1.0"),
            (">*", "0.0.3 0.1.0 0.2.3 1.0.0 1.2.3 1.2.4 1.3.0 2.0.0 11.1.0 1.2.3+build"),
            ("<*", ""),
            ("^*", "0.0.0"),
            ("~*", RELEASES),
            ("*.1", RELEASES),
            ("1.x.3", "1.0.0 1.2.3 1.2.4 1.3.0 1.2.3+build"),
            (
                "!=1.2.3-beta.2",
                "0.0.0 0.0.3 0.1.0 0.2.3 1.0.0 1.2.3 1.2.4 1.3.0 2.0.0 11.1.0 1.3.0-alpha 2.0.0-rc.1 1.2.3+build",
            ),
            ("1 - 2 || 11", "1.0.0 1.2.3 1.2.4 1.3.0 2.0.0 11.1.0 1.2.3+build"),
            ("x.1.2", RELEASES),
            (">1.2.3-alpha", "1.2.3 1.2.4 1.3.0 2.0.0 11.1.0 1.2.3-beta.2 1.3.0-alpha 2.0.0-rc.1 1.2.3+build"),
            ("!=*", "0.0.3 0.1.0 0.2.3 1.0.0 1.2.3 1.2.4 1.3.0 2.0.0 11.1.0 1.2.3+build"),
            (">=*", RELEASES),
            ("<=*", "0.0.0 0.0.3"),
        ];
        for (range, expected) in rows {
            assert_eq!(matching(range), expected, "{range:?}");
        }
    }

    #[test]
    fn a_text_that_is_no_range_is_refused_by_its_part() {
        let rows = [
            ("", "error: an alternative is empty"),
            ("1.2.3 ||", "error: an alternative is empty"),
            ("|| 1", "error: an alternative is empty"),
            ("1,", "error: an alternative is empty"),
            ("==1.2.3", "error: `=1.2.3` is not a version"),
            ("1.2.3.4", "error: `1.2.3.4` is not a version"),
            ("a", "error: `a` is not a version"),
            (">", "error: `` is not a version"),
            ("1.2.3-", "error: `1.2.3-` is not a version"),
            ("1.2.3-01", "error: `1.2.3-01` is not a version"),
            ("1x", "error: `1x` is not a version"),
            (">=1<2", "error: a space or a comma is missing before `<2`"),
            (">1 - 2", "error: `-` is not a version"),
            ("99999999999999999999", "error: `99999999999999999999` is not a version"),
        ];
        for (range, expected) in rows {
            assert_eq!(matching(range), expected, "{range:?}");
        }
    }

    #[test]
    fn a_tag_is_a_version_if_it_has_three_numbers() {
        let rows = [
            ("1.2.3", Some("1.2.3")),
            ("v1.2.3", Some("1.2.3")),
            ("v2024.01.05", Some("2024.1.5")),
            ("1.2.3-0a", Some("1.2.3-0a")),
            ("1.2.3-a.b+c.01", Some("1.2.3-a.b+c.01")),
            ("18446744073709551615.0.0", Some("18446744073709551615.0.0")),
            ("99999999999999999999.0.0", None),
            ("V1.2.3", None),
            ("vv1.2.3", None),
            ("1.2", None),
            ("1.2.x", None),
            ("1.2.3.4", None),
            (" 1.2.3", None),
            ("1.2.3 ", None),
            ("1.2.3-01", None),
            ("1.2.3-", None),
            ("1.2.3+", None),
            ("1.2.3+a+b", None),
            ("1.2.3-é", None),
            ("1.2.3-a_b", None),
            ("release-1.2.3", None),
            ("", None),
        ];
        for (tag, expected) in rows {
            assert_eq!(parse_tag(tag).map(|version| version.to_string()).as_deref(), expected, "{tag:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(text in "[ 0-9xX*v.,|<>=!~^+a-]{0,24}|\\PC*") {
            if let Ok(range) = VersionRange::parse(&text) {
                range.matches(&Version::new(1, 2, 3));
            }
            let _ = parse_tag(&text);
        }
    }
}
