//! Flags of Flux's controllers that mean nothing here.
//!
//! They are accepted, so that a Deployment that was patched for Flux starts, and named in the log. A flag that restricts
//! what is allowed is never among them.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error};

/// The flags with a value, and why each means nothing.
const WITH_VALUE: [&str; 16] = [
    // Requests are bounded per run, and by the API server's priority and fairness.
    "kube-api-qps",
    "kube-api-burst",
    "concurrent-ssa",
    // An artifact is read from the store of this very process.
    "http-retry",
    // A dependency wakes who waits for it.
    "requeue-dependency",
    // What variables come from is watched by name, whatever its labels.
    "watch-configs-label-selector",
    // There is no `spec.kubeConfig` and no decryption yet: an object that asks for one says so.
    "default-decryption-service-account",
    "default-kubeconfig-service-account",
    "sops-age-secret",
    "sops-vault-configmap",
    // What was granted is kept until most of its lifetime is over.
    "token-cache-max-size",
    "token-cache-max-duration",
    // A file of a chart has Flux's own limit, and an index is not kept in memory.
    "helm-chart-file-max-size",
    "helm-cache-max-size",
    "helm-cache-ttl",
    "helm-cache-purge-interval",
];

/// The flags that are true or false.
const SWITCHES: [&str; 3] = ["no-remote-bases", "insecure-kubeconfig-exec", "insecure-kubeconfig-tls"];

/// Which of these flags were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct IgnoredFlags(pub(super) Vec<&'static str>);

impl Args for IgnoredFlags {
    fn augment_args(command: Command) -> Command {
        let flag = |name: &'static str| Arg::new(name).long(name).hide(true).action(ArgAction::Append);
        let switch = |name| flag(name).value_parser(clap::value_parser!(bool));
        command.args(WITH_VALUE.map(flag)).args(SWITCHES.map(switch))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl clap::FromArgMatches for IgnoredFlags {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut ignored = Self::default();
        ignored.update_from_arg_matches(matches)?;
        Ok(ignored)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        self.0 = WITH_VALUE.into_iter().chain(SWITCHES).filter(|name| matches.contains_id(name)).collect();
        Ok(())
    }
}
