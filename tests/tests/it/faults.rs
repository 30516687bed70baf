//! What is wrong in a source is said with its file and line, and nothing of it is applied.

use futures::future::join_all;
use serde_json::{Value, json};

use crate::scene::{Files, LIMIT, Team, config_map};

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 0
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
        - name: web
          image: web
";

/// Returns what `Kustomization app` says when it is built from `files`, besides an object that is right.
async fn outcome(name: &str, files: Files<'_>, spec: Value) -> String {
    let right = config_map("right", "x");
    let mut files = files.to_vec();
    files.push(("right.yaml", Some(&right)));
    let team = Team::following("fault", &files, spec).await;
    let failed = team.failed().await;
    let applied = if team.find("ConfigMap", "right").await.is_some() { " (other objects applied)" } else { "" };
    format!("{name}{applied}\n  {}", team.steady(&failed.to_string()).replace('\n', "\n  "))
}

/// Returns what each row's source leads to.
async fn outcomes(rows: &[(&str, Files<'_>, Value)]) -> String {
    let outcomes = rows.iter().map(|(name, files, spec)| outcome(name, files, spec.clone()));
    join_all(outcomes).await.join("\n")
}

/// Returns a `ConfigMap` of a few hundred bytes that would unfold to a billion words.
fn alias_bomb() -> String {
    let level = |level: u32| {
        let below = if level == 0 { "lol".to_owned() } else { format!("*a{}", level - 1) };
        format!("  a{level}: &a{level} [{}]\n", vec![below; 10].join(", "))
    };
    config_map("web", "x") + "laughs:\n" + &(0..9).map(level).collect::<String>()
}

#[tokio::test]
async fn a_source_that_cannot_be_built_is_refused_whole() {
    let undefined = config_map("web", "${missing}");
    let duplicate = config_map("web", "x") + "data: {}\n";
    let bomb = alias_bomb();
    let rows = [
        ("broken YAML", &[("web.yaml", Some("apiVersion: v1\nkind: [\n"))][..], json!({})),
        ("alias bomb", &[("web.yaml", Some(bomb.as_str()))], json!({})),
        ("duplicate key", &[("web.yaml", Some(duplicate.as_str()))], json!({})),
        ("missing file", &[("kustomization.yaml", Some("resources:\n  - right.yaml\n  - gone.yaml\n"))], json!({})),
        (
            "cycle of bases",
            &[
                ("a/kustomization.yaml", Some("resources: [../b]\n")),
                ("b/kustomization.yaml", Some("resources: [../a]\n")),
            ],
            json!({ "path": "./a" }),
        ),
        ("path that leaves the tree", &[("kustomization.yaml", Some("resources:\n  - ../../etc/passwd\n"))], json!({})),
        ("absolute path", &[("kustomization.yaml", Some("resources:\n  - /etc/passwd\n"))], json!({})),
        ("remote base", &[("kustomization.yaml", Some("resources:\n  - https://example.com/web.yaml\n"))], json!({})),
        ("missing directory", &[], json!({ "path": "./gone" })),
        (
            "undefined variable",
            &[("web.yaml", Some(undefined.as_str()))],
            json!({ "postBuild": { "substitute": { "a": "b" } } }),
        ),
        (
            "patch without target",
            &[],
            json!({ "patches": [{ "patch": "kind: Deployment\napiVersion: apps/v1\nmetadata:\n  name: wbe\n" }] }),
        ),
    ];
    insta::assert_snapshot!(outcomes(&rows).await, @r#"
    broken YAML
      False BuildFailed: web.yaml:2: MalformedYAMLError: yaml: line 2: did not find expected ',' or ']'
    alias bomb
      False BuildFailed: web.yaml:12: MalformedYAMLError: yaml: line 12: document contains excessive aliasing: more than 100000 nodes
    duplicate key
      False BuildFailed: web.yaml:7: cannot read the object: yaml: unmarshal errors:
        line 7: mapping key "data" already defined at line 5
    missing file
      False BuildFailed: kustomization.yaml:3: accumulating resources: accumulation err='accumulating resources from 'gone.yaml': evalsymlink failure on '/gone.yaml' : '/gone.yaml' doesn't exist': must build at directory: not a valid directory: evalsymlink failure on '/gone.yaml' : '/gone.yaml' doesn't exist
      commit the file itself: a source keeps no symbolic links, nothing that `.sourceignore` names, and submodules only with `spec.recurseSubmodules`
    cycle of bases
      False BuildFailed: a/kustomization.yaml:1: accumulating resources from '../b': b/kustomization.yaml:1: accumulating resources: accumulation err='accumulating resources from '../a': '/a' must resolve to a file': b/kustomization.yaml:1: cycle detected: candidate root '/a' contains visited root '/a'
    path that leaves the tree
      False BuildFailed: kustomization.yaml:2: accumulating resources: accumulation err='accumulating resources from '../../etc/passwd': security; file '../../etc/passwd' is not in or below '/'': kustomization.yaml:2: security; file '../../etc/passwd' is not in or below '/'
    absolute path
      False BuildFailed: kustomization.yaml:2: accumulating resources: accumulation err='accumulating resources from '/etc/passwd': evalsymlink failure on '/etc/passwd' : an absolute path names no file of a source': new root '/etc/passwd' cannot be absolute
    remote base
      False BuildFailed: kustomization.yaml:2: `https://example.com/web.yaml` is remote, and a build fetches nothing
      copy it into the source, or declare a source of its own for it
    missing directory
      False ArtifactFailed: kustomization path not found: `gone`
      commit the file itself: a source keeps no symbolic links, nothing that `.sourceignore` names, and submodules only with `spec.recurseSubmodules`
    undefined variable
      False BuildFailed: web.yaml:1: cannot substitute the variables of ConfigMap NAMESPACE/web in `data.value`: `${missing}`: variable not set (strict mode): "missing"
      set `missing` in `postBuild`, give it a default as `${missing:=…}`, or write `$${missing}` to keep `${missing}` as it is
    patch without target
      False BuildFailed: spec.patches[0]: no resource matches strategic merge patch "Deployment.v1.apps/wbe.[noNs]": no matches for Id Deployment.v1.apps/wbe.[noNs]; failed to find unique target for patch Deployment.v1.apps/wbe.[noNs]
    "#);
}

#[tokio::test]
async fn what_the_api_server_refuses_is_named_with_its_file_and_line() {
    let invalid = "apiVersion: v1\nkind: Service\nmetadata:\n  name: web\nspec:\n  ports: []\n";
    let unknown = "apiVersion: example.com/v1\nkind: Widget\nmetadata:\n  name: web\n";
    let elsewhere = config_map("web", "x").replace("metadata:\n", "metadata:\n  namespace: nowhere\n");
    let unknown_field = format!("{DEPLOYMENT}  replica: 1\n");
    let rows = [
        ("invalid object", &[("web.yaml", Some(invalid))][..], json!({})),
        ("kind that is not served", &[("web.yaml", Some(unknown))], json!({})),
        (
            "missing namespace",
            &[("kustomization.yaml", Some("resources: [web.yaml]\n")), ("web.yaml", Some(elsewhere.as_str()))],
            json!({ "targetNamespace": null }),
        ),
        ("unknown field", &[("web.yaml", Some(unknown_field.as_str()))], json!({})),
        ("account without rights", &[], json!({ "serviceAccountName": "default" })),
        ("account that does not exist", &[], json!({ "serviceAccountName": "nobody" })),
    ];
    insta::assert_snapshot!(outcomes(&rows).await, @r#"
    invalid object (other objects applied)
      False ReconciliationFailed: web.yaml:6: Service/NAMESPACE/web apply failed (Invalid): Service "web" is invalid: spec.ports: Required value
    kind that is not served
      False ReconciliationFailed: web.yaml:1: the cluster serves no example.com/v1 Widget, and no CustomResourceDefinition here defines it
      apply the definition of the kind, here or elsewhere; this goes on by itself then
    missing namespace
      False ReconciliationFailed: web.yaml:1: ConfigMap/nowhere/web apply failed (NotFound): namespaces "nowhere" not found
      create Namespace nowhere, or add it to the source; this goes on by itself then
    unknown field (other objects applied)
      False ReconciliationFailed: web.yaml:18: Deployment/NAMESPACE/web apply failed: failed to create typed patch object (NAMESPACE/web; apps/v1, Kind=Deployment): .spec.replica: field not declared in schema
    account without rights
      False ReconciliationFailed: right.yaml:1: ConfigMap/NAMESPACE/right cannot be read (Forbidden): configmaps "right" is forbidden: User "system:serviceaccount:NAMESPACE:default" cannot get resource "configmaps" in API group "" in the namespace "NAMESPACE"
      bind a role that allows this to the user
    account that does not exist
      False ReconciliationFailed: right.yaml:1: ConfigMap/NAMESPACE/right cannot be read (Forbidden): configmaps "right" is forbidden: User "system:serviceaccount:NAMESPACE:nobody" cannot get resource "configmaps" in API group "" in the namespace "NAMESPACE"
      bind a role that allows this to the user
    "#);
}

#[tokio::test]
async fn a_change_of_an_immutable_field_names_it_and_is_a_replacement_by_force() {
    let team = Team::following("immutable", &[("web.yaml", Some(DEPLOYMENT))], json!({})).await;
    team.ready().await;
    let before = team.find("Deployment", "web").await.unwrap()["metadata"]["uid"].clone();

    let changed = DEPLOYMENT.replace("app: web", "app: other");
    let commit = team.push(&[("web.yaml", Some(&changed))]).await;
    let failed = team.failed().await;
    insta::assert_snapshot!(team.steady(&failed.to_string()), @r#"
    False ReconciliationFailed: web.yaml:1: Deployment NAMESPACE/web: field spec.selector is immutable: Deployment.apps "web" is invalid: spec.selector: Invalid value: {"matchLabels":{"app":"other"}}: field is immutable
    Take the change back, or let the object be deleted and created anew: spec.force on its owner, or annotation kustomize.toolkit.fluxcd.io/force: Enabled on the object.
    "#);

    team.kustomize("app", json!({ "force": true })).await;
    team.applied(&commit).await;
    let after = team.find("Deployment", "web").await.unwrap();
    assert_ne!(after["metadata"]["uid"], before);
    assert_eq!(after["spec"]["selector"]["matchLabels"]["app"], "other");
}

#[tokio::test]
async fn one_team_that_is_broken_disturbs_no_other() {
    let right = config_map("right", "x");
    let broken = Team::following("broken", &[("web.yaml", Some("kind: [\n"))], json!({})).await;
    let healthy = Team::following("healthy", &[("right.yaml", Some(&right))], json!({})).await;
    let (failed, ready) = tokio::join!(broken.failed(), healthy.ready());
    assert_eq!((failed.reason.as_str(), ready.reason.as_str()), ("BuildFailed", "ReconciliationSucceeded"));

    let commit = broken.push(&[("web.yaml", Some(&config_map("web", "x")))]).await;
    broken.applied(&commit).await;
}

#[tokio::test]
async fn a_symbolic_link_is_followed_nowhere_and_the_file_that_names_one_is_told() {
    let team = Team::new("links").await;
    let right = config_map("right", "x");
    let naming = "resources: [link.yaml]\n";
    let targets = [
        ("inside", "../plain/right.yaml"),
        ("outside", "../../etc/passwd"),
        ("absolute", "/etc/passwd"),
        ("dangling", "gone.yaml"),
        ("cycle", "link.yaml"),
        ("directory", "../plain"),
    ];
    team.repository.commit([("plain/right.yaml", Some(&right))], "first");
    for (name, target) in targets {
        team.repository.commit([(format!("{name}/kustomization.yaml"), Some(naming))], name);
        team.repository.commit_link(&format!("{name}/link.yaml"), target);
        team.repository.commit_link(&format!("plain/{name}.yaml"), target);
    }
    team.repository.commit_link("whole", "plain");
    team.fetch().await;
    let mut told = Vec::new();
    for name in targets.map(|(name, _)| name).into_iter().chain(["whole"]) {
        team.kustomize(name, json!({ "path": format!("./{name}") })).await;
        let failed = team.cluster.wait_for(&team.named("Kustomization", name), "Ready", "False", LIMIT).await;
        told.push(format!("{name}\n  {}", team.steady(&failed.to_string()).replace('\n', "\n  ")));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    inside
      False BuildFailed: inside/kustomization.yaml:1: accumulating resources: accumulation err='accumulating resources from 'link.yaml': evalsymlink failure on '/inside/link.yaml' : '/inside/link.yaml' doesn't exist': must build at directory: not a valid directory: evalsymlink failure on '/inside/link.yaml' : '/inside/link.yaml' doesn't exist
      commit the file itself: a source keeps no symbolic links, nothing that `.sourceignore` names, and submodules only with `spec.recurseSubmodules`
    outside
      False BuildFailed: outside/kustomization.yaml:1: accumulating resources: accumulation err='accumulating resources from 'link.yaml': evalsymlink failure on '/outside/link.yaml' : '/outside/link.yaml' doesn't exist': must build at directory: not a valid directory: evalsymlink failure on '/outside/link.yaml' : '/outside/link.yaml' doesn't exist
      commit the file itself: a source keeps no symbolic links, nothing that `.sourceignore` names, and submodules only with `spec.recurseSubmodules`
    absolute
      False BuildFailed: absolute/kustomization.yaml:1: accumulating resources: accumulation err='accumulating resources from 'link.yaml': evalsymlink failure on '/absolute/link.yaml' : '/absolute/link.yaml' doesn't exist': must build at directory: not a valid directory: evalsymlink failure on '/absolute/link.yaml' : '/absolute/link.yaml' doesn't exist
      commit the file itself: a source keeps no symbolic links, nothing that `.sourceignore` names, and submodules only with `spec.recurseSubmodules`
    dangling
      False BuildFailed: dangling/kustomization.yaml:1: accumulating resources: accumulation err='accumulating resources from 'link.yaml': evalsymlink failure on '/dangling/link.yaml' : '/dangling/link.yaml' doesn't exist': must build at directory: not a valid directory: evalsymlink failure on '/dangling/link.yaml' : '/dangling/link.yaml' doesn't exist
      commit the file itself: a source keeps no symbolic links, nothing that `.sourceignore` names, and submodules only with `spec.recurseSubmodules`
    cycle
      False BuildFailed: cycle/kustomization.yaml:1: accumulating resources: accumulation err='accumulating resources from 'link.yaml': evalsymlink failure on '/cycle/link.yaml' : '/cycle/link.yaml' doesn't exist': must build at directory: not a valid directory: evalsymlink failure on '/cycle/link.yaml' : '/cycle/link.yaml' doesn't exist
      commit the file itself: a source keeps no symbolic links, nothing that `.sourceignore` names, and submodules only with `spec.recurseSubmodules`
    directory
      False BuildFailed: directory/kustomization.yaml:1: accumulating resources: accumulation err='accumulating resources from 'link.yaml': evalsymlink failure on '/directory/link.yaml' : '/directory/link.yaml' doesn't exist': must build at directory: not a valid directory: evalsymlink failure on '/directory/link.yaml' : '/directory/link.yaml' doesn't exist
      commit the file itself: a source keeps no symbolic links, nothing that `.sourceignore` names, and submodules only with `spec.recurseSubmodules`
    whole
      False ArtifactFailed: kustomization path not found: `whole`
      commit the file itself: a source keeps no symbolic links, nothing that `.sourceignore` names, and submodules only with `spec.recurseSubmodules`
    ");

    team.kustomize("app", json!({ "path": "./plain" })).await;
    team.ready().await;
    assert_eq!(team.inventory().await, ["NAMESPACE_right__ConfigMap"]);
}

#[tokio::test]
async fn a_file_that_is_too_large_is_named_and_what_was_fetched_before_stays() {
    let right = config_map("right", "x");
    let team = Team::following("huge", &[("right.yaml", Some(&right))], json!({})).await;
    team.ready().await;

    team.repository.commit([("huge.yaml", Some(vec![b'#'; (128 << 20) + 1]))], "huge");
    team.request("GitRepository", "app").await;
    let source = team.named("GitRepository", "app");
    let failed = team.cluster.wait_for(&source, "Ready", "False", LIMIT).await;
    insta::assert_snapshot!(team.steady(&failed.to_string()), @"False GitOperationFailed: failed to checkout and determine revision: unable to clone 'URL': `huge.yaml` with 134217729 bytes exceeds the limit of 134217728 bytes for one file");
    assert!(team.find("ConfigMap", "right").await.is_some());

    let commit = team.push(&[("huge.yaml", None), ("more.yaml", Some(&config_map("more", "x")))]).await;
    team.applied(&commit).await;
}
