//! What a token endpoint answered, read leniently (RFC 6749 5.1 and 5.2, and what providers make of it). No network,
//! no files; texts that leave here are clean, and no error holds a part of the body.

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretSlice, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::output::clean;
use crate::source::Auth;

/// An answer with what is needed to read it later.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) head: Head,
    pub(super) body: SecretSlice<u8>,
}

/// All of an answer but its body.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Head {
    pub(super) status: u16,
    /// By this machine's clock.
    pub(super) received_at: DateTime<Utc>,
    /// By the provider's, if it said so.
    pub(super) server_date: Option<DateTime<Utc>>,
}

impl Answer {
    /// One line of head, then the body as it came: the form in which an unread answer is kept.
    pub(super) fn to_bytes(&self) -> SecretSlice<u8> {
        let mut bytes = serde_json::to_vec(&self.head).unwrap_or_default();
        bytes.push(b'\n');
        bytes.extend_from_slice(self.body.expose_secret());
        bytes.into()
    }

    pub(super) fn from_bytes(bytes: &SecretSlice<u8>) -> Option<Self> {
        let bytes = bytes.expose_secret();
        let end = bytes.iter().position(|byte| *byte == b'\n')?;
        let head = serde_json::from_slice(&bytes[..end]).ok()?;
        Some(Self { head, body: bytes[end + 1..].to_vec().into() })
    }

    fn json(&self) -> Option<Value> {
        let bytes = self.body.expose_secret();
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        serde_json::from_slice(bytes).ok().filter(Value::is_object)
    }

    /// What it means.
    pub(super) fn read(&self, auth: &Auth) -> Reading {
        let status = self.head.status;
        let json = self.json();
        if let Some(said) = json.as_ref().filter(|_| !auth.token_at.is_empty()).and_then(envelope_status) {
            return in_envelope(&json.unwrap_or_default(), said, auth);
        }
        match (status, json) {
            (200..=299, Some(json)) if json.get("access_token").is_some() => grant(&json),
            (408 | 425 | 429, _) => Reading::NotNow(format!("HTTP {status}")),
            (200..=299 | 400..=499, Some(json)) => refusal(status, &json, auth.dead_errors),
            (400..=499, None) => Reading::NotNow(format!("HTTP {status} without a readable reason")),
            (200..=299, None) => Reading::Unknown("an answer that is not JSON".into()),
            (300..=399, _) => Reading::NotNow(format!("a redirect, HTTP {status}")),
            _ => Reading::Unknown(format!("HTTP {status}")),
        }
    }
}

/// What an answer means for the login.
#[derive(Debug)]
pub(super) enum Reading {
    Granted(Box<Grant>),
    /// A token that must not be used.
    Unusable(String),
    /// The refresh token is dead.
    Dead(String),
    /// The application is not known.
    BadClient(String),
    /// Refused for a reason that may pass.
    Refused(String),
    /// The provider did not act on the request.
    NotNow(String),
    /// The provider may or may not have acted on it.
    Unknown(String),
}

/// Tokens, as far as the answer says.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) access: SecretString,
    pub(super) refresh: Option<SecretString>,
    pub(super) lives_seconds: Option<i64>,
    /// How long it can be renewed at most, where the provider says that.
    pub(super) lasts_seconds: Option<i64>,
    pub(super) scopes: Option<Vec<String>>,
    pub(super) owner: Option<String>,
    /// The answer did not name a type; "bearer" is assumed.
    pub(super) type_missing: bool,
}

/// The `status` of an answer in an envelope; none: it has no envelope.
pub(super) fn envelope_status(json: &Value) -> Option<i64> {
    json.get("status").and_then(Value::as_i64)
}

/// An answer whose own status counts, and not that of HTTP. What is not known to be final may pass.
fn in_envelope(json: &Value, status: i64, auth: &Auth) -> Reading {
    let tokens = json.pointer(auth.token_at).filter(|tokens| tokens.get("access_token").is_some());
    match (status, tokens) {
        (0, Some(tokens)) => grant(tokens),
        (0, None) => Reading::Unknown("an answer without a token".into()),
        _ => {
            let reason = envelope_reason(json, status);
            if auth.dead_statuses.contains(&status) { Reading::Dead(reason) } else { Reading::NotNow(reason) }
        }
    }
}

