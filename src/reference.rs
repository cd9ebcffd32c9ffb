//! Reference data: tables that are the same for every person and come from data files of this program, brought in by
//! `migrate`. Knows how a file becomes rows; what the rows mean is said by the SQL that takes them.

use postgres::Client;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::db::{Sql, transaction};
use crate::failure::{Blame, Failure, Kind};

/// Data files that one statement brings into the database.
pub(crate) struct Reference {
    /// Name and CSV text with a header line, in the order of the digest.
    pub(crate) files: &'static [(&'static str, &'static str)],
    /// $1 jsonb: `{name: [row, ...]}`, a row an object of text without its empty fields. $2 text: the digest.
    pub(crate) load: &'static str,
}

impl Reference {
    /// Adds what is new and corrects what changed; where nothing did, nothing is written.
    pub(crate) fn load(&self, client: &mut Client) -> Result<(), Failure> {
        let files: anyhow::Result<Map<String, Value>> =
            self.files.iter().map(|(name, text)| Ok(((*name).to_owned(), parse(text)?))).collect();
        let files = Value::Object(files.blame(Kind::Bug)?);
        let version = self.version();
        transaction(client, |t| {
            t.execute(self.load, &[&files, &version]).sql()?;
            Ok(())
        })
    }

    /// The first 32 bits of a digest of the files, in hexadecimal.
    pub(crate) fn version(&self) -> String {
        use std::fmt::Write as _;
        let mut digest = Sha256::new();
        self.add_to(&mut digest);
        let mut version = String::new();
        for byte in &digest.finalize()[..4] {
            let _ = write!(version, "{byte:02x}");
        }
        version
    }

    /// Makes a digest depend on the files.
    pub(crate) fn add_to(&self, digest: &mut Sha256) {
        for (_, text) in self.files {
            digest.update(text);
        }
    }
}

/// A file as an array of objects, empty fields left out, so that they are null.
fn parse(text: &str) -> anyhow::Result<Value> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers()?.clone();
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record?;
        let filled = header.iter().zip(&record).filter(|(_, value)| !value.is_empty());
        rows.push(Value::Object(
            filled.map(|(name, value)| (name.to_owned(), Value::from(value))).collect::<Map<_, _>>(),
        ));
    }
    Ok(Value::Array(rows))
}

/// The rows of a file, for tests that hold data files to their rules.
#[cfg(test)]
pub(crate) fn rows(text: &str) -> Vec<Value> {
    parse(text).unwrap().as_array().unwrap().clone()
}
