//! Where a first load begins, and what becomes of what lies before it.

use chrono::{DateTime, TimeDelta, Utc};

use crate::providers::google_health::{Google, LISTINGS};
use crate::support::provider::Entry;
use crate::support::rows::{count, covers};
use crate::support::subject::Subject;
use crate::support::world::{World, now};

/// What a request asks for: the instants or days in its filter, or in its body.
fn range(entry: &Entry) -> String {
    entry.param("filter").map_or_else(|| entry.body.clone(), str::to_owned)
}

/// The members of a filter by instants.
fn between(member: &str, from: DateTime<Utc>, to: DateTime<Utc>) -> String {
    let text = |at: DateTime<Utc>| at.format("%Y-%m-%dT%H:%M:%SZ").to_string();
    let said = format!("{member} >= \"{}\" AND {member} < \"{}\"", text(from), text(to));
    said.replace(":00Z", ":00.000Z")
}

fn asked(world: &World<Google>, resource: &str) -> Vec<String> {
    world.provider.requests(resource).iter().map(range).collect()
}

#[test]
fn a_first_load_begins_where_the_account_does() {
    let world = World::connected(Google::few(now()));
    world.ingest().expect(0);
    // Two days before the first, since that is a day of the person's own calendar.
    let border = (now() - TimeDelta::days(11 + 2)).date_naive().and_hms_opt(0, 0, 0).expect("a time").and_utc();
    let since = "2009-01-01T00:00:00Z".parse::<DateTime<Utc>>().expect("a time");
    for (resource, member) in
        [("heart_rate", "heart_rate.sample_time.physical_time"), ("steps", "steps.interval.start_time")]
    {
        assert_eq!(
            asked(&world, resource),
            [between(member, since, border), between(member, border, now())],
            "once before the account, once since"
        );
        assert!(
            covers(&mut world.sql(), resource, "2010-01-01T00:00:00Z"),
            "{resource}: it is known that there is nothing"
        );
    }
    for resource in LISTINGS.iter().filter(|resource| resource.ends_with("_roll_up")) {
        assert_eq!(world.provider.requests(resource).len(), 1, "{resource}: fourteen days are allowed in all of them");
        assert!(covers(&mut world.sql(), resource, "2010-01-01T00:00:00Z"), "{resource}");
    }
    let data = world.provider.data_requests();
    let place = |resource: &str| data.iter().position(|entry| entry.resource == resource).expect("a request");
    assert!(place("identity") < 2 && place("profile") < 2, "first it is asked who that is, and since when");
    assert!(data.len() <= LISTINGS.len() + 40, "{} requests", data.len());
    world.oracle().check();
}

#[test]
fn what_is_from_before_the_account_is_not_lost() {
    let mut sim = Google::many(now());
    sim.begin((now() - TimeDelta::days(5)).date_naive());
    let world = World::connected(sim);
    world.ingest().expect(0);
    world.assert_truth();
    // Where one question has more than one page of answers, the windows of other times serve.
    let rates = world.provider.requests("heart_rate").len();
    assert!(rates > (2026 - 2009) * 4, "{rates} questions");
    // Totals of days are asked for where there is anything to add up: in one window, or in both beside its border.
    let totals = world.provider.requests("steps_roll_up").len();
    assert!((2..=3).contains(&totals), "{totals} questions");
    world.oracle().check();
}

#[test]
fn where_nobody_says_the_day_all_time_is_asked_for() {
    let mut sim = Google::few(now());
    sim.profile.as_object_mut().expect("members").remove("membershipStartDate");
    let world = World::connected(sim);
    world.health(&["ingest", "google-health", "steps", "steps_roll_up"]).expect(0);
    assert_eq!(world.provider.requests("steps").len(), 18, "a window for each year since 2009");
    assert_eq!(world.provider.requests("steps_roll_up").len(), 73, "and for each quarter");
    assert_eq!(world.provider.requests("profile").len(), 1, "it was asked for");
    assert!(count(&mut world.sql(), "google_health_raw.steps") > 0);
    world.oracle().check();
}

#[test]
fn the_day_that_a_person_names_is_the_first() {
    for zone in ["America/Los_Angeles", "Pacific/Auckland", "Etc/UTC"] {
        let world = World::connected(Google::many(now()));
        world.home.set("HEALTH_TZ", zone);
        world.sql().execute("update meta.users set home_tz = $1", &[&zone]).expect("a home");
        let totals: Vec<&str> = LISTINGS.iter().copied().filter(|resource| resource.ends_with("_roll_up")).collect();
        let words = [&["ingest", "google-health"], &totals[..], &["--since", "2026-11-10", "--until", "2026-11-12"]];
        world.health(&words.concat()).expect(0);
        for resource in totals {
            for day in ["2026-11-10", "2026-11-12"] {
                let row = format!("google_health_raw.{resource} where source_id = '{day}'");
                assert_eq!(count(&mut world.sql(), &row), 1, "{resource} of {day} in {zone}");
            }
        }
    }
}

#[test]
fn the_day_is_asked_for_where_it_spares_questions() {
    let world = World::connected(Google::few(now()));
    world.health(&["ingest", "google-health", "steps"]).expect(0);
    assert_eq!((world.provider.requests("profile").len(), world.provider.requests("steps").len()), (1, 2));
    world.provider.clear_log();
    world.health(&["ingest", "google-health", "steps"]).expect(0);
    assert_eq!((world.provider.requests("profile").len(), world.provider.requests("steps").len()), (0, 1));
    // A list that fails leaves no totals out.
    let fault =
        world.fault(crate::support::faults::When::resource("distance"), crate::support::faults::What::status(400));
    world.health(&["ingest", "google-health", "distance", "distance_roll_up"]).expect(3);
    assert_eq!(world.provider.requests("distance_roll_up").len(), 73 + 1, "all of its windows");
    world.oracle().fired(&fault).check();
}
