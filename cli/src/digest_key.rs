//! The key under which commands compare values of Secrets.
//!
//! A plan tells of a Secret's value only whether it is the same, by a digest that means nothing without the key. The key
//! is drawn once for each user and kept in a file that only the user reads, so that a plan that was saved can be compared
//! with one that is made later. Where plans go from one machine to another, both are given the key in
//! `FAIRLEAD_DIGEST_KEY`.

use std::{
    env, fs,
    io::{self, Read, Write},
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use fairlead_plan::DigestKey;

const VARIABLE: &str = "FAIRLEAD_DIGEST_KEY";
const LENGTH_BYTES: usize = 32;

/// A key that cannot be read or kept.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep the key for comparing Secrets in `{}`; name a folder for it in XDG_STATE_HOME, or the key in {VARIABLE}", path.display())]
pub(crate) struct DigestKeyError {
    path: PathBuf,
    source: io::Error,
}

/// The user's key.
pub(crate) fn digest_key() -> Result<DigestKey, DigestKeyError> {
    if let Ok(given) = env::var(VARIABLE) {
        return Ok(DigestKey::new(given.as_bytes()));
    }
    let path = folder().join("digest-key");
    let secret = kept(&path).map_err(|source| DigestKeyError { path, source })?;
    Ok(DigestKey::new(&secret))
}

fn folder() -> PathBuf {
    let state = env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|folder| folder.is_absolute());
    let home = || PathBuf::from(env::var_os("HOME").unwrap_or_default()).join(".local/state");
    state.unwrap_or_else(home).join("fairlead")
}

/// The key in the file, drawn and written if there is none.
fn kept(path: &Path) -> io::Result<Vec<u8>> {
    match fs::read(path) {
        Ok(secret) if secret.len() == LENGTH_BYTES => return Ok(secret),
        Ok(_) => fs::remove_file(path)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut secret = vec![0; LENGTH_BYTES];
    fs::File::open("/dev/urandom")?.read_exact(&mut secret)?;
    match fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Ok(mut file) => file.write_all(&secret)?,
        // Another command drew one at the same time.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return fs::read(path),
        Err(error) => return Err(error),
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_drawn_once_and_is_only_the_users() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("state/digest-key");
        let first = kept(&path).expect("drawn");
        assert_eq!(kept(&path).expect("kept"), first);
        assert_eq!(fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
    }
}
