//! The custom resource definitions of all served kinds.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    CustomResourceDefinition, JSON, JSONSchemaProps, JSONSchemaPropsOrArray, JSONSchemaPropsOrBool, ValidationRule,
};
use kube::CustomResourceExt;
use serde_json::json;

use crate::fairlead::FluxConfiguration;
use crate::helm::HelmRelease;
use crate::kustomize::Kustomization;
use crate::names::{annotations, labels};
use crate::notification::Receiver;
use crate::source::{Bucket, ExternalArtifact, GitRepository, HelmChart, HelmRepository, OciRepository};

/// The version of this program, as labels and images carry it.
pub(crate) const VERSION: &str = concat!("v", env!("CARGO_PKG_VERSION"));

/// The definitions, in the order of their names.
pub fn crds() -> Vec<CustomResourceDefinition> {
    let mut configuration = FluxConfiguration::crd();
    schema_of(&mut configuration).x_kubernetes_validations = Some(configuration_name_rules());
    let mut crds = vec![
        Bucket::crd(),
        ExternalArtifact::crd(),
        configuration,
        GitRepository::crd(),
        HelmChart::crd(),
        HelmRelease::crd(),
        HelmRepository::crd(),
        Kustomization::crd(),
        OciRepository::crd(),
        Receiver::crd(),
    ];
    crds.iter_mut().for_each(dress);
    crds
}

/// Adds what all definitions have in common and a derive cannot say.
fn dress(crd: &mut CustomResourceDefinition) {
    crd.spec.names.list_kind = Some(format!("{}List", crd.spec.names.kind));
    let of_flux = [(labels::PART_OF, "flux"), (labels::VERSION, VERSION)];
    crd.metadata.labels = Some(of_flux.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
    // Their descriptions and patterns may hold `${…}`, which a Kustomization that installs them must leave alone.
    crd.metadata.annotations = Some([(annotations::SUBSTITUTE.to_owned(), "disabled".to_owned())].into());
    let schema = schema_of(crd);
    drop_nullable(schema);
    let status = schema.properties.as_mut().and_then(|properties| properties.get_mut("status"));
    let status = status.expect("a served kind has a status");
    // What others write says nothing of generations.
    if status.properties.as_ref().is_some_and(|properties| properties.contains_key("observedGeneration")) {
        status.default = Some(JSON(json!({ "observedGeneration": -1 })));
    }
}

fn schema_of(crd: &mut CustomResourceDefinition) -> &mut JSONSchemaProps {
    let version = crd.spec.versions.first_mut().expect("a derived definition has one version");
    let validation = version.schema.as_mut().expect("a derived definition has a schema");
    validation.open_api_v3_schema.as_mut().expect("a derived definition has a schema")
}

/// Makes `null` mean the same as a field that is not there, as it does in Flux's kinds: the server drops a `null` that
/// the schema does not allow.
fn drop_nullable(schema: &mut JSONSchemaProps) {
    schema.nullable = None;
    schema.properties.iter_mut().flat_map(|properties| properties.values_mut()).for_each(drop_nullable);
    if let Some(JSONSchemaPropsOrArray::Schema(items)) = &mut schema.items {
        drop_nullable(items);
    }
    if let Some(JSONSchemaPropsOrBool::Schema(values)) = &mut schema.additional_properties {
        drop_nullable(values);
    }
}

/// Rules over the name of a configuration, which only the root of a schema can see.
///
/// The Kustomization of a configuration is called `<configuration>-<kustomization>`, and that is also a label.
fn configuration_name_rules() -> Vec<ValidationRule> {
    [
        ("size(self.metadata.name) <= 61", "the name of a configuration has at most 61 characters"),
        (
            "!has(self.spec.kustomizations) || \
             self.spec.kustomizations.all(name, size(self.metadata.name) + size(name) <= 62)",
            "the names of a configuration and of a kustomization in it have at most 62 characters together",
        ),
    ]
    .map(|(rule, message)| ValidationRule {
        rule: rule.to_owned(),
        message: Some(message.to_owned()),
        ..ValidationRule::default()
    })
    .into()
}
