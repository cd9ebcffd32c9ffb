//! Measures `health` against its figures: the release binary, a simulated WHOOP that costs next to nothing, and a
//! throwaway private PostgreSQL. `cargo bench --bench whoop` prints the table, writes it into `docs/performance.md` and
//! fails when a target is missed. Figures come from the requirements of the first release; each is measured, none is
//! estimated.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program of its own, not the one it measures")]

mod provider;
mod records;
mod scenarios;
#[path = "../shared/mod.rs"]
#[allow(dead_code, reason = "each benchmark uses what it needs")]
mod shared;

use std::process::ExitCode;

use shared::report;

fn main() -> ExitCode {
    // `cargo test --all-targets` runs bench targets too; only `cargo bench` passes this flag.
    if !std::env::args().any(|argument| argument == "--bench") {
        println!("run me with: cargo bench --bench whoop");
        return ExitCode::SUCCESS;
    }
    match scenarios::all() {
        Ok(rows) => {
            let table = report::table(&rows);
            println!("\n{table}");
            if let Err(error) = report::write("whoop", &table) {
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
