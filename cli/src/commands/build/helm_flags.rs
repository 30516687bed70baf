//! The other flags of `helm template`: those that name the release or write files, those that concern an installation and
//! say nothing here, and those that are refused because a build starts no process and opens no connection.

use std::path::{Path, PathBuf};

use clap::Args as Flags;
use fairlead_helm::{Limits, release_name};
use fairlead_reconciler::clock::Clock;

use crate::{
    charts::this_machine,
    output::{CommandError, Hinted},
};

/// Flags of `helm template`.
#[derive(Flags)]
#[command(next_help_heading = "Flags of charts")]
pub(super) struct HelmFlags {
    /// A template that makes the name of the release.
    #[arg(long, value_name = "TEMPLATE")]
    name_template: Option<String>,
    /// Name the release after the chart and the time.
    #[arg(short, long, conflicts_with = "name_template")]
    generate_name: bool,
    /// Write what each template makes to a file of its name below this directory.
    #[arg(long, value_name = "DIRECTORY", conflicts_with_all = ["output", "origin", "watch"])]
    pub(super) output_dir: Option<PathBuf>,
    /// Write into a directory of the release's name in the one of `--output-dir`.
    #[arg(long, requires = "output_dir")]
    pub(super) release_name: bool,
    #[command(flatten)]
    accepted: OfInstallations,
    #[command(flatten)]
    refused: OutOfReach,
}

/// Flags about an installation, or about charts of repositories. There is none, so they are accepted and change nothing, as
/// with `helm template`.
#[derive(Flags)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
struct OfInstallations {
    /// Accepted.
    #[arg(long, hide = true)]
    create_namespace: bool,
    /// Accepted.
    #[arg(long, hide = true)]
    debug: bool,
    /// Accepted.
    #[arg(long, hide = true)]
    description: Option<String>,
    /// Accepted.
    #[arg(long, hide = true)]
    devel: bool,
    /// Accepted.
    #[arg(long, hide = true)]
    disable_openapi_validation: bool,
    /// Accepted.
    #[arg(long, hide = true)]
    force_conflicts: bool,
    /// Accepted.
    #[arg(long, hide = true)]
    force_replace: bool,
    /// Accepted.
    #[arg(short, long, hide = true)]
    labels: Vec<String>,
    /// Accepted.
    #[arg(long, hide = true)]
    replace: bool,
    /// Accepted.
    #[arg(long, hide = true)]
    rollback_on_failure: bool,
    /// Accepted.
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "")]
    server_side: Option<String>,
    /// Accepted.
    #[arg(long, hide = true)]
    take_ownership: bool,
    /// Accepted: it picks a chart of a repository, and a chart that is named by its path is the one that it is.
    #[arg(long, hide = true)]
    version: Option<String>,
    /// Accepted.
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "")]
    wait: Option<String>,
    /// Accepted.
    #[arg(long, hide = true)]
    wait_for_jobs: bool,
}

/// Flags that would have a build start or reach something.
#[derive(Flags)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
struct OutOfReach {
    /// Refused.
    #[arg(long, hide = true)]
    ca_file: Option<String>,
    /// Refused.
    #[arg(long, hide = true)]
    cert_file: Option<String>,
    /// Refused.
    #[arg(long, hide = true)]
    dependency_update: bool,
    /// Only `server` is refused.
    #[arg(long, hide = true, num_args = 0..=1, require_equals = true, default_missing_value = "")]
    dry_run: Option<String>,
    /// Refused.
    #[arg(long, hide = true)]
    enable_dns: bool,
    /// Refused.
    #[arg(long, hide = true)]
    insecure_skip_tls_verify: bool,
    /// Refused.
    #[arg(long, hide = true)]
    key_file: Option<String>,
    /// Refused.
    #[arg(long, hide = true)]
    keyring: Option<String>,
    /// Refused.
    #[arg(long, hide = true)]
    pass_credentials: bool,
    /// Refused.
    #[arg(long, hide = true)]
    password: Option<String>,
    /// Refused.
    #[arg(long, hide = true)]
    plain_http: bool,
    /// Refused.
    #[arg(long, hide = true)]
    post_renderer: Option<String>,
    /// Refused.
    #[arg(long, hide = true)]
    post_renderer_args: Vec<String>,
    /// Refused.
    #[arg(long, hide = true)]
    repo: Option<String>,
    /// Refused.
    #[arg(long, hide = true)]
    username: Option<String>,
    /// Refused.
    #[arg(long, hide = true)]
    validate: bool,
    /// Refused.
    #[arg(long, hide = true)]
    verify: bool,
}

