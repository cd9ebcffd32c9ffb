//! A sample of the system-call sweep, on the debug binary: the calls that make a renewal durable, and some of an ingest.
//! All of it, on the release binary, is `cargo bench --bench sweep`.

use std::sync::Mutex;

use crate::support::scenes::{Hit, SCENES, Scene, disturb, most};
use crate::support::strace::Strace;

fn scene(name: &str) -> &'static Scene {
    SCENES.iter().find(|scene| scene.name == name).expect("a scene")
}

#[test]
fn calls_that_kill_or_fail() {
    if !Strace::works() {
        println!("skipped: strace is not installed, or may not look into processes here");
        return;
    }
    let sample = [
        ("refresh", "fsync", None, 2),
        ("refresh", "rename", None, 1),
        ("refresh", "unlink", None, 1),
        ("refresh with errors", "fsync", Some("EIO"), 3),
        ("ingest", "sendto", None, 60),
    ];
    let queue = Mutex::new(sample.to_vec());
    let hits = Mutex::new(0);
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                loop {
                    let Some((name, call, errno, step)) = queue.lock().expect("the queue").pop() else { return };
                    let scene = scene(name);
                    let mut world = (scene.world)();
                    let most = most(scene, &mut world, call);
                    assert!(most > 0, "{name} never calls {call}");
                    for n in (1..=most).step_by(step) {
                        (scene.again)(&mut world);
                        let hit = Hit { call, errno, n };
                        let fired = disturb(scene, &world, &hit);
                        eprintln!("{name}: {}, {}", hit.shown(), if fired { "fired" } else { "did not happen" });
                        (scene.judge)(&world);
                        *hits.lock().expect("the count") += usize::from(fired);
                    }
                }
            });
        }
    });
    let hits = hits.into_inner().expect("the count");
    assert!(hits >= 8, "only {hits} fired");
}
