//! What can be said about the private PostgreSQL without changing it. Never starts, creates or repairs anything.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::client::{self, Session};
use super::layout::{Home, State};
use super::{Settings, alive, find, locate, owner};
use crate::failure::Failure;

/// Whether there is a server.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Condition {
    NotInitialised,
    Stopped,
    Running,
    /// A process is there and lets nobody in: starting, recovering, full or stuck.
    NotAnswering,
}

impl Condition {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::NotInitialised => "not initialised",
            Self::Stopped => "stopped",
            Self::Running => "running",
            Self::NotAnswering => "not answering",
        }
    }
}

/// Everything `health db status` shows. Unknown is `None`.
#[derive(Debug)]
pub(crate) struct Status {
    pub(crate) condition: Condition,
    pub(crate) major: Option<u16>,
    /// "18.6", as of the last start.
    pub(crate) version: Option<String>,
    pub(crate) pid: Option<u32>,
    pub(crate) port: Option<u16>,
    pub(crate) socket_dir: Option<PathBuf>,
    pub(crate) data: Option<PathBuf>,
    /// Bytes on disk, write-ahead log included.
    pub(crate) bytes: Option<u64>,
    /// Name and bytes, while the server runs.
    pub(crate) databases: Option<Vec<(String, i64)>>,
    /// Other people's sessions, while the server runs.
    pub(crate) sessions: Option<Vec<Session>>,
    /// The account that owns the cluster.
    pub(crate) owner: Option<String>,
    pub(crate) bindir: Option<PathBuf>,
    /// An installed server newer than the cluster.
    pub(crate) newer: Option<String>,
    pub(crate) log: Option<PathBuf>,
}

/// Looks, and touches nothing.
pub(crate) fn status(settings: &Settings) -> Result<Status, Failure> {
    let mut status = Status {
        condition: Condition::NotInitialised,
        major: None,
        version: None,
        pid: None,
        port: None,
        socket_dir: None,
        data: None,
        bytes: None,
        databases: None,
        sessions: None,
        owner: None,
        bindir: None,
        newer: None,
        log: None,
    };
    let Some(home) = Home::existing(settings)? else { return Ok(status) };
    let Some(cluster) = locate(&home) else { return Ok(status) };
    let data = cluster.data();
    status.condition = Condition::Stopped;
    status.major = Some(cluster.major);
    status.bytes = Some(size(&data));
    status.log = Some(cluster.log());
    if let Some(state) = State::read(&home) {
        status.version = Some(state.version);
        status.port = Some(state.port);
        status.socket_dir = Some(state.socket_dir);
        status.bindir = Some(state.bindir);
    }
    if let Ok(owner) = owner::of_existing(settings, &cluster) {
        let found = find::survey(settings, &owner, &cluster.dir, None);
        let newest = found.usable.into_iter().max_by_key(|binaries| binaries.version.major);
        status.newer = newest.filter(|newest| newest.version.major > cluster.major).map(|newest| newest.version.text);
        status.owner = Some(owner.describe());
    }
    if let Some(running) = alive(&home, Some(&cluster)) {
        status.pid = super::stale::living(&data).map(|file| file.pid);
        status.port = Some(running.port);
        status.socket_dir = Some(running.socket_dir.clone());
        status.condition = Condition::NotAnswering;
        if let Ok(mut client) = client::open_within(&running.config("postgres"), Duration::from_secs(3)) {
            status.condition = Condition::Running;
            status.sessions = client::sessions(&mut client).ok();
            status.databases = client::databases(&mut client).ok();
        }
    }
    status.data = Some(data);
    Ok(status)
}

/// Bytes of all files below `dir`; what cannot be read counts nothing. Links are not followed.
pub(super) fn size(dir: &Path) -> u64 {
    let Ok(entries) = fs::read_dir(dir) else { return 0 };
    let of = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size(&entry.path()),
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    };
    entries.flatten().map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_add_up_and_links_do_not_count() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("base")).unwrap();
        fs::write(dir.path().join("base/1"), [0; 700]).unwrap();
        fs::write(dir.path().join("PG_VERSION"), "18\n").unwrap();
        assert_eq!(size(dir.path()), 703);
        assert_eq!(size(Path::new("/nowhere")), 0);
    }
}
