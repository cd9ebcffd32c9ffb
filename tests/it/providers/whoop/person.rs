//! A WHOOP member: so many days of records, the same for the same number, ending "now".

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};

use super::records::{Body, Cycle, Profile, Recovery, Scored, Sleep, Workout};
use crate::support::truth::offset_s;

/// Everything WHOOP knows of one member.
#[derive(Clone, Debug)]
pub struct Person {
    pub profile: Profile,
    pub body: Option<Body>,
    pub cycles: Vec<Cycle>,
    pub sleeps: Vec<Sleep>,
    pub recoveries: Vec<Recovery>,
    pub workouts: Vec<Workout>,
}

impl Person {
    /// A member with nothing recorded yet.
    pub fn new() -> Self {
        Person {
            profile: Profile {
                user_id: 4_101_001,
                email: "zoe.canary@example.org".into(),
                first_name: r"Zo\u00eb".into(),
                last_name: "O'Canary".into(),
            },
            body: Some(Body { height_meter: "1.78".into(), weight_kilogram: "74.30".into(), max_heart_rate: 189 }),
            cycles: vec![],
            sleeps: vec![],
            recoveries: vec![],
            workouts: vec![],
        }
    }

    /// `days` nights up to the morning of `now`, with naps, workouts, travel, a clock change and unscored records.
    pub fn with_days(days: i64, now: DateTime<Utc>) -> Self {
        let mut person = Person::new();
        for n in (0..days).rev() {
            person.add_day(now.date_naive() - TimeDelta::days(n), n == 0);
        }
        for i in 1..person.cycles.len() {
            person.cycles[i - 1].end = Some(person.cycles[i].start);
        }
        person
    }

    /// Adds the night that ends on `waking`, and that day.
    pub fn add_day(&mut self, waking: NaiveDate, last: bool) {
        let i = (waking - day_zero()).num_days();
        let offset = offset_on(waking);
        let evening = waking.pred_opt().and_then(|d| d.and_hms_milli_opt(22, 0, 0, 0)).expect("an evening").and_utc();
        let jitter = TimeDelta::minutes(i * 7 % 50) + TimeDelta::milliseconds(i * 131 % 1000);
        let start = evening - TimeDelta::seconds(offset_s(offset)) + jitter;
        let wake = start + TimeDelta::minutes(440 + i * 11 % 60) + TimeDelta::milliseconds(i * 77 % 1000);
        let night = if i % 11 == 5 { Scored::Unscorable } else { Scored::Yes };
        let cycle_id = 900_000 + i;
        self.cycles.push(Cycle {
            id: cycle_id,
            created: wake,
            updated: wake + TimeDelta::minutes(5),
            start,
            end: None,
            offset,
            state: if i % 22 == 5 { Scored::Unscorable } else { Scored::Yes },
            strain: format!("{}.{:04}", 4 + i * 37 % 15, i * 811 % 10_000),
            kilojoule: format!("{}.{:02}", 8000 + i * 97 % 4000, i * 13 % 100),
            hr: (60 + i % 20, 140 + i % 40),
        });
        let sleep = self.night(i, cycle_id, offset, (start, wake), night);
        self.recoveries.push(Recovery {
            cycle_id,
            sleep_id: sleep.id.clone(),
            created: wake + TimeDelta::minutes(12),
            updated: wake + TimeDelta::minutes(12),
            state: night,
            calibrating: self.recoveries.len() < 3,
            score: if i % 2 == 0 { format!("{}.0", 30 + i % 70) } else { format!("{}", 30 + i % 70) },
            resting: format!("{}.0", 48 + i % 9),
            hrv: format!("{}.{:06}", 35 + i * 17 % 60, i * 813_562 % 1_000_000),
            spo2: (i % 3 != 0).then(|| format!("{}.4375", 94 + i % 4)),
            skin: (i % 3 != 0).then(|| format!("33.{}", i % 10)),
        });
        self.sleeps.push(sleep);
        if i % 5 == 2 && !last {
            let nap = self.nap(i, cycle_id, offset, wake + TimeDelta::hours(6));
            self.sleeps.push(nap);
        }
        if i % 2 == 1 || last {
            self.workouts.push(workout(i, offset, wake + TimeDelta::hours(2)));
        }
    }

