//! Whether a revision is signed by someone who is trusted.
//!
//! Nothing here asks a server or the clock: what was fetched, the keys and the time go in, and a verdict comes out. It is
//! [`Verified`], with what to tell of it, or an error; there is no third answer, so that whatever cannot be read or is not
//! known counts as not signed.

mod certificate;
mod cosign;
mod envelope;
mod git;
mod keyless;
mod log_entry;
mod notation;
mod oci;
mod openpgp;
mod public_key;
mod signed_object;
mod ssh;
mod trusted_root;

pub use certificate::{ChainError, MalformedCertificate};
pub(crate) use cosign::{BUNDLE_TYPE, CLAIM_TYPE, Signers};
pub use cosign::{CosignError, SignersError};
pub use git::{GitVerification, GitVerificationError, GitVerificationMode, SignatureError, SignatureKind};
pub(crate) use git::{Signable, SignableTag};
pub use keyless::{Identity, IdentityError, KeylessError};
pub(crate) use notation::{JWS_TYPE, Judgement, NOTATION_TYPE, Notary};
pub use notation::{NotaryError, NotationError, TrustPolicyError};
pub(crate) use oci::Provider;
pub use oci::{OciSignatureError, OciVerification, OciVerificationError};
pub use openpgp::{PgpError, Unmatched};
pub use public_key::PublicKeyError;
pub use ssh::SshError;
pub use trusted_root::{KEY as TRUSTED_ROOT, TrustedRoot, TrustedRootError};

use fairlead_object::Digest;
use serde::{Deserialize, Serialize};

/// That a revision is signed as it has to be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verified {
    /// What it was verified against: equal for equal keys and rules.
    pub against: Digest,
    /// What is said of it; nothing, where the rules let a revision pass whose signature does not count.
    pub message: Option<String>,
}
