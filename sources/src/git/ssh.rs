//! Git over SSH: `git-upload-pack` on the server, spoken to through one channel.
//!
//! The server proves itself first: without a line of `known_hosts` for it, nothing is sent to it.

use std::{
    borrow::Cow,
    io::{self, Read},
    net::SocketAddr,
    sync::Arc,
};

use russh::{
    Channel, ChannelMsg, Preferred,
    client::{self, AuthResult, Handle},
    keys::{PrivateKeyWithHashAlg, PublicKeyOrCertificate},
};
use secrecy::ExposeSecret;
use tokio::{net::lookup_host, runtime};

use super::{
    GitUrl,
    auth::SshCredentials,
    error::CloneError,
    known_hosts::{Verdict, fingerprint, host_name},
    upload_pack::Wire,
};
use crate::{
    deadline::Deadline,
    transport::{Egress, TransportError, remote_text},
    url::Endpoint,
};

/// Who logs in where the URL does not say.
const DEFAULT_USER: &str = "git";

/// How much of what a server writes beside the protocol is kept for an error.
const COMPLAINT_LIMIT_BYTES: usize = 4 << 10;

/// A conversation over SSH. Its methods block, and must not be called from an async task.
pub(super) struct SshWire {
    runtime: runtime::Handle,
    /// Keeps the connection open.
    _session: Handle<ServerCheck>,
    channel: Channel<client::Msg>,
    received: io::Cursor<Vec<u8>>,
    complaint: Vec<u8>,
    host: String,
    deadline: Deadline,
}

impl SshWire {
    pub(super) fn connect(url: &GitUrl, credentials: &SshCredentials, deadline: &Deadline) -> Result<Self, CloneError> {
        let runtime = runtime::Handle::current();
        let (session, channel) = runtime.block_on(deadline.wait(open(url, credentials, deadline)))??;
        Ok(Self {
            runtime,
            _session: session,
            channel,
            received: io::Cursor::default(),
            complaint: Vec::new(),
            host: host_of(url),
            deadline: deadline.clone(),
        })
    }

    /// Waits for bytes; none are left when the server has closed the channel.
    fn receive(&mut self) -> Result<(), CloneError> {
        loop {
            match self.runtime.block_on(self.deadline.wait(self.channel.wait()))? {
                Some(ChannelMsg::Data { data }) => {
                    self.received = io::Cursor::new(data.to_vec());
                    return Ok(());
                }
                Some(ChannelMsg::ExtendedData { data, .. }) => {
                    let room = COMPLAINT_LIMIT_BYTES.saturating_sub(self.complaint.len());
                    self.complaint.extend(data.iter().take(room));
                }
                Some(ChannelMsg::Failure) => {
                    return Err(CloneError::Ssh(format!("{} does not run git-upload-pack", self.host)));
                }
                Some(ChannelMsg::Close) | None => return self.end(),
                Some(_) => {}
            }
        }
    }

    /// A server that closes the channel has said why, or is done.
    fn end(&self) -> Result<(), CloneError> {
        match remote_text(&self.complaint) {
            complaint if complaint.is_empty() => Ok(()),
            complaint => Err(CloneError::Remote(complaint)),
        }
    }
}

impl Read for SshWire {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.received.position() == self.received.get_ref().len() as u64 {
            self.receive().map_err(io::Error::other)?;
        }
        self.received.read(buffer)
    }
}

impl Wire for SshWire {
    fn greeting(&mut self) -> Result<Box<dyn Read + '_>, CloneError> {
        Ok(Box::new(self))
    }

    fn ask(&mut self, question: Vec<u8>) -> Result<Box<dyn Read + '_>, CloneError> {
        self.runtime.block_on(self.deadline.wait(self.channel.data_bytes(question)))?.map_err(ssh_failed)?;
        Ok(Box::new(self))
    }
}

fn host_of(url: &GitUrl) -> String {
    let endpoint = url.endpoint();
    host_name(&endpoint.host, endpoint.port)
}

async fn open(
    url: &GitUrl,
    credentials: &SshCredentials,
    deadline: &Deadline,
) -> Result<(Handle<ServerCheck>, Channel<client::Msg>), CloneError> {
    let endpoint = url.endpoint();
    let check =
        ServerCheck { host: endpoint.host.clone(), port: endpoint.port, known_hosts: credentials.known_hosts.clone() };
    let config = Arc::new(config(&check, deadline));
    let addresses = addresses(&endpoint, &Egress::of_process()).await?;
    let mut session =
        client::connect(config, addresses.as_slice(), check).await.map_err(|error| error.named(&host_of(url)))?;
    authenticate(&mut session, url, credentials).await?;
    let channel = start_upload_pack(&session, &url.decoded_path()).await.map_err(ssh_failed)?;
    Ok((session, channel))
}

/// The addresses of a server that may be connected to.
async fn addresses(endpoint: &Endpoint, egress: &Egress) -> Result<Vec<SocketAddr>, TransportError> {
    let Endpoint { host, port, .. } = endpoint;
    let failed =
        |error: io::Error| TransportError::Connect { host: host_name(host, *port), problem: error.to_string() };
    let found = lookup_host((host.as_str(), *port)).await.map_err(failed)?;
    Ok(egress.permitted(host, found)?)
}

