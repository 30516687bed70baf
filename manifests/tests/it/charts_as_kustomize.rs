//! Charts that a kustomization names, compared with `kustomize build --enable-helm`, which starts `helm`.

use std::{fs, path::Path};

use fairlead_tools::Tool;

use crate::scene::printed;

const VALUES: &str = "size: 1\nlist: [a, b]\nmap: {x: 1, z: 2}\nobjects:\n- {name: one, v: 1}\n- {name: two, v: 2}\n";

/// A template that shows what it was rendered with.
const SHOWN: &str = "\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}
  {{- with .Values.namespace }}
  namespace: {{ . }}
  {{- end }}
data:
  namespace: {{ .Release.Namespace }}
  values: {{ toJson .Values | quote }}
  kube: {{ .Capabilities.KubeVersion.Version }}
  serves: {{ .Capabilities.APIVersions.Has \"example.com/v1\" | quote }}
---
# A list.
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Secret, metadata: {name: listed}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, annotations: {size: {{ .Values.size }}}}
spec: {template: {spec: {containers: [{image: web}]}}}
";

const HOOKS: &str = "\
apiVersion: v1
kind: Pod
metadata: {name: before, annotations: {helm.sh/hook: pre-install}}
---
apiVersion: v1
kind: Pod
metadata: {name: test, annotations: {helm.sh/hook: test}}
";

const DEFINITION: &str =
    "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: widgets}\n";

/// Each row: what it is about, an entry of `helmCharts`, and what stands beside it.
const ROWS: &[(&str, &str, &str)] = &[
    ("nothing but the name", "name: web", ""),
    ("names and namespace", "name: web, releaseName: shop, namespace: orders", ""),
    ("a template of the name", "name: web, nameTemplate: '{{ lower \"SHOP\" }}'", ""),
    ("the namespace of the kustomization", "name: web, releaseName: shop", "namespace: orders"),
    ("an object in a namespace of its own", "name: web, valuesInline: {namespace: own}", "namespace: orders"),
    ("the cluster", "name: web, kubeVersion: v1.20.1, apiVersions: [example.com/v1]", ""),
    ("values", "name: web, valuesInline: {size: 4, list: [c], map: {x: 3, y: null}, more: true}", ""),
    ("values in lists of objects", "name: web, valuesInline: {objects: [{name: two, w: 3}]}", ""),
    ("values that remove", "name: web, valuesInline: {size: 1, list: null, map: null}", ""),
    ("empty values", "name: web, valuesInline: {}", ""),
    ("a file", "name: web, valuesFile: own.yaml", ""),
    ("a file and values", "name: web, valuesFile: own.yaml, valuesInline: {size: 4, own: {b: 2}}", ""),
    ("override", "name: web, valuesMerge: override, valuesInline: {size: 4, list: [c], map: {x: 3}}", ""),
    ("merge", "name: web, valuesMerge: merge, valuesInline: {size: 4, list: [c], more: true, map: {x: 3, w: 4}}", ""),
    ("replace", "name: web, valuesMerge: replace, valuesInline: {size: 4, own: {b: 2}}", ""),
    ("further files", "name: web, additionalValuesFiles: [own.yaml, more.yaml], valuesInline: {size: 4}", ""),
    ("definitions", "name: web, includeCRDs: true", ""),
    ("no tests", "name: web, skipTests: true", ""),
    ("no hooks", "name: web, skipHooks: true", ""),
    ("definitions and no hooks", "name: web, includeCRDs: true, skipHooks: true, skipTests: true", ""),
    ("charts in another folder", "name: other", "helmGlobals: {chartHome: vendor}"),
    (
        "what an overlay does with it",
        "name: web",
        "namePrefix: p-\nlabels: [{pairs: {a: b}}]\nimages: [{name: web, newTag: '2'}]",
    ),
    ("a version that is not looked for", "name: web, version: 9.9.9", ""),
    ("no such chart", "name: gone", ""),
    ("another word", "name: web, valuesMerge: over", ""),
    ("two names", "name: web, releaseName: a, nameTemplate: b", ""),
    ("a file that is not there", "name: web, valuesFile: gone.yaml", ""),
];

fn files(entry: &str, beside: &str) -> Vec<(String, String)> {
    let chart = |name: &str| format!("apiVersion: v2\nname: {name}\nversion: 1.0.0\n");
    let files = [
        ("charts/web/Chart.yaml", chart("web")),
        ("charts/web/values.yaml", VALUES.to_owned()),
        ("charts/web/templates/shown.yaml", SHOWN.to_owned()),
        ("charts/web/templates/hooks.yaml", HOOKS.to_owned()),
        ("charts/web/crds/widget.yaml", DEFINITION.to_owned()),
        ("vendor/other/Chart.yaml", chart("other")),
        ("vendor/other/values.yaml", "size: 7\n".to_owned()),
        ("vendor/other/templates/shown.yaml", SHOWN.to_owned()),
        ("own.yaml", "size: 2\nlist: [c]\nown: {a: 1}\n".to_owned()),
        ("more.yaml", "map: {x: 5}\n".to_owned()),
        ("kustomization.yaml", format!("sortOptions: {{order: fifo}}\nhelmCharts:\n- {{{entry}}}\n{beside}\n")),
    ];
    files.into_iter().map(|(path, text)| (path.to_owned(), text)).collect()
}

/// What kustomize prints; nothing if it fails.
fn kustomize(files: &[(String, String)]) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    for (path, text) in files {
        let file = folder.path().join(path);
        fs::create_dir_all(file.parent().unwrap_or(Path::new("/"))).expect("a folder");
        fs::write(file, text).expect("a file");
    }
    let mut command = fairlead_tools::command(Tool::Kustomize.path());
    command.arg("build").arg(folder.path()).arg("--enable-helm").arg("--helm-command").arg(Tool::Helm.path());
    let output = command.output().expect("kustomize runs");
    output.status.success().then(|| String::from_utf8(output.stdout).expect("text"))
}

#[test]
fn charts_come_out_as_kustomize_has_helm_render_them() {
    if !Tool::Kustomize.path().is_file() || !Tool::Helm.path().is_file() {
        println!("skipped: kustomize and helm are not here");
        return;
    }
    let differ = |(what, entry, beside): &(&str, &str, &str)| {
        let files = files(entry, beside);
        let (ours, theirs) = (printed(&files), kustomize(&files));
        let is_same = theirs.as_ref().map_or_else(|| ours.starts_with("error: "), |theirs| *theirs == ours);
        (!is_same).then(|| format!("{what}\n--- ours\n{ours}--- kustomize\n{}", theirs.unwrap_or_default()))
    };
    let findings: Vec<_> = ROWS.iter().filter_map(differ).collect();
    assert!(findings.is_empty(), "{} differences:\n{}", findings.len(), findings.join("\n"));
}
