//! A bare repository that a test writes to without a working tree.

use std::{
    path::Path,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
};

use git2::{ErrorCode, FileMode, ObjectType, Oid, RepositoryInitOptions, Signature, Time, build::TreeUpdateBuilder};

use crate::signing::Signer;

/// The branch that is meant where none is named.
const MAIN: &str = "main";

/// 1 January 2026: equal commits have equal names in every run.
const FIRST_COMMIT: i64 = 1_767_225_600;

/// A bare repository. Its commits are a minute apart, starting with 2026.
pub struct Repository {
    git: Mutex<git2::Repository>,
    url: String,
    clock: AtomicI64,
}

impl Repository {
    /// Makes an empty repository at `path`, which is served as `url`.
    pub(super) fn create(path: &Path, url: String) -> Result<Self, git2::Error> {
        let git = git2::Repository::init_opts(path, RepositoryInitOptions::new().bare(true).initial_head(MAIN))?;
        let mut config = git.config()?;
        // As large hosts allow it: a commit can be asked for by its name.
        config.set_bool("uploadpack.allowReachableSHA1InWant", true)?;
        // Who may read may push.
        config.set_bool("http.receivepack", true)?;
        Ok(Self { git: Mutex::new(git), url, clock: AtomicI64::new(FIRST_COMMIT) })
    }

    /// Returns where others fetch it from.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Commits to `main` and returns the commit's name: each file gets the given content, or is removed if it has none.
    ///
    /// # Panics
    /// If a file to remove is not there.
    pub fn commit<P, C>(&self, files: impl IntoIterator<Item = (P, Option<C>)>, message: &str) -> String
    where
        P: AsRef<Path>,
        C: AsRef<[u8]>,
    {
        self.commit_to(MAIN, files, message)
    }

    /// Commits to `branch`, which starts empty if it is new.
    ///
    /// # Panics
    /// If a file to remove is not there.
    pub fn commit_to<P, C>(
        &self,
        branch: &str,
        files: impl IntoIterator<Item = (P, Option<C>)>,
        message: &str,
    ) -> String
    where
        P: AsRef<Path>,
        C: AsRef<[u8]>,
    {
        let git = self.git();
        let mut update = TreeUpdateBuilder::new();
        for (path, content) in files {
            match content {
                Some(content) => {
                    let blob = git.blob(content.as_ref()).expect("the repository is writable");
                    update.upsert(path.as_ref(), blob, FileMode::Blob)
                }
                None => update.remove(path.as_ref()),
            };
        }
        self.record(&git, branch, &mut update, message).unwrap_or_else(|error| panic!("no commit on {branch}: {error}"))
    }

    /// Commits to `main` as [`commit`](Self::commit) does, signed by `signer`.
    ///
    /// # Panics
    /// If a file to remove is not there.
    pub fn signed_commit<P, C>(
        &self,
        files: impl IntoIterator<Item = (P, Option<C>)>,
        message: &str,
        signer: &impl Signer,
    ) -> String
    where
        P: AsRef<Path>,
        C: AsRef<[u8]>,
    {
        let unsigned = self.commit(files, message);
        let git = self.git();
        let object = git.odb().and_then(|objects| objects.read(parse(&unsigned)).map(|read| read.data().to_vec()));
        let content = String::from_utf8(object.expect("the commit exists")).expect("the commit is text");
        let signature = signer.sign(content.as_bytes());
        let signed = git.commit_signed(&content, signature.trim_end(), None).expect("the repository is writable");
        drop(git);
        self.force(MAIN, &signed.to_string());
        signed.to_string()
    }

    /// Makes or moves the tag `name` with a message of its own, signed by `signer` as the tag `own_name`, and returns the
    /// name of the tag's object.
    ///
    /// # Panics
    /// If there is no such commit.
    pub fn signed_tag(&self, name: &str, own_name: &str, commit: &str, signer: &impl Signer) -> String {
        let tagger = self.signature();
        let seconds = tagger.when().seconds();
        let content = format!(
            "object {commit}\ntype commit\ntag {own_name}\ntagger Ada <ada@example.com> {seconds} +0000\n\n{own_name}\n"
        );
        let signed = format!("{content}{}", signer.sign(content.as_bytes()));
        let git = self.git();
        let objects = git.odb().expect("the repository is readable");
        let tag = objects.write(ObjectType::Tag, signed.as_bytes()).expect("the repository is writable");
        git.reference(&format!("refs/tags/{name}"), tag, true, "moved").expect("the tag exists");
        tag.to_string()
    }

