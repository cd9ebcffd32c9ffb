//! Variables of the environment and of `.env`. The table here makes `.env.example` and `health help env`.

use std::collections::HashMap;
use std::path::Path;

use chrono_tz::Tz;

use super::{dotenv, trust};
use crate::failure::{Failure, Kind};
use crate::source::Source;

/// A variable that the program reads.
pub(crate) struct Variable {
    pub(crate) name: &'static str,
    pub(crate) meaning: &'static str,
}

const fn var(name: &'static str, meaning: &'static str) -> Variable {
    Variable { name, meaning }
}

/// All variables that do not belong to one source.
pub(crate) const VARIABLES: &[Variable] = &[
    var("HEALTH_DATABASE_URL", "the database; wins over DATABASE_URL; without either, a private PostgreSQL is used"),
    var("DATABASE_URL", "the same, where HEALTH_DATABASE_URL is not set; may belong to another project"),
    var("HEALTH_CONFIG", "configuration file to read instead of the user's"),
    var("HEALTH_HOME", "data directory: tokens and the private PostgreSQL"),
    var("HEALTH_PERSON", "whose data it is, when several people share the database"),
    var("HEALTH_TZ", "the person's home zone, written down by migrate, like America/Los_Angeles"),
    var("HEALTH_NOW", "a fixed clock, for tests"),
    var("HEALTH_NO_INPUT", "1: never ask, as if not on a terminal"),
    var("HEALTH_PG_BIN", "directory of the PostgreSQL programs to use; fetch: only a download of our own"),
    var("HEALTH_PG_USER", "account that runs the private PostgreSQL when you are root"),
    var("HEALTH_PG_FETCH", "off: never fetch PostgreSQL programs"),
];

/// The variables of each source with an interface: suffix and meaning.
const SOURCE_SUFFIXES: &[(&str, &str)] = &[
    ("CLIENT_ID", "client id of your own application"),
    ("CLIENT_SECRET", "its client secret"),
    ("REDIRECT_URI", "the redirect address registered there, used exactly"),
    ("BASE_URL", "another address of the interface"),
    ("AUTHORIZE_URL", "another address of the login page"),
    ("TOKEN_URL", "another address of the token endpoint"),
];

/// The variables of `source`, with their meaning.
pub(crate) fn source_variables(source: &Source) -> Vec<(String, String)> {
    SOURCE_SUFFIXES
        .iter()
        .map(|(suffix, meaning)| (source_variable(source.id, suffix), format!("{}: {meaning}", source.title)))
        .collect()
}

/// The name that a misspelt one is close to. Names that begin unlike ours belong to somebody else.
fn nearly_ours(name: &str) -> Option<String> {
    let of_sources = crate::sources::ALL.iter().filter(|source| source.api.is_some()).flat_map(|s| source_variables(s));
    let ours: Vec<String> =
        VARIABLES.iter().map(|one| one.name.to_owned()).chain(of_sources.map(|(name, _)| name)).collect();
    if ours.iter().any(|known| known == name) {
        return None;
    }
    let prefix = |name: &str| name.split('_').next().unwrap_or_default().to_owned();
    let mut ours = ours.into_iter().filter(|known| known != "DATABASE_URL" && prefix(known) == prefix(name));
    ours.find(|known| strsim::damerau_levenshtein(known, name) <= 2)
}

/// `whoop`, `CLIENT_ID` → `WHOOP_CLIENT_ID`.
pub(super) fn source_variable(id: &str, suffix: &str) -> String {
    format!("{}_{suffix}", id.to_uppercase())
}

/// What any program needs of the environment: no setting and no secret of ours is among it.
pub(crate) const PROGRAMS_NEED: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "DBUS_SESSION_BUS_ADDRESS",
    "XDG_RUNTIME_DIR",
];

/// What a command that prints a secret may need beyond that: the agents of SSH and GPG, and its own settings.
pub(super) const AGENTS: &[&str] = &["XDG_CONFIG_HOME", "SSH_AUTH_SOCK", "GPG_TTY", "GNUPGHOME"];

