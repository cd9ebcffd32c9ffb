//! The request budget of an account: starts from the documented limit, follows the one that the provider announces, and
//! never waits longer than the source allows. A request counts from the moment its answer is there, which is never
//! earlier than the moment the provider counted it.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::HeaderMap;
use tokio::time::Instant;

use super::quota::{Quotas, Room};
use crate::source::{Limits, Resource};
use crate::time::Clock;

/// So many requests in so much time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Budget {
    requests: usize,
    per: Duration,
}

/// Shared by all resources of an account.
pub(crate) struct Limiter {
    state: Mutex<State>,
    max_wait: Duration,
    clock: Clock,
}

struct State {
    budgets: Vec<Budget>,
    announced: bool,
    under_way: usize,
    /// When past answers arrived, oldest first; as many as the largest budget needs.
    answered: VecDeque<Instant>,
    /// Nothing before this moment.
    blocked_until: Option<Instant>,
    quotas: Quotas,
}

/// The wait is longer than the source's limit allows.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct TooLong(pub(crate) Duration);

impl Resource {
    /// What a request for it is for.
    pub(crate) fn purpose(&self) -> Use {
        if self.each.is_some() { Use::Detail } else { Use::Listing }
    }
}

/// What a request is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Use {
    Listing,
    /// One record of a resource whose records are read one by one: a part of each quota is not for these.
    Detail,
}

impl Limiter {
    /// `remembered` is what an earlier run knew of the quotas.
    pub(crate) fn new(limits: Limits, clock: Clock, remembered: &serde_json::Value) -> Self {
        let quotas = Quotas::new(limits.quotas, remembered, clock.now());
        let documented = Budget { requests: limits.requests.max(1) as usize, per: limits.per };
        Self {
            state: Mutex::new(State {
                budgets: vec![documented],
                announced: false,
                under_way: 0,
                answered: VecDeque::new(),
                blocked_until: None,
                quotas,
            }),
            max_wait: limits.max_wait,
            clock,
        }
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Waits until one more request fits; `told` hears of a wait of more than a few seconds. Returns how long it took.
    pub(crate) async fn acquire(&self, what: Use, told: &(dyn Fn(Duration) + Sync)) -> Result<Duration, TooLong> {
        let begun = Instant::now();
        loop {
            let wait = self.locked().try_take(Instant::now(), self.clock.now(), what);
            match wait {
                None => return Ok(begun.elapsed()),
                Some(wait) if begun.elapsed() + wait > self.max_wait => return Err(TooLong(wait)),
                Some(wait) => {
                    if wait > Duration::from_secs(5) {
                        told(wait);
                    }
                    tokio::time::sleep(wait).await;
                }
            }
        }
    }

    /// Whether a listing would find a place now.
    pub(crate) fn has_place(&self) -> bool {
        self.locked().quotas.wait(self.clock.now(), 0, false).is_none()
    }

    /// The provider refused for its quota, and did not say for how long. Says whether it has one.
    pub(crate) fn refused(&self) -> bool {
        self.locked().quotas.refused()
    }

    /// What the quotas leave, for reading one record after the other.
    pub(crate) fn room(&self) -> Option<Room> {
        self.locked().quotas.room(self.clock.now())
    }

    /// What the next run should know of the quotas.
    pub(crate) fn remember(&self) -> serde_json::Value {
        self.locked().quotas.remember()
    }

    /// Notes an answer and what it says about limits.
    pub(crate) fn answered(&self, headers: Option<&HeaderMap>) {
        let now = Instant::now();
        let mut state = self.locked();
        state.under_way = state.under_way.saturating_sub(1);
        state.answered.push_back(now);
        if let Some(headers) = headers {
            state.follow(headers, now);
        }
        state.quotas.count(headers, self.clock.now());
        let keep = state.budgets.iter().map(|budget| budget.requests).max().unwrap_or(1).min(100_000);
        while state.answered.len() > keep {
            state.answered.pop_front();
        }
    }

    /// Nothing before `wait` is over: the provider said so. `waited` is what one request was told to wait so far: many
    /// short waits are as long as one long wait, and a provider that says "a second" for ever is not asked for ever.
    pub(crate) fn block(&self, wait: Duration, waited: &mut Duration) -> Result<(), TooLong> {
        let mut state = self.locked();
        let until = Instant::now() + wait;
        state.blocked_until = Some(state.blocked_until.map_or(until, |earlier| earlier.max(until)));
        *waited += wait;
        if *waited > self.max_wait { Err(TooLong(wait)) } else { Ok(()) }
    }
}

impl State {
    /// Takes a place, or says how long to wait before asking again.
    fn try_take(&mut self, now: Instant, wall: DateTime<Utc>, what: Use) -> Option<Duration> {
        if let Some(until) = self.blocked_until.filter(|until| *until > now) {
            return Some(until - now);
        }
        let mut wait: Option<Duration> = self.quotas.wait(wall, self.under_way, what == Use::Detail);
        for budget in &self.budgets {
            let recent = self.recent(*budget, now);
            if recent + self.under_way < budget.requests {
                continue;
            }
            // The place of the oldest request that still counts becomes free; with all places under way, look again soon.
            let oldest = self.answered.len().checked_sub(recent).and_then(|first| self.answered.get(first));
            let free_in =
                oldest.map_or(Duration::from_millis(5), |at| (*at + budget.per).saturating_duration_since(now));
            wait = Some(wait.unwrap_or_default().max(free_in.max(Duration::from_millis(1))));
        }
        if wait.is_none() {
            self.under_way += 1;
        }
        wait
    }

