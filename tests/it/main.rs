//! The integration tests: the real binary against simulated providers and a throwaway PostgreSQL.
#![allow(
    clippy::disallowed_methods,
    clippy::unused_self,
    clippy::zombie_processes,
    clippy::format_collect,
    unused_qualifications,
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
mod canonical;
mod compose;
mod concurrency;
mod contract;
mod daily_refresh;
mod demo;
mod exit_codes;
mod google_health;
mod ingest_faults;
mod interrupted;
mod kill_points;
mod layout;
mod migrations;
mod notices;
mod oura;
mod records;
mod refresh;
mod secrets;
mod server;
mod simulated;
mod status;
mod strava;
mod sweep;
mod tls;
mod together;
mod windows;
mod withings;
