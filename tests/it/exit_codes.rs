//! Every call ends with a code of the table (docs/exit-codes.md) and, when it failed, with `error:` and `next:`.

mod next;

use std::net::TcpListener;

use crate::support::cli::Home;
use crate::support::pg::Database;
use crate::support::world::now;

fn home() -> (Home, Database) {
    let (home, db) = (Home::new(), Database::migrated());
    home.set("HEALTH_DATABASE_URL", &db.url);
    home.set("HEALTH_NOW", &now().to_rfc3339());
    (home, db)
}

/// A machine without any database: what answers here needs none.
fn bare() -> Home {
    let home = Home::new();
    home.set("HEALTH_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing");
    home
}

const COMMANDS: [&str; 14] = [
    "auth",
    "ingest",
    "migrate",
    "daily-refresh",
    "transform",
    "status",
    "sources",
    "rejects",
    "zones",
    "doctor",
    "db",
    "demo",
    "completions",
    "help",
];

/// The subcommands that a help text lists.
fn listed(help: &str) -> Vec<&str> {
    let list = help.split_once("Commands:\n").map_or("", |(_, list)| list);
    list.lines()
        .take_while(|line| !line.trim().is_empty())
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect()
}

/// Help of a command and of all below it: at once, on standard output, with an example of that very command.
fn has_an_example(home: &Home, words: &[&str]) {
    let run = home.health(&[words, &["--help"]].concat()).expect(0);
    assert!(run.stderr.is_empty(), "{}", run.report());
    let example = run.stdout.split_once("Example").map(|(_, example)| example.to_owned()).unwrap_or_default();
    assert!(example.contains(&format!("health {}", words.join(" "))), "no example\n{}", run.report());
    for sub in listed(&run.stdout) {
        has_an_example(home, &[words, &[sub]].concat());
    }
}

#[test]
fn help_needs_nothing() {
    let home = bare();
    let overview = home.health(&["--help"]).expect(0).stdout;
    assert_eq!(listed(&overview), COMMANDS.iter().filter(|name| **name != "help").copied().collect::<Vec<_>>());
    assert_eq!(listed(&home.health(&["rejects", "--help"]).expect(0).stdout), ["list", "show"]);
    for command in COMMANDS {
        has_an_example(&home, &[command]);
    }
    home.health(&["--version"]).expect(0);
    for topic in ["env", "dates", "exit-codes"] {
        home.health(&["help", topic]).expect(0);
    }
    home.health(&["sources"]).expect(0);
    for shell in ["bash", "zsh", "fish"] {
        assert!(home.health(&["completions", shell]).expect(0).stdout.contains("daily-refresh"));
    }
}

#[test]
fn wrong_arguments_are_usage() {
    let (home, _db) = home();
    for args in [
        vec!["frobnicate"],
        vec!["ingest"],
        vec!["ingest", "woop"],
        vec!["ingest", "whoop", "dreams"],
        vec!["auth", "nobody"],
        vec!["transform", "nobody"],
        vec!["daily-refresh", "nobody"],
        vec!["ingest", "whoop", "--no-such-flag"],
        vec!["rejects", "show"],
        vec!["db", "explode"],
    ] {
        let run = home.health(&args);
        assert_eq!(run.code, 2, "{}", run.report());
        assert!(run.stdout.is_empty(), "an error on standard output\n{}", run.report());
        let next = run.stderr.lines().find_map(|line| line.strip_prefix("next:  health")).expect("what to do next");
        let next: Vec<&str> = next.split("  ").next().unwrap_or_default().split_whitespace().collect();
        home.health(&next).expect(0);
    }
}

#[test]
fn nonsense_dates_are_usage() {
    let (home, _db) = home();
    for args in [
        vec!["--since", "2026-02-30"],
        vec!["--since", "soon"],
        vec!["--since", "2031-01-01"],
        vec!["--since", "2026-11-10", "--until", "2026-11-01"],
        vec!["--since", "-7d"],
        vec!["--since", ""],
    ] {
        let run = home.health(&[&["ingest", "whoop"], args.as_slice()].concat());
        assert_eq!(run.code, 2, "{}", run.report());
    }
    let run = home.health(&["ingest", "whoop", "--since", "2026-11-10", "--until", "2026-11-01"]).expect(2);
    assert!(
        run.stderr.contains("2026-11-10") && run.stderr.contains("2026-11-01"),
        "both, as understood\n{}",
        run.report()
    );
}

