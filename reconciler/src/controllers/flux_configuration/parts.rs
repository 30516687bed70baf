//! What a configuration consists of: pure, from its spec to the objects that stand for it.

use std::{collections::BTreeMap, time::Duration};

use fairlead_api::{
    duration::Duration as WrittenDuration,
    fairlead::{
        AzureBlobSource, BucketSource, ConfigurationError, ConfigurationGitProvider, ConfigurationScope,
        FluxConfiguration, GitRepositorySource, KustomizationDefinition, LayerOperation, OciRepositorySource,
        OciVerification,
    },
    install::TENANT_ROLE,
    kustomize::{Dependency, Kustomization, KustomizationSpec, SourceKind, SourceReference},
    names::{annotations, labels},
    reference::LocalReference,
    source::{
        Bucket, BucketSpec, GitProvider, GitRepository, GitRepositoryRef, GitRepositorySpec, OciLayerOperation,
        OciLayerSelector, OciRepository, OciRepositoryRef, OciRepositorySpec, OciRepositoryVerification, Provider,
    },
};
use fairlead_object::Digest;
use k8s_openapi::{
    ByteString,
    apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference},
};
use kube::ResourceExt;
use secrecy::ExposeSecret;
use serde::Serialize;
use serde_json::{Value, json};

use super::{block::Block, credentials::Credentials};
use crate::{cluster::Resource, controllers::ObjectKey};

const RBAC: &str = "rbac.authorization.k8s.io";

/// The service account of the configuration `name`.
pub fn account_name(name: &str) -> String {
    format!("{name}-applier")
}

/// The Secret by which the source of the configuration `name` is read.
pub(super) fn secret_name(name: &str) -> String {
    format!("{name}-auth")
}

/// The Secret that says who may sign what the source of the configuration `name` fetches.
pub(super) fn signers_name(name: &str) -> String {
    format!("{name}-signers")
}

fn kustomization_name(configuration: &str, name: &str) -> String {
    format!("{configuration}-{name}")
}

pub(super) fn secrets() -> Resource {
    Resource::namespaced("", "v1", "Secret", "secrets")
}

pub(super) fn accounts() -> Resource {
    Resource::namespaced("", "v1", "ServiceAccount", "serviceaccounts")
}

fn role_bindings() -> Resource {
    Resource::namespaced(RBAC, "v1", "RoleBinding", "rolebindings")
}

fn cluster_role_bindings() -> Resource {
    let named = Resource::namespaced(RBAC, "v1", "ClusterRoleBinding", "clusterrolebindings");
    Resource { is_namespaced: false, ..named }
}

pub(super) fn kustomizations() -> Resource {
    Resource::namespaced("kustomize.toolkit.fluxcd.io", "v1", "Kustomization", "kustomizations")
}

/// Every binding that a configuration may have, whatever its scope.
pub(super) fn bindings(key: &ObjectKey) -> [(Resource, String); 3] {
    [
        (cluster_role_bindings(), cluster_binding_name(key)),
        (role_bindings(), binding_name(&key.name)),
        (role_bindings(), tenant_binding_name(&key.name)),
    ]
}

fn cluster_binding_name(key: &ObjectKey) -> String {
    format!("flux-applier-{}-{}", key.namespace, key.name)
}

fn binding_name(name: &str) -> String {
    format!("flux-applier-{name}")
}

/// No configuration's name has a colon in it, so that no other binding is called the same.
fn tenant_binding_name(name: &str) -> String {
    format!("flux-applier-{name}:tenant")
}

