//! Versions.

use std::{any::Any, cmp::Ordering, rc::Rc};

use super::{Call, Function, Returned, Type};
use crate::semver::{Range, Version};
use crate::value::{Kind, Object, UintType, Value};

const NAME: &str = "*semver.Version";
const OTHER: &[Type] = &[Type::Object(NAME)];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("semver", &[Type::Text], semver, "A version with its parts (Sprig)."),
    Function::new("semverCompare", &[Type::Text, Type::Text], compare, "Whether a version is in a range (Sprig)."),
];

const METHODS: &[Function] = &[
    Function::new("Major", &[], major, "The first number."),
    Function::new("Minor", &[], minor, "The second number."),
    Function::new("Patch", &[], patch, "The third number."),
    Function::new("Prerelease", &[], prerelease, "What follows `-`."),
    Function::new("Metadata", &[], metadata, "What follows `+`."),
    Function::new("Original", &[], original, "The version as it was written."),
    Function::new("String", &[], string, "The version with three numbers."),
    Function::new("Compare", OTHER, order, "-1, 0 or 1, as the version is older, as old or newer."),
    Function::new("Equal", OTHER, equal, "Whether the version is as old as another."),
    Function::new("LessThan", OTHER, less, "Whether the version is older than another."),
    Function::new("LessThanEqual", OTHER, less_or_equal, "Whether the version is not newer than another."),
    Function::new("GreaterThan", OTHER, greater, "Whether the version is newer than another."),
    Function::new("GreaterThanEqual", OTHER, greater_or_equal, "Whether the version is not older than another."),
    Function::new("IncMajor", &[], next_major, "The next version with another first number."),
    Function::new("IncMinor", &[], next_minor, "The next version with another second number."),
    Function::new("IncPatch", &[], next_patch, "The next version with another third number."),
    Function::new("SetPrerelease", &[Type::Text], set_prerelease, "The version with another prerelease."),
    Function::new("SetMetadata", &[Type::Text], set_metadata, "The version with other metadata."),
];

impl Object for Version {
    fn type_name(&self) -> &'static str {
        NAME
    }

    fn kind(&self) -> Kind {
        Kind::Pointer
    }

    fn hides(&self, name: &str) -> bool {
        matches!(name, "major" | "minor" | "patch" | "pre" | "metadata" | "original")
    }

    fn methods(&self) -> &'static [Function] {
        METHODS
    }

    fn text(&self) -> String {
        self.to_string()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

fn version(value: &Value) -> Version {
    let found = if let Value::Object(object) = value { object.as_any().downcast_ref::<Version>() } else { None };
    found.cloned().unwrap_or_else(|| unreachable!("the row asks for a version"))
}

fn object(version: Version) -> Value {
    Value::Object(Rc::new(version))
}

fn semver(call: &mut Call<'_, '_>) -> Returned {
    Ok(object(Version::parse(&call.text(0).to_str())?))
}

fn compare(call: &mut Call<'_, '_>) -> Returned {
    let range = Range::parse(&call.text(0).to_str())?;
    Ok(range.contains(&Version::parse(&call.text(1).to_str())?).into())
}

fn number(number: u64) -> Returned {
    Ok(Value::Uint(number, UintType::Uint64))
}

fn major(call: &mut Call<'_, '_>) -> Returned {
    number(version(call.receiver()).major)
}

fn minor(call: &mut Call<'_, '_>) -> Returned {
    number(version(call.receiver()).minor)
}

fn patch(call: &mut Call<'_, '_>) -> Returned {
    number(version(call.receiver()).patch)
}

fn prerelease(call: &mut Call<'_, '_>) -> Returned {
    Ok(version(call.receiver()).prerelease.into())
}

fn metadata(call: &mut Call<'_, '_>) -> Returned {
    Ok(version(call.receiver()).metadata.into())
}

fn original(call: &mut Call<'_, '_>) -> Returned {
    Ok(version(call.receiver()).original.into())
}

fn string(call: &mut Call<'_, '_>) -> Returned {
    Ok(version(call.receiver()).to_string().into())
}

fn ordering(call: &Call<'_, '_>) -> Ordering {
    version(call.receiver()).compare(&version(call.any(0)))
}

fn order(call: &mut Call<'_, '_>) -> Returned {
    Ok(Value::int(ordering(call) as i64))
}

fn equal(call: &mut Call<'_, '_>) -> Returned {
    Ok(ordering(call).is_eq().into())
}

fn less(call: &mut Call<'_, '_>) -> Returned {
    Ok(ordering(call).is_lt().into())
}

fn less_or_equal(call: &mut Call<'_, '_>) -> Returned {
    Ok(ordering(call).is_le().into())
}

fn greater(call: &mut Call<'_, '_>) -> Returned {
    Ok(ordering(call).is_gt().into())
}

fn greater_or_equal(call: &mut Call<'_, '_>) -> Returned {
    Ok(ordering(call).is_ge().into())
}

/// A version without prerelease and metadata, of which the numbers are given.
fn plain(old: &Version, (major, minor, patch): (u64, u64, u64)) -> Returned {
    let text = format!("{}{major}.{minor}.{patch}", if old.original.starts_with('v') { "v" } else { "" });
    Ok(object(Version { major, minor, patch, prerelease: String::new(), metadata: String::new(), original: text }))
}

fn next_major(call: &mut Call<'_, '_>) -> Returned {
    let old = version(call.receiver());
    plain(&old, (old.major.saturating_add(1), 0, 0))
}

fn next_minor(call: &mut Call<'_, '_>) -> Returned {
    let old = version(call.receiver());
    plain(&old, (old.major, old.minor.saturating_add(1), 0))
}

fn next_patch(call: &mut Call<'_, '_>) -> Returned {
    let old = version(call.receiver());
    // The release of a prerelease is the next patch.
    let patch = if old.prerelease.is_empty() { old.patch.saturating_add(1) } else { old.patch };
    plain(&old, (old.major, old.minor, patch))
}

fn set_prerelease(call: &mut Call<'_, '_>) -> Returned {
    let changed = Version { prerelease: call.text(0).to_string(), ..version(call.receiver()) };
    Ok(object(Version::parse(&changed.to_string())?))
}

fn set_metadata(call: &mut Call<'_, '_>) -> Returned {
    let changed = Version { metadata: call.text(0).to_string(), ..version(call.receiver()) };
    Ok(object(Version::parse(&changed.to_string())?))
}
