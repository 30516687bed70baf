//! Starts an API server with its controllers, prints the path of its kubeconfig, and keeps it until Ctrl-C.

use std::process::ExitCode;

use fairlead_tests::{Controllers, TestCluster, report, shutdown};

#[tokio::main]
async fn main() -> ExitCode {
    let interrupted = shutdown();
    let cluster = tokio::select! {
        started = TestCluster::launch(Controllers::Run) => started,
        () = interrupted => return ExitCode::SUCCESS,
    };
    match cluster {
        Ok(cluster) => {
            println!("{}", cluster.kubeconfig().display());
            eprintln!("the API server is {}; Ctrl-C ends it", cluster.url());
            shutdown().await;
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {}", report(&error));
            ExitCode::FAILURE
        }
    }
}
