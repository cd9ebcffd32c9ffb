//! The records of the whole span: days and bodies laid out on the clock, as WHOOP would tell them at two readings.
//!
//! Between the readings the last night and its recovery get their scores, the open cycle grows, and one workout is
//! deleted. One workout's name ends in half a surrogate pair, as text cut in the middle of an emoji does.

use chrono::{DateTime, Datelike, Duration, NaiveDate, TimeZone, Timelike, Utc, Weekday};
use chrono_tz::Tz;
use serde::Serialize;

use super::body::{self, Yesterday};
use super::calendar::{self, Day, HOME};
use super::random::Random;
use super::shapes::{Body, Cycle, Made, Profile, Recovery, Scored, Sleep, SleepScore, Span, Workout, WorkoutScore};

pub(super) const USER_ID: i64 = 41_010_007;
const FIRST_CYCLE: i64 = 730_000_000;
/// Half of U+1F6B4, a cyclist: what is left when a name is cut between the two halves.
const HALF_EMOJI: &str = r"\ud83d";

/// One record as the provider holds it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item {
    pub(super) start: DateTime<Utc>,
    /// None while it lasts.
    pub(super) end: Option<DateTime<Utc>>,
    /// JSON as sent at the first reading.
    pub(super) first: String,
    /// JSON as sent from the second reading on; none: deleted.
    pub(super) second: Option<String>,
}

/// Everything the simulated provider serves; lists are newest first.
#[derive(Debug, PartialEq)]
pub(super) struct Year {
    pub(super) profile: String,
    pub(super) body: String,
    pub(super) cycles: Vec<Item>,
    pub(super) sleeps: Vec<Item>,
    pub(super) recoveries: Vec<Item>,
    pub(super) workouts: Vec<Item>,
}

/// A night in local terms, before it is scored.
struct Night {
    onset: DateTime<Utc>,
    wake: DateTime<Utc>,
    in_bed: i64,
    shift: f64,
}

/// `days` days that end at `now`, the same for the same arguments.
pub(super) fn year(seed: u64, days: u32, now: DateTime<Utc>) -> Year {
    let local = now.with_timezone(&HOME);
    // Nobody has slept to the end before ten in the morning: then the last whole night is yesterday's.
    let awake = local.date_naive() - Duration::days(i64::from(local.hour() < 10));
    let days = calendar::days(seed, awake, days);
    let nights: Vec<Night> = days.iter().map(|day| night(seed, day)).collect();
    let mut writer = Writer { seed, now, span: u32::try_from(days.len()).unwrap_or(u32::MAX), year: empty() };
    let mut before = Yesterday { strain: 9.0, ..Yesterday::default() };
    for (index, day) in days.iter().enumerate() {
        let next = nights.get(index + 1).map(|night| night.onset);
        before = writer.day(day, &nights[index], next, before);
    }
    let mut year = writer.year;
    for list in [&mut year.cycles, &mut year.sleeps, &mut year.recoveries, &mut year.workouts] {
        list.sort_by_key(|item| std::cmp::Reverse(item.start));
    }
    year
}

fn empty() -> Year {
    Year {
        profile: json(&Profile { user_id: USER_ID, email: "sam@example.org", first_name: "Sam", last_name: "Sample" }),
        body: json(&Body { height_meter: 1.78, weight_kilogram: 74.3, max_heart_rate: 186 }),
        cycles: Vec::new(),
        sleeps: Vec::new(),
        recoveries: Vec::new(),
        workouts: Vec::new(),
    }
}

/// When the person goes to bed and gets up, on the clocks of where they are.
fn night(seed: u64, day: &Day) -> Night {
    let mut random = Random::new(seed, i64::from(day.date.num_days_from_ce()), "night");
    let weekend = matches!(day.date.weekday(), Weekday::Sat | Weekday::Sun);
    let shift = if weekend { 48.0 } else { 0.0 }
        + 20.0 * random.normal()
        + if day.late_evening { 40.0 } else { 0.0 }
        + if day.flight { 150.0 } else { 50.0 * day.jet_lag }
        - 45.0 * day.illness;
    // Minutes around midnight of the waking day.
    let bedtime = (-58.0 + shift).clamp(-150.0, 150.0);
    let rising =
        (405.0 + if weekend { 72.0 } else { 0.0 } + 16.0 * random.normal() + 55.0 * day.illness).clamp(300.0, 560.0);
    let onset = at(day.zone, day.date, bedtime, &mut random);
    let wake = at(day.zone, day.date, rising, &mut random);
    // `end - start` is longer than the time in bed, mostly by some seconds (`docs/sources/whoop.md`, sleep).
    let slack = 4_000 + body::whole(random.unit().powi(3) * 240_000.0);
    Night { onset, wake, in_bed: (wake - onset).num_milliseconds() - slack, shift }
}

