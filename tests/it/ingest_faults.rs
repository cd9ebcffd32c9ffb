//! What goes wrong between WHOOP and us: the code of each fault, then the oracle.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;

use crate::providers::whoop::Whoop;
use crate::providers::whoop::person::{uuid, workout};
use crate::support::faults::{What, When};
use crate::support::net::Wire;
use crate::support::provider::Quota;
use crate::support::rows::{count, covers, fingerprint, rows, run_states, value};
use crate::support::subject::Subject;
use crate::support::world::{World, now};

const LONG_AGO: &str = "2026-10-15T00:00:00Z";

fn connected() -> World<Whoop> {
    World::connected(Whoop::many(now()))
}

/// One fault that passes: the run succeeds all the same.
#[track_caller]
fn survived(when: When, what: What) {
    let world = connected();
    let fault = world.fault(when, what);
    world.ingest().expect(0);
    world.oracle().fired(&fault).check();
}

/// A fault of one resource that stays: the others are read, its coverage does not move, and it is named. 3 where the
/// provider said no, 6 where what it sent breaks its own rules.
#[track_caller]
fn set_aside(what: What, code: i32) {
    let world = connected();
    let fault = world.fault(When::resource("sleeps"), what);
    world.ingest().expect(code).says("sleeps");
    let mut sql = world.sql();
    assert!(!covers(&mut sql, "sleeps", LONG_AGO), "coverage of what was not read");
    assert!(covers(&mut sql, "workouts", LONG_AGO), "the others were not read");
    let state = if code == 3 { "partial" } else { "failed" };
    assert_eq!(run_states(&mut sql).last().map(String::as_str), Some(state));
    world.oracle().fired(&fault).check();
}

/// A fault of everything that stays: nothing new, nothing lost.
#[track_caller]
fn ended(what: What, code: i32) {
    let world = World::<Whoop>::loaded_few();
    let before = fingerprint(&mut world.sql());
    world.provider.with(Whoop::edit_recent);
    let fault = world.fault(When::any(), what);
    world.ingest().expect(code);
    assert_eq!(before, fingerprint(&mut world.sql()), "a failed run wrote something");
    world.oracle().fired(&fault).check();
}

#[test]
fn h3_reset_at_any_byte() {
    let world = connected();
    let mut faults = vec![];
    for (n, at) in [0, 1, 17, 400, 4000].into_iter().enumerate() {
        let resource = Whoop::LISTINGS[n % 4];
        faults.push(world.fault(When::resource(resource).nth(1 + n / 4), What::reset(at)));
    }
    world.ingest().expect(0);
    faults.iter().fold(world.oracle(), super::support::oracle::Oracle::fired).check();
}

#[test]
fn h4_a_body_shorter_than_announced() {
    survived(When::resource("sleeps").nth(2), What::cut(300));
}

#[test]
fn h7_slow_bytes_are_bytes() {
    survived(When::resource("sleeps").nth(1), What::Wire(Wire::Slow { chunk: 4000, pause: Duration::from_millis(2) }));
}

#[test]
fn h11_a_captive_portal_is_not_the_provider() {
    ended(What::html(200), 5);
}

#[test]
fn h12_a_redirect_is_not_followed() {
    ended(What::redirect("/developer/v2/cycle"), 5);
}

#[test]
fn h17_a_gzip_bomb_stops_at_the_cap() {
    set_aside(What::Bomb(64 << 20), 6);
}

#[test]
fn h18_plain_text_that_calls_itself_gzip() {
    set_aside(What::Header("content-encoding", "gzip".into()), 3);
}

#[test]
fn h20_no_content_is_an_empty_page() {
    let mut sim = Whoop::few(now());
    sim.person.workouts.clear();
    let world = World::connected(sim);
    let fault = world.fault(When::resource("workouts"), What::Answer(204, vec![], ""));
    world.ingest().expect(0);
    assert!(covers(&mut world.sql(), "workouts", "2026-11-15T00:00:00Z"));
    world.oracle().fired(&fault).check();
}

