//! The private PostgreSQL: a server of the person's own, found or fetched, made, started and left running on demand.
//!
//! Knows the machine (files, accounts, processes, ports) and nothing about tables; `db` does. Everything here blocks and
//! belongs on the main thread, before any runtime exists. Design and measurements: `stack.md` 2.

#[cfg(not(unix))]
compile_error!("health runs on Linux and macOS; elsewhere use a PostgreSQL of your own from one of them");

mod archive;
mod client;
mod cluster;
mod fetch;
mod find;
mod inspect;
mod layout;
mod owner;
mod process;
mod stale;
mod start;
mod stop;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use postgres::{Client, Config};

use crate::config::{self, Dirs, PgSettings};
use crate::failure::{Failure, Kind};
use client::Refused;
use layout::{Cluster, Home, State};
use owner::Owner;

pub(crate) use client::Session;
pub(crate) use inspect::{Condition, Status, status};

/// The database that commands use unless they say otherwise.
pub(crate) const DATABASE: &str = "health";

/// The role of our cluster; it owns everything in it.
pub(crate) const ROLE: &str = "health";

/// How long a command waits for another one that is starting the server.
const LOCK_PATIENCE: Duration = Duration::from_mins(2);

/// How long a server that is alive may take to let us in.
const START_PATIENCE: Duration = Duration::from_mins(1);

/// What the caller decides about the private PostgreSQL.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    /// The data directory of `health`; the server's files go to `pg` in it.
    pub(crate) home: PathBuf,
    /// `HEALTH_PG_BIN`: a folder of server programs, or the word "fetch".
    pub(crate) bin: Option<PathBuf>,
    /// `HEALTH_PG_USER`: the account that runs the server when the caller is root.
    pub(crate) user: Option<String>,
    /// Whether missing programs may be fetched.
    pub(crate) fetch: bool,
    /// Who called `sudo`.
    pub(crate) sudo_user: Option<String>,
    /// The search path.
    pub(crate) path: OsString,
    /// For sockets whose path would be too long.
    pub(crate) tmp: PathBuf,
}

impl Settings {
    pub(crate) fn new(dirs: &Dirs, pg: &PgSettings) -> Self {
        Self {
            home: dirs.data.clone(),
            bin: pg.bin.clone(),
            user: pg.user.clone(),
            fetch: pg.fetch,
            sudo_user: pg.sudo_user.clone(),
            path: pg.path.clone(),
            tmp: std::env::temp_dir(),
        }
    }
}

impl Settings {
    /// Whether `HEALTH_PG_BIN=fetch` rules out what is installed.
    fn only_fetched(&self) -> bool {
        self.bin.as_deref() == Some(Path::new(find::ONLY_FETCHED))
    }
}

impl From<&config::Config> for Settings {
    fn from(config: &config::Config) -> Self {
        Self::new(&config.dirs, &config.pg)
    }
}

/// A server that was running a moment ago, and how to reach it.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    pub(crate) socket_dir: PathBuf,
    /// On 127.0.0.1, and in the socket's name.
    pub(crate) port: u16,
    /// As the server names it: "18.6".
    pub(crate) version: String,
    pub(crate) bindir: PathBuf,
    /// Ready for `PGPASSFILE`.
    pub(crate) pgpass_file: PathBuf,
    password_file: PathBuf,
}

impl Running {
    fn new(home: &Home, state: State) -> Self {
        Self {
            socket_dir: state.socket_dir,
            port: state.port,
            version: state.version,
            bindir: state.bindir,
            pgpass_file: home.pgpass_file(),
            password_file: home.password_file(),
        }
    }

