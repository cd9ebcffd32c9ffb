//! What a person does with it: start, look, connect, stop, delete.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use postgres::{Client, NoTls};

use super::sandbox::{Sandbox, wait};

#[test]
fn it_starts_once_serves_and_ends() {
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.status()["condition"], "not initialised");
    assert!(sandbox.ok(&["db", "start", "--dry-run"]).starts_with("would make"));
    assert!(sandbox.ok(&["db", "stop", "--dry-run"]).starts_with("nothing to stop"));
    assert!(sandbox.ok(&["demo", "--dry-run"]).starts_with("would make the private PostgreSQL"));
    assert!(!sandbox.home().join("pg").exists(), "looking creates nothing");
    assert_eq!(sandbox.ok(&["db", "stop"]), "the private PostgreSQL was not running");

    let first = sandbox.ok(&["db", "start"]);
    assert!(first.starts_with("PostgreSQL ") && first.contains("is running, port "), "{first}");
    let pid = sandbox.pid();
    sandbox.ok(&["db", "start"]);
    assert_eq!(sandbox.pid(), pid, "a second start finds the first");
    assert!(sandbox.ok(&["db", "stop", "--dry-run"]).starts_with("would stop"));
    assert_eq!(sandbox.pid(), pid, "a dry run stopped it");

    let status = sandbox.status();
    assert_eq!(status["condition"], "running");
    assert_eq!(status["databases"][0]["name"], "health");
    assert!(status["bytes"].as_u64().unwrap() > 10_000_000);

    let mut client = sandbox.client();
    let row = client
        .query_one(
            "select current_user::text, current_setting('data_checksums'), current_setting('server_encoding'), \
             current_setting('timezone'), current_setting('wal_level'), current_setting('jit')",
            &[],
        )
        .unwrap();
    let settings: Vec<String> = (0..6).map(|column| row.get(column)).collect();
    assert_eq!(settings, ["health", "on", "UTF8", "UTC", "minimal", "off"]);

    refuses_to_stop_while_in_use(&sandbox, client);
    assert_eq!(sandbox.status()["condition"], "stopped");
    let port = status["port"].clone();
    let again = sandbox.run(&["db", "url"]).both();
    // Another test's server may have taken it meanwhile, which is said then.
    let taken = again.contains("is taken by another program");
    assert!(taken || sandbox.status()["port"] == port, "the port outlives a restart: {again}");

    password_opens_tcp(&sandbox);
    psql_gets_its_arguments(&sandbox);
    no_secret_in_the_server(&sandbox);

    let refused = sandbox.run(&["db", "destroy"]);
    assert_eq!(refused.code(), 2, "{}", refused.both());
    let data = sandbox.data_dir();
    sandbox.ok(&["db", "destroy", "--dry-run"]);
    assert!(data.exists());
    sandbox.ok(&["db", "destroy", "--yes"]);
    assert!(!data.exists() && !sandbox.home().join("pg").exists());
    assert_eq!(sandbox.status()["condition"], "not initialised");
}

fn refuses_to_stop_while_in_use(sandbox: &Sandbox, mut client: Client) {
    client.batch_execute("set application_name = 'Grafana'").unwrap();
    let refused = sandbox.run(&["db", "stop"]);
    assert_eq!(refused.code(), 10, "{}", refused.both());
    assert!(refused.stderr().contains("Grafana on health (socket"), "{}", refused.stderr());
    client.simple_query("select 1").expect("the session survives a refused stop");
    sandbox.ok(&["db", "stop", "--force"]);
    assert!(client.simple_query("select 1").is_err());
}

