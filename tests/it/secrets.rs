//! No token, secret or password turns up anywhere but on the wire and in the encrypted store.

use std::os::unix::fs::PermissionsExt;

use crate::providers::whoop::Whoop;
use crate::support::cli::Run;
use crate::support::faults::{What, When};
use crate::support::net::get;
use crate::support::pg::{HEALTH, files};
use crate::support::provider::{consent, param};
use crate::support::secrets::assert_hidden;
use crate::support::subject::Subject;
use crate::support::world::{World, now};

#[test]
fn a_talkative_life_tells_no_secret() {
    let world = World::new(Whoop::few(now()));
    let mut auth = world.home.start_with_input(&["auth", "whoop", "--no-browser", "-vv"]);
    let callback = consent(&auth.line());
    get(&callback);
    auth.wait(&world.home).expect(0);
    for args in [
        vec!["ingest", "whoop", "-vv"],
        vec!["ingest", "whoop", "--json", "-vv"],
        vec!["auth"],
        vec!["auth", "--json"],
        vec!["status", "-vv"],
        vec!["doctor", "-vv"],
        vec!["doctor", "--json"],
        vec!["sources", "whoop"],
        vec!["rejects", "list"],
    ] {
        world.health(&args);
    }
    world.token_expires();
    world.health(&["daily-refresh", "-vv"]).expect(0);
    world.provider.grants(super::support::tokens::Grants::revoke_all);
    world.health(&["ingest", "whoop", "-vv"]);
    world.health(&["auth", "whoop", "--revoke", "-vv"]);
    let mut sql = world.sql();
    world.assert_safe(&mut sql);
    // Values of a person's records are for the database alone.
    for value in world.provider.with(|w| w.private()) {
        for run in world.home.runs() {
            assert!(!run.stdout.contains(&value) && !run.stderr.contains(&value), "{value}\n{}", run.report());
        }
    }
    let state = param(&callback, "state").expect("a state");
    assert_hidden(&world.home, &mut sql, &world.provider.grants(|g| g.secrets()));
    let kept = files(world.home.path())
        .iter()
        .any(|f| std::fs::read(f).is_ok_and(|b| String::from_utf8_lossy(&b).contains(&state)));
    assert!(!kept, "the state of a login that is over");
}

#[test]
fn a_malformed_token_answer_is_not_kept() {
    let world = World::connected(Whoop::few(now()));
    world.token_expires();
    let fault = world.fault(When::resource("token"), What::edit(|body| format!("{body} trailing")));
    world.health(&["ingest", "whoop", "-vv"]).expect_one_of(&[0, 4, 5]);
    fault.assert();
    world.provider.grants(|g| g.tries = 2);
    world.provider.no_faults();
    world.ingest().expect_one_of(&[0, 4]);
    let secrets = world.provider.grants(|g| g.secrets());
    assert_hidden(&world.home, &mut world.sql(), &secrets);
}

#[test]
fn a_provider_that_repeats_our_credentials() {
    let world = World::connected(Whoop::few(now()));
    for status in [400, 403, 500] {
        let fault = world.fault(When::resource("sleeps"), What::Echo(status));
        world.health(&["ingest", "whoop", "-vv"]);
        world.health(&["status"]);
        fault.assert();
        world.provider.no_faults();
    }
    world.assert_safe(&mut world.sql());
    world.token_expires();
    let fault = world.fault(When::resource("token").before_work(), What::Echo(400));
    world.health(&["ingest", "whoop", "-vv"]);
    fault.assert();
    world.provider.grants(|g| g.tries = 2);
    world.assert_safe(&mut world.sql());
}

#[test]
fn a_token_in_a_good_page_is_data_of_its_own() {
    // A record that carries the access token is the provider's mistake; the raw row may hold it, outputs may not.
    let world = World::connected(Whoop::few(now()));
    let fault = world.fault(When::resource("sleeps").nth(1), What::edit(|_| "{\"records\": 7}".into()));
    let run = world.health(&["ingest", "whoop", "-vv"]);
    assert!([0, 3].contains(&run.code), "{}", run.report());
    world.oracle().fired(&fault).check();
}

#[test]
fn the_password_of_the_database_is_not_shown() {
    let world = World::connected(Whoop::few(now()));
    let password = "canary9f27c3d1e5";
    let url = &world.db.url;
    let with = format!("{url}{}password={password}", if url.contains('?') { '&' } else { '?' });
    world.home.set("HEALTH_DATABASE_URL", &with);
    for args in [
        vec!["migrate"],
        vec!["status"],
        vec!["doctor"],
        vec!["doctor", "--json"],
        vec!["db", "status"],
        vec!["ingest", "whoop", "-vv"],
    ] {
        world.health(&args);
    }
    world.home.set("HEALTH_DATABASE_URL", &with.replace("port=", "port=1"));
    world.health(&["status", "-vv"]);
    for run in world.home.runs() {
        assert!(!run.stdout.contains(password) && !run.stderr.contains(password), "{}", run.report());
    }
}

