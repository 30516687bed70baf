//! Feature gates: Flux's names, and what each of them finds here.

/// The feature gates that can be switched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Gates {
    /// A variable without value and default is an error.
    pub(super) strict_substitution: bool,
    /// Kustomizations may be built from what other controllers serve.
    pub(super) external_artifacts: bool,
}

/// A feature gate that cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum GateError {
    #[error("--feature-gates: `{0}` is not of the form Name=true or Name=false")]
    Malformed(String),
    #[error("--feature-gates: there is no gate `{0}`")]
    Unknown(String),
    #[error("--feature-gates: `{name}={asked}` cannot be had: {why}")]
    Fixed { name: &'static str, asked: bool, why: &'static str },
}

/// What is so here with a gate of Flux's that cannot be switched.
#[derive(Clone, Copy)]
enum Fact {
    /// It is always as `value` says, because of what the text tells.
    Always(bool, &'static str),
    /// It is about how Flux saves requests or memory: nobody sees a difference.
    Inward,
}

/// Flux's gates besides those that can be switched.
const FACTS: [(&str, Fact); 12] = [
    ("AdditiveCELDependencyCheck", Fact::Always(false, "`readyExpr` stands in place of the built-in check")),
    ("CacheSecretsAndConfigMaps", Fact::Inward),
    ("CancelHealthCheckOnNewRevision", Fact::Always(true, "a newer revision always ends the wait for health")),
    ("DirectSourceFetch", Fact::Inward),
    ("DisableConfigWatchers", Fact::Always(false, "the Secrets and ConfigMaps that variables come from are watched")),
    ("DisableFailFastBehavior", Fact::Always(false, "an object that has failed ends the wait for health")),
    ("DisableStatusPollerCache", Fact::Inward),
    ("GroupChangeLog", Fact::Always(false, "events list each object on a line")),
    ("MigrateAPIVersion", Fact::Always(false, "managed fields are left at the version they were written with")),
    (
        "ObjectLevelWorkloadIdentity",
        Fact::Always(false, "the identity of a service account is not used for sources yet"),
    ),
    ("OOMWatch", Fact::Always(false, "Fairlead does not restart itself when memory runs short")),
    ("OptimizedGitClones", Fact::Always(true, "an unchanged repository is never fetched again")),
];

impl Gates {
    pub(super) fn read(written: &[String]) -> Result<Self, GateError> {
        let mut gates = Self { strict_substitution: true, external_artifacts: false };
        for gate in written {
            let malformed = || GateError::Malformed(gate.clone());
            let (name, value) = gate.split_once('=').ok_or_else(malformed)?;
            let value = value.parse().map_err(|_| malformed())?;
            match name {
                "ExternalArtifact" => gates.external_artifacts = value,
                "StrictPostBuildSubstitutions" => gates.strict_substitution = value,
                name => accept(name, value)?,
            }
        }
        Ok(gates)
    }
}

/// Accepts a gate that asks for what is so anyway.
fn accept(name: &str, asked: bool) -> Result<(), GateError> {
    let Some((name, fact)) = FACTS.iter().find(|(known, _)| *known == name) else {
        return Err(GateError::Unknown(name.to_owned()));
    };
    match *fact {
        Fact::Always(value, why) if value != asked => Err(GateError::Fixed { name, asked, why }),
        Fact::Always(..) | Fact::Inward => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gate_is_switched_or_asks_for_what_is_so_or_is_refused() {
        let answer = |gate: &str| match Gates::read(&[gate.to_owned()]) {
            Ok(Gates { strict_substitution, external_artifacts }) => {
                format!("{gate}: strict substitution {strict_substitution}, external artifacts {external_artifacts}")
            }
            Err(error) => error.to_string(),
        };
        let gates = [
            "StrictPostBuildSubstitutions=false",
            "CancelHealthCheckOnNewRevision=true",
            "CacheSecretsAndConfigMaps=true",
            "ExternalArtifact=true",
            "GroupChangeLog=true",
            "Warp=true",
            "Warp",
            "DirectSourceFetch=maybe",
        ];
        insta::assert_snapshot!(gates.map(answer).join("\n"), @r"
        StrictPostBuildSubstitutions=false: strict substitution false, external artifacts false
        CancelHealthCheckOnNewRevision=true: strict substitution true, external artifacts false
        CacheSecretsAndConfigMaps=true: strict substitution true, external artifacts false
        ExternalArtifact=true: strict substitution true, external artifacts true
        --feature-gates: `GroupChangeLog=true` cannot be had: events list each object on a line
        --feature-gates: there is no gate `Warp`
        --feature-gates: `Warp` is not of the form Name=true or Name=false
        --feature-gates: `DirectSourceFetch=maybe` is not of the form Name=true or Name=false
        ");
    }
}
