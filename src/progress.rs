//! How a person follows a run: bars on a terminal, objects for a program, and elsewhere a plain line when a resource ends
//! and now and then before.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::json;

use crate::output::{Out, ProgressMode, counted};

/// How often a resource that takes long is spoken of in a log.
const PLAIN: Duration = Duration::from_secs(10);
/// How often a program is told.
const JSON: Duration = Duration::from_millis(500);

/// A handle that the stages share; cheap to clone.
#[derive(Clone)]
pub(crate) struct Progress {
    inner: Arc<Mutex<Inner>>,
}

struct Inner {
    out: Out,
    mode: ProgressMode,
    source: String,
    bars: MultiProgress,
    lines: HashMap<&'static str, Line>,
}

struct Line {
    bar: Option<ProgressBar>,
    pages: u64,
    records: u64,
    told: Instant,
}

impl Progress {
    pub(crate) fn new(out: &Out, source: &str) -> Self {
        let inner = Inner {
            out: out.clone(),
            mode: out.progress_mode(),
            source: source.to_owned(),
            bars: MultiProgress::new(),
            lines: HashMap::new(),
        };
        Self { inner: Arc::new(Mutex::new(inner)) }
    }

    /// A page arrived; `back_to` is its earliest record.
    pub(crate) fn page(&self, resource: &'static str, records: usize, back_to: Option<DateTime<Utc>>) {
        let Ok(mut inner) = self.inner.lock() else { return };
        let line = inner.line(resource);
        line.pages += 1;
        line.records += records as u64;
        let (pages, all) = (line.pages, line.records);
        if let Some(bar) = &line.bar {
            let back = back_to.map_or(String::new(), |at| format!(", {}", at.format("%Y-%m-%d")));
            bar.set_message(format!("{}, {}{back}", counted(all, "record"), counted(pages, "page")));
            bar.tick();
        }
        let mode = inner.mode;
        if !inner.line(resource).is_due(mode, Instant::now()) {
            return;
        }
        if mode == ProgressMode::Json {
            let phase = json!({"schema": "health.progress/1", "phase": "extract", "source": inner.source,
                "resource": resource, "pages": pages, "records": all});
            inner.out.write_stderr(&phase.to_string());
        } else {
            inner.say("reading", resource, &format!("pages={pages} records={all}"));
        }
    }

    /// A resource has ended.
    pub(crate) fn finished(&self, resource: &'static str, whole: bool) {
        let Ok(mut inner) = self.inner.lock() else { return };
        let line = inner.line(resource);
        if let Some(bar) = &line.bar {
            let end = if whole { "" } else { ", stopped" };
            bar.finish_with_message(format!(
                "{}, {}{end}",
                counted(line.records, "record"),
                counted(line.pages, "page")
            ));
        }
        let counts = format!("pages={} records={} whole={whole}", line.pages, line.records);
        if inner.mode == ProgressMode::Plain {
            inner.say("read", resource, &counts);
        }
    }

    /// Takes the bars off the screen, so that the summary stands alone.
    pub(crate) fn clear(&self) {
        if let Ok(inner) = self.inner.lock() {
            let _ = inner.bars.clear();
        }
    }
}

impl Line {
    /// Whether it is time to speak of the resource again; the answer yes counts as spoken.
    fn is_due(&mut self, mode: ProgressMode, now: Instant) -> bool {
        let every = match mode {
            ProgressMode::Json => JSON,
            ProgressMode::Plain => PLAIN,
            ProgressMode::Auto | ProgressMode::Bar | ProgressMode::None => return false,
        };
        let due = now.saturating_duration_since(self.told) >= every;
        if due {
            self.told = now;
        }
        due
    }
}

impl Inner {
    /// One line of a log; silent with `-q`.
    fn say(&self, what: &str, resource: &str, counts: &str) {
        self.out.note(&format!("ingest {what} source={} resource={resource} {counts}", self.source));
    }

    fn line(&mut self, resource: &'static str) -> &mut Line {
        let (mode, bars) = (self.mode, &self.bars);
        self.lines.entry(resource).or_insert_with(|| {
            let bar = (mode == ProgressMode::Bar).then(|| {
                let style = ProgressStyle::with_template("  {spinner} {prefix:<24} {msg}");
                let bar = bars.add(ProgressBar::new_spinner()).with_prefix(resource);
                if let Ok(style) = style { bar.with_style(style) } else { bar }
            });
            Line { bar, pages: 0, records: 0, told: Instant::now() }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_hears_of_a_long_resource_every_ten_seconds_and_a_program_more_often() {
        let start = Instant::now();
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        let spoken = |mode| {
            let mut line = Line { bar: None, pages: 0, records: 0, told: start };
            (1..=250).filter(|tenth| line.is_due(mode, at(f64::from(*tenth) / 10.0))).count()
        };
        assert_eq!(spoken(ProgressMode::Plain), 2, "25 seconds of pages, ten a second");
        assert_eq!(spoken(ProgressMode::Json), 50);
        assert_eq!((spoken(ProgressMode::None), spoken(ProgressMode::Bar)), (0, 0));
    }
}
