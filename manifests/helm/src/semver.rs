//! Versions and ranges of versions.
//!
//! # Follows Masterminds semver
//! Versions may lack parts and start with a `v`. A version with a prerelease is in a range only if the range names a
//! prerelease too.

use std::{cmp::Ordering, fmt, sync::LazyLock};

use regex::Regex;

/// A version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    pub(crate) major: u64,
    pub(crate) minor: u64,
    pub(crate) patch: u64,
    pub(crate) prerelease: String,
    pub(crate) metadata: String,
    /// As it was written.
    pub(crate) original: String,
}

const MAX_VERSION_BYTES: usize = 256;
const MAX_RANGE_BYTES: usize = 512;
const MAX_RANGE_GROUPS: usize = 32;

/// Pattern of a version; a part may be left out.
const VERSION: &str =
    r"v?([0-9]+)(\.[0-9]+)?(\.[0-9]+)?(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?";
/// Pattern of a version in a range; a part may be a wildcard.
const PATTERN: &str = r"v?([0-9|x|X|\*]+)(\.[0-9|x|X|\*]+)?(\.[0-9|x|X|\*]+)?(-([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?(\+([0-9A-Za-z\-]+(\.[0-9A-Za-z\-]+)*))?";
const OPERATORS: &str = r"=||!=|>|<|>=|=>|<=|=<|~|~>|\^";

fn compile(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a fixed pattern is valid")
}

static VERSION_REGEX: LazyLock<Regex> = LazyLock::new(|| compile(&format!("^{VERSION}$")));
static ONE_REGEX: LazyLock<Regex> =
    LazyLock::new(|| compile(&format!(r"^[\t\n\f\r ]*({OPERATORS})[\t\n\f\r ]*({PATTERN})[\t\n\f\r ]*$")));
static FIND_REGEX: LazyLock<Regex> = LazyLock::new(|| compile(&format!(r"({OPERATORS})[\t\n\f\r ]*({PATTERN})")));
static SPAN_REGEX: LazyLock<Regex> =
    LazyLock::new(|| compile(&format!(r"[\t\n\f\r ]*({PATTERN})[\t\n\f\r ]+-[\t\n\f\r ]+({PATTERN})[\t\n\f\r ]*")));
static GROUP_REGEX: LazyLock<Regex> = LazyLock::new(|| {
    compile(&format!(
        r"^([\t\n\f\r ]*({OPERATORS})[\t\n\f\r ]*({PATTERN})[\t\n\f\r ]*)((?:[\t\n\f\r ]+|,[\t\n\f\r ]*)({OPERATORS})[\t\n\f\r ]*({PATTERN})[\t\n\f\r ]*)*$"
    ))
});

impl Version {
    /// Reads a version; an error in the library's words.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_VERSION_BYTES {
            return Err(format!("version string is too long (max {MAX_VERSION_BYTES} bytes)"));
        }
        let parts = VERSION_REGEX.captures(text).ok_or("invalid semantic version")?;
        let number = |index: usize| match parts.get(index) {
            None => Ok(0),
            Some(digits) => digits.as_str().trim_start_matches('.').parse().map_err(|_| {
                let digits = digits.as_str().trim_start_matches('.');
                format!("error parsing version segment: strconv.ParseUint: parsing {digits:?}: value out of range")
            }),
        };
        let text_of = |index: usize| parts.get(index).map_or_else(String::new, |part| part.as_str().to_owned());
        let prerelease = text_of(5);
        let is_padded =
            |part: &str| part.len() > 1 && part.starts_with('0') && part.bytes().all(|b| b.is_ascii_digit());
        if prerelease.split('.').any(is_padded) {
            return Err("version segment starts with 0".to_owned());
        }
        Ok(Self {
            major: number(1)?,
            minor: number(2)?,
            patch: number(3)?,
            prerelease,
            metadata: text_of(8),
            original: text.to_owned(),
        })
    }

    /// Which version is newer; metadata does not count.
    pub(crate) fn compare(&self, other: &Self) -> Ordering {
        let numbers = |version: &Self| (version.major, version.minor, version.patch);
        numbers(self).cmp(&numbers(other)).then_with(|| match (self.prerelease.as_str(), other.prerelease.as_str()) {
            ("", "") => Ordering::Equal,
            ("", _) => Ordering::Greater,
            (_, "") => Ordering::Less,
            (a, b) => compare_prereleases(a, b),
        })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.prerelease.is_empty() {
            write!(f, "-{}", self.prerelease)?;
        }
        if !self.metadata.is_empty() {
            write!(f, "+{}", self.metadata)?;
        }
        Ok(())
    }
}

fn compare_prereleases(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a.split('.'), b.split('.'));
    loop {
        let order = match (a.next(), b.next()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) => match (a.parse::<u64>(), b.parse::<u64>()) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                (Ok(_), Err(_)) => Ordering::Less,
                (Err(_), Ok(_)) => Ordering::Greater,
                (Err(_), Err(_)) => a.cmp(b),
            },
        };
        if order.is_ne() {
            return order;
        }
    }
}

/// A range of versions: groups of which one must hold, each of conditions that must all hold.
pub(crate) struct Range(Vec<Vec<Condition>>);

