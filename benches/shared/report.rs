//! The table of a benchmark: printed, and kept in `docs/performance.md` between two marks of its own.

use std::fmt::Write as _;
use std::path::Path;

/// One figure.
pub(crate) struct Row {
    pub(crate) what: String,
    pub(crate) target: String,
    pub(crate) measured: String,
    pub(crate) ok: bool,
}

pub(crate) fn table(rows: &[Row]) -> String {
    let mut text = String::from("| figure | target | measured | |\n|---|---:|---:|---|\n");
    for row in rows {
        let verdict = if row.ok { "ok" } else { "**MISS**" };
        let _ = writeln!(text, "| {} | {} | {} | {verdict} |", row.what, row.target, row.measured);
    }
    let _ = write!(
        text,
        "\nMeasured on {} with `health` {}, one-minute load {} at the end.\n",
        super::machine::facts(),
        env!("CARGO_PKG_VERSION"),
        super::machine::load()
    );
    text
}

/// Puts the table of a benchmark in place of its last one; the rest of the page is left alone.
pub(crate) fn write(bench: &str, table: &str) -> std::io::Result<()> {
    let (begin, end) =
        (format!("<!-- cargo bench --bench {bench}: begin -->"), format!("<!-- cargo bench --bench {bench}: end -->"));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/performance.md");
    let page = std::fs::read_to_string(&path)?;
    let marks = page.split_once(&begin).and_then(|(head, rest)| Some((head, rest.split_once(&end)?.1)));
    let Some((head, tail)) = marks else {
        return Err(std::io::Error::other(format!("the marks {begin} and {end} are missing")));
    };
    std::fs::write(path, format!("{head}{begin}\n{table}{end}{tail}"))
}
