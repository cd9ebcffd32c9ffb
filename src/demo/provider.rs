//! The simulated WHOOP as an HTTP server on loopback, on threads of its own, ended when it is dropped.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use chrono::{DateTime, Utc};
use tiny_http::{Header, Method, Request, Response, Server};

use super::consent::Desk;
use super::shelf::{self, Answer, Reading};
use super::year::{self, Year};
use crate::failure::{Failure, Kind};

/// As many as there are lists, so that they are served side by side.
const THREADS: usize = 4;
/// A limit that a demo never meets; the form is WHOOP's.
const RATE_LIMIT: &str = "100000, 100000;window=60";
/// A login form is some hundred bytes.
const MAX_FORM: u64 = 16 << 10;

/// A running provider.
pub(crate) struct Provider {
    server: Arc<Server>,
    state: Arc<State>,
    threads: Vec<JoinHandle<()>>,
    address: String,
}

struct State {
    year: Year,
    desk: Mutex<Desk>,
    reading: Mutex<Reading>,
}

impl Provider {
    /// Serves `days` days that end at `now`, made from `seed`.
    pub(crate) fn start(seed: u64, days: u32, now: DateTime<Utc>) -> Result<Self, Failure> {
        let failed = |what: String| Failure::new(Kind::Local, format!("the simulated WHOOP cannot listen: {what}"));
        let server = Arc::new(Server::http("127.0.0.1:0").map_err(|error| failed(error.to_string()))?);
        let port = server.server_addr().to_ip().ok_or_else(|| failed("no port".into()))?.port();
        let state = Arc::new(State {
            year: year::year(seed, days, now),
            desk: Mutex::default(),
            reading: Mutex::new(Reading::First),
        });
        let threads = (0..THREADS).map(|_| {
            let (server, state) = (Arc::clone(&server), Arc::clone(&state));
            std::thread::spawn(move || {
                while let Ok(request) = server.recv() {
                    state.answer(request);
                }
            })
        });
        let threads = threads.collect();
        Ok(Self { server, state, threads, address: format!("http://127.0.0.1:{port}") })
    }

    /// What stands in for `https://api.prod.whoop.com/developer`.
    pub(crate) fn base_url(&self) -> String {
        format!("{}/developer", self.address)
    }

    pub(crate) fn authorize_url(&self) -> String {
        format!("{}/oauth/oauth2/auth", self.address)
    }

    pub(crate) fn token_url(&self) -> String {
        format!("{}/oauth/oauth2/token", self.address)
    }

    /// A quarter of an hour later: scores have arrived, the open cycle has grown, a workout was deleted.
    pub(crate) fn advance(&self) {
        *locked(&self.state.reading) = Reading::Second;
    }
}

impl Drop for Provider {
    fn drop(&mut self) {
        for _ in &self.threads {
            self.server.unblock();
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl State {
    fn answer(&self, mut request: Request) {
        let url = request.url().to_owned();
        let (path, query) = url.split_once('?').unwrap_or((&url, ""));
        let query = pairs(query.as_bytes());
        let response = match (request.method(), path) {
            (Method::Get, "/oauth/oauth2/auth") => match locked(&self.desk).authorize(&query) {
                Ok(back) => with(empty(302), "Location", back.as_str()),
                Err(why) => Response::from_string(why).with_status_code(400),
            },
            (Method::Post, "/oauth/oauth2/token") => {
                let mut form = Vec::new();
                let read =
                    std::io::Read::read_to_end(&mut std::io::Read::take(request.as_reader(), MAX_FORM), &mut form);
                let (status, body) = locked(&self.desk).token(&pairs(if read.is_ok() { &form } else { &[] }));
                with(json(body.to_string()).with_status_code(status), "Cache-Control", "no-store")
            }
            (method, path) => self.data(method, path.strip_prefix("/developer").unwrap_or(""), &query, &request),
        };
        let _ = request.respond(response);
    }

    fn data(&self, method: &Method, path: &str, query: &[(String, String)], request: &Request) -> Body {
        let bearer = request.headers().iter().find(|header| header.field.equiv("Authorization"));
        let bearer = bearer.and_then(|header| header.value.as_str().strip_prefix("Bearer "));
        let mut desk = locked(&self.desk);
        if !bearer.is_some_and(|token| desk.knows(token)) {
            return empty(401);
        }
        if (method, path) == (&Method::Delete, "/v2/user/access") {
            desk.revoke();
            return empty(204);
        }
        drop(desk);
        if *method != Method::Get {
            return empty(405);
        }
        let reading = *locked(&self.reading);
        let response = match shelf::get(&self.year, reading, path, query) {
            Answer::Json(text) => json(text),
            Answer::BadRequest(what) => Response::from_string(what).with_status_code(400),
            Answer::NotFound => empty(404),
        };
        let limits = [("Limit", RATE_LIMIT), ("Remaining", "99999"), ("Reset", "60")];
        limits.into_iter().fold(response, |all, (name, value)| with(all, &format!("X-RateLimit-{name}"), value))
    }
}

type Body = Response<std::io::Cursor<Vec<u8>>>;

fn empty(status: u16) -> Body {
    Response::from_string("").with_status_code(status)
}

fn json(text: String) -> Body {
    with(Response::from_string(text), "Content-Type", "application/json")
}

/// Names and values here are our own; one that HTTP does not allow is left out.
fn with(mut response: Body, name: &str, value: &str) -> Body {
    if let Ok(header) = Header::from_bytes(name, value) {
        response.add_header(header);
    }
    response
}

fn pairs(text: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(text).into_owned().collect()
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