    fn night(
        &self,
        i: i64,
        cycle_id: i64,
        offset: &'static str,
        (start, end): (DateTime<Utc>, DateTime<Utc>),
        state: Scored,
    ) -> Sleep {
        let in_bed = (end - start).num_seconds() - 30;
        let (awake, none, deep, rem) = (1200 + i * 61 % 1500, i % 7 * 10, 4000 + i * 53 % 2500, 5000 + i * 71 % 2500);
        let optional = i % 13 != 6;
        Sleep {
            id: uuid(1, i),
            cycle_id,
            created: end,
            updated: end + TimeDelta::minutes(i % 3 * 8),
            start,
            end,
            offset,
            nap: false,
            state,
            stages: [awake, none, in_bed - awake - none - deep - rem, deep, rem],
            respiratory_rate: optional.then(|| format!("{}.{:06}", 13 + i % 4, 292_969 + i)),
            performance: optional.then(|| format!("{}.0", 60 + i % 40)),
            consistency: optional.then(|| format!("{}.0", 50 + i % 50)),
            efficiency: optional.then(|| format!("{}.{:02}", 85 + i % 12, i * 41 % 100)),
        }
    }

    fn nap(&self, i: i64, cycle_id: i64, offset: &'static str, start: DateTime<Utc>) -> Sleep {
        let end = start + TimeDelta::minutes(43);
        Sleep {
            id: uuid(2, i),
            cycle_id,
            created: end,
            updated: end,
            start,
            end,
            offset,
            nap: true,
            state: if i % 10 == 7 { Scored::Unscorable } else { Scored::Yes },
            stages: [240, 0, 1800, 510, 0],
            respiratory_rate: Some("15.5".into()),
            performance: None,
            consistency: None,
            efficiency: None,
        }
    }
}

/// A workout with the habits of day `i`: a run with distance, a sauna without, a sport nobody knows.
pub fn workout(i: i64, offset: &'static str, start: DateTime<Utc>) -> Workout {
    let end = start + TimeDelta::minutes(38) + TimeDelta::seconds(i % 60);
    let (sport, sport_id) = match i % 10 {
        1 => ("quidditch", None),
        3 => ("sauna", None),
        5 => ("weightlifting", Some(45)),
        7 => ("hiking/rucking", Some(52)),
        _ => ("running", Some(0)),
    };
    let outdoors = sport == "running" || sport.starts_with("hiking");
    Workout {
        id: uuid(3, i),
        created: end + TimeDelta::minutes(1),
        updated: end + TimeDelta::minutes(1),
        start,
        end,
        offset,
        sport: sport.into(),
        sport_id,
        state: if i % 17 == 4 { Scored::Unscorable } else { Scored::Yes },
        strain: format!("{}.{:04}", 3 + i * 29 % 15, i * 2241 % 10_000),
        hr: (110 + i % 40, 150 + i % 40),
        kilojoule: format!("{}.{:02}", 900 + i * 83 % 1500, i * 19 % 100),
        distance: outdoors
            .then(|| (format!("{}.4", 3000 + i * 211 % 7000), format!("{}.2", i % 90), format!("-{}.8", i % 5))),
        zones: [60, 420 + i % 60, 900, 780, 240 - i % 60, 0],
    }
}

/// A stable UUID for the thing of one kind on one day.
pub fn uuid(kind: u32, i: i64) -> String {
    let i = u64::try_from(i).expect("days after day zero");
    format!(
        "{:08x}-{:04x}-4b7e-9f53-{:012x}",
        0x5b0c_3a00 + u64::from(kind),
        i & 0xffff,
        (i * 0x9_e377_9b97) & 0xffff_ffff_ffff
    )
}

fn day_zero() -> NaiveDate {
    NaiveDate::from_ymd_opt(2015, 1, 1).expect("a date")
}

/// Home is on the Pacific coast; some nights are spent in Berlin, Kathmandu or on a ship that keeps UTC.
fn offset_on(waking: NaiveDate) -> &'static str {
    let day = (waking - day_zero()).num_days();
    let summer = (NaiveDate::from_ymd_opt(2026, 3, 8)..NaiveDate::from_ymd_opt(2026, 11, 1)).contains(&Some(waking));
    match day % 30 {
        10..=13 => "+01:00",
        14 => "+05:45",
        15 => "Z",
        _ if summer => "-07:00",
        _ => "-08:00",
    }
}
