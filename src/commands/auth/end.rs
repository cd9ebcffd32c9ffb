//! The end of a login, in words: `--revoke` at the provider and here, `--forget` here alone. Data is never touched.

use serde_json::{Value, json};

use super::super::Context;
use crate::failure::{Exit, Failure, Kind};
use crate::oauth::{self, Revoked};
use crate::source::Source;

pub(super) fn forget(ctx: &Context, source: &'static Source, account: &str) -> Result<Exit, Failure> {
    let title = source.title;
    let text = if oauth::forget(&ctx.config, source, account)? {
        format!("ok  the login at {title} is removed from this machine; the grant at {title} stays. All data is kept.")
    } else {
        format!("ok  {title} was not connected")
    };
    Ok(ended(ctx, source, account, &text, false))
}

pub(super) async fn revoke(ctx: &Context, source: &'static Source, account: &str) -> Result<Exit, Failure> {
    let title = source.title;
    let text = match oauth::revoke(&ctx.config, source, account).await? {
        Revoked::AtProvider => format!("ok  {title} withdrew the grant; the login is removed. All data is kept."),
        Revoked::AlreadyGone => {
            format!("ok  {title} no longer knew the grant; the login is removed. All data is kept.")
        }
        Revoked::NotConnected => format!("ok  {title} was not connected"),
        Revoked::LocalOnly(reason) => {
            let console = source.api.as_ref().map_or("", |api| api.auth.console);
            return Err(Failure::new(
                Kind::Partial,
                format!("the login is removed from this machine, but the grant at {title} is still alive ({reason})"),
            )
            .kept("all data")
            .next(format!("withdraw the application's access in your account at {title}, or at {console}")));
        }
    };
    Ok(ended(ctx, source, account, &text, false))
}

/// What either would do. Contacts nobody, changes nothing.
pub(super) fn dry_run(
    ctx: &Context,
    source: &'static Source,
    account: &str,
    at_provider: bool,
) -> Result<Exit, Failure> {
    let title = source.title;
    let text = match (oauth::is_kept(&ctx.config, source, account)?, at_provider) {
        (false, _) => format!("{title} is not connected: there is no login to remove"),
        (true, false) => {
            format!("would remove the login at {title} from this machine; the grant at {title} would stay")
        }
        (true, true) => {
            format!("would ask {title} to withdraw the grant, and remove the login; all data would be kept")
        }
    };
    Ok(ended(ctx, source, account, &text, true))
}

fn ended(ctx: &Context, source: &Source, account: &str, text: &str, dry_run: bool) -> Exit {
    if ctx.out.json {
        let result = crate::output::result(Exit::OK, &Value::Null, &[]);
        ctx.out.json(&json!({
            "schema": "health.auth/1", "source": source.id, "account": account, "dry_run": dry_run, "text": text,
            "result": result,
        }));
    } else {
        ctx.out.line(text);
    }
    Exit::OK
}
