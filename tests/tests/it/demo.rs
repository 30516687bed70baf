//! The demo that the README starts with.

use std::process::Stdio;

/// Runs the demo without staying, and returns its exit code and what it prints.
async fn demo() -> (Option<i32>, String) {
    let mut command = fairlead_tools::command(env!("CARGO_BIN_EXE_demo"));
    command.arg("--once").stdin(Stdio::null());
    let output = tokio::process::Command::from(command).output().await.expect("the demo is built");
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code(), format!("{stdout}\n{stderr}"))
}

#[tokio::test]
async fn the_demo_shows_a_change_before_and_after_it_is_made() {
    let (code, printed) = demo().await;
    assert_eq!(code, Some(0), "{printed}");
    let expected = [
        "apps: Applied revision: main@sha1:",
        "├── Kustomization/flux-system/apps",
        "-ghcr.io/stefanprodan/podinfo:6.9.2",
        "+ghcr.io/stefanprodan/podinfo:6.9.3",
        "Deployment shop/web has the new image",
    ];
    for line in expected {
        assert!(printed.contains(line), "`{line}` is not in:\n{printed}");
    }
}

#[test]
fn the_readme_names_chores_that_exist() {
    let readme = std::fs::read_to_string(fairlead_tools::repository().join("README.md")).unwrap();
    let chores = std::fs::read_to_string(fairlead_tools::repository().join("xtask/src/main.rs")).unwrap();
    for chore in ["Demo", "Test"] {
        assert!(readme.contains(&format!("cargo xtask {}", chore.to_lowercase())), "{chore} is in the README");
        assert!(chores.contains(&format!("    {chore}")), "{chore} is a chore");
    }
}
