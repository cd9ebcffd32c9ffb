//! How a person follows a run: bars on a terminal, a plain line when a resource ends elsewhere, objects for a program.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use chrono::{DateTime, Utc};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::json;

use crate::output::{Out, ProgressMode, counted};

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
        let due = line.told.elapsed().as_millis() >= 500;
        if let Some(bar) = &line.bar {
            let back = back_to.map_or(String::new(), |at| format!(", {}", at.format("%Y-%m-%d")));
            bar.set_message(format!("{}, {}{back}", counted(all, "record"), counted(pages, "page")));
            bar.tick();
        }
        if due && inner.mode == ProgressMode::Json {
            inner.line(resource).told = Instant::now();
            let phase = json!({"schema": "health.progress/1", "phase": "extract", "source": inner.source,
                "resource": resource, "pages": pages, "records": all});
            inner.out.write_stderr(&phase.to_string());
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
    }

    /// Takes the bars off the screen, so that the summary stands alone.
    pub(crate) fn clear(&self) {
        if let Ok(inner) = self.inner.lock() {
            let _ = inner.bars.clear();
        }
    }
}

impl Inner {
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
