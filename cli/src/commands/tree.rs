//! `fairlead tree`: what a Kustomization has applied, and what those have in turn.

use std::{collections::BTreeSet, process::ExitCode};

use clap::{Args as Flags, Subcommand};
use fairlead_object::ObjectId;
use fairlead_plan::Inventory;
use fairlead_reconciler::cluster::Cluster;
use serde_json::{Value, json};

use crate::{
    connection::Connection,
    output::{CommandError, print},
    served::{Format, KUSTOMIZATION},
};

/// Of what to show the tree.
#[derive(Subcommand)]
pub(crate) enum Args {
    /// Show what a Kustomization has applied.
    #[command(alias = "ks")]
    Kustomization(Kustomization),
}

/// Flags of `tree kustomization`.
#[derive(Flags)]
pub(crate) struct Kustomization {
    /// Its name.
    name: String,
    /// Show only what is reconciled in turn.
    #[arg(long)]
    compact: bool,
    /// How to write it.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

pub(crate) async fn run(args: Args, connection: &Connection) -> Result<ExitCode, CommandError> {
    let Args::Kustomization(args) = args;
    let cluster = connection.cluster().await?;
    KUSTOMIZATION.get(&cluster, &connection.namespace, &args.name).await?;
    let root = ObjectId::new(KUSTOMIZATION.group, KUSTOMIZATION.name, &connection.namespace, &args.name);
    let tree = read(&cluster, root, &mut BTreeSet::new(), args.compact).await?;
    match args.output {
        Format::Json => print(&format!("{}\n", serde_json::to_string_pretty(&tree.to_json())?))?,
        Format::Yaml => print(&fairlead_yaml::emit_json(&tree.to_json()))?,
        Format::Text | Format::Wide | Format::Name => print(&tree.to_text())?,
    }
    Ok(ExitCode::SUCCESS)
}

struct Branch {
    object: ObjectId,
    below: Vec<Branch>,
}

/// Reads what `object` has applied. One that is already above is not entered again.
async fn read(
    cluster: &Cluster,
    object: ObjectId,
    above: &mut BTreeSet<ObjectId>,
    is_compact: bool,
) -> Result<Branch, CommandError> {
    let mut below = Vec::new();
    let is_kustomization = object.kind == KUSTOMIZATION.name && object.group == KUSTOMIZATION.group;
    if is_kustomization && above.insert(object.clone()) {
        let resource = KUSTOMIZATION.resource();
        let found = cluster.get(&resource, object.namespace_or_empty(), &object.name).await?.unwrap_or_default();
        for entry in inventory(&found)? {
            let is_shown = !is_compact || entry.group.contains("toolkit.fluxcd.io");
            if entry != object && is_shown {
                below.push(Box::pin(read(cluster, entry, above, is_compact)).await?);
            }
        }
        above.remove(&object);
    }
    Ok(Branch { object, below })
}

fn inventory(kustomization: &Value) -> Result<Vec<ObjectId>, CommandError> {
    let entries = kustomization.pointer("/status/inventory/entries").and_then(Value::as_array).into_iter().flatten();
    let text = |entry: &'_ Value, key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    let entries: Vec<_> = entries.map(|entry| (text(entry, "id"), text(entry, "v"))).collect();
    let listed = entries.iter().map(|(id, version)| (id.as_str(), version.as_str()));
    let mut objects = Vec::new();
    for entry in listed {
        let one = Inventory::from_entries([entry])?;
        objects.extend(one.iter().map(|(id, _)| id.clone()));
    }
    Ok(objects)
}

impl Branch {
    fn to_text(&self) -> String {
        let mut text = format!("{}\n", self.object.subject());
        self.write_below(&mut text, "");
        text.push('\n');
        text
    }

    fn write_below(&self, text: &mut String, margin: &str) {
        for (at, branch) in self.below.iter().enumerate() {
            let is_last = at + 1 == self.below.len();
            let (corner, next) = if is_last { ("└── ", "    ") } else { ("├── ", "│   ") };
            text.extend([margin, corner, &branch.object.subject(), "\n"]);
            branch.write_below(text, &format!("{margin}{next}"));
        }
    }

    fn to_json(&self) -> Value {
        let object = &self.object;
        let mut value = json!({"resource": {
            "Namespace": object.namespace_or_empty(),
            "Name": object.name,
            "GroupKind": {"Group": object.group, "Kind": object.kind},
        }});
        if !self.below.is_empty() {
            value["resources"] = self.below.iter().map(Branch::to_json).collect();
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_drawn_as_flux_draws_it() {
        let branch = |kind: &str, name: &str, below| Branch { object: ObjectId::new("", kind, "shop", name), below };
        let map = || branch("ConfigMap", "env", Vec::new());
        let tree = branch("Kustomization", "all", vec![branch("Kustomization", "apps", vec![map(), map()]), map()]);
        let expected = "Kustomization/shop/all\n├── Kustomization/shop/apps\n│   ├── ConfigMap/shop/env\n│   └── \
                        ConfigMap/shop/env\n└── ConfigMap/shop/env\n\n";
        assert_eq!(tree.to_text(), expected);
    }
}
