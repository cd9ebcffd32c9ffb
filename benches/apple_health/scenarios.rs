//! The figures: reference and candidate in turns, so that a busy moment hits both.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use postgres::{Client, NoTls};

use crate::Plan;
use crate::export::Export;
use crate::files::{inflate, zipped, zipped_at};
use crate::peer;
use crate::reference::Reference;
use crate::shared::program::{Program, Result, Run};
use crate::shared::report::Row;

/// Figures that grow with the document are asked for at this size.
const LARGE: u64 = 1_200;

/// All of them, with the server stopped and removed whatever happens.
pub(crate) fn all(plan: &Plan) -> Result<Vec<Row>> {
    let dir = tempfile::tempdir()?;
    std::fs::set_permissions(dir.path(), Permissions::from_mode(0o777))?; // the server may run as somebody else
    let server = Program::new(dir.path(), Vec::new());
    server.run(&["db", "start"])?;
    let measured = Bench::new(plan, dir.path(), &server).and_then(Bench::measure);
    let stopped = server.run(&["db", "stop", "--force"]).and_then(|_| server.run(&["db", "destroy", "--yes"]));
    let rows = measured?;
    stopped?;
    Ok(rows)
}

struct Bench<'a> {
    plan: &'a Plan,
    dir: &'a Path,
    url: String,
    /// The first export, the same history exported again, and a later one, each with its number of records.
    first: (PathBuf, u64),
    again: (PathBuf, u64),
    later: (PathBuf, u64),
    bytes: u64,
}

/// One turn of each.
struct Round {
    inflate: Duration,
    copied: Duration,
    frozen: Duration,
    first: Run,
    same: Run,
    again: Run,
    later: Run,
    /// None where only raw is measured.
    canonical: Option<Run>,
}

impl<'a> Bench<'a> {
    fn new(plan: &'a Plan, dir: &'a Path, server: &Program) -> Result<Self> {
        say(&format!("writing exports of {} MB", plan.megabytes));
        let first = Export::of(plan.megabytes);
        let again = Export { zone: chrono_tz::Asia::Tokyo, pointer_seed: 9, ..first.clone() };
        let later =
            Export { zone: chrono_tz::America::Los_Angeles, pointer_seed: 5, more: 20, gone: 200, ..first.clone() };
        let bench = Self {
            plan,
            dir,
            url: server.run(&["db", "url"])?.stdout.trim().to_owned(),
            first: zipped(dir, "first.zip", &first)?,
            again: zipped(dir, "again.zip", &again)?,
            later: zipped(dir, "later.zip", &later)?,
            bytes: 0,
        };
        Ok(Self { bytes: inflate(&bench.first.0)?.0, ..bench })
    }

    /// The program with an empty database of its own.
    fn fresh(&self, name: &str) -> Result<Program> {
        let home = self.dir.join(name);
        std::fs::create_dir_all(&home)?;
        let program = Program::new(&home, Vec::new()).with_database(&self.url, name);
        program.run(&["migrate", "--create-database"])?;
        Ok(program)
    }

    fn drop(&self, name: &str) -> Result<()> {
        let mut client = Client::connect(&self.url, NoTls)?;
        client.batch_execute(&format!("drop database \"{name}\" with (force)"))?;
        // What one round leaves behind must not be written out during the next.
        client.batch_execute("checkpoint")?;
        Ok(())
    }

    fn measure(self) -> Result<Vec<Row>> {
        let rows_of = self.fresh("rows_of")?;
        import(&rows_of, &self.first.0, true)?;
        let mut reference = Reference::take(rows_of.database_url().ok_or("no database of its own")?, self.dir)?;
        let mut rounds = Vec::new();
        for number in 1..=self.plan.rounds {
            say(&format!("round {number} of {}", self.plan.rounds));
            rounds.push(self.round(&mut reference, number)?);
        }
        let mut rows = self.rows(&rounds);
        if let Some(healthkit) = &self.plan.healthkit {
            let raw = median(rounds.iter().map(|round| round.first.wall.as_secs_f64()));
            let canonical: Option<Vec<f64>> =
                rounds.iter().map(|round| Some(round.canonical.as_ref()?.wall.as_secs_f64())).collect();
            let canonical = canonical.map(|walls| median(walls.into_iter()));
            rows.extend(peer::compared(self.plan.megabytes, self.dir, healthkit, raw, canonical)?);
        }
        if self.plan.large > 0 {
            rows.extend(self.large()?);
        }
        Ok(rows)
    }

