//! The only place that prints. Data goes to standard output, everything else to standard error; provider text is made
//! safe before it is shown; a closed pipe is not an error.

use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};

use serde_json::{Value, json};

use crate::failure::{Exit, Failure};

/// How this call talks.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "flags of the command line, each on its own")]
pub(crate) struct Out {
    pub(crate) json: bool,
    pub(crate) quiet: bool,
    pub(crate) verbose: u8,
    pub(crate) progress: ProgressMode,
    pub(crate) no_input: bool,
    /// Nothing at all on standard output: another command speaks for this one.
    pub(crate) mute: bool,
}

/// `--progress`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, clap::ValueEnum)]
pub(crate) enum ProgressMode {
    Auto,
    Bar,
    Plain,
    Json,
    None,
}

impl Default for Out {
    fn default() -> Self {
        Self { json: false, quiet: false, verbose: 0, progress: ProgressMode::Auto, no_input: false, mute: false }
    }
}

impl Out {
    /// Data, on standard output.
    pub(crate) fn line(&self, text: &str) {
        self.write_stdout(text);
    }

    /// One document, on standard output: `schema` is its first member and `result` its last.
    pub(crate) fn json(&self, value: &Value) {
        self.write_stdout(&serde_json::to_string(&Document(value)).unwrap_or_default());
    }

    /// A text, or with `--json` a document that holds it.
    pub(crate) fn text(&self, schema: &str, text: &str) {
        if self.json {
            self.json(&json!({"schema": schema, "text": text, "result": result(Exit::OK, &Value::Null, &[])}));
        } else {
            self.line(text);
        }
    }

    #[allow(clippy::unused_self, reason = "printing goes through the handle, so that it can be told apart in tests")]
    fn write_stdout(&self, text: &str) {
        if self.mute {
            return;
        }
        let mut stdout = std::io::stdout().lock();
        if let Err(error) = writeln!(stdout, "{text}").and_then(|()| stdout.flush()) {
            STDOUT_FAILED.get_or_init(|| error.kind());
        }
    }

    /// What a person wants to know beside the data; silent with `-q`.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.write_stderr(text);
        }
    }

    /// Details, with `-v`.
    pub(crate) fn debug(&self, text: &str) {
        if self.verbose > 0 {
            self.write_stderr(text);
        }
    }

    /// Always shown, also with `-q`.
    #[allow(clippy::unused_self, reason = "as above")]
    pub(crate) fn write_stderr(&self, text: &str) {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    }

    /// The three lines of a failure, and its document with `--json`.
    pub(crate) fn failure(&self, failure: &Failure) {
        self.failure_lines(failure);
        if self.json {
            let next: Vec<&str> = failure.next.as_deref().into_iter().collect();
            self.json(&json!({
                "schema": "health.error/1",
                "error": failure.error.to_string(),
                "result": result(failure.exit(), &json!(failure.kept), &next),
            }));
        }
    }

    /// The three lines alone, where another document speaks of the failure.
    pub(crate) fn failure_lines(&self, failure: &Failure) {
        let mut text = format!("error: {}", failure.error);
        if self.verbose > 0 {
            for cause in failure.error.chain().skip(1) {
                let _ = write!(text, "\n  because: {cause}");
            }
        }
        if let Some(kept) = &failure.kept {
            let _ = write!(text, "\nkept:  {kept}");
        }
        if let Some(next) = &failure.next {
            let _ = write!(text, "\nnext:  {next}");
        }
        self.write_stderr(&text);
    }

    /// A table for people, on standard output: columns lined up, two blanks between them, no frame.
    pub(crate) fn table(&self, header: &[&str], rows: &[Vec<String>]) {
        for line in lined_up(header, rows) {
            self.line(&line);
        }
    }

    /// The same on standard error, for what accompanies a run.
    pub(crate) fn note_table(&self, header: &[&str], rows: &[Vec<String>]) {
        for line in lined_up(header, rows) {
            self.note(&line);
        }
    }

    /// Whether a person can be asked: standard input and standard error are terminals, and nobody forbade it.
    pub(crate) fn can_ask(&self) -> bool {
        !self.no_input && std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// How progress is shown.
    pub(crate) fn progress_mode(&self) -> ProgressMode {
        match self.progress {
            ProgressMode::Auto if self.quiet => ProgressMode::None,
            ProgressMode::Auto if std::io::stderr().is_terminal() => ProgressMode::Bar,
            ProgressMode::Auto => ProgressMode::Plain,
            mode => mode,
        }
    }
}

