//! Plain HTTP requests, for what speaks no protocol that a client exists for.

use std::time::Duration;

use ureq::Agent;

const LIMIT: Duration = Duration::from_secs(10);

/// Returns the status and the text that a GET of `url` is answered with.
///
/// # Panics
/// If there is no answer.
pub async fn get(url: &str) -> (u16, String) {
    try_get(url).await.unwrap_or_else(|error| panic!("no answer from {url}: {error}"))
}

/// Returns the status and the text that a GET of `url` is answered with.
///
/// # Errors
/// If there is no answer.
///
/// # Panics
/// If the runtime is being shut down.
pub async fn try_get(url: &str) -> Result<(u16, String), ureq::Error> {
    let url = url.to_owned();
    let request = move || {
        let mut response = agent().get(&url).call()?;
        let status = response.status().as_u16();
        Ok((status, response.body_mut().read_to_string()?))
    };
    tokio::task::spawn_blocking(request).await.expect("a request does not panic")
}

/// Returns the body that a GET of `url` is answered with.
///
/// # Panics
/// If there is no answer, or one of failure.
pub async fn bytes(url: &str) -> Vec<u8> {
    let url = url.to_owned();
    let request = move || {
        let mut response = agent().get(&url).call()?;
        assert!(response.status().is_success(), "{url}: {}", response.status());
        response.body_mut().read_to_vec()
    };
    let answer = tokio::task::spawn_blocking(request).await.expect("a request does not panic");
    answer.unwrap_or_else(|error| panic!("no answer: {error}"))
}

/// Returns the status that a GET of `url` is answered with.
///
/// # Panics
/// If there is no answer.
pub async fn status(url: &str) -> u16 {
    let url = url.to_owned();
    let request = move || agent().get(&url).call().map(|response| response.status().as_u16());
    let answer = tokio::task::spawn_blocking(request).await.expect("a request does not panic");
    answer.unwrap_or_else(|error| panic!("no answer: {error}"))
}

/// Returns the status that a POST of `body` to `url` is answered with.
///
/// # Panics
/// If there is no answer.
pub async fn post(url: &str, headers: &[(&str, &str)], body: &[u8]) -> u16 {
    let request = headers.iter().fold(agent().post(url), |request, (name, value)| request.header(*name, *value));
    let body = body.to_vec();
    let answer =
        tokio::task::spawn_blocking(move || request.send(&body[..]).map(|response| response.status().as_u16()));
    answer.await.expect("a request does not panic").unwrap_or_else(|error| panic!("no answer: {error}"))
}

fn agent() -> Agent {
    Agent::new_with_config(Agent::config_builder().http_status_as_error(false).timeout_global(Some(LIMIT)).build())
}
