//! Starts the server of a cluster: port, `pg_ctl`, and patience where a start can still succeed.
//!
//! Holds no lock itself; the caller does.

use std::fs;
use std::io::{Read, Seek, SeekFrom};
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::find::Binaries;
use super::layout::{Cluster, local};
use super::owner::Owner;
use super::stale;
use crate::failure::{Failure, Kind};
use crate::output::typed;

/// Where ports are looked for; the number is kept for ever after, so that profiles of graphical tools survive.
const PORTS: std::ops::RangeInclusive<u16> = 54321..=54420;

/// The log is put aside at a start when it has grown beyond this many bytes.
const LOG_LIMIT: u64 = 16 * 1024 * 1024;

/// How long to wait between attempts while the system still holds what the dead server had; 30 s in all.
const BACKOFF: [Duration; 6] = [
    Duration::from_millis(400),
    Duration::from_millis(800),
    Duration::from_millis(1_600),
    Duration::from_millis(3_200),
    Duration::from_secs(8),
    Duration::from_secs(16),
];

/// Starts the server and returns its port: `last` if that is free.
pub(super) fn start(
    cluster: &Cluster,
    owner: &Owner,
    binaries: &Binaries,
    socket_dir: &Path,
    last: Option<u16>,
    note: &dyn Fn(&str),
) -> Result<u16, Failure> {
    turn_log(cluster, owner)?;
    let mut refused = Vec::new();
    let mut waits = BACKOFF.iter();
    loop {
        let port = choose(last, &refused, is_free)?;
        let Some(said) = attempt(cluster, owner, binaries, socket_dir, port)? else {
            if let Some(last) = last.filter(|last| *last != port) {
                note(&format!("port {last} is taken by another program; the database is at port {port} now"));
            }
            return Ok(port);
        };
        if taken(&said) && refused.len() < 100 {
            refused.push(port);
        } else if let (true, Some(wait)) = (passing(&said), waits.next()) {
            note("the previous server has not quite ended; trying again");
            thread::sleep(*wait);
            stale::clear(&cluster.data(), socket_dir, note)?;
        } else {
            let what = format!("the private PostgreSQL does not start:\n{}", last_lines(&said, 5));
            return Err(Failure::new(Kind::Database, what)
                .kept(format!("the cluster in {}", cluster.data().display()))
                .next(format!("look into {}", cluster.log().display())));
        }
    }
}

/// `None` when the server accepts connections, else what it said.
fn attempt(
    cluster: &Cluster,
    owner: &Owner,
    binaries: &Binaries,
    socket_dir: &Path,
    port: u16,
) -> Result<Option<String>, Failure> {
    let log = cluster.log();
    let before = fs::metadata(&log).map_or(0, |metadata| metadata.len());
    let options = format!("-p {port} -k {} -c listen_addresses=127.0.0.1", typed(&listed(socket_dir)));
    let mut command = owner.command(binaries.dir.join("pg_ctl"));
    command.arg("-D").arg(cluster.data()).args(["-w", "-s", "-t", "120"]).arg("-l").arg(&log).arg("-o").arg(options);
    let output = command.arg("start").output().map_err(|error| local("cannot run pg_ctl", &error))?;
    if output.status.success() || stale::living(&cluster.data()).is_some() {
        return Ok(None); // alive although pg_ctl lost patience: a long recovery, which the caller waits for
    }
    let mut said = String::from_utf8_lossy(&output.stderr).into_owned();
    let mut written = Vec::new();
    let tail = fs::File::open(&log).and_then(|mut file| {
        file.seek(SeekFrom::Start(before))?;
        file.read_to_end(&mut written)
    });
    if tail.is_ok_and(|bytes| bytes > 0) {
        said = String::from_utf8_lossy(&written).into_owned();
    }
    Ok(Some(said))
}

/// `last` if free, else the first free number of the range that has not been refused, else one that the system picks.
fn choose(last: Option<u16>, refused: &[u16], is_free: impl Fn(u16) -> bool) -> Result<u16, Failure> {
    let mut wanted = last.into_iter().chain(PORTS);
    if let Some(port) = wanted.find(|port| !refused.contains(port) && is_free(*port)) {
        return Ok(port);
    }
    let any = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    any.map(|address| address.port()).map_err(|error| local("no free port on 127.0.0.1", &error))
}

fn is_free(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

/// Somebody else got the port between our look and the server's.
fn taken(said: &str) -> bool {
    said.contains("Address already in use") || said.contains("could not create any TCP/IP sockets")
}

/// Troubles that end by themselves.
fn passing(said: &str) -> bool {
    ["is still in use", "starting up", "already exists"].iter().any(|sign| said.contains(sign))
}

/// One element of the list that `-k` takes: blanks and commas separate elements.
fn listed(path: &Path) -> String {
    format!("\"{}\"", path.display().to_string().replace('"', "\"\""))
}

fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let start = lines.len().saturating_sub(count);
    lines[start..].iter().map(|line| format!("  {}", crate::output::clean(line))).collect::<Vec<_>>().join("\n")
}

/// A log that grows for ever fills the disk one day; one old log is kept.
fn turn_log(cluster: &Cluster, owner: &Owner) -> Result<(), Failure> {
    let log = cluster.log();
    if fs::metadata(&log).is_ok_and(|metadata| metadata.len() > LOG_LIMIT) {
        let renamed = fs::rename(&log, cluster.dir.join("server.log.1"));
        renamed.map_err(|error| local(&format!("cannot put {} aside", log.display()), &error))?;
        super::layout::replace(&log, b"", owner.chown())?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_stays_unless_it_is_taken() {
        assert_eq!(choose(Some(54330), &[], |_| true).unwrap(), 54330);
        assert_eq!(choose(Some(54330), &[], |port| port != 54330).unwrap(), 54321);
        assert_eq!(choose(None, &[54321, 54322], |_| true).unwrap(), 54323);
        let other = choose(None, &[], |_| false).unwrap();
        assert!(!PORTS.contains(&other) || other != 0);
        assert_ne!(other, 0);
    }

    #[test]
    fn paths_reach_the_server_through_two_quotings() {
        assert_eq!(typed(&listed(Path::new("/a b/o'brien, x"))), "'\"/a b/o'\\''brien, x\"'");
    }

    #[test]
    fn only_passing_troubles_are_waited_for() {
        assert!(passing("FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use"));
        assert!(!passing("FATAL:  data directory \"x\" has wrong ownership"));
        assert!(taken("LOG:  could not bind IPv4 address \"127.0.0.1\": Address already in use"));
    }

    #[test]
    fn a_failure_shows_the_last_lines() {
        assert_eq!(last_lines("a\nb\n\nc\n", 2), "  b\n  c");
        assert_eq!(last_lines("", 5), "");
    }
}
