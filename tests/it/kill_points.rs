//! Death at every named point (`src/failpoint.rs`), found by asking the program which points it passes: the process is
//! killed there the first, second, third and last time, and the oracle says what is left. Debug builds alone have the
//! points; a release binary must not even hold their names.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::providers::whoop::Whoop;
use crate::support::cli::{Home, Run};
use crate::support::pg::{Database, HEALTH, files};
use crate::support::rows::{run_states, value};
use crate::support::scenes::{KILLED, new_database};
use crate::support::subject::{Poison, Subject};
use crate::support::world::{World, now};

/// What is killed, in which state of the world, and what must hold after it.
struct Scene {
    name: &'static str,
    args: &'static [&'static str],
    /// The points that this scene answers for; it passes others too.
    points: &'static [&'static str],
    world: fn() -> World<Whoop>,
    /// Gives the command everything to do again.
    again: fn(&mut World<Whoop>),
    /// Whether the run that recovers is killed as well, at the next point.
    twice: bool,
    /// After the kill at the named point.
    judge: fn(&World<Whoop>, &str, &[&str]),
}

#[test]
fn an_ingest_dies_anywhere() {
    sweep(&Scene {
        name: "ingest",
        args: &["ingest", "whoop"],
        points: &["lock.", "fence.", "run.", "page.", "reject.", "slice.", "model."],
        world: || {
            let world = World::connected(Whoop::with_days(33, now()));
            world.provider.with(|sim| sim.poison(Poison::Nul));
            world
        },
        again: new_database,
        twice: true,
        judge: |world, _, args| world.oracle().ends_with(3).command(args).check(),
    });
}

#[test]
fn a_transform_dies_anywhere() {
    sweep(&Scene {
        name: "transform",
        args: &["transform", "whoop"],
        points: &["model."],
        world: || World::connected(Whoop::few(now())),
        again: |world| {
            new_database(world);
            world.health(&["ingest", "whoop", "--raw-only"]).expect(0);
        },
        twice: true,
        judge: |world, _, args| world.oracle().command(args).check(),
    });
    sweep(&Scene {
        name: "rebuild",
        args: &["transform", "whoop", "--rebuild"],
        points: &["model."],
        world: || World::<Whoop>::loaded_few(),
        again: |_| {},
        twice: false,
        judge: |world, _, args| world.oracle().command(args).check(),
    });
}

/// One request is all that a rotating refresh token is good for, whenever the process dies. Between the provider's
/// rotation and the answer's being safe on disk nothing can save the login; then a person is told, once.
#[test]
fn a_token_refresh_dies_anywhere() {
    sweep(&Scene {
        name: "refresh",
        args: &["ingest", "whoop"],
        points: &["token."],
        world: || {
            let world = World::<Whoop>::loaded_few();
            world.provider.grants(|g| g.tries = 2); // `judge` counts more exactly
            world
        },
        again: |world| {
            world.provider.grants(|g| g.ledger.clear());
            world.token_expires();
        },
        twice: false,
        judge: |world, point, _| {
            let posts = || world.provider.grants(|g| g.refreshes().iter().map(|p| p.status).collect::<Vec<_>>());
            if ["token.post_sent", "token.response_read"].contains(&point) {
                let run = world.ingest().expect(4).says("interrupted");
                assert!(run.next().contains("health auth whoop"), "{}", run.report());
                assert_eq!(posts(), [200, 400], "{point}: one attempt with the old token, and no more");
                world.ingest().expect(4);
                assert_eq!(posts(), [200, 400], "{point}: a dead login makes no request");
                world.login();
            }
            world.oracle().check();
            let expected: &[u16] =
                if point == "token.post_sent" || point == "token.response_read" { &[200, 400] } else { &[200] };
            assert_eq!(posts(), expected, "{point}");
        },
    });
}

#[test]
fn a_migration_dies_anywhere() {
    let fresh = |home: &Home| {
        let db = Database::empty();
        home.set("HEALTH_DATABASE_URL", &db.url);
        db
    };
    let home = Home::new();
    let _db = fresh(&home);
    let passed = points(&killed_at(&home, &["migrate"], "list").expect(0));
    expect_all_passed(&passed, &["migrate."]);
    let whole = schema(&Database::migrated());
    let mut fired = 0;
    for (point, n) in cases(&passed) {
        let db = fresh(&home);
        assert_fired(&killed_at(&home, &["migrate"], &format!("{point}:{n}")), &point);
        home.health(&["migrate"]).expect(0);
        assert!(schema(&db) == whole, "another schema after a kill at {point}, time {n}");
        home.health(&["migrate", "--check"]).expect(0).says("current");
        fired += 1;
    }
    println!("named kill points, migrate: {fired} fired");
}

/// No kill can separate a migration from its line in the history: every object was made by a transaction that wrote one.
#[test]
fn a_migration_and_its_line_are_one_transaction() {
    let apart = "select count(*) from pg_class c join pg_namespace n on n.oid = c.relnamespace
                  where (n.nspname in ('canonical', 'api') or n.nspname like '%\\_raw') and c.relkind in ('r', 'v')
                    and c.xmin::text not in (select h.xmin::text from meta.refinery_schema_history h)";
    assert_eq!(value(&mut Database::migrated().client(), apart).as_deref(), Some("0"));
}

