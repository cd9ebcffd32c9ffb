//! Where the private PostgreSQL keeps its files, and the small files beside it (`state.json`, the password, `pgpass`, the lock).
//!
//! Knows names, modes and how a file is replaced safely. Knows nothing about processes, binaries or SQL.

use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::Settings;
use crate::failure::{Blame, Failure, Kind};

/// The longest socket path that is tried: the system's limit is 107 bytes on Linux and 103 on macOS.
const SOCKET_PATH_LIMIT: usize = 100;

/// The data directory of `health`, as the private PostgreSQL sees it.
#[derive(Debug, Clone)]
pub(crate) struct Home {
    /// Canonical, because children run elsewhere and under another account.
    pub(super) dir: PathBuf,
    /// `<home>/pg`.
    pub(super) pg: PathBuf,
}

impl Home {
    /// Creates what is missing, 0700. An existing directory keeps its mode: it may have been opened for the owner account on purpose.
    pub(super) fn create(settings: &Settings) -> Result<Self, Failure> {
        directory(&settings.home, 0o700)?;
        let home = Self::existing(settings)?.ok_or_else(|| {
            let what = format!("the data directory {} disappeared while it was being created", settings.home.display());
            Failure::new(Kind::Local, what)
        })?;
        directory(&home.pg, 0o700)?;
        Ok(home)
    }

    /// The same without creating anything; `None` where there is no data directory.
    pub(super) fn existing(settings: &Settings) -> Result<Option<Self>, Failure> {
        match settings.home.canonicalize() {
            Ok(dir) => {
                speakable(&dir)?;
                let pg = dir.join("pg");
                Ok(Some(Self { dir, pg }))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(local(&format!("cannot open the data directory {}", settings.home.display()), &error)),
        }
    }

    pub(super) fn password_file(&self) -> PathBuf {
        self.pg.join("password")
    }

    /// One line per loopback name, for `PGPASSFILE` and graphical tools.
    pub(super) fn pgpass_file(&self) -> PathBuf {
        self.pg.join("pgpass")
    }

    pub(super) fn state_file(&self) -> PathBuf {
        self.pg.join("state.json")
    }

    /// Eight hexadecimal digits that tell this home from others where several share a directory.
    pub(super) fn hash(&self) -> String {
        let digest = Sha256::digest(self.dir.as_os_str().as_encoded_bytes());
        hex(&digest[..4])
    }

    /// Takes the lock under which the server is started, stopped or destroyed. The kernel releases it with the process.
    pub(super) fn lock(&self, limit: Duration) -> Result<Lock, Failure> {
        let path = self.pg.join("lock");
        let started = Instant::now();
        loop {
            let file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .write(true)
                .mode(0o600)
                .open(&path)
                .map_err(|error| local(&format!("cannot open {}", path.display()), &error))?;
            match file.try_lock() {
                // `destroy` removes the directory with the lock in it: a lock on a file without a name protects nothing.
                Ok(()) if same_file(&file, &path) => return Ok(Lock { _file: file }),
                Ok(()) if self.pg.is_dir() => {}
                Ok(()) => directory(&self.pg, 0o700)?,
                Err(TryLockError::WouldBlock) if started.elapsed() > limit => {
                    let what = "another health process has been starting or stopping the database for too long";
                    return Err(Failure::new(Kind::Busy, what).kept("nothing was changed").next("health db status"));
                }
                Err(TryLockError::WouldBlock) => thread::sleep(Duration::from_millis(20)),
                Err(TryLockError::Error(error)) => {
                    let what = format!("cannot lock {} here: {error}", path.display());
                    return Err(Failure::new(Kind::Local, what).next("set HEALTH_HOME to a directory on a local disk"));
                }
            }
        }
    }
}

/// Held while the server is started, stopped or destroyed.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

fn same_file(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(held), Ok(named)) => held.ino() == named.ino() && held.dev() == named.dev(),
        _ => false,
    }
}

/// What the last start found out; enough to connect without looking for anything.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) cluster: PathBuf,
    pub(super) major: u16,
    /// As the server names it: "18.6".
    pub(super) version: String,
    pub(super) bindir: PathBuf,
    pub(super) port: u16,
    pub(super) socket_dir: PathBuf,
}

impl State {
    /// A missing or damaged file is no failure: everything in it can be found again.
    pub(super) fn read(home: &Home) -> Option<Self> {
        serde_json::from_slice(&fs::read(home.state_file()).ok()?).ok()
    }

    pub(super) fn write(&self, home: &Home) -> Result<(), Failure> {
        let text = serde_json::to_vec_pretty(self).blame(Kind::Bug)?;
        replace(&home.state_file(), &text, None)
    }
}

/// The files of one database cluster: `<dir>/<major>/data`, `<dir>/run`, `<dir>/server.log`, `<dir>/bin`.
#[derive(Debug, Clone)]
pub(super) struct Cluster {
    pub(super) dir: PathBuf,
    pub(super) major: u16,
}

