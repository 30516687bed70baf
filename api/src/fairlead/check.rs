//! What a configuration's schema cannot check.
//!
//! Each rule over one object's own fields is a CEL rule of the schema, so that the API server refuses the object. Here
//! are those that need the object's namespace, a walk through a graph, or a look into encoded text.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::configuration::FluxConfiguration;
use super::sources::{GitRepositorySource, OciVerification};
use crate::source::SignatureProvider;

/// Why a configuration cannot be used as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigurationError {
    /// The namespace that is given is not the object's own.
    #[error("spec.namespace is `{written}`, but the configuration lies in namespace `{own}`")]
    OtherNamespace {
        /// The namespace that is given.
        written: String,
        /// The object's namespace.
        own: String,
    },
    /// Kustomizations wait for each other.
    #[error("spec.kustomizations: dependsOn goes round in a circle: {}", .0.join(" → "))]
    DependencyCycle(Vec<String>),
    /// A field that holds base64 holds something else.
    #[error("{field}: not base64")]
    NotBase64 {
        /// The field.
        field: &'static str,
        /// Where it is not.
        source: base64::DecodeError,
    },
    /// A field does not hold, in base64, what it should.
    #[error("{field}: not {expected}")]
    Malformed {
        /// The field.
        field: &'static str,
        /// What it should hold.
        expected: &'static str,
    },
}

impl FluxConfiguration {
    /// Fails with the first thing that its schema cannot check and that is wrong.
    pub fn check(&self) -> Result<(), ConfigurationError> {
        self.check_namespace()?;
        self.check_dependencies()?;
        self.spec.git_repository.as_ref().map_or(Ok(()), check_git_repository)?;
        let verify = self.spec.oci_repository.as_ref().and_then(|oci| oci.verify.as_ref());
        verify.map_or(Ok(()), |verify| verify.signers().map(drop))
    }

    fn check_namespace(&self) -> Result<(), ConfigurationError> {
        let own = self.metadata.namespace.as_deref().unwrap_or_default();
        match &self.spec.namespace {
            Some(written) if written != own => {
                Err(ConfigurationError::OtherNamespace { written: written.clone(), own: own.to_owned() })
            }
            Some(_) | None => Ok(()),
        }
    }

    fn check_dependencies(&self) -> Result<(), ConfigurationError> {
        let mut done = Vec::new();
        self.spec.kustomizations.keys().try_for_each(|name| self.follow(name, &mut Vec::new(), &mut done))
    }

    /// Walks what `name` depends on; `path` is how it was reached, and `done` is what needs no second look.
    fn follow<'a>(
        &'a self,
        name: &'a str,
        path: &mut Vec<&'a str>,
        done: &mut Vec<&'a str>,
    ) -> Result<(), ConfigurationError> {
        if done.contains(&name) {
            return Ok(());
        }
        let round = path.iter().position(|before| *before == name);
        path.push(name);
        if let Some(start) = round {
            let cycle = path[start..].iter().map(|&name| name.to_owned()).collect();
            return Err(ConfigurationError::DependencyCycle(cycle));
        }
        let others = self.spec.kustomizations.get(name).map_or(&[][..], |kustomization| &kustomization.depends_on);
        others.iter().try_for_each(|other| self.follow(other, path, done))?;
        path.pop();
        done.push(name);
        Ok(())
    }
}

fn check_git_repository(git: &GitRepositorySource) -> Result<(), ConfigurationError> {
    git.known_hosts()?;
    git.ca_certificate()?;
    Ok(())
}

const KNOWN_HOSTS: &str = "spec.gitRepository.sshKnownHosts";
const CA_CERTIFICATE: &str = "spec.gitRepository.httpsCACert";

impl GitRepositorySource {
    /// The lines of `sshKnownHosts`, decoded. Whether they name the server shows when it is reached.
    pub fn known_hosts(&self) -> Result<Option<String>, ConfigurationError> {
        const EXPECTED: &str = "lines of a known_hosts file";
        let Some(decoded) = decode(KNOWN_HOSTS, self.ssh_known_hosts.as_ref())? else { return Ok(None) };
        let lines = decoded.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        if lines.clone().all(is_known_host) && lines.count() > 0 {
            return Ok(Some(decoded));
        }
        Err(ConfigurationError::Malformed { field: KNOWN_HOSTS, expected: EXPECTED })
    }

