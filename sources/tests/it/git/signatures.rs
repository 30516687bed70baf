//! Only what is signed by someone who is trusted is fetched.

use fairlead_sources::{
    fetch::{Fetch, SourceError},
    git::{GitReference, GitRequest, SecretData},
    verify::{GitVerification, GitVerificationMode},
};
use fairlead_tests::{
    GitServer, Repository,
    signing::{PgpSigner, Signer, SshSigner},
};

use super::{TestStore, anonymous, branch, secret, told};

const HEAD: GitVerificationMode = GitVerificationMode::Head;
const TAG: GitVerificationMode = GitVerificationMode::Tag;
const BOTH: GitVerificationMode = GitVerificationMode::TagAndHead;

fn demanding(
    repository: &Repository,
    reference: GitReference,
    mode: GitVerificationMode,
    keys: &SecretData,
) -> GitRequest {
    let verification = Some(GitVerification::new(mode, keys));
    GitRequest { verification, ..anonymous(repository.url(), reference) }
}

fn tag(name: &str) -> GitReference {
    GitReference::Tag(name.to_owned())
}

/// What verifying says; ids are replaced by what `names` calls them.
async fn verdict(request: &GitRequest, names: &[(&str, &str)]) -> String {
    let mut text = match TestStore::new().fetch(request).await {
        Ok((_, fetched)) => fetched.verified.and_then(|verified| verified.message).expect("it was demanded"),
        Err(error) => format!("{} {}: {}", error.condition(), error.reason(), told(&error)),
    };
    for (id, name) in names {
        text = text.replace(id, name);
    }
    text
}

fn commit(repository: &Repository, signer: &impl Signer) -> String {
    repository.signed_commit([("deploy.yaml", Some("one"))], "first", signer)
}