/// The instant at which clocks in `zone` show `minutes` after midnight of `date`, with some odd milliseconds.
fn at(zone: Tz, date: NaiveDate, minutes: f64, random: &mut Random) -> DateTime<Utc> {
    let odd = i64::try_from(random.next() % 60_000).unwrap_or(0);
    let wall =
        date.and_time(chrono::NaiveTime::MIN) + Duration::milliseconds(body::whole(minutes.floor()) * 60_000 + odd);
    let instant = zone.from_local_datetime(&wall).earliest();
    // A wall time that the clock change skips is read as if the clocks had changed an hour later.
    instant.map_or_else(|| wall.and_utc(), |instant| instant.with_timezone(&Utc))
}

/// Lays the days into lists.
struct Writer {
    seed: u64,
    now: DateTime<Utc>,
    span: u32,
    year: Year,
}

impl Writer {
    fn random(&self, day: &Day, purpose: &str) -> Random {
        Random::new(self.seed, i64::from(day.date.num_days_from_ce()), purpose)
    }

    /// One cycle with its night, naps, recovery and workouts; gives what the next night inherits.
    fn day(&mut self, day: &Day, night: &Night, next: Option<DateTime<Utc>>, before: Yesterday) -> Yesterday {
        let last = next.is_none();
        let cycle_id = FIRST_CYCLE + i64::from(day.date.num_days_from_ce());
        let sleep_id = self.random(day, "sleep id").uuid();
        let scorable = day.ago % 365 != calendar::placed(calendar::UNSCORABLE, self.span);
        let mut random = self.random(day, "body");
        let slept = body::night(&mut random, day, night.in_bed, night.shift, before);
        let new_strap = day.ago < calendar::NEW_STRAP;
        let recovered = body::recovery(&mut random, day, &slept, before, new_strap);
        let resting = recovered.resting_heart_rate;
        let debt = (slept.sleep_needed.total() - slept.stage_summary.asleep()).max(0);

        let known = night.wake + Duration::minutes(4);
        let scored = night.wake + Duration::minutes(24);
        let sleep = |state, updated_at| Sleep {
            id: sleep_id.clone(),
            cycle_id,
            made: Made { user_id: USER_ID, created_at: known, updated_at },
            span: Span { start: night.onset, end: Some(night.wake), timezone_offset: offset(day.zone, night.onset) },
            nap: false,
            state,
        };
        let recovery = |state, updated_at| Recovery {
            cycle_id,
            sleep_id: sleep_id.clone(),
            made: Made { user_id: USER_ID, created_at: known, updated_at },
            state,
        };
        let (asleep, rested) = if scorable {
            (Scored::Scored(slept), Scored::Scored(recovered))
        } else {
            (Scored::Unscorable, Scored::Unscorable)
        };
        let late = last && scorable;
        let sleep_then = late.then(|| json(&sleep(Scored::PendingScore, known)));
        let recovery_then = late.then(|| json(&recovery(Scored::PendingScore, known)));
        let updated = if late { scored } else { known };
        let place = (night.onset, Some(night.wake));
        self.year.sleeps.push(item(place, sleep_then, json(&sleep(asleep, updated))));
        self.year.recoveries.push(item(place, recovery_then, json(&recovery(rested, updated))));

        let napped = self.nap(day, cycle_id);
        let done = self.workouts(day, resting);
        let end = next.unwrap_or(self.now);
        let total = self.cycle(day, (cycle_id, night.onset, next), resting, &done, (end - night.onset).num_minutes());
        Yesterday { strain: total, debt, napped }
    }