#[test]
fn files_are_private_whatever_the_umask() {
    let world = World::new(Whoop::few(now()));
    let mut command = std::process::Command::new("sh");
    command
        .args(["-c", r#"umask 0; exec "$0" auth whoop --no-browser"#, HEALTH])
        .env_clear()
        .current_dir(world.home.work());
    for (name, value) in world.home.command(&[]).get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    let mut child =
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped()).spawn().expect("a login");
    let mut line = String::new();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(child.stdout.as_mut().expect("stdout")), &mut line)
        .expect("an address");
    get(&consent(line.trim()));
    assert!(child.wait().expect("an end").success());
    world.assert_safe(&mut world.sql());
    let open = |path: &std::path::Path| std::fs::metadata(path).expect("metadata").permissions().mode() & 0o077 != 0;
    let ours: Vec<_> =
        files(&world.home.tokens()).into_iter().chain(files(&world.home.path().join("config"))).collect();
    assert!(ours.len() >= 2, "{ours:?}");
    assert!(!ours.iter().any(|p| open(p)), "{ours:?}");
}

#[test]
fn arguments_hold_no_secret() {
    let world = World::new(Whoop::few(now()));
    let mut auth = world.start_login();
    let _ = auth.line();
    let line = std::fs::read(format!("/proc/{}/cmdline", auth.pid())).expect("a process");
    let text = String::from_utf8_lossy(&line).into_owned();
    for secret in world.provider.grants(|g| g.secrets()) {
        assert!(!text.contains(&secret));
    }
    for flag in ["--client-secret", "--token", "--password", "--database-url"] {
        world.health(&["auth", "whoop", flag, "x"]).expect(2);
    }
}

#[test]
fn a_line_of_env_that_cannot_be_read_is_not_shown() {
    let world = world_without_secret();
    for line in [
        "WHOOP_CLIENT_SECRET=canary one two",
        "HEALTH_DATABASE_URL=postgresql://u:canary@/d h",
        "WHOOP_CLIENT_SECRET=can$ary\"canary\"",
        "WHOOP_CLIENT_SECRET: canary",
        "WHOOP_CLIENT_SECRET='canary",
        "canarycanary",
    ] {
        write_env(&world, &format!("# first\n{line}\n"));
        for args in [&["status"][..], &["doctor", "--json"], &["ingest", "whoop", "-vv"], &["auth", "--json"]] {
            let run = world.health(args).expect(13);
            let all = [run.stdout.as_str(), run.stderr.as_str()].concat();
            assert!(!all.contains("canary") && all.contains("line 2 of .env"), "{}", run.report());
        }
    }
}

#[test]
fn malformed_settings_do_not_show_what_they_hold() {
    let world = world_without_secret();
    let hidden = |run: &Run| {
        let all = [run.stdout.as_str(), run.stderr.as_str()].concat();
        assert!(run.code == 13 && !all.contains("4815162342"), "{}", run.report());
    };
    let toml = world.home.work().join("health.toml");
    for text in ["[sources.whoop]\nclient_secret = 4815162342\n", "[sources.whoop]\nclient_secret = x4815162342\n"] {
        std::fs::write(&toml, text).unwrap();
        hidden(&world.health(&["doctor", "--json"]));
        hidden(&world.health(&["status"]).says("health.toml line 2"));
    }
    std::fs::remove_file(&toml).unwrap();
    for url in ["postgresql://u:4815@4815162342@127.0.0.1:9/d", "postgresql://u:1/4815162342@127.0.0.1:9/d"] {
        world.home.set("HEALTH_DATABASE_URL", url);
        hidden(&world.health(&["status"]).says("%40"));
    }
    world.home.set("HEALTH_DATABASE_URL", &world.db.url);
    world.home.set("WHOOP_CLIENT_SECRET", "x");
    world.home.set("WHOOP_BASE_URL", "https://user:4815162342@127.0.0.1:1/x");
    hidden(&world.health(&["auth", "whoop", "--no-browser"]).says("WHOOP_BASE_URL"));
}

#[test]
fn a_secret_of_env_is_sent_as_it_stands() {
    let world = world_without_secret();
    let secret = "can$ary${PATH}#1";
    world.provider.grants(|g| g.client_secret = secret.to_owned());
    write_env(&world, &format!("WHOOP_CLIENT_SECRET={secret}    # from the form\n"));
    world.login();
    assert_eq!(world.provider.grants(|g| g.statuses()), [("authorization_code".to_owned(), 200)]);
}

fn world_without_secret() -> World<Whoop> {
    let world = World::new(Whoop::few(now()));
    world.home.unset("WHOOP_CLIENT_SECRET");
    world
}

fn write_env(world: &World<Whoop>, text: &str) {
    let path = world.home.work().join(".env");
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
}
