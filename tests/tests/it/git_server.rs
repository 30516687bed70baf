//! The Git server speaks Git's own protocol, and keeps out whom it should.

use std::path::Path;

use fairlead_tests::{
    GitServer,
    git::{Access, Transport},
};

/// Clones with Git itself and returns the content of `file`, or what Git says.
async fn clone(url: &str, settings: &[&str], file: &str) -> Result<String, String> {
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let mut command = fairlead_tools::command("git");
    for setting in settings {
        command.args(["-c", setting]);
    }
    command.args(["clone", "--quiet", "--depth=1", url, "copy"]).current_dir(folder.path());
    command.env("GIT_TERMINAL_PROMPT", "0").env("HOME", folder.path()).env_remove("GIT_SSL_CAINFO");
    let output = tokio::process::Command::from(command).output().await.expect("git is installed");
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let path = folder.path().join("copy").join(Path::new(file));
    Ok(std::fs::read_to_string(path).unwrap_or_else(|_| format!("no {file}")))
}

#[tokio::test]
async fn a_clone_has_the_last_commit_and_costs_two_requests() {
    let server = GitServer::start().await;
    let shop = server.repository("shop");
    shop.commit([("a/web.yaml", Some("one")), ("old.yaml", Some("x"))], "first");
    shop.commit([("a/web.yaml", Some("two")), ("old.yaml", None)], "second");

    assert_eq!(clone(shop.url(), &[], "a/web.yaml").await.unwrap(), "two");
    assert_eq!(clone(shop.url(), &[], "old.yaml").await.unwrap(), "no old.yaml");

    let advertisements = server.requests().iter().filter(|request| request.uri.contains("/info/refs")).count();
    assert_eq!(advertisements, 2);
}

#[tokio::test]
async fn a_commit_has_the_same_name_in_every_run() {
    let server = GitServer::start().await;
    let name = server.repository("shop").commit([("web.yaml", Some("one"))], "first");
    assert_eq!(name, server.repository("copy").commit([("web.yaml", Some("one"))], "first"));
}

#[tokio::test]
async fn a_private_repository_wants_its_password() {
    let access = Access::Basic { username: "ada".into(), password: "lace".into() };
    let server = GitServer::serve(Transport::Http, access).await.unwrap();
    let shop = server.repository("shop");
    shop.commit([("web.yaml", Some("one"))], "first");

    assert!(clone(shop.url(), &[], "web.yaml").await.is_err());
    let with_password = shop.url().replace("http://", "http://ada:lace@");
    assert_eq!(clone(&with_password, &[], "web.yaml").await.unwrap(), "one");
}

#[tokio::test]
async fn a_server_with_its_own_authority_is_trusted_by_who_knows_it() {
    let server = GitServer::serve(Transport::Https, Access::Public).await.unwrap();
    let shop = server.repository("shop");
    shop.commit([("web.yaml", Some("one"))], "first");
    let authority = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(authority.path(), server.authority().certificate_pem()).unwrap();

    assert!(clone(shop.url(), &[], "web.yaml").await.is_err());
    let trusted = format!("http.sslCAInfo={}", authority.path().display());
    assert_eq!(clone(shop.url(), &[&trusted], "web.yaml").await.unwrap(), "one");
}
