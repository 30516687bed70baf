//! `build`, `diff` and `apply` of a local directory.

use std::fs;

use fairlead_tests::Installation;
use serde_json::json;

use crate::{
    cli::{Desk, without_digests},
    scene::config_map,
};

async fn desk(prefix: &str) -> Desk {
    let cluster = Installation::shared().await.cluster;
    Desk::new(cluster, &cluster.namespace(prefix).await)
}

/// Returns a desk with a kustomization `app` that puts its objects into the desk's namespace.
async fn desk_with_app(prefix: &str, names: &[String]) -> (Desk, String) {
    let cluster = Installation::shared().await.cluster;
    let namespace = cluster.namespace(prefix).await;
    let desk = Desk::new(cluster, &namespace);
    for name in names {
        desk.write(&format!("app/{name}.yaml"), &config_map(name, "one"));
    }
    name_resources(&desk, &namespace, names);
    (desk, namespace)
}

fn name_resources(desk: &Desk, namespace: &str, names: &[String]) {
    let files: Vec<String> = names.iter().map(|name| format!("{name}.yaml")).collect();
    let kustomization = json!({ "namespace": namespace, "resources": files });
    desk.write("app/kustomization.yaml", &kustomization.to_string());
}

#[tokio::test]
async fn a_directory_is_built_compared_applied_and_pruned() {
    let names = ["limits".to_owned(), "old".to_owned()];
    let (desk, namespace) = desk_with_app("local", &names).await;
    insta::assert_snapshot!(desk.shown("build app").await, @r"
    apiVersion: v1
    data:
      value: one
    kind: ConfigMap
    metadata:
      name: limits
      namespace: NAMESPACE
    ---
    apiVersion: v1
    data:
      value: one
    kind: ConfigMap
    metadata:
      name: old
      namespace: NAMESPACE
    exit 0
    ");
    insta::assert_snapshot!(desk.shown("diff app").await, @r"
    ► ConfigMap/NAMESPACE/limits created
      app/limits.yaml:1 < app/kustomization.yaml
    ► ConfigMap/NAMESPACE/old created
      app/old.yaml:1 < app/kustomization.yaml
    Plan: 2 to create.
    | ⚠️ identified at least one change, exiting with non-zero exit code
    exit 1
    ");
    insta::assert_snapshot!(desk.shown("apply app").await, @r"
    ConfigMap/NAMESPACE/limits created
    ConfigMap/NAMESPACE/old created
    | ► applying app under the name default
    | ✔ applied
    exit 0
    ");
    insta::assert_snapshot!(desk.shown("diff app").await, @r"
    Plan: nothing to do, 2 to keep.
    exit 0
    ");

    desk.write("app/limits.yaml", &config_map("limits", "two"));
    name_resources(&desk, &namespace, &names[..1]);
    insta::assert_snapshot!(desk.shown("diff app").await, @r"
    Risks:
      ! deletes ConfigMap NAMESPACE/old

    ► ConfigMap/NAMESPACE/limits drifted
      app/limits.yaml:1 < app/kustomization.yaml
      @@ data.value @@ kustomize-controller, set at app/limits.yaml:6
      -one
      +two
    ► ConfigMap/NAMESPACE/old deleted
      no longer in the source
    Plan: 1 to update, 1 to delete.
    | ⚠️ identified at least one change, exiting with non-zero exit code
    exit 1
    ");
    insta::assert_snapshot!(desk.shown("diff app -o diff").await, @r"
    # ConfigMap/NAMESPACE/limits: drifted, app/limits.yaml:1 < app/kustomization.yaml
    --- a/ConfigMap/NAMESPACE/limits
    +++ b/ConfigMap/NAMESPACE/limits
    @@ data.value @@ kustomize-controller, set at app/limits.yaml:6
    -one
    +two
    # ConfigMap/NAMESPACE/old: deleted, no longer in the source
    --- a/ConfigMap/NAMESPACE/old
    +++ /dev/null
    | ⚠️ identified at least one change, exiting with non-zero exit code
    exit 1
    ");
    insta::assert_snapshot!(desk.shown("apply app").await, @r"
    ConfigMap/NAMESPACE/limits configured
    ConfigMap/NAMESPACE/old deleted
    | ► applying app under the name default
    | ✔ applied
    exit 0
    ");
    insta::assert_snapshot!(desk.shown("apply app --wait").await, @r"
    | ◎ waiting for everything to be healthy
    | ✔ nothing to do
    exit 0
    ");
}

#[tokio::test]
async fn no_format_shows_the_value_of_a_secret() {
    let (desk, namespace) = desk_with_app("secret", &[]).await;
    let secret = |password: &str| {
        json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": "login", "namespace": namespace },
            "stringData": { "password": password },
        })
        .to_string()
    };
    desk.write("app/kustomization.yaml", "resources: [login.yaml]\n");
    desk.write("app/login.yaml", &secret("correct-horse"));
    assert_eq!(desk.output("apply app").await.code, Some(0));
    desk.write("app/login.yaml", &secret("battery-staple"));
    insta::assert_snapshot!(desk.shown("diff app").await, @r"
    ► Secret/NAMESPACE/login drifted
      app/login.yaml:1 < app/kustomization.yaml
      @@ data.password @@ kustomize-controller
      -*** (before)
      +*** (after)
    Plan: 1 to update.
    | ⚠️ identified at least one change, exiting with non-zero exit code
    exit 1
    ");
    for format in ["text", "json", "diff", "markdown"] {
        let output = desk.output(&format!("diff app -o {format}")).await;
        assert_eq!(output.code, Some(1), "{}", output.stderr);
        for told in ["correct-horse", "battery-staple", "Y29ycmVjdC1ob3JzZQ", "YmF0dGVyeS1zdGFwbGU"] {
            assert!(!output.stdout.contains(told), "{format} shows {told}");
        }
    }
}

#[tokio::test]
async fn a_saved_plan_is_applied_once_and_never_after_an_input_has_moved() {
    let names = ["limits".to_owned()];
    let (desk, _) = desk_with_app("saved", &names).await;
    let plan = desk.output("diff app -o json").await;
    assert_eq!(plan.code, Some(1));
    // What was printed had the namespace hidden.
    let namespace = desk.namespace();
    desk.write("plan.json", &plan.stdout.replace("NAMESPACE", namespace));
    insta::assert_snapshot!(desk.shown("apply app --plan plan.json").await, @r"
    ConfigMap/NAMESPACE/limits created
    | ► applying app under the name default
    | ✔ applied
    exit 0
    ");
    insta::assert_snapshot!(desk.shown("apply app --plan plan.json").await, @r"
    | error: the plan no longer holds; what would happen has changed for ConfigMap NAMESPACE/limits
    | hint: look at what would happen now with `fairlead diff`
    exit 1
    ");
    insta::assert_snapshot!(desk.shown("apply app --plan app/limits.yaml").await, @r"
    | error: cannot use `app/limits.yaml`
    |   caused by: not a plan
    |   caused by: expected value at line 1 column 1
    exit 1
    ");
    insta::assert_snapshot!(desk.shown("apply app --plan lost.json").await, @r"
    | error: cannot read `lost.json`
    |   caused by: No such file or directory (os error 2)
    exit 1
    ");
}

#[tokio::test]
async fn too_many_deletions_are_held_until_someone_approves_just_them() {
    let names: Vec<String> = (10..20).map(|number| format!("m{number}")).collect();
    let (desk, namespace) = desk_with_app("held", &names).await;
    assert_eq!(desk.output("apply app --name held").await.code, Some(0));
    name_resources(&desk, &namespace, &names[..4]);
    let held = desk.shown("apply app --name held").await;
    insta::assert_snapshot!(without_digests(&held), @r"
    | error: held: would delete 6 of 10 objects, more than 50 %
    | hint: look at it with `fairlead diff`, then approve it with `kubectl annotate --overwrite -n NAMESPACE configmap fairlead-inventory-held fairlead.dev/approve=sha256:DIGEST`
    exit 1
    ");

    let (_, digest) = held.split_once("fairlead.dev/approve=").unwrap();
    let digest = digest.split('`').next().unwrap();
    let approval = json!({ "metadata": { "annotations": { "fairlead.dev/approve": digest } } });
    let cluster = Installation::shared().await.cluster;
    cluster.merge(&format!("ConfigMap {namespace}/fairlead-inventory-held"), approval).await;
    insta::assert_snapshot!(desk.shown("apply app --name held").await, @r"
    ConfigMap/NAMESPACE/m19 deleted
    ConfigMap/NAMESPACE/m18 deleted
    ConfigMap/NAMESPACE/m17 deleted
    ConfigMap/NAMESPACE/m16 deleted
    ConfigMap/NAMESPACE/m15 deleted
    ConfigMap/NAMESPACE/m14 deleted
    | ► applying app under the name held
    | ✔ applied
    exit 0
    ");
}

#[tokio::test]
async fn an_error_names_the_file_the_reason_and_what_to_try() {
    let desk = desk("mistakes").await;
    desk.write("bare/web.yaml", "apiVersion: v1\nkind: ConfigMap\n");
    desk.write("away/kustomization.yaml", "resources: [../../../etc]\n");
    desk.write("lost/kustomization.yaml", "resources: [web.yaml]\n");
    desk.write("typo/kustomization.yaml", "resource: [web.yaml]\n");
    desk.write("remote/kustomization.yaml", "resources: [https://github.com/stefanprodan/podinfo//kustomize]\n");
    insta::assert_snapshot!(desk.shown("build bare").await, @r"
    | error: bare/web.yaml:1: missing metadata.name in object
    | hint: a directory without a kustomization file is applied whole: name what is meant in a `kustomization.yaml`, or leave the file out with a `.sourceignore`
    exit 1
    ");
    insta::assert_snapshot!(desk.shown("build away").await, @r"
    | error: away/kustomization.yaml:1: accumulating resources: accumulation err='accumulating resources from '../../../etc': security; file '../../../etc' is not in or below '/away''
    |   caused by: away/kustomization.yaml:1: security; file '../../../etc' is not in or below '/away'
    exit 1
    ");
    insta::assert_snapshot!(desk.shown("build lost").await, @r"
    | error: lost/kustomization.yaml:1: accumulating resources: accumulation err='accumulating resources from 'web.yaml': evalsymlink failure on '/lost/web.yaml' : '/lost/web.yaml' doesn't exist'
    |   caused by: must build at directory: not a valid directory: evalsymlink failure on '/lost/web.yaml' : '/lost/web.yaml' doesn't exist
    exit 1
    ");
    insta::assert_snapshot!(desk.shown("build typo").await, @r#"
    | error: typo/kustomization.yaml:1: invalid Kustomization: json: unknown field "resource"
    | hint: did you mean `resources`?
    exit 1
    "#);
    insta::assert_snapshot!(desk.shown("build remote").await, @r"
    | error: remote/kustomization.yaml:1: `https://github.com/stefanprodan/podinfo//kustomize` is remote, and a build fetches nothing
    | hint: copy it into the source, or declare a source of its own for it
    exit 1
    ");
    insta::assert_snapshot!(desk.shown("build nowhere").await, @r"
    | error: cannot read `nowhere`
    |   caused by: No such file or directory (os error 2)
    exit 1
    ");
    insta::assert_snapshot!(desk.shown("build bare/web.yaml").await, @r"
    | error: `bare/web.yaml` is not a directory
    exit 1
    ");
    insta::assert_snapshot!(desk.shown("diff lost").await, @r"
    | error: lost/kustomization.yaml:1: accumulating resources: accumulation err='accumulating resources from 'web.yaml': evalsymlink failure on '/lost/web.yaml' : '/lost/web.yaml' doesn't exist'
    |   caused by: must build at directory: not a valid directory: evalsymlink failure on '/lost/web.yaml' : '/lost/web.yaml' doesn't exist
    exit 2
    ");
    insta::assert_snapshot!(desk.shown("apply lost --name Not_A_Name").await, @r"
    | error: invalid value 'Not_A_Name' for '--name <NAME>': a name has 1 to 63 lower-case letters, digits and `-`, and begins and ends with no `-`
    |
    | For more information, try '--help'.
    exit 2
    ");
}

#[tokio::test]
async fn a_build_goes_to_a_file_or_to_a_file_for_each_object() {
    let (desk, namespace) = desk_with_app("files", &["limits".to_owned(), "old".to_owned()]).await;
    desk.write("out/keep", "");
    insta::assert_snapshot!(desk.shown("build app -o all.yaml").await, @"exit 0");
    insta::assert_snapshot!(desk.shown("build app -o out").await, @"exit 0");
    let read = |path: &str| fs::read_to_string(desk.path().join(path)).unwrap();
    let (limits, old) = (read("out/v1_configmap_limits.yaml"), read("out/v1_configmap_old.yaml"));
    assert_eq!(read("all.yaml"), format!("{limits}---\n{old}"));
    assert!(limits.contains(&namespace));
    insta::assert_snapshot!(desk.shown("build app -o lost/all.yaml").await, @r"
    | error: cannot write `lost/all.yaml`
    |   caused by: No such file or directory (os error 2)
    exit 1
    ");
}

#[tokio::test]
async fn what_kustomize_warns_of_is_repeated() {
    let (desk, _) = desk_with_app("deprecated", &["limits".to_owned()]).await;
    desk.write("old/kustomization.yaml", "bases: [../app]\ncommonLabels: { app: web }\n");
    let warnings = "\
# Warning: 'bases' is deprecated. Please use 'resources' instead. Run 'kustomize edit fix' to update your Kustomization automatically.
# Warning: 'commonLabels' is deprecated. Please use 'labels' instead. Run 'kustomize edit fix' to update your Kustomization automatically.
";
    let built = desk.output("build old").await;
    assert_eq!((built.stderr.as_str(), built.code), (warnings, Some(0)));
    let compared = desk.output("diff old").await;
    assert!(compared.stderr.starts_with(warnings), "{}", compared.stderr);
    let applied = desk.output("apply old").await;
    assert!(applied.stderr.starts_with(warnings), "{}", applied.stderr);
}

#[tokio::test]
async fn outside_a_checkout_paths_are_shown_from_the_current_folder_or_in_full() {
    let desk = desk("outside").await;
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("app/overlay")).unwrap();
    fs::write(folder.path().join("app/kustomization.yaml"), "resource: [web.yaml]\n").unwrap();
    insta::assert_snapshot!(desk.output_in(folder.path(), "build app").await.stderr, @r#"
    error: app/kustomization.yaml:1: invalid Kustomization: json: unknown field "resource"
    hint: did you mean `resources`?
    "#);
    let above = desk.output_in(&folder.path().join("app/overlay"), "build ..").await.stderr;
    let full = folder.path().join("app/kustomization.yaml");
    assert!(above.starts_with(&format!("error: {}:1: ", full.display())), "{above}");

    fs::write(&full, "resources: [limits.yaml]\n").unwrap();
    let limits =
        config_map("limits", "one").replace("metadata:\n", &format!("metadata:\n  namespace: {}\n", desk.namespace()));
    fs::write(folder.path().join("app/limits.yaml"), limits).unwrap();
    insta::assert_snapshot!(desk.output_in(folder.path(), "diff app").await.stdout, @r"
    ► ConfigMap/NAMESPACE/limits created
      app/limits.yaml:1 < app/kustomization.yaml
    Plan: 1 to create.
    ");
}

#[tokio::test]
async fn a_server_that_does_not_answer_is_named_with_what_chose_it() {
    let (desk, _) = desk_with_app("unreachable", &[]).await;
    let kubeconfig = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{ "name": "gone", "cluster": { "server": "http://127.0.0.1:1" } }],
        "contexts": [{ "name": "lab", "context": { "cluster": "gone", "user": "nobody" } }],
        "users": [{ "name": "nobody", "user": {} }],
        "current-context": "lab",
    });
    desk.write("gone.kubeconfig", &kubeconfig.to_string());
    insta::assert_snapshot!(desk.shown("get ks --kubeconfig gone.kubeconfig").await, @r"
    | error: cannot reach the API server at http://127.0.0.1:1/, which context `lab` of `gone.kubeconfig` names
    |   caused by: Connection refused (os error 111)
    | hint: check that the cluster runs and can be reached from here; --context and --kubeconfig choose another one
    exit 1
    ");
    let compared = desk.output("diff app --kubeconfig gone.kubeconfig").await;
    assert_eq!(compared.code, Some(2), "{}", compared.stderr);
}
