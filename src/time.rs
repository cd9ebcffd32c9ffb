//! The clock, and what a person means by a date: one grammar for `--since` and `--until` (docs/configuration.md, dates). Days are the
//! person's local days, from midnight to midnight in their zone, also where a clock change makes them 23 or 25 hours.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use chrono_tz::Tz;

/// Where the present moment comes from; `HEALTH_NOW` fixes it.
#[derive(Clone, Debug)]
pub(crate) struct Clock {
    fixed: Option<DateTime<Utc>>,
}

impl Clock {
    pub(crate) fn new(fixed: Option<DateTime<Utc>>) -> Self {
        Self { fixed }
    }

    /// This moment, to the microsecond that PostgreSQL keeps.
    #[allow(clippy::disallowed_methods, reason = "the one place that asks the system for the time")]
    pub(crate) fn now(&self) -> DateTime<Utc> {
        let now = self.fixed.unwrap_or_else(Utc::now);
        DateTime::from_timestamp_micros(now.timestamp_micros()).unwrap_or(now)
    }

    /// Whether the time is fixed, in which case a provider's Date header says nothing about it.
    pub(crate) fn is_fixed(&self) -> bool {
        self.fixed.is_some()
    }
}

/// Which end of the named day or month is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Edge {
    /// `--since`: the first moment.
    Start,
    /// `--until`: the last, as an exclusive bound.
    End,
}

/// The instant that `text` means in `zone`, seen from `now`. Forms: `today`, `yesterday`, `2026-11-01`, `2026-11`,
/// `7d`, `4w`, `6m`, `1y`, `2026-11-01T08:00-08:00`. Relative forms snap to local midnight.
pub(crate) fn parse_when(text: &str, edge: Edge, zone: Tz, now: DateTime<Utc>) -> anyhow::Result<DateTime<Utc>> {
    let today = now.with_timezone(&zone).date_naive();
    let instant = if text.contains('T') {
        parse_instant(text)
    } else {
        day_range(text, today)
            .and_then(|(first, after)| local_midnight(zone, if edge == Edge::Start { first } else { after }))
    };
    // Nobody's data is older, and no database or provider is asked about the year 12.
    instant.filter(|instant| (1900..=9999).contains(&instant.year())).ok_or_else(|| not_a_date(text))
}

fn not_a_date(text: &str) -> anyhow::Error {
    let shown: String = text.chars().filter(|c| !c.is_control()).take(40).collect();
    anyhow::anyhow!(
        "\"{shown}\" is not a date from 1900 on; use today, yesterday, 2026-11-01, 2026-11, 7d, 4w, 6m, 1y or 2026-11-01T08:00-08:00"
    )
}

/// First day meant, and the day after the last one.
fn day_range(text: &str, today: NaiveDate) -> Option<(NaiveDate, NaiveDate)> {
    let one = |day: NaiveDate| Some((day, day.succ_opt()?));
    match text {
        "today" => return one(today),
        "yesterday" => return one(today.pred_opt()?),
        _ => {}
    }
    if let Ok(day) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return one(day);
    }
    if text.len() == 7
        && let Ok(first) = NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d")
    {
        return Some((first, first.checked_add_months(Months::new(1))?));
    }
    let (digits, unit) = text.split_at(text.len().checked_sub(1).filter(|at| text.is_char_boundary(*at))?);
    let count: u32 = digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse().ok())??;
    one(match unit {
        "d" => today.checked_sub_days(Days::new(u64::from(count)))?,
        "w" => today.checked_sub_days(Days::new(u64::from(count) * 7))?,
        "m" => today.checked_sub_months(Months::new(count))?,
        "y" => today.checked_sub_months(Months::new(count.checked_mul(12)?))?,
        _ => return None,
    })
}

/// RFC 3339, with the seconds optional.
pub(crate) fn parse_instant(text: &str) -> Option<DateTime<Utc>> {
    ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z"]
        .iter()
        .find_map(|format| DateTime::parse_from_str(text, format).ok())
        .or_else(|| DateTime::parse_from_rfc3339(text).ok())
        .map(|instant| instant.with_timezone(&Utc))
}

/// The first moment of `day` in `zone`; where midnight does not exist, the first that does.
pub(crate) fn local_midnight(zone: Tz, day: NaiveDate) -> Option<DateTime<Utc>> {
    let midnight = NaiveDateTime::new(day, NaiveTime::MIN);
    (0..=24 * 4)
        .find_map(|quarter| zone.from_local_datetime(&(midnight + chrono::Duration::minutes(15 * quarter))).earliest())
        .map(|instant| instant.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn since(text: &str) -> String {
        when(text, Edge::Start)
    }

    fn when(text: &str, edge: Edge) -> String {
        let now = parse_instant("2026-11-21T14:12:08Z").unwrap();
        parse_when(text, edge, chrono_tz::America::Los_Angeles, now)
            .map_or_else(|error| error.to_string(), |t| t.to_rfc3339())
    }

    #[test]
    fn every_form_of_the_grammar() {
        assert_eq!(since("today"), "2026-11-21T08:00:00+00:00");
        assert_eq!(since("yesterday"), "2026-11-20T08:00:00+00:00");
        assert_eq!(since("2026-11-01"), "2026-11-01T07:00:00+00:00");
        assert_eq!(
            when("2026-11-01", Edge::End),
            "2026-11-02T08:00:00+00:00",
            "the day of the clock change has 25 hours"
        );
        assert_eq!(since("2026-11"), "2026-11-01T07:00:00+00:00");
        assert_eq!(when("2026-11", Edge::End), "2026-12-01T08:00:00+00:00");
        assert_eq!(since("7d"), "2026-11-14T08:00:00+00:00");
        assert_eq!(since("4w"), "2026-10-24T07:00:00+00:00");
        assert_eq!(since("6m"), "2026-05-21T07:00:00+00:00");
        assert_eq!(since("1y"), "2025-11-21T08:00:00+00:00");
        assert_eq!(since("2026-11-01T08:00-08:00"), "2026-11-01T16:00:00+00:00");
    }

    #[test]
    fn nonsense_is_refused_with_the_forms() {
        for text in [
            "2026-02-30",
            "",
            "d",
            "5x",
            "tomorrow",
            "99999999999d",
            "2026-13",
            "é",
            "2026-11-01T25:00Z",
            "99999y",
            "0012-01-01",
            "+99999-01-01T00:00:00Z",
        ] {
            assert!(since(text).contains("is not a date"), "{text}: {}", since(text));
        }
    }

    #[test]
    fn a_midnight_that_does_not_exist() {
        let day = NaiveDate::from_ymd_opt(2018, 11, 4).unwrap();
        let first = local_midnight(chrono_tz::America::Sao_Paulo, day).unwrap();
        assert_eq!(first.to_rfc3339(), "2018-11-04T03:00:00+00:00");
    }
}
