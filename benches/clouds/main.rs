//! Measures all sources with an interface against their figures: the release binary, a ten-year history from the simulated
//! providers of the tests, and a throwaway private PostgreSQL. `cargo bench --bench clouds` prints the table and fails when a
//! target is missed; with `--write` the table goes into `docs/performance.md`. `-- oura whoop` measures these alone.

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::unused_self,
    clippy::zombie_processes,
    clippy::format_collect,
    clippy::format_push_string,
    unused_qualifications,
    unreachable_pub,
    dead_code,
    reason = "a program of its own that shares the simulated providers of the tests, and not all of their helpers"
)]

mod clouds;
#[path = "../../tests/it/providers/mod.rs"]
mod providers;
mod scenarios;
#[path = "../shared/mod.rs"]
mod shared;
#[path = "../../tests/it/support/mod.rs"]
mod support;

use std::process::ExitCode;

use shared::report;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --all-targets` runs bench targets too; only `cargo bench` passes this flag.
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("run me with: cargo bench --bench clouds");
        return ExitCode::SUCCESS;
    }
    let only: Vec<&str> = arguments.iter().map(String::as_str).filter(|argument| !argument.starts_with('-')).collect();
    match scenarios::all(&only) {
        Ok(rows) => {
            let table = report::table(&rows);
            println!("\n{table}");
            let writes = arguments.iter().any(|argument| argument == "--write");
            if let Err(error) = if writes { report::write("clouds", &table) } else { Ok(()) } {
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
