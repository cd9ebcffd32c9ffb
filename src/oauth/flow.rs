//! A login from the first address to the saved record: authorization code, `state`, PKCE where the provider knows it,
//! and a callback on loopback or a pasted address (RFC 6749, RFC 8252). It prints nothing: who calls shows the consent
//! page in the way that fits.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use url::Url;

use super::answer::Reading;
use super::callback::{Callback, Expected, Landing};
use super::http::{self, Asked, Credentials};
use super::record::{Client, Record};
use super::refresh::{Site, stamp};
use super::{LoginSummary, auth_command, site, summary};
use crate::config::Config;
use crate::failure::{Failure, Kind};
use crate::signals::Stop;
use crate::source::Source;

/// How long to wait for a person.
const PATIENCE: Duration = Duration::from_mins(5);

/// How long to wait for a renewal that is under way.
const WAIT: Duration = Duration::from_secs(20);

/// What login is wanted.
pub(crate) struct Request<'a> {
    pub(crate) source: &'static Source,
    pub(crate) account: &'a str,
    pub(crate) credentials: Credentials,
    /// Whether the credentials were typed in, so that they are kept with the login.
    pub(crate) typed: bool,
    /// Another port than the configured one.
    pub(crate) port: Option<u16>,
    /// Tells the person something while they are waited for.
    pub(crate) note: &'a dyn Fn(&str),
}

/// What a person is shown.
pub(crate) struct Consent {
    /// Where to send them: no secret, but of no use to anybody else.
    pub(crate) url: Url,
    /// Whether a browser on this machine will be noticed; otherwise the address has to be pasted.
    pub(crate) listening: bool,
}

/// A login that worked.
pub(crate) struct Connected {
    pub(crate) summary: LoginSummary,
    /// Things a person should know, a sentence each.
    pub(crate) notes: Vec<String>,
}

/// How a login ended.
pub(crate) enum Ended {
    Connected(Box<Connected>),
    /// By a signal, while waiting: nothing changed.
    Stopped(u8),
}

/// Takes a person through a login. `present` shows the consent page, `pasted` brings lines that a person typed.
pub(crate) async fn connect(
    config: &Config,
    request: &Request<'_>,
    present: &mut dyn FnMut(&Consent) -> Result<(), Failure>,
    pasted: Option<UnboundedReceiver<String>>,
    stop: &Stop,
) -> Result<Ended, Failure> {
    super::keep_memory_private();
    let site = site(config, request.source, request.account)?;
    let had_login = site.store.exists();
    let ended = consent(config, &site, request, present, pasted, stop).await;
    ended.map_err(|mut failure| {
        failure.kept = failure.kept.filter(|_| had_login);
        failure
    })
}

async fn consent(
    config: &Config,
    site: &Site,
    request: &Request<'_>,
    present: &mut dyn FnMut(&Consent) -> Result<(), Failure>,
    pasted: Option<UnboundedReceiver<String>>,
    stop: &Stop,
) -> Result<Ended, Failure> {
    let redirect = redirect(config, request.source, request.port)?;
    let _consent = site.store.lock_consent()?;
    site.store.check_writable()?;
    let bug =
        |error: &http::NotBuilt| Failure::new(Kind::Config, format!("{error}: an address or a name is malformed"));
    let asked =
        http::consent(&site.app, site.auth, &request.credentials, redirect.as_str()).map_err(|error| bug(&error))?;
    let Asked { url, state, verifier } = asked;
    let expected = Arc::new(Expected { state, authorize_url: site.app.authorize_url.clone() });
    let (sender, landed) = unbounded_channel();
    let other_port = match (&site.app.redirect_uri, redirect.port_or_known_default()) {
        (None, Some(port)) => format!("use --port {}", port.checked_add(1).unwrap_or(8765)),
        _ => format!("change {}_REDIRECT_URI", request.source.id.to_uppercase()),
    };
    let callback = Callback::listen(&redirect, &expected, &sender, &other_port)?;
    drop(sender);
    present(&Consent { url, listening: callback.is_some() })?;
    let landing = match wait(request, &expected, landed, pasted, stop).await? {
        Waited::Landed(landing) => landing,
        Waited::Stopped(number) => return Ok(Ended::Stopped(number)),
    };
    let (code, scopes) = code_of(landing, request)?;
    // The code is spent by one request: from here to the saved record nobody interrupts.
    let _held = crate::signals::hold();
    let forms = http::tries(&site.app, None, |app| {
        http::code_request(app, site.auth, &request.credentials, redirect.as_str(), &code, verifier.as_ref())
    })
    .map_err(|error| bug(&error))?;
    let connected = exchange(site, request, forms, scopes).await?;
    drop(callback);
    Ok(Ended::Connected(Box::new(connected)))
}

/// The redirect address (docs/adr/13): what the person set, exactly; else loopback, by number where the provider takes that, one path per source.
pub(crate) fn redirect(config: &Config, source: &'static Source, port: Option<u16>) -> Result<Url, Failure> {
    let app = config.app(source)?;
    if let Some(set) = app.redirect_uri {
        if port.is_some_and(|port| Some(port) != set.port_or_known_default()) {
            let name = format!("{}_REDIRECT_URI", source.id.to_uppercase());
            return Err(Failure::new(Kind::Usage, format!("--port and {name} name different ports"))
                .next(format!("leave --port out, or change {name} and the address registered at the provider")));
        }
        return Ok(set);
    }
    let port = port.unwrap_or(app.redirect_port);
    let host = source.api.as_ref().map_or("127.0.0.1", |api| api.auth.redirect_host);
    Url::parse(&format!("http://{host}:{port}/callback/{}", source.id))
        .map_err(|_| Failure::new(Kind::Bug, "the redirect address is malformed"))
}

