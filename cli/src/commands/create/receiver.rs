//! `fairlead create receiver`.

use clap::Args as Flags;
use fairlead_api::notification::ReceiverType;
use serde_json::{Value, json};

use super::{
    Common,
    object::{NewObject, given, reference, text, texts},
};
use crate::{
    connection::{Connection, dns_label},
    output::CommandError,
    served::{ALL, RECEIVER},
};

/// Flags of `create receiver`.
#[derive(Flags)]
pub(super) struct Args {
    /// The name of the Receiver.
    #[arg(value_parser = dns_label)]
    name: String,
    /// Who sends the webhooks, as `github` or `generic-hmac`.
    #[arg(long = "type", value_name = "TYPE", value_parser = sender)]
    sender: String,
    /// A kind of event that counts; repeatable.
    #[arg(long = "event", value_name = "EVENT", value_delimiter = ',')]
    events: Vec<String>,
    /// The Secret with the token that authenticates webhooks.
    #[arg(long, value_name = "NAME")]
    secret_ref: String,
    /// An object that is woken; repeatable.
    #[arg(long = "resource", value_name = "KIND/NAME", required = true, value_delimiter = ',', value_parser = resource)]
    resources: Vec<Value>,
}

/// Prints the Receiver, or writes it to the cluster and waits until it is ready.
pub(super) async fn create(args: &Args, common: &Common, connection: &Connection) -> Result<(), CommandError> {
    let receiver = NewObject::receiver(&args.name, args.spec(common));
    if common.export {
        return receiver.print(common, connection);
    }
    receiver.announce();
    receiver.write(&connection.cluster().await?, common, connection).await
}

impl Args {
    fn spec(&self, common: &Common) -> Value {
        given([
            ("type", text(Some(&self.sender))),
            ("interval", Some(common.interval())),
            ("events", texts(&self.events)),
            ("resources", Some(json!(self.resources))),
            ("secretRef", reference(Some(&self.secret_ref))),
        ])
    }
}

fn sender(written: &str) -> Result<String, String> {
    let known: Result<ReceiverType, _> = serde_json::from_value(written.into());
    known.map(|_| written.to_owned()).map_err(|error| error.to_string())
}

/// Reads `Kind/name`.
fn resource(written: &str) -> Result<Value, String> {
    let (kind, name) = written.split_once('/').ok_or("it is not KIND/NAME")?;
    let is_named = |known: &&str| known.eq_ignore_ascii_case(kind);
    let known = ALL.iter().filter(|kind| **kind != RECEIVER).map(|kind| kind.name).find(is_named);
    let kind = known.ok_or_else(|| format!("`{kind}` is no kind that webhooks wake"))?;
    if name.is_empty() { Err("it names no object".to_owned()) } else { Ok(json!({ "kind": kind, "name": name })) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_woken_is_named_by_its_kind() {
        let shown = |written| resource(written).map_or_else(|error| error, |value| value.to_string());
        for (written, expected) in [
            ("gitrepository/app", r#"{"kind":"GitRepository","name":"app"}"#),
            ("HelmRepository/app", r#"{"kind":"HelmRepository","name":"app"}"#),
            ("Receiver/app", "`Receiver` is no kind that webhooks wake"),
            ("app", "it is not KIND/NAME"),
            ("Bucket/", "it names no object"),
        ] {
            assert_eq!(shown(written), expected, "{written}");
        }
        assert!(sender("generic-hmac").is_ok() && sender("github").is_ok() && sender("gitea").is_err());
    }
}