    fn nap(&mut self, day: &Day, cycle_id: i64) -> i64 {
        let Some(minutes) = day.nap else { return 0 };
        let mut random = self.random(day, "nap");
        let start = at(day.zone, day.date, 13.0 * 60.0 + 50.0 * random.unit(), &mut random);
        let end = start + Duration::minutes(i64::from(minutes));
        if end + Duration::minutes(5) > self.now {
            return 0;
        }
        let score = body::nap(&mut random, (end - start).num_milliseconds() - 9_000);
        let asleep = score.stage_summary.asleep();
        let at = end + Duration::minutes(5);
        let nap = Sleep {
            id: random.uuid(),
            cycle_id,
            made: Made { user_id: USER_ID, created_at: at, updated_at: at },
            span: Span { start, end: Some(end), timezone_offset: offset(day.zone, start) },
            nap: true,
            state: Scored::<SleepScore>::Scored(score),
        };
        self.year.sleeps.push(item((start, Some(end)), None, json(&nap)));
        asleep
    }

    fn workouts(&mut self, day: &Day, resting: f64) -> Vec<WorkoutScore> {
        let mut done = Vec::new();
        for (index, training) in day.training.iter().enumerate() {
            let mut random = self.random(day, if index == 0 { "workout" } else { "second workout" });
            let start = at(day.zone, day.date, f64::from(training.start), &mut random);
            let end = start + Duration::milliseconds(body::whole(training.minutes * 60_000.0));
            let at = end + Duration::minutes(6);
            if at > self.now {
                continue;
            }
            let score = body::workout(&mut random, training, resting);
            done.push(score.clone());
            let workout = Workout {
                id: random.uuid(),
                made: Made { user_id: USER_ID, created_at: at, updated_at: at },
                span: Span { start, end: Some(end), timezone_offset: offset(day.zone, start) },
                sport_name: training.sport.name,
                sport_id: training.sport.id,
                state: Scored::Scored(score),
            };
            let mut text = json(&workout);
            if index == 0 && day.ago == calendar::placed(calendar::POISONED, self.span) {
                let name = format!("\"sport_name\":\"{}", training.sport.name);
                text = text.replacen(&name, &format!("{name} {HALF_EMOJI}"), 1);
            }
            let mut item = item((start, Some(end)), None, text);
            if day.ago == calendar::DELETED && index + 1 == day.training.len() {
                item.second = None;
            }
            self.year.workouts.push(item);
        }
        done
    }

    fn cycle(
        &mut self,
        day: &Day,
        (id, start, end): (i64, DateTime<Utc>, Option<DateTime<Utc>>),
        resting: f64,
        workouts: &[WorkoutScore],
        minutes: i64,
    ) -> f64 {
        let hours = |minutes: i64| f64::from(i32::try_from(minutes).unwrap_or(0)) / 60.0;
        let record = |minutes: i64, updated_at| {
            let mut random = self.random(day, "cycle");
            let score = body::cycle(&mut random, day, hours(minutes), resting, workouts);
            let strain = score.strain;
            let cycle = Cycle {
                id,
                made: Made { user_id: USER_ID, created_at: start, updated_at },
                span: Span { start, end, timezone_offset: offset(day.zone, start) },
                state: Scored::Scored(score),
            };
            (json(&cycle), strain)
        };
        let (text, strain) = record(minutes, end.unwrap_or(self.now));
        // The open cycle was smaller a quarter of an hour ago.
        let earlier = end.is_none().then(|| record(minutes - 15, self.now - Duration::minutes(15)).0);
        self.year.cycles.push(item((start, end), earlier, text));
        strain
    }
}

/// `first` is none where both readings agree.
fn item((start, end): (DateTime<Utc>, Option<DateTime<Utc>>), first: Option<String>, second: String) -> Item {
    Item { start, end, first: first.unwrap_or_else(|| second.clone()), second: Some(second) }
}

/// `-07:00`, as the clocks of `zone` stand at `instant`.
fn offset(zone: Tz, instant: DateTime<Utc>) -> String {
    instant.with_timezone(&zone).format("%:z").to_string()
}

fn json(value: &impl Serialize) -> String {
    // Our own shapes hold nothing that JSON cannot say.
    serde_json::to_string(value).unwrap_or_default()
}
