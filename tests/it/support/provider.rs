//! The part that every simulated provider shares: OAuth, bearer check, request log, clock, rate limits, faults.
//!
//! A provider's own file adds its paths, paging, order, filters and records, from that provider's documentation.
//! Nothing here or there may look into the program under test.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use url::Url;

use super::faults::{Fired, Rule, What, When};
use super::net::{Reply, Request, Server};
use super::tokens::Grants;
use super::truth::Truth;

/// What the data interface of one provider does.
pub trait Simulation: Send + 'static {
    /// The id of the source this stands in for.
    const ID: &'static str;
    /// Scopes as the provider names them.
    const SCOPES: &'static [&'static str];
    const AUTHORIZE: &'static str;
    const TOKEN: &'static str;
    /// More token endpoints, where it depends on the application which one knows it.
    const OTHER_TOKENS: &'static [&'static str] = &[];
    /// The one of them that knows the application at first; none: any does.
    const REGISTERED_AT: Option<&'static str> = None;
    /// Path under which the data interface lives.
    const BASE: &'static str;
    /// What a login needs to be told beside the source.
    const LOGIN: &'static [&'static str] = &[];
    /// Seconds an access token lives.
    const LIFE: i64 = 3_600;

    /// How its authorization server differs from the usual one.
    fn customs(&self, _grants: &mut Grants) {}
    /// How it refuses what does not concern the request itself.
    fn refuse(&self, why: Refusal) -> Reply {
        match why {
            Refusal::Spent => Reply::empty(429),
            Refusal::Token => Reply::json(401, r#"{"message":"Authorization was not valid"}"#),
            Refusal::Scope => Reply::json(403, r#"{"message":"insufficient_scope"}"#),
        }
    }
    /// The rate-limit headers of a reply, and whether it must be refused, where it has budgets of its own.
    fn announce(&mut self) -> Option<(Vec<(&'static str, String)>, bool)> {
        None
    }

    /// The resource a path belongs to; `None`: no such path.
    fn resource(&self, method: &str, path: &str) -> Option<&'static str>;
    /// The same where more than method and path decide.
    fn named(&self, request: &Request, path: &str) -> Option<&'static str> {
        self.resource(&request.method, path)
    }
    /// A call about a grant that neither the token endpoint's grants nor a bearer cover; with the name for the log.
    fn about_grants(&mut self, _: &mut Grants, _: &Request) -> Option<(&'static str, Reply)> {
        None
    }
    /// How it writes what the token endpoint answers.
    fn token_reply(&self, _: &Request, reply: Reply) -> Reply {
        reply
    }
    /// The scope a resource needs.
    fn scope(&self, resource: &str) -> Option<&'static str>;
    /// Answers an authorised request.
    fn answer(&mut self, resource: &str, request: &Request) -> Reply;
    /// What the program should hold after having read everything.
    fn truth(&self) -> Truth;
    fn set_now(&mut self, now: DateTime<Utc>);
}

/// Why a request is refused before anybody looks at what it asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The budget is spent.
    Spent,
    /// The access token is not known.
    Token,
    /// It has not the scope.
    Scope,
}

/// One line of the request log.
#[derive(Clone, Debug)]
pub struct Entry {
    pub method: String,
    pub path: String,
    pub resource: String,
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub body: String,
    pub status: u16,
    pub at: Instant,
}

