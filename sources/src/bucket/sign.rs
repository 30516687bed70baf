//! Signature Version 4 of Amazon, which its services, and all that speak like S3, want on each request.

use jiff::Timestamp;
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest as _, Sha256};

use super::S3Keys;

/// The keys that sign, for one service in one region.
pub(crate) struct Signer<'a> {
    pub(crate) keys: &'a S3Keys,
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    pub(crate) now: Timestamp,
}

/// What is signed of a request.
pub(crate) struct Unsigned<'a> {
    pub(crate) method: &'static str,
    /// Host, and port where it is not the scheme's own.
    pub(crate) host: &'a str,
    /// The path, escaped.
    pub(crate) path: &'a str,
    /// The query, escaped and sorted.
    pub(crate) query: &'a str,
    /// What is called, where the service has one path for all: `x-amz-target`.
    pub(crate) target: Option<&'a str>,
    pub(crate) body: &'a [u8],
}

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

impl Signer<'_> {
    /// The headers that a request is sent with.
    pub(crate) fn headers(&self, request: &Unsigned<'_>) -> Vec<(&'static str, SecretString)> {
        let time = self.now.strftime("%Y%m%dT%H%M%SZ").to_string();
        let body = hex::encode(Sha256::digest(request.body));
        let mut headers: Vec<(&'static str, SecretString)> =
            vec![("x-amz-content-sha256", body.into()), ("x-amz-date", time.as_str().into())];
        headers.extend(self.keys.session_token.as_ref().map(|token| ("x-amz-security-token", token.clone())));
        headers.extend(request.target.map(|target| ("x-amz-target", target.into())));
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
        let Unsigned { method, host, path, query, target: _, body } = request;
        let names: Vec<&str> = std::iter::once("host").chain(headers.iter().map(|(name, _)| *name)).collect();
        let names = names.join(";");
        let lines = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.expose_secret()));
        let lines: String = std::iter::once(format!("host:{host}\n")).chain(lines).collect();
        let body = hex::encode(Sha256::digest(body));
        let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{body}");

        let day = &time[..8];
        let scope = format!("{day}/{}/{}/aws4_request", self.region, self.service);
        let digest = hex::encode(Sha256::digest(canonical.as_bytes()));
        let signature = self.signature(day, &format!("{ALGORITHM}\n{time}\n{scope}\n{digest}"));
        let credential = format!("{}/{scope}", self.keys.access_key.expose_secret());
        format!("{ALGORITHM} Credential={credential}, SignedHeaders={names}, Signature={signature}").into()
    }

    fn signature(&self, day: &str, text: &str) -> String {
        let secret = format!("AWS4{}", self.keys.secret_key.expose_secret());
        let key = [day, self.region, self.service, "aws4_request"]
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
        let keys = S3Keys::new("AKIAIOSFODNN7EXAMPLE".into(), "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".into(), None);
        let signer = Signer {
            keys: &keys,
            service: "s3",
            region: "us-east-1",
            now: "2013-05-24T00:00:00Z".parse().expect("a time"),
        };
        let rows = [
            ("lifecycle=", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
            ("max-keys=2&prefix=J", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
        ];
        for (query, expected) in rows {
            let host = "examplebucket.s3.amazonaws.com";
            let request = Unsigned { method: "GET", host, path: "/", query, target: None, body: b"" };
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
