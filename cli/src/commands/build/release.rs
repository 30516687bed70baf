//! `fairlead build helmrelease`: prints what a release installs.

use fairlead_yaml::emit_object;

use crate::{
    commands::release_selection::ReleaseSelection,
    connection::Connection,
    output::{CommandError, print},
};

/// Prints the definitions of the chart, the objects, and then the hooks, as `helm` does.
pub(super) async fn build(selection: &ReleaseSelection, connection: &Connection) -> Result<(), CommandError> {
    let cluster = connection.cluster().await?;
    let known = selection.open(&cluster, connection).await?;
    let draft = known.draft(&cluster, selection.place()).await?;
    let definitions = draft.definitions.iter().map(|definition| format!("---\n{}", emit_object(definition.body())));
    let hooks = draft.record.hooks.iter().map(|hook| format!("---\n# Source: {}\n{}", hook.path, hook.manifest));
    print(&format!("{}{}{}", definitions.collect::<String>(), draft.record.manifest, hooks.collect::<String>()))
}
