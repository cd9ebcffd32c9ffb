//! Readings that come by the thousand become one record an hour. Where a provider lists the newest first, an hour is whole
//! once an older one has begun, and is let go. Decides what belongs together; asks and stores nothing itself.

use std::collections::BTreeMap;

use chrono::{DateTime, DurationRound, SecondsFormat, TimeDelta, Utc};
use serde_json::value::RawValue;

use super::records::Page;
use crate::source::{Holds, RawRecord, Resource};

/// An hour and an origin.
type Place = (DateTime<Utc>, String);

/// Readings with their times, by hour and origin.
type Hours = BTreeMap<Place, Vec<(DateTime<Utc>, Box<RawValue>)>>;

/// The hours of one slice that are not whole yet.
pub(super) struct Bundles {
    /// Name of the list in the record that a bundle becomes: that of the reply.
    member: &'static str,
    open: Hours,
    /// The time of the reading met last.
    last: Option<DateTime<Utc>>,
    /// Hours from this one on were let go.
    gone: Option<DateTime<Utc>>,
    /// Whether every reading so far was no later than the one before it.
    is_descending: bool,
}

/// A reading came for an hour that was let go.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OutOfOrder;

impl Bundles {
    /// For a resource of readings.
    pub(super) fn of(resource: &Resource) -> Option<Self> {
        Self::held(resource).map(|bundles| Self { is_descending: true, ..bundles })
    }

    /// The same, in whatever order they come: nothing is let go before the end.
    pub(super) fn held(resource: &Resource) -> Option<Self> {
        let member = resource.records.rsplit('/').next().unwrap_or_default();
        let empty = Self { member, open: BTreeMap::new(), last: None, gone: None, is_descending: false };
        (resource.holds == Holds::Readings).then_some(empty)
    }

    /// Takes the readings of a page out of it, and puts the hours into it that are whole by now.
    pub(super) fn take(&mut self, page: &mut Page) -> Result<(), OutOfOrder> {
        for reading in std::mem::take(&mut page.records) {
            let (Some(at), Some(key)) = (reading.record_at, reading.source_id) else { continue }; // the split saw to both
            let hour = hour(at);
            if self.gone.is_some_and(|gone| hour >= gone) {
                return Err(OutOfOrder);
            }
            self.is_descending &= self.last.is_none_or(|last| at <= last);
            self.last = Some(at);
            self.open.entry((hour, origin(&key))).or_default().push((at, reading.payload));
        }
        for reject in &mut page.rejected {
            // It stands for its hour, which is there although a part of it cannot be used.
            let place = reject.source_id.as_deref().and_then(|key| {
                let at = crate::time::parse_instant(key.split('|').next()?)?;
                Some(id(&(hour(at), origin(key))))
            });
            reject.source_id = place.or(reject.source_id.take());
        }
        if let Some(last) = self.last.filter(|_| self.is_descending) {
            let next = hour(last) + TimeDelta::hours(1);
            let whole = self.open.split_off(&(next, String::new()));
            self.gone = Some(next);
            page.records = self.records(whole);
        }
        Ok(())
    }

    /// What is left after the last page.
    pub(super) fn rest(&mut self) -> Vec<RawRecord> {
        let rest = std::mem::take(&mut self.open);
        self.records(rest)
    }

    fn records(&self, whole: Hours) -> Vec<RawRecord> {
        whole.into_iter().filter_map(|(place, readings)| self.record(&place, readings)).collect()
    }

    fn record(&self, place: &Place, mut readings: Vec<(DateTime<Utc>, Box<RawValue>)>) -> Option<RawRecord> {
        readings.sort_by(|a, b| (a.0, a.1.get()).cmp(&(b.0, b.1.get())));
        // Pages that shift while they are read list a reading twice.
        readings.dedup_by(|a, b| a.1.get() == b.1.get());
        let texts: Vec<&str> = readings.iter().map(|(_, text)| text.get()).collect();
        let text = format!("{{\"{}\":[{}]}}", self.member, texts.join(","));
        let payload = RawValue::from_string(text).ok()?; // made of whole values
        Some(RawRecord { source_id: Some(id(place)), record_at: Some(place.0), payload })
    }
}

