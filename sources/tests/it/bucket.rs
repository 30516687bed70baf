//! Buckets, against programs that stand in for the services and against one that does what it should not.

mod azurite;
mod moto;
mod stub;

use std::time::Duration;

use fairlead_sources::{
    bucket::{BucketAccount, BucketError, BucketRequest, Fetched, Listing, S3Account, S3Keys, fetch, resolve},
    fetch::SourceError,
    transport::{Encryption, Transport},
};
use jiff::Timestamp;

use crate::{
    git::secret,
    scene::{Scene, chain},
};

/// Longer than anything here takes on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// The time by which requests are signed. Services compare it with their own.
#[expect(clippy::disallowed_methods, reason = "the services have a clock of their own")]
fn now() -> Timestamp {
    Timestamp::now()
}

fn request(account: BucketAccount, prefix: &str) -> BucketRequest {
    BucketRequest {
        bucket: "shop".into(),
        prefix: prefix.into(),
        account,
        transport: Transport::default(),
        timeout: PATIENCE,
    }
}

/// An S3 service on this machine, asked with keys.
fn s3(port: u16, access_key: &str, secret_key: &str) -> BucketAccount {
    let keys = S3Keys::from_secret(&secret([("accesskey", access_key), ("secretkey", secret_key)])).expect("keys");
    let account = S3Account::anonymous(&format!("127.0.0.1:{port}"), None, Encryption::Off).expect("a host");
    BucketAccount::S3(account.with_keys(keys))
}

/// Lists and fetches at once.
async fn pull(scene: &Scene, request: &BucketRequest, ignore: Option<&str>) -> Result<(Listing, Fetched), BucketError> {
    let listing = resolve(request, ignore, now()).await?;
    let fetched = fetch(request, &listing, &scene.store, now()).await?;
    Ok((listing, fetched))
}

/// An error as the command line prints it, with its hint; ports are not shown.
fn told(error: &BucketError, port: u16) -> String {
    let hint = error.hint().map(|hint| format!("\nhint: {hint}")).unwrap_or_default();
    format!("{}: {}{hint}", error.reason(), chain(error)).replace(&port.to_string(), "PORT")
}

/// The error of something that must not succeed.
fn refusal<T>(outcome: Result<T, BucketError>) -> BucketError {
    match outcome {
        Ok(_) => panic!("this must fail"),
        Err(error) => error,
    }
}
