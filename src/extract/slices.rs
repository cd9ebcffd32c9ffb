//! What to ask for: coverage, `--since`, the lookback and the present moment become slices, oldest first.

use chrono::{DateTime, Duration, NaiveTime, TimeZone, Utc};

use super::bundles::hour;
use crate::source::{Holds, PageToken, Resource, Slice, Stamp, Window};

/// What is known of a resource before a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    /// Closed slices, ascending and apart from each other.
    pub(crate) covered: Vec<Slice>,
    /// The slice that an earlier run left open, and where its next page is; none: it was not begun.
    pub(crate) open: Option<(Slice, Option<PageToken>)>,
    /// When all that is covered was last listed at once, by times.
    pub(crate) listed_at: Option<DateTime<Utc>>,
}

/// What a person asks for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked {
    pub(crate) since: Option<DateTime<Utc>>,
    /// Exclusive; none: until now.
    pub(crate) until: Option<DateTime<Utc>>,
    /// Read covered time again.
    pub(crate) force: bool,
}

/// A slice to read, from its first page or from where an earlier run stopped.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Planned {
    pub(crate) slice: Slice,
    pub(crate) resume: Option<PageToken>,
    /// What came or changed in this time, and not what is of this time.
    pub(crate) changes: bool,
}

/// What a listing by changes does not show, deleted records, is looked for so often by listing all times.
const LIST_AGAIN: Duration = Duration::days(28);

/// How far behind the last run's end changes are asked for: a record may have changed while that run was under way.
const CHANGES_MARGIN: Duration = Duration::hours(1);

/// Where a first load of `resource` starts; 1970 is before any wearable, and a date every provider understands.
fn beginning(resource: &Resource) -> DateTime<Utc> {
    Utc.with_ymd_and_hms(resource.begins, 1, 1, 0, 0, 0).single().unwrap_or_default()
}

/// The slices of `resource`, oldest first; one without an end for a snapshot.
pub(crate) fn plan(resource: &Resource, held: &Held, asked: Asked, now: DateTime<Utc>) -> Vec<Planned> {
    if resource.window == Window::Snapshot {
        return vec![Planned { slice: Slice { from: now, to: now }, resume: None, changes: false }];
    }
    let end = asked.until.map_or(now, |until| until.min(now));
    let wanted = whole_hours(resource, wanted(resource, held, asked, end), now);
    let resumable = held
        .open
        .clone()
        .filter(|(open, _)| !asked.force && wanted.iter().any(|range| range.from <= open.from && open.to <= range.to));
    let mut planned = Vec::new();
    let rest = match &resumable {
        Some((open, token)) => {
            planned.push(Planned { slice: *open, resume: token.clone(), changes: false });
            subtract(&wanted, &[*open])
        }
        None => wanted,
    };
    for range in rest {
        let slices = cut(range, resource.window).into_iter();
        planned.extend(slices.map(|slice| Planned { slice, resume: None, changes: false }));
    }
    planned.sort_by_key(|plan| plan.slice.from);
    // Before the rest: coverage moves on only behind it, and with coverage where the next run asks from.
    if let Some(last) = held.covered.last().filter(|_| has_changes(resource, asked)) {
        let slice = Slice { from: last.to - CHANGES_MARGIN, to: end };
        planned.insert(0, Planned { slice, resume: None, changes: true });
    }
    planned
}

/// Whether what changed is asked for: not by a run that reads some past, or reads all of it anew.
fn has_changes(resource: &Resource, asked: Asked) -> bool {
    !resource.changed_since.is_empty() && !asked.force && asked.until.is_none()
}

/// The beginning of its day at Greenwich.
pub(super) fn midnight(at: DateTime<Utc>) -> DateTime<Utc> {
    at.date_naive().and_time(NaiveTime::MIN).and_utc()
}

