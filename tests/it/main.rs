//! The integration tests: the real binary against simulated providers and a throwaway PostgreSQL.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::format_push_string,
    unreachable_pub,
    dead_code,
    reason = "a test binary: it reads its environment, panics to fail, and shares helpers that not every test uses"
)]

mod providers;
mod support;

mod apple_health;
mod auth;
mod compose;
mod concurrency;
mod contract;
mod demo;
mod exit_codes;
mod kill_points;
mod migrations;
mod refresh;
mod server;
mod simulated;
mod sweep;
