//! Who listens on a port of this machine, as far as `/proc` tells us: for a message, so every doubt is silence.

use std::path::Path;

/// The program that listens on `port`, like `node` (pid 4411).
pub(super) fn holder(port: u16) -> Option<String> {
    let inode = ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .filter_map(|table| std::fs::read_to_string(table).ok())
        .find_map(|table| listener(&table, port))?;
    let socket = format!("socket:[{inode}]");
    let pid = std::fs::read_dir("/proc").ok()?.flatten().find_map(|process| {
        let pid: u32 = process.file_name().to_str()?.parse().ok()?;
        let mut fds = std::fs::read_dir(process.path().join("fd")).ok()?.flatten();
        fds.any(|fd| std::fs::read_link(fd.path()).is_ok_and(|target| target == Path::new(&socket))).then_some(pid)
    })?;
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    Some(format!("`{}` (pid {pid})", crate::output::clean(name.trim())))
}

/// The inode of the listening socket in a table of the kernel.
fn listener(table: &str, port: u16) -> Option<String> {
    const LISTENING: &str = "0A";
    let suffix = format!(":{port:04X}");
    table.lines().skip(1).find_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let ours = columns.get(1)?.ends_with(&suffix) && *columns.get(3)? == LISTENING;
        columns.get(9).filter(|_| ours).map(|inode| (*inode).to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn a_listener_of_ours_is_found_by_its_port() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let found = holder(listener.local_addr().unwrap().port()).unwrap();
        assert!(found.contains(&format!("(pid {})", std::process::id())), "{found}");
    }
}
