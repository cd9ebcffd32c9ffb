//! What a window of time lists, and what may be concluded from it.

use std::time::Duration;

use crate::providers::whoop::{Holds, Whoop};
use crate::support::rows::{count, covers};
use crate::support::subject::Subject;
use crate::support::truth::instant;
use crate::support::world::{World, now};

const MISSING: [&str; 3] = [
    "whoop_raw.cycles where missing_since_run_id is not null",
    "whoop_raw.sleeps where missing_since_run_id is not null",
    "whoop_raw.workouts where missing_since_run_id is not null",
];

#[test]
fn p11_a_record_across_a_border_is_not_taken_for_deleted() {
    // Both borders lie in the middle of a night; what a provider makes of such a night is its own affair.
    let (since, until) = ("2026-11-08T09:00:00Z", "2026-11-15T09:00:00Z");
    let read = ["ingest", "whoop", "--since", since, "--until", until, "--force"];
    for holds in [Holds::Beginning, Holds::Inside, Holds::Overlapping] {
        let world = World::<Whoop>::loaded_many();
        world.provider.with(|w| w.holds = holds);
        for border in [since, until].map(instant) {
            let across = world.provider.with(|w| w.person.sleeps.iter().any(|s| s.start < border && s.end > border));
            assert!(across, "nobody sleeps at {border}");
        }
        world.health(&read).expect(0);
        for missing in MISSING {
            assert_eq!(count(&mut world.sql(), missing), 0, "{holds:?}: {missing}");
        }
        // Really deleted: left alone by the window that cuts it, found by the one that holds it wholly.
        let gone = world.provider.with(|w| {
            let border = instant(until);
            let at = w.person.sleeps.iter().position(|s| s.start < border && s.end > border).expect("a night");
            w.person.sleeps.remove(at).id
        });
        let retired =
            format!("canonical.sleep_sessions where raw_source_id = '{gone}' and retired_reason = 'missing_upstream'");
        world.health(&read).expect(0);
        assert_eq!(count(&mut world.sql(), &retired), 0, "{holds:?}");
        world.ingest().expect(0);
        assert_eq!(count(&mut world.sql(), &retired), 1, "{holds:?}");
        assert_eq!(MISSING.map(|missing| count(&mut world.sql(), missing)), [0, 1, 0], "{holds:?}");
    }
}

#[test]
fn p18_a_silently_cut_window_is_read_to_its_beginning() {
    let mut sim = Whoop::many(now());
    sim.clamp_days = Some(30);
    let world = World::connected(sim);
    world.ingest().expect(0);
    world.assert_truth(); // 58 days, although an answer holds 30
    let mut sql = world.sql();
    for resource in Whoop::LISTINGS {
        assert!(covers(&mut sql, resource, "2026-10-01T00:00:00Z"), "{resource}");
        assert!(!covers(&mut sql, resource, "1990-01-01T00:00:00Z"), "{resource}: what was never listed is covered");
    }
    world.oracle().check();
}

#[test]
fn p18_weeks_of_silence_lose_and_retire_nothing() {
    let world = World::<Whoop>::loaded_many();
    for _ in 0..40 {
        world.later(Duration::from_hours(24));
        world.provider.with(Whoop::next_day);
    }
    // 47 days are asked for; the oldest of them, which are held already, are not listed at first.
    world.provider.with(|w| w.clamp_days = Some(30));
    world.health(&["daily-refresh"]).expect(0);
    world.assert_truth();
    for missing in MISSING {
        assert_eq!(count(&mut world.sql(), missing), 0, "{missing}");
    }
    for resource in Whoop::LISTINGS {
        assert!(covers(&mut world.sql(), resource, "2026-11-25T00:00:00Z"), "{resource}");
    }
    world.oracle().command(&["daily-refresh"]).check();
}

#[test]
fn resources_and_ranges_can_be_chosen() {
    let world = World::connected(Whoop::many(now()));
    world.health(&["ingest", "whoop", "cycles", "sleeps", "--since", "2026-11-01", "--until", "2026-11-10"]).expect(0);
    assert!(!world.provider.requests("cycles").is_empty());
    assert_eq!(world.provider.requests("workouts").len() + world.provider.requests("recoveries").len(), 0);
    let mut sql = world.sql();
    // Local midnights of the person's zone; the named last day is included.
    let outside = "whoop_raw.cycles where record_at < '2026-11-01T07:00:00Z' or record_at >= '2026-11-11T08:00:00Z'";
    assert_eq!(count(&mut sql, outside), 0);
    assert!(count(&mut sql, "whoop_raw.cycles") >= 9);
    assert_eq!(count(&mut sql, "whoop_raw.workouts"), 0);
    world.health(&["ingest", "whoop", "--since", "2026-09-01"]).expect(0);
    world.oracle().check();
}

#[test]
fn a_resource_named_twice_is_read_once() {
    let world = World::connected(Whoop::many(now()));
    world.health(&["ingest", "whoop", "sleeps", "sleeps"]).expect(0);
    let once = World::connected(Whoop::many(now()));
    once.health(&["ingest", "whoop", "sleeps"]).expect(0);
    assert_eq!(world.provider.requests("sleeps").len(), once.provider.requests("sleeps").len());
    world.oracle().check();
}

#[test]
fn an_end_before_all_that_is_held_asks_for_what_lies_before() {
    let world = World::connected(Whoop::many(now()));
    world.health(&["ingest", "whoop", "--since", "2026-11-01"]).expect(0);
    let held = count(&mut world.sql(), "whoop_raw.cycles");
    world.health(&["ingest", "whoop", "--until", "2026-10-31"]).expect(0);
    assert!(count(&mut world.sql(), "whoop_raw.cycles") > held, "nothing before was read");
    assert_eq!(world.health(&["status", "--json"]).expect(0).json()["sources"][0]["gaps"], 0);
    world.oracle().check();
}

#[test]
fn a_time_beyond_all_calendars_is_refused_before_any_request() {
    let world = World::connected(Whoop::many(now()));
    world.health(&["ingest", "whoop", "--since", "99999y"]).expect(2).says("is not a date");
    assert_eq!(world.provider.log().iter().filter(|entry| entry.resource == "cycles").count(), 0);
}
