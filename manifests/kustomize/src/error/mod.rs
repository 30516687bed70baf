//! Why a build failed: what concerns the whole build and its objects here, what one of its stages met in its own file.

mod load;
mod patch;
mod plugin;
mod reference;

use fairlead_object::{TreeError, TreePath};
use fairlead_yaml::{ParseError, ResolveError};

use crate::at::At;
pub use load::LoadError;
pub use patch::PatchError;
pub use plugin::PluginError;
pub use reference::ReferenceError;

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
    /// A file that `configurations` names sets a key twice.
    #[error("{at}: error converting YAML to JSON: key {key:?} already set in map")]
    RepeatedKey {
        /// The second one.
        at: At,
        /// The key.
        key: String,
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
    #[error(
        "{at}: accumulating resources: accumulation err='accumulating resources from '{entry}': {}'",
        as_file.without_position(at)
    )]
    NeitherFileNorDirectory {
        /// The entry.
        at: At,
        /// What it says.
        entry: String,
        /// Why it is no file.
        as_file: Box<LoadError>,
        /// Why it is no directory.
        source: Box<LoadError>,
    },
    /// An entry of `components` could not be built.
    #[error("{at}: accumulating components: accumulateDirectory")]
    Component {
        /// The entry.
        at: At,
        /// Why.
        source: Box<BuildError>,
    },
    /// A component is listed as a resource.
    #[error("{at}: accumulating resources: expected kind != 'Component' for path '/{}'", path.as_str())]
    ComponentAsResource {
        /// The entry.
        at: At,
        /// The directory.
        path: TreePath,
    },
    /// A kustomization is listed as a component.
    #[error(
        "{at}: accumulating components: accumulateDirectory: \"expected kind 'Component' for path '/{}' but got \
         'Kustomization'\"",
        path.as_str()
    )]
    KustomizationAsComponent {
        /// The entry.
        at: At,
        /// The directory.
        path: TreePath,
    },
    /// A file or directory that is named cannot be had.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// There are more kustomizations than a build accumulates.
    #[error("{at}: the build accumulates more than {limit} kustomizations")]
    TooManyKustomizations {
        /// The one that is one too many.
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

    /// Texts that are written once are put into objects too often.
    #[error("{at}: overlays add more than {limit} bytes to what they are made of")]
    TooMuchAdded {
        /// What is one too many.
        at: At,
        /// The limit.
        limit: usize,
    },

    /// A document is a list or a scalar.
    #[error("{at}: json: cannot unmarshal {found} into Go value of type map[string]interface {{}}")]
    NotAMapping {
        /// The document.
        at: At,
        /// What it is.
        found: &'static str,
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
    /// Two specs of one field differ.
    #[error("{at}: failed to merge {list} fieldSpec: conflicting fieldspecs for `{path}`")]
    ConflictingFieldSpecs {
        /// What brings the second one.
        at: At,
        /// The list of specs.
        list: &'static str,
        /// The field.
        path: String,
    },
    /// A field is not what its spec says.
    #[error("{at}: considering field '{path}' of object {id}: {problem}")]
    Field {
        /// The object.
        at: At,
        /// The field.
        path: String,
        /// The object's id.
        id: String,
        /// What it is.
        problem: String,
    },
    /// A field that should hold a namespace is no scalar.
    #[error(
        "{at}: namespace field specs must target scalar nodes: considering field '{path}' of object {id}: {problem}"
    )]
    NamespaceField {
        /// The object.
        at: At,
        /// The field.
        path: String,
        /// The object's id.
        id: String,
        /// What it is.
        problem: String,
    },
    /// Two objects of one name were put into one namespace.
    #[error("namespace transformation produces ID conflict")]
    NamespaceConflict {
        /// The objects.
        source: Box<BuildError>,
    },
    /// `replicas` names no workload.
    #[error("{at}: resource with name {name} does not match a config with the following GVK [{kinds}]")]
    ReplicaWithoutTarget {
        /// The entry.
        at: At,
        /// The name.
        name: String,
        /// The kinds that have replicas.
        kinds: String,
        /// The workload that was probably meant.
        nearest: Option<String>,
    },
    /// A patch cannot be used.
    #[error(transparent)]
    Patch(#[from] PatchError),
    /// A selector cannot be read.
    #[error("{at}: bad selector {text:?}: {problem}")]
    BadSelector {
        /// The selector.
        at: At,
        /// What it says.
        text: String,
        /// Why it cannot be read.
        problem: String,
    },
    /// A generator is incomplete, or its pairs cannot be read.
    #[error("{at}: loading KV pairs: {problem}")]
    Generator {
        /// The entry, or the line of its file.
        at: At,
        /// What is wrong.
        problem: String,
    },
    /// A generated object does not fit what is there.
    #[error("{at}: merging from generator: id {id} {problem}")]
    Absorb {
        /// The entry.
        at: At,
        /// The object.
        id: String,
        /// What does not fit.
        problem: AbsorbProblem,
    },
    /// An object of a kind without a content hash is to be named by one.
    #[error("{at}: {id} has no content that a name could be hashed from")]
    Unhashable {
        /// The object.
        at: At,
        /// Its id.
        id: String,
    },
    /// `sortOptions` contradict themselves.
    #[error("{at}: {problem}")]
    SortOptions {
        /// The field.
        at: At,
        /// What is wrong.
        problem: &'static str,
    },
    /// What one object takes from another cannot be had.
    #[error(transparent)]
    Reference(#[from] ReferenceError),
    /// A plugin cannot be used.
    #[error(transparent)]
    Plugin(#[from] PluginError),
    /// A schema cannot be used.
    #[error("{at}: {problem}")]
    OpenApi {
        /// The field.
        at: At,
        /// Why.
        problem: &'static str,
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

/// Why a generated object does not fit what is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AbsorbProblem {
    /// It is to change an object that is not there.
    #[error("does not exist; cannot merge or replace")]
    Missing,
    /// It is to be new, and is there.
    #[error("exists; can not use behavior: 'unspecified', behavior must be merge or replace")]
    Exists,
    /// It is to change one object, and several are there.
    #[error("matches multiple objects that could accept the merge")]
    Several,
    /// The object that it is to change has become one of another kind.
    #[error("is of another kind than the object that it is to merge with or replace")]
    OtherKind,
}

impl BuildError {
    /// What the reader can try, where the failure suggests it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownField { nearest, .. } | Self::ReplicaWithoutTarget { nearest, .. } => {
                did_you_mean(nearest.as_deref())
            }
            Self::Duplicate { first, .. } => Some(format!("the first one is at {first}")),
            Self::Load(error) => error.hint(),
            Self::Patch(error) => error.hint(),
            Self::Reference(error) => error.hint(),
            Self::Plugin(error) => error.hint(),
            Self::NeitherFileNorDirectory { as_file, source, .. } => as_file.hint().or_else(|| source.hint()),
            other => other.inner().and_then(Self::hint),
        }
    }

    /// Whether a file or directory that an entry names is not there.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::Load(error) => error.is_missing(),
            Self::NeitherFileNorDirectory { as_file, source, .. } => as_file.is_missing() && source.is_missing(),
            other => other.inner().is_some_and(Self::is_missing),
        }
    }

    /// A chart is asked for, and the caller brings nothing that renders one.
    pub(crate) fn unrendered(at: &At) -> Self {
        let instead = "render the chart as a HelmRelease, or keep its output in the source";
        Self::Unsupported { at: at.clone(), field: "helmCharts".to_owned(), instead }
    }

    /// The error as it concerns a field that should hold a namespace.
    pub(crate) fn into_namespace_field(self) -> Self {
        match self {
            Self::Field { at, path, id, problem } => Self::NamespaceField { at, path, id, problem },
            other => other,
        }
    }

    /// The failure that this one is the consequence of.
    fn inner(&self) -> Option<&Self> {
        std::error::Error::source(self)?.downcast_ref::<Box<Self>>().map(|inner| &**inner)
    }
}

fn did_you_mean(nearest: Option<&str>) -> Option<String> {
    nearest.map(|nearest| format!("did you mean `{nearest}`?"))
}
