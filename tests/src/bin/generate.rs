//! Writes the generated files under `deploy/` anew: `cargo xtask generate`.

use std::{fs, io, process::ExitCode};

fn main() -> ExitCode {
    match write() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: cannot write the generated files: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Writes those files that differ, and names them.
fn write() -> io::Result<()> {
    for (path, text) in fairlead_api::generate::files() {
        let target = fairlead_tools::repository().join(&path);
        if fs::read_to_string(&target).is_ok_and(|written| written == text) {
            continue;
        }
        if let Some(folder) = target.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&target, text)?;
        println!("{path}");
    }
    Ok(())
}