    /// Commits a symbolic link at `path` to `main`; the target is written as it is.
    ///
    /// # Panics
    /// If the repository cannot be written.
    pub fn commit_link(&self, path: &str, target: &str) -> String {
        let git = self.git();
        let blob = git.blob(target.as_bytes()).expect("the repository is writable");
        let mut update = TreeUpdateBuilder::new();
        update.upsert(path, blob, FileMode::Link);
        self.record(&git, MAIN, &mut update, "link").expect("the repository is writable")
    }

    /// Returns the commit that `branch` is at, if there is such a branch.
    pub fn head(&self, branch: &str) -> Option<String> {
        self.git().refname_to_id(&reference(branch)).ok().map(|commit| commit.to_string())
    }

    /// Moves `branch` to `commit`, whatever it was at before, as a forced push does.
    ///
    /// # Panics
    /// If there is no such commit.
    pub fn force(&self, branch: &str, commit: &str) {
        self.point(&reference(branch), commit);
    }

    /// Removes `branch`.
    ///
    /// # Panics
    /// If there is none.
    pub fn delete_branch(&self, branch: &str) {
        let git = self.git();
        let mut found = git.find_reference(&reference(branch)).expect("the branch exists");
        found.delete().expect("the repository is writable");
    }

    /// Makes or moves the tag `name`, without an object of its own.
    ///
    /// # Panics
    /// If there is no such commit.
    pub fn tag(&self, name: &str, commit: &str) {
        self.point(&format!("refs/tags/{name}"), commit);
    }

    /// Makes or moves any reference, such as `refs/pull/1/head`.
    ///
    /// # Panics
    /// If there is no such commit.
    pub fn point(&self, reference: &str, commit: &str) {
        let git = self.git();
        git.reference(reference, parse(commit), true, "moved").expect("the commit exists");
    }

    /// Makes the tag `name` with a message of its own.
    ///
    /// # Panics
    /// If there is no such commit, or the tag exists.
    pub fn annotated_tag(&self, name: &str, commit: &str, message: &str) {
        let git = self.git();
        let target = git.find_object(parse(commit), None).expect("the commit exists");
        git.tag(name, &target, &self.signature(), message, false).expect("the tag is new");
    }

    fn record(
        &self,
        git: &git2::Repository,
        branch: &str,
        update: &mut TreeUpdateBuilder,
        message: &str,
    ) -> Result<String, git2::Error> {
        let reference = reference(branch);
        let parent = match git.refname_to_id(&reference) {
            Ok(commit) => Some(git.find_commit(commit)?),
            Err(error) if error.code() == ErrorCode::NotFound => None,
            Err(error) => return Err(error),
        };
        let before = match &parent {
            Some(commit) => commit.tree()?,
            None => git.find_tree(git.treebuilder(None)?.write()?)?,
        };
        let tree = git.find_tree(update.create_updated(git, &before)?)?;
        let author = self.signature();
        let parents: Vec<_> = parent.iter().collect();
        let commit = git.commit(Some(&reference), &author, &author, message, &tree, &parents)?;
        Ok(commit.to_string())
    }

    fn signature(&self) -> Signature<'static> {
        let seconds = self.clock.fetch_add(60, Ordering::Relaxed);
        Signature::new("Ada", "ada@example.com", &Time::new(seconds, 0)).expect("the name and address are not empty")
    }

    fn git(&self) -> MutexGuard<'_, git2::Repository> {
        self.git.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn reference(branch: &str) -> String {
    format!("refs/heads/{branch}")
}

fn parse(commit: &str) -> Oid {
    commit.parse().unwrap_or_else(|_| panic!("`{commit}` is no commit's full name"))
}
