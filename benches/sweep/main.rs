//! The release binary killed at every system call that writes, sends, receives, opens or closes, over a first load, the
//! renewal of a login, and a migration; after each kill the same oracle as in the tests compares everything with what
//! the simulated provider holds. Also: killed again while it recovers, and calls that fail instead.
//!
//!     cargo bench --bench sweep                     everything; hours on a small machine
//!     cargo bench --bench sweep -- --every 10       one call in ten
//!
//! Needs `strace`. Writes its figures between the markers of `docs/scorecard.md`.
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
    reason = "a bench binary on top of the tests' support, of which it does not need everything"
)]

#[path = "../../tests/it/providers/mod.rs"]
mod providers;
#[path = "../../tests/it/support/mod.rs"]
mod support;

mod plan;
mod report;
mod times;
mod worker;

use std::time::Instant;

use plan::Case;
use support::scenes::SCENES;
use support::strace::Strace;

/// What the command line asks for.
pub struct Options {
    /// One call in so many.
    pub every: usize,
    /// How many kills are followed by another one.
    pub pairs: usize,
    pub seed: u64,
    pub workers: usize,
    /// Only scenes whose name begins so.
    pub only: String,
    pub write: bool,
}

fn main() {
    let Some(options) = options() else {
        eprintln!(
            "usage: cargo bench --bench sweep -- [--every K] [--pairs N] [--seed S] [--workers W] [--only SCENE] [--no-write]"
        );
        std::process::exit(2);
    };
    if !Strace::works() {
        println!("skipped: strace is not installed, or may not look into processes here");
        return;
    }
    let begun = Instant::now();
    let mut cases = vec![];
    for scene in SCENES.iter().filter(|scene| scene.name.starts_with(&options.only)) {
        let found = plan::cases(scene, &options);
        println!("{}: {} cases", scene.name, found.len());
        cases.extend(found);
    }
    cases.extend(plan::pairs(&cases, &options));
    // The same order for the same seed, and no scene at the end alone.
    let mut random = Random(options.seed);
    for i in (1..cases.len()).rev() {
        cases.swap(i, random.below(i + 1));
    }
    let total = cases.len();
    let tally = worker::run(cases, &options);
    let text = report::table(&tally, &options, begun.elapsed()) + "\n\n" + &times::table();
    println!("{text}");
    if options.write && options.only.is_empty() {
        report::write(&text);
    }
    let bad = tally.values().map(|t| t.failed).sum::<usize>();
    if bad > 0 {
        eprintln!("{bad} of {total} cases failed");
        std::process::exit(1);
    }
}

fn options() -> Option<Options> {
    let mut options = Options { every: 1, pairs: 500, seed: 20_261_121, workers: 2, only: String::new(), write: true };
    let mut words = std::env::args().skip(1).filter(|word| word != "--bench");
    while let Some(word) = words.next() {
        match word.as_str() {
            "--every" => options.every = words.next()?.parse().ok().filter(|every| *every > 0)?,
            "--pairs" => options.pairs = words.next()?.parse().ok()?,
            "--seed" => options.seed = words.next()?.parse().ok()?,
            "--workers" => options.workers = words.next()?.parse().ok().filter(|workers| *workers > 0)?,
            "--only" => options.only = words.next()?,
            "--no-write" => options.write = false,
            _ => return None,
        }
    }
    Some(options)
}

/// `SplitMix64`: the same numbers for the same seed on every machine.
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) % end as u64).expect("a small number")
    }
}

impl Case {
    /// For the log.
    pub fn shown(&self) -> String {
        let first = format!("{} {}", self.scene.name, self.hit.shown());
        self.then.as_ref().map_or(first.clone(), |then| format!("{first}, then {}", then.shown()))
    }
}
