//! What the demo shows, step by step.

use std::{
    error::Error,
    path::Path,
    time::{Duration, Instant},
};

use fairlead_tests::{
    CommandOutput, Controller, Controllers, GitServer, Repository, TestCluster,
    binary::{self, NAMESPACE},
};
use fairlead_tools::Tool;

use crate::checkout::Checkout;

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
    repository: Repository,
    _git: GitServer,
    checkout: Checkout,
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
        let example = fairlead_tools::repository().join("examples").join(EXAMPLE);
        let checkout = Checkout::copy(&example, cluster.folder().join(EXAMPLE))?;
        checkout.edit(SYNC_FILE, PLACEHOLDER, repository.url())?;
        checkout.commit(&repository, "the shop")?;
        println!("A Git server with examples/{EXAMPLE}/: {}", repository.url());

        run(&cluster, &["install"]).await?;
        let controller = Controller::start(&cluster, &[]).await;
        println!("\nThe controller runs as ServiceAccount {NAMESPACE}/fairlead, in the place of the Deployment's pod.");
        Ok(Self { controller, repository, _git: git, checkout, cluster })
    }

    /// Shows a repository becoming the state of the cluster, and a change of it.
    pub(crate) async fn give(&self) -> Outcome {
        self.follow_the_repository().await?;
        run(&self.cluster, &["tree", "kustomization", "cluster", "--namespace", NAMESPACE]).await?;
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
        println!("  git clone {} && cd {EXAMPLE}     # change something, commit, push", self.repository.url());
        println!("  fairlead reconcile kustomization apps -n {NAMESPACE} --with-source");
    }

    async fn follow_the_repository(&self) -> Outcome {
        let sync_file = self.checkout.path(SYNC_FILE);
        let started = Instant::now();
        println!("\n$ kubectl apply -f {SYNC_FILE}");
        let applied = self.cluster.kubectl(&["apply", "-f", &sync_file.to_string_lossy()]).await;
        show(&applied);
        if applied.code != Some(0) {
            return Err("kubectl could not apply it".into());
        }
        for name in KUSTOMIZATIONS {
            let written = format!("Kustomization {NAMESPACE}/{name}");
            let ready = self.cluster.wait_for(&written, "Ready", "True", LIMIT).await;
            println!("{:>8}  {name}: {}", seconds(started), ready.message);
        }
        Ok(())
    }

    async fn show_the_difference(&self) -> Outcome {
        let path = self.checkout.path("apps/demo");
        let path = path.to_string_lossy();
        let arguments = ["diff", "kustomization", "apps", "--namespace", NAMESPACE, "--path", &path];
        println!("\n$ fairlead diff kustomization apps --namespace {NAMESPACE} --path {EXAMPLE}/apps/demo");
        let output = self.cluster.fairlead(&arguments).await;
        show(&output);
        // 1 says that there are changes.
        if output.code == Some(1) {
            Ok(())
        } else {
            Err(format!("`fairlead diff` ended with {:?}", output.code).into())
        }
    }

    async fn commit_the_change(&self) -> Outcome {
        println!("\n$ git commit --all --message 'podinfo 6.9.3' && git push");
        let started = Instant::now();
        let followed = async {
            self.cluster
                .watch(SHOWN, LIMIT, |found| {
                    let containers = &found?["spec"]["template"]["spec"]["containers"];
                    (containers[0]["image"] == NEW_IMAGE).then(|| started.elapsed())
                })
                .await
        };
        let asked = async {
            self.checkout.commit(&self.repository, "podinfo 6.9.3")?;
            run(&self.cluster, &["reconcile", "kustomization", "apps", "--namespace", NAMESPACE, "--with-source"]).await
        };
        let (elapsed, asked) = tokio::join!(followed, asked);
        asked?;
        println!("\n{SHOWN} has the new image {:.2} s after the commit.", elapsed.as_secs_f64());
        Ok(())
    }
}

impl Drop for Tour {
    /// Lets the controller end its runs before its API server goes away.
    fn drop(&mut self) {
        self.controller.stop();
    }
}

/// Shows `fairlead` with `arguments` and what it prints.
async fn run(cluster: &TestCluster, arguments: &[&str]) -> Outcome {
    let line = format!("fairlead {}", arguments.join(" "));
    println!("\n$ {line}");
    let output = cluster.fairlead(arguments).await;
    show(&output);
    if output.code == Some(0) { Ok(()) } else { Err(format!("`{line}` ended with {:?}", output.code).into()) }
}

fn show(output: &CommandOutput) {
    print!("{}{}", output.stderr, output.stdout);
}

fn folder_of(program: &Path) -> String {
    program.parent().unwrap_or(program).display().to_string()
}

fn seconds(since: Instant) -> String {
    format!("{:.1} s", since.elapsed().as_secs_f64())
}
