//! `helm.toolkit.fluxcd.io/v2`: charts, installed and kept as their values say.

mod actions;
mod spec;
mod status;

pub use actions::{
    ApplyMethod, ChartNameChange, Crds, DeletionPropagation, Install, InstallRemediation, InstallStrategy,
    RemediationStrategy, Rollback, StrategyName, Test, TestFilter, Uninstall, Upgrade, UpgradeRemediation,
    UpgradeStrategy,
};
pub use spec::{
    ChartReference, ChartReferenceKind, ChartTemplate, ChartTemplateMetadata, ChartTemplateSource, ChartTemplateSpec,
    ChartVerification, DriftDetection, DriftMode, HelmRelease, HelmReleaseSpec, KustomizeRenderer, PostRenderStrategy,
    PostRenderer, ValuesReference, ValuesSourceKind, WaitStrategy, WaitStrategyName,
};
pub use status::{HelmReleaseStatus, Snapshot, TestHook};
