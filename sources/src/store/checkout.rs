//! Writing a tree to a folder of this machine.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use super::{
    StoreError, StoredTree,
    directory::{Mode, Node},
    files::failed,
};

/// The permissions of files, less what the process withholds.
const REGULAR_MODE: u32 = 0o666;
const EXECUTABLE_MODE: u32 = 0o777;

impl StoredTree {
    /// Writes all files below `folder`. A file or link that is in the way is replaced; what else is there stays.
    pub fn write_to(&self, folder: &Path) -> Result<(), StoreError> {
        self.walk(&mut |path, node| {
            let full = folder.join(path.as_str());
            match node {
                Node::Directory { .. } => fs::create_dir_all(&full).map_err(failed("create", &full)),
                Node::File { mode, digest, .. } => {
                    let mut file = new_file(&full, *mode).map_err(failed("create", &full))?;
                    self.copy(digest, |chunk| file.write_all(chunk).map_err(failed("write", &full)))
                }
            }
        })
    }
}

/// Makes an empty file. One that is there is removed first: it may be a link to somewhere else.
fn new_file(path: &Path, mode: Mode) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let bits = match mode {
        Mode::Regular => REGULAR_MODE,
        Mode::Executable => EXECUTABLE_MODE,
    };
    OpenOptions::new().write(true).create_new(true).mode(bits).open(path)
}
