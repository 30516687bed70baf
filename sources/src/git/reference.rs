//! What a `GitRepository` follows, and which of a remote's refs that is.

use semver::Version;

use super::{
    error::CloneError,
    refs::{ObjectId, RemoteRef},
};
use crate::version::{VersionRange, parse_tag};

/// What a source follows in its repository: the `spec.ref` of a `GitRepository`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum GitReference {
    /// The tip of a branch, named without `refs/heads/`.
    Branch(String),
    /// A tag, named without `refs/tags/`.
    Tag(String),
    /// The highest tag that is a version within a range.
    Semver(String),
    /// A ref by its full name, for instance `refs/pull/1/head`.
    Name(String),
    /// One commit by its 40 hex digits. It never changes, so nothing is asked of the server until it is fetched.
    Commit {
        /// The commit's id.
        commit: String,
        /// The branch that the revision names, without `refs/heads/`.
        branch: Option<String>,
    },
}

/// The fields of `spec.ref` as they were written.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReferenceFields<'a> {
    /// `spec.ref.branch`
    pub branch: Option<&'a str>,
    /// `spec.ref.tag`
    pub tag: Option<&'a str>,
    /// `spec.ref.semver`
    pub semver: Option<&'a str>,
    /// `spec.ref.name`
    pub name: Option<&'a str>,
    /// `spec.ref.commit`
    pub commit: Option<&'a str>,
}

/// The branch that is followed when nothing else is said.
pub(super) const DEFAULT_BRANCH: &str = "master";

impl GitReference {
    /// The one field that counts: `commit` before `name`, `tag`, `semver` and `branch`, which is Flux's order in code.
    /// An empty field counts as absent.
    pub fn new(fields: ReferenceFields<'_>) -> Self {
        let written = |field: Option<&str>| field.filter(|text| !text.is_empty()).map(str::to_owned);
        let branch = written(fields.branch);
        if let Some(commit) = written(fields.commit) {
            return Self::Commit { commit, branch };
        }
        written(fields.name)
            .map(Self::Name)
            .or_else(|| written(fields.tag).map(Self::Tag))
            .or_else(|| written(fields.semver).map(Self::Semver))
            .unwrap_or_else(|| Self::Branch(branch.unwrap_or_else(|| DEFAULT_BRANCH.to_owned())))
    }

    /// The prefixes of the refs that can decide this reference: all that a server is asked to list.
    pub(super) fn prefixes(&self) -> Vec<String> {
        match self {
            Self::Branch(branch) => vec!["HEAD".to_owned(), format!("refs/heads/{branch}")],
            Self::Tag(tag) => vec!["HEAD".to_owned(), format!("refs/tags/{tag}")],
            Self::Semver(_) => vec!["HEAD".to_owned(), "refs/tags/".to_owned()],
            Self::Name(name) => {
                let mut prefixes = full_names(name.strip_suffix(PEELED).unwrap_or(name));
                prefixes.push("HEAD".to_owned());
                prefixes
            }
            Self::Commit { .. } => Vec::new(),
        }
    }
}

/// How git names the object that an annotated tag stands for.
const PEELED: &str = "^{}";

/// The refs that git understands by `name`, most literal first.
fn full_names(name: &str) -> Vec<String> {
    vec![name.to_owned(), format!("refs/{name}"), format!("refs/tags/{name}"), format!("refs/heads/{name}")]
}

/// What a reference stands for at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolved {
    /// Flux's revision: `main@sha1:<hex>`, `sha1:<hex>` for a bare commit, the full ref for a `name`.
    pub revision: String,
    /// The commit, as 40 hex digits.
    pub commit: String,
    /// The full name of the ref; `None` for a bare commit.
    pub reference_name: Option<String>,
    /// The object that the ref names: the commit, or the tag that annotates it.
    pub(super) target: ObjectId,
}

impl Resolved {
    fn new(found: &RemoteRef, shown: &str) -> Self {
        let commit = found.commit();
        Self {
            revision: format!("{shown}@sha1:{commit}"),
            commit: commit.to_string(),
            reference_name: Some(found.name.clone()),
            target: found.id,
        }
    }

    /// What a pinned commit stands for: itself.
    pub(super) fn pinned(commit: &str, branch: Option<&str>) -> Result<Self, CloneError> {
        let target: ObjectId = commit.parse().map_err(|_| CloneError::MalformedCommit(commit.to_owned()))?;
        Ok(Self {
            revision: branch.map_or_else(|| format!("sha1:{target}"), |branch| format!("{branch}@sha1:{target}")),
            commit: target.to_string(),
            reference_name: branch.map(|branch| format!("refs/heads/{branch}")),
            target,
        })
    }
}

