//! What is particular to Withings: its logins, what changed and what was deleted, and records in their oddest forms.

mod described;
mod odd;
mod records;

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;

use crate::providers::withings::Withings;
use crate::support::cli::Home;
use crate::support::faults::{What, When};
use crate::support::net::get;
use crate::support::provider::consent;
use crate::support::rows::{count, rows, value};
use crate::support::scenes::KILLED;
use crate::support::subject::Subject;
use crate::support::world::{World, now};

#[test]
fn a_login_asks_in_withings_own_way() {
    let world = World::connected(Withings::few(now()));
    let asked = world.provider.grants(|g| g.asked[0].clone());
    assert_eq!(asked["scope"], "user.info,user.metrics,user.activity");
    assert!(!asked.contains_key("code_challenge") && asked["state"].len() > 20, "{asked:?}");
    // An answer that wraps its tokens tells whose they are, once as a text and once as a number.
    world.token_expires();
    world.ingest().expect(0);
    assert_eq!(world.provider.grants(|g| g.refreshes().len()), 1);
    let person = value(&mut world.sql(), "select external_user_id from meta.source_accounts");
    assert_eq!(person.as_deref(), Some("4101001"));
    let home = Home::new();
    home.set("WITHINGS_CLIENT_ID", "id");
    home.set("WITHINGS_CLIENT_SECRET", "secret");
    home.health(&["auth", "withings", "--dry-run"]).expect(0).says("http://127.0.0.1:8765/callback/withings");
}

#[test]
fn a_code_is_good_for_half_a_minute() {
    let world = World::new(Withings::few(now()));
    let mut auth = world.start_login();
    let landing = consent(&auth.line());
    world.provider.set_now(now() + TimeDelta::seconds(31));
    assert_eq!(get(&landing).status, 200);
    let run = auth.wait(&world.home).expect(4).says("status 503");
    assert_eq!(run.next(), "health auth withings");
    world.set_now(now());
    world.login();
    world.oracle().check();
}

