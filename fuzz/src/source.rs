//! A source tree to build: files, and the directory to begin in.

use std::{collections::BTreeMap, fs, io, path::Path};

use fairlead_object::{MemoryTree, TreePath};

/// Files by their paths, and the directory to build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source {
    /// The text of each file.
    pub files: BTreeMap<String, String>,
    /// The directory to build.
    pub target: String,
}

impl Source {
    /// Writes the files below `folder`.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        for (path, text) in &self.files {
            let path = folder.join(path);
            path.parent().map_or(Ok(()), fs::create_dir_all)?;
            fs::write(path, text)?;
        }
        Ok(())
    }

    /// Reads the files below `folder`; a file that is no text is left out.
    pub fn read(folder: &Path, target: &str) -> io::Result<Self> {
        let mut source = Self { files: BTreeMap::new(), target: target.to_owned() };
        let mut folders = vec![folder.to_owned()];
        while let Some(next) = folders.pop() {
            for entry in fs::read_dir(next)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let (Ok(text), Ok(below)) = (fs::read_to_string(&path), path.strip_prefix(folder)) {
                    source.files.insert(below.to_string_lossy().into_owned(), text);
                }
            }
        }
        Ok(source)
    }

    /// The same files in memory, without those whose paths a tree cannot have.
    pub fn tree(&self) -> MemoryTree {
        let files = self.files.iter().filter_map(|(path, text)| Some((path.parse().ok()?, text.as_bytes().into())));
        files.collect()
    }

    /// The directory to build, as a path of the tree.
    pub fn directory(&self) -> TreePath {
        self.target.parse().unwrap_or_default()
    }
}
