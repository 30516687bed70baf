//! `fairlead get`: the served objects and how they are.

use std::process::ExitCode;

use clap::{Args as Flags, Subcommand};
use fairlead_reconciler::cluster::Cluster;
use futures::TryStreamExt;
use kube::{
    Api,
    api::{ApiResource, DynamicObject, WatchEvent, WatchParams},
};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::sources::Source;
use crate::{
    connection::Connection,
    output::{CommandError, failure, print, table},
    served::{
        ALL, EXTERNAL_ARTIFACT, FLUX_CONFIGURATION, Format, HELM_RELEASE, KUSTOMIZATION, Kind, RECEIVER, SOURCES,
        ready, short_hashes,
    },
};

/// What to list.
#[derive(Subcommand)]
pub(crate) enum Args {
    /// List Kustomizations.
    #[command(visible_alias = "ks", alias = "kustomization")]
    Kustomizations(Selection),
    /// List HelmReleases.
    #[command(visible_alias = "hr", alias = "helmrelease")]
    Helmreleases(Selection),
    /// List sources.
    #[command(subcommand, alias = "source")]
    Sources(Sources),
    /// List FluxConfigurations.
    #[command(visible_alias = "fluxconfigs", alias = "configuration")]
    Configurations(Selection),
    /// List Receivers.
    #[command(alias = "receiver")]
    Receivers(Selection),
    /// List objects of all kinds.
    All(Selection),
}

/// Which kind of source to list.
#[derive(Subcommand)]
pub(crate) enum Sources {
    #[command(flatten)]
    One(Source<Selection>),
    /// ExternalArtifacts, which other controllers make.
    External(Selection),
    /// Sources of all kinds.
    All(Selection),
}

/// Which objects, and how they are written.
#[derive(Flags)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Selection {
    /// The name of one object.
    name: Option<String>,
    /// List the objects of all namespaces.
    #[arg(short = 'A', long)]
    all_namespaces: bool,
    /// Leave out the header.
    #[arg(long)]
    no_header: bool,
    /// Go on with a row for each change, until --timeout.
    #[arg(short, long)]
    watch: bool,
    /// Only objects with this condition, as `ready=false`.
    #[arg(long, value_name = "TYPE=STATUS")]
    status_selector: Option<String>,
    /// Only objects with these labels.
    #[arg(short, long, value_name = "SELECTOR")]
    label_selector: Option<String>,
    /// Show the source of each Kustomization.
    #[arg(long)]
    show_source: bool,
    /// How to write them.
    #[arg(short, long, value_enum, default_value = "text")]
    output: Format,
}

pub(crate) async fn run(args: Args, connection: &Connection) -> Result<ExitCode, CommandError> {
    let (kinds, selection) = match args {
        Args::Kustomizations(selection) => (vec![KUSTOMIZATION], selection),
        Args::Helmreleases(selection) => (vec![HELM_RELEASE], selection),
        Args::Sources(Sources::One(source)) => {
            let (kind, selection) = source.into_parts();
            (vec![kind], selection)
        }
        Args::Sources(Sources::External(selection)) => (vec![EXTERNAL_ARTIFACT], selection),
        Args::Sources(Sources::All(selection)) => (sources().collect(), selection),
        Args::Configurations(selection) => (vec![FLUX_CONFIGURATION], selection),
        Args::Receivers(selection) => (vec![RECEIVER], selection),
        Args::All(selection) => {
            let others = ALL.into_iter().filter(|kind| !SOURCES.contains(kind));
            (sources().chain(others).collect(), selection)
        }
    };
    let cluster = connection.cluster().await?;
    match (kinds.as_slice(), selection.watch) {
        ([kind], true) => watch(&cluster, *kind, &selection, connection).await?,
        (_, true) => return Err("expected a single resource type, but found all".into()),
        ([kind], false) => {
            let objects = list(&cluster, *kind, &selection, &connection.namespace).await?;
            let objects = objects.ok_or_else(|| kind.unserved())?;
            if objects.is_empty() {
                return Err(nothing(kind.name, &selection, &connection.namespace).into());
            }
            let objects = meant(objects, &selection)?;
            print(&written(*kind, &objects, &selection, "")?)?;
        }
        (kinds, false) => all(&cluster, kinds, &selection, &connection.namespace).await?,
    }
    Ok(ExitCode::SUCCESS)
}

