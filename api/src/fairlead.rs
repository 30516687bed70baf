//! `fairlead.dev`: one object for a source, what is built from it, and the rights it is applied with.
//!
//! # Follows Azure Arc
//! The properties of `Microsoft.KubernetesConfiguration/fluxConfigurations`, by their documented names, with their
//! defaults and rules.
//! # Differs from Azure Arc
//! An object in a cluster is read by many, so no secret stands in it: protected settings are a reference to a Secret,
//! and so is each secret property of a source. Its namespace is the configuration namespace.

mod check;
mod configuration;
mod kustomization;
mod sources;
mod status;

pub use check::ConfigurationError;
pub use configuration::{
    ConfigurationScope, ConfigurationSourceKind, FluxConfiguration, FluxConfigurationSpec, ProtectedSettings,
};
pub use kustomization::{KustomizationDefinition, Validation};
pub use sources::{
    AzureBlobSource, BucketSource, ConfigurationGitProvider, ConfigurationGitRef, GitRepositorySource, LayerOperation,
    LayerSelector, ManagedIdentity, OciRef, OciRepositorySource, OciVerification, ServicePrincipal, TlsConfig,
};
pub use status::{
    ComplianceState, FluxConfigurationStatus, HelmReleaseProperties, ObjectStatus, ProvisioningState, StatusCondition,
};
