//! What the person does and where: a day's zone, training, illness, journey. Knows no body and no record.

use chrono::{Datelike, Days, NaiveDate, Weekday};
use chrono_tz::Tz;

use super::random::Random;

/// Where the person lives: a zone whose clocks change twice a year.
pub(crate) const HOME: Tz = chrono_tz::America::Los_Angeles;
/// Where they fly to, and back from.
pub(super) const AWAY: Tz = chrono_tz::Europe::Lisbon;

/// One day of waking life, from the night before it to the evening.
#[derive(Clone)]
pub(super) struct Day {
    pub(super) date: NaiveDate,
    /// Days before the last one.
    pub(super) ago: u32,
    pub(super) zone: Tz,
    /// 0 well, 1 very ill.
    pub(super) illness: f64,
    /// 0 none, 1 fresh off the aeroplane.
    pub(super) jet_lag: f64,
    /// The night before this day was spent in a seat.
    pub(super) flight: bool,
    /// A glass too many on the evening before.
    pub(super) late_evening: bool,
    /// Place in the whole span, 0 at its start and 1 at its end: slow change of fitness.
    pub(super) progress: f64,
    pub(super) training: Vec<Training>,
    /// Minutes of a nap after lunch.
    pub(super) nap: Option<u32>,
}

/// A planned workout.
#[derive(Clone)]
pub(super) struct Training {
    pub(super) sport: Sport,
    /// Minutes after local midnight.
    pub(super) start: u32,
    pub(super) minutes: f64,
    /// Share of the heart-rate reserve, 0 to 1.
    pub(super) effort: f64,
}

/// Name and number as in WHOOP's list; metres a minute at full effort, none where WHOOP gives no distance.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Sport {
    pub(super) name: &'static str,
    pub(super) id: i64,
    pub(super) pace: Option<f64>,
}

const fn sport(name: &'static str, id: i64, pace: Option<f64>) -> Sport {
    Sport { name, id, pace }
}

pub(super) const RUNNING: Sport = sport("running", 0, Some(275.0));
pub(super) const CYCLING: Sport = sport("cycling", 1, Some(680.0));
pub(super) const SWIMMING: Sport = sport("swimming", 33, Some(62.0));
pub(super) const YOGA: Sport = sport("yoga", 44, None);
pub(super) const WEIGHTS: Sport = sport("weightlifting", 45, None);
pub(super) const HIKING: Sport = sport("hiking/rucking", 52, Some(130.0));
pub(super) const WALKING: Sport = sport("walking", 63, Some(230.0));
pub(super) const SAUNA: Sport = sport("sauna", 233, None);

/// Days of the year before the last one on which special things begin; a shorter demo moves them together.
const ILLNESS_BEGINS: u32 = 95;
const JOURNEY_BEGINS: u32 = 160;
const JOURNEY_ENDS: u32 = 149;
/// The record that no parser accepts.
pub(super) const POISONED: u32 = 54;
/// The night without enough data.
pub(super) const UNSCORABLE: u32 = 40;
/// The workout that its owner deletes between the two readings.
pub(super) const DELETED: u32 = 3;
/// From here on the strap measures oxygen and skin temperature.
pub(super) const NEW_STRAP: u32 = 275;

/// Where `ago`, a day of the year, falls in a demo of `days` days. The last days, which
/// every run reads again, keep events of their own.
pub(super) fn placed(ago: u32, days: u32) -> u32 {
    let span = days.min(365);
    (ago * span / 365).max(10)
}

/// The days, oldest first, ending on `last`.
pub(super) fn days(seed: u64, last: NaiveDate, days: u32) -> Vec<Day> {
    (0..days)
        .rev()
        .filter_map(|ago| Some(day(seed, last.checked_sub_days(Days::new(u64::from(ago)))?, ago, days)))
        .collect()
}

