//! Asking the services that give something for an identity.

use std::{fs, io::Read, time::Duration};

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use ureq::http::Method;

use super::{Environment, IdentityError};
use crate::{
    deadline::Deadline,
    transport::{Client, Transport, remote_text},
    url::{Url, encode},
};

const AGENT: &str = concat!("fairlead/", env!("CARGO_PKG_VERSION"));
/// Largest answer that is read.
const ANSWER_LIMIT_BYTES: u64 = 1 << 20;

/// What it takes to ask.
pub(super) struct Exchange<'a> {
    pub(super) environment: &'a Environment,
    pub(super) now: Timestamp,
    pub(super) deadline: &'a Deadline,
}

/// A question to a service.
pub(super) struct Question<'a> {
    /// What the service is called.
    pub(super) from: &'static str,
    pub(super) method: Method,
    pub(super) url: &'a Url,
    pub(super) headers: Vec<(&'static str, SecretString)>,
    pub(super) body: String,
}

impl Exchange<'_> {
    /// The body of the answer.
    ///
    /// # Errors
    /// If there is none, or its status is another than 200.
    pub(super) fn ask(&self, question: Question<'_>) -> Result<Vec<u8>, IdentityError> {
        let Question { from, method, url, headers, body } = question;
        let failed = |source| IdentityError::Transport { from, source };
        let client = Client::new(url.endpoint(), &Transport::default(), AGENT, self.deadline).for_the_cloud();
        let request = Client::request(method.clone(), url);
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(*name, value.expose_secret()));
        let sent = if method == Method::GET {
            client.send(url, request, None, ())
        } else {
            client.send(url, request, None, body.as_bytes())
        };
        let response = sent.map_err(failed)?;
        let status = response.status().as_u16();
        let mut answer = Vec::new();
        let read = client.body(url, response).take(ANSWER_LIMIT_BYTES).read_to_end(&mut answer);
        if status != 200 {
            return Err(IdentityError::Refused { from, status, said: remote_text(&answer) });
        }
        read.map_err(|_| IdentityError::Malformed { from, problem: "answers and does not end" })?;
        Ok(answer)
    }

    /// The answer to a form, as JSON.
    pub(super) fn ask_form<T: DeserializeOwned>(
        &self,
        from: &'static str,
        url: &Url,
        fields: &[(&str, &str)],
    ) -> Result<T, IdentityError> {
        let headers = vec![("content-type", "application/x-www-form-urlencoded".into())];
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encode(value))).collect();
        let answer = self.ask(Question { from, method: Method::POST, url, headers, body: fields.join("&") })?;
        json(from, &answer)
    }

    /// How long it is until `time`.
    pub(super) fn until(&self, time: Timestamp) -> Duration {
        time.duration_since(self.now).try_into().unwrap_or_default()
    }
}

/// The text of a file that the environment names.
pub(super) fn text_of(path: &str) -> Result<String, IdentityError> {
    let text = fs::read_to_string(path).map_err(|source| IdentityError::File { path: path.to_owned(), source })?;
    Ok(text.trim().to_owned())
}

/// Reads an answer that should be JSON.
pub(super) fn json<T: DeserializeOwned>(from: &'static str, answer: &[u8]) -> Result<T, IdentityError> {
    serde_json::from_slice(answer)
        .map_err(|_| IdentityError::Malformed { from, problem: "gives an answer that cannot be read" })
}
