//! Where the demo lives: a database and a folder of its own, and the settings that lead every command there.

use std::path::{Path, PathBuf};

use postgres::Client;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::manner;
use crate::commands::Context;
use crate::config::{Config, Database, Dirs, Home};
use crate::db::{self, Sql, Target};
use crate::demo::{CLIENT_ID, CLIENT_SECRET, HOME, Provider};
use crate::failure::{Blame, Failure, Kind};
use crate::server;

pub(super) const DATABASE: &str = "health_demo";

/// Its name until it carries the mark.
const UNFINISHED: &str = "health_demo_unfinished";

/// One demo at a time: each makes the database anew.
const LOCK: i64 = 0x6865_616c_7468_6465; // "healthde"

/// Its folder, in the one of the data.
pub(super) const FOLDER: &str = "demo";

/// Marks the database as ours, so that nobody else's of that name is ever dropped.
const MARK: &str = "made by health demo; health demo --drop removes it";

pub(super) struct Place {
    /// The person's own database on the same server: from there the demo's is made and dropped.
    own: Target,
    url: SecretString,
    folder: PathBuf,
}

impl Place {
    pub(super) fn find(ctx: &Context) -> Result<Self, Failure> {
        let config = &ctx.config;
        let own = db::target(config, &|text| ctx.out.note(text))?;
        if own.database_name() == Some(DATABASE) {
            return Err(Failure::new(
                Kind::Config,
                format!("DATABASE_URL names {DATABASE}, which the demo makes anew"),
            )
            .kept("everything")
            .next("let DATABASE_URL name another database of that server"));
        }
        let url = match &config.database {
            Database::Private => {
                let running = server::ensure(&server::Settings::from(config), &|text| ctx.out.note(text))?;
                running.url(DATABASE).into()
            }
            Database::External { url, origin } => other_database(url, origin)?,
        };
        Ok(Self { own, url, folder: config.dirs.data.join(FOLDER) })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Keeps other demos of this server away as long as the returned connection lives.
    pub(super) fn hold(&self) -> Result<Client, Failure> {
        let mut client = self.own.connect()?;
        if client.query_one("select pg_try_advisory_lock($1)", &[&LOCK]).sql()?.get(0) {
            return Ok(client);
        }
        Err(Failure::new(Kind::Busy, "another health demo is under way on this server")
            .kept("that one, unharmed")
            .next("wait until it has ended, then: health demo"))
    }

    /// An empty database and no folder, whatever was there from an earlier demo. The database gets its name when it
    /// carries our mark: one without it is never ours, wherever an earlier demo was killed.
    pub(super) fn make(&self) -> Result<(), Failure> {
        self.remove()?;
        let mut client = self.own.connect()?;
        db::create_database(&mut client, UNFINISHED)?;
        client
            .batch_execute(&format!(
                "comment on database {UNFINISHED} is '{MARK}'; alter database {UNFINISHED} rename to {DATABASE}"
            ))
            .sql()
    }

    /// Whether an earlier demo's database or folder is there. Refuses a database of that name that no demo made.
    pub(super) fn is_taken(&self) -> Result<bool, Failure> {
        Ok(database_is_there(&mut self.own.connect()?)? || self.folder.exists())
    }

    /// Removes both; false when there was neither.
    pub(super) fn remove(&self) -> Result<bool, Failure> {
        let mut client = self.own.connect()?;
        let found = database_is_there(&mut client)?;
        if found {
            db::drop_database(&mut client, DATABASE)?;
        }
        self.remove_unfinished(&mut client)?;
        match std::fs::remove_dir_all(&self.folder) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(found),
            Err(error) => Err(anyhow::Error::new(error).context(format!("cannot remove {}", self.folder.display())))
                .blame(Kind::Local),
        }
    }

    /// What a demo left that was killed while its database had no mark yet: the name is ours, and it is empty.
    fn remove_unfinished(&self, client: &mut Client) -> Result<(), Failure> {
        let exists = client.query_opt("select from pg_database where datname = $1", &[&UNFINISHED]).sql()?.is_some();
        if !exists {
            return Ok(());
        }
        let state = db::schema::state(&mut self.own.database(UNFINISHED).connect()?)?;
        if state != db::schema::State::Empty {
            return Err(Failure::new(
                Kind::Refused,
                format!("the server has a database {UNFINISHED} that is not empty"),
            )
            .kept("that database, untouched")
            .next(format!("rename it, or drop it yourself: drop database {UNFINISHED}")));
        }
        db::drop_database(client, UNFINISHED)
    }

    pub(super) fn connect(&self) -> Result<Client, Failure> {
        self.own.database(DATABASE).connect()
    }