#[test]
fn h20_an_empty_body_is_an_error() {
    set_aside(What::Answer(200, vec![("content-type", "application/json".into())], ""), 3);
}

#[test]
fn h21_a_byte_order_mark_is_harmless() {
    let world = connected();
    let fault = world.fault(When::any(), What::bom());
    world.ingest().expect(0);
    world.oracle().fired(&fault).check();
}

#[test]
fn h22_something_after_the_document() {
    set_aside(What::edit(|body| format!("{body}<!-- served by edge 7 -->")), 6);
}

#[test]
fn h22_a_truncated_document() {
    set_aside(What::edit(|body| body[..body.len() * 2 / 3].to_owned()), 6);
}

#[test]
fn s1_one_resource_is_refused() {
    for status in [404, 422] {
        set_aside(What::status(status), 3);
    }
}

#[test]
fn s3_forbidden_is_not_an_error_loop() {
    let world = World::<Whoop>::loaded_few();
    let fault = world.fault(When::any(), What::status(403));
    world.ingest().expect_one_of(&[4, 6]);
    assert!(world.provider.data_requests().len() <= 6, "asked again although forbidden");
    world.oracle().fired(&fault).check();
}

#[test]
fn s3_forbidden_in_the_middle_keeps_the_pages_before() {
    let world = connected();
    let fault = world.fault(When::resource("sleeps").from(3), What::status(403));
    world.ingest().expect(3);
    assert_eq!(count(&mut world.sql(), "whoop_raw.sleeps"), 50, "the good pages were rolled back");
    world.oracle().fired(&fault).check();
}

#[test]
fn s4_no_body_measurement_is_no_failure() {
    let mut sim = Whoop::few(now());
    sim.person.body = None;
    let world = World::connected(sim);
    world.ingest().expect(0);
    world.oracle().check();
}

#[test]
fn s5_s12_transient_statuses_are_retried() {
    let world = connected();
    let statuses = [408, 409, 425, 500, 502, 503, 504];
    let mut faults = vec![];
    for (n, status) in statuses.into_iter().enumerate() {
        faults.push(world.fault(When::resource(Whoop::LISTINGS[n % 4]).nth(1 + 2 * (n / 4)), What::status(status)));
    }
    world.ingest().expect(0);
    faults.iter().fold(world.oracle(), super::support::oracle::Oracle::fired).check();
}

#[test]
fn s8_retry_after_as_a_date() {
    for date in ["Fri, 20 Nov 2026 18:00:01 GMT", "Mon, 01 Jan 2001 00:00:00 GMT"] {
        survived(When::resource("cycles").nth(1), What::Answer(429, vec![("Retry-After", date.into())], ""));
    }
}

#[test]
fn s9_the_providers_own_reset_header() {
    let world = connected();
    let fault = world.fault(When::resource("cycles").nth(2), What::too_many_reset(1));
    world.ingest().expect(0);
    let log = world.provider.requests("cycles");
    let refused = log.iter().position(|e| e.status == 429).expect("a 429");
    assert!(log[refused + 1].at.duration_since(log[refused].at) >= Duration::from_millis(990));
    world.oracle().fired(&fault).check();
}

#[test]
fn s9_a_429_that_says_nothing() {
    survived(When::resource("cycles").nth(2), What::Answer(429, vec![], ""));
}

#[test]
fn s15_odd_statuses_have_a_class() {
    for status in [206, 304, 302, 999] {
        let world = World::connected(Whoop::few(now()));
        let fault = world.fault(When::resource("sleeps"), What::Answer(status, vec![], ""));
        let run = world.ingest();
        assert_eq!(run.code, 3, "{status}\n{}", run.report());
        world.oracle().fired(&fault).check();
    }
}

