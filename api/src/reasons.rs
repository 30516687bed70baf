//! Reasons: the one word with which a condition or an event says why. Tools and alerts match on them, so they are Flux's
//! wherever Flux has one.

/// The object is being worked on.
pub const PROGRESSING: &str = "Progressing";
/// The last attempt failed and another one follows.
pub const PROGRESSING_WITH_RETRY: &str = "ProgressingWithRetry";
/// All is well.
pub const SUCCEEDED: &str = "Succeeded";
/// Refused by a rule of the installation or of the object's scope.
pub const ACCESS_DENIED: &str = "AccessDenied";
/// A field is set that is accepted but not honoured yet. Flux has no such reason.
pub const UNSUPPORTED_FIELD: &str = "UnsupportedField";
/// A field has a value that cannot be used. Flux has no such reason: there one bad value stops the controller.
pub const INVALID_FIELD: &str = "InvalidField";

/// Reasons of a `Receiver`.
pub mod receiver {
    /// The Secret with the token is missing, or has none.
    pub const TOKEN_NOT_FOUND: &str = "TokenNotFound";
    /// A CEL expression cannot be compiled.
    pub const INVALID_CEL_EXPRESSION: &str = "InvalidCELExpression";
}

/// Reasons of sources.
pub mod source {
    /// The credentials cannot be read or were refused.
    pub const AUTHENTICATION_FAILED: &str = "AuthenticationFailed";
    /// What `spec.provider` asks for is missing.
    pub const INVALID_PROVIDER_CONFIGURATION: &str = "InvalidProviderConfiguration";
    /// The URL cannot be used.
    pub const URL_INVALID: &str = "URLInvalid";
    /// The repository could not be read.
    pub const GIT_OPERATION_FAILED: &str = "GitOperationFailed";
    /// The repository has no commit.
    pub const EMPTY_GIT_REPOSITORY: &str = "EmptyGitRepository";
    /// No tag of the repository could be chosen.
    pub const READ_OPERATION_FAILED: &str = "ReadOperationFailed";
    /// The image could not be read.
    pub const OCI_ARTIFACT_PULL_FAILED: &str = "OCIArtifactPullFailed";
    /// The image has no layer that can be used.
    pub const OCI_ARTIFACT_LAYER_OPERATION_FAILED: &str = "OCIArtifactLayerOperationFailed";
    /// The index of a Helm repository could not be fetched.
    pub const FAILED: &str = "Failed";
    /// The index of a Helm repository cannot be read.
    pub const INDEXATION_FAILED: &str = "IndexationFailed";
    /// The archive of a chart could not be fetched.
    pub const CHART_PULL_ERROR: &str = "ChartPullError";
    /// The source of a chart is not there.
    pub const SOURCE_UNAVAILABLE: &str = "SourceUnavailable";
    /// The source of a chart has no artifact yet.
    pub const NO_SOURCE_ARTIFACT: &str = "NoSourceArtifact";
    /// The source of a chart has no such chart, or not in a version that will do.
    pub const INVALID_CHART_REFERENCE: &str = "InvalidChartReference";
    /// The version of a chart cannot be extended.
    pub const METADATA_PATCH_ERROR: &str = "MetadataPatchError";
    /// A file of values is not there, or cannot be read.
    pub const VALUES_FILES_ERROR: &str = "ValuesFilesError";
    /// A chart that another one needs could not be had.
    pub const DEPENDENCY_BUILD_ERROR: &str = "DependencyBuildError";
    /// A chart could not be loaded or packed.
    pub const CHART_PACKAGE_ERROR: &str = "ChartPackageError";
    /// A chart is not signed as it has to be.
    pub const CHART_VERIFICATION_ERROR: &str = "ChartVerificationError";
    /// A chart is stored as it came.
    pub const CHART_PULL_SUCCEEDED: &str = "ChartPullSucceeded";
    /// A chart was packed here and is stored.
    pub const CHART_PACKAGE_SUCCEEDED: &str = "ChartPackageSucceeded";
    /// The bucket could not be read.
    pub const BUCKET_OPERATION_FAILED: &str = "BucketOperationFailed";
    /// A path leads out of the source.
    pub const ILLEGAL_PATH: &str = "IllegalPath";
    /// An included artifact could not be copied.
    pub const COPY_FAILURE: &str = "CopyFailure";
    /// An included source is not there.
    pub const NOT_FOUND: &str = "NotFound";
    /// An included source has no artifact yet.
    pub const NO_ARTIFACT: &str = "NoArtifact";
    /// What signatures are verified with cannot be read, or the signatures of an image do not count.
    pub const VERIFICATION_ERROR: &str = "VerificationError";
    /// A tag must be signed, and none is followed.
    pub const INVALID_VERIFICATION_MODE: &str = "InvalidVerificationMode";
    /// The tag cannot be signed, or is not.
    pub const INVALID_GIT_OBJECT: &str = "InvalidGitObject";
    /// The tag's signature does not count.
    pub const INVALID_TAG_SIGNATURE: &str = "InvalidTagSignature";
    /// The commit's signature does not count.
    pub const INVALID_COMMIT_SIGNATURE: &str = "InvalidCommitSignature";
    /// The artifact could not be written.
    pub const ARCHIVE_OPERATION_FAILED: &str = "ArchiveOperationFailed";
    /// Event: an artifact was stored.
    pub const NEW_ARTIFACT: &str = "NewArtifact";
}

