//! The cron job: heals gaps, reads the lookback again, replaces what changed, and is quiet about it.

use std::time::Duration;

use crate::providers::whoop::Whoop;
use crate::support::cli::Home;
use crate::support::faults::{What, When};
use crate::support::pg::Database;
use crate::support::rows::{count, covers, fingerprint, value};
use crate::support::subject::Subject;
use crate::support::truth::instant;
use crate::support::world::{World, now};

const DAY: Duration = Duration::from_hours(24);

#[test]
fn with_nothing_connected_it_names_three_ways() {
    let (home, db) = (Home::new(), Database::migrated());
    home.set("HEALTH_DATABASE_URL", &db.url);
    let run = home.health(&["daily-refresh"]).expect(13);
    for way in ["health demo", "health ingest apple-health", "health auth whoop"] {
        assert!(run.report().contains(way), "{way}\n{}", run.report());
    }
}

#[test]
fn what_is_left_out_is_not_called_unconnected() {
    let world = World::connected(Whoop::few(now()));
    let run = world.health(&["daily-refresh", "--skip", "whoop"]).expect(2).says("(WHOOP) is left out by --skip");
    assert!(run.next().contains("--skip") && !run.stderr.contains("no source is connected"), "{}", run.report());
    assert_eq!(world.provider.data_requests().len(), 0);
}

#[test]
fn the_first_time_reads_everything() {
    let world = World::connected(Whoop::many(now()));
    world.health(&["daily-refresh"]).expect(0);
    world.assert_truth();
    world.oracle().command(&["daily-refresh"]).check();
}

#[test]
fn the_next_day_brings_the_next_day() {
    let world = World::<Whoop>::loaded_many();
    let open = world.provider.with(|w| w.person.cycles.last().expect("a cycle").id);
    let energy = format!("canonical.daily_summaries where metric_code = 'energy_total' and raw_source_id = '{open}'");
    let mut sql = world.sql();
    assert_eq!(count(&mut sql, &energy), 0, "an open cycle has no day total");
    world.later(DAY);
    world.provider.with(Whoop::next_day);
    world.health(&["daily-refresh"]).expect(0);
    assert_eq!(count(&mut sql, &energy), 1);
    assert!(covers(&mut sql, "sleeps", "2026-11-21T08:00:00Z"));
    // At least the previous day is read again, and not much more than the lookback.
    for request in world.provider.data_requests().iter().filter(|e| e.param("start").is_some()) {
        let start = instant(request.param("start").expect("a start"));
        assert!(start <= instant("2026-11-20T00:00:00Z") && start > instant("2026-11-05T00:00:00Z"), "{start}");
    }
    world.oracle().command(&["daily-refresh"]).check();
}

#[test]
fn late_scores_and_edits_are_replaced() {
    let mut sim = Whoop::many(now());
    let night = sim.pending_last_night();
    let world = World::loaded(sim);
    let last = format!("select is_final from canonical.sleep_sessions where raw_source_id = '{}'", night.id);
    let mut sql = world.sql();
    assert_eq!(value(&mut sql, &last).as_deref(), Some("false"));
    world.later(DAY);
    world.provider.with(|w| {
        w.score_last_night();
        w.next_day();
        w.add_recent();
        w.remove_recent();
    });
    world.health(&["daily-refresh"]).expect(0);
    assert_eq!(value(&mut sql, &last).as_deref(), Some("true"));
    world.oracle().command(&["daily-refresh", "whoop"]).check();
}

#[test]
fn a_pending_night_is_read_again_however_old() {
    // The score comes after three weeks of silence: provisional records hold coverage back.
    // A recovery has no time of its own to hold back; its lookback is enough for a score that takes minutes.
    let mut sim = Whoop::many(now());
    let recovery = sim.person.recoveries.last().cloned().expect("a recovery");
    sim.pending_last_night();
    *sim.person.recoveries.last_mut().expect("a recovery") = recovery;
    let world = World::loaded(sim);
    for _ in 0..3 {
        world.later(7 * DAY);
        world.health(&["daily-refresh"]).expect(0);
    }
    world.provider.with(|w| {
        let recovery = w.person.recoveries.last().cloned().expect("a recovery");
        w.score_last_night();
        *w.person.recoveries.last_mut().expect("a recovery") = recovery;
    });
    world.oracle().command(&["daily-refresh"]).check();
}

#[test]
fn quiet_means_silent() {
    let world = World::<Whoop>::loaded_few();
    for args in [vec!["daily-refresh", "-q"], vec!["daily-refresh", "whoop", "--quiet"]] {
        let run = world.health(&args).expect(0);
        assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    }
    let run = world.health(&["daily-refresh"]).expect(0);
    assert!(run.report().contains("whoop"), "{}", run.report());
}

