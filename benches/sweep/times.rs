//! How long the moments last in which something can be lost or has to be waited for.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::providers::whoop::Whoop;
use crate::support::faults::{What, When};
use crate::support::scenes::{expire, loaded};
use crate::support::strace::Strace;
use crate::support::subject::Subject;
use crate::support::world::{World, now};

const ROUNDS: usize = 40;

/// As lines of a table: what, middle, worst.
pub fn table() -> String {
    let rows = [
        ("provider's answer read to answer synced, encrypted, under strace", rotation_window()),
        ("SIGTERM in the middle of a page to exit 143", term_to_exit()),
        ("start of the next run after SIGKILL to its first page", kill_to_work()),
    ];
    let mut lines = vec!["| time | rounds | median | longest |".to_owned(), "|---|---:|---:|---:|".to_owned()];
    for (what, mut times) in rows {
        times.sort();
        let shown = |time: Duration| format!("{:.1} ms", time.as_secs_f64() * 1000.0);
        let (middle, longest) = (times[times.len() / 2], times[times.len() - 1]);
        lines.push(format!("| {what} | {} | {} | {} |", times.len(), shown(middle), shown(longest)));
    }
    lines.join("\n")
}

/// Between these two a death loses a login whose refresh tokens are good once.
fn rotation_window() -> Vec<Duration> {
    let mut world = loaded();
    (0..ROUNDS)
        .map(|_| {
            expire(&mut world);
            let strace = Strace::timed("recvfrom,fsync");
            world.home.run_by(strace.prefix());
            world.ingest().expect(0);
            world.home.run_by(vec![]);
            let seen = strace.seen();
            let answered = |at: &usize| {
                let (a, b) = (&seen[*at], &seen[*at + 1..]);
                let received = a.text.starts_with("recvfrom") && !a.text.contains("= -1") && !a.text.contains("= 0 ");
                let next = b.iter().find(|s| s.thread == a.thread)?;
                (received && next.text.contains("fsync")).then(|| Duration::from_secs_f64(next.end - a.end))
            };
            (0..seen.len()).find_map(|at| answered(&at)).expect("a renewal")
        })
        .collect()
}

/// An ingest that waits for its second page.
fn waiting(world: &World<Whoop>) -> crate::support::cli::Running {
    let slow = world.fault(When::resource(Whoop::PAGED).nth(2), What::Delay(Duration::from_secs(20)));
    let running = world.start_ingest();
    world.until_fired(&slow);
    std::thread::sleep(Duration::from_millis(20));
    running
}

fn term_to_exit() -> Vec<Duration> {
    (0..ROUNDS / 2)
        .map(|_| {
            let world = World::connected(Whoop::with_days(33, now()));
            let running = waiting(&world);
            let begun = Instant::now();
            running.signal(Signal::SIGTERM);
            running.wait(&world.home).expect(143);
            begun.elapsed()
        })
        .collect()
}

fn kill_to_work() -> Vec<Duration> {
    (0..ROUNDS / 2)
        .map(|_| {
            let world = World::connected(Whoop::with_days(33, now()));
            waiting(&world).kill(&world.home);
            world.provider.no_faults();
            world.provider.clear_log();
            let begun = Instant::now();
            world.ingest().expect(0);
            world.provider.log()[0].at - begun
        })
        .collect()
}
