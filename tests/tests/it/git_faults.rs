//! A Git server that refuses, changes its mind or goes away.

use std::time::Duration;

use fairlead_tests::{
    Condition, GitServer,
    git::{Access, Transport},
};
use serde_json::{Value, json};
use tokio::{io::AsyncReadExt, net::TcpListener};

use crate::scene::{LIMIT, Team, config_map};

async fn source(team: &Team<'_>, status: &str) -> Condition {
    team.cluster.wait_for(&team.named("GitRepository", "app"), "Ready", status, LIMIT).await
}

/// Makes a team whose repository is on `git`, and follows it with `secret` to read it by.
async fn following_on(prefix: &str, git: &GitServer, secret: Option<Value>) -> Team<'static> {
    let mut team = Team::new(prefix).await;
    team.repository = git.repository("app");
    team.repository.commit([("limits.yaml", Some(config_map("limits", "one")))], "first");
    let mut source = team.git_repository(team.repository.url());
    if let Some(data) = secret {
        team.secret(data).await;
        source["spec"]["secretRef"] = json!({ "name": "git" });
    }
    team.cluster.apply(source).await;
    team
}

#[tokio::test]
async fn an_empty_repository_and_a_branch_that_is_not_there_are_said_plainly() {
    let team = Team::new("empty").await;
    team.follow().await;
    let empty = source(&team, "False").await;
    insta::assert_snapshot!(team.steady(&empty.to_string()), @"False EmptyGitRepository: git repository is empty: 'URL'");

    team.repository.commit([("limits.yaml", Some(config_map("limits", "one")))], "first");
    let mut other = team.git_repository(team.repository.url());
    other["spec"]["ref"] = json!({ "branch": "gone" });
    team.cluster.apply(other).await;
    let gone = source(&team, "False").await;
    insta::assert_snapshot!(team.steady(&gone.to_string()), @r#"False GitOperationFailed: failed to checkout and determine revision: unable to clone 'URL': couldn't find remote ref "refs/heads/gone""#);
}

#[tokio::test]
async fn a_branch_that_was_forced_is_followed_and_one_that_was_deleted_keeps_what_is_there() {
    let one = config_map("limits", "one");
    let team = Team::following("forced", &[("limits.yaml", Some(&one))], json!({})).await;
    team.ready().await;
    let first = team.repository.head("main").unwrap();
    let second = team.push(&[("limits.yaml", Some(&config_map("limits", "two")))]).await;
    team.applied(&second).await;

    team.repository.force("main", &first);
    team.request("GitRepository", "app").await;
    team.applied(&first).await;
    assert_eq!(team.find("ConfigMap", "limits").await.unwrap()["data"]["value"], "one");

    team.repository.delete_branch("main");
    team.request("GitRepository", "app").await;
    let failed = source(&team, "False").await;
    insta::assert_snapshot!(team.steady(&failed.to_string()), @"False EmptyGitRepository: git repository is empty: 'URL'");
    assert!(team.find("ConfigMap", "limits").await.is_some(), "a source that vanished deletes nothing");
}

#[tokio::test]
async fn wrong_credentials_are_refused_and_new_ones_are_used_at_once() {
    let access = Access::Basic { username: "ada".into(), password: "lace".into() };
    let git = GitServer::serve(Transport::Http, access).await.unwrap();
    let secret = json!({ "username": "ada", "password": "wrong" });
    let team = following_on("password", &git, Some(secret)).await;
    let refused = source(&team, "False").await;
    insta::assert_snapshot!(team.steady(&refused.to_string()), @"False GitOperationFailed: failed to checkout and determine revision: unable to clone 'URL': authorization failed: the server does not accept the credentials");

    team.secret(json!({ "username": "ada", "password": "lace" })).await;
    team.request("GitRepository", "app").await;
    source(&team, "True").await;
}

#[tokio::test]
async fn a_server_is_trusted_by_its_own_authority_only() {
    let git = GitServer::serve(Transport::Https, Access::Public).await.unwrap();
    let stranger = GitServer::serve(Transport::Https, Access::Public).await.unwrap();
    let wrong = json!({ "ca.crt": stranger.authority().certificate_pem() });
    let team = following_on("authority", &git, Some(wrong)).await;
    let refused = source(&team, "False").await;
    assert!(refused.message.contains("certificate"), "{refused}");

    team.secret(json!({ "ca.crt": git.authority().certificate_pem() })).await;
    team.request("GitRepository", "app").await;
    source(&team, "True").await;
}

#[tokio::test]
async fn a_client_certificate_opens_a_server_that_asks_for_one() {
    let git = GitServer::serve(Transport::MutualTls, Access::Public).await.unwrap();
    let without = json!({ "ca.crt": git.authority().certificate_pem() });
    let team = following_on("mutual", &git, Some(without)).await;
    source(&team, "False").await;

    let identity = git.authority().client("fairlead", None);
    let with = json!({
        "ca.crt": git.authority().certificate_pem(),
        "tls.crt": identity.certificate_pem,
        "tls.key": identity.key_pem,
    });
    team.secret(with).await;
    team.request("GitRepository", "app").await;
    source(&team, "True").await;
}

#[tokio::test]
async fn an_outage_of_the_git_server_leaves_everything_as_it_is_and_ends_by_itself() {
    let one = config_map("limits", "one");
    let team = Team::following("outage", &[("limits.yaml", Some(&one))], json!({})).await;
    team.ready().await;

    team.git.set_outage(Some(503));
    let commit = team.push(&[("limits.yaml", Some(&config_map("limits", "two")))]).await;
    let failed = source(&team, "False").await;
    assert!(failed.message.contains("503"), "{failed}");
    assert_eq!(team.find("ConfigMap", "limits").await.unwrap()["data"]["value"], "one");
    assert_eq!(team.ready().await.reason, "ReconciliationSucceeded");

    team.git.set_outage(None);
    tokio::time::timeout(Duration::from_mins(1), team.applied(&commit)).await.unwrap();
}

#[tokio::test]
async fn a_repository_is_asked_for_through_the_proxy_that_its_source_names() {
    let team = Team::new("proxy").await;
    let proxy = TcpListener::bind("127.0.0.1:0").await.unwrap();
    team.secret(json!({ "address": format!("http://{}", proxy.local_addr().unwrap()) })).await;
    let mut source = team.git_repository(team.repository.url());
    source["spec"]["proxySecretRef"] = json!({ "name": "git" });
    team.cluster.apply(source).await;

    let (mut asking, _) = tokio::time::timeout(LIMIT, proxy.accept()).await.unwrap().unwrap();
    let mut asked = [0; "CONNECT 127.0.0.1:".len()];
    asking.read_exact(&mut asked).await.unwrap();
    assert_eq!(asked, *b"CONNECT 127.0.0.1:");
}
