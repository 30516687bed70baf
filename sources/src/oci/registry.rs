//! The distribution protocol, as far as sources and artifacts need it: tags, manifests and blobs.
//!
//! The first request carries what was granted before. Only a registry that refuses it is asked for a challenge, so that an
//! unchanged tag costs one `HEAD`. Whatever is named by a digest is held to it.

mod upload;

use std::{
    cell::RefCell,
    io::{self, Read},
    time::Duration,
};

use fairlead_object::Digest;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use ureq::{
    Body,
    http::{HeaderMap, Method, Response, StatusCode, header},
};

use super::{
    OciRequest,
    auth::Credentials,
    challenge::Challenge,
    error::RegistryError,
    manifest::{ACCEPTED, Document, Image, Layer, digest},
};
use crate::{
    deadline::Deadline,
    grants,
    secret::keyed_digest,
    transport::{Client, Refusal, TransportError, may_lead, remote_text, retry_after},
    url::{Url, encode},
};

const AGENT: &str = concat!("fairlead/", env!("CARGO_PKG_VERSION"));
const JSON: &str = "application/json";
const ANYTHING: &str = "*/*";

/// Largest manifest or index that is read.
pub(super) const MANIFEST_LIMIT_BYTES: u64 = 4 << 20;
/// Largest page of a list of tags that is read.
const PAGE_LIMIT_BYTES: u64 = 8 << 20;
/// Most pages of a list of tags that are read.
pub(super) const PAGES_LIMIT: usize = 1000;
/// How many tags a page is asked to have.
const PAGE_QUERY: &str = "n=1000";
/// Largest answer of a token server, and longest complaint, that is read.
const ANSWER_LIMIT_BYTES: u64 = 64 << 10;
/// Largest layer that is fetched, unless less is asked for.
pub const LAYER_LIMIT_BYTES: u64 = 1 << 30;
/// How long a token holds whose answer does not say it, and how long user and password do.
const TOKEN_LIFETIME: Duration = Duration::from_mins(1);
const LOGIN_LIFETIME: Duration = Duration::from_hours(1);

/// What may be done with a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Pull,
    PullAndPush,
}

impl Access {
    /// As token servers call it.
    fn actions(self) -> &'static str {
        match self {
            Self::Pull => "pull",
            Self::PullAndPush => "pull,push",
        }
    }
}

/// A repository in a registry, and who reads it.
pub(super) struct Registry<'a> {
    repository: &'a str,
    base: Url,
    credentials: Option<&'a Credentials>,
    client: Client,
    access: Access,
    /// Under which grants are kept.
    grant: Digest,
    /// The largest layer that is taken.
    limit_bytes: u64,
}

impl<'a> Registry<'a> {
    pub(super) fn new(request: &'a OciRequest, deadline: &Deadline) -> Self {
        let OciRequest { url, auth, transport, encryption, .. } = request;
        let base = url.base(*encryption);
        let parts = [base.authority(), auth.fingerprint().hex(), transport.fingerprint().hex()];
        let grant = keyed_digest(parts.iter().map(String::as_bytes).chain([url.repository().as_bytes()]));
        let client = Client::new(base.endpoint(), transport, AGENT, deadline);
        let (access, limit_bytes) = (Access::Pull, request.limit_bytes);
        let credentials = auth.credentials(url);
        Self { repository: url.repository(), base, credentials, client, access, grant, limit_bytes }
    }

    /// The same repository for who writes to it too.
    pub(super) fn writable(self) -> Self {
        let access = Access::PullAndPush;
        let grant = keyed_digest([self.grant.hex().as_bytes(), access.actions().as_bytes()]);
        Self { access, grant, ..self }
    }

    /// The digest of what stands under `tag`.
    pub(super) fn digest(&self, tag: &str) -> Result<Digest, RegistryError> {
        let url = self.below(&format!("manifests/{tag}"));
        let head = match self.ask(&Method::HEAD, &url, ACCEPTED) {
            Err(error @ (RegistryError::Transport(_) | RegistryError::Refused(Refusal::Busy { .. }))) => {
                return Err(error);
            }
            head => head.ok(),
        };
        let named = head.as_ref().and_then(|(_, head)| head.headers().get("docker-content-digest"));
        if let Some(named) = named.and_then(|value| value.to_str().ok()).and_then(|value| digest(value).ok()) {
            return Ok(named);
        }
        Ok(Digest::of(&self.read(&url, ACCEPTED, "the manifest", MANIFEST_LIMIT_BYTES)?))
    }

