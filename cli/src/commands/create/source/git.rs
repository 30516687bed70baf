//! `fairlead create source git`.

use std::time::Duration;

use clap::{Args as Flags, ValueEnum};
use serde_json::{Value, json};

use crate::{
    commands::create::{
        Common,
        git_keys::{GitFlags, git_url, show_deploy_key},
        object::{NewObject, given, lines, reference, switch, text, texts},
        secret::NewSecret,
        written,
    },
    connection::{Connection, dns_label, duration},
    output::{CommandError, is_confirmed, success},
    served::GIT_REPOSITORY,
};

/// Flags of `create source git`.
#[derive(Flags)]
pub(crate) struct Args {
    /// The name of the source.
    #[arg(value_parser = dns_label)]
    name: String,
    /// The repository.
    #[arg(long)]
    url: String,
    #[command(flatten)]
    reference: Reference,
    /// The Secret with the credentials; without it one of the source's name is made from the flags below.
    #[arg(long, value_name = "NAME")]
    secret_ref: Option<String>,
    /// The Secret with the proxy.
    #[arg(long, value_name = "NAME")]
    proxy_secret_ref: Option<String>,
    /// Who gives the credentials.
    #[arg(long, value_enum)]
    provider: Option<GitProvider>,
    /// Fetch submodules too.
    #[arg(long)]
    recurse_submodules: bool,
    /// Fetch only these directories.
    #[arg(long, value_name = "PATH", value_delimiter = ',')]
    sparse_checkout_paths: Vec<String>,
    /// Patterns of files to leave out, as in `.gitignore`.
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    ignore_paths: Vec<String>,
    /// How long one fetch may take.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    fetch_timeout: Option<Duration>,
    /// Do not ask whether the deploy key is known to the repository.
    #[arg(short, long)]
    silent: bool,
    #[command(flatten)]
    git: GitFlags,
}

/// What of the repository is followed. A commit counts before a name, that before versions, a tag and a branch.
#[derive(Flags)]
struct Reference {
    /// The branch.
    #[arg(long, required_unless_present_any = ["tag", "tag_semver", "commit", "ref_name"])]
    branch: Option<String>,
    /// The tag.
    #[arg(long)]
    tag: Option<String>,
    /// The highest tag within a range of versions.
    #[arg(long, value_name = "RANGE")]
    tag_semver: Option<String>,
    /// The commit.
    #[arg(long)]
    commit: Option<String>,
    /// The full name of a reference, as `refs/heads/main`.
    #[arg(long, value_name = "NAME")]
    ref_name: Option<String>,
}

/// Who gives the credentials for a repository: other ones than for registries and buckets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum GitProvider {
    Generic,
    Github,
    Aws,
    Azure,
}

impl GitProvider {
    /// As `spec.provider` has it.
    fn written(self) -> Value {
        match self {
            Self::Generic => "generic",
            Self::Github => "github",
            Self::Aws => "aws",
            Self::Azure => "azure",
        }
        .into()
    }
}

impl Reference {
    /// `spec.ref`.
    fn spec(&self) -> Value {
        let branch = text(self.branch.as_ref());
        if let Some(commit) = text(self.commit.as_ref()) {
            return given([("branch", branch), ("commit", Some(commit))]);
        }
        let fields = [("name", &self.ref_name), ("semver", &self.tag_semver), ("tag", &self.tag)];
        let first = fields.into_iter().find_map(|(key, value)| Some((key, value.as_ref()?)));
        first.map_or_else(|| given([("branch", branch)]), |(key, value)| json!({ key: value }))
    }
}

impl Args {
    pub(super) fn source(&self, common: &Common) -> Result<NewObject<'_>, CommandError> {
        git_url(&self.url)?;
        let spec = given([
            ("url", text(Some(&self.url))),
            ("interval", Some(common.interval())),
            ("ref", Some(self.reference.spec())),
            ("secretRef", reference(self.secret_ref.as_ref())),
            ("proxySecretRef", reference(self.proxy_secret_ref.as_ref())),
            ("provider", self.provider.map(GitProvider::written)),
            ("recurseSubmodules", switch(self.recurse_submodules)),
            ("sparseCheckout", texts(&self.sparse_checkout_paths)),
            ("ignore", lines(&self.ignore_paths)),
            ("timeout", self.fetch_timeout.map(written)),
        ]);
        Ok(NewObject::source(GIT_REPOSITORY, &self.name, spec))
    }

    /// The Secret that is made for the source, once its public key is where it belongs.
    pub(super) async fn secret(&self, connection: &Connection) -> Result<Option<NewSecret>, CommandError> {
        if self.secret_ref.is_some() {
            return Ok(None);
        }
        let values = self.git.values(&git_url(&self.url)?, connection).await?;
        if values.is_empty() {
            return Ok(None);
        }
        if let Some(known_hosts) = values.get("known_hosts") {
            success(format!("collected public key from SSH server:\n{}", known_hosts.trim_end()));
        }
        let question = "Have you added the deploy key to your repository";
        if show_deploy_key(&values) && !self.silent && !is_confirmed(question)? {
            return Err("aborting".into());
        }
        Ok(Some(NewSecret::new(&self.name, "git secret", values)))
    }
}
