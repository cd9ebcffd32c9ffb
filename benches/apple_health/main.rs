//! Measures imports of Apple Health exports: the release binary, invented exports of its own generator, and a throwaway
//! private PostgreSQL. References and candidates take turns, and what counts is the median of their ratios.
//!
//! `cargo bench --bench apple_health -- [--mb 200] [--rounds 5] [--raw] [--large MB] [--healthkit PATH]
//! [--write]`:
//! `--raw` leaves canonical out, `--large MB` takes the memory of a document of that size too, `--healthkit` names the program
//! `healthkit-to-sqlite` for the comparison with it, `--write` puts the table into `docs/performance.md`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program of its own, not the one it measures")]

mod export;
mod files;
mod looks;
mod mix;
mod peer;
mod random;
mod reference;
mod scenarios;
#[path = "../shared/mod.rs"]
#[allow(dead_code, reason = "each benchmark uses what it needs")]
mod shared;

use std::path::PathBuf;
use std::process::ExitCode;

use shared::report;

/// What is measured.
pub(crate) struct Plan {
    /// Size of the XML.
    pub(crate) megabytes: u64,
    pub(crate) rounds: usize,
    /// Leaves canonical out.
    pub(crate) raw: bool,
    pub(crate) healthkit: Option<PathBuf>,
    /// Size of an XML whose import is held to its memory; 0: none.
    pub(crate) large: u64,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    // `cargo test --all-targets` runs bench targets too; only `cargo bench` passes this flag.
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("run me with: cargo bench --bench apple_health");
        return ExitCode::SUCCESS;
    }
    let value = |name: &str| arguments.iter().skip_while(|argument| *argument != name).nth(1);
    let number = |name: &str, default| value(name).map_or(Some(default), |text| text.parse().ok());
    let numbers = (number("--mb", 200), number("--rounds", 5), number("--large", 0));
    let (Some(megabytes), Some(rounds), Some(large)) = numbers else {
        eprintln!("error: --mb, --rounds and --large take numbers");
        return ExitCode::FAILURE;
    };
    let plan = Plan {
        megabytes,
        rounds: usize::try_from(rounds).unwrap_or(5).max(1),
        raw: arguments.iter().any(|argument| argument == "--raw"),
        healthkit: value("--healthkit").map(PathBuf::from),
        large,
    };
    match scenarios::all(&plan) {
        Ok(rows) => {
            let table = report::table(&rows);
            println!("\n{table}");
            if arguments.iter().any(|argument| argument == "--write")
                && let Err(error) = report::write("apple_health", &table)
            {
                eprintln!("docs/performance.md: {error}");
                return ExitCode::FAILURE;
            }
            if rows.iter().all(|row| row.ok) { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
