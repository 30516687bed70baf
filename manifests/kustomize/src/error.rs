//! Why a build failed.

use fairlead_object::{TreeError, TreePath};
use fairlead_yaml::{ParseError, ResolveError};

use crate::at::At;

/// Why a build failed: where, which resource, and what is wrong in kustomize's own words.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The source could not be read.
    #[error("cannot read the source")]
    Tree(#[source] TreeError),

    /// A directory holds no kustomization.
    #[error(
        "unable to find one of 'kustomization.yaml', 'kustomization.yml' or 'Kustomization' in directory '/{}'",
        directory.as_str()
    )]
    NoKustomizationFile {
        /// The directory.
        directory: TreePath,
    },
    /// A directory holds several kustomizations.
    #[error("Found multiple kustomization files under: /{}", directory.as_str())]
    SeveralKustomizationFiles {
        /// The directory.
        directory: TreePath,
    },
    /// A file is no text.
    #[error("{file}:1: the file is not UTF-8")]
    NotUtf8 {
        /// The file.
        file: TreePath,
    },
    /// A file is no YAML.
    #[error("{at}: MalformedYAMLError")]
    Malformed {
        /// The line.
        at: At,
        /// What the parser says.
        source: ParseError,
    },
    /// A field of a kustomize file has a value of another type.
    #[error("{at}: invalid Kustomization: json: {problem}")]
    InvalidField {
        /// The field.
        at: At,
        /// Go's words for it.
        problem: String,
    },
    /// A kustomize file has a field that kustomize does not know.
    #[error("{at}: invalid Kustomization: json: unknown field {field:?}")]
    UnknownField {
        /// The field.
        at: At,
        /// Its name.
        field: String,
        /// The known field that was probably meant.
        nearest: Option<String>,
    },
    /// A kustomization asks for nothing.
    #[error("{at}: kustomization.yaml is empty")]
    EmptyKustomization {
        /// The file.
        at: At,
    },
    /// A kustomization's `kind` or `apiVersion` is none that is read.
    #[error("{at}: Failed to read kustomization file under the directory:\n{problems}")]
    Header {
        /// The file.
        at: At,
        /// What is wrong, a line each.
        problems: String,
    },
    /// A field asks for what is not done here.
    #[error("{at}: `{field}` is not supported: {instead}")]
    Unsupported {
        /// The field or entry.
        at: At,
        /// Its name.
        field: String,
        /// What to do instead.
        instead: &'static str,
    },

    /// An entry of `resources` could not be read or built.
    #[error("{at}: accumulating resources from '{entry}'")]
    Resource {
        /// The entry.
        at: At,
        /// What it says.
        entry: String,
        /// Why.
        source: Box<BuildError>,
    },
    /// An entry of `resources` is neither a file nor a directory.
    #[error("{at}: accumulating resources: accumulation err='accumulating resources from '{entry}': {as_file}'")]
    NeitherFileNorDirectory {
        /// The entry.
        at: At,
        /// What it says.
        entry: String,
        /// Why it is no file.
        as_file: Box<BuildError>,
        /// Why it is no directory.
        source: Box<BuildError>,
    },
    /// An entry of `components` could not be built.
    #[error("{at}: accumulating components: accumulateDirectory")]
    Component {
        /// The entry.
        at: At,
        /// Why.
        source: Box<BuildError>,
    },
    /// A component is listed as a resource, or a kustomization as a component.
    #[error("expected kind {} for path '/{}'{}", expected_kind(.found), path.as_str(), found_kind(.found))]
    WrongKind {
        /// The directory.
        path: TreePath,
        /// What its kustomization is.
        found: crate::Kind,
    },
    /// A path is absolute, or climbs out of the source.
    #[error("{at}: security; file '{path}' is not in or below '/{}'", root.as_str())]
    OutsideRoot {
        /// The entry.
        at: At,
        /// What it says.
        path: String,
        /// The directory of the kustomization.
        root: TreePath,
    },
    /// A file is not there.
    #[error("{at}: evalsymlink failure on '/{}' : '/{}' doesn't exist", path.as_str(), path.as_str())]
    MissingFile {
        /// The entry.
        at: At,
        /// The path.
        path: TreePath,
        /// The file that was probably meant.
        nearest: Option<String>,
    },
    /// A file is named by an absolute path.
    #[error("{at}: evalsymlink failure on '{path}' : an absolute path names no file of a source")]
    AbsoluteFile {
        /// The entry.
        at: At,
        /// The path.
        path: String,
    },
    /// A file or directory is there and cannot be read.
    #[error("{at}: cannot read the source")]
    Unreadable {
        /// The entry.
        at: At,
        /// Why.
        source: TreeError,
    },
    /// An entry would have to be fetched.
    #[error("{at}: `{url}` is remote, and a build fetches nothing")]
    Remote {
        /// The entry.
        at: At,
        /// What it says.
        url: String,
    },
    /// A directory stands where a file is wanted.
    #[error("{at}: '/{}' must resolve to a file", path.as_str())]
    NotAFile {
        /// The entry.
        at: At,
        /// The path.
        path: TreePath,
    },
    /// A file stands where a directory is wanted.
    #[error("{at}: must build at directory: '/{}': file is not directory", path.as_str())]
    NotADirectory {
        /// The entry.
        at: At,
        /// The path.
        path: TreePath,
    },
    /// A directory is not there.
    #[error(
        "must build at directory: not a valid directory: evalsymlink failure on '/{}' : '/{}' doesn't exist",
        path.as_str(), path.as_str()
    )]
    MissingDirectory {
        /// The path.
        path: TreePath,
    },
    /// A directory is named by an absolute path.
    #[error("new root '{path}' cannot be absolute")]
    AbsoluteRoot {
        /// The path.
        path: String,
    },
    /// A directory is named by an empty path.
    #[error("{at}: new root cannot be empty")]
    EmptyRoot {
        /// The entry.
        at: At,
    },
    /// A directory builds itself, or one that it is part of.
    #[error("{at}: cycle detected: candidate root '/{}' contains visited root '/{}'", candidate.as_str(), visited.as_str())]
    Cycle {
        /// The entry.
        at: At,
        /// The directory that is named.
        candidate: TreePath,
        /// The directory that is being built.
        visited: TreePath,
    },
    /// Bases are nested too deeply.
    #[error("{at}: bases are nested more than {limit} deep")]
    TooDeep {
        /// The entry.
        at: At,
        /// The limit.
        limit: usize,
    },
    /// There are more resources than a build holds.
    #[error("{at}: the build has more than {limit} resources")]
    TooManyResources {
        /// The entry that brought one too many.
        at: At,
        /// The limit.
        limit: usize,
    },

    /// A document is no object.
    #[error("{at}: missing Resource metadata")]
    NoMetadata {
        /// The document.
        at: At,
    },
    /// An object lacks a kind or a name.
    #[error("{at}: missing {field} in object")]
    Unnamed {
        /// The object.
        at: At,
        /// What it lacks.
        field: &'static str,
    },
    /// `items` of a list is no list.
    #[error("{at}: expected array in {kind}/items, but found {found}")]
    ListItems {
        /// The object.
        at: At,
        /// Its kind.
        kind: String,
        /// What `items` is.
        found: &'static str,
    },
    /// Two objects have one id.
    #[error("{at}: may not add resource with an already registered id: {id}")]
    Duplicate {
        /// The second object.
        at: At,
        /// Their id.
        id: String,
        /// The first object.
        first: At,
    },
    /// An object cannot be printed.
    #[error("{at}: cannot print {id}")]
    Unprintable {
        /// The object.
        at: At,
        /// Its id.
        id: String,
        /// Why.
        source: ResolveError,
    },
}

fn expected_kind(found: &crate::Kind) -> &'static str {
    match found {
        crate::Kind::Component => "!= 'Component'",
        crate::Kind::Kustomization => "'Component'",
    }
}

fn found_kind(found: &crate::Kind) -> &'static str {
    match found {
        crate::Kind::Component => "",
        crate::Kind::Kustomization => " but got 'Kustomization'",
    }
}

impl BuildError {
    /// What the reader can try, where the failure suggests it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownField { nearest: Some(nearest), .. } | Self::MissingFile { nearest: Some(nearest), .. } => {
                Some(format!("did you mean `{nearest}`?"))
            }
            Self::Remote { .. } => {
                Some("copy it into the source, or declare a source of its own for it".to_owned())
            }
            Self::Duplicate { first, .. } => Some(format!("the first one is at {first}")),
            Self::Resource { source, .. } | Self::Component { source, .. } => source.hint(),
            Self::NeitherFileNorDirectory { as_file, source, .. } => as_file.hint().or_else(|| source.hint()),
            _ => None,
        }
    }
}
