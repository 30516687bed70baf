//! What is built: generated, so that its size is a number.

use std::{
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

use crate::Extent;

/// A tree of files, and the directory to build.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) path: &'static str,
    pub(super) against: Against,
    files: Vec<(PathBuf, String)>,
}

/// Whom a case is given to besides us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Against {
    Others,
    /// Nobody: it would take them minutes, and shows how we grow.
    Nobody,
}

impl Case {
    pub(super) fn all(extent: Extent) -> [Self; 5] {
        let (pairs, overlays, megabytes) = match extent {
            Extent::Quick => (50, 20, 1),
            Extent::Full => (1000, 200, 10),
        };
        let larger = Self { against: Against::Nobody, ..one_overlay(5 * pairs) };
        [small(), one_overlay(pairs), larger, many_overlays(overlays), plain(megabytes)]
    }

    pub(super) fn write(&self, folder: &Path) -> io::Result<()> {
        for (path, text) in &self.files {
            let path = folder.join(path);
            fs::create_dir_all(path.parent().unwrap_or(folder))?;
            fs::write(path, text)?;
        }
        Ok(())
    }

    fn new(name: impl Into<String>, path: &'static str) -> Self {
        Self { name: name.into(), path, against: Against::Others, files: Vec::new() }
    }

    fn file(mut self, path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        self.files.push((path.into(), text.into()));
        self
    }
}

/// Ten objects under an overlay: what most builds are.
fn small() -> Case {
    overlay_over(5, "an overlay over 10 objects".to_owned())
}

fn one_overlay(pairs: usize) -> Case {
    overlay_over(pairs, format!("an overlay over {pairs} Deployments and {pairs} Services"))
}

/// A prefix, labels, an image, a strategic merge patch of one Deployment and a replacement in each, over `pairs`
/// Deployments and Services.
fn overlay_over(pairs: usize, name: String) -> Case {
    let overlay = "\
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namePrefix: prod-
namespace: shop
labels:
- pairs:
    environment: prod
  includeSelectors: true
images:
- name: registry.example.com/web
  newTag: 2.0.0
patches:
- path: replicas.yaml
replacements:
- source:
    kind: Service
    name: web-0
    fieldPath: spec.ports.0.port
  targets:
  - select:
      kind: Deployment
    fieldPaths:
    - spec.template.spec.containers.[name=web].ports.[name=http].containerPort
resources:
- ../base
";
    let patch = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-0
spec:
  replicas: 3
  template:
    spec:
      containers:
      - name: web
        env:
        - name: MODE
          value: prod
";
    Case::new(name, "overlay")
        .file("base/kustomization.yaml", "resources:\n- deployments.yaml\n- services.yaml\n")
        .file("base/deployments.yaml", documents(pairs, deployment))
        .file("base/services.yaml", documents(pairs, service))
        .file("overlay/kustomization.yaml", overlay)
        .file("overlay/replicas.yaml", patch)
}

/// One build of many overlays over the same base of two objects.
fn many_overlays(overlays: usize) -> Case {
    let base = format!("{}---\n{}", deployment(0), service(0));
    let mut case = Case::new(format!("{overlays} overlays over one base"), "all")
        .file("base/kustomization.yaml", "resources:\n- web.yaml\n")
        .file("base/web.yaml", base);
    let mut all = String::from("resources:\n");
    for index in 0..overlays {
        let _ = writeln!(all, "- ../overlays/{index}");
        let overlay = format!("namePrefix: tenant-{index}-\nnamespace: tenant-{index}\nresources:\n- ../../base\n");
        case = case.file(format!("overlays/{index}/kustomization.yaml"), overlay);
    }
    case.file("all/kustomization.yaml", all)
}

/// Large objects in one file, with nothing to change in them.
fn plain(megabytes: usize) -> Case {
    const BYTES: usize = 50_000;
    let objects = megabytes * 1_000_000 / BYTES;
    Case::new(format!("{megabytes} MB of plain manifests"), "plain")
        .file("plain/kustomization.yaml", "resources:\n- all.yaml\n")
        .file("plain/all.yaml", documents(objects, |index| config_map(index, BYTES)))
}

/// About `megabytes` of Deployments, as they stand in one file.
pub(super) fn manifests(megabytes: usize) -> String {
    documents(megabytes * 1_000_000 / deployment(0).len(), deployment)
}

fn documents(count: usize, document: impl Fn(usize) -> String) -> String {
    (0..count).map(document).collect::<Vec<_>>().join("---\n")
}

fn deployment(index: usize) -> String {
    format!(
        "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web-{index}
  labels:
    app: web-{index}
spec:
  replicas: 1
  selector:
    matchLabels:
      app: web-{index}
  template:
    metadata:
      labels:
        app: web-{index}
    spec:
      containers:
      - name: web
        image: registry.example.com/web:1.0.0
        ports:
        - name: http
          containerPort: 8080
        env:
        - name: COLOUR
          value: \"#34577c\"
        resources:
          limits:
            memory: 128Mi
"
    )
}

fn service(index: usize) -> String {
    format!(
        "\
apiVersion: v1
kind: Service
metadata:
  name: web-{index}
  labels:
    app: web-{index}
spec:
  selector:
    app: web-{index}
  ports:
  - name: http
    port: 80
    targetPort: http
"
    )
}

/// A ConfigMap of about `bytes`, in lines.
fn config_map(index: usize, bytes: usize) -> String {
    let line = format!("    {index}: the quick brown fox jumps over the lazy dog\n");
    let text = line.repeat(bytes / line.len());
    format!("apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: text-{index}\ndata:\n  text: |\n{text}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_names_a_directory_that_it_has() {
        for case in Case::all(Extent::Quick) {
            let folder = tempfile::tempdir().unwrap();
            case.write(folder.path()).unwrap();
            assert!(folder.path().join(case.path).join("kustomization.yaml").is_file(), "{}", case.name);
        }
    }
}
