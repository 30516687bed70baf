//! Recognises what kustomize would fetch, so that it can be refused by name.
//!
//! # Follows kustomize
//! A repository is a URL with one of the schemes `ssh`, `http`, `https` and `file`, a `user@host:path`, or a path on
//! `github.com`; `git::` may stand in front.

const SCHEMES: [&str; 4] = ["ssh://", "http://", "https://", "file://"];

/// Whether `written` names a repository.
pub fn is_repository(written: &str) -> bool {
    let lower = written.to_ascii_lowercase();
    let (lower, forced) = lower.strip_prefix("git::").map_or((lower.as_str(), false), |rest| (rest, true));
    let host = lower.split_once('@').map(|(user, host)| (!user.is_empty() && !user.contains('/'), host));
    forced
        || SCHEMES.iter().any(|scheme| lower.starts_with(scheme))
        || lower.starts_with("github.com/")
        || lower.starts_with("github.com:")
        || host.is_some_and(|(is_user, host)| is_user && host.contains([':', '/']))
}

/// Whether `written` names a file that is fetched over HTTP.
pub(crate) fn is_http(written: &str) -> bool {
    let lower = written.to_ascii_lowercase();
    lower.starts_with("http://") || lower.starts_with("https://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repository_is_told_from_a_directory() {
        let rows = [
            ("https://github.com/org/repo//base?ref=v1", true),
            ("github.com/org/repo", true),
            ("git@github.com:org/repo.git", true),
            ("git::ssh://git@host/repo", true),
            ("SSH://host/repo", true),
            ("../base", false),
            ("github.com.example/base", false),
            ("overlays/a@b", false),
        ];
        for (written, expected) in rows {
            assert_eq!(is_repository(written), expected, "{written}");
        }
    }
}