/// Reasons of a `Kustomization`.
pub mod kustomization {
    /// Applied, pruned and healthy.
    pub const RECONCILIATION_SUCCEEDED: &str = "ReconciliationSucceeded";
    /// The source, its artifact or the path in it is not there.
    pub const ARTIFACT_FAILED: &str = "ArtifactFailed";
    /// The manifests could not be built.
    pub const BUILD_FAILED: &str = "BuildFailed";
    /// The objects could not be applied.
    pub const RECONCILIATION_FAILED: &str = "ReconciliationFailed";
    /// Objects that the source no longer names could not be deleted.
    pub const PRUNE_FAILED: &str = "PruneFailed";
    /// An object failed, or did not become healthy in time.
    pub const HEALTH_CHECK_FAILED: &str = "HealthCheckFailed";
    /// Another Kustomization must be ready first.
    pub const DEPENDENCY_NOT_READY: &str = "DependencyNotReady";
    /// A CEL expression cannot be compiled.
    pub const INVALID_CEL_EXPRESSION: &str = "InvalidCELExpression";
    /// More would be deleted than may be without approval. Flux has no such reason: it has no deletion budget.
    pub const DELETION_BUDGET_EXCEEDED: &str = "DeletionBudgetExceeded";
}

/// Reasons of a `FluxConfiguration`.
pub mod configuration {
    /// Everything it stands for is ready.
    pub const COMPLIANT: &str = "Compliant";
    /// Something it stands for failed.
    pub const NON_COMPLIANT: &str = "NonCompliant";
    /// Something it stands for is not ready yet.
    pub const PENDING: &str = "Pending";
    /// It is suspended.
    pub const SUSPENDED: &str = "Suspended";
    /// Its fields contradict each other.
    pub const INVALID_CONFIGURATION: &str = "InvalidConfiguration";
    /// Its protected settings cannot be used.
    pub const INVALID_PROTECTED_SETTINGS: &str = "InvalidProtectedSettings";
    /// Its objects could not be created, changed or removed.
    pub const PROVISIONING_FAILED: &str = "ProvisioningFailed";
}

/// Reasons of a `HelmRelease`.
pub mod helm {
    /// Installed.
    pub const INSTALL_SUCCEEDED: &str = "InstallSucceeded";
    /// The release could not be installed.
    pub const INSTALL_FAILED: &str = "InstallFailed";
    /// Upgraded.
    pub const UPGRADE_SUCCEEDED: &str = "UpgradeSucceeded";
    /// The release could not be upgraded.
    pub const UPGRADE_FAILED: &str = "UpgradeFailed";
    /// All tests of the chart have succeeded.
    pub const TEST_SUCCEEDED: &str = "TestSucceeded";
    /// A test of the chart has failed.
    pub const TEST_FAILED: &str = "TestFailed";
    /// The tests of the chart have not ended yet.
    pub const AWAITING_TESTS: &str = "AwaitingTests";
    /// The release before is restored.
    pub const ROLLBACK_SUCCEEDED: &str = "RollbackSucceeded";
    /// The release before could not be restored.
    pub const ROLLBACK_FAILED: &str = "RollbackFailed";
    /// Uninstalled.
    pub const UNINSTALL_SUCCEEDED: &str = "UninstallSucceeded";
    /// The release could not be uninstalled.
    pub const UNINSTALL_FAILED: &str = "UninstallFailed";
    /// An earlier action was cut off.
    pub const PENDING_RELEASE: &str = "PendingRelease";
    /// Others have changed what was installed.
    pub const DRIFT_DETECTED: &str = "DriftDetected";
    /// Nobody has changed what was installed.
    pub const NO_DRIFT_DETECTED: &str = "NoDriftDetected";
    /// Event: what others had changed was put right.
    pub const DRIFT_CORRECTED: &str = "DriftCorrected";
    /// Event: what others have changed could not be put right.
    pub const DRIFT_CORRECTION_FAILED: &str = "DriftCorrectionFailed";
    /// It failed more often than is tried again.
    pub const RETRIES_EXCEEDED: &str = "RetriesExceeded";
    /// The release that should be restored is not recorded any more.
    pub const MISSING_ROLLBACK_TARGET: &str = "MissingRollbackTarget";
    /// Another release must be ready first.
    pub const DEPENDENCY_NOT_READY: &str = "DependencyNotReady";
    /// The source of the chart has no chart yet.
    pub const SOURCE_NOT_READY: &str = "SourceNotReady";
    /// The chart could not be had, or is none.
    pub const ARTIFACT_FAILED: &str = "ArtifactFailed";
    /// Values could not be had, or are none.
    pub const VALUES_ERROR: &str = "ValuesError";
    /// What is recorded of the release could not be read.
    pub const STATE_ERROR: &str = "StateError";
    /// The release could not be worked on; nothing of it is recorded.
    pub const RECONCILE_ERROR: &str = "ReconcileError";
    /// A CEL expression cannot be compiled.
    pub const INVALID_CEL_EXPRESSION: &str = "InvalidCELExpression";
    /// Event: the `HelmChart` of the release was made.
    pub const HELM_CHART_CREATED: &str = "HelmChartCreated";
    /// Event: the `HelmChart` of the release was changed.
    pub const HELM_CHART_CONFIGURED: &str = "HelmChartConfigured";
    /// Event: the `HelmChart` of the release was deleted.
    pub const HELM_CHART_DELETED: &str = "HelmChartDeleted";
    /// The `HelmChart` of the release could not be made, changed or deleted.
    pub const HELM_CHART_SYNC_ERROR: &str = "HelmChartSyncErr";
}
