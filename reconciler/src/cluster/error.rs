//! Why the API server did not do what was asked.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header::RETRY_AFTER};
use kube::core::{
    Status,
    response::{StatusCause, StatusDetails},
};

/// How much is kept of an answer that is no `Status`, as the page of a load balancer is.
const TEXT_LIMIT_BYTES: usize = 512;

/// A request that failed.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ApiError {
    /// The API server answered, and refused.
    #[error("{}", .0.message)]
    Refused(Box<Status>),
    /// No answer came.
    #[error("the API server cannot be reached: {0}")]
    Unreachable(String),
    /// The answer cannot be read.
    #[error("the API server's answer cannot be read: {0}")]
    Malformed(String),
}

impl ApiError {
    /// The answer with `status`, which is no success: a `Status`, or the text of something on the way.
    pub(super) fn refused(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let mut answer = serde_json::from_slice(body).unwrap_or_else(|_| described(status, body));
        answer.code = status.as_u16();
        let seconds = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        if let Some(retry_after_seconds) = seconds {
            let details = answer.details.unwrap_or_else(no_details);
            answer.details = Some(StatusDetails { retry_after_seconds, ..details });
        }
        Self::Refused(answer.boxed())
    }

    /// How long the API server asks to wait before the same request is sent again.
    pub fn retry_after(&self) -> Option<Duration> {
        let Self::Refused(status) = self else { return None };
        let seconds = status.details.as_ref()?.retry_after_seconds;
        let is_temporary = status.code == 429 || status.code >= 500;
        (is_temporary && seconds > 0).then(|| Duration::from_secs(seconds.into()))
    }

    /// The HTTP status of the answer; 0 if there was none.
    pub fn code(&self) -> u16 {
        match self {
            Self::Refused(status) => status.code,
            Self::Unreachable(_) | Self::Malformed(_) => 0,
        }
    }

    /// The reason in the answer, as `NotFound`; empty if there was none.
    pub fn reason(&self) -> &str {
        match self {
            Self::Refused(status) => &status.reason,
            Self::Unreachable(_) | Self::Malformed(_) => "",
        }
    }

    /// The object or its namespace is not there.
    pub fn is_not_found(&self) -> bool {
        self.code() == 404
    }

    /// The object changed in between, or another manager holds a field.
    pub fn is_conflict(&self) -> bool {
        self.code() == 409 && self.reason() == "Conflict"
    }

    /// The identity may not do this.
    pub fn is_forbidden(&self) -> bool {
        self.code() == 403
    }

    /// The API server serves no such path: the definition of the kind is gone, or not there yet.
    pub fn is_kind_unserved(&self) -> bool {
        let Self::Refused(status) = self else { return false };
        let names_something = |details: &StatusDetails| !details.name.is_empty() || !details.kind.is_empty();
        status.code == 404 && !status.details.as_ref().is_some_and(names_something)
    }

    /// The namespace that the object should be in does not exist.
    pub fn is_namespace_missing(&self) -> bool {
        let Self::Refused(status) = self else { return false };
        status.code == 404 && status.details.as_ref().is_some_and(|details| details.kind == "namespaces")
    }

    /// The namespace that the object should be in is being deleted.
    pub fn is_namespace_terminating(&self) -> bool {
        self.causes().any(|cause| cause.reason == "NamespaceTerminating")
    }

    /// The identity has no role that allows the request; other prohibitions, as of a quota, are none of this.
    pub fn is_right_missing(&self) -> bool {
        matches!(self, Self::Refused(status) if status.code == 403 && status.message.contains("is forbidden: User "))
    }

    /// An admission webhook of the cluster did not answer.
    pub fn is_webhook_failing(&self) -> bool {
        matches!(self, Self::Refused(status) if status.code >= 500 && status.message.contains("failed calling webhook"))
    }

