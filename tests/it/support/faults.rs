//! What a simulated provider does wrong, by plan, and how often it really did.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::gzip;
use super::net::{Gate, Reply, Request, Wire};

type Edit = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// One way to go wrong. The reply it acts on is the honest one.
#[derive(Clone)]
pub enum What {
    /// Status, headers and body instead of the honest answer.
    Answer(u16, Vec<(&'static str, String)>, &'static str),
    /// The honest reply, damaged on its way.
    Wire(Wire),
    /// The honest reply with another body.
    Body(Edit),
    /// Other bytes, which need not be text.
    Bytes(Vec<u8>),
    /// The honest reply with a header added.
    Header(&'static str, String),
    /// A gzip body that inflates to so many bytes.
    Bomb(usize),
    /// A refusal that repeats what was sent, credentials included.
    Echo(u16),
    Delay(Duration),
}

impl What {
    pub fn status(status: u16) -> What {
        What::Answer(status, vec![], r#"{"error":"simulated"}"#)
    }

    /// 429 with `Retry-After` in seconds.
    pub fn too_many(seconds: u32) -> What {
        What::Answer(429, vec![("Retry-After", seconds.to_string())], "")
    }

    /// 429 with the provider's own header only.
    pub fn too_many_reset(seconds: u32) -> What {
        What::Answer(429, vec![("X-RateLimit-Remaining", "0".into()), ("X-RateLimit-Reset", seconds.to_string())], "")
    }

    /// A maintenance page where JSON was asked for.
    pub fn html(status: u16) -> What {
        What::Answer(
            status,
            vec![("content-type", "text/html".into())],
            "<!DOCTYPE html><html><body>Sign in to the network</body></html>",
        )
    }

    pub fn redirect(to: &str) -> What {
        What::Answer(302, vec![("location", to.to_owned())], "")
    }

    pub fn edit(edit: impl Fn(&str) -> String + Send + Sync + 'static) -> What {
        What::Body(Arc::new(edit))
    }

    pub fn replace(from: &'static str, to: &'static str) -> What {
        What::edit(move |body| body.replacen(from, to, 1))
    }

    pub fn reset(at: usize) -> What {
        What::Wire(Wire::Reset(at))
    }

    pub fn cut(at: usize) -> What {
        What::Wire(Wire::Cut(at))
    }

    pub fn hang() -> What {
        What::Wire(Wire::Hang)
    }

    /// Holds the reply back until the gate is opened.
    pub fn gate(gate: &Gate) -> What {
        What::Wire(Wire::Gate(gate.clone()))
    }

    pub fn bom() -> What {
        What::edit(|body| format!("\u{feff}{body}"))
    }

    fn act(&self, mut reply: Reply, request: &Request) -> Reply {
        match self {
            What::Answer(status, headers, body) => {
                let mut other = if body.is_empty() { Reply::empty(*status) } else { Reply::json(*status, *body) };
                other.headers.extend(reply.headers.into_iter().filter(|(n, _)| n.eq_ignore_ascii_case("date")));
                headers.iter().fold(other, |r, (n, v)| r.header(n, v.clone()))
            }
            What::Wire(wire) => Reply { wire: wire.clone(), ..reply },
            What::Body(edit) => {
                reply.body = edit(&String::from_utf8_lossy(&reply.body)).into_bytes();
                reply
            }
            What::Bytes(bytes) => {
                reply.body.clone_from(bytes);
                reply
            }
            What::Header(name, value) => reply.header(name, value.clone()),
            What::Bomb(decoded) => {
                reply.body = gzip::bomb(*decoded);
                reply.header("content-encoding", "gzip")
            }
            What::Echo(status) => {
                let said = request.header("authorization").unwrap_or_default();
                let body = serde_json::json!({ "error": "bad_request", "message": format!("{said} {}", request.body) });
                Reply::json(*status, body.to_string())
                    .header("x-echo", said)
                    .header("set-cookie", format!("session={said}"))
            }
            What::Delay(time) => Reply { delay: *time, ..reply },
        }
    }
}

/// When a fault acts: on the requests of one resource (all, if none is named), counted from 1.
#[derive(Clone)]
pub struct When {
    resource: Option<&'static str>,
    first: usize,
    last: usize,
    before: bool,
}

impl When {
    /// Every request for this resource; `"token"` is the token endpoint.
    pub fn resource(resource: &'static str) -> When {
        When { resource: Some(resource), first: 1, last: usize::MAX, before: false }
    }

    /// Every request to the data interface.
    pub fn any() -> When {
        When { resource: None, first: 1, last: usize::MAX, before: false }
    }

    /// Only the nth of these requests, counted from now on.
    pub fn nth(self, n: usize) -> When {
        When { first: n, last: n, ..self }
    }

    pub fn first(self, count: usize) -> When {
        When { last: count, ..self }
    }

    pub fn from(self, first: usize) -> When {
        When { first, ..self }
    }

    /// The provider fails without having done its work: a token endpoint does not rotate.
    pub fn before_work(self) -> When {
        When { before: true, ..self }
    }
}

pub struct Rule {
    when: When,
    what: What,
    seen: AtomicUsize,
    fired: Arc<AtomicUsize>,
}

/// Keeps count of a planned fault.
#[derive(Clone)]
pub struct Fired(Arc<AtomicUsize>);

impl Fired {
    pub fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }

    /// A fault that did not happen proves nothing.
    #[track_caller]
    pub fn assert(&self) {
        assert!(self.count() > 0, "the planned fault never fired");
    }
}

impl Rule {
    pub fn new(when: When, what: What) -> (Rule, Fired) {
        let fired = Arc::new(AtomicUsize::new(0));
        let handle = Fired(Arc::clone(&fired));
        (Rule { when, what, seen: AtomicUsize::new(0), fired }, handle)
    }

    /// Whether this rule is meant for a request; counts the request.
    pub fn applies(&self, resource: &str) -> bool {
        let meant = match self.when.resource {
            Some(name) => name == resource,
            None => resource != "token" && resource != "authorize" && resource != "revoke",
        };
        if !meant {
            return false;
        }
        let n = self.seen.fetch_add(1, Ordering::SeqCst) + 1;
        (self.when.first..=self.when.last).contains(&n)
    }

    pub fn instead_of_work(&self) -> bool {
        self.when.before
    }

    pub fn act(&self, reply: Reply, request: &Request) -> Reply {
        self.fired.fetch_add(1, Ordering::SeqCst);
        self.what.act(reply, request)
    }
}
