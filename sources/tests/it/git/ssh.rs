//! SSH: who the server is, who we are, and what a server refuses.

use std::{fs::Permissions, os::unix::fs::PermissionsExt, time::Duration};

use fairlead_sources::{
    fetch::SourceError,
    git::{Curve, DeployKey, GitAuth, GitRequest, GitUrl, KeyKind, SecretData, resolve, scan_host_key},
};
use secrecy::ExposeSecret;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::{
    PATIENCE, TestStore, anonymous, branch,
    program::{program, run_well},
    refusal,
    repository::Repository,
    secret, shown,
    ssh_server::{SshServer, Variable, free_port},
    told, with_secret,
};
use crate::scene::chain;

const ED25519: &[&str] = &["-t", "ed25519", "-N", ""];

async fn outcome(server: &SshServer, repository: &Repository, data: &SecretData) -> String {
    let request = with_secret(&server.url(repository), branch("main"), data);
    match TestStore::new().fetch(&request).await {
        Ok((_, fetched)) => shown(&fetched.tree),
        Err(error) => told(&error),
    }
}

#[tokio::test]
async fn keys_of_each_kind_open_a_repository() {
    let repository = Repository::with_a_file();
    let server = SshServer::start(Variable::Taken).await;
    let kinds: [&[&str]; 5] = [
        ED25519,
        &["-t", "rsa", "-b", "2048", "-N", ""],
        &["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", ""],
        &["-t", "ecdsa", "-N", ""],
        &["-t", "ecdsa", "-b", "384", "-N", ""],
    ];
    for kind in kinds {
        let key = server.authorized_key(kind);
        let data = secret([("identity", &key), ("known_hosts", &server.known_hosts())]);
        assert_eq!(outcome(&server, &repository, &data).await, "deploy.yaml: one", "{kind:?}");
    }
}

#[tokio::test]
async fn a_key_with_a_passphrase_needs_it() {
    let repository = Repository::with_a_file();
    let server = SshServer::start(Variable::Taken).await;
    let key = server.authorized_key(&["-t", "ed25519", "-N", "open sesame"]);
    let known_hosts = server.known_hosts();
    let pem = server.authorized_key(&["-t", "rsa", "-b", "2048", "-m", "PEM", "-N", "open sesame"]);
    for key in [&key, &pem] {
        let right = secret([("identity", key), ("known_hosts", &known_hosts), ("password", "open sesame")]);
        assert_eq!(outcome(&server, &repository, &right).await, "deploy.yaml: one");
    }

    let url = GitUrl::parse(&server.url(&repository)).expect("a URL");
    let told_of = |data: &SecretData| GitAuth::from_secret(&url, data).err().map(|error| error.to_string());
    let wrong = secret([("identity", &key), ("known_hosts", &known_hosts), ("password", "open wheat")]);
    assert_eq!(told_of(&wrong).as_deref(), Some("'identity' cannot be decrypted with 'password'"));
    let none = secret([("identity", &key), ("known_hosts", &known_hosts)]);
    assert_eq!(
        told_of(&none).as_deref(),
        Some("'identity' is encrypted, and there is no 'password' to decrypt it with")
    );
}

#[tokio::test]
async fn a_key_that_takes_long_to_decrypt_is_refused_at_once() {
    let repository = Repository::with_a_file();
    let server = SshServer::start(Variable::Taken).await;
    let key = server.authorized_key(&["-t", "ed25519", "-a", "101", "-N", "open sesame"]);
    let data = secret([("identity", &key), ("known_hosts", &server.known_hosts()), ("password", "open sesame")]);
    let url = GitUrl::parse(&server.url(&repository)).expect("a URL");
    let text = GitAuth::from_secret(&url, &data).err().expect("refused").to_string();
    assert!(text.starts_with("'identity' takes too many rounds to decrypt"), "{text}");
}

#[tokio::test]
async fn a_server_that_refuses_the_variable_answers_in_the_old_protocol() {
    let repository = Repository::with_a_file();
    let server = SshServer::start(Variable::Refused).await;
    assert_eq!(outcome(&server, &repository, &server.secret()).await, "deploy.yaml: one");
}

#[tokio::test]
async fn known_hosts_may_be_hashed() {
    let repository = Repository::with_a_file();
    let server = SshServer::start(Variable::Taken).await;
    let hashed = server.hashed_known_hosts();
    assert!(hashed.starts_with("|1|"), "{hashed}");
    let data = secret([("identity", &server.authorized_key(ED25519)), ("known_hosts", &hashed)]);
    assert_eq!(outcome(&server, &repository, &data).await, "deploy.yaml: one");
}

