//! `build` of a local directory: kustomize's flags and bytes.

use std::{collections::BTreeMap, fs, path::PathBuf};

use fairlead_tests::binary::fairlead;
use fairlead_tools::Tool;

use crate::cli::Desk;

const DEPLOYMENT: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 1
  template:
    spec:
      containers:
      - name: web
        image: registry.example.com/web:1.0.0
";

const NAMESPACE: &str = "\
apiVersion: v1
kind: Namespace
metadata:
  name: shop
";

/// A desk with an overlay `prod` over `base`, and a directory `plain` without a kustomization file.
fn desk() -> Desk {
    let desk = Desk::offline();
    desk.write("base/kustomization.yaml", "resources: [web.yaml, namespace.yaml]\n");
    desk.write("base/web.yaml", DEPLOYMENT);
    desk.write("base/namespace.yaml", NAMESPACE);
    desk.write(
        "prod/kustomization.yaml",
        "\
namespace: shop
resources: [../base]
replicas:
- name: web
  count: 3
configMapGenerator:
- name: settings
  literals: [colour=blue]
",
    );
    desk.write("away/kustomization.yaml", "resources: [../base/web.yaml]\n");
    desk.write(
        "noted/kustomization.yaml",
        "resources: [../base]\nbuildMetadata: [managedByLabel, originAnnotations]\n",
    );
    desk.write(
        "plain/types.yaml",
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nmetadata:\n  name: x\n",
    );
    desk.write("own/kustomization.yaml", "resources: [../plain/types.yaml]\n");
    desk
}

#[tokio::test]
async fn every_flag_gives_the_bytes_that_kustomize_gives() {
    fairlead_tools::provide(&[Tool::Kustomize], |line| eprintln!("{line}")).expect("kustomize can be built");
    let desk = desk();
    let lines = [
        "build prod",
        "build prod --reorder none",
        "build prod --reorder=legacy",
        "build prod --enable-managedby-label",
        "build noted",
        "build away --load-restrictor LoadRestrictionsNone",
        "build own --load-restrictor=LoadRestrictionsNone",
        "build -e COLOUR=blue -e SIZE=1 --as-current-user prod",
        "build prod/ -o OUT/all.yaml",
        "build prod --output OUT/each",
    ];
    for line in lines {
        let mut outcomes = Vec::new();
        for (folder, program) in [("ours", fairlead()), ("theirs", Tool::Kustomize.path())] {
            desk.write(&format!("{folder}/each/keep"), "");
            let output = desk.output_of(&program, &line.replace("OUT", folder)).await;
            assert_eq!(output.code, Some(0), "{line}: {}", output.stderr);
            outcomes.push((output.stdout, files(&desk, folder)));
        }
        assert_eq!(outcomes[0], outcomes[1], "{line}");
    }
}

/// Every file in `folder` and in its folder `each`, with its content.
fn files(desk: &Desk, folder: &str) -> BTreeMap<PathBuf, String> {
    let folder = desk.path().join(folder);
    let entries = [folder.clone(), folder.join("each")].map(|folder| fs::read_dir(folder).expect("a folder"));
    let paths = entries.into_iter().flatten().map(|entry| entry.expect("an entry").path());
    let read = |path: PathBuf| {
        let content = fs::read_to_string(&path).expect("a text");
        (path.strip_prefix(&folder).expect("it is below").to_owned(), content)
    };
    paths.filter(|path| path.is_file()).map(read).collect()
}

