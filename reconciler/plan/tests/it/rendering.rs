//! Plans as people read them.

use fairlead_plan::{Force, Plan, render};
use serde_json::{Value, json};

use crate::scene::{Scene, owned, unowned, with};

/// A plan with one of everything.
fn eventful() -> Plan {
    let web = |image: &str, replicas: u64| {
        let spec =
            json!({"replicas": replicas, "template": {"spec": {"containers": [{"name": "app", "image": image}]}}});
        with(owned("Deployment shop/web"), &json!({"spec": spec}))
    };
    let mut live = web("web:1", 5);
    live["metadata"]["managedFields"] = json!([
        {"manager": "kubectl-scale", "operation": "Update", "apiVersion": "apps/v1", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
    ]);
    let role =
        |verbs: Value| with(owned("ClusterRole viewer"), &json!({"rules": [{"resources": ["pods"], "verbs": verbs}]}));
    let ignored = with(
        owned("ConfigMap shop/ignored"),
        &json!({"metadata": {"labels": {"kustomize.toolkit.fluxcd.io/ssa": "Ignore"}}}),
    );
    let script = |line: &str| {
        with(owned("ConfigMap shop/script"), &json!({"data": {"run.sh": format!("set -e\n{line}\nexit\n")}}))
    };
    Scene::default()
        .inventory([
            "Deployment shop/web",
            "Job shop/migrate",
            "ClusterRole viewer",
            "ConfigMap shop/script",
            "Namespace legacy",
            "ConfigMap shop/old",
        ])
        .desired([
            web("web:2", 2),
            owned("Job shop/migrate"),
            role(json!(["get", "*"])),
            owned("ClusterRoleBinding admins"),
            with(owned("ConfigMap shop/new"), &json!({"data": {"a": "1", "text": "one\ntwo\n"}})),
            ignored,
            script("echo new"),
            owned("ConfigMap shop/found"),
            owned("ConfigMap shop/same"),
        ])
        .previewed(&live, &web("web:2", 2))
        .immutable(&with(owned("Job shop/migrate"), &json!({"metadata": {"uid": "u"}})), "spec.template")
        .previewed(&role(json!(["get"])), &role(json!(["get", "*"])))
        .previewed(&script("echo old"), &script("echo new"))
        .previewed(&unowned("ConfigMap shop/found"), &owned("ConfigMap shop/found"))
        .previewed(&owned("ConfigMap shop/same"), &owned("ConfigMap shop/same"))
        .live(&owned("Namespace legacy"))
        .live(&owned("ConfigMap shop/old"))
        .options(|options| {
            options.force = Force::Yes;
            options.revision_from = Some("main@sha1:1".to_owned());
        })
        .plan()
}

#[test]
fn text_begins_with_what_is_held_and_the_risks() {
    insta::assert_snapshot!(render::text(&eventful()), @r#"
    Held: would delete Namespace legacy; to approve, set annotation fairlead.dev/approve: sha256:cb8807c0efa45eadb26ad994cb7b4b0615e0c85d4e85839c9541fcb01a655a13

    Risks:
      ! deletes Namespace legacy (and all that depends on it)
      ! replaces Job shop/migrate (spec.template is immutable)
      ! deletes ConfigMap shop/old
      ! grants cluster-wide rights by ClusterRole viewer (clusterrole-viewer.yaml:1)
      ! grants cluster-wide rights by ClusterRoleBinding admins (clusterrolebinding-admins.yaml:1)
      ! takes over ConfigMap shop/found (exists already, without an owner)
      ! restarts the pods of Deployment shop/web

    ► ClusterRole/viewer drifted
      clusterrole-viewer.yaml:1
      @@ rules[0].verbs @@
       - get
      +- "*"
    ► ClusterRoleBinding/admins created
      clusterrolebinding-admins.yaml:1
    ► ConfigMap/shop/found drifted
      configmap-found.yaml:1
      @@ metadata.labels @@
      +kustomize.toolkit.fluxcd.io/name: apps
      +kustomize.toolkit.fluxcd.io/namespace: flux-system
    ► ConfigMap/shop/ignored skipped
      configmap-ignored.yaml:1
      kustomize.toolkit.fluxcd.io/ssa: Ignore in the source
    ► ConfigMap/shop/new created
      configmap-new.yaml:1
    ► ConfigMap/shop/script drifted
      configmap-script.yaml:1
      @@ data["run.sh"] @@
       set -e
      -echo old
      +echo new
       exit
    ► Deployment/shop/web drifted
      deployment-web.yaml:1
      @@ spec.replicas @@ kubectl-scale
      -5
      +2
      @@ spec.template.spec.containers[name="app"].image @@
      -web:1
      +web:2
    ► Job/shop/migrate replaced
      job-migrate.yaml:1
      spec.template is immutable
    ► ConfigMap/shop/old deleted
      no longer in the source
    ► Namespace/legacy deleted
      no longer in the source
    Plan: 2 to create, 4 to update, 1 to replace, 2 to delete, 2 to keep.
    "#);
}

#[test]
fn a_diff_has_a_file_for_each_object_and_a_hunk_for_each_field() {
    insta::assert_snapshot!(render::diff(&eventful()), @r#"
    # ClusterRole/viewer: drifted, clusterrole-viewer.yaml:1
    --- a/ClusterRole/viewer
    +++ b/ClusterRole/viewer
    @@ rules[0].verbs @@
     - get
    +- "*"
    # ClusterRoleBinding/admins: created, clusterrolebinding-admins.yaml:1
    --- /dev/null
    +++ b/ClusterRoleBinding/admins
    @@ -0,0 +1,7 @@
    +apiVersion: rbac.authorization.k8s.io/v1
    +kind: ClusterRoleBinding
    +metadata:
    +  labels:
    +    kustomize.toolkit.fluxcd.io/name: apps
    +    kustomize.toolkit.fluxcd.io/namespace: flux-system
    +  name: admins
    # ConfigMap/shop/found: drifted, configmap-found.yaml:1
    --- a/ConfigMap/shop/found
    +++ b/ConfigMap/shop/found
    @@ metadata.labels @@
    +kustomize.toolkit.fluxcd.io/name: apps
    +kustomize.toolkit.fluxcd.io/namespace: flux-system
    # ConfigMap/shop/new: created, configmap-new.yaml:1
    --- /dev/null
    +++ b/ConfigMap/shop/new
    @@ -0,0 +1,13 @@
    +apiVersion: v1
    +data:
    +  a: "1"
    +  text: |
    +    one
    +    two
    +kind: ConfigMap
    +metadata:
    +  labels:
    +    kustomize.toolkit.fluxcd.io/name: apps
    +    kustomize.toolkit.fluxcd.io/namespace: flux-system
    +  name: new
    +  namespace: shop
    # ConfigMap/shop/script: drifted, configmap-script.yaml:1
    --- a/ConfigMap/shop/script
    +++ b/ConfigMap/shop/script
    @@ data["run.sh"] @@
     set -e
    -echo old
    +echo new
     exit
    # Deployment/shop/web: drifted, deployment-web.yaml:1
    --- a/Deployment/shop/web
    +++ b/Deployment/shop/web
    @@ spec.replicas @@ kubectl-scale
    -5
    +2
    @@ spec.template.spec.containers[name="app"].image @@
    -web:1
    +web:2
    # Job/shop/migrate: replaced, job-migrate.yaml:1, spec.template is immutable
    --- a/Job/shop/migrate
    +++ b/Job/shop/migrate
    # ConfigMap/shop/old: deleted, no longer in the source
    --- a/ConfigMap/shop/old
    +++ /dev/null
    # Namespace/legacy: deleted, no longer in the source
    --- a/Namespace/legacy
    +++ /dev/null
    "#);
}

#[test]
fn markdown_folds_each_object() {
    insta::assert_snapshot!(render::markdown(&eventful()), @r#"
    <!-- fairlead plan flux-system/apps -->
    ### `flux-system/apps`

    Plan: 2 to create, 4 to update, 1 to replace, 2 to delete, 2 to keep.

    Revision `main@sha1:1` → `main@sha1:2`, plan `sha256:6329f063fd74e8d569388c05c0a5fe3e3e7f81182377fc53123c8a3162969ebf`

    > **Held:** would delete Namespace legacy; to approve, set annotation fairlead.dev/approve: sha256:cb8807c0efa45eadb26ad994cb7b4b0615e0c85d4e85839c9541fcb01a655a13

    - ⚠️ deletes `Namespace legacy` (and all that depends on it)
    - ⚠️ replaces `Job shop/migrate` (spec.template is immutable)
    - ⚠️ deletes `ConfigMap shop/old`
    - ⚠️ grants cluster-wide rights by `ClusterRole viewer` (clusterrole-viewer.yaml:1)
    - ⚠️ grants cluster-wide rights by `ClusterRoleBinding admins` (clusterrolebinding-admins.yaml:1)
    - ⚠️ takes over `ConfigMap shop/found` (exists already, without an owner)
    - ⚠️ restarts the pods of `Deployment shop/web`

    <details><summary><code>ClusterRole/viewer</code> drifted</summary>

    clusterrole-viewer.yaml:1

    ```diff
    @@ rules[0].verbs @@
     - get
    +- "*"
    ```

    </details>
    <details><summary><code>ClusterRoleBinding/admins</code> created</summary>

    clusterrolebinding-admins.yaml:1

    ```diff
    @@ -0,0 +1,7 @@
    +apiVersion: rbac.authorization.k8s.io/v1
    +kind: ClusterRoleBinding
    +metadata:
    +  labels:
    +    kustomize.toolkit.fluxcd.io/name: apps
    +    kustomize.toolkit.fluxcd.io/namespace: flux-system
    +  name: admins
    ```

    </details>
    <details><summary><code>ConfigMap/shop/found</code> drifted</summary>

    configmap-found.yaml:1

    ```diff
    @@ metadata.labels @@
    +kustomize.toolkit.fluxcd.io/name: apps
    +kustomize.toolkit.fluxcd.io/namespace: flux-system
    ```

    </details>
    <details><summary><code>ConfigMap/shop/ignored</code> skipped</summary>

    configmap-ignored.yaml:1; kustomize.toolkit.fluxcd.io/ssa: Ignore in the source

    </details>
    <details><summary><code>ConfigMap/shop/new</code> created</summary>

    configmap-new.yaml:1

    ```diff
    @@ -0,0 +1,13 @@
    +apiVersion: v1
    +data:
    +  a: "1"
    +  text: |
    +    one
    +    two
    +kind: ConfigMap
    +metadata:
    +  labels:
    +    kustomize.toolkit.fluxcd.io/name: apps
    +    kustomize.toolkit.fluxcd.io/namespace: flux-system
    +  name: new
    +  namespace: shop
    ```

    </details>
    <details><summary><code>ConfigMap/shop/script</code> drifted</summary>

    configmap-script.yaml:1

    ```diff
    @@ data["run.sh"] @@
     set -e
    -echo old
    +echo new
     exit
    ```

    </details>
    <details><summary><code>Deployment/shop/web</code> drifted</summary>

    deployment-web.yaml:1

    ```diff
    @@ spec.replicas @@ kubectl-scale
    -5
    +2
    @@ spec.template.spec.containers[name="app"].image @@
    -web:1
    +web:2
    ```

    </details>
    <details><summary><code>Job/shop/migrate</code> replaced</summary>

    job-migrate.yaml:1; spec.template is immutable

    </details>
    <details><summary><code>ConfigMap/shop/old</code> deleted</summary>

    no longer in the source

    </details>
    <details><summary><code>Namespace/legacy</code> deleted</summary>

    no longer in the source

    </details>
    "#);
}

#[test]
fn the_change_log_speaks_as_flux_does() {
    insta::assert_snapshot!(render::change_log(&eventful()), @r"
    ClusterRole/viewer configured
    ClusterRoleBinding/admins created
    ConfigMap/shop/found configured
    ConfigMap/shop/new created
    ConfigMap/shop/script configured
    Deployment/shop/web configured
    Job/shop/migrate created
    ConfigMap/shop/old deleted
    Namespace/legacy deleted
    ");
}

#[test]
fn a_plan_with_nothing_to_do_says_so() {
    let web = owned("ConfigMap shop/web");
    let plan = Scene::default().desired([web.clone()]).previewed(&web, &web).plan();
    assert_eq!(render::text(&plan), "Plan: nothing to do, 1 to keep.\n");
    assert_eq!(render::diff(&plan), "");
}

#[test]
fn markdown_stays_within_what_a_comment_takes() {
    let scene = (0..2000).fold(Scene::default(), |scene, place| {
        let data = json!({"data": {"text": "`````\n".repeat(20)}});
        scene.desired([with(owned(&format!("ConfigMap shop/c{place:04}")), &data)])
    });
    let comment = render::markdown(&scene.plan());
    assert!(comment.len() <= render::MAX_MARKDOWN_BYTES, "{} bytes", comment.len());
    assert!(comment.ends_with("more objects are not shown._\n"), "{}", &comment[comment.len() - 100..]);
    assert!(comment.contains("``````diff"), "a fence longer than any in the text");
}

#[test]
fn nothing_in_a_source_can_draw_on_the_readers_terminal() {
    let evil = json!({"data": {"a\u{1b}[2J": "red \u{1b}[31m", "b": "one\r\n\u{1b}]0;title\u{7}\n", "c": "\u{202e}d"}});
    let object = with(owned("ConfigMap shop/evil"), &evil);
    let plan = Scene::default().desired([object.clone()]).plan();
    let changed = Scene::default().desired([object.clone()]).previewed(&owned("ConfigMap shop/evil"), &object).plan();
    let told = [render::text(&changed), render::diff(&changed), render::diff(&plan), render::markdown(&plan)].join("");
    let is_harmful = |c: &char| (c.is_control() && !matches!(c, '\n' | '\t')) || *c == '\u{202e}';
    assert_eq!(told.chars().find(is_harmful), None, "{told:?}");
}