impl Entry {
    pub fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

/// A limit that is announced and enforced: so many requests in so much time.
#[derive(Clone, Copy)]
pub struct Quota {
    pub requests: usize,
    pub window: Duration,
}

pub struct State<S> {
    pub sim: S,
    pub grants: Grants,
    pub log: Vec<Entry>,
    pub quota: Option<Quota>,
    pub refused: usize,
    pub latency: Duration,
    now: DateTime<Utc>,
    rules: Vec<Arc<Rule>>,
    window: Option<(Instant, usize)>,
}

/// A running simulated provider.
pub struct Provider<S: Simulation> {
    state: Arc<Mutex<State<S>>>,
    server: Server,
}

impl<S: Simulation> Provider<S> {
    pub fn start(mut sim: S, now: DateTime<Utc>, redirect_uri: &str) -> Self {
        sim.set_now(now);
        let mut grants = Grants::new(S::SCOPES, redirect_uri).registered_at(S::REGISTERED_AT);
        grants.life = S::LIFE;
        sim.customs(&mut grants);
        let state = Arc::new(Mutex::new(State {
            sim,
            grants,
            log: vec![],
            quota: None,
            refused: 0,
            latency: Duration::ZERO,
            now,
            rules: vec![],
            window: None,
        }));
        let shared = Arc::clone(&state);
        let server = Server::start(move |request| serve(&shared, request));
        Provider { state, server }
    }

    pub fn state(&self) -> MutexGuard<'_, State<S>> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Looks at the records, or changes them.
    pub fn with<T>(&self, f: impl FnOnce(&mut S) -> T) -> T {
        f(&mut self.state().sim)
    }

    /// Looks at the logins, or changes them.
    pub fn grants<T>(&self, f: impl FnOnce(&mut Grants) -> T) -> T {
        f(&mut self.state().grants)
    }

    pub fn truth(&self) -> Truth {
        self.state().sim.truth()
    }

    /// Plans a fault and returns its counter.
    pub fn fault(&self, when: When, what: What) -> Fired {
        let (rule, fired) = Rule::new(when, what);
        self.state().rules.push(Arc::new(rule));
        fired
    }

    /// From here on the provider behaves.
    pub fn no_faults(&self) {
        self.state().rules.clear();
    }

    pub fn log(&self) -> Vec<Entry> {
        self.state().log.clone()
    }

    pub fn clear_log(&self) {
        self.state().log.clear();
    }

    /// Requests to the data interface so far.
    pub fn data_requests(&self) -> Vec<Entry> {
        self.log().into_iter().filter(|e| !["token", "authorize", "revoke"].contains(&e.resource.as_str())).collect()
    }

    pub fn requests(&self, resource: &str) -> Vec<Entry> {
        self.log().into_iter().filter(|e| e.resource == resource).collect()
    }

    pub fn set_now(&self, now: DateTime<Utc>) {
        let mut state = self.state();
        state.now = now;
        state.sim.set_now(now);
    }

    pub fn origin(&self) -> String {
        self.server.origin()
    }

    pub fn base_url(&self) -> String {
        format!("{}{}", self.origin(), S::BASE)
    }

    pub fn authorize_url(&self) -> String {
        format!("{}{}", self.origin(), S::AUTHORIZE)
    }