    /// The driver's parameters over the socket, where the account is the proof and no password is needed.
    pub(crate) fn config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config.host_path(&self.socket_dir).port(self.port).user(ROLE).dbname(database);
        config.application_name("health").connect_timeout(Duration::from_secs(10));
        config
    }

    /// The address for `psql` and other libpq programs.
    pub(crate) fn url(&self, database: &str) -> String {
        let host = encoded(&self.socket_dir.to_string_lossy());
        format!("postgresql:///{}?host={host}&port={}&user={ROLE}", encoded(database), self.port)
    }

    /// The address for tools that know TCP only, with the password if it is given.
    pub(crate) fn tcp_url(&self, database: &str, password: Option<&str>) -> String {
        let password = password.map(|password| format!(":{}", encoded(password))).unwrap_or_default();
        format!("postgresql://{ROLE}{password}@127.0.0.1:{}/{}", self.port, encoded(database))
    }

    /// The password for TCP. Show it only when asked to.
    pub(crate) fn password(&self) -> Result<secrecy::SecretString, Failure> {
        let text = std::fs::read_to_string(&self.password_file);
        let text =
            text.map_err(|error| layout::local(&format!("cannot read {}", self.password_file.display()), &error))?;
        Ok(text.trim().to_owned().into())
    }
}

/// Makes sure that the server runs, whatever that takes, and that the database `health` exists.
pub(crate) fn ensure(settings: &Settings, note: &dyn Fn(&str)) -> Result<Running, Failure> {
    connect(settings, DATABASE, &|_| {}, note).map(|(running, _)| running)
}

/// The same, handing over the connection that proved it: one connect in all when the server is running.
/// `tune` may add parameters of the session. Only the database `health` is created when it is missing.
///
/// # Errors
/// Database where no server can be found, fetched or started; Schema where the database is missing; Busy where another
/// process holds the lock for too long; Local and Config as the files and settings have it.
pub(crate) fn connect(
    settings: &Settings,
    database: &str,
    tune: &dyn Fn(&mut Config),
    note: &dyn Fn(&str),
) -> Result<(Running, Client), Failure> {
    let reach = |running: &Running| {
        let mut config = running.config(database);
        tune(&mut config);
        config
    };
    let known = Home::existing(settings)?.and_then(|home| State::read(&home).map(|state| Running::new(&home, state)));
    if let Some(running) = known {
        match client::open(&reach(&running)) {
            Ok(client) => return Ok((running, client)),
            Err(Refused::Absent | Refused::NotYet | Refused::Full) => {}
            Err(Refused::NoDatabase) if database == DATABASE => {}
            Err(refused) => return Err(refused.failure(database)),
        }
    }
    let running = bring_up(settings, note)?;
    match client::open_patiently(&reach(&running), Duration::from_secs(10)) {
        Ok(client) => Ok((running, client)),
        Err(refused) => Err(refused.failure(database)),
    }
}

fn maintenance(running: &Running) -> Result<Client, Failure> {
    client::open_patiently(&running.config("postgres"), START_PATIENCE).map_err(|refused| refused.failure("postgres"))
}

/// Everything that needs the lock: finds or makes the cluster, starts it, repairs what is missing beside it.
fn bring_up(settings: &Settings, note: &dyn Fn(&str)) -> Result<Running, Failure> {
    let home = Home::create(settings)?;
    let _lock = home.lock(LOCK_PATIENCE)?;
    let found = locate(&home);
    if let Some(running) = alive(&home, found.as_ref()) {
        // Somebody started it while we waited; or it recovers; or only the database is missing.
        match client::open_patiently(&running.config("postgres"), START_PATIENCE) {
            Ok(mut client) => {
                furnish(&home, &running, &mut client)?;
                return Ok(running);
            }
            Err(Refused::Absent) => {}
            Err(refused) => return Err(refused.failure("postgres")),
        }
    }
    let (cluster, owner, binaries) = match found {
        Some(cluster) => {
            let owner = owner::of_existing(settings, &cluster)?;
            let binaries = programs(settings, &home, &owner, &cluster.dir, Some(cluster.major), note)?;
            (cluster, owner, binaries)
        }
        None => new_cluster(settings, &home, note)?,
    };
    let socket_dir = cluster.socket_dir(&settings.tmp, owner.uid(), &home.hash());
    cluster::prepare(&cluster, &home, &owner, &socket_dir)?;
    if !stale::clear(&cluster.data(), &socket_dir, note)? {
        return Err(Refused::Silent.failure("postgres"));
    }
    if !cluster.data().exists() {
        let (password, _) = cluster::password(&home)?;
        note(&format!(
            "making a database cluster with PostgreSQL {} in {}",
            binaries.version.text,
            cluster.data().display()
        ));
        cluster::init(&cluster, &owner, &binaries, &password)?;
    }
    cluster::configure(&cluster.data(), &owner)?;
    let last = State::read(&home).map(|state| state.port);
    let port = start::start(&cluster, &owner, &binaries, &socket_dir, last, note)?;
    let version = binaries.version.text;
    let state = State { cluster: cluster.dir, major: cluster.major, version, bindir: binaries.dir, port, socket_dir };
    state.write(&home)?;
    let running = Running::new(&home, state);
    furnish(&home, &running, &mut maintenance(&running)?)?;
    Ok(running)
}

