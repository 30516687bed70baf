//! The `fairlead` binary: as a command, and as a controller with the rights that its installation grants.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::OnceCell;

use crate::{
    cluster::{CommandOutput, TestCluster, free_port},
    process::ServerProcess,
    wait::eventually,
    web,
};

/// How long the controller may take to fill its caches on a busy machine.
const READY_LIMIT: Duration = Duration::from_mins(1);

/// The namespace that Fairlead is installed in.
pub const NAMESPACE: &str = "flux-system";

/// The name of the controller's account.
pub const ACCOUNT: &str = "fairlead";

/// Returns the `fairlead` binary that was built beside the running program.
///
/// # Panics
/// If there is none.
pub fn fairlead() -> PathBuf {
    let this = env::current_exe().expect("a running program has a path");
    let beside = this.ancestors().skip(1).take(2).map(|folder| folder.join("fairlead"));
    beside
        .into_iter()
        .find(|path| path.is_file())
        .expect("`fairlead` is built: `cargo xtask test` does so, or `cargo build --package fairlead`")
}

/// A controller that runs as a process of its own, as its own account.
#[derive(Debug)]
pub struct Controller {
    process: Mutex<ServerProcess>,
    command: ControllerCommand,
}

/// All that it takes to start the same controller again.
#[derive(Debug)]
struct ControllerCommand {
    kubeconfig: PathBuf,
    folder: PathBuf,
    flags: Vec<String>,
    artifacts_port: u16,
    receiver_port: u16,
    metrics_port: u16,
    health_port: u16,
}

/// A cluster that Fairlead is installed in, and its controller.
#[derive(Debug)]
pub struct Installation {
    /// The cluster.
    pub cluster: &'static TestCluster,
    /// Its only controller.
    pub controller: Controller,
}

impl Installation {
    /// Returns the installation that all tests of this binary share, and makes it for the first.
    ///
    /// # Panics
    /// If it cannot be made; the message says why.
    pub async fn shared() -> &'static Self {
        static SHARED: OnceCell<Installation> = OnceCell::const_new();
        let install = async || {
            let cluster = TestCluster::shared().await;
            cluster.install().await;
            Self { cluster, controller: Controller::start(cluster, &["--feature-gates=ExternalArtifact=true"]).await }
        };
        SHARED.get_or_init(install).await
    }
}

impl TestCluster {
    /// Runs `fairlead` with every right.
    ///
    /// # Panics
    /// If the binary is not built.
    pub async fn fairlead(&self, arguments: &[&str]) -> CommandOutput {
        self.run(&fairlead(), arguments).await
    }

    /// Installs Fairlead as a user does. There is no node to run its Deployment on, see [`Controller`].
    ///
    /// # Panics
    /// If `fairlead install` fails.
    pub async fn install(&self) {
        let output = self.fairlead(&["install"]).await;
        assert_eq!(output.code, Some(0), "`fairlead install` failed: {}", output.stderr);
    }
}

impl Controller {
    /// Starts a controller with the account that [`TestCluster::install`] has made, and waits until it is ready.
    ///
    /// # Panics
    /// If it does not become ready; the message has the end of its log.
    pub async fn start(cluster: &TestCluster, flags: &[&str]) -> Self {
        let kubeconfig = cluster.kubeconfig_for_service_account(NAMESPACE, ACCOUNT).await;
        Self::start_with(cluster, kubeconfig, flags).await
    }

    /// Starts a controller that reaches its API server by `kubeconfig`, and waits until it is ready.
    ///
    /// # Panics
    /// If it does not become ready; the message has the end of its log.
    pub async fn start_with(cluster: &TestCluster, kubeconfig: PathBuf, flags: &[&str]) -> Self {
        let flags = flags.iter().map(ToString::to_string).collect();
        let command = ControllerCommand::new(kubeconfig, cluster.folder(), flags).expect("loopback has free ports");
        let process = Mutex::new(command.start().expect("the controller can be started"));
        let controller = Self { process, command };
        controller.await_ready().await;
        controller
    }

    /// Returns the user as whom it writes when it impersonates nobody.
    pub fn user() -> String {
        format!("system:serviceaccount:{NAMESPACE}:{ACCOUNT}")
    }

