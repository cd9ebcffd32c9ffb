//! Asks providers, page by page: slices become pages, pages become batches on their way to the loader. The resources of
//! an account are read at the same time under its one request budget. Async; knows no SQL.

pub(crate) mod borders;
pub(crate) mod bundles;
mod cut;
mod error;
mod lead;
mod limit;
pub(crate) mod paging;
mod quota;
mod records;
mod retry;
mod session;
mod singles;
pub(crate) mod slices;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use chrono::{DateTime, Duration, Utc};
use tokio::task::JoinSet;

pub(crate) use error::{ExtractError, Reach};
pub(crate) use lead::Lead;
pub(crate) use session::{Parts, Session};

use crate::failpoint::failpoint;
use crate::failure::Kind;
use crate::progress::Progress;
use crate::source::{Batch, Call, Closing, Lacking, Message, PageToken, Resource, Slice, Window};
use bundles::Bundles;
use cut::Cut;
use singles::Out;
use slices::{Asked, Planned};

/// What one run is to read.
pub(crate) struct Plan {
    pub(crate) run: i64,
    /// The provider's id of the person, as earlier runs learned it.
    pub(crate) owner: Option<String>,
    pub(crate) resources: Vec<(&'static Resource, Vec<Planned>)>,
    /// Beside those, the ones whose records are asked for one by one.
    pub(crate) singles: Vec<&'static Resource>,
    /// What is held of resources that lead others, by their names.
    pub(crate) leads: HashMap<&'static str, Lead>,
    pub(crate) wish: Wish,
}

/// What a person asked for, and when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wish {
    pub(crate) asked: Asked,
    pub(crate) now: DateTime<Utc>,
}

/// How one resource ended.
#[derive(Debug)]
pub(crate) struct Finished {
    pub(crate) resource: &'static str,
    pub(crate) result: Result<(), ExtractError>,
}

/// A provisional record older than this no longer holds coverage back: its score will not come.
const PROVISIONAL_DAYS: i64 = 30;

/// More pages than any slice has; a provider that counts on for ever is stopped here.
const MAX_PAGES: u32 = 200_000;

/// How often a page of the wrong shape is asked for again.
const SHAPE_RETRIES: u32 = 2;

/// Reads everything of `plan`; one resource's failure does not stop the others unless it reaches the account.
pub(crate) async fn extract(session: Arc<Session>, plan: Plan, out: Out, progress: Progress) -> Vec<Finished> {
    let owner = Arc::new(Mutex::new(plan.owner));
    let leads = Mutex::new(plan.leads);
    let walk = |resource: &'static Resource| Walk {
        session: session.clone(),
        run: plan.run,
        resource,
        out: out.clone(),
        owner: owner.clone(),
        progress: progress.clone(),
        pages: 0,
        lead: leads.lock().ok().and_then(|mut leads| leads.remove(resource.name)).unwrap_or_default(),
    };
    let mut finished = Vec::new();
    // Where one resource alone says whose records these are, nothing else is asked for before it has.
    let (first, rest): (Vec<_>, Vec<_>) = plan.resources.into_iter().partition(|(one, _)| !one.owner.is_empty());
    for (resource, slices) in first {
        let (end, _) = walk(resource).all(slices, None).await;
        let stops_all = end.result.as_ref().is_err_and(|error| error.reach == Reach::Account);
        finished.push(end);
        if stops_all {
            return finished;
        }
    }
    let mut tasks = JoinSet::new();
    let leads = |resource: &Resource, one: &Resource| one.led_by == resource.name;
    let (led, leading): (Vec<_>, Vec<_>) =
        rest.iter().cloned().partition(|(one, _)| rest.iter().any(|(other, _)| leads(other, one)));
    for (resource, slices) in leading {
        let followers: Vec<_> = led.iter().filter(|(one, _)| leads(resource, one)).cloned().collect();
        let (leader, followers) =
            (walk(resource), followers.into_iter().map(|(one, slices)| (walk(one), slices)).collect::<Vec<_>>());
        tasks.spawn(async move {
            let (end, lead) = leader.all(slices, None).await;
            let failed = end.result.as_ref().err().map(|error| error.failure.kind);
            let mut ends = vec![end];
            for (follower, slices) in followers {
                ends.push(match failed {
                    None => follower.all(slices, Some(&lead)).await.0,
                    Some(kind) => follower.waits(kind),
                });
            }
            ends
        });
    }
    let mut stops_all = false;
    while let Some(joined) = tasks.join_next().await {
        let Ok(ends) = joined else { continue }; // aborted after an error that reaches the account
        stops_all |= ends.iter().any(|end| end.result.as_ref().is_err_and(|error| error.reach == Reach::Account));
        finished.extend(ends);
        if stops_all {
            tasks.abort_all();
        }
    }
    if !stops_all {
        let singles = singles::read(walk, plan.singles, &plan.wish, &finished).await;
        finished.extend(singles);
    }
    finished
}

