//! `health demo`: the real path in a database of its own, which nothing else is touched by.

use postgres::{Client, NoTls};
use serde_json::Value;

use crate::support::cli::Home;
use crate::support::pg::{Database, files, with_database};
use crate::support::world::now;

/// One test, because there is one `health_demo` on a server.
#[test]
fn the_demo_takes_the_real_path_in_a_place_of_its_own() {
    let (home, db) = (Home::new(), Database::migrated());
    home.set("HEALTH_DATABASE_URL", &db.url);
    home.set("HEALTH_NOW", &(now() + chrono::TimeDelta::hours(4)).to_rfc3339());
    // The person's own application is not the demo's.
    home.set("WHOOP_CLIENT_ID", "own");
    home.set("WHOOP_BASE_URL", "https://127.0.0.1:1");

    home.health(&["demo", "--days", "40", "--dry-run"]).expect(0).says("would load 40 days with seed 1");
    home.health(&["demo", "--drop", "--dry-run"]).expect(0).says("there is no demo to remove");
    assert!(Client::connect(&with_database(&db.url, "health_demo"), NoTls).is_err(), "a dry run made a database");

    let first = home.health(&["demo", "--days", "40", "--json"]).expect(0).json();
    let exits: Vec<i64> =
        first["steps"].as_array().unwrap().iter().map(|step| step["exit"].as_i64().unwrap()).collect();
    assert_eq!(exits, [0, 0, 0, 3, 0, 0, 0, 0], "the poisoned record makes the first ingest partial: {first}");
    assert_eq!((&first["facts"]["rejects"], &first["facts"]["retired_workouts"]), (&Value::from(1), &Value::from(1)));
    assert_eq!(first["facts"]["raw"]["cycles"], 40);
    assert_eq!(first["facts"]["canonical"]["daily_summaries"], 39, "the open cycle has no energy yet");

    let mut demo = Client::connect(&with_database(&db.url, "health_demo"), NoTls).unwrap();
    answers_what_the_documents_ask(&mut demo);
    holds_what_the_year_promises(&mut demo);
    drop(demo);
    assert!(files(&home.tokens()).is_empty(), "the person's own token store is not touched");
    let nights: i64 = db.client().query_one("select count(*) from whoop_raw.sleeps", &[]).unwrap().get(0);
    assert_eq!(nights, 0, "the person's own database is not touched");

    let again = home.health(&["demo", "--days", "40", "--json"]).expect(0).json();
    assert_eq!(first["facts"], again["facts"], "the same seed, the same data");
    let shown = home.health(&["demo", "--days", "40", "--seed", "2"]).expect(0);
    for part in ["$ health ingest whoop", "$ health status", "hours_asleep", "health demo --drop", "/health_demo"] {
        assert!(shown.stdout.contains(part), "nothing about {part}\n{}", shown.report());
    }
    assert!(shown.stdout.trim_end().lines().last().unwrap().trim_start().starts_with("psql '"), "{}", shown.report());

    let mut stopped = home.start(&["demo", "--days", "365"]);
    while stopped.line() != "$ health ingest whoop" {}
    stopped.signal(nix::sys::signal::Signal::SIGINT);
    stopped.wait(&home).expect(130).says("stopped on request");

    home.health(&["demo", "--dry-run"]).expect(0).says("in place of the demo that is there");
    assert_eq!(home.health(&["demo", "--drop", "--dry-run", "--json"]).expect(0).json()["replaces"], true);
    assert!(home.data().join("demo").exists(), "a dry run removed the demo");
    one_demo_at_a_time(&home);
    home.health(&["demo", "--drop"]).expect(0).says("removed");
    assert!(!home.data().join("demo").exists());
    home.health(&["demo", "--drop"]).expect(0).says("there is no demo");

    let mut admin = Database::server();
    admin.batch_execute("create database health_demo").unwrap();
    home.health(&["demo", "--dry-run"]).expect(6).says("no demo made");
    home.health(&["demo", "--days", "40"]).expect(6).says("no demo made");
    home.health(&["demo", "--drop"]).expect(6).says("untouched");
    admin.batch_execute("drop database health_demo").expect("somebody else's database is still there");
}

/// Every query that a document shows runs; the README's brings rows.
fn answers_what_the_documents_ask(client: &mut Client) {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/");
    let mut asked = 0;
    for document in
        ["README.md", "docs/data-model.md", "docs/zones.md", "docs/sources/whoop.md", "docs/sources/apple_health.md"]
    {
        let text = std::fs::read_to_string(format!("{root}{document}")).expect("a document");
        for query in text.split("```sql\n").skip(1).map(|rest| rest.split("```").next().expect("an end")) {
            let rows = client.query(query, &[]).unwrap_or_else(|error| panic!("{document}: {error}\n{query}"));
            assert!(document != "README.md" || !rows.is_empty(), "nothing comes of {query}");
            asked += 1;
        }
    }
    assert!(asked >= 4, "{asked} queries");
}

/// A second one is told to wait and harms nothing; one killed while its database has no mark yet stands in nobody's way.
fn one_demo_at_a_time(home: &Home) {
    let mut first = home.start(&["demo", "--days", "40"]);
    while first.line() != "$ health migrate" {}
    home.health(&["demo", "--days", "40"]).expect(10).says("another health demo");
    home.health(&["demo", "--drop"]).expect(10);
    first.wait(home).expect(0);
    Database::server().batch_execute("create database health_demo_unfinished").unwrap();
    home.health(&["demo", "--days", "40"]).expect(0);
    let left = Database::server().query_opt("select from pg_database where datname = 'health_demo_unfinished'", &[]);
    assert!(left.unwrap().is_none());
}

fn holds_what_the_year_promises(client: &mut Client) {
    let mut count = |sql: &str| -> i64 { client.query_one(sql, &[]).unwrap().get(0) };
    let pending = "select count(*) from whoop_raw.sleeps where payload->>'score_state' = 'PENDING_SCORE'";
    assert_eq!(count(pending), 0, "the late score has arrived");
    let earlier = "select count(*) from whoop_raw.history where payload->>'score_state' = 'PENDING_SCORE'";
    assert_eq!(count(earlier), 2, "the sleep and the recovery as they were first sent");
    assert_eq!(count("select count(*) from whoop_raw.sleeps where payload->>'score_state' = 'UNSCORABLE'"), 1);
    assert!(
        count("select count(distinct utc_offset_s) from canonical.sleep_sessions") >= 3,
        "home in summer and winter, away"
    );
    assert_eq!(count("select count(*) from canonical.workouts where retired_at is not null"), 1);
}
