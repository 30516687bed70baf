//! A real kube-apiserver with its store on loopback, and on request the controllers behind it.

mod layout;
mod users;

use std::{
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use fairlead_tools::{Tool, ToolError};
use k8s_openapi::api::core::v1::{Namespace, ServiceAccount};
use kube::{
    Api, Client, Config,
    api::{ObjectMeta, PostParams},
    config::{Kubeconfig, KubeconfigError},
};
use tempfile::TempDir;
use tokio::sync::OnceCell;

use crate::{
    audit::{AuditLog, Request},
    pki::Authority,
    process::ServerProcess,
    report,
    wait::eventually,
};
use layout::Layout;
pub(crate) use layout::free_port;
use users::client_config;

/// How long a server may take to become ready on a busy machine.
const START_LIMIT: Duration = Duration::from_secs(90);

/// How long the audit log may lag behind an answer.
const AUDIT_LIMIT: Duration = Duration::from_secs(10);

/// How often a start is tried again when another process took the port that was free a moment before.
const ATTEMPTS: usize = 3;

/// The controllers that act on what tests create. There are no nodes, so nothing that needs one is here.
const CONTROLLERS: &str = "clusterrole-aggregation-controller,daemonset-controller,deployment-controller,\
    garbage-collector-controller,job-controller,namespace-controller,persistentvolumeclaim-protection-controller,\
    replicaset-controller,resourcequota-controller,root-ca-certificate-publisher-controller,\
    serviceaccount-controller,statefulset-controller";

/// Those that roll Deployments out; accounts are what tells that they run.
const ROLLOUT_CONTROLLERS: &str = "deployment-controller,replicaset-controller,serviceaccount-controller";

/// Whether a cluster acts on Deployments, namespaces that are deleted, and orphans.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Controllers {
    /// kube-controller-manager runs, without a limit on its requests that a test would notice.
    Run,
    /// It rolls Deployments out and does nothing else, so that a benchmark does not measure it.
    RollOut,
    /// Objects stay as they are written.
    Absent,
}

impl Controllers {
    /// Returns the names that kube-controller-manager is started with, if it is.
    const fn names(self) -> Option<&'static str> {
        match self {
            Self::Run => Some(CONTROLLERS),
            Self::RollOut => Some(ROLLOUT_CONTROLLERS),
            Self::Absent => None,
        }
    }
}

