//! The whole path on real servers, with a tour: `cargo xtask demo`.
//!
//! What it shows is what a user types. Only the node is missing: the controller runs beside the API server, as the
//! account and with the rights of the Deployment that was installed, and Deployments have no replicas.

mod checkout;
mod tour;

use std::process::ExitCode;

use fairlead_tests::shutdown;

use crate::tour::Tour;

#[tokio::main]
async fn main() -> ExitCode {
    let once = std::env::args().skip(1).any(|argument| argument == "--once");
    tokio::select! {
        outcome = show(once) => match outcome {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("error: {error}");
                ExitCode::FAILURE
            }
        },
        () = shutdown() => {
            println!("\nAll is stopped and removed.");
            ExitCode::SUCCESS
        }
    }
}

/// Gives the tour, and stays afterwards unless it is for once.
async fn show(once: bool) -> Result<(), Box<dyn std::error::Error>> {
    let tour = Tour::prepare().await?;
    tour.give().await?;
    if !once {
        tour.say_how_to_go_on();
        std::future::pending::<()>().await;
    }
    Ok(())
}
