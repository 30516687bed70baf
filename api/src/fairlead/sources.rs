//! The source of a configuration: one block for each kind.

use std::collections::BTreeMap;
use std::ops::Not;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::reference::SecretKeyReference;
use crate::schema::described_by_field;
use crate::source::{OidcIdentity, SignatureProvider};

/// Ten minutes: the default of every interval and timeout of a configuration.
pub(super) fn default_seconds() -> i64 {
    600
}

/// `written` seconds; none if it is negative, which the schema does not let through.
pub(super) fn seconds(written: i64) -> Duration {
    Duration::from_secs(u64::try_from(written).unwrap_or_default())
}

/// A Git repository as the source of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "!self.url.startsWith('http') || !has(self.sshKnownHosts)",
        "message": "sshKnownHosts is for SSH URLs",
    },
    {
        "rule": "self.url.startsWith('http') || (!has(self.httpsUser) && !has(self.httpsCACert))",
        "message": "httpsUser and httpsCACert are for HTTP and HTTPS URLs",
    },
    {
        "rule": "!has(self.localAuthRef) || \
                 (!has(self.httpsUser) && !has(self.httpsCACert) && !has(self.sshKnownHosts))",
        "message": "localAuthRef names a Secret that holds everything; httpsUser, httpsCACert and sshKnownHosts exclude it",
    },
]))]
pub struct GitRepositorySource {
    /// Where the repository is: `https://`, `http://`, `ssh://`, or `git@host:path`.
    #[schemars(length(max = 2048), regex(pattern = "^(https?://|ssh://|git@).+$"))]
    pub url: String,

    /// How long one fetch may take.
    #[serde(default = "default_seconds")]
    #[schemars(range(min = 1, max = 86400))]
    pub timeout_in_seconds: i64,

    /// How often the repository is looked at for a new revision.
    #[serde(default = "default_seconds")]
    #[schemars(range(min = 30))]
    pub sync_interval_in_seconds: i64,

    /// Which revision is wanted.
    pub repository_ref: ConfigurationGitRef,

    /// Base64 of the `known_hosts` lines of the server, for an SSH URL.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 65536))]
    pub ssh_known_hosts: Option<String>,

    /// User name for an HTTP or HTTPS URL; its password or token is the protected setting `httpsKey`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub https_user: Option<String>,

    /// Base64 of the certificates, in PEM, of an authority that the system does not know.
    #[serde(rename = "httpsCACert", skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 262_144))]
    pub https_ca_cert: Option<String>,

    /// Secret in this namespace with the credentials, as a `GitRepository`'s `secretRef` takes them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub local_auth_ref: Option<String>,

    /// Whose way to authenticate is used; `Generic` when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<ConfigurationGitProvider>,
}

impl GitRepositorySource {
    /// How long one fetch may take.
    pub fn timeout(&self) -> Duration {
        seconds(self.timeout_in_seconds)
    }

    /// How often the repository is looked at for a new revision.
    pub fn sync_interval(&self) -> Duration {
        seconds(self.sync_interval_in_seconds)
    }
}

/// Which revision of a repository is wanted: exactly one of the fields, or `commit` with the branch that it is on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "[has(self.branch), has(self.tag), has(self.semver), has(self.commit)].filter(set, set).size() == 1 || \
             (has(self.branch) && has(self.commit) && !has(self.tag) && !has(self.semver))",
    "message": "set exactly one of branch, tag, semver and commit; only branch may stand beside commit",
}]))]
pub struct ConfigurationGitRef {
    /// Branch whose head is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub branch: Option<String>,

    /// Tag that is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub tag: Option<String>,

    /// Range of versions; the newest tag in it is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub semver: Option<String>,

    /// Commit that is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub commit: Option<String>,
}

/// Whose way to authenticate with a Git server is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = described_by_field)]
pub enum ConfigurationGitProvider {
    /// Azure DevOps.
    Azure,
    /// A GitHub App.
    GitHub,
    /// The credentials that are given, or none.
    Generic,
}

