//! The day on which a person's account at the provider began, and what that spares: hardly anybody has anything before it, so
//! that time is asked for by few questions. Decides what to ask; asks nothing itself.

use chrono::{DateTime, Duration, NaiveTime, Utc};

use super::lead::Lead;
use super::records::{self, Page};
use super::slices::{Planned, cut, merge};
use crate::source::{Early, Resource, Slice};

/// The day is one of the person's calendar, wherever that was: a border so much before it has all of it behind itself.
const MARGIN: Duration = Duration::days(2);

/// What is of days before the border lies before so much after it, at Greenwich; what is of the first day, later than that.
const REACH: Duration = Duration::hours(12);

/// The border between early and later time, as the records of `page` say it. A day to come says nothing.
pub(super) fn border(resource: &Resource, page: &Page, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if resource.first_day.is_empty() {
        return None;
    }
    let days = page.records.iter().filter_map(|record| records::day_at(record, resource.first_day));
    let border = days.min()?.and_time(NaiveTime::MIN).and_utc().checked_sub_signed(MARGIN)?;
    (border < now).then_some(border)
}

/// What of `lead` is of days before the border.
pub(super) fn near(lead: &Lead, border: Option<DateTime<Utc>>) -> Option<Lead> {
    border.map(|border| lead.until(border + REACH))
}

/// What is planned, cut in two: before `day`, on which the person's account began, as [`Early`] has it, and from there on.
/// Windows of later time begin on that day, so that there are as few as can be.
pub(super) fn split(
    resource: &Resource,
    planned: Vec<Planned>,
    day: Option<DateTime<Utc>>,
) -> (Vec<Planned>, Vec<Planned>) {
    let Some(day) = day.filter(|_| resource.early != Early::Windows) else { return (Vec::new(), planned) };
    let (free, mut later): (Vec<_>, Vec<_>) =
        planned.into_iter().partition(|one| one.resume.is_none() && !one.changes && one.slice.from != one.slice.to);
    let whole = |slice: Slice| Planned { slice, resume: None, changes: false };
    let mut before = Vec::new();
    for range in merge(free.into_iter().map(|one| one.slice).collect()) {
        let border = day.clamp(range.from, range.to);
        let early = Slice { to: border, ..range };
        if early.from < early.to {
            let once = if resource.early == Early::Once { vec![early] } else { cut(early, resource.window) };
            before.extend(once.into_iter().map(whole));
        }
        later.extend(cut(Slice { from: border, ..range }, resource.window).into_iter().map(whole));
    }
    later.sort_by_key(|one| (!one.changes, one.slice.from));
    (before, later)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::records::split as records_of;
    use crate::extract::slices::{Asked, Held, plan};
    use crate::source::{PageToken, Stamp, Window};

    fn day(n: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + Duration::days(19_000 + n)
    }

    fn range(from: i64, to: i64) -> Slice {
        Slice { from: day(from), to: day(to) }
    }

    fn resource(max_days: Option<u16>) -> Resource {
        Resource::get("x", "/x").window(Window::Range { start: "s", end: "e", format: Stamp::Rfc3339, max_days })
    }

    const ALL: Asked = Asked { since: None, until: None, force: false };

    #[test]
    fn what_lies_before_the_first_day_is_asked_for_apart() {
        let planned = |resource: &Resource, now: i64| {
            let asked = Asked { since: Some(day(-1000)), ..ALL };
            plan(resource, &Held::default(), asked, day(now))
        };
        let shown = |resource: &Resource, now: i64, first: Option<i64>| {
            let number = |t: DateTime<Utc>| (t - day(0)).num_days();
            let of =
                |all: Vec<Planned>| all.iter().map(|p| (number(p.slice.from), number(p.slice.to))).collect::<Vec<_>>();
            let (before, later) = split(resource, planned(resource, now), first.map(day));
            (of(before), of(later))
        };
        let once = resource(Some(90)).early(Early::Once);
        let windows: Vec<_> = (0..13).map(|n| (-1000 + n * 90, (-910 + n * 90).min(100))).collect();
        assert_eq!(shown(&once, 100, Some(0)), (vec![(-1000, 0)], vec![(0, 90), (90, 100)]), "windows begin that day");
        assert_eq!(shown(&once, 100, Some(-2000)).0, [], "nothing lies before it");
        assert_eq!(shown(&once, 100, None), (vec![], windows.clone()), "nobody says it");
        assert_eq!(shown(&resource(Some(90)), 100, Some(0)), (vec![], windows), "as all other time");
        assert_eq!(shown(&once, 100, Some(200)), (vec![(-1000, 100)], vec![]), "it is still to come");
        let near = resource(Some(400)).early(Early::Near("x"));
        assert_eq!(shown(&near, 100, Some(0)), (vec![(-1000, -600), (-600, -200), (-200, 0)], vec![(0, 100)]));
        // What an earlier run began goes on where it stopped.
        let open = Held { open: Some((range(-90, 0), Some(PageToken("t".into())))), ..Held::default() };
        let (before, later) = split(&once, plan(&once, &open, ALL, day(10)), Some(day(-30)));
        assert_eq!((before.len(), later.len()), (0, 2));
        assert_eq!(later[0].resume, Some(PageToken("t".into())));
    }

    #[test]
    fn the_day_is_taken_as_it_is_said() {
        let profile = Resource::get("profile", "/profile").first_day("/since");
        let of = |text: &str| {
            let page = records_of(&profile, "", text.as_bytes(), 1).unwrap();
            border(&profile, &page, day(0)).map(|at| at.to_rfc3339())
        };
        let said = Some("2016-03-07T00:00:00+00:00".to_owned());
        assert_eq!(of(r#"{"since":{"year":2016,"month":3,"day":9}}"#), said);
        assert_eq!(of(r#"{"since":"2016-03-09"}"#), said);
        assert_eq!(of(r#"{"since":"2016-03-09T23:30:00Z"}"#), said);
        for nothing in [
            "{}",
            r#"{"since":null}"#,
            r#"{"since":"long ago"}"#,
            r#"{"since":"9999-01-01"}"#,
            r#"{"since":{"year":2016}}"#,
        ] {
            assert_eq!(of(nothing), None, "{nothing}");
        }
    }
}
