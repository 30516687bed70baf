//! Signature Version 4 of Amazon, which S3 and all that speak like it want on each request.

use jiff::Timestamp;
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};

/// The keys that sign, for one region.
pub(super) struct Signer<'a> {
    pub(super) access_key: &'a str,
    pub(super) secret_key: &'a SecretString,
    pub(super) session_token: Option<&'a SecretString>,
    pub(super) region: &'a str,
    pub(super) now: Timestamp,
}

/// What is signed of a request without a body.
pub(super) struct Unsigned<'a> {
    /// Host, and port where it is not the scheme's own.
    pub(super) host: &'a str,
    /// The path, escaped.
    pub(super) path: &'a str,
    /// The query, escaped and sorted.
    pub(super) query: &'a str,
}

/// The digest of no body.
const EMPTY_BODY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
const SERVICE: &str = "s3";
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

impl Signer<'_> {
    /// The headers that a `GET` is sent with.
    pub(super) fn headers(&self, request: &Unsigned<'_>) -> Vec<(&'static str, SecretString)> {
        let time = self.now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let mut headers: Vec<(&'static str, SecretString)> =
            vec![("x-amz-content-sha256", EMPTY_BODY.into()), ("x-amz-date", time.as_str().into())];
        headers.extend(self.session_token.map(|token| ("x-amz-security-token", token.clone())));
        let authorization = self.authorization(request, &headers, &time);
        headers.push(("authorization", authorization));
        headers
    }

    fn authorization(
        &self,
        request: &Unsigned<'_>,
        headers: &[(&'static str, SecretString)],
        time: &str,
    ) -> SecretString {
        let Unsigned { host, path, query } = request;
        let names: Vec<&str> = std::iter::once("host").chain(headers.iter().map(|(name, _)| *name)).collect();
        let names = names.join(";");
        let lines = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.expose_secret()));
        let lines: String = std::iter::once(format!("host:{host}\n")).chain(lines).collect();
        let canonical = format!("GET\n{path}\n{query}\n{lines}\n{names}\n{EMPTY_BODY}");

        let day = &time[..8];
        let scope = format!("{day}/{}/{SERVICE}/aws4_request", self.region);
        let digest = hex::encode(Sha256::digest(canonical.as_bytes()));
        let signature = self.signature(day, &format!("{ALGORITHM}\n{time}\n{scope}\n{digest}"));
        let credential = format!("{}/{scope}", self.access_key);
        format!("{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}").into()
    }

    fn signature(&self, day: &str, text: &str) -> String {
        let secret = format!("AWS4{}", self.secret_key.expose_secret());
        let key = [day, self.region, SERVICE, "aws4_request"]
            .iter()
            .fold(hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), |key, part| {
                hmac::Key::new(hmac::HMAC_SHA256, hmac::sign(&key, part.as_bytes()).as_ref())
            });
        hex::encode(hmac::sign(&key, text.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of "Signature Calculations for the Authorization Header" in the reference of Amazon S3.
    #[test]
    fn requests_are_signed_as_in_amazon_s_examples() {
        let signer = Signer {
            access_key: "AKIAIOSFODNN7EXAMPLE",
            secret_key: &"wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(),
            session_token: None,
            region: "us-east-1",
            now: "2013-05-24T00:00:00Z".parse().expect("a time"),
        };
        let rows = [
            ("lifecycle=", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
            ("max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
        ];
        for (query, expected) in rows {
            let request = Unsigned { host: "examplebucket.s3.amazonaws.com", path: "/", query };
            let headers = signer.headers(&request);
            let (_, authorization) = headers.last().expect("an authorization");
            assert_eq!(
                authorization.expose_secret(),
                format!(
                    "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
                     SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature={expected}"
                )
            );
        }
    }
}
