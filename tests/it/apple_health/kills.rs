//! Killed anywhere, run again: the same end state, and nothing visible in between.

use nix::sys::signal::Signal;
use serde_json::Value;

use super::Phone;
use super::exports::{Export, WORKOUT, zipped};
use crate::support::rows::{count, run_states};

fn state(phone: &Phone) -> (Vec<Value>, Vec<Value>) {
    ([phone.raw(), phone.elements()].concat(), phone.canonical())
}

/// An import killed at a point: before it is published nothing is visible; afterwards the next run completes it.
#[track_caller]
fn expect_converged(phone: &Phone, expected: &(Vec<Value>, Vec<Value>), what: &str) {
    let published = count(&mut phone.sql(), "meta.import_file where status = 'published'");
    if published == 0 {
        assert_eq!(count(&mut phone.sql(), "apple_health_raw.records"), 0, "{what}: raw rows before publication");
    }
    phone.import("export.zip").expect(0);
    assert!(state(phone) == *expected, "{what}: not the same end state");
    let mut sql = phone.sql();
    assert_eq!(count(&mut sql, "meta.import_file"), 1, "{what}: one file");
    assert_eq!(count(&mut sql, "meta.import_file where status = 'published'"), 1, "{what}");
    // A run that was killed stands open until the next run of the account.
    phone.home.health(&["transform", "apple-health"]).expect(0);
    assert!(!run_states(&mut sql).contains(&"running".to_owned()), "{what}: a run is still open");
}

fn reference(zip: &[u8]) -> (Vec<Value>, Vec<Value>) {
    let phone = Phone::new();
    phone.import_text("export.zip", zip).expect(0);
    state(&phone)
}

#[test]
fn killed_at_any_named_point() {
    let mut export = Export::year();
    export.records.drain(40..480);
    export.rest = WORKOUT.into();
    let zip = zipped(&[("export.xml", &export.xml())]);
    let expected = reference(&zip);
    let list = Phone::new();
    list.file("export.zip", &zip);
    list.home.set("HEALTH_FAILPOINT", "list");
    let passed = list.import("export.zip").expect(0).stderr;
    let points: Vec<&str> = passed.lines().filter_map(|line| line.strip_prefix("failpoint ")).collect();
    for point in
        ["import.begun", "import.batch", "import.merged", "import.before_publish", "import.published", "model.half"]
    {
        assert!(points.contains(&point), "{point} is not passed: {points:?}");
    }
    println!("named kill points, import of a file: {} fired", points.len());
    for point in points {
        let phone = Phone::new();
        phone.file("export.zip", &zip);
        phone.home.set("HEALTH_FAILPOINT", point);
        phone.import("export.zip").expect(137);
        phone.home.unset("HEALTH_FAILPOINT");
        phone.db.quiet(); // the server notices a killed client within two seconds; until then its lock is held
        expect_converged(&phone, &expected, point);
    }
}

/// A finer scene than the named points: ever longer lives, until one import lives to its end. The steps are a fraction
/// of what a whole import took; where that was slow because the machine was busy, they are too long, and shorter ones follow.
#[test]
fn killed_at_any_moment() {
    let mut export = Export::year();
    (0..3).for_each(|n| export.add_steps(&format!("2025-{:02}-05 07:00:00", n + 1), 1_500, 12));
    let zip = zipped(&[("export.xml", &export.xml())]);
    let whole = Phone::new();
    let mut step = whole.import_text("export.zip", &zip).expect(0).took / 40;
    let expected = state(&whole);
    let mut killed = 0;
    let phone = loop {
        let phone = Phone::new();
        phone.file("export.zip", &zip);
        for n in 1..=80 {
            let running = phone.home.start(&["ingest", "apple-health", "export.zip"]);
            std::thread::sleep(step * n);
            running.signal(Signal::SIGKILL);
            let run = running.wait(&phone.home);
            phone.db.quiet();
            if count(&mut phone.sql(), "meta.import_file where status = 'published'") == 0 {
                assert_eq!(count(&mut phone.sql(), "apple_health_raw.records"), 0, "raw rows before publication");
            }
            if run.code == 0 {
                break;
            }
            assert_eq!(run.code, 137, "killed, or at its end: {}", run.stderr);
            killed += 1;
        }
        if killed >= 10 {
            break phone;
        }
        step /= 4;
        assert!(!step.is_zero(), "only {killed} were killed while they ran");
    };
    println!("an import killed at ever later moments: {killed} times");
    expect_converged(&phone, &expected, "killed again and again");
}