fn day(seed: u64, date: NaiveDate, ago: u32, days: u32) -> Day {
    let mut random = Random::new(seed, i64::from(date.num_days_from_ce()), "calendar");
    let of_year = ago % 365;
    let (out, back) = (placed(JOURNEY_BEGINS, days), placed(JOURNEY_ENDS, days));
    let away = out > back && (back + 1..=out).contains(&of_year);
    let since_flight = if away { out - of_year } else { back.wrapping_sub(of_year) };
    let jet_lag = if out > back && since_flight < 5 { 1.0 - f64::from(since_flight) * 0.2 } else { 0.0 };
    let begun = placed(ILLNESS_BEGINS, days);
    let illness = match begun.checked_sub(of_year) {
        Some(0) => 0.55,
        Some(1 | 2) => 1.0,
        Some(3) => 0.8,
        Some(4) => 0.5,
        Some(5) => 0.3,
        Some(6) => 0.15,
        _ => 0.0,
    };
    let late_evening = matches!(date.weekday(), Weekday::Sat | Weekday::Sun) && random.chance(0.3);
    let nap = random.chance(if illness > 0.3 || jet_lag > 0.4 { 0.5 } else { 0.06 });
    let nap_minutes = 20 + u32::try_from(random.next() % 61).unwrap_or(0);
    let mut training = if illness > 0.2 { Vec::new() } else { week_plan(date, &mut random, jet_lag) };
    if ago == DELETED {
        training.push(Training { sport: WALKING, start: 12 * 60 + 20, minutes: 24.0, effort: 0.27 });
    }
    if ago == placed(POISONED, days) && training.is_empty() {
        training.push(Training { sport: WALKING, start: 16 * 60, minutes: 35.0, effort: 0.3 });
    }
    Day {
        date,
        ago,
        zone: if away { AWAY } else { HOME },
        illness,
        jet_lag,
        flight: out > back && of_year == out,
        late_evening,
        progress: 1.0 - f64::from(ago) / f64::from(days),
        training,
        nap: nap.then_some(nap_minutes),
    }
}

/// Three weeks of building up and one of rest; every weekday has its habit, and life comes between now and then.
fn week_plan(date: NaiveDate, random: &mut Random, jet_lag: f64) -> Vec<Training> {
    let block = match date.num_days_from_ce().div_euclid(7).rem_euclid(4) {
        0 => 0.92,
        1 => 1.0,
        2 => 1.14,
        _ => 0.66,
    };
    let (sport, start, minutes, effort, likely) = match date.weekday() {
        Weekday::Mon => (YOGA, 18 * 60 + 30, 45.0, 0.22, 0.6),
        Weekday::Tue => (RUNNING, 17 * 60 + 45, 48.0, 0.70, 0.88),
        Weekday::Wed => (WEIGHTS, 18 * 60, 55.0, 0.46, 0.85),
        Weekday::Thu if block > 0.95 => (RUNNING, 17 * 60 + 30, 42.0, 0.80, 0.85),
        Weekday::Thu => (SWIMMING, 17 * 60 + 30, 40.0, 0.62, 0.75),
        Weekday::Fri => (WEIGHTS, 12 * 60 + 10, 45.0, 0.45, 0.45),
        Weekday::Sat => (CYCLING, 9 * 60 + 40, 115.0, 0.63, 0.8),
        Weekday::Sun => (HIKING, 10 * 60 + 30, 130.0, 0.42, 0.55),
    };
    let mut plan = Vec::new();
    if random.chance(likely - jet_lag * 0.4) {
        plan.push(Training {
            sport,
            start: start + u32::try_from(random.next() % 31).unwrap_or(0),
            minutes: (minutes * block * (1.0 + 0.12 * random.normal())).max(15.0),
            effort: (effort * (1.0 + 0.06 * random.normal())).clamp(0.15, 0.92),
        });
    }
    if date.weekday() == Weekday::Wed && random.chance(0.25) {
        plan.push(Training { sport: SAUNA, start: 19 * 60 + 40, minutes: 18.0, effort: 0.24 });
    }
    plan
}
