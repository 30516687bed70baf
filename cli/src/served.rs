//! The served kinds as commands name them.

use clap::ValueEnum;
use fairlead_reconciler::cluster::{Cluster, Resource};
use serde_json::Value;

use crate::output::{CommandError, Hinted};

/// A kind that commands work on. Its data is all that tells one from the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) group: &'static str,
    pub(crate) version: &'static str,
    /// As objects write it.
    pub(crate) name: &'static str,
    pub(crate) plural: &'static str,
    /// As messages write it.
    pub(crate) human: &'static str,
    /// Where its rows find the revision.
    pub(crate) revision: &'static str,
    /// What `reconcile` says of the revision.
    pub(crate) handled: &'static str,
}

/// `GitRepository`.
pub(crate) const GIT_REPOSITORY: Kind = Kind {
    group: "source.toolkit.fluxcd.io",
    version: "v1",
    name: "GitRepository",
    plural: "gitrepositories",
    human: "source git",
    revision: "/status/artifact/revision",
    handled: "fetched revision",
};

/// `OCIRepository`.
pub(crate) const OCI_REPOSITORY: Kind = Kind {
    group: "source.toolkit.fluxcd.io",
    version: "v1",
    name: "OCIRepository",
    plural: "ocirepositories",
    human: "source oci",
    revision: "/status/artifact/revision",
    handled: "fetched revision",
};

/// `Bucket`.
pub(crate) const BUCKET: Kind = Kind {
    group: "source.toolkit.fluxcd.io",
    version: "v1",
    name: "Bucket",
    plural: "buckets",
    human: "source bucket",
    revision: "/status/artifact/revision",
    handled: "fetched revision",
};

/// `HelmRepository`.
pub(crate) const HELM_REPOSITORY: Kind = Kind {
    group: "source.toolkit.fluxcd.io",
    version: "v1",
    name: "HelmRepository",
    plural: "helmrepositories",
    human: "source helm",
    revision: "/status/artifact/revision",
    handled: "fetched revision",
};

/// `HelmChart`.
pub(crate) const HELM_CHART: Kind = Kind {
    group: "source.toolkit.fluxcd.io",
    version: "v1",
    name: "HelmChart",
    plural: "helmcharts",
    human: "source chart",
    revision: "/status/artifact/revision",
    handled: "fetched revision",
};

/// `ExternalArtifact`, which others make and which is only read here.
pub(crate) const EXTERNAL_ARTIFACT: Kind = Kind {
    group: "source.toolkit.fluxcd.io",
    version: "v1",
    name: "ExternalArtifact",
    plural: "externalartifacts",
    human: "source external",
    revision: "/status/artifact/revision",
    handled: "",
};

/// The kinds of sources that are reconciled, in Flux's order.
pub(crate) const SOURCES: [Kind; 5] = [OCI_REPOSITORY, BUCKET, GIT_REPOSITORY, HELM_REPOSITORY, HELM_CHART];

/// All kinds that are reconciled, in Flux's order.
pub(crate) const ALL: [Kind; 9] = [
    OCI_REPOSITORY,
    BUCKET,
    GIT_REPOSITORY,
    HELM_REPOSITORY,
    HELM_CHART,
    HELM_RELEASE,
    KUSTOMIZATION,
    RECEIVER,
    FLUX_CONFIGURATION,
];

/// `Kustomization`.
pub(crate) const KUSTOMIZATION: Kind = Kind {
    group: "kustomize.toolkit.fluxcd.io",
    version: "v1",
    name: "Kustomization",
    plural: "kustomizations",
    human: "kustomization",
    revision: "/status/lastAppliedRevision",
    handled: "applied revision",
};

/// `HelmRelease`.
pub(crate) const HELM_RELEASE: Kind = Kind {
    group: "helm.toolkit.fluxcd.io",
    version: "v2",
    name: "HelmRelease",
    plural: "helmreleases",
    human: "helmrelease",
    revision: "/status/history/0/chartVersion",
    handled: "applied revision",
};