/// A bucket as the source of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "has(self.accessKey) != has(self.localAuthRef)",
    "message": "set either accessKey or localAuthRef",
}]))]
pub struct BucketSource {
    /// Where the store is.
    #[schemars(length(max = 2048), regex(pattern = "^https?://.+$"))]
    pub url: String,

    /// Name of the bucket.
    #[schemars(length(min = 1, max = 255))]
    pub bucket_name: String,

    /// Speaks plain HTTP.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub insecure: bool,

    /// How long one fetch may take.
    #[serde(default = "default_seconds")]
    #[schemars(range(min = 1, max = 86400))]
    pub timeout_in_seconds: i64,

    /// How often the bucket is looked at for a new revision.
    #[serde(default = "default_seconds")]
    #[schemars(range(min = 30))]
    pub sync_interval_in_seconds: i64,

    /// Access key; its secret key is the protected setting `bucketSecretKey`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 256))]
    pub access_key: Option<String>,

    /// Secret in this namespace with the credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub local_auth_ref: Option<String>,
}

impl BucketSource {
    /// How long one fetch may take.
    pub fn timeout(&self) -> Duration {
        seconds(self.timeout_in_seconds)
    }

    /// How often the bucket is looked at for a new revision.
    pub fn sync_interval(&self) -> Duration {
        seconds(self.sync_interval_in_seconds)
    }
}

/// A container of Azure Blob Storage as the source of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "[has(self.servicePrincipal), has(self.accountKey), has(self.sasToken), has(self.managedIdentity), \
             has(self.localAuthRef)].filter(set, set).size() <= 1",
    "message": "set at most one of servicePrincipal, accountKey, sasToken, managedIdentity and localAuthRef",
}]))]
pub struct AzureBlobSource {
    /// Endpoint of the account.
    #[schemars(length(max = 2048), regex(pattern = "^https?://.+$"))]
    pub url: String,

    /// Name of the container.
    #[schemars(length(min = 1, max = 255))]
    pub container_name: String,

    /// How long one fetch may take.
    #[serde(default = "default_seconds")]
    #[schemars(range(min = 1, max = 86400))]
    pub timeout_in_seconds: i64,

    /// How often the container is looked at for a new revision.
    #[serde(default = "default_seconds")]
    #[schemars(range(min = 30))]
    pub sync_interval_in_seconds: i64,

    /// Authenticates as a service principal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_principal: Option<ServicePrincipal>,

    /// Authenticates with a key of the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_key: Option<SecretKeyReference>,

    /// Authenticates with a shared access signature.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sas_token: Option<SecretKeyReference>,

    /// Authenticates as a managed identity.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub managed_identity: Option<ManagedIdentity>,

    /// Secret in this namespace with the credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub local_auth_ref: Option<String>,
}

impl AzureBlobSource {
    /// How long one fetch may take.
    pub fn timeout(&self) -> Duration {
        seconds(self.timeout_in_seconds)
    }

    /// Whether nothing says how it is read.
    pub fn is_anonymous(&self) -> bool {
        self.service_principal.is_none()
            && self.account_key.is_none()
            && self.sas_token.is_none()
            && self.managed_identity.is_none()
            && self.local_auth_ref.is_none()
    }

    /// How often the container is looked at for a new revision.
    pub fn sync_interval(&self) -> Duration {
        seconds(self.sync_interval_in_seconds)
    }
}

/// A service principal, which authenticates with a secret or a certificate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [
    {
        "rule": "has(self.clientSecret) != has(self.clientCertificate)",
        "message": "set either clientSecret or clientCertificate",
    },
    {
        "rule": "has(self.clientCertificate) || !has(self.clientCertificatePassword)",
        "message": "clientCertificatePassword belongs to clientCertificate",
    },
]))]
pub struct ServicePrincipal {
    /// Client id.
    #[schemars(length(min = 1, max = 256))]
    pub client_id: String,

    /// Tenant id.
    #[schemars(length(min = 1, max = 256))]
    pub tenant_id: String,

