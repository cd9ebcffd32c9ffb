//! `health status`: fresh or not, whatever the reason, and what to do about it.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use chrono::{DateTime, TimeDelta};

use crate::apple_health::Phone;
use crate::apple_health::exports::{Export, Record};
use crate::providers::whoop::Whoop;
use crate::support::cli::Home;
use crate::support::pg::files;
use crate::support::world::World;

const MONTH: Duration = Duration::from_hours(30 * 24);

type Stop = fn(&World<Whoop>);

#[test]
fn old_data_is_stale_whatever_stopped_it() {
    let stops: [(&str, Stop); 5] = [
        ("late", |_| ()),
        ("login", |world| {
            world.sql().batch_execute("update meta.source_accounts set status = 'needs_auth'").unwrap();
        }),
        ("login", |world| {
            world.health(&["auth", "whoop", "--forget"]).expect(0);
        }),
        ("stop", |world| {
            world.sql().batch_execute("update meta.source_accounts set status = 'retired'").unwrap();
        }),
        ("stop", |world| {
            for file in files(&world.home.tokens()) {
                std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
            }
        }),
    ];
    for (state, stop) in stops {
        let world = World::<Whoop>::loaded_few();
        world.health(&["status", "--fail-if-stale"]).expect(0).says("nothing needs you");
        stop(&world);
        world.later(MONTH);
        let run = world.health(&["status", "--fail-if-stale"]);
        assert_eq!(run.code, 3, "{state}: {}", run.report());
        let shown = world.health(&["status", "--json"]).expect(0).json();
        assert_eq!((&shown["sources"][0]["state"], &shown["sources"][0]["stale"]), (&state.into(), &true.into()));
    }
}

#[test]
fn a_login_after_the_run_that_missed_it_is_believed() {
    let world = World::<Whoop>::loaded_few();
    world.provider.grants(crate::support::tokens::Grants::revoke_all);
    world.token_expires();
    world.ingest().expect(4);
    let state = || world.health(&["status", "--json"]).expect(0).json()["sources"][0]["state"].clone();
    assert_eq!(state(), "login");
    world.later(Duration::from_mins(1));
    world.login();
    assert_eq!(state(), "ok");
}

#[test]
fn a_source_that_was_switched_off_is_waited_for_by_nobody() {
    let world = World::<Whoop>::loaded_few();
    std::fs::write(world.home.work().join("health.toml"), "[sources.whoop]\nenabled = false\n").unwrap();
    world.later(MONTH);
    world.health(&["status", "--fail-if-stale"]).expect(0).says("off").says("nothing needs you");
}

#[test]
fn an_export_grows_old_after_two_weeks() {
    let phone = Phone::new();
    phone.import_text("export.xml", Export::year().xml()).expect(0);
    let source = || phone.home.health(&["status", "--json"]).expect(0).json()["sources"][0].clone();
    let made = DateTime::parse_from_rfc3339(source()["covered_until"].as_str().unwrap()).unwrap();
    assert_eq!(made.date_naive().to_string(), "2026-02-20");
    let after = |days: i64| {
        phone.home.set("HEALTH_NOW", &(made + TimeDelta::days(days)).to_rfc3339());
        let source = source();
        (source["state"].as_str().unwrap().to_owned(), source["next"].as_str().map(str::to_owned))
    };
    assert_eq!(after(13), ("ok".into(), None));
    phone.home.health(&["status", "--fail-if-stale"]).expect(0);
    assert_eq!(after(16), ("late".into(), Some("health ingest apple-health FILE".into())));
    assert_eq!(phone.home.health(&["status", "--fail-if-stale"]).code, 3);
}

#[test]
fn a_first_import_that_failed_is_not_ok() {
    let phone = Phone::new();
    phone.import_text("cut.xml", "<?xml version=\"1.0\"?>\n<HealthData>\n <Record type=").expect(7);
    let overview = phone.home.health(&["status"]).expect(0).says("health status apple-health");
    assert!(!overview.stdout.contains("nothing needs you"), "{}", overview.report());
    phone.home.health(&["status", "apple-health"]).expect(0).says("ended failed (7)");
}

#[test]
fn a_source_names_the_types_that_stay_in_raw() {
    let phone = Phone::new();
    let lone = Home::new();
    lone.set("HEALTH_PG_FETCH", "off");
    lone.health(&["sources", "apple-health"]).expect(0);
    assert!(!lone.data().join("pg").exists(), "looking made a database");

    let mut export = Export::year();
    let mut unknown = export.records[0].clone();
    unknown.kind = "NotYetInvented";
    export.records.extend([unknown.clone(), Record { value: "7".into(), ..unknown }]);
    let text = export.xml().replace("</HealthData>", "loose words</HealthData>");
    let summary = phone.import_text("export.xml", text).expect(0);
    summary.says("text between the elements").says("1 piece, counted and not kept");
    phone.home.health(&["sources", "apple-health"]).expect(0).says("HKQuantityTypeIdentifierNotYetInvented");
    let shown = phone.home.health(&["sources", "apple-health", "--json"]).expect(0).json();
    let types = shown["sources"][0]["raw_only"].as_array().unwrap().clone();
    assert!(
        types.iter().any(|one| one["type"] == "HKQuantityTypeIdentifierNotYetInvented" && one["records"] == 2),
        "{types:?}"
    );

    let quiet = phone.home.health(&["ingest", "apple-health", "export.xml", "--force", "-q"]).expect(0);
    assert_eq!(quiet.stdout.lines().count(), 1, "the final line alone: {}", quiet.report());
}
