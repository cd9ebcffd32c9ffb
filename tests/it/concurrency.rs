//! Many programs at once, and a program whose database goes away in the middle: it waits, goes on, and is exact
//! (docs/adr/10; signals and takeovers are in `interrupted`).

use std::time::Duration;

use crate::providers::whoop::Whoop;
use crate::support::cli::{Home, Running};
use crate::support::faults::{Fired, What, When};
use crate::support::pg::Database;
use crate::support::proxy::Proxy;
use crate::support::rows::{count, run_states};
use crate::support::subject::Subject;
use crate::support::world::{World, now, until};

/// An ingest that has committed something and waits for a page: its request is answered this much later.
fn in_the_middle(world: &World<Whoop>, pause: Duration) -> (Running, Fired) {
    let slow = world.fault(When::resource(Whoop::PAGED).nth(2), What::Delay(pause));
    let running = world.start_ingest();
    world.until_fired(&slow);
    let mut sql = world.sql();
    until(|| count(&mut sql, &format!("whoop_raw.{}", Whoop::PAGED)) > 0);
    (running, slow)
}

fn world() -> World<Whoop> {
    World::connected(Whoop::with_days(33, now()))
}

/// Ends the database session of a process, as an administrator or a crashed backend would.
fn end_session(world: &World<Whoop>, pid: u32) {
    let sql = "select count(pg_terminate_backend(pid)) from pg_stat_activity
                where datname = current_database() and application_name like 'health pid ' || $1::text || ' %'";
    let ended: i64 = world.sql().query_one(sql, &[&pid.to_string()]).expect("sessions").get(0);
    assert!(ended > 0, "process {pid} has no session");
}

/// Several at the same moment: one works, and the others say so.
#[test]
fn of_many_at_once_one_works() {
    let world = world();
    let running: Vec<Running> = (0..4).map(|_| world.start_ingest()).collect();
    let codes: Vec<i32> = running.into_iter().map(|r| r.wait(&world.home).expect_one_of(&[0, 10]).code).collect();
    assert!(codes.contains(&0), "{codes:?}");
    world.oracle().check();
}

/// The server ends the loader's session between two pages: a new one goes on.
#[test]
fn a_lost_session_is_replaced() {
    let world = world();
    let (running, slow) = in_the_middle(&world, Duration::from_secs(1));
    end_session(&world, running.pid());
    running.wait(&world.home).expect(0);
    assert_eq!(run_states(&mut world.sql()), ["done"]);
    world.oracle().fired(&slow).check();
}

/// A COMMIT arrives and its answer does not: nobody knows whether the page is in. It must be there once.
#[test]
fn a_lost_acknowledgement_doubles_nothing() {
    let mut world = World::connected(Whoop::few(now()));
    let mut lost = 0;
    for n in (1..).step_by(2) {
        world.db = Database::migrated();
        let proxy = Proxy::start(&world.db.url, n);
        world.home.set("HEALTH_DATABASE_URL", &proxy.url());
        let run = world.ingest().expect_one_of(&[0, 8]);
        world.home.set("HEALTH_DATABASE_URL", &world.db.url);
        if proxy.lost() == 0 {
            assert_eq!(run.code, 0, "{}", run.report());
            break;
        }
        lost += proxy.lost();
        world.oracle().check();
    }
    assert!(lost > 6, "only {lost} answers were lost");
    println!("acknowledgements lost: {lost}");
}

/// A private server is destroyed with the test, however that ends.
struct OwnServer<'a>(&'a Home);

impl Drop for OwnServer<'_> {
    fn drop(&mut self) {
        let _ = self.0.command(&["db", "stop", "--force"]).output();
        let _ = self.0.command(&["db", "destroy", "--yes"]).output();
    }
}

/// The whole server stops and starts again between two pages: the run waits for it, and goes on.
#[test]
fn the_database_restarts_in_the_middle() {
    let mut world = world();
    world.home.unset("HEALTH_DATABASE_URL"); // its own private server
    world.health(&["db", "start"]).expect(0);
    world.db = Database::at(world.health(&["db", "url"]).expect(0).stdout.trim());
    let _server = OwnServer(&world.home);
    world.health(&["migrate"]).expect(0);
    let (running, slow) = in_the_middle(&world, Duration::from_secs(2));
    world.health(&["db", "stop"]).expect(10); // somebody is at work
    world.health(&["db", "stop", "--force"]).expect(0);
    world.health(&["db", "start"]).expect(0);
    running.wait(&world.home).expect(0);
    assert_eq!(run_states(&mut world.sql()), ["done"]);
    world.oracle().fired(&slow).check();
}
