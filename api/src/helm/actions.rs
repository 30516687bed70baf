//! How a release is installed, upgraded, tested, rolled back and uninstalled.

use std::ops::Not;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::duration::Duration;
use crate::schema::{described_by_field, without_format};

/// How a release is installed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the fields are Flux's")]
pub struct Install {
    /// How long one wait may take; the `timeout` of the release when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,

    /// What follows a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<InstallStrategy>,

    /// What is done about a failed install.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remediation: Option<InstallRemediation>,

    /// Takes over no object that belongs to nobody or to another release.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub disable_take_ownership: bool,

    /// Does not wait until objects are ready.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub disable_wait: bool,

    /// Does not wait until Jobs are complete.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub disable_wait_for_jobs: bool,

    /// Runs no hooks.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub disable_hooks: bool,

    /// Leaves out Helm's check against the schema of the cluster. The API server checks what it is sent in any case.
    #[serde(rename = "disableOpenAPIValidation", default, skip_serializing_if = "Not::not")]
    pub disable_open_api_validation: bool,

    /// Takes values that do not meet the schema of the chart.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub disable_schema_validation: bool,

    /// Uses the name of a release that is uninstalled or has failed, and is still recorded.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub replace: bool,

    /// Old form of `crds: Skip`.
    #[serde(rename = "skipCRDs", default, skip_serializing_if = "Not::not")]
    pub skip_crds: bool,

    /// What is done with the definitions of the chart: `Skip` leaves them, `Create` creates those that are missing,
    /// `CreateReplace` also replaces others. `Create` when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crds: Option<Crds>,

    /// Creates `targetNamespace` where it is missing.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub create_namespace: bool,

    /// Applies objects in the API server.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_side_apply: Option<bool>,
}

/// How a release is upgraded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the fields are Flux's")]
pub struct Upgrade {
    /// How long one wait may take; the `timeout` of the release when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,

    /// What follows a failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<UpgradeStrategy>,

    /// What is done about a failed upgrade.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remediation: Option<UpgradeRemediation>,

    /// Takes over no object that belongs to nobody or to another release.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub disable_take_ownership: bool,

    /// Does not wait until objects are ready.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub disable_wait: bool,

    /// Does not wait until Jobs are complete.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub disable_wait_for_jobs: bool,

    /// Runs no hooks.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub disable_hooks: bool,

    /// Leaves out Helm's check against the schema of the cluster. The API server checks what it is sent in any case.
    #[serde(rename = "disableOpenAPIValidation", default, skip_serializing_if = "Not::not")]
    pub disable_open_api_validation: bool,

    /// Takes values that do not meet the schema of the chart.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub disable_schema_validation: bool,

    /// Recreates an object when an immutable field of it has to change.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub force: bool,

    /// Lays the values over those of the release before.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub preserve_values: bool,

    /// Deletes what a failed upgrade has created.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub cleanup_on_fail: bool,

    /// What is done with the definitions of the chart: `Skip` leaves them, `Create` creates those that are missing,
    /// `CreateReplace` also replaces others. `Create` when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub crds: Option<Crds>,

    /// What is done when the chart has another name: `Reinstall` uninstalls the release first, `InPlaceUpdate` upgrades
    /// it. `Reinstall` when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chart_name_change_strategy: Option<ChartNameChange>,

    /// Applies objects in the API server: `enabled`, `disabled`, or `auto` as the release before. `auto` when it is not
    /// set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_side_apply: Option<ApplyMethod>,
}

impl Upgrade {
    /// Whether objects are to be merged before they are sent.
    pub(super) fn applies_in_client(&self) -> bool {
        self.server_side_apply == Some(ApplyMethod::Disabled)
    }
}

/// Whether and how a release is tested.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Test {
    /// Runs the tests of the chart after each install and upgrade.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub enable: bool,

    /// How long one test may take; the `timeout` of the release when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,

    /// A failed test fails nothing else.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub ignore_failures: bool,

    /// Which tests run; all when it is not set.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<TestFilter>,
}

impl Test {
    /// Whether the test called `name` runs.
    pub fn includes(&self, name: &str) -> bool {
        let is_excluded = self.filters.iter().any(|filter| filter.exclude && filter.name == name);
        let mut included = self.filters.iter().filter(|filter| !filter.exclude).peekable();
        !is_excluded && (included.peek().is_none() || included.any(|filter| filter.name == name))
    }
}

/// A test that runs, or does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TestFilter {
    /// Name of the test.
    #[schemars(length(min = 1, max = 253))]
    pub name: String,

    /// Whether it is left out.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub exclude: bool,
}

/// How a release is rolled back.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[expect(clippy::struct_excessive_bools, reason = "the fields are Flux's")]
pub struct Rollback {
    /// How long one wait may take; the `timeout` of the release when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,

    /// Does not wait until objects are ready.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub disable_wait: bool,

    /// Does not wait until Jobs are complete.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub disable_wait_for_jobs: bool,

    /// Runs no hooks.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub disable_hooks: bool,

    /// Has no effect any more.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub recreate: bool,

