//! The rules by which the API server refuses a `FluxConfiguration`.

use serde_json::{Value, json};

use crate::schema::complaints;

fn configuration(name: &str, spec: &Value) -> Value {
    json!({
        "apiVersion": "fairlead.dev/v1alpha1",
        "kind": "FluxConfiguration",
        "metadata": {"name": name, "namespace": "team-a"},
        "spec": spec,
    })
}

/// A spec whose Git source has also the fields of `more`.
fn git(more: &Value) -> Value {
    let source = json!({"url": "https://example.org/repo", "repositoryRef": {"branch": "main"}});
    json!({"gitRepository": merged(source, more)})
}

/// A spec with a Git source and the fields of `more`.
fn with(more: &Value) -> Value {
    merged(git(&json!({})), more)
}

/// `base` with the fields of `more`.
fn merged(mut base: Value, more: &Value) -> Value {
    for (field, value) in more.as_object().expect("fields") {
        base[field] = value.clone();
    }
    base
}

fn check(cases: &[(&str, Value, &str)]) {
    for (case, spec, expected) in cases {
        let found = complaints(&configuration("shop", spec), None).join("\n");
        assert_eq!(found, *expected, "{case}");
    }
}

#[test]
fn the_source_block_is_the_one_of_the_source_kind() {
    let bucket = json!({"url": "https://s3.example.org", "bucketName": "shop", "localAuthRef": "keys"});
    check(&[
        ("a Git source by default", git(&json!({})), ""),
        ("a bucket", json!({"sourceKind": "Bucket", "bucket": bucket}), ""),
        (
            "a blob container",
            json!({"sourceKind": "AzureBlob", "azureBlob": {"url": "https://blob.example.org", "containerName": "c"}}),
            "",
        ),
        (
            "an OCI artifact",
            json!({"sourceKind": "OCIRepository", "ociRepository": {"url": "oci://example.org/a"}}),
            "",
        ),
        ("none", json!({}), "spec: gitRepository must be set if sourceKind is GitRepository, and only then"),
        (
            "another one",
            json!({"bucket": bucket}),
            "spec: gitRepository must be set if sourceKind is GitRepository, and only then\n\
             spec: bucket must be set if sourceKind is Bucket, and only then",
        ),
        ("two", with(&json!({"bucket": bucket})), "spec: bucket must be set if sourceKind is Bucket, and only then"),
        ("an unknown kind", with(&json!({"sourceKind": "Helm"})), "spec.sourceKind: is not one of those"),
    ]);
}

#[test]
fn a_git_source_names_one_revision() {
    let one = "spec.gitRepository.repositoryRef: \
               set exactly one of branch, tag, semver and commit; only branch may stand beside commit";
    let reference = |reference: Value| git(&json!({"repositoryRef": reference}));
    check(&[
        ("a tag", reference(json!({"tag": "v1"})), ""),
        ("a range", reference(json!({"semver": "1.x"})), ""),
        ("a commit", reference(json!({"commit": "4f1b"})), ""),
        ("a commit on a branch", reference(json!({"commit": "4f1b", "branch": "main"})), ""),
        ("nothing", reference(json!({})), one),
        ("a branch and a tag", reference(json!({"branch": "main", "tag": "v1"})), one),
        ("a commit and a tag", reference(json!({"commit": "4f1b", "tag": "v1"})), one),
        ("three of them", reference(json!({"commit": "4f1b", "branch": "main", "semver": "1.x"})), one),
        (
            "no reference at all",
            json!({"gitRepository": {"url": "https://example.org/repo"}}),
            "spec.gitRepository.repositoryRef: is required",
        ),
    ]);
}

