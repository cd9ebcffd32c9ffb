//! What Google means by an error: its reasons are finer than the status of HTTP, and a person can mend most of them.

use serde_json::Value;

use crate::source::{Reply, Verdict, by_status};

const NOT_ENABLED: Verdict = Verdict::Closed {
    what: "the Google Health API is not enabled in your Google Cloud project",
    next: "enable it at https://console.cloud.google.com/apis/library/health.googleapis.com, then run the same command again",
};
/// One type may be refused alone.
const BROKEN_GRANT: Verdict = Verdict::Denied {
    why: "permission denied (HTTP 403). Where that is said of everything, the grant is broken",
    next: "remove your application at https://myaccount.google.com/connections, then: health auth google-health --again",
};
const NOT_LINKED: Verdict = Verdict::Closed {
    what: "this Google account has no Google Health profile",
    next: "log in with the account that your device belongs to: health auth google-health --again",
};

/// The common reading, but for refusals that say why.
pub(super) fn judge(reply: &Reply) -> Verdict {
    let reasons = if matches!(reply.status, 400 | 403) { reasons(reply.body) } else { Vec::new() };
    let says = |word: &str| reasons.iter().any(|reason| reason.contains(word));
    match reply.status {
        400 if says("ACCOUNT_NOT_LINKED") => NOT_LINKED,
        // A type, or a way of reading it, that is not offered, to this person or at all.
        400 if says("INVALID_PARENT_DATA_TYPE_COLLECTION") => Verdict::Absent("this data type is not offered".into()),
        400 => match reasons.first() {
            Some(reason) => Verdict::Reject(format!("HTTP 400, {reason}")),
            None => by_status(reply),
        },
        403 if says("SERVICE_DISABLED") => NOT_ENABLED,
        403 if says("SCOPE_INSUFFICIENT") || says("insufficient authentication scopes") => Verdict::Forbidden,
        403 if says("PERMISSION_DENIED") => BROKEN_GRANT,
        _ => by_status(reply),
    }
}

/// What an error says of itself: the reasons of its details, its status, its message.
fn reasons(body: &[u8]) -> Vec<String> {
    let Ok(document) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
    let error = &document["error"];
    let details = error["details"].as_array().into_iter().flatten().map(|detail| &detail["reason"]);
    details.chain([&error["status"], &error["message"]]).filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &str) -> Verdict {
        judge(&Reply { status, content_type: "application/json", retry_after: None, body: body.as_bytes() })
    }

    fn error(status: u16, word: &str, reason: &str, message: &str) -> Verdict {
        judged(
            status,
            &format!(
                r#"{{"error":{{"code":{status},"status":"{word}","message":"{message}","details":[{{"reason":"{reason}"}}]}}}}"#
            ),
        )
    }

    #[test]
    fn reasons_count_more_than_the_status() {
        let denied = |reason, message| error(403, "PERMISSION_DENIED", reason, message);
        assert_eq!(denied("SERVICE_DISABLED", "not used in project"), NOT_ENABLED);
        assert_eq!(denied("ACCESS_TOKEN_SCOPE_INSUFFICIENT", ""), Verdict::Forbidden);
        assert_eq!(denied("", "Request had insufficient authentication scopes."), Verdict::Forbidden);
        assert_eq!(denied("RESOURCE_PERMISSION_DENIED", ""), BROKEN_GRANT);
        let invalid = |reason| error(400, "INVALID_ARGUMENT", reason, "m");
        assert_eq!(invalid("ACCOUNT_NOT_LINKED"), NOT_LINKED);
        assert!(matches!(invalid("INVALID_PARENT_DATA_TYPE_COLLECTION"), Verdict::Absent(_)));
        let filter = "INVALID_DATA_POINT_FILTER_DATA_TYPE_MEMBER";
        assert_eq!(invalid(filter), Verdict::Reject(format!("HTTP 400, {filter}")));
    }

    #[test]
    fn everything_else_is_read_as_usual() {
        assert_eq!(judged(200, "{}"), Verdict::Accept);
        assert_eq!(judged(400, "x"), Verdict::Reject("HTTP 400".into()));
        assert_eq!(judged(403, r#"{"message":"insufficient_scope"}"#), Verdict::Forbidden);
        assert_eq!(
            judged(429, r#"{"error":{"status":"RESOURCE_EXHAUSTED"}}"#),
            Verdict::Wait(std::time::Duration::ZERO)
        );
        assert_eq!(judged(410, ""), Verdict::Retired);
    }
}
