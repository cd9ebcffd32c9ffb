//! What is disturbed, where, and what must hold after it.

use crate::providers::whoop::Whoop;
use crate::support::cli::Run;
use crate::support::pg::Database;
use crate::support::strace::Strace;
use crate::support::subject::Subject;
use crate::support::world::{World, now};
use crate::{Options, Random};

/// Calls at which something of ours may be half done: files, the database's socket, the provider's.
const CALLS: &[&str] = &[
    "openat",
    "write",
    "writev",
    "fsync",
    "fdatasync",
    "fallocate",
    "ftruncate",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "pwrite64",
    "sendto",
    "recvfrom",
    "connect",
    "close",
];

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

#[derive(Clone)]
pub struct Case {
    pub scene: &'static Scene,
    pub hit: Hit,
    /// While it recovers from the first.
    pub then: Option<Hit>,
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

fn new_database(world: &mut World<Whoop>) {
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

fn loaded() -> World<Whoop> {
    let world = World::loaded(Whoop::few(now()));
    world.provider.grants(|g| g.tries = 3); // `one_post` counts more exactly
    world
}

fn expire(world: &mut World<Whoop>) {
    world.provider.grants(|g| g.ledger.clear());
    world.provider.clear_log();
    world.token_expires();
}

fn converges(world: &World<Whoop>) -> bool {
    world.oracle().check();
    false
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

/// Counts the calls of an undisturbed run, and plans a disturbance at one in `every` of them, from the first to the one
/// after the last: that run must end without a hit.
pub fn cases(scene: &'static Scene, options: &Options) -> Vec<Case> {
    let mut world = (scene.world)();
    let calls: Vec<(&'static str, Option<&'static str>)> = if scene.errors.is_empty() {
        CALLS.iter().map(|call| (*call, None)).collect()
    } else {
        scene.errors.iter().map(|(call, errno)| (*call, Some(*errno))).collect()
    };
    let mut cases = vec![];
    for (call, errno) in calls {
        (scene.again)(&mut world);
        let strace = Strace::count(call);
        world.home.run_by(strace.prefix());
        world.health(scene.args).expect(0);
        world.home.run_by(vec![]);
        let most = strace.most();
        println!("{}: {call} {most}", scene.name);
        // Few calls are all tried; of many, one in so many.
        let step = if most <= 12 { 1 } else { options.every };
        let places = (1..=most).filter(|n| n % step == 1 % step).chain((most > 0).then_some(most + 1));
        cases.extend(places.map(|n| Case { scene, hit: Hit { call, errno, n }, then: None }));
    }
    cases
}

/// Kills that are followed by another kill of the run that recovers.
pub fn pairs(cases: &[Case], options: &Options) -> Vec<Case> {
    let kills: Vec<&Case> = cases.iter().filter(|case| case.hit.errno.is_none()).collect();
    if kills.is_empty() {
        return vec![];
    }
    let mut random = Random(options.seed ^ 0x7061_6972);
    let mut pairs = vec![];
    while pairs.len() < options.pairs {
        let first = kills[random.below(kills.len())];
        let second = kills[random.below(kills.len())];
        if first.scene.name == second.scene.name {
            pairs.push(Case { then: Some(second.hit.clone()), ..first.clone() });
        }
    }
    pairs
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
