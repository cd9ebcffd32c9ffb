//! Which calls of which scene are disturbed.

use crate::support::scenes::{self, Hit, Scene};
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

#[derive(Clone)]
pub struct Case {
    pub scene: &'static Scene,
    pub hit: Hit,
    /// While it recovers from the first.
    pub then: Option<Hit>,
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
        let most = scenes::most(scene, &mut world, call);
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
            // What is left to do after the first kill is often less than the whole.
            let n = 1 + random.below(second.hit.n);
            pairs.push(Case { then: Some(Hit { n, ..second.hit.clone() }), ..first.clone() });
        }
    }
    pairs
}