/// What an envelope says of a failure, without credentials that it may repeat.
pub(super) fn envelope_reason(json: &Value, status: i64) -> String {
    match json.get("error").and_then(Value::as_str).filter(|said| !said.is_empty()) {
        Some(said) => format!("status {status}: {}", clean(&masked(said))),
        None => format!("status {status}"),
    }
}

fn grant(json: &Value) -> Reading {
    let unusable = |why: &str| Reading::Unusable(why.to_owned());
    let type_name = json.get("token_type").filter(|value| !value.is_null());
    match type_name.map(|value| value.as_str().unwrap_or("")) {
        Some(name) if !name.eq_ignore_ascii_case("bearer") => {
            return Reading::Unusable(format!("its type is \"{}\", not bearer", clean(name)));
        }
        _ => {}
    }
    let Some(access) = json.get("access_token").and_then(Value::as_str).filter(|text| !text.is_empty()) else {
        return unusable("it is empty or no text");
    };
    // RFC 6750: visible ASCII. Anything else could break out of a header.
    if !access.bytes().all(|byte| byte.is_ascii_graphic()) {
        return unusable("it holds control or other characters that no header may carry");
    }
    Reading::Granted(Box::new(Grant {
        access: access.to_owned().into(),
        refresh: json
            .get("refresh_token")
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .map(|text| text.to_owned().into()),
        lives_seconds: json.get("expires_in").and_then(whole_seconds),
        lasts_seconds: json.get("refresh_token_expires_in").and_then(whole_seconds),
        scopes: json.get("scope").and_then(scopes),
        owner: ["/user_id", "/userid", "/athlete/id", "/patient"].iter().find_map(|at| json.pointer(at).and_then(word)),
        type_missing: type_name.is_none(),
    }))
}

/// A number, or a text that is one; at least a second and at most ten years.
fn whole_seconds(value: &Value) -> Option<i64> {
    #[allow(clippy::cast_possible_truncation, reason = "the cast saturates, and the range is checked after it")]
    let seconds = match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|float| float as i64))?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    (1..=10 * 366 * 86_400).contains(&seconds).then_some(seconds)
}

/// Words between blanks or commas, or a list of words.
fn scopes(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => scope_words(text),
        Value::Array(list) => {
            let words: Vec<String> = list.iter().filter_map(Value::as_str).map(clean).collect();
            (!words.is_empty()).then_some(words)
        }
        _ => None,
    }
}

