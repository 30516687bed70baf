//! HTTPS: who the server is, and who we are.

use std::sync::Arc;

use fairlead_sources::git::{SecretData, resolve};
use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring::default_provider,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::WebPkiClientVerifier,
};

use super::{
    TestStore, branch,
    http_server::{Behaviour, GitServer, Redirect},
    refusal,
    repository::Repository,
    secret, shown, told, with_secret,
};

/// A certificate authority.
struct Authority {
    certificate: Certificate,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its key, in PEM.
struct Identity {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate");
        Self { certificate, issuer: Issuer::new(params, key) }
    }

    fn issue(&self, name: &str) -> Identity {
        let params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed").pem();
        Identity { certificate, key: key.serialize_pem() }
    }

    fn pem(&self) -> String {
        self.certificate.pem()
    }

    /// A server called `localhost`.
    fn server(&self) -> ServerConfig {
        self.server_for(None)
    }

    /// The same, for those whose certificate comes from `clients` only.
    fn server_for(&self, clients: Option<&Authority>) -> ServerConfig {
        let identity = self.issue("localhost");
        let builder = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions");
        let builder = match clients {
            None => builder.with_no_client_auth(),
            Some(clients) => {
                let mut roots = RootCertStore::empty();
                roots.add(clients.certificate.der().clone()).expect("a root");
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::new(default_provider()));
                builder.with_client_cert_verifier(verifier.build().expect("a verifier"))
            }
        };
        let chain = vec![CertificateDer::from_pem_slice(identity.certificate.as_bytes()).expect("a certificate")];
        let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).expect("a key");
        builder.with_single_cert(chain, key).expect("a server")
    }
}

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