#[test]
fn credentials_fit_the_url_and_exclude_each_other() {
    let settings = json!({"secretRef": {"name": "shop-settings"}});
    let protected = |mut spec: Value| {
        spec["configurationProtectedSettings"] = settings.clone();
        spec
    };
    let local =
        "localAuthRef names a Secret that holds everything; httpsUser, httpsCACert and sshKnownHosts exclude it";
    check(&[
        ("SSH", git(&json!({"url": "ssh://git@example.org/repo", "sshKnownHosts": "aG9zdA=="})), ""),
        ("SSH in its short form", git(&json!({"url": "git@example.org:repo"})), ""),
        ("a user and settings", protected(git(&json!({"httpsUser": "ci"}))), ""),
        ("a Secret of one's own", git(&json!({"localAuthRef": "keys"})), ""),
        ("another scheme", git(&json!({"url": "ftp://example.org/repo"})), "spec.gitRepository.url: does not match"),
        (
            "a user without settings",
            git(&json!({"httpsUser": "ci"})),
            "spec: gitRepository.httpsUser needs httpsKey in configurationProtectedSettings",
        ),
        (
            "a user for SSH",
            protected(git(&json!({"url": "ssh://example.org/repo", "httpsUser": "ci"}))),
            "spec.gitRepository: httpsUser and httpsCACert are for HTTP and HTTPS URLs",
        ),
        (
            "known hosts for HTTPS",
            git(&json!({"sshKnownHosts": "aG9zdA=="})),
            "spec.gitRepository: sshKnownHosts is for SSH URLs",
        ),
        (
            "a Secret of one's own and an authority",
            git(&json!({"localAuthRef": "keys", "httpsCACert": "TUE9PQ=="})),
            &format!("spec.gitRepository: {local}"),
        ),
        (
            "a Secret of one's own and settings",
            protected(git(&json!({"localAuthRef": "keys"}))),
            "spec: localAuthRef and configurationProtectedSettings exclude each other",
        ),
        (
            "settings in plain text",
            with(&json!({"configurationProtectedSettings": {"httpsKey": "aHVudGVyMg=="}})),
            "spec.configurationProtectedSettings.secretRef: is required\n\
             spec.configurationProtectedSettings.httpsKey: is unknown",
        ),
    ]);
}

#[test]
fn other_sources_have_at_most_one_way_to_authenticate() {
    let bucket = |more: &Value| {
        let bucket = json!({"url": "https://s3.example.org", "bucketName": "shop"});
        json!({"sourceKind": "Bucket", "bucket": merged(bucket, more)})
    };
    let blob = |more: &Value| {
        let blob = json!({"url": "https://blob.example.org", "containerName": "c"});
        json!({"sourceKind": "AzureBlob", "azureBlob": merged(blob, more)})
    };
    let key = json!({"name": "keys", "key": "secret"});
    check(&[
        ("a bucket without", bucket(&json!({})), "spec.bucket: set either accessKey or localAuthRef"),
        (
            "a bucket with a key and no settings",
            bucket(&json!({"accessKey": "AK"})),
            "spec: bucket.accessKey needs bucketSecretKey in configurationProtectedSettings",
        ),
        ("a blob container with a key", blob(&json!({"accountKey": key})), ""),
        (
            "a blob container with two",
            blob(&json!({"accountKey": key, "sasToken": key})),
            "spec.azureBlob: \
             set at most one of servicePrincipal, accountKey, sasToken, managedIdentity and localAuthRef",
        ),
        (
            "a principal that cannot prove itself",
            blob(&json!({"servicePrincipal": {"clientId": "a", "tenantId": "b", "clientCertificatePassword": key}})),
            "spec.azureBlob.servicePrincipal: set either clientSecret or clientCertificate\n\
             spec.azureBlob.servicePrincipal: clientCertificatePassword belongs to clientCertificate",
        ),
        (
            "half a client certificate",
            json!({"sourceKind": "OCIRepository", "ociRepository": {
                "url": "oci://example.org/a", "tlsConfig": {"privateKey": key},
            }}),
            "spec.ociRepository.tlsConfig: clientCertificate and privateKey belong together",
        ),
        (
            "two identities for a registry",
            json!({"sourceKind": "OCIRepository", "ociRepository": {
                "url": "oci://example.org/a", "useWorkloadIdentity": true, "localAuthRef": "keys",
            }}),
            "spec.ociRepository: useWorkloadIdentity and localAuthRef exclude each other",
        ),
    ]);
}

