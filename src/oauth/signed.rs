//! A withdrawal that is signed with the client secret, which itself is not sent: a number that is good for one call, then the
//! call. The signature covers the values of some fields, joined by commas in the order of their names.

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use sha2::Sha256;

use super::answer::{envelope_reason, envelope_status};
use super::refresh::Site;
use super::revoke::{Revoked, below};
use crate::failure::Failure;

/// No answer to either call is larger.
const MAX_ANSWER: usize = 64 << 10;

/// Withdraws the grant of the person that the login names.
pub(super) async fn revoke(site: &Site, path: &str, nonce_path: &str) -> Result<Revoked, Failure> {
    let Some(record) = site.store.load()? else { return Ok(Revoked::NotConnected) };
    let who = site
        .credentials(&record)
        .map_err(|trouble| super::TokenError { account: record.account.clone(), trouble }.into_failure(site.source))?;
    let (Some(secret), Some(person)) = (&who.secret, &record.owner) else {
        return Ok(Revoked::LocalOnly("it has to be signed, and the login does not say whose it is".into()));
    };
    let now = site.clock.now().timestamp().to_string();
    let asked = signed(secret, &[("action", "getnonce"), ("client_id", &who.id), ("timestamp", &now)], &[]);
    let nonce = match post(site, nonce_path, &asked).await? {
        Said::Done(body) => body.pointer("/body/nonce").and_then(Value::as_str).map(str::to_owned),
        Said::Refused(_, reason) | Said::Unclear(reason) => return Ok(Revoked::LocalOnly(reason)),
    };
    let Some(nonce) = nonce else { return Ok(Revoked::LocalOnly("an answer without a nonce".into())) };
    let asked =
        signed(secret, &[("action", "revoke"), ("client_id", &who.id), ("nonce", &nonce)], &[("userid", person)]);
    Ok(match post(site, path, &asked).await? {
        Said::Done(_) => Revoked::AtProvider,
        Said::Refused(status, _) if site.auth.dead_statuses.contains(&status) => Revoked::AlreadyGone,
        Said::Refused(_, reason) | Said::Unclear(reason) => Revoked::LocalOnly(reason),
    })
}

/// What a call came to.
enum Said {
    Done(Value),
    /// The envelope's status, and what it says.
    Refused(i64, String),
    Unclear(String),
}

async fn post(site: &Site, path: &str, form: &[(String, String)]) -> Result<Said, Failure> {
    let url = below(&site.app.base_url, path);
    let response = match crate::http::client(&url)?.post(url).form(form).send().await {
        Ok(response) => response,
        Err(error) => return Ok(Said::Unclear(crate::http::transport_error(&error))),
    };
    let http_status = response.status().as_u16();
    let Ok(body) = crate::http::body(response, MAX_ANSWER).await else {
        return Ok(Said::Unclear("the answer broke off".into()));
    };
    let json: Value = serde_json::from_slice(&body).unwrap_or_default();
    Ok(match envelope_status(&json) {
        Some(0) => Said::Done(json),
        Some(status) => Said::Refused(status, envelope_reason(&json, status)),
        None => Said::Unclear(format!("{} answered HTTP {http_status}", site.source.title)),
    })
}

/// The fields of a call: `covered`, in the order of their names, the signature over their values, and `beside`.
fn signed(secret: &SecretString, covered: &[(&str, &str)], beside: &[(&str, &str)]) -> Vec<(String, String)> {
    let message = covered.iter().map(|(_, value)| *value).collect::<Vec<_>>().join(",");
    let signature = signature(secret, &message);
    let all = covered.iter().chain(beside).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    all.chain([("signature".to_owned(), signature)]).collect()
}

/// HMAC-SHA256 in lower-case hex.
fn signature(secret: &SecretString, message: &str) -> String {
    use std::fmt::Write as _;
    // A key of any length is taken (RFC 2104): there is no error to speak of.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else { return String::new() };
    mac.update(message.as_bytes());
    let mut hex = String::with_capacity(64);
    for byte in mac.finalize().into_bytes() {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_of_the_published_test_vector() {
        // RFC 4231, test case 2.
        let secret = SecretString::from("Jefe".to_owned());
        assert_eq!(
            signature(&secret, "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn a_signature_covers_values_in_the_order_of_their_names() {
        let secret = SecretString::from("s".to_owned());
        let form = signed(&secret, &[("action", "revoke"), ("client_id", "id"), ("nonce", "n")], &[("userid", "363")]);
        let names: Vec<&str> = form.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["action", "client_id", "nonce", "userid", "signature"]);
        assert_eq!(form[4].1, signature(&secret, "revoke,id,n"));
    }
}
