//! What `build kustomization` and `diff kustomization` share: which Kustomization, and from where it is built.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use clap::Args;
use fairlead_api::kustomize::Kustomization;
use fairlead_object::Manifest;
use fairlead_reconciler::{
    cluster::Cluster,
    controllers::{ObjectKey, SourceName, kustomization::request::path},
};
use fairlead_yaml::Schema;
use serde_json::Value;

use crate::{
    local,
    output::CommandError,
    planning::{Source, kustomization, read},
    served::{HELM_RELEASE, KUSTOMIZATION},
};

/// Which Kustomization, and from where it is built.
#[derive(Args)]
pub(crate) struct Selection {
    /// Its name.
    pub(crate) name: String,
    /// A local directory to build instead of the source.
    #[arg(long, value_name = "DIRECTORY")]
    path: Option<PathBuf>,
    /// A file with the Kustomization, instead of the one in the cluster.
    #[arg(long, value_name = "FILE")]
    kustomization_file: Option<PathBuf>,
    /// Go into the Kustomizations that it applies.
    #[arg(short, long)]
    pub(crate) recursive: bool,
    /// Local directories of sources, for --recursive.
    #[arg(long, value_delimiter = ',', value_name = "KIND/NAMESPACE/NAME=DIRECTORY")]
    local_sources: Vec<String>,
    /// Fail for variables that have no value and no default.
    #[arg(long)]
    pub(crate) strict_substitute: bool,
}

impl Selection {
    /// The Kustomization and what it is built from.
    pub(crate) async fn open(
        &self,
        cluster: &Cluster,
        namespace: &str,
    ) -> Result<(Kustomization, Source), CommandError> {
        let chosen = match &self.kustomization_file {
            None => kustomization(cluster, namespace, &self.name).await?,
            Some(file) => self.of_file(file, cluster, namespace).await?,
        };
        let source = match &self.path {
            Some(directory) => Source::local(directory, Some(&path(&chosen.spec)?))?,
            None => Source::remote(cluster, &chosen).await?,
        };
        Ok((chosen, source))
    }

    /// The Kustomization in `file`; its inventory comes from the one in the cluster, if it is there.
    async fn of_file(&self, file: &Path, cluster: &Cluster, namespace: &str) -> Result<Kustomization, CommandError> {
        let text = local::read(file)?;
        let is_meant = |object: &Value| {
            let found = object["metadata"]["namespace"].as_str().unwrap_or_default();
            object["kind"] == KUSTOMIZATION.name
                && object["metadata"]["name"] == self.name.as_str()
                && (found.is_empty() || found == namespace)
        };
        for document in fairlead_yaml::parse(&text)? {
            let mut object = document.to_json(Schema::SigsYaml)?;
            if is_meant(&object) {
                object["metadata"]["namespace"] = namespace.into();
                let mut chosen: Kustomization = read(object)?;
                let live = cluster.get(&KUSTOMIZATION.resource(), namespace, &self.name).await?;
                chosen.status = live.map(read::<Kustomization>).transpose()?.and_then(|live| live.status);
                return Ok(chosen);
            }
        }
        Err(format!("no Kustomization {namespace}/{} in `{}`", self.name, file.display()).into())
    }

    /// What `child` is built from, that `parent` applies from `source`.
    pub(crate) fn source_of_child(
        &self,
        parent: &Kustomization,
        child: &Kustomization,
        source: &Source,
    ) -> Result<Source, CommandError> {
        let source_of = |of: &Kustomization| SourceName::of(&of.spec, &key(of).namespace);
        let (of_parent, of_child) = (source_of(parent), source_of(child));
        let spec_path = path(&child.spec)?;
        if of_parent == of_child
            && let Some(beside) = source.beside(&spec_path)
        {
            return Ok(beside);
        }
        let named = of_child.to_string();
        let listed: BTreeMap<&str, &str> =
            self.local_sources.iter().filter_map(|entry| entry.split_once('=')).collect();
        match listed.get(named.as_str()) {
            Some(folder) => Source::local(&PathBuf::from(folder).join(spec_path.as_str()), Some(&spec_path)),
            None => Err(format!(
                "cannot get local path for {named} of kustomization {}: name it with --local-sources {named}=DIRECTORY",
                key(child).name
            )
            .into()),
        }
    }
}

/// The name of a Kustomization.
pub(crate) fn key(kustomization: &Kustomization) -> ObjectKey {
    let text = |part: &Option<String>| part.clone().unwrap_or_default();
    ObjectKey { namespace: text(&kustomization.metadata.namespace), name: text(&kustomization.metadata.name) }
}

/// The Kustomizations among what `parent` applies, itself left out.
pub(crate) fn children(parent: &Kustomization, manifests: &[Manifest]) -> Vec<Value> {
    let own = key(parent);
    let is_child = |manifest: &&Manifest| {
        let id = manifest.id();
        id.kind == KUSTOMIZATION.name
            && id.group == KUSTOMIZATION.group
            && !(id.name == own.name && id.namespace_or_empty() == own.namespace)
    };
    manifests.iter().filter(is_child).map(Manifest::to_value).collect()
}

/// The HelmReleases among `manifests`.
pub(crate) fn releases(manifests: &[Manifest]) -> Vec<Value> {
    let is_release = |manifest: &&Manifest| {
        let id = manifest.id();
        id.kind == HELM_RELEASE.name && id.group == HELM_RELEASE.group
    };
    manifests.iter().filter(is_release).map(Manifest::to_value).collect()
}
