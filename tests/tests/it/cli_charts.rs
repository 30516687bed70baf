//! Charts on the command line: Helm's flags and bytes, origins, watching, and what a cluster gets.

use std::fs;

use fairlead_tests::Installation;
use fairlead_tools::Tool;

use crate::{cli::Desk, cli_build::Watch};

const WEB: &str = "\
{{- $name := printf \"%s-web\" .Release.Name }}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $name }}
  labels: {{- include \"shop.labels\" . | nindent 4 }}
spec:
  replicas: {{ .Values.replicas }}
  template:
    spec:
      containers:
      - name: web
        image: {{ .Values.image.name }}:{{ .Values.image.tag | default .Chart.AppVersion }}
";

const SETTINGS: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-settings
data:
  kubernetes: {{ .Capabilities.KubeVersion.Version }}
  has-shops: {{ .Capabilities.APIVersions.Has \"example.com/v1/Shop\" | quote }}
  namespace: {{ .Release.Namespace }}
  upgrade: {{ .Release.IsUpgrade | quote }}
  {{- range $key, $value := .Values.settings }}
  {{ $key }}: {{ $value | quote }}
  {{- end }}
";

const HOOK: &str = "\
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-migrate
  annotations:
    helm.sh/hook: pre-install
spec:
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: migrate
        image: migrate:1
";

const CRD: &str = "\
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: shops.example.com
spec:
  group: example.com
  names: {kind: Shop, plural: shops}
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema: {type: object}
";

/// Puts the chart `shop` with files of values onto `desk`.
fn put_shop(desk: &Desk) {
    desk.write("shop/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.2.3\nappVersion: \"4.5\"\n");
    desk.write(
        "shop/values.yaml",
        "replicas: 1\nimage:\n  name: registry.example.com/web\n  tag: \"\"\nsettings: {}\n",
    );
    desk.write(
        "shop/templates/_labels.tpl",
        "{{- define \"shop.labels\" -}}\napp: {{ .Chart.Name }}\nrelease: {{ .Release.Name }}\n{{- end }}\n",
    );
    desk.write("shop/templates/web.yaml", WEB);
    desk.write("shop/templates/settings.yaml", SETTINGS);
    desk.write("shop/templates/migrate.yaml", HOOK);
    desk.write("shop/templates/tests/answers.yaml", &HOOK.replace("pre-install", "test").replace("migrate", "answers"));
    desk.write("shop/templates/NOTES.txt", "Installed as {{ .Release.Name }}.\n");
    desk.write("shop/crds/shop.yaml", CRD);
    desk.write("staging.yaml", "replicas: 2\nsettings:\n  colour: blue\n");
    desk.write("more.yaml", "replicas: 3\n---\nsettings:\n  size: 1000000\n");
    desk.write("text.txt", "several\nlines\n");
}

#[tokio::test]
async fn every_flag_gives_the_bytes_that_helm_gives() {
    fairlead_tools::provide(&[Tool::Helm], |line| eprintln!("{line}")).expect("helm can be built");
    let desk = Desk::offline();
    put_shop(&desk);
    let lines = [
        "",
        "-n prod",
        "--values staging.yaml,more.yaml",
        "-f staging.yaml -f more.yaml --set replicas=5,settings.a[1]=x",
        "--set-string settings.size=1000000 --set settings.count=1000000",
        "--set-file settings.text=text.txt,settings.again=text.txt",
        "--set-json settings={\"deep\":[1,2.5]}",
        "--set-literal settings.raw=a,b={c}",
        "--include-crds --no-hooks",
        "--skip-tests",
        "-s templates/web.yaml --show-only=templates/settings.yaml",
        "--kube-version 1.31.2 --api-versions example.com/v1/Shop,example.com/v2",
        "--is-upgrade --skip-crds",
        "--version 9.9.9 -l a=b,c=d --timeout 1m --wait=legacy --server-side=false --dry-run=client --devel",
    ];
    for line in lines {
        let ours = desk.output(&format!("build shop web {line}")).await;
        let theirs = desk.output_of(&Tool::Helm.path(), &format!("template web shop {line}")).await;
        assert_eq!(theirs.code, Some(0), "{line}: {}", theirs.stderr);
        assert_eq!((ours.code, ours.stderr.as_str()), (Some(0), ""), "{line}");
        assert_eq!(ours.stdout, theirs.stdout, "{line}");
    }
    let packed = desk.output_of(&Tool::Helm.path(), "package shop").await;
    assert_eq!(packed.code, Some(0), "{}", packed.stderr);
    for line in ["shop-1.2.3.tgz", "shop --name-template web-{{`x`|upper|lower}}"] {
        let theirs = desk.output_of(&Tool::Helm.path(), &format!("template {line}")).await;
        assert_eq!(theirs.code, Some(0), "{line}: {}", theirs.stderr);
        assert_eq!(desk.output(&format!("build {line}")).await.stdout, theirs.stdout, "{line}");
    }
}

#[tokio::test]
async fn what_each_template_makes_goes_into_files_as_with_helm() {
    fairlead_tools::provide(&[Tool::Helm], |line| eprintln!("{line}")).expect("helm can be built");
    let desk = Desk::offline();
    put_shop(&desk);
    let ours = desk.output("build shop web --output-dir ours --release-name --include-crds").await;
    let theirs =
        desk.output_of(&Tool::Helm.path(), "template web shop --output-dir theirs --release-name --include-crds").await;
    let lines = |text: &str| text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(lines(&ours.stdout), lines(&theirs.stdout.replace("theirs/", "ours/")));
    for file in ["web/shop/templates/web.yaml", "web/shop/templates/migrate.yaml", "shop/crds/shop.yaml"] {
        let read = |folder: &str| fs::read_to_string(desk.path().join(folder).join(file));
        assert_eq!(read("ours").expect("a file"), read("theirs").expect("a file"), "{file}");
    }
}

#[tokio::test]
async fn what_a_build_cannot_do_is_refused_with_what_to_do_instead() {
    let desk = Desk::offline();
    put_shop(&desk);
    let mut told = String::new();
    for flag in [
        "--dependency-update",
        "--dry-run=server",
        "--enable-dns",
        "--post-renderer patch",
        "--repo https://charts.example.com",
        "--validate",
        "--verify",
    ] {
        told.push_str(&desk.shown(&format!("build shop {flag}")).await);
        told.push('\n');
    }
    insta::assert_snapshot!(told, @r"
    | error: --dependency-update is refused: a build fetches nothing
    | hint: put the charts that it needs into its `charts/` beforehand
    exit 1
    | error: --dry-run=server is refused: a build asks no cluster
    | hint: `fairlead diff` sends each object to the API server as a dry run
    exit 1
    | error: --enable-dns is refused: a template asks no network
    | hint: give the address as a value
    exit 1
    | error: --post-renderer is refused: a build starts no process
    | hint: name the chart under `helmCharts` of a kustomization, and patch there what it makes
    exit 1
    | error: --repo is refused: a build fetches nothing
    | hint: fetch the chart beforehand and name its directory or archive
    exit 1
    | error: --validate is refused: a build asks no cluster
    | hint: `fairlead diff` sends each object to the API server as a dry run
    exit 1
    | error: --verify is refused: a build fetches nothing
    | hint: fetch the chart beforehand and name its directory or archive
    exit 1
    ");
}

#[tokio::test]
async fn a_directory_with_both_is_built_as_its_kustomization_says() {
    let desk = Desk::offline();
    put_shop(&desk);
    desk.write("shop/kustomization.yaml", "resources: [crds/shop.yaml]\n");
    let output = desk.output("build shop").await;
    assert!(output.stdout.starts_with("apiVersion: apiextensions.k8s.io/v1\n"), "{}", output.stdout);
    insta::assert_snapshot!(desk.shown("build shop --set replicas=2").await, @r"
    | error: --set is for charts, and `shop` is none
    | hint: a chart is an archive, or a directory with a `Chart.yaml` and no kustomization file
    exit 1
    ");
}

#[tokio::test]
async fn the_objects_of_a_chart_have_all_other_forms_too() {
    let desk = Desk::offline();
    put_shop(&desk);
    insta::assert_snapshot!(desk.shown("build shop web -s templates/settings.yaml -f staging.yaml --origin").await, @r#"
    # ConfigMap web-settings: shop/templates/settings.yaml:1
    # values: settings
    apiVersion: v1 # shop/templates/settings.yaml:1
    data:
      colour: blue # shop/templates/settings.yaml:11
      has-shops: "false" # shop/templates/settings.yaml:7
      kubernetes: v1.37.0 # shop/templates/settings.yaml:6
      namespace: default # shop/templates/settings.yaml:8
      upgrade: "false" # shop/templates/settings.yaml:9
    kind: ConfigMap # shop/templates/settings.yaml:2
    metadata:
      name: web-settings # shop/templates/settings.yaml:4
    exit 0
    "#);
    insta::assert_snapshot!(desk.shown("build shop web -s templates/web.yaml --origin").await, @r#"
    # Deployment web-web: shop/templates/web.yaml:2
    # values: image, image.name, image.tag, replicas
    apiVersion: apps/v1 # shop/templates/web.yaml:2
    kind: Deployment # shop/templates/web.yaml:3
    metadata:
      labels:
        app: shop # shop/templates/web.yaml:6
        release: web # shop/templates/web.yaml:6
      name: web-web # shop/templates/web.yaml:5
    spec:
      replicas: 1 # shop/templates/web.yaml:8
      template:
        spec:
          containers:
          - image: registry.example.com/web:4.5 # shop/templates/web.yaml:13
            name: web # shop/templates/web.yaml:12
    exit 0
    "#);
    fs::create_dir(desk.path().join("each")).expect("a temporary folder is writable");
    assert_eq!(desk.shown("build shop web --no-hooks --output each").await, "exit 0");
    let written = fs::read_to_string(desk.path().join("each/v1_configmap_web-settings.yaml")).expect("it is there");
    assert!(written.starts_with("apiVersion: v1\ndata:\n"), "{written}");
}

#[tokio::test]
async fn what_fails_names_the_line() {
    let desk = Desk::offline();
    put_shop(&desk);
    desk.write("shop/templates/bad.yaml", "kind: Secret\nname: {{ .Values.image.digest.short }}\n");
    insta::assert_snapshot!(desk.shown("build shop").await, @r#"
    | error: cannot render the chart `shop`
    |   caused by: shop/templates/bad.yaml:2:16
    |   executing "shop/templates/bad.yaml" at <.Values.image.digest.short>:
    |     nil pointer evaluating interface {}.short
    | hint: `.Values.image.digest` is not set; `.Values.image` has `name`, `tag`
    exit 1
    "#);
    desk.write("shop/templates/bad.yaml", "count: {{ until .Values.replica }}\n{{ until .Values.replicas }}\n");
    insta::assert_snapshot!(desk.shown("build shop -f staging.yaml").await, @r#"
    | error: cannot render the chart `shop`
    |   caused by: shop/templates/bad.yaml:1:23
    |   executing "shop/templates/bad.yaml" at <.Values.replica>:
    |     wrong type for value; expected int; got interface {}
    | hint: `.Values.replica` is not set; did you mean `.Values.replicas`?
    exit 1
    "#);
    desk.write("shop/templates/bad.yaml", "count: {{ until .Values.replicas }}\n");
    insta::assert_snapshot!(desk.shown("build shop -f staging.yaml").await, @r#"
    | error: cannot render the chart `shop`
    |   caused by: shop/templates/bad.yaml:1:23
    |   executing "shop/templates/bad.yaml" at <.Values.replicas>:
    |     wrong type for value; expected int; got float64
    | hint: `.Values.replicas` is set at staging.yaml:1
    exit 1
    "#);
    desk.write(
        "shop/templates/_need.tpl",
        "{{ define \"need\" }}\n{{ required \"a tag\" .Values.image.tag }}{{ end }}\n",
    );
    desk.write("shop/templates/bad.yaml", "\nkind: Secret\nname: {{ include \"need\" . }}\n");
    insta::assert_snapshot!(desk.shown("build shop").await, @r#"
    | error: cannot render the chart `shop`
    |   caused by: execution error at (shop/templates/bad.yaml:3:9): a tag
    | hint: `.Values.image.tag` is set at shop/values.yaml:4; refused at shop/templates/_need.tpl:2, called from shop/templates/bad.yaml:3
    exit 1
    "#);
    desk.write("shop/templates/bad.yaml", "{{- /* a list */}}\nkind: Secret\n  name: {{ .Release.Name }}\n");
    insta::assert_snapshot!(desk.shown("build shop").await, @r"
    | error: cannot render the chart `shop`
    |   caused by: YAML parse error on shop/templates/bad.yaml: error converting YAML to JSON: yaml: line 2: mapping values are not allowed in this context
    | hint: look at shop/templates/bad.yaml:3, which makes it
    exit 1
    ");
    desk.write("shop/values.schema.json", r#"{"properties": {"replicas": {"maximum": 5}}}"#);
    insta::assert_snapshot!(desk.shown("build shop --set replicas=7").await, @r"
    | error: cannot render the chart `shop`
    |   caused by: values don't meet the specifications of the schema(s) in the following chart(s):
    | shop:
    | - at '/replicas': maximum: got 7, want 5
    |
    | hint: `replicas` is set at --set replicas
    exit 1
    ");
    desk.write("shop/templates/bad.yaml", "kind: Secret\n{{ if }}\n");
    insta::assert_snapshot!(desk.shown("build shop").await, @r"
    | error: cannot render the chart `shop`
    |   caused by: parse error at (shop/templates/bad.yaml:2): missing value for if
    exit 1
    ");
    insta::assert_snapshot!(desk.shown("build shop -f missing.yaml").await, @r"
    | error: cannot read `missing.yaml`
    |   caused by: No such file or directory (os error 2)
    exit 1
    ");
}

#[tokio::test]
async fn everything_that_is_wrong_is_told_in_one_run() {
    let desk = Desk::offline();
    put_shop(&desk);
    insta::assert_snapshot!(desk.shown("lint shop -f staging.yaml").await, @r"
    ==> Linting shop
    [INFO] Chart.yaml: icon is recommended

    1 chart(s) linted, 0 chart(s) failed
    exit 0
    ");
    desk.write("shop/templates/a.yaml", "kind: Secret\n{{ if }}\n");
    desk.write("shop/templates/b.yaml", "kind: Secret\nname: {{ .Values.image.digest.short }}\n");
    desk.write("shop/templates/c.yaml", "{{ end }}\n");
    desk.write("shop/templates/d.yaml", "kind: Secret\n  name: x\n---\napiVersion: v1\nkind: Secret\n");
    desk.write(
        "shop/templates/e.yaml",
        "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata:\n  name: Web\n  annotations:\n    helm.sh/hook: before\n",
    );
    desk.write("shop/templates/f.yaml", &SETTINGS.replace("{{ .Release.Name }}-settings", "release-name-settings"));
    desk.write("shop/values.schema.json", r#"{"properties": {"replicas": {"maximum": 5}}}"#);
    insta::assert_snapshot!(desk.shown("lint shop --quiet --set replicas=7 --set-json image=x").await, @r#"
    ==> Linting shop
    [ERROR] values.yaml: failed parsing --set-json data image=x
      hint: error parsing JSON "x": expected value at line 1 column 1
    [ERROR] values.yaml: values don't meet the specifications of the schema(s) in the following chart(s):
    shop:
    - at '/replicas': maximum: got 7, want 5

      hint: `replicas` is set at --set replicas
    [ERROR] shop/templates/c.yaml:1: parse error at (shop/templates/c.yaml:1): unexpected {{end}}
    [ERROR] shop/templates/a.yaml:2: parse error at (shop/templates/a.yaml:2): missing value for if
    [ERROR] shop/templates/d.yaml:2: YAML parse error on shop/templates/d.yaml: error converting YAML to JSON: yaml: line 2: mapping values are not allowed in this context
      hint: look at shop/templates/d.yaml:2, which makes it
    [ERROR] shop/templates/b.yaml: shop/templates/b.yaml:2:16
      executing "shop/templates/b.yaml" at <.Values.image.digest.short>:
        nil pointer evaluating interface {}.short
      hint: `.Values.image.digest` is not set; `.Values.image` has `name`, `tag`
    [WARNING] shop/templates/e.yaml:1: object name does not conform to Kubernetes naming requirements: "Web"
    [WARNING] shop/templates/e.yaml:1: policy/v1beta1 PodDisruptionBudget is not served since Kubernetes 1.25; use policy/v1
    [WARNING] shop/templates/e.yaml:1: `helm.sh/hook` names an event that does not exist, so the object is left out
    [ERROR] shop/templates/d.yaml:4: the object has no `metadata.name`
    [ERROR] shop/templates/f.yaml:1: ConfigMap release-name-settings is there twice; the first is at shop/templates/settings.yaml:1

    1 chart(s) linted, 1 chart(s) failed
    exit 1
    "#);
}

#[tokio::test]
async fn a_saved_template_or_file_of_values_is_rendered_again() {
    let desk = Desk::offline();
    put_shop(&desk);
    let mut watch = Watch::start(&desk, "build shop -f staging.yaml --watch");
    watch.until("kind: Deployment").await;
    watch.until_watching().await;

    desk.write("staging.yaml", "replicas: 7\n");
    watch.until("+  replicas: 7").await;
    watch.until_watching().await;

    desk.write("shop/templates/web.yaml", &WEB.replace("- name: web", "- name: server"));
    watch.until("+        name: server").await;
    assert_eq!(watch.interrupted().await, Some(0));
}

#[tokio::test]
async fn a_chart_is_compared_and_applied_and_looks_things_up() {
    let cluster = Installation::shared().await.cluster;
    let namespace = cluster.namespace("chart").await;
    let desk = Desk::new(cluster, &namespace);
    desk.write("shop/Chart.yaml", "apiVersion: v2\nname: shop\nversion: 1.2.3\n");
    desk.write("shop/templates/migrate.yaml", HOOK);
    desk.write(
        "shop/templates/settings.yaml",
        "\
{{- $old := lookup \"v1\" \"ConfigMap\" .Release.Namespace \"web-settings\" }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: web-settings
data:
  runs: {{ add (dig \"data\" \"runs\" 0 $old) 1 | quote }}
  has-config-maps: {{ .Capabilities.APIVersions.Has \"v1/ConfigMap\" | quote }}
  has-pod-policies: {{ .Capabilities.APIVersions.Has \"policy/v1beta1\" | quote }}
",
    );
    let line = format!("shop web -n {namespace}");
    insta::assert_snapshot!(desk.shown(&format!("diff {line}")).await, @r"
    ► ConfigMap/NAMESPACE/web-settings created
      shop/templates/settings.yaml:2
    Plan: 1 to create.
    | ⚠️ left out, since only a release runs hooks: Job web-migrate
    | ⚠️ identified at least one change, exiting with non-zero exit code
    exit 1
    ");
    insta::assert_snapshot!(desk.shown(&format!("apply {line}")).await, @r"
    ConfigMap/NAMESPACE/web-settings created
    | ⚠️ left out, since only a release runs hooks: Job web-migrate
    | ► applying shop under the name web
    | ✔ applied
    exit 0
    ");
    insta::assert_snapshot!(desk.shown(&format!("diff {line} -o diff")).await, @r#"
    # ConfigMap/NAMESPACE/web-settings: drifted, shop/templates/settings.yaml:2
    --- a/ConfigMap/NAMESPACE/web-settings
    +++ b/ConfigMap/NAMESPACE/web-settings
    @@ data.runs @@ kustomize-controller, set at shop/templates/settings.yaml:7
    -"1"
    +"2"
    | ⚠️ left out, since only a release runs hooks: Job web-migrate
    | ⚠️ identified at least one change, exiting with non-zero exit code
    exit 1
    "#);
    let get = ["get", "configmap", "web-settings", "-n", &namespace, "-o", "jsonpath={.data}"];
    insta::assert_snapshot!(cluster.kubectl(&get).await.stdout, @r#"{"has-config-maps":"true","has-pod-policies":"false","runs":"1"}"#);
}

#[tokio::test]
async fn what_a_chart_draws_stays_as_it_is_once_it_is_there() {
    let cluster = Installation::shared().await.cluster;
    let namespace = cluster.namespace("drawing").await;
    let desk = Desk::new(cluster, &namespace);
    desk.write("vault/Chart.yaml", "apiVersion: v2\nname: vault\nversion: 1.2.3\n");
    desk.write(
        "vault/templates/password.yaml",
        "\
apiVersion: v1
kind: Secret
metadata:
  name: password
  annotations: {made: {{ now | date \"2006-01-02 15:04:05\" | quote }}}
stringData:
  password: {{ randAlphaNum 20 | b64enc }}
",
    );
    let line = format!("vault -n {namespace}");
    insta::assert_snapshot!(desk.shown(&format!("diff {line}")).await, @r"
    ► Secret/NAMESPACE/password created
      vault/templates/password.yaml:1
    Plan: 1 to create.
    | ⚠️ identified at least one change, exiting with non-zero exit code
    exit 1
    ");
    let applied = desk.shown(&format!("apply {line}")).await;
    assert!(applied.contains("Secret/NAMESPACE/password created"), "{applied}");
    let get = ["get", "secret", "password", "-n", &namespace, "-o", "jsonpath={.data}{.metadata.annotations}"];
    let drawn = cluster.kubectl(&get).await.stdout;
    insta::assert_snapshot!(desk.shown(&format!("diff {line}")).await, @r"
    Plan: nothing to do, 1 to keep.
    exit 0
    ");
    desk.shown(&format!("apply {line}")).await;
    assert_eq!(cluster.kubectl(&get).await.stdout, drawn);
}
