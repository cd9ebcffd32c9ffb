//! Finds the document of a source in what a person named: a file, a folder, an archive at any depth, standard input.
//! By content, because names are localised and garbled. Archives are streamed and never unpacked to disk; no link is
//! followed; what expands beyond reason is refused.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use twox_hash::XxHash3_128;
use zip::ZipArchive;
use zip::read::ZipFile;
use zip::result::ZipError;

use super::Input;
use super::torn::{self, Torn};
use crate::failure::{Failure, Kind};
use crate::output::{clean, typed};
use crate::source::{Files, Recognised, Source};

/// Real exports expand 12 to 30 times (`docs/sources/apple_health.md`).
pub(super) const MOST_EXPANSION: u64 = 200;
/// Below this size a document may expand as it likes.
const SMALL: u64 = 1 << 20;
/// The largest document: four times a plausible life.
const LARGEST: u64 = 256 << 30;
/// How much of a document may be needed to recognise it.
const HEAD: usize = 1 << 20;
/// How deep an unpacked folder is searched, and how many names in it.
pub(super) const DEEPEST: usize = 6;
pub(super) const MOST_NAMES: usize = 100_000;
const BLOCK: usize = 256 << 10;

/// The document that was meant.
#[derive(Debug)]
pub(super) struct Document {
    /// What the person named, for messages and the ledger.
    pub(super) shown: String,
    /// The same as a command names it.
    pub(super) typed: String,
    pub(super) place: Place,
}

/// Where it lies.
#[derive(Debug)]
pub(super) enum Place {
    Stdin,
    /// `folder`: found in a folder that was named; else it was named itself.
    Plain {
        path: PathBuf,
        folder: bool,
    },
    Entry {
        archive: PathBuf,
        index: usize,
    },
    /// In an archive that is cut off.
    Torn {
        archive: PathBuf,
        torn: Torn,
        index: usize,
    },
}

/// What identifies a document, wherever it lies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Digests {
    /// SHA-256 of the file; none of standard input.
    pub(super) file: Option<Vec<u8>>,
    /// XXH3-128 of the document; none where it has not been read yet.
    pub(super) document: Option<Vec<u8>>,
    /// CRC-32 of the document, as an archive holds it; none where nobody has told it yet.
    pub(super) crc: Option<u32>,
    /// Of the files beside it; none where there are none.
    pub(super) beside: Option<Vec<u8>>,
    /// Length of the document in bytes.
    pub(super) bytes: u64,
}

/// What the bytes of a file are known by.
struct Hashed {
    /// SHA-256, of a file.
    file: Vec<u8>,
    /// XXH3-128, of a document.
    document: Vec<u8>,
    bytes: u64,
}

fn hash(reader: &mut dyn Read, is_file: bool, is_document: bool) -> io::Result<Hashed> {
    let (mut file, mut document, mut bytes) = (Sha256::new(), XxHash3_128::new(), 0);
    let mut block = vec![0; BLOCK];
    loop {
        let count = reader.read(&mut block)?;
        if count == 0 {
            let document = document.finish_128().to_be_bytes().to_vec();
            return Ok(Hashed { file: file.finalize().to_vec(), document, bytes });
        }
        if is_file {
            file.update(&block[..count]);
        }
        if is_document {
            document.write(&block[..count]);
        }
        bytes += count as u64;
    }
}

/// A file as it was looked at.
pub(super) struct Looked {
    /// SHA-256.
    pub(super) file: Vec<u8>,
    /// Digest of the document, where it is the file.
    document: Option<Vec<u8>>,
    bytes: u64,
}

