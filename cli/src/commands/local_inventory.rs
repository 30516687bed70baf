//! What `fairlead apply` has applied from local directories, kept in the cluster under a name.
//!
//! A ConfigMap holds it, so that anyone who may apply can go on where another stopped. It is written before the first
//! object and trimmed after the last, as a Kustomization's is.

use fairlead_plan::{APPROVE_ANNOTATION, Force, IgnoreRules, Inventory, Owner, Prune};
use fairlead_reconciler::cluster::{ApiError, ApplyOptions, Cluster, Resource};
use serde_json::{Value, json};

use crate::{output::CommandError, planning::Wanted};

/// The name of an inventory that is given none.
pub(crate) const DEFAULT_NAME: &str = "default";

/// The field manager of the ConfigMap.
const MANAGER: &str = "fairlead";

/// The group of the labels on what local directories own.
const GROUP: &str = "fairlead.dev";

/// The key of the entries in the ConfigMap: a line each, with the object's id and its version.
const ENTRIES: &str = "entries";

pub(crate) struct LocalInventory<'a> {
    cluster: &'a Cluster,
    pub(crate) namespace: String,
    name: String,
    pub(crate) held: Inventory,
    approved: Option<String>,
}

fn config_maps() -> Resource {
    Resource {
        group: String::new(),
        version: "v1".to_owned(),
        kind: "ConfigMap".to_owned(),
        plural: "configmaps".to_owned(),
        is_namespaced: true,
    }
}

impl<'a> LocalInventory<'a> {
    /// Reads what is held under `name` in `namespace`.
    pub(crate) async fn open(cluster: &'a Cluster, namespace: &str, name: &str) -> Result<Self, CommandError> {
        let found = cluster.get(&config_maps(), namespace, &object_name(name)).await?.unwrap_or_default();
        let lines = found["data"][ENTRIES].as_str().unwrap_or_default();
        let entries = lines.lines().filter_map(|line| line.rsplit_once(' '));
        let held = Inventory::from_entries(entries)?;
        let approved = found["metadata"]["annotations"][APPROVE_ANNOTATION].as_str().map(str::to_owned);
        Ok(Self { cluster, namespace: namespace.to_owned(), name: name.to_owned(), held, approved })
    }

    /// What a plan needs to know of it.
    pub(crate) fn wanted(&self) -> Wanted {
        Wanted {
            owner: Owner {
                group: GROUP.to_owned(),
                namespace: self.namespace.clone(),
                name: self.name.clone(),
                release: None,
            },
            inventory: self.held.clone(),
            prune: Prune::Yes,
            force: Force::No,
            ignore: IgnoreRules::default(),
            revision_from: None,
            approved: self.approved.clone(),
        }
    }

    /// The name of the ConfigMap.
    pub(crate) fn object_name(&self) -> String {
        object_name(&self.name)
    }

    /// Records what is held from now on.
    pub(crate) async fn record(&self, inventory: &Inventory) -> Result<(), ApiError> {
        let entries = inventory.to_entries().into_iter();
        let lines: String = entries.flat_map(|(id, version)| [id, " ".to_owned(), version, "\n".to_owned()]).collect();
        let body = json!({
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {
                "name": self.object_name(),
                "namespace": self.namespace,
                "labels": {"app.kubernetes.io/managed-by": MANAGER},
            },
            "data": {ENTRIES: lines},
        });
        let Value::Object(body) = body else { return Ok(()) };
        let options = ApplyOptions { force: true, ..ApplyOptions::default() };
        self.cluster.apply_as(MANAGER, &config_maps(), &body, options).await?;
        Ok(())
    }
}

fn object_name(name: &str) -> String {
    format!("fairlead-inventory-{name}")
}
