//! Encoded rows on their way to a table by binary COPY: rows that follow each other to the same table share one.

use std::io::Write as _;

use postgres::{CopyInWriter, GenericClient};

use crate::db::Sql;
use crate::failure::{Failure, Kind};

/// What begins a binary COPY: signature, flags, extension length (PostgreSQL manual, COPY).
const HEAD: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// What ends it: a row of -1 fields.
const TAIL: &[u8] = &[0xff, 0xff];

/// A COPY that is open.
pub(crate) struct Stream<'a> {
    writer: CopyInWriter<'a>,
    sent: std::io::Result<()>,
}

impl<'a> Stream<'a> {
    /// Opens it. `target` is what a COPY names: a table, perhaps with columns; `options` follow its format.
    pub(crate) fn open(client: &'a mut impl GenericClient, target: &str, options: &str) -> Result<Self, Failure> {
        let mut writer = client.copy_in(&format!("copy {target} from stdin (format binary{options})")).sql()?;
        let sent = writer.write_all(HEAD);
        Ok(Self { writer, sent })
    }

    /// Sends rows; says whether it makes sense to send more.
    pub(crate) fn send(&mut self, rows: &[u8]) -> bool {
        if self.sent.is_ok() {
            self.sent = self.writer.write_all(rows);
        }
        self.sent.is_ok()
    }

    /// Ends it; what went wrong on the way is said here, by the server where it knows.
    pub(crate) fn close(mut self) -> Result<(), Failure> {
        if self.sent.is_ok() {
            self.sent = self.writer.write_all(TAIL);
        }
        match (self.sent, self.writer.finish()) {
            (_, Err(error)) => Err(error).sql(),
            (Err(error), Ok(_)) => Err(Failure::new(Kind::Database, format!("rows cannot be sent: {error}"))),
            (Ok(()), Ok(_)) => Ok(()),
        }
    }
}
