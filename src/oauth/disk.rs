//! Private files, written so that a reader sees the old content or the new, never a part: exclusive create of a
//! random name in the same directory, fsync, rename, fsync of the directory. Knows nothing of tokens.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::error::StoreError;

/// Room that is set aside before a request, so that its answer can be kept on a full disk.
const RESERVED: u64 = 64 << 10;

/// No file here is larger; a larger one is not ours.
const MAX_FILE: u64 = 8 << 20;

/// The open flag that refuses a symbolic link.
pub(super) fn no_follow() -> i32 {
    i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0)
}

fn failed(doing: &str, path: &Path, error: &std::io::Error) -> StoreError {
    let shown = crate::output::clean(&path.display().to_string());
    let error = StoreError::local(format!("cannot {doing} {shown}: {error}"));
    match path.parent().filter(|_| doing.starts_with("create") || doing == "write") {
        Some(parent) => error.next(format!("make room in {} and make it writable", parent.display())),
        None => error,
    }
}

/// Makes `path` for our eyes only, and refuses one that others may write.
pub(super) fn private_dir(path: &Path) -> Result<(), StoreError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| failed("create the directory", path, &error))?;
    let meta = path.metadata().map_err(|error| failed("read", path, &error))?;
    owned_by_us(path, &meta)?;
    if meta.mode() & 0o022 != 0 {
        return Err(StoreError::local(format!("others may write in {}", path.display()))
            .next(format!("chmod 700 {}", path.display())));
    }
    Ok(())
}

fn owned_by_us(path: &Path, meta: &std::fs::Metadata) -> Result<(), StoreError> {
    if meta.uid() == rustix::process::geteuid().as_raw() {
        return Ok(());
    }
    let shown = path.display();
    Err(StoreError::local(format!("{shown} belongs to another user (uid {})", meta.uid()))
        .next(format!("chown {} {shown}    as root, if it is yours", rustix::process::geteuid().as_raw())))
}

/// The content of a private file; none where there is no such file.
///
/// # Errors
/// A link, another owner, or permissions that let others read it, with the exact `chmod`.
pub(super) fn read_private(path: &Path) -> Result<Option<Vec<u8>>, StoreError> {
    let opened = OpenOptions::new().read(true).custom_flags(no_follow()).open(path);
    let file = match opened {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) if error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error()) => {
            return Err(StoreError::local(format!("{} is a symbolic link; it is not followed", path.display()))
                .next("look where it leads, and remove it"));
        }
        Err(error) => return Err(failed("open", path, &error)),
    };
    let meta = file.metadata().map_err(|error| failed("read", path, &error))?;
    if !meta.is_file() {
        return Err(StoreError::local(format!("{} is not a regular file", path.display())));
    }
    owned_by_us(path, &meta)?;
    if meta.mode() & 0o077 != 0 {
        let shown = path.display();
        return Err(StoreError::local(format!(
            "{shown} can be read by others (permissions {:04o})",
            meta.mode() & 0o7777
        ))
        .next(format!("chmod 600 {shown}")));
    }
    let mut bytes = Vec::new();
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(|error| failed("read", path, &error))?;
    Ok(Some(bytes))
}

/// Makes a rename or removal in `dir` durable.
pub(super) fn sync_dir(dir: &Path) -> Result<(), StoreError> {
    File::open(dir).and_then(|dir| dir.sync_all()).map_err(|error| not_synced(dir, &error))
}

fn not_synced(path: &Path, error: &std::io::Error) -> StoreError {
    let shown = crate::output::clean(&path.display().to_string());
    StoreError::local(format!("{shown} cannot be synced ({error}); whether it is saved is not known"))
        .next("look after the disk, then run this again")
}

/// Removes a file of ours; one that is not there is removed already.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(failed("remove", path, &error)),
        _ => Ok(()),
    }
}

/// A file that is not published yet; it is removed unless it is published or kept.
#[derive(Debug)]
pub(super) struct NewFile {
    path: PathBuf,
    file: File,
    keep: bool,
}

impl NewFile {
    /// Creates `.<stem>.<random>.tmp` in `dir`, 0600, and nobody else's.
    pub(super) fn create(dir: &Path, stem: &str) -> Result<Self, StoreError> {
        let path = dir.join(format!(".{stem}.{}.tmp", uuid::Uuid::new_v4().simple()));
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .custom_flags(no_follow())
            .open(&path)
            .map_err(|error| failed("create", &path, &error))?;
        Ok(Self { path, file, keep: false })
    }

