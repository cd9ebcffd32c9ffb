//! The settings of this call, read once. The only module that asks the environment; every error names the variable or
//! the key. Order: environment, `.env` in the current directory, `health.toml` in it or above, the user's file,
//! the system's file, the default (docs/configuration.md).

mod dirs;
mod dotenv;
mod file;
mod home;
mod trust;
mod vars;

use std::path::PathBuf;

use chrono_tz::Tz;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::failure::{Failure, Kind};
use crate::source::Source;
use crate::time::{Clock, parse_instant};

pub(crate) use dirs::Dirs;
pub(crate) use home::Home;
pub(crate) use vars::{PROGRAMS_NEED, VARIABLES, source_variables};

/// The port of the callback where nothing else is set.
const REDIRECT_PORT: u16 = 8765;

/// Everything this call is told from outside.
pub(crate) struct Config {
    pub(crate) dirs: Dirs,
    pub(crate) database: Database,
    /// `--person`, `HEALTH_PERSON`; none: the first person.
    pub(crate) person: Option<String>,
    /// The name that the first person gets.
    pub(crate) person_name: Option<String>,
    pub(crate) home: Home,
    pub(crate) clock: Clock,
    pub(crate) no_input: bool,
    pub(crate) pg: PgSettings,
    /// Non-fatal findings, for `doctor` and `-v`.
    pub(crate) notes: Vec<String>,
    vars: vars::Vars,
    file: file::Merged,
}

/// Where the database is.
#[derive(Debug)]
pub(crate) enum Database {
    /// Our own server, started on demand.
    Private,
    /// One that the person names; `origin` says where, for messages.
    External { url: SecretString, origin: String },
}

/// Settings of the private PostgreSQL (docs/database.md).
#[derive(Clone, Debug)]
pub(crate) struct PgSettings {
    /// `HEALTH_PG_BIN`: directory of the server's programs.
    pub(crate) bin: Option<PathBuf>,
    /// `HEALTH_PG_USER`: account that runs the server when we are root.
    pub(crate) user: Option<String>,
    /// Whether missing programs may be fetched; `HEALTH_PG_FETCH=off` forbids it.
    pub(crate) fetch: bool,
    /// `SUDO_USER`: whose server it is when root acts for somebody.
    pub(crate) sudo_user: Option<String>,
    /// `PATH`, to look for programs and to hand to those that are run.
    pub(crate) path: std::ffi::OsString,
}

/// The person's own application at a source, and the addresses to use.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) client_id: Option<String>,
    pub(crate) client_secret: Option<SecretString>,
    /// Used exactly as given, port and path included.
    pub(crate) redirect_uri: Option<Url>,
    pub(crate) redirect_port: u16,
    pub(crate) base_url: Url,
    pub(crate) authorize_url: Url,
    pub(crate) token_url: Url,
    /// More token endpoints, to be tried where the first refuses ([`crate::source::Auth::token_endpoints`]).
    pub(crate) other_token_urls: Vec<Url>,
}

impl App {
    /// All token endpoints, `first` before the others if it is one of them.
    pub(crate) fn token_urls(&self, first: Option<&str>) -> Vec<&Url> {
        let mut all: Vec<&Url> = std::iter::once(&self.token_url).chain(&self.other_token_urls).collect();
        all.sort_by_key(|url| first != Some(url.as_str())); // stable
        all
    }

    /// The same application with one token endpoint.
    pub(crate) fn at(&self, token_url: &Url) -> Self {
        Self { token_url: token_url.clone(), ..self.clone() }
    }
}

/// What flags say about the configuration itself.
#[derive(Default)]
pub(crate) struct Overrides {
    pub(crate) config_file: Option<PathBuf>,
    pub(crate) person: Option<String>,
    pub(crate) tz: Option<String>,
    pub(crate) no_input: bool,
}