#[test]
fn it_heals_gaps() {
    let world = World::connected(Whoop::many(now()));
    world.health(&["ingest", "whoop", "--since", "2026-09-25", "--until", "2026-10-05"]).expect(0);
    world.health(&["ingest", "whoop", "--since", "2026-11-15"]).expect(0);
    assert!(!covers(&mut world.sql(), "sleeps", "2026-10-20T12:00:00Z"));
    world.health(&["daily-refresh"]).expect(0);
    assert!(covers(&mut world.sql(), "sleeps", "2026-10-20T12:00:00Z"));
}

#[test]
fn weeks_of_silence_are_caught_up() {
    let world = World::<Whoop>::loaded_few();
    for _ in 0..25 {
        world.later(DAY);
        world.provider.with(Whoop::next_day);
    }
    world.health(&["daily-refresh"]).expect(0);
    world.assert_truth();
    world.oracle().command(&["daily-refresh"]).check();
}

#[test]
fn a_failed_day_deletes_nothing() {
    let world = World::<Whoop>::loaded_few();
    world.later(DAY);
    world.provider.with(Whoop::next_day);
    let before = fingerprint(&mut world.sql());
    let fault = world.fault(When::any(), What::status(503));
    world.health(&["daily-refresh"]).expect(5);
    assert_eq!(before, fingerprint(&mut world.sql()), "deleted first, fetched later");
    world.oracle().fired(&fault).command(&["daily-refresh"]).check();
}

#[test]
fn a_dropped_connection_wakes_nobody() {
    let world = World::<Whoop>::loaded_few();
    let fault = world.fault(When::resource("cycles").nth(1), What::reset(10));
    let run = world.health(&["daily-refresh", "-q"]).expect(0);
    assert_eq!((run.stdout.as_str(), run.stderr.as_str()), ("", ""));
    world.oracle().fired(&fault).command(&["daily-refresh"]).check();
}

#[test]
fn a_dead_login_asks_once_for_a_person() {
    let world = World::<Whoop>::loaded_few();
    world.provider.grants(super::support::tokens::Grants::revoke_all);
    world.token_expires();
    let run = world.health(&["daily-refresh"]).expect(4);
    assert!(run.report().contains("health auth whoop"), "{}", run.report());
    world.provider.clear_log();
    world.health(&["daily-refresh", "-q"]).expect(4);
    assert_eq!(world.provider.log().len(), 0);
}

#[test]
fn a_skipped_source_is_not_asked() {
    let world = World::<Whoop>::loaded_few();
    world.health(&["daily-refresh", "--skip", "whoop"]);
    assert_eq!(world.provider.log().len(), 0);
}

#[test]
fn clock_changes_do_not_matter() {
    let world = World::connected(Whoop::with_days(20, instant("2026-11-02T18:00:00Z")));
    // 01:30 comes twice on this night in the person's zone.
    for at in ["2026-11-01T08:30:00Z", "2026-11-01T09:30:00Z", "2026-11-02T18:00:00Z"] {
        world.set_now(instant(at));
        world.health(&["daily-refresh"]).expect(0);
        world.assert_truth();
    }
    world.oracle().command(&["daily-refresh"]).check();
}

#[test]
fn the_report_is_one_document() {
    let world = World::<Whoop>::loaded_few();
    let json = world.health(&["daily-refresh", "--json"]).expect(0).json();
    assert_eq!(json["schema"], "health.daily-refresh/1");
    assert_eq!((json["result"]["code"].as_str(), json["result"]["exit"].as_i64()), (Some("ok"), Some(0)));
    let status = world.health(&["status", "--json"]).expect(0).json();
    assert!(status["schema"].as_str().is_some_and(|s| s.starts_with("health.status/")), "{status}");
    let ingest = world.health(&["ingest", "whoop", "--json"]).expect(0).json();
    assert_eq!((ingest["schema"].as_str(), ingest["source"].as_str()), (Some("health.ingest/1"), Some("whoop")));
    assert!(ingest["requests"].as_u64().is_some_and(|n| n >= 4), "{ingest}");
    let sleeps = ingest["resources"].as_array().and_then(|r| r.iter().find(|r| r["name"] == "sleeps")).expect("sleeps");
    assert_eq!(
        (sleeps["new"].as_u64(), sleeps["changed"].as_u64(), sleeps["rejected"].as_u64()),
        (Some(0), Some(0), Some(0))
    );
}