#[test]
fn a_dead_token_is_a_status_and_not_an_outage() {
    let world = World::<Withings>::loaded_few();
    world.provider.grants(crate::support::tokens::Grants::revoke_all);
    world.token_expires();
    world.ingest().expect(4).says("status 503");
    world.provider.clear_log();
    world.ingest().expect(4);
    assert_eq!(world.provider.log().len(), 0, "nobody is asked again");
    // What may pass is no death: too many requests, at the token endpoint too.
    world.login();
    world.token_expires();
    let busy = What::Answer(200, vec![], r#"{"status":601,"body":{},"error":"Too Many Requests"}"#);
    let fault = world.fault(When::resource("token").before_work(), busy);
    for _ in 0..4 {
        world.ingest().expect(5);
    }
    world.oracle().fired(&fault).check();
}

/// The renewal was sent, the answer came, and the program died before it was on the disk.
#[test]
fn a_renewal_that_died_on_the_way_is_repaired_by_the_old_token() {
    for point in ["token.post_sent", "token.response_read"] {
        let world = World::<Withings>::loaded_few();
        world.provider.grants(|g| g.tries = 2);
        world.token_expires();
        world.home.set("HEALTH_FAILPOINT", point);
        assert_eq!(world.ingest().code, KILLED);
        world.home.unset("HEALTH_FAILPOINT");
        assert_eq!(world.provider.grants(|g| g.refreshes().len()), 1, "{point}: the token was spent");
        world.later(Duration::from_hours(7));
        world.ingest().expect(0);
        let sent = world
            .provider
            .grants(|g| g.refreshes().iter().map(|p| (p.credential.clone(), p.status)).collect::<Vec<_>>());
        assert!(sent.len() == 2 && sent[0] == sent[1], "the old one, once more");
        world.oracle().check();
    }
}

#[test]
fn the_second_chance_ends_after_eight_hours() {
    let world = World::<Withings>::loaded_few();
    world.provider.grants(|g| g.tries = 2);
    world.token_expires();
    world.home.set("HEALTH_FAILPOINT", "token.response_read");
    assert_eq!(world.ingest().code, KILLED);
    world.home.unset("HEALTH_FAILPOINT");
    world.later(Duration::from_hours(9));
    world.ingest().expect(4).says("interrupted");
    world.login();
    world.oracle().check();
}

#[test]
fn an_answer_that_breaks_off_is_asked_for_again_at_once() {
    let world = World::<Withings>::loaded_few();
    world.provider.grants(|g| g.tries = 2);
    world.token_expires();
    let fault = world.fault(When::resource("token").nth(1), What::cut(20));
    world.ingest().expect(0);
    fault.assert();
    assert_eq!(world.provider.grants(|g| g.refreshes().len()), 2);
    world.oracle().check();
}

#[test]
fn a_withdrawal_is_signed() {
    let world = World::connected(Withings::few(now()));
    world.health(&["auth", "withings", "--revoke"]).expect(0).says("withdrew the grant");
    assert_eq!(world.provider.with(|sim| (sim.withdrawn.clone(), sim.nonces.len())), (vec!["4101001".to_owned()], 0));
    assert_eq!(world.provider.grants(|g| g.live(now())), 0);
    let call = &world.provider.requests("revoke")[0];
    assert!(call.param("client_secret").is_none() && call.param("signature").is_some_and(|s| s.len() == 64));
    world.assert_safe(&mut world.sql());
}

#[test]
fn an_account_keeps_to_its_person() {
    let world = World::<Withings>::loaded_few();
    world.health(&["auth", "withings", "--forget"]).expect(0);
    let fault = world.fault(When::resource("token"), What::replace("4101001", "4101002"));
    world.login();
    fault.assert();
    world.provider.clear_log();
    let run = world.ingest().expect(6).says("another person");
    assert!(run.next().contains("health auth withings --again"), "{}", run.report());
    assert_eq!(world.provider.log().len(), 0, "nothing was asked for");
    world.provider.no_faults();
    world.health(&["auth", "withings", "--forget"]).expect(0);
    world.login();
    world.oracle().check();
}

#[test]
fn the_statuses_of_envelopes_are_acted_on() {
    let world = World::<Withings>::loaded_few();
    let said = |status: &'static str| What::Answer(200, vec![("retry-after", "1".into())], status);
    // 601 waits, a 401 renews once, and a 503 is a mistake of ours that is not made twice.
    let busy =
        world.fault(When::resource("heart").nth(1), said(r#"{"status":601,"body":{},"error":"Too Many Requests"}"#));
    let expired =
        world.fault(When::resource("measures").nth(1), said(r#"{"status":401,"body":{},"error":"invalid_token"}"#));
    world.ingest().expect(0);
    busy.assert();
    expired.assert();
    let heart = world.provider.requests("heart");
    assert!(heart.len() == 2 && heart[1].at - heart[0].at >= Duration::from_millis(990));
    assert_eq!(world.provider.grants(|g| g.refreshes().len()), 1);
    world.provider.no_faults();
    world.provider.clear_log();
    let wrong = world.fault(When::resource("workouts"), said(r#"{"status":503,"body":{},"error":"Invalid Params"}"#));
    world.ingest().expect(3).says("status 503, invalid parameters");
    assert_eq!(world.provider.requests("workouts").len(), 1);
    // A plan that does not give electrocardiograms leaves the rest alone.
    let closed = world.fault(When::resource("heart"), said(r#"{"status":2555,"body":{},"error":"Not authorised"}"#));
    world.ingest().expect(3).says("heart");
    world.oracle().fired(&wrong).fired(&closed).check();
}

#[test]
fn a_run_finds_what_changed_however_old_it_is() {
    let world = World::<Withings>::loaded_many();
    world.later(Duration::from_hours(24));
    let id = world.provider.with(|sim| sim.weigh_again(30));
    let workout = world.provider.with(Subject::add_recent);
    world.ingest().expect(0);
    let fat = format!(
        "select value_num from canonical.biometrics_vitals where raw_source_id = '{id}' and metric_code = 'fat_pct'"
    );
    assert_eq!(value(&mut world.sql(), &fat).as_deref(), Some("20.01"));
    assert_eq!(count(&mut world.sql(), &format!("withings_raw.workouts where source_id = '{}'", workout.id)), 1);
    for listing in ["measures", "activity", "workouts", "sleep_summary"] {
        let changed = world.provider.requests(&format!("{listing} changed"));
        assert_eq!(changed.len(), 1, "{listing}");
        let since = changed[0].param("lastupdate").and_then(|text| text.parse().ok());
        assert_eq!(
            since,
            Some((now() - TimeDelta::hours(1)).timestamp()),
            "{listing}: an hour before the last run's end"
        );
    }
    world.oracle().check();
}

#[test]
fn what_was_deleted_shows_when_all_is_listed_again() {
    let world = World::<Withings>::loaded_many();
    let id = world.provider.with(|sim| sim.forget("measures", 30));
    let gone = format!("withings_raw.measures where source_id = '{id}' and missing_since_run_id is not null");
    world.later(Duration::from_hours(24));
    world.ingest().expect(0);
    assert_eq!(count(&mut world.sql(), &gone), 0, "no list of changes shows it");
    world.later(Duration::from_hours(27 * 24));
    world.ingest().expect(0);
    assert_eq!(count(&mut world.sql(), &gone), 1, "kept, and marked");
    let retired =
        format!("canonical.biometrics_vitals where raw_source_id = '{id}' and retired_reason = 'missing_upstream'");
    assert!(count(&mut world.sql(), &retired) > 0);
    world.provider.clear_log();
    world.later(Duration::from_hours(24));
    world.ingest().expect(0);
    assert_eq!(world.provider.requests("measures").len(), 1, "and not every day");
    world.oracle().check();
}

#[test]
fn a_night_that_changed_late_has_its_details_read_again() {
    let world = World::<Withings>::loaded_many();
    world.later(Duration::from_hours(24));
    let (night, stretch) = world.provider.with(|sim| sim.stage_again(20));
    world.ingest().expect(0);
    world.ingest().expect(0);
    let staged = format!("select payload->>'state' from withings_raw.sleep where source_id = '{stretch}'");
    assert_eq!(value(&mut world.sql(), &staged).as_deref(), Some("15"));
    let out = format!(
        "canonical.sleep_stages g join canonical.sleep_sessions s using (user_id, sleep_id)
          where s.raw_source_id = '{night}' and g.stage = 'out_of_bed' and g.stage_raw = '15'"
    );
    assert_eq!(count(&mut world.sql(), &out), 1);
    world.oracle().check();
}

#[test]
fn details_are_asked_for_only_where_there_are_any() {
    let world = World::connected(Withings::few(now()));
    world.ingest().expect(0);
    let first = now() - TimeDelta::days(8);
    for resource in ["sleep", "intraday_activity"] {
        let asked = world.provider.requests(resource);
        assert!(asked.len() >= 7 && asked.len() <= 10, "{resource}: {} requests for seven days", asked.len());
        for call in &asked {
            let at = |name: &str| call.param(name).and_then(|text| text.parse::<i64>().ok()).expect("an instant");
            let (from, to) = (at("startdate"), at("enddate"));
            assert!(
                from % 86_400 == 0 && to - from <= 86_400 && from >= first.timestamp() - 2 * 86_400,
                "{from} to {to}"
            );
        }
        let at = "2012-06-01T00:00:00Z";
        assert!(
            crate::support::rows::covers(&mut world.sql(), resource, at),
            "{resource}: nothing there is known as well"
        );
    }
    // Everything else is one window, paged; a list of changes is for later runs.
    for resource in Withings::LISTINGS {
        let windows = world.provider.requests(resource).iter().filter(|call| call.param("offset").is_none()).count();
        assert_eq!(windows, 1, "{resource}");
        assert_eq!(world.provider.requests(&format!("{resource} changed")).len(), 0);
    }
    assert_eq!(world.provider.requests("heart_signal").len(), world.provider.with(|sim| sim.docs_of("heart_signal")));
    world.provider.clear_log();
    world.ingest().expect(0);
    assert_eq!(world.provider.requests("heart_signal").len(), 0, "a signal is read once");
    assert!(world.provider.requests("sleep").len() <= 3);
}

#[test]
fn goals_may_be_none_or_several() {
    let world = World::connected(Withings::nobody());
    let goals = "withings_raw.goals";
    world.ingest().expect(0);
    assert_eq!(count(&mut world.sql(), goals), 0, "an empty array is no goals");
    for (said, held) in [
        (json!({"steps": 10_000, "sleep": 28_800}), 1),
        (json!({"steps": 10_000, "sleep": 28_800}), 1),
        (json!({"steps": 9_000}), 2),
    ] {
        world.provider.with(|sim| sim.goals = said);
        world.ingest().expect(0);
        assert_eq!(count(&mut world.sql(), goals), held);
    }
    let newest = rows(&mut world.sql(), "select payload from withings_raw.goals order by run_id desc limit 1");
    assert_eq!(newest[0]["payload"], json!({"steps": 9_000}));
}
