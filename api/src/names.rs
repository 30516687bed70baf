//! Labels, annotations, finalizers and field managers: the names that objects carry and tools look for.

/// The finalizer on every object that is reconciled.
pub const FINALIZER: &str = "finalizers.fluxcd.io";

/// The field manager of what a Kustomization applies. It is Flux's, so that an object that Flux applied is taken over
/// without a conflict.
pub const APPLY_MANAGER: &str = "kustomize-controller";

/// Labels.
pub mod labels {
    /// The name of the Kustomization that applied an object.
    pub const OWNER_NAME: &str = "kustomize.toolkit.fluxcd.io/name";
    /// The namespace of the Kustomization that applied an object.
    pub const OWNER_NAMESPACE: &str = "kustomize.toolkit.fluxcd.io/namespace";
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
    /// Who wrote an object.
    pub const MANAGED_BY: &str = "app.kubernetes.io/managed-by";
    /// A Secret or `ConfigMap` with the value `Enabled` here wakes the objects that refer to it.
    pub const WATCH: &str = "reconcile.fluxcd.io/watch";
}

/// Annotations on served objects.
pub mod annotations {
    /// A request to reconcile now: any change of its value counts once.
    pub const REQUESTED_AT: &str = "reconcile.fluxcd.io/requestedAt";
    /// Prefix of annotations that events of the object carry.
    pub const EVENT_PREFIX: &str = "event.toolkit.fluxcd.io/";
}

/// Metadata keys of events, under which they carry what they are about.
pub mod events {
    /// The revision an event of a Kustomization is about.
    pub const KUSTOMIZATION_REVISION: &str = "kustomize.toolkit.fluxcd.io/revision";
    /// The origin revision an event of a Kustomization is about.
    pub const KUSTOMIZATION_ORIGIN_REVISION: &str = "kustomize.toolkit.fluxcd.io/originRevision";
    /// Marks the event that a commit status follows; its value is `update`.
    pub const COMMIT_STATUS: &str = "kustomize.toolkit.fluxcd.io/commit_status";
    /// The revision an event of a source is about.
    pub const SOURCE_REVISION: &str = "source.toolkit.fluxcd.io/revision";
    /// The digest of the artifact an event of a source is about.
    pub const SOURCE_DIGEST: &str = "source.toolkit.fluxcd.io/digest";
}

/// Keys, as labels or annotations on managed objects, by which an object opts out of a step. Flux's names.
pub mod control {
    /// `disabled`: neither applied nor deleted.
    pub const RECONCILE: &str = "kustomize.toolkit.fluxcd.io/reconcile";
    /// How the object is applied: `Override`, `Merge`, `IfNotPresent` or `Ignore`.
    pub const SSA: &str = "kustomize.toolkit.fluxcd.io/ssa";
    /// `enabled`: recreated when an immutable field has to change.
    pub const FORCE: &str = "kustomize.toolkit.fluxcd.io/force";
    /// `disabled`: never deleted.
    pub const PRUNE: &str = "kustomize.toolkit.fluxcd.io/prune";
    /// `disabled`: variables in it are left as they are.
    pub const SUBSTITUTE: &str = "kustomize.toolkit.fluxcd.io/substitute";
    /// `disabled`: applied as it is, not decrypted. Annotation only.
    pub const DECRYPT: &str = "kustomize.toolkit.fluxcd.io/decrypt";
}
