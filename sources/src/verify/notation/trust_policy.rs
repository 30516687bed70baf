//! Which checks an image of which repository must pass, and whose signatures count: Notation's trust policy.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::identity::TrustedIdentities;

/// A trust policy.
#[derive(Clone, Debug)]
pub(super) struct TrustPolicy(Vec<Statement>);

/// What is demanded of the images of some repositories.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    scopes: Vec<String>,
    pub(super) demand: Demand,
}

/// What is demanded.
#[derive(Clone, Debug)]
pub(super) enum Demand {
    /// Nothing at all.
    Nothing,
    /// A signature that passes these checks.
    Signature {
        /// What is done about each check that fails.
        checks: Checks,
        /// Whose signature counts.
        identities: TrustedIdentities,
        /// Whether certificates of an authority that states the time are trusted.
        of_signing_authority: bool,
        /// Whether certificates of any other authority are.
        of_authority: bool,
    },
}

/// What is done about each check that fails. That the signature is of the image cannot be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Checks {
    pub(super) authenticity: Action,
    pub(super) timestamp: Action,
    pub(super) expiry: Action,
    pub(super) revocation: Action,
}

/// What is done about a check that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Action {
    /// The signature does not count.
    Enforce,
    /// It is said, and the signature counts.
    Log,
    /// It is not made.
    Skip,
}

