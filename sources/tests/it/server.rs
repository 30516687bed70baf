//! Programs that serve on a port of their own, and end with the test that started them.

use std::{
    env,
    net::TcpStream,
    process::Command,
    time::{Duration, Instant},
};

use fairlead_tests::process::ServerProcess;
use tempfile::TempDir;

/// Longer than any program takes to start on a busy machine.
const START_LIMIT: Duration = Duration::from_mins(1);

/// A program that serves.
pub(crate) struct Server {
    process: ServerProcess,
    pub(crate) port: u16,
    folder: TempDir,
}

impl Server {
    /// Starts `command`, which serves on `port` and has `folder` for itself, and waits until it does.
    pub(crate) async fn start(command: &Command, port: u16, folder: TempDir) -> Self {
        let log = folder.path().join("server.log");
        let process = ServerProcess::start(command, &log, folder.path()).expect("a shell");
        let mut server = Self { process, port, folder };
        let deadline = Instant::now() + START_LIMIT;
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            let ended = server.process.ended().expect("the system tells");
            let is_running = ended.is_none() && Instant::now() < deadline;
            assert!(is_running, "{command:?} does not start: {}", std::fs::read_to_string(&log).unwrap_or_default());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        server
    }

    /// Ends the program and returns its folder.
    pub(crate) fn into_folder(self) -> TempDir {
        let Self { mut process, folder, .. } = self;
        process.kill();
        folder
    }
}

/// Whether `program` is there. A test that can do without says if it is not, and with which command it comes.
pub(crate) fn is_installed(program: &str, installation: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    let is_there = env::split_paths(&path).any(|folder| folder.join(program).exists());
    if !is_there {
        eprintln!("skipped: `{program}` is not here, run `{installation}`");
    }
    is_there
}
