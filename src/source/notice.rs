//! What is announced of a source for a day: that its interface ends, moves, or is for subscribers. Knows when a notice is to
//! be shown, not where.

use chrono::{DateTime, NaiveDate, Utc};

/// Something that happens to a source on a day, or has happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Notice {
    pub(crate) kind: Announced,
    /// The first day on which it holds, as the provider dates it; where only a year is known, its last day.
    pub(crate) on: NaiveDate,
    /// What happens, in a sentence without the day.
    pub(crate) text: &'static str,
    /// What a person does about it: a command or a sentence.
    pub(crate) next: &'static str,
}

/// What kind of thing a notice announces.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Announced {
    /// The interface ends.
    Retirement,
    /// Only subscribers are served, or only on new terms.
    Subscription,
    /// Another source takes its place.
    #[allow(dead_code, reason = "for a source that another one replaces")]
    Successor,
    /// Addresses change.
    Addresses,
}

impl Announced {
    /// As it is written in documents and in the database.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Retirement => "retirement",
            Self::Subscription => "subscription",
            Self::Successor => "successor",
            Self::Addresses => "addresses",
        }
    }
}

/// How near the day of a notice is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Nearness {
    /// Within 90 days.
    Ahead,
    /// Within 30 days.
    Soon,
    /// Within 7 days.
    Near,
    /// The day has come.
    Past,
}

impl Nearness {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Ahead => "ahead",
            Self::Soon => "soon",
            Self::Near => "near",
            Self::Past => "past",
        }
    }
}

/// A recurring job repeats a notice no sooner than this.
const REPEAT_DAYS: i64 = 7;

/// So long after its day a recurring job stops repeating a notice; whoever looks still sees it.
const TOLD_AFTER_DAYS: i64 = 30;

impl Notice {
    /// How many days are left on `today`, the person's own; none or fewer: the day has come.
    pub(crate) fn days_left(&self, today: NaiveDate) -> i64 {
        (self.on - today).num_days()
    }

    /// How near it is on `today`; none while it is more than 90 days away.
    pub(crate) fn nearness(&self, today: NaiveDate) -> Option<Nearness> {
        match self.days_left(today) {
            ..=0 => Some(Nearness::Past),
            1..=7 => Some(Nearness::Near),
            8..=30 => Some(Nearness::Soon),
            31..=90 => Some(Nearness::Ahead),
            _ => None,
        }
    }

    /// Whether a recurring job shows it now, after it showed it last at `shown`: once a week, from 90 days before its day to 30
    /// days after it. A time of showing that lies ahead is a clock that was wrong, and no reason to be silent.
    pub(crate) fn is_due(&self, now: DateTime<Utc>, today: NaiveDate, shown: Option<DateTime<Utc>>) -> bool {
        let is_told = self.nearness(today).is_some() && self.days_left(today) > -TOLD_AFTER_DAYS;
        is_told && shown.is_none_or(|shown| shown > now || (now - shown).num_days() >= REPEAT_DAYS)
    }

    /// Its day and what happens, in one line.
    pub(crate) fn said(&self, today: NaiveDate) -> String {
        let when = match self.days_left(today) {
            ..0 => format!("since {}", self.on),
            0 => format!("today, {}", self.on),
            1 => format!("tomorrow, {}", self.on),
            days => format!("in {days} days, on {}", self.on),
        };
        format!("{when}: {}", self.text)
    }
}

/// A day of the calendar that is known when the program is built; one that does not exist does not build.
#[allow(dead_code, reason = "for sources of which something is announced")]
pub(crate) const fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(day) => day,
        None => panic!("there is no such day"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOVES: Notice =
        Notice { kind: Announced::Addresses, on: day(2027, 6, 1), text: "it moves", next: "set the new address" };

    #[test]
    fn it_comes_nearer_in_steps() {
        let near = |y, m, d| MOVES.nearness(day(y, m, d));
        assert_eq!(near(2027, 3, 2), None, "91 days");
        assert_eq!(near(2027, 3, 3), Some(Nearness::Ahead));
        assert_eq!(near(2027, 5, 1), Some(Nearness::Ahead));
        assert_eq!(near(2027, 5, 2), Some(Nearness::Soon));
        assert_eq!(near(2027, 5, 25), Some(Nearness::Near));
        assert_eq!(near(2027, 5, 31), Some(Nearness::Near));
        assert_eq!(near(2027, 6, 1), Some(Nearness::Past));
        assert_eq!(near(2031, 1, 1), Some(Nearness::Past));
        assert!(Nearness::Ahead < Nearness::Soon && Nearness::Soon < Nearness::Near && Nearness::Near < Nearness::Past);
    }

    #[test]
    fn it_says_its_day() {
        assert_eq!(MOVES.said(day(2027, 5, 2)), "in 30 days, on 2027-06-01: it moves");
        assert_eq!(MOVES.said(day(2027, 5, 31)), "tomorrow, 2027-06-01: it moves");
        assert_eq!(MOVES.said(day(2027, 6, 1)), "today, 2027-06-01: it moves");
        assert_eq!(MOVES.said(day(2027, 6, 2)), "since 2027-06-01: it moves");
    }

    #[test]
    fn a_recurring_job_shows_it_once_a_week() {
        let at = |y, m, d| day(y, m, d).and_hms_opt(5, 30, 0).unwrap_or_default().and_utc();
        let due = |now: DateTime<Utc>, shown| MOVES.is_due(now, now.date_naive(), shown);
        assert!(!due(at(2027, 3, 2), None), "not yet");
        assert!(due(at(2027, 3, 3), None));
        assert!(!due(at(2027, 3, 9), Some(at(2027, 3, 3))));
        assert!(due(at(2027, 3, 10), Some(at(2027, 3, 3))));
        assert!(due(at(2027, 6, 8), Some(at(2027, 6, 1))), "also when the day has passed");
        assert!(!due(at(2027, 7, 1), Some(at(2027, 6, 1))), "but not for ever");
        assert!(due(at(2027, 5, 1), Some(at(2028, 1, 1))), "shown by a clock that was wrong");
    }
}