fn new_cluster(
    settings: &Settings,
    home: &Home,
    note: &dyn Fn(&str),
) -> Result<(Cluster, Owner, find::Binaries), Failure> {
    let place = owner::of_new(settings, home, note)?;
    cluster::open_way(&place.dir, home, &place.owner)?;
    let binaries = programs(settings, home, &place.owner, &place.dir, None, note)?;
    let cluster = Cluster { dir: place.dir, major: binaries.version.major };
    Ok((cluster, place.owner, binaries))
}

fn programs(
    settings: &Settings,
    home: &Home,
    owner: &Owner,
    cluster: &Path,
    wanted: Option<u16>,
    note: &dyn Fn(&str),
) -> Result<find::Binaries, Failure> {
    match find::binaries(settings, owner, cluster, wanted)? {
        Some(binaries) => Ok(binaries),
        None => fetch::fetch(settings, home, owner, cluster, wanted, note),
    }
}

/// The cluster of this home: where the state says, else in the two places where one can be.
fn locate(home: &Home) -> Option<Cluster> {
    let recorded = State::read(home).map(|state| Cluster { dir: state.cluster, major: state.major });
    let recorded = recorded.filter(|cluster| cluster.data().join("PG_VERSION").is_file());
    recorded.or_else(|| Cluster::find(&home.pg)).or_else(|| Cluster::find(&owner::root_place(home)))
}

/// A living server of the cluster, known from its own pid file where the state was lost.
fn alive(home: &Home, cluster: Option<&Cluster>) -> Option<Running> {
    let cluster = cluster?;
    let server = stale::living(&cluster.data())?;
    let known = State::read(home);
    let (port, socket_dir) = (server.port?, server.socket_dir?);
    let (version, bindir) = match known {
        Some(state) => (state.version, state.bindir),
        None => (cluster.major.to_string(), process::program_dir(server.pid).unwrap_or_default()),
    };
    let state = State { cluster: cluster.dir.clone(), major: cluster.major, version, bindir, port, socket_dir };
    Some(Running::new(home, state))
}

/// What has to exist around a running server: the state, the password known on both sides, its pgpass file, the database.
fn furnish(home: &Home, running: &Running, client: &mut Client) -> Result<(), Failure> {
    let (password, fresh) = cluster::password(home)?;
    if fresh {
        client::set_password(client, ROLE, &password)?;
    }
    let lines =
        ["127.0.0.1", "localhost"].map(|host| format!("{host}:{}:*:{ROLE}:{password}\n", running.port)).concat();
    if std::fs::read_to_string(home.pgpass_file()).ok().as_ref() != Some(&lines) {
        layout::replace(&home.pgpass_file(), lines.as_bytes(), None)?;
    }
    if let Some(cluster) = locate(home) {
        let state = State {
            cluster: cluster.dir,
            major: cluster.major,
            version: running.version.clone(),
            bindir: running.bindir.clone(),
            port: running.port,
            socket_dir: running.socket_dir.clone(),
        };
        if State::read(home).as_ref() != Some(&state) {
            state.write(home)?;
        }
    }
    client::create_database(client, DATABASE)
}

/// How a stop ended.
#[derive(Debug, PartialEq)]
pub(crate) enum Stopped {
    Now,
    Already,
}

