//! A provider may list only the end of the window it was asked for, and say nothing. What was asked and not listed is then
//! asked for by itself, until it is known to be empty. Decides what to ask and what to conclude; asks nothing itself.

use chrono::{DateTime, Duration, Utc};

use crate::source::{Paging, Resource, Slice, Window};

/// No provider is known to cut a window at more than a year: a list that goes back further was not cut.
const LONGEST_CUT: Duration = Duration::days(400);

/// A window of about the lookback is read every day; a provider that cut it would be of no use.
const DAILY: Duration = Duration::days(3);

/// Records are not expected closer to the beginning of a window than this, and the next window begins so much behind the
/// earliest record, for the sake of one that ends where it begins.
const MARGIN: Duration = Duration::days(1);

/// So many empty stretches of a window that is known to be cut are the end of what there is; the rest stays a gap.
const MOST_EMPTY: u8 = 12;

/// What was learned from the windows of one slice so far.
#[derive(Default)]
pub(super) struct Cut {
    /// The earliest record listed.
    earliest: Option<DateTime<Utc>>,
    /// How far back from its end an answer went, at most.
    reach: Duration,
    /// A second look listed earlier records than the first: windows are cut.
    is_known: bool,
    empty: u8,
}

impl Cut {
    /// After `slice` has been read to its last page, with `earliest` as its earliest record: from where on it has been
    /// listed, and what is to be asked for next.
    pub(super) fn after(
        &mut self,
        resource: &Resource,
        slice: Slice,
        earliest: Option<DateTime<Utc>>,
    ) -> (DateTime<Utc>, Option<Slice>) {
        let whole = (slice.from, None);
        let Some(before) = self.earliest else {
            let Some(first) = earliest.filter(|first| could_be_cut(resource, slice, *first)) else { return whole };
            return self.go_on(slice, first);
        };
        match earliest.filter(|at| *at < before) {
            Some(at) => {
                self.is_known = true;
                self.empty = 0;
                if at - slice.from > MARGIN { self.go_on(slice, at) } else { whole }
            }
            None if !self.is_known => whole,
            None => {
                let edge = slice.to - self.reach;
                self.empty += 1;
                if edge <= slice.from {
                    return whole;
                }
                (edge, (self.empty < MOST_EMPTY).then_some(Slice { from: slice.from, to: edge }))
            }
        }
    }

    fn go_on(&mut self, slice: Slice, at: DateTime<Utc>) -> (DateTime<Utc>, Option<Slice>) {
        self.earliest = Some(at);
        self.reach = self.reach.max(slice.to - at);
        (at, Some(Slice { from: slice.from, to: (at + MARGIN).min(slice.to) }))
    }
}

fn could_be_cut(resource: &Resource, slice: Slice, first: DateTime<Utc>) -> bool {
    let Window::Range { max_days: None, .. } = resource.window else { return false };
    if matches!(resource.paging, Paging::Number { .. }) {
        return false; // it ends with an empty page, and not before
    }
    slice.to - slice.from > Duration::days(i64::from(resource.lookback_days)) + DAILY
        && first - slice.from > MARGIN
        && slice.to - first < LONGEST_CUT
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Stamp;

    fn day(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::days(n)
    }

    /// Reads days `from..to` of records on `days` from a provider that lists the last `cut` days of a window.
    fn read(from: i64, to: i64, cut: i64, days: &[i64]) -> (usize, Vec<i64>, i64) {
        let resource = Resource::get("x", "/x")
            .window(Window::Range { start: "s", end: "e", format: Stamp::Rfc3339, max_days: None })
            .lookback(7);
        let (mut known, mut next) = (Cut::default(), Some(Slice { from: day(from), to: day(to) }));
        let (mut requests, mut listed, mut covered) = (0, vec![], to);
        while let Some(slice) = next {
            requests += 1;
            let start = slice.from.max(slice.to - Duration::days(cut));
            let page: Vec<i64> = days.iter().copied().filter(|n| day(*n) >= start && day(*n) < slice.to).collect();
            listed.extend(&page);
            let (covered_from, rest) = known.after(&resource, slice, page.iter().min().map(|n| day(*n)));
            covered = (covered_from - DateTime::UNIX_EPOCH).num_days();
            next = rest;
        }
        listed.sort_unstable();
        listed.dedup();
        (requests, listed, covered)
    }

    #[test]
    fn what_is_not_cut_is_asked_for_at_most_twice() {
        let daily: Vec<i64> = (5000..6000).collect();
        assert_eq!(read(0, 6000, 9999, &daily), (1, daily, 0), "it goes back for years");
        let young: Vec<i64> = (5950..6000).collect();
        assert_eq!(read(0, 6000, 9999, &young), (2, young, 0), "a member of fifty days");
        assert_eq!(read(5992, 6000, 9999, &[5999]), (1, vec![5999], 5992), "a daily window");
        assert_eq!(read(0, 6000, 9999, &[]), (1, vec![], 0));
    }

    #[test]
    fn a_cut_window_is_read_to_its_beginning() {
        let daily: Vec<i64> = (5700..6000).collect();
        let (requests, listed, covered) = read(5650, 6000, 30, &daily);
        assert_eq!((listed, covered), (daily, 5650));
        assert!(requests < 16, "{requests}");
        let paused: Vec<i64> = (5700..5800).chain(5900..6000).collect();
        assert_eq!(read(0, 6000, 30, &paused).1, paused, "months without a record");
    }

    #[test]
    fn what_may_never_have_been_listed_is_not_claimed() {
        let daily: Vec<i64> = (5900..6000).collect();
        let (requests, listed, covered) = read(0, 6000, 30, &daily);
        assert_eq!(listed, daily);
        assert!(covered > 5900 - 12 * 30 - 30 && covered < 5900 - 300, "{covered}");
        assert!(requests < 20, "{requests}");
    }
}
