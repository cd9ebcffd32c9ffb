//! `health auth`: logs in to a source, ends a login, or shows the state of all. Needs no database.

use secrecy::SecretString;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use url::Url;

use super::{Context, ask, source_named, terms};
use crate::failure::{Exit, Failure, Kind};
use crate::oauth::{self, Connected, Consent, Credentials, Ended, LoginSummary, State};
use crate::signals::Stop;
use crate::source::Source;

mod dry;
mod end;
mod form;
mod table;

const EXAMPLES: &str = "\
Examples:
  health auth                       the state of all logins
  health auth whoop                 log in with the browser of this machine
  health auth whoop --no-browser    log in from a machine without one: prints the address
  health auth whoop --again         consent once more, for instance with other scopes
  health auth whoop --revoke        withdraw the grant at the provider and forget the login
  health auth whoop --dry-run       what a login would ask for and where it would be kept";

#[derive(clap::Args)]
#[allow(clippy::struct_excessive_bools, reason = "each is a flag that a person may type")]
#[command(after_help = EXAMPLES)]
pub(crate) struct Args {
    /// The source to log in to; none: show all logins
    source: Option<String>,
    /// Name of the account, when you have several at one source
    #[arg(long, value_name = "NAME", default_value = oauth::DEFAULT_ACCOUNT, requires = "source")]
    account: String,
    /// Print the address instead of opening it; a pasted redirect address is accepted on standard input
    #[arg(long, requires = "source")]
    no_browser: bool,
    /// Port of the callback on this machine; it must be part of the registered redirect address
    #[arg(long, value_name = "N", requires = "source", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Log in although there is a login that works
    #[arg(long, requires = "source")]
    again: bool,
    /// Accept what the source demands of its users; without it a person is asked (Strava)
    #[arg(long, requires = "source", conflicts_with_all = ["revoke", "forget"])]
    accept_terms: bool,
    /// Withdraw the grant at the provider and forget the login
    #[arg(long, requires = "source", conflicts_with_all = ["again", "port", "no_browser"])]
    revoke: bool,
    /// Forget the login on this machine; the grant at the provider stays
    #[arg(long, requires = "source", conflicts_with_all = ["revoke", "again", "port", "no_browser"])]
    forget: bool,
    /// Only say what would happen; contact nobody, change nothing
    #[arg(short = 'n', long, requires = "source")]
    dry_run: bool,
}

pub(crate) fn run(ctx: &Context, args: &Args) -> Result<Exit, Failure> {
    let Some(name) = &args.source else { return table::run(ctx) };
    let source = source_named(name)?;
    if !args.revoke && !args.forget {
        for line in crate::sources::said_of(source, name) {
            ctx.out.note(line);
        }
    }
    if args.accept_terms && source.api.as_ref().is_none_or(|api| api.terms.is_empty()) {
        let what = format!("{} has no terms that are accepted here, so --accept-terms means nothing", source.title);
        return Err(Failure::new(Kind::Usage, what).next("health auth --help"));
    }
    if args.dry_run {
        return if args.revoke || args.forget {
            end::dry_run(ctx, source, &args.account, args.revoke)
        } else {
            dry::run(ctx, args, source)
        };
    }
    if !args.revoke && !args.forget {
        let _ = super::migrate::offer(ctx); // a login needs no database; what is wrong with it is for ingest to say
        if !terms::settle(ctx, source, &args.account, args.accept_terms)? {
            return Ok(Exit::signal(2));
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Kind::Local, format!("cannot start: {error}")))?;
    runtime.block_on(async {
        if args.revoke {
            end::revoke(ctx, source, &args.account).await
        } else if args.forget {
            end::forget(ctx, source, &args.account)
        } else {
            log_in(ctx, args, source).await
        }
    })
}

async fn log_in(ctx: &Context, args: &Args, source: &'static Source) -> Result<Exit, Failure> {
    let login = oauth::auth_command(source, &args.account);
    if let Some(summary) = working(ctx, args, source)? {
        return Ok(already(ctx, &summary));
    }
    if !ctx.out.can_ask() && !args.no_browser {
        return Err(Failure::new(
            Kind::Login,
            format!("a login at {} needs a person, and this is no terminal", source.title),
        )
        .kept("the login as it was")
        .next(format!("{login}    on a terminal, or with --no-browser")));
    }
    let redirect = oauth::redirect(&ctx.config, source, args.port)?;
    for changed in ctx.config.changed_addresses(source) {
        ctx.out.note(&format!("note: {} is contacted at another address: {changed}", source.title));
    }
    ctx.out.note(&format!("{} login for account \"{}\"\n", source.title, args.account));
    let Some((credentials, typed)) = application(ctx, args, source, &redirect)? else {
        return Ok(Exit::signal(2));
    };
    // Not before the questions: a person who is asked may leave by Ctrl-C at once.
    let stop = Stop::default();
    let _listening =
        stop.listen().map_err(|error| Failure::new(Kind::Local, format!("cannot listen for signals: {error}")))?;
    let request = oauth::Request {
        source,
        account: &args.account,
        credentials,
        typed,
        port: args.port,
        note: &|text| ctx.out.note(text),
    };
    let mut present = |consent: &Consent| {
        present(ctx, args, source, consent);
        Ok(())
    };
    match oauth::connect(&ctx.config, &request, &mut present, Some(typed_lines()), &stop).await? {
        Ended::Connected(connected) => logged_in(ctx, &connected),
        Ended::Stopped(signal) => {
            ctx.out.note("stopped on request; the login is as it was");
            Ok(Exit::signal(signal))
        }
    }
}