/// The refs that fit a reference equally well.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Selected {
    /// One ref.
    One(Resolved),
    /// Tags of equal precedence on different commits: the youngest commit decides.
    Tied(Vec<Resolved>),
}

/// Selects what `reference` stands for among `refs`.
pub(super) fn select(reference: &GitReference, refs: &[RemoteRef]) -> Result<Selected, CloneError> {
    match reference {
        GitReference::Branch(branch) => exact(refs, "refs/heads/", branch).map(Selected::One),
        GitReference::Tag(tag) => exact(refs, "refs/tags/", tag).map(Selected::One),
        GitReference::Name(name) => by_name(refs, name).map(Selected::One),
        GitReference::Semver(range) => highest(refs, range),
        GitReference::Commit { commit, branch } => Resolved::pinned(commit, branch.as_deref()).map(Selected::One),
    }
}

fn exact(refs: &[RemoteRef], folder: &str, name: &str) -> Result<Resolved, CloneError> {
    let full = format!("{folder}{name}");
    let found = refs.iter().find(|candidate| candidate.name == full);
    found.map(|found| Resolved::new(found, name)).ok_or(CloneError::RefMissing(full))
}

fn by_name(refs: &[RemoteRef], name: &str) -> Result<Resolved, CloneError> {
    let unresolved = || CloneError::NameUnresolved(name.to_owned());
    if name.starts_with('/') || name.ends_with('/') {
        return Err(unresolved());
    }
    let found = full_names(name.strip_suffix(PEELED).unwrap_or(name))
        .into_iter()
        .find_map(|full| refs.iter().find(|candidate| candidate.name == full))
        .ok_or_else(unresolved)?;
    let shown = if name.ends_with(PEELED) { format!("{}{PEELED}", found.name) } else { found.name.clone() };
    Ok(Resolved::new(found, &shown))
}

