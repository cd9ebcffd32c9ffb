//! One or several accounts through extract, load and transform: what `ingest` and `daily-refresh` share. All accounts
//! extract at the same time into one loader; one that fails never stops another.

mod outcome;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use postgres::Client;
use serde_json::json;
use tokio::sync::mpsc;

use crate::commands::Context;
use crate::commands::terms;
use crate::db::{self, Target};
use crate::extract::slices::{self, Asked, Held, Planned};
use crate::extract::{self, Finished, Parts, Plan, Session, Wish};
use crate::failure::{Blame, Failure, Kind};
use crate::load::{self, Deletions, Load, Loader};
use crate::oauth::{Login, auth_command};
use crate::output::{ProgressMode, counted};
use crate::progress::Progress;
use crate::run::{self, Account, Connection, Person, Run, RunEnd, RunKind};
use crate::signals::Stop;
use crate::source::{Api, Early, Resource, Source};
use crate::transform;

pub(crate) use outcome::Report;

/// One account to bring up to date.
pub(crate) struct Job {
    pub(crate) source: &'static Source,
    pub(crate) account: String,
    pub(crate) resources: Vec<&'static Resource>,
}

/// What holds for all jobs of a call.
#[derive(Clone, Copy)]
pub(crate) struct Options {
    pub(crate) asked: Asked,
    /// Leave the models out.
    pub(crate) raw_only: bool,
    /// Let deletions of this run pass the fuse, except those that an empty listing would mean.
    pub(crate) accept_deletions: bool,
    pub(crate) max_requests: Option<u32>,
    /// Do not go on after this many seconds.
    pub(crate) max_time: Option<std::time::Duration>,
}

/// Batches that wait for the loader; more would only be memory.
const CHANNEL: usize = 8;

/// A job whose account is taken.
struct Taken {
    source: &'static Source,
    account: Account,
    run: Run,
    session: Arc<Session>,
    plan: Plan,
    progress: Progress,
    report: Report,
}

/// Runs all jobs to their end and reports each, in their order.
///
/// # Errors
/// Only what concerns all of them: the database, the person. What concerns one account stands in its report.
pub(crate) fn run(ctx: &Context, jobs: Vec<Job>, options: Options) -> Result<Vec<Report>, Failure> {
    let (target, mut client) = db::open_to_write(ctx)?;
    let person = Person::find(&mut client, ctx)?;
    run::expect_sane_clock(&mut client, &ctx.config.clock)?;
    let begun = Instant::now();
    let stop = Stop::default();
    let mut reports = Vec::new();
    let mut taken = Vec::new();
    for job in jobs {
        let place = reports.len();
        reports.push(Report::new(job.source, &job.account));
        match take(ctx, &mut client, &person, &job, options, &stop) {
            Ok(one) => taken.push((place, one)),
            Err(failure) => reports[place].fail(failure),
        }
    }
    if taken.is_empty() {
        return Ok(reports);
    }
    let (client, taken, loads, loaded) = fetch(client, &target, taken, &stop, options)?;
    let mut client = match &loaded {
        Err(failure) if failure.kind == Kind::Database => target.connect().map_err(|_| failure.again())?,
        _ => client,
    };
    for (((place, one), finished), load) in taken.into_iter().zip(loads) {
        one.progress.clear();
        reports[place] = conclude(ctx, &mut client, one, finished, &load, &loaded, options)?;
        reports[place].seconds = begun.elapsed().as_secs_f64();
    }
    Ok(reports)
}

/// What a job would read, resource by resource.
pub(crate) fn plan(ctx: &Context, job: &Job, asked: Asked) -> Result<Vec<(&'static str, Vec<Planned>)>, Failure> {
    let (_, mut client) = db::open(ctx)?;
    let person = Person::find(&mut client, ctx)?;
    let account = Account::find(&mut client, &person, job.source, &job.account)?;
    let now = ctx.config.clock.now();
    let of = |resource: &&'static Resource| {
        let held = match &account {
            Some(account) => load::coverage::held(&mut client, account, resource.name)?,
            None => Held::default(),
        };
        Ok((resource.name, slices::plan(resource, &held, asked, now)))
    };
    job.resources.iter().filter(|resource| resource.each.is_none()).map(of).collect()
}

