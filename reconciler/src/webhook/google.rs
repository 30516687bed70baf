//! The tokens with which Google's Pub/Sub says who it is.
//!
//! A token alone proves nothing: anyone has one of some account. It must be for this Receiver, and of the account that the
//! Secret names.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use serde::{Deserialize, de::DeserializeOwned};

/// The keys that Google signs with now.
#[derive(Debug, Default)]
pub struct GoogleKeys(Vec<Key>);

#[derive(Debug)]
struct Key {
    id: String,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
}

/// Why a token does not authenticate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// There is none.
    #[error("the `Authorization` header has no bearer token")]
    Missing,
    /// It is no token.
    #[error("it is not a JSON Web Token")]
    Malformed,
    /// It is signed in a way that Google does not sign.
    #[error("it is not signed by RS256")]
    Algorithm,
    /// Google has no such key.
    #[error("it is signed by a key that is not Google's")]
    Key,
    /// The signature is wrong.
    #[error("its signature is wrong")]
    Signature,
    /// It is over.
    #[error("it has expired, or is not valid yet")]
    Expired,
    /// Google did not issue it.
    #[error("it is not issued by Google")]
    Issuer,
    /// It is for someone else.
    #[error("it is for another audience than the Secret's `audience`")]
    Audience,
    /// It is of another account.
    #[error("it is of another account than the Secret's `email`")]
    Email,
}

/// Whom a token must be of, and for.
pub(super) struct Expected<'a> {
    pub(super) email: &'a str,
    pub(super) audience: &'a str,
}

/// How far the clocks of two machines may differ, in seconds.
const SKEW_SECONDS: i64 = 60;

#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: String,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    exp: i64,
    #[serde(default)]
    iat: i64,
    #[serde(default)]
    email: String,
    #[serde(default)]
    email_verified: bool,
}

impl GoogleKeys {
    /// Reads a JSON Web Key Set; keys that are not RSA are left out. `None` if it is none.
    pub fn parse(json: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Set {
            keys: Vec<Written>,
        }
        #[derive(Deserialize)]
        struct Written {
            kid: String,
            n: Option<String>,
            e: Option<String>,
        }
        let set: Set = serde_json::from_slice(json).ok()?;
        let key = |written: Written| {
            let number = |text: Option<String>| BASE64_URL_SAFE_NO_PAD.decode(text?).ok();
            Some(Key { id: written.kid, modulus: number(written.n)?, exponent: number(written.e)? })
        };
        Some(Self(set.keys.into_iter().filter_map(key).collect()))
    }

    /// Whether a key that signed the token in `authorization` is among them.
    pub(super) fn has_key_of(&self, authorization: Option<&[u8]>) -> bool {
        Token::read(authorization).is_ok_and(|token| self.key(&token.header.kid).is_ok())
    }

    fn key(&self, id: &str) -> Result<&Key, TokenError> {
        self.0.iter().find(|key| key.id == id).ok_or(TokenError::Key)
    }
}

/// Checks the token in the header `authorization`.
pub(super) fn check(
    authorization: Option<&[u8]>,
    expected: &Expected<'_>,
    keys: &GoogleKeys,
    now: Timestamp,
) -> Result<(), TokenError> {
    let token = Token::read(authorization)?;
    if token.header.alg != "RS256" {
        return Err(TokenError::Algorithm);
    }
    let Key { modulus: n, exponent: e, .. } = keys.key(&token.header.kid)?;
    RsaPublicKeyComponents { n, e }
        .verify(&RSA_PKCS1_2048_8192_SHA256, token.signed.as_bytes(), &token.signature)
        .map_err(|_| TokenError::Signature)?;
    let claims: Claims = decoded(token.claims)?;
    let now = now.as_second();
    if claims.exp.saturating_add(SKEW_SECONDS) < now || claims.iat.saturating_sub(SKEW_SECONDS) > now {
        return Err(TokenError::Expired);
    }
    if !matches!(claims.iss.as_str(), "accounts.google.com" | "https://accounts.google.com") {
        return Err(TokenError::Issuer);
    }
    if expected.audience.is_empty() || claims.aud != expected.audience {
        return Err(TokenError::Audience);
    }
    if expected.email.is_empty() || claims.email != expected.email || !claims.email_verified {
        return Err(TokenError::Email);
    }
    Ok(())
}

/// A token that was not checked yet.
struct Token<'a> {
    header: Header,
    claims: &'a str,
    /// What the signature is of.
    signed: &'a str,
    signature: Vec<u8>,
}

impl<'a> Token<'a> {
    fn read(authorization: Option<&'a [u8]>) -> Result<Self, TokenError> {
        let text = authorization.and_then(|value| std::str::from_utf8(value).ok());
        let token = text.and_then(|text| text.strip_prefix("Bearer ")).ok_or(TokenError::Missing)?.trim();
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let (header, claims) = signed.split_once('.').ok_or(TokenError::Malformed)?;
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).map_err(|_| TokenError::Malformed)?;
        Ok(Self { header: decoded(header)?, claims, signed, signature })
    }
}

fn decoded<T: DeserializeOwned>(part: &str) -> Result<T, TokenError> {
    let json = BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| TokenError::Malformed)
}