/// One resource on its way through its slices.
struct Walk {
    session: Arc<Session>,
    run: i64,
    resource: &'static Resource,
    out: Out,
    owner: Arc<Mutex<Option<String>>>,
    progress: Progress,
    pages: u32,
    /// What it listed so far, for those that it leads.
    lead: Lead,
}

impl Walk {
    /// Reads all slices; `lead` says where there is nothing to be read.
    async fn all(mut self, slices: Vec<Planned>, lead: Option<&Lead>) -> (Finished, Lead) {
        let mut result = Ok(());
        for step in lead::steps(slices, lead) {
            result = match step {
                lead::Step::Read(planned) => self.slice(planned).await,
                lead::Step::Empty(slice) => self.nothing_in(slice).await,
            };
            if result.is_err() {
                break;
            }
        }
        self.progress.finished(self.resource.name, result.is_ok());
        (Finished { resource: self.resource.name, result }, self.lead)
    }

    /// Not read, since the resource that leads it was not.
    fn waits(self, why: Kind) -> Finished {
        let name = self.resource.name;
        self.progress.finished(name, false);
        let what = format!("{name} was not read, since {} was not", self.resource.led_by);
        let error = ExtractError::resource(why, what).next("the same command goes on where this one stopped");
        Finished { resource: name, result: Err(error) }
    }

    /// A slice that is known to be empty without asking. It proves nothing about what is held of it.
    async fn nothing_in(&self, slice: Slice) -> Result<(), ExtractError> {
        let closing = self.closing(slice, false, (slice.from, None));
        self.send(Some(slice), records::Page::default(), None, Some(closing), None).await
    }

    /// What came or changed, page by page. It moves no coverage: cut off, it is asked for again from where it began.
    async fn changes(&mut self, slice: Slice) -> Result<(), ExtractError> {
        let (mut token, mut seen) = (None, HashSet::new());
        loop {
            let (page, next) = self.page(&slice, token.as_ref(), paging::changes_call).await?;
            self.check_owner(&page)?;
            self.lead.saw(&page);
            self.send(None, page, None, None, None).await?;
            let Some(PageToken(text)) = &next else { return Ok(()) };
            if !seen.insert(text.clone()) || self.pages >= MAX_PAGES {
                return Err(self.endless());
            }
            token = next;
        }
    }

    fn endless(&self) -> ExtractError {
        let what = format!("{}: the provider sends the same page, or its token, again and again", self.resource.name);
        ExtractError::distrust(what).next(format!("health doctor {}", self.session.source.command_name()))
    }

    async fn slice(&mut self, planned: Planned) -> Result<(), ExtractError> {
        if planned.changes {
            return self.changes(planned.slice).await;
        }
        let mut cut = Cut::default();
        let resume = planned.resume.and_then(|token| paging::resume_at(self.resource, token));
        let resumes = resume.is_some();
        let mut rest = match self.pages_of(planned.slice, resume, &mut cut).await {
            // The token of an earlier run no longer serves: the slice is read again from its first page.
            Err(error) if resumes && error.failure.kind == Kind::Refused && error.reach != Reach::Account => {
                self.pages_of(planned.slice, None, &mut cut).await?
            }
            result => result?,
        };
        while let Some(slice) = rest {
            rest = self.pages_of(slice, None, &mut cut).await?;
        }
        Ok(())
    }

