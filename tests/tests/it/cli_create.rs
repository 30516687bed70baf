//! `create`, `export`, `delete` and `trace`: objects from flags and back.

use serde_json::json;

use crate::{
    cli::Desk,
    scene::{Team, config_map},
};

#[tokio::test]
async fn sources_are_printed_as_flux_prints_them() {
    let lines = [
        "source git app --url https://git.example.com/app --branch main --interval 10m --secret-ref git --ignore-paths *.md,docs/ --fetch-timeout 90s --label team=shop",
        "source oci app --url oci://ghcr.io/team/app --tag-semver 1.x --layer-selector application/x:copy --verify-provider cosign --verify-issuer ^a$ --verify-subject ^b$",
        "source helm app --url oci://ghcr.io/team/charts",
        "source bucket app --bucket-name apps --endpoint s3.example.com --provider aws --region eu-west-1",
        "source chart app --source helmrepository/charts --chart podinfo --chart-version >=6.0.0",
    ];
    insta::assert_snapshot!(printed(&Desk::offline(), lines).await, @r"
    ---
    apiVersion: source.toolkit.fluxcd.io/v1
    kind: GitRepository
    metadata:
      labels:
        team: shop
      name: app
      namespace: NAMESPACE
    spec:
      ignore: |-
        *.md
        docs/
      interval: 10m0s
      ref:
        branch: main
      secretRef:
        name: git
      timeout: 1m30s
      url: https://git.example.com/app
    ---
    apiVersion: source.toolkit.fluxcd.io/v1
    kind: OCIRepository
    metadata:
      name: app
      namespace: NAMESPACE
    spec:
      interval: 1m0s
      layerSelector:
        mediaType: application/x
        operation: copy
      provider: generic
      ref:
        semver: 1.x
      url: oci://ghcr.io/team/app
      verify:
        matchOIDCIdentity:
        - issuer: ^a$
          subject: ^b$
        provider: cosign
    ---
    apiVersion: source.toolkit.fluxcd.io/v1
    kind: HelmRepository
    metadata:
      name: app
      namespace: NAMESPACE
    spec:
      interval: 1m0s
      type: oci
      url: oci://ghcr.io/team/charts
    ---
    apiVersion: source.toolkit.fluxcd.io/v1
    kind: Bucket
    metadata:
      name: app
      namespace: NAMESPACE
    spec:
      bucketName: apps
      endpoint: s3.example.com
      interval: 1m0s
      provider: aws
      region: eu-west-1
    ---
    apiVersion: source.toolkit.fluxcd.io/v1
    kind: HelmChart
    metadata:
      name: app
      namespace: NAMESPACE
    spec:
      chart: podinfo
      interval: 1m0s
      reconcileStrategy: ChartVersion
      sourceRef:
        kind: HelmRepository
        name: charts
      version: '>=6.0.0'
    ");
}

#[tokio::test]
async fn kustomizations_and_receivers_are_printed_as_flux_prints_them() {
    let lines = [
        "kustomization app --source OCIRepository/app.apps --path /deploy --prune --wait --depends-on infra,base/crds --kubeconfig-secret-ref remote",
        "receiver app --type github --event ping,push --secret-ref hook --resource GitRepository/app,helmrepository/charts",
    ];
    insta::assert_snapshot!(printed(&Desk::offline(), lines).await, @r"
    ---
    apiVersion: kustomize.toolkit.fluxcd.io/v1
    kind: Kustomization
    metadata:
      name: app
      namespace: NAMESPACE
    spec:
      dependsOn:
      - name: infra
      - name: crds
        namespace: base
      interval: 1m0s
      kubeConfig:
        secretRef:
          name: remote
      path: ./deploy
      prune: true
      sourceRef:
        kind: OCIRepository
        name: app
        namespace: apps
      timeout: 2m0s
      wait: true
    ---
    apiVersion: notification.toolkit.fluxcd.io/v1
    kind: Receiver
    metadata:
      name: app
      namespace: NAMESPACE
    spec:
      events:
      - ping
      - push
      interval: 1m0s
      resources:
      - kind: GitRepository
        name: app
      - kind: HelmRepository
        name: charts
      secretRef:
        name: hook
      type: github
    ");
}

/// What `create` prints for each of these lines.
async fn printed<const N: usize>(desk: &Desk, lines: [&str; N]) -> String {
    let mut shown = String::new();
    for line in lines {
        let output = desk.output(&format!("create {line} --export")).await;
        assert_eq!(output.code, Some(0), "{line}: {}", output.stderr);
        shown.push_str(&output.stdout);
    }
    shown
}

#[tokio::test]
async fn secrets_with_logins_are_printed_as_flux_prints_them() {
    let desk = Desk::offline();
    desk.write("ca.crt", "ca.crt");
    let lines = [
        "secret git git --url https://git.example.com/app -u user -p word --ca-crt-file ca.crt",
        "secret git token --url https://git.example.com/app --bearer-token t",
        "secret oci registry --url ghcr.io/team/app -u user -p word",
        "secret helm basic -u user -p word",
        "secret proxy proxy --address http://proxy.example.com:3128 -u user",
    ];
    insta::assert_snapshot!(printed(&desk, lines).await, @r#"
    ---
    apiVersion: v1
    kind: Secret
    metadata:
      name: git
      namespace: NAMESPACE
    stringData:
      ca.crt: ca.crt
      password: word
      username: user
    ---
    apiVersion: v1
    kind: Secret
    metadata:
      name: token
      namespace: NAMESPACE
    stringData:
      bearerToken: t
    ---
    apiVersion: v1
    kind: Secret
    metadata:
      name: registry
      namespace: NAMESPACE
    stringData:
      .dockerconfigjson: |-
        {
          "auths": {
            "ghcr.io": {
              "username": "user",
              "password": "word",
              "auth": "dXNlcjp3b3Jk"
            }
          }
        }
    type: kubernetes.io/dockerconfigjson
    ---
    apiVersion: v1
    kind: Secret
    metadata:
      name: basic
      namespace: NAMESPACE
    stringData:
      password: word
      username: user
    type: kubernetes.io/basic-auth
    ---
    apiVersion: v1
    kind: Secret
    metadata:
      name: proxy
      namespace: NAMESPACE
    stringData:
      address: http://proxy.example.com:3128
      username: user
    type: Opaque
    "#);
}

#[tokio::test]
async fn secrets_with_files_and_tokens_are_printed_as_flux_prints_them() {
    let desk = Desk::offline();
    for file in ["ca.crt", "tls.crt", "tls.key", "app.pem"] {
        desk.write(file, file);
    }
    desk.write("policy.json", "{}");
    let lines = [
        "secret helm authority --ca-crt-file ca.crt",
        "secret tls tls --tls-crt-file tls.crt --tls-key-file tls.key --ca-crt-file ca.crt",
        "secret githubapp app --app-id 1 --app-installation-id 2 --app-private-key app.pem",
        "secret notation trust --ca-cert-file ca.crt,app.pem --trust-policy-file policy.json",
        "secret receiver hook --type gcr --hostname flux.example.com --token t --email-claim a@example.com",
    ];
    insta::assert_snapshot!(printed(&desk, lines).await, @r#"
    ---
    apiVersion: v1
    kind: Secret
    metadata:
      name: authority
      namespace: NAMESPACE
    stringData:
      ca.crt: ca.crt
    type: Opaque
    ---
    apiVersion: v1
    kind: Secret
    metadata:
      name: tls
      namespace: NAMESPACE
    stringData:
      ca.crt: ca.crt
      tls.crt: tls.crt
      tls.key: tls.key
    type: kubernetes.io/tls
    ---
    apiVersion: v1
    kind: Secret
    metadata:
      name: app
      namespace: NAMESPACE
    stringData:
      githubAppID: "1"
      githubAppInstallationID: "2"
      githubAppPrivateKey: app.pem
    type: Opaque
    ---
    apiVersion: v1
    kind: Secret
    metadata:
      name: trust
      namespace: NAMESPACE
    stringData:
      app.pem: app.pem
      ca.crt: ca.crt
      trustpolicy.json: '{}'
    ---
    apiVersion: v1
    kind: Secret
    metadata:
      annotations:
        notification.toolkit.fluxcd.io/webhook: https://flux.example.com/hook/b19acae501ef53527f5282d67f6a73672dbc554549010b4d4d8f93907205a09b
      name: hook
      namespace: NAMESPACE
    stringData:
      audience: https://flux.example.com/hook/b19acae501ef53527f5282d67f6a73672dbc554549010b4d4d8f93907205a09b
      email: a@example.com
      token: t
    "#);
}

#[tokio::test]
async fn flags_that_make_no_sense_are_told() {
    let desk = Desk::offline();
    for (line, expected) in [
        ("secret git x --url https://git.example.com/app", "needs --username and --password, or --bearer-token"),
        ("secret git x --url https://git.example.com/app -u user", "--username and --password belong together"),
        ("secret git x --url git@example.com:app", "invalid Git URL"),
        ("secret tls x", "--ca-crt-file, or --tls-crt-file and --tls-key-file, are required"),
        ("secret notation x --ca-cert-file a.txt --trust-policy-file lost", "cannot read `lost`"),
        ("source oci x --url https://ghcr.io/a/b --tag v1", "URL must be in format 'oci://<domain>/<org>/<repo>'"),
        ("source helm x --url ssh://example.com/charts", "invalid URL of a Helm repository"),
        ("source git x --url https://git.example.com/app", "--branch <BRANCH>"),
        ("source oci x --url oci://ghcr.io/a/b --tag v1 --layer-selector a:move", "neither `extract` nor `copy`"),
        ("kustomization x --source HelmChart/app", "`HelmChart` is none of"),
        ("kustomization X --source app", "a name has 1 to 63 lower-case letters"),
    ] {
        let output = desk.output(&format!("create {line} --export")).await;
        assert!(output.code != Some(0) && output.stderr.contains(expected), "{line}:\n{}", output.stderr);
    }
}

/// Runs a command and shows what it does, without what differs from run to run. `URL` stands for that of the repository.
async fn shown(team: &Team<'_>, desk: &Desk, line: &str) -> String {
    let head = team.repository.head("main").expect("something was pushed");
    let shown = desk.shown(&line.replace("URL", team.repository.url())).await;
    team.steady(&shown).replace(&head, "COMMIT").replace(&head[..8], "COMMIT")
}

#[tokio::test]
async fn objects_are_created_changed_and_deleted() {
    let team = Team::new("created").await;
    let limits = config_map("limits", "one");
    team.repository.commit([("deploy/limits.yaml", Some(limits.as_str()))], "first");
    let desk = Desk::new(team.cluster, &team.namespace);
    insta::assert_snapshot!(shown(&team, &desk, "create source git app --url URL --branch main --interval 1h").await, @r"
    | ✚ generating GitRepository source
    | ► applying GitRepository source
    | ✔ GitRepository source created
    | ◎ waiting for GitRepository source reconciliation
    | ✔ GitRepository source reconciliation completed
    | ✔ fetched revision: main@sha1:COMMIT
    exit 0
    ");
    let create = "create kustomization app --source app --path deploy --prune --target-namespace NAMESPACE";
    let create = create.replace("NAMESPACE", &team.namespace);
    insta::assert_snapshot!(shown(&team, &desk, &create).await, @r"
    | ✚ generating Kustomization
    | ► applying Kustomization
    | ✔ Kustomization created
    | ◎ waiting for Kustomization reconciliation
    | ✔ Kustomization app is ready
    | ✔ applied revision main@sha1:COMMIT
    exit 0
    ");
    let again = shown(&team, &desk, &format!("{create} --label team=shop")).await;
    assert!(again.contains("✔ Kustomization updated"), "{again}");
    let app = team.find("Kustomization", "app").await.expect("it was created");
    assert_eq!(app["metadata"]["labels"], json!({ "team": "shop" }));

    insta::assert_snapshot!(shown(&team, &desk, "delete ks app --silent").await, @r"
    | ► deleting kustomization app in NAMESPACE namespace
    | ✔ kustomization deleted
    exit 0
    ");
    insta::assert_snapshot!(shown(&team, &desk, "delete source git app").await, @r"
    | Are you sure you want to delete this source git? [y/N]
    | error: aborting
    exit 1
    ");
    insta::assert_snapshot!(shown(&team, &desk, "delete source git lost -s").await, @r#"
    | error: GitRepository object 'lost' not found in "NAMESPACE" namespace
    exit 1
    "#);
}

#[tokio::test]
async fn objects_are_traced_to_their_source_and_exported_with_credentials() {
    let limits = config_map("limits", "one");
    let files = [("deploy/limits.yaml", Some(limits.as_str()))];
    let team = Team::following("traced", &files, json!({ "path": "./deploy" })).await;
    team.ready().await;
    let desk = Desk::new(team.cluster, &team.namespace);
    let traced = shown(&team, &desk, "trace configmap limits").await;
    let steady: Vec<&str> = traced.lines().filter(|line| !line.starts_with("Status:          Last")).collect();
    insta::assert_snapshot!(steady.join("\n").trim_start(), @r"
    Object:          ConfigMap/limits
    Namespace:       NAMESPACE
    Status:          Managed by Flux
    ---
    Kustomization:   app
    Namespace:       NAMESPACE
    Target:          NAMESPACE
    Path:            ./deploy
    Revision:        main@sha1:COMMIT
    Message:         Applied revision: main@sha1:COMMIT
    ---
    GitRepository:   app
    Namespace:       NAMESPACE
    URL:             URL
    Branch:          main
    Revision:        main@sha1:COMMIT
    Message:         stored artifact for revision 'main@sha1:COMMIT'
    exit 0
    ");
    insta::assert_snapshot!(shown(&team, &desk, "trace cm/lost").await, @r"
    | ✗ failed to trace ConfigMap/lost in NAMESPACE namespace: not found
    exit 0
    ");

    insta::assert_snapshot!(shown(&team, &desk, "create secret git git --url https://git.example.com/app -u user -p word").await, @r"
    | ► git secret 'git' created in 'NAMESPACE' namespace
    exit 0
    ");
    let secret = team.find("Secret", "git").await.expect("it was created");
    assert_eq!(secret["data"], json!({ "username": "dXNlcg==", "password": "d29yZA==" }));
    team.cluster
        .merge(&team.named("GitRepository", "app"), json!({ "spec": { "secretRef": { "name": "git" } } }))
        .await;
    insta::assert_snapshot!(shown(&team, &desk, "export source git --all --with-credentials").await, @r"
    ---
    apiVersion: source.toolkit.fluxcd.io/v1
    kind: GitRepository
    metadata:
      name: app
      namespace: NAMESPACE
    spec:
      interval: 1h
      ref:
        branch: main
      secretRef:
        name: git
      timeout: 60s
      url: URL
    ---
    apiVersion: v1
    data:
      password: d29yZA==
      username: dXNlcg==
    kind: Secret
    metadata:
      name: git
      namespace: NAMESPACE
    type: Opaque
    exit 0
    ");

    insta::assert_snapshot!(shown(&team, &desk, "export kustomization app").await, @r"
    ---
    apiVersion: kustomize.toolkit.fluxcd.io/v1
    kind: Kustomization
    metadata:
      name: app
      namespace: NAMESPACE
    spec:
      force: false
      interval: 1h
      path: ./deploy
      prune: true
      sourceRef:
        kind: GitRepository
        name: app
      targetNamespace: NAMESPACE
    exit 0
    ");
}
