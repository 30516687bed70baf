//! The files of a commit: its own, those of its submodules, and those of artifacts that are included.
//!
//! # Differs from Flux
//! A submodule is fetched at the commit that the tree names, whichever way the revision was chosen, and without history.
//! Its URL gets the credentials only where scheme, host and port are those of the repository that names it.

use std::collections::BTreeMap;

use fairlead_object::{Digest, EntryKind, TreePath};
use tempfile::TempDir;

use super::{
    GitAuth, GitRequest, GitUrl, Remote,
    config::submodule_urls,
    error::{CloneError, Failure, IncludeError},
    objects::{Commit, File, Link, Listing, Objects},
    refs::ObjectId,
};
use crate::{
    ignore::Ignore,
    store::{Artifact, Mode, Node, Store, StoreError, StoredTree},
};

/// What of a commit is taken, and what comes along.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkout {
    /// The only files that are taken, by the beginnings of their paths: `spec.sparseCheckout`. All where it is empty.
    pub sparse: Vec<String>,
    /// Whether submodules are fetched too.
    pub submodules: Submodules,
    /// Artifacts that are copied into it.
    pub includes: Vec<Include>,
}

/// Whether submodules are fetched too: `spec.recurseSubmodules`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Submodules {
    /// They are left out.
    #[default]
    Skip,
    /// They are fetched, and those in them.
    Fetch,
}

/// An artifact that is copied into a source: an entry of `spec.include`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Include {
    /// The source that it is of.
    pub name: String,
    /// What is kept of it.
    pub artifact: Artifact,
    /// What of them is copied.
    pub from: TreePath,
    /// Where it is copied to.
    pub to: TreePath,
}

/// How deep submodules are fetched that are in submodules.
const DEPTH_LIMIT: usize = 10;
/// How many are fetched for one commit.
const NUMBER_LIMIT: usize = 200;
/// The file that says where the repositories of submodules are.
const GITMODULES: &str = ".gitmodules";

/// What is fetched of one commit.
pub(super) struct Fetching<'a> {
    store: &'a Store,
    parts: Vec<Part>,
    submodules: usize,
}

/// The files of a commit, and the objects that hold them.
struct Part {
    objects: Objects,
    files: Vec<File>,
    /// Where the objects are.
    _folder: TempDir,
}

/// A file on its way into the store.
enum Source<'f> {
    Fetched(&'f Objects, &'f File),
    Stored(Mode, Digest),
}

/// The files of a source by their paths.
struct Files<'f>(BTreeMap<TreePath, Source<'f>>);

impl<'a> Fetching<'a> {
    pub(super) fn new(store: &'a Store) -> Self {
        Self { store, parts: Vec::new(), submodules: 0 }
    }

    /// Fetches the commit at `target`, and the submodules in it where they are wanted. Its files are below `folder`.
    pub(super) fn add(
        &mut self,
        remote: &Remote,
        target: ObjectId,
        (folder, depth): (&TreePath, usize),
    ) -> Result<Commit, Failure> {
        let scratch = self.store.scratch().map_err(CloneError::Scratch)?;
        let objects = remote.fetch_objects(&[target], &scratch)?;
        let commit = objects.commit(target)?;
        let Listing { files, submodules } = objects.files(&commit, folder, &remote.deadline)?;
        let part = Part { objects, files, _folder: scratch };
        match remote.request.checkout.submodules {
            Submodules::Fetch if !submodules.is_empty() => {
                self.add_submodules(remote, &part, submodules, (folder, depth))?;
            }
            Submodules::Fetch | Submodules::Skip => {}
        }
        self.parts.push(part);
        Ok(commit)
    }

    /// The objects of the commit that was added last.
    pub(super) fn newest(&self) -> &Objects {
        &self.parts.last().expect("a commit was added").objects
    }

