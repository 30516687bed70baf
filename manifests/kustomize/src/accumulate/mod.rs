//! One kustomization's part of a build: what it reads, generates and changes, in kustomize's order.

mod fields;
mod state;

use std::sync::Arc;

use fairlead_object::TreePath;
use fairlead_yaml::Node;

use crate::{
    at::{At, Located},
    charts::{Inflation, Renderer},
    config::Config,
    crds,
    error::{BuildError, LoadError, PluginError},
    generate::{Generated, GeneratedKind, generate},
    kustomization::{Fields, Kind, Kustomization},
    load::Loader,
    node, parse, plugin,
    provenance::{ConfiguredBy, Provenance, Step, Transformers},
    resource::Resource,
    resources::Resources,
    vars::Vars,
};
use fields::transformers;
pub(crate) use state::Build;
pub use state::MAX_KUSTOMIZATIONS;

/// The label with which a validator says that it has seen an object.
const VALIDATED_BY: &str = "validated-by";

/// What has been accumulated so far.
#[derive(Debug)]
pub(crate) struct Accumulation {
    pub(crate) resources: Resources,
    pub(crate) config: Arc<Config>,
    pub(crate) vars: Vars,
}

impl Accumulation {
    pub(crate) fn new() -> Self {
        Self { resources: Resources::default(), config: Config::none(), vars: Vars::default() }
    }

    /// Adds what `kustomization` asks for, and changes what is there as it says.
    pub(crate) fn run(
        &mut self,
        loader: &Loader<'_>,
        kustomization: &Kustomization,
        build: &mut Build,
    ) -> Result<(), BuildError> {
        build.count(&kustomization.file)?;
        build.warnings.extend(kustomization.warnings());
        let fields = &kustomization.fields;
        let namespace_above = build.namespace.clone();
        if let Some(namespace) = fields.namespace.as_ref().filter(|namespace| !namespace.is_empty()) {
            build.namespace.clone_from(namespace);
        }
        build.set_schema(fields, loader)?;
        for entry in &fields.resources {
            self.add_resource(loader, entry, build)?;
        }
        self.add_config(fields, loader)?;
        self.generate(kustomization, loader, build)?;
        for entry in &fields.components {
            self.add_component(loader, entry, build)?;
        }
        self.transform(kustomization, loader, build)?;
        self.validate(fields, loader, build)?;
        self.vars.add(fields.vars.iter().cloned())?;
        Vars::bind(&fields.vars, &mut self.resources, &build.schema())?;
        for resource in self.resources.iter_mut_same_ids() {
            resource.pass(&kustomization.file);
        }
        build.namespace = namespace_above;
        Ok(())
    }

    /// Adds the file or the directory that an entry of `resources` names.
    fn add_resource(
        &mut self,
        loader: &Loader<'_>,
        entry: &Located<String>,
        build: &mut Build,
    ) -> Result<(), BuildError> {
        let added = match loader.read(entry, &entry.at) {
            Ok((file, content)) => self.add_file(&file, &content, build),
            Err(error @ (LoadError::Unreadable { .. } | LoadError::Remote { .. })) => return Err(error.into()),
            Err(as_file) => return self.add_base(loader, entry, as_file, build),
        };
        added.map_err(|source| in_resource(entry, source))
    }

    fn add_file(&mut self, file: &TreePath, content: &[u8], build: &mut Build) -> Result<(), BuildError> {
        let schema = build.schema();
        let read = parse::resources(file, content, &Provenance::read(file), &|gvk| schema.scope(gvk))?;
        build.saw(&read);
        self.resources.append_all(read)
    }

