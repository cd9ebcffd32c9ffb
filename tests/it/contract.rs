//! The contract that every API source fulfils (docs/CONTRIBUTING.md). A new source inherits all of it by one line at the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::providers::google_health::Google;
use crate::providers::oura::Oura;
use crate::providers::strava::Strava;
use crate::providers::whoop::Whoop;
use crate::providers::withings::Withings;
use crate::support::faults::{What, When};
use crate::support::net::{Reply, Server};
use crate::support::rows::{count, covers, dump, fingerprint, rows, run_states, value};
use crate::support::subject::{POISONS, Poison, Subject};
use crate::support::world::{World, now};

fn schema<S: Subject>() -> String {
    format!("{}_raw", S::ID)
}

fn first_ingest_lands_every_record_once<S: Subject>() {
    let world = World::connected(S::many(now()));
    let run = world.ingest().expect(0);
    world.assert_truth();
    assert_eq!(run_states(&mut world.sql()).last().map(String::as_str), Some("done"));
    // Nothing of a person's records is printed.
    for private in world.provider.with(|sim| sim.private()) {
        assert!(
            !run.stdout.contains(&private) && !run.stderr.contains(&private),
            "{private} was printed\n{}",
            run.report()
        );
    }
    world.oracle().check();
}

fn second_ingest_changes_nothing<S: Subject>() {
    let world = World::<S>::loaded_many();
    let before = fingerprint(&mut world.sql());
    world.ingest().expect(0);
    assert_eq!(before, fingerprint(&mut world.sql()));
    // Only the lookback is asked for: no listing needs its second page again.
    for resource in S::LISTINGS {
        let fewest = 1 + usize::from(S::LAST_PAGE_IS_EMPTY) * 2; // what is looked back at may be two of the pages
        assert!(world.provider.requests(resource).len() <= fewest, "{resource} was read again as a whole");
    }
}

fn an_edited_record_updates_one_row<S: Subject>() {
    let world = World::<S>::loaded_many();
    let key = world.provider.with(S::edit_recent);
    let mut sql = world.sql();
    let (raw, at) = (schema::<S>(), &key.id);
    let of = |column: &str| format!("select {column} from {raw}.{} where source_id = '{at}'", key.resource);
    let first = value(&mut sql, &of("first_run_id"));
    let changed_run = value(&mut sql, &of("run_id"));
    world.ingest().expect(0);
    assert_eq!(value(&mut sql, &of("first_run_id")), first);
    assert_ne!(value(&mut sql, &of("run_id")), changed_run);
    assert_eq!(
        count(&mut sql, &format!("{raw}.history where source_id = '{at}' and resource = '{}'", key.resource)),
        1
    );
    // What is read for this record alone may have changed with it; nothing else may.
    let mut resources = vec![key.resource];
    resources.extend(S::READ_WITH_IT);
    let resources: Vec<String> = resources.iter().map(|resource| format!("'{resource}'")).collect();
    let others = format!("{raw}.history where source_id <> '{at}' or resource not in ({})", resources.join(", "));
    assert_eq!(count(&mut sql, &others), 0, "one record was edited");
    assert!(count(&mut sql, "canonical.row_history where run_id = (select max(run_id) from meta.import_runs)") >= 1);
    world.oracle().check();
}

fn an_edit_behind_the_lookback_is_found_by_force<S: Subject>() {
    let world = World::<S>::loaded_many();
    let key = world.provider.with(S::edit_old);
    let version = format!("select run_id from {}.{} where source_id = '{}'", schema::<S>(), key.resource, key.id);
    let mut sql = world.sql();
    let before = value(&mut sql, &version);
    world.ingest().expect(0);
    assert_eq!(value(&mut sql, &version), before, "a plain run does not look that far back");
    world.health(&["ingest", S::ID, "--since", "2026-09-01", "--force"]).expect(0);
    assert_ne!(value(&mut sql, &version), before);
    world.oracle().check();
}