    /// The certificates of `httpsCACert` in PEM, decoded.
    pub fn ca_certificate(&self) -> Result<Option<String>, ConfigurationError> {
        let Some(decoded) = decode(CA_CERTIFICATE, self.https_ca_cert.as_ref())? else { return Ok(None) };
        if decoded.contains("-----BEGIN CERTIFICATE-----") && decoded.contains("-----END CERTIFICATE-----") {
            return Ok(Some(decoded));
        }
        Err(ConfigurationError::Malformed { field: CA_CERTIFICATE, expected: "a certificate in PEM" })
    }
}

const VERIFICATION_CONFIG: &str = "spec.ociRepository.verify.verificationConfig";

impl OciVerification {
    /// What `verificationConfig` holds, decoded, by the names that the Secret of an `OCIRepository` has for it.
    pub fn signers(&self) -> Result<BTreeMap<String, String>, ConfigurationError> {
        self.verification_config.iter().map(|(name, written)| self.signer(name, written)).collect()
    }

    fn signer(&self, name: &str, written: &str) -> Result<(String, String), ConfigurationError> {
        const FIELD: &str = VERIFICATION_CONFIG;
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        if name.is_empty() || name.len() > NAME_LIMIT || !name.bytes().all(is_allowed) {
            let expected = "names of letters, digits, `-`, `_` and `.`";
            return Err(ConfigurationError::Malformed { field: FIELD, expected });
        }
        let is_key = |text: &str| text.contains("-----BEGIN PUBLIC KEY-----");
        let text = if written.contains("-----BEGIN ") || written.trim_start().starts_with('{') {
            written.to_owned()
        } else {
            decode(FIELD, Some(&written.to_owned()))?.unwrap_or_default()
        };
        let name = match self.provider {
            SignatureProvider::Cosign if is_key(&text) && !name.ends_with(KEY_ENDING) => format!("{name}{KEY_ENDING}"),
            SignatureProvider::Cosign | SignatureProvider::Notation => name.to_owned(),
        };
        Ok((name, text))
    }
}

/// How the names of public keys end in a Secret.
const KEY_ENDING: &str = ".pub";

/// Longest name in `verificationConfig`, so that an ending fits into the name of a Secret's key.
const NAME_LIMIT: usize = 249;

/// Decodes the base64 in `field`, which may be broken into lines, as UTF-8.
fn decode(field: &'static str, written: Option<&String>) -> Result<Option<String>, ConfigurationError> {
    let Some(written) = written else { return Ok(None) };
    let joined: String = written.split_ascii_whitespace().collect();
    let bytes = STANDARD.decode(joined).map_err(|source| ConfigurationError::NotBase64 { field, source })?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err(ConfigurationError::Malformed { field, expected: "text" }),
    }
}

