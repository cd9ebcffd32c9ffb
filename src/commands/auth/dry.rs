//! `health auth SOURCE --dry-run`: what a login would need, ask for and keep. Opens no browser, listens on no port.

use serde_json::{Value, json};

use super::{Args, Context, already, form, known_application, working};
use crate::failure::{Exit, Failure};
use crate::oauth;
use crate::source::Source;

pub(super) fn run(ctx: &Context, args: &Args, source: &'static Source) -> Result<Exit, Failure> {
    if let Some(summary) = working(ctx, args, source)? {
        return Ok(already(ctx, &summary));
    }
    let redirect = oauth::redirect(&ctx.config, source, args.port)?;
    let known = known_application(ctx, args, source)?.map(|(_, kept)| kept);
    let form = source.api.as_ref().map_or_else(Vec::new, |api| form::lines(&api.auth, &redirect));
    let scopes: &[&str] = source.api.as_ref().map_or(&[], |api| api.auth.scopes);
    let kept_in = oauth::kept_in(&ctx.config, source, &args.account)?;
    let next = [
        oauth::auth_command(source, &args.account),
        if args.again { " --again" } else { "" }.to_owned(),
        if args.no_browser { " --no-browser" } else { "" }.to_owned(),
        args.port.map(|port| format!(" --port {port}")).unwrap_or_default(),
    ]
    .concat();
    if ctx.out.json {
        ctx.out.json(&json!({
            "schema": "health.auth/1", "source": source.id, "account": args.account, "dry_run": true,
            "application_known": known.is_some(), "redirect_uri": redirect.as_str(), "scopes_asked": scopes,
            "form": form.iter().map(|(label, value)| json!({"label": label, "value": value})).collect::<Vec<_>>(),
            "token_store": kept_in, "result": crate::output::result(Exit::OK, &Value::Null, &[&next]),
        }));
        return Ok(Exit::OK);
    }
    let application = match known {
        Some(false) => "yours, from the configuration".to_owned(),
        Some(true) => "yours, kept with the login".to_owned(),
        None => format!(
            "client id and secret would be asked for; create one at {}",
            source.api.as_ref().map_or("", |api| api.auth.console)
        ),
    };
    let out = &ctx.out;
    out.line(&format!("Would log in at {} for account \"{}\". Nobody is contacted now.", source.title, args.account));
    out.line(&format!("  application   {application}"));
    for (label, value) in form.iter().filter(|_| known.is_none()) {
        out.line(&format!("                {label}: {value}"));
    }
    out.line(&format!("  redirect      {redirect}"));
    let shown: Vec<&str> = scopes.iter().map(|scope| crate::source::short_scope(scope)).collect();
    out.line(&format!("  scopes        {}", shown.join(", ")));
    out.line(&format!("  kept in       {}, encrypted", kept_in.display()));
    out.line(&format!("\nNext:  {next}"));
    Ok(Exit::OK)
}