/// The time to be read: what is not covered, and the lookback.
fn wanted(resource: &Resource, held: &Held, asked: Asked, end: DateTime<Utc>) -> Vec<Slice> {
    let first_covered = held.covered.first().map(|range| range.from);
    // What lies before the earliest covered instant is no gap: the person chose where to begin.
    let open_from = held.open.as_ref().map(|(open, _)| open.from);
    let known_start = match (first_covered, open_from) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    };
    // An end that lies before it asks for just that time.
    let known_start = known_start.filter(|start| *start < end);
    let from = asked.since.or(known_start).unwrap_or_else(|| beginning(resource));
    if from >= end {
        return Vec::new();
    }
    let asked_range = Slice { from, to: end };
    if asked.force {
        return vec![asked_range];
    }
    let mut wanted = subtract(&[asked_range], &held.covered);
    if let Some(last) = held.covered.last() {
        let lookback = last.to - lookback(resource, *last, end);
        let every = if resource.sweep_days > 0 { Duration::days(resource.sweep_days.into()) } else { LIST_AGAIN };
        let listed_long_ago = held.open.is_none() && held.listed_at.is_none_or(|at| end - at >= every);
        let sweeps = resource.sweep_days > 0 && asked.since.is_none() && asked.until.is_none();
        let list_again = (has_changes(resource, asked) || sweeps) && listed_long_ago;
        let from = if list_again { held.covered[0].from } else { lookback.max(held.covered[0].from) };
        let to = last.to.min(end);
        if from < to {
            wanted.push(Slice { from, to });
        }
    }
    merge(wanted)
}

/// Where the readings of an hour are one record, an hour is read whole or not at all, but for the present one: a part of it would
/// take the place of all of it.
fn whole_hours(resource: &Resource, mut ranges: Vec<Slice>, now: DateTime<Utc>) -> Vec<Slice> {
    if !matches!(resource.holds, Holds::Readings | Holds::Hours) {
        return ranges;
    }
    for range in &mut ranges {
        range.from = hour(range.from);
        let end = hour(range.to);
        range.to = if end < range.to { (end + Duration::hours(1)).min(now) } else { end };
    }
    merge(ranges)
}

/// So long is a week of [`Resource::weekly_days`].
const WEEK: i64 = 7 * 86_400;

/// How many days before the end of what is held are read again: more by the first run of a week.
fn lookback(resource: &Resource, last: Slice, end: DateTime<Utc>) -> Duration {
    let week = |at: DateTime<Utc>| at.timestamp().div_euclid(WEEK);
    let is_first = week(last.to) < week(end);
    let days = if is_first { resource.weekly_days.max(resource.lookback_days) } else { resource.lookback_days };
    Duration::days(days.into())
}

/// Joins what overlaps or touches.
pub(super) fn merge(mut ranges: Vec<Slice>) -> Vec<Slice> {
    ranges.sort_by_key(|range| range.from);
    let mut merged: Vec<Slice> = Vec::new();
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.from <= last.to => last.to = last.to.max(range.to),
            _ => merged.push(range),
        }
    }
    merged
}

/// `ranges` without `holes`; `holes` are ascending.
fn subtract(ranges: &[Slice], holes: &[Slice]) -> Vec<Slice> {
    let mut left = Vec::new();
    for range in ranges {
        let mut from = range.from;
        for hole in holes.iter().filter(|hole| hole.to > range.from && hole.from < range.to) {
            if hole.from > from {
                left.push(Slice { from, to: hole.from });
            }
            from = from.max(hole.to);
        }
        if from < range.to {
            left.push(Slice { from, to: range.to });
        }
    }
    left
}

