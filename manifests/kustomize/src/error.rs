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
    /// A patch is incomplete or contradicts itself.
    #[error("{at}: {problem}")]
    BadPatch {
        /// The entry or file.
        at: At,
        /// What is wrong.
        problem: String,
    },
    /// A patch is neither a strategic-merge patch nor a JSON patch.
    #[error("{at}: unable to parse SM or JSON patch from {shown}: no JSON patch ({as_json})")]
    NoPatch {
        /// The entry.
        at: At,
        /// The patch or its file.
        shown: String,
        /// Why it is no JSON patch.
        as_json: String,
        /// Why it is no strategic-merge patch.
        source: Box<BuildError>,
    },
    /// A strategic-merge patch names an object that is not there.
    #[error(
        "{at}: no resource matches strategic merge patch {id:?}: no matches for Id {id}; \
         failed to find unique target for patch {id}"
    )]
    PatchWithoutTarget {
        /// The patch.
        at: At,
        /// The object that it names.
        id: String,
        /// The object that was probably meant.
        nearest: Option<String>,
    },
    /// A strategic-merge patch names several objects.
    #[error("{at}: multiple matches for Id {id}; failed to find unique target for patch {id}")]
    PatchWithSeveralTargets {
        /// The patch.
        at: At,
        /// The object that it names.
        id: String,
        /// The objects that bear or bore the name.
        found: Vec<String>,
    },
    /// A strategic-merge patch does not fit its object.
    #[error("{at}: cannot patch {id}: {problem}")]
    Merge {
        /// The patch.
        at: At,
        /// The object.
        id: String,
        /// What does not fit.
        problem: String,
    },
    /// A JSON patch does not apply.
    #[error("{at}: cannot patch {id}: {problem}")]
    JsonPatch {
        /// The patch.
        at: At,
        /// The object.
        id: String,
        /// Which operation, and why.
        problem: String,
    },
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
    /// A reference by name cannot be followed.
    #[error("{at}: updating name reference in '{path}' field of '{id}': {problem}")]
    Reference {
        /// The object that refers.
        at: At,
        /// Its id.
        id: String,
        /// The field.
        path: String,
        /// Why.
        problem: String,
    },
    /// A service account that a role binding names has an empty namespace.
    #[error("{at}: Invalid Input: namespace is blank for resource {id:?}")]
    BlankNamespace {
        /// The role binding.
        at: At,
        /// Its id.
        id: String,
    },
    /// Two vars have one name.
    #[error("{at}: var '{name}' already encountered")]
    RepeatedVar {
        /// The second one.
        at: At,
        /// Their name.
        name: String,
        /// The first one.
        first: At,
    },
    /// A var could mean several objects.
    #[error("{at}: found {found} resId matches for var {name} (unable to disambiguate)")]
    AmbiguousVar {
        /// The var.
        at: At,
        /// Its name.
        name: String,
        /// How many objects it could mean.
        found: usize,
    },
    /// A var means no object.
    #[error("{at}: var '{var}' cannot be mapped to a field in the set of known resources")]
    UnboundVar {
        /// The var.
        at: At,
        /// Its name, kind and field.
        var: String,
    },
    /// The object that a var means lacks the field.
    #[error("{at}: field specified in var '{var}' not found in corresponding resource {id}")]
    VarWithoutField {
        /// The var.
        at: At,
        /// Its name, kind and field.
        var: String,
        /// The object.
        id: String,
    },
    /// A replacement is incomplete or contradicts itself.
    #[error("{at}: {problem}")]
    Replacement {
        /// The entry.
        at: At,
        /// What is wrong.
        problem: String,
    },
    /// The source of a replacement is not there.
    #[error("{at}: nothing selected by {selector}")]
    ReplacementWithoutSource {
        /// The entry.
        at: At,
        /// What the source says.
        selector: String,
        /// The name that was probably meant.
        nearest: Option<String>,
    },
    /// A field that a replacement sets is not there.
    #[error("{at}: cannot replace in {id}: {problem}")]
    ReplacementField {
        /// The entry.
        at: At,
        /// The object.
        id: String,
        /// Which field, and why.
        problem: String,
    },
    /// A plugin would be a program.
    #[error("{at}: external plugins disabled; unable to load external plugin '{kind}'")]
    ExternalPlugin {
        /// The plugin's configuration.
        at: At,
        /// Its kind.
        kind: String,
    },
    /// There is no such plugin.
    #[error("{at}: unable to load builtin {gvk}")]
    UnknownPlugin {
        /// The plugin's configuration.
        at: At,
        /// Its version and kind.
        gvk: String,
    },
    /// A plugin cannot be configured.
    #[error("{at}: trouble configuring builtin {kind}")]
    Plugin {
        /// The plugin's configuration.
        at: At,
        /// Its kind.
        kind: String,
        /// Why.
        source: Box<BuildError>,
    },
    /// A plugin's configuration is incomplete or contradicts itself.
    #[error("{at}: {problem}")]
    PluginConfig {
        /// The configuration.
        at: At,
        /// What is wrong.
        problem: String,
    },
    /// A validator changed an object.
    #[error("{at}: validator {id} shouldn't modify the resource map")]
    ValidatorChanges {
        /// The validator's configuration.
        at: At,
        /// Its id.
        id: String,
    },
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
}

impl BuildError {
    /// What the reader can try, where the failure suggests it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownField { nearest: Some(nearest), .. }
            | Self::MissingFile { nearest: Some(nearest), .. }
            | Self::PatchWithoutTarget { nearest: Some(nearest), .. }
            | Self::ReplicaWithoutTarget { nearest: Some(nearest), .. }
            | Self::ReplacementWithoutSource { nearest: Some(nearest), .. } => {
                Some(format!("did you mean `{nearest}`?"))
            }
            Self::PatchWithSeveralTargets { found, .. } => {
                Some(format!("name the object by its last name, one of: {}", found.join(", ")))
            }
            Self::Remote { .. } => Some("copy it into the source, or declare a source of its own for it".to_owned()),
            Self::Duplicate { first, .. } | Self::RepeatedVar { first, .. } => {
                Some(format!("the first one is at {first}"))
            }
            Self::NeitherFileNorDirectory { as_file, source, .. } => as_file.hint().or_else(|| source.hint()),
            other => other.inner().and_then(Self::hint),
        }
    }

    /// The chart inflation that `field` asks for is not done here.
    pub(crate) fn helm(at: &At, field: &str) -> Self {
        let instead = "render the chart as a HelmRelease, or keep its output in the source";
        Self::Unsupported { at: at.clone(), field: field.to_owned(), instead }
    }

    /// The error as it concerns a field that should hold a namespace.
    pub(crate) fn into_namespace_field(self) -> Self {
        match self {
            Self::Field { at, path, id, problem } => Self::NamespaceField { at, path, id, problem },
            other => other,
        }
    }

    /// The message without the position `at` that it begins with.
    fn without_position(&self, at: &At) -> String {
        let message = self.to_string();
        message.strip_prefix(&format!("{at}: ")).map_or(message.clone(), str::to_owned)
    }

    /// The failure that this one is the consequence of.
    fn inner(&self) -> Option<&Self> {
        std::error::Error::source(self)?.downcast_ref::<Box<Self>>().map(|inner| &**inner)
    }
}
