//! A real OCI registry on loopback.

use std::{fs, io, net::SocketAddr, path::Path, time::Duration};

use serde_json::json;
use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::{cluster::free_port, image::Content, process::ServerProcess, wait::eventually};

const START_LIMIT: Duration = Duration::from_secs(30);

/// Debian's `docker-registry`: the reference implementation of the distribution protocol.
const PROGRAM: &str = "docker-registry";

/// `user` with the password `hunter2`, as `htpasswd -B` writes it.
const LOGIN: &str = "user:$2y$04$abcdefghijklmnopqrstuuV3duMsC0HpUex6N9qapiuOHHWkwRXVm\n";

/// A registry over HTTP, at first empty and open to everyone. Dropping it ends it and removes its content.
#[derive(Debug)]
pub struct Registry {
    /// Before `folder`, so that the server is gone before it is.
    server: ServerProcess,
    address: SocketAddr,
    folder: TempDir,
}

/// Whom a registry lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Open,
    /// `user` with the password `hunter2`.
    Closed,
}

impl Registry {
    /// Starts a registry.
    ///
    /// # Panics
    /// If Debian's `docker-registry` is not installed or does not start.
    pub async fn start() -> Self {
        Self::serve().await.unwrap_or_else(|error| panic!("no registry, is `{PROGRAM}` installed? {error}"))
    }

    async fn serve() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("fairlead-registry-").tempdir()?;
        Self::serve_folder(folder, Access::Open).await
    }

    async fn serve_folder(folder: TempDir, access: Access) -> io::Result<Self> {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let config = folder.path().join("config.yml");
        fs::write(folder.path().join("htpasswd"), LOGIN)?;
        fs::write(&config, settings(address, folder.path(), access))?;
        let mut command = fairlead_tools::command(PROGRAM);
        command.arg("serve").arg(&config);
        let log = folder.path().join("registry.log");
        let server = ServerProcess::start(&command, &log, folder.path())?;
        let connected = eventually(START_LIMIT, async || TcpStream::connect(address).await.ok()).await;
        if connected.is_none() {
            return Err(io::Error::other(server.last_words()));
        }
        Ok(Self { server, address, folder })
    }

    /// Lets in nobody any more but `user` with the password `hunter2`, at another port.
    ///
    /// # Panics
    /// If it does not start again.
    pub async fn close(self) -> Self {
        let Self { server, folder, .. } = self;
        drop(server);
        Self::serve_folder(folder, Access::Closed).await.unwrap_or_else(|error| panic!("no closed registry: {error}"))
    }

    /// Returns a pull Secret's data for the registry, with this password for `user`.
    pub fn pull_secret(&self, password: &str) -> String {
        json!({ "auths": { self.address(): { "username": "user", "password": password } } }).to_string()
    }

    /// Returns `<host>:<port>`, as image names start with it.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Pushes `content` to `repository`, and returns the repository's URL as sources write it.
    ///
    /// # Panics
    /// If the registry does not take it.
    pub fn push(&self, repository: &str, content: &Content) -> String {
        content.push_to(&format!("{}/v2/{repository}", self.url()));
        format!("oci://{}/{repository}", self.address)
    }

    /// Returns the URL below which the protocol's paths (`/v2/…`) are.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

/// Returns the registry's settings as JSON, which is YAML too.
fn settings(address: SocketAddr, folder: &Path, access: Access) -> String {
    let mut settings = json!({
        "version": 0.1,
        "log": { "level": "warn" },
        "storage": { "filesystem": { "rootdirectory": folder.join("data") }, "delete": { "enabled": true } },
        "http": { "addr": address },
    });
    if access == Access::Closed {
        settings["auth"] = json!({ "htpasswd": { "realm": "test", "path": folder.join("htpasswd") } });
    }
    settings.to_string()
}