impl Document {
    /// Finds it, or says what was found in its place. Where `allow_truncated`, an archive need not have its end.
    pub(super) fn find(
        input: &Input,
        (source, files): (&Source, &Files),
        allow_truncated: bool,
    ) -> Result<Self, Failure> {
        let Input::Path(path) = input else {
            return Ok(Self { shown: "standard input".into(), typed: "-".into(), place: Place::Stdin });
        };
        let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
        let shown = clean(&name);
        let about = std::fs::metadata(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => {
                Failure::new(Kind::File, format!("{} does not exist", clean(&path.to_string_lossy())))
                    .next(format!("give one of: {}", files.accepts))
            }
            _ => unreadable(&shown, &error.to_string()),
        })?;
        let place = if about.is_dir() {
            Place::Plain { path: in_folder(path, &shown, files)?, folder: true }
        } else if !about.is_file() {
            return Err(unreadable(&shown, "it is neither a file nor a folder"));
        } else if begins_like_zip(path).map_err(|error| unreadable(&shown, &error.to_string()))? {
            match torn_at(path) {
                None => Place::Entry { index: in_archive(path, &shown, files)?, archive: path.clone() },
                Some(_) if allow_truncated => in_torn(path, &shown, files)?,
                Some(length) => {
                    return Err(
                        cut_off(&shown, length).next(load_what_is_there(source, &typed(&path.to_string_lossy())))
                    );
                }
            }
        } else {
            Place::Plain { path: path.clone(), folder: false }
        };
        Ok(Self { shown, typed: typed(&path.to_string_lossy()), place })
    }

    /// Whether it was found in a folder, so that its file does not say what else came with it.
    pub(super) fn is_of_folder(&self) -> bool {
        matches!(self.place, Place::Plain { folder: true, .. })
    }

    /// Gives its bytes to `work`, from the first.
    pub(super) fn read<T>(&self, work: impl FnOnce(&mut dyn Read) -> T) -> Result<T, Failure> {
        let failed = |error: io::Error| unreadable(&self.shown, &error.to_string());
        match &self.place {
            Place::Stdin => Ok(work(&mut io::stdin().lock())),
            Place::Plain { path, .. } => Ok(work(&mut File::open(path).map_err(failed)?)),
            Place::Entry { archive, index } => {
                let mut archive = open(archive, &self.shown)?;
                let entry = archive.by_index(*index).map_err(|error| unreadable(&self.shown, &said(&error)))?;
                Ok(work(&mut Inflated::new(entry)))
            }
            Place::Torn { archive, torn, index } => Ok(work(&mut torn.entries[*index].open(archive).map_err(failed)?)),
        }
    }

    /// Of a document in an archive that is cut off: up to which byte the archive is whole.
    pub(super) fn torn_at(&self) -> Option<u64> {
        if let Place::Torn { torn, .. } = &self.place { Some(torn.at) } else { None }
    }

    /// Reads the file that it lies in, as it is; none for standard input, which can be read only once.
    pub(super) fn look(&self) -> Result<Option<Looked>, Failure> {
        let path = match &self.place {
            Place::Stdin => return Ok(None),
            Place::Plain { path, .. } | Place::Entry { archive: path, .. } | Place::Torn { archive: path, .. } => path,
        };
        let is_document = matches!(self.place, Place::Plain { .. });
        let hashed = File::open(path).and_then(|mut file| hash(&mut file, true, is_document));
        let hashed = hashed.map_err(|error| unreadable(&self.shown, &error.to_string()))?;
        let document = is_document.then_some(hashed.document);
        Ok(Some(Looked { file: hashed.file, document, bytes: hashed.bytes }))
    }

    /// What can be told of the document without reading it, where the digest of its file is known. An archive knows the
    /// length and the CRC-32 of what is in it.
    pub(super) fn outline(&self, looked: Looked, beside: Option<Vec<u8>>) -> Result<Digests, Failure> {
        let Looked { file, document, bytes } = looked;
        let Place::Entry { archive, index } = &self.place else {
            return Ok(Digests { file: Some(file), document, crc: None, beside, bytes });
        };
        let mut archive = open(archive, &self.shown)?;
        let entry = archive.by_index_raw(*index).map_err(|error| unreadable(&self.shown, &said(&error)))?;
        if let Some(why) = too_much(entry.size(), entry.compressed_size()) {
            return Err(unreadable(&self.shown, &why.to_string()));
        }
        Ok(Digests { file: Some(file), document: None, crc: Some(entry.crc32()), beside, bytes: entry.size() })
    }

    /// The digest of the document, which is read for it. An archive packed anew is another file with the same document.
    pub(super) fn digest(&self) -> Result<Vec<u8>, Failure> {
        let hashed = self.read(|reader| hash(reader, false, true))?;
        Ok(hashed.map_err(|error| unreadable(&self.shown, &error.to_string()))?.document)
    }

    /// Whether it can be read only once, as it comes.
    pub(super) fn is_stream(&self) -> bool {
        matches!(self.place, Place::Stdin)
    }
}

/// A file that cannot be read, with the reason.
pub(super) fn unreadable(shown: &str, why: &str) -> Failure {
    Failure::new(Kind::File, format!("{shown} cannot be read: {}", clean(why)))
        .kept("the database is as before")
        .next("export again, or copy the file again")
}

