//! The exports on disk, zipped as phones zip them, and what inflating one costs by itself.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use zip::write::SimpleFileOptions;

use crate::export::Export;
use crate::shared::program::Result;

/// Writes an export as a zip; its path and how many records it holds.
pub(crate) fn zipped(dir: &Path, name: &str, export: &Export) -> Result<(PathBuf, u64)> {
    zipped_at(dir, name, export, 6)
}

/// The same, at another level of compression: 10 GB take minutes to write.
pub(crate) fn zipped_at(dir: &Path, name: &str, export: &Export, level: i64) -> Result<(PathBuf, u64)> {
    let path = dir.join(name);
    let mut zip = zip::ZipWriter::new(BufWriter::with_capacity(1 << 20, File::create(&path)?));
    let options = SimpleFileOptions::default().compression_level(Some(level)).large_file(true);
    zip.start_file("apple_health_export/export.xml", options)?;
    let records = export.write(&mut zip)?;
    zip.start_file("apple_health_export/export_cda.xml", options)?;
    zip.write_all(b"<?xml version=\"1.0\"?>\n<ClinicalDocument xmlns=\"urn:hl7-org:v3\"/>\n")?;
    zip.finish()?.flush()?;
    Ok((path, records))
}

/// The same document without an archive.
pub(crate) fn plain(dir: &Path, name: &str, export: &Export) -> Result<PathBuf> {
    let path = dir.join(name);
    let mut out = BufWriter::with_capacity(1 << 20, File::create(&path)?);
    export.write(&mut out)?;
    out.flush()?;
    Ok(path)
}

/// Inflates the document of an archive and looks at nothing; its length, and how long it took.
pub(crate) fn inflate(path: &Path) -> Result<(u64, Duration)> {
    let begun = Instant::now();
    let mut archive = zip::ZipArchive::new(BufReader::with_capacity(256 << 10, File::open(path)?))?;
    let mut entry = archive.by_name("apple_health_export/export.xml")?;
    let (mut block, mut length) = (vec![0; 1 << 20], 0);
    loop {
        match entry.read(&mut block)? {
            0 => return Ok((length, begun.elapsed())),
            count => length += count as u64,
        }
    }
}