fn a_late_record_inside_the_lookback_is_found<S: Subject>() {
    let world = World::<S>::loaded_many();
    let key = world.provider.with(S::add_recent);
    world.ingest().expect(0);
    let found = format!("{}.{} where source_id = '{}'", schema::<S>(), key.resource, key.id);
    assert_eq!(count(&mut world.sql(), &found), 1);
    world.oracle().check();
}

fn a_record_deleted_upstream_is_retired<S: Subject>() {
    let world = World::<S>::loaded_many();
    let key = world.provider.with(S::remove_recent);
    world.ingest().expect(0);
    let mut sql = world.sql();
    let gone = format!(
        "{}.{} where source_id = '{}' and missing_since_run_id is not null",
        schema::<S>(),
        key.resource,
        key.id
    );
    assert_eq!(count(&mut sql, &gone), 1, "kept, and marked");
    let retired = format!(
        "select retired_reason from canonical.{} where raw_source_id = '{}' and retired_at is not null",
        S::canonical(key.resource),
        key.id
    );
    assert_eq!(rows(&mut sql, &retired)[0]["retired_reason"], "missing_upstream");
    world.oracle().check();
}

fn pages_may_come_in_any_order<S: Subject>() {
    for n in 1..=2 {
        let world = World::connected(S::many(now()));
        world.provider.with(|sim| sim.reorder(n));
        world.ingest().expect(0);
        world.oracle().check();
    }
}

fn a_short_429_is_waited_for<S: Subject>() {
    let world = World::connected(S::many(now()));
    let fault = world.fault(When::resource(S::PAGED).nth(2), What::too_many(1));
    world.ingest().expect(0);
    fault.assert();
    let log = world.provider.requests(S::PAGED);
    let refused = log.iter().position(|e| e.status == 429).expect("a 429");
    let again = log.get(refused + 1).expect("another try");
    let waited = again.at.duration_since(log[refused].at);
    assert!(waited >= Duration::from_millis(990), "asked again after {waited:?}");
    assert_eq!(log.iter().filter(|e| e.status == 429).count(), 1);
    world.oracle().fired(&fault).check();
}

fn a_long_429_is_remembered<S: Subject>() {
    let world = World::connected(S::many(now()));
    let fault = world.fault(When::any(), What::too_many(3000));
    world.ingest().expect(5);
    let asked = world.provider.data_requests().len();
    assert!(asked <= 1 + S::LISTINGS.len() + 2, "{asked} requests after the first refusal");
    world.provider.no_faults();
    world.provider.clear_log();
    world.ingest().expect(5);
    assert_eq!(world.provider.data_requests().len(), 0, "the time was not over");
    world.later(Duration::from_secs(3001));
    world.ingest().expect(0);
    world.oracle().fired(&fault).check();
}

fn a_500_is_retried<S: Subject>() {
    let world = World::connected(S::many(now()));
    let fault = world.fault(When::resource(S::PAGED).nth(2), What::status(500));
    world.ingest().expect(0);
    world.oracle().fired(&fault).check();
}

fn a_500_that_stays_is_reported<S: Subject>() {
    let world = World::connected(S::many(now()));
    let fault = world.fault(When::any(), What::status(500));
    world.ingest().expect(5).says("500");
    let most = 12 * (S::LISTINGS.len() + 2);
    assert!(world.provider.data_requests().len() <= most, "{} requests", world.provider.data_requests().len());
    world.oracle().fired(&fault).check();
}

fn a_401_refreshes_once<S: Subject>() {
    let world = World::connected(S::many(now()));
    let fault = world.fault(When::resource(S::PAGED).nth(2), What::status(401));
    world.ingest().expect(0);
    let refreshes = world.provider.grants(|g| g.refreshes().len());
    assert_eq!(refreshes, 1);
    world.oracle().fired(&fault).check();
}

