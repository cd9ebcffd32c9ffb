//! Resources whose records are asked for one by one, because records of other resources lead to them: the loader says which
//! are due, newest first; each answer is committed by itself, so that a budget that ends in the middle loses nothing.

use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::{ExtractError, Finished, Reach, Walk, paging, records};
use crate::failpoint::failpoint;
use crate::failure::Kind;
use crate::source::{Due, Lacking, Message, Resource, Slice};

/// So many refusals in a row are not about single records any more.
const MOST_REFUSED: u32 = 5;

/// Reads what is due of these resources, those that others lead to before those.
pub(super) async fn read(
    walk: impl Fn(&'static Resource) -> Walk,
    mut left: Vec<&'static Resource>,
    plan: &super::Wish,
    before: &[Finished],
) -> Vec<Finished> {
    let mut finished: Vec<Finished> = Vec::new();
    let mut skipped: Vec<&str> = Vec::new();
    while !left.is_empty() {
        let waits =
            |one: &&Resource| one.each.is_some_and(|each| left.iter().any(|other| each.of.contains(&other.name)));
        let (later, now): (Vec<_>, Vec<_>) = left.iter().partition(|one| waits(one));
        let (later, now) = if now.is_empty() { (Vec::new(), later) } else { (later, now) }; // a ring would never end
        let mut round = Vec::new();
        for resource in now {
            let walk = walk(resource);
            match due(&walk, plan).await {
                // Nothing is due, but what would tell was not read: that is no success.
                Some(due) if due.is_empty() && is_led_by_failed(resource, before.iter().chain(&finished), &skipped) => {
                    walk.progress.finished(resource.name, false);
                    skipped.push(resource.name);
                }
                Some(due) => round.push((walk, due)),
                None => {
                    finished.push(Finished { resource: resource.name, result: Err(ExtractError::loader_gone()) });
                    return finished;
                }
            }
        }
        let cost: Vec<_> = round.iter().map(|(walk, due)| (walk.resource.name, due.len())).collect();
        if let Some((walk, _)) = round.first() {
            walk.session.tell_cost(&cost);
        }
        let mut tasks = JoinSet::new();
        for (walk, due) in round {
            tasks.spawn(walk.one_by_one(due));
        }
        let mut stops_all = false;
        while let Some(joined) = tasks.join_next().await {
            let Ok(end) = joined else { continue }; // aborted after an error that reaches the account
            stops_all |= end.result.as_ref().is_err_and(|error| error.reach == Reach::Account);
            finished.push(end);
            if stops_all {
                tasks.abort_all();
            }
        }
        if stops_all {
            break;
        }
        left = later;
    }
    finished
}

fn is_led_by_failed<'a>(resource: &Resource, ends: impl Iterator<Item = &'a Finished>, skipped: &[&str]) -> bool {
    let leads = |name: &str| resource.each.is_some_and(|each| each.of.contains(&name));
    let failed = ends.filter(|end| end.result.is_err()).any(|end| leads(end.resource));
    failed || skipped.iter().any(|name| leads(name))
}

/// What is to be read of a resource, by what is committed; none where the loader has gone.
async fn due(walk: &Walk, plan: &super::Wish) -> Option<Vec<Lacking>> {
    let (answer, answered) = oneshot::channel();
    let due = Due {
        run: walk.run,
        resource: walk.resource.name,
        since: plan.asked.since,
        until: plan.asked.until,
        force: plan.asked.force,
        now: plan.now,
        answer,
    };
    walk.out.send(Message::Due(due)).await.ok()?;
    answered.await.ok()
}

impl Walk {
    async fn one_by_one(mut self, due: Vec<Lacking>) -> Finished {
        let mut result = Ok(());
        let mut refused = 0;
        for single in due {
            match self.single(single).await {
                Ok(()) => refused = 0,
                // One record that the provider does not give is no reason to leave the others.
                Err(error)
                    if error.reach == Reach::Resource
                        && error.failure.kind == Kind::Refused
                        && refused < MOST_REFUSED =>
                {
                    refused += 1;
                    result = Err(error);
                }
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        self.progress.finished(self.resource.name, result.is_ok());
        Finished { resource: self.resource.name, result }
    }

    async fn single(&mut self, single: Lacking) -> Result<(), ExtractError> {
        let name = self.resource.name;
        let doctor = format!("health doctor {}", self.session.source.command_name());
        let distrust =
            |why: &dyn std::fmt::Display| ExtractError::distrust(format!("{name}: {why}")).next(doctor.clone());
        let now = Slice { from: self.session.safe_now(), to: self.session.safe_now() };
        let call = (self.resource.call)(self.resource, &now, None);
        let call = paging::call_for(call, &single.id).map_err(|why| distrust(&why))?;
        let body = self.session.get(self.resource, &call).await?;
        self.pages += 1;
        failpoint!("page.received");
        let page = match body {
            Some(body) => {
                records::single(self.resource, self.session.api.owner, &body, &single).map_err(|why| distrust(&why))?
            }
            None => records::Page::default(),
        };
        self.check_owner(&page)?;
        self.progress.page(name, page.records.len(), page.earliest);
        self.send(None, page, None, None, Some(single)).await
    }
}

/// Where batches and questions go.
pub(super) type Out = mpsc::Sender<Message>;
