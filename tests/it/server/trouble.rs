//! What a server meets in years: kills, stale files, lost files, taken ports, odd directories.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use super::sandbox::{Sandbox, wait};

#[test]
fn it_comes_back_after_a_kill_and_whatever_lies_around() {
    let sandbox = Sandbox::new();
    sandbox.client().batch_execute("create table kept (n int); insert into kept values (1)").unwrap();

    sandbox.kill_server();
    let data = sandbox.data_dir();
    assert!(data.join("postmaster.pid").exists(), "a killed server leaves its file");
    assert_eq!(kept(&sandbox), 1);

    // The number in the file belongs to somebody else by now.
    sandbox.kill_server();
    let mut stranger = Command::new("sleep").arg("600").stdout(Stdio::null()).spawn().unwrap();
    let file = data.join("postmaster.pid");
    let text = fs::read_to_string(&file).unwrap();
    let (_, rest) = text.split_once('\n').unwrap();
    fs::write(&file, format!("{}\n{rest}", stranger.id())).unwrap();
    assert_eq!(kept(&sandbox), 1);
    assert!(stranger.try_wait().unwrap().is_none(), "the stranger lives");
    stranger.kill().unwrap();
    stranger.wait().unwrap();

    orphans_are_waited_for(&sandbox);
    a_taken_port_is_left_to_its_owner(&sandbox);
    lost_files_are_made_again(&sandbox);
}

fn kept(sandbox: &Sandbox) -> i64 {
    sandbox.client().query_one("select count(*) from kept", &[]).unwrap().get(0)
}

/// A backend that outlives its server may be committing: nothing may start under it.
fn orphans_are_waited_for(sandbox: &Sandbox) {
    let mut orphan = sandbox.client();
    let pid: i32 = orphan.query_one("select pg_backend_pid()", &[]).unwrap().get(0);
    signal(pid, "-STOP");
    let (server, data) = (sandbox.pid(), sandbox.data_dir());
    signal(server, "-KILL");
    wait(|| fs::read_link(format!("/proc/{server}/cwd")).is_err());
    let mut start = sandbox.command(&["db", "start"]).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut said = BufReader::new(start.stderr.take().unwrap()).lines();
    let waits = said.any(|line| line.unwrap().contains("waiting for the last sessions"));
    assert!(waits, "it started under a living session: {:?}", start.wait());
    assert!(start.try_wait().unwrap().is_none(), "it waits");
    assert!(data.join("postmaster.pid").exists(), "and has removed nothing");
    signal(pid, "-CONT");
    said.for_each(drop);
    assert!(start.wait().unwrap().success());
    assert_eq!(kept(sandbox), 1);
}

fn signal(pid: i32, which: &str) {
    assert!(Command::new("kill").args([which, &pid.to_string()]).status().unwrap().success());
}

fn a_taken_port_is_left_to_its_owner(sandbox: &Sandbox) {
    let port = u16::try_from(sandbox.status()["port"].as_u64().unwrap()).unwrap();
    sandbox.ok(&["db", "stop"]);
    let squatter = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let ran = sandbox.run(&["db", "start"]);
    assert_eq!(ran.code(), 0, "{}", ran.both());
    assert!(ran.stderr().contains(&format!("port {port} is taken by another program")), "{}", ran.both());
    assert_ne!(sandbox.status()["port"], port);
    drop(squatter);
    assert_eq!(kept(sandbox), 1);
}

fn lost_files_are_made_again(sandbox: &Sandbox) {
    let pg = sandbox.home().join("pg");
    let (pid, before) = (sandbox.pid(), fs::read_to_string(pg.join("password")).unwrap());
    fs::remove_file(pg.join("state.json")).unwrap();
    fs::remove_file(pg.join("password")).unwrap();
    sandbox.ok(&["db", "start"]);
    assert_eq!(sandbox.pid(), pid, "the running server is found through its own file");
    let after = fs::read_to_string(pg.join("password")).unwrap();
    assert_ne!(before, after);
    let address = sandbox.ok(&["db", "url", "--tcp", "--show-password"]);
    postgres::Client::connect(&address, postgres::NoTls).expect("the server knows the new password");

    sandbox.ok(&["db", "stop"]);
    fs::write(pg.join("state.json"), "{").unwrap();
    assert_eq!(kept(sandbox), 1, "a stopped cluster is found without the state");
}

#[test]
fn directories_that_a_shell_would_change_are_refused_in_words() {
    let sandbox = Sandbox::new();
    let dollar = sandbox.base().join("a$HOME");
    let refused = sandbox.set("HEALTH_HOME", dollar.to_str().unwrap());
    let ran = refused.run(&["db", "start"]);
    assert_eq!(ran.code(), 13, "{}", ran.both());
    drop(refused.set("HEALTH_HOME", "/nonexistent/health")); // what removes the sandbox needs a directory that may be
}

#[test]
fn programs_that_do_not_fit_are_refused_in_words() {
    let sandbox = Sandbox::new().set("HEALTH_PG_BIN", "/nowhere");
    let ran = sandbox.run(&["db", "start"]);
    assert_eq!(ran.code(), 13, "{}", ran.both());
    assert!(ran.stderr().contains("HEALTH_PG_BIN does not work: /nowhere has no initdb"), "{}", ran.both());

    let bare = sandbox.set("HEALTH_PG_BIN", "fetch").set("HEALTH_PG_FETCH", "off");
    let ran = bare.run(&["db", "start"]);
    assert_eq!(ran.code(), 8, "{}", ran.both());
    assert!(ran.stderr().contains("HEALTH_PG_FETCH=off"), "{}", ran.both());
    assert!(ran.stderr().contains("next:  install the package `postgresql`"), "{}", ran.both());
}