fn a_401_that_stays_ends_the_run<S: Subject>() {
    let world = World::connected(S::many(now()));
    let fault = world.fault(When::any(), What::status(401));
    let run = world.ingest().expect(4);
    assert!(run.next().contains(&format!("health auth {}", S::ID.replace('_', "-"))), "{}", run.report());
    assert_eq!(world.provider.grants(|g| g.refreshes().len()), 1, "one refresh, then no more");
    fault.assert();
    // It is remembered: no later run renews in vain, and everybody says the same.
    world.provider.clear_log();
    world.health(&["daily-refresh"]).expect(4);
    assert_eq!(world.provider.log().len(), 0);
    let logins = world.health(&["auth"]).says("renewed a moment ago");
    assert_eq!(logins.code, 4, "{}", logins.report());
    world.health(&["status"]).expect(0).says("login");
    world.provider.no_faults();
    world.login();
    world.oracle().fired(&fault).check();
}

fn a_401_of_one_resource_leaves_the_login_alone<S: Subject>() {
    let world = World::<S>::loaded_few();
    let fault = world.fault(When::resource(S::PAGED), What::status(401));
    world.ingest().expect(3).says(S::PAGED);
    world.health(&["auth"]).expect(0);
    world.oracle().fired(&fault).check();
}

fn a_401_of_many_resources_renews_once<S: Subject>() {
    let world = World::<S>::loaded_few();
    let key = world.provider.with(S::add_recent);
    let others = S::LISTINGS.iter().chain(S::READ_WITH_IT).copied().filter(|one| *one != key.resource);
    let refused: Vec<&'static str> = others.take(6).collect();
    let faults: Vec<_> = refused.iter().map(|one| world.fault(When::resource(one), What::status(401))).collect();
    let run = world.ingest().expect(3);
    assert_eq!(world.provider.grants(|g| g.refreshes().len()), 1, "one renewal for all of them\n{}", run.report());
    // Those that wait for one of them are not asked for; all others are named, and the rest went on.
    let named: Vec<_> = faults.iter().zip(&refused).filter(|(fault, _)| fault.count() > 0).collect();
    assert!(named.len() >= 2, "{refused:?}");
    for (_, one) in &named {
        assert!(run.stderr.contains(*one), "{one} is not named\n{}", run.report());
    }
    let found = format!("{}.{} where source_id = '{}'", schema::<S>(), key.resource, key.id);
    assert_eq!(count(&mut world.sql(), &found), 1, "the others went on");
    world.health(&["auth"]).expect(0);
    let fired = named.iter().map(|(fault, _)| *fault);
    fired.fold(world.oracle(), super::support::oracle::Oracle::fired).check();
}

fn a_revoked_login_says_what_to_do<S: Subject>() {
    let world = World::<S>::loaded_few();
    world.provider.grants(super::support::tokens::Grants::revoke_all);
    world.token_expires();
    let run = world.ingest().expect(4);
    assert!(run.next().contains(&format!("health auth {}", S::ID.replace('_', "-"))), "{}", run.report());
    // The dead login is remembered: no request at all, not even for a token.
    world.provider.clear_log();
    world.ingest().expect(4);
    assert_eq!(world.provider.log().len(), 0);
    let status = value(&mut world.sql(), "select status from meta.source_accounts");
    assert_eq!(status.as_deref(), Some("needs_auth"));
    // A new login mends it.
    world.login();
    world.oracle().check();
}

fn killed_in_the_third_page<S: Subject>() {
    let world = World::connected(S::many(now()));
    let fault = world.fault(When::resource(S::PAGED).nth(3), What::hang());
    let running = world.start_ingest();
    world.until_fired(&fault);
    running.kill(&world.home);
    assert!(!covers(&mut world.sql(), S::PAGED, "2026-11-10T00:00:00Z"), "an open slice is not covered");
    world.oracle().fired(&fault).check();
    assert!(run_states(&mut world.sql()).contains(&"interrupted".to_owned()));
}

