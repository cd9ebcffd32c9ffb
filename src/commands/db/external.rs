//! `health db` where the person named a database: we say so, show its address and open psql on it, and that is all.

use secrecy::SecretString;
use serde_json::{Value, json};
use url::Url;

use super::{Action, address, open_psql, psql_at};
use crate::commands::Context;
use crate::failure::{Exit, Failure, Kind};
use crate::output::result;
use crate::server::Settings;

/// Everything where the person named a database: we only say so, and never print its password unasked.
pub(super) fn external(ctx: &Context, action: &Action, url: &str, origin: &str) -> Result<Exit, Failure> {
    let (shown, password) = without_password(url, origin)?;
    let what = format!("external database in use ({}, from {origin})", place(&shown));
    match action {
        Action::Start { .. } | Action::Status if ctx.out.json => {
            ctx.out.json(&json!({
                "schema": "health.db-status/1", "kind": "external", "condition": "external", "url": shown.as_str(),
                "origin": origin, "result": result(Exit::OK, &Value::Null, &[]),
            }));
            Ok(Exit::OK)
        }
        Action::Start { .. } | Action::Status => {
            ctx.out.line(&what);
            Ok(Exit::OK)
        }
        Action::Url { show_password: true, .. } => Ok(address(ctx, url)),
        Action::Url { .. } => Ok(address(ctx, shown.as_str())),
        Action::Psql { arguments } => {
            open_psql(psql_at(&Settings::from(&ctx.config), None), shown.as_str(), password, arguments)
        }
        Action::Stop { .. } | Action::Destroy { .. } => {
            Err(Failure::new(Kind::Usage, what).kept("it is not ours to stop or delete").next("health db status"))
        }
    }
}

/// The address without its password, and the password.
fn without_password(url: &str, origin: &str) -> Result<(Url, Option<SecretString>), Failure> {
    let bad = || {
        Failure::new(Kind::Config, format!("{origin} is not an address of PostgreSQL"))
            .next("use an address like postgresql://user@localhost:5432/health")
    };
    let mut shown = Url::parse(url).map_err(|_| bad())?;
    if !matches!(shown.scheme(), "postgres" | "postgresql") {
        return Err(bad());
    }
    let decoded = |text: &str| percent_decoded(text);
    let mut password = shown.password().map(decoded);
    if password.is_some() {
        shown.set_password(None).map_err(|()| bad())?;
    }
    let pairs: Vec<(String, String)> = shown.query_pairs().into_owned().collect();
    if let Some((_, given)) = pairs.iter().find(|(key, _)| key == "password") {
        password = password.or_else(|| Some(given.clone()));
        let rest: Vec<_> = pairs.iter().filter(|(key, _)| key != "password").collect();
        shown.set_query(None);
        if !rest.is_empty() {
            shown.query_pairs_mut().extend_pairs(rest);
        }
    }
    Ok((shown, password.map(SecretString::from)))
}

fn percent_decoded(text: &str) -> String {
    let query = format!("p={}", text.replace('+', "%2B"));
    url::form_urlencoded::parse(query.as_bytes()).next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// "host/database" for messages.
fn place(url: &Url) -> String {
    let in_query = url.query_pairs().find(|(key, _)| key == "host").map(|(_, host)| host.into_owned());
    let host = url.host_str().filter(|host| !host.is_empty()).map(str::to_owned).or(in_query);
    crate::output::clean(&format!(
        "{}/{}",
        host.unwrap_or_else(|| "local socket".into()),
        url.path().trim_start_matches('/')
    ))
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn split(url: &str) -> (String, Option<String>) {
        let (shown, password) = without_password(url, "DATABASE_URL").unwrap();
        (shown.to_string(), password.map(|password| password.expose_secret().to_owned()))
    }

    #[test]
    fn an_address_is_shown_without_its_password() {
        let cases = [
            ("postgresql://me:s%40cret@db.example/health", "postgresql://me@db.example/health", Some("s@cret")),
            ("postgresql://me:a+b@db.example/health", "postgresql://me@db.example/health", Some("a+b")),
            (
                "postgres://me@db.example:5433/x?sslmode=require",
                "postgres://me@db.example:5433/x?sslmode=require",
                None,
            ),
            ("postgresql://db.example/x?user=me&password=p", "postgresql://db.example/x?user=me", Some("p")),
            ("postgresql:///health?host=/run/pg", "postgresql:///health?host=/run/pg", None),
        ];
        for (url, shown, password) in cases {
            assert_eq!(split(url), (shown.to_owned(), password.map(str::to_owned)), "{url}");
        }
        let failure = without_password("host=db password=hunter2", "DATABASE_URL").unwrap_err();
        assert!(!format!("{failure:?}").contains("hunter2"));
    }

    #[test]
    fn places_name_host_and_database() {
        let place_of = |url: &str| place(&Url::parse(url).unwrap());
        assert_eq!(place_of("postgresql://me@db.example/health"), "db.example/health");
        assert_eq!(place_of("postgresql:///health?host=/run/pg"), "/run/pg/health");
        assert_eq!(place_of("postgresql:///health"), "local socket/health");
    }
}
