//! The files beside a document, in its archive or its folder: which belong to it, whether they are the same as before,
//! and their bytes one after another. One that cannot be read is handed on as such, and the others follow. Nothing is
//! unpacked to disk and no link is followed.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crc32fast::Hasher as Crc;
use sha2::{Digest, Sha256};

use super::archive::{
    DEEPEST, Document, Inflated, MOST_EXPANSION, MOST_NAMES, Place, is_litter, open, said, unreadable,
};
use super::torn::{Local, Torn};
use crate::failure::Failure;
use crate::source::{Beside, SideFile};

/// No file beside a document may be larger: they are read whole.
const LARGEST: u64 = 64 << 20;
/// How much of a file may be needed to tell what it is.
const HEAD: u64 = 4 << 10;
/// Longer names are cut where they are shown and stored.
const LONGEST_NAME: usize = 1 << 10;

/// One of them.
struct Found {
    /// From the document's folder on, with a slash before it, as documents refer to it.
    path: String,
    size: u64,
    at: At,
}

enum At {
    Entry(usize),
    File(PathBuf),
    /// In an archive that is cut off.
    Local(Local),
}

/// The files that belong to a document.
pub(super) struct Companions {
    found: Vec<Found>,
    /// SHA-256 over their paths, sizes and checksums; none where there are none.
    pub(super) digest: Option<Vec<u8>>,
}

impl Companions {
    /// Those of a document that came alone.
    pub(super) fn none() -> Self {
        Self { found: Vec::new(), digest: None }
    }

    /// Lists them. A document that was named itself, or came by standard input, came alone.
    pub(super) fn find(document: &Document, beside: &Beside) -> Result<Self, Failure> {
        let marked = match &document.place {
            Place::Stdin | Place::Plain { folder: false, .. } => return Ok(Self::none()),
            Place::Plain { path, folder: true } => in_folder(document, path, beside)?,
            Place::Entry { archive, index } => in_archive(document, archive, *index, beside)?,
            Place::Torn { archive, torn, index } => in_torn(document, archive, (torn, *index), beside)?,
        };
        let mut lines: Vec<String> =
            marked.iter().map(|(found, crc)| format!("{} {crc:08x} {}\n", found.size, found.path)).collect();
        lines.sort();
        let digest = (!lines.is_empty()).then(|| Sha256::digest(lines.concat()).to_vec());
        Ok(Self { found: marked.into_iter().map(|(found, _)| found).collect(), digest })
    }