fn lined_up(header: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING).set_header(header.iter().copied());
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table.lines().map(|line| line.trim_end().to_owned()).collect()
}

/// The first error of standard output; `lib::run` turns it into an exit code.
static STDOUT_FAILED: std::sync::OnceLock<std::io::ErrorKind> = std::sync::OnceLock::new();

/// Whether standard output broke, and how; a closed pipe is the reader's choice and no failure.
pub(crate) fn stdout_failure() -> Option<std::io::ErrorKind> {
    STDOUT_FAILED.get().copied().filter(|kind| *kind != std::io::ErrorKind::BrokenPipe)
}

/// A document with its members in the order that readers of a stream count on.
struct Document<'a>(&'a Value);

impl serde::Serialize for Document<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Value::Object(members) = self.0 else { return self.0.serialize(serializer) };
        let place = |name: &str| match name {
            "schema" => 0,
            "result" => 2,
            _ => 1,
        };
        let mut ordered: Vec<_> = members.iter().collect();
        ordered.sort_by_key(|(name, _)| place(name)); // stable: the others stay as they are
        serializer.collect_map(ordered)
    }
}

/// The `result` member of every `--json` document.
pub(crate) fn result(exit: Exit, kept: &Value, next: &[&str]) -> Value {
    let class = match exit.0 {
        0 => "OK",
        1 => "BUG",
        3 => "PARTIAL",
        4 => "AUTH",
        5 | 8 | 10 => "RETRY",
        6 => "REFUSED",
        7 => "REJECT",
        12 => "BROKEN",
        129.. => "SIGNAL",
        _ => "LOCAL",
    };
    json!({"code": exit.name(), "class": class, "exit": exit.0, "kept": kept, "next": next})
}

/// `1 record`, `2 records`.
pub(crate) fn counted(number: impl Into<i128>, one: &str) -> String {
    let number = number.into();
    if number == 1 { format!("1 {one}") } else { format!("{number} {one}s") }
}

/// A path, or another word of a command, as it can be typed: quoted where a shell would read it otherwise.
pub(crate) fn typed(word: &str) -> String {
    let shown: String = word.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    let shown = if shown.starts_with('-') && shown.len() > 1 { format!("./{shown}") } else { shown };
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-/@%+=:,".contains(c);
    if !shown.is_empty() && shown.chars().all(is_plain) {
        return shown;
    }
    format!("'{}'", shown.replace('\'', "'\\''"))
}

/// Provider text made safe to show: control, escape and direction characters are replaced, and it is cut to 120.
pub(crate) fn clean(text: &str) -> String {
    let safe = |c: char| {
        let hidden = c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}'..='\u{2029}' | '\u{2066}'..='\u{2069}' | '\u{feff}');
        if hidden { '\u{fffd}' } else { c }
    };
    let mut shown: String = text.chars().take(120).map(safe).collect();
    if text.chars().nth(120).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_begins_with_its_schema_and_ends_with_its_result() {
        let value = json!({"result": {"z": 1, "a": 2}, "zz": null, "schema": "x/1", "a": [3]});
        let text = serde_json::to_string(&Document(&value)).unwrap();
        assert_eq!(text, r#"{"schema":"x/1","a":[3],"zz":null,"result":{"a":2,"z":1}}"#);
    }

    #[test]
    fn provider_text_cannot_steer_a_terminal() {
        assert_eq!(clean("a\u{1b}[31mb\u{202e}c\n"), "a\u{fffd}[31mb\u{fffd}c\u{fffd}");
        assert_eq!(clean(&"x".repeat(300)).chars().count(), 121);
    }
}
