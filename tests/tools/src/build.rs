//! Builds the tools that are missing.

mod checkout;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    process::Stdio,
    time::Instant,
};

use crate::{command, target_directory, tool::Tool};

/// Why a tool could not be provided.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// There is no `go` in the search path.
    #[error(
        "cannot start `go`, which builds {tools}: install Go 1.26 or newer, or set KUBEBUILDER_ASSETS to a folder with them"
    )]
    GoMissing {
        /// The tools that are to be built.
        tools: String,
        /// What the system says.
        source: io::Error,
    },
    /// `go build` failed; its own message is on standard error.
    #[error("cannot build {name} from {package}: `go build` failed, its message is above", name = tool.name(), package = tool.package())]
    Build {
        /// The tool that does not build.
        tool: Tool,
    },
    /// The program that asks kustomize for its types failed; its own message is on standard error.
    #[error("cannot ask kustomize for its types: `go run ./types` failed, its message is above")]
    Types,
    /// The folder for built tools cannot be written.
    #[error("cannot write `{}`", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Builds those of `tools` that are neither in `KUBEBUILDER_ASSETS` nor built before.
///
/// `say` is told what is built, why, and how long it took. Several processes may ask at once: one builds, the others
/// wait for it.
///
/// # Errors
/// If Go is missing, a build fails, or the target folder cannot be written.
pub fn provide(tools: &[Tool], mut say: impl FnMut(&str)) -> Result<(), ToolError> {
    if missing(tools).is_empty() {
        return Ok(());
    }
    let _lock = lock(&target_directory().join("tools"))?;
    let missing = missing(tools);
    for (index, tool) in missing.iter().enumerate() {
        say(&format!(
            "building {name} {version} ({of} of {total}): {purpose}",
            name = tool.name(),
            version = tool.version(),
            of = index + 1,
            total = missing.len(),
            purpose = tool.purpose(),
        ));
        let (started, folder) = (Instant::now(), tool.built_directory());
        build(*tool, &folder)?;
        say(&format!("built {} in {} s, kept in {}", tool.name(), started.elapsed().as_secs(), folder.display()));
    }
    Ok(())
}

fn missing(tools: &[Tool]) -> Vec<Tool> {
    tools.iter().copied().filter(|tool| !tool.path().is_file()).collect()
}

fn lock(folder: &Path) -> Result<File, ToolError> {
    fs::create_dir_all(folder).map_err(cannot_write(folder))?;
    let path = folder.join(".lock");
    let file = File::create(&path).map_err(cannot_write(&path))?;
    file.lock().map_err(cannot_write(&path))?;
    Ok(file)
}

/// Builds one tool beside its final place and moves it there, so that a file of that name is always whole.
fn build(tool: Tool, folder: &Path) -> Result<(), ToolError> {
    fs::create_dir_all(folder).map_err(cannot_write(folder))?;
    let partial = folder.join(format!("{}.partial", tool.name()));
    match tool {
        Tool::Flux => {
            checkout::with_embedded(tool, folder, |checkout| go_build(tool, checkout, "./cmd/flux", &partial))?;
        }
        Tool::Etcd
        | Tool::KubeApiserver
        | Tool::KubeControllerManager
        | Tool::Kubectl
        | Tool::Kustomize
        | Tool::Helm => go_build(tool, &tool.pinned_by().path(), &tool.package(), &partial)?,
    }
    let built = folder.join(tool.name());
    fs::rename(&partial, &built).map_err(cannot_write(&built))
}

/// Builds `package`, as the module in `from` sees it, into `file`.
fn go_build(tool: Tool, from: &Path, package: &str, file: &Path) -> Result<(), ToolError> {
    let status = command("go")
        .args(["build", "-mod=readonly", "-trimpath", "-buildvcs=false"])
        .current_dir(from)
        .arg(format!("-ldflags={}", linker_flags()))
        .arg("-o")
        .arg(file)
        .arg(package)
        .env("CGO_ENABLED", "0")
        .status()
        .map_err(|source| ToolError::GoMissing { tools: tool.name().to_owned(), source })?;
    if status.success() { Ok(()) } else { Err(ToolError::Build { tool }) }
}

/// Returns what kustomize knows of Kubernetes' types, as the Rust source of `fairlead-kustomize`'s table of them.
///
/// # Errors
/// If Go is missing, or the program in `types/` does not build.
pub fn kubernetes_types() -> Result<String, ToolError> {
    let output = command("go")
        .args(["run", "-C", env!("CARGO_MANIFEST_DIR"), "-mod=readonly", "./types"])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| ToolError::GoMissing { tools: "the table of types".to_owned(), source })?;
    if !output.status.success() {
        return Err(ToolError::Types);
    }
    String::from_utf8(output.stdout).map_err(|_| ToolError::Types)
}

/// Returns flags that leave debug data out and write in the versions, which Kubernetes takes its defaults from and
/// charts look at.
fn linker_flags() -> String {
    let kubernetes = Tool::KubeApiserver.version();
    let (kustomize, helm) = (Tool::Kustomize.version(), Tool::Helm.version());
    let flux = Tool::Flux.version().trim_start_matches('v');
    format!(
        "-s -w -X k8s.io/component-base/version.gitVersion={kubernetes} \
         -X sigs.k8s.io/kustomize/api/provenance.version={kustomize} \
         -X helm.sh/helm/v4/internal/version.version={helm} -X main.VERSION={flux}"
    )
}

fn cannot_write(path: &Path) -> impl FnOnce(io::Error) -> ToolError {
    let path = path.to_owned();
    move |source| ToolError::Write { path, source }
}
