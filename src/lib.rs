//! `health` brings a person's health data from clouds and files into PostgreSQL.
//!
//! A record's trip: `oauth` logs in, `extract` asks a provider page by page, `files` reads what a person exported,
//! `load` writes raw rows, `transform` makes canonical rows of them by SQL models. `source` is the vocabulary in which
//! `sources` describes each provider, `run` keeps the books, `db` connects, `server` runs the private PostgreSQL, and
//! `commands` is what a person types. The map with its arrows: `docs/ARCHITECTURE.md`.

use std::ffi::OsString;
use std::process::ExitCode;

mod canonical;
mod cli;
mod commands;
mod config;
mod db;
mod demo;
mod extract;
mod failpoint;
mod failure;
mod files;
mod http;
mod load;
mod oauth;
mod output;
mod pipeline;
mod progress;
mod reference;
mod run;
mod server;
mod signals;
mod source;
mod sources;
mod time;
mod transform;
mod zones;

use failure::{Exit, Failure, Kind};

/// Runs one command and says how it ended.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    std::panic::set_hook(Box::new(|_| {})); // a panic's text may hold a value; the catch below says what to do
    let code = match std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| cli::run(arguments))) {
        Ok(exit) => stdout_checked(exit),
        Err(_) => {
            let out = output::Out::default();
            out.failure(
                &Failure::new(Kind::Bug, "internal error (this is our fault, not yours)")
                    .kept("everything that was committed before")
                    .next("health doctor --json    and report it with this text"),
            );
            Exit::from(Kind::Bug)
        }
    };
    ExitCode::from(code.0)
}

/// Output that could not be written is a local failure, unless the reader simply went away.
fn stdout_checked(exit: Exit) -> Exit {
    match output::stdout_failure() {
        Some(kind) if exit == Exit::OK => {
            let out = output::Out::default();
            out.failure(
                &Failure::new(Kind::Local, format!("standard output cannot be written: {kind}"))
                    .kept("everything that was committed")
                    .next("health status"),
            );
            Exit::from(Kind::Local)
        }
        _ => exit,
    }
}