#[tokio::test]
async fn commits_and_tags_count_by_the_key_of_their_own_kind() {
    let server = GitServer::start().await;
    let (ada, ben) = (PgpSigner::new(), SshSigner::new());
    let repository = server.repository("shop");
    let head = commit(&repository, &ada);
    let by_ben = repository.signed_tag("v1.0.0", "v1.0.0", &head, &ben);
    let keys = secret([("ada.asc", &ada.public_key()), ("ben.sshpub", &ben.authorized_key())]);
    let names = [(head.as_str(), "HEAD"), (by_ben.as_str(), "OBJECT"), (&ada.id(), "ADA"), (&ben.fingerprint(), "BEN")];

    let request = demanding(&repository, branch("main"), HEAD, &keys);
    insta::assert_snapshot!(verdict(&request, &names).await, @r"
    verified signature of
    	- commit 'HEAD' with key 'ADA'
    ");
    let request = demanding(&repository, tag("v1.0.0"), TAG, &keys);
    insta::assert_snapshot!(verdict(&request, &names).await, @r"
    verified signature of
    	- tag 'v1.0.0@OBJECT' with key 'BEN'
    ");
    let request = demanding(&repository, GitReference::Semver("1.x".to_owned()), BOTH, &keys);
    insta::assert_snapshot!(verdict(&request, &names).await, @r"
    verified signature of
    	- tag 'v1.0.0@OBJECT' with key 'BEN'
    	- commit 'HEAD' with key 'ADA'
    ");
}

#[tokio::test]
async fn nothing_is_stored_of_what_is_not_signed_as_demanded() {
    let server = GitServer::start().await;
    let (ada, ben, eve) = (PgpSigner::new(), SshSigner::new(), PgpSigner::new());
    let repository = server.repository("shop");
    let unsigned = repository.commit([("deploy.yaml", Some("zero"))], "unsigned");
    repository.tag("light", &unsigned);
    repository.annotated_tag("annotated", &unsigned, "not signed");
    let by_ben = repository.signed_tag("v1.0.0", "v1.0.0", &unsigned, &ben);
    let moved = repository.signed_tag("v2.0.0", "v1.0.0", &unsigned, &ben);
    let by_eve = repository.signed_tag("v3.0.0", "v3.0.0", &unsigned, &eve);
    let by_nobody = repository.signed_tag("v4.0.0", "v4.0.0", &unsigned, &SshSigner::new());
    let for_files = repository.signed_tag("v5.0.0", "v5.0.0", &unsigned, &SshSigner::for_namespace("file"));
    let keys = secret([("ada.asc", &ada.public_key()), ("ben.sshpub", &ben.authorized_key())]);
    let only_pgp = secret([("ada.asc", &ada.public_key())]);
    let only_ssh = secret([("ben.sshpub", &ben.authorized_key())]);
    let broken = secret([("ada.asc", "no key"), ("ben.sshpub", "ssh-ed25519 AAAA")]);
    let empty = secret([]);
    let mut told = Vec::new();
    for (reference, mode, keys) in [
        (branch("main"), HEAD, &keys),
        (branch("main"), TAG, &keys),
        (GitReference::Commit { commit: unsigned.clone(), branch: None }, BOTH, &keys),
        (tag("light"), TAG, &keys),
        (tag("annotated"), TAG, &keys),
        (tag("v1.0.0"), BOTH, &keys),
        (tag("v1.0.0"), TAG, &only_pgp),
        (tag("v2.0.0"), TAG, &keys),
        (tag("v3.0.0"), TAG, &keys),
        (tag("v3.0.0"), TAG, &only_ssh),
        (tag("v3.0.0"), TAG, &broken),
        (tag("v4.0.0"), TAG, &keys),
        (tag("v4.0.0"), TAG, &broken),
        (tag("v5.0.0"), TAG, &keys),
        (tag("v5.0.0"), TAG, &empty),
    ] {
        let ids = [&by_ben, &moved, &by_eve, &by_nobody, &for_files].map(|id| (id.as_str(), "OBJECT"));
        let names = [&[(unsigned.as_str(), "HEAD")], ids.as_slice()].concat();
        told.push(verdict(&demanding(&repository, reference, mode, keys), &names).await);
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    SourceVerified InvalidCommitSignature: signature verification of commit 'HEAD' failed
      caused by: unsupported signature type: empty
    hint: sign it with `git commit -S` or `git tag -s`
    SourceVerified InvalidVerificationMode: cannot verify tag object's signature if a tag reference is not specified
    hint: follow a tag in `spec.ref`, or set `spec.verify.mode` to `HEAD`
    SourceVerified InvalidVerificationMode: cannot verify tag object's signature if a tag reference is not specified
    hint: follow a tag in `spec.ref`, or set `spec.verify.mode` to `HEAD`
    SourceVerified InvalidGitObject: cannot verify signature of tag 'light' since it is not signed
    hint: sign the tag with `git tag -s`
    SourceVerified InvalidGitObject: cannot verify signature of tag 'annotated@a380aa99e861b52acc6e0d9af5bced4e04af680c' since it is not signed
    hint: sign the tag with `git tag -s`
    SourceVerified InvalidCommitSignature: signature verification of commit 'HEAD' failed
      caused by: unsupported signature type: empty
    hint: sign it with `git commit -S` or `git tag -s`
    SourceVerified InvalidTagSignature: signature verification of tag 'v1.0.0@OBJECT' failed
      caused by: the signature is of type ssh, and the secret holds no key of that type
    hint: add the signer's key under a name that ends in `.sshpub`
    SourceVerified InvalidTagSignature: signature verification of tag 'v2.0.0@OBJECT' failed
      caused by: the tag object is that of 'v1.0.0'
    SourceVerified InvalidTagSignature: signature verification of tag 'v3.0.0@OBJECT' failed
      caused by: unable to verify Git tag
      caused by: unable to verify payload with any of the given key rings: no matching key
    SourceVerified InvalidTagSignature: signature verification of tag 'v3.0.0@OBJECT' failed
      caused by: the signature is of type openpgp, and the secret holds no key of that type
    hint: add the signer's key under a name that ends in `.asc`
    SourceVerified InvalidTagSignature: signature verification of tag 'v3.0.0@OBJECT' failed
      caused by: unable to verify Git tag
      caused by: unable to read armored key ring: not enough bytes in buffer: armor header
    SourceVerified InvalidTagSignature: signature verification of tag 'v4.0.0@OBJECT' failed
      caused by: unable to verify Git tag SSH signature
      caused by: unable to verify payload with any of the given authorized keys: no matching key
    SourceVerified InvalidTagSignature: signature verification of tag 'v4.0.0@OBJECT' failed
      caused by: unable to verify Git tag SSH signature
      caused by: unable to parse authorized keys: line 1: length invalid
    SourceVerified InvalidTagSignature: signature verification of tag 'v5.0.0@OBJECT' failed
      caused by: unable to verify Git tag SSH signature
      caused by: unable to verify payload with any of the given authorized keys: the signature is for `file` and not for `git`
    SourceVerified InvalidTagSignature: signature verification of tag 'v5.0.0@OBJECT' failed
      caused by: the signature is of type ssh, and the secret holds no key of that type
    hint: add the signer's key under a name that ends in `.sshpub`
    ");
}

#[tokio::test]
async fn a_key_counts_only_while_it_may_sign() {
    let server = GitServer::start().await;
    let mut told = Vec::new();
    for (row, signer) in [
        ("primary", PgpSigner::new()),
        ("subkey", PgpSigner::with_subkey()),
        ("good for a century", PgpSigner::new().expiring_after(3_153_600_000)),
        ("expired", PgpSigner::new().expiring_after(86_400)),
        ("subkey of an expired one", PgpSigner::with_subkey().expiring_after(86_400)),
        ("revoked", PgpSigner::new().revoked()),
        ("subkey of a revoked one", PgpSigner::with_subkey().revoked()),
        ("subkey of someone else", PgpSigner::new().with_foreign_subkey()),
    ] {
        let repository = server.repository(&row.replace(' ', "-"));
        let head = commit(&repository, &signer);
        let keys = secret([("ada", &signer.public_key())]);
        let names = [(head.as_str(), "HEAD"), (&signer.id(), "ADA"), (&signer.signing_id(), "SUBKEY")];
        let request = demanding(&repository, branch("main"), HEAD, &keys);
        told.push(format!("{row}: {}", verdict(&request, &names).await));
    }
    insta::assert_snapshot!(told.join("\n"), @r"
    primary: verified signature of
    	- commit 'HEAD' with key 'ADA'
    subkey: verified signature of
    	- commit 'HEAD' with key 'ADA'
    good for a century: verified signature of
    	- commit 'HEAD' with key 'ADA'
    expired: SourceVerified InvalidCommitSignature: signature verification of commit 'HEAD' failed
      caused by: unable to verify Git commit
      caused by: unable to verify payload with any of the given key rings: key 'ADA' has expired
    subkey of an expired one: SourceVerified InvalidCommitSignature: signature verification of commit 'HEAD' failed
      caused by: unable to verify Git commit
      caused by: unable to verify payload with any of the given key rings: key 'ADA' has expired
    revoked: SourceVerified InvalidCommitSignature: signature verification of commit 'HEAD' failed
      caused by: unable to verify Git commit
      caused by: unable to verify payload with any of the given key rings: key 'ADA' is revoked
    subkey of a revoked one: SourceVerified InvalidCommitSignature: signature verification of commit 'HEAD' failed
      caused by: unable to verify Git commit
      caused by: unable to verify payload with any of the given key rings: key 'ADA' is revoked
    subkey of someone else: SourceVerified InvalidCommitSignature: signature verification of commit 'HEAD' failed
      caused by: unable to verify Git commit
      caused by: unable to verify payload with any of the given key rings: key 'SUBKEY' is not one that may sign
    ");
}

#[tokio::test]
async fn a_commit_that_was_changed_after_it_was_signed_does_not_count() {
    let server = GitServer::start().await;
    let repository = server.repository("shop");
    let ada = PgpSigner::new();
    let head = commit(&repository, &ada);
    let forged =
        repository.signed_commit([("deploy.yaml", Some("two"))], "second", &Replay(ada.sign(b"something else")));
    let keys = secret([("ada.asc", &ada.public_key())]);
    let names = [(forged.as_str(), "FORGED")];
    let said = verdict(&demanding(&repository, branch("main"), HEAD, &keys), &names).await;
    assert_ne!(head, forged);
    insta::assert_snapshot!(said, @r"
    SourceVerified InvalidCommitSignature: signature verification of commit 'FORGED' failed
      caused by: unable to verify Git commit
      caused by: unable to verify payload with any of the given key rings: no matching key
    ");
}

/// Someone who has only a signature that another one made.
struct Replay(String);

impl Signer for Replay {
    fn sign(&self, _: &[u8]) -> String {
        self.0.clone()
    }
}

#[test]
fn a_request_is_another_one_with_other_keys_or_another_mode() {
    let request = |mode, keys: &SecretData| GitRequest {
        verification: Some(GitVerification::new(mode, keys)),
        ..anonymous("https://git.example.org/shop", branch("main"))
    };
    let (one, other) = (secret([("a.asc", "x")]), secret([("a.asc", "y")]));
    let first = request(HEAD, &one);
    assert_eq!(first.verification(), request(HEAD, &one).verification());
    for (mode, keys) in [(HEAD, &other), (TAG, &one)] {
        assert_ne!(first.verification(), request(mode, keys).verification());
        assert_ne!(first.fingerprint(), request(mode, keys).fingerprint());
    }
}
