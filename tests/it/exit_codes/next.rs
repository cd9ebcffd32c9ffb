//! What follows an error: every failure says `next:`, and what it names there can be typed.

use super::{bare, home};
use crate::support::cli::{Home, Run};
use crate::support::pg::Database;

/// The commands that a next line names: at its beginning, behind a colon or a bar, up to two blanks.
fn commands(next: &str) -> Vec<Vec<&str>> {
    let pieces = next.split("   |   ").flat_map(|piece| piece.split(", then: "));
    let starts = pieces.filter_map(|piece| {
        let piece = piece.trim();
        piece.strip_prefix("health ").or_else(|| piece.split_once(": health ").map(|(_, rest)| rest))
    });
    starts.map(|rest| rest.split("  ").next().unwrap_or_default().split_whitespace().collect()).collect()
}

/// The three lines: what happened, and what to do, which is a command that parses or a sentence.
#[track_caller]
fn leads_on(run: &Run) {
    assert!(run.stderr.lines().any(|line| line.starts_with("error: ")), "no error:\n{}", run.report());
    assert!(!run.next().is_empty(), "no next:\n{}", run.report());
    let asker = bare();
    for words in run.next().lines().flat_map(commands) {
        asker.health(&[words.as_slice(), &["--help"]].concat()).expect(0);
    }
}

#[test]
fn commands_are_found_in_next_lines() {
    assert_eq!(commands("health auth whoop    on a terminal"), [["auth", "whoop"]]);
    assert_eq!(commands("health demo   |   health status"), [["demo"], ["status"]]);
    assert_eq!(commands("health db stop --force, then: health db start").len(), 2);
    assert_eq!(commands("look at it; if it is right: health migrate"), [["migrate"]]);
    assert!(commands("the same command of health goes on").is_empty());
}

#[test]
fn every_wrong_argument_leads_on() {
    let (home, _db) = home();
    std::fs::write(home.work().join("some.xml"), "<x/>").expect("a file");
    for (args, next) in [
        ("frobnicate", "health --help"),
        ("rejects show x", "health rejects show --help"),
        ("rejects list --run", "health rejects list --help"),
        ("demo --days 0", "health demo --help"),
        ("completions tcsh", "health completions --help"),
        ("ingest whoop --since", "health ingest --help"),
        ("ingest whoop --since 99999y", "health help dates"),
        ("--person somebody db explode", "health db --help"),
        ("ingest woop", "health sources"),
        ("ingest whoop --account a/b", "health auth"),
        ("ingest whoop cycles some.xml", "health ingest whoop --help"),
        ("ingest whoop some.xml", "health ingest whoop"),
        ("ingest apple-health", "health ingest apple-health export.zip"),
        ("rejects show 99", "health rejects"),
        ("transform --show whoop.nothing", "health transform --help"),
        ("sources nobody", "health sources"),
        ("help nothing", "health help"),
        ("zones remove 2025-03-01", "health zones"),
        ("zones set Asia/Tokyo --from soon", "health help dates"),
        ("db destroy --wrong", "health db destroy --help"),
        // A flag is never passed over in silence.
        ("ingest whoop --allow-truncated", "health ingest whoop"),
        ("ingest whoop --undo 3", "health sources"),
        ("ingest apple-health some.xml --max-requests 3", "health ingest apple-health some.xml"),
        ("ingest apple-health some.xml --max-time 1s", "health ingest apple-health some.xml"),
        ("ingest apple-health some.xml --account second", "health ingest apple-health some.xml"),
        ("ingest apple-health some.xml --since 7d --until today", "health ingest apple-health some.xml"),
        ("ingest apple-health --undo 3 --account second", "health ingest --help"),
        ("auth whoop --accept-terms", "health auth --help"),
        ("daily-refresh apple-health", "health ingest apple-health export.zip"),
    ] {
        let run = home.health(&args.split(' ').collect::<Vec<_>>()).expect(2);
        assert!(run.next().starts_with(next), "expected {next:?}\n{}", run.report());
        leads_on(&run);
    }
}

/// Runs with one variable set, for that call.
fn with(home: &Home, (name, value): (&str, &str), args: &str) -> Run {
    let before = home.get(name);
    home.set(name, value);
    let run = home.health(&args.split(' ').collect::<Vec<_>>());
    match before {
        Some(before) => home.set(name, &before),
        None => home.unset(name),
    }
    run
}

