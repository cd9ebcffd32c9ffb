//! One call: the budget, the bearer, the verdict, one renewal of the token, retries. Every request goes to the origin of
//! the source's base address, whatever a link says.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{self, HeaderMap};
use url::Url;

use super::error::{ExtractError, Reach};
use super::limit::{Limiter, TooLong, Use};
use super::retry;
use crate::failure::{Failure, Kind};
use crate::http::{self, BodyError};
use crate::oauth::{AccessToken, Login};
use crate::output::{Out, clean, counted};
use crate::run::Connection;
use crate::signals::Stop;
use crate::source::{Api, Call, Reply, Resource, Source, Verdict};
use crate::time::Clock;

/// What all resources of one account share.
pub(crate) struct Session {
    pub(crate) source: &'static Source,
    pub(crate) api: &'static Api,
    client: reqwest::Client,
    base: Url,
    login: Login,
    limiter: Limiter,
    clock: Clock,
    stop: Stop,
    out: Out,
    requests: AtomicU32,
    max_requests: Option<u32>,
    /// The provider's clock, as its last answer told it.
    server_now: Mutex<Option<DateTime<Utc>>>,
    /// Whether any request of this run brought data.
    answered: AtomicBool,
    /// A token that was refused although it had just been renewed.
    refused: Mutex<Option<AccessToken>>,
}

/// What a session is made of.
pub(crate) struct Parts {
    pub(crate) source: &'static Source,
    pub(crate) api: &'static Api,
    pub(crate) client: reqwest::Client,
    pub(crate) base: Url,
    pub(crate) login: Login,
    pub(crate) clock: Clock,
    pub(crate) stop: Stop,
    pub(crate) out: Out,
    pub(crate) max_requests: Option<u32>,
    /// What an earlier run knew of the application's quotas.
    pub(crate) quotas: serde_json::Value,
}

/// One attempt's result.
enum Attempt {
    Body(Vec<u8>),
    Empty,
    /// Transient, and why.
    Again(String),
    /// After this long; the provider asked.
    After(Duration),
    Renew,
}

impl Session {
    pub(crate) fn new(parts: Parts) -> Self {
        let Parts { source, api, client, base, login, clock, stop, out, max_requests, quotas } = parts;
        Self {
            source,
            api,
            client,
            base,
            login,
            limiter: Limiter::new(api.limits, clock.clone(), &quotas),
            clock,
            stop,
            out,
            requests: AtomicU32::new(0),
            max_requests,
            server_now: Mutex::new(None),
            answered: AtomicBool::new(false),
            refused: Mutex::new(None),
        }
    }

    pub(crate) fn requests(&self) -> u32 {
        self.requests.load(Ordering::Relaxed)
    }

    /// Whether any request of this run brought data so far.
    pub(crate) fn has_answered(&self) -> bool {
        self.answered.load(Ordering::Relaxed)
    }

    /// The command that logs in although there is a login.
    pub(crate) fn login_again(&self) -> String {
        format!("{} --again", self.login.command())
    }

    /// The signal that asked to stop, if one did.
    pub(crate) fn asked_to_stop(&self) -> Option<u8> {
        self.stop.real_signal()
    }

    /// The present moment for coverage: never later than the provider's own clock.
    pub(crate) fn safe_now(&self) -> DateTime<Utc> {
        let now = self.clock.now();
        let server = self.server_now.lock().ok().and_then(|server| *server);
        server.filter(|_| !self.clock.is_fixed()).map_or(now, |server| now.min(server))
    }

    /// The body of one answer; none where the provider says that there is nothing.
    pub(crate) async fn get(&self, resource: &Resource, call: &Call) -> Result<Option<Vec<u8>>, ExtractError> {
        let what = resource.name;
        let url = self.address(what, call)?;
        let mut pauses = retry::pauses();
        let mut renewed = false;
        let mut waited = Duration::ZERO;
        let mut token = self.token().await?;
        loop {
            let attempt = tokio::select! {
                attempt = self.attempt(resource, call, &url, &token) => attempt?,
                () = self.stop.asked() => return Err(ExtractError::stopped(self.stop.signal().unwrap_or(2))),
            };
            let pause = match attempt {
                Attempt::Body(body) => {
                    self.answered.store(true, Ordering::Relaxed);
                    return Ok(Some(body));
                }
                Attempt::Empty => return Ok(None),
                Attempt::Renew if renewed => return Err(self.still_refused(what, &token)),
                Attempt::Renew => {
                    renewed = true;
                    token = match self.login.renew(&token).await {
                        Ok(token) => token,
                        Err(error) if error.is_still_refused() => return Err(self.still_refused(what, &token)),
                        Err(error) => return Err(self.no_token(error)),
                    };
                    continue;
                }
                Attempt::After(wait) => {
                    self.limiter.block(wait, &mut waited).map_err(|too_long| self.asked_to_wait(&too_long))?;
                    self.out.note(&format!("{}: waiting {} s, asked by {}", what, wait.as_secs(), self.source.title));
                    continue;
                }
                Attempt::Again(why) => match pauses.next() {
                    Some(pause) => pause,
                    None => return Err(self.gave_up(what, &why)),
                },
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = self.stop.asked() => return Err(ExtractError::stopped(self.stop.signal().unwrap_or(2))),
            }
        }
    }