#[tokio::test]
async fn without_a_path_the_current_directory_is_built() {
    let desk = Desk::offline();
    desk.write("web.yaml", NAMESPACE);
    insta::assert_snapshot!(desk.shown("build").await, @r"
    apiVersion: v1
    kind: Namespace
    metadata:
      name: shop
    exit 0
    ");
}

#[tokio::test]
async fn flags_that_would_start_or_reach_something_are_refused_with_the_reason() {
    let desk = desk();
    let mut shown = Vec::new();
    for flag in [
        "--enable-alpha-plugins",
        "--enable-exec",
        "--network",
        "--network-name bridge",
        "--mount type=bind",
        "--enable-helm",
        "--helm-command helm3",
    ] {
        shown.push(desk.shown(&format!("build prod {flag}")).await);
    }
    insta::assert_snapshot!(shown.join("\n"), @r"
    | error: --enable-alpha-plugins is refused: a build starts no process
    | hint: run the plugin beforehand and name what it writes under `resources`
    exit 1
    | error: --enable-exec is refused: a build runs no functions
    | hint: run the function beforehand and name what it writes under `resources`
    exit 1
    | error: --network is refused: a build runs no functions
    | hint: run the function beforehand and name what it writes under `resources`
    exit 1
    | error: --network-name is refused: a build runs no functions
    | hint: run the function beforehand and name what it writes under `resources`
    exit 1
    | error: --mount is refused: a build runs no functions
    | hint: run the function beforehand and name what it writes under `resources`
    exit 1
    | error: --enable-helm is refused: a build starts no process
    | hint: render the chart beforehand with `helm template` and name what it writes under `resources`
    exit 1
    | error: --helm-command is refused: a build starts no process
    | hint: render the chart beforehand with `helm template` and name what it writes under `resources`
    exit 1
    ");
}

#[tokio::test]
async fn a_file_outside_of_the_kustomizations_directory_needs_the_flag_that_kustomize_asks_for() {
    let desk = desk();
    insta::assert_snapshot!(desk.shown("build away").await, @r"
    | error: away/kustomization.yaml:1: accumulating resources: accumulation err='accumulating resources from '../base/web.yaml': security; file '/base/web.yaml' is not in or below '/away''
    |   caused by: away/kustomization.yaml:1: must build at directory: '/base/web.yaml': file is not directory
    exit 1
    ");
    insta::assert_snapshot!(desk.shown("build away --load-restrictor none").await, @r"
    | error: invalid value 'none' for '--load-restrictor <RESTRICTIONS>'
    |   [possible values: LoadRestrictionsRootOnly, LoadRestrictionsNone]
    |
    | For more information, try '--help'.
    exit 2
    ");
}

#[tokio::test]
async fn words_about_deprecated_flags_go_to_standard_error() {
    let desk = desk();
    insta::assert_snapshot!(desk.shown("build base --reorder none --enable-managedby-label").await, @r"
    apiVersion: apps/v1
    kind: Deployment
    metadata:
      labels:
        app.kubernetes.io/managed-by: kustomize-v5.8.1
      name: web
    spec:
      replicas: 1
      template:
        spec:
          containers:
          - image: registry.example.com/web:1.0.0
            name: web
    ---
    apiVersion: v1
    kind: Namespace
    metadata:
      labels:
        app.kubernetes.io/managed-by: kustomize-v5.8.1
      name: shop
    | Flag --reorder has been deprecated, use the new 'sortOptions' field in kustomization.yaml instead.
    | Flag --enable-managedby-label has been deprecated, use the `managedByLabel` option in the `buildMetadata` field instead.
    exit 0
    ");
}

#[tokio::test]
async fn a_format_is_json_or_yaml_unless_there_is_something_of_that_name() {
    let desk = desk();
    insta::assert_snapshot!(desk.shown("build base -o json").await, @r#"
    {
      "apiVersion": "v1",
      "items": [
        {
          "apiVersion": "v1",
          "kind": "Namespace",
          "metadata": {
            "name": "shop"
          }
        },
        {
          "apiVersion": "apps/v1",
          "kind": "Deployment",
          "metadata": {
            "name": "web"
          },
          "spec": {
            "replicas": 1,
            "template": {
              "spec": {
                "containers": [
                  {
                    "image": "registry.example.com/web:1.0.0",
                    "name": "web"
                  }
                ]
              }
            }
          }
        }
      ],
      "kind": "List"
    }
    exit 0
    "#);
    let yaml = desk.output("build base -o yaml").await.stdout;
    assert_eq!(yaml, desk.output("build base").await.stdout);
    assert_eq!(desk.shown("build base -o ./json").await, "exit 0");
    assert_eq!(fs::read_to_string(desk.path().join("json")).unwrap(), yaml);
    assert_eq!(desk.shown("build base -o json").await, "exit 0");
}
