//! What a provider answered, and what that means for the engine.

use std::time::Duration;

/// What a provider answered, as far as a verdict needs it.
pub(crate) struct Reply<'a> {
    pub(crate) status: u16,
    pub(crate) content_type: &'a str,
    /// `Retry-After` in seconds, whichever form it had.
    pub(crate) retry_after: Option<u64>,
    pub(crate) body: &'a [u8],
}

/// What an answer means for the engine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Verdict {
    Accept,
    /// Nothing there; for a list that is an empty page.
    Empty,
    /// Transient: try again within the budget.
    Retry(String),
    /// Told to wait.
    Wait(Duration),
    /// The access token is not accepted.
    Reauthorize,
    /// Refused for good.
    Reject(String),
    /// Refused for good, this resource at least, until a person does something: why, and what to do.
    Denied {
        why: &'static str,
        next: &'static str,
    },
    /// The scope is missing.
    Forbidden,
    /// There is no such thing here: nothing, for a resource that may be absent.
    Absent(String),
    /// The interface is gone.
    Retired,
    /// The interface is closed to this application or account until a person does something: what happened, what to do.
    Closed {
        what: &'static str,
        next: &'static str,
    },
}

/// The common reading of HTTP statuses (docs/adr/10).
pub(crate) fn by_status(reply: &Reply) -> Verdict {
    match reply.status {
        200 if reply.body.is_empty() => Verdict::Retry("an empty answer".into()),
        200 if looks_like_html(reply) => Verdict::Retry("a web page instead of data".into()),
        200 => Verdict::Accept,
        204 => Verdict::Empty,
        401 => Verdict::Reauthorize,
        403 if says(reply.body, "rate limit") => Verdict::Wait(Duration::from_secs(reply.retry_after.unwrap_or(0))),
        403 if says(reply.body, "scope") => Verdict::Forbidden,
        403 => Verdict::Reject("HTTP 403, not allowed for this account".into()),
        404 => Verdict::Absent("HTTP 404, not found".into()),
        410 => Verdict::Retired,
        429 => Verdict::Wait(Duration::from_secs(reply.retry_after.unwrap_or(0))),
        408 | 409 | 423 | 425 | 500..=599 => match reply.retry_after {
            Some(seconds) => Verdict::Wait(Duration::from_secs(seconds)),
            None => Verdict::Retry(format!("HTTP {}", reply.status)),
        },
        300..=399 => Verdict::Retry(format!("an unexpected redirect (HTTP {})", reply.status)),
        status => Verdict::Reject(format!("HTTP {status}")),
    }
}

/// Whether the first kilobyte of an answer speaks of `what`.
fn says(body: &[u8], what: &str) -> bool {
    String::from_utf8_lossy(&body[..body.len().min(1024)]).to_lowercase().contains(what)
}

/// A captive portal or a maintenance page: it says so, or starts like one whatever it says.
fn looks_like_html(reply: &Reply) -> bool {
    let start = reply.body.trim_ascii_start();
    reply.content_type.contains("text/html") && !start.starts_with(b"{") || start.starts_with(b"<")
}