/// `Receiver`, which has no revision.
pub(crate) const RECEIVER: Kind = Kind {
    group: "notification.toolkit.fluxcd.io",
    version: "v1",
    name: "Receiver",
    plural: "receivers",
    human: "receiver",
    revision: "",
    handled: "",
};

/// `FluxConfiguration`.
pub(crate) const FLUX_CONFIGURATION: Kind = Kind {
    group: "fairlead.dev",
    version: "v1alpha1",
    name: "FluxConfiguration",
    plural: "fluxconfigurations",
    human: "configuration",
    revision: "/status/sourceSyncedCommitId",
    handled: "synced revision",
};

impl Kind {
    /// Where its objects are found.
    pub(crate) fn resource(&self) -> Resource {
        Resource {
            group: self.group.to_owned(),
            version: self.version.to_owned(),
            kind: self.name.to_owned(),
            plural: self.plural.to_owned(),
            is_namespaced: true,
        }
    }

    /// Its objects in `namespace`, or in all where that is empty; `query` is a part of the URL. `None` where the cluster
    /// does not serve the kind.
    pub(crate) async fn list(
        &self,
        cluster: &Cluster,
        namespace: &str,
        query: &str,
    ) -> Result<Option<Vec<Value>>, CommandError> {
        match cluster.list(&self.resource(), namespace, query).await {
            Ok(objects) => Ok(Some(objects)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// What to say where the cluster does not serve the kind.
    pub(crate) fn unserved(&self) -> Hinted {
        Hinted::new(format!("the cluster serves no {}", self.name), "`fairlead install` makes it do so")
    }

    /// The object `name`; an error names it where it is missing.
    pub(crate) async fn get(&self, cluster: &Cluster, namespace: &str, name: &str) -> Result<Value, CommandError> {
        let found = cluster.get(&self.resource(), namespace, name).await?;
        found.ok_or_else(|| format!("{} object '{name}' not found in \"{namespace}\" namespace", self.name).into())
    }
}

/// How results are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Text,
    /// For people, with more columns.
    Wide,
    /// For programs.
    Json,
    /// For programs and people.
    Yaml,
    /// Only the names.
    Name,
}

/// The condition `Ready` of an object: its status and its message.
pub(crate) fn ready(object: &Value) -> (String, String) {
    if is_name_only(object) {
        return ("True".to_owned(), "Helm repository is Ready".to_owned());
    }
    let conditions = object.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
    let ready = conditions.into_iter().find(|condition| condition["type"] == "Ready");
    let text = |ready: &Value, key: &str| ready[key].as_str().unwrap_or_default().to_owned();
    match ready {
        Some(ready) => (text(ready, "status"), text(ready, "message")),
        None => ("False".to_owned(), "waiting to be reconciled".to_owned()),
    }
}

/// Whether an object is only a name that others refer to: a Helm repository in a registry. It is never reconciled.
pub(crate) fn is_name_only(object: &Value) -> bool {
    object["kind"] == HELM_REPOSITORY.name && object["spec"]["type"] == "oci"
}

/// Commit hashes as people read them: each run of 40 or more hex digits is cut to eight.
pub(crate) fn short_hashes(text: &str) -> String {
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    let mut short = String::with_capacity(text.len());
    for part in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        if word.len() >= 40 && word.chars().all(is_hex) {
            short.push_str(&word[..8]);
            short.push_str(&part[word.len()..]);
        } else {
            short.push_str(part);
        }
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_hashes_are_cut() {
        let hash = "696f056df216eea4f9401adbee0ff744d4df390f";
        assert_eq!(short_hashes(&format!("main@sha1:{hash}")), "main@sha1:696f056d");
        assert_eq!(short_hashes(&format!("at {hash}, later")), "at 696f056d, later");
        assert_eq!(short_hashes("deadbeef"), "deadbeef");
        assert_eq!(short_hashes(&format!("x{hash}")), format!("x{hash}"));
    }
}
