//! The objects of a record, and how they are written in it.

use fairlead_object::{Manifest, Origin};
use fairlead_yaml::{Schema, emit_object, parse};

use crate::cluster::{ApiError, Cluster};

/// Why the objects of a record could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ObjectsError {
    #[error("the manifest of the release cannot be read: {0}")]
    Manifest(String),
    #[error("cannot learn which kinds the cluster serves")]
    Cluster(#[from] ApiError),
}

/// One object as a record holds it, made by the template at `path`.
pub(super) fn document(path: &str, object: &Manifest) -> String {
    format!("---\n# Source: {path}\n{}", emit_object(object.body()))
}

/// The objects that are written in `manifest`; those of kinds with namespaces in `namespace` if they name none.
pub(super) async fn read(cluster: &Cluster, manifest: &str, namespace: &str) -> Result<Vec<Manifest>, ObjectsError> {
    let mut objects = Vec::new();
    for node in parse(manifest).map_err(told)?.iter().filter(|node| !node.is_null()) {
        let body = node.to_json(Schema::SigsYaml).map_err(told)?;
        let mut object = Manifest::new(body, Origin::default()).map_err(told)?;
        place(cluster, &mut object, namespace).await?;
        objects.push(object);
    }
    Ok(objects)
}

/// Puts `object` into `namespace` if it names none and its kind has namespaces; one that is not known is taken to.
pub(super) async fn place(cluster: &Cluster, object: &mut Manifest, namespace: &str) -> Result<(), ApiError> {
    if object.id().namespace.is_none() {
        let resource = cluster.resolve(&object.gvk()).await?;
        if resource.is_none_or(|resource| resource.is_namespaced) {
            object.set_namespace(Some(namespace));
        }
    }
    Ok(())
}

fn told(error: impl std::error::Error) -> ObjectsError {
    ObjectsError::Manifest(error.to_string())
}
