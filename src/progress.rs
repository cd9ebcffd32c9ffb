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
        let Ok(mut inner) = self.inner.lock() else { return };
        // One that was cut off would draw itself, and all others, once more when it is dropped.
        for bar in inner.lines.values_mut().filter_map(|line| line.bar.take()) {
            bar.finish_and_clear();
        }
        let _ = inner.bars.clear();
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

    /// A terminal that counts what is written to it.
    #[derive(Clone, Debug, Default)]
    struct Screen(Arc<std::sync::atomic::AtomicUsize>);

    impl Screen {
        fn written(&self) -> usize {
            self.0.load(std::sync::atomic::Ordering::SeqCst)
        }

        fn count(&self, bytes: usize) -> std::io::Result<()> {
            self.0.fetch_add(bytes, std::sync::atomic::Ordering::SeqCst);
            Ok(())
        }
    }

    impl indicatif::TermLike for Screen {
        fn width(&self) -> u16 {
            80
        }
        fn move_cursor_up(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> std::io::Result<()> {
            Ok(())
        }
        fn write_line(&self, text: &str) -> std::io::Result<()> {
            self.count(text.len() + 1)
        }
        fn write_str(&self, text: &str) -> std::io::Result<()> {
            self.count(text.trim_end().len())
        }
        fn clear_line(&self) -> std::io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn bars_that_were_cut_off_do_not_come_back() {
        let screen = Screen::default();
        let out = Out { progress: ProgressMode::Bar, ..Out::default() };
        let progress = Progress::new(&out, "whoop");
        let target = indicatif::ProgressDrawTarget::term_like(Box::new(screen.clone()));
        progress.inner.lock().unwrap().bars.set_draw_target(target);
        progress.page("cycles", 25, None);
        progress.page("sleeps", 25, None);
        progress.finished("cycles", false);
        assert!(screen.written() > 0, "nothing was drawn");
        progress.clear();
        let written = screen.written();
        drop(progress);
        assert_eq!(screen.written(), written, "drawn again below the summary");
    }
}