/// The login that is there and works, unless another one is asked for. A store that cannot be read is named, and kept
/// aside by a new login.
fn working(ctx: &Context, args: &Args, source: &'static Source) -> Result<Option<LoginSummary>, Failure> {
    match oauth::Login::open(&ctx.config, source, &args.account) {
        Ok(login) => {
            let summary = login.filter(|_| !args.again).map(|login| login.summary());
            Ok(summary.filter(|summary| summary.state == State::Ok))
        }
        Err(failure) if failure.kind == Kind::Local => {
            ctx.out.note(&format!("note: {}", failure.error));
            Ok(None)
        }
        Err(failure) => Err(failure),
    }
}

fn already(ctx: &Context, summary: &LoginSummary) -> Exit {
    let next = format!("health ingest {} --since 6m", summary.source.command_name());
    if ctx.out.json {
        ctx.out.json(&table::document(std::slice::from_ref(summary), ctx, Exit::OK, &[&next]));
    } else {
        ctx.out.line(&format!(
            "ok  {} is connected, {} of {} scopes granted. To log in anew: {} --again",
            summary.source.title,
            summary.granted_count(),
            summary.asked.len(),
            oauth::auth_command(summary.source, &summary.account),
        ));
        ctx.out.line(&format!("\nNext:  {next}"));
    }
    Exit::OK
}

/// The application to log in with, and whether it was typed in: configured, kept with the login, or asked for. None
/// when the person pressed Ctrl-C.
fn application(
    ctx: &Context,
    args: &Args,
    source: &'static Source,
    redirect: &Url,
) -> Result<Option<(Credentials, bool)>, Failure> {
    if let Some(known) = known_application(ctx, args, source)? {
        ctx.out.note(&form::first_step(source, redirect, true));
        return Ok(Some(known));
    }
    if !ctx.out.can_ask() {
        let (what, next) = oauth::missing_application(source);
        return Err(Failure::new(Kind::Config, what).kept("the login as it was").next(next));
    }
    Ok(ask_for_application(ctx, source, redirect)?.map(|typed| (typed, true)))
}

/// The application of the configuration, else the one kept with the login; and whether it is the second.
fn known_application(
    ctx: &Context,
    args: &Args,
    source: &'static Source,
) -> Result<Option<(Credentials, bool)>, Failure> {
    let configured = oauth::configured(&ctx.config.app(source)?).map(|found| (found, false));
    let kept = || oauth::kept_application(&ctx.config, source, &args.account).map(|found| (found, true));
    Ok(configured.or_else(kept))
}

/// Walks a person through the provider's form; none when they pressed Ctrl-C.
fn ask_for_application(ctx: &Context, source: &Source, redirect: &Url) -> Result<Option<Credentials>, Failure> {
    ctx.out.note(&form::first_step(source, redirect, false));
    let Some(id) = ask::line("   Client id:      ")? else { return Ok(None) };
    let Some(secret) = ask::hidden("   Client secret:  ")? else { return Ok(None) };
    if id.is_empty() {
        let (what, next) = oauth::missing_application(source);
        return Err(Failure::new(Kind::Config, what).next(next));
    }
    ctx.out.note("   They are saved with the login, encrypted.\n");
    let secret = Some(secret).filter(|secret| !secret.is_empty()).map(SecretString::from);
    Ok(Some(Credentials { id, secret }))
}

fn present(ctx: &Context, args: &Args, source: &Source, consent: &Consent) {
    let title = source.title;
    if args.no_browser {
        ctx.out.note("2  Open this address in a browser. If it ends on a page that cannot be shown, paste its address here, then Enter.");
        if ctx.out.json {
            ctx.out.write_stderr(consent.url.as_str());
        } else {
            ctx.out.line(consent.url.as_str());
        }
    } else {
        let opened = oauth::open_browser(&ctx.config, &consent.url);
        ctx.out.note(if opened {
            "2  Opening your browser. No browser here? Open the address below, paste the one you end on, then Enter."
        } else {
            "2  No browser could be opened. Open this address, on any machine; paste the one you end on, then Enter."
        });
        ctx.out.write_stderr(&format!("   {}", consent.url));
    }
    let how = if consent.listening { "" } else { ": paste the address you end on" };
    ctx.out.note(&format!("   waiting for {title}{how} ... at most 5 min, Ctrl-C to stop"));
}

/// Lines of standard input, read on a thread of their own that nobody waits for.
fn typed_lines() -> UnboundedReceiver<String> {
    let (sender, receiver) = unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines() {
            let Ok(line) = line else { break };
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}

/// Says what the login brought. One that cannot be renewed works and is still a failure: a person must look at it.
fn logged_in(ctx: &Context, connected: &Connected) -> Result<Exit, Failure> {
    let summary = &connected.summary;
    let source = summary.source;
    let again = format!("{} --again", oauth::auth_command(source, &summary.account));
    let ingest = format!("health ingest {} --since 6m", source.command_name());
    for note in &connected.notes {
        ctx.out.note(&format!("note: {note}"));
    }
    if ctx.out.json {
        let (exit, next) = if summary.renewable { (Exit::OK, ingest) } else { (Exit::from(Kind::Login), again) };
        ctx.out.json(&table::document(std::slice::from_ref(summary), ctx, exit, &[&next]));
        return Ok(exit);
    }
    let now = ctx.config.clock.now();
    for line in table::outcome(summary, now) {
        ctx.out.line(&line);
    }
    if !summary.renewable {
        return Err(Failure::new(Kind::Login, table::not_renewable(summary, now))
            .kept("the login, which works until then")
            .next(again));
    }
    ctx.out.line(&format!("\nNext:  {ingest}"));
    Ok(Exit::OK)
}