#[test]
fn kustomizations_are_named_and_depend_on_each_other() {
    let names = "spec.kustomizations: the name of a kustomization consists of at most 61 lower-case letters, digits, \
                 `-` and `.`, and begins and ends with a letter or digit";
    let dependencies = "spec.kustomizations: dependsOn names other kustomizations of the same configuration";
    let kustomizations = |kustomizations: Value| with(&json!({"kustomizations": kustomizations}));
    check(&[
        ("two", kustomizations(json!({"infra": {}, "apps-1.a": {"dependsOn": ["infra"]}})), ""),
        ("none", kustomizations(json!({})), ""),
        ("an upper-case name", kustomizations(json!({"Apps": {}})), names),
        ("a name that ends in a hyphen", kustomizations(json!({"apps-": {}})), names),
        ("an empty name", kustomizations(json!({"": {}})), names),
        ("a dependency on itself", kustomizations(json!({"apps": {"dependsOn": ["apps"]}})), dependencies),
        ("a dependency on nothing", kustomizations(json!({"apps": {"dependsOn": ["infra"]}})), dependencies),
        (
            "a short interval",
            kustomizations(json!({"apps": {"syncIntervalInSeconds": 29}})),
            "spec.kustomizations.apps.syncIntervalInSeconds: is too small",
        ),
        (
            "a long timeout",
            kustomizations(json!({"apps": {"timeoutInSeconds": 86_401}})),
            "spec.kustomizations.apps.timeoutInSeconds: is too large",
        ),
    ]);
}

#[test]
fn names_fit_into_the_name_of_a_kustomization() {
    let together = ": the names of a configuration and of a kustomization in it have at most 62 characters together";
    for (configuration_length, kustomization_length, expected) in
        [(31, 31, ""), (32, 31, together), (1, 61, ""), (61, 1, ""), (61, 2, together)]
    {
        let name = "c".repeat(configuration_length);
        let spec = with(&json!({"kustomizations": {"k".repeat(kustomization_length): {}}}));
        let found = complaints(&configuration(&name, &spec), None).join("\n");
        assert_eq!(found, expected, "{configuration_length} and {kustomization_length}");
    }
    let found = complaints(&configuration(&"c".repeat(62), &with(&json!({}))), None).join("\n");
    assert_eq!(found, ": the name of a configuration has at most 61 characters");
}

#[test]
fn scope_and_namespace_are_chosen_once() {
    let scope = "spec.scope: scope cannot be changed; delete the configuration and create it anew";
    let namespace = "spec: namespace cannot be changed; delete the configuration and create it in the other namespace";
    for (before, after, expected) in [
        (json!({}), json!({"scope": "cluster"}), ""),
        (json!({}), json!({"scope": "namespace"}), scope),
        (json!({"scope": "namespace"}), json!({}), scope),
        (json!({}), json!({"namespace": "team-a"}), ""),
        (json!({"namespace": "team-a"}), json!({"namespace": "team-b"}), namespace),
        (json!({}), json!({"suspend": true}), ""),
    ] {
        let [old, new] = [&before, &after].map(|spec| configuration("shop", &with(spec)));
        assert_eq!(complaints(&new, Some(&old)).join("\n"), expected, "{before} becomes {after}");
    }
}

#[test]
fn a_wait_is_a_duration_of_iso_8601() {
    for (written, fits) in
        [("PT5M", true), ("PT1H", true), ("PT1H30M", true), ("PT", false), ("5m0s", false), ("P1DT1H", false)]
    {
        let found = complaints(&configuration("shop", &with(&json!({"reconciliationWaitDuration": written}))), None);
        assert_eq!(found.is_empty(), fits, "{written}: {found:?}");
    }
}