    /// The image at `digest`, or the one for our platform in the index at `digest`.
    pub(super) fn image(&self, digest: Digest) -> Result<Image, RegistryError> {
        let nested = match self.document(digest)? {
            Document::Image(image) => return Ok(image),
            Document::Index(nested) => nested,
        };
        match self.document(nested)? {
            Document::Image(image) => Ok(image),
            Document::Index(_) => Err(RegistryError::Malformed("the index names another index".to_owned())),
        }
    }

    fn document(&self, wanted: Digest) -> Result<Document, RegistryError> {
        Document::parse(&self.manifest(wanted)?.json)
    }

    /// The document at `wanted` as it was pushed.
    pub(super) fn manifest(&self, wanted: Digest) -> Result<Pushed, RegistryError> {
        let url = self.below(&format!("manifests/{wanted}"));
        let (at, response) = self.ask(&Method::GET, &url, ACCEPTED)?;
        let media_type = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let media_type = media_type.unwrap_or_default().to_owned();
        let json = self.read_body(&at, response, "the manifest", MANIFEST_LIMIT_BYTES)?;
        let got = Digest::of(&json);
        if got != wanted {
            return Err(RegistryError::WrongDigest { what: "the manifest", wanted, got });
        }
        Ok(Pushed { media_type, json })
    }

    /// All tags.
    pub(super) fn tags(&self) -> Result<Vec<String>, RegistryError> {
        #[derive(Deserialize)]
        struct Page {
            tags: Option<Vec<String>>,
        }
        let mut tags = Vec::new();
        let mut url = self.base.with(&self.path("tags/list"), [PAGE_QUERY]);
        for _ in 0..PAGES_LIMIT {
            let (at, response) = self.get(&url, JSON)?;
            let next = next_page(response.headers()).map(str::to_owned);
            let json = self.read_body(&at, response, "the list of tags", PAGE_LIMIT_BYTES)?;
            let page: Page = serde_json::from_slice(&json)
                .map_err(|error| RegistryError::Malformed(format!("the list of tags cannot be read: {error}")))?;
            tags.extend(page.tags.unwrap_or_default());
            let Some(next) = next else { return Ok(tags) };
            url = self.page(&at, &next)?;
        }
        Err(RegistryError::Limit { what: "the list of tags", limit: format!("{PAGES_LIMIT} pages") })
    }

    /// The next page of a list, which is at the same registry.
    pub(super) fn page(&self, at: &Url, link: &str) -> Result<Url, RegistryError> {
        let problem = "where a list of tags does not go on";
        let refused = |target| TransportError::Redirect { target, problem };
        let url = at.join(link).map_err(|_| refused("another place".to_owned()))?;
        if self.client.is_home(&url) { Ok(url) } else { Err(refused(url.to_string()).into()) }
    }

