//! `fairlead controller`: all controllers in one process, with Flux's flags.

mod gates;
mod ignored;

use std::{any::TypeId, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Arg, ArgAction, Args as Flags};
use fairlead_plan::{Budget, CustomStage};
use fairlead_reconciler::{
    clock::Clock,
    controller::{self, Place},
    leader::Election,
    settings::Settings,
};
use fairlead_sources::{
    helm::{CHART_LIMIT_BYTES, HelmLimits, INDEX_LIMIT_BYTES},
    store::StoreSettings,
    transport::{Egress, Network},
};
use kube::Client;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::{
    connection::{Connection, duration},
    log::{self, Encoding, Level},
    output::CommandError,
};
use gates::Gates;
use ignored::IgnoredFlags;

/// Flags of the controller. Those that Flux has keep Flux's names and defaults.
#[derive(Flags)]
#[command(mut_args(accept_go_values))]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub(crate) struct Args {
    /// Reconcile objects of all namespaces; otherwise of the one in `$RUNTIME_NAMESPACE` only.
    #[arg(long, default_value_t = true, action = ArgAction::Set)]
    watch_all_namespaces: bool,
    /// Reconcile only objects with these labels.
    #[arg(long, default_value = "", value_name = "SELECTOR")]
    watch_label_selector: String,
    /// How many Kustomizations are worked on at once.
    #[arg(long, default_value_t = 16)]
    concurrent: usize,
    /// How many sources are fetched at once.
    #[arg(long, default_value_t = 32)]
    concurrent_sources: usize,
    /// Folder of the artifact store; it must exist.
    #[arg(long, env = "STORAGE_PATH", default_value = "/data", value_name = "FOLDER")]
    storage_path: PathBuf,
    /// Address on which artifacts are served.
    #[arg(long, env = "STORAGE_ADDRESS", default_value = ":9090", value_name = "ADDRESS")]
    storage_addr: String,
    /// Host in the URLs of artifacts; otherwise the host name and the port of --storage-addr.
    #[arg(long, env = "STORAGE_ADV_ADDR", default_value = "", value_name = "HOST")]
    storage_adv_addr: String,
    /// How long an artifact that was replaced is kept.
    #[arg(long, default_value = "1m0s", value_parser = duration)]
    artifact_retention_ttl: Duration,
    /// How many artifacts of a source are kept.
    #[arg(long, default_value_t = 2)]
    artifact_retention_records: usize,
    /// Refuse Kustomizations that use a source of another namespace, and webhooks that wake objects of one.
    #[arg(long)]
    no_cross_namespace_refs: bool,
    /// Largest index of a Helm repository, in bytes.
    #[arg(long, default_value_t = INDEX_LIMIT_BYTES, value_name = "BYTES")]
    helm_index_max_size: u64,
    /// Largest package of a chart, in bytes.
    #[arg(long, default_value_t = CHART_LIMIT_BYTES, value_name = "BYTES")]
    helm_chart_max_size: u64,
    /// Account that a Kustomization runs as which names none.
    #[arg(long, default_value = "", value_name = "NAME")]
    default_service_account: String,
    /// Networks that sources may reach although they are this machine's, link-local or a cloud's metadata service.
    #[arg(long, value_delimiter = ',', value_name = "NETWORKS")]
    allow_egress: Vec<Network>,
    /// Networks that sources may not reach besides those.
    #[arg(long, value_delimiter = ',', value_name = "NETWORKS")]
    deny_egress: Vec<Network>,
    /// First delay after a failure.
    #[arg(long, default_value = "750ms", value_parser = duration)]
    min_retry_delay: Duration,
    /// Longest delay after failures.
    #[arg(long, default_value = "15m0s", value_parser = duration)]
    max_retry_delay: Duration,
    /// How much intervals vary, in percent.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u8).range(0..100))]
    interval_jitter_percentage: u8,
    /// Managers, by the beginning of their names, whose fields are taken over from objects that are applied.
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    override_manager: Vec<String>,
    /// Kinds that are applied before the rest: `group/Kind`, or `Kind` of the core group.
    #[arg(long, value_delimiter = ',', value_name = "KINDS")]
    custom_apply_stage_kinds: Vec<String>,
    /// Largest share of an inventory of ten or more objects that one run deletes unasked, in percent; 100 for any.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u8).range(0..=100))]
    deletion_budget: u8,
    /// Address on which webhooks are taken.
    #[arg(long, alias = "receiverAddr", default_value = ":9292", value_name = "ADDRESS")]
    receiver_addr: String,
    /// Address on which metrics are served.
    #[arg(long, env = "METRICS_ADDR", default_value = ":8080", value_name = "ADDRESS")]
    metrics_addr: String,
    /// Address on which /healthz and /readyz are served.
    #[arg(long, default_value = ":9440", value_name = "ADDRESS")]
    health_addr: String,
    /// Where events are posted besides, as to Flux's notification-controller.
    #[arg(long, env = "EVENTS_ADDR", default_value = "", value_name = "URL")]
    events_addr: String,
    /// Work only while holding a lease, so that another replica can stand by.
    #[arg(long)]
    enable_leader_election: bool,
    /// Give the lease back at the end.
    #[arg(long, default_value_t = true, action = ArgAction::Set)]
    leader_election_release_on_cancel: bool,
    /// How long a lease that is not renewed stays taken.
    #[arg(long, default_value = "35s", value_parser = duration)]
    leader_election_lease_duration: Duration,
    /// How long renewing is tried before giving up.
    #[arg(long, default_value = "30s", value_parser = duration)]
    leader_election_renew_deadline: Duration,
    /// How long to wait between tries.
    #[arg(long, default_value = "5s", value_parser = duration)]
    leader_election_retry_period: Duration,
    /// How much is logged.
    #[arg(long, value_enum, default_value = "info")]
    log_level: Level,
    /// How log lines are written.
    #[arg(long, value_enum, default_value = "json")]
    log_encoding: Encoding,
    /// Feature gates, as `Name=true`; an unknown one is an error.
    #[arg(long, value_delimiter = ',', value_name = "GATES")]
    feature_gates: Vec<String>,
    /// Algorithm of the digests of artifacts; there is no other.
    #[arg(long, default_value = "sha256", value_parser = ["sha256"], hide = true)]
    artifact_digest_algo: String,
    #[command(flatten)]
    ignored: IgnoredFlags,
    /// The namespace this process runs in.
    #[arg(long, env = "RUNTIME_NAMESPACE", default_value = "flux-system", hide = true)]
    runtime_namespace: String,
}

