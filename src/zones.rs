//! Where a person was when: the home zone, and the stays elsewhere that they told us of. Rules of time zones are
//! expanded here into ranges of constant offset, so that SQL only adds stored numbers (docs/adr/14). Knows no source.

mod store;

use chrono::{DateTime, Datelike, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;

pub(crate) use store::{expanded, keep, load, remove, rezone, set};

/// A time in another zone than home. Of several that hold at an instant the one that began last counts, so that a trip
/// interrupts a move and leaves it as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stay {
    pub(crate) from: DateTime<Utc>,
    /// First instant after it; none: it has no end.
    pub(crate) until: Option<DateTime<Utc>>,
    pub(crate) zone: Tz,
}

/// All that is known of one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Zones {
    home: Tz,
    /// Latest first.
    stays: Vec<Stay>,
}

/// The zone at an instant, and its offset from UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) zone: Tz,
    /// Seconds east of UTC.
    pub(crate) offset_s: i32,
}

impl Place {
    pub(crate) fn of(zone: Tz, at: DateTime<Utc>) -> Self {
        Self { zone, offset_s: zone.offset_from_utc_datetime(&at.naive_utc()).fix().local_minus_utc() }
    }

    /// The local day of an instant there, in days since 1970.
    pub(crate) fn day(self, at: DateTime<Utc>) -> i32 {
        let local = at.naive_utc() + TimeDelta::seconds(i64::from(self.offset_s));
        local.date().num_days_from_ce() - 719_163 // 1970-01-01 counted from the year 1
    }
}

/// A range in which neither the zone nor its offset changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) from: DateTime<Utc>,
    pub(crate) until: DateTime<Utc>,
    pub(crate) place: Place,
}

impl Zones {
    pub(crate) fn new(home: Tz, mut stays: Vec<Stay>) -> Self {
        stays.sort_by_key(|stay| std::cmp::Reverse(stay.from));
        Self { home, stays }
    }

    pub(crate) fn home(&self) -> Tz {
        self.home
    }

    /// Latest first.
    pub(crate) fn stays(&self) -> &[Stay] {
        &self.stays
    }

    /// Where the person was.
    pub(crate) fn at(&self, at: DateTime<Utc>) -> Place {
        let holds = |stay: &&Stay| stay.from <= at && stay.until.is_none_or(|until| at < until);
        Place::of(self.stays.iter().find(holds).map_or(self.home, |stay| stay.zone), at)
    }

    /// Ranges of constant zone and offset that fill `from` to `until`.
    pub(crate) fn ranges(&self, from: DateTime<Utc>, until: DateTime<Utc>) -> Vec<Range> {
        let mut ranges: Vec<Range> = Vec::new();
        let mut borders: Vec<DateTime<Utc>> =
            self.stays.iter().flat_map(|stay| std::iter::once(stay.from).chain(stay.until)).collect();
        borders.retain(|border| from < *border && *border < until);
        borders.extend([from, until]);
        borders.sort_unstable();
        for pair in borders.windows(2) {
            let mut at = pair[0];
            while at < pair[1] {
                let place = self.at(at);
                let next = last_of(place, at, pair[1]);
                match ranges.last_mut() {
                    Some(last) if last.place == place => last.until = next,
                    _ => ranges.push(Range { from: at, until: next, place }),
                }
                at = next;
            }
        }
        ranges
    }
}

/// The first instant after `from` at which the offset of a zone is another, or `until`. Zones keep an offset for weeks
/// at least, so that steps of a day miss no change.
fn last_of(place: Place, from: DateTime<Utc>, until: DateTime<Utc>) -> DateTime<Utc> {
    let same = |at| Place::of(place.zone, at) == place;
    let mut low = from;
    while low < until {
        let high = (low + TimeDelta::days(1)).min(until);
        if same(high) {
            low = high;
            continue;
        }
        let (mut low, mut high) = (low.timestamp(), high.timestamp());
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match DateTime::from_timestamp(middle, 0) {
                Some(at) if same(at) => low = middle,
                _ => high = middle,
            }
        }
        return DateTime::from_timestamp(high, 0).unwrap_or(until);
    }
    until
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::parse_instant;
    use chrono_tz::{America::Los_Angeles, Asia::Tokyo, Europe::Berlin};

    fn at(text: &str) -> DateTime<Utc> {
        parse_instant(text).unwrap()
    }

    fn stay(from: &str, until: Option<&str>, zone: Tz) -> Stay {
        Stay { from: at(from), until: until.map(at), zone }
    }

    #[test]
    fn a_trip_interrupts_a_move_and_leaves_it() {
        let zones = Zones::new(
            Los_Angeles,
            vec![stay("2020-01-01T00:00Z", None, Berlin), stay("2025-03-01T00:00Z", Some("2025-03-10T00:00Z"), Tokyo)],
        );
        let zone = |text| zones.at(at(text)).zone;
        assert_eq!(zone("2019-12-31T23:59Z"), Los_Angeles);
        assert_eq!(zone("2020-01-01T00:00Z"), Berlin);
        assert_eq!(zone("2025-03-01T00:00Z"), Tokyo);
        assert_eq!(zone("2025-03-09T23:59Z"), Tokyo);
        assert_eq!(zone("2025-03-10T00:00Z"), Berlin);
    }

    #[test]
    fn ranges_fill_a_time_and_end_where_clocks_change() {
        let zones = Zones::new(Berlin, vec![stay("2025-03-01T00:00Z", Some("2025-03-10T00:00Z"), Tokyo)]);
        let ranges = zones.ranges(at("2025-01-01T00:00Z"), at("2026-01-01T00:00Z"));
        let shown: Vec<(String, i32)> =
            ranges.iter().map(|r| (r.from.format("%m-%d %H:%M").to_string(), r.place.offset_s / 3600)).collect();
        let expected =
            [("01-01 00:00", 1), ("03-01 00:00", 9), ("03-10 00:00", 1), ("03-30 01:00", 2), ("10-26 01:00", 1)];
        assert_eq!(shown, expected.map(|(text, offset)| (text.to_owned(), offset)));
        assert!(ranges.windows(2).all(|pair| pair[0].until == pair[1].from));
        assert_eq!(ranges.last().map(|range| range.until), Some(at("2026-01-01T00:00Z")));
        assert!(zones.ranges(at("2025-01-01T00:00Z"), at("2025-01-01T00:00Z")).is_empty());
    }

    #[test]
    fn a_day_is_that_of_the_clock_on_the_wall() {
        let new_year = at("2025-01-01T00:00Z");
        let day = |zone| Place::of(zone, new_year).day(new_year);
        assert_eq!((day(Tz::UTC), day(Los_Angeles), day(Tokyo)), (20_089, 20_088, 20_089));
        let first = at("1970-01-01T00:00Z");
        assert_eq!(Place::of(Tz::UTC, first).day(first), 0);
    }
}