/// A text that is no trust policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TrustPolicyError {
    /// It is not of the form that it has to have.
    #[error("it cannot be read: {0}")]
    Malformed(String),
    /// Its version is another one.
    #[error("version `{}` is not known", .0.escape_debug())]
    Version(String),
    /// A statement says what cannot be.
    #[error("statement `{}` {problem}", name.escape_debug())]
    Statement {
        /// Its name.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Written {
    version: String,
    trust_policies: Vec<WrittenStatement>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WrittenStatement {
    name: String,
    registry_scopes: Vec<String>,
    signature_verification: WrittenVerification,
    #[serde(default)]
    trust_stores: Vec<String>,
    #[serde(default)]
    trusted_identities: Vec<String>,
}

#[derive(Deserialize)]
struct WrittenVerification {
    level: Level,
    #[serde(default)]
    r#override: BTreeMap<Check, Action>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Strict,
    Permissive,
    Audit,
    Skip,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Check {
    Integrity,
    Authenticity,
    AuthenticTimestamp,
    Expiry,
    Revocation,
}

impl TrustPolicy {
    pub(super) fn parse(json: &[u8]) -> Result<Self, TrustPolicyError> {
        let written: Written =
            serde_json::from_slice(json).map_err(|error| TrustPolicyError::Malformed(error.to_string()))?;
        if written.version != "1.0" {
            return Err(TrustPolicyError::Version(written.version));
        }
        written.trust_policies.iter().map(Statement::read).collect::<Result<_, _>>().map(Self)
    }

    /// The statement for `repository`, a registry's host and a path: one that names it, or else one for all.
    pub(super) fn statement(&self, repository: &str) -> Option<&Statement> {
        let named = |scope: &str| self.0.iter().find(|statement| statement.scopes.iter().any(|known| known == scope));
        named(repository).or_else(|| named("*"))
    }
}

impl Statement {
    fn read(written: &WrittenStatement) -> Result<Self, TrustPolicyError> {
        let WrittenStatement { name, registry_scopes: scopes, signature_verification, trust_stores, .. } = written;
        let refused = |problem| TrustPolicyError::Statement { name: name.clone(), problem };
        if scopes.is_empty() {
            return Err(refused("names no registry scope"));
        }
        let WrittenVerification { level, r#override } = signature_verification;
        let Some(checks) = level.checks() else {
            return Ok(Self { scopes: scopes.clone(), demand: Demand::Nothing });
        };
        if r#override.contains_key(&Check::Integrity) {
            return Err(refused("overrides the check of integrity, which is always made"));
        }
        let has_store = |kind: &str| trust_stores.iter().any(|store| store.starts_with(kind));
        let (of_authority, of_signing_authority) = (has_store("ca:"), has_store("signingAuthority:"));
        if !of_authority && !of_signing_authority {
            return Err(refused("names no trust store of the kind `ca` or `signingAuthority`"));
        }
        let identities = TrustedIdentities::parse(&written.trusted_identities).map_err(refused)?;
        let checks = r#override.iter().fold(checks, |checks, (check, action)| checks.with(*check, *action));
        let demand = Demand::Signature { checks, identities, of_signing_authority, of_authority };
        Ok(Self { scopes: scopes.clone(), demand })
    }
}

impl Level {
    /// The checks of the level; none if nothing is checked.
    fn checks(self) -> Option<Checks> {
        let all = |authenticity, others| Checks { authenticity, timestamp: others, expiry: others, revocation: others };
        match self {
            Self::Strict => Some(all(Action::Enforce, Action::Enforce)),
            Self::Permissive => Some(all(Action::Enforce, Action::Log)),
            Self::Audit => Some(all(Action::Log, Action::Log)),
            Self::Skip => None,
        }
    }
}

impl Checks {
    fn with(self, check: Check, action: Action) -> Self {
        match check {
            Check::Integrity => self,
            Check::Authenticity => Self { authenticity: action, ..self },
            Check::AuthenticTimestamp => Self { timestamp: action, ..self },
            Check::Expiry => Self { expiry: action, ..self },
            Check::Revocation => Self { revocation: action, ..self },
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn policy(statements: &Value) -> Result<TrustPolicy, TrustPolicyError> {
        TrustPolicy::parse(json!({ "version": "1.0", "trustPolicies": statements }).to_string().as_bytes())
    }

    fn statement(name: &str, scope: &str, verification: &Value) -> Value {
        json!({
            "name": name, "registryScopes": [scope], "signatureVerification": verification,
            "trustStores": ["ca:shop"], "trustedIdentities": ["*"],
        })
    }

    #[test]
    fn a_statement_that_names_the_repository_comes_before_one_for_all() {
        let policy = policy(&json!([
            statement("all", "*", &json!({ "level": "strict" })),
            statement("shop", "r.example.org/shop", &json!({ "level": "audit", "override": { "expiry": "enforce" } })),
            statement("open", "r.example.org/open", &json!({ "level": "skip" })),
        ]))
        .expect("a policy");
        for (repository, scope) in [
            ("r.example.org/shop", "r.example.org/shop"),
            ("r.example.org/shop/more", "*"),
            ("r.example.org/open", "r.example.org/open"),
            ("other", "*"),
        ] {
            assert_eq!(policy.statement(repository).expect("a statement").scopes, [scope], "{repository}");
        }
        assert!(matches!(policy.statement("r.example.org/open").expect("a statement").demand, Demand::Nothing));
        let Demand::Signature { checks, .. } = policy.statement("r.example.org/shop").expect("a statement").demand
        else {
            panic!("a signature is demanded");
        };
        let (log, enforce) = (Action::Log, Action::Enforce);
        assert_eq!(checks, Checks { authenticity: log, timestamp: log, expiry: enforce, revocation: log });
    }

    #[test]
    fn a_policy_that_says_what_cannot_be_is_refused() {
        let strict = || json!({ "level": "strict" });
        let mut no_store = statement("a", "*", &strict());
        no_store["trustStores"] = json!(["tsa:times"]);
        let mut nobody = statement("a", "*", &strict());
        nobody["trustedIdentities"] = json!([]);
        let mut half = statement("a", "*", &strict());
        half["trustedIdentities"] = json!(["x509.subject: CN=shop"]);
        let mut no_scope = statement("a", "*", &strict());
        no_scope["registryScopes"] = json!([]);
        let told = [
            policy(&json!([no_scope])),
            policy(&json!([no_store])),
            policy(&json!([nobody])),
            policy(&json!([half])),
            policy(&json!([statement("a", "*", &json!({ "level": "strict", "override": { "integrity": "log" } }))])),
            policy(&json!([statement("a", "*", &json!({ "level": "loose" }))])),
            TrustPolicy::parse(br#"{"version":"2.0","trustPolicies":[]}"#),
        ]
        .map(|refused| refused.map(drop).expect_err("no policy").to_string());
        insta::assert_snapshot!(told.join("\n"), @r"
        statement `a` names no registry scope
        statement `a` names no trust store of the kind `ca` or `signingAuthority`
        statement `a` names no trusted identity
        statement `a` has a subject without `C`, `ST` or `O`
        statement `a` overrides the check of integrity, which is always made
        it cannot be read: unknown variant `loose`, expected one of `strict`, `permissive`, `audit`, `skip` at line 1 column 93
        version `2.0` is not known
        ");
        assert!(policy(&json!([])).expect("a policy").statement("any").is_none());
    }
}
