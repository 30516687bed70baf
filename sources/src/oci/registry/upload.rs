//! Writing to a repository: blobs, then the documents that name them.

use fairlead_object::Digest;
use secrecy::{ExposeSecret, SecretString};
use ureq::{
    Body,
    http::{Method, Response, StatusCode, header},
};

use super::{ANYTHING, Pushed, Registry};
use crate::{
    grants,
    oci::error::RegistryError,
    transport::{Client, TransportError, may_lead},
    url::Url,
};

const BYTES: &str = "application/octet-stream";

/// A request that writes.
struct Write<'a> {
    method: Method,
    url: &'a Url,
    media_type: &'a str,
    body: &'a [u8],
}

impl Registry<'_> {
    /// Puts `blob` into the repository, unless it is there.
    pub(in crate::oci) fn upload(&self, blob: &[u8]) -> Result<(), RegistryError> {
        let digest = Digest::of(blob);
        if self.has_blob(digest)? {
            return Ok(());
        }
        let start = self.below("blobs/uploads/");
        let started = self.write(&Write { method: Method::POST, url: &start, media_type: BYTES, body: &[] })?;
        let place = upload_place(&start, &started)?;
        let own = place.query().map(ExposeSecret::expose_secret);
        let wanted = format!("digest={digest}");
        let url = place.with(place.path(), own.into_iter().chain([wanted.as_str()]));
        self.write(&Write { method: Method::PUT, url: &url, media_type: BYTES, body: blob }).map(drop)
    }

    /// Puts a document under `reference`, a tag or its digest.
    pub(in crate::oci) fn publish(&self, reference: &str, document: &Pushed) -> Result<(), RegistryError> {
        let url = self.below(&format!("manifests/{reference}"));
        let Pushed { media_type, json } = document;
        self.write(&Write { method: Method::PUT, url: &url, media_type, body: json }).map(drop)
    }

    fn has_blob(&self, digest: Digest) -> Result<bool, RegistryError> {
        match self.ask(&Method::HEAD, &self.below(&format!("blobs/{digest}")), ANYTHING) {
            Ok(_) => Ok(true),
            Err(RegistryError::NotFound { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Sends `write`, and logs in where the registry wants that. Nothing is written where a redirect leads.
    fn write(&self, write: &Write<'_>) -> Result<Response<Body>, RegistryError> {
        let known = grants::recall(&self.grant).filter(|_| self.client.is_home(write.url));
        let mut response = self.send(write, known.as_ref())?;
        if response.status() == StatusCode::UNAUTHORIZED && self.client.is_home(write.url) {
            grants::forget(&self.grant);
            let authorization = self.log_in(&response)?;
            response = self.send(write, Some(&authorization))?;
        }
        if response.status().is_success() {
            return Ok(response);
        }
        Err(self.complaint(write.url, response))
    }

    fn send(&self, write: &Write<'_>, authorization: Option<&SecretString>) -> Result<Response<Body>, TransportError> {
        let Write { method, url, media_type, body } = write;
        let request = Client::request(method.clone(), url).header(header::CONTENT_TYPE, *media_type);
        self.client.send(url, request, authorization, *body)
    }
}

/// Where the registry wants the content of the upload that `started`.
fn upload_place(start: &Url, started: &Response<Body>) -> Result<Url, RegistryError> {
    let location = started.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    let place = location.and_then(|location| start.join(location).ok());
    let place = place.ok_or_else(|| RegistryError::Malformed("it names no place to upload to".to_owned()))?;
    may_lead(start, &place)?;
    Ok(place)
}
