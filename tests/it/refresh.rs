//! Renewing a login: the protocol of docs/adr/11 under everything that can happen to it.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::time::Duration;

use crate::providers::whoop::Whoop;
use crate::support::faults::{What, When};
use crate::support::pg::{Database, files};
use crate::support::subject::Subject;
use crate::support::world::{World, now};

/// Logged in, and the access token has expired: the next run must renew.
fn expired() -> World<Whoop> {
    let world = World::connected(Whoop::few(now()));
    world.token_expires();
    world
}

fn refreshes(world: &World<Whoop>) -> Vec<u16> {
    world.provider.grants(|g| g.refreshes().iter().map(|p| p.status).collect())
}

fn token_file(world: &World<Whoop>) -> PathBuf {
    let mut found = files(&world.home.tokens());
    found.retain(|f| f.extension().is_none_or(|e| e != "lock"));
    assert_eq!(found.len(), 1, "{found:?}");
    found.remove(0)
}

#[test]
fn an_expired_token_is_renewed_first() {
    let world = expired();
    world.ingest().expect(0);
    assert_eq!(refreshes(&world), [200]);
    assert!(world.provider.data_requests().iter().all(|e| e.status == 200), "a request with the old token");
    world.oracle().check();
    assert_eq!(refreshes(&world), [200], "renewed again without need");
}

#[test]
fn nothing_to_ask_no_renewal() {
    let world = expired();
    world.health(&["auth"]);
    world.health(&["status"]);
    world.health(&["transform", "whoop"]);
    assert_eq!(refreshes(&world), Vec::<u16>::new());
}

#[test]
fn an_unreachable_token_endpoint_is_later_not_login() {
    for what in [What::status(500), What::status(503), What::html(200), What::html(502), What::Answer(429, vec![], "")]
    {
        let world = expired();
        let fault = world.fault(When::resource("token").before_work(), what);
        world.ingest().expect(5);
        fault.assert();
        assert_eq!(world.provider.data_requests().len(), 0);
        world.provider.no_faults();
        // One more attempt with the token that was kept.
        world.provider.grants(|g| g.tries = 2);
        world.later(Duration::from_hours(2));
        world.oracle().fired(&fault).check();
    }
}