    /// Sets room aside on the disk, durably. The file stays empty, so that what is written later is whole as soon as it
    /// is written, with nothing to cut off.
    pub(super) fn reserve(&mut self) -> Result<(), StoreError> {
        let room = || -> std::io::Result<()> {
            match rustix::fs::fallocate(&self.file, rustix::fs::FallocateFlags::KEEP_SIZE, 0, RESERVED) {
                Ok(()) => {}
                Err(error) if error == rustix::io::Errno::OPNOTSUPP || error == rustix::io::Errno::NOSYS => {
                    (&self.file).write_all(&vec![0; usize::try_from(RESERVED).unwrap_or(0)])?;
                }
                Err(error) => return Err(error.into()),
            }
            self.file.sync_all()
        };
        room().map_err(|error| failed("create room for", &self.path, &error))
    }

    /// The whole content, durably.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        let mut all = || -> std::io::Result<()> {
            self.file.rewind()?;
            self.file.write_all(bytes)?;
            self.file.set_len(bytes.len() as u64)
        };
        all().map_err(|error| failed("write", &self.path, &error))?;
        self.file.sync_all().map_err(|error| not_synced(&self.path, &error))
    }

    /// Its name inside the directory.
    pub(super) fn name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Lets the file stay when this value goes: somebody will come back for it.
    pub(super) fn keep(&mut self) {
        self.keep = true;
    }

    /// Takes [`Self::keep`] back.
    pub(super) fn let_go(&mut self) {
        self.keep = false;
    }

    /// Takes the place of `target`; the directory must still be synced.
    pub(super) fn rename_to(mut self, target: &Path) -> Result<(), StoreError> {
        std::fs::rename(&self.path, target).map_err(|error| failed("replace", target, &error))?;
        self.keep = true;
        Ok(())
    }

    /// Becomes `target` unless there is one already; says whether it did.
    pub(super) fn link_to(self, target: &Path) -> Result<bool, StoreError> {
        match std::fs::hard_link(&self.path, target) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(failed("create", target, &error)),
        }
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.keep {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// Replaces `target` in one step, durably.
pub(super) fn replace(target: &Path, stem: &str, bytes: &[u8]) -> Result<(), StoreError> {
    let dir = target.parent().unwrap_or(Path::new("."));
    let mut file = NewFile::create(dir, stem)?;
    file.write(bytes)?;
    file.rename_to(target)?;
    sync_dir(dir)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn files_of_others_and_open_permissions_are_refused_with_the_way_out() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a");
        replace(&path, "a", b"x").unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o600);
        assert_eq!(read_private(&path).unwrap().unwrap(), b"x");
        for mode in [0o644, 0o640, 0o604, 0o666] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            let error = read_private(&path).unwrap_err();
            assert_eq!(error.next.unwrap(), format!("chmod 600 {}", path.display()));
        }
        assert_eq!(read_private(&dir.path().join("none")).unwrap(), None);
        assert!(read_private(dir.path()).is_err(), "a directory is no token file");
    }

    #[test]
    fn links_are_never_followed() {
        let dir = tempfile::tempdir().unwrap();
        let victim = dir.path().join("victim");
        replace(&victim, "v", b"precious").unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink(&victim, &link).unwrap();
        assert!(read_private(&link).unwrap_err().what.contains("symbolic link"));
        replace(&link, "l", b"new").unwrap();
        assert_eq!(std::fs::read(&victim).unwrap(), b"precious");
        assert!(!link.symlink_metadata().unwrap().is_symlink(), "the link was replaced, not written through");
    }

    #[test]
    fn a_reserved_file_ends_where_its_content_ends() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = NewFile::create(dir.path(), "t").unwrap();
        file.reserve().unwrap();
        let path = dir.path().join(file.name());
        assert!(path.metadata().unwrap().blocks() * 512 >= RESERVED);
        for size in [3usize, 200_000, 5] {
            file.write(&vec![7; size]).unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), vec![7; size]);
        }
        drop(file);
        assert!(!path.exists(), "unpublished files go");
    }

    #[test]
    fn a_directory_that_others_write_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b");
        private_dir(&path).unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o700);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o777)).unwrap();
        assert!(private_dir(&path).unwrap_err().next.unwrap().starts_with("chmod 700"));
    }
}
