//! What can happen to a WHOOP member's records between two runs.

use chrono::{DateTime, TimeDelta, Utc};

use super::Whoop;
use super::person::{Person, workout};
use super::records::Scored;
use crate::support::faults::What;
use crate::support::order::{Order, Spots};
use crate::support::subject::{Key, Poison, Subject};
use crate::support::truth::stamp;

impl Subject for Whoop {
    const LISTINGS: &'static [&'static str] = &["cycles", "recoveries", "sleeps", "workouts"];
    const PAGED: &'static str = "sleeps";
    const OWNED: &'static str = "sleeps";
    const SPARE_SCOPE: (&'static str, &'static str) = ("read:body_measurement", "user_body_measurement");

    fn few(now: DateTime<Utc>) -> Self {
        Whoop::with_days(12, now)
    }

    fn many(now: DateTime<Utc>) -> Self {
        let mut whoop = Whoop::with_days(58, now);
        // Workouts come every other day; make theirs three pages too.
        let extra: Vec<_> =
            whoop.person.cycles.iter().filter(|c| c.id % 2 == 0).map(|c| (c.id - 900_000, c.offset, c.start)).collect();
        for (i, offset, start) in extra {
            let mut more = workout(i + 4000, offset, start + TimeDelta::hours(12));
            more.state = Scored::Yes;
            whoop.person.workouts.push(more);
        }
        whoop.person.workouts.retain(|w| w.end < now);
        whoop
    }

    fn edit_recent(&mut self) -> Key {
        self.edit_sleep(2)
    }

    fn edit_old(&mut self) -> Key {
        self.edit_sleep(30)
    }

    fn add_recent(&mut self) -> Key {
        let cycle = &self.person.cycles[self.person.cycles.len() - 3];
        let late = workout(9001, cycle.offset, cycle.start + TimeDelta::hours(11));
        let id = late.id.clone();
        self.person.workouts.push(late);
        Key { resource: "workouts", id }
    }

    fn remove_recent(&mut self) -> Key {
        let now = self.now;
        let at =
            self.person.workouts.iter().position(|w| w.start > now - TimeDelta::days(4)).expect("a recent workout");
        let gone = self.person.workouts.remove(at);
        Key { resource: "workouts", id: gone.id }
    }

    fn remove_many(&mut self) -> (&'static str, i64) {
        let since = self.now - TimeDelta::days(5);
        let newest = self.person.workouts.iter().map(|w| w.start).max().expect("a workout");
        let before = self.person.workouts.len();
        self.person.workouts.retain(|w| w.start < since || w.start == newest);
        ("workouts", i64::try_from(before - self.person.workouts.len()).expect("a count"))
    }

    fn poison(&mut self, how: Poison) -> Key {
        let now = self.now;
        let user = self.person.profile.user_id;
        let recent = self.person.workouts.iter_mut().filter(|w| w.start > now - TimeDelta::days(6));
        let victim = recent.min_by_key(|w| w.start).expect("a recent workout");
        victim.state = Scored::Yes;
        let id = victim.id.clone();
        let start = format!(r#""start":"{}""#, stamp(victim.start));
        let spots = Spots {
            text: victim.text(user),
            words: ("sport_name", format!(r#""sport_name":"{}""#, victim.sport)),
            number: ("kilojoule", format!(r#""kilojoule":{}"#, victim.kilojoule)),
            key: ("id", format!(r#""id":"{id}""#)),
            no_key: (format!(r#""id":"{id}","#), ""),
            no_start: (format!("{start},"), ""),
            backwards: (start, r#""start":"2031-01-01T00:00:00.000Z""#),
        };
        let spoiled = spots.spoiled(how);
        self.poisoned.insert(("workouts", id.clone()), spoiled);
        Key { resource: "workouts", id }
    }

    fn forget_pages(&mut self) {
        self.cursors.clear();
    }

    fn reorder(&mut self, n: u32) {
        self.order = Order::NewestFirst.other(n);
    }

    fn hide(&mut self, resource: &'static str) {
        self.hidden.push(resource);
    }

    fn show_all(&mut self) {
        self.hidden.clear();
    }

    fn foreign_next(origin: &str) -> What {
        let address = format!(r#""next_token":"{origin}/developer/v2/activity/sleep""#);
        What::edit(move |body| match body.rfind(r#""next_token""#) {
            Some(at) => format!("{}{address}}}", &body[..at]),
            None => format!("{},{address}}}", body.trim_end_matches('}')),
        })
    }

    fn other_person() -> What {
        What::replace(r#""user_id":4101001"#, r#""user_id":4101002"#)
    }

    fn private(&self) -> Vec<String> {
        let p = &self.person;
        let recovery = p.recoveries.iter().map(|r| r.hrv.clone());
        [p.profile.email.clone(), p.profile.last_name.clone(), "quidditch".into()].into_iter().chain(recovery).collect()
    }
}

impl Whoop {
    /// WHOOP scores the night of so many days ago again.
    pub fn edit_sleep(&mut self, days_ago: usize) -> Key {
        let at = self.person.cycles.len() - 1 - days_ago;
        let cycle = self.person.cycles[at].id;
        let sleep = self.person.sleeps.iter_mut().find(|s| s.cycle_id == cycle && !s.nap).expect("a night");
        sleep.state = Scored::Yes;
        sleep.efficiency = Some("91.25".into());
        sleep.performance = Some("77.0".into());
        sleep.stages[2] -= 60;
        sleep.stages[3] += 60;
        sleep.updated += TimeDelta::hours(3);
        Key { resource: "sleeps", id: sleep.id.clone() }
    }

    /// The newest night has not been scored yet: sleep and recovery are pending.
    pub fn pending_last_night(&mut self) -> Key {
        let sleep = self.person.sleeps.iter_mut().rfind(|s| !s.nap).expect("a night");
        sleep.state = Scored::Pending;
        let recovery = self.person.recoveries.last_mut().expect("a recovery");
        recovery.state = Scored::Pending;
        Key { resource: "sleeps", id: sleep.id.clone() }
    }

    pub fn score_last_night(&mut self) {
        let sleep = self.person.sleeps.iter_mut().rfind(|s| !s.nap).expect("a night");
        sleep.state = Scored::Yes;
        sleep.updated += TimeDelta::minutes(17);
        let recovery = self.person.recoveries.last_mut().expect("a recovery");
        recovery.state = Scored::Yes;
        recovery.updated += TimeDelta::minutes(17);
    }

    /// The next night and day come; the open cycle closes.
    pub fn next_day(&mut self) {
        let waking = self.now.date_naive();
        self.person.add_day(waking, true);
        let n = self.person.cycles.len();
        self.person.cycles[n - 2].end = Some(self.person.cycles[n - 1].start);
        self.person.cycles[n - 2].updated = self.person.cycles[n - 1].start;
    }

    /// A member without any record.
    pub fn nobody() -> Self {
        Whoop::new(Person::new())
    }
}