    fn round(&self, reference: &mut Reference, number: usize) -> Result<Round> {
        let (raw, both) = (format!("raw_{number}"), format!("both_{number}"));
        let program = self.fresh(&raw)?;
        let copied = reference.logged()?;
        let first = import(&program.held_to(128), &self.first.0, true)?;
        expect_records(&program, self.first.1, 0)?;
        let frozen = reference.frozen()?;
        let inflate = inflate(&self.again.0)?.1;
        let again = import(&program.held_to(64), &self.again.0, true)?;
        expect_records(&program, self.first.1, 0)?;
        let same = import(&program, &self.first.0, true)?;
        let later = import(&program.held_to(128), &self.later.0, true)?;
        expect_records(&program, self.later.1, 1)?;
        drop(program);
        self.drop(&raw)?;
        let mut canonical = None;
        if !self.plan.raw {
            let program = self.fresh(&both)?;
            canonical = Some(import(&program.held_to(128), &self.first.0, false)?);
            self.drop(&both)?;
        }
        Ok(Round { inflate, copied, frozen, first, same, again, later, canonical })
    }

    fn rows(&self, rounds: &[Round]) -> Vec<Row> {
        let seconds = |of: fn(&Round) -> Duration| median(rounds.iter().map(|round| of(round).as_secs_f64()));
        let ratio = |of: fn(&Round) -> Duration, to: fn(&Round) -> Duration| {
            median(rounds.iter().map(|round| of(round).as_secs_f64() / to(round).as_secs_f64()))
        };
        let large = self.plan.megabytes >= LARGE;
        let first = |round: &Round| round.first.wall;
        let mut rows = vec![
            said(
                "XML, records, zip",
                format!("{} MB, {}, {} MB", self.bytes / 1_000_000, self.first.1, size(&self.first.0) / 1_000_000),
            ),
            said("inflating the document alone", shown(seconds(|round| round.inflate))),
            said("server-side COPY of the ready rows, then the key", shown(seconds(|round| round.copied))),
            said("the same in one transaction, frozen, without log", shown(seconds(|round| round.frozen))),
            said("zip → raw: wall, CPU of the program", timed(rounds, |round| &round.first)),
            times("the same against COPY and key", Some(1.25), ratio(first, |round| round.copied)),
            times("the same against COPY and key in one transaction", None, ratio(first, |round| round.frozen)),
            said("the same file again: wall", shown(seconds(|round| round.same.wall))),
            said("the same history exported again: wall, CPU of the program", timed(rounds, |round| &round.again)),
            times(
                "the same against inflating",
                large.then_some(2.5),
                ratio(|round| round.again.wall, |round| round.inflate),
            ),
            times("the same against the first import", Some(0.25), ratio(|round| round.again.wall, first)),
            said("2 % new, 0.02 % vanished: wall, CPU of the program", timed(rounds, |round| &round.later)),
            times("the same against the first import", Some(0.8), ratio(|round| round.later.wall, first)),
            memory("first import: peak memory", 128, rounds.iter().map(|round| &round.first)),
            memory("the same history again: peak memory", 64, rounds.iter().map(|round| &round.again)),
            memory("2 % new: peak memory", 128, rounds.iter().map(|round| &round.later)),
        ];
        if rounds.iter().all(|round| round.canonical.is_some()) {
            rows.extend(self.canonical(rounds));
        }
        rows
    }

    fn canonical(&self, rounds: &[Round]) -> [Row; 4] {
        let wall = |round: &Round| round.canonical.as_ref().map_or(f64::NAN, |run| run.wall.as_secs_f64());
        #[allow(clippy::cast_precision_loss, reason = "a count of records")]
        let rate = self.first.1 as f64 / median(rounds.iter().map(wall));
        let ratio = median(rounds.iter().map(|round| wall(round) / round.first.wall.as_secs_f64()));
        [
            said("zip → raw and canonical: wall", shown(median(rounds.iter().map(wall)))),
            times("the same against raw alone", Some(1.6), ratio),
            Row {
                what: "the same: records a second".into(),
                target: "≥ 300,000".into(),
                measured: format!("{rate:.0}"),
                ok: rate >= 300_000.0,
            },
            memory("the same: peak memory", 128, rounds.iter().filter_map(|round| round.canonical.as_ref())),
        ]
    }

