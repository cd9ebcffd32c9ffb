//! The figures, one after the other, on a server and a folder that are gone afterwards.

use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::{DateTime, Utc};
use postgres::{Client, NoTls};

use crate::provider::{Manner, Provider};
use crate::records::records;
use crate::shared::program::{Program, Result, Run};
use crate::shared::report::Row;

const INGEST: [&str; 2] = ["ingest", "whoop"];
/// 4 lists of 40 pages, the profile, the body.
const FIRST_LOAD: u64 = 162;
/// 1 page of each list, the profile, the body.
const LOOKBACK: u64 = 6;
const MEMORY: u64 = 48 << 10;
const TEN_YEARS: i64 = 3_653;

/// All of them, with the server stopped and removed whatever happens.
pub(crate) fn all() -> Result<Vec<Row>> {
    let dir = tempfile::tempdir()?;
    let server = Program::new(dir.path(), Vec::new());
    server.run(&["db", "start"])?;
    let measured = measure(dir.path(), &server);
    let stopped = server.run(&["db", "stop", "--force"]).and_then(|_| server.run(&["db", "destroy", "--yes"]));
    let rows = measured?;
    stopped?;
    Ok(rows)
}

fn measure(dir: &std::path::Path, server: &Program) -> Result<Vec<Row>> {
    let url = server.run(&["db", "url"])?.stdout.trim().to_owned();
    let thousand = Provider::start(records(1_000, now()))?;
    let mut rows = Vec::new();
    let fresh = |provider: &Provider, name: &str| -> Result<Program> {
        let home = dir.join(name);
        std::fs::create_dir(&home)?;
        let program = Program::new(&home, settings(provider)?).with_database(&url, name);
        program.run(&["migrate", "--create-database"])?;
        program.log_in("whoop", &[])?;
        Ok(program)
    };
    let program = fresh(&thousand, "first")?;
    first_load(&program, &thousand, &mut rows)?;
    nothing_new(&program, &thousand, &mut rows)?;
    latency(&fresh(&thousand, "latency")?, &thousand, &mut rows)?;
    limited(&fresh(&thousand, "limited")?, &thousand, &mut rows)?;
    let decade = Provider::start(records(TEN_YEARS, now()))?;
    ten_years(&fresh(&decade, "decade")?, &decade, &mut rows)?;
    Ok(rows)
}

/// What leads the program to the simulated provider.
fn settings(provider: &Provider) -> Result<Vec<(&'static str, String)>> {
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    let address = &provider.address;
    Ok(vec![
        ("WHOOP_CLIENT_ID", "bench".into()),
        ("WHOOP_CLIENT_SECRET", "bench-secret".into()),
        ("WHOOP_REDIRECT_URI", format!("http://127.0.0.1:{port}/callback/whoop")),
        ("WHOOP_BASE_URL", format!("{address}/developer")),
        ("WHOOP_AUTHORIZE_URL", format!("{address}/oauth/oauth2/auth")),
        ("WHOOP_TOKEN_URL", format!("{address}/oauth/oauth2/token")),
    ])
}

fn first_load(program: &Program, provider: &Provider, rows: &mut Vec<Row>) -> Result<()> {
    say("first load, 4 x 1,000 records");
    provider.behave(Manner::default());
    let run = program.run(&INGEST)?;
    let requests = provider.counts().data.load(Ordering::SeqCst);
    expect_rows(program, 1_000)?;
    rows.push(exact("4 × 1,000 records, pages of 25, first load: requests", FIRST_LOAD, requests));
    rows.push(under("the same: wall time", Duration::from_secs(3), run.wall));
    rows.push(memory("the same: peak memory", &run));
    Ok(())
}

fn nothing_new(program: &Program, provider: &Provider, rows: &mut Vec<Row>) -> Result<()> {
    say("the same again, nothing new");
    let mut client = connect(program)?;
    let before = written(&mut client)?;
    provider.behave(Manner::default());
    let run = program.run(&INGEST)?;
    let requests = provider.counts().data.load(Ordering::SeqCst);
    let after = written(&mut client)?;
    rows.push(exact("same again, nothing new: requests (lookback alone)", LOOKBACK, requests));
    rows.push(exact("the same: tuples inserted, updated, deleted in raw and canonical", 0, after.abs_diff(before)));
    rows.push(note("the same: wall time", run.wall));
    Ok(())
}

fn latency(program: &Program, provider: &Provider, rows: &mut Vec<Row>) -> Result<()> {
    say("first load with 100 ms for each request");
    let latency = Duration::from_millis(100);
    provider.behave(Manner { latency, limit: None });
    let run = program.run(&INGEST)?;
    expect_rows(program, 1_000)?;
    let chain = latency * 40;
    rows.push(under("first load with 100 ms a request: wall time, longest chain 4.0 s", chain.mul_f64(1.3), run.wall));
    Ok(())
}