/// How many records of each resource that is read one by one a job would read.
pub(crate) fn plan_singles(ctx: &Context, job: &Job, asked: Asked) -> Result<Vec<(&'static str, usize)>, Failure> {
    let (_, mut client) = db::open(ctx)?;
    let person = Person::find(&mut client, ctx)?;
    let Some(account) = Account::find(&mut client, &person, job.source, &job.account)? else { return Ok(Vec::new()) };
    let now = ctx.config.clock.now();
    let singles = job.resources.iter().filter(|resource| resource.each.is_some());
    singles
        .map(|one| Ok((one.name, load::singles::left(&mut client, &account, job.source, one, asked, now)?)))
        .collect()
}

/// Everything that must hold before the first request: login, back-off, the account itself; then the plan.
fn take(
    ctx: &Context,
    client: &mut Client,
    person: &Person,
    job: &Job,
    options: Options,
    stop: &Stop,
) -> Result<Taken, Failure> {
    let source = job.source;
    let Some(api) = &source.api else {
        return Err(Failure::new(Kind::Usage, format!("{} has no interface, only files", source.title)));
    };
    let login = Login::open(&ctx.config, source, &job.account)?.ok_or_else(|| not_connected(source, &job.account))?;
    let now = ctx.config.clock.now();
    let account = Account::ensure(client, person, source, &job.account, Connection::Active, now)?;
    if let Some(until) = account.not_before.filter(|until| *until > now) {
        let what = format!("{} asked not to be called before {} UTC", source.title, until.format("%Y-%m-%d %H:%M:%S"));
        return Err(Failure::new(Kind::Later, what).kept("all data").next("nothing to do; a later run goes on"));
    }
    let said = login.owner();
    if let (Some(known), Some(said)) = (&account.external_user_id, &said)
        && known != said
    {
        return Err(another_person(source, &job.account));
    }
    terms::expect_accepted(source, &account)?;
    let app = ctx.config.app(source)?;
    // A token goes to these addresses. One on this machine is somebody's own simulator and needs no warning.
    let is_own = std::iter::once(&app.base_url).chain(app.token_urls(None)).all(crate::config::is_loopback);
    for address in ctx.config.changed_addresses(source) {
        let said = format!("note: {} is contacted at another address: {address}", source.title);
        if is_own { ctx.out.debug(&said) } else { ctx.out.note(&said) }
    }
    let http = crate::http::client(&app.base_url)?;
    let run = Run::open(client, &account, RunKind::Ingest, now)?;
    let granted = login.granted();
    let mut report = Report::new(source, &job.account);
    report.run_id = Some(run.run_id);
    if let Some(earlier) = run.continues {
        ctx.out.note(&format!("continuing run {earlier}, which was interrupted"));
    }
    let (mut resources, mut singles, mut closed) = (Vec::new(), Vec::new(), Vec::new());
    for resource in &with_teller(api, &job.resources) {
        if !resource.is_open_to(&granted) {
            if !resource.may_be_withheld {
                closed.push(resource.name);
            }
            continue;
        }
        if resource.each.is_some() {
            singles.push(*resource);
            continue;
        }
        let held = load::coverage::held(client, &account, resource.name)?;
        resources.push((*resource, slices::plan(resource, &held, options.asked, now)));
    }
    // Since when there may be anything is asked where that spares questions, and nobody asks for it anyway.
    let spares = |(one, planned): &(&Resource, Vec<Planned>)| one.early != Early::Windows && planned.len() > 1;
    if resources.iter().any(spares) {
        let is_planned = |one: &&Resource| resources.iter().any(|(other, _)| other.name == one.name);
        let tells = |one: &&Resource| !one.first_day.is_empty() && one.is_open_to(&granted);
        let teller = api.resources.iter().filter(tells).find(|one| !is_planned(one));
        resources.extend(teller.map(|one| (one, slices::plan(one, &Held::default(), options.asked, now))));
    }
    report.not_granted(source, &closed);
    if ctx.out.progress_mode() == ProgressMode::Bar {
        ctx.out.note(&planned(&resources, api));
    }
    let leads = load::coverage::leads(client, &account, source, &job.resources)?;
    let wish = Wish { asked: options.asked, now };
    let plan =
        Plan { run: run.run_id, owner: account.external_user_id.clone().or(said), resources, singles, leads, wish };
    let session = Arc::new(Session::new(Parts {
        source,
        api,
        client: http,
        base: app.base_url,
        login,
        clock: ctx.config.clock.clone(),
        stop: stop.clone(),
        out: ctx.out.clone(),
        max_requests: options.max_requests,
        quotas: account.quotas(client)?,
    }));
    Ok(Taken { source, account, run, session, plan, progress: Progress::new(&ctx.out, source.id), report })
}