    pub fn token_url(&self) -> String {
        let all = std::iter::once(&S::TOKEN).chain(S::OTHER_TOKENS);
        all.map(|path| format!("{}{path}", self.origin())).collect::<Vec<_>>().join(" ")
    }
}

fn serve<S: Simulation>(shared: &Mutex<State<S>>, request: &Request) -> Reply {
    let mut guard = shared.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let state = &mut *guard;
    let path = request.path.strip_prefix(S::BASE).unwrap_or(&request.path);
    let about_grants = state.sim.about_grants(&mut state.grants, request);
    let resource = if let Some((name, _)) = &about_grants {
        name
    } else if request.path == S::TOKEN || S::OTHER_TOKENS.contains(&request.path.as_str()) {
        "token"
    } else if request.path == S::AUTHORIZE {
        "authorize"
    } else {
        state.sim.named(request, path).unwrap_or("unknown")
    };
    let rules: Vec<Arc<Rule>> = state.rules.iter().filter(|r| r.applies(resource)).cloned().collect();
    let idle = rules.iter().any(|r| r.instead_of_work());
    let mut reply = match about_grants {
        Some((_, reply)) => reply,
        None if idle => Reply::json(200, "{}"),
        None => work(state, resource, request),
    };
    reply = reply.header("date", state.now.format("%a, %d %b %Y %H:%M:%S GMT").to_string());
    for rule in &rules {
        reply = rule.act(reply, request);
    }
    reply.delay = reply.delay.max(state.latency);
    state.log.push(Entry {
        method: request.method.clone(),
        path: request.path.clone(),
        resource: resource.to_owned(),
        // What a form says stands beside; what it says to the token endpoint has a ledger of its own.
        query: request.query.iter().cloned().chain(form_of(request, resource)).collect(),
        headers: request.headers.clone(),
        body: request.body.clone(),
        status: reply.status,
        at: Instant::now(),
    });
    reply
}

fn form_of(request: &Request, resource: &str) -> Vec<(String, String)> {
    let is_form =
        request.header("content-type").is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if resource == "token" || !is_form { vec![] } else { request.form().into_iter().collect() }
}

fn work<S: Simulation>(state: &mut State<S>, resource: &str, request: &Request) -> Reply {
    let now = state.now;
    match resource {
        "token" => {
            let reply = state.grants.token(request, now);
            return state.sim.token_reply(request, reply);
        }
        "authorize" => return state.grants.authorize(request, now),
        "unknown" => return Reply::json(404, r#"{"message":"not found"}"#),
        _ => {}
    }
    let (announced, over) = match state.sim.announce() {
        Some(own) => own,
        None => budget(state),
    };
    if over {
        state.refused += 1;
        return announced.into_iter().fold(state.sim.refuse(Refusal::Spent), |r, (n, v)| r.header(n, v));
    }
    let bearer = request.header("authorization").and_then(|h| h.strip_prefix("Bearer "));
    // Some withdraw a grant by its token in the address, others in a form.
    let bearer = bearer.or_else(|| request.param("access_token").filter(|_| resource == "revoke"));
    let form = request.form();
    let bearer = bearer.or_else(|| {
        form.get("token").map(String::as_str).filter(|_| resource == "revoke" && state.grants.may_revoke(request))
    });
    let reply = match bearer.and_then(|token| state.grants.scopes_of(token, now)) {
        None => state.sim.refuse(Refusal::Token),
        Some(_) if resource == "revoke" => {
            state.grants.revoke_all();
            Reply::empty(204)
        }
        Some(scopes) => match state.sim.scope(resource) {
            Some(needed) if !scopes.iter().any(|s| s == needed) => state.sim.refuse(Refusal::Scope),
            _ => state.sim.answer(resource, request),
        },
    };
    announced.into_iter().fold(reply, |r, (n, v)| r.header(n, v))
}

/// The rate-limit headers of a reply, and whether it must be refused.
fn budget<S>(state: &mut State<S>) -> (Vec<(&'static str, String)>, bool) {
    let quota = state.quota.unwrap_or(Quota { requests: 100_000, window: Duration::from_mins(1) });
    let clock = Instant::now();
    let (start, used) = match state.window {
        Some((start, used)) if clock.duration_since(start) < quota.window => (start, used + 1),
        _ => (clock, 1),
    };
    state.window = Some((start, used));
    let left = quota.window.saturating_sub(clock.duration_since(start));
    let (n, w) = (quota.requests, quota.window.as_secs());
    let headers = vec![
        ("X-RateLimit-Limit", format!("{n}, {n};window={w}, 10000000;window=86400")),
        ("X-RateLimit-Remaining", quota.requests.saturating_sub(used).to_string()),
        ("X-RateLimit-Reset", left.as_millis().div_ceil(1000).to_string()),
    ];
    (headers, used > quota.requests)
}

/// Where the provider sends the browser after the person has agreed.
pub fn consent(authorize: &str) -> String {
    super::net::get(authorize).location()
}

/// A parameter of an address.
pub fn param(address: &str, name: &str) -> Option<String> {
    let url = Url::parse(address).ok()?;
    url.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned())
}

/// An instant some days before another.
pub fn days_before(now: DateTime<Utc>, days: i64) -> DateTime<Utc> {
    now - TimeDelta::days(days)
}
