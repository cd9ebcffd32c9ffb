//! Locks between processes: the kernel's, so that a dead holder leaves nothing behind. A lock file is never renamed or
//! deleted; what it says about its holder is for messages only.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::error::StoreError;
use crate::failure::Kind;

/// A held lock; dropping it lets go.
#[derive(Debug)]
pub(super) struct Held(#[allow(dead_code, reason = "the open file is the lock")] File);

/// Takes the lock at `path`, waiting at most `limit`.
///
/// # Errors
/// Busy when somebody else holds it beyond the limit; local where the file system knows no locks.
pub(super) fn take(path: &Path, limit: Duration, what: &str) -> Result<Held, StoreError> {
    let shown = path.display();
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(super::disk::no_follow())
        .open(path)
        .map_err(|error| StoreError::local(format!("the lock file {shown} cannot be opened: {error}")))?;
    let start = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) if start.elapsed() < limit => {
                std::thread::sleep(Duration::from_millis(25).min(limit));
            }
            Err(TryLockError::WouldBlock) => return Err(busy(&mut file, what)),
            Err(TryLockError::Error(error)) => {
                return Err(StoreError::local(format!("cannot lock {shown}: {error}"))
                    .next("set XDG_STATE_HOME to a directory on a local disk"));
            }
        }
    }
    // For a message of somebody who waits; not being able to say it is no failure.
    let _ = file.set_len(0).and_then(|()| write!(file, "{}", std::process::id()));
    Ok(Held(file))
}

fn busy(file: &mut File, what: &str) -> StoreError {
    let mut text = String::new();
    let _ = file.rewind().and_then(|()| file.take(20).read_to_string(&mut text));
    let holder =
        text.trim().parse::<u32>().map_or_else(|_| "another process".to_owned(), |pid| format!("process {pid}"));
    StoreError::new(Kind::Busy, format!("{what} by {holder}")).next("wait until it has ended, then run this again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_holder_at_a_time_and_none_left_behind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.lock");
        let held = take(&path, Duration::ZERO, "x is renewed").unwrap();
        let error = take(&path, Duration::from_millis(60), "x is renewed").unwrap_err();
        assert_eq!(error.kind, Kind::Busy);
        assert!(error.what.contains(&std::process::id().to_string()), "{error}");
        drop(held);
        std::fs::write(&path, "not a number, from a process long dead").unwrap();
        assert!(take(&path, Duration::ZERO, "x").is_ok(), "only the kernel's lock counts");
        assert!(path.exists());
    }

    #[test]
    fn a_planted_link_is_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        std::fs::write(&victim, "precious").unwrap();
        std::os::unix::fs::symlink(&victim, dir.path().join("x.lock")).unwrap();
        assert!(take(&dir.path().join("x.lock"), Duration::ZERO, "x").is_err());
        assert_eq!(std::fs::read_to_string(&victim).unwrap(), "precious");
    }
}
