//! `FluxConfiguration`: a source and what is built from it, under one scope.

use std::sync::Arc;

use super::{ObjectKey, World};
use crate::{queue::NextRun, watch::Change};

/// The service account of the configuration `name`.
pub fn account_name(name: &str) -> String {
    format!("{name}-applier")
}

/// Wakes the configuration that a changed object belongs to.
pub(crate) fn wake_owner<K>(_: &World, _: &Change<K>) {}

/// One run for the configuration `key`.
pub async fn run(_: Arc<World>, _: ObjectKey) -> NextRun {
    NextRun::OnChange
}