    async fn attempt(
        &self,
        resource: &Resource,
        call: &Call,
        url: &Url,
        token: &AccessToken,
    ) -> Result<Attempt, ExtractError> {
        let what = resource.name;
        let told = |wait: Duration| {
            let (what, title) = (resource.name, self.source.title);
            self.out.note(&format!(
                "{what}: the requests of {title}'s present window are spent, waiting {} s",
                wait.as_secs()
            ));
        };
        let place = self.limiter.acquire(resource.purpose(), &told).await;
        place.map_err(|too_long| self.no_place(resource, &too_long))?;
        let spent = self.requests.fetch_add(1, Ordering::Relaxed);
        if self.max_requests.is_some_and(|most| spent >= most) {
            self.requests.fetch_sub(1, Ordering::Relaxed);
            self.limiter.answered(None);
            // The answers that others wait for are paid for: they are stored, or the next run would begin where this one did.
            let spent = Failure::new(Kind::Later, format!("the budget of {spent} requests is spent"));
            return Err(ExtractError::new(Reach::Run, spent).next("the same command goes on where this one stopped"));
        }
        let request = match call {
            Call::Get { .. } | Call::Follow { .. } => self.client.get(url.clone()),
            Call::Form { fields, .. } => self.client.post(url.clone()).form(fields),
            Call::Json { body, .. } => {
                self.client.post(url.clone()).header(header::CONTENT_TYPE, "application/json").body(body.to_string())
            }
        };
        let sent = request
            .bearer_auth(token.expose())
            .header(header::ACCEPT, "application/json")
            .header(header::CACHE_CONTROL, "no-cache")
            .send()
            .await;
        let response = match sent {
            Ok(response) => response,
            Err(error) => {
                self.limiter.answered(None);
                self.out.debug(&format!("asked for {what}: {}", http::transport_error(&error)));
                return Ok(Attempt::Again(http::transport_error(&error)));
            }
        };
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        self.limiter.answered(Some(&headers));
        self.note_server_time(&headers)?;
        let body = match http::body(response, http::MAX_PAGE).await {
            Ok(body) => body,
            Err(BodyError::Broken(_)) => return Ok(Attempt::Again("the answer broke off".into())),
            Err(error @ BodyError::TooLarge(_)) => {
                return Err(ExtractError::distrust(format!("{what}: {error}"))
                    .next(format!("health doctor {}", self.source.command_name())));
            }
        };
        if self.out.verbose > 1 {
            self.out.debug(&format!("asked for {what}: {status}, {} bytes", body.len()));
        }
        self.judge(resource, status, &headers, body)
    }

    fn judge(
        &self,
        resource: &Resource,
        status: u16,
        headers: &HeaderMap,
        body: Vec<u8>,
    ) -> Result<Attempt, ExtractError> {
        let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let reply = Reply { status, content_type, retry_after: self.retry_after(headers), body: &body };
        let (what, name) = (resource.name, self.source.command_name());
        Ok(match (self.api.verdict)(&reply) {
            Verdict::Accept => Attempt::Body(body),
            Verdict::Empty => Attempt::Empty,
            Verdict::Retry(why) => Attempt::Again(why),
            Verdict::Wait(wait) if wait.is_zero() => {
                self.limiter.refused();
                Attempt::Again(format!("HTTP {status}, without saying for how long"))
            }
            Verdict::Wait(wait) => Attempt::After(wait.clamp(Duration::from_secs(1), Duration::from_hours(1))),
            Verdict::Reauthorize => Attempt::Renew,
            Verdict::Forbidden => {
                return Err(self.not_granted(what));
            }
            Verdict::Absent(_) if resource.may_be_absent => Attempt::Empty,
            Verdict::Reject(why) | Verdict::Absent(why) => {
                return Err(ExtractError::resource(
                    Kind::Refused,
                    format!("{} refuses {what}: {}", self.source.title, clean(&why)),
                )
                .next(format!("health doctor {name}")));
            }
            Verdict::Denied { why, next } => {
                let what = format!("{} refuses {what}: {why}", self.source.title);
                return Err(ExtractError::resource(Kind::Refused, what).next(next));
            }
            Verdict::Closed { what, next } => return Err(ExtractError::account(Kind::Refused, what).next(next)),
            Verdict::Retired => {
                let mut error = ExtractError::account(
                    Kind::Refused,
                    format!(
                        "{}'s interface has ended (HTTP 410); this is not an error in your set-up",
                        self.source.title
                    ),
                )
                .next(format!("health sources {name}"));
                error.connection = Some(Connection::Retired);
                return Err(error);
            }
        })
    }

