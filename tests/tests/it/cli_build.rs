//! `build` of a local directory: kustomize's flags and bytes, origins, and watching.

use std::{collections::BTreeMap, fs, path::PathBuf, process::Stdio};

use fairlead_tests::binary::fairlead;
use fairlead_tools::{Tool, command};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStderr, ChildStdout},
    time::timeout,
};

use crate::{cli::Desk, scene::LIMIT};

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
    desk.write("odd/kustomization.yaml", "resources: [objects.yaml]\n");
    desk.write("odd/objects.yaml", "kind: Custom\nmetadata:\n  name: 7\n---\nkind: CustomList\n");
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
        "build odd",
        "build odd -o OUT/each",
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
        "--helm-command helm3",
        "--helm-kube-version 1.31",
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
    | error: --helm-command is refused: a build starts no process
    | hint: leave it out: charts are rendered without Helm
    exit 1
    | error: --helm-kube-version is refused: a chart sees the cluster that its kustomization names
    | hint: set `apiVersions` and `kubeVersion` where `helmCharts` names the chart
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

#[tokio::test]
async fn the_origin_of_every_field_is_told_beside_it_and_to_programs() {
    let desk = desk();
    insta::assert_snapshot!(desk.shown("build prod --origin").await, @r"
    # Namespace shop: base/namespace.yaml:1 < base/kustomization.yaml < prod/kustomization.yaml
    apiVersion: v1 # base/namespace.yaml:1
    kind: Namespace # base/namespace.yaml:2
    metadata:
      name: shop # base/namespace.yaml:4
    ---
    # ConfigMap shop/settings-6g6gd9868f: prod/kustomization.yaml:7 < prod/kustomization.yaml
    apiVersion: v1 # prod/kustomization.yaml:7
    data:
      colour: blue # prod/kustomization.yaml:7
    kind: ConfigMap # prod/kustomization.yaml:7
    metadata:
      name: settings-6g6gd9868f # prod/kustomization.yaml:7
      namespace: shop # prod/kustomization.yaml:1
    ---
    # Deployment shop/web: base/web.yaml:1 < base/kustomization.yaml < prod/kustomization.yaml
    apiVersion: apps/v1 # base/web.yaml:1
    kind: Deployment # base/web.yaml:2
    metadata:
      name: web # base/web.yaml:4
      namespace: shop # prod/kustomization.yaml:1
    spec:
      replicas: 3 # prod/kustomization.yaml:4 over base/web.yaml:6
      template:
        spec:
          containers:
          - image: registry.example.com/web:1.0.0 # base/web.yaml:11
            name: web # base/web.yaml:10
    exit 0
    ");
    let output = desk.output("build prod --origin -o json").await;
    let origins: Value = serde_json::from_str(&output.stdout).expect("it is JSON");
    let web = origins["objects"].as_array().and_then(|objects| objects.last()).expect("there are objects");
    assert_eq!(web["object"], json!({ "group": "apps", "kind": "Deployment", "namespace": "shop", "name": "web" }));
    let replicas =
        web["fields"].as_array().and_then(|fields| fields.iter().find(|field| field["pointer"] == "/spec/replicas"));
    insta::assert_snapshot!(replicas.expect("the field is told of"), @r#"{"places":[{"file":"prod/kustomization.yaml","line":4},{"file":"base/web.yaml","line":6}],"pointer":"/spec/replicas"}"#);
}

#[tokio::test]
async fn watching_shows_what_each_save_changes_and_keeps_the_last_good_build() {
    let desk = desk();
    let mut watch = Watch::start(&desk, "build prod --watch");
    watch.until("kind: Deployment").await;
    watch.until_watching().await;

    desk.write("base/web.yaml", &DEPLOYMENT.replace("web:1.0.0", "web:1.0.1"));
    watch.until("+      - image: registry.example.com/web:1.0.1").await;
    watch.until_watching().await;

    desk.write("base/web.yaml", "kind: [");
    watch.until_error("error: ").await;
    watch.until_watching().await;

    // As editors do: a new file takes the place of the old one.
    desk.write("base/.web.yaml.swap", &DEPLOYMENT.replace("web:1.0.0", "web:1.0.2"));
    fs::rename(desk.path().join("base/.web.yaml.swap"), desk.path().join("base/web.yaml")).expect("renamed");
    watch.until("-      - image: registry.example.com/web:1.0.1").await;
    watch.until("+      - image: registry.example.com/web:1.0.2").await;
    assert_eq!(watch.interrupted().await, Some(0));
}

/// `fairlead` as it runs until it is interrupted.
pub(crate) struct Watch {
    process: Child,
    stdout: Lines<BufReader<ChildStdout>>,
    stderr: Lines<BufReader<ChildStderr>>,
}

impl Watch {
    pub(crate) fn start(desk: &Desk, line: &str) -> Self {
        let mut command = tokio::process::Command::from(desk.command(&fairlead(), line));
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().expect("`fairlead` can be started");
        let stdout = BufReader::new(process.stdout.take().expect("it is piped")).lines();
        let stderr = BufReader::new(process.stderr.take().expect("it is piped")).lines();
        Self { process, stdout, stderr }
    }

    /// Waits for a line of standard output with `text`.
    pub(crate) async fn until(&mut self, text: &str) {
        until(&mut self.stdout, text).await;
    }

    /// Waits for a line of standard error with `text`.
    async fn until_error(&mut self, text: &str) {
        until(&mut self.stderr, text).await;
    }

    pub(crate) async fn until_watching(&mut self) {
        self.until_error("◎ watching").await;
    }

    /// Presses Ctrl-C, and returns the exit code.
    pub(crate) async fn interrupted(mut self) -> Option<i32> {
        let id = self.process.id().expect("it is running").to_string();
        command("kill").args(["-INT", &id]).status().expect("`kill` can be started");
        timeout(LIMIT, self.process.wait()).await.expect("it ends").expect("it is a child").code()
    }
}

async fn until<R: AsyncBufRead + Unpin>(lines: &mut Lines<R>, text: &str) {
    let found = timeout(LIMIT, async {
        while let Some(line) = lines.next_line().await.expect("lines are text") {
            if line.contains(text) {
                return true;
            }
        }
        false
    });
    assert!(found.await.unwrap_or(false), "no line with `{text}`");
}
