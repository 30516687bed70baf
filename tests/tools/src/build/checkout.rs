//! A copy of a module's source, for a program that embeds files which its module does not carry.
//!
//! Flux's releases embed the manifests of its controllers, which their build makes; a module's own folder is not to be
//! written, and Go refuses to overlay it.

use std::{fs, io, path::Path};

use super::{ToolError, cannot_write, command};
use crate::tool::Tool;

/// What stands for the embedded files, below the module's folder; nothing that is tested reads it.
const EMBEDDED: &str = "cmd/flux/manifests/none.yaml";

/// Copies the source of `tool`'s module into `folder`, adds what it embeds, lets `build` use it, and removes it.
pub(super) fn with_embedded(
    tool: Tool,
    folder: &Path,
    build: impl FnOnce(&Path) -> Result<(), ToolError>,
) -> Result<(), ToolError> {
    let source = module_folder(tool)?;
    let checkout = folder.join(format!("{}.source", tool.name()));
    clear(&checkout).map_err(cannot_write(&checkout))?;
    copy(Path::new(&source), &checkout).map_err(cannot_write(&checkout))?;
    let embedded = checkout.join(EMBEDDED);
    fs::create_dir_all(embedded.with_file_name("")).map_err(cannot_write(&embedded))?;
    fs::write(&embedded, "").map_err(cannot_write(&embedded))?;
    build(&checkout)?;
    clear(&checkout).map_err(cannot_write(&checkout))
}

/// Removes a folder that may be left from a build that was stopped.
fn clear(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Returns where Go keeps the source of `tool`'s module, which it fetches if need be.
fn module_folder(tool: Tool) -> Result<String, ToolError> {
    go(tool, &["mod", "download", tool.module()])?;
    Ok(go(tool, &["list", "-m", "-f", "{{.Dir}}", tool.module()])?.trim_end().to_owned())
}

/// Runs `go` in the folder that pins `tool`, and returns what it prints.
fn go(tool: Tool, arguments: &[&str]) -> Result<String, ToolError> {
    let output = command("go")
        .args(arguments)
        .current_dir(tool.pinned_by().path())
        .output()
        .map_err(|source| ToolError::GoMissing { tools: tool.name().to_owned(), source })?;
    if !output.status.success() {
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        return Err(ToolError::Build { tool });
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Copies a folder to where none is yet.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
