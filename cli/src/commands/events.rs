//! `fairlead events`: what happened to the served objects, oldest first.

use std::process::ExitCode;

use clap::Args as Flags;
use fairlead_api::time::Time;
use fairlead_reconciler::{
    clock::Clock,
    cluster::{Cluster, Resource},
};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    connection::Connection,
    output::{CommandError, Hinted, failure, print, table},
    served::{ALL, KUSTOMIZATION, Kind},
};

/// Flags of `events`.
#[derive(Flags)]
pub(crate) struct Args {
    /// Show the events of all namespaces.
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Only events of this kind or object, and of its source.
    #[arg(long = "for", value_name = "KIND[/NAME]")]
    about: Option<String>,
    /// Only events of these types.
    #[arg(long, value_delimiter = ',', value_name = "Normal,Warning")]
    types: Vec<String>,
}

pub(crate) async fn run(args: Args, connection: &Connection) -> Result<ExitCode, CommandError> {
    let cluster = connection.cluster().await?;
    let namespace = if args.all_namespaces { "" } else { &connection.namespace };
    let meant = match &args.about {
        Some(about) => meant(&cluster, about, &connection.namespace).await?,
        None => ALL.iter().map(|kind| (kind.name.to_owned(), None)).collect(),
    };
    let mut events = cluster.list(&resource(), namespace, "").await?;
    events.retain(|event| {
        let about = &event["involvedObject"];
        let is_meant = |(kind, name): &(String, Option<String>)| {
            about["kind"] == kind.as_str() && name.as_ref().is_none_or(|name| about["name"] == name.as_str())
        };
        let has_type = args.types.is_empty() || args.types.iter().any(|type_| event["type"] == type_.as_str());
        has_type && meant.iter().any(is_meant)
    });
    if events.is_empty() {
        failure(format!("No events found in {} namespace.", if namespace.is_empty() { "any" } else { namespace }));
        return Ok(ExitCode::SUCCESS);
    }
    events.sort_by_key(last_seen);
    let now = Clock::system().now();
    let rows: Vec<_> = events.iter().map(|event| row(event, now, args.all_namespaces)).collect();
    let namespace = args.all_namespaces.then_some("namespace");
    let header: Vec<_> = namespace.into_iter().chain(["last seen", "type", "reason", "object", "message"]).collect();
    print(&table(&header, &rows, true))?;
    Ok(ExitCode::SUCCESS)
}

fn resource() -> Resource {
    Resource {
        group: String::new(),
        version: "v1".to_owned(),
        kind: "Event".to_owned(),
        plural: "events".to_owned(),
        is_namespaced: true,
    }
}

/// The kind and the name that `about` names, and those of its source.
async fn meant(cluster: &Cluster, about: &str, namespace: &str) -> Result<Vec<(String, Option<String>)>, CommandError> {
    let (kind, name) = about.split_once('/').map_or((about, None), |(kind, name)| (kind, Some(name)));
    let aliases = |kind: &Kind| [kind.name.to_lowercase(), kind.plural.to_owned()];
    let is_meant = |known: &&Kind| {
        aliases(known).contains(&kind.to_lowercase()) || (known.name == "Kustomization" && kind == "ks")
    };
    let known = ALL.iter().find(is_meant).ok_or_else(|| {
        let known = ALL.map(|kind| kind.name).join(", ");
        Hinted::new(format!("unknown kind `{kind}`"), format!("there are {known}"))
    })?;
    let mut meant = vec![(known.name.to_owned(), name.map(str::to_owned))];
    if let (true, Some(name)) = (*known == KUSTOMIZATION, name) {
        let object = known.get(cluster, namespace, name).await?;
        let source = &object["spec"]["sourceRef"];
        if let (Some(kind), Some(name)) = (source["kind"].as_str(), source["name"].as_str()) {
            meant.push((kind.to_owned(), Some(name.to_owned())));
        }
    }
    Ok(meant)
}

fn last_seen(event: &Value) -> Option<Timestamp> {
    ["lastTimestamp", "eventTime", "firstTimestamp"]
        .iter()
        .find_map(|field| serde_json::from_value::<Time>(event[*field].clone()).ok())
        .map(Time::as_timestamp)
}

fn row(event: &Value, now: Timestamp, has_namespace: bool) -> Vec<String> {
    let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned();
    let age = last_seen(event).map_or_else(|| "<unknown>".to_owned(), |seen| age(seen, now));
    let count = event["count"].as_i64().unwrap_or(1);
    let age = if count > 1 { format!("{age} (x{count})") } else { age };
    let object = format!("{}/{}", text("/involvedObject/kind"), text("/involvedObject/name"));
    let namespace = has_namespace.then(|| text("/metadata/namespace"));
    let message = text("/message").replace('\n', "; ");
    namespace.into_iter().chain([age, text("/type"), text("/reason"), object, message]).collect()
}

/// How long ago, in `kubectl`'s short form.
fn age(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.as_second().saturating_sub(then.as_second()).max(0);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..7200 => format!("{}m", seconds / 60),
        7200..172_800 => format!("{}h", seconds / 3600),
        _ => format!("{}d", seconds / 86_400),
    }
}
