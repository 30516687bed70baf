//! One kustomization's part of a build: what it reads, generates and changes, in kustomize's order.

use std::sync::Arc;

use fairlead_object::TreePath;
use fairlead_yaml::Schema as Reading;

use crate::{
    at::{At, Located},
    config::{self, Config},
    crds,
    decode::{Path, Unknown},
    error::{BuildError, LoadError, PluginError},
    field_spec::{Create, FieldSpec},
    generate::{GeneratedKind, generate},
    kustomization::{Fields, Kind, Kustomization, Label},
    load::Loader,
    parse, plugin,
    provenance::{ConfiguredBy, Note, Provenance, Step},
    resource::Resource,
    resources::Resources,
    schema::{BuiltInTypes, Schema},
    transform::{
        Change, Images, JsonPatch, Labels, Namespace, PatchTransformer, Prefix, Replacements, Replicas,
        StrategicMergePatches, Subjects, Suffix, Transformer, Unset,
    },
    vars::Vars,
};

/// Most kustomizations that one build accumulates, each counted as often as it is reached.
pub const MAX_KUSTOMIZATIONS: usize = 10_000;

/// What holds for a whole build.
#[derive(Debug)]
pub(crate) struct Build {
    /// The types of objects; the first kustomization that names its own sets it for the rest.
    schema: Option<Arc<Schema>>,
    /// Whether a schema that is named adds to the built-in one.
    built_ins: BuiltInTypes,
    /// How many kustomizations were accumulated.
    kustomizations: usize,
    /// What `buildMetadata` of the directory that is built asks for.
    notes: Vec<Note>,
    /// What kustomize would print on stderr so far.
    pub(crate) warnings: Vec<String>,
}

impl Build {
    pub(crate) fn new(notes: Vec<Note>, built_ins: BuiltInTypes) -> Self {
        Self { schema: None, built_ins, kustomizations: 0, notes, warnings: Vec::new() }
    }

    /// Counts a kustomization; the same one may be reached along many ways.
    fn count(&mut self, file: &TreePath) -> Result<(), BuildError> {
        self.kustomizations += 1;
        if self.kustomizations > MAX_KUSTOMIZATIONS {
            return Err(BuildError::TooManyKustomizations { at: At::line(file, 1), limit: MAX_KUSTOMIZATIONS });
        }
        Ok(())
    }

    /// Notes that objects were read.
    ///
    /// # Follows kustomize
    /// To tell the scope of a kind that it does not know by heart, kustomize loads its own types for good.
    fn saw(&mut self, resources: &[Resource]) {
        if self.schema.is_none() {
            let schema = Schema::built_in();
            if resources.iter().any(|resource| !schema.place(resource.gvk()).is_known()) {
                self.built_ins = BuiltInTypes::Kept;
            }
        }
    }

    pub(crate) fn schema(&self) -> Arc<Schema> {
        self.schema.clone().unwrap_or_else(Schema::built_in)
    }
}

/// What has been accumulated so far.
#[derive(Debug)]
pub(crate) struct Accumulation {
    pub(crate) resources: Resources,
    pub(crate) config: Arc<Config>,
    pub(crate) vars: Vars,
}

