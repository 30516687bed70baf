//! kustomize itself, and where a build of ours differs from it.

use std::{io, panic, path::PathBuf, process::Stdio};

use crate::{Source, build_to_text};

/// A program that builds as `kustomize build` does.
#[derive(Clone, Debug)]
pub struct Oracle {
    program: PathBuf,
    verb: &'static str,
}

/// How a build ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// With this text on standard output.
    Printed(String),
    /// With an error of these words.
    Failed(String),
    /// With a panic of these words.
    Panicked(String),
}

/// What differs, without the details: shrinking keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Both print, and not the same.
    Text,
    /// Only ours fails.
    OursFails,
    /// Only theirs fails.
    TheirsFails,
    /// Ours panics.
    Panic,
}

impl Oracle {
    /// `kustomize build`.
    pub fn kustomize(program: PathBuf) -> Self {
        Self { program, verb: "build" }
    }

    /// `kubectl kustomize`.
    pub fn kubectl(program: PathBuf) -> Self {
        Self { program, verb: "kustomize" }
    }

    /// Builds `source`.
    pub fn build(&self, source: &Source) -> io::Result<Outcome> {
        let folder = tempfile::tempdir()?;
        source.write(folder.path())?;
        let mut command = fairlead_tools::command(&self.program);
        command.arg(self.verb).arg(folder.path().join(&source.target)).stdin(Stdio::null());
        let output = command.output()?;
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        if output.status.success() {
            return Ok(Outcome::Printed(text(output.stdout)));
        }
        Ok(Outcome::Failed(text(output.stderr).replace(&*folder.path().to_string_lossy(), "")))
    }
}

/// Builds `source` in this process.
pub fn ours(source: &Source) -> Outcome {
    match panic::catch_unwind(|| build_to_text(&source.tree(), &source.directory())) {
        Ok(Ok(printed)) => Outcome::Printed(printed),
        Ok(Err(error)) => Outcome::Failed(error),
        Err(payload) => Outcome::Panicked(payload.downcast_ref::<String>().cloned().unwrap_or_default()),
    }
}

/// What kustomize says of a key that is a number: its release, built with a Go before 1.27, cannot write one as JSON.
const NUMBER_AS_KEY: &str = "json: unsupported type: map[interface {}]interface {}";

/// kustomize has crashed.
const CRASH: &str = "panic: ";

/// What our limits say; kustomize has none.
const LIMIT: &str = " more than ";

/// What we say of a generated object that has become one of another kind. kustomize hashes what it holds in memory then,
/// the lines of its files included.
const UNHASHABLE: &str = "has no content that a name could be hashed from";

/// What we say of a selector that is none; kustomize reads the one of labels only once it meets an object.
const BAD_SELECTOR: &str = "unable to parse requirement";

/// What go-yaml says of a tab on a line without text or behind a dash, where YAML allows it.
const TAB: &str = "found character that cannot start any token";

/// Where kustomize keeps its own notes. A JSON patch may copy them to where they are printed.
const NOTES: &str = "internal.config.kubernetes.io/";

/// What kustomize says of a name with a comma, at which it splits its notes of what an object was called.
const NAME_WITH_COMMA: &str =
    "number of previous names, number of previous namespaces, number of previous kinds not equal";

/// What kustomize says of a validator that leaves its label beside others: without it they are not written as they were.
const VALIDATED: &str = "validator shouldn't modify the resource map";

/// What kustomize says of an `apiVersion` that is null, once it looks for what the object refers to.
const NULL_VERSION: &str = "'APIVersion' mismatch '' != 'null'";

/// What kustomize says when it cannot read what it has written itself: of a comment beside a mapping that a patch has
/// emptied.
const OWN_TEXT: &str = "}: yaml: line ";

/// How `ours` differs from `theirs`; `None` if both print the same or both fail.
pub fn difference(ours: &Outcome, theirs: &Outcome) -> Option<Kind> {
    match (ours, theirs) {
        (Outcome::Panicked(_), _) => Some(Kind::Panic),
        (Outcome::Printed(ours), Outcome::Printed(theirs)) => {
            (ours != theirs && !theirs.contains(NOTES)).then_some(Kind::Text)
        }
        (Outcome::Failed(error), Outcome::Printed(_)) if has_any(error, &[LIMIT, UNHASHABLE, BAD_SELECTOR]) => None,
        (Outcome::Failed(_), Outcome::Printed(_)) => Some(Kind::OursFails),
        (Outcome::Printed(_), Outcome::Failed(error)) if has_any(error, KNOWN_FAILURES) => None,
        (Outcome::Printed(_), Outcome::Failed(_) | Outcome::Panicked(_)) => Some(Kind::TheirsFails),
        (Outcome::Failed(_), Outcome::Failed(_) | Outcome::Panicked(_)) => None,
    }
}

/// Why kustomize fails where we do not.
const KNOWN_FAILURES: &[&str] = &[NUMBER_AS_KEY, CRASH, TAB, NAME_WITH_COMMA, VALIDATED, NULL_VERSION, OWN_TEXT];

fn has_any(text: &str, parts: &[&str]) -> bool {
    parts.iter().any(|part| text.contains(part))
}
