//! What passes between a client and a server, in bytes.

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

const BUFFER_BYTES: usize = 64 << 10;

/// Stands before a server on loopback, and counts what passes in both directions.
pub(crate) struct Meter {
    address: SocketAddr,
    passed: Arc<AtomicU64>,
    /// Aborted when dropped.
    _tasks: JoinSet<()>,
}

impl Meter {
    /// Stands before `server`.
    pub(crate) async fn before(server: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let (address, passed) = (listener.local_addr()?, Arc::new(AtomicU64::new(0)));
        let mut tasks = JoinSet::new();
        tasks.spawn(accept(listener, server, Arc::clone(&passed)));
        Ok(Self { address, passed, _tasks: tasks })
    }

    /// Returns where clients go.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns how many bytes have passed.
    pub(crate) fn bytes(&self) -> u64 {
        self.passed.load(Ordering::Relaxed)
    }
}

async fn accept(listener: TcpListener, server: SocketAddr, passed: Arc<AtomicU64>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let passed = Arc::clone(&passed);
        connections.spawn(async move {
            // A connection that breaks is its client's business.
            let _ = connect(client, server, &passed).await;
        });
    }
}

async fn connect(mut client: TcpStream, server: SocketAddr, passed: &AtomicU64) -> io::Result<()> {
    let mut server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    tokio::try_join!(pass(from_client, to_server, passed), pass(from_server, to_client, passed))?;
    Ok(())
}

async fn pass(mut from: impl AsyncRead + Unpin, mut to: impl AsyncWrite + Unpin, passed: &AtomicU64) -> io::Result<()> {
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        passed.fetch_add(length as u64, Ordering::Relaxed);
        to.write_all(&buffer[..length]).await?;
    }
}