/// Stops the server. Without `force` it refuses while others are connected.
pub(crate) fn stop(settings: &Settings, force: bool) -> Result<Stopped, Failure> {
    let Some(home) = Home::existing(settings)?.filter(|home| home.pg.is_dir()) else { return Ok(Stopped::Already) };
    let _lock = home.lock(LOCK_PATIENCE)?;
    let cluster = locate(&home);
    let (Some(cluster), Some(running)) = (&cluster, alive(&home, cluster.as_ref())) else {
        return Ok(Stopped::Already);
    };
    if !force {
        let mut client = client::open_patiently(&running.config("postgres"), Duration::from_secs(5))
            .map_err(|refused| refused.failure("postgres").next("health db stop --force"))?;
        let sessions = client::sessions(&mut client)?;
        if !sessions.is_empty() {
            return Err(in_use(&sessions));
        }
    }
    end(&cluster.data(), force)?;
    Ok(Stopped::Now)
}

fn in_use(sessions: &[Session]) -> Failure {
    let one = |session: &Session| {
        let name = crate::output::clean(&session.application);
        format!("{name} on {} ({}, process {})", session.database, session.client, session.pid)
    };
    let list: Vec<String> = sessions.iter().map(one).collect();
    Failure::new(Kind::Busy, format!("the private PostgreSQL is in use by {}", list.join(", ")))
        .kept("it keeps running")
        .next("close these, or: health db stop --force")
}

/// Ends the server politely, and with `force` by any means: what is committed is recovered at the next start.
fn end(data: &Path, force: bool) -> Result<(), Failure> {
    use stop::How::{Fast, Immediate, Kill};
    if !force {
        return stop::stop(data, Fast, Duration::from_mins(1)).map(|_| ());
    }
    let gently = stop::stop(data, Fast, Duration::from_secs(5));
    let firmly = gently.or_else(|_| stop::stop(data, Immediate, Duration::from_secs(5)));
    firmly.or_else(|_| stop::stop(data, Kill, Duration::from_secs(10))).map(|_| ())
}

/// What a destroy removes.
#[derive(Debug)]
pub(crate) struct Doomed {
    pub(crate) dirs: Vec<PathBuf>,
    pub(crate) bytes: u64,
}

/// What `destroy` would remove; `None` where there is nothing.
pub(crate) fn doomed(settings: &Settings) -> Result<Option<Doomed>, Failure> {
    let Some(home) = Home::existing(settings)?.filter(|home| home.pg.is_dir()) else { return Ok(None) };
    let dirs = stop::places(&home, locate(&home).as_ref(), None);
    let bytes = dirs.iter().map(|dir| inspect::size(dir)).sum();
    Ok(Some(Doomed { dirs, bytes }))
}

/// Stops the server at once and removes the cluster with everything in it. `false` where there was nothing.
pub(crate) fn destroy(settings: &Settings) -> Result<bool, Failure> {
    let Some(home) = Home::existing(settings)?.filter(|home| home.pg.is_dir()) else { return Ok(false) };
    let _lock = home.lock(LOCK_PATIENCE)?;
    let cluster = locate(&home);
    let mut socket_dir = State::read(&home).map(|state| state.socket_dir);
    if let Some(cluster) = &cluster {
        let data = cluster.data();
        socket_dir = socket_dir.or_else(|| stale::PidFile::read(&data)?.socket_dir);
        let ended = stop::stop(&data, stop::How::Immediate, Duration::from_secs(10));
        ended.or_else(|_| stop::stop(&data, stop::How::Kill, Duration::from_secs(10)))?;
    }
    stop::remove(&home, cluster.as_ref(), socket_dir.as_deref())?;
    Ok(true)
}

/// Percent-encodes everything that could end a part of an address.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running() -> Running {
        Running {
            socket_dir: PathBuf::from("/home/a b/é/pg/run"),
            port: 54321,
            version: "18.6".into(),
            bindir: PathBuf::new(),
            pgpass_file: PathBuf::new(),
            password_file: PathBuf::new(),
        }
    }

    #[test]
    fn addresses_survive_odd_directories_and_passwords() {
        let url = "postgresql:///health?host=/home/a%20b/%C3%A9/pg/run&port=54321&user=health";
        assert_eq!(running().url("health"), url);
        let config: Config = url.parse().unwrap();
        assert_eq!(config.get_hosts(), running().config("health").get_hosts());
        assert_eq!(running().tcp_url("health", None), "postgresql://health@127.0.0.1:54321/health");
        assert_eq!(running().tcp_url("health", Some("a@/b")), "postgresql://health:a%40/b@127.0.0.1:54321/health");
    }
}
