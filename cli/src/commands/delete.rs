//! `fairlead delete`: deletes a served object. What it applied goes with it, as the object says.

use std::process::ExitCode;

use clap::Args as Flags;

use super::sources::Served;
use crate::{
    connection::Connection,
    output::{CommandError, action, is_confirmed, success},
};

/// What to delete.
pub(crate) type Args = Served<Named>;

/// Which object.
#[derive(Flags)]
pub(crate) struct Named {
    /// Its name.
    name: String,
    /// Do not ask.
    #[arg(short, long)]
    silent: bool,
}

pub(crate) async fn run(args: Args, connection: &Connection) -> Result<ExitCode, CommandError> {
    let (kind, Named { name, silent }) = args.into_parts();
    let cluster = connection.cluster().await?;
    let namespace = connection.namespace.as_str();
    kind.get(&cluster, namespace, &name).await?;
    if !silent && !is_confirmed(&format!("Are you sure you want to delete this {}", kind.human))? {
        return Err("aborting".into());
    }
    action(format!("deleting {} {name} in {namespace} namespace", kind.human));
    cluster.delete(&kind.resource(), (namespace, &name), None).await?;
    success(format!("{} deleted", kind.human));
    Ok(ExitCode::SUCCESS)
}
