//! `push`, `pull`, `tag`, `list`, `build` and `diff` of artifacts, and what the controller makes of them.

use std::{fs, process::Stdio};

use fairlead_tests::{Registry, binary::fairlead};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::{
    cli::{Desk, without_digests},
    scene::{LIMIT, Team, config_map},
};

/// What is said of every artifact here.
const ORIGIN: &str = "--source https://git.example.com/app --revision main@sha1:4f2a --reproducible";

/// Runs a command and shows what it does, without the registry's port and without digests.
async fn shown(desk: &Desk, registry: &Registry, line: &str) -> String {
    let line = line.replace("REGISTRY", &registry.address());
    without_digests(&desk.shown(&line).await.replace(&registry.address(), "REGISTRY"))
}

fn desk(desk: Desk) -> Desk {
    desk.write("deploy/limits.yaml", &config_map("limits", "one"));
    desk.write("deploy/logo.png", "no picture");
    desk
}

#[tokio::test]
async fn files_are_pushed_tagged_listed_compared_and_pulled() {
    let (desk, registry) = (desk(Desk::offline()), Registry::start().await);
    let push = format!("push artifact oci://REGISTRY/team/app:1.0.0 --path deploy {ORIGIN}");
    insta::assert_snapshot!(shown(&desk, &registry, &push).await, @r"
    | ► pushing artifact to REGISTRY/team/app:1.0.0
    | ✔ artifact successfully pushed to REGISTRY/team/app@sha256:DIGEST
    exit 0
    ");
    insta::assert_snapshot!(shown(&desk, &registry, &format!("{push} -o yaml -a team=shop")).await, @r"
    digest: sha256:DIGEST
    repository: REGISTRY/team/app
    tag: 1.0.0
    url: oci://REGISTRY/team/app@sha256:DIGEST
    exit 0
    ");
    insta::assert_snapshot!(
        shown(&desk, &registry, "tag artifact oci://REGISTRY/team/app:1.0.0 --tag latest --tag stable").await,
        @r"
    | ► tagging artifact
    | ✔ artifact tagged as REGISTRY/team/app:latest
    | ✔ artifact tagged as REGISTRY/team/app:stable
    exit 0
    "
    );
    let listed = shown(&desk, &registry, "list artifacts oci://REGISTRY/team/app --filter-regex ^[ls]").await;
    // How wide the columns are depends on the port.
    let rows: Vec<String> = listed.lines().map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    insta::assert_snapshot!(rows.join("\n"), @r"
    ARTIFACT DIGEST SOURCE REVISION
    REGISTRY/team/app:stable sha256:DIGEST https://git.example.com/app main@sha1:4f2a
    REGISTRY/team/app:latest sha256:DIGEST https://git.example.com/app main@sha1:4f2a
    exit 0
    ");
    insta::assert_snapshot!(shown(&desk, &registry, "diff artifact oci://REGISTRY/team/app --path deploy").await, @r"
    | ✔ no changes detected
    exit 0
    ");
    desk.write("deploy/limits.yaml", &config_map("limits", "two"));
    desk.write("deploy/more.yaml", &config_map("more", "one"));
    insta::assert_snapshot!(shown(&desk, &registry, "diff artifact oci://REGISTRY/team/app --path deploy").await, @r"
    ► limits.yaml changed
    ► more.yaml created
    | ✗ the remote artifact contents differs from the local one
    exit 1
    ");
    fs::create_dir(desk.path().join("pulled")).expect("a folder");
    insta::assert_snapshot!(shown(&desk, &registry, "pull artifact oci://REGISTRY/team/app:stable -o pulled").await, @r"
    | ► pulling artifact from REGISTRY/team/app:stable
    | ✔ source https://git.example.com/app
    | ✔ revision main@sha1:4f2a
    | ✔ digest REGISTRY/team/app@sha256:DIGEST
    | ✔ artifact content extracted to pulled
    exit 0
    ");
    assert_eq!(fs::read_to_string(desk.path().join("pulled/limits.yaml")).unwrap(), config_map("limits", "one"));
    assert!(!desk.path().join("pulled/logo.png").exists(), "pictures are left out by default");
}

#[tokio::test]
async fn credentials_come_from_the_command_line_or_from_docker() {
    let (desk, registry) = (desk(Desk::offline()), Registry::start().await.close().await);
    let push = format!("push artifact oci://REGISTRY/team/app:v1 --path deploy {ORIGIN}");
    insta::assert_snapshot!(shown(&desk, &registry, &push).await, @r"
    | ► pushing artifact to REGISTRY/team/app:v1
    | error: failed to push artifact to 'oci://REGISTRY/team/app'
    |   caused by: authentication required: the registry wants user and password, and there are none for it
    | hint: give --creds USER:PASSWORD, or log in with `docker login`
    exit 1
    ");
    insta::assert_snapshot!(shown(&desk, &registry, &format!("{push} --creds user:canary")).await, @r"
    | ► pushing artifact to REGISTRY/team/app:v1
    | error: failed to push artifact to 'oci://REGISTRY/team/app'
    |   caused by: authorization failed: Unauthorized
    | hint: give --creds USER:PASSWORD, or log in with `docker login`
    exit 1
    ");
    let pushed = shown(&desk, &registry, &format!("{push} --creds user:hunter2")).await;
    assert!(pushed.ends_with("exit 0"), "{pushed}");

    let list = "list artifacts oci://REGISTRY/team/app --filter-semver *";
    let login = json!({ "auths": { registry.address(): { "auth": "dXNlcjpodW50ZXIy" } } });
    desk.write("config.json", &login.to_string());
    insta::assert_snapshot!(shown(&desk, &registry, list).await, @r"
    ARTIFACT	DIGEST	SOURCE	REVISION
    exit 0
    ");
    desk.write("config.json", &json!({ "credHelpers": { registry.address(): "desktop" } }).to_string());
    let told = shown(&desk, &registry, list).await;
    insta::assert_snapshot!(told.replace(desk.path().to_str().expect("text"), "DOCKER_CONFIG"), @r"
    | error: `DOCKER_CONFIG/config.json` leaves the credentials for REGISTRY to the helper `docker-credential-desktop`
    | hint: no helper is started: give --creds USER:PASSWORD
    exit 1
    ");
}

#[tokio::test]
async fn standard_input_is_an_artifact_and_odd_inputs_are_told() {
    let (desk, registry) = (desk(Desk::offline()), Registry::start().await);
    let line = format!("push artifact oci://{}/team/app --path - {ORIGIN}", registry.address());
    let mut command = desk.command(&fairlead(), &line);
    command.stdin(Stdio::piped()).stderr(Stdio::null());
    let mut pushing = tokio::process::Command::from(command).spawn().expect("the program can be started");
    let mut stdin = pushing.stdin.take().expect("it is piped");
    stdin.write_all(config_map("limits", "one").as_bytes()).await.expect("it is read");
    drop(stdin);
    assert!(pushing.wait().await.expect("it ends").success());
    fs::create_dir(desk.path().join("pulled")).expect("a folder");
    desk.output(&format!("pull artifact oci://{}/team/app -o pulled", registry.address())).await;
    assert_eq!(fs::read_to_string(desk.path().join("pulled/stdin.yaml")).unwrap(), config_map("limits", "one"));

    insta::assert_snapshot!(shown(&desk, &registry, "build artifact -p deploy -o made.tgz").await, @r"
    | ► building artifact from deploy
    | ✔ artifact created at made.tgz
    exit 0
    ");
    for (line, expected) in [
        ("build artifact -p lost", "cannot read `lost`"),
        ("pull artifact oci://REGISTRY/team/app -o lost", "`lost` is not a directory"),
        ("pull artifact oci://REGISTRY/team/app: -o pulled", "a tag or digest is missing at its end"),
        ("pull artifact https://REGISTRY/team/app -o pulled", "URL must be in format 'oci://<domain>/<org>/<repo>'"),
        ("pull artifact oci://REGISTRY/team/app:v9 -o pulled", "`team/app/manifests/v9` not found"),
        ("list artifacts oci://REGISTRY/team/app:v1", "URL must not contain a tag"),
        ("list artifacts oci://REGISTRY/team/app --filter-regex [", "malformed semver filter `[`"),
        ("list artifacts oci://REGISTRY/team/app --provider aws", "cannot log in to the registry"),
        ("tag artifact oci://REGISTRY/team/app --tag a/b", "`a/b` is not a tag"),
    ] {
        let told = shown(&desk, &registry, line).await;
        assert!(told.contains(expected) && told.ends_with("exit 1"), "{line}:\n{told}");
    }
}

#[tokio::test]
async fn what_is_pushed_becomes_objects() {
    let (team, registry) = (Team::new("pushed").await, Registry::start().await);
    let desk = desk(Desk::new(team.cluster, &team.namespace));
    let url = format!("oci://{}/team/app", registry.address());
    let pushed = desk.output(&format!("push artifact {url}:latest --path deploy {ORIGIN} -o json")).await;
    let pushed: Value = serde_json::from_str(&pushed.stdout).expect("JSON");
    team.cluster
        .apply(json!({
            "apiVersion": "source.toolkit.fluxcd.io/v1",
            "kind": "OCIRepository",
            "metadata": { "name": "app", "namespace": team.namespace },
            "spec": { "url": url, "insecure": true, "interval": "1h" },
        }))
        .await;
    team.kustomize("app", json!({ "sourceRef": { "kind": "OCIRepository", "name": "app" } })).await;
    team.ready().await;
    let status = team.find("OCIRepository", "app").await.unwrap()["status"].clone();
    let digest = pushed["digest"].as_str().expect("a digest");
    assert_eq!(status["artifact"]["revision"], format!("latest@{digest}"));
    assert_eq!(status["artifact"]["metadata"]["org.opencontainers.image.revision"], "main@sha1:4f2a");
    team.cluster.watch(&team.named("ConfigMap", "limits"), LIMIT, |found| found.map(|_| ())).await;
}