    /// What those that were read are known by. Where one of an archive could not be read, the checksums that its directory
    /// promises are not those of what is there: then they are known by the archive itself (`damaged`, its digest) as well,
    /// and are not those of an intact one.
    pub(super) fn seal(&self, damaged: Option<&[u8]>) -> Option<Vec<u8>> {
        let damaged = damaged.filter(|_| self.found.iter().any(|found| !matches!(found.at, At::File(_))));
        let digest = self.digest.as_ref()?;
        Some(damaged.map_or_else(|| digest.clone(), |file| Sha256::digest([digest, file].concat()).to_vec()))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Hands each one to `take`, in the order in which they lie there.
    pub(super) fn each(
        &self,
        document: &Document,
        take: &mut dyn FnMut(&SideFile) -> anyhow::Result<()>,
    ) -> Result<anyhow::Result<()>, Failure> {
        let mut archive = match &document.place {
            Place::Entry { archive, .. } if !self.found.is_empty() => Some(open(archive, &document.shown)?),
            _ => None,
        };
        let mut bytes = Vec::new();
        for found in &self.found {
            bytes.clear();
            let read = match (&found.at, &mut archive) {
                (At::File(path), _) => File::open(path).and_then(|file| whole(file, &mut bytes)),
                (At::Entry(index), Some(archive)) => match archive.by_index(*index) {
                    Ok(entry) => whole(Inflated::new(entry), &mut bytes),
                    Err(error) => Err(io::Error::other(said(&error))),
                },
                (At::Local(entry), _) if !entry.is_whole => Err(io::Error::other("it is cut off")),
                (At::Local(entry), _) => local(document, entry).and_then(|content| whole(content, &mut bytes)),
                (At::Entry(_), None) => Err(io::Error::other("its archive is gone")),
            };
            let content = read.map(|()| bytes.as_slice()).map_err(|error| error.to_string());
            if let Err(stopped) = take(&SideFile { path: &found.path, content }) {
                return Ok(Err(stopped));
            }
        }
        Ok(Ok(()))
    }
}

/// Reads a file to its end, as long as it stays within reason.
fn whole(file: impl Read, into: &mut Vec<u8>) -> io::Result<()> {
    file.take(LARGEST + 1).read_to_end(into)?;
    if into.len() as u64 > LARGEST {
        return Err(io::Error::other(format!("it is larger than {} MiB", LARGEST >> 20)));
    }
    Ok(())
}

/// What an archive holds below the folder of its document, with the checksums of its directory. Entries that lie over
/// each other, or expand together beyond reason, are left to the limits of each.
fn in_archive(document: &Document, path: &Path, main: usize, beside: &Beside) -> Result<Vec<(Found, u32)>, Failure> {
    let failed = |error: &dyn ToString| unreadable(&document.shown, &error.to_string());
    let mut archive = open(path, &document.shown)?;
    let mut budget = budget(document, path)?;
    let name_of = |archive: &zip::ZipArchive<_>, index| -> Result<(String, bool, u64, u32), Failure> {
        let entry = zip::ZipArchive::by_index_data(archive, index).map_err(|error| failed(&said(&error)))?;
        let name =
            entry.name().map_or_else(|_| String::from_utf8_lossy(entry.name_raw()).into_owned(), Cow::into_owned);
        Ok((name.replace('\\', "/"), entry.is_file(), entry.size(), entry.crc32()))
    };
    let (main_name, ..) = name_of(&archive, main)?;
    let mut all = Vec::new();
    for index in 0..archive.len() {
        let (name, is_file, size, crc) = name_of(&archive, index)?;
        let Some(inner) = below(&main_name, &name).filter(|_| is_file && index != main) else { continue };
        // One that cannot be opened is told by its name alone, and set aside when it is read.
        let mut head = Vec::new();
        if let Ok(entry) = archive.by_index(index) {
            let _ = entry.take(HEAD).read_to_end(&mut head);
        }
        if (beside.belongs)(inner, &head) {
            spend(document, &mut budget, size)?;
            all.push((Found { path: shown(inner), size, at: At::Entry(index) }, crc));
        }
        if all.len() > MOST_NAMES {
            return Err(unreadable(&document.shown, "it holds too many files"));
        }
    }
    Ok(all)
}

/// What files may expand to together, that lie in an archive.
fn budget(document: &Document, path: &Path) -> Result<u64, Failure> {
    let about = std::fs::metadata(path).map_err(|error| unreadable(&document.shown, &error.to_string()))?;
    Ok(about.len().saturating_mul(MOST_EXPANSION).max(LARGEST))
}

fn spend(document: &Document, budget: &mut u64, size: u64) -> Result<(), Failure> {
    let too_much = || unreadable(&document.shown, &format!("it expands to more than {MOST_EXPANSION} times its size"));
    *budget = budget.checked_sub(size).ok_or_else(too_much)?;
    Ok(())
}

/// The path of an entry from the folder of the document on; none where it lies elsewhere or is litter.
fn below<'a>(main: &str, name: &'a str) -> Option<&'a str> {
    let folder = main.rsplit_once('/').map_or("", |(folder, _)| folder);
    let inner =
        if folder.is_empty() { Some(name) } else { name.strip_prefix(folder).filter(|inner| inner.starts_with('/')) };
    inner.map(|inner| inner.trim_start_matches('/')).filter(|_| !is_litter(name))
}

