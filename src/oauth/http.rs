//! The requests to a token endpoint. The `oauth2` crate builds them; our one HTTP client sends them: no redirects, no
//! retries, an answer of at most a megabyte.

use std::cell::RefCell;

use chrono::{DateTime, Utc};
use oauth2::basic::BasicClient;
use oauth2::{
    AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, RefreshToken, Scope, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::answer::{Answer, Head};
use crate::config::App;
use crate::failpoint::failpoint;
use crate::source::Auth;
use crate::time::Clock;

/// No token answer is larger.
const MAX_ANSWER: usize = 1 << 20;

/// The application's credentials, wherever they come from.
#[derive(Clone, Debug)]
pub(crate) struct Credentials {
    pub(crate) id: String,
    pub(crate) secret: Option<SecretString>,
}

/// A request could not be built: a setting is no text for a form.
#[derive(Debug, thiserror::Error)]
#[error("the request cannot be built")]
pub(super) struct NotBuilt;

impl Credentials {
    fn client(&self) -> BasicClient {
        let client = BasicClient::new(ClientId::new(self.id.clone())).set_auth_type(AuthType::RequestBody);
        match &self.secret {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.expose_secret().to_owned())),
            None => client,
        }
    }
}

/// Takes the request that the crate built instead of sending it: what happens between sending it and reading the
/// answer belongs to the renewal.
fn built(build: impl FnOnce(&dyn Fn(HttpRequest) -> Result<HttpResponse, NotBuilt>)) -> Result<HttpRequest, NotBuilt> {
    let taken = RefCell::new(None);
    build(&|request| {
        *taken.borrow_mut() = Some(request);
        Err(NotBuilt)
    });
    taken.into_inner().ok_or(NotBuilt)
}

/// A renewal (RFC 6749 section 6), with what the provider wants beside.
pub(super) fn refresh_request(
    app: &App,
    auth: &Auth,
    who: &Credentials,
    refresh: &SecretString,
) -> Result<HttpRequest, NotBuilt> {
    let client = who.client().set_token_uri(TokenUrl::from_url(app.token_url.clone()));
    let token = RefreshToken::new(refresh.expose_secret().to_owned());
    built(|take| {
        let mut request = client.exchange_refresh_token(&token);
        for (name, value) in auth.token_params.iter().chain(auth.refresh_params) {
            request = request.add_extra_param(*name, *value);
        }
        let _ = request.request(&|request| take(request));
    })
}

/// The exchange of a code (RFC 6749 section 4.1.3).
pub(super) fn code_request(
    app: &App,
    auth: &Auth,
    who: &Credentials,
    redirect: &str,
    code: &SecretString,
    verifier: Option<&PkceCodeVerifier>,
) -> Result<HttpRequest, NotBuilt> {
    let redirect = RedirectUrl::new(redirect.to_owned()).map_err(|_| NotBuilt)?;
    let client = who.client().set_token_uri(TokenUrl::from_url(app.token_url.clone())).set_redirect_uri(redirect);
    built(|take| {
        let mut request = client.exchange_code(AuthorizationCode::new(code.expose_secret().to_owned()));
        for (name, value) in auth.token_params {
            request = request.add_extra_param(*name, *value);
        }
        if let Some(verifier) = verifier {
            request = request.set_pkce_verifier(PkceCodeVerifier::new(verifier.secret().clone()));
        }
        let _ = request.request(&|request| take(request));
    })
}

/// What a person is sent to the provider with.
pub(super) struct Asked {
    pub(super) url: Url,
    pub(super) state: SecretString,
    pub(super) verifier: Option<PkceCodeVerifier>,
}

/// The address of the consent page: a `state` of 256 bits, and PKCE where the provider knows it.
pub(super) fn consent(app: &App, auth: &Auth, who: &Credentials, redirect: &str) -> Result<Asked, NotBuilt> {
    let redirect = RedirectUrl::new(redirect.to_owned()).map_err(|_| NotBuilt)?;
    let client = who.client().set_auth_uri(AuthUrl::from_url(app.authorize_url.clone())).set_redirect_uri(redirect);
    let mut request = client
        .authorize_url(|| CsrfToken::new_random_len(32))
        .add_scope(Scope::new(auth.scopes.join(auth.scope_separator)));
    for (name, value) in auth.authorize_params {
        request = request.add_extra_param(*name, *value);
    }
    let mut verifier = None;
    if auth.pkce {
        let (challenge, secret) = PkceCodeChallenge::new_random_sha256();
        request = request.set_pkce_challenge(challenge);
        verifier = Some(secret);
    }
    let (url, state) = request.url();
    Ok(Asked { url, state: state.secret().clone().into(), verifier })
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(super) struct NoAnswer {
    pub(super) what: String,
    /// Whether the request may have arrived.
    pub(super) sent: bool,
}

/// Sends one request and reads its answer, once.
pub(super) async fn send(client: &reqwest::Client, request: HttpRequest, clock: &Clock) -> Result<Answer, NoAnswer> {
    let unsent = |what: String| NoAnswer { what, sent: false };
    let request = reqwest::Request::try_from(request).map_err(|error| unsent(error.without_url().to_string()))?;
    let response = client.execute(request).await.map_err(|error| NoAnswer {
        sent: !error.is_connect() && !error.is_builder(),
        what: crate::http::transport_error(&error),
    })?;
    failpoint!("token.post_sent");
    let head = Head {
        status: response.status().as_u16(),
        received_at: clock.now(),
        server_date: response
            .headers()
            .get(reqwest::header::DATE)
            .and_then(|value| DateTime::parse_from_rfc2822(value.to_str().ok()?).ok())
            .map(|date| date.with_timezone(&Utc))
            .filter(|_| !clock.is_fixed()),
    };
    let body = crate::http::body(response, MAX_ANSWER)
        .await
        .map_err(|error| NoAnswer { what: error.to_string(), sent: true })?;
    failpoint!("token.response_read");
    Ok(Answer { head, body: body.into() })
}

/// The same request for each token endpoint of `app`, `first` before the others; with the endpoint's address where there
/// are several.
pub(super) fn tries(
    app: &App,
    first: Option<&str>,
    build: impl Fn(&App) -> Result<HttpRequest, NotBuilt>,
) -> Result<Vec<(HttpRequest, Option<String>)>, NotBuilt> {
    let urls = app.token_urls(first);
    let several = urls.len() > 1;
    urls.into_iter().map(|url| Ok((build(&app.at(url))?, several.then(|| url.to_string())))).collect()
}

/// Sends the request to one endpoint after the other, until one does not refuse it: an endpoint that does not know the
/// application answers 400 or 401 and spends nothing. Where all refuse, what the first one said counts. Says whose answer
/// it is.
pub(super) async fn send_to_any(
    client: &reqwest::Client,
    tries: Vec<(HttpRequest, Option<String>)>,
    clock: &Clock,
) -> Result<(Answer, Option<String>), NoAnswer> {
    let mut refused = None;
    for (request, at) in tries {
        let answer = send(client, request, clock).await?;
        if !matches!(answer.head.status, 400 | 401) {
            return Ok((answer, at));
        }
        refused = refused.or(Some((answer, at)));
    }
    refused.ok_or(NoAnswer { what: "there is no endpoint to ask".into(), sent: false })
}

/// Scheme and host, and the port where it is not this machine: what a token is bound to.
pub(super) fn site(url: &Url) -> String {
    if crate::config::is_loopback(url) {
        return "loopback".into();
    }
    url.origin().ascii_serialization()
}