/// Whether `line` has the parts of a known host: an optional marker, hosts, a key type and a key in base64.
fn is_known_host(line: &str) -> bool {
    let mut parts = line.split_ascii_whitespace();
    let first = parts.next().unwrap_or_default();
    if first.starts_with('@') && !matches!(first, "@cert-authority" | "@revoked") {
        return false;
    }
    let hosts = if first.starts_with('@') { parts.next() } else { Some(first) };
    let key_type = parts.next().is_some_and(|key_type| {
        key_type.starts_with("ssh-") || key_type.starts_with("ecdsa-sha2-") || key_type.starts_with("sk-")
    });
    hosts.is_some() && key_type && parts.next().is_some_and(|key| STANDARD.decode(key).is_ok())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::with_fields;

    const KEY: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

    fn configuration(spec: &Value) -> FluxConfiguration {
        let git = json!({"url": "https://example.org/repo", "repositoryRef": {"branch": "main"}});
        let mut configuration = FluxConfiguration::new("shop", with_fields(json!({"gitRepository": git}), spec));
        configuration.metadata.namespace = Some("team-a".to_owned());
        configuration
    }

    fn git(field: &str, content: &str) -> Value {
        json!({"gitRepository": {
            "url": "https://example.org/repo", "repositoryRef": {"branch": "main"}, field: STANDARD.encode(content),
        }})
    }

    const PEM: &str = "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n";

    fn signers(provider: &str, trusted: &Value) -> Value {
        let verify = json!({"provider": provider, "verificationConfig": trusted});
        json!({"ociRepository": {"url": "oci://example.org/a", "verify": verify}})
    }

    #[test]
    fn a_public_key_gets_the_name_that_marks_it() {
        let names = |provider, trusted| {
            let oci = configuration(&signers(provider, &trusted)).spec.oci_repository.expect("it is set");
            let signers = oci.verify.expect("it is set").signers().expect("they can be read");
            assert!(signers.values().all(|text| !text.is_empty()), "{signers:?}");
            signers.into_keys().collect::<Vec<_>>()
        };
        let cosign = names("cosign", json!({"ada": STANDARD.encode(PEM), "eve.pub": PEM, "trusted_root.json": "{}"}));
        assert_eq!(cosign, ["ada.pub", "eve.pub", "trusted_root.json"]);
        let notation = names("notation", json!({"ca.crt": "-----BEGIN CERTIFICATE-----", "trustpolicy.json": "{}"}));
        assert_eq!(notation, ["ca.crt", "trustpolicy.json"]);
    }

    #[test]
    fn what_the_schema_cannot_check_is_checked() {
        let known_hosts = |line: &str| git("sshKnownHosts", line);
        let no_hosts = "spec.gitRepository.sshKnownHosts: not lines of a known_hosts file";
        for (case, spec, expected) in [
            ("nothing to check", json!({}), "ok"),
            ("the namespace of the object", json!({"namespace": "team-a"}), "ok"),
            (
                "another namespace",
                json!({"namespace": "team-b"}),
                "spec.namespace is `team-b`, but the configuration lies in namespace `team-a`",
            ),
            (
                "a diamond of dependencies",
                json!({"kustomizations": {
                    "a": {"dependsOn": ["b", "c"]}, "b": {"dependsOn": ["d"]}, "c": {"dependsOn": ["d"]}, "d": {},
                }}),
                "ok",
            ),
            (
                "a cycle behind a tail",
                json!({"kustomizations": {
                    "a": {"dependsOn": ["b"]}, "b": {"dependsOn": ["c"]}, "c": {"dependsOn": ["b"]},
                }}),
                "spec.kustomizations: dependsOn goes round in a circle: b → c → b",
            ),
            (
                "a kustomization that waits for itself",
                json!({"kustomizations": {"a": {"dependsOn": ["a"]}}}),
                "spec.kustomizations: dependsOn goes round in a circle: a → a",
            ),
            (
                "keys and a root",
                signers("cosign", &json!({ "ada": PEM, "eve.pub": STANDARD.encode(PEM), "r.json": "{}" })),
                "ok",
            ),
            (
                "a key that is none",
                signers("cosign", &json!({ "ada": "?" })),
                "spec.ociRepository.verify.verificationConfig: not base64",
            ),
            (
                "a name that no Secret's key can have",
                signers("cosign", &json!({ "ada lovelace": PEM })),
                "spec.ociRepository.verify.verificationConfig: not names of letters, digits, `-`, `_` and `.`",
            ),
            ("a known host", known_hosts(&format!("# ours\n\nexample.org ssh-ed25519 {KEY} comment\n")), "ok"),
            ("a hashed host", known_hosts(&format!("|1|c2FsdA==|aGFzaA== ecdsa-sha2-nistp256 {KEY}")), "ok"),
            ("a marked host", known_hosts(&format!("@cert-authority *.example.org ssh-rsa {KEY}")), "ok"),
            ("an unknown marker", known_hosts(&format!("@mark *.example.org ssh-rsa {KEY}")), no_hosts),
            ("a host without a key", known_hosts("example.org ssh-ed25519"), no_hosts),
            ("a key that is none", known_hosts("example.org ssh-ed25519 !"), no_hosts),
            ("no host at all", known_hosts("# nothing"), no_hosts),
            ("a certificate", git("httpsCACert", "-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----"), "ok"),
            (
                "something else than a certificate",
                git("httpsCACert", "hello"),
                "spec.gitRepository.httpsCACert: not a certificate in PEM",
            ),
            (
                "text that is not in base64",
                json!({"gitRepository": {
                    "url": "https://example.org/repo", "repositoryRef": {"branch": "main"}, "httpsCACert": "-----BEGIN",
                }}),
                "spec.gitRepository.httpsCACert: not base64",
            ),
        ] {
            let outcome = configuration(&spec).check().map_or_else(|error| error.to_string(), |()| "ok".to_owned());
            assert_eq!(outcome, expected, "{case}");
        }
    }
}