    fn add_submodules(
        &mut self,
        remote: &Remote,
        part: &Part,
        submodules: Vec<Link>,
        (folder, depth): (&TreePath, usize),
    ) -> Result<(), Failure> {
        let limit = |limit: String| CloneError::Limit { what: format!("`{folder}`"), limit };
        if depth == DEPTH_LIMIT {
            return Err(limit(format!("{DEPTH_LIMIT} submodules in one another")).into());
        }
        let named = folder.join(GITMODULES);
        let file = part.files.iter().find(|file| file.path == named);
        let text = file.map(|file| part.objects.content(file, |content| String::from_utf8_lossy(content).into_owned()));
        let urls = submodule_urls(&text.transpose()?.unwrap_or_default());
        for Link { path, target } in submodules {
            self.submodules += 1;
            if self.submodules > NUMBER_LIMIT {
                return Err(limit(format!("{NUMBER_LIMIT} submodules")).into());
            }
            let failed = |source| CloneError::Submodule { path: path.to_string(), source: Box::new(source) };
            let inside = below(&path, folder);
            let url = urls.get(inside).ok_or_else(|| failed(CloneError::SubmoduleUnknown))?;
            let inside = remote.submodule(url).map_err(failed)?;
            self.add(&inside, target, (&path, depth + 1)).map_err(|failure| match failure {
                Failure::Clone(error) => Failure::Clone(failed(error)),
                Failure::Credentials(_) | Failure::Empty | Failure::Include(_) | Failure::Verification(_) => failure,
            })?;
        }
        Ok(())
    }

    /// Puts the files that are taken into the store, with what is included, and without what is ignored.
    pub(super) fn keep(&self, remote: &Remote, ignore: Option<&str>) -> Result<StoredTree, Failure> {
        let Checkout { sparse, includes, .. } = &remote.request.checkout;
        let mut files = self.taken(sparse)?;
        for include in includes {
            let failed = |source| {
                Failure::Include(IncludeError::Copy {
                    name: include.name.clone(),
                    from: include.from.to_string(),
                    to: include.to.to_string(),
                    problem: source,
                })
            };
            files.include(include, self.store).map_err(failed)?;
        }
        let listed = files.ignore_files(self.store)?;
        let ignore = Ignore::new(listed.iter().map(|(folder, text)| (folder.clone(), text.as_str())), ignore);
        let mut writer = self.store.writer();
        for (path, file) in files.0.iter().filter(|(path, _)| !ignore.excludes(path, EntryKind::File)) {
            remote.deadline.left().map_err(CloneError::from)?;
            let (mode, digest) = match file {
                Source::Fetched(objects, file) => {
                    let digest = objects.content(file, |content| writer.put(content))?.map_err(CloneError::from)?;
                    (file.mode, digest)
                }
                Source::Stored(mode, digest) => (*mode, *digest),
            };
            writer.add(path, mode, digest).map_err(CloneError::from)?;
        }
        Ok(writer.finish().map_err(CloneError::from)?)
    }

    /// The fetched files whose paths start with one of `sparse`.
    ///
    /// # Follows Flux
    /// The beginnings are compared as texts: `apps` also takes `apps-old/web.yaml` and `apps.yaml`.
    fn taken(&self, sparse: &[String]) -> Result<Files<'_>, CloneError> {
        let all = self.parts.iter().flat_map(|part| part.files.iter().map(|file| (&part.objects, file)));
        let beginnings: Vec<&str> = sparse.iter().map(|path| path.strip_prefix("./").unwrap_or(path)).collect();
        for (path, written) in beginnings.iter().zip(sparse) {
            let folder = path.trim_end_matches('/');
            let is_there = |file: &File| {
                let rest = file.path.as_str().strip_prefix(folder);
                folder.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            if !all.clone().any(|(_, file)| is_there(file)) {
                return Err(CloneError::SparseMissing(written.clone()));
            }
        }
        let is_taken =
            |file: &File| sparse.is_empty() || beginnings.iter().any(|path| file.path.as_str().starts_with(path));
        let mut taken = BTreeMap::new();
        for (objects, file) in all.filter(|(_, file)| is_taken(file)) {
            if taken.insert(file.path.clone(), Source::Fetched(objects, file)).is_some() {
                return Err(StoreError::Occupied(file.path.clone()).into());
            }
        }
        Ok(Files(taken))
    }
}

/// `path`, seen from the folder `above`, which it is in.
fn below<'p>(path: &'p TreePath, above: &TreePath) -> &'p str {
    path.as_str().strip_prefix(above.as_str()).unwrap_or(path.as_str()).trim_start_matches('/')
}