#[test]
fn s16_what_came_before_the_failure_stays() {
    let world = connected();
    let fault = world.fault(When::resource("sleeps").from(2), What::status(503));
    world.ingest().expect(3);
    let mut sql = world.sql();
    assert_eq!(count(&mut sql, "whoop_raw.sleeps"), 25);
    assert!(!covers(&mut sql, "sleeps", LONG_AGO));
    world.provider.no_faults();
    world.provider.clear_log();
    world.ingest().expect(0);
    // The next run goes on at the open slice instead of beginning again.
    assert!(world.provider.requests("sleeps").len() <= 3, "the whole listing was read again");
    world.oracle().fired(&fault).check();
}

#[test]
fn s20_maintenance_is_later() {
    ended(What::html(503), 5);
}

#[test]
fn s21_an_announced_limit_is_kept() {
    let world = connected();
    world.provider.state().quota = Some(Quota { requests: 7, window: Duration::from_secs(2) });
    world.ingest().expect(0);
    let refused = world.provider.state().refused;
    assert!(refused <= 4, "{refused} requests were refused");
    world.provider.state().quota = None;
    world.oracle().check();
}

/// The page tokens of a listing in the order they were handed out, with one of them replaced.
fn retoken(choose: impl Fn(&[String]) -> String + Send + Sync + 'static) -> What {
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    What::edit(move |body| {
        let mut seen = seen.lock().expect("tokens");
        let marker = r#","next_token":""#;
        let (head, token) = match body.rfind(marker) {
            Some(at) => (&body[..at], body[at + marker.len()..].trim_end_matches(['"', '}']).to_owned()),
            None => (&body[..body.len() - 1], "end".to_owned()),
        };
        seen.push(token);
        format!(r#"{head},"next_token":"{}"}}"#, choose(&seen))
    })
}

#[test]
fn p1_the_same_token_for_ever() {
    let world = connected();
    let fault = world.fault(When::resource("sleeps"), retoken(|seen| seen[0].clone()));
    world.ingest().expect(6).says("sleeps");
    assert!(world.provider.requests("sleeps").len() <= 4, "{} pages", world.provider.requests("sleeps").len());
    assert!(!covers(&mut world.sql(), "sleeps", LONG_AGO));
    world.oracle().fired(&fault).check();
}

#[test]
fn p2_tokens_in_a_circle() {
    let world = connected();
    let fault = world.fault(When::resource("sleeps"), retoken(|seen| seen[(seen.len() - 1) % 2].clone()));
    world.ingest().expect(6).says("sleeps");
    assert!(world.provider.requests("sleeps").len() <= 6, "{} pages", world.provider.requests("sleeps").len());
    assert!(!covers(&mut world.sql(), "sleeps", LONG_AGO));
    world.oracle().fired(&fault).check();
}

#[test]
fn p3_an_empty_page_with_a_successor() {
    let world = connected();
    world.provider.with(|w| w.blank_first_page = true);
    world.ingest().expect(0);
    world.oracle().check();
}

#[test]
fn p7_a_record_on_two_pages_is_one_row() {
    let world = connected();
    world.provider.with(|w| w.repeat_at_borders = true);
    world.ingest().expect(0);
    world.oracle().check();
}

#[test]
fn p11_a_failed_listing_retires_nothing() {
    let world = World::<Whoop>::loaded_many();
    world.provider.with(|w| w.person.sleeps.truncate(10));
    let fault = world.fault(When::resource("sleeps").from(2), What::status(500));
    let whole = world.fault(When::resource("workouts"), What::status(500));
    world.health(&["ingest", "whoop", "--since", "2026-09-01", "--force"]).expect_one_of(&[3, 5, 6]);
    assert_eq!(count(&mut world.sql(), "whoop_raw.sleeps where missing_since_run_id is not null"), 0);
    assert_eq!(count(&mut world.sql(), "whoop_raw.workouts where missing_since_run_id is not null"), 0);
    assert!(fault.count() + whole.count() > 0);
}

#[test]
fn p11_the_fuse_holds_back_mass_deletion() {
    let world = World::<Whoop>::loaded_many();
    let recent = now() - TimeDelta::days(6);
    let before = world.provider.with(|w| w.person.sleeps.clone());
    // More than three, and more than a tenth: nobody deletes that by hand.
    world.provider.with(|w| {
        let keep = w.person.sleeps.iter().rfind(|s| !s.nap).map(|s| s.id.clone());
        w.person.sleeps.retain(|s| s.start < recent || Some(&s.id) == keep.as_ref());
    });
    let run = world.ingest().expect(6);
    assert!(run.report().contains("sleeps"), "{}", run.report());
    let mut sql = world.sql();
    assert_eq!(count(&mut sql, "whoop_raw.sleeps where missing_since_run_id is not null"), 0);
    assert_eq!(count(&mut sql, "canonical.sleep_sessions where retired_at is not null"), 0);
    world.provider.with(|w| w.person.sleeps = before);
    world.oracle().check();
}

#[test]
fn p11_a_few_deletions_pass_and_may_return() {
    let world = World::<Whoop>::loaded_many();
    let gone = world.provider.with(|w| {
        let n = w.person.workouts.len();
        w.person.workouts.sort_by_key(|w| w.start);
        w.person.workouts.split_off(n - 2)
    });
    world.ingest().expect(0);
    let mut sql = world.sql();
    assert_eq!(count(&mut sql, "canonical.workouts where retired_reason = 'missing_upstream'"), 2);
    world.assert_truth();
    world.provider.with(|w| w.person.workouts.extend(gone));
    world.ingest().expect(0);
    assert_eq!(
        count(&mut sql, "canonical.workouts where retired_at is not null"),
        0,
        "a record that returns clears the mark"
    );
    world.oracle().check();
}

#[test]
fn p17_many_records_at_one_instant() {
    let world = connected();
    world.provider.with(|w| {
        let at = w.person.workouts[20].start;
        for n in 0..40 {
            let mut twin = workout(7000 + n, "-08:00", at);
            twin.id = uuid(4, 7000 + n);
            w.person.workouts.push(twin);
        }
    });
    world.ingest().expect(0);
    world.oracle().check();
}

#[test]
fn p22_an_older_version_does_not_win() {
    let world = World::<Whoop>::loaded_many();
    let old = world.provider.with(|w| w.person.sleeps.clone());
    let key = world.provider.with(Whoop::edit_recent);
    world.ingest().expect(0);
    world.provider.with(|w| w.person.sleeps = old); // a lagging copy of the provider answers
    world.ingest().expect(0);
    let sql = format!("select efficiency_pct from canonical.sleep_sessions where raw_source_id = '{}'", key.id);
    assert_eq!(value(&mut world.sql(), &sql).as_deref(), Some("91.25"));
}

#[test]
fn p25_p26_keys_are_text() {
    let world = connected();
    world.provider.with(|w| {
        let huge = 9_007_199_254_740_993; // not a double
        let p = &mut w.person;
        let n = p.cycles.len();
        let old = p.cycles[n - 2].id;
        p.cycles[n - 2].id = huge;
        p.recoveries.iter_mut().filter(|r| r.cycle_id == old).for_each(|r| r.cycle_id = huge);
        p.sleeps.iter_mut().filter(|s| s.cycle_id == old).for_each(|s| s.cycle_id = huge);
        let mut twin = p.workouts[5].clone();
        twin.id = twin.id.to_uppercase();
        p.workouts.push(twin);
    });
    world.ingest().expect(0);
    assert_eq!(count(&mut world.sql(), "whoop_raw.cycles where source_id = '9007199254740993'"), 1);
    world.oracle().check();
}

#[test]
fn raw_only_leaves_canonical_for_later() {
    let world = connected();
    world.health(&["ingest", "whoop", "--raw-only"]).expect(0);
    let mut sql = world.sql();
    assert!(count(&mut sql, "whoop_raw.sleeps") > 50);
    assert_eq!(count(&mut sql, "canonical.sleep_sessions"), 0);
    world.health(&["transform", "whoop"]).expect(0);
    world.assert_truth();
    world.oracle().check();
}

#[test]
fn a_dry_run_writes_nothing() {
    let world = connected();
    let before = fingerprint(&mut world.sql());
    let run = world.health(&["ingest", "whoop", "--dry-run"]).expect(0);
    assert_eq!(before, fingerprint(&mut world.sql()), "{}", run.report());
    assert_eq!(rows(&mut world.sql(), "select 1 from meta.coverage").len(), 0);
}

#[test]
fn hints_name_the_account() {
    let world = connected();
    let run = world.health(&["ingest", "whoop", "--account", "watch"]).expect(4);
    assert_eq!(run.next(), "health auth whoop --account watch");
}

#[test]
fn a_dry_run_names_the_models_that_would_run() {
    let world = connected();
    let named = |args: &[&str]| -> Vec<String> {
        let models = world.health(args).expect(0).json()["models"].clone();
        models.as_array().expect("models").iter().map(|m| m["model"].as_str().expect("a name").to_owned()).collect()
    };
    let dry = ["transform", "whoop", "--dry-run", "--json"];
    world.health(&["ingest", "whoop", "--raw-only"]).expect(0);
    let all = named(&dry);
    assert!(all.contains(&"sleep_sessions".to_owned()) && all.contains(&"user_identity".to_owned()), "{all:?}");
    world.health(&["transform", "whoop"]).expect(0);
    assert_eq!(named(&dry), [""; 0], "nothing is left to do");
    world.provider.with(Whoop::edit_recent);
    world.health(&["ingest", "whoop", "--raw-only"]).expect(0);
    let some = named(&dry);
    assert!(some.contains(&"sleep_sessions".to_owned()) && !some.contains(&"user_identity".to_owned()), "{some:?}");
    assert_eq!(named(&["transform", "whoop", "--dry-run", "--rebuild", "--json"]), all);
}

#[test]
fn a_resource_that_was_never_read_is_not_complete() {
    let world = connected();
    let fault = world.fault(When::resource("sleeps"), What::status(404));
    world.ingest().expect(3);
    fault.assert();
    let status = world.health(&["status", "whoop"]).expect(0);
    assert!(status.stdout.contains("late") && !status.stdout.contains("nothing needs you"), "{}", status.report());
    assert!(!world.health(&["status"]).expect(0).stdout.contains("####"), "a day without its night is not complete");
    world.health(&["status", "--fail-if-stale"]).expect(3);
    world.provider.no_faults();
    world.ingest().expect(0);
    world.health(&["status"]).expect(0).says("nothing needs you");
    world.health(&["status", "--fail-if-stale"]).expect(0);
}

#[test]
fn a_budget_of_requests_is_used_to_the_last() {
    let world = connected();
    let pages =
        "select sum((page.value ->> 'pages')::int) from meta.import_runs, jsonb_each(counts -> 'resources') page";
    for run in 1..20 {
        world.provider.clear_log();
        let ended = world.health(&["ingest", "whoop", "--max-requests", "7"]);
        let asked = world.provider.data_requests().len();
        assert!(asked <= 7, "{asked} requests\n{}", ended.report());
        if ended.code == 0 {
            assert!(run > 1, "the budget was never spent");
            world.oracle().check();
            return;
        }
        ended.expect(5).says("budget of 7 requests");
        // What was asked for is stored: a budget that is spent on answers nobody keeps would never come to an end.
        assert_eq!(value(&mut world.sql(), pages), Some((7 * run).to_string()));
    }
    panic!("no end in sight");
}