/// What is asked for, and before it the resource that alone says whose records these are: a part of them must not be of
/// somebody else either.
fn with_teller(api: &'static Api, asked: &[&'static Resource]) -> Vec<&'static Resource> {
    let is_asked = |one: &&Resource| asked.iter().any(|other| other.name == one.name);
    let tellers = api.resources.iter().filter(|one| !one.owner.is_empty() && !is_asked(one));
    tellers.chain(asked.iter().copied()).collect()
}

/// What is about to be asked for. A provider says only page by page how much there is, so requests are a least number.
fn planned(resources: &[(&Resource, Vec<Planned>)], api: &Api) -> String {
    let tells = resources.iter().any(|(one, _)| !one.first_day.is_empty());
    let (mut requests, mut days) = (0, 0);
    for (one, planned) in resources {
        // Of others it is known only on the way how many of their windows have to be asked for.
        let is_known = one.led_by.is_empty() && (one.early == Early::Windows || !tells);
        requests += if is_known { planned.len() as u64 } else { planned.len().min(1) as u64 };
        days = planned.iter().map(|one| (one.slice.to - one.slice.from).num_days()).chain([days]).max().unwrap_or(days);
    }
    // A first load reaches back to the beginning of everything, which is no number of days to wait for.
    let days = if days > 36_525 { "all of history".to_owned() } else { counted(days, "day") };
    format!(
        "plan: {}, {days}, at least {} (limit: {})\n",
        counted(resources.len() as u64, "resource"),
        counted(requests, "request"),
        api.limits.shown()
    )
}

/// The three lines for a source that nobody logged in to.
fn not_connected(source: &Source, account: &str) -> Failure {
    Failure::new(Kind::Login, format!("{} is not connected", source.title)).next(auth_command(source, account))
}

/// The three lines for a login of somebody else than the one whose records an account holds.
fn another_person(source: &Source, account: &str) -> Failure {
    let title = source.title;
    Failure::new(
        Kind::Refused,
        format!(
            "the login at {title} is that of another person than the one whose records account \"{account}\" holds"
        ),
    )
    .kept("all data; nothing was asked for")
    .next(format!(
        "log in as that person: {} --again, or keep this one apart with --account NAME",
        auth_command(source, account)
    ))
}

type Fetched = (Client, Vec<((usize, Taken), Vec<Finished>)>, Vec<Load>, Result<(), Failure>);

