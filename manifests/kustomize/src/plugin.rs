//! Plugins that are configured in files: `generators`, `transformers` and `validators`.
//!
//! # Follows kustomize
//! An entry is a configuration itself, the path of a file of configurations, or a directory that builds them. Those of
//! `apiVersion: builtin` come to the same as the fields of a kustomization, with only the field specs that they name.
//! All others would be programs, which kustomize does not run either unless it is told to.

use std::{collections::BTreeMap, sync::Arc};

use fairlead_yaml::{Mapping, Node};

use crate::{
    at::{At, Located},
    charts::{Inflation, Renderer},
    decode::{Decode, Path, Unknown, record},
    error::{BuildError, PluginError},
    field_spec::FieldSpec,
    generate::{self, Behavior, Generated, GeneratedKind},
    id::{GvkRef, Scope},
    kustomization::{
        Generator, GeneratorOptions, HelmChart, HelmGlobals, Image, Patch, PatchOptions, Replacement, Replica, Selector,
    },
    load::Loader,
    provenance::{ConfiguredBy, Provenance, Step},
    resource::Resource,
    selector::Matcher,
    transform::{
        Affix, Change, Images, JsonPatch, Labels, Namespace, PatchTransformer, Replacements, Replicas, Side,
        StrategicMergePatches, Subjects, Transformer, Unset, ValueAdd, ValueTarget,
    },
};

/// The `apiVersion` of the plugins that kustomize brings.
const BUILTIN: &str = "builtin";

record! {
    struct Metadata {
        name: String = "name",
        namespace: String = "namespace",
    }
}

record! {
    struct Config {
        metadata: Metadata = "metadata",
        annotations: BTreeMap<String, String> = "annotations",
        labels: BTreeMap<String, String> = "labels",
        field_specs: Vec<FieldSpec> = "fieldSpecs",
        prefix: String = "prefix",
        suffix: String = "suffix",
        image_tag: Image = "imageTag",
        replica: Replica = "replica",
        replacements: Vec<Located<Replacement>> = "replacements",
        unset_only: bool = "unsetOnly",
        set_role_binding_subjects: String = "setRoleBindingSubjects",
    }
}

record! {
    struct PatchConfig {
        target: Option<Selector> = "target",
        path: String = "path",
        patch: Option<Located<String>> = "patch",
        json_op: Option<Located<String>> = "jsonOp",
        options: PatchOptions = "options",
    }
}

record! {
    struct StrategicMergeConfig {
        paths: Vec<Located<String>> = "paths",
        patches: Option<Located<String>> = "patches",
    }
}

record! {
    struct ValueAddConfig {
        value: String = "value",
        targets: Vec<ValueTargetConfig> = "targets",
        target_file_path: String = "targetFilePath",
    }
}

record! {
    struct ValueTargetConfig {
        selector: Option<Selector> = "selector",
        field_path: String = "fieldPath",
        file_path_position: i64 = "filePathPosition",
    }
}

record! {
    struct GeneratorMetadata {
        metadata: Metadata = "metadata",
    }
}

record! {
    struct IamPolicyConfig {
        cloud: String = "cloud",
        kubernetes_service: Metadata = "kubernetesService",
        service_account: ServiceAccount = "serviceAccount",
    }
}

record! {
    struct ServiceAccount {
        name: String = "name",
        project_id: String = "projectId",
    }
}

/// One plugin's configuration.
struct Plugin<'a> {
    resource: &'a Resource,
    at: At,
    loader: &'a Loader<'a>,
}

/// The transformer that `resource` configures.
pub(crate) fn transformer(resource: &Resource, loader: &Loader<'_>) -> Result<Transformer, BuildError> {
    let plugin = Plugin { resource, at: resource.at(), loader };
    let change = plugin.change().map_err(|error| plugin.wrap(error))?;
    Ok(Transformer::new(&plugin.at, plugin.step(), change))
}

/// The objects of the generator that `resource` configures.
pub(crate) fn generated(
    resource: &Resource,
    loader: &Loader<'_>,
    renderer: Renderer<'_>,
) -> Result<Vec<Generated>, BuildError> {
    let plugin = Plugin { resource, at: resource.at(), loader };
    plugin.generated(renderer).map_err(|error| plugin.wrap(error))
}

