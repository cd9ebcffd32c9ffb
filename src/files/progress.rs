//! How a person follows a file: a bar with bytes, records and rate on a terminal, a plain line now and then elsewhere,
//! objects for a program.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::report::grouped;
use crate::output::{Out, ProgressMode};

/// How often a plain line appears.
const PLAIN_EVERY: Duration = Duration::from_secs(10);
const JSON_EVERY: Duration = Duration::from_millis(500);

pub(super) struct Progress {
    out: Out,
    mode: ProgressMode,
    bar: Option<ProgressBar>,
    shown: String,
    total: Option<u64>,
    records: u64,
    began: Instant,
    told: Instant,
}

impl Progress {
    /// `total`: length of the document in bytes, where it is known.
    pub(super) fn new(out: &Out, shown: &str, total: Option<u64>) -> Self {
        let mode = out.progress_mode();
        let bar = (mode == ProgressMode::Bar).then(|| {
            let template = if total.is_some() {
                "  {prefix} [{bar:24}] {bytes} of {total_bytes}, {msg}, {eta} left"
            } else {
                "  {prefix} {spinner} {bytes}, {msg}"
            };
            let bar = total.map_or_else(ProgressBar::new_spinner, ProgressBar::new).with_prefix(shown.to_owned());
            match ProgressStyle::with_template(template) {
                Ok(style) => bar.with_style(style.progress_chars("#>-")),
                Err(_) => bar,
            }
        });
        let now = Instant::now();
        Self { out: out.clone(), mode, bar, shown: shown.to_owned(), total, records: 0, began: now, told: now }
    }

    /// More records are staged; the document has been read up to byte `at`.
    pub(super) fn batch(&mut self, records: u64, at: u64) {
        self.records += records;
        let rate = u128::from(self.records) * 1000 / self.began.elapsed().as_millis().max(1);
        if let Some(bar) = &self.bar {
            bar.set_position(at);
            bar.set_message(format!(
                "{} records, {}/s",
                grouped(self.records),
                grouped(u64::try_from(rate).unwrap_or(0))
            ));
        }
        let since = self.told.elapsed();
        if self.mode == ProgressMode::Plain && since >= PLAIN_EVERY {
            self.told = Instant::now();
            let share = self.total.map_or(String::new(), |total| format!(", {} %", at * 100 / total.max(1)));
            self.out.note(&format!("{}: {} records{share}", self.shown, grouped(self.records)));
        } else if self.mode == ProgressMode::Json && since >= JSON_EVERY {
            self.told = Instant::now();
            let phase = json!({"schema": "health.progress/1", "phase": "read", "file": self.shown,
                "records": self.records, "bytes": at, "total_bytes": self.total});
            self.out.write_stderr(&phase.to_string());
        }
    }

    /// The document has been read; what follows happens in the database.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