enum Waited {
    Landed(Landing),
    Stopped(u8),
}

async fn wait(
    request: &Request<'_>,
    expected: &Expected,
    mut landed: UnboundedReceiver<Landing>,
    mut pasted: Option<UnboundedReceiver<String>>,
    stop: &Stop,
) -> Result<Waited, Failure> {
    let source = request.source;
    let patience = tokio::time::sleep(PATIENCE);
    tokio::pin!(patience);
    let mut listening = true;
    loop {
        if !listening && pasted.is_none() {
            return Err(Failure::new(
                Kind::Login,
                "the redirect address is not on this machine, and nothing was pasted",
            )
            .kept("the login as it was")
            .next("run this on a terminal and paste the address you end on"));
        }
        tokio::select! {
            landing = landed.recv(), if listening => match landing {
                Some(landing) => return Ok(Waited::Landed(landing)),
                None => listening = false,
            },
            line = next_line(&mut pasted), if pasted.is_some() => match line {
                Some(line) => match expected.read_pasted(&line) {
                    Some(landing) => return Ok(Waited::Landed(landing)),
                    None if line.trim().is_empty() => {}
                    None => (request.note)("   That address does not belong to this login. Paste the one that the browser ends on."),
                },
                None => pasted = None,
            },
            () = stop.asked() => return Ok(Waited::Stopped(stop.signal().unwrap_or(2))),
            () = &mut patience => {
                return Err(Failure::new(Kind::Login, format!("{} sent no answer within 5 minutes", source.title))
                    .kept("the login as it was")
                    .next(auth_command(source, request.account)));
            }
        }
    }
}

async fn next_line(pasted: &mut Option<UnboundedReceiver<String>>) -> Option<String> {
    match pasted {
        Some(lines) => lines.recv().await,
        None => None,
    }
}

fn code_of(landing: Landing, request: &Request<'_>) -> Result<(SecretString, Option<Vec<String>>), Failure> {
    let title = request.source.title;
    let failure = |what: String| {
        Failure::new(Kind::Login, what)
            .kept("the previous login, unchanged")
            .next(auth_command(request.source, request.account))
    };
    match landing {
        Landing::Code { code, scopes } => Ok((code, scopes)),
        Landing::Denied => Err(failure(format!("you pressed \"deny\" at {title}"))),
        Landing::Error(said) => Err(failure(format!("{title} ended the login ({said})"))),
        Landing::ForeignIssuer => {
            Err(failure(format!("the answer came from another server than {title} (possible forgery)")))
        }
    }
}

async fn exchange(
    site: &Site,
    request: &Request<'_>,
    forms: Vec<(oauth2::HttpRequest, Option<String>)>,
    told: Option<Vec<String>>,
) -> Result<Connected, Failure> {
    let (source, title) = (request.source, request.source.title);
    let again = auth_command(source, request.account);
    let failure = |kind: Kind, what: String, next: String| {
        Failure::new(kind, what).kept("the previous login, unchanged").next(next)
    };
    let client = crate::http::client(&site.app.token_url)?;
    let (answer, token_url) = http::send_to_any(&client, forms, &site.clock).await.map_err(|error| {
        failure(
            Kind::Later,
            format!("{title} did not answer the last step of the login: {}", error.what),
            again.clone(),
        )
    })?;
    let grant = match answer.read(site.auth) {
        Reading::Granted(grant) => grant,
        Reading::Dead(reason) | Reading::Refused(reason) => {
            return Err(failure(Kind::Login, format!("{title} refused the last step of the login ({reason})"), again));
        }
        Reading::BadClient(reason) => {
            let id = source.id.to_uppercase();
            return Err(failure(
                Kind::Config,
                format!("{title} rejected the client id or secret ({reason})"),
                format!("correct {id}_CLIENT_ID and {id}_CLIENT_SECRET; the values are at {}", site.auth.console),
            ));
        }
        Reading::Unusable(reason) => {
            return Err(failure(Kind::Refused, format!("{title} sent a token that cannot be used: {reason}"), again));
        }
        Reading::NotNow(reason) | Reading::Unknown(reason) => {
            return Err(failure(Kind::Later, format!("{title} did not finish the login ({reason})"), again));
        }
    };
    let asked: Vec<String> = site.auth.scopes.iter().map(|scope| (*scope).to_owned()).collect();
    let mut notes = Vec::new();
    if grant.type_missing {
        notes.push(format!("{title} named no token type; it is taken for a bearer token"));
    }
    if let Some(seconds) = grant.lasts_seconds {
        let days = crate::output::counted((seconds + 43_200) / 86_400, "day");
        notes.push(format!("{title} ends this login after {days}, however it is used"));
    }
    let now = site.clock.now();
    let (token_site, base_site) = summary::sites(&site.app, token_url.as_deref());
    let typed = || Client { id: request.credentials.id.clone(), secret: request.credentials.secret.clone() };
    let mut record = Record {
        version: Record::VERSION,
        source: source.id.into(),
        account: request.account.into(),
        connected_at: now,
        access: grant.access,
        refresh: grant.refresh,
        minted_at: now,
        lives_seconds: grant.lives_seconds,
        skew_seconds: 0,
        // Saying nothing, also not in the redirect, means all of it (RFC 6749 5.1).
        granted: grant.scopes.or(told).unwrap_or_else(|| asked.clone()),
        asked,
        token_site,
        token_url,
        base_site,
        owner: grant.owner,
        client: request.typed.then(typed),
        refusals: 0,
        dead: None,
    };
    stamp(&mut record, &answer);
    site.store.lock(WAIT)?.save_login(&record, now)?;
    let summary = summary::of(&site.store, source, site.auth, request.account, &site.clock);
    Ok(Connected { summary, notes })
}