#[tokio::test]
async fn a_server_with_another_key_is_not_talked_to() {
    let repository = Repository::with_a_file();
    let (server, other) = (SshServer::start(Variable::Taken).await, SshServer::start(Variable::Taken).await);
    let key = server.authorized_key(ED25519);
    let (own, foreign) = (server.known_hosts(), other.known_hosts());
    let host = own.split(' ').next().expect("a host");
    let swapped = foreign.replacen(foreign.split(' ').next().expect("a host"), host, 1);
    let cases = [swapped, foreign, format!("@revoked * {}", own.split_once(' ').expect("a key").1)];
    let mut told_all = Vec::new();
    for known_hosts in cases {
        let data = secret([("identity", &key), ("known_hosts", &known_hosts)]);
        let text = outcome(&server, &repository, &data).await;
        let words = text.lines().nth(1).expect("a cause").split(' ');
        let words = words.map(|word| if word.starts_with("SHA256:") { "SHA256:…" } else { word });
        told_all.push(words.collect::<Vec<_>>().join(" ").replace(host, "HOST"));
    }
    insta::assert_snapshot!(told_all.join("\n"), @r"
      caused by: ssh: handshake failed: knownhosts: key mismatch: HOST has ssh-ed25519 SHA256:… and should have ssh-ed25519 SHA256:…
      caused by: ssh: handshake failed: knownhosts: key is unknown: HOST has ssh-ed25519 SHA256:…
      caused by: ssh: handshake failed: knownhosts: key is revoked: HOST has ssh-ed25519 SHA256:…
    ");
}

#[tokio::test]
async fn what_ssh_servers_refuse_is_told() {
    let repository = Repository::with_a_file();
    let server = SshServer::start(Variable::Taken).await;
    let data = secret([("identity", &server.foreign_key()), ("known_hosts", &server.known_hosts())]);
    let refused = outcome(&server, &repository, &data).await;
    assert!(refused.contains("unable to authenticate: the server does not accept the key"), "{refused}");

    let url = format!("{}-gone", server.url(&repository));
    let gone = told(&refusal(resolve(&with_secret(&url, branch("main"), &server.secret())).await));
    assert!(gone.contains("does not appear to be a git repository"), "{gone}");

    let nobody = refusal(resolve(&anonymous(&server.url(&repository), branch("main"))).await);
    assert_eq!(nobody.reason(), "AuthenticationFailed");
    assert!(told(&nobody).contains("'identity' is required"), "{}", told(&nobody));
}

#[test]
fn openssh_reads_generated_keys() {
    let folder = tempfile::tempdir().expect("a folder");
    for kind in [KeyKind::Ed25519, KeyKind::Ecdsa(Curve::P384), KeyKind::Rsa { bits: 2048 }] {
        let (key, file) = (DeployKey::of_kind(kind), folder.path().join(format!("{kind:?}")));
        std::fs::write(&file, key.private().expose_secret()).expect("written");
        std::fs::set_permissions(&file, Permissions::from_mode(0o600)).expect("it is ours");
        let public = run_well(program("ssh-keygen").arg("-y").arg("-f").arg(&file), b"");
        assert_eq!(public.trim_end(), key.public(), "{kind:?}");
    }
}

#[tokio::test]
async fn a_server_s_key_is_learnt_as_a_line_of_known_hosts() {
    let repository = Repository::with_a_file();
    let server = SshServer::start(Variable::Taken).await;
    let url = GitUrl::parse(&server.url(&repository)).expect("a URL");
    let line = scan_host_key(&url, PATIENCE).await.expect("it answers");
    assert!(server.known_hosts().contains(line.trim_end()), "{line}");
    let data = secret([("identity", &server.authorized_key(ED25519)), ("known_hosts", &line)]);
    assert_eq!(outcome(&server, &repository, &data).await, "deploy.yaml: one");

    let nobody = GitUrl::parse(&format!("ssh://127.0.0.1:{}/r", free_port())).expect("a URL");
    let error = scan_host_key(&nobody, PATIENCE).await.expect_err("nobody answers");
    assert!(chain(&error).contains("refused"), "{}", chain(&error));
}

#[tokio::test]
async fn a_server_that_stalls_in_its_handshake_loses_the_connection() {
    let server = SshServer::start(Variable::Taken).await;
    let stalling = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = stalling.local_addr().expect("bound");
    let accepted = tokio::spawn(async move {
        let (mut stream, _) = stalling.accept().await.expect("someone comes");
        stream.write_all(b"SSH-2.0-stalling\r\n").await.expect("written");
        stream.read_to_end(&mut Vec::new()).await
    });
    let request = with_secret(&format!("ssh://git@{address}/r"), branch("main"), &server.secret());
    let timeout = Duration::from_millis(500);
    let text = told(&refusal(resolve(&GitRequest { timeout, ..request }).await));
    assert!(text.contains("context deadline exceeded"), "{text}");
    let closed = tokio::time::timeout(PATIENCE, accepted).await;
    assert!(closed.is_ok(), "the connection is still open");
}

#[tokio::test]
async fn a_server_that_says_nothing_is_left_when_the_time_is_over() {
    let repository = Repository::with_a_file();
    let server = SshServer::start(Variable::Taken).await;
    let silent = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = silent.local_addr().expect("bound");
    let timeout = Duration::from_millis(300);
    let request =
        with_secret(&format!("ssh://git@{address}{}", repository.path().display()), branch("main"), &server.secret());
    let text = told(&refusal(resolve(&GitRequest { timeout, ..request }).await));
    assert!(text.contains("context deadline exceeded"), "{text}");
}
