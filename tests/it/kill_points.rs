//! Killed at every named point that a run passes, then run again: nothing lost, nothing doubled.
//!
//! The points are compiled into debug builds alone (`HEALTH_FAILPOINT`, `reliability.md` 2.2).

use crate::providers::whoop::Whoop;
use crate::support::rows::{count, run_states};
use crate::support::subject::Subject;
use crate::support::world::{World, now};

/// The points that a command passes, in the order in which it first passes them.
fn passed(world: &World<Whoop>, args: &[&str]) -> Vec<String> {
    world.home.set("HEALTH_FAILPOINT", "list");
    let run = world.health(args);
    world.home.unset("HEALTH_FAILPOINT");
    run.stderr.lines().filter_map(|l| l.strip_prefix("failpoint ")).map(str::to_owned).collect()
}

/// Runs a command that dies at a point; false when it did not come that far.
fn dies(world: &World<Whoop>, args: &[&str], point: &str) -> bool {
    world.home.set("HEALTH_FAILPOINT", point);
    let run = world.health(args);
    world.home.unset("HEALTH_FAILPOINT");
    run.code == 137
}

#[test]
fn an_ingest_at_every_point() {
    let points = passed(&World::connected(Whoop::many(now())), &["ingest", "whoop"]);
    assert!(points.len() >= 6, "only {points:?}");
    for point in points {
        for nth in [1, 3] {
            let world = World::connected(Whoop::many(now()));
            if dies(&world, &["ingest", "whoop"], &format!("{point}:{nth}")) {
                world.oracle().check();
                assert!(
                    run_states(&mut world.sql()).iter().all(|s| s == "interrupted" || s == "done"),
                    "{point}:{nth}"
                );
            } else {
                assert_ne!(nth, 1, "{point} was announced and not passed");
            }
        }
    }
}

#[test]
fn a_second_ingest_with_changes_at_every_point() {
    let change = |world: &World<Whoop>| {
        world.provider.with(|w| {
            w.edit_recent();
            w.add_recent();
            w.remove_recent();
        });
    };
    let world = World::loaded(Whoop::many(now()));
    change(&world);
    for point in passed(&world, &["ingest", "whoop"]) {
        let world = World::loaded(Whoop::many(now()));
        change(&world);
        assert!(dies(&world, &["ingest", "whoop"], &point), "{point}");
        world.oracle().check();
    }
}

#[test]
fn killed_while_recovering_from_a_kill() {
    let points = passed(&World::connected(Whoop::many(now())), &["ingest", "whoop"]);
    for pair in points.windows(2) {
        let world = World::connected(Whoop::many(now()));
        dies(&world, &["ingest", "whoop"], &pair[1]);
        dies(&world, &["ingest", "whoop"], &pair[0]);
        world.oracle().check();
    }
}

#[test]
fn a_renewal_at_every_point() {
    let world = World::connected(Whoop::few(now()));
    world.token_expires();
    let points: Vec<String> =
        passed(&world, &["ingest", "whoop"]).into_iter().filter(|p| p.starts_with("token.")).collect();
    assert!(points.len() >= 4, "only {points:?}");
    for point in points {
        let world = World::connected(Whoop::few(now()));
        world.token_expires();
        assert!(dies(&world, &["ingest", "whoop"], &point), "{point}");
        let sent = world.provider.grants(|g| g.refreshes().len());
        // Between the provider's rotation and our disk the pair is lost; at every other point it is not.
        world.provider.grants(|g| g.tries = 2);
        let run = world.ingest();
        let window = ["token.post_sent", "token.response_read"].contains(&point.as_str());
        if window && sent == 1 && run.code == 4 {
            assert!(run.stderr.contains("interrupted"), "{}", run.report());
            world.login();
        } else {
            assert_eq!(run.code, 0, "{point}\n{}", run.report());
            world.provider.grants(|g| g.tries = 1);
        }
        world.oracle().check();
    }
}

#[test]
fn a_migration_at_every_point() {
    let home = crate::support::cli::Home::new();
    let db = crate::support::pg::Database::empty();
    home.set("HEALTH_DATABASE_URL", &db.url);
    for nth in 1..=20 {
        home.set("HEALTH_FAILPOINT", &format!("migrate.between:{nth}"));
        home.health(&["migrate"]).expect_one_of(&[0, 137]);
    }
    home.unset("HEALTH_FAILPOINT");
    home.health(&["migrate"]).expect(0);
    assert_eq!(count(&mut db.client(), "meta.metrics"), 122);
    assert_eq!(count(&mut db.client(), "meta.users"), 1);
}
