//! `install`, `check`, `uninstall` and `completion`.

use fairlead_tests::Installation;

use crate::cli::Desk;

async fn desk() -> Desk {
    Desk::new(Installation::shared().await.cluster, "flux-system")
}

#[tokio::test]
async fn a_check_says_what_is_there_and_fails_while_the_controller_has_no_node_to_run_on() {
    let desk = desk().await;
    insta::assert_snapshot!(desk.shown("check --pre").await, @"");
    insta::assert_snapshot!(desk.shown("check").await, @"");
}

#[tokio::test]
async fn what_is_exported_is_what_is_installed() {
    let desk = desk().await;
    let exported = desk.output("install --export").await;
    desk.write("install.yaml", &exported.stdout.replace("NAMESPACE", "flux-system"));
    let file = desk.path().join("install.yaml");
    let cluster = Installation::shared().await.cluster;
    let applied = cluster.kubectl(&["diff", "--server-side", "-f", &file.to_string_lossy()]).await;
    assert_eq!(applied.stdout, "", "{}", applied.stderr);
    insta::assert_snapshot!(desk.shown("install").await, @"");
}

#[tokio::test]
async fn an_uninstallation_says_what_it_would_delete_and_asks_before_it_does() {
    let desk = desk().await;
    let dry = desk.output("uninstall --dry-run").await;
    assert_eq!(dry.code, Some(0));
    for line in ["✔ Deployment/NAMESPACE/fairlead deleted (dry run)", "✔ uninstall finished"] {
        assert!(dry.stderr.contains(line), "`{line}` is not in:\n{}", dry.stderr);
    }
    insta::assert_snapshot!(desk.shown("uninstall").await, @"");
}

#[tokio::test]
async fn a_shell_completes_the_commands() {
    let desk = desk().await;
    for shell in ["bash", "zsh", "fish"] {
        let output = desk.output(&format!("completion {shell}")).await;
        assert_eq!((output.code, output.stderr.as_str()), (Some(0), ""));
        assert!(output.stdout.contains("reconcile"), "{shell} does not know `reconcile`");
    }
}

#[tokio::test]
async fn a_command_line_that_cannot_be_read_ends_with_2() {
    let desk = desk().await;
    insta::assert_snapshot!(desk.shown("reconcile").await.lines().last().unwrap(), @"exit 2");
    insta::assert_snapshot!(desk.shown("get ks --namespace Not_A_Name").await, @"");
    insta::assert_snapshot!(desk.shown("controller --feature-gates=ExternalArtifact=true").await, @"");
}