impl Cluster {
    /// The cluster that exists in `dir`, the newest one where there are several.
    pub(super) fn find(dir: &Path) -> Option<Self> {
        let entries = fs::read_dir(dir).ok()?;
        let majors = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u16>().ok());
        majors
            .map(|major| Self { dir: dir.to_owned(), major })
            .filter(|cluster| cluster.data().join("PG_VERSION").is_file())
            .max_by_key(|cluster| cluster.major)
    }

    pub(super) fn major_dir(&self) -> PathBuf {
        self.dir.join(self.major.to_string())
    }

    pub(super) fn data(&self) -> PathBuf {
        self.major_dir().join("data")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.dir.join("server.log")
    }

    /// `<dir>/run`, or a short directory in `tmp` where the socket's path would be too long for the system.
    pub(super) fn socket_dir(&self, tmp: &Path, uid: u32, hash: &str) -> PathBuf {
        let run = self.dir.join("run");
        let longest = run.as_os_str().len() + "/.s.PGSQL.65535.lock".len();
        if longest <= SOCKET_PATH_LIMIT { run } else { tmp.join(format!("health-{uid}-{hash}")) }
    }
}

/// Lowercase hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Creates `path` and its parents with `mode`, whatever the umask is; an existing directory is left alone.
pub(super) fn directory(path: &Path, mode: u32) -> Result<(), Failure> {
    if path.is_dir() {
        return Ok(());
    }
    let create = || -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(mode).create(path)?;
        fs::set_permissions(path, fs::Permissions::from_mode(mode))
    };
    create().map_err(|error| local(&format!("cannot create the directory {}", path.display()), &error))
}

/// Removes a directory with all in it; a missing one is fine. Whoever still writes into it (the `initdb` of a call that
/// was killed) makes it fail for a moment.
pub(super) fn remove_tree(dir: &Path) -> Result<(), Failure> {
    let started = Instant::now();
    loop {
        match fs::remove_dir_all(dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && !dir.exists() => return Ok(()),
            Err(_) if started.elapsed() < Duration::from_secs(2) => thread::sleep(Duration::from_millis(20)),
            done => return done.map_err(|error| local(&format!("cannot remove {}", dir.display()), &error)),
        }
    }
}

/// A failure of this machine's files, with the reason.
pub(super) fn local(what: &str, error: &io::Error) -> Failure {
    Failure::new(Kind::Local, format!("{what}: {error}"))
        .next("mend the path or its permissions, or set HEALTH_HOME to another folder")
}

/// A file of ours, 0600, given to `owner` (uid, gid) where another account has to read it. Never follows a planted link, is never half written.
pub(super) fn replace(path: &Path, content: &[u8], owner: Option<(u32, u32)>) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        let parent = path.parent().unwrap_or(Path::new("/"));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = parent.join(format!(".{name}.{}", std::process::id()));
        let _ = fs::remove_file(&temporary); // left by a killed process with our number
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
        let done = (|| {
            file.write_all(content)?;
            if let Some((uid, gid)) = owner {
                fchown(&file, Some(uid), Some(gid))?;
            }
            file.sync_all()?;
            fs::rename(&temporary, path)?;
            File::open(parent)?.sync_all()
        })();
        if done.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        done
    };
    write().map_err(|error| local(&format!("cannot write {}", path.display()), &error))
}

/// `pg_ctl` hands the path to a shell inside double quotes, so a few characters cannot be passed on; nor can a path beyond the server's limit.
fn speakable(dir: &Path) -> Result<(), Failure> {
    let bad = |why: &str| {
        let what = format!("PostgreSQL cannot keep data in {}: the path {why}", dir.display());
        Err(Failure::new(Kind::Config, what).next("set HEALTH_HOME to another directory"))
    };
    match dir.to_str() {
        None => bad("is not UTF-8"),
        Some(text) if text.contains(['"', '$', '`', '\\', '\n', '\r']) => {
            bad("holds a character that a shell would interpret")
        }
        Some(text) if text.len() > 900 => bad("is longer than 900 bytes"),
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(dir: &str) -> Cluster {
        Cluster { dir: PathBuf::from(dir), major: 18 }
    }

    #[test]
    fn a_socket_directory_is_short() {
        let tmp = Path::new("/tmp");
        assert_eq!(cluster("/home/a/pg").socket_dir(tmp, 7, "0a0b0c0d"), Path::new("/home/a/pg/run"));
        let deep = format!("/home/{}/pg", "x".repeat(90));
        assert_eq!(cluster(&deep).socket_dir(tmp, 7, "0a0b0c0d"), Path::new("/tmp/health-7-0a0b0c0d"));
    }

    #[test]
    fn paths_that_a_shell_would_change_are_refused() {
        for bad in ["/a$HOME/x", "/a`id`", "/a\"b", "/a\\b", "/a\nb"] {
            assert!(speakable(Path::new(bad)).is_err(), "{bad}");
        }
        for good in ["/home/a b/c", "/home/é/🙂", "/home/o'brien"] {
            assert!(speakable(Path::new(good)).is_ok(), "{good}");
        }
    }

    #[test]
    fn a_damaged_state_is_no_state() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home { dir: dir.path().to_owned(), pg: dir.path().to_owned() };
        assert_eq!(State::read(&home), None);
        let state = State {
            cluster: PathBuf::from("/c"),
            major: 15,
            version: "15.18".into(),
            bindir: PathBuf::from("/b"),
            port: 54321,
            socket_dir: PathBuf::from("/c/run"),
        };
        state.write(&home).unwrap();
        assert_eq!(State::read(&home), Some(state));
        fs::write(home.state_file(), "{\"cluster\":").unwrap();
        assert_eq!(State::read(&home), None);
    }

    #[test]
    fn a_file_is_replaced_and_a_planted_link_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        fs::write(&victim, "untouched").unwrap();
        let path = dir.path().join("password");
        std::os::unix::fs::symlink(&victim, &path).unwrap();
        replace(&path, b"new", None).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_to_string(&victim).unwrap(), "untouched");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
