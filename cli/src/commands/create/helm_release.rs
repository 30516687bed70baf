//! `fairlead create helmrelease`.

use std::{path::PathBuf, time::Duration};

use clap::Args as Flags;
use fairlead_helm::{UserValues, lay_values_over};
use serde_json::{Map, Value, json};

use super::{
    Common,
    object::{NewObject, dependency, given, reference, switch, text},
    written,
};
use crate::{
    connection::{Connection, dns_label, duration},
    local::LocalError,
    output::CommandError,
    served::{BUCKET, GIT_REPOSITORY, HELM_CHART, HELM_REPOSITORY, OCI_REPOSITORY},
};

/// Flags of `create helmrelease`.
#[derive(Flags)]
pub(super) struct Args {
    /// The name of the `HelmRelease`.
    #[arg(value_parser = dns_label)]
    name: String,
    /// The name of the chart, or its path in a repository or bucket.
    #[arg(long, required_unless_present = "chart_ref", conflicts_with = "chart_ref", requires = "source")]
    chart: Option<String>,
    /// Where the chart comes from: a `HelmRepository`, `GitRepository` or `Bucket`.
    #[arg(long, value_name = "KIND/NAME[.NAMESPACE]", value_parser = source)]
    source: Option<Value>,
    /// The version of the chart, or a range of versions.
    #[arg(long, value_name = "RANGE")]
    chart_version: Option<String>,
    /// How often the source is looked at for another version.
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    chart_interval: Option<Duration>,
    /// What makes another package: another version of the chart, or another revision of its source.
    #[arg(long, value_name = "STRATEGY", default_value = "ChartVersion", value_parser = ["ChartVersion", "Revision"])]
    reconcile_strategy: String,
    /// A chart that is there already: an `OCIRepository` or `HelmChart`.
    #[arg(long, value_name = "KIND/NAME[.NAMESPACE]", value_parser = chart_reference)]
    chart_ref: Option<Value>,
    /// A file with values; later files win.
    #[arg(long, value_name = "FILE", value_delimiter = ',')]
    values: Vec<PathBuf>,
    /// A Secret or `ConfigMap` with values; repeatable.
    #[arg(long, value_name = "KIND/NAME", value_delimiter = ',', value_parser = values_reference)]
    values_from: Vec<Value>,
    /// The name of the release [default: the target namespace, if there is one, and the name].
    #[arg(long, value_name = "NAME")]
    release_name: Option<String>,
    /// The namespace of the release.
    #[arg(long, value_name = "NAME")]
    target_namespace: Option<String>,
    /// The namespace of its records [default: the target namespace].
    #[arg(long, value_name = "NAME")]
    storage_namespace: Option<String>,
    /// Create the target namespace where it is missing.
    #[arg(long)]
    create_target_namespace: bool,
    /// What an upgrade does with the definitions of the chart; an install creates them.
    #[arg(long, value_name = "POLICY", value_parser = ["Skip", "Create", "CreateReplace"])]
    crds: Option<String>,
    /// A `HelmRelease` that must be ready before; repeatable.
    #[arg(long, value_name = "[NAMESPACE/]NAME", value_delimiter = ',')]
    depends_on: Vec<String>,
    /// The service account that it runs as.
    #[arg(long, value_name = "NAME")]
    service_account: Option<String>,
    /// The Secret with the kubeconfig of another cluster.
    #[arg(long, value_name = "NAME")]
    kubeconfig_secret_ref: Option<String>,
}

/// Prints the `HelmRelease`, or writes it to the cluster and waits until it is ready.
pub(super) async fn create(args: &Args, common: &Common, connection: &Connection) -> Result<(), CommandError> {
    let release = NewObject::helm_release(&args.name, args.spec(common)?);
    if common.export {
        return release.print(common, connection);
    }
    release.announce();
    release.write(&connection.cluster().await?, common, connection).await
}