    fn address(&self, what: &str, call: &Call) -> Result<Url, ExtractError> {
        address(&self.base, call).map_err(|why| {
            ExtractError::distrust(format!("{what}: {why}"))
                .next(format!("health doctor {}", self.source.command_name()))
        })
    }

    async fn token(&self) -> Result<AccessToken, ExtractError> {
        self.login.access_token().await.map_err(|error| self.no_token(error))
    }

    fn no_token(&self, error: crate::oauth::TokenError) -> ExtractError {
        let failure = error.into_failure(self.source);
        let connection = (failure.kind == Kind::Login).then_some(Connection::NeedsAuth);
        ExtractError { connection, ..ExtractError::new(Reach::Account, failure) }
    }

    /// A 401 after a renewal: of this resource alone, or of the login. The end of the run tells them apart.
    fn still_refused(&self, what: &str, token: &AccessToken) -> ExtractError {
        if let Ok(mut refused) = self.refused.lock() {
            *refused = Some(token.clone());
        }
        let title = self.source.title;
        ExtractError::resource(
            Kind::Login,
            format!("{title} refuses {what} to an access token that it renewed a moment ago"),
        )
        .next(self.login_again())
    }

    /// The login is dead whose renewed token opened nothing at all in this run. Says whether that was so.
    pub(crate) fn login_died(&self) -> Result<bool, Failure> {
        let refused = self.refused.lock().ok().and_then(|refused| refused.clone());
        match refused.filter(|_| !self.has_answered()) {
            Some(token) => {
                self.login.refused_in_use(&token).map_err(|error| error.into_failure(self.source))?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    fn not_granted(&self, what: &str) -> ExtractError {
        let text = format!("{} did not grant what {what} needs", self.source.title);
        ExtractError::resource(Kind::Login, text).next(self.login_again())
    }

    fn gave_up(&self, what: &str, why: &str) -> ExtractError {
        let reach = Reach::Resource; // the others may fare better, and find out for themselves
        ExtractError::new(
            reach,
            Failure::new(Kind::Later, format!("{} does not answer for {what}: {}", self.source.title, clean(why))),
        )
        .next("the same command goes on where this one stopped")
    }

    fn asked_to_wait(&self, too_long: &TooLong) -> ExtractError {
        let until = self.clock.now() + too_long.0;
        let mut error = ExtractError::account(
            Kind::Later,
            format!("{} asks to wait until {} UTC", self.source.title, until.format("%Y-%m-%d %H:%M:%S")),
        )
        .next("nothing to do; the next run respects it and goes on");
        error.not_before = Some(until);
        error
    }

    /// No place within the time that may be waited. What is kept back for listings is no reason to leave the provider alone.
    fn no_place(&self, resource: &Resource, too_long: &TooLong) -> ExtractError {
        if resource.purpose() == Use::Listing || !self.limiter.has_place() {
            return self.asked_to_wait(too_long);
        }
        let until = self.clock.now() + too_long.0;
        let what = format!(
            "{} allows no more requests for single records before {} UTC; the rest is left for then",
            self.source.title,
            until.format("%Y-%m-%d %H:%M:%S")
        );
        ExtractError::new(Reach::Run, Failure::new(Kind::Later, what))
            .next("nothing to do; a later run goes on where this one stopped")
    }

    /// What the next run should know of the quotas.
    pub(crate) fn quotas(&self) -> serde_json::Value {
        self.limiter.remember()
    }

    /// Says what reading so many single records costs, where it does not fit into the quotas of the day.
    pub(crate) fn tell_cost(&self, due: &[(&str, usize)]) {
        let requests: u64 = due.iter().map(|(_, count)| *count as u64).sum();
        let Some(room) = self.limiter.room().filter(|_| requests > 0) else { return };
        let parts: Vec<String> =
            due.iter().filter(|(_, count)| *count > 0).map(|(name, count)| format!("{count} {name}")).collect();
        let windows = room.windows(requests);
        let long = if room.per == Duration::from_hours(24) { "day" } else { "window" };
        let takes = if windows > 1 {
            format!(", so this takes {}; a later run goes on by itself", counted(windows, long))
        } else {
            String::new()
        };
        let lasts = match room.lasts(requests).as_secs() / 60 {
            0 => String::new(),
            minutes => format!("; the part of this {long} takes about {}", counted(minutes, "minute")),
        };
        self.out.note(&format!(
            "plan: {} to read one by one, newest first ({}): {}. {} allows {} a {long}{takes}{lasts}",
            counted(requests, "record"),
            parts.join(", "),
            counted(requests, "request"),
            self.source.title,
            room.limit,
        ));
    }

    /// `Retry-After` in both its forms, else the reset that WHOOP and others send.
    fn retry_after(&self, headers: &HeaderMap) -> Option<u64> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
        let said = text("retry-after").and_then(|value| {
            value.parse().ok().or_else(|| {
                let at = DateTime::parse_from_rfc2822(value).ok()?;
                u64::try_from((at.with_timezone(&Utc) - self.clock.now()).num_seconds().max(1)).ok()
            })
        });
        said.or_else(|| {
            text("x-ratelimit-reset").and_then(|value| value.parse().ok()).filter(|seconds| *seconds <= 86_400)
        })
    }

    /// A clock that is days wrong would put coverage where no data can be (docs/exit-codes.md).
    fn note_server_time(&self, headers: &HeaderMap) -> Result<(), ExtractError> {
        let said = headers.get(header::DATE).and_then(|value| value.to_str().ok());
        let Some(server) = said.and_then(|text| DateTime::parse_from_rfc2822(text).ok()) else { return Ok(()) };
        let server = server.with_timezone(&Utc);
        let off = self.clock.now() - server;
        if !self.clock.is_fixed() && off.num_hours().abs() >= 24 {
            let side = if off.num_seconds() > 0 { "ahead of" } else { "behind" };
            let what = format!("this clock is {} days {side} {}'s", off.num_days().abs().max(1), self.source.title);
            return Err(ExtractError::account(Kind::Local, what).next("set the clock, then run the same command again"));
        }
        if let Ok(mut now) = self.server_now.lock() {
            *now = Some(server);
        }
        Ok(())
    }
}

/// The address of a call, which must be of the base's origin, whatever a link says (docs/adr/10).
fn address(base: &Url, call: &Call) -> Result<Url, &'static str> {
    match call {
        Call::Form { path, .. } | Call::Json { path, .. } => below(base, path),
        Call::Get { path, query } => {
            let mut url = below(base, path)?;
            if !query.is_empty() {
                url.query_pairs_mut().extend_pairs(query);
            }
            Ok(url)
        }
        Call::Follow { link } => {
            let url = base.join(link).map_err(|_| "the link to the next page is malformed")?;
            let same = url.origin() == base.origin() && url.username().is_empty() && url.password().is_none();
            if same { Ok(url) } else { Err("the link to the next page leads to another server; it was not followed") }
        }
    }
}

fn below(base: &Url, path: &str) -> Result<Url, &'static str> {
    Url::parse(&format!("{}{path}", base.as_str().trim_end_matches('/'))).map_err(|_| "the address is malformed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_with_a_body_goes_below_the_base_address() {
        let base = Url::parse("https://api.example.org/v4/").unwrap();
        let call = Call::Json { path: "/users/me/x:rollUp".into(), body: serde_json::json!({}) };
        assert_eq!(address(&base, &call).unwrap().as_str(), "https://api.example.org/v4/users/me/x:rollUp");
    }

    fn follow(link: &str) -> Result<String, &'static str> {
        let base = Url::parse("https://api.example.org/v2").map_err(|_| "base")?;
        address(&base, &Call::Follow { link: link.into() }).map(|url| url.to_string())
    }

    #[test]
    fn a_link_never_leads_the_bearer_to_another_server() {
        assert_eq!(follow("https://api.example.org/v2/x?page=2"), Ok("https://api.example.org/v2/x?page=2".into()));
        assert_eq!(follow("/v2/x?page=2"), Ok("https://api.example.org/v2/x?page=2".into()));
        for foreign in [
            "https://evil.example.org/v2/x",
            "http://api.example.org/v2/x",
            "https://api.example.org:8443/x",
            "https://api.example.org@evil.example.org/x",
            "https://user@api.example.org/x",
            "//evil.example.org/x",
            "javascript:alert(1)",
        ] {
            assert!(follow(foreign).is_err(), "{foreign}");
        }
    }
}