/// The account and its bindings, in the order in which they are made.
pub(super) fn rights(key: &ObjectKey, scope: ConfigurationScope) -> Vec<(Resource, Value)> {
    let account = json!({
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": metadata(key, &account_name(&key.name)),
    });
    let role_binding = |name: &str, role| (role_bindings(), binding(key, "RoleBinding", &metadata(key, name), role));
    let mut rights = vec![(accounts(), account)];
    match scope {
        ConfigurationScope::Cluster => {
            let metadata = json!({"name": cluster_binding_name(key), "labels": {
                labels::CONFIGURATION_NAME: key.name,
                labels::CONFIGURATION_NAMESPACE: key.namespace,
            }});
            rights.push((cluster_role_bindings(), binding(key, "ClusterRoleBinding", &metadata, "cluster-admin")));
        }
        ConfigurationScope::Namespace => {
            rights.push(role_binding(&binding_name(&key.name), "admin"));
            rights.push(role_binding(&tenant_binding_name(&key.name), TENANT_ROLE));
        }
    }
    rights
}

fn binding(key: &ObjectKey, kind: &str, metadata: &Value, role: &str) -> Value {
    json!({
        "apiVersion": format!("{RBAC}/v1"),
        "kind": kind,
        "metadata": metadata,
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": account_name(&key.name), "namespace": key.namespace}],
    })
}

/// The Secret that holds `credentials`.
pub(super) fn secret(key: &ObjectKey, credentials: &Credentials) -> Value {
    let data: BTreeMap<&str, ByteString> = credentials
        .data
        .iter()
        .map(|(key, value)| (*key, ByteString(value.expose_secret().as_bytes().to_vec())))
        .collect();
    let mut metadata = metadata(key, &secret_name(&key.name));
    if credentials.is_generated {
        metadata["annotations"] = json!({annotations::GENERATED_KEY: "true"});
    }
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": data})
}