/// Cuts a range into slices no longer than the provider allows; where windows are whole days, at midnight.
pub(crate) fn cut(range: Slice, window: Window) -> Vec<Slice> {
    let Window::Range { max_days: Some(days), format, .. } = window else { return vec![range] };
    let step = Duration::days(i64::from(days.max(1)));
    let mut slices = Vec::new();
    let mut from = range.from;
    while from < range.to {
        let is_days = matches!(format, Stamp::EpochDays | Stamp::Days { .. });
        let start = if is_days { midnight(from) } else { from };
        let to = (start + step).min(range.to);
        slices.push(Slice { from, to });
        from = to;
    }
    slices
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Stamp;
    use proptest::prelude::*;

    fn day(n: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_700_000_000 / 86_400 * 86_400 + n * 86_400, 0).unwrap()
    }

    fn range(from: i64, to: i64) -> Slice {
        Slice { from: day(from), to: day(to) }
    }

    fn resource(max_days: Option<u16>) -> Resource {
        Resource::get("x", "/x")
            .window(Window::Range { start: "s", end: "e", format: Stamp::Rfc3339, max_days })
            .lookback(7)
    }

    const ALL: Asked = Asked { since: None, until: None, force: false };

    fn days(held: &Held, asked: Asked, max_days: Option<u16>, now: i64) -> Vec<(i64, i64)> {
        let number = |t: DateTime<Utc>| (t - day(0)).num_days();
        plan(&resource(max_days), held, asked, day(now))
            .iter()
            .map(|p| (number(p.slice.from), number(p.slice.to)))
            .collect()
    }

    #[test]
    fn the_first_run_takes_everything_and_a_later_one_the_rest_and_the_lookback() {
        let first = plan(&resource(None), &Held::default(), ALL, day(30));
        assert_eq!(first[0].slice, Slice { from: DateTime::UNIX_EPOCH, to: day(30) });
        let held = Held { covered: vec![range(0, 20)], ..Held::default() };
        assert_eq!(days(&held, ALL, None, 30), [(13, 30)]);
        let asked = Asked { since: Some(day(-10)), ..ALL };
        assert_eq!(days(&held, asked, None, 30), [(-10, 0), (13, 30)], "--since only adds");
        let asked = Asked { since: Some(day(2)), until: Some(day(5)), force: true };
        assert_eq!(days(&held, asked, None, 30), [(2, 5)]);
        let asked = Asked { since: Some(day(2)), until: Some(day(5)), force: false };
        assert_eq!(days(&held, asked, None, 30), [], "covered and outside the lookback");
        let asked = Asked { until: Some(day(-3)), ..ALL };
        let before = plan(&resource(None), &held, asked, day(30));
        assert_eq!(
            before[0].slice,
            Slice { from: DateTime::UNIX_EPOCH, to: day(-3) },
            "an end before all that is held"
        );
    }

    #[test]
    fn the_first_run_of_a_week_looks_back_further() {
        let weekly = resource(None).weekly(30);
        let held = Held { covered: vec![range(-100, 20)], ..Held::default() };
        let from = |now: i64| {
            let planned = plan(&weekly, &held, ALL, day(now));
            (day(20) - planned[0].slice.from).num_days()
        };
        let week = |n: i64| day(n).timestamp().div_euclid(WEEK);
        let next = (21..28).find(|n| week(*n) > week(20)).unwrap();
        assert_eq!(from(next - 1), 7, "the week has been read into");
        assert_eq!(from(next), 30);
        assert_eq!(from(next + 90), 30, "after weeks of silence");
        let held = Held { covered: vec![range(10, 20)], ..Held::default() };
        assert_eq!(plan(&weekly, &held, ALL, day(next))[0].slice.from, day(10), "never before what is held");
    }

    #[test]
    fn an_hour_of_readings_is_read_whole() {
        let readings = resource(Some(30)).holds(Holds::Readings);
        let at = |n: i64, minutes: i64| day(n) + Duration::minutes(minutes);
        let held = Held { covered: vec![Slice { from: at(-100, 0), to: at(20, 605) }], ..Held::default() };
        let slice = |asked| plan(&readings, &held, asked, at(21, 905))[0].slice;
        assert_eq!(slice(ALL), Slice { from: at(13, 600), to: at(21, 905) }, "the present hour as far as it goes");
        let asked = Asked { since: Some(at(1, 30)), until: Some(at(2, 30)), force: true };
        assert_eq!(slice(asked), Slice { from: at(1, 0), to: at(2, 60) });
        let asked = Asked { since: Some(at(21, 700)), until: Some(at(21, 905)), force: true };
        assert_eq!(slice(asked), Slice { from: at(21, 660), to: at(21, 905) }, "never later than now");
    }

    #[test]
    fn a_gap_is_filled_by_the_next_plain_run() {
        let held = Held { covered: vec![range(0, 5), range(10, 20)], ..Held::default() };
        assert_eq!(days(&held, ALL, None, 21), [(5, 10), (13, 21)]);
    }

    #[test]
    fn all_of_it_is_read_again_now_and_then() {
        let weekly = resource(None).sweep(7);
        let held = |listed: i64| Held { covered: vec![range(0, 50)], listed_at: Some(day(listed)), open: None };
        let read = |held: &Held, asked: Asked| {
            plan(&weekly, held, asked, day(51)).iter().map(|planned| planned.slice).collect::<Vec<_>>()
        };
        assert_eq!(read(&held(44), ALL), [range(0, 51)]);
        assert_ne!(read(&held(45), ALL), [range(0, 51)], "not so soon");
        let part = Asked { since: Some(day(48)), ..ALL };
        assert_ne!(read(&held(40), part), [range(0, 51)], "a person asks for a part");
        let never = Held { listed_at: None, ..held(0) };
        assert_eq!(read(&never, ALL), [range(0, 51)], "one that was interrupted proved nothing");
    }

    #[test]
    fn an_open_slice_goes_on_where_it_stopped() {
        let open = Some((range(0, 20), Some(PageToken("t".into()))));
        let held = Held { open, ..Held::default() };
        let planned = plan(&resource(None), &held, ALL, day(25));
        assert_eq!(planned[0], Planned { slice: range(0, 20), resume: Some(PageToken("t".into())), changes: false });
        assert_eq!(planned[1], Planned { slice: range(20, 25), resume: None, changes: false });
    }

    #[test]
    fn changes_are_asked_for_first_and_all_times_once_in_a_while() {
        let lists = resource(None).changed_since("lastupdate");
        let plan_of = |listed: i64, asked: Asked| {
            let held = Held { covered: vec![range(0, 40)], listed_at: Some(day(listed)), open: None };
            let number = |t: DateTime<Utc>| (t - day(0)).num_hours();
            let planned = plan(&lists, &held, asked, day(41));
            planned.iter().map(|p| (p.changes, number(p.slice.from), number(p.slice.to))).collect::<Vec<_>>()
        };
        let changes = (true, 40 * 24 - 1, 41 * 24);
        assert_eq!(plan_of(14, ALL), [changes, (false, 33 * 24, 41 * 24)]);
        assert_eq!(plan_of(13, ALL), [changes, (false, 0, 41 * 24)], "four weeks ago");
        assert_eq!(plan_of(0, Asked { force: true, ..ALL }), [(false, 0, 41 * 24)]);
        assert_eq!(plan_of(0, Asked { until: Some(day(30)), ..ALL }), [], "covered, and nobody asked for changes");
        assert_eq!(plan(&lists, &Held::default(), ALL, day(41)).len(), 1, "a first load needs no changes");
    }

    #[test]
    fn windows_of_whole_days_are_cut_at_midnight() {
        for format in [Stamp::EpochDays, Stamp::Days { before: 0, after: 1 }] {
            let window = Window::Range { start: "s", end: "e", format, max_days: Some(1) };
            let noon = Duration::hours(12);
            let slices = cut(Slice { from: day(0) + noon, to: day(2) + noon }, window);
            let hours: Vec<_> =
                slices.iter().map(|s| ((s.from - day(0)).num_hours(), (s.to - day(0)).num_hours())).collect();
            assert_eq!(hours, [(12, 24), (24, 48), (48, 60)]);
        }
    }

    proptest! {
        #[test]
        fn slices_cover_what_is_missing_exactly_once(
            holes in proptest::collection::vec((0i64..100, 1i64..20), 0..5), max in proptest::option::of(1u16..40), now in 50i64..140
        ) {
            let covered = merge(holes.iter().map(|(from, length)| range(*from, from + length)).collect());
            let held = Held { covered: covered.clone(), ..Held::default() };
            let asked = Asked { since: Some(day(0)), ..ALL };
            let slices: Vec<Slice> = plan(&resource(max), &held, asked, day(now)).iter().map(|p| p.slice).collect();
            for pair in slices.windows(2) {
                prop_assert!(pair[0].to <= pair[1].from, "overlap");
            }
            for slice in &slices {
                prop_assert!(slice.from < slice.to);
                prop_assert!(max.is_none_or(|max| (slice.to - slice.from).num_days() <= i64::from(max)));
            }
            for n in 0..now {
                let inside = |ranges: &[Slice]| ranges.iter().any(|r| r.from <= day(n) && day(n) < r.to);
                prop_assert!(inside(&slices) || inside(&covered), "day {} is lost", n);
            }
        }
    }
}
