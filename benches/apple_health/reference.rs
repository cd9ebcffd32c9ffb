//! What PostgreSQL needs for the same rows when nobody has to read any XML: the rows of an import, written to a file of
//! the server in the form of a binary COPY, are loaded into a table without anything, and its key is built.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use postgres::{Client, NoTls};

use crate::shared::program::Result;

pub(crate) struct Reference {
    client: Client,
    rows: PathBuf,
    key: String,
}

impl Reference {
    /// Takes the rows from a database that holds an import; the server must be able to write into `dir`.
    pub(crate) fn take(url: &str, dir: &Path) -> Result<Self> {
        let mut client = Client::connect(url, NoTls)?;
        let rows = dir.join("rows.bin");
        let query = format!("copy (select * from apple_health_raw.records) to '{}' (format binary)", rows.display());
        client.batch_execute(&query)?;
        let key = "select pg_get_constraintdef(oid) from pg_constraint
                    where conrelid = 'apple_health_raw.records'::regclass and contype = 'p'";
        let key = client.query_one(key, &[])?.get(0);
        client.batch_execute("create schema bench")?;
        Ok(Self { client, rows, key })
    }

    /// A table that stands already, its rows written to the log, then the key.
    pub(crate) fn logged(&mut self) -> Result<Duration> {
        self.client.batch_execute("create table bench.records (like apple_health_raw.records including defaults)")?;
        let begun = Instant::now();
        self.client.batch_execute(&format!("copy bench.records from '{}' (format binary)", self.rows.display()))?;
        self.client.batch_execute(&format!("alter table bench.records add {}", self.key))?;
        let took = begun.elapsed();
        self.client.batch_execute("drop table bench.records")?;
        Ok(took)
    }

    /// The cheapest way that the server knows: table, frozen rows and key in one transaction, which needs no log where
    /// `wal_level` is minimal.
    pub(crate) fn frozen(&mut self) -> Result<Duration> {
        let begun = Instant::now();
        let rows = self.rows.display();
        self.client.batch_execute(&format!(
            "begin;
             create table bench.records (like apple_health_raw.records including defaults);
             copy bench.records from '{rows}' (format binary, freeze);
             alter table bench.records add {};
             commit",
            self.key
        ))?;
        let took = begun.elapsed();
        self.client.batch_execute("drop table bench.records")?;
        Ok(took)
    }
}
