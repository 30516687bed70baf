//! Sources cannot reach what the operator keeps out of reach.

use serde_json::json;

use crate::scene::{LIMIT, Team};

/// What the harness does not allow, unlike the address that its servers are at.
const ELSEWHERE: &str = "127.0.0.2";

#[tokio::test]
async fn a_url_of_this_machine_or_of_a_metadata_service_is_refused_with_the_flag_that_would_allow_it() {
    let team = Team::new("egress").await;
    let port = team.repository.url().rsplit_once(':').and_then(|(_, rest)| rest.split('/').next()).unwrap();
    let own = team.repository.url().replace("127.0.0.1", ELSEWHERE);
    let sources = [
        ("git", "GitRepository", json!({ "url": own, "interval": "1h" })),
        ("oci", "OCIRepository", json!({ "url": "oci://169.254.169.254/app", "interval": "1h" })),
        ("helm", "HelmRepository", json!({ "url": format!("http://{ELSEWHERE}:{port}"), "interval": "1h" })),
        (
            "bucket",
            "Bucket",
            json!({ "endpoint": "[::ffff:169.254.169.254]:80", "insecure": true, "bucketName": "b", "interval": "1h" }),
        ),
    ];
    let mut told = Vec::new();
    for (name, kind, spec) in sources {
        let metadata = json!({ "name": name, "namespace": team.namespace });
        let version = "source.toolkit.fluxcd.io/v1";
        team.cluster.apply(json!({ "apiVersion": version, "kind": kind, "metadata": metadata, "spec": spec })).await;
        let ready = team.cluster.wait_for(&team.named(kind, name), "Ready", "False", LIMIT).await;
        told.push(ready.to_string().replace(&format!(":{port}"), ":PORT"));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    False GitOperationFailed: failed to checkout and determine revision: unable to clone 'http://127.0.0.2:PORT/app.git': 127.0.0.2 is at 127.0.0.2, and sources may not reach loopback addresses unless the controller runs with --allow-egress=127.0.0.2
    False OCIArtifactPullFailed: failed to determine artifact digest: 169.254.169.254 is at 169.254.169.254, and sources may not reach addresses of cloud metadata services unless the controller runs with --allow-egress=169.254.169.254
    False Failed: failed to fetch Helm repository index: 127.0.0.2 is at 127.0.0.2, and sources may not reach loopback addresses unless the controller runs with --allow-egress=127.0.0.2
    False BucketOperationFailed: indexation of objects from bucket 'b' failed: [::ffff:169.254.169.254] is at ::ffff:169.254.169.254, and sources may not reach addresses of cloud metadata services unless the controller runs with --allow-egress=::ffff:169.254.169.254
    ");
}
