//! The simulated WHOOP: its addresses, who is let in, and which of the two states of the data is shown.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};

use super::consent::Desk;
use super::http::{Request, Response, Server};
use super::shelf::{self, Answer, Reading};
use super::year::{self, Year};
use crate::failure::{Failure, Kind};

/// A limit that a demo never meets; the form is WHOOP's.
const RATE_LIMIT: &str = "100000, 100000;window=60";

/// A running provider.
pub(crate) struct Provider {
    server: Server,
    state: Arc<State>,
}

struct State {
    year: Year,
    desk: Mutex<Desk>,
    reading: Mutex<Reading>,
}

impl Provider {
    /// Serves `days` days that end at `now`, made from `seed`.
    pub(crate) fn start(seed: u64, days: u32, now: DateTime<Utc>) -> Result<Self, Failure> {
        let state = Arc::new(State {
            year: year::year(seed, days, now),
            desk: Mutex::default(),
            reading: Mutex::new(Reading::First),
        });
        let shared = Arc::clone(&state);
        let server = Server::start(move |request| shared.answer(request)).map_err(|error| {
            Failure::new(Kind::Local, format!("the simulated WHOOP cannot listen on this machine: {error}"))
        })?;
        Ok(Self { server, state })
    }

    /// What stands in for `https://api.prod.whoop.com/developer`.
    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/developer", self.server.address())
    }

    pub(crate) fn authorize_url(&self) -> String {
        format!("http://{}/oauth/oauth2/auth", self.server.address())
    }

    pub(crate) fn token_url(&self) -> String {
        format!("http://{}/oauth/oauth2/token", self.server.address())
    }

    /// A quarter of an hour later: scores have arrived, the open cycle has grown, a workout was deleted.
    pub(crate) fn advance(&self) {
        *locked(&self.state.reading) = Reading::Second;
    }
}

impl State {
    fn answer(&self, request: &Request) -> Response {
        match (request.method.as_str(), request.path.as_str()) {
            ("GET", "/oauth/oauth2/auth") => match locked(&self.desk).authorize(&request.query) {
                Ok(back) => Response::empty(302).with("Location", back),
                Err(why) => Response { body: why.to_owned(), ..Response::empty(400) },
            },
            ("POST", "/oauth/oauth2/token") => {
                let form: Vec<_> = url::form_urlencoded::parse(&request.body).into_owned().collect();
                let (status, body) = locked(&self.desk).token(&form);
                Response::json(status, body.to_string()).with("Cache-Control", "no-store")
            }
            (method, path) => match path.strip_prefix("/developer") {
                Some(path) => self.data(method, path, request),
                None => Response::empty(404),
            },
        }
    }

    fn data(&self, method: &str, path: &str, request: &Request) -> Response {
        let mut desk = locked(&self.desk);
        if !request.bearer.as_deref().is_some_and(|token| desk.knows(token)) {
            return Response::empty(401);
        }
        if (method, path) == ("DELETE", "/v2/user/access") {
            desk.revoke();
            return Response::empty(204);
        }
        drop(desk);
        if method != "GET" {
            return Response::empty(405);
        }
        let reading = *locked(&self.reading);
        let response = match shelf::get(&self.year, reading, path, &request.query) {
            Answer::Json(text) => Response::json(200, text),
            Answer::BadRequest(what) => Response { body: what.to_owned(), ..Response::empty(400) },
            Answer::NotFound => Response::empty(404),
        };
        response
            .with("X-RateLimit-Limit", RATE_LIMIT)
            .with("X-RateLimit-Remaining", "99999")
            .with("X-RateLimit-Reset", "60")
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
