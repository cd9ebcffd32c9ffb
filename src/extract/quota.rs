//! Budgets in windows that begin at fixed times, for all that an application asks: the answers tell how much is used, and
//! it is remembered between runs. A part is kept back for listings, so that reading one record after the other never
//! leaves a day without its news. Knows no sleep and no HTTP beyond headers.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

use crate::source::Quota;

/// The provider's clock need not be ours.
const MARGIN: TimeDelta = TimeDelta::seconds(5);

/// One part in so many is for listings alone.
const SPARE: u32 = 20;

/// What is known of the budgets of one application.
pub(super) struct Quotas(Vec<State>);

struct State {
    quota: &'static Quota,
    limit: u32,
    used: u32,
    /// What the provider itself has said of this window.
    told: u32,
    /// The end of the window that `used` was counted in.
    until: DateTime<Utc>,
}

impl Quotas {
    /// As documented, and as an earlier run left them.
    pub(super) fn new(quotas: &'static [Quota], remembered: &Value, now: DateTime<Utc>) -> Self {
        let mut states: Vec<State> = quotas
            .iter()
            .map(|quota| State { quota, limit: quota.requests, used: 0, told: 0, until: end_of_window(quota.per, now) })
            .collect();
        for (state, told) in states.iter_mut().zip(remembered.as_array().into_iter().flatten()) {
            let number = |name: &str| told[name].as_u64().and_then(|n| u32::try_from(n).ok());
            let until = told["until"].as_str().and_then(crate::time::parse_instant);
            if let (Some(limit), Some(used), Some(until)) = (number("limit"), number("used"), until) {
                state.limit = limit.max(1);
                // A window that ends later than the present one belongs to a clock that was wrong.
                if until == state.until {
                    state.used = used;
                }
            }
        }
        Self(states)
    }

    /// For the next run.
    pub(super) fn remember(&self) -> Value {
        self.0.iter().map(|state| json!({"limit": state.limit, "used": state.used, "until": state.until})).collect()
    }

    /// How long to wait for a place beside `under_way` others; none: there is one. `detail`: not one of those kept back.
    pub(super) fn wait(&mut self, now: DateTime<Utc>, under_way: usize, detail: bool) -> Option<Duration> {
        let under_way = u32::try_from(under_way).unwrap_or(u32::MAX);
        let mut longest: Option<Duration> = None;
        for state in &mut self.0 {
            state.roll(now);
            if state.used.saturating_add(under_way) >= state.room(detail) {
                let wait = (state.until + MARGIN - now).to_std().unwrap_or_default();
                longest = Some(longest.unwrap_or_default().max(wait));
            }
        }
        longest
    }

    /// Counts an answer, and follows what it says.
    pub(super) fn count(&mut self, headers: Option<&HeaderMap>, now: DateTime<Utc>) {
        for state in &mut self.0 {
            state.roll(now);
            state.used = state.used.saturating_add(1);
            let said = |name: &str| number_at(headers?.get(name)?.to_str().ok()?, state.quota.place);
            let (limit, used) = (said(state.quota.limit), said(state.quota.usage));
            if let Some(limit) = limit.filter(|limit| *limit > 0) {
                state.limit = limit;
            }
            if let Some(used) = used {
                // The provider counts all that the application asks. Answers may overtake each other: the highest is the newest.
                state.used = state.told.max(used);
                state.told = state.used;
            }
        }
    }

    /// The provider says that there is no place, and not until when: the shortest window is full.
    pub(super) fn refused(&mut self) -> bool {
        let shortest = self.0.iter_mut().min_by_key(|state| state.quota.per);
        shortest.map(|state| state.used = state.used.max(state.limit)).is_some()
    }

