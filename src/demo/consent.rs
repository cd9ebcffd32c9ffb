//! The login of the simulated WHOOP: consents by itself, sends back to the program, hands out tokens that live an
//! hour, and takes each refresh token once (`docs/sources/whoop.md`, `OAuth2`). Knows no HTTP.

use serde_json::{Value, json};
use url::Url;

pub(crate) const CLIENT_ID: &str = "health-demo";
/// Guards nothing: it opens a provider that lives inside this process for some seconds.
pub(crate) const CLIENT_SECRET: &str = "health-demo-secret";

/// Codes and tokens that are good at the moment.
#[derive(Default)]
pub(super) struct Desk {
    code: Option<(String, String)>,
    scope: String,
    access: Option<String>,
    refresh: Option<String>,
}

impl Desk {
    /// `GET /oauth/oauth2/auth`: the address to send the browser to, or why not.
    pub(super) fn authorize(&mut self, query: &[(String, String)]) -> Result<Url, &'static str> {
        let value = |name: &str| find(query, name);
        if value("client_id") != Some(CLIENT_ID) {
            return Err("unknown client");
        }
        let redirect = value("redirect_uri").and_then(|text| Url::parse(text).ok()).ok_or("redirect_uri")?;
        if !crate::config::is_loopback(&redirect) {
            return Err("redirect_uri is not on this machine");
        }
        let mut back = redirect.clone();
        let state = value("state").unwrap_or_default();
        if value("response_type") != Some("code") || state.len() < 8 {
            back.query_pairs_mut().append_pair("error", "invalid_state").append_pair("state", state);
            return Ok(back);
        }
        let code = uuid::Uuid::new_v4().to_string();
        back.query_pairs_mut().append_pair("code", &code).append_pair("state", state);
        value("scope").unwrap_or_default().clone_into(&mut self.scope);
        self.code = Some((code, value("redirect_uri").unwrap_or_default().to_owned()));
        Ok(back)
    }

    /// `POST /oauth/oauth2/token`: status and body.
    pub(super) fn token(&mut self, form: &[(String, String)]) -> (u16, Value) {
        let value = |name: &str| find(form, name);
        if value("client_id") != Some(CLIENT_ID) || value("client_secret") != Some(CLIENT_SECRET) {
            return (401, json!({"error": "invalid_client"}));
        }
        let good = match value("grant_type") {
            Some("authorization_code") => {
                // Taken whether it fits or not: a code is good for one try.
                let expected = self.code.take();
                expected.is_some_and(|(code, redirect)| {
                    value("code") == Some(&*code) && value("redirect_uri") == Some(&*redirect)
                })
            }
            Some("refresh_token") => self.refresh.is_some() && self.refresh.as_deref() == value("refresh_token"),
            _ => return (400, json!({"error": "unsupported_grant_type"})),
        };
        if !good {
            return (400, json!({"error": "invalid_grant", "error_description": "expired, revoked or used before"}));
        }
        let (access, refresh) = (uuid::Uuid::new_v4().to_string(), uuid::Uuid::new_v4().to_string());
        let offline = self.scope.split(' ').any(|scope| scope == "offline");
        let mut answer = json!({
            "access_token": access, "expires_in": 3600, "scope": self.scope, "token_type": "bearer",
        });
        if offline {
            answer["refresh_token"] = json!(refresh);
        }
        self.access = Some(access);
        self.refresh = offline.then_some(refresh);
        (200, answer)
    }

    /// Whether this is the access token of the moment.
    pub(super) fn knows(&self, bearer: &str) -> bool {
        self.access.as_deref() == Some(bearer)
    }

    /// `DELETE /v2/user/access`.
    pub(super) fn revoke(&mut self) {
        *self = Self::default();
    }
}

fn find<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        url::form_urlencoded::parse(text.as_bytes()).into_owned().collect()
    }

    fn secret(rest: &str) -> Vec<(String, String)> {
        pairs(&format!("client_id={CLIENT_ID}&client_secret={CLIENT_SECRET}&{rest}"))
    }

    fn consent(desk: &mut Desk, scope: &str) -> String {
        let query = format!(
            "response_type=code&client_id={CLIENT_ID}&redirect_uri=http://127.0.0.1:9/cb&scope={scope}&state=12345678"
        );
        let back = desk.authorize(&pairs(&query)).unwrap();
        back.query_pairs().find(|(key, _)| key == "code").unwrap().1.into_owned()
    }

    #[test]
    fn a_refresh_token_works_once_and_takes_the_old_pair_with_it() {
        let mut desk = Desk::default();
        let code = consent(&mut desk, "offline read:sleep");
        let exchange = secret(&format!("grant_type=authorization_code&code={code}&redirect_uri=http://127.0.0.1:9/cb"));
        let (status, first) = desk.token(&exchange);
        assert_eq!(status, 200);
        assert_eq!(desk.token(&exchange).0, 400, "a code is good once");
        let refresh =
            secret(&format!("grant_type=refresh_token&refresh_token={}", first["refresh_token"].as_str().unwrap()));
        assert_eq!(desk.token(&refresh).0, 200);
        assert!(!desk.knows(first["access_token"].as_str().unwrap()));
        let (status, refused) = desk.token(&refresh);
        assert_eq!((status, refused["error"].as_str()), (400, Some("invalid_grant")));
    }

    #[test]
    fn without_offline_there_is_no_refresh_token() {
        let mut desk = Desk::default();
        let code = consent(&mut desk, "read:sleep");
        let answer = desk
            .token(&secret(&format!("grant_type=authorization_code&code={code}&redirect_uri=http://127.0.0.1:9/cb")));
        assert!(answer.1.get("refresh_token").is_none());
    }

    #[test]
    fn strangers_and_short_states_are_turned_away() {
        let mut desk = Desk::default();
        let ask = |redirect: &str, state: &str| {
            pairs(&format!("response_type=code&client_id={CLIENT_ID}&redirect_uri={redirect}&state={state}"))
        };
        assert!(desk.authorize(&ask("https://example.org/cb", "12345678")).is_err());
        let back = desk.authorize(&ask("http://localhost:9/cb", "1234567")).unwrap();
        assert!(back.query().unwrap().contains("error=invalid_state"));
        assert_eq!(desk.token(&pairs("grant_type=refresh_token&client_id=x")).0, 401);
    }
}