    /// The content of `layer`. What goes wrong while it is read is put into `failure` too, because whoever reads it may
    /// wrap it up.
    pub(super) fn blob<'b>(
        &self,
        layer: &Layer,
        failure: &'b RefCell<Option<RegistryError>>,
    ) -> Result<Verified<'b, impl Read + use<>>, RegistryError> {
        if layer.size_bytes > self.limit_bytes {
            return Err(RegistryError::Limit { what: "the layer", limit: format!("{} bytes", self.limit_bytes) });
        }
        let url = self.below(&format!("blobs/{}", layer.digest));
        let (at, response) = self.get(&url, ANYTHING)?;
        let from = self.client.body(&at, response);
        Ok(Verified { from, layer: layer.clone(), hasher: Sha256::new(), bytes: 0, is_over: false, failure })
    }

    fn path(&self, rest: &str) -> String {
        format!("/v2/{}/{rest}", self.repository)
    }

    pub(super) fn below(&self, rest: &str) -> Url {
        self.base.with(&self.path(rest), [])
    }

    pub(super) fn read(
        &self,
        url: &Url,
        accept: &'static str,
        what: &'static str,
        limit_bytes: u64,
    ) -> Result<Vec<u8>, RegistryError> {
        let (at, response) = self.get(url, accept)?;
        self.read_body(&at, response, what, limit_bytes)
    }

    pub(super) fn read_body(
        &self,
        at: &Url,
        response: Response<Body>,
        what: &'static str,
        limit_bytes: u64,
    ) -> Result<Vec<u8>, RegistryError> {
        let mut content = Vec::new();
        let body = self.client.body(at, response);
        body.take(limit_bytes + 1).read_to_end(&mut content).map_err(RegistryError::of_body)?;
        if content.len() as u64 > limit_bytes {
            return Err(RegistryError::Limit { what, limit: format!("{limit_bytes} bytes") });
        }
        Ok(content)
    }

    /// Asks for what is at `url`.
    pub(super) fn get(&self, url: &Url, accept: &'static str) -> Result<(Url, Response<Body>), RegistryError> {
        self.ask(&Method::GET, url, accept)
    }

    /// Asks for `url`, and logs in where the registry wants that.
    fn ask(&self, method: &Method, url: &Url, accept: &'static str) -> Result<(Url, Response<Body>), RegistryError> {
        let known = grants::recall(&self.grant);
        let (at, response) = self.client.follow(method, url, accept, known.as_ref())?;
        if response.status() != StatusCode::UNAUTHORIZED || !self.client.is_home(&at) {
            return self.answer(at, response);
        }
        grants::forget(&self.grant);
        let authorization = self.log_in(&response)?;
        let (at, response) = self.client.follow(method, url, accept, Some(&authorization))?;
        if response.status() == StatusCode::UNAUTHORIZED {
            grants::forget(&self.grant);
        }
        self.answer(at, response)
    }

    fn answer(&self, at: Url, response: Response<Body>) -> Result<(Url, Response<Body>), RegistryError> {
        if response.status() == StatusCode::OK {
            return Ok((at, response));
        }
        Err(self.complaint(&at, response))
    }

    /// What an answer means that is not the one that was hoped for.
    fn complaint(&self, at: &Url, response: Response<Body>) -> RegistryError {
        let status = response.status();
        let retry_after = retry_after(response.headers());
        let said = self.said(at, response);
        match status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if self.credentials.is_none() => {
                RegistryError::Unauthenticated("the registry wants credentials, and there are none for it")
            }
            StatusCode::NOT_FOUND => RegistryError::NotFound { what: self.name_of(at), said },
            status => Refusal::new(status, said, retry_after).into(),
        }
    }

    /// What was asked for at `url`; of another server only the host is named.
    fn name_of(&self, url: &Url) -> String {
        let path = url.path().strip_prefix("/v2/").filter(|_| self.client.is_home(url));
        path.map_or_else(|| url.endpoint().host_port(), |path| format!("`{path}`"))
    }

    /// What a registry says of a request that it refuses: the first of its errors, or the status in words.
    fn said(&self, at: &Url, response: Response<Body>) -> String {
        #[derive(Deserialize)]
        struct ErrorBody {
            errors: Vec<Complaint>,
        }
        #[derive(Deserialize)]
        struct Complaint {
            code: String,
            #[serde(default)]
            message: String,
        }
        let in_words = response.status().canonical_reason().unwrap_or("no reason").to_owned();
        let body = self.read_body(at, response, "the complaint", ANSWER_LIMIT_BYTES).unwrap_or_default();
        let body: Option<ErrorBody> = serde_json::from_slice(&body).ok();
        match body.and_then(|body| body.errors.into_iter().next()) {
            Some(Complaint { code, message }) => remote_text(format!("{code}: {message}").as_bytes()),
            None => in_words,
        }
    }

    /// The header that `refused` asks for.
    fn log_in(&self, refused: &Response<Body>) -> Result<SecretString, RegistryError> {
        let (authorization, lifetime) = match (Challenge::of(refused.headers()), self.credentials) {
            (_, Some(Credentials::Bearer(given))) => (given.clone(), LOGIN_LIFETIME),
            (Some(Challenge::Basic), Some(Credentials::Basic(login))) => (login.clone(), LOGIN_LIFETIME),
            (Some(Challenge::Basic), Some(Credentials::Identity(_)) | None) => {
                return Err(RegistryError::Unauthenticated(
                    "the registry wants user and password, and there are none for it",
                ));
            }
            (Some(Challenge::Bearer { realm, service }), _) => self.token(&realm, service.as_deref())?,
            (None, _) => {
                return Err(RegistryError::Malformed("the registry refuses without saying what it wants".to_owned()));
            }
        };
        grants::keep(self.grant, authorization.clone(), lifetime);
        Ok(authorization)
    }

    /// Asks the server at `realm` for a token that lets us into the repository.
    fn token(&self, realm: &str, service: Option<&str>) -> Result<(SecretString, Duration), RegistryError> {
        let realm = Url::parse_http(realm)
            .map_err(|_| RegistryError::Malformed("the registry names no URL of a token server".to_owned()))?;
        may_lead(&self.base, &realm)?;
        let mut query =
            vec![format!("scope={}", encode(&format!("repository:{}:{}", self.repository, self.access.actions())))];
        query.extend(service.map(|service| format!("service={}", encode(service))));
        let response = match self.credentials {
            Some(Credentials::Identity(token)) => self.exchange(&realm, token, &query)?,
            Some(Credentials::Basic(login)) => self.get_token(&realm, Some(login), &query)?,
            Some(Credentials::Bearer(_)) | None => self.get_token(&realm, None, &query)?,
        };
        if response.status() == StatusCode::OK {
            return Granted::read(&self.read_body(&realm, response, "the token", ANSWER_LIMIT_BYTES)?);
        }
        Err(self.complaint(&realm, response))
    }

    fn get_token(
        &self,
        realm: &Url,
        login: Option<&SecretString>,
        query: &[String],
    ) -> Result<Response<Body>, TransportError> {
        let own = realm.query().map(ExposeSecret::expose_secret);
        let url = realm.with(realm.path(), own.into_iter().chain(query.iter().map(String::as_str)));
        self.client.send(&url, Client::request(Method::GET, &url).header(header::ACCEPT, JSON), login, ())
    }

    /// Gives a long-lived token for one that reads the repository.
    fn exchange(&self, realm: &Url, token: &SecretString, query: &[String]) -> Result<Response<Body>, TransportError> {
        let own = ["grant_type=refresh_token", "client_id=fairlead"].map(str::to_owned);
        let refresh = format!("refresh_token={}", encode(token.expose_secret()));
        let form: Vec<String> = own.into_iter().chain(query.iter().cloned()).chain([refresh]).collect();
        let request = Client::request(Method::POST, realm)
            .header(header::ACCEPT, JSON)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.client.send(realm, request, None, form.join("&").as_bytes())
    }
}

