//! Looks at processes: is this number alive, is it a server of that data directory, who still works inside it.
//!
//! Reads `/proc` on Linux and asks `ps` and `lsof` elsewhere. Decides nothing; `stale` does.

use std::path::Path;

/// What a process number stands for, seen from one data directory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Process {
    Gone,
    /// Dead, but its parent never asked: it still answers signal 0.
    Zombie,
    /// The server of this very directory.
    Server,
    /// Alive and somebody else: numbers are used again.
    Stranger,
}

/// Whether a command line and working directory belong to the server of `data`.
fn serves(program: &str, arguments: &[&str], cwd: Option<&Path>, data: &Path) -> bool {
    let name = Path::new(program).file_name().and_then(|name| name.to_str()).unwrap_or_default();
    matches!(name, "postgres" | "postmaster")
        && (cwd == Some(data) || arguments.iter().any(|argument| Path::new(argument) == data))
}

#[cfg(target_os = "linux")]
pub(super) fn look(pid: u32, data: &Path) -> Process {
    let proc = Path::new("/proc").join(pid.to_string());
    let Ok(stat) = std::fs::read_to_string(proc.join("stat")) else { return Process::Gone };
    if state(&stat).is_none_or(|state| matches!(state, 'Z' | 'X')) {
        return Process::Zombie;
    }
    let line = std::fs::read(proc.join("cmdline")).unwrap_or_default();
    let line = String::from_utf8_lossy(&line).into_owned();
    let words: Vec<&str> = line.split('\0').collect();
    let cwd = std::fs::read_link(proc.join("cwd")).ok();
    if serves(words[0], &words[1..], cwd.as_deref(), data) { Process::Server } else { Process::Stranger }
}

/// The state letter of `/proc/<pid>/stat`; the name before it may hold blanks and brackets.
#[cfg(target_os = "linux")]
fn state(stat: &str) -> Option<char> {
    stat.rsplit_once(')')?.1.trim_start().chars().next()
}

/// PostgreSQL processes whose working directory is `data`: the server and its backends, also those that outlived it.
#[cfg(target_os = "linux")]
pub(super) fn inside(data: &Path) -> Vec<u32> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let works_here = |pid: &u32| {
        std::fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|cwd| cwd == data)
            && std::fs::read_to_string(format!("/proc/{pid}/comm"))
                .is_ok_and(|name| name.trim_end().starts_with("post"))
    };
    pids.filter(works_here).collect()
}

/// The folder of the program that a process runs.
#[cfg(target_os = "linux")]
pub(super) fn program_dir(pid: u32) -> Option<std::path::PathBuf> {
    std::fs::read_link(format!("/proc/{pid}/exe")).ok()?.parent().map(Path::to_owned)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn program_dir(pid: u32) -> Option<std::path::PathBuf> {
    let program = ask("ps", &["-o", "comm=", "-p", &pid.to_string()])?;
    Path::new(program.trim()).parent().map(Path::to_owned)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn look(pid: u32, data: &Path) -> Process {
    let Some(state) = ask("ps", &["-o", "stat=", "-p", &pid.to_string()]) else { return Process::Gone };
    if state.trim().is_empty() {
        return Process::Gone;
    }
    if state.trim().starts_with('Z') {
        return Process::Zombie;
    }
    let line = ask("ps", &["-o", "command=", "-p", &pid.to_string()]).unwrap_or_default();
    let (program, rest) = line.trim().split_once(" -D ").unwrap_or((line.trim(), ""));
    let ours = data.to_str().is_some_and(|data| rest.starts_with(data));
    let arguments: &[&str] = if ours { &[data.to_str().unwrap_or_default()] } else { &[] };
    if serves(program, arguments, None, data) { Process::Server } else { Process::Stranger }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn inside(data: &Path) -> Vec<u32> {
    let listing = ask("lsof", &["-a", "-d", "cwd", "-c", "postgres", "-Fpn"]).unwrap_or_default();
    let mut pid = None;
    let mut found = Vec::new();
    for line in listing.lines() {
        if let Some(number) = line.strip_prefix('p') {
            pid = number.parse().ok();
        } else if line.strip_prefix('n').is_some_and(|name| Path::new(name) == data) {
            found.extend(pid);
        }
    }
    found
}

#[cfg(not(target_os = "linux"))]
fn ask(program: &str, arguments: &[&str]) -> Option<String> {
    let output = std::process::Command::new(program).args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_server_of_this_directory_counts() {
        let data = Path::new("/h/pg/18/data");
        let started = ["-D", "/h/pg/18/data", "-p", "54321"];
        assert!(serves("/usr/lib/postgresql/18/bin/postgres", &started, None, data));
        assert!(serves("postmaster", &[], Some(data), data));
        assert!(!serves("postgres", &["-D", "/other/data"], Some(Path::new("/other/data")), data));
        assert!(!serves("/usr/bin/python3", &started, Some(data), data), "a stranger may stand in our directory");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_name_with_brackets_does_not_hide_the_state() {
        assert_eq!(state("12 (a) Z (b) S 1 2"), Some('S'));
        assert_eq!(state("12 (postgres) Z 1"), Some('Z'));
        assert_eq!(state(""), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn living_dead_and_buried_are_told_apart() {
        let data = Path::new("/nowhere");
        assert_eq!(look(std::process::id(), data), Process::Stranger);
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let pid = child.id();
        while look(pid, data) == Process::Stranger {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        assert_eq!(look(pid, data), Process::Zombie);
        child.wait().unwrap();
        assert_eq!(look(pid, data), Process::Gone);
    }
}
