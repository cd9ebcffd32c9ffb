//! Runs that are stopped, killed, doubled or cut off from the database.

use std::process::Stdio;
use std::time::Duration;

use chrono::TimeDelta;
use nix::sys::signal::Signal;

use crate::providers::whoop::Whoop;
use crate::providers::whoop::records::Scored;
use crate::support::faults::{Fired, What, When};
use crate::support::net::Gate;
use crate::support::pg::HEALTH;
use crate::support::rows::{count, covers, rows, run_states, value};
use crate::support::subject::Subject;
use crate::support::world::{World, now, until};

/// A world in which page `n` of the sleeps waits for the gate.
fn gated(n: usize) -> (World<Whoop>, Gate, Fired) {
    let world = World::connected(Whoop::many(now()));
    let gate = Gate::default();
    let fault = world.fault(When::resource("sleeps").nth(n), What::gate(&gate));
    (world, gate, fault)
}

fn end_backends(world: &World<Whoop>) {
    let others = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
    world.sql().batch_execute(others).expect("ended sessions");
}

/// Whether whoever started the tests ignores the signal: what it starts does so too, and rightly.
fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or_default();
    let bits = u64::from_str_radix(ignored.trim(), 16).unwrap_or_default();
    bits & (1 << (signal as i32 - 1)) != 0
}

#[test]
fn k9_signals_end_at_a_page_border() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143), (Signal::SIGHUP, 129)] {
        if is_ignored(signal) {
            eprintln!("{signal} is ignored here, as under nohup, and so by the program: not tried");
            continue;
        }
        let (world, gate, fault) = gated(2);
        let running = world.start_ingest();
        world.until_fired(&fault);
        running.signal(signal);
        gate.open();
        let run = running.wait(&world.home).expect(code);
        assert!(run.took.as_secs() < 20, "{:?}", run.took);
        assert_eq!(run_states(&mut world.sql()).last().map(String::as_str), Some("interrupted"));
        world.oracle().fired(&fault).check();
    }
}

#[test]
fn k9_a_provider_that_hangs_does_not_hold_us() {
    let world = World::connected(Whoop::many(now()));
    let fault = world.fault(When::resource("sleeps").nth(2), What::hang());
    let running = world.start_ingest();
    world.until_fired(&fault);
    let asked = std::time::Instant::now();
    running.signal(Signal::SIGINT);
    running.wait(&world.home).expect(130);
    assert!(asked.elapsed().as_secs() < 5, "{:?} until the end", asked.elapsed());
    world.oracle().fired(&fault).check();
}

#[test]
fn k10_twice_is_at_once() {
    let world = World::connected(Whoop::many(now()));
    let fault = world.fault(When::resource("sleeps").nth(2), What::hang());
    let running = world.start_ingest();
    world.until_fired(&fault);
    running.signal(Signal::SIGINT);
    running.signal(Signal::SIGINT);
    running.wait(&world.home).expect(130);
    world.oracle().fired(&fault).check();
}

#[test]
fn k9_a_signal_also_ends_the_models() {
    for (signal, code) in [(Signal::SIGINT, 130), (Signal::SIGTERM, 143)] {
        let world = World::connected(Whoop::few(now()));
        let mut other = world.sql();
        let mut holding = other.transaction().expect("a transaction");
        holding.batch_execute("lock table canonical.sleep_sessions in access exclusive mode").expect("a lock");
        let running = world.start_ingest();
        let waiting = "pg_locks where not granted and relation = 'canonical.sleep_sessions'::regclass";
        until(|| count(&mut world.sql(), waiting) > 0);
        let asked = std::time::Instant::now();
        running.signal(signal);
        running.wait(&world.home).expect(code).says("stopped on request");
        assert!(asked.elapsed().as_secs() < 5, "{:?} until the end", asked.elapsed());
        drop(holding);
        world.oracle().check();
    }
}

#[test]
fn a_command_without_pages_ends_at_once_and_says_so() {
    let world = World::<Whoop>::loaded_few();
    let mut sql = world.sql();
    let mut holding = sql.transaction().expect("a transaction");
    holding.batch_execute("lock table whoop_raw.sleeps in access exclusive mode").expect("a lock");
    let running = world.home.start(&["transform", "whoop", "--rebuild"]);
    until(|| {
        let waiting = "select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()";
        !rows(&mut world.sql(), waiting).is_empty()
    });
    running.signal(Signal::SIGINT);
    running.wait(&world.home).expect(130).says("stopped on request");
    holding.rollback().expect("an end");
    world.oracle().check();
}