/// A document as it was pushed.
pub(super) struct Pushed {
    pub(super) media_type: String,
    pub(super) json: Vec<u8>,
}

/// The answer of a token server.
#[derive(Deserialize)]
struct Granted {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

impl Granted {
    /// The header that a token makes, and how long it holds.
    fn read(json: &[u8]) -> Result<(SecretString, Duration), RegistryError> {
        let malformed = |problem: &str| RegistryError::Malformed(problem.to_owned());
        let answer: Self =
            serde_json::from_slice(json).map_err(|_| malformed("the answer of the token server cannot be read"))?;
        let token = [answer.token, answer.access_token].into_iter().flatten().find(|token| !token.is_empty());
        let token = token.ok_or_else(|| malformed("the token server gives no token"))?;
        if !token.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(malformed("the token cannot stand in a header"));
        }
        let lifetime = answer.expires_in.map_or(TOKEN_LIFETIME, Duration::from_secs).max(TOKEN_LIFETIME);
        Ok((SecretString::from(format!("Bearer {token}")), lifetime))
    }
}

/// The target of a `Link` header to the next page.
pub(super) fn next_page(headers: &HeaderMap) -> Option<&str> {
    let links = headers.get_all(header::LINK).iter().filter_map(|value| value.to_str().ok());
    links.flat_map(|value| value.split(',')).find_map(|link| {
        let (target, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = |parameter: &str| matches!(parameter.trim(), "rel=next" | "rel=\"next\"");
        parameters.split(';').any(is_next).then_some(target)
    })
}

/// The content of a layer, held to the size and digest that its manifest gives it.
pub(super) struct Verified<'a, R> {
    from: R,
    layer: Layer,
    hasher: Sha256,
    bytes: u64,
    is_over: bool,
    failure: &'a RefCell<Option<RegistryError>>,
}