/// Asks for the kinds of host key that are known for this server, so that it does not answer with another one.
///
/// The connection belongs to a task of its own, which outlives a call that gave up; it ends when nothing has been said
/// for twice the time that the call had, so that the call is the first to give up.
fn config(check: &ServerCheck, deadline: &Deadline) -> client::Config {
    let algorithms = check.known_hosts.algorithms(&check.host, check.port);
    let mut preferred = Preferred::default();
    if !algorithms.is_empty() {
        preferred.key = Cow::Owned(algorithms);
    }
    let inactivity_timeout = Some(deadline.patience() * 2);
    client::Config { preferred, nodelay: true, inactivity_timeout, ..client::Config::default() }
}

async fn authenticate(
    session: &mut Handle<ServerCheck>,
    url: &GitUrl,
    credentials: &SshCredentials,
) -> Result<(), CloneError> {
    let user = url.username().map_or(DEFAULT_USER, ExposeSecret::expose_secret);
    let hash = if credentials.key.algorithm().is_rsa() {
        session.best_supported_rsa_hash().await.map_err(ssh_failed)?.flatten()
    } else {
        None
    };
    let key = PrivateKeyWithHashAlg::new(Arc::clone(&credentials.key), hash);
    match session.authenticate_publickey(user, key).await.map_err(ssh_failed)? {
        AuthResult::Success => Ok(()),
        AuthResult::Failure { .. } => Err(CloneError::KeyRefused),
    }
}

/// Starts the server's side. A server that does not take the variable answers in version 0.
async fn start_upload_pack(session: &Handle<ServerCheck>, path: &str) -> Result<Channel<client::Msg>, russh::Error> {
    let channel = session.channel_open_session().await?;
    channel.set_env(false, "GIT_PROTOCOL", "version=2").await?;
    channel.exec(true, format!("git-upload-pack {}", quoted(path))).await?;
    Ok(channel)
}

/// `path` as one word of a shell's command line. `/~user` stands for a home folder, which a server finds by `~user`.
fn quoted(path: &str) -> String {
    let path = if path.starts_with("/~") { &path[1..] } else { path };
    format!("'{}'", path.replace('\'', r"'\''"))
}

#[expect(clippy::needless_pass_by_value, reason = "it is passed to `map_err`")]
fn ssh_failed(error: russh::Error) -> CloneError {
    CloneError::Ssh(error.to_string())
}

/// Compares a server's key with `known_hosts`.
struct ServerCheck {
    host: String,
    port: u16,
    known_hosts: super::known_hosts::KnownHosts,
}

/// Why a connection did not come about.
#[derive(Debug)]
enum ConnectError {
    Refused(CloneError),
    Failed(russh::Error),
}

impl ConnectError {
    fn named(self, host: &str) -> CloneError {
        match self {
            Self::Refused(error) => error,
            Self::Failed(russh::Error::IO(error)) => {
                TransportError::Connect { host: host.to_owned(), problem: error.to_string() }.into()
            }
            Self::Failed(error) => CloneError::Ssh(format!("handshake with {host} failed: {error}")),
        }
    }
}

impl From<russh::Error> for ConnectError {
    fn from(error: russh::Error) -> Self {
        Self::Failed(error)
    }
}

impl client::Handler for ServerCheck {
    type Error = ConnectError;

    async fn check_server_key(&mut self, key: &PublicKeyOrCertificate) -> Result<bool, ConnectError> {
        let PublicKeyOrCertificate::PublicKey { key, .. } = key else { return Ok(false) };
        let (host, got) = (host_name(&self.host, self.port), fingerprint(key));
        let refusal = match self.known_hosts.check(&self.host, self.port, key) {
            Verdict::Trusted => return Ok(true),
            Verdict::Revoked => CloneError::HostKeyRevoked { host, got },
            Verdict::Unknown => CloneError::HostKeyUnknown { host, got },
            Verdict::Mismatch { expected } => {
                CloneError::HostKeyMismatch { host, expected: expected.join(" or "), got }
            }
        };
        Err(ConnectError::Refused(refusal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_server_is_connected_to_where_its_name_was_found_to_lead_and_may_lead() {
        let url = GitUrl::parse("ssh://git@127.0.0.1:2222/r").expect("a URL");
        let found = addresses(&url.endpoint(), &Egress::anywhere()).await.expect("any address");
        assert_eq!(found, [SocketAddr::from(([127, 0, 0, 1], 2222))]);
        let refused = addresses(&url.endpoint(), &Egress::guarded(Vec::new(), Vec::new())).await;
        let text = refused.expect_err("out of reach").to_string();
        assert!(text.contains("sources may not reach loopback addresses"), "{text}");
    }

    #[test]
    fn a_path_is_one_word_whatever_is_in_it() {
        let rows = [
            ("/srv/a.git", "'/srv/a.git'"),
            ("/~me/a", "'~me/a'"),
            ("/a'; rm -rf /; '", r"'/a'\''; rm -rf /; '\'''"),
            ("/a b$(c)", "'/a b$(c)'"),
        ];
        for (path, expected) in rows {
            assert_eq!(quoted(path), expected);
        }
    }
}