#[test]
fn a_session_that_a_killed_run_left_behind_is_waited_for() {
    let world = World::connected(Whoop::few(now()));
    let mut gone = std::process::Command::new("true").spawn().expect("a process");
    gone.wait().expect("an end");
    let left = format!(
        "health pid {} on {}",
        gone.id(),
        nix::sys::utsname::uname().expect("a name").nodename().to_string_lossy()
    );
    let mut holder = world.sql();
    let key = u64::from_str_radix(
        &value(&mut holder, "select encode(sha256('health account 1 1'), 'hex')").unwrap()[..16],
        16,
    );
    holder
        .batch_execute(&format!(
            "set application_name = '{left}'; select pg_advisory_lock({})",
            key.expect("a number").cast_signed()
        ))
        .expect("a lock");
    let running = world.start_ingest();
    let asks = "select 1 from pg_stat_activity where query like '%pg_try_advisory_lock%' and application_name like 'health pid %'
                   and datname = current_database() and pid <> pg_backend_pid()";
    until(|| !rows(&mut world.sql(), asks).is_empty());
    drop(holder);
    running.wait(&world.home).expect(0);
    world.oracle().check();
}

#[test]
fn a_run_that_is_to_outlive_its_terminal_does() {
    let (world, gate, fault) = gated(1);
    let mut command = std::process::Command::new("sh");
    command.args(["-c", r#"trap '' HUP; exec "$0" ingest whoop"#, HEALTH]).env_clear().current_dir(world.home.work());
    for (name, value) in world.home.command(&[]).get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    let mut running = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().expect("a run");
    world.until_fired(&fault);
    let process = nix::unistd::Pid::from_raw(i32::try_from(running.id()).expect("a number"));
    nix::sys::signal::kill(process, Signal::SIGHUP).expect("a signal");
    gate.open();
    assert_eq!(running.wait().expect("an end").code(), Some(0));
    world.oracle().fired(&fault).check();
}

#[test]
fn k1_killed_after_any_page() {
    for n in 1..=3 {
        let (world, _gate, fault) = gated(n);
        let running = world.start_ingest();
        world.until_fired(&fault);
        if n > 1 {
            // The page before has been committed, or is about to be.
            until(|| count(&mut world.sql(), "whoop_raw.sleeps") > 0);
        }
        world.health(&["status"]).expect(0).says("running");
        running.kill(&world.home);
        until(|| world.health(&["status"]).expect(0).stdout.contains("killed"));
        world.oracle().fired(&fault).check();
        assert_eq!(run_states(&mut world.sql()).iter().filter(|s| *s == "interrupted").count(), 1);
    }
}

#[test]
fn p14_a_resumed_slice_knows_what_the_pages_before_it_left_unfinished() {
    // Newest first: the first page holds a night of 20 days ago that is still pending, far beyond the lookback.
    let (world, _gate, fault) = gated(2);
    let night = world.provider.with(|w| {
        let old = now() - TimeDelta::days(20);
        let night = w.person.sleeps.iter_mut().rfind(|s| !s.nap && s.start < old).expect("a night");
        night.state = Scored::Pending;
        night.id.clone()
    });
    let running = world.start_ingest();
    world.until_fired(&fault);
    until(|| count(&mut world.sql(), &format!("whoop_raw.sleeps where source_id = '{night}'")) > 0);
    running.kill(&world.home);
    world.provider.no_faults();
    world.ingest().expect(0);
    assert!(covers(&mut world.sql(), "sleeps", "2026-10-15T00:00:00Z"), "the slice was not closed");
    world.provider.with(|w| {
        let scored = w.person.sleeps.iter_mut().find(|s| s.id == night).expect("the night");
        scored.state = Scored::Yes;
        scored.updated += TimeDelta::hours(1);
    });
    world.later(Duration::from_hours(24));
    world.health(&["daily-refresh"]).expect(0);
    let last = format!("select is_final from canonical.sleep_sessions where raw_source_id = '{night}'");
    assert_eq!(value(&mut world.sql(), &last).as_deref(), Some("true"), "nobody asked for its score");
    world.oracle().fired(&fault).command(&["daily-refresh"]).check();
}

#[test]
fn k15_without_any_stream() {
    let world = World::connected(Whoop::few(now()));
    let mut command = std::process::Command::new("sh");
    command.args(["-c", r#"exec "$0" ingest whoop <&- >&- 2>&-"#, HEALTH]).env_clear().current_dir(world.home.work());
    for (name, value) in world.home.command(&[]).get_envs() {
        command.env(name, value.unwrap_or_default());
    }
    let status = command.stdin(Stdio::null()).status().expect("a run");
    assert_eq!(status.code(), Some(0));
    world.oracle().check();
}

#[test]
fn n1_the_second_run_is_told_who_is_first() {
    let (world, gate, fault) = gated(2);
    let first = world.start_ingest();
    world.until_fired(&fault);
    let second = world.ingest().expect(10);
    assert!(second.stderr.contains(&first.pid().to_string()), "{}", second.report());
    world.health(&["daily-refresh"]).expect(10);
    world.health(&["status"]).expect_one_of(&[0, 3]);
    gate.open();
    first.wait(&world.home).expect(0);
    world.oracle().fired(&fault).check();
}

#[test]
fn n3_a_stopped_run_wakes_up_fenced() {
    let (world, gate, fault) = gated(2);
    let first = world.start_ingest();
    world.until_fired(&fault);
    first.signal(Signal::SIGSTOP);
    world.ingest().expect(10);
    end_backends(&world);
    world.provider.no_faults();
    world.ingest().expect(0);
    let before = crate::support::rows::fingerprint(&mut world.sql());
    first.signal(Signal::SIGCONT);
    gate.open();
    first.wait(&world.home).expect_one_of(&[8, 10]);
    assert_eq!(before, crate::support::rows::fingerprint(&mut world.sql()), "a fenced run wrote something");
    world.oracle().fired(&fault).check();
}

#[test]
fn d2_the_database_session_ends_in_the_middle() {
    let (world, gate, fault) = gated(3);
    let running = world.start_ingest();
    world.until_fired(&fault);
    end_backends(&world);
    gate.open();
    running.wait(&world.home).expect_one_of(&[0, 8]);
    world.oracle().fired(&fault).check();
}

#[test]
fn d6_a_page_that_is_written_twice_forgets_nothing() {
    // The server refuses to close the slice, once, as it does after a deadlock: the last page is tried again as a whole.
    let world = World::connected(Whoop::many(now()));
    let trap = "create sequence public.hits;
         create function public.trip() returns trigger language plpgsql as $$ begin
           if new.resource = 'sleeps' and not isempty(new.covered) and nextval('public.hits') = 1 then
             raise exception 'conflict' using errcode = '40001';
           end if;
           return new; end $$;
         create trigger trip before insert or update on meta.coverage for each row execute function public.trip()";
    let mut sql = world.sql();
    sql.batch_execute(trap).expect("a trap");
    world.ingest().expect(0);
    let hits: i64 = sql.query_one("select last_value from public.hits", &[]).expect("hits").get(0);
    assert!(hits > 1, "the trap never fired: {hits}");
    assert_eq!(count(&mut sql, "whoop_raw.sleeps where missing_since_run_id is not null"), 0);
    sql.batch_execute("drop trigger trip on meta.coverage").expect("no trap");
    world.oracle().check();
}

#[test]
fn d7_a_lock_held_by_somebody_is_waited_for() {
    let world = World::<Whoop>::loaded_few();
    world.provider.with(Whoop::edit_recent);
    let mut other = world.sql();
    let mut reading = other.transaction().expect("a transaction");
    reading.query("select count(*) from canonical.sleep_sessions", &[]).expect("a read");
    world.ingest().expect(0); // readers do not stop us
    drop(reading);
    world.oracle().check();
}

#[test]
fn m9_migrating_while_a_run_is_active() {
    let (world, gate, fault) = gated(2);
    let running = world.start_ingest();
    world.until_fired(&fault);
    world.health(&["migrate"]).expect_one_of(&[0, 10]);
    gate.open();
    running.wait(&world.home).expect(0);
    world.oracle().fired(&fault).check();
}

#[test]
fn a_log_hears_of_a_resource_when_it_ends() {
    let (world, gate, fault) = gated(2);
    let mut running = world.start_ingest();
    // The sleeps are held back: whatever is said now is said during the run.
    let line = running.until_said("ingest read source=whoop resource=workouts ");
    assert!(line.contains("pages=") && line.contains("records=") && line.contains("whole=true"), "{line}");
    assert!(running.is_running());
    gate.open();
    let run = running.wait(&world.home).expect(0).says("ingest end source=whoop");
    assert_eq!(run.stderr.matches("ingest read source=whoop").count(), Whoop::LISTINGS.len() + 2, "{}", run.report());
    world.oracle().fired(&fault).check();
    // Without progress there is the closing summary alone.
    let run = world.health(&["ingest", "whoop", "--progress", "none"]).expect(0).says("ingest end source=whoop");
    assert!(!run.stderr.contains("ingest read "), "{}", run.report());
    assert!(world.health(&["ingest", "whoop", "-q"]).expect(0).stderr.is_empty());
}

#[test]
fn going_on_from_a_killed_run_is_told_off_a_terminal_too() {
    let (world, _gate, fault) = gated(2);
    let running = world.start_ingest();
    world.until_fired(&fault);
    running.kill(&world.home);
    until(|| world.health(&["status"]).expect(0).stdout.contains("killed"));
    let killed: i64 = world.sql().query_one("select max(run_id) from meta.import_runs", &[]).expect("a run").get(0);
    world.ingest().expect(0).says(&format!("continuing run {killed}, which was interrupted"));
    assert!(!world.ingest().expect(0).stderr.contains("continuing"), "told again");
}
