//! Whether a file of settings may be believed. It can redirect a login, name the database, and run a command as the
//! caller, so nobody but the caller and root may be able to write it (docs/adr/13).

use std::path::Path;

use crate::failure::{Failure, Kind};

/// Refuses a file that somebody else could have written. Says whether others may read it.
pub(super) fn expect_ours(path: &Path, meta: &std::fs::Metadata) -> Result<bool, Failure> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        let us = rustix::process::geteuid().as_raw();
        if meta.uid() != us && meta.uid() != 0 || meta.mode() & 0o022 != 0 {
            let shown = crate::output::clean(&path.display().to_string());
            return Err(Failure::new(
                Kind::Config,
                format!("{shown} belongs to another user, or others may write it; it is not read"),
            )
            .kept("nothing was sent anywhere")
            .next(format!("chmod go-w {shown}    after you have read it; remove it if it is not yours")));
        }
        Ok(meta.mode() & 0o077 != 0)
    }
    #[cfg(not(unix))]
    Ok(false)
}
