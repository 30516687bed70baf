//! The kinds that are Flux's: their fields, types, defaults and rules are what Flux's controllers serve.

use serde_json::{Value, json};

use crate::schema::{complaints, definition, schema};

#[test]
fn buckets_have_the_fields_of_flux() {
    compare("Bucket", include_str!("../flux/buckets.txt"));
}

#[test]
fn external_artifacts_have_the_fields_of_flux() {
    compare("ExternalArtifact", include_str!("../flux/externalartifacts.txt"));
}

#[test]
fn helm_charts_have_the_fields_of_flux() {
    compare("HelmChart", include_str!("../flux/helmcharts.txt"));
}

#[test]
fn helm_releases_have_the_fields_of_flux() {
    compare("HelmRelease", include_str!("../flux/helmreleases.txt"));
}

#[test]
fn helm_repositories_have_the_fields_of_flux() {
    compare("HelmRepository", include_str!("../flux/helmrepositories.txt"));
}

#[test]
fn git_repositories_have_the_fields_of_flux() {
    compare("GitRepository", include_str!("../flux/gitrepositories.txt"));
}

#[test]
fn oci_repositories_have_the_fields_of_flux() {
    compare("OCIRepository", include_str!("../flux/ocirepositories.txt"));
}

#[test]
fn kustomizations_have_the_fields_of_flux() {
    compare("Kustomization", include_str!("../flux/kustomizations.txt"));
}

#[test]
fn receivers_have_the_fields_of_flux() {
    compare("Receiver", include_str!("../flux/receivers.txt"));
}

#[test]
fn every_field_is_described() {
    for kind in [
        "Bucket",
        "ExternalArtifact",
        "FluxConfiguration",
        "GitRepository",
        "HelmChart",
        "HelmRelease",
        "HelmRepository",
        "Kustomization",
        "OCIRepository",
        "Receiver",
    ] {
        let mut silent = Vec::new();
        find_silent(kind, schema(definition(kind)), &mut silent);
        assert_eq!(silent, Vec::<String>::new());
    }
}

#[test]
fn what_flux_refuses_is_refused() {
    let repository = json!({"url": "https://example.org/repo", "interval": "1m"});
    let bucket = json!({"bucketName": "shop", "endpoint": "s3.example.org", "interval": "1m"});
    let chart = json!({"chart": "web", "sourceRef": {"kind": "HelmRepository", "name": "shop"}, "interval": "1m"});
    let image = json!({"url": "oci://example.org/app", "interval": "1m"});
    let kustomization =
        json!({"interval": "1m", "prune": true, "sourceRef": {"kind": "GitRepository", "name": "repo"}});
    let release = json!({"interval": "1m", "chart": {"spec": {"chart": "web", "sourceRef": {"kind": "HelmRepository", "name": "shop"}}}});
    let one_cluster = "spec.kubeConfig: \
                       exactly one of spec.kubeConfig.configMapRef or spec.kubeConfig.secretRef must be specified";
    for (kind, base, more, expected) in [
        ("GitRepository", &repository, json!({}), ""),
        ("GitRepository", &repository, json!({"timeout": "1m30s"}), ""),
        ("GitRepository", &repository, json!({"timeout": "1h"}), "spec.timeout: does not match"),
        ("GitRepository", &repository, json!({"interval": "1 minute"}), "spec.interval: does not match"),
        ("GitRepository", &repository, json!({"url": "git@example.org:repo"}), "spec.url: does not match"),
        ("GitRepository", &repository, json!({"provider": "azure", "serviceAccountName": "git"}), ""),
        (
            "GitRepository",
            &repository,
            json!({"provider": "github", "serviceAccountName": "git"}),
            "spec: serviceAccountName can only be set when provider is 'azure' or 'aws'",
        ),
        ("Bucket", &bucket, json!({}), ""),
        (
            "Bucket",
            &bucket,
            json!({"serviceAccountName": "reader"}),
            "spec: ServiceAccountName is not supported for the 'generic' Bucket provider",
        ),
        (
            "Bucket",
            &bucket,
            json!({"sts": {"provider": "aws", "endpoint": "https://sts.example.org"}}),
            "spec: 'ldap' is the only supported STS provider for the 'generic' Bucket provider",
        ),
        ("HelmChart", &chart, json!({}), ""),
        ("HelmChart", &chart, json!({"reconcileStrategy": "Always"}), "spec.reconcileStrategy: is not one of those"),
        (
            "HelmChart",
            &chart,
            json!({"sourceRef": {"kind": "OCIRepository", "name": "shop"}}),
            "spec.sourceRef.kind: is not one of those",
        ),
        (
            "HelmChart",
            &chart,
            json!({"sourceRef": {"kind": "Bucket", "name": "shop"}, "verify": {"provider": "cosign"}}),
            "spec: spec.verify is only supported when spec.sourceRef.kind is 'HelmRepository'",
        ),
        ("HelmRelease", &release, json!({"values": {"a": [1, {"b": null}]}}), ""),
        (
            "HelmRelease",
            &release,
            json!({"chartRef": {"kind": "HelmChart", "name": "web"}}),
            "spec: either chart or chartRef must be set",
        ),
        (
            "HelmRelease",
            &release,
            json!({"upgrade": {"strategy": {"name": "RemediateOnFailure", "retryInterval": "1m"}}}),
            "spec.upgrade.strategy: .retryInterval can only be set when .name is 'RetryOnFailure'",
        ),
        ("OCIRepository", &image, json!({}), ""),
        ("OCIRepository", &image, json!({"url": "https://example.org/app"}), "spec.url: does not match"),
        ("OCIRepository", &image, json!({"provider": "other"}), "spec.provider: is not one of those"),
        (
            "OCIRepository",
            &image,
            json!({"layerSelector": {"operation": "move"}}),
            "spec.layerSelector.operation: is not one of those",
        ),
        ("Kustomization", &kustomization, json!({}), ""),
        ("Kustomization", &kustomization, json!({"timeout": "1h"}), ""),
        ("Kustomization", &kustomization, json!({"targetNamespace": ""}), "spec.targetNamespace: is too short"),
        (
            "Kustomization",
            &kustomization,
            json!({"deletionPolicy": "Keep"}),
            "spec.deletionPolicy: is not one of those",
        ),
        ("Kustomization", &kustomization, json!({"kubeConfig": {"secretRef": {"name": "other"}}}), ""),
        ("Kustomization", &kustomization, json!({"kubeConfig": {}}), one_cluster),
        (
            "Kustomization",
            &kustomization,
            json!({"kubeConfig": {"secretRef": {"name": "other"}, "configMapRef": {"name": "other"}}}),
            one_cluster,
        ),
    ] {
        let mut object = json!({"kind": kind, "metadata": {"name": "x"}, "spec": base});
        for (field, value) in more.as_object().expect("fields") {
            object["spec"][field] = value.clone();
        }
        assert_eq!(complaints(&object, None).join("\n"), expected, "{kind} with {more}");
    }
}

