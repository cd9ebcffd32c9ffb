//! What a provider demands of its users, shown once and accepted by the person before its interface is used; when, stands in
//! `meta.source_accounts.terms_accepted_at`.

use super::{Context, ask};
use crate::db;
use crate::failure::{Failure, Kind};
use crate::oauth;
use crate::run::{Account, Connection, Person};
use crate::source::Source;

/// Shows the terms of `source` where it has any and they were not accepted yet, and asks; `accepted` is a yes that was given
/// with the command. Says whether to go on: not where the person left.
///
/// # Errors
/// There is nobody to ask, or the answer is no; a database that cannot be written to.
pub(crate) fn settle(ctx: &Context, source: &Source, label: &str, accepted: bool) -> Result<bool, Failure> {
    let Some(terms) = source.api.as_ref().map(|api| api.terms).filter(|terms| !terms.is_empty()) else {
        return Ok(true);
    };
    let (_, mut client) = db::open_to_write(ctx)?;
    let person = Person::find(&mut client, ctx)?;
    if Account::find(&mut client, &person, source, label)?.is_some_and(|account| account.terms_accepted_at.is_some()) {
        return Ok(true);
    }
    ctx.out.note(&format!("Before {} may be asked, know this:\n", source.title));
    for term in terms {
        ctx.out.note(&format!("   {term}"));
    }
    ctx.out.note(&format!("\n   Written out in docs/sources/{}.md.", source.id));
    if !accepted {
        if !ctx.out.can_ask() {
            return Err(not_accepted(source, label));
        }
        let Some(answer) = ask::line("   Go on with this? [y/N] ")? else { return Ok(false) };
        if !matches!(answer.to_lowercase().as_str(), "y" | "yes") {
            return Err(not_accepted(source, label));
        }
    }
    // Whoever leaves or says no is written down nowhere. Whether there is a login, the logins say.
    let now = ctx.config.clock.now();
    let account = Account::ensure(&mut client, &person, source, label, Connection::Active, now)?;
    account.accept_terms(&mut client, now)?;
    Ok(true)
}

/// What must hold before the first request for data.
pub(crate) fn expect_accepted(source: &Source, account: &Account) -> Result<(), Failure> {
    let has_terms = source.api.as_ref().is_some_and(|api| !api.terms.is_empty());
    if has_terms && account.terms_accepted_at.is_none() {
        return Err(not_accepted(source, &account.label));
    }
    Ok(())
}

fn not_accepted(source: &Source, label: &str) -> Failure {
    let what = format!("{}'s terms were not accepted, so its interface is not used", source.title);
    Failure::new(Kind::Login, what).kept("everything as it was; nobody was contacted").next(format!(
        "read docs/sources/{}.md, then: {} --accept-terms",
        source.id,
        oauth::auth_command(source, label)
    ))
}