/// All kinds of sources, in Flux's order.
fn sources() -> impl Iterator<Item = Kind> {
    SOURCES.into_iter().chain([EXTERNAL_ARTIFACT])
}

/// Prints a table for each kind that has objects.
async fn all(cluster: &Cluster, kinds: &[Kind], selection: &Selection, namespace: &str) -> Result<(), CommandError> {
    let mut is_empty = true;
    for kind in kinds {
        let objects = list(cluster, *kind, selection, namespace).await?;
        let objects = meant(objects.unwrap_or_default(), selection)?;
        if !objects.is_empty() {
            let prefix = format!("{}/", kind.name.to_lowercase());
            print(&format!("{}\n", written(*kind, &objects, selection, &prefix)?))?;
            is_empty = false;
        }
    }
    if is_empty {
        failure(nothing("", selection, namespace));
    }
    Ok(())
}

async fn list(
    cluster: &Cluster,
    kind: Kind,
    selection: &Selection,
    namespace: &str,
) -> Result<Option<Vec<Value>>, CommandError> {
    let namespace = if selection.all_namespaces { "" } else { namespace };
    let labels = selection.label_selector.iter().map(|labels| format!("labelSelector={}", escaped(labels)));
    let name = selection.name.iter().map(|name| format!("fieldSelector=metadata.name%3D{}", escaped(name)));
    let query = labels.chain(name).collect::<Vec<_>>().join("&");
    let objects = kind.list(cluster, namespace, &query).await?;
    Ok(objects.map(|objects| objects.into_iter().map(|object| with_kind(object, kind)).collect()))
}

/// Those that the status selector means.
fn meant(mut objects: Vec<Value>, selection: &Selection) -> Result<Vec<Value>, CommandError> {
    if let Some(selector) = &selection.status_selector {
        let selector = StatusSelector::read(selector)?;
        objects.retain(|object| selector.matches(object));
    }
    Ok(objects)
}

/// The items of a list say no kind.
fn with_kind(mut object: Value, kind: Kind) -> Value {
    object["apiVersion"] = format!("{}/{}", kind.group, kind.version).into();
    object["kind"] = kind.name.into();
    object
}

fn escaped(text: &str) -> String {
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

fn nothing(kind: &str, selection: &Selection, namespace: &str) -> String {
    let place =
        if selection.all_namespaces { "any namespace".to_owned() } else { format!("\"{namespace}\" namespace") };
    match &selection.name {
        Some(name) => format!("{kind} object '{name}' not found in {place}").trim_start().to_owned(),
        None if kind.is_empty() => format!("no objects found in {place}"),
        None => format!("no {kind} objects found in {place}"),
    }
}

enum StatusSelector {
    Is(String, String),
    IsNot(String, String),
}

impl StatusSelector {
    fn read(written: &str) -> Result<Self, CommandError> {
        if let Some((type_, status)) = written.split_once("!=") {
            return Ok(Self::IsNot(type_.to_owned(), status.to_owned()));
        }
        match written.split_once('=') {
            Some((type_, status)) => Ok(Self::Is(type_.to_owned(), status.to_owned())),
            None => {
                Err(format!("expected status selector in type=status or type!=status format, but found: {written}")
                    .into())
            }
        }
    }

    fn matches(&self, object: &Value) -> bool {
        let has = |type_: &str, status: &str| {
            let conditions = object.pointer("/status/conditions").and_then(Value::as_array).into_iter().flatten();
            conditions.into_iter().any(|condition| {
                let is = |key: &str, text: &str| {
                    condition[key].as_str().is_some_and(|found| found.eq_ignore_ascii_case(text))
                };
                is("type", type_) && is("status", status)
            })
        };
        match self {
            Self::Is(type_, status) => has(type_, status),
            Self::IsNot(type_, status) => !has(type_, status),
        }
    }
}

fn written(kind: Kind, objects: &[Value], selection: &Selection, prefix: &str) -> Result<String, CommandError> {
    let list = || json!({"apiVersion": "v1", "kind": "List", "items": objects});
    Ok(match selection.output {
        Format::Json => serde_json::to_string_pretty(&list())? + "\n",
        Format::Yaml => fairlead_yaml::emit_json(&list()),
        Format::Name => {
            let name = |object: &Value| {
                format!("{}.{}/{}\n", kind.name.to_lowercase(), kind.group, text(object, "/metadata/name"))
            };
            objects.iter().map(name).collect()
        }
        Format::Text | Format::Wide => {
            let rows: Vec<_> = objects.iter().map(|object| row(kind, object, selection, prefix)).collect();
            table(&header(kind, selection), &rows, !selection.no_header)
        }
    })
}

fn shows_source(kind: Kind, selection: &Selection) -> bool {
    kind == KUSTOMIZATION && (selection.show_source || selection.output == Format::Wide)
}

fn header(kind: Kind, selection: &Selection) -> Vec<&'static str> {
    let namespace = selection.all_namespaces.then_some("namespace");
    let source = shows_source(kind, selection).then_some("source");
    let compliance = (kind == FLUX_CONFIGURATION).then_some("compliance");
    namespace
        .into_iter()
        .chain(["name"])
        .chain(source)
        .chain((kind != RECEIVER).then_some("revision"))
        .chain([if kind == EXTERNAL_ARTIFACT { "source" } else { "suspended" }])
        .chain(compliance)
        .chain(["ready", "message"])
        .collect()
}