fn killed_and_the_page_token_no_longer_serves<S: Subject>() {
    let world = World::connected(S::many(now()));
    let fault = world.fault(When::resource(S::PAGED).nth(3), What::hang());
    let running = world.start_ingest();
    world.until_fired(&fault);
    running.kill(&world.home);
    world.provider.with(super::support::subject::Subject::forget_pages);
    world.oracle().fired(&fault).check();
}

fn since_leaves_gaps_that_are_filled<S: Subject>() {
    let world = World::connected(S::many(now()));
    world.health(&["ingest", S::ID, "--since", "2026-09-25", "--until", "2026-10-05"]).expect(0);
    world.health(&["ingest", S::ID, "--since", "2026-11-12"]).expect(0);
    let mut sql = world.sql();
    for resource in S::LISTINGS {
        for (at, covered) in
            [("2026-09-30T12:00:00Z", true), ("2026-10-20T12:00:00Z", false), ("2026-11-15T12:00:00Z", true)]
        {
            assert_eq!(covers(&mut sql, resource, at), covered, "{resource} at {at}");
        }
    }
    world.ingest().expect(0);
    for resource in S::LISTINGS {
        assert!(covers(&mut sql, resource, "2026-10-20T12:00:00Z"), "{resource}: the gap is still there");
    }
    // What lies before the earliest covered instant is no gap; asked for, it comes too.
    world.health(&["ingest", S::ID, "--since", "2026-09-01"]).expect(0);
    world.oracle().check();
}

fn one_poisoned_record_is_one_reject<S: Subject>() {
    for how in POISONS {
        let world = World::connected(S::few(now()));
        let key = world.provider.with(|sim| sim.poison(how));
        let run = world.ingest();
        assert_eq!(run.code, 3, "{how:?}\n{}", run.report());
        let mut sql = world.sql();
        let rejects = rows(&mut sql, "select code, detail, resource from meta.rejects where resolved_run_id is null");
        assert_eq!(rejects.len(), 1, "{how:?}: {rejects:#?}");
        let detail = rejects[0]["detail"].as_str().unwrap_or_default();
        assert!(!detail.contains("1e400"), "a value in the detail: {detail}");
        // The neighbours landed, and it stays one reject however often it is seen. A page that still holds it ends as
        // partial each time; a row that only canonical refuses is not read again while nothing about it changes.
        let again = if matches!(how, Poison::WrongType | Poison::Backwards) { 0 } else { 3 };
        world.oracle().ends_with(again).check();
        assert_eq!(count(&mut sql, "meta.rejects"), 1, "{how:?} on {key:?}");
        world.health(&["rejects", "list"]).expect(0);
    }
}

fn a_410_ends_as_retired<S: Subject>() {
    let world = World::<S>::loaded_few();
    let before = fingerprint(&mut world.sql());
    let fault = world.fault(When::any(), What::status(410));
    world.ingest().expect(6);
    assert_eq!(before, fingerprint(&mut world.sql()));
    assert!(
        world.provider.data_requests().len() <= S::LISTINGS.len() + 2,
        "a retired interface is not asked again and again"
    );
    world.oracle().fired(&fault).check();
}

fn a_foreign_next_link_is_not_followed<S: Subject>() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let spy = Server::start(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        Reply::json(200, r#"{"records":[]}"#)
    });
    let world = World::connected(S::many(now()));
    let fault = world.fault(When::resource(S::PAGED).nth(1), S::foreign_next(&spy.origin()));
    let redirect = world.fault(When::resource(S::LISTINGS[0]).nth(1), What::redirect(&spy.origin()));
    world.ingest().expect_one_of(S::AFTER_FOREIGN_NEXT);
    assert_eq!(asked.load(Ordering::SeqCst), 0, "another host was asked");
    world.oracle().fired(&fault).fired(&redirect).check();
}

