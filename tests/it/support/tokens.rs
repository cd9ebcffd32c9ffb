//! The authorization server of a simulated provider: codes, single-use refresh tokens, and a ledger of every POST.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use url::Url;

use super::net::{Reply, Request};

/// One POST to the token endpoint.
#[derive(Clone, Debug)]
pub struct Posted {
    pub grant: String,
    /// The code or refresh token that was sent.
    pub credential: String,
    pub status: u16,
}

struct Code {
    issued_at: DateTime<Utc>,
    redirect_uri: String,
    challenge: Option<String>,
    scopes: Vec<String>,
    /// Whether a refresh token was asked for.
    lasts: bool,
}

/// The logins of one simulated provider, and how it treats the next one.
pub struct Grants {
    pub client_id: String,
    pub client_secret: String,
    pub redirect_uri: String,
    /// Scopes the person ticks; starts as all.
    pub ticked: Vec<String>,
    pub deny: bool,
    /// Seconds an access token lives.
    pub life: i64,
    /// Whether a refresh invalidates the old refresh token and gives a new one.
    pub rotates: bool,
    /// `token_type` of an answer; none: left out.
    pub token_type: Option<&'static str>,
    /// How often one refresh token may be sent: once, but for a renewal whose answer was lost.
    pub tries: usize,
    /// Whether a refresh token comes only with the scope `offline`.
    pub needs_offline: bool,
    /// Parameters of an authorization request without which no refresh token comes.
    pub offline_params: &'static [(&'static str, &'static str)],
    /// Whether whoever holds a token may withdraw its grant, without saying which application asks.
    pub bearer_revokes: bool,
    /// The path of the one token endpoint that knows the application; none: any does.
    pub registered_at: Option<&'static str>,
    /// What stands between scopes in addresses.
    pub scope_separator: char,
    /// Whether the token answer tells what was granted; the redirect tells it in any case.
    pub scope_in_body: bool,
    /// Whether a renewal gives the same access token again as long as it has more than an hour left.
    pub keeps_young: bool,
    /// Members that an answer to a code has besides.
    pub with_code: serde_json::Value,
    /// How a token endpoint refuses: what is wrong ("client", or the kind of the credential), and the usual status.
    pub refusals: fn(&str, u16) -> Reply,
    /// Seconds a code lives; none: as long as it takes.
    pub code_life: Option<i64>,
    /// Seconds that a refresh token still works after it was renewed, unless the new access token is used before.
    pub grace: Option<i64>,
    pub ledger: Vec<Posted>,
    /// What the authorization requests looked like.
    pub asked: Vec<HashMap<String, String>>,
    codes: HashMap<String, Code>,
    access: HashMap<String, (DateTime<Utc>, Vec<String>)>,
    refresh: HashMap<String, Vec<String>>,
    issued: Vec<String>,
    /// Renewed refresh tokens in their grace: until when, and the access token whose use ends it.
    renewed: HashMap<String, (DateTime<Utc>, String, Vec<String>)>,
}

impl Grants {
    pub fn new(scopes: &[&str], redirect_uri: &str) -> Self {
        let client_secret = secret("client-secret");
        Grants {
            client_id: "client-0d9f".into(),
            issued: vec![client_secret.clone()],
            client_secret,
            redirect_uri: redirect_uri.into(),
            ticked: scopes.iter().map(ToString::to_string).collect(),
            deny: false,
            life: 3600,
            rotates: true,
            token_type: Some("bearer"),
            tries: 1,
            needs_offline: scopes.contains(&"offline"),
            offline_params: &[],
            bearer_revokes: false,
            registered_at: None,
            scope_separator: ' ',
            scope_in_body: true,
            keeps_young: false,
            with_code: serde_json::json!({}),
            refusals: refused,
            code_life: None,
            grace: None,
            renewed: HashMap::new(),
            ledger: vec![],
            asked: vec![],
            codes: HashMap::new(),
            access: HashMap::new(),
            refresh: HashMap::new(),
        }
    }

    pub fn registered_at(self, path: Option<&'static str>) -> Self {
        Grants { registered_at: path, ..self }
    }

    /// Everything that must never be seen outside the encrypted store and the wire.
    pub fn secrets(&self) -> Vec<String> {
        self.issued.clone()
    }

    /// Access tokens that work now.
    pub fn live(&self, now: DateTime<Utc>) -> usize {
        self.access.values().filter(|(until, _)| *until > now).count()
    }

    pub fn revoke_all(&mut self) {
        self.access.clear();
        self.refresh.clear();
        self.renewed.clear();
    }

    /// Makes the access tokens of now worthless, though not the refresh token.
    pub fn spoil_access(&mut self) {
        self.access.clear();
    }

    pub fn refreshes(&self) -> Vec<&Posted> {
        self.ledger.iter().filter(|p| p.grant == "refresh_token").collect()
    }