    /// Recreates an object when an immutable field of it has to change.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub force: bool,

    /// Deletes what a failed rollback has created.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub cleanup_on_fail: bool,

    /// Applies objects in the API server: `enabled`, `disabled`, or `auto` as the release before. `auto` when it is not
    /// set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_side_apply: Option<ApplyMethod>,
}

impl Rollback {
    /// Whether objects are to be merged before they are sent.
    pub(super) fn applies_in_client(&self) -> bool {
        self.server_side_apply == Some(ApplyMethod::Disabled)
    }
}

/// How a release is uninstalled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Uninstall {
    /// How long one wait may take; the `timeout` of the release when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Duration>,

    /// Runs no hooks.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub disable_hooks: bool,

    /// Keeps the records of the release, marked as uninstalled.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub keep_history: bool,

    /// Does not wait until the objects are gone.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub disable_wait: bool,

    /// What becomes of what the deleted objects own.
    #[serde(default = "background", skip_serializing_if = "Option::is_none")]
    pub deletion_propagation: Option<DeletionPropagation>,
}

#[expect(clippy::unnecessary_wraps, reason = "it is the default of an optional field")]
fn background() -> Option<DeletionPropagation> {
    Some(DeletionPropagation::Background)
}

/// What is done with the definitions of a chart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = described_by_field)]
pub enum Crds {
    /// They are left out.
    Skip,
    /// Those that are missing are created.
    #[default]
    Create,
    /// Those that are missing are created, all others replaced.
    CreateReplace,
}

/// Where objects are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(transform = described_by_field)]
pub enum ApplyMethod {
    /// In the API server.
    Enabled,
    /// Before they are sent.
    Disabled,
    /// As for the release before.
    Auto,
}

/// What is done when the chart has another name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = described_by_field)]
pub enum ChartNameChange {
    /// The release is uninstalled first.
    #[default]
    Reinstall,
    /// The release is upgraded.
    InPlaceUpdate,
}

/// What becomes of what deleted objects own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(transform = described_by_field)]
pub enum DeletionPropagation {
    /// It goes afterwards.
    #[default]
    Background,
    /// It goes before.
    Foreground,
    /// It stays.
    Orphan,
}

/// What follows a failed install.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "!has(self.retryInterval) || self.name != 'RemediateOnFailure'",
    "message": ".retryInterval cannot be set when .name is 'RemediateOnFailure'",
}]))]
pub struct InstallStrategy {
    /// `RemediateOnFailure` does as `remediation` says, `RetryOnFailure` upgrades after a while.
    pub name: StrategyName,

    /// When is tried again; after five minutes when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_interval: Option<Duration>,
}

/// What follows a failed upgrade.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(extend("x-kubernetes-validations" = [{
    "rule": "!has(self.retryInterval) || self.name == 'RetryOnFailure'",
    "message": ".retryInterval can only be set when .name is 'RetryOnFailure'",
}]))]
pub struct UpgradeStrategy {
    /// `RemediateOnFailure` does as `remediation` says, `RetryOnFailure` upgrades after a while.
    pub name: StrategyName,

    /// When is tried again; after five minutes when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_interval: Option<Duration>,
}

/// What follows a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[schemars(transform = described_by_field)]
pub enum StrategyName {
    /// The failure is remedied, and tried again as often as `remediation.retries` says.
    RemediateOnFailure,
    /// The release is upgraded after a while.
    RetryOnFailure,
}

/// What is done about a failed install: it is uninstalled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstallRemediation {
    /// How often is tried again; endlessly when it is negative.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = without_format)]
    pub retries: Option<i64>,

    /// Whether a failed test is no failure; `test.ignoreFailures` when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore_test_failures: Option<bool>,

    /// Whether the last failure is remedied too; no when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remediate_last_failure: Option<bool>,
}

/// What is done about a failed upgrade.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct UpgradeRemediation {
    /// How often is tried again; endlessly when it is negative.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(transform = without_format)]
    pub retries: Option<i64>,

    /// Whether a failed test is no failure; `test.ignoreFailures` when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ignore_test_failures: Option<bool>,

    /// Whether the last failure is remedied too; only if there are `retries` when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remediate_last_failure: Option<bool>,

    /// Whether the release before is restored or everything is uninstalled; `rollback` when it is not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub strategy: Option<RemediationStrategy>,
}

/// How a failed upgrade is remedied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(transform = described_by_field)]
pub enum RemediationStrategy {
    /// The release before is restored.
    #[default]
    Rollback,
    /// Everything is uninstalled.
    Uninstall,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters_name_the_tests_that_run_or_those_that_do_not() {
        let filter = |name: &str, exclude| TestFilter { name: name.to_owned(), exclude };
        for (filters, runs) in [
            (vec![], [true, true]),
            (vec![filter("a", false)], [true, false]),
            (vec![filter("a", true)], [false, true]),
            (vec![filter("a", false), filter("a", true)], [false, false]),
        ] {
            let test = Test { filters: filters.clone(), ..Test::default() };
            assert_eq!(["a", "b"].map(|name| test.includes(name)), runs, "{filters:?}");
        }
    }
}