/// Lets a switch take `=true` and `=false`, as flags of Go programs do.
fn accept_go_values(arg: Arg) -> Arg {
    if arg.get_value_parser().type_id() != TypeId::of::<bool>() {
        return arg;
    }
    let arg = if matches!(arg.get_action(), ArgAction::SetTrue) { arg.default_value("false") } else { arg };
    let action = if matches!(arg.get_action(), ArgAction::Append) { ArgAction::Append } else { ArgAction::Set };
    arg.action(action)
        .num_args(0..=1)
        .require_equals(true)
        .default_missing_value("true")
        .hide_possible_values(true)
        .value_name("BOOL")
}

pub(crate) async fn run(args: Args, connection: &Connection) -> Result<ExitCode, CommandError> {
    log::start(args.log_level, args.log_encoding);
    let settings = settings(&args)?;
    if !args.ignored.0.is_empty() {
        tracing::info!(flags = args.ignored.0.join(", "), "flags that mean nothing here are ignored");
    }
    let place = place(&args);
    let client = Client::try_from(connection.config().await?)?;
    let stop = CancellationToken::new();
    tokio::spawn(cancel_on_signal(stop.clone()));
    controller::run(client, settings, place, Clock::system(), stop, |addresses| {
        tracing::info!(
            artifacts = addresses.artifacts.map(tracing::field::display),
            webhooks = addresses.webhooks.map(tracing::field::display),
            metrics = addresses.metrics.map(tracing::field::display),
            health = addresses.health.map(tracing::field::display),
            "listening"
        );
    })
    .await?;
    Ok(ExitCode::SUCCESS)
}

async fn cancel_on_signal(stop: CancellationToken) {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    stop.cancel();
}

fn settings(args: &Args) -> Result<Settings, CommandError> {
    let gates = Gates::read(&args.feature_gates)?;
    let not_empty = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    Ok(Settings {
        namespace: (!args.watch_all_namespaces).then(|| args.runtime_namespace.clone()),
        label_selector: args.watch_label_selector.clone(),
        concurrent: args.concurrent.max(1),
        concurrent_sources: args.concurrent_sources.max(1),
        no_cross_namespace_refs: args.no_cross_namespace_refs,
        default_service_account: not_empty(&args.default_service_account),
        min_retry_delay: args.min_retry_delay,
        max_retry_delay: args.max_retry_delay,
        interval_jitter_percentage: args.interval_jitter_percentage,
        artifact_address: advertised(&args.storage_adv_addr, &args.storage_addr),
        override_managers: args.override_manager.clone(),
        custom_stage: CustomStage::parse(args.custom_apply_stage_kinds.iter().map(String::as_str))?,
        deletion_budget: match args.deletion_budget {
            100 => Budget::Unlimited,
            percent => Budget::Limited { percent, from_objects: 10 },
        },
        helm_limits: HelmLimits { index_bytes: args.helm_index_max_size, chart_bytes: args.helm_chart_max_size },
        strict_substitution: gates.strict_substitution,
        external_artifacts: gates.external_artifacts,
        ..Settings::default()
    })
}