/// The Secret that says who may sign; none where nothing is said of it.
pub(super) fn signers(key: &ObjectKey, block: Block<'_>) -> Result<Option<Value>, ConfigurationError> {
    let Some(verify) = block.verification().filter(|verify| !verify.verification_config.is_empty()) else {
        return Ok(None);
    };
    let metadata = metadata(key, &signers_name(&key.name));
    let data: BTreeMap<_, _> =
        verify.signers()?.into_iter().map(|(name, text)| (name, ByteString(text.into_bytes()))).collect();
    Ok(Some(json!({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": "Opaque", "data": data})))
}

/// The metadata of account, bindings and Secrets. They name no owner: what deletes an owner's objects in whatever order
/// would take the rights away that the Kustomizations need to clean up.
fn metadata(key: &ObjectKey, name: &str) -> Value {
    json!({"name": name, "namespace": key.namespace, "labels": {labels::CONFIGURATION_NAME: key.name}})
}

/// The object that stands for a configuration's source.
pub(super) enum SourceObject {
    Git(GitRepository),
    Bucket(Bucket),
    Oci(OciRepository),
}

/// The source. `own` is the Secret that was made for it.
pub(super) fn source(configuration: &FluxConfiguration, block: Block<'_>, own: Option<String>) -> SourceObject {
    let name = configuration.name_any();
    let metadata = |spec: &Value| owned_metadata(configuration, name.clone(), spec);
    let local = block.local_secret().cloned();
    let secret = |name: Option<String>| name.map(|name| LocalReference { name });
    let suspend = configuration.spec.suspend;
    match block {
        Block::Git(git) => {
            let spec = git_spec(git, secret(local.or(own)), suspend);
            SourceObject::Git(GitRepository { metadata: metadata(&json!(spec)), spec, status: None })
        }
        Block::Bucket(bucket) => {
            let spec = bucket_spec(bucket, secret(local.or(own)), suspend);
            SourceObject::Bucket(Bucket { metadata: metadata(&json!(spec)), spec, status: None })
        }
        Block::AzureBlob(azure) => {
            let spec = azure_spec(azure, secret(local.or(own)), suspend);
            SourceObject::Bucket(Bucket { metadata: metadata(&json!(spec)), spec, status: None })
        }
        Block::Oci(oci) => {
            let verify = oci.verify.as_ref().map(|verify| verification(&name, verify));
            let spec = OciRepositorySpec { verify, ..oci_spec(oci, secret(local), secret(own), suspend) };
            SourceObject::Oci(OciRepository { metadata: metadata(&json!(spec)), spec, status: None })
        }
    }
}

fn git_spec(git: &GitRepositorySource, secret: Option<LocalReference>, suspend: bool) -> GitRepositorySpec {
    let wanted = &git.repository_ref;
    GitRepositorySpec {
        url: full_url(&git.url),
        secret_ref: secret,
        provider: git.provider.map(git_provider),
        service_account_name: None,
        interval: git.sync_interval().into(),
        timeout: in_seconds(git.timeout()),
        reference: Some(GitRepositoryRef {
            branch: wanted.branch.clone(),
            tag: wanted.tag.clone(),
            semver: wanted.semver.clone(),
            name: None,
            commit: wanted.commit.clone(),
        }),
        verify: None,
        proxy_secret_ref: None,
        ignore: None,
        suspend,
        recurse_submodules: false,
        include: Vec::new(),
        sparse_checkout: Vec::new(),
    }
}

fn git_provider(provider: ConfigurationGitProvider) -> GitProvider {
    match provider {
        ConfigurationGitProvider::Azure => GitProvider::Azure,
        ConfigurationGitProvider::GitHub => GitProvider::Github,
        ConfigurationGitProvider::Generic => GitProvider::Generic,
    }
}

fn bucket_spec(bucket: &BucketSource, secret: Option<LocalReference>, suspend: bool) -> BucketSpec {
    let (scheme, endpoint) = bucket.url.split_once("://").unwrap_or(("https", &bucket.url));
    BucketSpec {
        provider: Provider::Generic,
        bucket_name: bucket.bucket_name.clone(),
        endpoint: endpoint.trim_end_matches('/').to_owned(),
        insecure: bucket.insecure || scheme == "http",
        secret_ref: secret,
        interval: bucket.sync_interval().into(),
        timeout: in_seconds(bucket.timeout()),
        suspend,
        ..empty_bucket()
    }
}

fn azure_spec(azure: &AzureBlobSource, secret: Option<LocalReference>, suspend: bool) -> BucketSpec {
    BucketSpec {
        provider: Provider::Azure,
        bucket_name: azure.container_name.clone(),
        endpoint: azure.url.clone(),
        secret_ref: secret,
        interval: azure.sync_interval().into(),
        timeout: in_seconds(azure.timeout()),
        suspend,
        ..empty_bucket()
    }
}

/// A bucket with none of the fields that a configuration does not have.
fn empty_bucket() -> BucketSpec {
    BucketSpec {
        provider: Provider::default(),
        bucket_name: String::new(),
        endpoint: String::new(),
        sts: None,
        insecure: false,
        region: None,
        prefix: None,
        secret_ref: None,
        service_account_name: None,
        cert_secret_ref: None,
        proxy_secret_ref: None,
        interval: "10m".into(),
        timeout: "60s".into(),
        ignore: None,
        suspend: false,
    }
}

fn oci_spec(
    oci: &OciRepositorySource,
    secret: Option<LocalReference>,
    certificates: Option<LocalReference>,
    suspend: bool,
) -> OciRepositorySpec {
    OciRepositorySpec {
        url: oci.url.clone(),
        reference: oci.repository_ref.as_ref().map(|wanted| OciRepositoryRef {
            digest: wanted.digest.clone(),
            semver: wanted.semver.clone(),
            semver_filter: None,
            tag: wanted.tag.clone(),
        }),
        layer_selector: oci.layer_selector.as_ref().map(|selector| OciLayerSelector {
            media_type: selector.media_type.clone(),
            operation: Some(match selector.operation {
                LayerOperation::Extract => OciLayerOperation::Extract,
                LayerOperation::Copy => OciLayerOperation::Copy,
            }),
        }),
        provider: if oci.use_workload_identity { Provider::Azure } else { Provider::Generic },
        secret_ref: secret,
        verify: None,
        service_account_name: oci.service_account_name.clone(),
        cert_secret_ref: certificates,
        proxy_secret_ref: None,
        interval: oci.sync_interval().into(),
        timeout: in_seconds(oci.timeout()),
        ignore: None,
        insecure: oci.insecure,
        suspend,
    }
}

fn verification(configuration: &str, verify: &OciVerification) -> OciRepositoryVerification {
    let signers =
        (!verify.verification_config.is_empty()).then(|| LocalReference { name: signers_name(configuration) });
    OciRepositoryVerification {
        provider: verify.provider,
        secret_ref: signers,
        match_oidc_identity: verify.match_oidc_identity.clone(),
        trusted_root_secret_ref: None,
    }
}

/// A source's timeout may not be written in hours.
fn in_seconds(duration: Duration) -> WrittenDuration {
    WrittenDuration::from(format!("{}s", duration.as_secs()).as_str())
}

/// `user@host:path`, which a `GitRepository` does not take, as a URL.
fn full_url(written: &str) -> String {
    match written.split_once(':') {
        Some((host, path)) if written.starts_with("git@") => format!("ssh://{host}/{}", path.trim_start_matches('/')),
        Some(_) | None => written.to_owned(),
    }
}

/// The Kustomizations, by name.
pub(super) fn all_kustomizations(configuration: &FluxConfiguration, source: SourceKind) -> Vec<Kustomization> {
    let entries = configuration.spec.kustomizations.iter();
    entries.map(|(name, definition)| kustomization(configuration, source, name, definition)).collect()
}

fn kustomization(
    configuration: &FluxConfiguration,
    source: SourceKind,
    name: &str,
    definition: &KustomizationDefinition,
) -> Kustomization {
    let own = configuration.name_any();
    let dependency =
        |name: &String| Dependency { name: kustomization_name(&own, name), namespace: None, ready_expr: None };
    let spec = KustomizationSpec {
        common_metadata: None,
        depends_on: definition.depends_on.iter().map(dependency).collect(),
        decryption: None,
        interval: definition.sync_interval().into(),
        retry_interval: Some(definition.retry_interval().into()),
        kube_config: None,
        path: Some(definition.path.clone()).filter(|path| !path.is_empty()),
        post_build: definition.post_build.clone(),
        prune: definition.prune,
        deletion_policy: None,
        health_checks: Vec::new(),
        name_prefix: None,
        name_suffix: None,
        patches: Vec::new(),
        images: Vec::new(),
        service_account_name: Some(account_name(&own)),
        source_ref: SourceReference { api_version: None, kind: source, name: own.clone(), namespace: None },
        suspend: configuration.spec.suspend,
        target_namespace: None,
        timeout: Some(definition.timeout().into()),
        force: definition.force,
        wait: definition.wait,
        components: Vec::new(),
        ignore_missing_components: false,
        build_metadata: Vec::new(),
        health_check_exprs: Vec::new(),
        ignore: Vec::new(),
    };
    let metadata = owned_metadata(configuration, kustomization_name(&own, name), &spec);
    Kustomization { metadata, spec, status: None }
}

/// The metadata of an object that goes with its configuration. The digest tells after a restart that a field was
/// removed from `spec`: everything else that is in the object may be someone else's.
fn owned_metadata(configuration: &FluxConfiguration, name: String, spec: &impl Serialize) -> ObjectMeta {
    let own = configuration.name_any();
    let spec = serde_json::to_vec(spec).expect("a spec serialises");
    ObjectMeta {
        name: Some(name),
        namespace: configuration.namespace(),
        labels: Some(BTreeMap::from([(labels::CONFIGURATION_NAME.to_owned(), own.clone())])),
        annotations: Some(BTreeMap::from([(annotations::SPEC_DIGEST.to_owned(), Digest::of(&spec).to_string())])),
        owner_references: Some(vec![OwnerReference {
            api_version: "fairlead.dev/v1alpha1".to_owned(),
            kind: "FluxConfiguration".to_owned(),
            name: own,
            uid: configuration.uid().unwrap_or_default(),
            controller: Some(true),
            block_owner_deletion: Some(true),
        }]),
        ..ObjectMeta::default()
    }
}

#[cfg(test)]
mod tests {
    use fairlead_api::fairlead::FluxConfigurationSpec;

    use super::*;

    fn configuration(spec: Value) -> FluxConfiguration {
        let spec: FluxConfigurationSpec = serde_json::from_value(spec).expect("a spec");
        let mut configuration = FluxConfiguration::new("shop", spec);
        configuration.metadata.namespace = Some("team-a".to_owned());
        configuration.metadata.uid = Some("1".to_owned());
        configuration
    }

    fn source_of(configuration: &FluxConfiguration) -> SourceObject {
        let block = Block::of(&configuration.spec).expect("it is set");
        source(configuration, block, block.has_own_secret().then(|| "shop-auth".to_owned()))
    }

    fn spec_of(object: &impl Serialize) -> Value {
        serde_json::to_value(object).expect("an object")["spec"].take()
    }

    #[test]
    fn every_field_of_the_source_comes_from_the_configuration() {
        let configuration = configuration(json!({
            "suspend": true,
            "gitRepository": {
                "url": "git@example.org:shop/deploy.git", "repositoryRef": {"branch": "main", "commit": "0f3c"},
                "timeoutInSeconds": 7200, "syncIntervalInSeconds": 90,
            },
        }));
        let SourceObject::Git(source) = source_of(&configuration) else { panic!("it is a Git repository") };
        assert_eq!(
            spec_of(&source),
            json!({
                "url": "ssh://git@example.org/shop/deploy.git", "ref": {"branch": "main", "commit": "0f3c"},
                "secretRef": {"name": "shop-auth"}, "timeout": "7200s", "interval": "1m30s", "suspend": true,
            })
        );
        assert_eq!(source.metadata.name.as_deref(), Some("shop"));
        assert_eq!(source.metadata.namespace.as_deref(), Some("team-a"));
        assert_eq!(
            source.metadata.labels,
            Some(BTreeMap::from([("fairlead.dev/configuration".into(), "shop".into())]))
        );
        let owner = &source.metadata.owner_references.expect("it has an owner")[0];
        assert_eq!((owner.kind.as_str(), owner.name.as_str(), owner.uid.as_str()), ("FluxConfiguration", "shop", "1"));
    }

    #[test]
    fn every_kind_of_source_comes_from_its_block() {
        let key = |name: &str| json!({"name": "keys", "key": name});
        let bucket = json!({"url": "http://s3.example.org/", "bucketName": "shop", "accessKey": "AKIA"});
        let azure =
            json!({"url": "https://a.blob.core.windows.net", "containerName": "shop", "accountKey": key("account")});
        let oci = json!({
            "url": "oci://example.org/shop", "repositoryRef": {"semver": "1.x"}, "localAuthRef": "login",
            "layerSelector": {"operation": "copy"}, "tlsConfig": {"caCertificate": key("ca")},
            "serviceAccountName": "puller",
            "verify": {
                "provider": "cosign", "verificationConfig": {"ada": "-----BEGIN PUBLIC KEY-----"},
                "matchOidcIdentity": [{"issuer": "a", "subject": "b"}],
            },
        });
        let rows = [
            (
                json!({"sourceKind": "Bucket", "bucket": bucket}),
                json!({
                    "provider": "generic", "bucketName": "shop", "endpoint": "s3.example.org", "insecure": true,
                    "secretRef": {"name": "shop-auth"}, "interval": "10m0s", "timeout": "600s",
                }),
            ),
            (
                json!({"sourceKind": "AzureBlob", "azureBlob": azure}),
                json!({
                    "provider": "azure", "bucketName": "shop", "endpoint": "https://a.blob.core.windows.net",
                    "secretRef": {"name": "shop-auth"}, "interval": "10m0s", "timeout": "600s",
                }),
            ),
            (
                json!({"sourceKind": "OCIRepository", "ociRepository": oci}),
                json!({
                    "url": "oci://example.org/shop", "ref": {"semver": "1.x"}, "layerSelector": {"operation": "copy"},
                    "provider": "generic", "secretRef": {"name": "login"}, "certSecretRef": {"name": "shop-auth"},
                    "serviceAccountName": "puller", "interval": "10m0s", "timeout": "600s",
                    "verify": {
                        "provider": "cosign", "secretRef": {"name": "shop-signers"},
                        "matchOIDCIdentity": [{"issuer": "a", "subject": "b"}],
                    },
                }),
            ),
        ];
        for (written, expected) in rows {
            let spec = match source_of(&configuration(written)) {
                SourceObject::Git(object) => spec_of(&object),
                SourceObject::Bucket(object) => spec_of(&object),
                SourceObject::Oci(object) => spec_of(&object),
            };
            assert_eq!(spec, expected);
        }
    }

    #[test]
    fn every_field_of_a_kustomization_comes_from_its_definition() {
        let configuration = configuration(json!({
            "gitRepository": {"url": "https://example.org/repo", "repositoryRef": {"branch": "main"}},
            "kustomizations": {
                "infra": {},
                "app": {
                    "path": "./app", "dependsOn": ["infra"], "timeoutInSeconds": 300, "syncIntervalInSeconds": 120,
                    "retryIntervalInSeconds": 60, "prune": true, "force": true, "wait": false,
                    "postBuild": {"substitute": {"a": "b"}},
                },
            },
        }));
        let [app, infra] = &all_kustomizations(&configuration, SourceKind::GitRepository)[..] else {
            panic!("two are defined")
        };
        assert_eq!(
            spec_of(app),
            json!({
                "sourceRef": {"kind": "GitRepository", "name": "shop"}, "serviceAccountName": "shop-applier",
                "path": "./app", "dependsOn": [{"name": "shop-infra"}], "timeout": "5m0s", "interval": "2m0s",
                "retryInterval": "1m0s", "prune": true, "force": true, "postBuild": {"substitute": {"a": "b"}},
            })
        );
        assert_eq!(
            spec_of(infra),
            json!({
                "sourceRef": {"kind": "GitRepository", "name": "shop"}, "serviceAccountName": "shop-applier",
                "timeout": "10m0s", "interval": "10m0s", "retryInterval": "10m0s", "prune": false, "force": false,
                "wait": true,
            })
        );
        assert_eq!(app.metadata.name.as_deref(), Some("shop-app"));
        assert_ne!(app.metadata.annotations, infra.metadata.annotations, "each spec has its own digest");
    }

    #[test]
    fn a_scope_gives_the_account_its_rights_and_no_others() {
        let key = ObjectKey::new("team-a", "shop");
        let show = |scope| {
            let rights = rights(&key, scope);
            let lines = rights.iter().map(|(_, object)| {
                let text = |of: &Value, field: &str| of[field].as_str().unwrap_or("-").to_owned();
                let (metadata, role) = (&object["metadata"], &object["roleRef"]);
                format!(
                    "{} {}/{} {}",
                    text(object, "kind"),
                    text(metadata, "namespace"),
                    text(metadata, "name"),
                    text(role, "name")
                )
            });
            lines.collect::<Vec<_>>().join("\n")
        };
        insta::assert_snapshot!(show(ConfigurationScope::Cluster), @r"
        ServiceAccount team-a/shop-applier -
        ClusterRoleBinding -/flux-applier-team-a-shop cluster-admin
        ");
        insta::assert_snapshot!(show(ConfigurationScope::Namespace), @r"
        ServiceAccount team-a/shop-applier -
        RoleBinding team-a/flux-applier-shop admin
        RoleBinding team-a/flux-applier-shop:tenant fairlead-tenant
        ");
    }
}