fn highest(refs: &[RemoteRef], range: &str) -> Result<Selected, CloneError> {
    let within =
        VersionRange::parse(range).map_err(|source| CloneError::MalformedRange { range: range.to_owned(), source })?;
    let mut versions: Vec<(Version, &str, &RemoteRef)> = refs
        .iter()
        .filter_map(|found| {
            let tag = found.name.strip_prefix("refs/tags/")?;
            Some((parse_tag(tag)?, tag, found))
        })
        .filter(|(version, ..)| within.matches(version))
        .collect();
    versions.sort_by(|(a, a_tag, _), (b, b_tag, _)| a.cmp_precedence(b).then_with(|| a_tag.cmp(b_tag)));
    let Some((best, tag, found)) = versions.last() else {
        return Err(CloneError::NoVersion(range.to_owned()));
    };
    let tied: Vec<_> = versions.iter().filter(|(version, ..)| version.cmp_precedence(best).is_eq()).collect();
    if tied.iter().all(|(_, _, other)| other.commit() == found.commit()) {
        return Ok(Selected::One(Resolved::new(found, tag)));
    }
    Ok(Selected::Tied(tied.into_iter().map(|(_, tag, found)| Resolved::new(found, tag)).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(digit: char) -> ObjectId {
        digit.to_string().repeat(40).parse().expect("40 digits")
    }

    fn light(name: &str, digit: char) -> RemoteRef {
        RemoteRef { name: name.to_owned(), id: id(digit), peeled: None }
    }

    fn annotated(name: &str, tag: char, commit: char) -> RemoteRef {
        RemoteRef { name: name.to_owned(), id: id(tag), peeled: Some(id(commit)) }
    }

    fn shown(reference: &GitReference, refs: &[RemoteRef]) -> String {
        let short = |resolved: &Resolved| {
            format!(
                "{}…{} target {}",
                &resolved.revision[..resolved.revision.len() - 38],
                &resolved.commit[..2],
                resolved.target.to_string().split_at(2).0
            )
        };
        match select(reference, refs) {
            Ok(Selected::One(resolved)) => short(&resolved),
            Ok(Selected::Tied(tied)) => tied.iter().map(short).collect::<Vec<_>>().join(" | "),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_field_that_counts_is_commit_name_tag_semver_then_branch() {
        let all = ReferenceFields {
            branch: Some("b"),
            tag: Some("t"),
            semver: Some("1.x"),
            name: Some("refs/n"),
            commit: Some("c"),
        };
        let rows = [
            (all, GitReference::Commit { commit: "c".into(), branch: Some("b".into()) }),
            (ReferenceFields { commit: None, ..all }, GitReference::Name("refs/n".into())),
            (ReferenceFields { commit: Some(""), name: None, ..all }, GitReference::Tag("t".into())),
            (ReferenceFields { commit: None, name: None, tag: None, ..all }, GitReference::Semver("1.x".into())),
            (ReferenceFields { branch: Some("b"), ..Default::default() }, GitReference::Branch("b".into())),
            (ReferenceFields::default(), GitReference::Branch("master".into())),
        ];
        for (fields, expected) in rows {
            assert_eq!(GitReference::new(fields), expected, "{fields:?}");
        }
    }

    #[test]
    fn each_kind_of_reference_finds_its_ref() {
        let refs = [
            light("HEAD", 'a'),
            light("refs/heads/main", 'a'),
            light("refs/heads/feature/x", 'b'),
            light("refs/pull/1/head", 'c'),
            light("refs/tags/v1.0.0", 'd'),
            annotated("refs/tags/v1.2.0", 'e', 'f'),
            annotated("refs/tags/v2.0.0-rc.1", '1', '2'),
        ];
        let name = |text: &str| GitReference::Name(text.into());
        let rows = [
            (GitReference::Branch("main".into()), "main@sha1:aa…aa target aa"),
            (GitReference::Branch("feature/x".into()), "feature/x@sha1:bb…bb target bb"),
            (GitReference::Branch("feature".into()), "couldn't find remote ref \"refs/heads/feature\""),
            (GitReference::Tag("v1.0.0".into()), "v1.0.0@sha1:dd…dd target dd"),
            (GitReference::Tag("v1.2.0".into()), "v1.2.0@sha1:ff…ff target ee"),
            (GitReference::Semver(">=1.0.0".into()), "v1.2.0@sha1:ff…ff target ee"),
            (GitReference::Semver(">=1.0.0-0".into()), "v2.0.0-rc.1@sha1:22…22 target 11"),
            (GitReference::Semver("3.x".into()), "no match found for semver: 3.x"),
            (name("refs/pull/1/head"), "refs/pull/1/head@sha1:cc…cc target cc"),
            (name("refs/tags/v1.2.0^{}"), "refs/tags/v1.2.0^{}@sha1:ff…ff target ee"),
            (name("heads/main"), "refs/heads/main@sha1:aa…aa target aa"),
            (name("main"), "refs/heads/main@sha1:aa…aa target aa"),
            (name("HEAD"), "HEAD@sha1:aa…aa target aa"),
            (name("refs/heads/"), "unable to resolve ref 'refs/heads/' to a specific commit"),
            (name("refs/heads/gone"), "unable to resolve ref 'refs/heads/gone' to a specific commit"),
        ];
        for (reference, expected) in rows {
            assert_eq!(shown(&reference, &refs), expected, "{reference:?}");
        }
    }

    #[test]
    fn tags_that_differ_only_in_build_metadata_are_tied_unless_they_name_one_commit() {
        let range = GitReference::Semver("1.x".into());
        let apart = [light("refs/tags/1.0.0+a", 'a'), light("refs/tags/1.0.0+b", 'b'), light("refs/tags/0.9.0", 'c')];
        assert_eq!(shown(&range, &apart), "1.0.0+a@sha1:aa…aa target aa | 1.0.0+b@sha1:bb…bb target bb");
        let same = [light("refs/tags/1.0.0", 'a'), light("refs/tags/v1.0.0", 'a')];
        assert_eq!(shown(&range, &same), "v1.0.0@sha1:aa…aa target aa");
    }

    #[test]
    fn a_pinned_commit_needs_no_ref_and_must_be_a_full_id() {
        let commit = |commit: &str, branch: Option<&str>| GitReference::Commit {
            commit: commit.into(),
            branch: branch.map(Into::into),
        };
        assert_eq!(shown(&commit(&"a".repeat(40), None), &[]), "sha1:aa…aa target aa");
        assert_eq!(shown(&commit(&"a".repeat(40), Some("main")), &[]), "main@sha1:aa…aa target aa");
        assert_eq!(shown(&commit("aaaa", None), &[]), "`aaaa` is not a commit id of 40 hex digits");
    }
}