#[test]
fn every_wrong_setting_leads_on() {
    let (home, _db) = home();
    home.set("WHOOP_CLIENT_ID", "x");
    home.set("WHOOP_CLIENT_SECRET", "y");
    for (setting, args) in [
        (("HEALTH_CONFIG", "/nope"), "status"),
        (("HEALTH_NOW", "x"), "status"),
        (("HEALTH_TZ", "Mars/Olympus"), "status"),
        (("HEALTH_PERSON", "Bob"), "status"),
        (("HEALTH_PERSON", "Bob"), "migrate"),
        (("HEALTH_DATABASE_URL", "mysql://x"), "status"),
        (("HEALTH_DATABASE_URL", "mysql://x"), "db url"),
        (("HEALTH_DATABASE_URL", "postgresql://x@db.example.org/x?sslmode=require&sslrootcert=/nope"), "status"),
        (("WHOOP_REDIRECT_URI", "notaurl"), "auth whoop --no-browser"),
        (("WHOOP_REDIRECT_URI", "http://example.org/x"), "auth whoop --no-browser"),
        (("WHOOP_BASE_URL", "http://example.org/x"), "auth whoop --no-browser"),
        (("WHOOP_TOKEN_URL", "nonsense"), "auth whoop --no-browser"),
    ] {
        let run = with(&home, setting, args);
        assert_eq!(run.code, 13, "{setting:?}\n{}", run.report());
        leads_on(&run);
    }
    for (keys, named) in [
        ("[database]\nurl_file = \"/nope\"", "database.url_file"),
        ("[database]\nurl_command = [\"false\"]", "database.url_command"),
        ("[sources.whoop]\nclient_secret_file = \"/nope\"", "sources.whoop.client_secret_file"),
        ("[sources.whoop]\nenabled = false", "daily-refresh"),
        ("[person]\nnam = 3", "correct the key"),
    ] {
        std::fs::write(home.work().join("health.toml"), keys).expect("a file");
        let url = home.get("HEALTH_DATABASE_URL").expect("an address");
        if keys.starts_with("[database]") {
            home.unset("HEALTH_DATABASE_URL");
        }
        home.unset("WHOOP_CLIENT_SECRET");
        let command: &[&str] =
            if keys.contains("enabled") { &["daily-refresh", "whoop"] } else { &["auth", "whoop", "--no-browser"] };
        let run = home.health(command).expect(13);
        assert!(run.next().contains(named), "{}", run.report());
        leads_on(&run);
        home.set("HEALTH_DATABASE_URL", &url);
    }
}

#[test]
fn every_other_failure_leads_on() {
    let (home, _db) = home();
    std::fs::write(home.work().join("some.xml"), "<x/>").expect("a file");
    leads_on(&home.health(&["ingest", "whoop"]).expect(4));
    leads_on(&home.health(&["auth", "whoop"]).expect(4));
    leads_on(&home.health(&["daily-refresh"]).expect(13));
    leads_on(&home.health(&["ingest", "apple-health", "some.xml"]).expect(7));
    // No database, no rights, no schema; nowhere to put the private one, and nothing to make it with.
    leads_on(&bare().health(&["status"]).expect(8));
    let empty = Database::empty();
    let run = with(&home, ("HEALTH_DATABASE_URL", &empty.url), "status").expect(9);
    assert_eq!(run.next(), "health migrate");
    leads_on(&run);
    home.unset("HEALTH_DATABASE_URL");
    home.set("HEALTH_PG_FETCH", "off");
    let run = with(&home, ("HEALTH_PG_BIN", "/nope"), "status").expect(13);
    assert!(run.next().contains("HEALTH_PG_BIN"), "{}", run.report());
    leads_on(&run);
    leads_on(&with(&home, ("HEALTH_HOME", "/dev/null/x"), "status").expect(11));
    let refused = with(
        &home,
        ("HEALTH_DATABASE_URL", &empty.url.replacen("postgresql://", "postgresql://nobody_here:x@", 1)),
        "status",
    );
    assert_ne!(refused.code, 0, "{}", refused.report());
    leads_on(&refused);
    assert!(!refused.next().contains(" DATABASE_URL"), "names a setting that is not set\n{}", refused.report());
}
