//! The figures, as a person reads them, and their place in `docs/scorecard.md`.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Duration;

use crate::Options;
use crate::support::pg::Database;
use crate::worker::Tally;

const BEGIN: &str = "<!-- sweep: written by cargo bench --bench sweep -->";
const END: &str = "<!-- /sweep -->";

pub fn table(tallies: &BTreeMap<String, Tally>, options: &Options, took: Duration) -> String {
    let mut lines = vec![
        "| what | tried | fired | failed | rows lost | doubled | phantom | wrong | new login needed |".to_owned(),
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|".to_owned(),
    ];
    let mut all = Tally::default();
    for (name, tally) in tallies {
        lines.push(row(name, tally));
        all.add(*tally);
    }
    lines.push(row("**all**", &all));
    lines.push(String::new());
    lines.push(format!(
        "`cargo bench --bench sweep -- --every {} --pairs {} --seed {}`: commit {}, {}, PostgreSQL {}, {} min.",
        options.every,
        options.pairs,
        options.seed,
        said("git", &["rev-parse", "--short", "HEAD"]),
        machine(),
        postgres(),
        took.as_secs().div_ceil(60),
    ));
    lines.join("\n")
}

fn row(name: &str, t: &Tally) -> String {
    format!(
        "| {name} | {} | {} | {} | {} | {} | {} | {} | {} |",
        t.tried, t.fired, t.failed, t.lost, t.doubled, t.phantom, t.wrong, t.asked_to_log_in
    )
}

/// Puts the text between the markers.
pub fn write(text: &str) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/scorecard.md");
    let old = std::fs::read_to_string(path).expect("docs/scorecard.md");
    let (head, rest) = old.split_once(BEGIN).expect("the first marker");
    let (_, tail) = rest.split_once(END).expect("the second marker");
    std::fs::write(path, format!("{head}{BEGIN}\n{text}\n{END}{tail}")).expect("docs/scorecard.md");
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = said("uname", &["-sm"]);
    let strace = said("strace", &["--version"]).lines().next().unwrap_or_default().replace(" -- version", "");
    format!("{cores} cores, {kernel}, {strace}")
}

fn postgres() -> String {
    let row = Database::server().query_one("show server_version", &[]).expect("a version");
    row.get::<_, String>(0).split(' ').next().unwrap_or_default().to_owned()
}

fn said(program: &str, args: &[&str]) -> String {
    let out = Command::new(program).args(args).output();
    out.map_or_else(|_| "unknown".into(), |out| String::from_utf8_lossy(&out.stdout).trim().to_owned())
}
