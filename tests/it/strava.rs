//! Strava's own oddities, beyond the contract: terms, scopes told by the redirect, budgets of a quarter of an hour and a day,
//! details that are spread over days, deletions that a weekly listing finds.

mod odd;
mod recorded;

use std::time::Duration;

use serde_json::json;

use crate::providers::strava::Strava;
use crate::support::cli::Home;
use crate::support::faults::{What, When};
use crate::support::net::get;
use crate::support::provider::{consent, param};
use crate::support::rows::{count, fingerprint, rows, value};
use crate::support::subject::Subject;
use crate::support::world::{World, now};

const ACCEPTED: &str = "select terms_accepted_at from meta.source_accounts";

#[test]
fn terms_are_accepted_once_and_before_anything_is_asked() {
    let world = World::new(Strava::few(now()));
    let refused = world.health(&["auth", "strava", "--no-browser"]).expect(4).says("subscription").says("seven days");
    assert!(refused.next().ends_with("health auth strava --accept-terms"), "{}", refused.report());
    assert!(refused.stderr.contains("kept:"), "{}", refused.report());
    // Who does not accept leaves nothing behind.
    assert_eq!(count(&mut world.sql(), "meta.source_accounts"), 0);
    world.health(&["status"]).expect(0).says("nothing is connected");
    assert_eq!(world.provider.log().len(), 0);
    world.login();
    assert!(value(&mut world.sql(), ACCEPTED).is_some());
    // After a good login status waits for a first run, not for a login.
    let shown = world.health(&["status", "--json", "--fail-if-stale"]).expect(0).json();
    let strava = &shown["sources"][0];
    assert_eq!((&strava["source"], &strava["state"]), (&json!("strava"), &json!("new")), "{strava}");
    assert_eq!(strava["next"], "health ingest strava --since 6m");
    // The next login shows nothing of it.
    let mut again = world.home.start_with_input(&["auth", "strava", "--again", "--no-browser"]);
    assert_eq!(get(&consent(&again.line())).status, 200);
    let again = again.wait(&world.home).expect(0);
    assert!(!again.stderr.contains("seven days"), "{}", again.report());
    // Where it is not written down that they were accepted, nothing is asked for.
    world.sql().batch_execute("update meta.source_accounts set terms_accepted_at = null").expect("an update");
    world.provider.clear_log();
    let run = world.ingest().expect(4).says("terms");
    assert!(run.next().ends_with("health auth strava --accept-terms"), "{}", run.report());
    assert_eq!(world.provider.log().len(), 0);
    world.health(&["auth", "strava", "--accept-terms"]).expect(0).says("is connected");
    world.oracle().check();
}

#[test]
fn the_form_is_shown_as_strava_has_it() {
    let home = Home::new();
    let shown =
        home.health(&["auth", "strava", "--dry-run"]).expect(0).says("Authorization Callback Domain: localhost\n");
    assert!(!shown.stdout.contains("paste"), "{}", shown.report());
    let form = home.health(&["auth", "strava", "--dry-run", "--json"]).expect(0).json()["form"].clone();
    assert_eq!(form[0], json!({"label": "Authorization Callback Domain", "value": "localhost"}));
    home.health(&["auth", "google-health", "--dry-run"])
        .expect(0)
        .says("Desktop app")
        .says("enable the Google Health API");
}

#[test]
fn scopes_stand_between_commas_and_the_redirect_tells_which_were_granted() {
    let world = World::new(Strava::few(now()));
    world.provider.grants(|g| g.ticked = vec!["read".into(), "activity:read_all".into()]);
    let mut auth = world.start_login();
    let address = auth.line();
    assert_eq!(param(&address, "scope").as_deref(), Some("read,read_all,profile:read_all,activity:read_all"));
    assert_eq!(get(&consent(&address)).status, 200);
    auth.wait(&world.home);
    world.health(&["auth"]).says("2 of 4");
    world.ingest().expect(3).says("athlete_zones");
    assert_eq!(world.provider.requests("athlete_zones").len(), 0);
    assert!(count(&mut world.sql(), "canonical.workouts") > 0);
}