    /// The same request may succeed soon without anyone's doing: overload, restart, a broken connection, a race.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused(status) => match status.code {
                // Our own credentials expired, and are read anew; or the server's load, or its wish to come back.
                401 | 429 => true,
                403 | 405 => self.is_definition_terminating(),
                404 => self.is_kind_unserved(),
                // Someone else wrote the object at the same time.
                409 => self.conflicting_managers().is_empty(),
                code => code >= 500 && !self.is_schema_mismatch(),
            },
            Self::Unreachable(_) | Self::Malformed(_) => true,
        }
    }

    /// The change touches a field that cannot be changed. Only texts that say so count: any other 422 is the
    /// author's mistake, and replacing the object would not mend it.
    pub fn is_immutable_field(&self) -> bool {
        match self {
            Self::Refused(status) => status.code == 422 && IMMUTABLE.iter().any(|text| status.message.contains(text)),
            Self::Unreachable(_) | Self::Malformed(_) => false,
        }
    }

    /// The managers that hold fields which an apply would change, when that is why it failed.
    pub fn conflicting_managers(&self) -> Vec<String> {
        self.causes()
            .filter(|cause| cause.reason == "FieldManagerConflict")
            .filter_map(|cause| Some(cause.message.split('"').nth(1)?.to_owned()))
            .collect()
    }

    /// The fields that the answer complains about.
    pub fn fields(&self) -> Vec<String> {
        self.causes().filter(|cause| !cause.field.is_empty()).map(|cause| cause.field.clone()).collect()
    }

    /// The first field that the answer complains about, one that no schema has included.
    pub fn first_field(&self) -> Option<&str> {
        // `FieldValueInvalid`, `FieldManagerConflict` and their like; other causes are not about what a field holds.
        let mut of_fields = self.causes().filter(|cause| cause.reason.starts_with("Field") && !cause.field.is_empty());
        of_fields.next().map(|cause| cause.field.as_str()).or_else(|| self.undeclared_field())
    }

    /// The field in `…typed patch object (shop/web; apps/v1, Kind=Deployment): .spec.replica: field not declared in schema`.
    fn undeclared_field(&self) -> Option<&str> {
        let Self::Refused(status) = self else { return None };
        let (_, problem) = status.message.split_once("): ").filter(|_| self.is_schema_mismatch())?;
        let (field, _) = problem.trim_start().split_once(": ")?;
        field.starts_with('.').then_some(field)
    }

    fn causes(&self) -> impl Iterator<Item = &StatusCause> {
        let details = match self {
            Self::Refused(status) => status.details.as_ref(),
            Self::Unreachable(_) | Self::Malformed(_) => None,
        };
        details.into_iter().flat_map(|details| &details.causes)
    }

    /// The definition of the kind is being deleted: in a moment the kind is not served any more.
    fn is_definition_terminating(&self) -> bool {
        let says_so = "not allowed while custom resource definition is terminating";
        matches!(self, Self::Refused(status) if status.message.contains(says_so))
    }

    /// An unknown or wrongly typed field: kube-apiserver answers 500 to an apply that names one.
    fn is_schema_mismatch(&self) -> bool {
        matches!(self, Self::Refused(status) if status.message.contains("failed to create typed patch object"))
    }
}

const IMMUTABLE: [&str; 4] = ["field is immutable", "is immutable", "immutable field", "may not change once set"];

impl From<kube::Error> for ApiError {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => Self::Refused(status),
            kube::Error::SerdeError(error) => Self::Malformed(error.to_string()),
            other => Self::Unreachable(chain(&other)),
        }
    }
}

/// An error with its causes, each said once.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}

fn described(status: StatusCode, body: &[u8]) -> Status {
    let text = String::from_utf8_lossy(body);
    let text = text.trim();
    let known = status.canonical_reason().unwrap_or_default();
    let message = if text.is_empty() { known } else { &text[..text.floor_char_boundary(TEXT_LIMIT_BYTES)] };
    Status::failure(message, &known.replace(' ', ""))
}

