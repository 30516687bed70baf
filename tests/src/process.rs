//! Server processes that end with whoever started them, however that one ends.
//!
//! Each runs under a small shell script that holds one end of a pipe. A stopped, dropped, panicking or killed test
//! closes the other end, and the script kills the server: nothing depends on a destructor having run. Servers are in
//! process groups of their own, so that Ctrl-C reaches only the one who started them, who can then end them in order.

use std::{
    fs::{self, File},
    io::{self, Write},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

const LEASH: &str = include_str!("leash.sh");

/// How long a server may take to end when asked to, before it is killed.
const GRACE: Duration = Duration::from_secs(5);

/// A running server. It is killed when dropped.
#[derive(Debug)]
pub struct ServerProcess {
    child: Child,
    log: PathBuf,
}

impl ServerProcess {
    /// Starts `command` with its output appended to `log`.
    ///
    /// If this process is killed, so is the server, and `folder` is removed.
    ///
    /// # Errors
    /// If the log cannot be opened or the shell not be started. A program that does not exist shows as a server that
    /// has ended.
    pub fn start(command: &Command, log: &Path, folder: &Path) -> io::Result<Self> {
        let output = File::options().create(true).append(true).open(log)?;
        let mut leash = fairlead_tools::command("/bin/sh");
        leash.arg("-c").arg(LEASH).arg("leash").arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => leash.env(name, value),
                None => leash.env_remove(name),
            };
        }
        if let Some(directory) = command.get_current_dir() {
            leash.current_dir(directory);
        }
        let child = leash
            .env("LEASH_FOLDER", folder)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            .spawn()?;
        Ok(Self { child, log: log.to_owned() })
    }

    /// Returns how the server ended, if it has.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        self.child.try_wait()
    }

    /// Sends `signal` (`TERM`, `STOP`, …) to the server.
    ///
    /// # Errors
    /// If the server has ended.
    pub fn signal(&mut self, signal: &str) -> io::Result<()> {
        let pipe = self.child.stdin.as_mut().ok_or(io::ErrorKind::BrokenPipe)?;
        writeln!(pipe, "{signal}")
    }

    /// Ends the server: politely first, by force if it takes longer than five seconds.
    pub fn stop(&mut self) {
        if self.signal("TERM").is_ok() && self.ends_within(GRACE) {
            return;
        }
        self.kill();
    }

    /// Ends the server at once, as a crash would.
    pub fn kill(&mut self) {
        // Either may fail because the server has ended already, which is what is wanted.
        let _ = self.signal("KILL");
        let _ = self.child.wait();
    }

    /// Returns the last lines that the server logged, to explain a failure.
    pub fn last_words(&self) -> String {
        let log = fs::read(&self.log).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    fn ends_within(&mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        while Instant::now() < deadline {
            match self.child.try_wait() {
                Ok(None) => thread::park_timeout(Duration::from_millis(10)),
                Ok(Some(_)) | Err(_) => return true,
            }
        }
        false
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_asked_to_end_does_so_with_its_own_status() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let mut script = fairlead_tools::command("sh");
        script.args(["-c", "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.01; done"]);
        let mut server = ServerProcess::start(&script, &log, folder.path()).unwrap();
        wait_for_log(&log, "up\n");

        server.stop();

        assert_eq!(server.ended().unwrap().and_then(|status| status.code()), Some(3));
        assert_eq!(server.last_words(), "up\nbye");
        assert!(folder.path().exists());
    }

    #[test]
    fn a_server_whose_holder_vanishes_is_killed_and_its_folder_removed() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        fs::create_dir(&data).unwrap();
        let log = folder.path().join("log");
        let mut script = fairlead_tools::command("sh");
        script.args(["-c", "echo up; while :; do sleep 0.01; done"]);
        let mut server = ServerProcess::start(&script, &log, &data).unwrap();
        wait_for_log(&log, "up\n");

        drop(server.child.stdin.take());

        assert!(server.ends_within(GRACE));
        assert!(!data.exists());
    }

    fn wait_for_log(log: &Path, text: &str) {
        let deadline = Instant::now() + GRACE;
        while fs::read_to_string(log).unwrap() != text {
            assert!(Instant::now() < deadline, "the server did not start");
            thread::park_timeout(Duration::from_millis(5));
        }
    }
}