fn begins_like_zip(path: &Path) -> io::Result<bool> {
    let mut head = Vec::new();
    File::open(path)?.take(4).read_to_end(&mut head)?;
    Ok(head.starts_with(b"PK"))
}

pub(super) fn open(path: &Path, shown: &str) -> Result<ZipArchive<BufReader<File>>, Failure> {
    let file = File::open(path).map_err(|error| unreadable(shown, &error.to_string()))?;
    ZipArchive::new(BufReader::with_capacity(BLOCK, file)).map_err(|error| unreadable(shown, &said(&error)))
}

/// Its length, where a file begins like an archive and has no directory, which stands at the end.
fn torn_at(path: &Path) -> Option<u64> {
    let opened = ZipArchive::new(BufReader::with_capacity(BLOCK, File::open(path).ok()?));
    let is_torn = matches!(opened, Err(ZipError::InvalidArchive(_))) && torn::begins(path).unwrap_or_default();
    is_torn.then(|| std::fs::metadata(path).map(|about| about.len()).ok()).flatten()
}

fn cut_off(shown: &str, length: u64) -> Failure {
    let why = format!(
        "it is not a complete zip archive: it ends at byte {length} without its directory; export or copy it again, \
         or load what is there"
    );
    unreadable(shown, &why)
}

/// The command that takes of a cut-off file what it holds.
pub(super) fn load_what_is_there(source: &Source, typed: &str) -> String {
    format!("health ingest {} {typed} --allow-truncated", source.command_name())
}

/// What an archive's fault means for a person.
pub(super) fn said(error: &ZipError) -> String {
    match error {
        ZipError::UnsupportedArchive(text) if text.contains("assword") => "it is encrypted".into(),
        ZipError::InvalidPassword => "it is encrypted".into(),
        ZipError::InvalidArchive(why) => format!("it is not a complete zip archive ({why})"),
        ZipError::CompressionMethodNotSupported(number) => {
            format!("it is packed by method {number}, which is not known")
        }
        other => other.to_string(),
    }
}

/// The entry that is the document.
fn in_archive(path: &Path, shown: &str, files: &Files) -> Result<usize, Failure> {
    let mut archive = open(path, shown)?;
    let (mut found, mut others, mut nested) = (Vec::new(), Vec::new(), false);
    for index in 0..archive.len() {
        let name = archive.by_index_data(index).map_err(|error| unreadable(shown, &said(&error)))?.name_raw().to_vec();
        let name = String::from_utf8_lossy(&name).into_owned();
        nested |= has_extension(&name, ".zip");
        if !has_extension(&name, files.extension) || is_litter(&name) {
            continue;
        }
        let entry = match archive.by_index(index) {
            Ok(entry) if entry.is_file() && !entry.is_symlink() => entry,
            Ok(_) => continue,
            Err(error) => {
                others.push((name, said(&error)));
                continue;
            }
        };
        match decide(&mut Inflated::new(entry), files) {
            Ok(Recognised::Yes) => found.push((name, index)),
            Ok(Recognised::No(why)) => others.push((name, why)),
            Ok(Recognised::More) => others.push((name, "ends too early".into())),
            Err(error) => others.push((name, error.to_string())),
        }
    }
    if nested && found.is_empty() && others.is_empty() {
        return Err(unreadable(shown, "it holds another archive; unpack it once"));
    }
    only(found, &others, shown, files).map(|(_, index)| index)
}

/// The entry that is the document, of those that are there.
fn in_torn(path: &Path, shown: &str, files: &Files) -> Result<Place, Failure> {
    let torn = Torn::walk(path).map_err(|error| unreadable(shown, &error.to_string()))?;
    let (mut found, mut others) = (Vec::new(), Vec::new());
    for (index, entry) in torn.entries.iter().enumerate() {
        if !has_extension(&entry.name, files.extension) || is_litter(&entry.name) {
            continue;
        }
        match entry.open(path).and_then(|mut content| decide(&mut content, files)) {
            Ok(Recognised::Yes) => found.push((entry.name.clone(), index)),
            Ok(Recognised::No(why)) => others.push((entry.name.clone(), why)),
            Ok(Recognised::More) => others.push((entry.name.clone(), "ends too early".into())),
            Err(error) => others.push((entry.name.clone(), error.to_string())),
        }
    }
    let (_, index) = only(found, &others, shown, files)?;
    Ok(Place::Torn { archive: path.to_path_buf(), torn, index })
}

