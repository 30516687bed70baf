//! `build`, `diff` and `apply` of a local directory.

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
    insta::assert_snapshot!(desk.shown("build app").await, @"");
    insta::assert_snapshot!(desk.shown("diff app").await, @"");
    insta::assert_snapshot!(desk.shown("apply app").await, @"");
    insta::assert_snapshot!(desk.shown("diff app").await, @"");

    desk.write("app/limits.yaml", &config_map("limits", "two"));
    name_resources(&desk, &namespace, &names[..1]);
    insta::assert_snapshot!(desk.shown("diff app").await, @"");
    insta::assert_snapshot!(desk.shown("diff app -o diff").await, @"");
    insta::assert_snapshot!(desk.shown("apply app").await, @"");
    insta::assert_snapshot!(desk.shown("apply app --wait").await, @"");
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
    insta::assert_snapshot!(desk.shown("diff app").await, @"");
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
    insta::assert_snapshot!(desk.shown("apply app --plan plan.json").await, @"");
    insta::assert_snapshot!(desk.shown("apply app --plan plan.json").await, @"");
    insta::assert_snapshot!(desk.shown("apply app --plan app/limits.yaml").await, @"");
    insta::assert_snapshot!(desk.shown("apply app --plan lost.json").await, @"");
}

#[tokio::test]
async fn too_many_deletions_are_held_until_someone_approves_just_them() {
    let names: Vec<String> = (10..20).map(|number| format!("m{number}")).collect();
    let (desk, namespace) = desk_with_app("held", &names).await;
    assert_eq!(desk.output("apply app --name held").await.code, Some(0));
    name_resources(&desk, &namespace, &names[..4]);
    let held = desk.shown("apply app --name held").await;
    insta::assert_snapshot!(without_digests(&held), @"");

    let (_, digest) = held.split_once("fairlead.dev/approve=").unwrap();
    let digest = digest.split('`').next().unwrap();
    let approval = json!({ "metadata": { "annotations": { "fairlead.dev/approve": digest } } });
    let cluster = Installation::shared().await.cluster;
    cluster.merge(&format!("ConfigMap {namespace}/fairlead-inventory-held"), approval).await;
    insta::assert_snapshot!(desk.shown("apply app --name held").await, @"");
}

#[tokio::test]
async fn an_error_names_the_file_the_reason_and_what_to_try() {
    let desk = desk("mistakes").await;
    desk.write("twice/web.yaml", "apiVersion: v1\nkind: ConfigMap\nkind: Secret\n");
    desk.write("away/kustomization.yaml", "resources: [../../../etc]\n");
    desk.write("lost/kustomization.yaml", "resources: [web.yaml]\n");
    desk.write("typo/kustomization.yaml", "resource: [web.yaml]\n");
    desk.write("remote/kustomization.yaml", "resources: [https://github.com/stefanprodan/podinfo//kustomize]\n");
    insta::assert_snapshot!(desk.shown("build twice").await, @"");
    insta::assert_snapshot!(desk.shown("build away").await, @"");
    insta::assert_snapshot!(desk.shown("build lost").await, @"");
    insta::assert_snapshot!(desk.shown("build typo").await, @"");
    insta::assert_snapshot!(desk.shown("build remote").await, @"");
    insta::assert_snapshot!(desk.shown("build nowhere").await, @"");
    insta::assert_snapshot!(desk.shown("build twice/web.yaml").await, @"");
    insta::assert_snapshot!(desk.shown("diff lost").await, @"");
    insta::assert_snapshot!(desk.shown("apply lost --name Not_A_Name").await, @"");
    insta::assert_snapshot!(desk.shown("diff").await, @"");
}

#[tokio::test]
async fn a_build_goes_to_a_file_or_to_a_file_for_each_object() {
    let (desk, namespace) = desk_with_app("files", &["limits".to_owned(), "old".to_owned()]).await;
    desk.write("out/keep", "");
    insta::assert_snapshot!(desk.shown("build app -o all.yaml").await, @"exit 0");
    insta::assert_snapshot!(desk.shown("build app -o out").await, @"exit 0");
    let read = |path: &str| std::fs::read_to_string(desk.path().join(path)).unwrap();
    let (limits, old) = (read("out/v1_configmap_limits.yaml"), read("out/v1_configmap_old.yaml"));
    assert_eq!(read("all.yaml"), format!("{limits}---\n{old}"));
    assert!(limits.contains(&namespace));
    insta::assert_snapshot!(desk.shown("build app -o lost/all.yaml").await, @"");
}