    /// The person's settings, led to the demo: its database, its folder, its provider.
    pub(super) fn context(&self, ctx: Context, provider: &Provider) -> Result<Context, Failure> {
        let port = free_port().blame(Kind::Local)?;
        let dirs =
            Dirs { data: self.folder.clone(), config: self.folder.join("config"), state: self.folder.join("state") };
        let redirect = format!("http://127.0.0.1:{port}/callback/whoop");
        let settings = [
            ("WHOOP_CLIENT_ID", CLIENT_ID),
            ("WHOOP_CLIENT_SECRET", CLIENT_SECRET),
            ("WHOOP_REDIRECT_URI", &redirect),
            ("WHOOP_BASE_URL", &provider.base_url()),
            ("WHOOP_AUTHORIZE_URL", &provider.authorize_url()),
            ("WHOOP_TOKEN_URL", &provider.token_url()),
        ];
        let database = Database::External { url: self.url.clone(), origin: "health demo".into() };
        let mut config: Config = ctx.config.with_database(database).with_settings("health demo", &settings);
        config.dirs = dirs;
        config.person = None;
        config.person_name = Some("Sam Sample".into());
        config.home = Home::fixed(HOME);
        Ok(Context { config, out: manner(&ctx.out) })
    }

    /// A line for the shell that opens the database. A password is left out: psql asks for it.
    pub(super) fn psql(&self) -> String {
        shell_line(self.url.expose_secret())
    }
}

/// Whether a demo made the database; refuses one of that name that none made.
fn database_is_there(client: &mut Client) -> Result<bool, Failure> {
    let ours = client
        .query_opt(
            "select shobj_description(oid, 'pg_database') is not distinct from $2 from pg_database where datname = $1",
            &[&DATABASE, &MARK],
        )
        .sql()?
        .map(|row| row.get::<_, bool>(0));
    match ours {
        Some(false) => {
            Err(Failure::new(Kind::Refused, format!("the server has a database {DATABASE} that no demo made"))
                .kept("that database, untouched")
                .next(format!("rename it, or drop it yourself: drop database {DATABASE}")))
        }
        Some(true) => Ok(true),
        None => Ok(false),
    }
}

fn shell_line(url: &str) -> String {
    let shown = Url::parse(url).ok().and_then(|mut url| {
        if url.password().is_some() {
            url.set_password(None).ok()?;
        }
        let kept = url.query().unwrap_or_default().split('&').filter(|pair| !pair.starts_with("password="));
        let kept = kept.collect::<Vec<_>>().join("&");
        url.set_query(Some(&*kept).filter(|kept| !kept.is_empty()));
        Some(url.to_string())
    });
    // Quotes keep the shell from reading what stands in an address.
    format!("psql '{}'", shown.unwrap_or_else(|| format!("dbname={DATABASE}")).replace('\'', "%27"))
}

/// The same server's address, with the demo's database in it.
fn other_database(url: &SecretString, origin: &str) -> Result<SecretString, Failure> {
    let text = url.expose_secret();
    if !text.contains("://") {
        return Ok(format!("{text} dbname={DATABASE}").into()); // the last of two counts
    }
    let mut parsed = Url::parse(text).map_err(|_| {
        Failure::new(Kind::Config, format!("{origin} is not an address like postgresql://user@host/name"))
    })?;
    parsed.set_path(&format!("/{DATABASE}"));
    Ok(String::from(parsed).into())
}

/// A port that was free a moment ago, so that a login of the person that waits on the usual one is left alone.
fn free_port() -> std::io::Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn led(url: &str) -> String {
        other_database(&url.to_owned().into(), "DATABASE_URL").unwrap().expose_secret().to_owned()
    }

    #[test]
    fn the_line_for_the_shell_holds_no_password() {
        assert_eq!(
            shell_line("postgresql://a:b@h/x?password=c&sslmode=require"),
            "psql 'postgresql://a@h/x?sslmode=require'"
        );
        assert_eq!(shell_line("postgresql:///x?host=%2Frun&port=1"), "psql 'postgresql:///x?host=%2Frun&port=1'");
        assert_eq!(shell_line("host=/run password=c dbname=x"), "psql 'dbname=health_demo'");
    }

    #[test]
    fn any_form_of_address_is_led_to_the_demo() {
        assert_eq!(
            led("postgresql://a:b@db.example:5433/own?sslmode=require"),
            "postgresql://a:b@db.example:5433/health_demo?sslmode=require"
        );
        assert_eq!(
            led("postgresql:///own?host=%2Frun%2Fpg&port=5433"),
            "postgresql:///health_demo?host=%2Frun%2Fpg&port=5433"
        );
        assert_eq!(led("postgres://localhost"), "postgres://localhost/health_demo");
        assert_eq!(led("host=/run user=a dbname=own"), "host=/run user=a dbname=own dbname=health_demo");
    }
}
