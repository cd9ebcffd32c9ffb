//! The table: printed, and kept in `docs/performance.md` between two marks.

use std::fmt::Write as _;
use std::path::Path;

/// One figure.
pub(crate) struct Row {
    pub(crate) what: &'static str,
    pub(crate) target: String,
    pub(crate) measured: String,
    pub(crate) ok: bool,
}

const BEGIN: &str = "<!-- cargo bench --bench whoop: begin -->";
const END: &str = "<!-- cargo bench --bench whoop: end -->";

pub(crate) fn table(rows: &[Row]) -> String {
    let mut text = String::from("| figure | target | measured | |\n|---|---:|---:|---|\n");
    for row in rows {
        let verdict = if row.ok { "ok" } else { "**MISS**" };
        let _ = writeln!(text, "| {} | {} | {} | {verdict} |", row.what, row.target, row.measured);
    }
    let _ = write!(
        text,
        "\nMeasured on {} with `health` {}, one-minute load {} at the end.\n",
        crate::machine::facts(),
        env!("CARGO_PKG_VERSION"),
        crate::machine::load()
    );
    text
}

/// Puts the table in place of the last one; the rest of the page is left alone.
pub(crate) fn write(table: &str) -> std::io::Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/performance.md");
    let page = match std::fs::read_to_string(&path) {
        Ok(page) => page,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => format!("# Performance\n\n{BEGIN}\n{END}\n"),
        Err(error) => return Err(error),
    };
    let marks = page.split_once(BEGIN).and_then(|(head, rest)| Some((head, rest.split_once(END)?.1)));
    let Some((head, tail)) = marks else {
        return Err(std::io::Error::other(format!("the marks {BEGIN} and {END} are missing")));
    };
    std::fs::write(path, format!("{head}{BEGIN}\n{table}{END}{tail}"))
}
