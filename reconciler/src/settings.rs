//! What the operator decides for the whole process: the flags of `fairlead controller`, with Flux's names and defaults
//! where Flux has them.

use std::time::Duration;

use fairlead_plan::{Budget, CustomStage};
use fairlead_sources::helm::HelmLimits;

/// Settings of one controller process.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `--watch-all-namespaces`: `None` for all, else the only namespace that is watched.
    pub namespace: Option<String>,
    /// `--watch-label-selector`: only objects with these labels are reconciled.
    pub label_selector: String,
    /// `--concurrent`: how many Kustomizations are in a run at once.
    pub concurrent: usize,
    /// How many sources are fetched at once; they wait for servers, not for a processor.
    pub concurrent_sources: usize,
    /// `--no-cross-namespace-refs`: a Kustomization may only use sources of its own namespace, and a Receiver only wake
    /// objects of its own.
    pub no_cross_namespace_refs: bool,
    /// `--default-service-account`: whom a Kustomization runs as that names no account; `None` for this process itself.
    pub default_service_account: Option<String>,
    /// `--min-retry-delay`.
    pub min_retry_delay: Duration,
    /// `--max-retry-delay`.
    pub max_retry_delay: Duration,
    /// `--interval-jitter-percentage`, below 100.
    pub interval_jitter_percentage: u8,
    /// `--storage-adv-addr`: host, with its port where it is not 80, in the URLs of artifacts.
    pub artifact_address: String,
    /// `--override-manager`: managers, by the beginning of their names, whose fields are taken over from objects that
    /// are applied.
    pub override_managers: Vec<String>,
    /// `--custom-apply-stage-kinds`.
    pub custom_stage: CustomStage,
    /// How much one run may delete without approval.
    pub deletion_budget: Budget,
    /// `--helm-index-max-size` and `--helm-chart-max-size`.
    pub helm_limits: HelmLimits,
    /// Feature gate `StrictPostBuildSubstitutions`: a variable without value and default is an error.
    pub strict_substitution: bool,
    /// Feature gate `ExternalArtifact`: Kustomizations may be built from what other controllers serve.
    pub external_artifacts: bool,
    /// How long a newly applied definition may take to be served.
    pub definition_timeout: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            namespace: None,
            label_selector: String::new(),
            concurrent: 16,
            concurrent_sources: 32,
            no_cross_namespace_refs: false,
            default_service_account: None,
            min_retry_delay: Duration::from_millis(750),
            max_retry_delay: Duration::from_mins(15),
            interval_jitter_percentage: 5,
            artifact_address: "localhost:9090".to_owned(),
            override_managers: Vec::new(),
            custom_stage: CustomStage::default(),
            deletion_budget: Budget::default(),
            helm_limits: HelmLimits::default(),
            strict_substitution: true,
            external_artifacts: false,
            definition_timeout: Duration::from_mins(1),
        }
    }
}