/// The same of an archive that is cut off, as far as it goes. One that is cut off is set aside when it is read.
fn in_torn(
    document: &Document,
    path: &Path,
    (torn, main): (&Torn, usize),
    beside: &Beside,
) -> Result<Vec<(Found, u32)>, Failure> {
    let (mut all, mut budget) = (Vec::new(), budget(document, path)?);
    let main_name = &torn.entries[main].name;
    for (index, entry) in torn.entries.iter().enumerate() {
        let is_file = index != main && !entry.name.ends_with('/');
        let Some(inner) = below(main_name, &entry.name).filter(|_| is_file) else { continue };
        let mut head = Vec::new();
        let _ = entry.open(path).and_then(|content| content.take(HEAD).read_to_end(&mut head));
        if (beside.belongs)(inner, &head) {
            spend(document, &mut budget, if entry.is_whole { entry.size } else { 0 })?;
            all.push((Found { path: shown(inner), size: entry.size, at: At::Local(entry.clone()) }, entry.crc));
        }
    }
    Ok(all)
}

fn local(document: &Document, entry: &Local) -> io::Result<impl Read> {
    match &document.place {
        Place::Torn { archive, .. } => entry.open(archive),
        _ => Err(io::Error::other("its archive is gone")),
    }
}

/// What a folder holds beside its document and below, with checksums of what was read.
fn in_folder(document: &Document, main: &Path, beside: &Beside) -> Result<Vec<(Found, u32)>, Failure> {
    let failed = |error: io::Error| unreadable(&document.shown, &error.to_string());
    let root = main.parent().unwrap_or(Path::new("."));
    let (mut all, mut names, mut open) = (Vec::new(), 0, vec![(root.to_path_buf(), 0)]);
    while let Some((folder, depth)) = open.pop() {
        for entry in std::fs::read_dir(&folder).map_err(failed)?.filter_map(Result::ok) {
            names += 1;
            if names > MOST_NAMES {
                return Err(unreadable(&document.shown, "the folder holds too many files; name the export itself"));
            }
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && depth < DEEPEST && name != "__MACOSX" {
                open.push((path, depth + 1));
            } else if kind.is_file() && path != main && !is_litter(&name) {
                let inner = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                let mut head = Vec::new();
                // One that cannot be opened is told by its name alone, and set aside when it is read.
                let _ = File::open(&path).and_then(|file| file.take(HEAD).read_to_end(&mut head));
                if (beside.belongs)(&inner, &head) {
                    let (size, crc) = checksum(&path).unwrap_or((0, 0));
                    all.push((Found { path: shown(&inner), size, at: At::File(path) }, crc));
                }
            }
        }
    }
    all.sort_by(|(one, _), (other, _)| one.path.cmp(&other.path));
    Ok(all)
}

/// Size and CRC-32 of a file, as archives have them.
fn checksum(path: &Path) -> io::Result<(u64, u32)> {
    let (mut crc, mut size, mut block) = (Crc::new(), 0, vec![0; 64 << 10]);
    let mut file = File::open(path)?.take(LARGEST + 1);
    loop {
        let count = file.read(&mut block)?;
        if count == 0 {
            return Ok((size, crc.finalize()));
        }
        crc.update(&block[..count]);
        size += count as u64;
    }
}

/// A path as it is stored: from the document's folder on, with a slash before it.
fn shown(inner: &str) -> String {
    let clean = inner.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c });
    std::iter::once('/').chain(clean).take(LONGEST_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_those_that_documents_refer_to() {
        assert_eq!(shown("workout-routes/a.gpx"), "/workout-routes/a.gpx");
        assert_eq!(shown("a\0b\n"), "/a\u{fffd}b\u{fffd}");
        assert_eq!(shown(&"x".repeat(5000)).chars().count(), LONGEST_NAME);
    }

    #[test]
    fn a_file_has_the_checksum_that_an_archive_gives_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, b"123456789").unwrap();
        assert_eq!(checksum(&path).unwrap(), (9, 0xcbf4_3926)); // the check value of CRC-32
    }
}
