//! Commands as people run them: what they print, where, and how they end.

use std::{fs, path::Path, process::Command};

use fairlead_tests::{CommandOutput, TestCluster, binary::fairlead};
use fairlead_tools::command;
use tempfile::TempDir;

/// A folder with a checkout in it, in which commands are run.
pub(crate) struct Desk {
    cluster: Option<&'static TestCluster>,
    namespace: String,
    folder: TempDir,
}

impl Desk {
    /// Makes an empty folder for someone who works in `namespace`.
    pub(crate) fn new(cluster: &'static TestCluster, namespace: &str) -> Self {
        Self::with(Some(cluster), namespace)
    }

    /// Makes an empty folder for someone who has no cluster.
    pub(crate) fn offline() -> Self {
        Self::with(None, "nowhere")
    }

    fn with(cluster: Option<&'static TestCluster>, namespace: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder is writable");
        fs::create_dir(folder.path().join(".git")).expect("a temporary folder is writable");
        Self { cluster, namespace: namespace.to_owned(), folder }
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().expect("a file is in a folder")).expect("a temporary folder is writable");
        fs::write(path, text).expect("a temporary folder is writable");
    }

    /// Runs `fairlead` with the words of `line`.
    pub(crate) async fn output(&self, line: &str) -> CommandOutput {
        self.output_of(&fairlead(), line).await
    }

    /// Runs `program` with the words of `line`.
    pub(crate) async fn output_of(&self, program: &Path, line: &str) -> CommandOutput {
        self.run(self.command(program, line)).await
    }

    /// Runs `fairlead` with the words of `line` in `folder`.
    pub(crate) async fn output_in(&self, folder: &Path, line: &str) -> CommandOutput {
        let mut command = self.command(&fairlead(), line);
        command.current_dir(folder);
        self.run(command).await
    }

    async fn run(&self, command: Command) -> CommandOutput {
        let output = tokio::process::Command::from(command).output().await.expect("the program can be started");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&self.namespace, "NAMESPACE");
        CommandOutput { stdout: text(&output.stdout), stderr: text(&output.stderr), code: output.status.code() }
    }

    /// Returns a command for `program` with the words of `line`.
    pub(crate) fn command(&self, program: &Path, line: &str) -> Command {
        let mut command = self.cluster.map_or_else(|| command(program), |cluster| cluster.command(program));
        command.args(line.split_whitespace()).current_dir(self.path());
        command.env("FLUX_SYSTEM_NAMESPACE", &self.namespace).env_remove("FAIRLEAD_DIGEST_KEY");
        command.env("DOCKER_CONFIG", self.path());
        command
    }

    /// Runs `fairlead` and shows what it does: standard output as it is, standard error behind bars, the exit code.
    pub(crate) async fn shown(&self, line: &str) -> String {
        let output = self.output(line).await;
        let errors: Vec<String> =
            output.stderr.lines().map(|line| format!("{}\n", format!("| {line}").trim_end())).collect();
        let code = output.code.map_or_else(|| "none".to_owned(), |code| code.to_string());
        // Rows of a table end with what pads them.
        let stdout: Vec<String> = output.stdout.lines().map(|line| format!("{}\n", line.trim_end())).collect();
        format!("{}{}exit {code}", stdout.concat(), errors.concat())
    }
}

/// Returns `text` without the digests in it, which depend on the namespace and a drawn key.
pub(crate) fn without_digests(text: &str) -> String {
    let mut parts = text.split("sha256:");
    let first = parts.next().unwrap_or_default().to_owned();
    let rest = parts.map(|part| format!("sha256:DIGEST{}", part.trim_start_matches(|c: char| c.is_ascii_hexdigit())));
    first + &rest.collect::<String>()
}
