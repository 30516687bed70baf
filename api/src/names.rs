//! Labels, annotations and finalizers: the names that objects carry and tools look for.

/// The finalizer on every object that is reconciled.
pub const FINALIZER: &str = "finalizers.fluxcd.io";

/// Labels.
pub mod labels {
    /// The name of the Kustomization that applied an object.
    pub const OWNER_NAME: &str = "kustomize.toolkit.fluxcd.io/name";
    /// The namespace of the Kustomization that applied an object.
    pub const OWNER_NAMESPACE: &str = "kustomize.toolkit.fluxcd.io/namespace";
    /// The name of the `HelmRelease` that applied an object.
    pub const RELEASE_NAME: &str = "helm.toolkit.fluxcd.io/name";
    /// The namespace of the `HelmRelease` that applied an object.
    pub const RELEASE_NAMESPACE: &str = "helm.toolkit.fluxcd.io/namespace";
    /// The name of the `FluxConfiguration` that made an object.
    pub const CONFIGURATION_NAME: &str = "fairlead.dev/configuration";
    /// The namespace of the `FluxConfiguration` that made an object which lives outside of it.
    pub const CONFIGURATION_NAMESPACE: &str = "fairlead.dev/configuration-namespace";
    /// What an object is part of; Flux's tools select their parts by `flux`.
    pub const PART_OF: &str = "app.kubernetes.io/part-of";
    /// Which component an object belongs to.
    pub const COMPONENT: &str = "app.kubernetes.io/component";
    /// The version that installed an object.
    pub const VERSION: &str = "app.kubernetes.io/version";
    /// The installation an object belongs to, named after its namespace.
    pub const INSTANCE: &str = "app.kubernetes.io/instance";
}

/// Annotations.
pub mod annotations {
    /// A request to reconcile now: any change of its value counts once.
    pub const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";
    /// A request to upgrade in any case: counts once, together with a request to reconcile of the same value.
    pub const FORCE_AT: &str = "reconcile.fluxcd.io/forceAt";
    /// A request to forget failures: counts once, together with a request to reconcile of the same value.
    pub const RESET_AT: &str = "reconcile.fluxcd.io/resetAt";
    /// The number of the revision that a release is kept at, whatever its chart and its values are.
    pub const PINNED_REVISION: &str = "fairlead.dev/pinned-revision";
    /// `disabled`: a Kustomization that applies the object leaves `${…}` in it as it is.
    pub const SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";
    /// Digest of the spec that a `FluxConfiguration` last gave an object.
    pub const SPEC_DIGEST: &str = "fairlead.dev/spec-digest";
    /// `true`: the Secret holds a key that was generated for its `FluxConfiguration`, not one that it was given.
    pub const GENERATED_KEY: &str = "fairlead.dev/generated-key";
    /// Prefix of annotations that events of the object carry.
    pub const EVENT_PREFIX: &str = "event.toolkit.fluxcd.io/";
}

/// Metadata keys of events, under which they carry what they are about.
pub mod events {
    /// The revision an event of a Kustomization is about.
    pub const KUSTOMIZATION_REVISION: &str = "kustomize.toolkit.fluxcd.io/revision";
    /// The revision of what the source of a Kustomization was made of, where the source tells it.
    pub const ORIGIN_REVISION: &str = "kustomize.toolkit.fluxcd.io/originRevision";
    /// Marks the event that a commit status follows; its value is `update`.
    pub const COMMIT_STATUS: &str = "kustomize.toolkit.fluxcd.io/commit_status";
    /// The version of the chart an event of a release is about.
    pub const RELEASE_REVISION: &str = "helm.toolkit.fluxcd.io/revision";
    /// The digest of the values an event of a release is about.
    pub const RELEASE_TOKEN: &str = "helm.toolkit.fluxcd.io/token";
    /// The version of what the chart installs.
    pub const RELEASE_APP_VERSION: &str = "helm.toolkit.fluxcd.io/app-version";
    /// The digest of the artifact in a registry that the chart is from.
    pub const RELEASE_OCI_DIGEST: &str = "helm.toolkit.fluxcd.io/oci-digest";
    /// The revision an event of a source is about.
    pub const SOURCE_REVISION: &str = "source.toolkit.fluxcd.io/revision";
    /// The digest of the artifact an event of a source is about.
    pub const SOURCE_DIGEST: &str = "source.toolkit.fluxcd.io/digest";
}