impl Config {
    pub(crate) fn load(overrides: Overrides) -> Result<Self, Failure> {
        let mut notes = Vec::new();
        let vars = vars::Vars::read(&mut notes)?;
        #[cfg(debug_assertions)]
        if let Some(point) = vars.process_text("HEALTH_FAILPOINT") {
            crate::failpoint::armed::arm(&point);
        }
        let dirs = Dirs::find(&vars)?;
        let named = overrides.config_file.or_else(|| vars.text("HEALTH_CONFIG").map(PathBuf::from));
        let file =
            file::Merged::read(&dirs, named.as_deref(), vars.of_process(&[PROGRAMS_NEED, vars::AGENTS].concat()))?;
        let database = database(&vars, &file)?;
        let flag = overrides.tz.as_deref().map(zone).transpose()?;
        let set = vars.text("HEALTH_TZ").map(|name| (name, "HEALTH_TZ"));
        let set = set.or_else(|| file.person_timezone().map(|name| (name, "person.timezone")));
        let named = set.map(|(name, origin)| zone(&name).map(|zone| (zone, origin))).transpose()?;
        let home = Home::new(flag, named, vars::system_zone(&vars).unwrap_or(Tz::UTC));
        let fixed = vars
            .text("HEALTH_NOW")
            .map(|text| {
                parse_instant(&text).ok_or_else(|| {
                    Failure::new(Kind::Config, "HEALTH_NOW is not an instant like 2026-11-21T12:00:00Z")
                        .next("unset HEALTH_NOW, which is for tests, or write it so")
                })
            })
            .transpose()?;
        let pg = PgSettings {
            bin: vars.text("HEALTH_PG_BIN").map(PathBuf::from),
            user: vars.text("HEALTH_PG_USER"),
            fetch: vars.text("HEALTH_PG_FETCH").is_none_or(|text| text != "off"),
            sudo_user: vars.process_text("SUDO_USER"),
            path: vars.process_text("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into()).into(),
        };
        Ok(Self {
            database,
            person: overrides.person.or_else(|| vars.text("HEALTH_PERSON")),
            person_name: file.person_name(),
            home,
            clock: Clock::new(fixed),
            no_input: overrides.no_input || vars.flag("HEALTH_NO_INPUT"),
            pg,
            notes,
            dirs,
            vars,
            file,
        })
    }

    /// The same configuration with another database: for the demo's own.
    pub(crate) fn with_database(mut self, database: Database) -> Self {
        self.database = database;
        self
    }

    /// The same configuration with some variables set, whatever the environment says; `origin` is named in messages.
    pub(crate) fn with_settings(mut self, origin: &'static str, settings: &[(&str, &str)]) -> Self {
        for (name, text) in settings {
            self.vars.set(name, text, origin);
        }
        self
    }

    /// The application and addresses of `source`.
    ///
    /// # Errors
    /// An address that is malformed, or plain http beyond loopback (docs/adr/12).
    pub(crate) fn app(&self, source: &Source) -> Result<App, Failure> {
        let text = |suffix: &str| self.setting(source, suffix).map(|(text, _)| text);
        let api = source.api.as_ref();
        let address = |suffix: &str, default: Option<&str>| -> Result<Url, Failure> {
            let (value, origin) = match (self.setting(source, suffix), default) {
                (Some(found), _) => found,
                (None, Some(default)) => (default.to_owned(), "built in".to_owned()),
                (None, None) => {
                    return Err(Failure::new(Kind::Usage, format!("{} has no interface to log in to", source.title))
                        .next(format!("health sources {}", source.command_name())));
                }
            };
            checked_address(&value, &origin)
        };
        let mut token_urls = self.token_urls(source)?.into_iter();
        let token_url = match token_urls.next() {
            Some(url) => url,
            None => address("TOKEN_URL", api.map(|api| api.auth.token_url))?,
        };
        Ok(App {
            client_id: text("CLIENT_ID"),
            client_secret: self.client_secret(source)?,
            redirect_uri: self
                .setting(source, "REDIRECT_URI")
                .map(|(value, origin)| redirect_address(&value, &origin))
                .transpose()?,
            redirect_port: self.file.redirect_port(source.id).unwrap_or(REDIRECT_PORT),
            base_url: address("BASE_URL", api.map(|api| api.base_url))?,
            authorize_url: address("AUTHORIZE_URL", api.map(|api| api.auth.authorize_url))?,
            token_url,
            other_token_urls: token_urls.collect(),
        })
    }

    /// The token endpoints of a provider that has several: those built in (nothing set, or `auto`), the one whose word is
    /// set, or the addresses that are set, with blanks between them.
    fn token_urls(&self, source: &Source) -> Result<Vec<Url>, Failure> {
        let known = source.api.as_ref().map_or(&[][..], |api| api.auth.token_endpoints);
        if known.is_empty() {
            return Ok(Vec::new());
        }
        let (said, origin) =
            self.setting(source, "TOKEN_URL").unwrap_or_else(|| ("auto".to_owned(), "built in".to_owned()));
        let worded = known.iter().filter(|(word, _)| said == "auto" || said == *word).map(|(_, url)| *url);
        let worded: Vec<&str> = worded.collect();
        let chosen = if worded.is_empty() { said.split_whitespace().collect() } else { worded };
        chosen.into_iter().map(|value| checked_address(value, &origin)).collect()
    }

    /// Addresses that differ from the built-in ones, with where they come from: named before the first request.
    pub(crate) fn changed_addresses(&self, source: &Source) -> Vec<String> {
        ["BASE_URL", "AUTHORIZE_URL", "TOKEN_URL"]
            .iter()
            .filter_map(|suffix| self.setting(source, suffix))
            .map(|(value, origin)| format!("{origin}: {}", without_secrets(&value)))
            .collect()
    }

    /// The named variables of the environment itself that are set: what a child process is given and nothing else.
    pub(crate) fn environment_for(&self, names: &[&str]) -> Vec<(String, String)> {
        self.vars.of_process(names)
    }

    /// Whether the person switched the source off.
    pub(crate) fn is_enabled(&self, source: &Source) -> bool {
        self.file.enabled(source.id)
    }

    /// The value of `<ID>_<SUFFIX>` or `sources.<id>.<suffix>`, and its name for messages.
    fn setting(&self, source: &Source, suffix: &str) -> Option<(String, String)> {
        let name = vars::source_variable(source.id, suffix);
        if let Some(found) = self.vars.get(&name) {
            return Some((found.text.clone(), format!("{name} ({})", found.origin)));
        }
        let key = suffix.to_lowercase();
        self.file.source_text(source.id, &key).map(|text| (text, format!("sources.{}.{key}", source.id)))
    }

    fn client_secret(&self, source: &Source) -> Result<Option<SecretString>, Failure> {
        if let Some((text, _)) = self.setting(source, "CLIENT_SECRET") {
            return Ok(Some(text.into()));
        }
        self.file.source_secret(source.id)
    }

    /// Whether the source's client secret comes from the environment itself, where other programs can read it.
    pub(crate) fn secret_is_in_environment(&self, source: &Source) -> bool {
        self.vars.get(&vars::source_variable(source.id, "CLIENT_SECRET")).is_some_and(|found| found.from_process)
    }
}

fn database(vars: &vars::Vars, file: &file::Merged) -> Result<Database, Failure> {
    for name in ["HEALTH_DATABASE_URL", "DATABASE_URL"] {
        if let Some(found) = vars.get(name) {
            return Ok(Database::External {
                url: found.text.clone().into(),
                origin: format!("{name} ({})", found.origin),
            });
        }
    }
    Ok(match file.database_url()? {
        Some(url) if !url.expose_secret().is_empty() => Database::External { url, origin: "database.url".into() },
        _ => Database::Private,
    })
}

/// The zone that a person names.
pub(crate) fn zone(name: &str) -> Result<Tz, Failure> {
    name.parse().map_err(|_| {
        let shown = crate::output::clean(name);
        Failure::new(Kind::Config, format!("the time zone \"{shown}\" is not a name of the IANA database"))
            .next("use a name like America/Los_Angeles or Europe/Berlin in HEALTH_TZ, --tz or person.timezone")
    })
}

/// An address as it may be shown: no name, no password, no query.
fn without_secrets(value: &str) -> String {
    Url::parse(value).map_or_else(
        |_| "(not an address)".to_owned(),
        |url| format!("{}{}", url.origin().ascii_serialization(), url.path().trim_end_matches('/')),
    )
}

/// An address that may be contacted: https, or plain http for loopback (docs/adr/12).
fn checked_address(value: &str, origin: &str) -> Result<Url, Failure> {
    let url = Url::parse(value).map_err(|_| {
        Failure::new(Kind::Config, format!("{origin} is not an address"))
            .next("unset it for the built-in address, or write one like https://api.example.com")
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Failure::new(Kind::Config, format!("{origin} holds a user name or a password"))
            .next("write the address without what stands before the @"));
    }
    if url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url)) {
        return Ok(url);
    }
    Err(Failure::new(
        Kind::Config,
        format!("{origin}: only https is accepted, plain http for loopback addresses alone"),
    )
    .next("unset it for the built-in address, or write one that begins with https://"))
}

/// A redirect address: this machine by plain http, or anything else whose answer a person pastes.
fn redirect_address(value: &str, origin: &str) -> Result<Url, Failure> {
    let wrong = |what: &str| {
        Failure::new(Kind::Config, format!("{origin}{what}"))
            .next("use http://127.0.0.1:8765/callback/whoop, or an https address")
    };
    let url = Url::parse(value).map_err(|_| wrong(" is not an address"))?;
    if url.scheme() == "http" && !is_loopback(&url) {
        return Err(wrong(": plain http is for this machine alone"));
    }
    Ok(url)
}

/// Whether the host is this machine by name or number.
pub(crate) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_alone() {
        for good in ["https://example.org/x", "http://127.0.0.1:8080", "http://localhost:1/x", "http://[::1]:9"] {
            assert!(checked_address(good, "X").is_ok(), "{good}");
        }
        for bad in ["http://example.org", "http://127.0.0.1.example.org", "ftp://127.0.0.1", "nonsense", "file:///etc"]
        {
            assert!(checked_address(bad, "X").is_err(), "{bad}");
        }
    }
}