    /// Reads `slice` to its last page; says which part of it is to be read next.
    async fn pages_of(
        &mut self,
        slice: Slice,
        resume: Option<PageToken>,
        cut: &mut Cut,
    ) -> Result<Option<Slice>, ExtractError> {
        let mut complete = resume.is_none();
        let mut token = resume;
        let mut seen: HashSet<String> = HashSet::new();
        let mut first: Option<DateTime<Utc>> = None;
        let mut before: Vec<String> = Vec::new();
        let mut bundles = Bundles::of(self.resource);
        loop {
            let (mut page, next) = self.page(&slice, token.as_ref(), self.resource.call).await?;
            self.check_owner(&page)?;
            // A provider that takes no notice of a page's number would list the same records for ever.
            let keys: Vec<String> = page.records.iter().filter_map(|record| record.source_id.clone()).collect();
            let repeats = next.is_some() && !keys.is_empty() && keys == before;
            before = keys;
            self.lead.saw(&page);
            first = first.into_iter().chain(page.earliest).min();
            complete &= page.rejected.iter().all(|reject| reject.source_id.is_some());
            if let Some(open) = &mut bundles {
                if open.take(&mut page).is_err() {
                    // The order that let bundles go was not kept: the slice is read again, and everything held to its end.
                    (bundles, token) = (Bundles::held(self.resource), None);
                    seen.clear();
                    before.clear();
                    continue;
                }
                if next.is_none() {
                    page.records.extend(open.rest());
                }
            }
            // What waits for its hour to be whole is in no batch: taken up again, the slice begins at its first page.
            let resumable = |token: &Option<PageToken>| token.clone().filter(|_| bundles.is_none());
            if let Some(PageToken(text)) = &next
                && (repeats || !seen.insert(text.clone()) || token.as_ref() == next.as_ref() || self.pages >= MAX_PAGES)
            {
                self.send(Some(slice), page, resumable(&token), None, None).await?;
                return Err(self.endless());
            }
            if next.is_none() {
                let closing = self.closing(slice, complete, cut.after(self.resource, slice, first));
                let rest = closing.rest;
                self.lead.listed(Slice { from: closing.covered_from, ..slice });
                self.send(Some(slice), page, None, Some(closing), None).await?;
                return Ok(rest);
            }
            self.send(Some(slice), page, resumable(&next), None, None).await?;
            token = next;
        }
    }

    /// One page; one of the wrong shape is asked for again before it is called a change at the provider.
    async fn page(
        &mut self,
        slice: &Slice,
        token: Option<&PageToken>,
        call: fn(&Resource, &Slice, Option<&PageToken>) -> Call,
    ) -> Result<(records::Page, Option<PageToken>), ExtractError> {
        let call = call(self.resource, slice, token);
        let name = self.resource.name;
        let mut tries = 0;
        loop {
            let body = self.session.get(self.resource, &call).await?;
            self.pages += 1;
            failpoint!("page.received");
            let Some(body) = body else { return Ok((records::Page::default(), None)) };
            let parsed =
                records::split(self.resource, self.session.api.owner, &body, self.pages as usize).and_then(|page| {
                    let listed = page.records.len() + page.rejected.len();
                    let next = paging::next_page(self.resource, &body, token, listed)?;
                    Ok((page, next))
                });
            match parsed {
                Ok((page, next)) => {
                    self.progress.page(name, page.records.len(), page.earliest);
                    return Ok((page, next));
                }
                Err(error) if tries < SHAPE_RETRIES => {
                    tries += 1;
                    let _ = error; // said again below if it stays
                    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
                }
                Err(error) => {
                    let what = format!("{name}: {error}; it looks like a change at {}", self.session.source.title);
                    return Err(ExtractError::distrust(what)
                        .next(format!("health doctor {}", self.session.source.command_name())));
                }
            }
        }
    }

    /// A shared cache or a mixed-up login must never bring another person's records in.
    fn check_owner(&self, page: &records::Page) -> Result<(), ExtractError> {
        let Ok(mut known) = self.owner.lock() else { return Ok(()) };
        for id in &page.owners {
            match known.as_ref() {
                Some(owner) if owner != id => {
                    let title = self.session.source.title;
                    return Err(ExtractError::account(
                        Kind::Refused,
                        format!("{title} sent records of another account than this one's; the page was not stored"),
                    )
                    .next(self.session.login_again()));
                }
                Some(_) => {}
                None => *known = Some(id.clone()),
            }
        }
        Ok(())
    }

    fn closing(&self, slice: Slice, complete: bool, listed: (DateTime<Utc>, Option<Slice>)) -> Closing {
        let now = self.session.safe_now();
        let (covered_from, rest) = listed;
        Closing {
            covered_from,
            rest,
            covered_to: slice.to.min(now).max(covered_from),
            provisional_after: now - Duration::days(PROVISIONAL_DAYS),
            complete,
        }
    }

    /// `slice` is none for a page of changes.
    async fn send(
        &self,
        slice: Option<Slice>,
        page: records::Page,
        next_page: Option<PageToken>,
        closes: Option<Closing>,
        single: Option<Lacking>,
    ) -> Result<(), ExtractError> {
        let batch = Batch {
            run: self.run,
            resource: self.resource.name,
            records: page.records,
            rejected: page.rejected,
            is_change: slice.is_none() && single.is_none(),
            slice: slice.filter(|_| self.resource.window != Window::Snapshot),
            next_page,
            closes,
            owner: self.owner.lock().ok().and_then(|owner| owner.clone()),
            single,
        };
        self.out.send(Message::Batch(Box::new(batch))).await.map_err(|_| ExtractError::loader_gone())
    }
}
