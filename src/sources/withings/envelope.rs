//! What an answer means: its own status first, that of HTTP only where there is no envelope (in an outage, or at a proxy).

use std::time::Duration;

use crate::extract::borders;
use crate::source::{Reply, Verdict, by_status};

/// How long to wait after "too many requests", which comes without a word about it.
const A_MINUTE: u64 = 60;

pub(super) fn verdict(reply: &Reply) -> Verdict {
    let Some(status) = status(reply.body) else { return by_status(reply) };
    match status {
        0 => Verdict::Accept,
        100..=102 | 200 | 401 => Verdict::Reauthorize,
        214 | 277 | 2553 | 2555 => Verdict::Forbidden,
        601 => Verdict::Wait(Duration::from_secs(reply.retry_after.filter(|wait| *wait > 0).unwrap_or(A_MINUTE))),
        2554 => Verdict::Reject("status 2554, no such action".into()),
        status if is_about_parameters(status) => Verdict::Reject(format!("status {status}, invalid parameters")),
        522 => Verdict::Retry("status 522, timeout".into()),
        524 => Verdict::Retry("status 524, bad state".into()),
        status => Verdict::Retry(format!("status {status}")),
    }
}

fn status(body: &[u8]) -> Option<i64> {
    let document = borders::document(body).ok()?;
    serde_json::from_slice(borders::member(document, "/status").ok()??).ok()
}

/// Asked the same again, it would say the same.
fn is_about_parameters(status: i64) -> bool {
    matches!(status,
        201..=213 | 216..=218 | 220 | 221 | 223 | 225 | 227..=230 | 234..=236 | 238 | 240..=252 | 254 | 260..=267 | 271 | 272
        | 275 | 276 | 283..=288 | 290 | 293..=295 | 297 | 300..=304 | 321 | 323..=353 | 380..=382 | 400 | 501..=511 | 523 | 532
        | 3017..=3019)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(http: u16, body: &str, retry_after: Option<u64>) -> Verdict {
        verdict(&Reply { status: http, content_type: "application/json", retry_after, body: body.as_bytes() })
    }

    fn said(status: i64) -> Verdict {
        of(200, &format!(r#"{{"status":{status},"body":{{}},"error":"text"}}"#), None)
    }

    #[test]
    fn the_envelope_counts_before_http() {
        assert_eq!(said(0), Verdict::Accept);
        assert_eq!(of(500, r#"{"body":{"status":7},"status":0}"#, None), Verdict::Accept);
        for status in [100, 101, 102, 200, 401] {
            assert_eq!(said(status), Verdict::Reauthorize);
        }
        for status in [214, 277, 2553, 2555] {
            assert_eq!(said(status), Verdict::Forbidden);
        }
        assert_eq!(said(503), Verdict::Reject("status 503, invalid parameters".into()), "and no outage");
        assert_eq!(said(2554), Verdict::Reject("status 2554, no such action".into()));
        for status in [215, 319, 522, 524, 2556, 5000, 10_000, 77_777, -1] {
            assert!(matches!(said(status), Verdict::Retry(_)), "{status}");
        }
    }

    #[test]
    fn too_many_requests_are_a_minutes_wait_unless_it_says_so() {
        assert_eq!(said(601), Verdict::Wait(Duration::from_mins(1)));
        assert_eq!(of(200, r#"{"status":601}"#, Some(2)), Verdict::Wait(Duration::from_secs(2)));
        assert_eq!(of(429, "", Some(3)), Verdict::Wait(Duration::from_secs(3)));
    }

    #[test]
    fn without_an_envelope_http_counts() {
        assert_eq!(of(401, r#"{"error":"simulated"}"#, None), Verdict::Reauthorize);
        assert_eq!(of(410, "", None), Verdict::Retired);
        assert!(matches!(of(502, "<html>", None), Verdict::Retry(_)));
        assert!(matches!(of(200, "<html>", None), Verdict::Retry(_)));
        assert!(matches!(of(200, r#"{"status":"#, None), Verdict::Accept), "cut off: the page says so itself");
    }
}
