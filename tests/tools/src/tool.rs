//! Which programs there are, and where each comes from.

use std::{
    env,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use crate::target_directory;

/// A Go module that pins the versions of tools and of all that they are made of.
pub(crate) struct Module {
    /// Its folder, below the one of this crate.
    folder: &'static str,
    go_mod: &'static str,
    go_sum: &'static str,
}

impl Module {
    /// Returns its folder.
    pub(crate) fn path(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(self.folder)
    }
}

/// What tools of Kubernetes are built from.
const KUBERNETES: Module = Module { folder: ".", go_mod: include_str!("../go.mod"), go_sum: include_str!("../go.sum") };

/// What Helm is built from, which needs libraries of a later Kubernetes.
const HELM: Module =
    Module { folder: "helm", go_mod: include_str!("../helm/go.mod"), go_sum: include_str!("../helm/go.sum") };

/// What Flux's command line is copied from, whose own `go.sum` pins what it is made of.
const FLUX: Module =
    Module { folder: "flux", go_mod: include_str!("../flux/go.mod"), go_sum: include_str!("../flux/go.sum") };

/// One program that a Go module of this crate builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// The store under the API server.
    Etcd,
    /// The API server.
    KubeApiserver,
    /// The controllers that make Deployments roll out and namespaces go away.
    KubeControllerManager,
    /// The command line that users know.
    Kubectl,
    /// The program whose builds ours must equal.
    Kustomize,
    /// The program whose rendering of charts ours must equal.
    Helm,
    /// The command line that must work with our controller.
    Flux,
}

impl Tool {
    /// What a cluster and its user need.
    pub const CLUSTER: [Self; 4] = [Self::Etcd, Self::KubeApiserver, Self::KubeControllerManager, Self::Kubectl];

    /// Every tool, in the order in which they are built.
    pub const ALL: [Self; 7] = [
        Self::Etcd,
        Self::KubeApiserver,
        Self::KubeControllerManager,
        Self::Kubectl,
        Self::Kustomize,
        Self::Helm,
        Self::Flux,
    ];

    /// Returns the name of the program's file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Etcd => "etcd",
            Self::KubeApiserver => "kube-apiserver",
            Self::KubeControllerManager => "kube-controller-manager",
            Self::Kubectl => "kubectl",
            Self::Kustomize => "kustomize",
            Self::Helm => "helm",
            Self::Flux => "flux",
        }
    }

    /// Returns why someone needs it, in a few words.
    pub fn purpose(self) -> &'static str {
        match self {
            Self::Etcd => "the store under the API server",
            Self::KubeApiserver => "the API server that tests and the demo talk to",
            Self::KubeControllerManager => "rolls out Deployments and removes namespaces",
            Self::Kubectl => "shows that users' own commands work",
            Self::Kustomize => "the oracle for our builds",
            Self::Helm => "the oracle for our charts",
            Self::Flux => "shows that Flux's commands work",
        }
    }

    /// Returns the module that holds it.
    pub fn module(self) -> &'static str {
        match self {
            Self::Etcd => "go.etcd.io/etcd/server/v3",
            Self::KubeApiserver | Self::KubeControllerManager | Self::Kubectl => "k8s.io/kubernetes",
            Self::Kustomize => "sigs.k8s.io/kustomize/kustomize/v5",
            Self::Helm => "helm.sh/helm/v4",
            Self::Flux => "github.com/fluxcd/flux2/v2",
        }
    }

    /// Returns the Go package that it is built from.
    pub fn package(self) -> String {
        match self {
            Self::Etcd | Self::Kustomize => self.module().to_owned(),
            Self::KubeApiserver | Self::KubeControllerManager | Self::Kubectl | Self::Helm | Self::Flux => {
                format!("{}/cmd/{}", self.module(), self.name())
            }
        }
    }

    /// Returns the version that `go.mod` pins.
    ///
    /// # Panics
    /// If `go.mod` does not require the tool's module.
    pub fn version(self) -> &'static str {
        pinned(self.pinned_by().go_mod, self.module()).expect("go.mod requires each tool's module")
    }

    /// Returns where the program is, or will be once it is built.
    ///
    /// A program in the folder that `KUBEBUILDER_ASSETS` names is preferred.
    pub fn path(self) -> PathBuf {
        let given = env::var_os("KUBEBUILDER_ASSETS").map(|folder| PathBuf::from(folder).join(self.name()));
        given.filter(|path| path.is_file()).unwrap_or_else(|| self.built_directory().join(self.name()))
    }

    /// Returns the Go module that pins it.
    pub(crate) fn pinned_by(self) -> Module {
        match self {
            Self::Etcd | Self::KubeApiserver | Self::KubeControllerManager | Self::Kubectl | Self::Kustomize => {
                KUBERNETES
            }
            Self::Helm => HELM,
            Self::Flux => FLUX,
        }
    }

    /// Returns the folder that programs of exactly the versions of its module are built into.
    pub(crate) fn built_directory(self) -> PathBuf {
        let Module { go_mod, go_sum, .. } = self.pinned_by();
        let digest = Sha256::new().chain_update(go_mod).chain_update(go_sum).finalize();
        target_directory().join("tools").join(hex::encode(&digest[..8]))
    }
}

fn pinned<'a>(go_mod: &'a str, module: &str) -> Option<&'a str> {
    go_mod.lines().find_map(|line| {
        let version = line.trim().strip_prefix(module)?.strip_prefix(' ')?;
        version.split_whitespace().next().filter(|version| version.starts_with('v'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tool_has_a_pinned_version() {
        for tool in Tool::ALL {
            assert!(tool.version().starts_with('v'), "{tool:?} has version {}", tool.version());
        }
    }

    #[test]
    fn a_version_is_read_from_a_requirement_and_not_from_a_replacement() {
        let go_mod = "tool k8s.io/api\nreplace (\n\tk8s.io/api => k8s.io/api v9.9.9\n)\nrequire (\n\tk8s.io/api v1.2.3 // indirect\n)\n";
        assert_eq!(pinned(go_mod, "k8s.io/api"), Some("v1.2.3"));
        assert_eq!(pinned(go_mod, "k8s.io"), None);
    }
}