#[test]
fn meaningful_dates_are_not_usage() {
    let (home, _db) = home();
    for since in ["today", "yesterday", "2026-11-01", "2026-11", "7d", "4w", "6m", "1y", "2026-11-01T08:00-08:00"] {
        // Nobody is connected: that is found out after the arguments were understood.
        home.health(&["ingest", "whoop", "--since", since]).expect(4);
    }
}

#[test]
fn an_unreachable_database() {
    let home = bare();
    let run = home.health(&["status"]).expect(8);
    assert!(!run.next().is_empty(), "{}", run.report());
    assert!(run.took.as_secs() < 40, "{:?}", run.took);
}

#[test]
fn a_malformed_setting_names_itself() {
    let (home, _db) = home();
    for (name, value) in [
        ("HEALTH_DATABASE_URL", "mysql://x"),
        ("HEALTH_TZ", "Mars/Olympus"),
        ("HEALTH_NOW", "noon"),
        ("WHOOP_BASE_URL", "http://example.com/developer"),
        ("WHOOP_TOKEN_URL", "not an address"),
    ] {
        let before = home.get(name);
        home.set(name, value);
        home.set("WHOOP_CLIENT_ID", "x");
        home.set("WHOOP_CLIENT_SECRET", "y");
        let args: &[&str] = if name.starts_with("WHOOP") { &["auth", "whoop", "--no-browser"] } else { &["status"] };
        let run = home.health(args).expect(13);
        assert!(run.stderr.contains(name), "{}", run.report());
        match before {
            Some(value) => home.set(name, &value),
            None => home.unset(name),
        }
    }
}

#[test]
fn an_unknown_key_has_a_neighbour() {
    let (home, _db) = home();
    let file = home.path().join("config/health/config.toml");
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    std::fs::write(&file, "[person]\nname = \"me\"\n\n[sources.woop]\nclient_id = \"x\"\n").expect("a file");
    let run = home.health(&["status"]).expect(13);
    assert!(
        run.stderr.contains("woop") && run.stderr.contains("whoop") && run.stderr.contains('4'),
        "{}",
        run.report()
    );
    // A byte order mark and carriage returns are no mistake.
    std::fs::write(&file, "\u{feff}[person]\r\nname = \"me\"\r\n").expect("a file");
    home.health(&["status"]).expect(0).says("whoop");
}

#[test]
fn a_full_standard_output_is_local() {
    let (home, _db) = home();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("the full device");
    let out = home.command(&["sources"]).stdout(full).output().expect("a run");
    assert_eq!(out.status.code(), Some(11), "{}", String::from_utf8_lossy(&out.stderr));
}

#[test]
fn a_closed_pipe_is_silence() {
    let (home, _db) = home();
    let mut child = home.command(&["sources"]).spawn().expect("a run");
    drop(child.stdout.take());
    let out = child.wait_with_output().expect("an end");
    assert_eq!((out.status.code(), String::from_utf8_lossy(&out.stderr).into_owned()), (Some(0), String::new()));
}

#[test]
fn odd_surroundings_change_nothing() {
    let (home, _db) = home();
    for (name, value) in [
        ("TERM", "dumb"),
        ("COLUMNS", "0"),
        ("NO_COLOR", "1"),
        ("LANG", "C"),
        ("COLUMNS", "40"),
        ("CLICOLOR_FORCE", "0"),
    ] {
        home.set(name, value);
        let run = home.health(&["sources"]).expect(0);
        assert!(!run.stdout.contains('\u{1b}'), "escape codes");
    }
}

#[test]
fn errors_as_json_have_the_same_shape() {
    let (home, _db) = home();
    let run = home.health(&["ingest", "whoop", "--json"]).expect(4);
    let result = &run.json()["result"];
    assert_eq!((result["code"].as_str(), result["exit"].as_i64()), (Some("login"), Some(4)), "{}", run.report());
    assert!(result["next"].to_string().contains("health auth whoop"), "{}", run.report());
    assert!(result["class"].is_string(), "{}", run.report());
}

