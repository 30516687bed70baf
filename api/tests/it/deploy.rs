//! The files in `deploy/`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use fairlead_api::generate;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

#[test]
fn checked_in_files_are_what_the_types_say() {
    for (path, text) in generate::files() {
        let checked_in = fs::read_to_string(root().join(&path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(checked_in == text, "{path} is stale: run `cargo xtask generate`");
    }
}

#[test]
fn nothing_else_is_checked_in_beside_them() {
    let generated: BTreeMap<_, _> = generate::files().into_iter().collect();
    let mut found = Vec::new();
    list(&root(), Path::new("deploy"), &mut found).expect("deploy/ can be read");
    found.retain(|path| !generated.contains_key(path));
    assert_eq!(found, Vec::<String>::new(), "not generated any more: delete them");
}

fn list(root: &Path, folder: &Path, found: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(root.join(folder))? {
        let entry = entry?;
        let path = folder.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            list(root, &path, found)?;
        } else {
            found.push(path.display().to_string());
        }
    }
    Ok(())
}
