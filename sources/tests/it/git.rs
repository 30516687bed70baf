//! Git sources against real servers on loopback.

mod checkout;
mod http;
pub(crate) mod http_server;
pub(crate) mod program;
mod references;
mod repository;
mod signatures;
mod ssh;
pub(crate) mod ssh_server;
mod tls;
mod trees;

use std::{error::Error, time::Duration};

use fairlead_object::{EntryKind, Tree, TreePath};
use fairlead_sources::{
    fetch::{Means, SourceError},
    git::{
        Checkout, Fetched, GitAuth, GitError, GitReference, GitRequest, GitUrl, ReferenceFields, SecretData, fetch,
        resolve,
    },
    store::{Store, StoreSettings, StoredTree},
};
use jiff::Timestamp;
use tempfile::TempDir;

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

fn branch(name: &str) -> GitReference {
    GitReference::new(ReferenceFields { branch: Some(name), ..ReferenceFields::default() })
}

pub(crate) fn secret<const N: usize>(entries: [(&str, &str); N]) -> SecretData {
    entries.into_iter().map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec().into())).collect()
}

fn anonymous(url: &str, reference: GitReference) -> GitRequest {
    let url = GitUrl::parse(url).expect("a URL");
    GitRequest {
        url,
        reference,
        auth: GitAuth::Anonymous,
        timeout: PATIENCE,
        checkout: Checkout::default(),
        verification: None,
    }
}

fn with_secret(url: &str, reference: GitReference, data: &SecretData) -> GitRequest {
    let request = anonymous(url, reference);
    let auth = GitAuth::from_secret(&request.url, data).expect("credentials");
    GitRequest { auth, ..request }
}

/// A store in a folder of its own.
struct TestStore {
    store: Store,
    folder: TempDir,
}

impl TestStore {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let store = Store::open(folder.path(), StoreSettings::default()).expect("a store");
        Self { store, folder }
    }

    /// Resolves and fetches at once.
    async fn fetch(&self, request: &GitRequest) -> Result<(String, Fetched), GitError> {
        self.fetch_without(request, None).await
    }

    /// The folders of fetches that have ended.
    fn leftovers(&self) -> usize {
        std::fs::read_dir(self.folder.path().join("scratch")).map_or(0, Iterator::count)
    }

    async fn fetch_without(&self, request: &GitRequest, ignore: Option<&str>) -> Result<(String, Fetched), GitError> {
        let resolved = resolve(request).await?;
        let fetched = fetch(request, &resolved, &means(&self.store, ignore)).await?;
        Ok((resolved.revision, fetched))
    }
}

/// With what is fetched here: in 2040.
fn means<'a>(store: &'a Store, ignore: Option<&'a str>) -> Means<'a> {
    Means { store, ignore, now: Timestamp::from_second(2_208_988_800).expect("a time") }
}

/// The files of a tree as `path: content`, one a line.
fn shown(tree: &StoredTree) -> String {
    let mut lines = Vec::new();
    collect(tree, &TreePath::root(), &mut lines);
    lines.join("\n")
}

fn collect(tree: &StoredTree, folder: &TreePath, lines: &mut Vec<String>) {
    for entry in tree.list(folder).expect("a folder") {
        let path = folder.join(&entry.name);
        match entry.kind {
            EntryKind::Directory => collect(tree, &path, lines),
            EntryKind::File => {
                let content = tree.read(&path).expect("a file");
                lines.push(format!("{path}: {}", String::from_utf8_lossy(&content).trim_end()));
            }
        }
    }
}

/// An error as the command line prints it, with its hint.
fn told(error: &GitError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text = format!("{text}\n  caused by: {next}");
        cause = next.source();
    }
    match error.hint() {
        Some(hint) => format!("{text}\nhint: {hint}"),
        None => text,
    }
}

/// The error of something that must not succeed.
fn refusal<T>(outcome: Result<T, GitError>) -> GitError {
    match outcome {
        Ok(_) => panic!("this must fail"),
        Err(error) => error,
    }
}
