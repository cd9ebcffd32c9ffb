//! One resource may tell where in time another has anything: days without a summary of sleep have no details of sleep. What
//! was listed of the first spares requests for the second. Decides what to ask; asks nothing itself.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Duration, Utc};
use tokio::sync::watch;

use super::Finished;
use super::records::Page;
use super::slices::{Planned, merge};
use crate::failure::Kind;
use crate::source::Slice;

/// A record of the one may lie so far from what belongs to it: a day of a calendar is placed at midnight at Greenwich, a night
/// at its end.
const NEIGHBOURHOOD: Duration = Duration::hours(36);

/// What a resource listed: in this run, and in earlier ones as far as it is held.
#[derive(Debug, Default)]
pub(crate) struct Lead {
    /// Ascending and apart from each other.
    listed: Vec<Slice>,
    /// Times of records, in [`STEP`]s since 1970.
    at: BTreeSet<i64>,
}

/// As fine as times are remembered: hours of ten years would be many.
const STEP: i64 = 6 * 3_600;

fn step(at: DateTime<Utc>) -> i64 {
    at.timestamp().div_euclid(STEP)
}

/// How one resource tells others what it listed.
pub(super) struct Told {
    teller: Option<watch::Sender<Option<Heard>>>,
    hearer: watch::Receiver<Option<Heard>>,
}

/// What it listed, or why it could not be read.
type Heard = Result<Arc<Lead>, Kind>;

/// Those that tell, by their names.
pub(super) type Leading = HashMap<&'static str, Told>;

impl Told {
    pub(super) fn new() -> Self {
        let (teller, hearer) = watch::channel(None);
        Self { teller: Some(teller), hearer }
    }

    /// The end that speaks, once.
    pub(super) fn teller(&mut self) -> Option<Teller> {
        self.teller.take().map(Teller)
    }

    pub(super) fn hear(&self) -> Hearer {
        Hearer(self.hearer.clone())
    }
}

pub(super) struct Teller(watch::Sender<Option<Heard>>);

impl Teller {
    pub(super) fn say(&self, end: &Finished, lead: Option<Lead>) {
        let heard = match &end.result {
            Ok(()) => Ok(Arc::new(lead.unwrap_or_default())),
            Err(error) => Err(error.failure.kind),
        };
        self.0.send_replace(Some(heard));
    }
}

pub(super) struct Hearer(watch::Receiver<Option<Heard>>);

impl Hearer {
    /// Waits until that resource has been read.
    pub(super) async fn lead(mut self) -> Heard {
        let heard = self.0.wait_for(Option::is_some).await.ok().and_then(|heard| heard.clone());
        heard.unwrap_or(Err(Kind::Bug)) // it broke
    }
}

/// What is to be done about a slice.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Read(Planned),
    /// There is nothing in it.
    Empty(Slice),
}

impl Lead {
    /// What is held before a run: completely for `listed`, and the times of all records.
    pub(crate) fn held(listed: Vec<Slice>, at: impl IntoIterator<Item = DateTime<Utc>>) -> Self {
        Self { listed: merge(listed), at: at.into_iter().map(step).collect() }
    }

    pub(super) fn saw(&mut self, page: &Page) {
        self.at.extend(page.records.iter().filter_map(|record| record.record_at).map(step));
    }

    pub(super) fn listed(&mut self, slice: Slice) {
        self.listed.push(slice);
        self.listed = merge(std::mem::take(&mut self.listed));
    }

    /// What lies before `at`.
    pub(super) fn until(&self, at: DateTime<Utc>) -> Self {
        Self { listed: self.listed.clone(), at: self.at.range(..step(at)).copied().collect() }
    }

    fn is_empty(&self, slice: Slice) -> bool {
        // A slice that ends now is always asked for: its day has just begun, and the summary of it may be still to come.
        let end = self.listed.iter().map(|listed| listed.to).max();
        let is_listed = self.listed.iter().any(|listed| listed.from <= slice.from && slice.to <= listed.to)
            && end.is_some_and(|end| slice.to + NEIGHBOURHOOD <= end);
        is_listed && self.at.range(step(slice.from - NEIGHBOURHOOD)..=step(slice.to + NEIGHBOURHOOD)).next().is_none()
    }
}

/// The steps for `slices`; what is empty is one step as far as it reaches.
pub(super) fn steps(slices: Vec<Planned>, lead: Option<&Lead>) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for planned in slices {
        let slice = planned.slice;
        if planned.resume.is_some() || !lead.is_some_and(|lead| lead.is_empty(slice)) {
            steps.push(Step::Read(planned));
        } else if let Some(Step::Empty(before)) = steps.last_mut().filter(|step| step.ends_at(slice.from)) {
            before.to = slice.to;
        } else {
            steps.push(Step::Empty(slice));
        }
    }
    steps
}

impl Step {
    fn ends_at(&self, at: DateTime<Utc>) -> bool {
        matches!(self, Self::Empty(slice) if slice.to == at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::days(n)
    }

    fn planned(from: i64, to: i64) -> Vec<Planned> {
        let slice = |n| Slice { from: day(n), to: day(n + 1) };
        (from..to).map(|n| Planned { slice: slice(n), resume: None, changes: false }).collect()
    }

    fn shown(steps: &[Step]) -> Vec<(bool, i64, i64)> {
        let number = |t: DateTime<Utc>| (t - day(0)).num_days();
        steps
            .iter()
            .map(|step| match step {
                Step::Read(p) => (true, number(p.slice.from), number(p.slice.to)),
                Step::Empty(s) => (false, number(s.from), number(s.to)),
            })
            .collect()
    }

    #[test]
    fn what_lies_far_from_all_that_was_listed_is_not_asked_for() {
        let mut lead = Lead::default();
        lead.listed(Slice { from: day(0), to: day(100) });
        lead.at.insert(step(day(50) + Duration::hours(6))); // a night that ended at six
        let steps = shown(&steps(planned(0, 100), Some(&lead)));
        assert_eq!(steps[0], (false, 0, 48));
        let read: Vec<i64> = steps.iter().filter(|(read, _, _)| *read).map(|(_, from, _)| *from).collect();
        assert_eq!(read, [48, 49, 50, 51, 98, 99], "the neighbours, and the days that are not over");
        assert_eq!(steps.iter().find(|(read, from, _)| !read && *from > 0), Some(&(false, 52, 98)));
    }

    #[test]
    fn what_was_not_listed_is_asked_for() {
        let mut lead = Lead::default();
        lead.listed(Slice { from: day(90), to: day(100) });
        let steps = shown(&steps(planned(85, 95), Some(&lead)));
        assert_eq!(steps.iter().filter(|(read, _, _)| *read).count(), 5, "{steps:?}");
        assert_eq!(shown(&super::steps(planned(0, 3), None)).len(), 3, "nobody tells");
    }
}