/// The hour at Greenwich that an instant lies in.
pub(crate) fn hour(at: DateTime<Utc>) -> DateTime<Utc> {
    at.duration_trunc(TimeDelta::hours(1)).unwrap_or(at)
}

/// What a reading's key says behind its time.
fn origin(key: &str) -> String {
    key.split_once('|').map_or(String::new(), |(_, origin)| origin.to_owned())
}

fn id((hour, origin): &Place) -> String {
    let hour = hour.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    if origin.is_empty() { hour } else { format!("{hour}|{origin}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extract::records::split;
    use crate::source::Paging;

    const RATE: Resource = Resource::get("rate", "/rate")
        .paging(Paging::Token { at: "/next", param: "page", size: None })
        .records("/points")
        .holds(Holds::Readings)
        .key(&["/at", "?/device"])
        .at("/at");

    fn page(times: &[&str]) -> Page {
        let points: Vec<String> =
            times.iter().map(|t| format!("{{\"at\":\"2026-11-05T{t}Z\",\"device\":\"w\"}}")).collect();
        split(&RATE, "", format!("{{\"points\":[{}]}}", points.join(",")).as_bytes(), 1).unwrap()
    }

    fn ids(records: &[RawRecord]) -> Vec<&str> {
        records.iter().filter_map(|record| record.source_id.as_deref()).collect()
    }

    #[test]
    fn an_hour_is_let_go_once_an_older_one_has_begun() {
        let mut bundles = Bundles::of(&RATE).unwrap();
        let mut first = page(&["09:00:05", "08:59:00", "08:30:00"]);
        bundles.take(&mut first).unwrap();
        assert_eq!(ids(&first.records), ["2026-11-05T09:00:00Z|w"]);
        let mut second = page(&["08:30:00", "08:00:00"]);
        bundles.take(&mut second).unwrap();
        assert!(second.records.is_empty(), "eight is not over");
        let rest = bundles.rest();
        assert_eq!(ids(&rest), ["2026-11-05T08:00:00Z|w"]);
        assert_eq!(rest[0].record_at.unwrap().to_rfc3339(), "2026-11-05T08:00:00+00:00");
        let at = |t| format!("{{\"at\":\"2026-11-05T08:{t}Z\",\"device\":\"w\"}}");
        let points = [at("00:00"), at("30:00"), at("59:00")].join(",");
        assert_eq!(rest[0].payload.get(), format!("{{\"points\":[{points}]}}"), "once each, oldest first, as sent");
    }

    #[test]
    fn in_another_order_everything_is_held_to_the_end() {
        let mut bundles = Bundles::of(&RATE).unwrap();
        let mut mixed = page(&["08:00:00", "09:00:00"]);
        bundles.take(&mut mixed).unwrap();
        assert!(mixed.records.is_empty());
        assert_eq!(ids(&bundles.rest()), ["2026-11-05T08:00:00Z|w", "2026-11-05T09:00:00Z|w"]);
        let mut bundles = Bundles::of(&RATE).unwrap();
        bundles.take(&mut page(&["09:00:00", "07:00:00"])).unwrap();
        assert_eq!(bundles.take(&mut page(&["08:10:00"])), Err(OutOfOrder), "nine and eight were let go");
        assert!(Bundles::of(&RATE.holds(Holds::Sparse)).is_none());
    }

    #[test]
    fn a_reading_that_cannot_be_used_stands_for_its_hour() {
        let body = br#"{"points":[{"at":"2026-11-05T09:10:00Z","device":"w","v":1e999}]}"#;
        let mut poisoned = split(&RATE, "", body, 1).unwrap();
        Bundles::of(&RATE).unwrap().take(&mut poisoned).unwrap();
        assert_eq!(poisoned.rejected[0].source_id.as_deref(), Some("2026-11-05T09:00:00Z|w"));
    }
}