/// Why there is no cluster.
#[derive(Debug, thiserror::Error)]
pub enum ClusterError {
    /// One of the programs is missing and cannot be built.
    #[error(transparent)]
    Tool(#[from] ToolError),
    /// A file or process cannot be made.
    #[error("cannot start {server}")]
    Start {
        /// The program.
        server: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// A program ended although nobody asked it to.
    #[error("{server} ended; its last words:\n{last_words}")]
    Ended {
        /// The program.
        server: &'static str,
        /// The end of its log.
        last_words: String,
    },
    /// A program runs but does not answer.
    #[error("{server} was not ready after {} s; its last words:\n{last_words}", START_LIMIT.as_secs())]
    NotReady {
        /// The program.
        server: &'static str,
        /// The end of its log.
        last_words: String,
    },
    /// The client does not accept the configuration that was written for it.
    #[error("cannot use the cluster's kubeconfig")]
    Kubeconfig(#[from] KubeconfigError),
    /// The API server refuses something that a fresh one accepts.
    #[error("the API server refuses a request of the harness")]
    Request(#[from] kube::Error),
}

/// What a command printed and how it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandOutput {
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// The exit code; none if a signal ended it.
    pub code: Option<i32>,
}

/// A Kubernetes API server that belongs to one test, or to all tests of one binary.
///
/// It authorises by RBAC and logs who asked for what. Dropping it ends its servers in order and removes its folder.
#[derive(Debug)]
pub struct TestCluster {
    /// Before `folder`, so that the servers are gone before it is.
    servers: Mutex<Servers>,
    config: Config,
    authority: Authority,
    layout: Layout,
    names: AtomicU32,
    folder: TempDir,
}

/// The processes, in the order in which they end.
#[derive(Debug)]
struct Servers {
    controllers: Option<ServerProcess>,
    apiserver: Option<ServerProcess>,
    etcd: ServerProcess,
}

impl TestCluster {
    /// Starts a cluster without controllers.
    ///
    /// # Panics
    /// If it cannot be started; the message says what is missing.
    pub async fn start() -> Self {
        Self::launch(Controllers::Absent).await.unwrap_or_else(|error| panic!("no test cluster: {}", report(&error)))
    }

    /// Starts a cluster whose Deployments roll out and whose namespaces go away when deleted.
    ///
    /// # Panics
    /// If it cannot be started; the message says what is missing.
    pub async fn with_controllers() -> Self {
        Self::launch(Controllers::Run).await.unwrap_or_else(|error| panic!("no test cluster: {}", report(&error)))
    }

    /// Returns the cluster with controllers that all tests of this binary share, and starts it for the first.
    ///
    /// Tests keep apart by [`TestCluster::namespace`]. It ends with the binary.
    ///
    /// # Panics
    /// If it cannot be started; the message says what is missing.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<TestCluster> = OnceCell::const_new();
        SHARED.get_or_init(Self::with_controllers).await
    }

    /// Starts a cluster.
    ///
    /// # Errors
    /// If a program is missing and cannot be built, or does not become ready.
    pub async fn launch(controllers: Controllers) -> Result<Self, ClusterError> {
        fairlead_tools::provide(&needed(controllers), |line| eprintln!("{line}"))?;
        let mut attempt = 1;
        loop {
            match Self::launch_once(controllers).await {
                Err(ClusterError::Ended { last_words, .. })
                    if attempt < ATTEMPTS && last_words.contains("address already in use") =>
                {
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn launch_once(controllers: Controllers) -> Result<Self, ClusterError> {
        let folder = tempfile::Builder::new()
            .prefix("fairlead-cluster-")
            .tempdir()
            .map_err(|source| ClusterError::Start { server: "a cluster", source })?;
        let authority = Authority::new("fairlead test cluster");
        let layout = Layout::prepare(folder.path(), &authority)
            .map_err(|source| ClusterError::Start { server: "a cluster", source })?;
        let etcd = layout.start(Tool::Etcd, layout.etcd())?;
        let apiserver = layout.start(Tool::KubeApiserver, layout.apiserver())?;
        let kubeconfig = fs::read_to_string(layout.kubeconfig("admin")).unwrap_or_default();
        let config = client_config(Kubeconfig::from_yaml(&kubeconfig)?).await?;
        let servers = Servers { controllers: None, apiserver: Some(apiserver), etcd };
        let cluster =
            Self { servers: Mutex::new(servers), config, authority, layout, names: AtomicU32::new(0), folder };
        cluster.await_ready().await?;
        if let Some(names) = controllers.names() {
            cluster.start_controllers(names).await?;
        }
        Ok(cluster)
    }

    /// Returns a client with every right.
    ///
    /// A client belongs to the runtime that it is made in, so each test makes its own.
    ///
    /// # Panics
    /// Outside of a Tokio runtime.
    pub fn client(&self) -> Client {
        Client::try_from(self.config.clone()).expect("the admin's configuration is complete")
    }

    /// Returns the configuration of a client with every right.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Returns the kubeconfig of a user with every right.
    pub fn kubeconfig(&self) -> PathBuf {
        self.layout.kubeconfig("admin")
    }

    /// Returns the URL of the API server.
    pub fn url(&self) -> String {
        self.layout.url()
    }

    /// Returns the folder that goes away with the cluster, for files of a test's own.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Creates a namespace whose name starts with `prefix` and that no other test has.
    ///
    /// # Panics
    /// If the API server refuses it.
    pub async fn namespace(&self, prefix: &str) -> String {
        let name = format!("{prefix}-{}", self.names.fetch_add(1, Ordering::Relaxed));
        let metadata = ObjectMeta { name: Some(name.clone()), ..ObjectMeta::default() };
        let namespace = Namespace { metadata, ..Namespace::default() };
        let namespaces: Api<Namespace> = Api::all(self.client());
        namespaces.create(&PostParams::default(), &namespace).await.expect("the admin may create a namespace");
        name
    }

    /// Returns all requests that were answered before this call, oldest first.
    ///
    /// # Panics
    /// If the audit log cannot be read or does not catch up.
    pub async fn requests(&self) -> Vec<Request> {
        static MARKS: AtomicU32 = AtomicU32::new(0);
        let mark = format!("/livez?mark={}", MARKS.fetch_add(1, Ordering::Relaxed));
        get(&self.client(), &mark).await.expect("the API server is alive");
        let log = AuditLog::new(self.layout.audit_log());
        eventually(AUDIT_LIMIT, async || {
            let requests = log.requests().expect("the API server writes its audit log");
            let end = requests.iter().rposition(|request| request.uri == mark)?;
            Some(requests[..end].to_vec())
        })
        .await
        .expect("the audit log catches up")
    }

    /// Returns the writes that were sent with the rights of `user`, whether they succeeded or not.
    ///
    /// A service account's user is `system:serviceaccount:<namespace>:<name>`.
    pub async fn writes_by(&self, user: &str) -> Vec<Request> {
        let mut requests = self.requests().await;
        requests.retain(|request| request.user == user && request.is_write());
        requests
    }

    /// Runs `kubectl` with every right.
    ///
    /// # Panics
    /// If it is missing and cannot be built.
    pub async fn kubectl(&self, arguments: &[&str]) -> CommandOutput {
        fairlead_tools::provide(&[Tool::Kubectl], |line| eprintln!("{line}"))
            .unwrap_or_else(|error| panic!("no kubectl: {}", report(&error)));
        self.run(&Tool::Kubectl.path(), arguments).await
    }

    /// Returns a command that starts `program` for a user whose default cluster is this one, with every right.
    pub fn command(&self, program: &Path) -> Command {
        let mut command = fairlead_tools::command(program);
        command.env("KUBECONFIG", self.kubeconfig()).env("HOME", self.folder()).stdin(Stdio::null());
        command
    }

    /// Runs `program` as [`TestCluster::command`] starts it.
    pub(crate) async fn run(&self, program: &Path, arguments: &[&str]) -> CommandOutput {
        let mut command = self.command(program);
        command.args(arguments);
        let output = tokio::process::Command::from(command).output().await.expect("the program can be started");
        CommandOutput {
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
            code: output.status.code(),
        }
    }

    /// Ends the API server as a crash would; its data stays.
    pub fn stop_api_server(&self) {
        self.servers().apiserver = None;
    }

    /// Starts the API server again after [`TestCluster::stop_api_server`], on the same port with the same data.
    ///
    /// # Panics
    /// If it does not become ready.
    pub async fn start_api_server(&self) {
        let started = self.layout.start(Tool::KubeApiserver, self.layout.apiserver());
        let apiserver = started.unwrap_or_else(|error| panic!("no API server: {}", report(&error)));
        self.servers().apiserver = Some(apiserver);
        self.await_ready().await.unwrap_or_else(|error| panic!("no API server: {}", report(&error)));
    }

    async fn start_controllers(&self, names: &str) -> Result<(), ClusterError> {
        let controllers = self.layout.start(Tool::KubeControllerManager, Layout::controllers(names))?;
        self.servers().controllers = Some(controllers);
        let accounts: Api<ServiceAccount> = Api::namespaced(self.client(), "default");
        self.await_server(Tool::KubeControllerManager, async || accounts.get("default").await.ok().map(drop)).await
    }

    async fn await_ready(&self) -> Result<(), ClusterError> {
        let mut config = self.config.clone();
        config.default_retry = false;
        let client = Client::try_from(config)?;
        self.await_server(Tool::KubeApiserver, async || get(&client, "/readyz").await.ok().map(drop)).await
    }

    async fn await_server(&self, tool: Tool, mut ready: impl AsyncFnMut() -> Option<()>) -> Result<(), ClusterError> {
        let outcome = eventually(START_LIMIT, async || {
            if let Some(last_words) = self.servers().last_words_if_ended(tool) {
                return Some(Err(ClusterError::Ended { server: tool.name(), last_words }));
            }
            ready().await.map(Ok)
        });
        outcome.await.unwrap_or_else(|| {
            Err(ClusterError::NotReady { server: tool.name(), last_words: self.servers().last_words(tool) })
        })
    }

    fn servers(&self) -> MutexGuard<'_, Servers> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Servers {
    fn last_words_if_ended(&mut self, tool: Tool) -> Option<String> {
        let server = self.server(tool)?;
        let ended = !matches!(server.ended(), Ok(None));
        ended.then(|| server.last_words())
    }

    fn last_words(&mut self, tool: Tool) -> String {
        self.server(tool).map(|server| server.last_words()).unwrap_or_default()
    }

    fn server(&mut self, tool: Tool) -> Option<&mut ServerProcess> {
        match tool {
            Tool::Etcd => Some(&mut self.etcd),
            Tool::KubeApiserver => self.apiserver.as_mut(),
            Tool::KubeControllerManager => self.controllers.as_mut(),
            Tool::Kubectl | Tool::Kustomize | Tool::Helm | Tool::Flux => None,
        }
    }
}

fn needed(controllers: Controllers) -> Vec<Tool> {
    let mut tools = vec![Tool::Etcd, Tool::KubeApiserver];
    tools.extend(controllers.names().map(|_| Tool::KubeControllerManager));
    tools
}

async fn get(client: &Client, uri: &str) -> Result<String, kube::Error> {
    let request = http::Request::get(uri).body(Vec::new()).map_err(kube::Error::HttpError)?;
    client.request_text(request).await
}