#[test]
fn the_app_is_refused() {
    let world = expired();
    let fault =
        world.fault(When::resource("token").before_work(), What::Answer(401, vec![], r#"{"error":"invalid_client"}"#));
    let run = world.ingest().expect(13);
    assert!(run.stderr.contains("WHOOP_CLIENT"), "{}", run.report());
    world.provider.grants(|g| g.tries = 2);
    world.oracle().fired(&fault).check();
}

#[test]
fn the_answer_is_lost_after_the_rotation() {
    for what in [What::reset(0), What::reset(60), What::cut(10), What::html(502)] {
        let world = expired();
        let fault = world.fault(When::resource("token").nth(1), what);
        world.ingest().expect(5);
        assert_eq!(refreshes(&world), [200], "a lost answer must not be asked for again at once");
        world.provider.no_faults();
        // One attempt with the old token; it is refused, and a person is asked, told why.
        let run = world.ingest().expect(4).says("interrupted");
        assert!(run.next().contains("health auth whoop"), "{}", run.report());
        assert_eq!(refreshes(&world), [200, 400]);
        world.provider.clear_log();
        world.ingest().expect(4);
        assert_eq!(world.provider.log().len(), 0, "a dead login was used again");
        world.provider.grants(|g| g.tries = 2);
        world.login();
        world.oracle().fired(&fault).check();
    }
}

#[test]
fn the_answer_is_lost_before_the_rotation() {
    let world = expired();
    let fault = world.fault(When::resource("token").nth(1).before_work(), What::reset(0));
    world.ingest().expect(5);
    world.provider.grants(|g| g.tries = 2);
    world.oracle().fired(&fault).check();
    assert_eq!(refreshes(&world), [200]);
}

#[test]
fn killed_while_the_answer_is_awaited() {
    for (rotated, code) in [(false, 0), (true, 4)] {
        let world = expired();
        let when = When::resource("token").nth(1);
        let fault = world.fault(if rotated { when } else { when.before_work() }, What::hang());
        let running = world.start_ingest();
        world.until_fired(&fault);
        running.kill(&world.home);
        world.provider.no_faults();
        world.provider.grants(|g| g.tries = 2);
        let run = world.ingest().expect(code);
        if rotated {
            run.says("interrupted");
            world.login();
        }
        world.oracle().fired(&fault).check();
    }
}

#[test]
fn two_processes_need_one_renewal() {
    let world = expired();
    // Two databases, so that only the token store is shared.
    let other = Database::migrated();
    world.fault(When::resource("token"), What::Delay(Duration::from_millis(300)));
    let first = world.start_ingest();
    let mine = world.home.get("HEALTH_DATABASE_URL").expect("a database");
    world.home.set("HEALTH_DATABASE_URL", &other.url);
    let second = world.start_ingest();
    world.home.set("HEALTH_DATABASE_URL", &mine);
    first.wait(&world.home).expect(0);
    second.wait(&world.home).expect(0);
    assert_eq!(refreshes(&world), [200]);
    world.oracle().check();
}

#[test]
fn many_processes_need_one_renewal() {
    let world = expired();
    let databases: Vec<Database> = (0..5).map(|_| Database::migrated()).collect();
    let mut running = vec![];
    for database in &databases {
        world.home.set("HEALTH_DATABASE_URL", &database.url);
        running.push(world.start_ingest());
    }
    world.home.set("HEALTH_DATABASE_URL", &world.db.url);
    for run in running {
        run.wait(&world.home).expect(0);
    }
    assert_eq!(refreshes(&world), [200]);
    world.provider.grants(|g| g.assert_single_use());
}

#[test]
fn no_new_refresh_token_keeps_the_old_one() {
    let world = World::connected(Whoop::few(now()));
    world.provider.grants(|g| {
        g.rotates = false;
        g.tries = 9;
    });
    for _ in 0..2 {
        world.token_expires();
        world.ingest().expect(0);
    }
    assert_eq!(refreshes(&world), [200, 200]);
    world.oracle().check();
}

#[test]
fn an_older_copy_of_the_store_is_refused_kindly() {
    let world = World::connected(Whoop::few(now()));
    let file = token_file(&world);
    let old = std::fs::read(&file).expect("the token file");
    world.token_expires();
    world.ingest().expect(0);
    std::fs::write(&file, old).expect("a restored backup");
    world.token_expires();
    world.provider.grants(|g| g.tries = 2);
    let run = world.ingest().expect(4);
    assert!(run.next().contains("health auth whoop"), "{}", run.report());
}

#[test]
fn a_damaged_store_is_never_overwritten_in_silence() {
    for cut in [0, 1, 40, usize::MAX] {
        let world = World::connected(Whoop::few(now()));
        let file = token_file(&world);
        let mut bytes = std::fs::read(&file).expect("the token file");
        if cut == usize::MAX {
            let middle = bytes.len() / 2;
            bytes[middle] ^= 1;
        } else {
            bytes.truncate(cut);
        }
        std::fs::write(&file, &bytes).expect("damage");
        world.ingest().expect_one_of(&[4, 11]);
        assert_eq!(world.provider.data_requests().len(), 0);
        let kept = files(&world.home.tokens()).iter().any(|f| std::fs::read(f).is_ok_and(|b| b == bytes));
        assert!(kept, "the damaged file is gone");
        world.health(&["status"]).expect_one_of(&[0, 3, 4, 11]);
        world.login();
        world.ingest().expect(0);
    }
}

#[test]
fn another_key_is_not_a_damaged_file() {
    let world = World::connected(Whoop::few(now()));
    let key = world.home.path().join("config/health/key");
    assert!(key.exists(), "the key lives in the configuration directory");
    let other = World::connected(Whoop::few(now()));
    std::fs::copy(other.home.path().join("config/health/key"), &key).expect("another key");
    world.ingest().expect(11).says("key");
}

#[test]
fn a_readable_token_file_is_refused() {
    let world = World::connected(Whoop::few(now()));
    for path in [token_file(&world), world.home.path().join("config/health/key")] {
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).expect("permissions");
        let run = world.ingest().expect(11);
        assert!(run.report().contains("chmod"), "{}", run.report());
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).expect("permissions");
    }
    world.ingest().expect(0);
}

#[test]
fn a_planted_link_is_not_followed() {
    let world = World::connected(Whoop::few(now()));
    let file = token_file(&world);
    let victim = world.home.path().join("victim");
    std::fs::rename(&file, &victim).expect("a move");
    std::os::unix::fs::symlink(&victim, &file).expect("a link");
    let before = std::fs::read(&victim).expect("the victim");
    world.ingest().expect(11);
    assert_eq!(std::fs::read(&victim).expect("the victim"), before);
}
