//! An S3 service on loopback.

use std::{env, io, net::SocketAddr, time::Duration};

use tempfile::TempDir;
use tokio::net::TcpStream;

use crate::{cluster::free_port, process::ServerProcess, wait::eventually};

const START_LIMIT: Duration = Duration::from_mins(1);

/// `moto`, which stands in for Amazon.
const PROGRAM: &str = "moto_server";

/// What it takes for a signature of anyone.
const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=anyone/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, \
                      Signature=none";

/// An empty service that everyone may write to over HTTP. Dropping it ends it and removes its content.
#[derive(Debug)]
pub struct S3 {
    /// Before `_folder`, so that the server is gone before it is.
    _server: ServerProcess,
    address: SocketAddr,
    _folder: TempDir,
}

impl S3 {
    /// Starts a service; `None`, and a word about it, where `moto_server` is not installed.
    ///
    /// # Panics
    /// If it is installed and does not start.
    pub async fn start() -> Option<Self> {
        let path = env::var_os("PATH").unwrap_or_default();
        if !env::split_paths(&path).any(|folder| folder.join(PROGRAM).exists()) {
            eprintln!("skipped: `{PROGRAM}` is not here, run `pip install moto[server]`");
            return None;
        }
        Some(Self::serve().await.unwrap_or_else(|error| panic!("`{PROGRAM}` does not start: {error}")))
    }

    async fn serve() -> io::Result<Self> {
        let folder = tempfile::Builder::new().prefix("fairlead-s3-").tempdir()?;
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()?));
        let mut command = fairlead_tools::command(PROGRAM);
        command.args(["-H", "127.0.0.1", "-p", &address.port().to_string()]);
        let server = ServerProcess::start(&command, &folder.path().join("s3.log"), folder.path())?;
        let connected = eventually(START_LIMIT, async || TcpStream::connect(address).await.ok()).await;
        if connected.is_none() {
            return Err(io::Error::other(server.last_words()));
        }
        Ok(Self { _server: server, address, _folder: folder })
    }

    /// Returns `<host>:<port>`, as sources name it.
    pub fn endpoint(&self) -> String {
        self.address.to_string()
    }

    /// Writes an object; `path` is the bucket and the key, or the bucket alone to make it.
    ///
    /// # Panics
    /// If the service does not take it.
    pub fn put(&self, path: &str, content: &str) {
        let url = format!("http://{}/{path}", self.address);
        let put = ureq::put(url).content_type("text/plain").header("authorization", SIGNED);
        put.send(content).expect("the service takes objects");
    }
}