fn no_details() -> StatusDetails {
    StatusDetails {
        name: String::new(),
        group: String::new(),
        kind: String::new(),
        uid: String::new(),
        causes: Vec::new(),
        retry_after_seconds: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(code: u16, retry_after: Option<&str>, body: &str) -> ApiError {
        let mut headers = HeaderMap::new();
        if let Some(seconds) = retry_after {
            headers.insert(RETRY_AFTER, seconds.parse().expect("a header's value"));
        }
        ApiError::refused(StatusCode::from_u16(code).expect("a status"), &headers, body.as_bytes())
    }

    #[test]
    fn an_answer_that_is_no_status_is_told_by_its_text_or_its_code() {
        let page = "x".repeat(2000);
        let told = [(429, "Too many requests, please try again later.\n"), (502, ""), (503, page.as_str())]
            .map(|(code, body)| refused(code, None, body))
            .map(|error| {
                format!(
                    "{} {}: {} bytes: {:.42}",
                    error.code(),
                    error.reason(),
                    error.to_string().len(),
                    error.to_string()
                )
            });
        insta::assert_snapshot!(told.join("\n"), @r"
        429 TooManyRequests: 42 bytes: Too many requests, please try again later.
        502 BadGateway: 11 bytes: Bad Gateway
        503 ServiceUnavailable: 512 bytes: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx
        ");
    }

    #[test]
    fn a_wish_to_come_back_is_read_from_the_header_or_the_status() {
        let status = r#"{"kind": "Status", "code": 504, "details": {"retryAfterSeconds": 7}}"#;
        let rows = [
            (refused(429, Some("1"), ""), Some(1)),
            (refused(503, Some("30"), "{}"), Some(30)),
            (refused(504, None, status), Some(7)),
            (refused(429, Some("Wed, 21 Oct 2026 07:28:00 GMT"), ""), None),
            (refused(500, None, ""), None),
            (refused(422, Some("1"), ""), None),
        ];
        for (error, seconds) in rows {
            assert_eq!(error.retry_after(), seconds.map(Duration::from_secs), "{error:?}");
        }
    }

    #[test]
    fn the_field_is_named_by_a_cause_or_by_the_words_about_a_schema() {
        let caused = r#"{"code": 422, "message": "Service \"web\" is invalid: spec.ports: Required value",
            "details": {"causes": [{"reason": "FieldValueRequired", "field": "spec.ports", "message": "Required value"}]}}"#;
        let terminating = r#"{"code": 403, "message": "x is forbidden: it is being terminated",
            "details": {"causes": [{"reason": "NamespaceTerminating", "field": "metadata.namespace", "message": "x"}]}}"#;
        let mismatch = r#"{"code": 500, "message": "failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): .spec.replica: field not declared in schema"}"#;
        let rows = [
            (422, caused, Some("spec.ports")),
            (500, mismatch, Some(".spec.replica")),
            (500, r#"{"message": "failed to create typed patch object (x): no: field"}"#, None),
            (403, terminating, None),
            (404, "", None),
        ];
        for (code, body, expected) in rows {
            assert_eq!(refused(code, None, body).first_field(), expected, "{body}");
        }
    }

    #[test]
    fn what_may_mend_itself_is_told_from_what_someone_must_mend() {
        let conflict = r#"{"reason": "Conflict", "details": {"causes": [{"reason": "FieldManagerConflict",
            "message": "conflict with \"helm\" using v1", "field": ".data.x"}]}}"#;
        let rows = [
            (401, "", true),
            (403, "", false),
            (403, "create not allowed while custom resource definition is terminating", true),
            (404, "404 page not found", true),
            (404, r#"{"details": {"kind": "namespaces", "name": "shop"}}"#, false),
            (409, r#"{"reason": "Conflict"}"#, true),
            (409, conflict, false),
            (422, "", false),
            (429, "", true),
            (500, "", true),
            (500, "failed to create typed patch object", false),
            (503, "", true),
        ];
        for (code, body, expected) in rows {
            assert_eq!(refused(code, None, body).is_transient(), expected, "{code} {body}");
        }
    }
}
