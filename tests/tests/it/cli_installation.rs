//! `install`, `check`, `uninstall` and `completion`.

use fairlead_tests::Installation;
use fairlead_tools::Tool;

use crate::{cli::Desk, scene::LIMIT};

/// Returns a desk in an installation whose Deployment is seen to have no node to run on.
async fn desk() -> Desk {
    let cluster = Installation::shared().await.cluster;
    let deployment = "Deployment flux-system/fairlead";
    cluster
        .watch(deployment, LIMIT, |found| found.filter(|found| found["status"]["unavailableReplicas"] == 1).map(|_| ()))
        .await;
    Desk::new(cluster, "flux-system")
}

#[tokio::test]
async fn a_check_says_what_is_there_and_fails_while_the_controller_has_no_node_to_run_on() {
    let desk = desk().await;
    let version = Tool::KubeApiserver.version().trim_start_matches('v');
    let shown = async |line| desk.shown(line).await.replace(version, "VERSION");
    insta::assert_snapshot!(shown("check --pre").await, @r"
    | ► checking prerequisites
    | ✔ Kubernetes VERSION >=1.33.0-0
    | ✔ prerequisites checks passed
    exit 0
    ");
    insta::assert_snapshot!(shown("check").await, @r"
    | ► checking prerequisites
    | ✔ Kubernetes VERSION >=1.33.0-0
    | ► checking controllers
    | ✗ fairlead: deployment not ready: InProgress: Available: 0/1
    | ► localhost/fairlead:v0.1.0
    | ► checking crds
    | ✔ buckets.source.toolkit.fluxcd.io/v1
    | ✔ externalartifacts.source.toolkit.fluxcd.io/v1
    | ✔ fluxconfigurations.fairlead.dev/v1alpha1
    | ✔ gitrepositories.source.toolkit.fluxcd.io/v1
    | ✔ helmcharts.source.toolkit.fluxcd.io/v1
    | ✔ helmreleases.helm.toolkit.fluxcd.io/v2
    | ✔ helmrepositories.source.toolkit.fluxcd.io/v1
    | ✔ kustomizations.kustomize.toolkit.fluxcd.io/v1
    | ✔ ocirepositories.source.toolkit.fluxcd.io/v1
    | ✔ receivers.notification.toolkit.fluxcd.io/v1
    | error: check failed
    exit 1
    ");
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
    insta::assert_snapshot!(desk.shown("install").await, @r"
    Namespace/NAMESPACE unchanged
    CustomResourceDefinition/buckets.source.toolkit.fluxcd.io unchanged
    CustomResourceDefinition/externalartifacts.source.toolkit.fluxcd.io unchanged
    CustomResourceDefinition/fluxconfigurations.fairlead.dev unchanged
    CustomResourceDefinition/gitrepositories.source.toolkit.fluxcd.io unchanged
    CustomResourceDefinition/helmcharts.source.toolkit.fluxcd.io unchanged
    CustomResourceDefinition/helmreleases.helm.toolkit.fluxcd.io unchanged
    CustomResourceDefinition/helmrepositories.source.toolkit.fluxcd.io unchanged
    CustomResourceDefinition/kustomizations.kustomize.toolkit.fluxcd.io unchanged
    CustomResourceDefinition/ocirepositories.source.toolkit.fluxcd.io unchanged
    CustomResourceDefinition/receivers.notification.toolkit.fluxcd.io unchanged
    ServiceAccount/NAMESPACE/fairlead unchanged
    ClusterRole/fairlead-controller-NAMESPACE unchanged
    ClusterRole/fairlead-tenant unchanged
    ClusterRoleBinding/fairlead-controller-NAMESPACE unchanged
    Role/NAMESPACE/fairlead unchanged
    RoleBinding/NAMESPACE/fairlead unchanged
    ClusterRoleBinding/cluster-reconciler-NAMESPACE unchanged
    Service/NAMESPACE/fairlead unchanged
    Service/NAMESPACE/webhook-receiver unchanged
    NetworkPolicy/NAMESPACE/fairlead unchanged
    Deployment/NAMESPACE/fairlead unchanged
    | ✚ generating manifests
    | ✔ manifests build completed
    | ► installing components in NAMESPACE namespace
    | ✔ install finished
    exit 0
    ");
}

#[tokio::test]
async fn an_uninstallation_says_what_it_would_delete_and_asks_before_it_does() {
    let desk = desk().await;
    let dry = desk.output("uninstall --dry-run").await;
    assert_eq!(dry.code, Some(0));
    for line in ["✔ Deployment/NAMESPACE/fairlead deleted (dry run)", "✔ uninstall finished"] {
        assert!(dry.stderr.contains(line), "`{line}` is not in:\n{}", dry.stderr);
    }
    insta::assert_snapshot!(desk.shown("uninstall").await, @r"
    | Are you sure you want to delete Fairlead and its custom resource definitions? [y/N]
    | error: aborting
    exit 1
    ");
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
    insta::assert_snapshot!(desk.shown("get ks --namespace Not_A_Name").await, @r"
    | error: invalid value 'Not_A_Name' for '--namespace <NAMESPACE>': a name has 1 to 63 lower-case letters, digits and `-`, and begins and ends with no `-`
    |
    | For more information, try '--help'.
    exit 2
    ");
    insta::assert_snapshot!(desk.shown("controller --feature-gates=GroupChangeLog=true").await, @r"
    | error: --feature-gates: `GroupChangeLog=true` cannot be had: events list each object on a line
    exit 1
    ");
}
