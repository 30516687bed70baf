//! Two scopes in one namespace: the later configuration is refused.
//!
//! Whoever may create pods in a namespace can run them as any account there. A configuration for one tenant's namespace
//! lets the tenant do just that, so no account with more rights may be its neighbour.

use fairlead_api::fairlead::ConfigurationScope;
use serde::Deserialize;
use serde_json::Value;

/// A configuration of a namespace, as far as its neighbours matter. Orders by age.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Neighbour {
    /// RFC 3339 in UTC and whole seconds, so that it sorts as text.
    created: String,
    pub(super) name: String,
}

/// The oldest of the configurations `all` of one namespace that is older than `name` and has another scope.
///
/// It is read from the objects themselves: one that cannot be read otherwise still counts.
pub(super) fn conflict(all: &[Value], name: &str) -> Option<Neighbour> {
    let own = all.iter().find(|object| object["metadata"]["name"] == name)?;
    let older = all.iter().filter(|other| scope(other) != scope(own)).map(neighbour);
    older.filter(|other| *other < neighbour(own)).min()
}

fn neighbour(object: &Value) -> Neighbour {
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default().to_owned();
    Neighbour { created: text("creationTimestamp"), name: text("name") }
}

fn scope(object: &Value) -> ConfigurationScope {
    ConfigurationScope::deserialize(&object["spec"]["scope"]).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_later_of_two_scopes_is_refused() {
        let object = |name: &str, scope: &str, second: u32| {
            let created = format!("2026-01-05T10:00:{second:02}Z");
            json!({"metadata": {"name": name, "creationTimestamp": created}, "spec": {"scope": scope}})
        };
        let all = [
            object("apps", "namespace", 10),
            object("more", "namespace", 20),
            object("platform", "cluster", 15),
            object("same-second", "cluster", 20),
            json!({"metadata": {"name": "broken", "creationTimestamp": "2026-01-05T10:00:30Z"}, "spec": {}}),
        ];
        for (name, refused_for) in [
            ("apps", None),
            ("platform", Some("apps")),
            ("more", Some("platform")),
            ("same-second", Some("apps")),
            ("broken", Some("apps")),
            ("not-there", None),
        ] {
            let found = conflict(&all, name);
            assert_eq!(found.as_ref().map(|other| other.name.as_str()), refused_for, "{name}");
        }
    }
}
