//! Who asks a cluster: clients and kubeconfigs with the rights of a user or a service account.

use std::{
    fs,
    path::{Path, PathBuf},
};

use k8s_openapi::api::{
    authentication::v1::{TokenRequest, TokenRequestSpec},
    core::v1::ServiceAccount,
};
use kube::{
    Api, Client, Config,
    api::PostParams,
    config::{KubeConfigOptions, Kubeconfig, KubeconfigError},
};
use serde_json::json;

use super::{TestCluster, layout::by_certificate};

impl TestCluster {
    /// Returns a client that has the rights of the service account `name`, which must exist.
    ///
    /// # Panics
    /// If the API server issues no token for it.
    pub async fn client_for_service_account(&self, namespace: &str, name: &str) -> Client {
        let config = self.config_for_service_account(namespace, name).await;
        Client::try_from(config).expect("a configuration with a token is complete")
    }

    /// Returns the configuration of a client that has the rights of the service account `name`, which must exist.
    pub(crate) async fn config_for_service_account(&self, namespace: &str, name: &str) -> Config {
        let kubeconfig = self.kubeconfig_of_service_account(namespace, name).await;
        client_config(kubeconfig).await.expect("a kubeconfig with a token is complete")
    }

    /// Writes a kubeconfig with the rights of the service account `name`, which must exist, and returns its path.
    ///
    /// # Panics
    /// If the API server issues no token for it, or the file cannot be written.
    pub async fn kubeconfig_for_service_account(&self, namespace: &str, name: &str) -> PathBuf {
        let kubeconfig = self.kubeconfig_of_service_account(namespace, name).await;
        let path = self.layout.kubeconfig(&format!("{namespace}.{name}"));
        let text = serde_json::to_string(&kubeconfig).expect("a kubeconfig is JSON");
        fs::write(&path, text).expect("the cluster's folder is writable");
        path
    }

    /// Writes a kubeconfig for `user` without any group, and returns its path.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn kubeconfig_for_user(&self, user: &str) -> PathBuf {
        let identity = self.authority.client(user, None);
        let kubeconfig = self.layout.kubeconfig_text(&self.authority, &by_certificate(&identity));
        let path = self.layout.kubeconfig(user);
        fs::write(&path, kubeconfig).expect("the cluster's folder is writable");
        path
    }

    /// Writes a kubeconfig whose user has the token that the file `token` holds at each moment, and returns its path.
    ///
    /// # Panics
    /// If the file cannot be written.
    pub fn kubeconfig_for_token_file(&self, token: &Path) -> PathBuf {
        let text = self.layout.kubeconfig_text(&self.authority, &json!({ "tokenFile": token }));
        let path = token.with_extension("kubeconfig");
        fs::write(&path, text).expect("the folder of the token is writable");
        path
    }

    /// Returns a token of the service account `name`, which must exist. It is worth nothing when the account is deleted.
    ///
    /// # Panics
    /// If the API server issues none.
    pub async fn token(&self, namespace: &str, name: &str) -> String {
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client(), namespace);
        let request = TokenRequest {
            spec: TokenRequestSpec { expiration_seconds: Some(24 * 3600), ..TokenRequestSpec::default() },
            ..TokenRequest::default()
        };
        let answer = accounts.create_token_request(name, &PostParams::default(), &request).await;
        let token = answer.unwrap_or_else(|error| panic!("no token for {namespace}/{name}: {error}"));
        token.status.expect("an issued token has a status").token
    }

    async fn kubeconfig_of_service_account(&self, namespace: &str, name: &str) -> Kubeconfig {
        let token = self.token(namespace, name).await;
        let text = self.layout.kubeconfig_text(&self.authority, &json!({ "token": token }));
        Kubeconfig::from_yaml(&text).expect("a kubeconfig that was just written can be read")
    }
}

pub(super) async fn client_config(kubeconfig: Kubeconfig) -> Result<Config, KubeconfigError> {
    Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await
}
