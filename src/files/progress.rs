//! How a person follows a file: a bar with bytes, records, rate and the time that is left on a terminal, a plain line now
//! and then elsewhere, objects for a program. The estimate is of the reading alone; what follows in the database is named
//! when it begins, because nobody knows how long it takes.

use std::time::{Duration, Instant};

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use serde_json::json;

use super::report::grouped;
use crate::output::{Out, ProgressMode};

/// How often a plain line appears.
const PLAIN_EVERY: Duration = Duration::from_secs(10);
const JSON_EVERY: Duration = Duration::from_millis(500);
/// How often a bar moves while nothing is counted.
const TICK: Duration = Duration::from_millis(120);

pub(super) struct Progress {
    out: Out,
    mode: ProgressMode,
    bar: Option<ProgressBar>,
    shown: String,
    so_far: SoFar,
    began: Instant,
    told: Instant,
}

/// How far a document has been read.
#[derive(Clone, Copy, Default)]
struct SoFar {
    /// Bytes.
    at: u64,
    /// Length of the document in bytes, where it is known.
    total: Option<u64>,
    records: u64,
}

impl Progress {
    /// `total`: length of the document in bytes, where it is known.
    pub(super) fn new(out: &Out, shown: &str, total: Option<u64>) -> Self {
        let mode = out.progress_mode();
        let bar = (mode == ProgressMode::Bar).then(|| {
            let template = if total.is_some() { "  {prefix} [{bar:24}] {msg}" } else { "  {prefix} {spinner} {msg}" };
            styled(total.map_or_else(ProgressBar::new_spinner, ProgressBar::new), shown, template)
        });
        let (so_far, now) = (SoFar { total, ..SoFar::default() }, Instant::now());
        Self { out: out.clone(), mode, bar, shown: shown.to_owned(), so_far, began: now, told: now }
    }

    /// More records are staged; the document has been read up to byte `at`.
    pub(super) fn batch(&mut self, records: u64, at: u64) {
        self.so_far.records += records;
        self.so_far.at = at;
        let (now, since) = (self.so_far, self.told.elapsed());
        if let Some(bar) = &self.bar {
            bar.set_position(at);
            bar.set_message(now.text(self.began.elapsed()));
        }
        if self.mode == ProgressMode::Plain && since >= PLAIN_EVERY {
            self.told = Instant::now();
            self.out.note(&format!("{}: {}", self.shown, now.text(self.began.elapsed())));
        } else if self.mode == ProgressMode::Json && since >= JSON_EVERY {
            self.told = Instant::now();
            let took = self.began.elapsed();
            let phase = json!({"schema": "health.progress/1", "phase": "read", "file": self.shown, "records": now.records,
                "records_per_second": now.rate(took), "bytes": at, "total_bytes": now.total,
                "seconds_left": now.left(took).map(|left| left.as_secs())});
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

impl SoFar {
    /// Records a second.
    fn rate(&self, took: Duration) -> u64 {
        u64::try_from(u128::from(self.records) * 1000 / took.as_millis().max(1)).unwrap_or(u64::MAX)
    }

    /// How long the rest takes at the speed up to now; none where the length or the speed is not known yet.
    fn left(&self, took: Duration) -> Option<Duration> {
        let rest = self.total?.saturating_sub(self.at);
        let millis = u128::from(rest) * took.as_millis() / u128::from((self.at > 0).then_some(self.at)?);
        (took >= Duration::from_secs(1)).then(|| Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)))
    }

    /// `61 % of 3.9 GiB, 12,402,118 records, 310,000 records/s, 0:16 left to read`.
    fn text(&self, took: Duration) -> String {
        let size = match self.total {
            Some(total) => format!(
                "{} % of {}",
                (u128::from(self.at) * 100 / u128::from(total.max(1))).min(100),
                HumanBytes(total)
            ),
            None => HumanBytes(self.at).to_string(),
        };
        let left = self.left(took).map_or(String::new(), |left| format!(", {} left to read", clock(left)));
        format!("{size}, {} records, {} records/s{left}", grouped(self.records), grouped(self.rate(took)))
    }
}

/// `1:04:30`, `0:16`.
fn clock(time: Duration) -> String {
    let seconds = time.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 { format!("{hours}:{minutes:02}:{seconds:02}") } else { format!("{minutes}:{seconds:02}") }
}

fn styled(bar: ProgressBar, shown: &str, template: &str) -> ProgressBar {
    let bar = bar.with_prefix(shown.to_owned());
    match ProgressStyle::with_template(template) {
        Ok(style) => bar.with_style(style.progress_chars("#>-")),
        Err(_) => bar,
    }
}

/// Something that takes as long as it takes; what it is stands there until this is dropped.
pub(super) struct Waiting {
    bar: Option<ProgressBar>,
}

impl Waiting {
    /// `what`: "writing what is new".
    pub(super) fn begin(out: &Out, shown: &str, what: &str) -> Self {
        let mode = out.progress_mode();
        if mode == ProgressMode::Json {
            let phase = json!({"schema": "health.progress/1", "phase": what, "file": shown});
            out.write_stderr(&phase.to_string());
        }
        let bar = (mode == ProgressMode::Bar).then(|| {
            let bar = styled(ProgressBar::new_spinner(), shown, "  {prefix} {spinner} {msg}, {elapsed}");
            bar.set_message(what.to_owned());
            bar.enable_steady_tick(TICK);
            bar
        });
        Self { bar }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_how_fast_and_how_long_still() {
        let half = SoFar { at: 2 << 30, total: Some(4 << 30), records: 6_000_000 };
        let said = half.text(Duration::from_secs(20));
        assert_eq!(said, "50 % of 4.00 GiB, 6,000,000 records, 300,000 records/s, 0:20 left to read");
        let begun = SoFar { at: 1 << 20, total: Some(4 << 30), records: 3_000 };
        assert!(!begun.text(Duration::from_millis(10)).contains("left"), "a first moment tells nothing");
        let stream = SoFar { at: 3 << 20, total: None, records: 9_000 };
        assert_eq!(stream.text(Duration::from_secs(3)), "3.00 MiB, 9,000 records, 3,000 records/s");
        assert_eq!(SoFar::default().text(Duration::ZERO), "0 B, 0 records, 0 records/s");
        assert_eq!([16, 75, 3870].map(|s| clock(Duration::from_secs(s))), ["0:16", "1:15", "1:04:30"]);
    }
}