#[test]
fn a_scope_that_is_missing_is_no_dead_login() {
    let world = World::<Strava>::loaded_few();
    let body = r#"{"message":"Authorization Error","errors":[{"resource":"AccessToken","field":"activity:read_permission","code":"missing"}]}"#;
    let fault = world.fault(When::resource("activities"), What::Answer(401, vec![], body));
    world.ingest().expect(3).says("did not grant what activities needs");
    assert_eq!(world.provider.grants(|g| g.refreshes().len()), 0);
    world.oracle().fired(&fault).check();
}

#[test]
fn a_renewal_may_give_the_same_access_token() {
    let world = World::<Strava>::loaded_few();
    let fault = world.fault(When::resource("athlete").nth(1), What::status(401));
    world.ingest().expect(0);
    fault.assert();
    assert_eq!(world.provider.grants(|g| g.live(now())), 1, "no other token was made");
    // The refresh token that came with it is the one that works.
    world.token_expires();
    world.ingest().expect(0);
    assert_eq!(world.provider.grants(|g| g.refreshes().len()), 2);
    world.oracle().check();
}

#[test]
fn a_grant_is_withdrawn_with_the_credentials_of_the_application() {
    let world = World::connected(Strava::few(now()));
    world.health(&["auth", "strava", "--revoke"]).expect(0);
    let asked = world.provider.requests("revoke");
    assert_eq!((asked.len(), asked[0].method.as_str(), asked[0].path.as_str()), (1, "POST", "/oauth/revoke"));
    assert!(asked[0].body.starts_with("token=") && asked[0].query.len() == 1, "the token stands in the form alone");
    assert_eq!(world.provider.grants(|g| g.live(now())), 0);
    world.assert_safe(&mut world.sql());
}

#[test]
fn an_application_without_subscription_is_told_apart_from_a_dead_login() {
    let world = World::<Strava>::loaded_few();
    let before = fingerprint(&mut world.sql());
    world.provider.with(|sim| sim.inactive = true);
    let run = world.ingest().expect(6).says("inactive").says("subscription");
    assert!(run.next().contains("settings/api") && run.next().contains("archive"), "{}", run.report());
    assert_eq!(world.provider.data_requests().len(), 1, "it is not asked again");
    assert_eq!(before, fingerprint(&mut world.sql()));
    world.provider.with(|sim| sim.inactive = false);
    world.oracle().check();
}

#[test]
fn a_full_quarter_is_waited_for_and_remembered() {
    let world = World::connected(Strava::few(now()));
    world.provider.with(|sim| sim.budget.limits = [5, 1_000]);
    let briefly = ["ingest", "strava", "--max-time", "1s"];
    world.health(&briefly).expect(3).says("waiting");
    assert_eq!((world.provider.data_requests().len(), world.provider.with(|sim| sim.budget.refused)), (5, 0));
    // Another run in the same quarter knows that there is no place.
    world.provider.clear_log();
    world.health(&briefly).expect(3);
    assert_eq!(world.provider.data_requests().len(), 0);
    world.later(Duration::from_mins(15));
    world.health(&briefly).expect(3);
    assert_eq!((world.provider.data_requests().len(), world.provider.with(|sim| sim.budget.refused)), (5, 0));
    world.provider.with(|sim| sim.budget.limits = [500, 1_000]);
    world.later(Duration::from_mins(15));
    world.oracle().check();
}

