//! The source of a configuration: one block of its spec, whatever its kind.

use std::time::Duration;

use fairlead_api::{
    fairlead::{
        AzureBlobSource, BucketSource, ConfigurationSourceKind, FluxConfigurationSpec, GitRepositorySource,
        OciRepositorySource, OciVerification,
    },
    kustomize::SourceKind,
    reference::SecretKeyReference,
};

use crate::controllers::Unusable;

/// The block that belongs to `spec.sourceKind`.
#[derive(Clone, Copy, Debug)]
pub(super) enum Block<'a> {
    Git(&'a GitRepositorySource),
    Bucket(&'a BucketSource),
    AzureBlob(&'a AzureBlobSource),
    Oci(&'a OciRepositorySource),
}

/// One key of a Secret that a block names, and the key under which the source's own Secret has its value.
#[derive(Clone, Copy, Debug)]
pub(super) struct Referred<'a> {
    pub(super) field: &'static str,
    pub(super) key: &'static str,
    pub(super) reference: &'a SecretKeyReference,
}

impl<'a> Block<'a> {
    /// The block of `spec`, which the schema asks for.
    pub(super) fn of(spec: &'a FluxConfigurationSpec) -> Result<Self, Unusable> {
        let block = match spec.source_kind {
            ConfigurationSourceKind::GitRepository => spec.git_repository.as_ref().map(Self::Git),
            ConfigurationSourceKind::Bucket => spec.bucket.as_ref().map(Self::Bucket),
            ConfigurationSourceKind::AzureBlob => spec.azure_blob.as_ref().map(Self::AzureBlob),
            ConfigurationSourceKind::OCIRepository => spec.oci_repository.as_ref().map(Self::Oci),
        };
        block.ok_or_else(|| Unusable::Unreadable("the block that spec.sourceKind names is not set".to_owned()))
    }

    /// The kind of the object that stands for it.
    pub(super) fn kind(self) -> SourceKind {
        match self {
            Self::Git(_) => SourceKind::GitRepository,
            Self::Bucket(_) | Self::AzureBlob(_) => SourceKind::Bucket,
            Self::Oci(_) => SourceKind::OCIRepository,
        }
    }

    /// How often it is looked at.
    pub(super) fn sync_interval(self) -> Duration {
        match self {
            Self::Git(git) => git.sync_interval(),
            Self::Bucket(bucket) => bucket.sync_interval(),
            Self::AzureBlob(azure) => azure.sync_interval(),
            Self::Oci(oci) => oci.sync_interval(),
        }
    }

    /// Whether a Secret is made for it of what the configuration says.
    pub(super) fn has_own_secret(self) -> bool {
        match self {
            Self::Git(git) => {
                let is_ssh = !git.url.starts_with("http");
                let says_something = is_ssh || git.https_user.is_some() || git.https_ca_cert.is_some();
                git.local_auth_ref.is_none() && says_something
            }
            Self::Bucket(bucket) => bucket.local_auth_ref.is_none(),
            Self::AzureBlob(_) | Self::Oci(_) => !self.referred().is_empty(),
        }
    }

    /// The Secret that is there already and that it is read with.
    pub(super) fn local_secret(self) -> Option<&'a String> {
        match self {
            Self::Git(git) => git.local_auth_ref.as_ref(),
            Self::Bucket(bucket) => bucket.local_auth_ref.as_ref(),
            Self::AzureBlob(azure) => azure.local_auth_ref.as_ref(),
            Self::Oci(oci) => oci.local_auth_ref.as_ref(),
        }
    }

    /// Which signatures what is fetched must carry.
    pub(super) fn verification(self) -> Option<&'a OciVerification> {
        match self {
            Self::Git(_) | Self::Bucket(_) | Self::AzureBlob(_) => None,
            Self::Oci(oci) => oci.verify.as_ref(),
        }
    }

    /// The keys of Secrets that it names.
    pub(super) fn referred(self) -> Vec<Referred<'a>> {
        let referred = |field, key, reference: &'a Option<SecretKeyReference>| {
            reference.as_ref().map(|reference| Referred { field, key, reference })
        };
        match self {
            Self::Git(_) | Self::Bucket(_) => Vec::new(),
            Self::AzureBlob(azure) => [
                referred("spec.azureBlob.accountKey", "accountKey", &azure.account_key),
                referred("spec.azureBlob.sasToken", "sasKey", &azure.sas_token),
            ]
            .into_iter()
            .flatten()
            .collect(),
            Self::Oci(oci) => {
                let Some(tls) = &oci.tls_config else { return Vec::new() };
                [
                    referred("spec.ociRepository.tlsConfig.caCertificate", "ca.crt", &tls.ca_certificate),
                    referred("spec.ociRepository.tlsConfig.clientCertificate", "tls.crt", &tls.client_certificate),
                    referred("spec.ociRepository.tlsConfig.privateKey", "tls.key", &tls.private_key),
                ]
                .into_iter()
                .flatten()
                .collect()
            }
        }
    }
}
