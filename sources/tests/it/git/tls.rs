//! HTTPS: who the server is, and who we are.

use fairlead_sources::git::{SecretData, resolve};

use super::{
    TestStore, branch,
    http_server::{Behaviour, GitServer, Redirect},
    refusal,
    repository::Repository,
    secret, shown, told, with_secret,
};
use crate::tls::{Authority, Identity};

async fn outcome(server: &GitServer, host: &str, data: &SecretData) -> String {
    let request = with_secret(&server.url_at(host), branch("main"), data);
    match TestStore::new().fetch(&request).await {
        Ok((_, fetched)) => shown(&fetched.tree),
        Err(error) => told(&error).replace(&server.port().to_string(), "PORT"),
    }
}

#[tokio::test]
async fn a_server_is_trusted_by_the_authority_in_the_secret() {
    let (authority, other) = (Authority::new(), Authority::new());
    let repository = Repository::with_a_file();
    let server = GitServer::start_tls(&repository, Behaviour::default(), authority.server()).await;
    let ca = |key: &str, authority: &Authority| secret([(key, authority.pem().as_str())]);
    assert_eq!(outcome(&server, "localhost", &ca("ca.crt", &authority)).await, "deploy.yaml: one");
    assert_eq!(outcome(&server, "localhost", &ca("caFile", &authority)).await, "deploy.yaml: one");
    let refusals = [
        outcome(&server, "localhost", &secret([])).await,
        outcome(&server, "localhost", &ca("ca.crt", &other)).await,
        outcome(&server, "127.0.0.1", &ca("ca.crt", &authority)).await,
    ];
    insta::assert_snapshot!(refusals.join("\n\n"), @r#"
    failed to checkout and determine revision: unable to clone 'https://localhost:PORT/repository.git'
      caused by: tls: invalid peer certificate: UnknownIssuer
    hint: name the server's CA as `ca.crt` in the Secret, and check that the certificate is for this host

    failed to checkout and determine revision: unable to clone 'https://localhost:PORT/repository.git'
      caused by: tls: invalid peer certificate: BadSignature
    hint: name the server's CA as `ca.crt` in the Secret, and check that the certificate is for this host

    failed to checkout and determine revision: unable to clone 'https://127.0.0.1:PORT/repository.git'
      caused by: tls: invalid peer certificate: certificate not valid for name "127.0.0.1"; certificate is only valid for DnsName("localhost")
    hint: name the server's CA as `ca.crt` in the Secret, and check that the certificate is for this host
    "#);
}

#[tokio::test]
async fn a_client_certificate_opens_a_server_that_asks_for_one() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let repository = Repository::with_a_file();
    let server = GitServer::start_tls(&repository, Behaviour::default(), authority.server_for(Some(&clients))).await;
    let with = |identity: Identity| {
        secret([("ca.crt", &authority.pem()), ("tls.crt", &identity.certificate), ("tls.key", &identity.key)])
    };
    assert_eq!(outcome(&server, "localhost", &with(clients.issue("me"))).await, "deploy.yaml: one");
    let foreign = outcome(&server, "localhost", &with(authority.issue("me"))).await;
    assert!(foreign.contains("tls: received fatal alert"), "{foreign}");
    let none = outcome(&server, "localhost", &secret([("ca.crt", &authority.pem())])).await;
    assert!(none.contains("tls: received fatal alert"), "{none}");
}

#[tokio::test]
async fn a_redirect_does_not_leave_encryption() {
    let authority = Authority::new();
    let repository = Repository::with_a_file();
    let plain = GitServer::start(&repository, Behaviour::default()).await;
    let redirect = Some(Redirect { from: "", to: plain.base_at("127.0.0.1") });
    let server =
        GitServer::start_tls(&repository, Behaviour { redirect, ..Behaviour::default() }, authority.server()).await;
    let data = secret([("ca.crt", &authority.pem())]);
    let error = refusal(resolve(&with_secret(&server.url_at("localhost"), branch("main"), &data)).await);
    assert!(told(&error).contains("which is not encrypted"), "{}", told(&error));
    assert_eq!(plain.seen_in_short(), "");
}