struct Condition {
    operator: String,
    version: Version,
    /// How much of the version was left open.
    open: Open,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Open {
    Nothing,
    Patch,
    Minor,
    Everything,
}

impl Range {
    /// Reads a range; an error in the library's words.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_RANGE_BYTES {
            return Err(format!("constraint string is too long (max {MAX_RANGE_BYTES} bytes)"));
        }
        let text = SPAN_REGEX.replace_all(text, |parts: &regex::Captures<'_>| {
            format!(">= {}, <= {} ", &parts[1], parts.get(11).map_or("", |end| end.as_str()))
        });
        let groups: Vec<&str> = text.split("||").collect();
        if groups.len() > MAX_RANGE_GROUPS {
            return Err(format!("too many constraint groups (max {MAX_RANGE_GROUPS})"));
        }
        groups.into_iter().map(group).collect::<Result<_, _>>().map(Self)
    }

    /// Whether `version` is in the range.
    pub(crate) fn contains(&self, version: &Version) -> bool {
        self.0.iter().any(|group| {
            let takes_prereleases = group.iter().any(|condition| !condition.version.prerelease.is_empty());
            (version.prerelease.is_empty() || takes_prereleases)
                && group.iter().all(|condition| condition.holds(version))
        })
    }
}

fn group(text: &str) -> Result<Vec<Condition>, String> {
    if !GROUP_REGEX.is_match(text) {
        return Err(format!("improper constraint: {}", crate::fmt::quote(text.as_bytes())));
    }
    FIND_REGEX.find_iter(text).map(|found| Condition::parse(found.as_str())).collect()
}

impl Condition {
    fn parse(text: &str) -> Result<Self, String> {
        let improper = || format!("improper constraint: {}", crate::fmt::quote(text.as_bytes()));
        let parts = ONE_REGEX.captures(text).ok_or_else(improper)?;
        let part = |index: usize| parts.get(index).map_or("", |part| part.as_str());
        let is_open = |part: &str| matches!(part.trim_start_matches('.'), "" | "x" | "X" | "*");
        let (written, open) = if is_open(part(3)) {
            (format!("0.0.0{}", part(6)), Open::Everything)
        } else if is_open(part(4)) {
            (format!("{}.0.0{}", part(3), part(6)), Open::Minor)
        } else if is_open(part(5)) {
            (format!("{}{}.0{}", part(3), part(4), part(6)), Open::Patch)
        } else {
            (part(2).to_owned(), Open::Nothing)
        };
        let version = Version::parse(&written).map_err(|_| "constraint parser error".to_owned())?;
        Ok(Self { operator: part(1).to_owned(), version, open })
    }

    fn holds(&self, version: &Version) -> bool {
        let order = version.compare(&self.version);
        match self.operator.as_str() {
            "" | "=" if self.open == Open::Nothing => order.is_eq(),
            "" | "=" | "~" | "~>" => self.tilde(version),
            "!=" => !self.equals_open(version),
            ">" => self.greater(version),
            "<" => order.is_lt(),
            ">=" | "=>" => order.is_ge(),
            "<=" | "=<" => self.less_or_equal(version),
            _ => self.caret(version),
        }
    }

    fn equals_open(&self, version: &Version) -> bool {
        let ours = &self.version;
        match self.open {
            Open::Nothing => version.compare(ours).is_eq(),
            Open::Minor => version.major == ours.major,
            Open::Patch => {
                let same_numbers = version.major == ours.major && version.minor == ours.minor;
                same_numbers && version.prerelease == ours.prerelease
                    || same_numbers && version.prerelease.is_empty() && ours.prerelease.is_empty()
            }
            Open::Everything => {
                version.major == ours.major
                    && version.minor == ours.minor
                    && version.patch == ours.patch
                    && version.compare(ours).is_eq()
            }
        }
    }

    fn greater(&self, version: &Version) -> bool {
        let ours = &self.version;
        match (self.open, version.major.cmp(&ours.major)) {
            (Open::Nothing, _) | (Open::Everything, Ordering::Equal) => version.compare(ours).is_gt(),
            (_, Ordering::Greater) => true,
            (_, Ordering::Less) | (Open::Minor, Ordering::Equal) => false,
            (Open::Patch, Ordering::Equal) => version.minor > ours.minor,
        }
    }

    fn less_or_equal(&self, version: &Version) -> bool {
        let ours = &self.version;
        match self.open {
            Open::Nothing => version.compare(ours).is_le(),
            Open::Minor => version.major <= ours.major,
            Open::Patch | Open::Everything => {
                version.major < ours.major || version.major == ours.major && version.minor <= ours.minor
            }
        }
    }

    fn tilde(&self, version: &Version) -> bool {
        let ours = &self.version;
        if version.compare(ours).is_lt() {
            return false;
        }
        let is_zero = (ours.major, ours.minor, ours.patch) == (0, 0, 0);
        if is_zero && matches!(self.open, Open::Nothing | Open::Everything) {
            return true;
        }
        version.major == ours.major && (version.minor == ours.minor || self.open == Open::Minor)
    }

    fn caret(&self, version: &Version) -> bool {
        let ours = &self.version;
        if version.compare(ours).is_lt() {
            return false;
        }
        if ours.major > 0 || self.open == Open::Minor {
            return version.major == ours.major;
        }
        if version.major > 0 {
            return false;
        }
        if ours.minor > 0 || self.open == Open::Patch {
            return version.minor == ours.minor;
        }
        version.minor == 0 && version.patch == ours.patch
    }
}
