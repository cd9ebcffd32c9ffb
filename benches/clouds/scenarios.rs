//! The figures, one after the other, on a server and a folder that are gone afterwards.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Utc};
use postgres::{Client, NoTls};

use crate::clouds::{self, Cloud};
use crate::shared::program::{Program, Result, Run};
use crate::shared::report::Row;

const MEMORY: u64 = 64 << 10;
const CANONICAL: Duration = Duration::from_secs(5);
const POINTS: f64 = 200_000.0;
const LATENCY: Duration = Duration::from_millis(100);
const TOGETHER: f64 = 1.2;

/// All of them, with the server stopped and removed whatever happens.
pub(crate) fn all(only: &[&str]) -> Result<Vec<Row>> {
    let dir = tempfile::tempdir()?;
    let server = Program::new(dir.path(), Vec::new());
    server.run(&["db", "start"])?;
    let measured = measure(dir.path(), &server, only);
    let stopped = server.run(&["db", "stop", "--force"]).and_then(|_| server.run(&["db", "destroy", "--yes"]));
    let rows = measured?;
    stopped?;
    Ok(rows)
}

/// Where programs get their databases.
struct Place<'a> {
    dir: &'a Path,
    url: String,
}

impl Place<'_> {
    /// A program with a database of its own that is logged in at `clouds`.
    fn fresh(&self, name: &str, clouds: &[&Cloud]) -> Result<Program> {
        let home = self.dir.join(name);
        std::fs::create_dir(&home)?;
        let settings = clouds.iter().flat_map(|cloud| cloud.settings.clone()).collect();
        let program = Program::new(&home, settings).with_database(&self.url, name);
        program.run(&["migrate", "--create-database"])?;
        for cloud in clouds {
            program.log_in(cloud.id, cloud.login)?;
            cloud.asked();
        }
        Ok(program)
    }
}

fn measure(dir: &Path, server: &Program, only: &[&str]) -> Result<Vec<Row>> {
    let place = Place { dir, url: server.run(&["db", "url"])?.stdout.trim().to_owned() };
    let (mut rows, now) = (Vec::new(), now());
    let clouds = clouds::all(only, now);
    let mut bare = Vec::new();
    let program = place.fresh("all", &clouds.iter().collect::<Vec<_>>())?;
    for cloud in &clouds {
        match ten_years(&program, cloud, &mut rows) {
            Ok(wall) => bare.push((cloud.id, wall)),
            Err(error) => rows.push(Row {
                what: format!("`{}`", cloud.id),
                target: "–".into(),
                measured: error.to_string(),
                ok: false,
            }),
        }
    }
    for cloud in clouds::dense(only, now) {
        let without = bare.iter().find(|(id, _)| *id == cloud.id).map(|(_, wall)| *wall);
        series(&place, &cloud, without.unwrap_or_default(), &mut rows)?;
    }
    if clouds.len() > 1 {
        together(&program, &clouds, &mut rows)?;
    }
    Ok(rows)
}

/// A first load, its models, and the same again; how long the models took.
fn ten_years(program: &Program, cloud: &Cloud, rows: &mut Vec<Row>) -> Result<Duration> {
    let id = cloud.id;
    say(&format!("{id}: ten years"));
    let load = program.run(&["ingest", id, "--raw-only"])?;
    let (requests, repeated) = cloud.asked();
    let mut client = connect(program)?;
    expect_records(&mut client, cloud)?;
    rows.push(Row {
        what: format!("`{id}`, ten years, {} records: requests", cloud.records()),
        target: cloud.least.map_or("–".into(), |least| least.to_string()),
        measured: requests.to_string(),
        ok: cloud.least.is_none_or(|least| requests == least),
    });
    rows.push(Row {
        what: "the same: requests that repeat another".into(),
        target: "0".into(),
        measured: repeated.to_string(),
        ok: repeated == 0,
    });
    rows.push(note("the same: wall time, raw alone", load.wall));
    rows.push(memory("the same: peak memory", &load));
    let models = program.run(&["transform", id])?;
    rows.push(under("the same: canonical, first time", CANONICAL, models.wall));
    rows.push(memory("the same: peak memory", &models));
    let before = written(&mut client)?;
    let again = program.run(&["ingest", id])?;
    let after = written(&mut client)?;
    rows.push(Row {
        what: format!(
            "the same again, nothing new ({} requests): tuples written in raw and canonical",
            cloud.asked().0
        ),
        target: "0".into(),
        measured: after.abs_diff(before).to_string(),
        ok: after == before,
    });
    rows.push(note("the same: wall time", again.wall));
    Ok(models.wall)
}