impl Files<'_> {
    /// Copies what `include` says; what is wrong in words for people.
    fn include(&mut self, include: &Include, store: &Store) -> Result<(), String> {
        let tree = store.tree(&include.artifact.tree).map_err(|error| error.to_string())?;
        let mut found = Vec::new();
        let walked = tree.walk(&mut |path, node| {
            if let (Node::File { mode, digest, .. }, true) = (node, path.is_within(&include.from)) {
                found.push((path.clone(), *mode, *digest));
            }
            Ok(())
        });
        walked.map_err(|error| error.to_string())?;
        if found.is_empty() {
            return Err("no such file or directory".to_owned());
        }
        let is_file = matches!(found.as_slice(), [(path, ..)] if *path == include.from);
        self.make_room(&include.to, is_file)?;
        for (path, mode, digest) in found {
            let rest = below(&path, &include.from);
            let to = TreePath::parse(&include.to, rest).map_err(|error| error.to_string())?;
            self.0.insert(to, Source::Stored(mode, digest));
        }
        Ok(())
    }

    /// Whether something can be put at `to`: a file goes over a file, and nothing else over anything.
    fn make_room(&self, to: &TreePath, is_file: bool) -> Result<(), String> {
        let is_over = |path: &TreePath| path == to && !is_file;
        let taken =
            self.0.keys().find(|path| is_over(path) || (*path != to && (path.is_within(to) || to.is_within(path))));
        taken.map_or(Ok(()), |path| Err(format!("`{path}` is there already")))
    }

    /// The `.sourceignore` files, each with the directory that it speaks for.
    fn ignore_files(&self, store: &Store) -> Result<Vec<(TreePath, String)>, CloneError> {
        let named = self.0.iter().filter(|(path, _)| path.file_name() == Some(Ignore::FILE_NAME));
        named
            .map(|(path, file)| {
                let text = |content: &[u8]| String::from_utf8_lossy(content).into_owned();
                let text = match file {
                    Source::Fetched(objects, file) => objects.content(file, text)?,
                    Source::Stored(_, digest) => text(&store.read(digest)?),
                };
                Ok((path.parent().unwrap_or_default(), text))
            })
            .collect()
    }
}

impl Remote {
    /// The repository of a submodule whose URL is `written` here.
    fn submodule(&self, written: &str) -> Result<Self, CloneError> {
        let GitRequest { url: here, auth, reference, timeout, checkout, verification: _ } = &self.request;
        let refused = |problem| CloneError::SubmoduleUrl { problem };
        let url = if is_relative(written) {
            beside(here, written).ok_or_else(|| refused("leads out of its server"))?
        } else {
            GitUrl::parse(written).map_err(|_| refused("is not one of `http`, `https` or `ssh`"))?
        };
        if url.scheme_name() == "http" && here.scheme_name() != "http" {
            return Err(refused("leads to a server without encryption"));
        }
        let auth = if url.endpoint() == here.endpoint() { auth.clone() } else { elsewhere(auth, &url) };
        let (reference, checkout) = (reference.clone(), checkout.clone());
        let request = GitRequest { url, auth, reference, timeout: *timeout, checkout, verification: None };
        Ok(Self { request, deadline: self.deadline.clone() })
    }
}

/// What is shown to another server than the one that credentials are for.
fn elsewhere(auth: &GitAuth, url: &GitUrl) -> GitAuth {
    match auth {
        GitAuth::Http(http) if !url.is_ssh() => http.without_login(),
        GitAuth::Http(_) | GitAuth::Anonymous | GitAuth::Ssh(_) | GitAuth::App(_) | GitAuth::Cloud(_) => {
            GitAuth::Anonymous
        }
    }
}

/// Whether a URL is one that is seen from the repository that names it.
fn is_relative(written: &str) -> bool {
    written.starts_with("./") || written.starts_with("../")
}

/// Where a relative URL leads, seen from the repository at `here`; `None` if it climbs too far.
fn beside(here: &GitUrl, written: &str) -> Option<GitUrl> {
    let mut parts: Vec<&str> = here.path().split('/').filter(|part| !part.is_empty()).collect();
    for part in written.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            name => parts.push(name),
        }
    }
    Some(here.with(&format!("/{}", parts.join("/")), []))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relative_url_is_seen_from_the_repository_that_names_it() {
        let rows = [
            ("../other.git", Some("https://example.org/team/other.git")),
            ("./inside", Some("https://example.org/team/app.git/inside")),
            ("../../base/one", Some("https://example.org/base/one")),
            ("../../../../x", None),
        ];
        let here = GitUrl::parse("https://example.org/team/app.git").expect("a URL");
        for (written, expected) in rows {
            assert!(is_relative(written), "{written}");
            assert_eq!(beside(&here, written).map(|url| url.to_string()).as_deref(), expected, "{written}");
        }
        for written in ["https://example.org/x", "/etc/passwd"] {
            assert!(!is_relative(written), "{written}");
        }
    }
}