impl<R: Read> Verified<'_, R> {
    /// Reads what is left, so that all of it has been verified.
    pub(super) fn finish(mut self) -> Result<(), RegistryError> {
        let copied = io::copy(&mut self, &mut io::sink());
        match self.failure.take() {
            Some(failure) => Err(failure),
            None => copied.map(drop).map_err(RegistryError::of_body),
        }
    }

    fn next(&mut self, buffer: &mut [u8]) -> Result<usize, RegistryError> {
        let length = self.from.read(buffer).map_err(RegistryError::of_body)?;
        self.hasher.update(&buffer[..length]);
        self.bytes += length as u64;
        let wanted = self.layer.size_bytes;
        if self.bytes > wanted {
            return Err(RegistryError::Malformed(format!("the layer is longer than {wanted} bytes")));
        }
        if length == 0 && !buffer.is_empty() {
            self.is_over = true;
            self.check()?;
        }
        Ok(length)
    }

    fn check(&self) -> Result<(), RegistryError> {
        if self.bytes < self.layer.size_bytes {
            return Err(RegistryError::Short { wanted: self.layer.size_bytes, got: self.bytes });
        }
        let got = Digest::from_bytes(self.hasher.clone().finalize().into());
        if got == self.layer.digest {
            return Ok(());
        }
        Err(RegistryError::WrongDigest { what: "the layer", wanted: self.layer.digest, got })
    }
}

impl<R: Read> Read for Verified<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.is_over {
            return Ok(0);
        }
        self.next(buffer).map_err(|failure| {
            let text = failure.to_string();
            self.failure.replace(Some(failure));
            io::Error::other(text)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_where_a_link_says() {
        let rows = [
            (r#"</v2/x/tags/list?last=a&n=2>; rel="next""#, Some("/v2/x/tags/list?last=a&n=2")),
            (r#"<https://r/a>; rel="prev", <https://r/b>; rel=next"#, Some("https://r/b")),
            (r#"<https://r/a>; rel="prev""#, None),
            ("https://r/a; rel=next", None),
            ("", None),
        ];
        for (value, expected) in rows {
            let headers = HeaderMap::from_iter([(header::LINK, value.parse().expect("a header"))]);
            assert_eq!(next_page(&headers), expected, "{value}");
        }
    }

    #[test]
    fn a_token_is_read_from_either_field() {
        let shown = |json: &str| match Granted::read(json.as_bytes()) {
            Ok((header, lifetime)) => format!("{} {lifetime:?}", header.expose_secret()),
            Err(error) => error.to_string(),
        };
        let rows = [
            (r#"{"token":"a","expires_in":300}"#, "Bearer a 300s"),
            (r#"{"access_token":"b"}"#, "Bearer b 60s"),
            (r#"{"token":"","access_token":"b","expires_in":1}"#, "Bearer b 60s"),
            (r#"{"token":"a\nb"}"#, "malformed answer: the token cannot stand in a header"),
            ("{}", "malformed answer: the token server gives no token"),
            ("<html>", "malformed answer: the answer of the token server cannot be read"),
        ];
        for (json, expected) in rows {
            assert_eq!(shown(json), expected, "{json}");
        }
    }

    #[test]
    fn a_layer_is_taken_only_whole_and_as_its_manifest_says() {
        let read = |content: &str, digest_of: &str, size_bytes: u64| {
            let failure = RefCell::new(None);
            let layer = Layer { media_type: String::new(), digest: Digest::of(digest_of.as_bytes()), size_bytes };
            let from = content.as_bytes();
            let layer = Verified { from, layer, hasher: Sha256::new(), bytes: 0, is_over: false, failure: &failure };
            layer.finish().map_or_else(|error| error.to_string(), |()| "whole".to_owned())
        };
        assert_eq!(read("abc", "abc", 3), "whole");
        assert_eq!(read("abc", "abc", 4), "the answer ended after 3 of 4 bytes");
        assert_eq!(read("abc", "abc", 2), "malformed answer: the layer is longer than 2 bytes");
        assert!(read("abc", "abd", 3).starts_with("the layer has digest sha256:ba7816bf"));
    }
}
