//! The whole build, from a directory to the resources that are printed.

use fairlead_object::{Tree, TreePath};

use crate::{
    accumulate::{Accumulation, Build},
    charts::RenderChart,
    error::BuildError,
    kustomization::Kustomization,
    load::{LoadRestrictions, Loader},
    name_reference, parse,
    provenance::{self, Note, Transformers},
    resource::Resource,
    schema::BuiltInTypes,
    sort, transform,
};

const LOCAL_CONFIG: &str = "config.kubernetes.io/local-config";

/// How to build.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Which files a kustomization may name.
    pub load_restrictions: LoadRestrictions,
    /// The order of the output where the kustomization says nothing about it.
    pub order: Order,
    /// Whether objects say what built them.
    pub managed_by_label: ManagedByLabel,
    /// What they then say.
    pub manager: Manager,
    /// What becomes of the built-in types where a kustomization names its own.
    pub built_in_types: BuiltInTypes,
    /// What renders charts; without it they are refused.
    pub charts: Option<RenderChart>,
}

/// The order of the output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// As the objects were read: what Flux applies.
    #[default]
    Fifo,
    /// By kind and name, namespaces first: what the command line prints.
    Legacy,
}

/// Whether objects get the label `app.kubernetes.io/managed-by`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ManagedByLabel {
    /// Only if the kustomization's `buildMetadata` asks for it.
    #[default]
    WhereAsked,
    /// Always.
    Always,
}

/// What built an object, by the label `app.kubernetes.io/managed-by`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Manager {
    /// kustomize's library, which has no version: what Flux writes.
    #[default]
    Library,
    /// The release whose bytes a build gives: what `kustomize build` and `kubectl kustomize` write.
    Release,
}

impl Manager {
    /// The value of the label.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Library => "kustomize-(devel)",
            Self::Release => "kustomize-v5.8.1",
        }
    }
}

/// What a build made.
#[derive(Debug)]
pub struct Built {
    /// The resources, in the order of the output.
    pub resources: Vec<Resource>,
    /// What kustomize prints on stderr besides, a line each, once for each time that a file is built.
    pub warnings: Vec<String>,
}

/// Builds the kustomization of `directory`.
pub fn build(tree: &dyn Tree, directory: &TreePath, options: &Options) -> Result<Built, BuildError> {
    let kustomization = Kustomization::find(tree, directory)?
        .ok_or_else(|| BuildError::NoKustomizationFile { directory: directory.clone() })?;
    build_with(tree, directory, &kustomization, options)
}

/// Builds `kustomization` as if it stood in `directory`.
pub fn build_with(
    tree: &dyn Tree,
    directory: &TreePath,
    kustomization: &Kustomization,
    options: &Options,
) -> Result<Built, BuildError> {
    let loader = Loader::new(tree, directory, options.load_restrictions);
    let notes = notes(kustomization, options);
    let mut build = Build::new(Transformers::of(&kustomization.fields.build_metadata), options);
    let mut accumulation = Accumulation::new();
    accumulation.run(&loader, kustomization, &mut build)?;
    let Accumulation { mut resources, config, vars } = accumulation;
    transform::add_hashes(&mut resources)?;
    name_reference::fix(resources.list_mut(), &config)?;
    vars.replace(&mut resources, &config)?;
    let mut resources = resources.into_list();
    resources.iter().try_for_each(check)?;
    resources.retain(|resource| !is_local(resource));
    sort::sort(&mut resources, kustomization.fields.sort_options.as_ref(), options.order)?;
    for resource in &mut resources {
        provenance::forget(resource, &notes);
        for note in &notes {
            provenance::annotate(resource, *note, directory, options.manager);
        }
        resource.tidy_annotations();
    }
    Ok(Built { resources, warnings: build.warnings })
}

/// What objects are to say about their making.
fn notes(kustomization: &Kustomization, options: &Options) -> Vec<Note> {
    let asked = kustomization.fields.build_metadata.iter().filter_map(|word| Note::parse(word));
    let mut notes: Vec<Note> = asked.collect();
    if options.managed_by_label == ManagedByLabel::Always && !notes.contains(&Note::ManagedBy) {
        notes.push(Note::ManagedBy);
    }
    notes
}

/// Checks that no patch has taken from `resource` what tells it from others, and that even a list has metadata that notes
/// can be taken from.
fn check(resource: &Resource) -> Result<(), BuildError> {
    parse::check(&resource.node, &resource.at())?;
    match resource.node.get("metadata") {
        Some(metadata) if metadata.as_mapping().is_none() && !metadata.is_null() => {
            Err(BuildError::NoMetadata { at: resource.at() })
        }
        Some(_) | None => Ok(()),
    }
}

/// Whether a resource is there for the build alone.
fn is_local(resource: &Resource) -> bool {
    let annotations = resource.node.get("metadata").and_then(|metadata| metadata.get("annotations"));
    annotations
        .and_then(|annotations| annotations.get(LOCAL_CONFIG))
        .is_some_and(|value| value.as_str() != Some("false"))
}

/// What `kustomize build` prints for `resources`.
pub fn print(resources: &[Resource]) -> Result<String, BuildError> {
    let printed = resources.iter().map(|resource| {
        let unprintable = |source| BuildError::Unprintable { at: resource.at(), id: resource.current_id(), source };
        resource.to_json().map(|object| fairlead_yaml::emit_json(&object)).map_err(unprintable)
    });
    Ok(printed.collect::<Result<Vec<_>, _>>()?.join("---\n"))
}
