//! Looks for a signature of an image that counts.

use fairlead_object::Digest;
use jiff::Timestamp;

use super::{
    OciRequest,
    attached::{Part, image_tag},
    error::RegistryError,
    reference::Resolved,
    registry::Registry,
};
use crate::verify::{
    BUNDLE_TYPE, CLAIM_TYPE, JWS_TYPE, Judgement, NOTATION_TYPE, Notary, OciSignatureError, OciVerification,
    OciVerificationError, Provider, Signers, Verified,
};

/// Most signatures of one image that are looked at.
const SIGNATURES_LIMIT: usize = 64;
/// Most of Notation's that are.
const ATTEMPTS: usize = 3;

/// Verifies the image that was resolved.
pub(super) fn verify(
    request: &OciRequest,
    registry: &Registry<'_>,
    resolved: &Resolved,
    demanded: &OciVerification,
    now: Timestamp,
) -> Result<Verified, OciVerificationError> {
    let image = Image {
        repository: format!("{}/{}", request.url.registry(), request.url.repository()),
        digest: resolved.digest,
        registry,
    };
    let found = match demanded.provider() {
        Provider::Cosign(signers) => image.cosign(signers).map(|()| Judgement::Verified),
        Provider::Notation(notary) => image.notation(notary, now),
    };
    let provider = demanded.name();
    let message = match found.map_err(|source| OciVerificationError { provider, source: Box::new(source) })? {
        Judgement::Verified => Some(format!("verified signature of revision {}", resolved.revision)),
        Judgement::Ignored => None,
    };
    Ok(Verified { against: demanded.digest(), message })
}

/// An image whose signatures are looked for.
struct Image<'a> {
    /// The registry's host and the repository.
    repository: String,
    digest: Digest,
    registry: &'a Registry<'a>,
}

impl Image<'_> {
    /// Looks at bundles that refer to the image first, and then at claims under the tag that is named after it.
    fn cosign(&self, signers: &Signers) -> Result<(), OciSignatureError> {
        let (registry, digest) = (self.registry, self.digest);
        let mut why = None;
        for bundle in self.attached(BUNDLE_TYPE, BUNDLE_TYPE)?.into_iter().take(SIGNATURES_LIMIT) {
            match signers.verify_bundle(digest, &registry.part(&bundle)?) {
                Ok(()) => return Ok(()),
                Err(error) => why = Some(error),
            }
        }
        let claims = registry.attached(&format!("{}.sig", image_tag(digest)))?;
        for claim in claims.iter().flat_map(|claims| claims.parts(CLAIM_TYPE)).take(SIGNATURES_LIMIT) {
            match signers.verify_claim(digest, &registry.part(claim)?, &claim.annotations) {
                Ok(()) => return Ok(()),
                Err(error) => why = Some(error),
            }
        }
        Err(OciSignatureError::NoMatch { image: self.name(), source: why })
    }

    /// Looks at Notation's signatures that refer to the image, as many as Flux does.
    fn notation(&self, notary: &Notary, now: Timestamp) -> Result<Judgement, OciSignatureError> {
        if !notary.demands_signature(&self.repository)? {
            return Ok(Judgement::Ignored);
        }
        let mut why = OciSignatureError::NotSigned(self.name());
        for signature in self.attached(NOTATION_TYPE, JWS_TYPE)?.into_iter().take(ATTEMPTS) {
            match notary.verify(&self.repository, self.digest, &self.registry.part(&signature)?, now) {
                Ok(judgement) => return Ok(judgement),
                Err(error) => why = error.into(),
            }
        }
        Err(why)
    }

    /// The parts of a kind of those documents of a kind that refer to the image.
    fn attached(&self, documents: &str, parts: &str) -> Result<Vec<Part>, RegistryError> {
        let mut found = Vec::new();
        for referrer in self.registry.referrers(self.digest, documents)?.into_iter().take(SIGNATURES_LIMIT) {
            if let Some(attached) = self.registry.attached(&referrer.to_string())? {
                found.extend(attached.parts(parts).cloned());
            }
        }
        Ok(found)
    }

    fn name(&self) -> String {
        format!("{}@{}", self.repository, self.digest)
    }
}
