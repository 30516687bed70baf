//! `ExternalArtifact`: what other controllers make. It is only read: nothing is written to the object.
//!
//! # Differs from Flux
//! The artifact is fetched once for all that build from it, and kept: its maker may be away.

use std::{panic::resume_unwind, sync::Arc, time::Duration};

use fairlead_api::source::ExternalArtifact;
use fairlead_sources::{
    external::{ExternalError, ExternalRequest},
    fetch::{Means, SourceFailure},
    store::{Artifact, SourceKind},
};
use tokio::{task::spawn_blocking, time::Instant};
use tracing::warn;

use super::{
    polls::{Polls, SHARED_FOR},
    source_key,
};
use crate::{
    controllers::{ObjectKey, World},
    watch::{Change, Object, Served},
};

/// How long a fetch may take; its object says nothing about that.
const TIMEOUT: Duration = Duration::from_mins(1);

/// The artifacts that others make.
#[derive(Default)]
pub(crate) struct ExternalArtifacts {
    pub(crate) served: Served<ExternalArtifact>,
    polls: Polls<ExternalRequest>,
}

/// Whether what `change` tells is of the artifact.
pub(crate) fn has_other_artifact(change: &Change<ExternalArtifact>) -> bool {
    let told = |object: &Option<Arc<Object<_>>>| object.as_deref().and_then(artifact);
    change.before.is_none() || change.now.is_none() || told(&change.before) != told(&change.now)
}

/// The revision and the digest of the artifact that an object tells of.
fn artifact(object: &Object<ExternalArtifact>) -> Option<(String, String)> {
    let told = object.parsed.as_ref().ok()?.status.as_ref()?.artifact.as_ref()?;
    Some((told.revision.clone(), told.digest.clone()))
}

/// The artifact that the object `key` tells of, in the store; `None` if it tells of none.
pub(crate) async fn external_artifact(world: &World, key: &ObjectKey) -> Result<Option<Artifact>, SourceFailure> {
    let external = &world.sources.external_artifacts;
    let object = external.served.get(key);
    let parsed = object.as_ref().and_then(|object| object.parsed.as_ref().ok());
    let told = parsed.and_then(|parsed| parsed.status.as_ref()?.artifact.as_ref());
    let Some(told) = told else { return Ok(None) };
    let (url, digest) = ExternalRequest::read(&told.url, &told.digest)?;
    let named = source_key(SourceKind::ExternalArtifact, key);
    let kept = world.store.artifact(&named);
    if let Some(kept) = kept.filter(|kept| kept.digest == digest && kept.revision == told.revision) {
        return Ok(Some(kept));
    }
    let (revision, metadata) = (told.revision.clone(), told.metadata.clone());
    let request = ExternalRequest { url, revision, digest, metadata, timeout: TIMEOUT };
    let (store, now) = (world.store.clone(), world.clock.now());
    let means = Means { store: &store, ignore: None, now };
    let recent = Instant::now().checked_sub(SHARED_FOR).unwrap_or_else(Instant::now);
    let content = external.polls.fetch(&request, &request.revision, &means, recent).await?;
    let published = spawn_blocking(move || content.publish(&store, &named, now)).await;
    let published = published.unwrap_or_else(|stopped| resume_unwind(stopped.into_panic()));
    Ok(Some(published.map_err(ExternalError::from)?))
}

/// Drops what is kept of an object that is gone.
pub(crate) fn forget_external_artifact(world: &World, key: &ObjectKey) {
    if let Err(error) = world.store.withdraw(&source_key(SourceKind::ExternalArtifact, key)) {
        warn!(kind = "ExternalArtifact", namespace = key.namespace, name = key.name, %error, "artifact not withdrawn");
    }
}
