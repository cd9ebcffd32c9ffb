//! What a sweep disturbs, how, and what must hold after it. Used by the sampled test and by `benches/sweep`.

use super::cli::Run;
use super::pg::Database;
use super::strace::Strace;
use super::subject::Subject;
use super::world::{World, now};
use crate::providers::whoop::Whoop;

/// One way to use the program.
pub struct Scene {
    pub name: &'static str,
    pub args: &'static [&'static str],
    pub world: fn() -> World<Whoop>,
    /// Gives the command everything to do again.
    pub again: fn(&mut World<Whoop>),
    /// After the disturbance; panics when something does not hold. Says whether a person had to log in again.
    pub judge: fn(&World<Whoop>) -> bool,
    /// Calls that fail instead, with the codes that may come of it; empty: killed.
    pub errors: &'static [(&'static str, &'static str)],
    pub codes: &'static [i32],
}

/// One disturbance.
#[derive(Clone)]
pub struct Hit {
    pub call: &'static str,
    /// How the call fails; none: the program is killed there.
    pub errno: Option<&'static str>,
    pub n: usize,
}

pub const SCENES: &[Scene] = &[
    Scene {
        name: "ingest",
        args: &["ingest", "whoop"],
        world: || World::connected(Whoop::with_days(33, now())),
        again: new_database,
        judge: converges,
        errors: &[],
        codes: &[],
    },
    Scene {
        name: "refresh",
        args: &["ingest", "whoop"],
        world: loaded,
        again: expire,
        judge: one_post,
        errors: &[],
        codes: &[],
    },
    Scene {
        name: "migrate",
        args: &["migrate"],
        world: || World::connected(Whoop::few(now())),
        again: empty_database,
        judge: |world| {
            world.health(&["migrate"]).expect(0);
            converges(world)
        },
        errors: &[],
        codes: &[],
    },
    // A disk that fails or is full under the token store: a local failure, before or after the request.
    Scene {
        name: "refresh with errors",
        args: &["ingest", "whoop"],
        world: loaded,
        again: expire,
        judge: one_post,
        errors: &[
            ("fsync", "EIO"),
            ("fsync", "ENOSPC"),
            ("fallocate", "ENOSPC"),
            ("ftruncate", "ENOSPC"),
            ("rename", "EIO"),
            ("unlink", "EIO"),
        ],
        codes: &[0, 11],
    },
    // A connection that breaks, to the database or to the provider.
    Scene {
        name: "ingest with errors",
        args: &["ingest", "whoop"],
        world: || World::connected(Whoop::few(now())),
        again: new_database,
        judge: converges,
        errors: &[("recvfrom", "ECONNRESET"), ("sendto", "EPIPE"), ("connect", "ECONNREFUSED")],
        codes: &[0, 3, 5, 8],
    },
];

pub fn new_database(world: &mut World<Whoop>) {
    use_database(world, Database::migrated());
}

fn empty_database(world: &mut World<Whoop>) {
    use_database(world, Database::empty());
}

fn use_database(world: &mut World<Whoop>, db: Database) {
    world.home.set("HEALTH_DATABASE_URL", &db.url);
    world.db = db;
    world.provider.clear_log();
}

pub fn loaded() -> World<Whoop> {
    let world = World::<Whoop>::loaded_few();
    world.provider.grants(|g| g.tries = 3); // `one_post` counts more exactly
    world
}

pub fn expire(world: &mut World<Whoop>) {
    world.provider.grants(|g| g.ledger.clear());
    world.provider.clear_log();
    world.token_expires();
}

fn converges(world: &World<Whoop>) -> bool {
    world.oracle().check();
    false
}

/// Ends by a signal that nobody can handle.
pub const KILLED: i32 = 128 + 9;

/// Runs the scene's command with one disturbance; says whether it happened.
#[track_caller]
pub fn disturb(scene: &Scene, world: &World<Whoop>, hit: &Hit) -> bool {
    let strace = hit.strace();
    world.home.run_by(strace.prefix());
    let run = world.health(scene.args);
    world.home.run_by(vec![]);
    if hit.errno.is_none() {
        // Not killed: it had ended before, or found a login that the first of two kills had cost.
        assert!(run.code == KILLED || [0, 4].contains(&run.code), "{}", run.report());
        return run.code == KILLED;
    }
    let fired = strace.failed() > 0;
    assert!(run.code == 0 || (fired && scene.codes.contains(&run.code)), "{}", run.report());
    fired
}

/// The most calls of one kind that a thread makes when nobody disturbs it.
#[track_caller]
pub fn most(scene: &Scene, world: &mut World<Whoop>, call: &str) -> usize {
    (scene.again)(world);
    let strace = Strace::count(call);
    world.home.run_by(strace.prefix());
    world.health(scene.args).expect(0);
    world.home.run_by(vec![]);
    strace.most()
}

/// One request is all that a refresh token is good for. If its answer was lost with the process, each later run may ask
/// once more until the refusal is written down; then a person is asked.
fn one_post(world: &World<Whoop>) -> bool {
    let posts = || world.provider.grants(|g| g.refreshes().iter().map(|p| p.status).collect::<Vec<_>>());
    let before = posts();
    assert!([&[][..], &[200], &[200, 400]].contains(&before.as_slice()), "{before:?}");
    let run: Run = world.ingest().expect_one_of(&[0, 4]);
    let asked = run.code == 4;
    if asked {
        let run = run.says("interrupted");
        assert!(!before.is_empty(), "a login was given up though its token was not spent\n{}", run.report());
        let after = posts();
        assert!(after.starts_with(&[200, 400]) && after.len() <= before.len() + 1, "{after:?}");
        world.ingest().expect(4);
        assert_eq!(posts(), after, "a dead login makes no request");
        world.login();
    } else {
        assert_eq!(posts(), [200]);
    }
    world.oracle().check();
    asked
}

impl Hit {
    pub fn shown(&self) -> String {
        format!("{} {} {}", self.errno.unwrap_or("KILL"), self.call, self.n)
    }

    pub fn strace(&self) -> Strace {
        match self.errno {
            Some(errno) => Strace::fail(self.call, errno, self.n),
            None => Strace::kill(self.call, self.n),
        }
    }
}