fn compare(kind: &str, theirs: &str) {
    let ours = describe(definition(kind));
    let theirs: Vec<&str> = theirs.lines().filter(|line| !line.starts_with('#')).collect();
    let missing: Vec<_> = theirs.iter().filter(|line| !ours.iter().any(|ours| ours == *line)).collect();
    let surplus: Vec<_> = ours.iter().filter(|line| !theirs.contains(&line.as_str())).collect();
    assert!(missing.is_empty() && surplus.is_empty(), "only Flux has {missing:#?}\nonly we have {surplus:#?}");
}

/// `definition` as lines: its names, its columns, then each field.
fn describe(definition: &Value) -> Vec<String> {
    let names = &definition["spec"]["names"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let joined = |value: &Value| value.as_array().into_iter().flatten().map(text).collect::<Vec<_>>().join(",");
    let mut lines = vec![format!(
        "names  {}  {}  {}  {}  {}  {}",
        text(&names["kind"]),
        text(&names["listKind"]),
        text(&names["plural"]),
        text(&names["singular"]),
        joined(&names["shortNames"]),
        joined(&names["categories"]),
    )];
    let columns = definition["spec"]["versions"][0]["additionalPrinterColumns"].as_array();
    lines.extend(columns.into_iter().flatten().map(|column| {
        format!("column  {}  {}  {}", text(&column["name"]), text(&column["type"]), text(&column["jsonPath"]))
    }));
    for root in ["spec", "status"] {
        describe_field(root, &schema(definition)["properties"][root], false, &mut lines);
    }
    lines
}

fn describe_field(path: &str, schema: &Value, required: bool, lines: &mut Vec<String>) {
    let mut words = vec![path.to_owned(), schema["type"].as_str().unwrap_or_default().to_owned()];
    words.extend(required.then(|| "required".to_owned()));
    for name in ["format", "minLength", "maxLength", "minimum"] {
        words.extend(schema.get(name).map(|value| format!("{name}={}", bare(value))));
    }
    words.extend(schema.get("default").map(|default| format!("default={default}")));
    if let Some(values) = schema["enum"].as_array() {
        let mut values: Vec<_> = values.iter().filter_map(Value::as_str).collect();
        values.sort_unstable();
        words.push(format!("enum={}", values.join(",")));
    }
    words.extend(schema["pattern"].as_str().map(|pattern| format!("pattern={pattern}")));
    let rules = schema["x-kubernetes-validations"].as_array().into_iter().flatten();
    words.extend(rules.filter_map(|rule| rule["rule"].as_str()).map(|rule| format!("rule={rule}")));
    lines.push(words.join("  "));

    let required = |name: &String| schema["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        describe_field(&format!("{path}.{name}"), property, required(name), lines);
    }
    for (inside, mark) in [("items", "[]"), ("additionalProperties", "{}")] {
        if let Some(inside) = schema.get(inside) {
            describe_field(&format!("{path}{mark}"), inside, false, lines);
        }
    }
}

/// A number or a text without quotes. Bounds are numbers with a fraction in our definitions.
fn bare(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.as_f64().unwrap_or_default().to_string(),
        other => other.to_string(),
    }
}

fn find_silent(path: &str, schema: &Value, silent: &mut Vec<String>) {
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        let path = format!("{path}.{name}");
        if property["description"].as_str().is_none_or(str::is_empty) {
            silent.push(path.clone());
        }
        find_silent(&path, property, silent);
        find_silent(&path, &property["items"], silent);
        find_silent(&path, &property["additionalProperties"], silent);
    }
}
