//! A proxy that opens tunnels, and remembers where to.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader, copy_bidirectional},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// A proxy on a port of its own. It ends when this is dropped.
pub(crate) struct TestProxy {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<String>>>,
    task: JoinHandle<()>,
}

impl TestProxy {
    /// Starts a proxy that opens a tunnel for everyone.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let seen = Arc::default();
        let log = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.expect("accepted");
                tokio::spawn(tunnel(stream, Arc::clone(&log)));
            }
        });
        Self { address, seen, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The first line of each request and its credentials, since this was last asked.
    pub(crate) fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.seen.lock().expect("nobody panicked"))
    }
}

impl Drop for TestProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Answers one `CONNECT`. A connection that breaks is its user's business.
async fn tunnel(stream: TcpStream, seen: Arc<Mutex<Vec<String>>>) {
    let mut stream = BufReader::new(stream);
    let (mut wanted, mut credentials) = (String::new(), String::new());
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.is_err() || line.trim().is_empty() {
            break;
        }
        if wanted.is_empty() {
            wanted = line.trim().to_owned();
        } else if let Some(value) = line.trim().strip_prefix("Proxy-Authorization: ") {
            credentials = format!(" {value}");
        }
    }
    seen.lock().expect("nobody panicked").push(format!("{wanted}{credentials}"));
    let target = wanted.split(' ').nth(1).unwrap_or_default();
    let Ok(mut upstream) = TcpStream::connect(target).await else { return };
    if stream.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await.is_ok() {
        let _ = copy_bidirectional(&mut stream, &mut upstream).await;
    }
}
