//! A home for one test, and the program run in it as whom the test wants.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};
use serde_json::Value;

/// A directory with the program and everything it writes; the cluster is destroyed with it.
pub struct Sandbox {
    dir: tempfile::TempDir,
    /// Words before the program: `setpriv --reuid …`.
    prefix: Vec<String>,
    settings: Vec<(&'static str, String)>,
}

impl Sandbox {
    /// Run as whoever runs the tests.
    pub fn new() -> Self {
        Self::with_prefix(&[])
    }

    /// Run through another program, which may change the account; what it writes must then be `given` to that account.
    pub fn with_prefix(prefix: &[&str]) -> Self {
        let dir = tempfile::Builder::new().prefix("health-db-").tempdir().unwrap();
        // Other accounts have to reach the program, which may stand in somebody's private directory.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let program = dir.path().join("health");
        if fs::hard_link(env!("CARGO_BIN_EXE_health"), &program).is_err() {
            fs::copy(env!("CARGO_BIN_EXE_health"), &program).unwrap();
        }
        let sandbox =
            Self { dir, prefix: prefix.iter().map(|word| (*word).to_owned()).collect(), settings: Vec::new() };
        fs::create_dir(sandbox.base()).unwrap();
        fs::set_permissions(sandbox.base(), fs::Permissions::from_mode(0o755)).unwrap();
        sandbox
    }

    /// Gives the directory to another account.
    pub fn given_to(self, uid: u32) -> Self {
        std::os::unix::fs::chown(self.base(), Some(uid), Some(uid)).unwrap();
        self
    }

    pub fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.settings.push((name, value.into()));
        self
    }

    pub fn base(&self) -> PathBuf {
        self.dir.path().join("x")
    }

    pub fn home(&self) -> PathBuf {
        self.base().join("data/health")
    }

    pub fn program(&self) -> PathBuf {
        self.dir.path().join("health")
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let program = self.program();
        let mut words = self.prefix.iter().map(PathBuf::from).chain([program]);
        let mut command = Command::new(words.next().unwrap());
        command.args(words).args(arguments).env_clear().current_dir(self.base()).stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("HOME", self.base());
        for name in ["CONFIG", "DATA", "STATE"] {
            command.env(format!("XDG_{name}_HOME"), self.base().join(name.to_lowercase()));
        }
        for name in ["HEALTH_PG_BIN", "HEALTH_PG_USER"] {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value); // the person who runs the suite may need them
            }
        }
        command.envs(self.settings.iter().map(|(name, value)| (name, value)));
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        Ran(self.command(arguments).output().unwrap())
    }

    /// Runs something that has to work, and returns standard output.
    pub fn ok(&self, arguments: &[&str]) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code(), 0, "health {}\n{}", arguments.join(" "), ran.both());
        ran.stdout()
    }

    pub fn status(&self) -> Value {
        serde_json::from_str(&self.ok(&["db", "status", "--json"])).unwrap()
    }

    /// The server's process.
    pub fn pid(&self) -> i32 {
        i32::try_from(self.status()["pid"].as_i64().unwrap()).unwrap()
    }

    pub fn data_dir(&self) -> PathBuf {
        PathBuf::from(self.status()["data_dir"].as_str().unwrap())
    }

    /// A client from the address that the program prints.
    pub fn client(&self) -> Client {
        Client::connect(&self.ok(&["db", "url"]), NoTls).unwrap()
    }

    /// Kills the server without a chance to tidy up, and waits until its sessions are gone too.
    pub fn kill_server(&self) {
        let (pid, data) = (self.pid(), self.data_dir());
        nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGKILL).unwrap();
        wait(|| !works_in(&data));
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let ran = self.run(&["db", "destroy", "--yes"]);
        if !std::thread::panicking() {
            assert_eq!(ran.code(), 0, "{}", ran.both());
            assert!(!self.home().join("pg").exists(), "destroy leaves nothing");
        }
    }
}

/// Whether any process has `dir` as its working directory.
fn works_in(dir: &Path) -> bool {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    processes.into_iter().any(|process| fs::read_link(process.path().join("cwd")).is_ok_and(|cwd| cwd == dir))
}

/// Waits for something that is about to happen.
pub fn wait(mut until: impl FnMut() -> bool) {
    let started = Instant::now();
    while !until() {
        assert!(started.elapsed() < Duration::from_secs(30), "it did not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// How a call ended.
pub struct Ran(pub Output);

impl Ran {
    pub fn code(&self) -> i32 {
        self.0.status.code().unwrap_or(-1)
    }

    pub fn stdout(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap().trim_end().to_owned()
    }

    pub fn stderr(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    pub fn both(&self) -> String {
        format!("exit {}\n{}\n{}", self.code(), self.stdout(), self.stderr())
    }
}

pub fn is_root() -> bool {
    nix::unistd::geteuid().is_root()
}