#[cfg(test)]
pub(super) mod tests {
    use ring::{
        rand::SystemRandom,
        signature::{RSA_PKCS1_SHA256, RsaKeyPair},
    };
    use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
    use serde_json::{Value, json};

    use super::*;

    /// Someone who signs tokens.
    pub(in crate::webhook) struct Signer(RsaKeyPair);

    impl Signer {
        pub(in crate::webhook) fn new() -> Self {
            let folder = tempfile::tempdir().expect("a folder");
            let file = folder.path().join("key");
            let keygen = ["-q", "-t", "rsa", "-b", "2048", "-m", "PKCS8", "-N", "", "-f"];
            let ended =
                fairlead_tools::command("ssh-keygen").args(keygen).arg(&file).status().expect("it can be started");
            assert!(ended.success());
            let der = PrivatePkcs8KeyDer::from_pem_file(file).expect("a key");
            Self(RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).expect("a key"))
        }

        /// The set that has its key alone, called `kid`.
        pub(in crate::webhook) fn keys(&self, kid: &str) -> GoogleKeys {
            let RsaPublicKeyComponents { n, e } = RsaPublicKeyComponents::<Vec<u8>>::from(self.0.public());
            let (n, e) = (BASE64_URL_SAFE_NO_PAD.encode(n), BASE64_URL_SAFE_NO_PAD.encode(e));
            let set =
                json!({ "keys": [{ "kty": "RSA", "kid": kid, "n": n, "e": e }, { "kty": "EC", "kid": "other" }] });
            GoogleKeys::parse(set.to_string().as_bytes()).expect("a set")
        }

        /// The value of a header with a token.
        pub(in crate::webhook) fn bearer(&self, header: &Value, claims: &Value) -> String {
            let part = |json: &Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
            let signed = format!("{}.{}", part(header), part(claims));
            let mut signature = vec![0; self.0.public().modulus_len()];
            self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).expect("signed");
            format!("Bearer {signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
        }
    }

    pub(in crate::webhook) fn claims() -> Value {
        json!({
            "iss": "https://accounts.google.com", "aud": "https://example.com/hook", "exp": 1000, "iat": 900,
            "email": "pubsub@example.com", "email_verified": true,
        })
    }

    #[test]
    fn cve_2026_40109_a_token_must_be_google_s_for_this_receiver_and_of_its_account() {
        let signer = Signer::new();
        let keys = signer.keys("one");
        let header = json!({ "alg": "RS256", "kid": "one" });
        let with = |field: &str, value: Value| {
            let mut claims = claims();
            claims[field] = value;
            signer.bearer(&header, &claims)
        };
        let honest = signer.bearer(&header, &claims());
        let (token, signature) = honest.rsplit_once('.').expect("a token");
        let unsigned = signer.bearer(&json!({ "alg": "none", "kid": "one" }), &claims());
        let rows = [
            (honest.clone(), Ok(())),
            (with("iss", json!("accounts.google.com")), Ok(())),
            (with("iss", json!("https://accounts.example.com")), Err(TokenError::Issuer)),
            (with("aud", json!("https://example.com/other")), Err(TokenError::Audience)),
            (with("email", json!("other@example.com")), Err(TokenError::Email)),
            (with("email", json!("")), Err(TokenError::Email)),
            (with("email_verified", json!(false)), Err(TokenError::Email)),
            (with("exp", json!(900)), Err(TokenError::Expired)),
            (with("iat", json!(2000)), Err(TokenError::Expired)),
            (with("exp", json!(i64::MAX)), Ok(())),
            (with("exp", json!("soon")), Err(TokenError::Malformed)),
            (unsigned, Err(TokenError::Algorithm)),
            (signer.bearer(&json!({ "alg": "HS256", "kid": "one" }), &claims()), Err(TokenError::Algorithm)),
            (signer.bearer(&json!({ "alg": "RS256", "kid": "two" }), &claims()), Err(TokenError::Key)),
            (format!("{token}."), Err(TokenError::Signature)),
            (
                format!("{}.{signature}", with("iat", json!(901)).rsplit_once('.').expect("a token").0),
                Err(TokenError::Signature),
            ),
            ("Bearer a.b".to_owned(), Err(TokenError::Malformed)),
            ("Bearer ..".to_owned(), Err(TokenError::Malformed)),
            ("Basic YTpi".to_owned(), Err(TokenError::Missing)),
            (String::new(), Err(TokenError::Missing)),
        ];
        let expected = Expected { email: "pubsub@example.com", audience: "https://example.com/hook" };
        let now = Timestamp::from_second(990).expect("a time");
        for (header, outcome) in rows {
            assert_eq!(check(Some(header.as_bytes()), &expected, &keys, now), outcome, "{header}");
        }
        let stranger = Signer::new().bearer(&header, &claims());
        assert_eq!(check(Some(stranger.as_bytes()), &expected, &keys, now), Err(TokenError::Signature));
        assert_eq!(check(None, &expected, &keys, now), Err(TokenError::Missing));
        let nobody = Expected { email: "", audience: "" };
        assert_eq!(check(Some(honest.as_bytes()), &nobody, &keys, now), Err(TokenError::Audience));
    }
}
