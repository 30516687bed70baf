//! The flags of `kustomize build`: those that mean the same here, and those that are refused because a build starts no
//! process and opens no connection.

use clap::{Args as Flags, ValueEnum, builder::BoolishValueParser};
use fairlead_manifests::{BuildRequest, Caller, Files, ManagedByLabel, Order};

use crate::output::{Hinted, quote};

/// Flags of `kustomize build`.
#[derive(Flags)]
#[command(next_help_heading = "Flags of kustomize build")]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(super) struct KustomizeFlags {
    /// Which files a kustomization may name.
    #[arg(long, value_enum, default_value = "LoadRestrictionsRootOnly", value_name = "RESTRICTIONS")]
    load_restrictor: LoadRestrictor,
    /// The order of the objects where no kustomization says it: by kind, or as they are written.
    #[arg(long, value_enum, value_name = "ORDER")]
    reorder: Option<Reorder>,
    /// Give every object the label `app.kubernetes.io/managed-by`.
    #[arg(long, env = "KUSTOMIZE_ENABLE_MANAGEDBY_LABEL", value_parser = BoolishValueParser::new())]
    enable_managedby_label: bool,
    /// Variables for functions; none is run.
    #[arg(short, long, value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// Run functions as the current user; none is run.
    #[arg(long)]
    as_current_user: bool,
    /// Render the charts that a kustomization names, which is always done.
    #[arg(long)]
    enable_helm: bool,
    /// Have Helm tell more, which nothing does.
    #[arg(long)]
    helm_debug: bool,
    #[command(flatten)]
    refused: Refused,
}

/// Which files a kustomization may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LoadRestrictor {
    /// Those in or below its own directory.
    #[value(name = "LoadRestrictionsRootOnly")]
    RootOnly,
    /// All.
    #[value(name = "LoadRestrictionsNone")]
    None,
}

/// The order of the objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Reorder {
    /// By kind, namespaces first.
    Legacy,
    /// As they are written.
    None,
}

/// Flags that would have a build start or reach something.
#[derive(Flags)]
struct Refused {
    /// Refused.
    #[arg(long, hide = true)]
    enable_alpha_plugins: bool,
    /// Refused.
    #[arg(long, hide = true)]
    enable_exec: bool,
    /// Refused.
    #[arg(long, hide = true)]
    network: bool,
    /// Refused.
    #[arg(long, hide = true)]
    network_name: Option<String>,
    /// Refused.
    #[arg(long, hide = true)]
    mount: Vec<String>,
    /// Refused.
    #[arg(long, hide = true)]
    helm_command: Option<String>,
    /// Refused.
    #[arg(long, hide = true)]
    helm_api_versions: Vec<String>,
    /// Refused.
    #[arg(long, hide = true)]
    helm_kube_version: Option<String>,
}

const NO_PLUGINS: (&str, &str) =
    ("a build starts no process", "run the plugin beforehand and name what it writes under `resources`");
const NO_FUNCTIONS: (&str, &str) =
    ("a build runs no functions", "run the function beforehand and name what it writes under `resources`");
const NO_HELM: (&str, &str) = ("a build starts no process", "leave it out: charts are rendered without Helm");
const NO_CLUSTER: (&str, &str) = (
    "a chart sees the cluster that its kustomization names",
    "set `apiVersions` and `kubeVersion` where `helmCharts` names the chart",
);

impl KustomizeFlags {
    /// What they ask of a build; an error if it is something that no build does.
    pub(super) fn request(&self) -> Result<BuildRequest, Hinted> {
        self.refused.check()?;
        if self.reorder.is_some() {
            quote("Flag --reorder has been deprecated, use the new 'sortOptions' field in kustomization.yaml instead.");
        }
        if self.enable_managedby_label {
            quote(
                "Flag --enable-managedby-label has been deprecated, use the `managedByLabel` option in the \
                 `buildMetadata` field instead.",
            );
        }
        Ok(BuildRequest {
            order: match self.reorder {
                Some(Reorder::None) => Order::AsWritten,
                Some(Reorder::Legacy) | None => Order::ByKind,
            },
            files: match self.load_restrictor {
                LoadRestrictor::RootOnly => Files::BelowRoot,
                LoadRestrictor::None => Files::OfSource,
            },
            managed_by_label: if self.enable_managedby_label {
                ManagedByLabel::Always
            } else {
                ManagedByLabel::WhereAsked
            },
            caller: Caller::CommandLine,
            ..BuildRequest::default()
        })
    }
}

impl Refused {
    fn check(&self) -> Result<(), Hinted> {
        let flags = [
            ("--enable-alpha-plugins", self.enable_alpha_plugins, NO_PLUGINS),
            ("--enable-exec", self.enable_exec, NO_FUNCTIONS),
            ("--network", self.network, NO_FUNCTIONS),
            ("--network-name", self.network_name.is_some(), NO_FUNCTIONS),
            ("--mount", !self.mount.is_empty(), NO_FUNCTIONS),
            ("--helm-command", self.helm_command.is_some(), NO_HELM),
            ("--helm-api-versions", !self.helm_api_versions.is_empty(), NO_CLUSTER),
            ("--helm-kube-version", self.helm_kube_version.is_some(), NO_CLUSTER),
        ];
        match flags.into_iter().find(|(_, is_given, _)| *is_given) {
            Some((flag, _, (reason, hint))) => Err(Hinted::new(format!("{flag} is refused: {reason}"), hint)),
            None => Ok(()),
        }
    }
}