    /// Returns its metrics as text.
    ///
    /// # Panics
    /// If it does not answer.
    pub async fn metrics(&self) -> String {
        web::get(&format!("http://127.0.0.1:{}/metrics", self.command.metrics_port)).await.1
    }

    /// Returns all that it has logged.
    ///
    /// # Panics
    /// If its log cannot be read.
    pub fn log(&self) -> String {
        fs::read_to_string(self.command.log()).expect("a started controller has a log")
    }

    /// Returns the folder of its artifact store, which it has to itself while it runs.
    pub fn store(&self) -> PathBuf {
        self.command.store()
    }

    /// Returns the host and port that artifacts are served from.
    pub fn artifact_address(&self) -> String {
        format!("127.0.0.1:{}", self.command.artifacts_port)
    }

    /// Returns the URL that webhooks are sent to, without the path of their Receiver.
    pub fn webhook_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.command.receiver_port)
    }

    /// Ends it at once, as a crash would. Its store stays.
    pub fn kill(&self) {
        self.process().kill();
    }

    /// Ends it as Kubernetes does, and returns its exit code if it ended in time.
    pub fn stop(&self) -> Option<i32> {
        let mut process = self.process();
        process.stop();
        process.ended().ok().flatten().and_then(|status| status.code())
    }

    /// Waits until it ends by itself, and returns its exit code.
    ///
    /// # Panics
    /// If it still runs when `limit` is over.
    pub async fn ended(&self, limit: Duration) -> Option<i32> {
        let ended = eventually(limit, async || self.process().ended().ok().flatten()).await;
        ended.unwrap_or_else(|| panic!("after {limit:?} the controller still runs:\n{}", self.log())).code()
    }

    /// Starts it again on the same store after [`Controller::kill`] or [`Controller::stop`].
    ///
    /// # Panics
    /// If it does not become ready; the message has the end of its log.
    pub async fn restart(&self) {
        *self.process() = self.command.start().expect("the controller can be started");
        self.await_ready().await;
    }

    async fn await_ready(&self) {
        let url = format!("http://127.0.0.1:{}/readyz", self.command.health_port);
        let ready = eventually(READY_LIMIT, async || {
            let has_ended = !matches!(self.process().ended(), Ok(None));
            assert!(!has_ended, "the controller ended:\n{}", self.process().last_words());
            web::try_get(&url).await.ok().filter(|(status, _)| *status == 200)
        });
        let ready = ready.await;
        assert!(ready.is_some(), "the controller is not ready:\n{}", self.process().last_words());
    }

    fn process(&self) -> MutexGuard<'_, ServerProcess> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ControllerCommand {
    fn new(kubeconfig: PathBuf, cluster: &Path, flags: Vec<String>) -> io::Result<Self> {
        let artifacts_port = free_port()?;
        let folder = cluster.join(format!("controller-{artifacts_port}"));
        fs::create_dir(&folder)?;
        let [receiver_port, metrics_port, health_port] = [free_port()?, free_port()?, free_port()?];
        Ok(Self { kubeconfig, folder, flags, artifacts_port, receiver_port, metrics_port, health_port })
    }

    fn start(&self) -> io::Result<ServerProcess> {
        let mut command: Command = fairlead_tools::command(fairlead());
        command
            .arg("controller")
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .arg("--storage-path")
            .arg(self.store())
            .arg(format!("--storage-addr=127.0.0.1:{}", self.artifacts_port))
            .arg(format!("--storage-adv-addr=127.0.0.1:{}", self.artifacts_port))
            .arg(format!("--receiver-addr=127.0.0.1:{}", self.receiver_port))
            .arg(format!("--metrics-addr=127.0.0.1:{}", self.metrics_port))
            .arg(format!("--health-addr=127.0.0.1:{}", self.health_port))
            // Every server of the harness is there.
            .arg("--allow-egress=127.0.0.1")
            .args(&self.flags)
            .env("RUNTIME_NAMESPACE", NAMESPACE);
        ServerProcess::start(&command, &self.log(), &self.folder)
    }

    fn log(&self) -> PathBuf {
        self.folder.join("log")
    }

    fn store(&self) -> PathBuf {
        self.folder.join("store")
    }
}
