//! Names of releases.

use fairlead_api::helm::HelmReleaseSpec;
use sha2::{Digest as _, Sha256};

/// How much of a long name is kept, in bytes.
const KEPT: usize = 40;

/// How many digits of its digest follow.
const DIGITS: usize = 12;

/// `name`, shortened if it is longer than the name of a release may be.
///
/// # Follows Flux
/// The first 40 characters, and 12 digits of the SHA-256 of all of them.
pub fn shortened(name: String) -> String {
    if !HelmReleaseSpec::is_release_name_long(&name) {
        return name;
    }
    let digest = hex::encode(Sha256::digest(name.as_bytes()));
    format!("{}-{}", &name[..name.floor_char_boundary(KEPT)], &digest[..DIGITS])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_too_long_ends_in_its_digest() {
        assert_eq!(shortened("web".to_owned()), "web");
        let long = shortened("some-front-appended-namespace-release-with-a-long-name".to_owned());
        assert_eq!(long.len(), 53);
        assert!(long.starts_with("some-front-appended-namespace-release-wi-"), "{long}");
    }
}
