//! Google's keys, fetched when a token names one that is not known.

use std::{sync::Arc, time::Duration};

use tokio::{sync::Mutex, time::Instant};

use super::google::GoogleKeys;

const URL: &str = "https://www.googleapis.com/oauth2/v3/certs";

/// How long keys are believed to be all.
const FRESH_FOR: Duration = Duration::from_hours(1);
/// How long nobody is asked again, whatever keys tokens name.
const ASKED_AGAIN_AFTER: Duration = Duration::from_mins(1);
/// How long an answer may take.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);
/// Largest answer that is read.
const ANSWER_LIMIT_BYTES: u64 = 1 << 20;

/// Google's keys could not be fetched.
#[derive(Debug, thiserror::Error)]
#[error("cannot fetch {URL}: {0}")]
pub(super) struct KeysError(String);

/// Google's keys, as they were fetched last.
#[derive(Default)]
pub(super) struct Certificates(Mutex<Option<(Instant, Arc<GoogleKeys>)>>);

impl Certificates {
    /// The keys; the one that signed the token in the header `authorization` is among them, if Google has it.
    pub(super) async fn keys(&self, authorization: Option<&[u8]>) -> Result<Arc<GoogleKeys>, KeysError> {
        let mut kept = self.0.lock().await;
        if let Some((fetched_at, keys)) = &*kept {
            let age = fetched_at.elapsed();
            if age < ASKED_AGAIN_AFTER || (age < FRESH_FOR && keys.has_key_of(authorization)) {
                return Ok(Arc::clone(keys));
            }
        }
        let fetched = tokio::task::spawn_blocking(fetch).await;
        let keys = Arc::new(fetched.map_err(|error| KeysError(error.to_string()))??);
        *kept = Some((Instant::now(), Arc::clone(&keys)));
        Ok(keys)
    }
}

fn fetch() -> Result<GoogleKeys, KeysError> {
    let failed = |error: ureq::Error| KeysError(error.to_string());
    let agent: ureq::Agent = ureq::Agent::config_builder().timeout_global(Some(ANSWER_LIMIT)).build().into();
    let mut response = agent.get(URL).call().map_err(failed)?;
    let json = response.body_mut().with_config().limit(ANSWER_LIMIT_BYTES).read_to_vec().map_err(failed)?;
    GoogleKeys::parse(&json).ok_or_else(|| KeysError("the answer is not a set of keys".to_owned()))
}
