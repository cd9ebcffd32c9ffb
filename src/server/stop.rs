//! Ends the server, and removes a cluster. Callers hold the lock.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};

use super::layout::{Cluster, Home, local, remove_tree};
use super::process::{self, Process};
use super::{owner, stale};
use crate::failure::{Failure, Kind};

/// How a server is told to end.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum How {
    /// Sessions are ended, everything is written: nothing to recover at the next start.
    Fast,
    /// At once; what was committed is recovered at the next start.
    Immediate,
    /// By the kernel, sessions included: for a server that no longer reacts.
    Kill,
}

/// Ends the server of `data` if one lives, and waits until it is gone. `false` if none did.
pub(super) fn stop(data: &Path, how: How, limit: Duration) -> Result<bool, Failure> {
    let Some(server) = stale::living(data) else { return Ok(false) };
    let signal = match how {
        How::Fast => Signal::SIGINT,
        How::Immediate => Signal::SIGQUIT,
        How::Kill => Signal::SIGKILL,
    };
    let pid = i32::try_from(server.pid).map(Pid::from_raw);
    let pid = pid.map_err(|_| Failure::new(Kind::Database, format!("{} names no process", data.display())))?;
    kill(pid, signal).map_err(|error| local(&format!("cannot end process {pid}"), &error.into()))?;
    if how == How::Kill {
        for pid in process::inside(data).into_iter().filter_map(|pid| i32::try_from(pid).ok()) {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL); // it may have ended by itself meanwhile
        }
    }
    let started = Instant::now();
    while process::look(server.pid, data) == Process::Server || !process::inside(data).is_empty() {
        if started.elapsed() > limit {
            let what = format!("the private PostgreSQL (process {pid}) has not ended after {} s", limit.as_secs());
            return Err(Failure::new(Kind::Database, what)
                .kept("everything that was committed")
                .next("health db stop --force"));
        }
        thread::sleep(Duration::from_millis(5));
    }
    Ok(true)
}

/// The directories that belong to the private PostgreSQL of this home, the home's own last: while it is there, a second
/// attempt to remove them finds the rest.
pub(super) fn places(home: &Home, cluster: Option<&Cluster>, socket_dir: Option<&Path>) -> Vec<PathBuf> {
    // It may hold fetched programs and no cluster yet.
    let elsewhere = geteuid().is_root().then(|| owner::root_place(home));
    let mut places: Vec<PathBuf> = Vec::new();
    let outside = [socket_dir, cluster.map(|cluster| cluster.dir.as_path()), elsewhere.as_deref()];
    for dir in outside.into_iter().flatten().filter(|dir| dir.is_dir() && !dir.starts_with(&home.pg)) {
        if !places.iter().any(|place| dir.starts_with(place)) {
            places.push(dir.to_owned());
        }
    }
    places.push(home.pg.clone());
    places
}

/// Removes what a cluster consists of and what the private PostgreSQL keeps in the home. The server must have ended.
pub(super) fn remove(home: &Home, cluster: Option<&Cluster>, socket_dir: Option<&Path>) -> Result<(), Failure> {
    for dir in places(home, cluster, socket_dir) {
        remove_tree(&dir)?;
    }
    Ok(())
}
