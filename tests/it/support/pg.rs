//! A throwaway PostgreSQL for the test process, and a database of its own for every test.
//!
//! `HEALTH_TEST_DATABASE_URL` if given; otherwise a cluster that the program under test makes and starts itself.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};

use postgres::{Client, NoTls};
use url::Url;

pub const HEALTH: &str = env!("CARGO_BIN_EXE_health");

struct Cluster {
    url: String,
    template: String,
    /// Held open: the watchdog destroys the cluster when this end closes, however the test process ends.
    _watchdog: Option<Mutex<ChildStdin>>,
}

fn cluster() -> &'static Cluster {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    CLUSTER.get_or_init(|| {
        let (url, watchdog) = match std::env::var("HEALTH_TEST_DATABASE_URL") {
            Ok(url) => (url, None),
            Err(_) => own_cluster(),
        };
        let template = format!("health_it_{}", std::process::id());
        let mut admin = connect(&url);
        sweep(&mut admin);
        admin.batch_execute(&format!("create database {template}")).expect("the template database");
        let url_of_template = with_database(&url, &template);
        let migrate = &mut bare(&["migrate"]);
        let migrate = migrate.env("HEALTH_DATABASE_URL", &url_of_template).env("HEALTH_TZ", super::cli::ZONE);
        let out = migrate.output().expect("health migrate");
        assert!(out.status.success(), "health migrate: {}{}", text(&out.stdout), text(&out.stderr));
        Cluster { url, template, _watchdog: watchdog.map(Mutex::new) }
    })
}

/// Databases that a test process left behind on a server that outlives it.
fn sweep(admin: &mut Client) {
    let rows =
        admin.query("select datname from pg_database where datname like 'health\\_it\\_%'", &[]).expect("databases");
    for row in rows {
        let name: String = row.get(0);
        let pid = name.split('_').nth(2).unwrap_or("");
        if !Path::new("/proc").join(pid).exists() {
            let _ = admin.batch_execute(&format!("drop database if exists {name} with (force)"));
        }
    }
}

/// The program itself, with nothing of the caller's environment but the search path.
pub fn bare(args: &[&str]) -> Command {
    through(&[], args)
}

/// The same, run by another program: `strace …`.
pub fn through(prefix: &[String], args: &[&str]) -> Command {
    let mut words = prefix.iter().map(String::as_str).chain([HEALTH]);
    let mut command = Command::new(words.next().expect("a program"));
    command
        .args(words)
        .args(args)
        .env_clear()
        .env("PATH", std::env::var("PATH").unwrap_or_default())
        .stdin(Stdio::null());
    for name in ["HEALTH_PG_BIN", "HEALTH_PG_USER", "HEALTH_PG_FETCH", "SUDO_USER"] {
        if let Ok(value) = std::env::var(name) {
            command.env(name, value);
        }
    }
    command
}

fn own_cluster() -> (String, Option<ChildStdin>) {
    let home = scratch().join(format!("health-it-{}", std::process::id()));
    // The account that owns the server must be able to walk through both.
    for folder in [home.clone(), home.join("data")] {
        std::fs::create_dir_all(&folder).expect("a home");
        std::fs::set_permissions(&folder, PermissionsExt::from_mode(0o711)).expect("permissions");
    }
    let set = |c: &mut Command| {
        for (name, folder) in [("HEALTH_HOME", "data"), ("XDG_CONFIG_HOME", "config"), ("XDG_STATE_HOME", "state")] {
            c.env(name, home.join(folder));
        }
        c.env("HOME", &home);
        c.current_dir(&home);
    };
    let mut dog = Command::new("sh");
    // A signal to the whole group of the tests, as Ctrl-C or a time limit sends it, must not reach the watchdog.
    dog.process_group(0)
        .args([
            "-c",
            r#"trap '' INT TERM HUP; read _; "$0" db stop --force; "$0" db destroy --yes; rm -rf "$1""#,
            HEALTH,
        ])
        .arg(&home);
    set(&mut dog);
    let mut dog = dog.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a watchdog");
    let leash = dog.stdin.take().expect("a pipe");

    let run = |args: &[&str]| {
        let mut command = bare(args);
        set(&mut command);
        let out = command.output().expect("health db");
        assert!(out.status.success(), "health {}: {}{}", args.join(" "), text(&out.stdout), text(&out.stderr));
        text(&out.stdout).trim().to_owned()
    };
    run(&["db", "start"]);
    let url = run(&["db", "url"]);
    let mut admin = connect(&url);
    for setting in ["fsync", "full_page_writes", "synchronous_commit"] {
        admin.batch_execute(&format!("alter system set {setting} = off")).expect("a setting");
    }
    admin.batch_execute("select pg_reload_conf()").expect("reload");
    (url, Some(leash))
}

