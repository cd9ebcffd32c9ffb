//! Asks providers, page by page: slices become pages, pages become batches on their way to the loader. The resources of
//! an account are read at the same time under its one request budget. Async; knows no SQL.

pub(crate) mod borders;
pub(crate) mod bundles;
mod cut;
mod early;
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
use crate::source::{Batch, Call, Closing, Early, Lacking, Message, PageToken, Resource, Slice, Window};
use bundles::Bundles;
use cut::Cut;
use lead::{Leading, Told};
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
    let mut leading: Leading =
        plan.resources.iter().flat_map(|(one, _)| led_by(one)).map(|name| (name, Told::new())).collect();
    let is_leader: HashSet<&str> = leading.keys().copied().collect();
    let walk = |resource: &'static Resource| Walk {
        session: session.clone(),
        run: plan.run,
        resource,
        out: out.clone(),
        owner: owner.clone(),
        progress: progress.clone(),
        pages: 0,
        lead: is_leader
            .contains(resource.name)
            .then(|| leads.lock().ok().and_then(|mut leads| leads.remove(resource.name)).unwrap_or_default()),
        border: None,
    };
    let mut finished = Vec::new();
    // Where one resource alone says whose records these are, nothing else is asked for before it has; nor before it is known
    // since when there may be any.
    let (first, rest): (Vec<_>, Vec<_>) =
        plan.resources.into_iter().partition(|(one, _)| !one.owner.is_empty() || !one.first_day.is_empty());
    let mut border = None;
    for (resource, slices) in first {
        let (end, walked) = walk(resource).all(Ahead::of(slices)).await;
        // A provider that has not answered the first question in several tries is not asked fifty more.
        let stops_all = end.result.as_ref().is_err_and(|error| {
            error.reach == Reach::Account || error.failure.kind == Kind::Later && !session.has_answered()
        });
        border = border.or(walked.border);
        finished.push(end);
        if stops_all {
            return finished;
        }
    }
    leading.retain(|name, _| rest.iter().any(|(one, _)| one.name == *name)); // nobody else tells
    let mut tasks = JoinSet::new();
    for (resource, slices) in rest {
        let (before, later) = early::split(resource, slices, border);
        let hear = |name: &str| leading.get(name).map(Told::hear);
        let near =
            if let Early::Near(name) = resource.early { hear(name).filter(|_| !before.is_empty()) } else { None };
        let lead = hear(resource.led_by);
        let tell = leading.get_mut(resource.name).and_then(Told::teller);
        let walk = walk(resource);
        tasks.spawn(async move {
            // Where that cannot be read, everything is asked for.
            let near = match near {
                Some(near) => near.lead().await.ok().and_then(|lead| early::near(&lead, border)),
                None => None,
            };
            let lead = match lead {
                Some(lead) => match lead.lead().await {
                    Ok(lead) => Some(lead),
                    Err(why) => return walk.waits(why),
                },
                None => None,
            };
            let (end, walked) = walk.all(Ahead { before, near, later, lead }).await;
            if let Some(tell) = tell {
                tell.say(&end, walked.lead);
            }
            end
        });
    }
    drop(leading);
    let mut stops_all = false;
    while let Some(joined) = tasks.join_next().await {
        let Ok(end) = joined else { continue }; // aborted after an error that reaches the account
        stops_all |= end.result.as_ref().is_err_and(|error| error.reach == Reach::Account);
        finished.push(end);
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

/// The resources that tell where this one has anything.
fn led_by(resource: &'static Resource) -> impl Iterator<Item = &'static str> {
    let near = if let Early::Near(name) = resource.early { name } else { "" };
    [resource.led_by, near].into_iter().filter(|name| !name.is_empty())
}

/// What lies before a resource: its slices, and what is known of where there is nothing in them.
struct Ahead {
    /// Before the account's first day, with what is listed of that time elsewhere.
    before: Vec<Planned>,
    near: Option<Lead>,
    later: Vec<Planned>,
    lead: Option<Arc<Lead>>,
}

impl Ahead {
    fn of(later: Vec<Planned>) -> Self {
        Self { before: Vec::new(), near: None, later, lead: None }
    }
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
    lead: Option<Lead>,
    /// Before it lies the time before the person's account began, where this resource says so.
    border: Option<DateTime<Utc>>,
}

impl Walk {
    /// Reads all slices in which there may be anything.
    async fn all(mut self, ahead: Ahead) -> (Finished, Self) {
        let result = self.each_of(ahead).await;
        self.progress.finished(self.resource.name, result.is_ok());
        (Finished { resource: self.resource.name, result }, self)
    }

    async fn each_of(&mut self, ahead: Ahead) -> Result<(), ExtractError> {
        // The oldest first: what lies before all that is held is no gap.
        for step in lead::steps(ahead.before, ahead.near.as_ref()) {
            match step {
                lead::Step::Read(one) if self.resource.early == Early::Once => self.at_once(one.slice).await?,
                lead::Step::Read(one) => self.slice(one).await?,
                lead::Step::Empty(slice) => self.nothing_in(slice).await?,
            }
        }
        for step in lead::steps(ahead.later, ahead.lead.as_deref()) {
            match step {
                lead::Step::Read(one) => self.slice(one).await?,
                lead::Step::Empty(slice) => self.nothing_in(slice).await?,
            }
        }
        Ok(())
    }

    /// All of a long slice by one question; window by window where the answer has a second page.
    async fn at_once(&mut self, slice: Slice) -> Result<(), ExtractError> {
        let (page, next) = self.page(&slice, None, self.resource.call).await?;
        if next.is_none() {
            return self.pages_of(slice, None, &mut Cut::default(), Some(page)).await.map(|_| ());
        }
        for slice in slices::cut(slice, self.resource.window) {
            self.slice(Planned { slice, resume: None, changes: false }).await?;
        }
        Ok(())
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
    async fn nothing_in(&mut self, slice: Slice) -> Result<(), ExtractError> {
        self.listed(slice);
        let closing = self.closing(slice, false, (slice.from, None));
        self.send(Some(slice), records::Page::default(), None, Some(closing), None).await
    }

    /// What came or changed, page by page. It moves no coverage: cut off, it is asked for again from where it began.
    async fn changes(&mut self, slice: Slice) -> Result<(), ExtractError> {
        let (mut token, mut seen) = (None, HashSet::new());
        loop {
            let (page, next) = self.page(&slice, token.as_ref(), paging::changes_call).await?;
            self.check_owner(&page)?;
            self.saw(&page);
            self.send(None, page, None, None, None).await?;
            let Some(PageToken(text)) = &next else { return Ok(()) };
            if !seen.insert(text.clone()) || self.pages >= MAX_PAGES {
                return Err(self.endless());
            }
            token = next;
        }
    }

    fn saw(&mut self, page: &records::Page) {
        if let Some(lead) = &mut self.lead {
            lead.saw(page);
        }
        self.border = self.border.or_else(|| early::border(self.resource, page, self.session.safe_now()));
    }

    fn listed(&mut self, slice: Slice) {
        if let Some(lead) = &mut self.lead {
            lead.listed(slice);
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
        let mut rest = match self.pages_of(planned.slice, resume, &mut cut, None).await {
            // The token of an earlier run no longer serves: the slice is read again from its first page.
            Err(error) if resumes && error.failure.kind == Kind::Refused && error.reach != Reach::Account => {
                self.pages_of(planned.slice, None, &mut cut, None).await?
            }
            result => result?,
        };
        while let Some(slice) = rest {
            rest = self.pages_of(slice, None, &mut cut, None).await?;
        }
        Ok(())
    }

    /// Reads `slice` to its last page; says which part of it is to be read next. `only` is its only page, where that has been
    /// asked for already.
    async fn pages_of(
        &mut self,
        slice: Slice,
        resume: Option<PageToken>,
        cut: &mut Cut,
        mut only: Option<records::Page>,
    ) -> Result<Option<Slice>, ExtractError> {
        let mut complete = resume.is_none();
        let mut token = resume;
        let mut seen: HashSet<String> = HashSet::new();
        let mut first: Option<DateTime<Utc>> = None;
        let mut before: Vec<String> = Vec::new();
        let mut bundles = Bundles::of(self.resource);
        loop {
            let (mut page, next) = match only.take() {
                Some(page) => (page, None),
                None => self.page(&slice, token.as_ref(), self.resource.call).await?,
            };
            self.check_owner(&page)?;
            // A provider that takes no notice of a page's number would list the same records for ever.
            let keys: Vec<String> = page.records.iter().filter_map(|record| record.source_id.clone()).collect();
            let repeats = next.is_some() && !keys.is_empty() && keys == before;
            before = keys;
            self.saw(&page);
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
                self.listed(Slice { from: closing.covered_from, ..slice });
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