fn limited(program: &Program, provider: &Provider, rows: &mut Vec<Row>) -> Result<()> {
    say("first load from a provider that allows 50 requests in 6 s");
    provider.behave(Manner { latency: Duration::ZERO, limit: Some((50, Duration::from_secs(6))) });
    let run = program.run(&INGEST)?;
    expect_rows(program, 1_000)?;
    let refused = provider.counts().refused.load(Ordering::SeqCst);
    let allowed = Duration::from_secs(18);
    rows.push(under("first load at 50 requests in 6 s: wall time, allowed 18 s", allowed.mul_f64(1.2), run.wall));
    rows.push(Row {
        what: "the same: requests refused".into(),
        target: "≤ 4".into(),
        measured: refused.to_string(),
        ok: refused <= 4,
    });
    Ok(())
}

fn ten_years(program: &Program, provider: &Provider, rows: &mut Vec<Row>) -> Result<()> {
    say("ten years");
    provider.behave(Manner::default());
    let load = program.run(&INGEST)?;
    expect_rows(program, TEN_YEARS)?;
    rows.push(note("ten years (4 × 3,653 records), first load: wall time", load.wall));
    rows.push(memory("the same: peak memory", &load));
    let rebuild = program.run(&["transform", "whoop", "--rebuild"])?;
    rows.push(under("canonical models over ten years, rebuilt", Duration::from_secs(2), rebuild.wall));
    rows.push(under("`health --help`, median of 10", Duration::from_millis(20), program.median(&["--help"])?));
    let status = program.median(&["status"])?;
    rows.push(under("`health status` with ten years, median of 10", Duration::from_millis(100), status));
    Ok(())
}

fn connect(program: &Program) -> Result<Client> {
    Ok(Client::connect(program.database_url().ok_or("no database of its own")?, NoTls)?)
}

/// A figure counts only when everything arrived.
fn expect_rows(program: &Program, days: i64) -> Result<()> {
    let mut client = connect(program)?;
    for table in ["cycles", "sleeps", "recoveries", "workouts"] {
        let count: i64 = client.query_one(&format!("select count(*) from whoop_raw.{table}"), &[])?.get(0);
        if count != days {
            return Err(format!("whoop_raw.{table} holds {count} rows, not {days}").into());
        }
    }
    let nights: i64 = client.query_one("select count(*) from canonical.sleep_sessions", &[])?.get(0);
    if nights == days {
        Ok(())
    } else {
        Err(format!("canonical.sleep_sessions holds {nights} rows, not {days}").into())
    }
}

/// Tuples ever written in raw and canonical. The server hands its counts over within a second of a session's end.
fn written(client: &mut Client) -> Result<u64> {
    std::thread::sleep(Duration::from_secs(2));
    let sum: i64 = client
        .query_one(
            "select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint from pg_stat_user_tables
              where schemaname in ('whoop_raw', 'canonical')",
            &[],
        )?
        .get(0);
    Ok(u64::try_from(sum)?)
}

#[allow(clippy::disallowed_methods, reason = "the data ends where the program's own clock stands")]
fn now() -> DateTime<Utc> {
    Utc::now()
}

fn say(what: &str) {
    eprintln!("measuring: {what}");
}

fn exact(what: &'static str, target: u64, measured: u64) -> Row {
    Row { what: what.into(), target: target.to_string(), measured: measured.to_string(), ok: measured == target }
}

fn under(what: &'static str, target: Duration, measured: Duration) -> Row {
    Row { what: what.into(), target: format!("< {}", shown(target)), measured: shown(measured), ok: measured < target }
}

fn note(what: &'static str, measured: Duration) -> Row {
    Row { what: what.into(), target: "–".into(), measured: shown(measured), ok: true }
}

/// Where the system does not tell the peak, the target is not met.
fn memory(what: &'static str, run: &Run) -> Row {
    let mib = |kib: u64| format!("{}.{} MiB", kib >> 10, ((kib & 1023) * 10) >> 10);
    Row {
        what: what.into(),
        target: format!("< {} MiB", MEMORY >> 10),
        measured: run.peak.map_or_else(|| "not told by this system".into(), mib),
        ok: run.peak.is_some_and(|peak| peak < MEMORY),
    }
}

fn shown(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{:.1} ms", time.as_secs_f64() * 1e3)
    } else {
        format!("{:.2} s", time.as_secs_f64())
    }
}
