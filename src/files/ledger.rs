//! The ledger of imports, `meta.import_file`: a file is scanning, loading, published or failed, and what is in it counts
//! only once it is published (docs/ARCHITECTURE.md). Written under the account's fence.

use postgres::{GenericClient, Transaction};

use super::archive::Digests;
use crate::db::Sql;
use crate::failure::Failure;
use crate::run::Run;

/// A row of the ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) file_id: i64,
}

/// What is known of a file when it is published.
pub(super) struct Closing<'a> {
    pub(super) digests: &'a Digests,
    pub(super) seen: i64,
    pub(super) loaded: i64,
    pub(super) rejected: i64,
    /// Known rows that it lacks and that were not marked as gone.
    pub(super) held_back: i64,
    /// The document is cut off.
    pub(super) is_cut: bool,
}

/// What makes a file one that is known.
pub(super) enum Same<'a> {
    /// The bytes of an archive.
    File(&'a [u8]),
    /// The bytes of the document and of the files beside it; a document that came alone is known by itself.
    Content(&'a Digests),
}

/// The published file that is the same.
pub(super) fn published(
    client: &mut impl GenericClient,
    (user_id, account_id): (i64, i64),
    same: &Same,
    parser_version: i32,
) -> Result<Option<Entry>, Failure> {
    let (file, document, beside) = match same {
        Same::File(file) => (Some(*file), None, None),
        Same::Content(digests) => (None, digests.document.as_deref(), digests.beside.as_deref()),
    };
    let row = client
        .query_opt(
            include_str!("sql/published.sql"),
            &[&user_id, &account_id, &parser_version, &file, &document, &beside],
        )
        .sql()?;
    Ok(row.map(|row| Entry { file_id: row.get(0) }))
}

/// Whether a published document has the same length, and the same CRC-32 as far as that is known: then it is worth
/// reading for its digest.
pub(super) fn is_like_a_published_one(
    client: &mut impl GenericClient,
    (user_id, account_id): (i64, i64),
    digests: &Digests,
    parser_version: i32,
) -> Result<bool, Failure> {
    let (bytes, crc) = (i64::try_from(digests.bytes).unwrap_or(i64::MAX), digests.crc.map(i64::from));
    let row = client.query_one(include_str!("sql/alike.sql"), &[&user_id, &account_id, &bytes, &crc, &parser_version]);
    Ok(row.sql()?.get(0))
}

/// Writes down that a file is being read. Files of the account that never got further are marked as failed: their
/// process is gone, since we hold the account. A file that failed before keeps its number.
pub(super) fn begin(
    t: &mut Transaction,
    run: &Run,
    file_name: Option<&str>,
    digests: Option<&Digests>,
    parser_version: i32,
) -> Result<Entry, Failure> {
    t.execute(include_str!("sql/leftovers.sql"), &[&run.user_id, &run.account_id]).sql()?;
    t.query_one(include_str!("../run/sql/lock_person.sql"), &[&run.user_id]).sql()?;
    let document = digests.and_then(|digests| digests.document.as_deref());
    let bytes = digests.and_then(|digests| i64::try_from(digests.bytes).ok());
    let file = digests.and_then(|digests| digests.file.as_deref());
    let beside = digests.and_then(|digests| digests.beside.as_deref()).unwrap_or_default();
    let row = t
        .query_one(
            include_str!("sql/begin.sql"),
            &[
                &run.user_id,
                &run.account_id,
                &run.run_id,
                &file_name,
                &file,
                &document,
                &bytes,
                &parser_version,
                &beside,
            ],
        )
        .sql()?;
    Ok(Entry { file_id: row.get(0) })
}

/// Moves a file to `loading` or `failed`.
pub(super) fn mark(t: &mut Transaction, run: &Run, entry: Entry, status: &str) -> Result<(), Failure> {
    t.execute(include_str!("sql/mark.sql"), &[&run.user_id, &entry.file_id, &status, &run.run_id]).sql()?;
    Ok(())
}

/// The one update that makes a file's rows count.
pub(super) fn publish(t: &mut Transaction, run: &Run, entry: Entry, closing: &Closing) -> Result<(), Failure> {
    let Closing { digests, seen, loaded, rejected, held_back, is_cut } = closing;
    let mode = if *is_cut { "truncated" } else { "complete" };
    let bytes = i64::try_from(digests.bytes).unwrap_or(i64::MAX);
    let beside = digests.beside.as_deref().unwrap_or_default();
    let crc = digests.crc.map(i64::from);
    t.execute(
        include_str!("sql/yield_digest.sql"),
        &[&run.user_id, &run.account_id, &entry.file_id, &digests.document, &beside],
    )
    .sql()?;
    t.execute(
        include_str!("sql/publish.sql"),
        &[
            &run.user_id,
            &entry.file_id,
            &run.run_id,
            &digests.file,
            &digests.document,
            &bytes,
            seen,
            loaded,
            rejected,
            &mode,
            &beside,
            &crc,
            held_back,
        ],
    )
    .sql()?;
    Ok(())
}

/// How many known rows a published file lacks that were not marked as gone; none where a newer one was published since.
pub(super) fn held_back(
    client: &mut impl GenericClient,
    (user_id, account_id): (i64, i64),
    entry: Entry,
) -> Result<u64, Failure> {
    let row = client.query_opt(include_str!("sql/held_back.sql"), &[&user_id, &account_id, &entry.file_id]).sql()?;
    Ok(row.map_or(0, |row| u64::try_from(row.get::<_, i64>(0)).unwrap_or_default()))
}

/// A file by its number, as far as taking it back needs it.
pub(super) struct Asked {
    pub(super) status: String,
    pub(super) name: Option<String>,
    /// Rows that it brought are still there.
    pub(super) has_rows: bool,
    /// The published file of the account that was published last, which it is not by being read again.
    pub(super) newest: Option<i64>,
}

/// The file of the account with this number.
pub(super) fn asked(
    client: &mut impl GenericClient,
    (user_id, account_id): (i64, i64),
    file_id: i64,
) -> Result<Option<Asked>, Failure> {
    let row = client.query_opt(include_str!("sql/entry.sql"), &[&user_id, &account_id, &file_id]).sql()?;
    let asked =
        |row: postgres::Row| Asked { status: row.get(0), name: row.get(1), has_rows: row.get(2), newest: row.get(3) };
    Ok(row.map(asked))
}

/// The file no longer counts, and neither do its rejects.
pub(super) fn withdraw(t: &mut Transaction, run: &Run, entry: Entry) -> Result<(), Failure> {
    t.execute(include_str!("sql/withdraw.sql"), &[&run.user_id, &entry.file_id, &run.run_id]).sql()?;
    Ok(())
}

/// Files that were taken back and whose rows are still there.
pub(super) fn withdrawn(client: &mut impl GenericClient, run: &Run) -> Result<Vec<Entry>, Failure> {
    let rows = client.query(include_str!("sql/withdrawn.sql"), &[&run.user_id, &run.account_id]).sql()?;
    Ok(rows.iter().map(|row| Entry { file_id: row.get(0) }).collect())
}

/// Notes that nothing of the file is held any more.
pub(super) fn forgotten(t: &mut Transaction, run: &Run, entry: Entry) -> Result<(), Failure> {
    t.execute(include_str!("sql/forgotten.sql"), &[&run.user_id, &entry.file_id]).sql()?;
    Ok(())
}
