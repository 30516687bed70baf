//! A site that answers from memory, so that its own work is not what is measured.

use std::{net::SocketAddr, sync::Arc};

use axum::{Router, extract::Request, response::Response};
use tokio::{net::TcpListener, task::JoinSet};

use crate::Outcome;

/// A site on loopback. Dropping it ends it.
pub(crate) struct Site {
    address: SocketAddr,
    /// Aborted when dropped.
    _tasks: JoinSet<()>,
}

impl Site {
    /// Starts a site that answers as `answer` does.
    pub(crate) async fn start(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> Outcome<Self> {
        let answer = Arc::new(answer);
        let router = Router::new().fallback(async move |request: Request| answer(&request));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            // It ends when the benchmark does.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { address, _tasks: tasks })
    }

    /// Returns where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}