    /// For reading one record after the other: how many fit into the longest window, and into what is left of it.
    pub(super) fn room(&mut self, now: DateTime<Utc>) -> Option<Room> {
        let per = self.0.iter().map(|state| state.quota.per).max()?;
        let of = |state: &mut State| {
            state.roll(now);
            (state.room(true), state.room(true).saturating_sub(state.used), state.limit)
        };
        let all: Vec<_> = self.0.iter_mut().filter(|state| state.quota.per == per).map(of).collect();
        let least = |pick: fn(&(u32, u32, u32)) -> u32| all.iter().map(pick).min().unwrap_or(0);
        let short = self.0.iter().map(|state| state.quota.per).min()?;
        let pace = self.0.iter().filter(|state| state.quota.per == short).map(|state| state.room(true)).min()?;
        let (each, left, limit) = (least(|room| room.0), least(|room| room.1), least(|room| room.2));
        Some(Room { per, each, left, limit, pace: (pace, short) })
    }
}

/// What fits into the longest window.
pub(super) struct Room {
    pub(super) per: Duration,
    /// Into a whole one.
    pub(super) each: u32,
    /// Into what is left of the present one.
    pub(super) left: u32,
    /// What the provider allows.
    pub(super) limit: u32,
    /// So many in so much time, in the shortest window.
    pace: (u32, Duration),
}

impl Room {
    /// In how many windows so many requests are done, the present one included.
    pub(super) fn windows(&self, requests: u64) -> u64 {
        let later = requests.saturating_sub(self.left.into());
        1 + later.div_ceil(self.each.max(1).into())
    }

    /// How long the part of so many requests lasts that fits into the present window.
    pub(super) fn lasts(&self, requests: u64) -> Duration {
        let now = requests.min(self.left.into()).saturating_sub(1);
        let waits = now / u64::from(self.pace.0.max(1));
        self.pace.1.saturating_mul(u32::try_from(waits).unwrap_or(u32::MAX))
    }
}

impl State {
    fn roll(&mut self, now: DateTime<Utc>) {
        if now >= self.until {
            (self.used, self.told) = (0, 0);
            self.until = end_of_window(self.quota.per, now);
        }
    }

    fn room(&self, detail: bool) -> u32 {
        self.limit - if detail { self.limit / SPARE } else { 0 }
    }
}

/// Windows are counted from midnight UTC.
fn end_of_window(per: Duration, now: DateTime<Utc>) -> DateTime<Utc> {
    let seconds = i64::try_from(per.as_secs()).unwrap_or(86_400).max(1);
    let begun = now.timestamp().div_euclid(seconds) * seconds;
    DateTime::from_timestamp(begun + seconds, 0).unwrap_or(now)
}

