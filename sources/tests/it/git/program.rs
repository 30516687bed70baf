//! Programs that stand in for what runs on a server, and that make what it serves.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

/// A command that sees none of this machine's Git configuration.
#[expect(clippy::disallowed_methods, reason = "the servers that are fetched from are programs")]
pub(crate) fn program(name: &str) -> Command {
    let mut command = Command::new(name);
    command
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env_remove("GIT_DIR");
    command
}

/// Runs `command` with `input` and returns what it writes.
fn run(command: &mut Command, input: &[u8]) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let mut stdin = child.stdin.take().expect("stdin is piped");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().expect("it ends");
    writer.join().expect("the input is written or refused");
    output
}

/// Runs `command`, which must succeed, and returns what it writes as text.
pub(crate) fn run_well(command: &mut Command, input: &[u8]) -> String {
    let output = run(command, input);
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text").trim().to_owned()
}
