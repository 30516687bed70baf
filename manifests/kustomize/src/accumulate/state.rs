//! What holds for a whole build.

use std::sync::Arc;

use fairlead_object::TreePath;
use fairlead_yaml::Schema as Reading;

use crate::{
    at::At,
    build::Options,
    charts::RenderChart,
    decode::{Path, Unknown},
    error::BuildError,
    kustomization::Fields,
    load::Loader,
    provenance::Transformers,
    resource::Resource,
    resources::Resources,
    schema::{BuiltInTypes, Schema},
    transform::Transformer,
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
    /// What renders charts.
    pub(super) charts: Option<RenderChart>,
    /// The namespace of the kustomization that is being accumulated, or else of the nearest one above it that has one.
    pub(super) namespace: String,
    /// How many kustomizations were accumulated.
    kustomizations: usize,
    /// Whether transformers are noted.
    pub(super) transformers: Transformers,
    /// What kustomize would print on stderr so far.
    pub(crate) warnings: Vec<String>,
}

impl Build {
    pub(crate) fn new(transformers: Transformers, options: &Options) -> Self {
        Self {
            schema: None,
            built_ins: options.built_in_types,
            charts: options.charts,
            namespace: String::new(),
            kustomizations: 0,
            transformers,
            warnings: Vec::new(),
        }
    }

    /// Counts a kustomization; the same one may be reached along many ways.
    pub(super) fn count(&mut self, file: &TreePath) -> Result<(), BuildError> {
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
    pub(super) fn saw(&mut self, resources: &[Resource]) {
        let is_unknown = |resource: &Resource| Schema::built_in_scope(resource.gvk()).is_none();
        self.keep_built_ins_if(|| resources.iter().any(is_unknown));
    }

    /// Notes that `transformer` is about to change `resources`.
    ///
    /// # Follows kustomize
    /// To merge a patch into an object, kustomize loads its own types for good.
    pub(super) fn runs(&mut self, transformer: &Transformer, resources: &Resources) {
        self.keep_built_ins_if(|| transformer.change.merges_into(resources));
    }

    fn keep_built_ins_if(&mut self, are_loaded: impl FnOnce() -> bool) {
        if self.schema.is_none() && self.built_ins == BuiltInTypes::Forgotten && are_loaded() {
            self.built_ins = BuiltInTypes::Kept;
        }
    }

    pub(crate) fn schema(&self) -> Arc<Schema> {
        self.schema.clone().unwrap_or_else(Schema::built_in)
    }

    /// Installs the schema that `openapi` names, unless the build has one already.
    pub(super) fn set_schema(&mut self, fields: &Fields, loader: &Loader<'_>) -> Result<(), BuildError> {
        const BUILT_IN: &str = "v1.21.2";
        let Some(openapi) = &fields.openapi else { return Ok(()) };
        let problem = |problem| BuildError::OpenApi { at: openapi.at.clone(), problem };
        let given = |key| openapi.get(key).filter(|value| !value.is_empty());
        match (given("path"), given("version")) {
            (Some(_), Some(_)) => Err(problem("builtin version and custom schema provided, cannot use both")),
            (None, Some(version)) if version != BUILT_IN => {
                Err(problem("the specified OpenAPI version is not built in"))
            }
            (None, None) => Ok(()),
            (None, Some(_)) => {
                self.schema.get_or_insert_with(Schema::built_in);
                Ok(())
            }
            (Some(_), None) if self.schema.is_some() => Ok(()),
            (Some(written), None) => {
                let (file, content) = loader.read(written, &openapi.at)?;
                let document = Path::file(&file, "OpenAPI", Unknown::Ignored).first_document(&content)?;
                let unreadable =
                    |source| BuildError::Unprintable { at: At::line(&file, 1), id: file.to_string(), source };
                let document = document.to_json(Reading::SigsYaml).map_err(unreadable)?;
                self.schema = Some(Arc::new(Schema::from_open_api(&document, self.built_ins)));
                Ok(())
            }
        }
    }
}