impl Accumulation {
    pub(crate) fn new() -> Self {
        Self { resources: Resources::default(), config: Config::defaults(), vars: Vars::default() }
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
        set_schema(fields, loader, build)?;
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

    /// Adds the field specs that `configurations` and `crds` bring.
    fn add_config(&mut self, fields: &Fields, loader: &Loader<'_>) -> Result<(), BuildError> {
        type Read = fn(&TreePath, &[u8]) -> Result<Config, BuildError>;
        let lists: [(&[Located<String>], Read); 2] =
            [(&fields.configurations, Config::parse), (&fields.crds, crds::parse)];
        for (entries, read) in lists {
            for entry in entries {
                let (file, content) = loader.read(entry, &entry.at)?;
                let added = Arc::new(read(&file, &content)?);
                self.config = Config::merged(&self.config, &added, &entry.at)?;
            }
        }
        Ok(())
    }

    fn generate(
        &mut self,
        kustomization: &Kustomization,
        loader: &Loader<'_>,
        build: &mut Build,
    ) -> Result<(), BuildError> {
        let fields = &kustomization.fields;
        refuse_helm(fields)?;
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
        for config in self.plugins(&fields.generators, loader, build)? {
            self.resources.absorb(plugin::generated(&config, loader)?)?;
        }
        Ok(())
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
        for transformer in transformers {
            transformer.run(&mut self.resources, &schema)?;
            if build.notes.contains(&Note::Transformations) {
                for resource in self.resources.iter_mut_same_ids() {
                    resource.provenance.transformations.push(Arc::clone(&transformer.step));
                }
            }
        }
        Ok(())
    }

    /// Runs the validators, which may change nothing.
    fn validate(&mut self, fields: &Fields, loader: &Loader<'_>, build: &mut Build) -> Result<(), BuildError> {
        for config in self.plugins(&fields.validators, loader, build)? {
            let before: Vec<_> = self.resources.iter().map(|resource| resource.node.clone()).collect();
            let validator = plugin::transformer(&config, loader)?;
            validator.run(&mut self.resources, &build.schema())?;
            if before.iter().ne(self.resources.iter().map(|resource| &resource.node)) {
                return Err(PluginError::ValidatorChanges { at: validator.at, id: config.current_id() }.into());
            }
        }
        Ok(())
    }
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

fn refuse_helm(fields: &Fields) -> Result<(), BuildError> {
    let charts = [
        (&fields.helm_charts, "helmCharts"),
        (&fields.helm_globals, "helmGlobals"),
        (&fields.helm_chart_inflation_generator, "helmChartInflationGenerator"),
    ];
    match charts.into_iter().find_map(|(field, name)| field.as_ref().map(|field| (field, name))) {
        Some((field, name)) => Err(BuildError::helm(&field.at, name)),
        None => Ok(()),
    }
}

/// Installs the schema that `openapi` names, unless the build has one already.
fn set_schema(fields: &Fields, loader: &Loader<'_>, build: &mut Build) -> Result<(), BuildError> {
    const BUILT_IN: &str = "v1.21.2";
    let Some(openapi) = &fields.openapi else { return Ok(()) };
    let problem = |problem| BuildError::OpenApi { at: openapi.at.clone(), problem };
    if let Some(key) = openapi.keys().find(|key| !matches!(key.as_str(), "path" | "version")) {
        return Err(BuildError::UnknownField { at: openapi.at.clone(), field: key.clone(), nearest: None });
    }
    let given = |key| openapi.get(key).filter(|value| !value.is_empty());
    match (given("path"), given("version")) {
        (Some(_), Some(_)) => Err(problem("builtin version and custom schema provided, cannot use both")),
        (None, Some(version)) if version != BUILT_IN => Err(problem("the specified OpenAPI version is not built in")),
        (None, None) => Ok(()),
        (None, Some(_)) => {
            build.schema.get_or_insert_with(Schema::built_in);
            Ok(())
        }
        (Some(_), None) if build.schema.is_some() => Ok(()),
        (Some(written), None) => {
            let (file, content) = loader.read(written, &openapi.at)?;
            let document = Path::file(&file, "OpenAPI", Unknown::Ignored).first_document(&content)?;
            let unreadable = |source| BuildError::Unprintable { at: At::line(&file, 1), id: file.to_string(), source };
            let document = document.to_json(Reading::SigsYaml).map_err(unreadable)?;
            build.schema = Some(Arc::new(Schema::from_open_api(&document, build.built_ins)));
            Ok(())
        }
    }
}

fn field_step(kustomization: &Kustomization, plugin: &str) -> Arc<Step> {
    let configured_in = kustomization.file.clone();
    Arc::new(Step::Ran { configured_in, configured_by: ConfiguredBy::field(plugin) })
}

/// What the fields of a kustomization change, in kustomize's order.
fn transformers(
    kustomization: &Kustomization,
    config: &Config,
    loader: &Loader<'_>,
) -> Result<Vec<Transformer>, BuildError> {
    let fields = &kustomization.fields;
    let mut list = TransformerList { kustomization, list: Vec::new() };
    if let Some(first) = fields.patches_strategic_merge.first() {
        let patches = StrategicMergePatches::load(&fields.patches_strategic_merge, loader)?;
        list.push(&first.at, "PatchStrategicMergeTransformer", Change::StrategicMergePatches(patches));
    }
    for patch in &fields.patches {
        list.push(&patch.at, "PatchTransformer", Change::Patch(PatchTransformer::load(patch, loader)?));
    }
    if let Some(namespace) = given(fields.namespace.as_ref()) {
        let change = Namespace::new(namespace, &config.namespace, Unset::Any, Subjects::default());
        list.push(&namespace.at, "NamespaceTransformer", Change::Namespace(change));
    }
    if let Some(prefix) = given(fields.name_prefix.as_ref()) {
        list.push(&prefix.at, "PrefixTransformer", Change::Prefix(Prefix::new(prefix, &config.name_prefix)));
    }
    if let Some(suffix) = given(fields.name_suffix.as_ref()) {
        list.push(&suffix.at, "SuffixTransformer", Change::Suffix(Suffix::new(suffix, &config.name_suffix)));
    }
    push_labels(&mut list, fields, config)?;
    if let Some(annotations) = fields.common_annotations.as_ref().filter(|annotations| !annotations.is_empty()) {
        let change = Labels::new(annotations, &config.common_annotations);
        list.push(&annotations.at, "AnnotationsTransformer", Change::Annotations(change));
    }
    for patch in &fields.patches_json6902 {
        list.push(&patch.at, "PatchJson6902Transformer", Change::JsonPatch(JsonPatch::load(patch, loader)?));
    }
    for replica in &fields.replicas {
        list.push(&replica.at, "ReplicaCountTransformer", Change::Replicas(Replicas::new(replica, &config.replicas)));
    }
    for image in &fields.images {
        list.push(&image.at, "ImageTagTransformer", Change::Images(Images::new(image, &config.images)));
    }
    if let Some(first) = fields.replacements.first() {
        let change = Change::Replacements(Replacements::load(&fields.replacements, loader)?);
        list.push(&first.at, "ReplacementTransformer", change);
    }
    Ok(list.list)
}

/// Transformers of one kustomization.
struct TransformerList<'a> {
    kustomization: &'a Kustomization,
    list: Vec<Transformer>,
}

impl TransformerList<'_> {
    fn push(&mut self, at: &At, plugin: &str, change: Change) {
        self.list.push(Transformer::new(at, field_step(self.kustomization, plugin), change));
    }
}