/// The file below a folder that is the document.
fn in_folder(folder: &Path, shown: &str, files: &Files) -> Result<PathBuf, Failure> {
    let (mut found, mut others, mut names) = (Vec::new(), Vec::new(), 0);
    let mut open = vec![(folder.to_path_buf(), 0)];
    while let Some((folder, depth)) = open.pop() {
        let entries = std::fs::read_dir(&folder).map_err(|error| unreadable(shown, &error.to_string()))?;
        for entry in entries.filter_map(Result::ok) {
            names += 1;
            if names > MOST_NAMES {
                return Err(unreadable(shown, "the folder holds too many files; name the export itself"));
            }
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && depth < DEEPEST && name != "__MACOSX" {
                open.push((path, depth + 1));
            } else if kind.is_file() && has_extension(&name, files.extension) && !is_litter(&name) {
                match File::open(&path).and_then(|mut file| decide(&mut file, files)) {
                    Ok(Recognised::Yes) => found.push((name, path)),
                    Ok(Recognised::No(why)) => others.push((name, why)),
                    Ok(Recognised::More) => others.push((name, "ends too early".into())),
                    Err(error) => others.push((name, error.to_string())),
                }
            }
        }
    }
    only(found, &others, shown, files).map(|(_, path)| path)
}

/// One document is meant: none and two are both refused, with what was found.
fn only<T>(
    mut found: Vec<(String, T)>,
    others: &[(String, String)],
    shown: &str,
    files: &Files,
) -> Result<(String, T), Failure> {
    if let [_] = found[..]
        && let Some(one) = found.pop()
    {
        return Ok(one);
    }
    let names: Vec<String> = found.iter().map(|(name, _)| clean(name)).collect();
    let what = match (names.len(), others.first()) {
        (0, Some((name, why))) => format!("{shown} holds no export that can be read: {} {}", clean(name), clean(why)),
        (0, None) => format!("{shown} holds no file that ends in {}", files.extension),
        _ => format!("{shown} holds {} exports: {}", names.len(), names.join(", ")),
    };
    Err(Failure::new(Kind::File, what)
        .kept("the database is as before")
        .next(format!("give one of: {}", files.accepts)))
}

/// Reads as much as it takes to recognise a document.
fn decide(reader: &mut dyn Read, files: &Files) -> io::Result<Recognised> {
    let mut head = Vec::new();
    loop {
        let size = head.len().max(4096) as u64;
        let read = reader.take(size).read_to_end(&mut head)?;
        let said = (files.recognise)(&head);
        if said != Recognised::More || read == 0 || head.len() >= HEAD {
            return Ok(said);
        }
    }
}

fn has_extension(name: &str, extension: &str) -> bool {
    let (name, extension) = (name.as_bytes(), extension.as_bytes());
    name.len() > extension.len() && name[name.len() - extension.len()..].eq_ignore_ascii_case(extension)
}

/// What systems leave beside files.
pub(super) fn is_litter(name: &str) -> bool {
    let last = name.rsplit(['/', '\\']).next().unwrap_or(name);
    name.starts_with("__MACOSX/") || last.starts_with("._") || matches!(last, ".DS_Store" | "Thumbs.db" | "desktop.ini")
}

/// Why nothing so large is read from so little.
pub(super) fn too_much(bytes: u64, packed: u64) -> Option<io::Error> {
    let is = bytes > LARGEST || (bytes > SMALL && bytes / MOST_EXPANSION > packed);
    let why = format!("it expands to more than {MOST_EXPANSION} times its size");
    is.then(|| io::Error::new(io::ErrorKind::FileTooLarge, why))
}

/// An entry of an archive, as long as it stays within reason.
pub(super) struct Inflated<R> {
    entry: R,
    packed: u64,
    declared: u64,
    given: u64,
}

impl<'a, R: Read> Inflated<ZipFile<'a, R>> {
    pub(super) fn new(entry: ZipFile<'a, R>) -> Self {
        let (packed, declared) = (entry.compressed_size(), entry.size());
        Self { entry, packed, declared, given: 0 }
    }
}

impl<R: Read> Read for Inflated<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.entry.read(into)?;
        self.given += count as u64;
        if let Some(why) = too_much(self.given, self.packed) {
            return Err(why);
        }
        if self.given > self.declared || (count == 0 && !into.is_empty() && self.given < self.declared) {
            return Err(io::Error::other("the archive says another size than it holds"));
        }
        Ok(count)
    }
}
