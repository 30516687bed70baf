//! Charts of repositories, registries and sources become packages that others install.

use std::{fmt::Write, path::Path};

use axum::http::StatusCode;
use fairlead_tests::{
    Registry,
    image::{Content, archive, unpacked},
    web,
};
use serde_json::{Value, json};

use crate::{
    scene::{LIMIT, Team},
    site::Site,
};

const CHART_LAYER: &str = "application/vnd.cncf.helm.chart.content.v1.tar+gzip";

/// An object of a source kind called `name`.
fn source(team: &Team<'_>, kind: &str, name: &str, spec: &Value) -> Value {
    let metadata = json!({ "name": name, "namespace": team.namespace });
    json!({ "apiVersion": "source.toolkit.fluxcd.io/v1", "kind": kind, "metadata": metadata, "spec": spec })
}

/// A `HelmChart app` of the chart `shop` in `HelmRepository shop`, whose spec has `spec` besides.
fn chart(team: &Team<'_>, spec: &Value) -> Value {
    let reference = json!({ "kind": "HelmRepository", "name": "shop" });
    let mut object =
        source(team, "HelmChart", "app", &json!({ "chart": "shop", "sourceRef": reference, "interval": "1h" }));
    let more = spec.as_object().expect("fields").clone();
    object["spec"].as_object_mut().expect("fields").extend(more);
    object
}

/// The package of a chart `name` with some values.
fn package(name: &str, version: &str) -> Vec<u8> {
    let about = format!("apiVersion: v2\nname: {name}\nversion: {version}\n");
    archive(&[
        (&format!("{name}/Chart.yaml"), about.as_str()),
        (&format!("{name}/values.yaml"), "replicas: 1\n"),
        (&format!("{name}/values-large.yaml"), "replicas: 9\n"),
    ])
}

/// Lists `versions` of `shop` below `/charts`, with their packages.
fn publish(site: &Site, versions: &[&str]) {
    let mut index = "apiVersion: v1\nentries:\n  shop:\n".to_owned();
    for version in versions {
        let _ = writeln!(index, "  - version: {version}\n    urls: [shop-{version}.tgz]");
        site.put(&format!("/charts/shop-{version}.tgz"), package("shop", version));
    }
    site.put("/charts/index.yaml", index);
}

/// Follows the site by `HelmRepository shop`.
async fn follow(team: &Team<'_>, site: &Site) {
    let spec = json!({ "url": site.url("/charts"), "interval": "1h" });
    team.cluster.apply(source(team, "HelmRepository", "shop", &spec)).await;
}

/// Waits until `HelmChart app` has `revision`, and returns its status.
async fn status_with(team: &Team<'_>, revision: &str) -> Value {
    let is_there = |found: Option<&Value>| {
        let status = &found?["status"];
        let is_ready = status["observedGeneration"] == found?["metadata"]["generation"];
        (is_ready && status["artifact"]["revision"] == revision).then(|| status.clone())
    };
    team.cluster.watch(&team.named("HelmChart", "app"), LIMIT, is_there).await
}

/// The files of the package that `status` tells of.
async fn files(status: &Value) -> String {
    let package = web::bytes(status["artifact"]["url"].as_str().expect("a URL")).await;
    unpacked(&package)
}

/// What `HelmChart app` says under `condition`, without what differs from run to run.
async fn said(team: &Team<'_>, condition: &str, status: &str) -> String {
    let said = team.cluster.wait_for(&team.named("HelmChart", "app"), condition, status, LIMIT).await;
    team.steady(&said.to_string())
}