const NO_FETCH: (&str, &str) =
    ("a build fetches nothing", "fetch the chart beforehand and name its directory or archive");
const NO_DEPENDENCIES: (&str, &str) =
    ("a build fetches nothing", "put the charts that it needs into its `charts/` beforehand");
const NO_PROCESS: (&str, &str) = (
    "a build starts no process",
    "name the chart under `helmCharts` of a kustomization, and patch there what it makes",
);
const NO_NETWORK: (&str, &str) = ("a template asks no network", "give the address as a value");
const NO_CLUSTER: (&str, &str) =
    ("a build asks no cluster", "`fairlead diff` sends each object to the API server as a dry run");

impl HelmFlags {
    /// The name of the release, if one is `given` or made up for the chart at `path`.
    ///
    /// # Errors
    /// If a flag asks for something that no build does.
    pub(super) fn name(&self, given: Option<&str>, path: &Path) -> Result<Option<String>, CommandError> {
        self.refused.check()?;
        match (given, &self.name_template, self.generate_name) {
            (Some(_), Some(_), _) => Err("cannot set --name-template and also specify a name".into()),
            (Some(_), None, true) => Err("cannot set --generate-name and also specify a name".into()),
            (Some(name), None, false) => Ok(Some(name.to_owned())),
            (None, Some(template), _) => Ok(Some(release_name(template, &this_machine(), Limits::default())?)),
            (None, None, true) => Ok(Some(generated_name(path))),
            (None, None, false) => Ok(None),
        }
    }
}

/// The name that Helm makes up: that of the chart's directory or archive up to its first dot, and the time in seconds.
fn generated_name(path: &Path) -> String {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = file.split('.').next().filter(|stem| !stem.is_empty()).unwrap_or("chart");
    format!("{stem}-{}", Clock::system().now().as_second())
}

impl OutOfReach {
    fn check(&self) -> Result<(), Hinted> {
        let asks_server = self.dry_run.as_deref() == Some("server");
        let flags = [
            ("--ca-file", self.ca_file.is_some(), NO_FETCH),
            ("--cert-file", self.cert_file.is_some(), NO_FETCH),
            ("--dependency-update", self.dependency_update, NO_DEPENDENCIES),
            ("--dry-run=server", asks_server, NO_CLUSTER),
            ("--enable-dns", self.enable_dns, NO_NETWORK),
            ("--insecure-skip-tls-verify", self.insecure_skip_tls_verify, NO_FETCH),
            ("--key-file", self.key_file.is_some(), NO_FETCH),
            ("--keyring", self.keyring.is_some(), NO_FETCH),
            ("--pass-credentials", self.pass_credentials, NO_FETCH),
            ("--password", self.password.is_some(), NO_FETCH),
            ("--plain-http", self.plain_http, NO_FETCH),
            ("--post-renderer", self.post_renderer.is_some(), NO_PROCESS),
            ("--post-renderer-args", !self.post_renderer_args.is_empty(), NO_PROCESS),
            ("--repo", self.repo.is_some(), NO_FETCH),
            ("--username", self.username.is_some(), NO_FETCH),
            ("--validate", self.validate, NO_CLUSTER),
            ("--verify", self.verify, NO_FETCH),
        ];
        match flags.into_iter().find(|(_, is_given, _)| *is_given) {
            Some((flag, _, (reason, hint))) => Err(Hinted::new(format!("{flag} is refused: {reason}"), hint)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_without_a_name_is_named_after_its_chart() {
        for (path, stem) in [("charts/web", "web-"), ("web-1.2.3.tgz", "web-1-"), (".", "chart-"), ("/", "chart-")] {
            let name = generated_name(Path::new(path));
            let seconds = name.strip_prefix(stem).unwrap_or_else(|| panic!("{path}: {name}"));
            assert!(seconds.parse::<u64>().is_ok(), "{path}: {name}");
        }
    }
}
