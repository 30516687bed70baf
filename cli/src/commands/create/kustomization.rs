//! `fairlead create kustomization`.

use std::time::Duration;

use clap::Args as Flags;
use serde_json::{Value, json};

use super::{
    Common,
    object::{NewObject, dependency, given, reference, switch, text},
    written,
};
use crate::{
    connection::{Connection, dns_label, duration},
    output::CommandError,
    served::{BUCKET, GIT_REPOSITORY, OCI_REPOSITORY},
};

/// Flags of `create kustomization`.
#[derive(Flags)]
pub(super) struct Args {
    /// The name of the Kustomization.
    #[arg(value_parser = dns_label)]
    name: String,
    /// What it is built from; without a kind a `GitRepository`.
    #[arg(long, value_name = "[KIND/]NAME[.NAMESPACE]", value_parser = source)]
    source: Value,
    /// The directory in the source.
    #[arg(long, default_value = "./")]
    path: String,
    /// Delete what has left the source.
    #[arg(long)]
    prune: bool,
    /// Wait until everything is healthy.
    #[arg(long)]
    wait: bool,
    /// An object that must be healthy; repeatable.
    #[arg(long, value_name = "KIND/NAME.NAMESPACE", value_delimiter = ',', value_parser = health_check)]
    health_check: Vec<Value>,
    /// How long health may take.
    #[arg(long, value_name = "DURATION", default_value = "2m0s", value_parser = duration)]
    health_check_timeout: Duration,
    /// A Kustomization that must be ready before; repeatable.
    #[arg(long, value_name = "[NAMESPACE/]NAME", value_delimiter = ',')]
    depends_on: Vec<String>,
    /// The service account that it runs as.
    #[arg(long, value_name = "NAME")]
    service_account: Option<String>,
    /// How Secrets are decrypted.
    #[arg(long, value_name = "PROVIDER", value_parser = ["sops"])]
    decryption_provider: Option<String>,
    /// The Secret with the keys for that.
    #[arg(long, value_name = "NAME", requires = "decryption_provider")]
    decryption_secret: Option<String>,
    /// The namespace that everything is put into.
    #[arg(long, value_name = "NAME")]
    target_namespace: Option<String>,
    /// The Secret with the kubeconfig of another cluster.
    #[arg(long, value_name = "NAME")]
    kubeconfig_secret_ref: Option<String>,
    /// How soon it is tried again after a failure.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    retry_interval: Option<Duration>,
}

/// Prints the Kustomization, or writes it to the cluster and waits until it is ready.
pub(super) async fn create(args: &Args, common: &Common, connection: &Connection) -> Result<(), CommandError> {
    let kustomization = NewObject::kustomization(&args.name, args.spec(common));
    if common.export {
        return kustomization.print(common, connection);
    }
    kustomization.announce();
    kustomization.write(&connection.cluster().await?, common, connection).await
}

impl Args {
    fn spec(&self, common: &Common) -> Value {
        let decryption = self.decryption_provider.as_ref().map(|provider| {
            given([("provider", text(Some(provider))), ("secretRef", reference(self.decryption_secret.as_ref()))])
        });
        let depends_on: Vec<Value> = self.depends_on.iter().map(|name| dependency(name)).collect();
        let checks = (!self.wait && !self.health_check.is_empty()).then(|| json!(self.health_check));
        let has_timeout = self.wait || checks.is_some();
        let kubeconfig = self.kubeconfig_secret_ref.as_ref();
        given([
            ("sourceRef", Some(self.source.clone())),
            ("path", Some(format!("./{}", self.path.trim_start_matches("./").trim_start_matches('/')).into())),
            ("interval", Some(common.interval())),
            ("prune", Some(self.prune.into())),
            ("wait", switch(self.wait)),
            ("healthChecks", checks),
            ("timeout", has_timeout.then(|| written(self.health_check_timeout))),
            ("dependsOn", (!depends_on.is_empty()).then(|| depends_on.into())),
            ("serviceAccountName", text(self.service_account.as_ref())),
            ("decryption", decryption),
            ("targetNamespace", text(self.target_namespace.as_ref())),
            ("kubeConfig", reference(kubeconfig).map(|secret| json!({ "secretRef": secret }))),
            ("retryInterval", self.retry_interval.map(written)),
        ])
    }
}

/// Reads `[Kind/]name[.namespace]`.
fn source(written: &str) -> Result<Value, String> {
    let (kind, name) = written.split_once('/').unwrap_or((GIT_REPOSITORY.name, written));
    let kinds = [GIT_REPOSITORY, OCI_REPOSITORY, BUCKET].map(|kind| kind.name);
    let Some(kind) = kinds.into_iter().find(|known| known.eq_ignore_ascii_case(kind)) else {
        return Err(format!("`{kind}` is none of {}", kinds.join(", ")));
    };
    let (name, namespace) = name.split_once('.').map_or((name, None), |(name, namespace)| (name, Some(namespace)));
    if name.is_empty() {
        return Err("it names no source".to_owned());
    }
    Ok(given([("kind", Some(kind.into())), ("name", Some(name.into())), ("namespace", namespace.map(Value::from))]))
}

/// Reads `Kind/name.namespace`.
fn health_check(written: &str) -> Result<Value, String> {
    let parts = written.split_once('/').and_then(|(kind, rest)| Some((kind, rest.split_once('.')?)));
    let (kind, (name, namespace)) = parts.ok_or("it is not KIND/NAME.NAMESPACE")?;
    let api_version = match kind {
        "Deployment" | "DaemonSet" | "StatefulSet" => "apps/v1",
        "HelmRelease" => "helm.toolkit.fluxcd.io/v2",
        _ => return Err(format!("`{kind}` is none of Deployment, DaemonSet, StatefulSet, HelmRelease")),
    };
    Ok(json!({ "apiVersion": api_version, "kind": kind, "name": name, "namespace": namespace }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_and_health_checks_are_read_as_flux_reads_them() {
        let shown = |read: Result<Value, String>| read.map_or_else(|error| error, |value| value.to_string());
        let rows = [
            ("app", r#"{"kind":"GitRepository","name":"app"}"#),
            ("OCIRepository/app.apps", r#"{"kind":"OCIRepository","name":"app","namespace":"apps"}"#),
            ("bucket/app", r#"{"kind":"Bucket","name":"app"}"#),
            ("HelmChart/app", "`HelmChart` is none of GitRepository, OCIRepository, Bucket"),
            ("Bucket/", "it names no source"),
        ];
        for (written, expected) in rows {
            assert_eq!(shown(source(written)), expected, "{written}");
        }
        let rows = [
            ("Deployment/web.shop", r#"{"apiVersion":"apps/v1","kind":"Deployment","name":"web","namespace":"shop"}"#),
            ("Job/web.shop", "`Job` is none of Deployment, DaemonSet, StatefulSet, HelmRelease"),
            ("Deployment/web", "it is not KIND/NAME.NAMESPACE"),
        ];
        for (written, expected) in rows {
            assert_eq!(shown(health_check(written)), expected, "{written}");
        }
    }
}
