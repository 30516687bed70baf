//! One kustomization's part of a build: what it reads, generates and changes.

use fairlead_object::TreePath;

use crate::{
    at::Located,
    error::BuildError,
    kustomization::{Kind, Kustomization},
    load::Loader,
    parse,
    provenance::Provenance,
    resources::Resources,
    scope,
};

/// What has been accumulated so far.
#[derive(Debug, Default)]
pub(crate) struct Accumulation {
    pub(crate) resources: Resources,
}

impl Accumulation {
    /// Adds what `kustomization` asks for, and changes what is there as it says.
    pub(crate) fn run(&mut self, loader: &Loader<'_>, kustomization: &Kustomization) -> Result<(), BuildError> {
        for entry in &kustomization.fields.resources {
            self.add_resource(loader, entry)?;
        }
        for entry in &kustomization.fields.components {
            self.add_component(loader, entry)?;
        }
        for resource in self.resources.iter_mut() {
            resource.pass(&kustomization.file);
        }
        Ok(())
    }

    /// Adds the file or the directory that an entry of `resources` names.
    fn add_resource(&mut self, loader: &Loader<'_>, entry: &Located<String>) -> Result<(), BuildError> {
        let wrap = |source| BuildError::Resource {
            at: entry.at.clone(),
            entry: entry.value.clone(),
            source: Box::new(source),
        };
        match loader.read(entry, &entry.at) {
            Ok((file, content)) => self.add_file(&file, &content).map_err(wrap),
            Err(unreadable @ BuildError::Unreadable { .. }) => Err(unreadable),
            Err(as_file) => self.add_base(loader, entry, as_file),
        }
    }

    fn add_file(&mut self, file: &TreePath, content: &[u8]) -> Result<(), BuildError> {
        self.resources.append_all(parse::resources(file, content, &Provenance::read(file), &scope::built_in)?)
    }

    fn add_base(&mut self, loader: &Loader<'_>, entry: &Located<String>, as_file: BuildError) -> Result<(), BuildError> {
        let base = loader.descend(entry, &entry.at).map_err(|source| BuildError::NeitherFileNorDirectory {
            at: entry.at.clone(),
            entry: entry.value.clone(),
            as_file: Box::new(as_file),
            source: Box::new(source),
        })?;
        let mut accumulation = Self::default();
        let built = accumulation
            .run_directory(&base, Kind::Kustomization)
            .and_then(|()| self.resources.append_all(accumulation.resources.into_list()));
        built.map_err(|source| BuildError::Resource {
            at: entry.at.clone(),
            entry: entry.value.clone(),
            source: Box::new(source),
        })
    }

    fn add_component(&mut self, loader: &Loader<'_>, entry: &Located<String>) -> Result<(), BuildError> {
        let built = loader.descend(entry, &entry.at).and_then(|base| self.run_directory(&base, Kind::Component));
        built.map_err(|source| BuildError::Component { at: entry.at.clone(), source: Box::new(source) })
    }

    fn run_directory(&mut self, loader: &Loader<'_>, wanted: Kind) -> Result<(), BuildError> {
        let directory = loader.root();
        let kustomization = Kustomization::find(loader.tree(), directory)?
            .ok_or_else(|| BuildError::NoKustomizationFile { directory: directory.clone() })?;
        if kustomization.kind != wanted {
            return Err(BuildError::WrongKind { path: directory.clone(), found: kustomization.kind });
        }
        self.run(loader, &kustomization)
    }
}
