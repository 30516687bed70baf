//! `fairlead push`: puts files of this machine into a registry, for an `OCIRepository` to follow.

use std::{collections::BTreeMap, path::PathBuf, process::ExitCode};

use clap::{Args as Flags, Subcommand, ValueEnum};
use fairlead_reconciler::clock::Clock;
use fairlead_sources::oci::{NewArtifact, ORIGIN_REVISION, ORIGIN_SOURCE, OciReference, push};
use jiff::Timestamp;
use serde::Serialize;

use crate::{
    artifacts::{Access, Files, explained, place},
    connection::{Connection, pair},
    output::{CommandError, action, print, success},
};

/// What to push.
#[derive(Subcommand)]
pub(crate) enum Args {
    /// Push a directory or a file as an artifact.
    Artifact(Artifact),
}

/// Flags of `push artifact`.
#[derive(Flags)]
pub(crate) struct Artifact {
    /// Where to: `oci://<host>/<path>:<tag>`; without a tag `latest`.
    url: String,
    /// The directory or file to push, or `-` for standard input.
    #[arg(short = 'f', long)]
    path: PathBuf,
    /// Where it comes from, as the URL of a Git repository.
    #[arg(long)]
    source: String,
    /// Which revision of that it is, as `main@sha1:<commit>`.
    #[arg(long)]
    revision: String,
    /// What else is said of it.
    #[arg(short, long, value_name = "KEY=VALUE", value_parser = pair)]
    annotations: Vec<(String, String)>,
    /// Print what was pushed for programs, and nothing else.
    #[arg(short, long, value_enum)]
    output: Option<Format>,
    /// Say that it was made in 1970, so that equal files make an equal artifact.
    #[arg(long)]
    reproducible: bool,
    /// Accepted; errors always say what the registry answered.
    #[arg(long)]
    debug: bool,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    access: Access,
}

/// How a result is written for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Yaml,
}

/// The annotation that says when an image was made.
const CREATED: &str = "org.opencontainers.image.created";

/// What was pushed.
#[derive(Serialize)]
struct Pushed<'a> {
    url: String,
    repository: &'a str,
    tag: &'a str,
    digest: String,
}

pub(crate) async fn run(args: Args, connection: &Connection) -> Result<ExitCode, CommandError> {
    let Args::Artifact(args) = args;
    let request = args.access.request(&args.url, connection)?;
    let layer = args.files.pack(&args.path)?;
    if args.output.is_none() {
        action(format!("pushing artifact to {}", args.url.trim_start_matches("oci://")));
    }
    let artifact = NewArtifact { layer, annotations: args.all_annotations() };
    let digest = push(&request, artifact).await.map_err(explained)?.to_string();
    let repository = place(&request.url);
    let Some(format) = args.output else {
        success(format!("artifact successfully pushed to {repository}@{digest}"));
        return Ok(ExitCode::SUCCESS);
    };
    let OciReference::Tag(tag) = &request.reference else { return Err("an artifact is pushed under a tag".into()) };
    let pushed = Pushed { url: format!("oci://{repository}@{digest}"), repository: &repository, tag, digest };
    print(&match format {
        Format::Json => serde_json::to_string_pretty(&pushed)? + "\n",
        Format::Yaml => fairlead_yaml::emit_json(&serde_json::to_value(&pushed)?),
    })?;
    Ok(ExitCode::SUCCESS)
}

impl Artifact {
    /// What is said of the artifact; what the command line says comes last.
    fn all_annotations(&self) -> BTreeMap<String, String> {
        let created = if self.reproducible { 0 } else { Clock::system().now().as_second() };
        let created = Timestamp::from_second(created).expect("a second that was read from a clock").to_string();
        let own = [(CREATED, created), (ORIGIN_SOURCE, self.source.clone()), (ORIGIN_REVISION, self.revision.clone())];
        let own = own.map(|(key, value)| (key.to_owned(), value));
        own.into_iter().chain(self.annotations.iter().cloned()).collect()
    }
}