/// A user of the release build gets neither the names nor the switch.
#[test]
fn a_release_binary_holds_none_of_the_points() {
    let debug = Path::new(HEALTH);
    let release = debug.parent().and_then(Path::parent).expect("a target directory").join("release/health");
    let Ok(bytes) = std::fs::read(&release) else {
        println!("skipped: there is no release binary; build one with: cargo build --release --locked");
        return;
    };
    let holds = |name: &str| bytes.windows(name.len()).any(|w| w == name.as_bytes());
    for name in in_source().iter().map(String::as_str).chain(["HEALTH_FAILPOINT"]) {
        assert!(!holds(name), "{} holds {name:?}", release.display());
    }
    assert!(holds("HEALTH_NOW"), "this is not the program");
}

/// A point that no scene passes would never be tried.
#[test]
fn every_point_belongs_to_a_scene() {
    let known = [
        "lock.", "fence.", "run.", "page.", "reject.", "slice.", "model.", "token.", "migrate.", // here
        "import.", "undo.", "zones.", // in apple_health
    ];
    for point in in_source() {
        assert!(known.iter().any(|prefix| point.starts_with(prefix)), "no test kills at {point}");
    }
}

/// Finds the points of a scene, kills at each, and judges.
fn sweep(scene: &Scene) {
    let mut world = (scene.world)();
    (scene.again)(&mut world);
    let listed = killed_at(&world.home, scene.args, "list").expect_one_of(&[0, 3]);
    let mut passed = points(&listed);
    expect_all_passed(&passed, scene.points);
    if scene.points == ["token."] {
        passed.retain(|point, _| point.starts_with("token."));
    }
    let all = cases(&passed);
    let queue: Mutex<Vec<usize>> = Mutex::new((0..all.len()).collect());
    let again = AtomicUsize::default();
    let work = |mut world: World<Whoop>| {
        loop {
            let Some(at) = queue.lock().expect("the queue").pop() else { return };
            let (point, n) = &all[at];
            (scene.again)(&mut world);
            let run = killed_at(&world.home, scene.args, &format!("{point}:{n}"));
            assert_fired(&run, point);
            eprintln!("{}: killed at {point}, time {n}", scene.name);
            if scene.twice {
                // The server notices a killed client within two seconds; until then its lock would make the next one busy.
                world.db.quiet();
                // It need not come by there: less is left to do.
                let (next, n) = &all[(at + 1) % all.len()];
                let run = killed_at(&world.home, scene.args, &format!("{next}:{n}")).expect_one_of(&[KILLED, 0, 3]);
                again.fetch_add(usize::from(run.code == KILLED), Ordering::SeqCst);
            }
            (scene.judge)(&world, point, scene.args);
            assert!(!run_states(&mut world.sql()).contains(&"running".to_owned()));
        }
    };
    std::thread::scope(|threads| {
        threads.spawn(|| work((scene.world)()));
        work(world);
    });
    let again = again.into_inner();
    assert!(!scene.twice || again * 2 > all.len(), "only {again} of {} were killed twice", all.len());
    println!("named kill points, {}: {} fired, {again} twice", scene.name, all.len());
}

fn killed_at(home: &Home, args: &[&str], point: &str) -> Run {
    home.set("HEALTH_FAILPOINT", point);
    let run = home.health(args);
    home.unset("HEALTH_FAILPOINT");
    run
}

#[track_caller]
fn assert_fired(run: &Run, point: &str) {
    assert_eq!(run.code, KILLED, "{}", run.report());
    assert!(run.stderr.contains(&format!("failpoint {point} fired")), "{}", run.report());
}

/// How often a call passed each point.
fn points(run: &Run) -> BTreeMap<String, usize> {
    let mut passed = BTreeMap::new();
    for name in run.stderr.lines().filter_map(|line| line.strip_prefix("failpoint ")) {
        *passed.entry(name.to_owned()).or_default() += 1;
    }
    passed
}

/// The first, second, third and last time of each point.
fn cases(passed: &BTreeMap<String, usize>) -> Vec<(String, usize)> {
    let mut cases = vec![];
    for (point, last) in passed {
        let times: BTreeSet<usize> = [1, 2, 3, *last].into_iter().filter(|n| n <= last).collect();
        cases.extend(times.into_iter().map(|n| (point.clone(), n)));
    }
    cases
}

#[track_caller]
fn expect_all_passed(passed: &BTreeMap<String, usize>, prefixes: &[&str]) {
    for point in in_source().iter().filter(|point| prefixes.iter().any(|prefix| point.starts_with(prefix))) {
        assert!(passed.contains_key(point), "{point} was not passed: {passed:?}");
    }
}

/// The names in the program's source.
fn in_source() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for path in files(&PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src")) {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let calls = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        for call in calls.flat_map(|line| line.split("failpoint!(\"").skip(1)) {
            names.extend(call.split_once('"').map(|(name, _)| name.to_owned()));
        }
    }
    assert!(names.len() > 15, "{names:?}");
    names
}

/// Tables, columns, functions and comments, and the data that migrations bring.
fn schema(db: &Database) -> Vec<Option<String>> {
    let mut sql = db.client();
    let lines = sql.query(include_str!("data_model.sql"), &[]).expect("the catalogue");
    let mut all: Vec<Option<String>> = lines.iter().map(|row| row.get(0)).collect();
    for query in [
        "select string_agg(pg_get_constraintdef(oid), ',' order by conrelid::regclass::text, conname) from pg_constraint",
        "select string_agg(indexdef, ',' order by schemaname, indexname) from pg_indexes where schemaname !~ '^pg_'",
        "select md5(string_agg(m::text, ',' order by metric_code)) from meta.metrics m",
        "select string_agg(s.source_system, ',' order by s.source_system) from meta.source_systems s",
        "select count(*) from meta.users",
        "select string_agg(version || ' ' || checksum, ',' order by version) from meta.refinery_schema_history",
    ] {
        all.push(value(&mut sql, query));
    }
    all
}
