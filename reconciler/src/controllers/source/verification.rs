//! Which signatures an image must carry, with the keys and roots of the Secrets that a spec names.

use std::error::Error;

use fairlead_api::{
    reference::LocalReference,
    source::{HelmChartVerification, OciRepositoryVerification, OidcIdentity, SignatureProvider},
};
use fairlead_sources::{
    secret::SecretData,
    verify::{Identity, IdentityError, OciVerification, SignersError, TRUSTED_ROOT},
};

use super::secrets::{RequestError, Secrets};

/// Who must have signed, as `spec.verify` of a kind says it.
pub(super) struct Demand<'a> {
    provider: SignatureProvider,
    /// The Secret with keys, with a trusted root, or with a trust policy.
    secret: Option<&'a LocalReference>,
    /// The Secret with a trusted root, where the kind has a field of its own for it.
    roots: Option<&'a LocalReference>,
    identities: &'a [OidcIdentity],
}

impl<'a> From<&'a OciRepositoryVerification> for Demand<'a> {
    fn from(verify: &'a OciRepositoryVerification) -> Self {
        Self {
            provider: verify.provider,
            secret: verify.secret_ref.as_ref(),
            roots: verify.trusted_root_secret_ref.as_ref(),
            identities: &verify.match_oidc_identity,
        }
    }
}

impl<'a> From<&'a HelmChartVerification> for Demand<'a> {
    fn from(verify: &'a HelmChartVerification) -> Self {
        Self {
            provider: verify.provider,
            secret: verify.secret_ref.as_ref(),
            roots: None,
            identities: &verify.match_oidc_identity,
        }
    }
}

/// Why `spec.verify` demands nothing that can be verified.
#[derive(Debug, thiserror::Error)]
enum DemandError {
    /// Nobody may sign.
    #[error("spec.verify.matchOIDCIdentity names nobody: name those who may sign, or a Secret with keys in secretRef")]
    Nobody,
    /// A pattern is none.
    #[error("spec.verify.matchOIDCIdentity")]
    Identity(#[from] IdentityError),
    /// Nobody says what has to be checked.
    #[error("spec.verify.secretRef is not set: name a Secret with a 'trustpolicy.json' and certificates")]
    NoTrustPolicy,
    /// Nobody says which authorities and logs to trust.
    #[error("spec.verify names no trusted root: without keys, name a Secret with a '{TRUSTED_ROOT}'")]
    NoTrustedRoot,
}

const COSIGN: &str = "failed to verify the signature using provider 'cosign'";
const COSIGN_KEYLESS: &str = "failed to verify the signature using provider 'cosign keyless'";
const NOTATION: &str = "failed to verify the signature using provider 'notation'";

impl Demand<'_> {
    /// What is demanded, with the keys and roots that it refers to.
    pub(super) async fn read(&self, secrets: &Secrets<'_>) -> Result<OciVerification, RequestError> {
        match (self.provider, self.secret) {
            (SignatureProvider::Cosign, Some(secret)) => {
                secrets.verified_with(COSIGN, secret, |data| self.keys_or_root(data)).await
            }
            (SignatureProvider::Cosign, None) => {
                let identities = self.identities().map_err(|source| refused(COSIGN_KEYLESS, source))?;
                let roots = self.roots.ok_or_else(|| refused(COSIGN_KEYLESS, DemandError::NoTrustedRoot))?;
                let read = |data: &SecretData| OciVerification::cosign_keyless(data, identities);
                secrets.verified_with(COSIGN_KEYLESS, roots, read).await
            }
            (SignatureProvider::Notation, Some(policy)) => {
                secrets.verified_with(NOTATION, policy, OciVerification::notation).await
            }
            (SignatureProvider::Notation, None) => Err(refused(NOTATION, DemandError::NoTrustPolicy)),
        }
    }

    /// The keys in a Secret, or else the root that it has in their place: what has no field for a root names it so.
    fn keys_or_root(&self, data: &SecretData) -> Result<OciVerification, Box<dyn Error + Send + Sync>> {
        match OciVerification::cosign_with_keys(data) {
            Err(SignersError::NoKeys) if data.contains_key(TRUSTED_ROOT) => {
                Ok(OciVerification::cosign_keyless(data, self.identities()?)?)
            }
            keys => Ok(keys?),
        }
    }

    /// Who may sign without a key; nobody is an error.
    fn identities(&self) -> Result<Vec<Identity>, DemandError> {
        if self.identities.is_empty() {
            return Err(DemandError::Nobody);
        }
        let named = self.identities.iter().map(|named| Identity::new(&named.issuer, &named.subject));
        Ok(named.collect::<Result<_, _>>()?)
    }
}

fn refused(intent: &'static str, source: DemandError) -> RequestError {
    RequestError::Verification { intent, source: Box::new(source) }
}
