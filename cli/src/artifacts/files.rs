//! Which files go into an artifact.

use std::{
    io::{self, Read},
    path::Path,
};

use clap::Args;
use fairlead_object::TreePath;
use fairlead_sources::{
    archive::{SymbolicLinks, pack_file, pack_files},
    ignore::Ignore,
};

use crate::output::CommandError;

/// What is left out by default, as in Flux.
const IGNORED: &str = ".git/,.gitignore,.gitmodules,.gitattributes,*.jpg,*.jpeg,*.gif,*.png,*.wmv,*.flv,*.tar.gz,*.zip";

/// The path that means standard input, and the file that it becomes.
const STANDARD_INPUT: &str = "-";
const STANDARD_INPUT_FILE: &str = "stdin.yaml";

/// Which files of a directory are packed.
#[derive(Args)]
pub(crate) struct Files {
    /// Patterns of files to leave out, as in `.gitignore`.
    #[arg(long, value_name = "PATTERN", value_delimiter = ',', default_value = IGNORED)]
    ignore_paths: Vec<String>,
    /// More patterns of files to leave out.
    #[arg(long, value_name = "PATTERN", value_delimiter = ',')]
    add_ignore_paths: Vec<String>,
    /// Pack what symbolic links lead to, instead of leaving them out.
    #[arg(long)]
    resolve_symlinks: bool,
}

impl Files {
    /// Packs the directory or file at `path`, or standard input, as a `.tar.gz`.
    pub(crate) fn pack(&self, path: &Path) -> Result<Vec<u8>, CommandError> {
        if path == Path::new(STANDARD_INPUT) {
            return from_standard_input();
        }
        let patterns: Vec<String> = self.ignore_paths.iter().chain(&self.add_ignore_paths).cloned().collect();
        let links = if self.resolve_symlinks { SymbolicLinks::Resolve } else { SymbolicLinks::Skip };
        Ok(pack_files(path, &Ignore::of_patterns(&patterns), links)?)
    }
}

fn from_standard_input() -> Result<Vec<u8>, CommandError> {
    let mut content = Vec::new();
    io::stdin().lock().read_to_end(&mut content)?;
    if content.trim_ascii().is_empty() {
        return Err("standard input is empty".into());
    }
    let name: TreePath = STANDARD_INPUT_FILE.parse().expect("a relative path");
    Ok(pack_file(&name, &content))
}
