//! Whom a Kustomization or a `HelmRelease` runs as, and how far that may reach.
//!
//! The account that it names comes first, then the operator's default. In a namespace that a `FluxConfiguration` of scope
//! `namespace` owns, what names no account runs as that configuration's, so that what a tenant writes never runs as this
//! process.

use fairlead_api::fairlead::ConfigurationScope;
use fairlead_plan::scope::Scope;
use kube::ResourceExt;

use crate::{
    cluster::Identity,
    controllers::{ObjectKey, World, flux_configuration::account_name},
};

/// Whom to run as, and the limits that are checked before anything is written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Standing {
    pub(crate) identity: Identity,
    pub(crate) scope: Scope,
}

/// How the object `key` stands, that names `account` or none.
pub(crate) fn standing(world: &World, key: &ObjectKey, account: Option<&str>) -> Standing {
    let tenant = tenants_account(world, key, account);
    let default = world.settings.default_service_account.as_deref();
    let name = account.or(default).or(tenant.as_deref());
    let identity = name.map_or(Identity::Own, |name| Identity::ServiceAccount {
        namespace: key.namespace.clone(),
        name: name.to_owned(),
    });
    let scope = match tenant {
        Some(service_account) => Scope::Namespace { namespace: key.namespace.clone(), service_account },
        None => Scope::Cluster,
    };
    Standing { identity, scope }
}

/// The account of the namespace-scoped configuration that the object belongs to, if it belongs to one.
fn tenants_account(world: &World, key: &ObjectKey, account: Option<&str>) -> Option<String> {
    let all = world.configurations.all();
    let of_namespace = all.iter().filter_map(|object| object.parsed.as_ref().ok()).filter(|configuration| {
        configuration.metadata.namespace.as_deref() == Some(&key.namespace)
            && configuration.spec.scope == ConfigurationScope::Namespace
    });
    let mut accounts: Vec<String> = of_namespace.map(|configuration| account_name(&configuration.name_any())).collect();
    accounts.sort();
    match account {
        Some(named) => accounts.into_iter().find(|known| known == named),
        None => accounts.into_iter().next(),
    }
}
