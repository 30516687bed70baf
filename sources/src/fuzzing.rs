//! What reads the bytes of strangers in the midst of something larger, each by itself, so that the fuzzer can try it.
//!
//! Each function takes any bytes. It panics where something does not hold, and so does not return then.

use russh::keys::PublicKey;

use crate::{
    git::{GitReference, KnownHosts, Verdict, rehearse},
    helm::read_in_both_ways,
    oci::{Document, challenges},
};

/// A Git server's side of a conversation: what it lists, and the pack that it sends.
///
/// # Panics
/// If there is more in the pack than was sent.
pub fn git_server(answers: &[&[u8]]) {
    let sent: usize = answers.iter().map(|answer| answer.len()).sum();
    let references = [
        GitReference::Branch("main".to_owned()),
        GitReference::Tag("v1.0.0".to_owned()),
        GitReference::Semver(">=1.0.0-0".to_owned()),
        GitReference::Name("refs/pull/1/head^{}".to_owned()),
        GitReference::Commit { commit: "a".repeat(40), branch: None },
    ];
    for reference in &references {
        match rehearse(answers, reference) {
            Ok(pack) => assert!(pack.len() <= sent, "a pack of {} bytes of {sent}", pack.len()),
            Err(error) => drop(error.to_string()),
        }
    }
}

/// The text of a `known_hosts`, and the name of a server with `key`.
///
/// # Panics
/// If a key that is revoked for all servers is trusted by one, or one that is trusted has an algorithm that is not asked for.
pub fn known_hosts(text: &str, host: &str, port: u16) {
    let key = PublicKey::from_openssh(HOST_KEY).expect("a key");
    let Ok(known) = KnownHosts::parse(text) else { return };
    let is_trusted = known.check(host, port, &key) == Verdict::Trusted;
    assert!(!is_trusted || known.algorithms(host, port).contains(&key.algorithm()), "it is trusted and not asked for");
    let revoked = KnownHosts::parse(&format!("{text}\n@revoked * {HOST_KEY}")).expect("a line more");
    assert_eq!(revoked.check(host, port, &key), Verdict::Revoked, "at {host}:{port}");
}

/// The key of the servers that [`known_hosts`] is asked about.
pub const HOST_KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

/// The index of a Helm repository.
///
/// # Panics
/// If both readers of it read it, and not the same.
pub fn helm_index(index: &[u8]) {
    let (usual, general) = read_in_both_ways(index);
    if let Some(usual) = usual {
        assert_eq!(Ok(usual), general, "{}", String::from_utf8_lossy(index));
    }
}

/// What a registry answers: a manifest, or who it wants to know.
///
/// # Panics
/// If what lists layers and manifests at once is taken for one of them.
pub fn registry(answer: &[u8]) {
    challenges(&String::from_utf8_lossy(answer));
    let document = Document::parse(answer).map_err(|error| error.to_string());
    let value: serde_json::Value = serde_json::from_slice(answer).unwrap_or_default();
    let is_both = value["layers"].is_array() && value["manifests"].is_array();
    assert!(!is_both || document.is_err(), "{document:?}");
}