fn password_opens_tcp(sandbox: &Sandbox) {
    let bare = sandbox.ok(&["db", "url", "--tcp"]);
    assert!(Client::connect(&bare, NoTls).is_err(), "TCP needs the password");
    let whole = sandbox.ok(&["db", "url", "--tcp", "--show-password"]);
    assert_eq!(Client::connect(&whole, NoTls).unwrap().query_one("select 1", &[]).unwrap().get::<_, i32>(0), 1);

    let pg = sandbox.home().join("pg");
    let password = fs::read_to_string(pg.join("password")).unwrap();
    assert!(whole.contains(&password) && !bare.contains(&password));
    assert!(fs::read_to_string(pg.join("pgpass")).unwrap().contains(&password));
    for name in ["password", "pgpass", "state.json", "lock"] {
        let mode = fs::metadata(pg.join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{name}");
    }
}

fn psql_gets_its_arguments(sandbox: &Sandbox) {
    let ran = sandbox.run(&["db", "psql", "--", "-XAtc", "select current_database() || ' ' || current_user"]);
    if ran.code() == 11 {
        assert!(ran.stderr().contains("there is no psql"), "{}", ran.both());
        return;
    }
    assert_eq!((ran.code(), ran.stdout().as_str()), (0, "health health"), "{}", ran.both());
    assert_eq!(sandbox.run(&["db", "psql", "--", "-XAtc", "select nonsense"]).code(), 1, "psql's own exit code");
}

/// The server lives for months; what stood in the environment of the command that started it must not.
fn no_secret_in_the_server(sandbox: &Sandbox) {
    sandbox.ok(&["db", "stop"]);
    let mut start = sandbox.command(&["db", "start"]);
    start.env("WHOOP_CLIENT_SECRET", "canary-7f3a").env("PGPORT", "1").env("PGDATA", "/nowhere");
    assert!(start.stdout(Stdio::null()).status().unwrap().success());
    let environment = fs::read(format!("/proc/{}/environ", sandbox.pid())).unwrap();
    let environment = String::from_utf8_lossy(&environment);
    assert!(environment.contains("PATH="), "it can be read");
    assert!(!environment.contains("canary") && !environment.contains("PGPORT"), "{environment}");
}

/// In a directory that is too long for a socket and full of characters that have a meaning on the way to the server.
#[test]
fn six_at_once_make_one_cluster_in_an_odd_place() {
    let sandbox = Sandbox::new();
    let odd = sandbox.base().join(format!("it's a, \u{1f642} {}", "x".repeat(100)));
    let sandbox = sandbox.set("HEALTH_HOME", odd.to_str().unwrap());
    fs::create_dir(&odd).unwrap();
    let mut killed = sandbox.command(&["db", "start"]).stderr(Stdio::null()).spawn().unwrap();
    wait(|| unfinished(&odd));
    killed.kill().unwrap();
    killed.wait().unwrap();
    let starts: Vec<_> = (0..6)
        .map(|_| sandbox.command(&["db", "url"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
        .collect();
    let mut notes = String::new();
    let mut addresses = Vec::new();
    for start in starts {
        let output = start.wait_with_output().unwrap();
        notes.push_str(&String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{notes}");
        addresses.push(String::from_utf8(output.stdout).unwrap().trim_end().to_owned());
    }
    assert_eq!(notes.matches("making a database cluster").count(), 1, "{notes}");
    addresses.dedup();
    assert_eq!(addresses.len(), 1, "{addresses:?}");
    Client::connect(&addresses[0], NoTls).unwrap();
    let socket = sandbox.status()["socket_dir"].as_str().unwrap().to_owned();
    assert!(socket.len() < 90, "{socket}");
    assert!(!unfinished(&odd), "what the killed call left is gone");
    sandbox.ok(&["db", "destroy", "--yes"]);
    assert!(!Path::new(&socket).exists() && !odd.join("pg").exists());
}

/// Whether `initdb` is at work, or was when its call was killed.
fn unfinished(home: &Path) -> bool {
    let majors = fs::read_dir(home.join("pg")).into_iter().flatten().flatten();
    let entries = majors.flat_map(|major| fs::read_dir(major.path()).into_iter().flatten().flatten());
    entries.into_iter().any(|entry| entry.file_name().to_string_lossy().starts_with("data.new."))
}

#[test]
fn an_address_of_ones_own_is_left_alone() {
    let sandbox = Sandbox::new().set("DATABASE_URL", "postgresql://me:hunter2@db.example/mine");
    for (arguments, code) in [(["db", "start"], 0), (["db", "status"], 0), (["db", "stop"], 2), (["db", "destroy"], 2)]
    {
        let ran = sandbox.run(&arguments);
        assert_eq!(ran.code(), code, "{}", ran.both());
        assert!(ran.both().contains("external database in use (db.example/mine"), "{}", ran.both());
        assert!(!ran.both().contains("hunter2"));
    }
    assert_eq!(sandbox.ok(&["db", "url"]), "postgresql://me@db.example/mine");
    assert_eq!(sandbox.ok(&["db", "url", "--show-password"]), "postgresql://me:hunter2@db.example/mine");
    assert!(!sandbox.home().exists(), "nothing is created");
    // What follows removes the sandbox, which must not ask this address.
    drop(sandbox.set("DATABASE_URL", ""));
}

#[test]
fn doctor_makes_and_starts_nothing() {
    let sandbox = Sandbox::new();
    let ran = sandbox.ok(&["doctor"]);
    assert!(ran.contains("there is no private PostgreSQL yet") && ran.contains("fix: health db start"), "{ran}");
    assert!(!sandbox.home().join("pg").exists(), "looking made something");

    sandbox.ok(&["db", "start"]);
    sandbox.ok(&["migrate"]);
    assert!(sandbox.ok(&["doctor"]).contains("(private), schema "));
    sandbox.ok(&["db", "stop"]);
    let ran = sandbox.ok(&["doctor"]);
    assert!(ran.contains("does not run") && ran.contains("fix: health db start"), "{ran}");
    let status = sandbox.status();
    assert_eq!(status["condition"], "stopped", "looking started it");
    // Nor does a start leave complaints in the server's log.
    sandbox.ok(&["db", "start"]);
    let log = fs::read_to_string(status["log"].as_str().unwrap()).unwrap();
    assert!(!log.contains("ERROR"), "{log}");
}