#[test]
fn every_document_begins_with_its_schema_and_ends_with_its_result() {
    let (home, _db) = home();
    for args in [
        &[][..],
        &["status"],
        &["auth"],
        &["auth", "whoop", "--forget"],
        &["sources"],
        &["sources", "whoop"],
        &["rejects"],
        &["zones"],
        &["doctor"],
        &["migrate", "--check"],
        &["transform", "--dry-run"],
        &["transform", "--show", "whoop.workouts"],
        &["daily-refresh", "--dry-run"],
        &["demo", "--dry-run"],
        &["help"],
        &["help", "env"],
        &["completions", "bash"],
        &["--version"],
        &["ingest", "--help"],
        &["ingest", "whoop"],
        &["ingest", "nothing"],
        &["nonsense"],
    ] {
        let run = home.health(&[args, &["--json"]].concat());
        run.json();
        let (text, all) = (run.stdout.trim_end(), run.report());
        assert!(text.starts_with(r#"{"schema":"health."#) && !text.contains('\n'), "{all}");
        let result = text.rfind(r#","result":{"#).unwrap_or_else(|| panic!("no result\n{all}"));
        let value: serde_json::Value =
            serde_json::from_str(&text[result + 10..text.len() - 1]).expect("the last member");
        assert_eq!(value["exit"], run.code, "{all}");
        assert_eq!(run.code != 0, run.stderr.contains("error: "), "a failure is told on standard error too\n{all}");
    }
}

#[test]
fn a_misspelt_name_in_env_is_noticed() {
    let (home, _db) = home();
    let write = |text: &str| {
        let path = home.work().join(".env");
        std::fs::write(&path, text).expect("a file");
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("permissions");
    };
    write("HEALTH_DATBASE_URL=x\nHEALTHCHECK_URL=y\nOTHER=z\n");
    home.health(&["sources"]).expect(13).says("line 1 of .env").says("HEALTH_DATABASE_URL?");
    write("HEALTHCHECK_URL=y\nOTHER=z\nWHOOP_CLIENT_IDD=x\n");
    home.health(&["sources"]).expect(13).says("line 3 of .env").says("WHOOP_CLIENT_ID?");
    write("HEALTHCHECK_URL=y\nDATABASE_URI=z\nWHOOP_CLIENT_ID=x\n");
    home.health(&["sources"]).expect(0);
}

#[test]
fn planted_settings_run_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let (home, db) = home();
    let (ran, planted) = (home.path().join("ran"), home.path().join("health.toml"));
    let command =
        format!("[database]\nurl_command = [\"sh\", \"-c\", \"env > {}; echo '{}'\"]\n", ran.display(), db.url);
    std::fs::write(&planted, command).expect("a file");
    home.unset("HEALTH_DATABASE_URL");
    home.set("WHOOP_CLIENT_SECRET", "canary");
    std::fs::create_dir_all(home.work()).expect("a folder");
    for mode in [0o666, 0o620] {
        std::fs::set_permissions(&planted, PermissionsExt::from_mode(mode)).expect("permissions");
        home.health(&["transform"]).expect(13).says("health.toml");
        assert!(!ran.exists(), "the command of a file that others may write was run");
    }
    // The same file, safely kept, is believed; its command is given none of our settings.
    std::fs::set_permissions(&planted, PermissionsExt::from_mode(0o600)).expect("permissions");
    home.health(&["transform"]).expect_one_of(&[0, 13]);
    let seen = std::fs::read_to_string(&ran).expect("the command ran");
    assert!(seen.contains("PATH=") && !seen.contains("canary"), "{seen}");
}

#[test]
fn a_planted_env_file_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let (home, db) = home();
    let spy = TcpListener::bind("127.0.0.1:0").expect("a port");
    spy.set_nonblocking(true).expect("a listener");
    let planted = home.work().join(".env");
    let port = spy.local_addr().expect("an address").port();
    std::fs::write(&planted, format!("HEALTH_DATABASE_URL=postgresql://x@127.0.0.1:{port}/x\n")).expect("a file");
    std::fs::set_permissions(&planted, PermissionsExt::from_mode(0o666)).expect("permissions");
    home.unset("HEALTH_DATABASE_URL");
    home.set("HEALTH_PG_FETCH", "off");
    let run = home.health(&["status"]);
    assert_ne!(run.code, 0, "{}", run.report());
    assert!(spy.accept().is_err(), "the planted address was asked");
    assert!(run.stderr.contains(".env"), "{}", run.report());
    // The same file, safely kept, is read.
    std::fs::set_permissions(&planted, PermissionsExt::from_mode(0o600)).expect("permissions");
    std::fs::write(&planted, format!("HEALTH_DATABASE_URL={}\n", db.url)).expect("a file");
    home.health(&["transform"]).expect_one_of(&[0, 13]);
}