/// The concurrent part: the loader on a thread of its own, all accounts on this one.
fn fetch(
    client: Client,
    target: &Target,
    mut taken: Vec<(usize, Taken)>,
    stop: &Stop,
    options: Options,
) -> Result<Fetched, Failure> {
    let (sender, receiver) = mpsc::channel(CHANNEL);
    let loads = taken
        .iter()
        .map(|(_, one)| {
            Load::new(
                one.run.clone(),
                one.source,
                Deletions::of(one.source, &one.report.account, options.accept_deletions),
            )
        })
        .collect();
    let loader = Loader { target: target.clone(), client, loads };
    let loader =
        std::thread::Builder::new().name("loader".into()).spawn(move || loader.run(receiver)).blame(Kind::Local)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().blame(Kind::Local)?;
    let finished: Vec<Vec<Finished>> = runtime.block_on(async {
        let listening = stop.listen();
        let mut tasks = Vec::new();
        for (_, one) in &mut taken {
            let nothing = Plan {
                run: 0,
                owner: None,
                resources: Vec::new(),
                singles: Vec::new(),
                leads: HashMap::new(),
                wish: one.plan.wish,
            };
            let plan = std::mem::replace(&mut one.plan, nothing);
            tasks.push(tokio::spawn(extract::extract(one.session.clone(), plan, sender.clone(), one.progress.clone())));
        }
        drop(sender);
        if let Some(most) = options.max_time {
            let stop = stop.clone();
            tokio::spawn(async move {
                tokio::time::sleep(most).await;
                stop.time_is_up();
            });
        }
        let mut all = Vec::new();
        for task in tasks {
            all.push(task.await.unwrap_or_default());
        }
        drop(listening);
        all
    });
    drop(runtime); // before the client comes back: it must never be dropped inside
    let (loader, loaded) = loader.join().map_err(|_| Failure::new(Kind::Bug, "the loader broke"))?;
    Ok((loader.client, taken.into_iter().zip(finished).collect(), loader.loads, loaded))
}

/// Models, books and report of one account, once everything that arrived is committed.
fn conclude(
    ctx: &Context,
    client: &mut Client,
    one: Taken,
    finished: Vec<Finished>,
    load: &Load,
    loaded: &Result<(), Failure>,
    options: Options,
) -> Result<Report, Failure> {
    let mut report = one.report;
    report.requests = one.session.requests();
    report.take_load(load, finished, loaded);
    match one.session.login_died() {
        Ok(true) => report.connection = Some(Connection::NeedsAuth),
        Ok(false) => {}
        Err(failure) => report.fail(failure),
    }
    if let (Some(signal), None) = (one.session.asked_to_stop(), report.signal) {
        report.stopped(signal); // after the last page, so that no resource noticed
    }
    if !load.fenced {
        let arrived = load.counts.iter().filter(|(_, counts)| counts.fetched() > 0).map(|(resource, _)| *resource);
        load::reject::resolve(client, &one.run, one.source, arrived).map_err(|error| db::failure(&error))?;
    }
    if !options.raw_only && !load.fenced && report.signal.is_none() && loaded.is_ok() {
        match transform::transform(client, &db::another(ctx), one.source, &one.run, false) {
            Ok(models) => report.models = models,
            Err(failure) => report.fail(failure),
        }
    }
    report.tell_rejects(client, &one.run)?;
    report.covered = outcome::covered(client, &one.account)?;
    let connection = report.connection.unwrap_or(Connection::Active);
    if !load.fenced {
        one.account.note_state(client, connection, report.not_before)?;
        one.account.note_quotas(client, &one.session.quotas())?;
    }
    let scope: Vec<_> = load
        .closed
        .iter()
        .map(|(resource, slice)| json!({"resource": resource, "from": slice.from, "to": slice.to}))
        .collect();
    let end = RunEnd {
        exit: report.exit(),
        fenced: load.fenced,
        error: report.failures.first().map(|failure| failure.error.to_string()),
        complete_scope: scope.into(),
        counts: report.counts_json(),
    };
    one.run.close(client, &end, ctx.config.clock.now())?;
    Ok(report)
}