    /// A first import and the same history again at another size, for their memory: ten times the document must not need
    /// more.
    fn large(&self) -> Result<[Row; 3]> {
        say(&format!("writing exports of {} MB", self.plan.large));
        let export = Export::of(self.plan.large);
        let (first, records) = zipped_at(self.dir, "large.zip", &export, 1)?;
        let program = self.fresh("large")?;
        say("importing it");
        let first_run = import(&program.held_to(128), &first, true)?;
        std::fs::remove_file(first)?;
        expect_records(&program, records, 0)?;
        let again = Export { zone: chrono_tz::Asia::Tokyo, pointer_seed: 9, ..export };
        let (again, _) = zipped_at(self.dir, "large_again.zip", &again, 1)?;
        let again_run = import(&program.held_to(64), &again, true)?;
        expect_records(&program, records, 0)?;
        drop(program);
        self.drop("large")?;
        let wall = |run: &Run| shown(run.wall.as_secs_f64());
        Ok([
            said(
                "a large document: XML, records; first import, again: wall",
                format!("{} MB, {records}; {}, {}", self.plan.large, wall(&first_run), wall(&again_run)),
            ),
            memory("the same: peak memory of the first import", 128, std::iter::once(&first_run)),
            memory("the same: peak memory again", 64, std::iter::once(&again_run)),
        ])
    }
}

fn import(program: &Program, path: &Path, raw_only: bool) -> Result<Run> {
    let path = path.to_str().ok_or("a path that is no text")?;
    let mut arguments = vec!["ingest", "apple-health", path];
    arguments.extend(raw_only.then_some("--raw-only"));
    program.run(&arguments)
}

/// A figure counts only when everything arrived, and what vanished is marked.
fn expect_records(program: &Program, expected: u64, least_missing: i64) -> Result<()> {
    let mut client = Client::connect(program.database_url().ok_or("no database of its own")?, NoTls)?;
    let query = "select count(*) filter (where missing_since_run_id is null), count(missing_since_run_id) from apple_health_raw.records";
    let row = client.query_one(query, &[])?;
    let (held, missing): (i64, i64) = (row.get(0), row.get(1));
    if held.unsigned_abs() != expected || missing < least_missing {
        return Err(format!("apple_health_raw.records holds {held} rows and {missing} missing, not {expected}").into());
    }
    Ok(())
}

fn size(path: &Path) -> u64 {
    std::fs::metadata(path).map_or(0, |about| about.len())
}

pub(crate) fn say(what: &str) {
    eprintln!("measuring: {what}");
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 { values[middle] } else { f64::midpoint(values[middle - 1], values[middle]) }
}

fn said(what: &'static str, measured: String) -> Row {
    Row { what: what.into(), target: "–".into(), measured, ok: true }
}

fn times(what: &'static str, most: Option<f64>, ratio: f64) -> Row {
    let target = most.map_or_else(|| "–".to_owned(), |most| format!("≤ {most} ×"));
    Row { what: what.into(), target, measured: format!("{ratio:.2} ×"), ok: most.is_none_or(|most| ratio <= most) }
}

fn timed(rounds: &[Round], of: fn(&Round) -> &Run) -> String {
    let wall = median(rounds.iter().map(|round| of(round).wall.as_secs_f64()));
    let cpu = median(rounds.iter().map(|round| of(round).cpu.map_or(f64::NAN, |cpu| cpu.as_secs_f64())));
    format!("{}, {}", shown(wall), shown(cpu))
}

/// Where the system does not tell the peak, the target is not met.
fn memory<'a>(what: &'static str, most: u64, runs: impl Iterator<Item = &'a Run>) -> Row {
    let peak = runs.map(|run| run.peak).max().flatten();
    let mib = |kib: u64| format!("{}.{} MiB", kib >> 10, ((kib & 1023) * 10) >> 10);
    Row {
        what: what.into(),
        target: format!("≤ {most} MiB"),
        measured: peak.map_or_else(|| "not told by this system".into(), mib),
        ok: peak.is_some_and(|peak| peak <= most << 10),
    }
}

pub(crate) fn shown(seconds: f64) -> String {
    if seconds < 1.0 { format!("{:.0} ms", seconds * 1e3) } else { format!("{seconds:.2} s") }
}