/// A value and where it stands.
pub(super) struct Found {
    pub(super) text: String,
    pub(super) origin: &'static str,
    pub(super) from_process: bool,
}

/// The environment over `.env`. Empty values count as not set.
#[derive(Default)]
pub(super) struct Vars(HashMap<String, Found>);

impl Vars {
    #[allow(clippy::disallowed_methods, reason = "the one reader of the environment")]
    pub(super) fn read(notes: &mut Vec<String>) -> Result<Self, Failure> {
        let mut all = Self::default();
        all.read_dotenv(Path::new(".env"), notes)?;
        for (name, value) in std::env::vars_os() {
            if let (Ok(name), Ok(text)) = (name.into_string(), value.into_string())
                && !text.is_empty()
            {
                all.0.insert(name, Found { text, origin: "environment", from_process: true });
            }
        }
        Ok(all)
    }

    /// Reads `.env` unless somebody else could have written it: it may redirect every address (docs/adr/13).
    fn read_dotenv(&mut self, path: &Path, notes: &mut Vec<String>) -> Result<(), Failure> {
        let Ok(meta) = std::fs::metadata(path) else { return Ok(()) };
        if trust::expect_ours(path, &meta)? {
            notes.push(".env can be read by other users of this machine; chmod 600 .env".into());
        }
        if !meta.is_file() {
            return Ok(());
        }
        let bytes = std::fs::read(path).map_err(|error| Failure::new(Kind::Config, format!(".env: {error}")))?;
        let pairs = dotenv::parse(&bytes).map_err(|dotenv::Unreadable { line, why }| {
            Failure::new(Kind::Config, format!("line {line} of .env cannot be read: {why}"))
                .kept("nothing was sent anywhere")
                .next(format!("vi +{line} .env    NAME=value, or NAME='a value with blanks'"))
        })?;
        for (line, name, text) in pairs {
            if let Some(meant) = nearly_ours(&name) {
                return Err(Failure::new(
                    Kind::Config,
                    format!("line {line} of .env: {name} is not read by health; did you mean {meant}?"),
                )
                .kept("nothing was sent anywhere")
                .next("health help env"));
            }
            if !text.is_empty() {
                self.0.insert(name, Found { text, origin: ".env", from_process: false });
            }
        }
        Ok(())
    }

    /// Sets one as if it had been found first.
    pub(super) fn set(&mut self, name: &str, text: &str, origin: &'static str) {
        self.0.insert(name.to_owned(), Found { text: text.to_owned(), origin, from_process: false });
    }

    pub(super) fn get(&self, name: &str) -> Option<&Found> {
        self.0.get(name)
    }

    pub(super) fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).map(|found| found.text.clone())
    }

    /// A value of the environment itself: directories are never taken from `.env`.
    pub(super) fn process_text(&self, name: &str) -> Option<String> {
        self.0.get(name).filter(|found| found.from_process).map(|found| found.text.clone())
    }

    /// Those of the named variables that the environment itself sets.
    pub(super) fn of_process(&self, names: &[&str]) -> Vec<(String, String)> {
        names.iter().filter_map(|name| Some(((*name).to_owned(), self.process_text(name)?))).collect()
    }

    pub(super) fn flag(&self, name: &str) -> bool {
        self.0.get(name).is_some_and(|found| !matches!(found.text.as_str(), "0" | "false" | "no" | "off"))
    }
}

/// The zone of this machine: `TZ`, else the target of `/etc/localtime`, else `/etc/timezone`.
pub(super) fn system_zone(vars: &Vars) -> Option<Tz> {
    if let Some(name) = vars.process_text("TZ") {
        return name.trim_start_matches(':').parse().ok();
    }
    let link = std::fs::read_link("/etc/localtime").ok();
    let from_link = link
        .as_deref()
        .and_then(Path::to_str)
        .and_then(|path| path.split_once("zoneinfo/"))
        .map(|(_, name)| name.to_owned());
    let name =
        from_link.or_else(|| std::fs::read_to_string("/etc/timezone").ok().map(|text| text.trim().to_owned()))?;
    name.trim_start_matches("posix/").trim_start_matches("right/").parse().ok()
}
