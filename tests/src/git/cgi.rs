//! `git http-backend`: the server side of Git over HTTP as Git itself implements it.

use std::{io, path::Path, process::Stdio};

use axum::{
    body::Body,
    http::{HeaderMap, Response, StatusCode, request::Parts},
};
use tokio::{io::AsyncWriteExt, process::Command};

/// Answers one request for a repository below `root`, as `user` if the request was authenticated.
///
/// # Errors
/// If `git` cannot be started, or its answer is not one of CGI.
pub async fn http_backend(root: &Path, user: Option<&str>, request: &Parts, body: &[u8]) -> io::Result<Response<Body>> {
    let mut backend = fairlead_tools::command("git");
    backend
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("HOME", root)
        .env("REQUEST_METHOD", request.method.as_str())
        .env("PATH_INFO", request.uri.path())
        .env("QUERY_STRING", request.uri.query().unwrap_or_default())
        .env("CONTENT_LENGTH", body.len().to_string())
        .env("CONTENT_TYPE", text(&request.headers, "content-type"))
        .env("HTTP_CONTENT_ENCODING", text(&request.headers, "content-encoding"))
        .env("HTTP_GIT_PROTOCOL", text(&request.headers, "git-protocol"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if let Some(user) = user {
        backend.env("REMOTE_USER", user);
    }
    let mut child = Command::from(backend).kill_on_drop(true).spawn()?;
    let mut input = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    let (sent, output) = tokio::join!(
        async move {
            input.write_all(body).await?;
            input.shutdown().await
        },
        child.wait_with_output()
    );
    // A backend that refuses a request does not read all of it.
    sent.or_else(|error| if error.kind() == io::ErrorKind::BrokenPipe { Ok(()) } else { Err(error) })?;
    parse(&output?.stdout).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))
}

/// Reads a CGI answer: header lines, an empty line, the body.
fn parse(output: &[u8]) -> Option<Response<Body>> {
    let end = output.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&output[..end]).ok()?;
    let mut response = Response::new(Body::from(output[end + 4..].to_vec()));
    for line in head.lines() {
        let (name, value) = line.split_once(": ")?;
        if name.eq_ignore_ascii_case("status") {
            *response.status_mut() = StatusCode::from_bytes(value.get(..3)?.as_bytes()).ok()?;
        } else {
            let name: http::HeaderName = name.parse().ok()?;
            response.headers_mut().insert(name, value.parse().ok()?);
        }
    }
    Some(response)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> &'a str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_the_status_and_headers_that_the_backend_wrote() {
        let response = parse(b"Status: 403 Forbidden\r\nContent-Type: text/plain\r\n\r\nno").unwrap();
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
        assert_eq!(text(response.headers(), "content-type"), "text/plain");
        assert!(parse(b"fatal: not a git repository").is_none());
    }
}
