//! The login of the demo: the flow of `health auth`, with a task in place of the person and their browser.

use tokio::sync::oneshot;
use url::Url;

use crate::commands::Context;
use crate::failure::{Exit, Failure, Kind};
use crate::oauth::{self, Consent, Credentials, Ended};
use crate::signals::Stop;

/// Logs in to the simulated WHOOP; its page consents by itself.
pub(super) fn log_in(ctx: &Context) -> Result<Exit, Failure> {
    let source = crate::commands::source_named("whoop")?;
    let app = ctx.config.app(source)?;
    let credentials = Credentials { id: app.client_id.unwrap_or_default(), secret: app.client_secret };
    let account = oauth::DEFAULT_ACCOUNT;
    let request = oauth::Request { source, account, credentials, typed: false, port: None, note: &|_| {} };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Kind::Local, format!("cannot start: {error}")))?;
    let ended = runtime.block_on(async {
        let stop = Stop::default();
        let _listening =
            stop.listen().map_err(|error| Failure::new(Kind::Local, format!("cannot listen for signals: {error}")))?;
        let (lost, stuck) = oneshot::channel();
        let mut lost = Some(lost);
        let mut present = |consent: &Consent| {
            ctx.out.line("The simulated WHOOP says yes at once; no browser is opened.");
            let (url, lost) = (consent.url.clone(), lost.take());
            tokio::spawn(async move {
                if let (Err(failure), Some(lost)) = (visit(url).await, lost) {
                    let _ = lost.send(failure);
                } else {
                    std::future::pending::<()>().await; // a closed channel would read as trouble
                }
            });
            Ok(())
        };
        tokio::select! {
            ended = oauth::connect(&ctx.config, &request, &mut present, None, &stop) => ended,
            Ok(failure) = stuck => Err(failure),
        }
    })?;
    match ended {
        Ended::Connected(connected) => {
            let summary = &connected.summary;
            ctx.out.line(&format!(
                "ok  logged in, {} of {} scopes granted; the tokens are in the demo's folder",
                summary.granted_count(),
                summary.asked.len()
            ));
            Ok(Exit::OK)
        }
        Ended::Stopped(signal) => Ok(Exit::signal(signal)),
    }
}

/// What a browser does: opens the page, is sent back, opens that.
async fn visit(page: Url) -> Result<(), Failure> {
    let client = crate::http::client(&page)?;
    let trouble = |error: &reqwest::Error| Failure::new(Kind::Local, crate::http::transport_error(error));
    let response = client.get(page).send().await.map_err(|error| trouble(&error))?;
    let back = response.headers().get("location").and_then(|value| value.to_str().ok()).map(str::to_owned);
    let back = back.ok_or_else(|| {
        Failure::new(Kind::Bug, format!("the simulated WHOOP did not send the browser back ({})", response.status()))
    })?;
    match client.get(back).send().await {
        // The callback may close as soon as it has what it waits for.
        Err(error) if error.is_connect() => Err(trouble(&error)),
        _ => Ok(()),
    }
}
