//! `Receiver`.

use std::collections::BTreeMap;
use std::ops::Not;

use kube::CustomResource;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::conditions::Conditions;
use crate::duration::Duration;
use crate::reference::LocalReference;

/// A path at which webhooks are taken, and the objects that they wake.
#[derive(CustomResource, Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[kube(
    group = "notification.toolkit.fluxcd.io",
    version = "v1",
    kind = "Receiver",
    plural = "receivers",
    namespaced,
    status = "ReceiverStatus",
    derive = "PartialEq",
    doc = "A path at which webhooks are taken, and the objects that they wake.",
    printcolumn = r#"{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}"#,
    printcolumn = r#"{"name": "Ready", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].status"}"#,
    printcolumn = r#"{"name": "Status", "type": "string", "jsonPath": ".status.conditions[?(@.type==\"Ready\")].message"}"#
)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "self.type != 'generic-oidc' || (has(self.oidcProviders) && size(self.oidcProviders) > 0)",
        "message": "generic-oidc receivers must define at least one oidcProvider",
    },
    {
        "rule": "self.type == 'generic-oidc' || !has(self.oidcProviders) || size(self.oidcProviders) == 0",
        "message": "oidcProviders can only be set when type is generic-oidc",
    },
    {
        "rule": "self.type == 'generic-oidc' || has(self.secretRef)",
        "message": "secretRef is required when type is not generic-oidc",
    },
]))]
pub struct ReceiverSpec {
    /// Who sends the webhooks, which decides how they are authenticated and read.
    #[serde(rename = "type")]
    pub type_: ReceiverType,

    /// How often the Secret is looked at even when nothing seems to have changed, about.
    #[serde(default = "default_interval")]
    pub interval: Duration,

    /// The kinds of event that count, such as `push` of GitHub or `Push Hook` of GitLab; all when there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,

    /// The objects that are woken.
    pub resources: Vec<ReceiverResource>,

    /// A CEL expression over `res`, the metadata of an object, and `req`, what was sent: only where it is true, the object
    /// is woken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_filter: Option<String>,

    /// Secret with the `token` that authenticates webhooks; for `gcr` with `email` and `audience` too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_ref: Option<LocalReference>,

    /// Who issues the tokens that authenticate webhooks of `generic-oidc`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("x-kubernetes-list-type" = "map", "x-kubernetes-list-map-keys" = ["issuerURL"]))]
    pub oidc_providers: Vec<OidcProvider>,

    /// Takes no webhooks.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub suspend: bool,
}

impl ReceiverSpec {
    /// The fields that are set and accepted, but not honoured yet.
    pub fn unsupported(&self) -> Vec<&'static str> {
        if self.type_ == ReceiverType::GenericOidc { vec!["spec.type generic-oidc"] } else { Vec::new() }
    }
}

/// Who sends webhooks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReceiverType {
    /// Anyone who knows the path.
    Generic,
    /// Anyone who signs what is sent.
    #[serde(rename = "generic-hmac")]
    GenericHmac,
    /// Anyone with the token of an issuer.
    #[serde(rename = "generic-oidc")]
    GenericOidc,
    /// GitHub, and what signs as it does: Gitea and Forgejo.
    GitHub,
    /// GitLab.
    GitLab,
    /// Bitbucket Server.
    Bitbucket,
    /// Harbor.
    Harbor,
    /// Docker Hub.
    DockerHub,
    /// Quay.
    Quay,
    /// Google's registries, by way of Pub/Sub.
    Gcr,
    /// Sonatype Nexus.
    Nexus,
    /// Azure's registries.
    Acr,
    /// Anyone who sends `CDEvents`.
    CdEvents,
}

/// Objects that webhooks wake.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReceiverResource {
    /// API version of the object; it can be left out for the kinds of sources.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,

    /// Kind of the object.
    pub kind: ResourceKind,

    /// Name of the object; `*` for all with `matchLabels`.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,

    /// Namespace of the object; that of the Receiver when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub namespace: Option<String>,

    /// Labels of the objects that `*` stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub match_labels: Option<BTreeMap<String, String>>,
}

/// The kinds of object that webhooks can wake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ResourceKind {
    /// `Bucket`.
    Bucket,
    /// `GitRepository`.
    GitRepository,
    /// `Kustomization`.
    Kustomization,
    /// `HelmRelease`.
    HelmRelease,
    /// `HelmChart`.
    HelmChart,
    /// `HelmRepository`.
    HelmRepository,
    /// `ImageRepository`.
    ImageRepository,
    /// `ImagePolicy`.
    ImagePolicy,
    /// `ImageUpdateAutomation`.
    ImageUpdateAutomation,
    /// `OCIRepository`.
    #[serde(rename = "OCIRepository")]
    OciRepository,
    /// `ArtifactGenerator`.
    ArtifactGenerator,
    /// `ExternalArtifact`.
    ExternalArtifact,
}

impl ResourceKind {
    /// The kind as objects write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bucket => "Bucket",
            Self::GitRepository => "GitRepository",
            Self::Kustomization => "Kustomization",
            Self::HelmRelease => "HelmRelease",
            Self::HelmChart => "HelmChart",
            Self::HelmRepository => "HelmRepository",
            Self::ImageRepository => "ImageRepository",
            Self::ImagePolicy => "ImagePolicy",
            Self::ImageUpdateAutomation => "ImageUpdateAutomation",
            Self::OciRepository => "OCIRepository",
            Self::ArtifactGenerator => "ArtifactGenerator",
            Self::ExternalArtifact => "ExternalArtifact",
        }
    }

    /// The API version that is meant where none is written; there is none for kinds that had several for long.
    pub fn default_api_version(self) -> Option<&'static str> {
        match self {
            Self::Bucket | Self::GitRepository | Self::HelmChart | Self::HelmRepository | Self::OciRepository => {
                Some("source.toolkit.fluxcd.io/v1")
            }
            Self::ImageRepository => Some("image.toolkit.fluxcd.io/v1"),
            Self::ArtifactGenerator => Some("source.extensions.fluxcd.io/v1beta1"),
            Self::Kustomization
            | Self::HelmRelease
            | Self::ImagePolicy
            | Self::ImageUpdateAutomation
            | Self::ExternalArtifact => None,
        }
    }
}

/// Who issues tokens, and what must be true of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OidcProvider {
    /// URL of the issuer, as its tokens name it.
    #[serde(rename = "issuerURL")]
    #[schemars(regex(pattern = "^https?://"))]
    pub issuer_url: String,

    /// Whom tokens must be for; `notification-controller` when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audience: Option<String>,

    /// CEL expressions with names, which later ones and the validations may use.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variables: Vec<OidcVariable>,

    /// CEL expressions over the claims of a token, which must all be true.
    #[schemars(length(min = 1))]
    pub validations: Vec<OidcValidation>,
}

/// A CEL expression with a name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OidcVariable {
    /// The name, by which others use it.
    pub name: String,
    /// The expression.
    pub expression: String,
}

/// What must be true of a token.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OidcValidation {
    /// The CEL expression.
    pub expression: String,
    /// What is said where it is not true.
    pub message: String,
}

/// What is known about a Receiver.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReceiverStatus {
    /// The generation that was last reconciled to its end; -1 before the first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// The state of the Receiver, aspect by aspect.
    #[serde(default, skip_serializing_if = "Conditions::is_empty")]
    pub conditions: Conditions,

    /// The path at which webhooks are taken.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook_path: Option<String>,

    /// The request to reconcile that was handled last: the value of its annotation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
}

fn default_interval() -> Duration {
    Duration::from("10m")
}
