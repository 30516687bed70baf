//! Why the API server did not do what was asked.

use kube::core::Status;

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

    /// The watch or list began at a version that the server no longer has.
    pub fn is_expired(&self) -> bool {
        self.code() == 410
    }

    /// The same request may succeed later without anyone's doing: overload, restart, a broken connection.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Refused(status) => status.code == 429 || status.code >= 500 && !self.is_schema_mismatch(),
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

    /// The managers that hold fields which an apply would change, with the fields, when that is why it failed.
    pub fn conflicting_managers(&self) -> Vec<String> {
        let Self::Refused(status) = self else { return Vec::new() };
        let causes = status.details.iter().flat_map(|details| &details.causes);
        causes
            .filter(|cause| cause.reason == "FieldManagerConflict")
            .filter_map(|cause| Some(cause.message.split('"').nth(1)?.to_owned()))
            .collect()
    }

    /// The fields that the answer complains about.
    pub fn fields(&self) -> Vec<String> {
        let Self::Refused(status) = self else { return Vec::new() };
        let causes = status.details.iter().flat_map(|details| &details.causes);
        causes.filter(|cause| !cause.field.is_empty()).map(|cause| cause.field.clone()).collect()
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