fn a_page_token_with_a_nul_costs_its_resource_alone<S: Subject>() {
    let world = World::connected(S::many(now()));
    let fault = world.fault(When::resource(S::PAGED), S::foreign_next("\\u0000"));
    let run = world.ingest().expect_one_of(S::AFTER_FOREIGN_NEXT);
    let mut sql = world.sql();
    for resource in S::LISTINGS.iter().filter(|one| **one != S::PAGED) {
        assert!(covers(&mut sql, resource, "2026-11-10T00:00:00Z"), "{resource}\n{}", run.report());
    }
    world.oracle().fired(&fault).check();
}

fn transform_twice_changes_nothing<S: Subject>() {
    let world = World::<S>::loaded_many();
    let before = fingerprint(&mut world.sql());
    world.health(&["transform", S::ID]).expect(0);
    assert_eq!(before, fingerprint(&mut world.sql()));
}

fn an_empty_listing_retires_nothing<S: Subject>() {
    let world = World::<S>::loaded_many();
    let before = fingerprint(&mut world.sql());
    world.provider.with(|sim| sim.hide(S::PAGED));
    world.ingest().expect(6).says(S::PAGED);
    assert_eq!(before, fingerprint(&mut world.sql()), "an empty listing changed something");
    let overview =
        world.health(&["status"]).expect(0).says("look").says(&format!("health status {}", S::ID.replace('_', "-")));
    assert!(!overview.stdout.contains("nothing needs you"), "{}", overview.report());
    world.health(&["status", S::ID]).expect(0).says("ended failed (6)").says(S::PAGED);
    world.provider.with(S::show_all);
    world.oracle().check();
}

fn many_deletions_wait_for_a_word<S: Subject>() {
    let world = World::<S>::loaded_many();
    let before = fingerprint(&mut world.sql());
    let (resource, gone) = world.provider.with(S::remove_many);
    assert!(gone > 3, "too few for the fuse: {gone}");
    let accept = format!("health ingest {} --accept-deletions", S::ID.replace('_', "-"));
    // The fuse holds in every run, and says how a person lets them pass.
    for _ in 0..2 {
        let run = world.ingest().expect(6).says(&format!("no longer lists {gone} of"));
        assert!(run.next().ends_with(&format!(": {accept}")), "{}", run.report());
        assert_eq!(before, fingerprint(&mut world.sql()));
    }
    let words: Vec<&str> = accept.split(' ').skip(1).collect();
    world.health(&words).expect(0);
    let marked = format!("{}.{resource} where missing_since_run_id is not null", schema::<S>());
    assert_eq!(count(&mut world.sql(), &marked), gone);
    world.oracle().check();
    // An empty listing is believed by nobody.
    world.provider.with(|sim| sim.hide(S::PAGED));
    let before = fingerprint(&mut world.sql());
    let run = world.health(&words).expect(6).says("listed 0");
    assert!(!run.next().contains("--accept-deletions"), "{}", run.report());
    assert_eq!(before, fingerprint(&mut world.sql()));
}

fn one_failing_resource_does_not_stop_the_others<S: Subject>() {
    let world = World::connected(S::many(now()));
    let fault = world.fault(When::resource(S::PAGED), What::status(400));
    world.ingest().expect(3).says(S::PAGED);
    let mut sql = world.sql();
    for resource in S::LISTINGS {
        assert_eq!(covers(&mut sql, resource, "2026-11-10T00:00:00Z"), *resource != S::PAGED, "{resource}");
    }
    world.oracle().fired(&fault).check();
}

