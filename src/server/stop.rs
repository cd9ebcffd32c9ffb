//! Ends the server, and removes a cluster, under the lock of the home.

use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, geteuid};

use super::client::{self, Session};
use super::layout::{Cluster, Home, State, local, remove_tree};
use super::process::{self, Process};
use super::{LOCK_PATIENCE, Settings, alive, inspect, locate, owner, stale};
use crate::failure::{Failure, Kind};

/// How long a session that is on its way out is waited for.
const LEAVING: Duration = Duration::from_secs(1);

/// How a stop ended.
#[derive(Debug, PartialEq)]
pub(crate) enum Stopped {
    Now,
    Already,
}

/// Stops the server. Without `force` it refuses while others are connected.
pub(crate) fn stop(settings: &Settings, force: bool) -> Result<Stopped, Failure> {
    let Some(home) = Home::existing(settings)?.filter(|home| home.pg.is_dir()) else { return Ok(Stopped::Already) };
    let _lock = home.lock(LOCK_PATIENCE)?;
    let cluster = locate(&home);
    let (Some(cluster), Some(running)) = (&cluster, alive(&home, cluster.as_ref())) else {
        return Ok(Stopped::Already);
    };
    if !force {
        let mut client = client::open_patiently(&running.config("postgres"), Duration::from_secs(5))
            .map_err(|refused| refused.failure("postgres").next("health db stop --force"))?;
        let sessions = staying(&mut client)?;
        if !sessions.is_empty() {
            return Err(in_use(&sessions));
        }
    }
    end(&cluster.data(), force)?;
    Ok(Stopped::Now)
}

/// The sessions that do not end by themselves: a program that has just ended leaves its own behind for a moment.
fn staying(client: &mut postgres::Client) -> Result<Vec<Session>, Failure> {
    let give_up = Instant::now() + LEAVING;
    loop {
        let sessions = client::sessions(client)?;
        if sessions.is_empty() || Instant::now() > give_up {
            return Ok(sessions);
        }
        thread::sleep(Duration::from_millis(50));
    }
}

fn in_use(sessions: &[Session]) -> Failure {
    let one = |session: &Session| {
        let name = crate::output::clean(&session.application);
        format!("{name} on {} ({}, process {})", session.database, session.client, session.pid)
    };
    let list: Vec<String> = sessions.iter().map(one).collect();
    Failure::new(Kind::Busy, format!("the private PostgreSQL is in use by {}", list.join(", ")))
        .kept("it keeps running")
        .next("close these, or: health db stop --force")
}

/// Ends the server politely, and with `force` by any means: what is committed is recovered at the next start.
fn end(data: &Path, force: bool) -> Result<(), Failure> {
    if !force {
        return signal(data, How::Fast, Duration::from_mins(1)).map(|_| ());
    }
    let gently = signal(data, How::Fast, Duration::from_secs(5));
    let firmly = gently.or_else(|_| signal(data, How::Immediate, Duration::from_secs(5)));
    firmly.or_else(|_| signal(data, How::Kill, Duration::from_secs(10))).map(|_| ())
}

/// What a destroy removes.
#[derive(Debug)]
pub(crate) struct Doomed {
    pub(crate) dirs: Vec<PathBuf>,
    pub(crate) bytes: u64,
}

/// What `destroy` would remove; `None` where there is nothing.
pub(crate) fn doomed(settings: &Settings) -> Result<Option<Doomed>, Failure> {
    let Some(home) = Home::existing(settings)?.filter(|home| home.pg.is_dir()) else { return Ok(None) };
    let dirs = places(&home, locate(&home).as_ref(), None);
    let bytes = dirs.iter().map(|dir| inspect::size(dir)).sum();
    Ok(Some(Doomed { dirs, bytes }))
}

/// Stops the server at once and removes the cluster with everything in it. `false` where there was nothing.
pub(crate) fn destroy(settings: &Settings) -> Result<bool, Failure> {
    let Some(home) = Home::existing(settings)?.filter(|home| home.pg.is_dir()) else { return Ok(false) };
    let _lock = home.lock(LOCK_PATIENCE)?;
    let cluster = locate(&home);
    let mut socket_dir = State::read(&home).map(|state| state.socket_dir);
    if let Some(cluster) = &cluster {
        let data = cluster.data();
        socket_dir = socket_dir.or_else(|| stale::PidFile::read(&data)?.socket_dir);
        let ended = signal(&data, How::Immediate, Duration::from_secs(10));
        ended.or_else(|_| signal(&data, How::Kill, Duration::from_secs(10)))?;
    }
    remove(&home, cluster.as_ref(), socket_dir.as_deref())?;
    Ok(true)
}

/// How a server is told to end.
#[derive(Debug, Clone, Copy, PartialEq)]
enum How {
    /// Sessions are ended, everything is written: nothing to recover at the next start.
    Fast,
    /// At once; what was committed is recovered at the next start.
    Immediate,
    /// By the kernel, sessions included: for a server that no longer reacts.
    Kill,
}

/// Ends the server of `data` if one lives, and waits until it is gone. `false` if none did.
fn signal(data: &Path, how: How, limit: Duration) -> Result<bool, Failure> {
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
fn places(home: &Home, cluster: Option<&Cluster>, socket_dir: Option<&Path>) -> Vec<PathBuf> {
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
fn remove(home: &Home, cluster: Option<&Cluster>, socket_dir: Option<&Path>) -> Result<(), Failure> {
    for dir in places(home, cluster, socket_dir) {
        remove_tree(&dir)?;
    }
    Ok(())
}