    fn add_base(
        &mut self,
        loader: &Loader<'_>,
        entry: &Located<String>,
        as_file: LoadError,
        build: &mut Build,
    ) -> Result<(), BuildError> {
        let base = loader.descend(entry, &entry.at).map_err(|error| match error {
            remote @ LoadError::Remote { .. } => BuildError::Load(remote),
            source => BuildError::NeitherFileNorDirectory {
                at: entry.at.clone(),
                entry: entry.value.clone(),
                as_file: Box::new(as_file),
                source: Box::new(source),
            },
        })?;
        let kustomization = find(&base).map_err(|source| in_resource(entry, source))?;
        if kustomization.kind == Kind::Component {
            return Err(BuildError::ComponentAsResource { at: entry.at.clone(), path: base.root().clone() });
        }
        let mut accumulation = Self::new();
        let outcome = accumulation.run(&base, &kustomization, build);
        outcome.and_then(|()| self.merge(accumulation, &entry.at)).map_err(|source| in_resource(entry, source))
    }

    fn merge(&mut self, base: Self, at: &At) -> Result<(), BuildError> {
        self.resources.count_added(base.resources.added(), at)?;
        self.resources.append_all(base.resources.into_list())?;
        self.config = Config::merged(&self.config, &base.config, at)?;
        self.vars.add(base.vars.into_list())?;
        Ok(())
    }

    fn add_component(
        &mut self,
        loader: &Loader<'_>,
        entry: &Located<String>,
        build: &mut Build,
    ) -> Result<(), BuildError> {
        let wrap = |source| BuildError::Component { at: entry.at.clone(), source: Box::new(source) };
        let directory = loader.descend(entry, &entry.at).map_err(|error| wrap(error.into()))?;
        let kustomization = find(&directory).map_err(wrap)?;
        if kustomization.kind == Kind::Kustomization {
            return Err(BuildError::KustomizationAsComponent { at: entry.at.clone(), path: directory.root().clone() });
        }
        self.run(&directory, &kustomization, build).map_err(wrap)
    }

    /// Adds the default field specs and those that `configurations` and `crds` bring.
    fn add_config(&mut self, fields: &Fields, loader: &Loader<'_>) -> Result<(), BuildError> {
        let (configured, at) = read_configs(&fields.configurations, loader, Config::parse)?;
        let own = Config::merged(&Config::defaults(), &configured, &at)?;
        self.config = Config::merged(&self.config, &own, &at)?;
        let (defined, at) = read_configs(&fields.crds, loader, crds::parse)?;
        self.config = Config::merged(&self.config, &defined, &at)?;
        Ok(())
    }

    fn generate(
        &mut self,
        kustomization: &Kustomization,
        loader: &Loader<'_>,
        build: &mut Build,
    ) -> Result<(), BuildError> {
        let fields = &kustomization.fields;
        let options = fields.generator_options.clone().unwrap_or_default();
        let lists = [
            (GeneratedKind::ConfigMap, "ConfigMapGenerator", &fields.config_map_generator),
            (GeneratedKind::Secret, "SecretGenerator", &fields.secret_generator),
        ];
        for (kind, plugin, entries) in lists {
            for entry in entries {
                let step = field_step(kustomization, plugin);
                self.resources.absorb(generate(kind, entry, &options, loader, &step)?)?;
            }
        }
        let (schema, globals) = (build.schema(), fields.helm_globals.clone().unwrap_or_default());
        let renderer = Renderer { render: build.charts, schema: &schema };
        for entry in &fields.helm_charts {
            let step = field_step(kustomization, "HelmChartInflationGenerator");
            let (at, namespace) = (&entry.at, build.namespace.as_str());
            let inflation = Inflation { chart: entry, globals: &globals, namespace, at, loader };
            self.absorb_all(inflation.objects(renderer, &step)?)?;
        }
        for config in self.plugins(&fields.generators, loader, build)? {
            self.absorb_all(plugin::generated(&config, loader, renderer)?)?;
        }
        Ok(())
    }

    fn absorb_all(&mut self, generated: Vec<Generated>) -> Result<(), BuildError> {
        generated.into_iter().try_for_each(|generated| {
            self.resources.count_added(node::weight(generated.resource.node()), &generated.at)?;
            self.resources.absorb(generated)
        })
    }

