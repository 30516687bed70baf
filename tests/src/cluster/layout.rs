//! Where the servers of a cluster keep what they need, and the command lines that they are started with.

use std::{
    fs, io,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use fairlead_tools::Tool;
use serde_json::{Value, json};

use super::ClusterError;
use crate::{
    audit,
    pki::{Authority, Identity, new_key},
    process::ServerProcess,
};

/// Where things are: all that a command line needs.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    folder: PathBuf,
    etcd_port: u16,
    api_port: u16,
}

impl Layout {
    /// Writes certificates, keys, policies and kubeconfigs into `folder`, and picks ports.
    pub(super) fn prepare(folder: &Path, authority: &Authority) -> io::Result<Self> {
        let layout = Self { folder: folder.to_owned(), etcd_port: free_port()?, api_port: free_port()? };
        let server = authority.server(&["127.0.0.1", "localhost", "kubernetes", "kubernetes.default.svc", "10.96.0.1"]);
        let token_key = new_key();
        let admin = authority.client("admin", Some("system:masters"));
        let controllers = authority.client("system:kube-controller-manager", None);
        let files = [
            ("ca.crt", authority.certificate_pem().to_owned()),
            ("apiserver.crt", server.certificate_pem),
            ("apiserver.key", server.key_pem),
            ("tokens.key", token_key.serialize_pem()),
            ("tokens.pub", token_key.public_key_pem()),
            ("audit-policy.json", audit::POLICY.to_owned()),
            ("admin.kubeconfig", layout.kubeconfig_text(authority, &by_certificate(&admin))),
            ("controllers.kubeconfig", layout.kubeconfig_text(authority, &by_certificate(&controllers))),
        ];
        for (name, text) in files {
            fs::write(folder.join(name), text)?;
        }
        Ok(layout)
    }

    pub(super) fn start(&self, tool: Tool, arguments: Vec<String>) -> Result<ServerProcess, ClusterError> {
        let mut command: Command = fairlead_tools::command(tool.path());
        command.args(arguments).current_dir(&self.folder);
        let log = self.folder.join(format!("{}.log", tool.name()));
        ServerProcess::start(&command, &log, &self.folder)
            .map_err(|source| ClusterError::Start { server: tool.name(), source })
    }

    pub(super) fn etcd(&self) -> Vec<String> {
        let client_url = format!("http://127.0.0.1:{}", self.etcd_port);
        let peer_url = "http://127.0.0.1:0";
        vec![
            "--data-dir=etcd".into(),
            // A test's data need not survive a power cut, and each write would wait for the disk.
            "--unsafe-no-fsync".into(),
            format!("--listen-client-urls={client_url}"),
            format!("--advertise-client-urls={client_url}"),
            format!("--listen-peer-urls={peer_url}"),
            format!("--initial-advertise-peer-urls={peer_url}"),
            format!("--initial-cluster=default={peer_url}"),
            "--quota-backend-bytes=8589934592".into(),
            "--log-level=error".into(),
        ]
    }

    pub(super) fn apiserver(&self) -> Vec<String> {
        vec![
            format!("--etcd-servers=http://127.0.0.1:{}", self.etcd_port),
            "--bind-address=127.0.0.1".into(),
            "--advertise-address=127.0.0.1".into(),
            format!("--secure-port={}", self.api_port),
            "--endpoint-reconciler-type=none".into(),
            "--tls-cert-file=apiserver.crt".into(),
            "--tls-private-key-file=apiserver.key".into(),
            "--client-ca-file=ca.crt".into(),
            "--service-account-issuer=https://kubernetes.default.svc".into(),
            "--service-account-signing-key-file=tokens.key".into(),
            "--service-account-key-file=tokens.pub".into(),
            "--service-cluster-ip-range=10.96.0.0/16".into(),
            "--authorization-mode=RBAC".into(),
            "--audit-policy-file=audit-policy.json".into(),
            format!("--audit-log-path={}", self.audit_log().display()),
            // In megabytes: never rotated, since readers know one file.
            "--audit-log-maxsize=100000".into(),
            "--shutdown-delay-duration=0s".into(),
        ]
    }

    pub(super) fn controllers(names: &str) -> Vec<String> {
        vec![
            "--kubeconfig=controllers.kubeconfig".into(),
            "--root-ca-file=ca.crt".into(),
            format!("--controllers={names}"),
            // The defaults of 20 and 30 would be what a benchmark of Deployments measures.
            "--kube-api-qps=1000".into(),
            "--kube-api-burst=1000".into(),
            "--use-service-account-credentials".into(),
            "--leader-elect=false".into(),
            "--secure-port=0".into(),
        ]
    }

    pub(super) fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.api_port)
    }

    pub(super) fn audit_log(&self) -> PathBuf {
        self.folder.join("audit.log")
    }

    pub(super) fn kubeconfig(&self, user: &str) -> PathBuf {
        self.folder.join(format!("{user}.kubeconfig"))
    }

    /// Returns a kubeconfig as JSON, which is YAML too.
    pub(super) fn kubeconfig_text(&self, authority: &Authority, user: &Value) -> String {
        json!({
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{
                "name": "fairlead",
                "cluster": {
                    "server": self.url(),
                    "certificate-authority-data": base64_of(authority.certificate_pem()),
                },
            }],
            "users": [{ "name": "fairlead", "user": user }],
            "contexts": [{ "name": "fairlead", "context": { "cluster": "fairlead", "user": "fairlead" } }],
            "current-context": "fairlead",
        })
        .to_string()
    }
}

pub(super) fn by_certificate(identity: &Identity) -> Value {
    json!({
        "client-certificate-data": base64_of(&identity.certificate_pem),
        "client-key-data": base64_of(&identity.key_pem),
    })
}

fn base64_of(text: &str) -> String {
    STANDARD.encode(text)
}

/// Returns a port that nothing listens on at this moment.
pub(crate) fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
