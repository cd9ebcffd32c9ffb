//! Runs the cases, several worlds at a time, and counts what came of them.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use crate::Options;
use crate::plan::Case;
use crate::providers::whoop::Whoop;
use crate::support::scenes::disturb;
use crate::support::world::World;

/// What came of the cases of one kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub tried: usize,
    /// The disturbance happened; the others ended before it.
    pub fired: usize,
    pub failed: usize,
    pub lost: usize,
    pub doubled: usize,
    pub phantom: usize,
    pub wrong: usize,
    /// The provider had rotated and its answer was not safe yet.
    pub asked_to_log_in: usize,
}

/// A world's clock may move with each case; its records do not.
const USES: usize = 30;

/// By scene; pairs stand apart.
pub fn run(cases: Vec<Case>, options: &Options) -> BTreeMap<String, Tally> {
    let (queue, tallies) = (Mutex::new(cases), Mutex::new(BTreeMap::<String, Tally>::new()));
    std::thread::scope(|threads| {
        for _ in 0..options.workers {
            threads.spawn(|| {
                let mut worlds = BTreeMap::<&str, (World<Whoop>, usize)>::new();
                loop {
                    let Some(case) = queue.lock().expect("the queue").pop() else { return };
                    let (world, uses) = worlds.remove(case.scene.name).unwrap_or_else(|| ((case.scene.world)(), 0));
                    let (tally, world) = one(&case, world);
                    if let Some(world) = world.filter(|_| uses < USES) {
                        worlds.insert(case.scene.name, (world, uses + 1));
                    }
                    let mut all = tallies.lock().expect("the tallies");
                    let name = if case.then.is_some() {
                        format!("{}, twice", case.scene.name)
                    } else {
                        case.scene.name.into()
                    };
                    all.entry(name).or_default().add(tally);
                    let done: usize = all.values().map(|t| t.tried).sum();
                    if done.is_multiple_of(100) {
                        println!("{done} done, {} left", queue.lock().expect("the queue").len());
                    }
                }
            });
        }
    });
    tallies.into_inner().expect("the tallies")
}

/// One case; the world is given back unless it is of no more use.
fn one(case: &Case, mut world: World<Whoop>) -> (Tally, Option<World<Whoop>>) {
    let mut tally = Tally { tried: 1, ..Tally::default() };
    let scene = case.scene;
    let judged = catch_unwind(AssertUnwindSafe(|| {
        (scene.again)(&mut world);
        let mut fired = disturb(scene, &world, &case.hit);
        if let Some(then) = &case.then {
            fired &= disturb(scene, &world, then);
        }
        (fired, (scene.judge)(&world))
    }));
    if let Ok((fired, asked)) = judged {
        tally.fired = usize::from(fired);
        tally.asked_to_log_in = usize::from(asked);
        world.home.forget_runs();
        return (tally, Some(world));
    }
    tally.failed = 1;
    eprintln!("FAILED: {}", case.shown());
    // Whatever failed, the rows decide what was lost.
    let differences = catch_unwind(AssertUnwindSafe(|| {
        world.home.run_by(vec![]);
        for _ in 0..3 {
            if world.health(scene.args).code == 0 {
                break;
            }
        }
        world.differences()
    }))
    .unwrap_or_default();
    for line in differences {
        let kind = match () {
            () if line.contains("lost") => &mut tally.lost,
            () if line.contains("doubled") || line.contains("twice") => &mut tally.doubled,
            () if line.contains("phantom") => &mut tally.phantom,
            () => &mut tally.wrong,
        };
        *kind += 1;
    }
    (tally, None)
}

impl Tally {
    pub fn add(&mut self, other: Tally) {
        self.tried += other.tried;
        self.fired += other.fired;
        self.failed += other.failed;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.phantom += other.phantom;
        self.wrong += other.wrong;
        self.asked_to_log_in += other.asked_to_log_in;
    }
}
