//! What a cluster's installation says about itself.

use fairlead_api::{install::NAME, names::labels};
use fairlead_reconciler::cluster::{ApiError, Cluster, Resource};
use serde_json::Value;

use crate::output::warning;

const DEFAULT_ACCOUNT: &str = "--default-service-account";

/// The account that the controller gives to a Kustomization which names none, as the arguments of its Deployment say.
///
/// Who may not read Deployments is told that it is not known.
pub(crate) async fn default_account(cluster: &Cluster) -> Result<Option<String>, ApiError> {
    let deployments = Resource::namespaced("apps", "v1", "Deployment", "deployments");
    let of_controller = format!("labelSelector={}={NAME}", labels::COMPONENT);
    match cluster.list(&deployments, "", &of_controller).await {
        Ok(found) => Ok(found.iter().find_map(account_of)),
        Err(error) if error.is_forbidden() => {
            warning(format!(
                "the controller's Deployment may not be read: name its default account with {DEFAULT_ACCOUNT}"
            ));
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The default account in the arguments of `deployment`, in either of the two ways to write a flag.
fn account_of(deployment: &Value) -> Option<String> {
    let containers = deployment["spec"]["template"]["spec"]["containers"].as_array()?;
    let mut arguments = containers.iter().filter_map(|container| container["args"].as_array()).flatten();
    let rest = arguments.find_map(|argument| argument.as_str()?.strip_prefix(DEFAULT_ACCOUNT))?;
    let account = match rest.strip_prefix('=') {
        Some(account) => account,
        None => arguments.next()?.as_str()?,
    };
    Some(account.to_owned()).filter(|account| !account.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_default_account_is_read_from_the_arguments_of_the_controller() {
        let rows = [
            (json!(["controller", "--default-service-account=tenant", "--log-level=info"]), Some("tenant")),
            (json!(["controller", "--default-service-account", "tenant"]), Some("tenant")),
            (json!(["controller", "--default-service-account="]), None),
            (json!(["controller"]), None),
            (json!(null), None),
        ];
        for (arguments, expected) in rows {
            let deployment = json!({"spec": {"template": {"spec": {"containers": [{"args": arguments}]}}}});
            assert_eq!(account_of(&deployment).as_deref(), expected, "{arguments}");
        }
    }
}