#[tokio::test]
async fn the_highest_version_of_a_repository_is_pulled_and_the_next_one_follows() {
    let (team, site) = (Team::new("chart-index").await, Site::start().await);
    publish(&site, &["1.0.0", "2.0.0"]);
    follow(&team, &site).await;
    team.cluster.apply(chart(&team, &json!({ "version": "1.x" }))).await;
    let first = status_with(&team, "1.0.0").await;
    let pulled = "True ChartPullSucceeded: pulled 'shop' chart with version '1.0.0'";
    assert_eq!(said(&team, "Ready", "True").await, pulled);
    assert_eq!(said(&team, "ArtifactInStorage", "True").await, pulled);
    assert_eq!(first["observedChartName"], "shop");
    let index = team.find("HelmRepository", "shop").await.unwrap()["status"]["artifact"].clone();
    assert_eq!(first["observedSourceArtifactRevision"], index["revision"]);
    let path = format!("helmchart/{}/app/shop-1.0.0.tgz", team.namespace);
    assert_eq!(first["artifact"]["path"], path);
    for url in [&first["artifact"]["url"], &first["url"]] {
        assert_eq!(web::bytes(url.as_str().unwrap()).await, package("shop", "1.0.0"), "it is served as it came");
    }

    publish(&site, &["1.0.0", "1.1.0", "2.0.0"]);
    team.request("HelmRepository", "shop").await;
    status_with(&team, "1.1.0").await;
    let output = team.cluster.fairlead(&["get", "sources", "chart", "-n", &team.namespace]).await;
    insta::assert_snapshot!(output.stdout, @r"
    NAME	REVISION	SUSPENDED	READY	MESSAGE
    app 	1.1.0   	False    	True 	pulled 'shop' chart with version '1.1.0'
    ");
    let output = team.cluster.fairlead(&["reconcile", "source", "chart", "app", "-n", &team.namespace]).await;
    insta::assert_snapshot!(team.steady(&output.stderr), @r"
    ► annotating HelmChart app in NAMESPACE namespace
    ✔ HelmChart annotated
    ◎ waiting for HelmChart reconciliation
    ✔ fetched revision 1.1.0
    ");

    team.cluster.apply(chart(&team, &json!({ "version": "1.0.0", "valuesFiles": ["values-large.yaml", "none.yaml"], "ignoreMissingValuesFiles": true }))).await;
    let packed = status_with(&team, "1.0.0+2").await;
    insta::assert_snapshot!(said(&team, "Ready", "True").await, @"True ChartPackageSucceeded: packaged 'shop' chart with version '1.0.0+2' and merged values files [values-large.yaml]");
    assert_eq!(packed["observedValuesFiles"], json!(["values-large.yaml"]));
    insta::assert_snapshot!(files(&packed).await, @r"
    shop/Chart.yaml: apiVersion: v2; name: shop; version: 1.0.0+2
    shop/values.yaml: replicas: 9
    shop/values-large.yaml: replicas: 9
    ");
}

#[tokio::test]
async fn a_chart_in_a_registry_is_found_by_its_tags() {
    let (team, registry) = (Team::new("chart-oci").await, Registry::start().await);
    let mut content = Content::default();
    for (tag, version) in
        [("1.0.0", "1.0.0"), ("1.1.0_build.2", "1.1.0+build.2"), ("v9.0.0", "9.0.0"), ("latest", "8.0.0")]
    {
        content.push(tag, &[(CHART_LAYER, package("shop", version))]);
    }
    registry.push("charts/shop", &content);
    let spec = json!({ "type": "oci", "url": format!("oci://{}/charts", registry.address()), "insecure": true });
    team.cluster.apply(source(&team, "HelmRepository", "shop", &spec)).await;
    team.cluster.apply(chart(&team, &json!({}))).await;
    let highest = status_with(&team, "1.1.0+build.2").await;
    assert_eq!(highest["observedSourceArtifactRevision"], Value::Null);
    let url = highest["artifact"]["url"].as_str().unwrap();
    assert_eq!(web::bytes(url).await, package("shop", "1.1.0+build.2"));

    team.cluster.apply(chart(&team, &json!({ "version": "1.0.0" }))).await;
    status_with(&team, "1.0.0").await;
    team.cluster.apply(chart(&team, &json!({ "version": "3.x" }))).await;
    insta::assert_snapshot!(
        said(&team, "FetchFailed", "True").await.replace(&registry.address(), "REGISTRY"),
        @"True ChartPullError: chart pull error: failed to get chart version for remote reference: failed to determine the artifact tag for 'oci://REGISTRY/charts/shop': no match found for semver: 3.x"
    );
}

#[tokio::test]
async fn a_folder_is_packed_with_the_charts_it_needs_and_the_same_each_time() {
    let (team, site) = (Team::new("chart-git").await, Site::start().await);
    publish(&site, &["1.0.0", "1.2.0"]);
    follow(&team, &site).await;
    let needs = format!(
        "apiVersion: v2\nname: web\nversion: 0.1.0\ndependencies:\n- {{name: base, version: '>=1', repository: 'file://../base'}}\n- {{name: shop, version: 1.x, repository: '{}'}}\n",
        site.url("/charts/")
    );
    let base = "apiVersion: v2\nname: base\nversion: 1.5.0\n";
    let files_of_source = [
        ("charts/web/Chart.yaml", Some(needs.as_str())),
        ("charts/web/values.yaml", Some("replicas: 1\n")),
        ("charts/web/.helmignore", Some("*.md\n")),
        ("charts/web/README.md", Some("# Web\n")),
        ("charts/base/Chart.yaml", Some(base)),
        ("large.yaml", Some("replicas: 5\n")),
    ];
    let commit = team.repository.commit(files_of_source, "first");
    team.fetch().await;
    team.cluster.wait_for(&team.named("HelmRepository", "shop"), "Ready", "True", LIMIT).await;
    let of_git = json!({ "chart": "./charts/web", "sourceRef": { "kind": "GitRepository", "name": "app" } });
    team.cluster.apply(chart(&team, &of_git)).await;
    let packed = status_with(&team, "0.1.0").await;
    assert_eq!(packed["observedSourceArtifactRevision"], format!("main@sha1:{commit}"));
    insta::assert_snapshot!(files(&packed).await.replace(&site.address, "SITE"), @r"
    web/Chart.yaml: apiVersion: v2; dependencies:; - name: base;   repository: file://../base;   version: '>=1'; - name: shop;   repository: http://SITE/charts/;   version: 1.x; name: web; version: 0.1.0
    web/values.yaml: replicas: 1
    web/.helmignore: *.md
    web/charts/base/Chart.yaml: apiVersion: v2; name: base; version: 1.5.0
    web/charts/shop/Chart.yaml: apiVersion: v2; name: shop; version: 1.2.0
    web/charts/shop/values.yaml: replicas: 1
    web/charts/shop/values-large.yaml: replicas: 9
    ");

    let mut by_revision = of_git.clone();
    by_revision["reconcileStrategy"] = "Revision".into();
    by_revision["valuesFiles"] = json!(["large.yaml"]);
    team.cluster.apply(chart(&team, &by_revision)).await;
    let packed = status_with(&team, &format!("0.1.0+{}.2", &commit[..12])).await;
    assert!(files(&packed).await.contains("web/values.yaml: replicas: 5\n"));

    let next = team.push(&[("charts/web/values.yaml", Some("replicas: 2\n"))]).await;
    status_with(&team, &format!("0.1.0+{}.2", &next[..12])).await;
}

#[tokio::test]
async fn the_example_of_the_page_works() {
    let (team, site) = (Team::new("chart-page").await, Site::start().await);
    publish(&site, &["1.4.2", "2.0.0"]);
    let page = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/helmchart.md")).unwrap();
    let example = page.split("```yaml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("an example");
    let example = example.replace("https://charts.example.org/stable", &site.url("/charts"));
    let file = team.cluster.folder().join("helmchart-example.yaml");
    std::fs::write(&file, example.replace("flux-system", &team.namespace)).unwrap();
    let output = team.cluster.kubectl(&["apply", "-f", file.to_str().unwrap()]).await;
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    let ready = team.cluster.wait_for(&team.named("HelmChart", "shop"), "Ready", "True", LIMIT).await;
    assert!(page.contains(&ready.message), "{ready}");
}

#[tokio::test]
async fn what_is_wrong_with_a_chart_is_told_in_flux_s_words() {
    let (team, site) = (Team::new("chart-faults").await, Site::start().await);
    publish(&site, &["1.0.0", "1.1.0", "1.2.0", "1.3.0", "latest"]);
    site.answer("/charts/shop-1.1.0.tgz", StatusCode::UNAUTHORIZED, "");
    site.answer("/charts/shop-1.2.0.tgz", StatusCode::SERVICE_UNAVAILABLE, "");
    site.put("/charts/shop-1.3.0.tgz", archive(&[("shop/values.yaml", "a: 1")]));
    follow(&team, &site).await;
    team.cluster.wait_for(&team.named("HelmRepository", "shop"), "Ready", "True", LIMIT).await;
    let spec = json!({ "url": site.url("/none"), "interval": "1h" });
    team.cluster.apply(source(&team, "HelmRepository", "empty", &spec)).await;
    let lacks = "apiVersion: v2\nname: web\nversion: 0.1.0\ndependencies: [{name: base, version: '1', repository: 'file://../base'}]\n";
    let lacks_remote =
        "apiVersion: v2\nname: web\nversion: 0.1.0\ndependencies: [{name: base, version: '1', repository: 'SITE'}]\n"
            .replace("SITE", &site.url("/charts"));
    let files = [
        ("lacks/Chart.yaml", Some(lacks)),
        ("remote/Chart.yaml", Some(lacks_remote.as_str())),
        ("odd/Chart.yaml", Some("name: [\n")),
    ];
    team.repository.commit(files, "first");
    team.fetch().await;
    let git = json!({ "kind": "GitRepository", "name": "app" });
    let mut told = Vec::new();
    for (condition, spec) in [
        ("FetchFailed", json!({ "sourceRef": { "kind": "Bucket", "name": "none" } })),
        ("FetchFailed", json!({ "sourceRef": { "kind": "HelmRepository", "name": "empty" } })),
        ("Stalled", json!({ "chart": "none" })),
        ("Stalled", json!({ "chart": "../shop" })),
        ("Stalled", json!({ "version": "7.x" })),
        ("FetchFailed", json!({ "version": "1.1.0" })),
        ("FetchFailed", json!({ "version": "1.2.0" })),
        ("BuildFailed", json!({ "version": "1.3.0" })),
        ("Stalled", json!({ "version": "1.0.0", "valuesFiles": ["none.yaml"] })),
        ("Stalled", json!({ "version": "latest", "valuesFiles": ["values-large.yaml"] })),
        ("Stalled", json!({ "chart": "none", "sourceRef": git })),
        ("Stalled", json!({ "chart": "../none", "sourceRef": git })),
        ("Stalled", json!({ "chart": "odd", "sourceRef": git })),
        ("BuildFailed", json!({ "chart": "lacks", "sourceRef": git })),
        ("BuildFailed", json!({ "chart": "remote", "sourceRef": git })),
    ] {
        team.cluster.apply(chart(&team, &spec)).await;
        told.push(said(&team, condition, "True").await.replace(&site.address, "SITE"));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    True SourceUnavailable: failed to get source: Bucket 'NAMESPACE/none' not found
    True NoSourceArtifact: no artifact available for HelmRepository source 'empty'
    True InvalidChartReference: invalid chart reference: failed to get chart version for remote reference: no chart name found
    True InvalidChartReference: invalid chart reference: invalid chart name '../shop': a valid name must be lower case letters and numbers and MAY be separated with dashes (-), slashes (/) or periods (.)
    True InvalidChartReference: invalid chart reference: failed to get chart version for remote reference: no 'shop' chart with version matching '7.x' found
    True AuthenticationFailed: failed to authenticate with the Helm repository: chart pull error: failed to download chart for remote reference, version '1.1.0': authentication required: the server wants credentials, and there are none
    True ChartPullError: chart pull error: failed to download chart for remote reference, version '1.2.0': unexpected response: HTTP status 503
    True ChartPackageError: chart package error: Chart.yaml file is missing
    True ValuesFilesError: values files merge error: no values file found at path 'none.yaml'
    True MetadataPatchError: chart metadata patch error: failed to set SemVer metadata on chart version: invalid semantic version
    True InvalidChartReference: invalid chart reference: no chart found at 'none'
    True InvalidChartReference: invalid chart reference: `../none` leaves the source
    True InvalidChartReference: invalid chart reference: cannot load Chart.yaml: error converting YAML to JSON: yaml: line 1: did not find expected node content
    True DependencyBuildError: dependency build error: failed to add local dependency 'base': no chart found at 'base' (reference 'file://../base')
    True DependencyBuildError: dependency build error: failed to add remote dependency 'base': failed to get chart 'base' version '1' from 'http://SITE/charts': no chart name found
    ");
}
