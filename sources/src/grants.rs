//! What registries and token servers have granted, so that a poll costs one request and not three.
//!
//! It is kept for the whole process, under a digest of everything that a grant depends on: server, what is read there,
//! credentials and the way there. One tenant's grant is found by nobody who has other credentials.

use std::{
    collections::HashMap,
    sync::{LazyLock, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use fairlead_object::Digest;
use secrecy::SecretString;

/// Most grants that are kept.
const GRANTS_LIMIT: usize = 10_000;

/// How long a grant is used at most.
const LIFETIME_LIMIT: Duration = Duration::from_hours(1);

struct Grant {
    authorization: SecretString,
    until: Instant,
}

fn grants() -> MutexGuard<'static, HashMap<Digest, Grant>> {
    static GRANTS: LazyLock<Mutex<HashMap<Digest, Grant>>> = LazyLock::new(Mutex::default);
    GRANTS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The header that was granted for `key`, if it still holds.
pub(crate) fn recall(key: &Digest) -> Option<SecretString> {
    grants().get(key).filter(|grant| Instant::now() < grant.until).map(|grant| grant.authorization.clone())
}

/// Keeps a header that was granted for `key` for most of its lifetime.
pub(crate) fn keep(key: Digest, authorization: SecretString, lifetime: Duration) {
    let now = Instant::now();
    let mut grants = grants();
    if grants.len() >= GRANTS_LIMIT {
        grants.retain(|_, grant| now < grant.until);
    }
    if grants.len() < GRANTS_LIMIT {
        grants.insert(key, Grant { authorization, until: now + lifetime.min(LIFETIME_LIMIT).mul_f64(0.8) });
    }
}

/// Forgets what was granted for `key`, because it was refused.
pub(crate) fn forget(key: &Digest) {
    grants().remove(key);
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn a_grant_is_kept_until_it_is_forgotten_or_over() {
        let (one, other) = (Digest::of(b"one"), Digest::of(b"other"));
        let recalled = |key| recall(key).map(|header| header.expose_secret().to_owned());
        keep(one, "Bearer a".into(), Duration::from_mins(1));
        keep(other, "Bearer b".into(), Duration::ZERO);
        assert_eq!((recalled(&one).as_deref(), recalled(&other)), (Some("Bearer a"), None));
        forget(&one);
        assert_eq!(recalled(&one), None);
    }
}