/// A database of one test, dropped with it.
pub struct Database {
    pub url: String,
    name: String,
}

impl Database {
    /// Migrated, and otherwise empty.
    pub fn migrated() -> Self {
        Self::create(&format!("template {}", cluster().template))
    }

    /// Nothing in it at all.
    pub fn empty() -> Self {
        Self::create("template template0")
    }

    /// A copy of a database that `fill` fills the first time that this name is asked for.
    pub fn copy_of(name: &str, fill: impl FnOnce(Database) -> Database) -> Self {
        static FILLED: Mutex<BTreeMap<String, Arc<OnceLock<String>>>> = Mutex::new(BTreeMap::new());
        let filled = {
            let mut all = FILLED.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            Arc::clone(all.entry(name.to_owned()).or_default())
        };
        let from = filled.get_or_init(|| {
            let mut db = fill(Database::migrated());
            db.quiet();
            std::mem::take(&mut db.name) // stays for the others
        });
        Self::create(&format!("template {from}"))
    }

    fn create(from: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(1);
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let cluster = cluster();
        let name = format!("{}_{}", cluster.template, NEXT.fetch_add(1, Ordering::SeqCst));
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let create = format!("create database {name} {from} strategy file_copy");
        connect(&cluster.url).batch_execute(&create).expect("a database");
        Database { url: with_database(&cluster.url, &name), name }
    }

    /// A database of another cluster, which a test made for itself and may restart.
    pub fn at(url: &str) -> Self {
        Database { url: url.to_owned(), name: String::new() }
    }

    pub fn client(&self) -> Client {
        connect(&self.url)
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// Waits until no session but the asking one is left: the server notices a killed client within two seconds, and
    /// its locks are held until then.
    pub fn quiet(&self) {
        let mut admin = Self::server();
        let sessions = "select count(*) from pg_stat_activity where datname = $1";
        super::world::until(|| admin.query_one(sessions, &[&self.name]).expect("sessions").get::<_, i64>(0) == 0);
    }

    /// A connection to another database of the same server, to look at this one from outside.
    pub fn server() -> Client {
        connect(&cluster().url)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if self.name.is_empty() {
            return;
        }
        if let Ok(mut admin) = Client::connect(&cluster().url, NoTls) {
            let _ = admin.batch_execute(&format!("drop database if exists {} with (force)", self.name));
        }
    }
}

fn connect(url: &str) -> Client {
    let mut client = Client::connect(url, NoTls).unwrap_or_else(|e| panic!("{url}: {e}"));
    client.batch_execute("set timezone = 'UTC'").expect("a session");
    client
}

/// The same server, another database.
pub fn with_database(url: &str, name: &str) -> String {
    let mut url = Url::parse(url).expect("a database address");
    url.set_path(&format!("/{name}"));
    url.to_string()
}

pub fn temp_dir(name: &str) -> tempfile::TempDir {
    tempfile::Builder::new().prefix(&format!("health-{name}-")).tempdir_in(scratch()).expect("a folder")
}

/// Memory where there is plenty of it: a database is 600 files, and there is one for nearly every test, which some
/// disks take a third of a second to make.
fn scratch() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let roomy = rustix::fs::statvfs(memory).is_ok_and(|fs| fs.f_bavail * fs.f_frsize > 4 << 30);
    if roomy && tempfile::tempfile_in(memory).is_ok() { memory.to_owned() } else { std::env::temp_dir() }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Every file below a folder.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = vec![];
    let Ok(entries) = std::fs::read_dir(folder) else { return found };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}