/// Scopes as providers write several in one text: with blanks or commas between them. None where there is no word.
pub(super) fn scope_words(text: &str) -> Option<Vec<String>> {
    let words: Vec<String> =
        text.split([' ', ',', '+', '\t', '\n']).filter(|word| !word.is_empty()).map(clean).collect();
    (!words.is_empty()).then_some(words)
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(clean(text)),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn refusal(status: u16, json: &Value, dead_errors: &[&str]) -> Reading {
    let listed = listed_error(json);
    let code = json.get("error").and_then(Value::as_str).or(listed.as_deref()).unwrap_or_default();
    let said = json.get("error_description").or_else(|| json.get("message")).and_then(Value::as_str);
    let (code, said) = (&*masked(code), said.map(masked));
    let said = said.as_deref();
    let reason = match (code, said) {
        ("", None) => format!("HTTP {status}"),
        ("", Some(said)) => format!("HTTP {status}: {}", clean(said)),
        (code, None) => clean(code),
        (code, Some(said)) => format!("{}: {}", clean(code), clean(said)),
    };
    match code {
        "" if status < 300 => Reading::Unknown("an answer without a token".into()),
        "invalid_client"
        | "unauthorized_client"
        | "Application client_id invalid"
        | "Application client_secret invalid" => Reading::BadClient(reason),
        "temporarily_unavailable" | "server_error" | "slow_down" => Reading::NotNow(reason),
        code if dead_errors.contains(&code) => Reading::Dead(reason),
        _ => Reading::Refused(reason),
    }
}

/// The first of a list of errors, each with what it is about, as some write them in place of a word (Strava): its parts as
/// one text, like `RefreshToken refresh_token invalid`.
fn listed_error(json: &Value) -> Option<String> {
    let first = json.get("errors")?.get(0)?;
    let parts: Vec<&str> =
        ["resource", "field", "code"].iter().filter_map(|name| first.get(*name).and_then(Value::as_str)).collect();
    (parts.len() == 3).then(|| parts.join(" "))
}

/// A provider may repeat what it was sent: whatever looks like a credential is left out of its reason.
fn masked(text: &str) -> String {
    let part_of_one = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_' | '~' | '+' | '/' | '%');
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c| part_of_one(c) != part_of_one(first)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        let secret = part_of_one(first) && run.len() >= 16 && run.bytes().any(|b| b.is_ascii_digit());
        shown.push_str(if secret { "***" } else { run });
        rest = after;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(status: u16, body: &str) -> Reading {
        let head = Head { status, received_at: DateTime::UNIX_EPOCH, server_date: None };
        Answer { head, body: body.as_bytes().to_vec().into() }.read(&Auth::USUAL)
    }

    fn read_envelope(status: u16, body: &str) -> Reading {
        let head = Head { status, received_at: DateTime::UNIX_EPOCH, server_date: None };
        let auth = Auth { token_at: "/body", dead_statuses: &[503], ..Auth::USUAL };
        Answer { head, body: body.as_bytes().to_vec().into() }.read(&auth)
    }

    #[test]
    fn an_envelope_counts_and_not_the_status_of_http() {
        let tokens = r#"{"userid":363,"access_token":"a","refresh_token":"r","scope":"x,y","token_type":"Bearer"}"#;
        match read_envelope(200, &format!(r#"{{"status":0,"body":{tokens}}}"#)) {
            Reading::Granted(grant) => {
                assert_eq!((grant.owner.as_deref(), grant.refresh.is_some()), (Some("363"), true));
                assert_eq!(grant.scopes.unwrap(), ["x", "y"]);
            }
            other => panic!("{other:?}"),
        }
        let said =
            r#"{"status":503,"body":{},"error":"Invalid Params: invalid refresh_token f631236f02b991810feb774"}"#;
        assert!(matches!(read_envelope(200, said), Reading::Dead(r)
            if r == "status 503: Invalid Params: invalid refresh_token ***"));
        assert!(matches!(read_envelope(200, r#"{"status":601,"body":{}}"#), Reading::NotNow(r) if r == "status 601"));
        assert!(matches!(read_envelope(200, r#"{"status":0,"body":{}}"#), Reading::Unknown(_)));
        assert!(matches!(read_envelope(503, r#"{"status":601}"#), Reading::NotNow(_)), "whatever HTTP says");
        // Without an envelope it is an answer like any other.
        assert!(matches!(read_envelope(200, tokens), Reading::Granted(_)));
        assert!(matches!(read_envelope(500, "<html>"), Reading::Unknown(_)));
        assert!(matches!(read_envelope(429, ""), Reading::NotNow(_)));
    }

    fn granted(body: &str) -> Grant {
        match read(200, body) {
            Reading::Granted(grant) => *grant,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_reason_repeats_no_credential() {
        let text =
            "no such token: refresh_token=0b0c40b90ce04121aa3b7ce84e19be8f.x&client_secret=07f9d1c2b3a4e5f6, retry";
        assert_eq!(masked(text), "no such token: refresh_token=***&client_secret=***, retry");
        assert_eq!(masked("invalid_grant"), "invalid_grant");
        assert_eq!(masked(""), "");
    }

    #[test]
    fn providers_write_a_grant_in_many_ways() {
        let full = granted(
            r#"{"access_token":"a","refresh_token":"r","expires_in":3600,"scope":"x y","token_type":"Bearer"}"#,
        );
        assert_eq!(full.refresh.unwrap().expose_secret(), "r");
        assert_eq!((full.lives_seconds, full.scopes.unwrap()), (Some(3600), vec!["x".to_owned(), "y".to_owned()]));
        for (body, life) in [
            (r#"{"access_token":"a","expires_in":"3600"}"#, Some(3600)),
            (r#"{"access_token":"a","expires_in":3600.0}"#, Some(3600)),
            (r#"{"access_token":"a","expires_in":0}"#, None),
            (r#"{"access_token":"a","expires_in":-1}"#, None),
            (r#"{"access_token":"a","expires_in":9e99}"#, None),
            (r#"{"access_token":"a","expires_in":null,"scope":null,"refresh_token":null,"token_type":null}"#, None),
        ] {
            let grant = granted(body);
            assert_eq!(grant.lives_seconds, life, "{body}");
            assert!(grant.type_missing && grant.refresh.is_none() && grant.scopes.is_none());
        }
        assert_eq!(granted(r#"{"access_token":"a","refresh_token_expires_in":604799}"#).lasts_seconds, Some(604_799));
        assert_eq!(granted(r#"{"access_token":"a","scope":"x,y"}"#).scopes.unwrap(), ["x", "y"]);
        assert_eq!(granted(r#"{"access_token":"a","scope":["x"],"userid":7}"#).owner.unwrap(), "7");
        assert_eq!(granted(r#"{"access_token":"a","athlete":{"id":12}}"#).owner.unwrap(), "12");
        assert_eq!(granted("\u{feff}{\"access_token\":\"a\\\"b\"}").access.expose_secret(), "a\"b");
        assert_eq!(
            granted(&format!(r#"{{"access_token":"{}"}}"#, "j".repeat(65536))).access.expose_secret().len(),
            65536
        );
    }

    #[test]
    fn a_token_that_could_break_a_header_or_is_of_another_kind_is_refused() {
        for body in [
            r#"{"access_token":"a\nX: y"}"#,
            r#"{"access_token":"a\u0000"}"#,
            r#"{"access_token":"é"}"#,
            r#"{"access_token":""}"#,
            r#"{"access_token":7}"#,
            r#"{"access_token":"a","token_type":"mac"}"#,
            r#"{"access_token":"a","token_type":5}"#,
        ] {
            assert!(matches!(read(200, body), Reading::Unusable(_)), "{body}");
        }
    }

    #[test]
    fn only_a_known_word_kills_a_login() {
        assert!(matches!(read(400, r#"{"error":"invalid_grant"}"#), Reading::Dead(_)));
        assert!(
            matches!(read(401, r#"{"error":"invalid_grant","error_description":"x"}"#), Reading::Dead(r) if r == "invalid_grant: x")
        );
        assert!(matches!(read(200, r#"{"error":"invalid_grant"}"#), Reading::Dead(_)), "some always answer 200");
        assert!(matches!(read(401, r#"{"error":"invalid_client"}"#), Reading::BadClient(_)));
        assert!(matches!(read(400, r#"{"error":"weird"}"#), Reading::Refused(_)));
        assert!(matches!(read(403, "{}"), Reading::Refused(_)));
        for status in [429, 408] {
            assert!(matches!(read(status, r#"{"error":"invalid_grant"}"#), Reading::NotNow(_)));
        }
        assert!(matches!(read(403, "<html>"), Reading::NotNow(_)));
        assert!(matches!(read(302, ""), Reading::NotNow(_)));
        for (status, body) in
            [(500, ""), (503, r#"{"error":"invalid_grant"}"#), (200, "<html>"), (200, ""), (200, "{}"), (200, "[]")]
        {
            assert!(matches!(read(status, body), Reading::Unknown(_)), "{status} {body}");
        }
    }

    #[test]
    fn an_error_may_be_a_list_of_what_is_wrong() {
        let listed = |resource: &str, field: &str| {
            let body = format!(
                r#"{{"message":"Bad Request","errors":[{{"resource":"{resource}","field":"{field}","code":"invalid"}}]}}"#
            );
            let head = Head { status: 400, received_at: DateTime::UNIX_EPOCH, server_date: None };
            Answer { head, body: body.into_bytes().into() }
                .read(&Auth { dead_errors: &["RefreshToken refresh_token invalid"], ..Auth::USUAL })
        };
        assert!(matches!(listed("RefreshToken", "refresh_token"), Reading::Dead(_)));
        assert!(matches!(listed("Application", "client_id"), Reading::BadClient(_)));
        assert!(
            matches!(listed("RequestToken", "code"), Reading::Refused(r) if r == "RequestToken code invalid: Bad Request")
        );
        for other in [r#"{"errors":"Rate Limit Exceeded","message":"x"}"#, r#"{"errors":[],"message":"x"}"#] {
            assert!(matches!(read(400, other), Reading::Refused(r) if r == "HTTP 400: x"), "{other}");
        }
    }

    #[test]
    fn an_answer_can_be_kept_unread() {
        let head = Head { status: 200, received_at: DateTime::UNIX_EPOCH, server_date: Some(DateTime::UNIX_EPOCH) };
        let answer = Answer { head, body: b"{\n\"a\": \xff\n".to_vec().into() };
        let again = Answer::from_bytes(&answer.to_bytes()).unwrap();
        assert_eq!(again.body.expose_secret(), answer.body.expose_secret());
        assert_eq!((again.head.status, again.head.server_date), (200, Some(DateTime::UNIX_EPOCH)));
        assert!(!format!("{again:?}").contains('a') || !format!("{again:?}").contains("\\n"));
    }
}