fn number_at(header: &str, place: usize) -> Option<u32> {
    header.split(',').nth(place)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUOTAS: &[Quota] = &[
        Quota { requests: 100, per: Duration::from_mins(15), limit: "x-limit", usage: "x-usage", place: 0 },
        Quota { requests: 1000, per: Duration::from_hours(24), limit: "x-limit", usage: "x-usage", place: 1 },
    ];

    fn at(text: &str) -> DateTime<Utc> {
        crate::time::parse_instant(text).expect("an instant")
    }

    fn headers(limit: &str, usage: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert("X-Limit", limit.parse().expect("a header"));
        headers.insert("X-Usage", usage.parse().expect("a header"));
        headers
    }

    #[test]
    fn a_window_ends_at_the_quarter_and_at_midnight() {
        let now = at("2026-11-20T18:07:30Z");
        let mut quotas = Quotas::new(QUOTAS, &Value::Null, now);
        assert_eq!(quotas.wait(now, 0, false), None);
        quotas.count(Some(&headers("100,1000", "100,333")), now);
        assert_eq!(quotas.wait(now, 0, false), Some(Duration::from_secs(450 + 5)));
        let later = at("2026-11-20T18:15:06Z");
        assert_eq!(quotas.wait(later, 0, false), None);
        quotas.count(Some(&headers("100,1000", "1,1000")), later);
        assert_eq!(quotas.wait(later, 0, false), Some(Duration::from_secs(5 * 3600 + 45 * 60 - 6 + 5)));
        assert_eq!(quotas.wait(at("2026-11-21T00:00:00Z"), 0, false), None, "a new day");
    }

    #[test]
    fn an_answer_that_was_overtaken_frees_no_place() {
        let now = at("2026-11-20T18:00:00Z");
        let mut quotas = Quotas::new(QUOTAS, &Value::Null, now);
        quotas.count(Some(&headers("100,1000", "100,101")), now);
        quotas.count(Some(&headers("100,1000", "99,100")), now);
        assert!(quotas.wait(now, 0, false).is_some());
        let later = at("2026-11-20T18:15:06Z");
        quotas.count(Some(&headers("100,1000", "1,102")), later);
        assert_eq!(quotas.wait(later, 0, false), None, "another window, another count");
    }

    #[test]
    fn answers_without_headers_count_and_nonsense_is_no_limit() {
        let now = at("2026-11-20T18:00:00Z");
        let mut quotas = Quotas::new(QUOTAS, &Value::Null, now);
        for _ in 0..100 {
            quotas.count(None, now);
        }
        assert!(quotas.wait(now, 0, false).is_some());
        quotas.count(Some(&headers("200,2000", "101,101")), now);
        assert_eq!(quotas.wait(now, 98, false), None, "another limit is announced");
        assert!(quotas.wait(now, 99, false).is_some(), "those under way count");
        quotas.count(Some(&headers("0,", ",")), now);
        assert_eq!((quotas.0[0].limit, quotas.0[0].used), (200, 102));
    }

    #[test]
    fn details_leave_a_part_for_listings() {
        let now = at("2026-11-20T18:00:00Z");
        let mut quotas = Quotas::new(QUOTAS, &Value::Null, now);
        quotas.count(Some(&headers("100,1000", "1,950")), now);
        assert!(quotas.wait(now, 0, true).is_some());
        assert_eq!(quotas.wait(now, 0, false), None);
    }

    #[test]
    fn what_is_used_is_remembered_as_long_as_its_window_lasts() {
        let now = at("2026-11-20T18:01:00Z");
        let mut first = Quotas::new(QUOTAS, &Value::Null, now);
        first.count(Some(&headers("50,600", "50,600")), now);
        let told = first.remember();
        assert!(Quotas::new(QUOTAS, &told, at("2026-11-20T18:14:00Z")).wait(now, 0, false).is_some());
        let later = at("2026-11-20T18:16:00Z");
        let mut next = Quotas::new(QUOTAS, &told, later);
        assert_eq!((next.0[0].used, next.0[0].limit), (0, 50), "the limit stays");
        assert_eq!(next.wait(later, 0, false), Some(Duration::from_secs(5 * 3600 + 44 * 60 + 5)), "the day is full");
        let tomorrow = at("2026-11-21T00:00:01Z");
        assert_eq!(Quotas::new(QUOTAS, &told, tomorrow).wait(tomorrow, 0, false), None);
        for nonsense in [json!(7), json!([{"limit": -1}]), json!([[]])] {
            assert_eq!(Quotas::new(QUOTAS, &nonsense, now).wait(now, 0, false), None);
        }
    }

    #[test]
    fn a_refusal_fills_the_shortest_window() {
        let now = at("2026-11-20T18:00:00Z");
        let mut quotas = Quotas::new(QUOTAS, &Value::Null, now);
        assert!(quotas.refused());
        assert_eq!(quotas.wait(now, 0, false), Some(Duration::from_secs(905)));
        assert!(!Quotas::new(&[], &Value::Null, now).refused(), "nothing to fill");
    }

    #[test]
    fn the_cost_of_many_requests_is_known_in_windows() {
        let now = at("2026-11-20T18:00:00Z");
        let mut quotas = Quotas::new(QUOTAS, &Value::Null, now);
        quotas.count(Some(&headers("100,1000", "6,550")), now);
        let room = quotas.room(now).expect("quotas");
        assert_eq!((room.each, room.left, room.limit), (950, 400, 1000));
        assert_eq!([0, 400, 401, 1350, 1351].map(|requests| room.windows(requests)), [1, 1, 2, 2, 3]);
        let quarters = [0, 95, 96, 400, 4000].map(|requests| room.lasts(requests).as_secs() / 900);
        assert_eq!(quarters, [0, 0, 1, 4, 4], "95 of a hundred are for these");
    }
}