impl Plugin<'_> {
    fn wrap(&self, error: BuildError) -> BuildError {
        match error {
            unknown @ BuildError::Plugin(PluginError::External { .. } | PluginError::Unknown { .. }) => unknown,
            source => {
                let kind = self.resource.gvk().kind.to_owned();
                PluginError::Configuration { at: self.at.clone(), kind, source: Box::new(source) }.into()
            }
        }
    }

    fn step(&self) -> Arc<Step> {
        let GvkRef { kind, .. } = self.resource.gvk();
        Arc::new(Step::Ran {
            configured_in: self.resource.origin().file.clone(),
            configured_by: ConfiguredBy {
                api_version: self.resource.gvk().api_version(),
                kind: kind.to_owned(),
                name: self.resource.name().to_owned(),
                namespace: self.resource.namespace().to_owned(),
            },
        })
    }

    fn decode<T: Decode>(&self) -> Result<T, BuildError> {
        let id = || self.resource.current_id();
        self.resource.to_json().map_err(|source| BuildError::Unprintable { at: self.at.clone(), id: id(), source })?;
        let kind = self.resource.gvk().kind;
        T::decode(&self.resource.node, &Path::plugin(&self.resource.origin().file, kind))
    }

    fn check_builtin(&self) -> Result<(), BuildError> {
        let gvk = self.resource.gvk();
        if gvk.group.is_empty() && gvk.version == BUILTIN {
            return Ok(());
        }
        Err(PluginError::External { at: self.at.clone(), kind: gvk.kind.to_owned() }.into())
    }

    fn unknown(&self) -> BuildError {
        PluginError::Unknown { at: self.at.clone(), gvk: self.resource.gvk().to_string() }.into()
    }

    fn change(&self) -> Result<Change, BuildError> {
        self.check_builtin()?;
        let config = || self.decode::<Config>();
        Ok(match self.resource.gvk().kind {
            "AnnotationsTransformer" => {
                let config = config()?;
                Change::Annotations(Labels::new(&config.annotations, &config.field_specs))
            }
            "LabelTransformer" => {
                let config = config()?;
                Change::Labels(Labels::new(&config.labels, &config.field_specs))
            }
            "NamespaceTransformer" => Change::Namespace(self.namespace(&config()?)?),
            "PrefixTransformer" => {
                let config = config()?;
                Change::Names(vec![Affix::new(&config.prefix, Side::Before, self.field_specs(&config)?)])
            }
            "SuffixTransformer" => {
                let config = config()?;
                Change::Names(vec![Affix::new(&config.suffix, Side::After, self.field_specs(&config)?)])
            }
            "PrefixSuffixTransformer" => {
                let config = config()?;
                let specs = self.field_specs(&config)?;
                Change::Names(vec![
                    Affix::new(&config.prefix, Side::Before, specs),
                    Affix::new(&config.suffix, Side::After, specs),
                ])
            }
            "ImageTagTransformer" => {
                let config = config()?;
                Change::Images(Images::new(&config.image_tag, &config.field_specs))
            }
            "ReplicaCountTransformer" => {
                let config = config()?;
                Change::Replicas(Replicas::new(&config.replica, &config.field_specs))
            }
            "ReplacementTransformer" => Change::Replacements(Replacements::load(&config()?.replacements, self.loader)?),
            "PatchTransformer" => Change::Patch(PatchTransformer::load(&self.patch()?, self.loader)?),
            "PatchJson6902Transformer" => Change::JsonPatch(JsonPatch::load(&self.json_patch()?, self.loader)?),
            "PatchStrategicMergeTransformer" => Change::StrategicMergePatches(self.strategic_merge()?),
            "ValueAddTransformer" => Change::ValueAdd(self.value_add()?),
            "HashTransformer" => Change::Hash,
            _ => return Err(self.unknown()),
        })
    }

    fn field_specs<'a>(&self, config: &'a Config) -> Result<&'a [FieldSpec], BuildError> {
        if config.field_specs.is_empty() {
            let problem = "fieldSpecs is not expected to be nil".to_owned();
            return Err(PluginError::Bad { at: self.at.clone(), problem }.into());
        }
        Ok(&config.field_specs)
    }

    fn namespace(&self, config: &Config) -> Result<Namespace, BuildError> {
        let unset = if config.unset_only { Unset::Only } else { Unset::Any };
        let subjects = match config.set_role_binding_subjects.as_str() {
            "" | "defaultOnly" => Subjects::Default,
            "allServiceAccounts" => Subjects::ServiceAccounts,
            "none" => Subjects::None,
            other => {
                let problem = format!("unknown value {other:?} of `setRoleBindingSubjects`");
                return Err(PluginError::Bad { at: self.at.clone(), problem }.into());
            }
        };
        Ok(Namespace::new(&config.metadata.namespace, &config.field_specs, unset, subjects))
    }

    fn patch(&self) -> Result<Located<Patch>, BuildError> {
        let PatchConfig { target, path, patch, options, .. } = self.decode()?;
        Ok(Located::new(self.at.clone(), Patch { path, patch, target, options }))
    }

    fn json_patch(&self) -> Result<Located<Patch>, BuildError> {
        let PatchConfig { target, path, json_op, options, .. } = self.decode()?;
        Ok(Located::new(self.at.clone(), Patch { path, patch: json_op, target, options }))
    }

    fn strategic_merge(&self) -> Result<StrategicMergePatches, BuildError> {
        let config: StrategicMergeConfig = self.decode()?;
        let inline = config.patches.filter(|patches| !patches.is_empty());
        if config.paths.is_empty() && inline.is_none() {
            let problem = "empty file path and empty patch content".to_owned();
            return Err(PluginError::Bad { at: self.at.clone(), problem }.into());
        }
        StrategicMergePatches::load_separately(&config.paths, inline.as_ref(), self.loader)
    }

    fn value_add(&self) -> Result<ValueAdd, BuildError> {
        let config: ValueAddConfig = self.decode()?;
        let mut targets = config.targets;
        if !config.target_file_path.is_empty() {
            let (_, content) = self.loader.read(&config.target_file_path, &self.at)?;
            let file = &self.resource.origin().file;
            let path = Path::file(file, "ValueAddTransformer", Unknown::Ignored);
            targets.extend(ValueAddConfig::decode(&path.first_document(&content)?, &path)?.targets);
        }
        let value = match config.value.trim() {
            "" => self.loader.root().file_name().unwrap_or_default().to_owned(),
            value => value.to_owned(),
        };
        let bad = |problem: String| PluginError::Bad { at: self.at.clone(), problem };
        if targets.is_empty() {
            return Err(bad("must specify at least one target".to_owned()).into());
        }
        let target = |target: ValueTargetConfig| {
            if target.field_path.is_empty() {
                return Err(bad("fieldPath cannot be empty".to_owned()).into());
            }
            let position = target.file_path_position;
            if position < 0 {
                return Err(bad(format!("value of FilePathPosition ({position}) cannot be negative")).into());
            }
            let selector = target.selector.as_ref().map(|selector| Matcher::new(selector, &self.at)).transpose()?;
            let ValueTargetConfig { field_path, file_path_position, .. } = target;
            Ok(ValueTarget { selector, field_path, file_path_position })
        };
        Ok(ValueAdd { value, targets: targets.into_iter().map(target).collect::<Result<_, BuildError>>()? })
    }

    fn generated(&self, renderer: Renderer<'_>) -> Result<Vec<Generated>, BuildError> {
        self.check_builtin()?;
        match self.resource.gvk().kind {
            "ConfigMapGenerator" => Ok(vec![self.pairs(GeneratedKind::ConfigMap)?]),
            "SecretGenerator" => Ok(vec![self.pairs(GeneratedKind::Secret)?]),
            "IAMPolicyGenerator" => Ok(vec![self.iam_policy()?]),
            "HelmChartInflationGenerator" => self.chart(renderer),
            _ => Err(self.unknown()),
        }
    }

    fn chart(&self, renderer: Renderer<'_>) -> Result<Vec<Generated>, BuildError> {
        let (chart, globals): (HelmChart, HelmGlobals) = (self.decode()?, self.decode()?);
        let Self { at, loader, .. } = self;
        Inflation { chart: &chart, globals: &globals, namespace: "", at, loader }.objects(renderer, &self.step())
    }

    fn pairs(&self, kind: GeneratedKind) -> Result<Generated, BuildError> {
        let mut generator: Generator = self.decode()?;
        let metadata = self.decode::<GeneratorMetadata>()?.metadata;
        if generator.name.is_empty() {
            generator.name = metadata.name;
        }
        if generator.namespace.is_empty() {
            generator.namespace = metadata.namespace;
        }
        let env = std::mem::take(&mut generator.env);
        generator.envs.extend((!env.is_empty()).then_some(env));
        let generator = Located::new(self.at.clone(), generator);
        generate::generate(kind, &generator, &GeneratorOptions::default(), self.loader, &self.step())
    }

    fn iam_policy(&self) -> Result<Generated, BuildError> {
        let config: IamPolicyConfig = self.decode()?;
        if config.cloud != "gke" {
            let problem = format!("cloud provider {} not supported yet", config.cloud);
            return Err(PluginError::Bad { at: self.at.clone(), problem }.into());
        }
        let account =
            format!("{}@{}.iam.gserviceaccount.com", config.service_account.name, config.service_account.project_id);
        let mut metadata = Mapping::new();
        let annotation = (Node::string("iam.gke.io/gcp-service-account"), Node::string(account));
        metadata.insert("annotations", Node::mapping([annotation].into_iter().collect()));
        // kustomize writes these two into a text, which it reads.
        metadata.insert("name", Node::plain(config.kubernetes_service.name));
        if !config.kubernetes_service.namespace.is_empty() {
            metadata.insert("namespace", Node::plain(config.kubernetes_service.namespace));
        }
        let mut object = Mapping::new();
        object.insert("apiVersion", Node::string("v1"));
        object.insert("kind", Node::string("ServiceAccount"));
        object.insert("metadata", Node::mapping(metadata));
        let node = Node { position: self.resource.node.position, ..Node::mapping(object) };
        let file = &self.resource.origin().file;
        let resource = Resource::new(node, Scope::Namespaced, file, Provenance::made(&self.step()));
        Ok(Generated { resource, behavior: Behavior::Create, at: self.at.clone() })
    }
}
