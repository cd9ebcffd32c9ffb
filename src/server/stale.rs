//! What a killed server leaves behind, and when it is safe to clear that away.
//!
//! A pid file proves nothing: its number may be dead, unreaped, or somebody else's by now. And a dead server proves
//! nothing either: one of its backends may still be committing (docs/database.md).

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use super::layout::local;
use super::process::{self, Process};
use crate::failure::{Failure, Kind};

/// How long backends that outlived their server may finish what they do.
const ORPHANS: Duration = Duration::from_mins(1);

/// The lines of `postmaster.pid` that matter here.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PidFile {
    pub(super) pid: u32,
    pub(super) port: Option<u16>,
    pub(super) socket_dir: Option<PathBuf>,
}

impl PidFile {
    pub(super) fn read(data: &Path) -> Option<Self> {
        Self::parse(&fs::read_to_string(data.join("postmaster.pid")).ok()?)
    }

    /// Line 1 is the number, 4 the port, 5 the socket directory; a file cut short by a full disk has fewer.
    fn parse(text: &str) -> Option<Self> {
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let line = |number: usize| lines.get(number - 1).filter(|line| !line.is_empty());
        // A standalone backend writes its number with a minus sign.
        let pid = line(1)?.trim_start_matches('-').parse().ok()?;
        Some(Self { pid, port: line(4).and_then(|port| port.parse().ok()), socket_dir: line(5).map(PathBuf::from) })
    }
}

/// What to do before a start.
#[derive(Debug, PartialEq)]
enum Verdict {
    /// A server of this directory is alive.
    Alive,
    /// Backends without their server: they must end by themselves.
    Wait,
    /// Nobody is there; what lies around may go.
    Clear,
}

/// The rule. `inside` counts processes that work in the data directory.
fn verdict(named: Option<Process>, inside: usize) -> Verdict {
    match named {
        Some(Process::Server) => Verdict::Alive,
        _ if inside > 0 => Verdict::Wait,
        Some(Process::Gone | Process::Zombie | Process::Stranger) | None => Verdict::Clear,
    }
}

/// The number of the living server of `data`, if there is one.
pub(super) fn living(data: &Path) -> Option<PidFile> {
    PidFile::read(data).filter(|file| process::look(file.pid, data) == Process::Server)
}

/// Makes a start possible: waits for orphans, then removes stale files. `false` if a server of this directory is alive.
pub(super) fn clear(data: &Path, socket_dir: &Path, note: &dyn Fn(&str)) -> Result<bool, Failure> {
    let started = Instant::now();
    let mut said = false;
    loop {
        let named = PidFile::read(data).map(|file| process::look(file.pid, data));
        match verdict(named, process::inside(data).len()) {
            Verdict::Alive => return Ok(false),
            Verdict::Clear => break,
            Verdict::Wait if started.elapsed() > ORPHANS => {
                let what = format!(
                    "processes of a server that was killed still work in {}: {:?}",
                    data.display(),
                    process::inside(data)
                );
                return Err(Failure::new(Kind::Database, what)
                    .kept("everything that was committed")
                    .next("run the same command again in a minute"));
            }
            Verdict::Wait => {
                if !said && started.elapsed() > Duration::from_secs(1) {
                    note("waiting for the last sessions of a server that was killed");
                    said = true;
                }
                thread::sleep(Duration::from_millis(50));
            }
        }
    }
    remove(&data.join("postmaster.pid"))?;
    for file in sockets(socket_dir) {
        remove(&file)?;
    }
    Ok(true)
}

/// The directory is ours alone, so every socket in it is one of ours, on whatever port.
fn sockets(dir: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(dir) else { return Vec::new() };
    let ours = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with(".s.PGSQL.");
    entries.flatten().filter(ours).map(|entry| entry.path()).collect()
}

fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(local(&format!("cannot remove the stale file {}", path.display()), &error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pid_file_is_read_also_when_it_is_cut_short() {
        let whole = "4711\n/h/pg/18/data\n1795000000\n54321\n/h/pg/run\n127.0.0.1\n  1 2\nready   \n";
        let expected = PidFile { pid: 4711, port: Some(54321), socket_dir: Some(PathBuf::from("/h/pg/run")) };
        assert_eq!(PidFile::parse(whole), Some(expected));
        assert_eq!(PidFile::parse("4711\n/h"), Some(PidFile { pid: 4711, port: None, socket_dir: None }));
        assert_eq!(PidFile::parse("-4711\n").map(|file| file.pid), Some(4711));
        assert_eq!(PidFile::parse(""), None);
        assert_eq!(PidFile::parse("\0\0\0"), None);
    }

    #[test]
    fn files_go_only_when_nobody_can_be_writing() {
        use Process::{Gone, Server, Stranger, Zombie};
        let cases = [
            (None, 0, Verdict::Clear),
            (None, 2, Verdict::Wait),
            (Some(Gone), 0, Verdict::Clear),
            (Some(Gone), 1, Verdict::Wait),
            (Some(Zombie), 0, Verdict::Clear),
            (Some(Zombie), 3, Verdict::Wait),
            (Some(Stranger), 0, Verdict::Clear),
            (Some(Stranger), 1, Verdict::Wait),
            (Some(Server), 0, Verdict::Alive),
            (Some(Server), 6, Verdict::Alive),
        ];
        for (named, inside, expected) in cases {
            assert_eq!(verdict(named, inside), expected, "{named:?} with {inside} inside");
        }
    }

    #[test]
    fn clearing_takes_the_leavings_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["postmaster.pid", ".s.PGSQL.54321", ".s.PGSQL.54321.lock", "PG_VERSION"] {
            fs::write(dir.path().join(name), "1\n").unwrap(); // process 1 is alive and no server of this directory
        }
        assert!(clear(dir.path(), dir.path(), &|_| {}).unwrap());
        let left: Vec<_> = fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["PG_VERSION"]);
    }
}
