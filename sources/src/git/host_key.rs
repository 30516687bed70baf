//! Asking an SSH server for its key, for who writes a `known_hosts` and has no other way to learn it.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use russh::{
    client,
    keys::{PublicKey, PublicKeyOrCertificate},
};

use super::{CloneError, GitUrl, known_hosts::host_name};
use crate::{deadline::Deadline, transport::TransportError};

/// Returns the key that the server of `url` shows first, as a line of `known_hosts`. Whoever answers is believed.
pub async fn scan_host_key(url: &GitUrl, timeout: Duration) -> Result<String, CloneError> {
    let endpoint = url.endpoint();
    let name = host_name(&endpoint.host, endpoint.port);
    let (deadline, _guard) = Deadline::after(timeout);
    let shown = Arc::new(Mutex::new(None));
    let config = Arc::new(client::Config { inactivity_timeout: Some(timeout), ..client::Config::default() });
    let connecting = client::connect(config, (endpoint.host.as_str(), endpoint.port), Glance(Arc::clone(&shown)));
    let connected = deadline.wait(connecting).await?;
    let key = shown.lock().unwrap_or_else(PoisonError::into_inner).take();
    match (key, connected) {
        (Some(key), _) => Ok(line(&name, &key)),
        (None, Err(russh::Error::IO(error))) => {
            Err(TransportError::Connect { host: name, problem: error.to_string() }.into())
        }
        (None, Err(error)) => Err(CloneError::Ssh(format!("handshake with {name} failed: {error}"))),
        (None, Ok(_)) => Err(CloneError::Ssh(format!("{name} shows no key"))),
    }
}

fn line(name: &str, key: &PublicKey) -> String {
    let key = key.to_openssh().expect("a public key is written as it is");
    format!("{name} {key}\n")
}

/// Looks at a server's key, and goes no further.
struct Glance(Arc<Mutex<Option<PublicKey>>>);

impl client::Handler for Glance {
    type Error = russh::Error;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, russh::Error> {
        if let PublicKeyOrCertificate::PublicKey { key, .. } = key {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).replace(key.clone());
        }
        Ok(false)
    }
}
