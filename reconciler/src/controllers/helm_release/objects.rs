//! The objects of a record, and how they are written in it.

use fairlead_object::{Manifest, Origin, TreePath};
use fairlead_plan::Inventory;
use fairlead_release::{Release, Status};
use fairlead_yaml::{Schema, parse};

use crate::cluster::{ApiError, Cluster};

/// Why the objects of a record could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ObjectsError {
    /// The record is none of Helm's.
    #[error("the manifest of the release cannot be read: {0}")]
    Manifest(String),
    /// The cluster did not answer.
    #[error("cannot learn which kinds the cluster serves")]
    Cluster(#[from] ApiError),
}

/// One object as a record holds it, whose `text` the template at `path` makes.
pub(super) fn document(path: &str, text: &str) -> String {
    format!("---\n# Source: {path}\n{text}")
}

/// What the newest of `records` consists of, and the one that is deployed: what an upgrade deletes if it is no longer asked
/// for.
///
/// # Errors
/// If a record cannot be read, or if the cluster does not tell which kinds have namespaces.
pub async fn held(cluster: &Cluster, records: &[Release]) -> Result<Inventory, ObjectsError> {
    let mut held = Inventory::default();
    let deployed = records.iter().find(|record| record.info.status == Status::Deployed);
    for record in records.first().into_iter().chain(deployed) {
        for object in read(cluster, &record.manifest, &record.namespace).await? {
            held.insert(object.id().clone(), object.version().to_owned());
        }
    }
    Ok(held)
}

/// The objects that are written in `manifest`; those of kinds with namespaces in `namespace` if they name none.
///
/// # Errors
/// If it cannot be read, or if the cluster does not tell which kinds have namespaces.
pub async fn read(cluster: &Cluster, manifest: &str, namespace: &str) -> Result<Vec<Manifest>, ObjectsError> {
    let mut objects = Vec::new();
    for (file, text) in documents(manifest) {
        for node in parse(text).map_err(told)?.iter().filter(|node| !node.is_null()) {
            let body = node.to_json(Schema::SigsYaml).map_err(told)?;
            let mut object = Manifest::new(body, Origin::new(file.clone(), 1)).map_err(told)?;
            place(cluster, &mut object, namespace).await?;
            objects.push(object);
        }
    }
    Ok(objects)
}

/// What stands before each document in the manifest of a record, followed by the template that makes it.
const SOURCE: &str = "---\n# Source: ";

/// The parts of `manifest`, each with the template that makes it, as far as that is noted.
fn documents(manifest: &str) -> Vec<(TreePath, &str)> {
    let Some(noted) = manifest.strip_prefix(SOURCE) else { return vec![(TreePath::root(), manifest)] };
    let parts =
        noted.split(&format!("\n{SOURCE}")).map(|part| part.split_once('\n').unwrap_or((part, ""))).collect::<Vec<_>>();
    parts.into_iter().map(|(path, text)| (path.trim().parse().unwrap_or_default(), text)).collect()
}

/// Puts `object` into `namespace` if it names none and its kind has namespaces; one that is not known is taken to.
async fn place(cluster: &Cluster, object: &mut Manifest, namespace: &str) -> Result<(), ApiError> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_of_a_record_are_told_apart_by_the_templates_that_make_them() {
        let shown = |manifest: &str| {
            documents(manifest).iter().map(|(path, text)| format!("{path}: {text:?}")).collect::<Vec<_>>().join("\n")
        };
        insta::assert_snapshot!(
            shown("---\n# Source: web/templates/a.yaml\na: 1\n---\nb: 2\n---\n# Source: web/templates/c.yaml\nc: |\n  ---\n"),
            @r#"
        web/templates/a.yaml: "a: 1\n---\nb: 2"
        web/templates/c.yaml: "c: |\n  ---\n"
        "#
        );
        assert_eq!(shown("a: 1\n"), format!("{}: {:?}", TreePath::root(), "a: 1\n"));
    }
}