    fn recent(&self, budget: Budget, now: Instant) -> usize {
        self.answered.iter().rev().take_while(|at| now.saturating_duration_since(**at) < budget.per).count()
    }

    /// `X-RateLimit-Limit: "100, 100;window=60, 10000;window=86400"`, or one number with its seconds in `-Window`;
    /// `-Remaining` and `-Reset` in seconds.
    fn follow(&mut self, headers: &HeaderMap, now: Instant) {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let limit = text("x-ratelimit-limit");
        let announced = match (limit, text("x-ratelimit-window")) {
            (Some(limit), Some(window)) if !limit.contains(';') => {
                parse_budgets(&format!("{};window={}", limit.trim(), window.trim()))
            }
            _ => limit.map(parse_budgets).unwrap_or_default(),
        };
        if !announced.is_empty() {
            self.budgets = announced;
            self.announced = true;
        }
        let number = |name: &str| text(name).and_then(|value| value.trim().parse::<u64>().ok());
        if let (Some(0), Some(reset)) = (number("x-ratelimit-remaining"), number("x-ratelimit-reset")) {
            // Our own count explains an empty budget, and knows its end to the millisecond; another program's use does not show in it.
            let explained = self.announced
                && self.budgets.iter().any(|budget| self.recent(*budget, now) + self.under_way >= budget.requests);
            if !explained && reset <= 86_400 {
                let until = now + Duration::from_secs(reset);
                self.blocked_until = Some(self.blocked_until.map_or(until, |earlier| earlier.max(until)));
            }
        }
    }
}

fn parse_budgets(header: &str) -> Vec<Budget> {
    header
        .split(',')
        .filter_map(|part| {
            let (requests, window) = part.split_once(";window=")?;
            let per: u64 = window.split(';').next()?.trim().parse().ok()?;
            let requests: usize = requests.trim().parse().ok()?;
            (requests > 0 && per > 0).then_some(Budget { requests, per: Duration::from_secs(per) })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(requests: u32, seconds: u64) -> Limiter {
        let (per, max_wait) = (Duration::from_secs(seconds), Duration::from_secs(90));
        Limiter::new(Limits { requests, per, max_wait, quotas: &[] }, Clock::new(None), &serde_json::Value::Null)
    }

    impl Limiter {
        async fn place(&self) -> Result<Duration, TooLong> {
            self.acquire(Use::Listing, &|_| {}).await
        }
    }

    #[test]
    fn announced_limits_are_understood() {
        let budgets = parse_budgets("100, 100;window=60, 10000;window=86400");
        assert_eq!(budgets[0], Budget { requests: 100, per: Duration::from_mins(1) });
        assert_eq!(budgets[1].requests, 10_000);
        assert!(parse_budgets("nonsense;window=x, 0;window=5").is_empty());
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn a_limit_and_its_window_may_be_announced_apart() {
        let limiter = limiter(5000, 300);
        limiter.place().await.unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("x-ratelimit-limit", "1".parse().unwrap());
        headers.insert("x-ratelimit-window", "7".parse().unwrap());
        headers.insert("x-ratelimit-reset", "1795129212".parse().unwrap()); // an instant, and nothing to wait for by itself
        limiter.answered(Some(&headers));
        let waited = limiter.place().await.unwrap();
        assert!(waited >= Duration::from_secs(7) && waited < Duration::from_secs(8), "{waited:?}");
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn no_window_ever_holds_more_than_its_budget() {
        let limiter = limiter(5, 10);
        let begun = Instant::now();
        let mut times = Vec::new();
        for _ in 0..17 {
            limiter.place().await.unwrap();
            times.push(begun.elapsed());
            limiter.answered(None);
        }
        for window in times.windows(6) {
            assert!(window[5].checked_sub(window[0]).unwrap() >= Duration::from_secs(10));
        }
        assert!(begun.elapsed() < Duration::from_secs(31), "and no longer than needed: {:?}", begun.elapsed());
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn a_long_wait_is_refused_and_a_short_one_kept() {
        let limiter = limiter(100, 60);
        assert!(limiter.block(Duration::from_mins(10), &mut Duration::default()).is_err());
        assert!(matches!(limiter.place().await, Err(TooLong(_))));
        let limiter = self::limiter(100, 60);
        limiter.block(Duration::from_secs(3), &mut Duration::default()).unwrap();
        assert!(limiter.place().await.unwrap() >= Duration::from_secs(3));
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn short_waits_without_end_are_a_long_wait() {
        let limiter = limiter(100, 60);
        let mut waited = Duration::ZERO;
        for second in 1..=90 {
            assert_eq!(limiter.block(Duration::from_secs(1), &mut waited), Ok(()), "after {second} s");
        }
        assert_eq!(limiter.block(Duration::from_secs(1), &mut waited), Err(TooLong(Duration::from_secs(1))));
        assert_eq!(
            limiter.block(Duration::from_secs(1), &mut Duration::default()),
            Ok(()),
            "another request begins anew"
        );
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn another_programs_use_of_the_budget_is_respected() {
        let limiter = limiter(100, 60);
        limiter.place().await.unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("x-ratelimit-limit", "50;window=6".parse().unwrap());
        headers.insert("x-ratelimit-remaining", "0".parse().unwrap());
        headers.insert("x-ratelimit-reset", "4".parse().unwrap());
        limiter.answered(Some(&headers));
        assert!(limiter.place().await.unwrap() >= Duration::from_secs(4));
    }
}
