//! `fairlead export`: prints served objects as they were applied, ready for a repository.
//!
//! # Differs from Flux
//! With `--all --with-credentials` every source is printed with its Secret, not only the first that has one.

use std::process::ExitCode;

use clap::Args as Flags;
use fairlead_reconciler::cluster::{Cluster, Resource};
use serde_json::{Map, Value, json};

use super::sources::Served;
use crate::{
    connection::Connection,
    output::{CommandError, print_objects},
    served::Kind,
};

/// What to print.
pub(crate) type Args = Served<Selection, SourceSelection>;

/// Which objects.
#[derive(Flags)]
pub(crate) struct Selection {
    /// The name of one object.
    #[arg(required_unless_present = "all")]
    name: Option<String>,
    /// All of the namespace.
    #[arg(long, conflicts_with = "name")]
    all: bool,
    #[arg(skip)]
    with_credentials: bool,
}

/// Which sources.
#[derive(Flags)]
pub(crate) struct SourceSelection {
    #[command(flatten)]
    selection: Selection,
    /// Print the Secrets that they name too.
    #[arg(long)]
    with_credentials: bool,
}

impl From<SourceSelection> for Selection {
    fn from(flags: SourceSelection) -> Self {
        Self { with_credentials: flags.with_credentials, ..flags.selection }
    }
}

pub(crate) async fn run(args: Args, connection: &Connection) -> Result<ExitCode, CommandError> {
    let (kind, selection) = args.into_parts();
    let cluster = connection.cluster().await?;
    let namespace = connection.namespace.as_str();
    let objects = match &selection.name {
        Some(name) => vec![kind.get(&cluster, namespace, name).await?],
        None => kind.list(&cluster, namespace, "").await?.ok_or_else(|| kind.unserved())?,
    };
    if objects.is_empty() {
        return Err(format!("no objects found in {namespace} namespace").into());
    }
    let mut exported = Vec::new();
    for object in &objects {
        exported.push(bare(kind, object));
        if selection.with_credentials {
            exported.extend(credentials(&cluster, namespace, object).await?);
        }
    }
    print_objects(&exported)?;
    Ok(ExitCode::SUCCESS)
}

/// What someone wrote of an object: without its status and what the API server keeps of it.
fn bare(kind: Kind, object: &Value) -> Value {
    let metadata = kept(&object["metadata"], &["name", "namespace", "labels", "annotations"]);
    let version = format!("{}/{}", kind.group, kind.version);
    json!({ "apiVersion": version, "kind": kind.name, "metadata": metadata, "spec": object["spec"] })
}

/// The Secret that a source reads its credentials from.
async fn credentials(cluster: &Cluster, namespace: &str, source: &Value) -> Result<Option<Value>, CommandError> {
    let Some(name) = source["spec"]["secretRef"]["name"].as_str() else { return Ok(None) };
    let secret = cluster.get(&Resource::namespaced("", "v1", "Secret", "secrets"), namespace, name).await?;
    let secret = secret.ok_or_else(|| format!("Secret {namespace}/{name} not found"))?;
    let mut exported = kept(&secret, &["data", "type"]);
    exported.insert("apiVersion".to_owned(), "v1".into());
    exported.insert("kind".to_owned(), "Secret".into());
    exported.insert("metadata".to_owned(), json!({ "name": name, "namespace": namespace }));
    Ok(Some(exported.into()))
}

/// Those of `keys` that `from` has.
fn kept(from: &Value, keys: &[&str]) -> Map<String, Value> {
    keys.iter().filter_map(|key| Some(((*key).to_owned(), from.get(key)?.clone()))).collect()
}