fn place(args: &Args) -> Place {
    Place {
        storage_path: args.storage_path.clone(),
        store: StoreSettings {
            retention_ttl: args.artifact_retention_ttl,
            retention_records: args.artifact_retention_records,
        },
        egress: Egress::guarded(args.allow_egress.clone(), args.deny_egress.clone()),
        storage_address: args.storage_addr.clone(),
        receiver_address: args.receiver_addr.clone(),
        metrics_address: args.metrics_addr.clone(),
        health_address: args.health_addr.clone(),
        events_address: (!args.events_addr.is_empty()).then(|| args.events_addr.clone()),
        election: args.enable_leader_election.then(|| Election {
            namespace: args.runtime_namespace.clone(),
            lease: "fairlead-leader-election".to_owned(),
            identity: format!("{}_{:016x}", hostname(), fastrand::u64(..)),
            lease_duration: args.leader_election_lease_duration,
            renew_deadline: args.leader_election_renew_deadline,
            retry_period: args.leader_election_retry_period,
            release_on_cancel: args.leader_election_release_on_cancel,
        }),
    }
}

/// The host in artifact URLs: what was asked for, or this machine's name with the port that is listened on.
fn advertised(asked: &str, listened: &str) -> String {
    if !asked.is_empty() {
        return asked.to_owned();
    }
    match listened.rsplit_once(':') {
        Some(("", port)) => format!("localhost:{port}"),
        Some(("0.0.0.0", port)) => format!("{}:{port}", hostname()),
        _ => listened.to_owned(),
    }
}

fn hostname() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname");
    name.map_or_else(|_| "localhost".to_owned(), |name| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use clap::FromArgMatches;

    use super::*;

    #[test]
    fn artifacts_are_advertised_where_they_are_served() {
        assert_eq!(advertised("", ":9090"), "localhost:9090");
        assert_eq!(advertised("", "127.0.0.1:9090"), "127.0.0.1:9090");
        assert_eq!(advertised("fairlead.flux-system.svc", ":9090"), "fairlead.flux-system.svc");
    }

    /// Reads the flags as the command line does.
    fn read(flags: &[&str]) -> Result<Args, String> {
        let command = Args::augment_args(clap::Command::new("controller").no_binary_name(true));
        let matches = command.try_get_matches_from(flags).map_err(|error| error.to_string())?;
        Args::from_arg_matches(&matches).map_err(|error| error.to_string())
    }

    #[test]
    fn a_switch_is_given_bare_or_with_its_value() {
        let read = |flags: &[&str]| {
            let args = read(flags).expect("well-formed flags");
            (args.watch_all_namespaces, args.no_cross_namespace_refs)
        };
        assert_eq!(read(&[]), (true, false));
        assert_eq!(read(&["--watch-all-namespaces=false", "--no-cross-namespace-refs"]), (false, true));
        assert_eq!(read(&["--watch-all-namespaces", "--no-cross-namespace-refs=true"]), (true, true));
        assert_eq!(read(&["--no-cross-namespace-refs=false"]), (true, false));
    }

    #[test]
    fn flags_that_a_deployment_was_patched_with_for_flux_are_accepted_and_named() {
        let flags = "--requeue-dependency=5s --kube-api-qps 500 --concurrent=20 --no-remote-bases \
                     --insecure-kubeconfig-exec=false --override-manager=kubectl,helm --override-manager=argo";
        let args = read(&flags.split_whitespace().collect::<Vec<_>>()).expect("Flux's flags");
        let ignored = ["kube-api-qps", "requeue-dependency", "no-remote-bases", "insecure-kubeconfig-exec"];
        assert_eq!(args.ignored.0, ignored);
        assert_eq!(args.override_manager, ["kubectl", "helm", "argo"]);
        assert_eq!(args.concurrent, 20);
    }

    #[test]
    fn networks_are_lists_of_ranges_and_addresses() {
        let args = read(&["--allow-egress=127.0.0.0/8,::1", "--deny-egress", "10.96.0.1"]).expect("networks");
        assert_eq!((args.allow_egress.len(), args.deny_egress.len()), (2, 1));
        assert!(
            read(&["--allow-egress=localhost"])
                .err()
                .expect("a name is none")
                .contains("neither an address nor a network")
        );
    }

    #[test]
    fn a_flag_that_restricts_what_is_allowed_is_not_ignored() {
        for flag in ["--ssh-kex-algos=curve25519-sha256", "--artifact-digest-algo=sha512"] {
            assert!(read(&[flag]).is_err(), "{flag} is accepted");
        }
    }
}