    /// Authenticates with a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_secret: Option<SecretKeyReference>,

    /// Authenticates with a certificate and its private key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<SecretKeyReference>,

    /// What the certificate's private key is encrypted with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate_password: Option<SecretKeyReference>,

    /// Sends the certificate's chain too.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub client_certificate_send_chain: bool,
}

/// A managed identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ManagedIdentity {
    /// Client id.
    #[schemars(length(min = 1, max = 256))]
    pub client_id: String,
}

/// An artifact in an OCI registry as the source of a configuration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "[has(self.useWorkloadIdentity) && self.useWorkloadIdentity, has(self.localAuthRef)]\
             .filter(set, set).size() <= 1",
    "message": "useWorkloadIdentity and localAuthRef exclude each other",
}]))]
pub struct OciRepositorySource {
    /// Where the artifact is: `oci://<registry>/<repository>`.
    #[schemars(length(max = 2048), regex(pattern = "^oci://.+$"))]
    pub url: String,

    /// How long one fetch may take.
    #[serde(default = "default_seconds")]
    #[schemars(range(min = 1, max = 86400))]
    pub timeout_in_seconds: i64,

    /// How often the registry is looked at for a new revision.
    #[serde(default = "default_seconds")]
    #[schemars(range(min = 30))]
    pub sync_interval_in_seconds: i64,

    /// Which revision is wanted; the tag `latest` when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository_ref: Option<OciRef>,

    /// Which layer is used, and how; the first one, extracted, when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layer_selector: Option<LayerSelector>,

    /// Which signatures the artifact must carry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verify: Option<OciVerification>,

    /// Speaks plain HTTP.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub insecure: bool,

    /// Authenticates with the identity of the workload.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub use_workload_identity: bool,

    /// Account whose image pull credentials are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub service_account_name: Option<String>,

    /// How the registry's TLS is set up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_config: Option<TlsConfig>,

    /// Secret in this namespace with the credentials.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 253))]
    pub local_auth_ref: Option<String>,
}

impl OciRepositorySource {
    /// How long one fetch may take.
    pub fn timeout(&self) -> Duration {
        seconds(self.timeout_in_seconds)
    }

    /// How often the registry is asked for a new revision.
    pub fn sync_interval(&self) -> Duration {
        seconds(self.sync_interval_in_seconds)
    }
}

/// Which revision of an artifact is wanted. `digest` beats `semver`, which beats `tag`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct OciRef {
    /// Tag that is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tag: Option<String>,

    /// Range of versions; the newest tag in it is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub semver: Option<String>,

    /// Digest that is wanted.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^sha256:[0-9a-f]{64}$"))]
    pub digest: Option<String>,
}

/// Which layer of an artifact is used, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LayerSelector {
    /// Media type of the layer; the first one that has it is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,

    /// Whether the layer is unpacked (`extract`) or kept as it is (`copy`).
    #[serde(default)]
    pub operation: LayerOperation,
}

/// What is done with a layer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LayerOperation {
    /// It is unpacked.
    #[default]
    Extract,
    /// It is kept as it is.
    Copy,
}

/// Which signatures an artifact must carry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OciVerification {
    /// What verifies.
    pub provider: SignatureProvider,

    /// The public keys that are trusted, by name, in PEM or base64 of it; or the trust policy under `trustpolicy.json` and
    /// certificates, or the roots of trust of a Sigstore instance under `trusted_root.json`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub verification_config: BTreeMap<String, String>,

    /// The identities that are trusted without a key; one of them must match.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub match_oidc_identity: Vec<OidcIdentity>,
}

/// How a registry's TLS is set up.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "has(self.clientCertificate) == has(self.privateKey)",
    "message": "clientCertificate and privateKey belong together",
}]))]
pub struct TlsConfig {
    /// Certificate that the client shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_certificate: Option<SecretKeyReference>,

    /// Private key of that certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub private_key: Option<SecretKeyReference>,

    /// Certificates of an authority that the system does not know.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ca_certificate: Option<SecretKeyReference>,
}