impl Args {
    fn spec(&self, common: &Common) -> Result<Value, CommandError> {
        let depends_on: Vec<Value> = self.depends_on.iter().map(|name| dependency(name)).collect();
        let install = given([
            ("createNamespace", switch(self.create_target_namespace)),
            ("crds", self.crds.as_ref().map(|_| "Create".into())),
        ]);
        let is_set = |fields: &Value| fields.as_object().is_some_and(|fields| !fields.is_empty());
        Ok(given([
            ("chart", self.template()),
            ("chartRef", self.chart_ref.clone()),
            ("interval", Some(common.interval())),
            ("releaseName", text(self.release_name.as_ref())),
            ("targetNamespace", text(self.target_namespace.as_ref())),
            ("storageNamespace", text(self.storage_namespace.as_ref().or(self.target_namespace.as_ref()))),
            ("install", Some(install).filter(is_set)),
            ("upgrade", self.crds.as_ref().map(|policy| json!({ "crds": policy }))),
            ("dependsOn", (!depends_on.is_empty()).then(|| depends_on.into())),
            ("serviceAccountName", text(self.service_account.as_ref())),
            ("kubeConfig", reference(self.kubeconfig_secret_ref.as_ref()).map(|secret| json!({ "secretRef": secret }))),
            ("values", (!self.values.is_empty()).then(|| self.values()).transpose()?.map(Value::Object)),
            ("valuesFrom", (!self.values_from.is_empty()).then(|| json!(self.values_from))),
        ]))
    }

    /// The `HelmChart` that is made for it.
    fn template(&self) -> Option<Value> {
        let spec = given([
            ("chart", Some(self.chart.as_deref()?.into())),
            ("version", text(self.chart_version.as_ref())),
            ("sourceRef", self.source.clone()),
            ("interval", self.chart_interval.map(written)),
            ("reconcileStrategy", text(Some(&self.reconcile_strategy))),
        ]);
        Some(json!({ "spec": spec }))
    }

    /// The values of the files, one over the other.
    fn values(&self) -> Result<Map<String, Value>, CommandError> {
        let mut values = Map::new();
        for path in &self.values {
            let failed = |source| LocalError::Read { path: path.clone(), source };
            let content = std::fs::read(path).map_err(failed)?;
            let file = UserValues::File { name: path.display().to_string(), content };
            values = lay_values_over(&values, &file)?;
        }
        Ok(values)
    }
}

/// Reads `Kind/name[.namespace]` of a source that has charts in it.
fn source(written: &str) -> Result<Value, String> {
    of_kinds(written, &[HELM_REPOSITORY, GIT_REPOSITORY, BUCKET].map(|kind| kind.name))
}

/// Reads `Kind/name[.namespace]` of a source that is a chart.
fn chart_reference(written: &str) -> Result<Value, String> {
    of_kinds(written, &[OCI_REPOSITORY, HELM_CHART].map(|kind| kind.name))
}

/// Reads `Kind/name` of what holds values.
fn values_reference(written: &str) -> Result<Value, String> {
    let (kind, name) = kind_and_name(written, &["Secret", "ConfigMap"])?;
    Ok(json!({ "kind": kind, "name": name }))
}

/// Reads `Kind/name[.namespace]`, where the kind is one of `kinds`.
fn of_kinds(written: &str, kinds: &[&'static str]) -> Result<Value, String> {
    let (kind, name) = kind_and_name(written, kinds)?;
    let (name, namespace) = name.rsplit_once('.').map_or((name, None), |(name, namespace)| (name, Some(namespace)));
    Ok(given([("kind", Some(kind.into())), ("name", Some(name.into())), ("namespace", namespace.map(Value::from))]))
}

fn kind_and_name<'a>(written: &'a str, kinds: &[&'static str]) -> Result<(&'static str, &'a str), String> {
    let (kind, name) = written.split_once('/').filter(|(_, name)| !name.is_empty()).ok_or("it is not KIND/NAME")?;
    match kinds.iter().find(|known| known.eq_ignore_ascii_case(kind)) {
        Some(kind) => Ok((kind, name)),
        None => Err(format!("`{kind}` is none of {}", kinds.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_and_references_are_read_as_flux_reads_them() {
        let shown = |read: Result<Value, String>| read.map_or_else(|error| error, |value| value.to_string());
        for (read, written, expected) in [
            (source as fn(&str) -> _, "helmrepository/charts", r#"{"kind":"HelmRepository","name":"charts"}"#),
            (source, "Bucket/a.b.apps", r#"{"kind":"Bucket","name":"a.b","namespace":"apps"}"#),
            (source, "HelmChart/x", "`HelmChart` is none of HelmRepository, GitRepository, Bucket"),
            (source, "charts", "it is not KIND/NAME"),
            (chart_reference, "OCIRepository/web.apps", r#"{"kind":"OCIRepository","name":"web","namespace":"apps"}"#),
            (values_reference, "secret/web.values", r#"{"kind":"Secret","name":"web.values"}"#),
        ] {
            assert_eq!(shown(read(written)), expected, "{written}");
        }
    }
}
