//! The real `sshd` on a port of its own, with keys and settings in a folder of its own.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Stdio},
    time::{Duration, Instant},
};

use fairlead_sources::git::SecretData;
use tempfile::TempDir;

use super::{
    program::{program, run_well},
    repository::Repository,
    secret,
};

const SSHD: &str = "/usr/sbin/sshd";

/// Whether the server takes the variable that asks for version 2 of the protocol.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Variable {
    Taken,
    Refused,
}

/// A server that ends when this is dropped.
pub(crate) struct SshServer {
    folder: TempDir,
    port: u16,
    child: Child,
}

impl SshServer {
    pub(crate) async fn start(variable: Variable) -> Self {
        assert!(Path::new(SSHD).exists(), "{SSHD} is not here: run `apt-get install --yes openssh-server`");
        // What a server started by root wants to have.
        let _ = fs::create_dir_all("/run/sshd");
        let folder = TempDir::new().expect("a folder");
        let port = free_port();
        keygen(&["-t", "ed25519", "-N", ""], &folder.path().join("host"));
        fs::write(folder.path().join("authorized_keys"), "").expect("written");
        fs::write(folder.path().join("config"), config(folder.path(), port, variable)).expect("written");
        let child = program(SSHD)
            .args(["-D", "-f"])
            .arg(folder.path().join("config"))
            .arg("-E")
            .arg(folder.path().join("log"))
            .stdin(Stdio::null())
            .spawn()
            .expect("sshd starts");
        let server = Self { folder, port, child };
        server.wait().await;
        server
    }

    async fn wait(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(
                Instant::now() < deadline,
                "{}",
                fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The URL of `repository` for whoever runs this test.
    pub(crate) fn url(&self, repository: &Repository) -> String {
        let user = run_well(program("id").arg("-un"), b"");
        format!("ssh://{user}@127.0.0.1:{}{}", self.port, repository.path().display())
    }

    /// Makes a key with these arguments of `ssh-keygen` that may log in, and returns it.
    pub(crate) fn authorized_key(&self, arguments: &[&str]) -> String {
        let path = self.new_key(arguments);
        let public = fs::read_to_string(path.with_extension("pub")).expect("a public key");
        let authorized = self.folder.path().join("authorized_keys");
        let known = fs::read_to_string(&authorized).expect("readable");
        fs::write(authorized, known + &public).expect("written");
        fs::read_to_string(path).expect("a key")
    }

    /// Makes a key that may not log in, and returns it.
    pub(crate) fn foreign_key(&self) -> String {
        fs::read_to_string(self.new_key(&["-t", "ed25519", "-N", ""])).expect("a key")
    }

    fn new_key(&self, arguments: &[&str]) -> PathBuf {
        let count = fs::read_dir(self.folder.path()).expect("readable").count();
        let path = self.folder.path().join(format!("key{count}"));
        keygen(arguments, &path);
        path
    }

    /// What `ssh-keyscan` would write for this server.
    pub(crate) fn known_hosts(&self) -> String {
        let public = fs::read_to_string(self.folder.path().join("host.pub")).expect("a public key");
        format!("[127.0.0.1]:{} {public}", self.port)
    }

    /// The same with the host hashed.
    pub(crate) fn hashed_known_hosts(&self) -> String {
        let path = self.folder.path().join("known_hosts");
        fs::write(&path, self.known_hosts()).expect("written");
        run_well(program("ssh-keygen").args(["-H", "-f"]).arg(&path), b"");
        fs::read_to_string(path).expect("hashed")
    }

    /// A Secret with a key that may log in and the server's own key.
    pub(crate) fn secret(&self) -> SecretData {
        let key = self.authorized_key(&["-t", "ed25519", "-N", ""]);
        secret([("identity", &key), ("known_hosts", &self.known_hosts())])
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port").port()
}

fn keygen(arguments: &[&str], path: &Path) {
    run_well(program("ssh-keygen").args(["-q", "-C", "test"]).args(arguments).arg("-f").arg(path), b"");
}

fn config(folder: &Path, port: u16, variable: Variable) -> String {
    let folder = folder.display();
    let accepted = match variable {
        Variable::Taken => "AcceptEnv GIT_PROTOCOL\n",
        Variable::Refused => "",
    };
    format!(
        "Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/authorized_keys\n\
         PidFile none\nStrictModes no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\nUsePAM no\n\
         PermitRootLogin prohibit-password\n{accepted}"
    )
}