fn given(field: Option<&Located<String>>) -> Option<&Located<String>> {
    field.filter(|field| !field.is_empty())
}

/// One transformer for each entry of `labels`, then one for `commonLabels`; kustomize runs the last one even if there
/// are no common labels.
fn push_labels(list: &mut TransformerList<'_>, fields: &Fields, config: &Config) -> Result<(), BuildError> {
    const PLUGIN: &str = "LabelTransformer";
    for label in &fields.labels {
        let specs = label_specs(label, config)?;
        list.push(&label.at, PLUGIN, Change::Labels(Labels::new(&label.pairs, &specs)));
    }
    match (&fields.common_labels, fields.labels.last()) {
        (Some(labels), _) if !labels.is_empty() => {
            list.push(&labels.at, PLUGIN, Change::Labels(Labels::new(labels, &config.common_labels)));
        }
        (_, Some(label)) => list.push(&label.at, PLUGIN, Change::Nothing),
        (_, None) => {}
    }
    Ok(())
}

fn label_specs(label: &Located<Label>, config: &Config) -> Result<Vec<FieldSpec>, BuildError> {
    let metadata = [FieldSpec::new("", "", "", "metadata/labels", Create::Yes)];
    let mut lists: Vec<&[FieldSpec]> = vec![&config.labels];
    if label.include_selectors {
        lists.push(&config.common_labels);
    } else {
        lists.extend(label.include_templates.then_some(config.template_labels.as_slice()));
        let volumes = label.include_volume_claim_templates;
        lists.extend(volumes.then_some(config.volume_claim_template_labels.as_slice()));
        lists.push(&metadata);
    }
    let mut specs = label.fields.clone();
    for list in lists {
        config::add_all(&mut specs, list, "Labels", &label.at)?;
    }
    Ok(specs)
}
