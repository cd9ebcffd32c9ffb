//! What is announced of a source: shown from 90 days ahead to whoever looks, and once a week where a schedule writes a mail.

use crate::providers::strava::Strava;
use crate::support::cli::Home;
use crate::support::truth::instant;
use crate::support::world::World;

/// The day on which Strava's interface moves.
const DAY: &str = "2027-06-01";

fn at(world: &World<Strava>, day: &str) {
    world.set_now(instant(&format!("{day}T18:00:00Z")));
}

/// The notice of the move among others.
fn moving(notices: &serde_json::Value) -> &serde_json::Value {
    notices.as_array().expect("notices").iter().find(|notice| notice["kind"] == "addresses").expect("the move")
}

#[test]
fn a_notice_is_shown_from_90_days_ahead() {
    let world = World::<Strava>::loaded_few();
    let looks = [&["status"][..], &["status", "strava"], &["sources"], &["sources", "strava"], &["doctor"]];
    at(&world, "2027-03-02");
    for look in looks {
        let run = world.health(look);
        assert!(!run.stdout.contains(DAY), "91 days before it: {}", run.report());
    }
    for (day, words, near) in [
        ("2027-03-03", "in 90 days, on 2027-06-01", "ahead"),
        ("2027-05-02", "in 30 days, on 2027-06-01", "soon"),
        ("2027-05-25", "in 7 days, on 2027-06-01", "near"),
        ("2027-06-01", "today, 2027-06-01", "past"),
        ("2027-09-01", "since 2027-06-01", "past"),
    ] {
        at(&world, day);
        for look in looks {
            world.health(look).says(words).says("https://www.api-v3.strava.com");
        }
        let mark = if near == "ahead" { "note" } else { "late" };
        let doctor = world.health(&["doctor", "--json"]).json();
        let found = doctor["findings"]
            .as_array()
            .expect("findings")
            .iter()
            .find(|f| f["text"].as_str().is_some_and(|t| t.contains(words)));
        assert_eq!(found.map(|f| &f["mark"]), Some(&mark.into()), "{day}");
        let status = world.health(&["status", "--json"]).expect(0).json();
        let notice = moving(&status["notices"]);
        assert_eq!((&notice["source"], &notice["kind"]), (&"strava".into(), &"addresses".into()));
        assert_eq!((&notice["on"], &notice["near"]), (&DAY.into(), &near.into()));
        let sources = world.health(&["sources", "strava", "--json"]).expect(0).json();
        assert_eq!(moving(&sources["sources"][0]["notices"])["near"], near);
    }
    // One who has nothing of Strava's is told by the list of sources, and by nothing else.
    let stranger = Home::new();
    stranger.set("HEALTH_NOW", "2027-05-25T18:00:00Z");
    assert!(!stranger.health(&["doctor"]).stdout.contains(DAY));
    stranger.health(&["sources"]).expect(0).says(DAY);
}

#[test]
fn what_a_person_has_done_is_no_longer_announced() {
    let paid = "paid Strava subscription";
    let looks = [&["status"][..], &["sources", "strava"], &["doctor", "strava"]];
    let shown = |world: &World<Strava>, what: &str| looks.map(|look| world.health(look).stdout.contains(what));
    // Who is served has the subscription; who is not, or never asked, is told of it.
    let world = World::<Strava>::loaded_few();
    assert_eq!(shown(&world, paid), [false; 3]);
    world.provider.with(|sim| sim.inactive = true);
    world.ingest().expect(6);
    assert_eq!(shown(&world, paid), [true; 3]);
    world.provider.with(|sim| sim.inactive = false);
    world.ingest().expect(0);
    assert_eq!(shown(&world, paid), [false; 3]);
    Home::new().health(&["sources", "strava"]).expect(0).says(paid);
    // Who has set the new address needs nobody to name it.
    at(&world, "2027-06-10");
    assert_eq!(shown(&world, DAY), [true; 3]);
    world.home.set("STRAVA_BASE_URL", "https://www.api-v3.strava.com/api/v3");
    assert_eq!(shown(&world, DAY), [false; 3]);
}

#[test]
fn a_schedule_shows_it_once_a_week() {
    let world = World::<Strava>::loaded_few();
    let shown = |day: &str| {
        at(&world, day);
        let run = world.health(&["daily-refresh", "-q"]).expect(0);
        assert_eq!(run.stdout, "", "{}", run.report());
        assert_eq!(run.stderr.is_empty(), !run.stderr.contains("notice: Strava"), "nothing else: {}", run.report());
        run.stderr.contains("notice: Strava")
    };
    let days = [
        "2027-03-01",
        "2027-03-03",
        "2027-03-04",
        "2027-03-09",
        "2027-03-10",
        "2027-03-11",
        "2027-06-20",
        "2027-07-20",
    ];
    let seen: Vec<&str> = days.into_iter().filter(|day| shown(day)).collect();
    assert_eq!(seen, ["2027-03-03", "2027-03-10", "2027-06-20"], "and no more 30 days after it");
    // A program that asks for JSON is told every time, and that counts for nobody's mail.
    at(&world, "2027-06-21");
    for _ in 0..2 {
        let report = world.health(&["daily-refresh", "--json"]).expect(0).json();
        assert_eq!(moving(&report["notices"])["on"], DAY);
    }
}