fn row(kind: Kind, object: &Value, selection: &Selection, prefix: &str) -> Vec<String> {
    let (ready, message) = ready(object);
    // Nobody suspends what others make.
    let suspended = if kind == EXTERNAL_ARTIFACT {
        maker(object)
    } else if object["spec"]["suspend"] == true {
        "True".to_owned()
    } else {
        "False".to_owned()
    };
    let namespace = selection.all_namespaces.then(|| text(object, "/metadata/namespace"));
    let source = shows_source(kind, selection).then(|| source(object));
    let compliance = (kind == FLUX_CONFIGURATION).then(|| text(object, "/status/complianceState"));
    namespace
        .into_iter()
        .chain([format!("{prefix}{}", text(object, "/metadata/name"))])
        .chain(source)
        .chain((kind != RECEIVER).then(|| short_hashes(&text(object, kind.revision))))
        .chain([suspended])
        .chain(compliance)
        .chain([ready, shown(kind, &first_line(&message))])
        .collect()
}

/// A message with short hashes; the path of a Receiver is one that must stay whole.
fn shown(kind: Kind, message: &str) -> String {
    if kind == RECEIVER { message.to_owned() } else { short_hashes(message) }
}

/// A row is one line; what follows is in the object's status.
fn first_line(message: &str) -> String {
    message.lines().next().unwrap_or_default().to_owned()
}

fn source(object: &Value) -> String {
    let namespace = text(object, "/spec/sourceRef/namespace");
    let namespace = if namespace.is_empty() { text(object, "/metadata/namespace") } else { namespace };
    format!("{}/{namespace}/{}", text(object, "/spec/sourceRef/kind"), text(object, "/spec/sourceRef/name"))
}

/// What an artifact is made of, as it is written.
fn maker(object: &Value) -> String {
    let part = |name: &str| text(object, &format!("/spec/sourceRef/{name}"));
    format!("{}/{}/{}", part("kind"), part("namespace"), part("name"))
}

fn text(object: &Value, pointer: &str) -> String {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Prints a row for each change, with the header once.
async fn watch(
    cluster: &Cluster,
    kind: Kind,
    selection: &Selection,
    connection: &Connection,
) -> Result<(), CommandError> {
    let resource = ApiResource {
        group: kind.group.to_owned(),
        version: kind.version.to_owned(),
        api_version: format!("{}/{}", kind.group, kind.version),
        kind: kind.name.to_owned(),
        plural: kind.plural.to_owned(),
    };
    let client = cluster.client().clone();
    let api: Api<DynamicObject> = if selection.all_namespaces {
        Api::all_with(client, &resource)
    } else {
        Api::namespaced_with(client, &connection.namespace, &resource)
    };
    let mut params = WatchParams::default();
    params.label_selector.clone_from(&selection.label_selector);
    params.field_selector = selection.name.as_ref().map(|name| format!("metadata.name={name}"));
    let mut is_first = true;
    let follow = async {
        let mut events = std::pin::pin!(api.watch(&params, "0").await?);
        while let Some(event) = events.try_next().await? {
            let (WatchEvent::Added(object) | WatchEvent::Modified(object) | WatchEvent::Deleted(object)) = event else {
                continue;
            };
            let rows = [row(kind, &serde_json::to_value(object)?, selection, "")];
            print(&table(&header(kind, selection), &rows, is_first && !selection.no_header))?;
            is_first = false;
        }
        Ok(())
    };
    timeout(connection.timeout, follow).await.unwrap_or(Ok(()))
}