    /// The configurations that entries of `generators`, `transformers` or `validators` hold or name.
    fn plugins(
        &self,
        entries: &[Located<String>],
        loader: &Loader<'_>,
        build: &mut Build,
    ) -> Result<Vec<Resource>, BuildError> {
        let mut configs = Self { config: Arc::clone(&self.config), ..Self::new() };
        for entry in entries {
            let file = entry.at.file().unwrap_or(loader.root());
            let schema = build.schema();
            let inline = parse::resources(file, entry.as_bytes(), &Provenance::read(file), &|gvk| schema.scope(gvk));
            match inline {
                Ok(mut resources) => {
                    for config in &mut resources {
                        config.move_into(&entry.at);
                    }
                    configs.resources.append_all(resources)?;
                }
                Err(as_inline) if entry.contains('\n') => return Err(as_inline),
                Err(_) => configs.add_resource(loader, entry, build)?,
            }
        }
        Ok(configs.resources.into_list())
    }

    fn transform(
        &mut self,
        kustomization: &Kustomization,
        loader: &Loader<'_>,
        build: &mut Build,
    ) -> Result<(), BuildError> {
        let mut transformers = transformers(kustomization, &self.config, loader)?;
        for config in self.plugins(&kustomization.fields.transformers, loader, build)? {
            transformers.push(plugin::transformer(&config, loader)?);
        }
        let schema = build.schema();
        for resource in self.resources.iter_mut_same_ids() {
            resource.is_noted = build.transformers == Transformers::Noted;
        }
        for transformer in transformers {
            build.runs(&transformer, &self.resources);
            transformer.run(&mut self.resources, &schema)?;
            if build.transformers == Transformers::Noted {
                for resource in self.resources.iter_mut_same_ids() {
                    resource.note_transformation(&transformer.step);
                }
            }
        }
        Ok(())
    }

    /// Runs the validators, which may change nothing but the label that says so.
    fn validate(&mut self, fields: &Fields, loader: &Loader<'_>, build: &mut Build) -> Result<(), BuildError> {
        for config in self.plugins(&fields.validators, loader, build)? {
            let before: Vec<_> = self.resources.iter().map(|resource| resource.node.clone()).collect();
            let validator = plugin::transformer(&config, loader)?;
            validator.run(&mut self.resources, &build.schema())?;
            if before.into_iter().ne(self.resources.iter().map(without_validation)) {
                return Err(PluginError::ValidatorChanges { at: validator.at, id: config.current_id() }.into());
            }
        }
        Ok(())
    }
}

/// `resource` as a validator must have left it.
fn without_validation(resource: &Resource) -> Node {
    let mut node = resource.node.clone();
    if let Some(metadata) = node.get_mut("metadata").and_then(Node::as_mapping_mut)
        && let Some(labels) = metadata.get_mut("labels").and_then(Node::as_mapping_mut)
        && labels.remove(VALIDATED_BY).is_some()
        && labels.is_empty()
    {
        metadata.remove("labels");
    }
    node
}

/// The field specs of the files that `entries` name, and the last one of these.
fn read_configs(
    entries: &[Located<String>],
    loader: &Loader<'_>,
    read: fn(&TreePath, &[u8]) -> Result<Config, BuildError>,
) -> Result<(Arc<Config>, At), BuildError> {
    let mut all = Config::none();
    for entry in entries {
        let (file, content) = loader.read(entry, &entry.at)?;
        all = Config::merged(&all, &Arc::new(read(&file, &content)?), &entry.at)?;
    }
    Ok((all, entries.last().map_or_else(|| At::field("configurations"), |entry| entry.at.clone())))
}

/// The kustomization of the directory that `loader` is for.
fn find(loader: &Loader<'_>) -> Result<Kustomization, BuildError> {
    let directory = loader.root();
    let found = Kustomization::find(loader.tree(), directory)?;
    found.ok_or_else(|| BuildError::NoKustomizationFile { directory: directory.clone() })
}

fn in_resource(entry: &Located<String>, source: BuildError) -> BuildError {
    BuildError::Resource { at: entry.at.clone(), entry: entry.value.clone(), source: Box::new(source) }
}

fn field_step(kustomization: &Kustomization, plugin: &str) -> Arc<Step> {
    let configured_in = kustomization.file.clone();
    Arc::new(Step::Ran { configured_in, configured_by: ConfiguredBy::field(plugin) })
}