fn a_record_of_another_person_stops_the_run<S: Subject>() {
    let world = World::<S>::loaded_few();
    let before = fingerprint(&mut world.sql());
    let fault = world.fault(When::resource(S::OWNED), S::other_person());
    world.provider.with(S::edit_recent);
    world.token_expires(); // where no record says whose it is, the renewal of the login does
    world.ingest().expect(6);
    for (table, row) in dump(&mut world.sql()) {
        assert!(!row.contains("4101002"), "somebody else's was stored in {table}");
    }
    assert_eq!(
        before[&format!("{}.{}", schema::<S>(), S::PAGED)],
        fingerprint(&mut world.sql())[&format!("{}.{}", schema::<S>(), S::PAGED)]
    );
    world.provider.no_faults();
    if S::OWNED == "token" {
        world.ingest().expect(4).says("another person");
        world.login();
    }
    world.oracle().fired(&fault).check();
}

fn rebuild_equals_incremental<S: Subject>() {
    let world = World::<S>::loaded_many();
    world.provider.with(|sim| {
        sim.edit_recent();
        sim.add_recent();
        sim.remove_recent();
    });
    world.ingest().expect(0);
    let mut sql = world.sql();
    let tables = ["user_identity", "sleep_sessions", "workouts", "biometrics_vitals", "scores", "daily_summaries"];
    let snapshot = |sql: &mut postgres::Client| -> Vec<Vec<serde_json::Value>> {
        let all = |t| {
            format!(
                "select to_jsonb(x) - array['run_id','created_at','updated_at'] as row from canonical.{t} x where retired_at is null order by 1"
            )
        };
        tables.iter().map(|t| rows(sql, &all(t))).collect()
    };
    let incremental = snapshot(&mut sql);
    for table in tables {
        sql.batch_execute(&format!("delete from canonical.{table}")).expect("an emptied table");
    }
    world.health(&["transform", S::ID, "--rebuild"]).expect(0);
    assert_eq!(incremental, snapshot(&mut sql));
    world.oracle().check();
}

/// The suite for one source.
macro_rules! suite {
    ($module:ident, $subject:ty; $($test:ident)+) => {
        mod $module {
            use super::*;
            $(#[test] fn $test() { super::$test::<$subject>(); })+
        }
    };
    ($module:ident, $subject:ty) => {
        suite! { $module, $subject;
            first_ingest_lands_every_record_once second_ingest_changes_nothing an_edited_record_updates_one_row
            an_edit_behind_the_lookback_is_found_by_force a_late_record_inside_the_lookback_is_found
            a_record_deleted_upstream_is_retired pages_may_come_in_any_order a_short_429_is_waited_for
            a_long_429_is_remembered a_500_is_retried a_500_that_stays_is_reported a_401_refreshes_once
            a_401_that_stays_ends_the_run a_401_of_one_resource_leaves_the_login_alone a_401_of_many_resources_renews_once a_revoked_login_says_what_to_do killed_in_the_third_page
            killed_and_the_page_token_no_longer_serves since_leaves_gaps_that_are_filled
            one_poisoned_record_is_one_reject a_410_ends_as_retired a_foreign_next_link_is_not_followed
            a_page_token_with_a_nul_costs_its_resource_alone rebuild_equals_incremental
            transform_twice_changes_nothing an_empty_listing_retires_nothing many_deletions_wait_for_a_word
            one_failing_resource_does_not_stop_the_others a_record_of_another_person_stops_the_run
        }
    };
}

suite!(whoop, Whoop);
suite!(oura, Oura);
suite!(withings, Withings);
suite!(strava, Strava);
suite!(google_health, Google);

/// The sources that the suite above covers.
const COVERED: &[&str] = &["whoop", "oura", "withings", "strava", "google_health"];

#[test]
fn every_api_source_is_covered() {
    let home = crate::support::cli::Home::new();
    let list = home.health(&["sources", "--json"]).expect(0).json();
    let listed = list["sources"].as_array().expect("sources").iter();
    let api: Vec<&str> = listed
        .filter(|s| ["login", "both"].contains(&s["kind"].as_str().unwrap_or_default()))
        .filter_map(|s| s["id"].as_str())
        .collect();
    assert_eq!(api, COVERED);
}