/// The same with series by the thousand: what they cost beyond the rest.
fn series(place: &Place, cloud: &Cloud, without: Duration, rows: &mut Vec<Row>) -> Result<()> {
    let id = cloud.id;
    say(&format!("{id}: {} values in series", cloud.points));
    let program = place.fresh(&format!("{id}_dense"), &[cloud])?;
    let load = program.run(&["ingest", id, "--raw-only"])?;
    let (requests, _) = cloud.asked();
    let mut client = connect(&program)?;
    expect_records(&mut client, cloud)?;
    rows.push(Row {
        what: format!("`{id}`, the same with {} values in series: requests", cloud.points),
        target: cloud.least.map_or("–".into(), |least| least.to_string()),
        measured: requests.to_string(),
        ok: cloud.least.is_none_or(|least| requests == least),
    });
    rows.push(note("the same: wall time, raw alone", load.wall));
    rows.push(memory("the same: peak memory", &load));
    let models = program.run(&["transform", id])?;
    rows.push(memory("the same: peak memory of the models", &models));
    let held: i64 = client.query_one("select count(*) from canonical.sample_points", &[])?.get(0);
    if usize::try_from(held)? < cloud.points {
        return Err(format!("{id}: {held} values in canonical, not {}", cloud.points).into());
    }
    let took = models.wall.saturating_sub(without);
    #[allow(clippy::cast_precision_loss, reason = "a rate for a table")]
    let rate = cloud.points as f64 / took.as_secs_f64();
    rows.push(Row {
        what: format!("the same: canonical values a second ({} beyond the rest)", shown(took)),
        target: format!("≥ {POINTS:.0}"),
        measured: format!("{rate:.0}"),
        ok: rate >= POINTS,
    });
    Ok(())
}

/// Each alone and all at once, with latency, after everything has been read: the lookback of each.
fn together(program: &Program, clouds: &[Cloud], rows: &mut Vec<Row>) -> Result<()> {
    let mut client = connect(program)?;
    for cloud in clouds {
        cloud.delay(LATENCY);
    }
    let mut slowest = (Duration::ZERO, "");
    for cloud in clouds {
        say(&format!("{}: refreshed alone with 100 ms a request", cloud.id));
        let run = program.run(&["daily-refresh", cloud.id])?;
        rows.push(note(
            &format!("`{}` refreshed alone with 100 ms a request ({} requests): wall time", cloud.id, cloud.asked().0),
            run.wall,
        ));
        slowest = slowest.max((run.wall, cloud.id));
    }
    say("all of them refreshed with 100 ms a request");
    let before = written(&mut client)?;
    let run = program.run(&["daily-refresh"])?;
    let after = written(&mut client)?;
    let most = slowest.0.mul_f64(TOGETHER);
    rows.push(Row {
        what: format!("all {} refreshed together (the slowest alone: `{}`): wall time", clouds.len(), slowest.1),
        target: format!("≤ {} ({TOGETHER} ×)", shown(most)),
        measured: format!("{} ({:.2} ×)", shown(run.wall), run.wall.as_secs_f64() / slowest.0.as_secs_f64()),
        ok: run.wall <= most,
    });
    rows.push(memory("the same: peak memory", &run));
    rows.push(Row {
        what: "the same: tuples written in raw and canonical".into(),
        target: "0".into(),
        measured: after.abs_diff(before).to_string(),
        ok: after == before,
    });
    Ok(())
}

fn connect(program: &Program) -> Result<Client> {
    Ok(Client::connect(program.database_url().ok_or("no database of its own")?, NoTls)?)
}

/// A figure counts only when everything arrived.
fn expect_records(client: &mut Client, cloud: &Cloud) -> Result<()> {
    let tables: Vec<String> = client
        .query(
            "select format('%I.%I', schemaname, tablename) from pg_tables where schemaname = $1 and tablename <> 'history'",
            &[&format!("{}_raw", cloud.id)],
        )?
        .iter()
        .map(|row| row.get(0))
        .collect();
    let mut held = 0;
    for table in tables {
        held += client.query_one(&format!("select count(*) from {table}"), &[])?.get::<_, i64>(0);
    }
    let expected = cloud.records();
    if usize::try_from(held)? == expected {
        Ok(())
    } else {
        Err(format!("{} holds {held} records, not {expected}", cloud.id).into())
    }
}

/// Tuples ever written in raw and canonical. The server hands its counts over within a second of a session's end.
fn written(client: &mut Client) -> Result<u64> {
    std::thread::sleep(Duration::from_secs(2));
    let sum: i64 = client
        .query_one(
            "select coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0)::bigint from pg_stat_user_tables
              where schemaname = 'canonical' or schemaname like '%\\_raw'",
            &[],
        )?
        .get(0);
    Ok(u64::try_from(sum)?)
}

fn now() -> DateTime<Utc> {
    Utc::now()
}

fn say(what: &str) {
    eprintln!("measuring: {what}");
}

fn under(what: &str, target: Duration, measured: Duration) -> Row {
    Row { what: what.into(), target: format!("< {}", shown(target)), measured: shown(measured), ok: measured < target }
}

fn note(what: &str, measured: Duration) -> Row {
    Row { what: what.into(), target: "–".into(), measured: shown(measured), ok: true }
}

/// Where the system does not tell the peak, the target is not met.
fn memory(what: &str, run: &Run) -> Row {
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
