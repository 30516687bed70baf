//! The wish that a program end.

use tokio::signal::unix::{SignalKind, signal};

/// Returns when the user presses Ctrl-C or the program is asked to end.
///
/// # Panics
/// If the system does not let signals be watched.
pub async fn shutdown() {
    let mut interrupt = signal(SignalKind::interrupt()).expect("an interrupt can be watched");
    let mut terminate = signal(SignalKind::terminate()).expect("a request to end can be watched");
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}