#[test]
fn a_refusal_without_a_time_waits_for_the_next_quarter() {
    let world = World::connected(Strava::few(now()));
    for (body, n) in [
        (r#"{"errors":"Rate Limit Exceeded","status":429,"message":"Too Many Requests"}"#, 0),
        (
            r#"{"message":"Rate Limit Exceeded","errors":[{"resource":"Application","field":"rate limit","code":"exceeded"}]}"#,
            1,
        ),
    ] {
        world.provider.clear_log();
        world.later(Duration::from_mins(15 * n));
        let fault = world.fault(When::resource("activities").first(1), What::Answer(429, vec![], body));
        world.health(&["ingest", "strava", "activities", "--max-time", "1s"]).expect(3).says("waiting");
        fault.assert();
        assert_eq!(world.provider.requests("activities").len(), 1, "what is asked while limited counts as well");
        world.provider.no_faults();
    }
    world.later(Duration::from_mins(15));
    world.oracle().check();
}

#[test]
fn details_are_spread_over_days_newest_first() {
    let world = World::connected(Strava::few(now()));
    world.provider.with(|sim| sim.budget.limits = [1_000, 15]);
    let first = world.ingest().expect(5).says("newest first").says("allows 15 a day").says("this takes 2 days");
    assert!(first.stderr.contains("UTC"), "until when: {}", first.report());
    assert_eq!(world.provider.with(|sim| (sim.budget.refused, sim.budget.used[1])), (0, 15));
    let mut sql = world.sql();
    let newest = "select (select max(source_id) from strava_raw.activities) = (select max(source_id) from strava_raw.activity_details)
                     and (select min(source_id) from strava_raw.activities) < (select min(source_id) from strava_raw.activity_details)";
    assert_eq!(value(&mut sql, newest).as_deref(), Some("true"), "the newest first, and not all");
    assert!(count(&mut sql, "canonical.workouts") > 0, "what is there is shown");
    // The same day once more: nothing is asked for.
    world.provider.clear_log();
    world.ingest().expect(5);
    assert_eq!(world.provider.data_requests().len(), 0);
    // After midnight at Greenwich it goes on where it stopped.
    let mut days = 0;
    while days < 5 {
        days += 1;
        world.later(Duration::from_hours(24));
        if world.ingest().expect_one_of(&[0, 5]).code == 0 {
            break;
        }
    }
    assert!((1..=2).contains(&days), "{days} more days");
    assert_eq!(world.provider.with(|sim| sim.budget.refused), 0);
    world.assert_truth();
}

#[test]
fn killed_between_details_it_goes_on_behind_them() {
    let world = World::connected(Strava::few(now()));
    let fault = world.fault(When::resource("activity_details").nth(4), What::hang());
    let running = world.start_ingest();
    world.until_fired(&fault);
    running.kill(&world.home);
    let read = count(&mut world.sql(), "meta.single_reads where resource = 'activity_details'");
    assert_eq!(read, count(&mut world.sql(), "strava_raw.activity_details"), "both or none");
    world.provider.no_faults();
    world.provider.clear_log();
    world.ingest().expect(0);
    let all = world.provider.with(|sim| sim.activities.len());
    let asked = world.provider.requests("activity_details").len();
    assert_eq!(asked, all - usize::try_from(read).expect("a count"), "what is there is not asked for again");
    world.oracle().fired(&fault).check();
}

#[test]
fn one_record_that_is_refused_leaves_the_others() {
    let world = World::connected(Strava::few(now()));
    let fault = world.fault(When::resource("activity_streams").nth(2), What::status(403));
    world.ingest().expect(3).says("activity_streams");
    let held = count(&mut world.sql(), "strava_raw.activity_streams");
    let all = world.provider.with(|sim| sim.activities.iter().filter(|a| a.streams.is_some()).count());
    assert_eq!(held, i64::try_from(all).expect("a count") - 1);
    world.health(&["status", "strava"]).expect(0).says("left to read one by one");
    world.health(&["ingest", "strava", "--dry-run"]).expect(0).says("1 record, one by one");
    world.oracle().fired(&fault).check();
}

#[test]
fn a_part_of_the_budget_is_left_for_listings() {
    let world = World::connected(Strava::few(now()));
    world.provider.with(|sim| (sim.budget.limits, sim.budget.used) = ([10_000, 40], [0, 0]));
    // Another program has asked for most of the day.
    world.ingest().expect(0);
    world.provider.with(|sim| {
        sim.budget.used[1] = 34;
        sim.edit_recent();
    });
    world.provider.clear_log();
    world.ingest().expect(5).says("single records");
    assert!(!world.provider.requests("activities").is_empty());
    assert_eq!(world.provider.with(|sim| sim.budget.refused), 0);
}

#[test]
fn only_what_changed_is_read_again() {
    let world = World::<Strava>::loaded_few();
    world.ingest().expect(0);
    let single = |world: &World<Strava>| {
        let of = |name: &str| world.provider.requests(name).len();
        [of("activity_details"), of("activity_streams"), of("activity_zones"), of("activity_laps"), of("gear")]
    };
    assert_eq!(single(&world), [0; 5]);
    // What others do under an activity changes nothing about it.
    world.provider.with(|sim| sim.activities.last_mut().expect("an activity").summary["kudos_count"] = json!(17));
    world.ingest().expect(0);
    assert_eq!(single(&world), [0; 5]);
    let key = world.provider.with(Strava::edit_recent);
    world.ingest().expect(0);
    let (details, streams) = (world.provider.requests("activity_details"), world.provider.requests("activity_streams"));
    assert_eq!(details.len(), 1);
    assert!(details[0].path.ends_with(&key.id), "{}", details[0].path);
    assert!(streams.len() <= 1 && streams.iter().all(|entry| entry.path.contains(&key.id)));
    // An edit that the list does not show is found after two days; nothing else is read for it.
    world.provider.clear_log();
    world
        .provider
        .with(|sim| sim.activities.last_mut().expect("an activity").detail["description"] = json!("it rained"));
    world.later(Duration::from_hours(36));
    world.ingest().expect(0);
    assert_eq!(single(&world)[1], 0);
    let described = "canonical.workouts where detail->>'description' = 'it rained'";
    assert_eq!(count(&mut world.sql(), described), 1);
}

#[test]
fn a_deletion_behind_the_lookback_is_found_within_a_week() {
    let world = World::<Strava>::loaded_many();
    let id = world.provider.with(|sim| {
        let old = now() - chrono::TimeDelta::days(45);
        let place = sim.activities.iter().position(|a| a.start() < old && a.has_series()).expect("an old activity");
        sim.activities.remove(place).id
    });
    let gone = format!("canonical.workouts where raw_source_id = '{id}' and retired_reason = 'missing_upstream'");
    world.later(Duration::from_hours(24));
    world.ingest().expect(0);
    assert_eq!(count(&mut world.sql(), &gone), 0, "the lookback does not reach so far");
    world.later(Duration::from_hours(24 * 7));
    world.provider.clear_log();
    world.ingest().expect(0);
    let mut sql = world.sql();
    assert_eq!(count(&mut sql, &gone), 1);
    let series = format!("canonical.sample_origins where raw_source_id = '{id}' and retired_at is null");
    assert_eq!(count(&mut sql, &series), 0, "what was made of its series goes with it");
    let raw = format!("strava_raw.activity_details where source_id = '{id}' and missing_since_run_id is not null");
    assert_eq!(count(&mut sql, &raw), 1, "kept, and marked");
    world.oracle().check();
}

#[test]
fn requests_are_the_least_that_pages_allow() {
    let world = World::connected(Strava::many(now()));
    world.provider.with(|sim| sim.most_a_page = 200);
    world.ingest().expect(0);
    let lists = world.provider.requests("activities");
    assert_eq!(lists.len(), 2, "one page, and the empty one");
    assert!(lists.iter().all(|entry| entry.param("after").is_none() && entry.param("per_page") == Some("200")));
    let all = world.provider.with(|sim| sim.activities.clone());
    let recorded = all.iter().filter(|a| a.summary["manual"] == json!(false)).count();
    let measured = all.iter().filter(|a| a.summary["has_heartrate"] == json!(true)).count();
    let without_laps = all.iter().filter(|a| a.detail.get("laps").is_none()).count();
    for (resource, expected) in [
        ("activity_details", all.len()),
        ("activity_streams", recorded),
        ("activity_zones", measured),
        ("activity_laps", without_laps),
        ("gear", 3),
        ("athlete_stats", 1),
        ("athlete", 1),
    ] {
        assert_eq!(world.provider.requests(resource).len(), expected, "{resource}");
    }
    let streams = world.provider.requests("activity_streams");
    assert!(streams.iter().all(|e| e.param("keys").is_some_and(|keys| keys.starts_with("time,distance,latlng"))));
    for entry in world.provider.data_requests() {
        assert!(entry.query.iter().all(|(name, _)| name != "access_token"), "the token stands in the header alone");
    }
}

#[test]
fn series_become_points_on_the_clock() {
    let world = World::<Strava>::loaded_few();
    let mut sql = world.sql();
    let points = |sport: &str| {
        format!(
            "select p.metric_code, p.seq, extract(epoch from p.start_at - w.start_at)::integer as after, p.value_num::double precision as value
               from canonical.workouts w
               join canonical.sample_origins o on o.raw_source_id = w.raw_source_id and o.raw_table = 'strava_raw.activity_streams'
               join canonical.sample_points p on p.user_id = o.user_id and p.origin_id = o.origin_id
              where w.sport = '{sport}' and p.metric_code not in ('heart_rate')
                and w.raw_source_id = (select max(raw_source_id) from canonical.workouts where sport = '{sport}')
              order by 1, 2"
        )
    };
    let at = |metric: &str, seq: i64, after: i64, value: f64| json!({"metric_code": metric, "seq": seq, "after": after, "value": value});
    let same = |found: Vec<serde_json::Value>, expected: &[serde_json::Value]| {
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            for name in ["metric_code", "seq", "after"] {
                assert_eq!(found[name], expected[name], "{found}");
            }
            assert_eq!(found["value"].as_f64(), expected["value"].as_f64(), "{found}");
        }
    };
    let height = [(0, 0, 34.0), (1, 1, 34.25), (2, 2, 34.5), (3, 4, 34.75), (4, 9, 35.0)];
    let altitude = height.map(|(seq, after, value)| at("altitude", seq, after, value));
    let steps = [(0, 0, 0.0), (1, 1, 160.0), (2, 2, 162.0), (3, 4, 164.0), (4, 9, 166.0)];
    let steps = steps.map(|(seq, after, value)| at("step_cadence", seq, after, value));
    same(rows(&mut sql, &points("running")), &[&altitude[..], &steps].concat());
    let turns = [(0, 0, 0.0), (1, 1, 80.0), (2, 2, 81.0), (3, 4, 82.0), (4, 9, 83.0)];
    let turns = turns.map(|(seq, after, value)| at("cycling_cadence", seq, after, value));
    let watts =
        [(2, 2, 232.0), (3, 4, 233.0), (4, 9, 234.0)].map(|(seq, after, value)| at("cycling_power", seq, after, value));
    same(rows(&mut sql, &points("cycling")), &[&altitude[..], &turns, &watts].concat());
}

#[test]
fn a_weight_is_a_measurement_when_it_changes() {
    let world = World::<Strava>::loaded_few();
    let weights = "select value_num, local_date from canonical.biometrics_vitals where metric_code = 'weight' and retired_at is null order by observed_at";
    world.provider.with(|sim| sim.athlete["updated_at"] = json!("2026-11-20T10:00:00Z"));
    world.later(Duration::from_hours(24));
    world.ingest().expect(0);
    assert_eq!(rows(&mut world.sql(), weights).len(), 1, "another version of the profile with the same weight");
    world.provider.with(|sim| sim.athlete["weight"] = json!(73.5));
    world.later(Duration::from_hours(24));
    world.ingest().expect(0);
    let found = rows(&mut world.sql(), weights);
    assert_eq!(found.iter().map(|row| row["value_num"].as_f64()).collect::<Vec<_>>(), [Some(74.31), Some(73.5)]);
    assert_eq!([&found[0]["local_date"], &found[1]["local_date"]], [&json!("2026-11-20"), &json!("2026-11-22")]);
    world.health(&["transform", "strava", "--rebuild"]).expect(0);
    assert_eq!(found, rows(&mut world.sql(), weights));
}
