//! The end of a login: at the provider too, or on this machine alone.

use std::time::Duration;

use secrecy::ExposeSecret;
use url::Url;

use super::{Login, site};
use crate::config::Config;
use crate::failure::{Failure, Kind};
use crate::source::{Revoke, Source};

/// How long to wait for a renewal that is under way.
const WAIT: Duration = Duration::from_secs(20);

/// How far a withdrawal got; the local copy is gone in each case.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Revoked {
    /// The provider withdrew the grant.
    AtProvider,
    /// The provider did not know the grant any more.
    AlreadyGone,
    /// The grant is still alive at the provider, and why.
    LocalOnly(String),
    /// There was no login.
    NotConnected,
}

/// Removes the login from this machine; the grant at the provider stays. Says whether there was one.
pub(crate) fn forget(config: &Config, source: &'static Source, account: &str) -> Result<bool, Failure> {
    let site = site(config, source, account)?;
    let known = site.store.exists();
    if known {
        site.store.lock(WAIT)?.remove()?;
    }
    Ok(known)
}

/// Withdraws the grant at the provider, then removes the login here, whatever the provider answered.
pub(crate) async fn revoke(config: &Config, source: &'static Source, account: &str) -> Result<Revoked, Failure> {
    let site = site(config, source, account)?;
    if !site.store.exists() {
        return Ok(Revoked::NotConnected);
    }
    let outcome = match at_provider(config, source, account).await {
        Ok(outcome) => outcome,
        // Nothing was asked and a person can mend it: removing the login now would leave the grant alive for no reason.
        Err(failure) if matches!(failure.kind, Kind::Busy | Kind::Local | Kind::Config) => return Err(failure),
        Err(failure) => Revoked::LocalOnly(failure.error.to_string()),
    };
    forget(config, source, account)?;
    Ok(outcome)
}

/// An address with `path` behind its own.
pub(super) fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url
}

async fn at_provider(config: &Config, source: &'static Source, account: &str) -> Result<Revoked, Failure> {
    let Some(login) = Login::open(config, source, account)? else { return Ok(Revoked::NotConnected) };
    let (auth, app) = (login.site.auth, &login.site.app);
    if let Revoke::Signed { path, nonce } = auth.revoke {
        return super::signed::revoke(&login.site, path, nonce).await;
    }
    let token = login.access_token().await.map_err(|error| error.into_failure(source))?;
    let mut url = address(&app.base_url, &app.token_url, auth.revoke);
    let client = crate::http::client(&url)?;
    let request = match auth.revoke {
        Revoke::Delete(_) | Revoke::Signed { .. } => client.delete(url).bearer_auth(token.expose()),
        Revoke::Post(_, parameter) => {
            url.query_pairs_mut().append_pair(parameter, token.expose());
            client.post(url)
        }
        Revoke::Basic(_) => {
            let who = login.site.application(&login.account)?;
            let secret = who.secret.as_ref().map(ExposeSecret::expose_secret);
            client.post(url).basic_auth(who.id, secret).form(&[("token", token.expose())])
        }
        Revoke::Form(_, field) => client.post(url).form(&[(field, token.expose())]),
    };
    let sent = request.send().await;
    Ok(match sent {
        Ok(answer) if answer.status().is_success() => Revoked::AtProvider,
        Ok(answer) if matches!(answer.status().as_u16(), 401 | 404 | 410) => Revoked::AlreadyGone,
        // RFC 7009 has 200 for a token that is not known; Google says 400.
        Ok(answer) if answer.status() == 400 && matches!(auth.revoke, Revoke::Form(..)) => Revoked::AlreadyGone,
        Ok(answer) => Revoked::LocalOnly(format!("{} answered HTTP {}", source.title, answer.status().as_u16())),
        Err(error) => Revoked::LocalOnly(crate::http::transport_error(&error)),
    })
}

/// Where a grant is withdrawn: below the base address, or at the server of the token endpoint.
fn address(base: &Url, token: &Url, revoke: Revoke) -> Url {
    match revoke {
        Revoke::Delete(path) | Revoke::Post(path, _) | Revoke::Signed { path, .. } => below(base, path),
        Revoke::Basic(path) | Revoke::Form(path, _) => below(&token.join("/").unwrap_or_else(|_| token.clone()), path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_revoked_where_it_may_go() {
        let url = |text: &str| Url::parse(text).unwrap();
        let (base, token) = (url("https://api.example.org/v2/"), url("https://login.example.org/oauth/token"));
        let at = |revoke| address(&base, &token, revoke).to_string();
        assert_eq!(at(Revoke::Delete("/access")), "https://api.example.org/v2/access");
        assert_eq!(at(Revoke::Post("/revoke", "token")), "https://api.example.org/v2/revoke");
        assert_eq!(at(Revoke::Form("/revoke", "token")), "https://login.example.org/revoke");
    }
}
