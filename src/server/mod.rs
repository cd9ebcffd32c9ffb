//! The private PostgreSQL: a server of the person's own, found or fetched, made, started and left running on demand.
//!
//! Knows the machine (files, accounts, processes, ports) and nothing about tables; `db` does. Everything here blocks and
//! belongs on the main thread, before any runtime exists. Design and measurements: docs/database.md.

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
mod pins;
mod process;
mod running;
mod stale;
mod start;
mod stop;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use postgres::{Client, Config};

use crate::config::{self, Dirs, PgSettings};
use crate::failure::Failure;
use client::Refused;
use layout::{Cluster, Home, State};
use owner::Owner;

pub(crate) use client::Session;
pub(crate) use inspect::{Condition, Status, status};
pub(crate) use running::Running;
pub(crate) use stop::{Stopped, destroy, doomed, stop};

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
