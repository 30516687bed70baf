//! Comparing what only two sides know, in constant time.

use std::sync::LazyLock;

use ring::{hmac, rand::SystemRandom};

/// Whether `written` (`sha256=<hex>`, or `sha1`, or `sha512`) is the signature of `body` under `token`.
pub(super) fn is_signed(written: &[u8], token: &[u8], body: &[u8]) -> bool {
    let Some((algorithm, tag)) = std::str::from_utf8(written).ok().and_then(|text| text.split_once('=')) else {
        return false;
    };
    let algorithm = match algorithm {
        "sha1" => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        "sha256" => hmac::HMAC_SHA256,
        "sha512" => hmac::HMAC_SHA512,
        _ => return false,
    };
    is_tag(algorithm, tag.as_bytes(), token, body)
}

/// Whether `written` is the hex of the HMAC-SHA1 of `body` under `token`.
pub(super) fn is_signed_by_nexus(written: &[u8], token: &[u8], body: &[u8]) -> bool {
    is_tag(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, written, token, body)
}

fn is_tag(algorithm: hmac::Algorithm, hex: &[u8], token: &[u8], body: &[u8]) -> bool {
    let key = hmac::Key::new(algorithm, token);
    // Nobody may sign with nothing.
    !token.is_empty() && hex::decode(hex).is_ok_and(|tag| hmac::verify(&key, body, &tag).is_ok())
}

/// Whether two texts are equal; how long it takes tells nothing of where they differ.
pub(super) fn is_equal(given: &[u8], expected: &[u8]) -> bool {
    static KEY: LazyLock<hmac::Key> = LazyLock::new(|| {
        hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new()).expect("the operating system gives random bytes")
    });
    hmac::verify(&KEY, expected, hmac::sign(&KEY, given).as_ref()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_of_these_bytes_under_this_token_by_a_known_algorithm() {
        // `printf hello | openssl dgst -sha256 -hmac token`
        let sha256 = "sha256=df3178e409a68446314d5be83b911b78dc6fa272a556429fd9d2092575dcf174";
        let own = |algorithm, name: &str| {
            let tag = hmac::sign(&hmac::Key::new(algorithm, b"token"), b"hello");
            format!("{name}={}", hex::encode(tag))
        };
        let rows = [
            (own(hmac::HMAC_SHA256, "sha256"), true),
            (own(hmac::HMAC_SHA256, "sha256").to_uppercase().replace("SHA", "sha"), true),
            (own(hmac::HMAC_SHA512, "sha512"), true),
            (own(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, "sha1"), true),
            (own(hmac::HMAC_SHA256, "sha512"), false),
            (own(hmac::HMAC_SHA256, "md5"), false),
            (sha256.to_owned(), true),
            (own(hmac::HMAC_SHA256, "sha256")[..40].to_owned(), false),
            ("sha256=".to_owned(), false),
            ("sha256".to_owned(), false),
            (String::new(), false),
        ];
        for (written, expected) in rows {
            assert_eq!(is_signed(written.as_bytes(), b"token", b"hello"), expected, "{written}");
            assert!(!is_signed(written.as_bytes(), b"token", b"hello "), "{written}");
            assert!(!is_signed(written.as_bytes(), b"token\n", b"hello"), "{written}");
        }
    }

    #[test]
    fn nobody_signs_with_an_empty_token() {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, b""), b"hello");
        assert!(!is_signed(format!("sha256={}", hex::encode(tag)).as_bytes(), b"", b"hello"));
    }
}
