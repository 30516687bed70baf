//! What the demo shows, step by step.

use std::{
    error::Error,
    path::Path,
    time::{Duration, Instant},
};

use fairlead_tests::{
    Controller, Controllers, GitServer, TestCluster,
    binary::{self, NAMESPACE},
};
use fairlead_tools::Tool;

use crate::checkout::{self, Checkout};

type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// The repository that is shown, below `examples/`.
const EXAMPLE: &str = "shop";

/// The file that makes a cluster follow the repository, and what stands in it for the repository's address.
const SYNC_FILE: &str = "clusters/demo/sync.yaml";
const PLACEHOLDER: &str = "https://git.example.com/shop.git";

/// The Kustomizations in the order in which they become ready.
const KUSTOMIZATIONS: [&str; 3] = ["cluster", "infrastructure", "apps"];

/// The one line that is changed, and the object that shows it.
const CHANGED_FILE: &str = "apps/staging/kustomization.yaml";
const OLD_LINE: &str = "newTag: 6.9.2";
const NEW_LINE: &str = "newTag: 6.9.3";
const NEW_IMAGE: &str = "ghcr.io/stefanprodan/podinfo:6.9.3";
const SHOWN: &str = "Deployment shop/web";

/// How long a step may take on a busy machine.
const LIMIT: Duration = Duration::from_mins(2);

/// The servers of the demo, in the order in which they end.
pub(crate) struct Tour {
    controller: Controller,
    checkout: Checkout,
    git: GitServer,
    cluster: TestCluster,
}

impl Tour {
    /// Starts all that the tour needs, and says what.
    pub(crate) async fn prepare() -> Outcome<Self> {
        let started = Instant::now();
        let cluster = TestCluster::launch(Controllers::Run).await?;
        println!(
            "A kube-apiserver {} with its controllers and no nodes: {} (ready in {})",
            Tool::KubeApiserver.version(),
            cluster.url(),
            seconds(started)
        );
        let git = GitServer::start().await;
        let repository = git.repository(EXAMPLE);
        checkout::seed(&repository, &fairlead_tools::repository().join("examples").join(EXAMPLE), PLACEHOLDER)?;
        let checkout = Checkout::clone(repository.url(), cluster.folder().join(EXAMPLE)).await?;
        println!("A Git server with examples/{EXAMPLE}/: {}", repository.url());

        succeed(&cluster, checkout.root(), "fairlead", &["install"]).await?;
        let controller = Controller::start(&cluster, &[]).await;
        println!("\nThe controller runs as ServiceAccount {NAMESPACE}/fairlead, in the place of the Deployment's pod.");
        Ok(Self { controller, checkout, git, cluster })
    }

    /// Shows a repository becoming the state of the cluster, and a change of it.
    pub(crate) async fn give(&self) -> Outcome {
        self.follow_the_repository().await?;
        self.run("fairlead", &["tree", "kustomization", "cluster"]).await?;
        self.checkout.edit(CHANGED_FILE, OLD_LINE, NEW_LINE)?;
        println!("\nOne line of {CHANGED_FILE} changes, `{OLD_LINE}` to `{NEW_LINE}`. What will that do?");
        self.show_the_difference().await?;
        self.commit_the_change().await
    }

    /// Says what can be tried while the servers stay.
    pub(crate) fn say_how_to_go_on(&self) {
        println!("\nAll of it stays until Ctrl-C. To go on in another terminal:");
        println!("  export KUBECONFIG={}", self.cluster.kubeconfig().display());
        println!("  export PATH={}:{}:$PATH", folder_of(&binary::fairlead()), folder_of(&Tool::Kubectl.path()));
        println!("  kubectl get kustomizations,gitrepositories -A");
        println!("  kubectl -n shop delete deployment web     # it is back at once");
        println!("  git clone {}/{EXAMPLE}.git && cd {EXAMPLE}     # change something, commit, push", self.git.url());
        println!("  fairlead reconcile kustomization apps -n {NAMESPACE} --with-source");
    }

    async fn run(&self, program: &str, arguments: &[&str]) -> Outcome {
        succeed(&self.cluster, self.checkout.root(), program, arguments).await
    }

    async fn follow_the_repository(&self) -> Outcome {
        let started = Instant::now();
        self.run("kubectl", &["apply", "--filename", SYNC_FILE]).await?;
        for name in KUSTOMIZATIONS {
            let written = format!("Kustomization {NAMESPACE}/{name}");
            let ready = self.cluster.wait_for(&written, "Ready", "True", LIMIT).await;
            println!("{:>8}  {name}: {}", seconds(started), ready.message);
        }
        Ok(())
    }

    async fn show_the_difference(&self) -> Outcome {
        let arguments = ["diff", "kustomization", "apps", "--path", "apps/demo"];
        match show(&self.cluster, self.checkout.root(), "fairlead", &arguments).await? {
            // There are changes.
            Some(1) => Ok(()),
            code => Err(format!("`fairlead diff` ended with {code:?}").into()),
        }
    }

    async fn commit_the_change(&self) -> Outcome {
        println!("\n$ git commit --all --message 'podinfo 6.9.3' && git push");
        self.checkout.push("podinfo 6.9.3").await?;
        let started = Instant::now();
        let followed = async {
            self.cluster
                .watch(SHOWN, LIMIT, |found| {
                    let containers = &found?["spec"]["template"]["spec"]["containers"];
                    (containers[0]["image"] == NEW_IMAGE).then(|| started.elapsed())
                })
                .await
        };
        let asked = self.run("fairlead", &["reconcile", "kustomization", "apps", "--with-source"]);
        let (elapsed, asked) = tokio::join!(followed, asked);
        asked?;
        println!("\n{SHOWN} has the new image {:.2} s after the push.", elapsed.as_secs_f64());
        Ok(())
    }
}

impl Drop for Tour {
    /// Lets the controller end its runs before its API server goes away.
    fn drop(&mut self) {
        self.controller.stop();
    }
}

/// Runs `program` in `folder` as a user does, with its output on ours, and returns its exit code.
async fn show(cluster: &TestCluster, folder: &Path, program: &str, arguments: &[&str]) -> Outcome<Option<i32>> {
    println!("\n$ {program} {}", arguments.join(" "));
    let path = if program == "fairlead" { binary::fairlead() } else { Tool::Kubectl.path() };
    let mut command = cluster.command(&path);
    command.args(arguments).current_dir(folder);
    Ok(tokio::process::Command::from(command).status().await?.code())
}

/// Runs `program` as [`show`] does and expects it to succeed.
async fn succeed(cluster: &TestCluster, folder: &Path, program: &str, arguments: &[&str]) -> Outcome {
    match show(cluster, folder, program, arguments).await? {
        Some(0) => Ok(()),
        code => Err(format!("`{program} {}` ended with {code:?}", arguments[0]).into()),
    }
}

fn folder_of(program: &Path) -> String {
    program.parent().unwrap_or(program).display().to_string()
}

fn seconds(since: Instant) -> String {
    format!("{:.1} s", since.elapsed().as_secs_f64())
}