    /// Panics when a refresh token was sent more often than it may be.
    #[track_caller]
    pub fn assert_single_use(&self) {
        let mut seen = HashMap::<&str, usize>::new();
        for post in self.refreshes() {
            *seen.entry(&post.credential).or_default() += 1;
        }
        assert!(
            seen.values().all(|n| *n <= self.tries),
            "a refresh token was POSTed more than once: {:?}",
            self.statuses()
        );
    }

    pub fn statuses(&self) -> Vec<(String, u16)> {
        self.ledger.iter().map(|p| (p.grant.clone(), p.status)).collect()
    }

    pub fn scopes_of(&mut self, token: &str, now: DateTime<Utc>) -> Option<Vec<String>> {
        self.renewed.retain(|_, (_, access, _)| access != token);
        self.access.get(token).filter(|(until, _)| *until > now).map(|(_, scopes)| scopes.clone())
    }

    /// The page a browser is sent to; the person agrees at once, or does not.
    pub fn authorize(&mut self, request: &Request, now: DateTime<Utc>) -> Reply {
        let asked: HashMap<String, String> = request.query.iter().cloned().collect();
        self.asked.push(asked.clone());
        let value = |name: &str| asked.get(name).map_or("", String::as_str);
        if value("client_id") != self.client_id
            || value("redirect_uri") != self.redirect_uri
            || value("response_type") != "code"
        {
            return Reply::json(
                400,
                r#"{"error":"invalid_request","error_description":"redirect_uri or client_id does not match"}"#,
            );
        }
        let mut to = Url::parse(value("redirect_uri")).expect("registered redirect");
        let state = value("state").to_owned();
        let refusal = match () {
            () if state.len() < 8 => Some("invalid_state"),
            () if self.deny => Some("access_denied"),
            () => None,
        };
        if let Some(error) = refusal {
            to.query_pairs_mut()
                .append_pair("error", error)
                .append_pair("error_description", "The resource owner denied the request");
        } else {
            let scopes: Vec<String> = value("scope")
                .split(self.scope_separator)
                .map(str::to_owned)
                .filter(|scope| self.ticked.contains(scope))
                .collect();
            let granted = scopes.join(&self.scope_separator.to_string());
            let challenge = asked.get("code_challenge").cloned();
            if challenge.is_some() && value("code_challenge_method") != "S256" {
                return Reply::json(400, r#"{"error":"invalid_request"}"#);
            }
            let lasts = self.offline_params.iter().all(|(name, wanted)| value(name) == *wanted);
            let code = self.issue("code");
            to.query_pairs_mut().append_pair("code", &code).append_pair("scope", &granted);
            self.codes.insert(
                code,
                Code { issued_at: now, redirect_uri: value("redirect_uri").into(), challenge, scopes, lasts },
            );
        }
        to.query_pairs_mut().append_pair("state", &state);
        Reply::empty(302).header("location", to.to_string())
    }

    /// The token endpoint.
    pub fn token(&mut self, request: &Request, now: DateTime<Utc>) -> Reply {
        let form = request.form();
        let value = |name: &str| form.get(name).map_or("", String::as_str).to_owned();
        let grant = value("grant_type");
        if self.registered_at.is_some_and(|path| path != request.path) {
            // It does not know the application, and spends nothing.
            return if grant == "refresh_token" {
                Reply::json(400, r#"{"error":"invalid_request","error_description":"Invalid request"}"#)
            } else {
                Reply::json(401, r#"{"error":"invalid_client"}"#)
            };
        }
        let credential = if grant == "refresh_token" { value("refresh_token") } else { value("code") };
        let reply = self.exchange(request, &form, now);
        self.ledger.push(Posted { grant, credential, status: reply.status });
        reply
    }

    fn exchange(&mut self, request: &Request, form: &HashMap<String, String>, now: DateTime<Utc>) -> Reply {
        let value = |name: &str| form.get(name).map_or("", String::as_str);
        if request.method != "POST" {
            return Reply::json(405, "{}");
        }
        // client_secret_post; the Authorization header is not documented.
        if value("client_id") != self.client_id || value("client_secret") != self.client_secret {
            return (self.refusals)("client", 401);
        }
        let (scopes, lasts) = match value("grant_type") {
            "authorization_code" => {
                let Some(code) = self.codes.remove(value("code")) else {
                    return (self.refusals)("code", 400);
                };
                let proof = code.challenge.is_none_or(|c| c == s256(value("code_verifier")));
                let is_old = self.code_life.is_some_and(|life| (now - code.issued_at).num_seconds() > life);
                if !proof || is_old || code.redirect_uri != value("redirect_uri") {
                    return (self.refusals)("code", 400);
                }
                (code.scopes, code.lasts)
            }
            "refresh_token" => {
                let sent = value("refresh_token").to_owned();
                let once_more =
                    self.renewed.get(&sent).filter(|(until, _, _)| now <= *until).map(|(_, _, s)| s.clone());
                let Some(scopes) = self.refresh.get(&sent).cloned().or(once_more) else {
                    return (self.refusals)("refresh_token", 400);
                };
                if let Some((access, until)) = self.young(now) {
                    self.refresh.remove(value("refresh_token"));
                    let refresh = self.issue("refresh");
                    self.refresh.insert(refresh.clone(), scopes);
                    let body = serde_json::json!({"token_type": "Bearer", "access_token": access, "expires_at": until.timestamp(),
                                                  "expires_in": (until - now).num_seconds(), "refresh_token": refresh});
                    return Reply::json(200, body.to_string());
                }
                if self.rotates {
                    self.refresh.remove(&sent);
                    if self.grace.is_none() {
                        self.access.clear();
                    }
                }
                (scopes, true)
            }
            _ => return Reply::json(400, r#"{"error":"unsupported_grant_type"}"#),
        };
        let renewal = value("grant_type") == "refresh_token";
        let offline = !self.needs_offline
            || if renewal {
                value("scope").split(' ').any(|s| s == "offline")
            } else {
                scopes.iter().any(|s| s == "offline")
            };
        let reply = self.answer(scopes.clone(), lasts && offline && (self.rotates || !renewal), renewal, now);
        if let Some(seconds) = self.grace.filter(|_| renewal) {
            let access = self.issued.iter().rev().find(|token| self.access.contains_key(*token)).cloned();
            let until = now + TimeDelta::seconds(seconds);
            self.renewed.insert(value("refresh_token").to_owned(), (until, access.unwrap_or_default(), scopes));
        }
        reply
    }

    /// The access token that is given again.
    fn young(&self, now: DateTime<Utc>) -> Option<(String, DateTime<Utc>)> {
        let is_young = |until: DateTime<Utc>| self.keeps_young && until - now > TimeDelta::hours(1);
        self.access.iter().find(|(_, (until, _))| is_young(*until)).map(|(token, (until, _))| (token.clone(), *until))
    }

    /// Whether a request may withdraw the grant whose token it names.
    pub fn may_revoke(&self, request: &Request) -> bool {
        self.bearer_revokes || self.is_client(request)
    }

    /// Whether the application names itself as RFC 7617 has it.
    pub fn is_client(&self, request: &Request) -> bool {
        let plain = base64url(format!("{}:{}", self.client_id, self.client_secret).as_bytes());
        let mut expected = plain.replace('-', "+").replace('_', "/");
        while !expected.len().is_multiple_of(4) {
            expected.push('=');
        }
        request.header("authorization") == Some(&format!("Basic {expected}"))
    }

    fn answer(&mut self, scopes: Vec<String>, with_refresh: bool, renewal: bool, now: DateTime<Utc>) -> Reply {
        let access = self.issue("access");
        let granted = scopes.join(" ");
        self.access.insert(access.clone(), (now + TimeDelta::seconds(self.life), scopes.clone()));
        let mut body = serde_json::json!({ "access_token": access, "expires_in": self.life });
        if self.scope_in_body {
            body["scope"] = granted.into();
        }
        for (name, value) in self.with_code.as_object().into_iter().flatten().filter(|_| !renewal) {
            body[name] = value.clone();
        }
        if let Some(kind) = self.token_type {
            body["token_type"] = kind.into();
        }
        if with_refresh {
            let refresh = self.issue("refresh");
            self.refresh.insert(refresh.clone(), scopes);
            body["refresh_token"] = refresh.into();
        }
        Reply::json(200, body.to_string())
    }

    fn issue(&mut self, kind: &str) -> String {
        let token = secret(kind);
        self.issued.push(token.clone());
        token
    }
}

fn refused(what: &str, status: u16) -> Reply {
    if what == "client" {
        let body = r#"{"error":"invalid_client","error_description":"Client authentication failed"}"#;
        return Reply::json(status, body);
    }
    Reply::json(
        status,
        r#"{"error":"invalid_grant","error_description":"The provided authorization grant or refresh token is invalid, expired or revoked."}"#,
    )
}

/// A value that occurs nowhere by chance. It begins with the random part, so that a printed prefix is found too.
fn secret(kind: &str) -> String {
    let random = uuid::Uuid::new_v4().simple().to_string();
    format!("{random}.{kind}")
}

/// The S256 transformation of RFC 7636.
pub fn s256(verifier: &str) -> String {
    base64url(&Sha256::digest(verifier.as_bytes()))
}

pub fn base64url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let n = (0..3).fold(0u32, |n, i| n << 8 | u32::from(*chunk.get(i).unwrap_or(&0)));
        for i in 0..=chunk.len() {
            out.push(char::from(ALPHABET[(n >> (18 - 6 * i) & 63) as usize]));
        }
    }
    out
}
