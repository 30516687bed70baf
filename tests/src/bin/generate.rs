//! Writes the generated files anew: `cargo xtask generate`.

use std::{error::Error, fs, io, process::ExitCode};

/// Where `fairlead-kustomize` keeps what kustomize knows of Kubernetes' types.
const TYPES: &str = "manifests/kustomize/src/schema/table.rs";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: cannot write the generated files: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    for (path, text) in fairlead_api::generate::files() {
        write(&path, &text)?;
    }
    write(TYPES, &fairlead_tools::kubernetes_types()?)?;
    Ok(())
}

/// Writes a file if it differs, and names it.
fn write(path: &str, text: &str) -> io::Result<()> {
    let target = fairlead_tools::repository().join(path);
    if fs::read_to_string(&target).is_ok_and(|written| written == text) {
        return Ok(());
    }
    if let Some(folder) = target.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::write(&target, text)?;
    println!("{path}");
    Ok(())
}
