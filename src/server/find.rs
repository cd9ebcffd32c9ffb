//! Finds PostgreSQL's server programs on this machine and says which version they are.
//!
//! Only looks and asks for versions. Downloading is `fetch`; what the programs are used for is not known here.

use std::fs;
use std::path::{Path, PathBuf};

use super::Settings;
use super::owner::Owner;
use crate::failure::{Failure, Kind};

/// The majors that migrations and models are written for (docs/database.md).
const SUPPORTED: std::ops::RangeInclusive<u16> = 15..=19;

/// A folder with `initdb`, `pg_ctl` and `postgres` of one version that the owner account may run.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Binaries {
    pub(crate) dir: PathBuf,
    pub(crate) version: Version,
}

/// A server version as its program prints it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Version {
    pub(crate) major: u16,
    /// "18.6", "19devel".
    pub(crate) text: String,
}

/// What looking around brought: usable binaries in order of preference, and why others were passed over.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) usable: Vec<Binaries>,
    pub(super) passed_over: Vec<String>,
}

/// The word that `HEALTH_PG_BIN` may hold instead of a folder: use our own download, whatever else is installed.
pub(super) const ONLY_FETCHED: &str = "fetch";

/// The first usable binaries; with `wanted`, of exactly that major. `None` where there are none and fetching may help.
pub(super) fn binaries(
    settings: &Settings,
    owner: &Owner,
    cluster: &Path,
    wanted: Option<u16>,
) -> Result<Option<Binaries>, Failure> {
    if let Some(dir) = settings.bin.as_deref().filter(|_| !settings.only_fetched()) {
        return named(dir, owner, wanted).map(Some);
    }
    for dir in candidates(settings, cluster) {
        if let Ok(binaries) = probe(&dir, owner)
            && fits(&binaries.version, wanted)
        {
            return Ok(Some(binaries));
        }
    }
    Ok(None)
}

/// Everything that is installed, for `status` and for the message when nothing fits.
pub(super) fn survey(settings: &Settings, owner: &Owner, cluster: &Path, wanted: Option<u16>) -> Found {
    let mut found = Found::default();
    for dir in candidates(settings, cluster) {
        match probe(&dir, owner) {
            Ok(binaries) if fits(&binaries.version, wanted) => found.usable.push(binaries),
            Ok(binaries) => found.passed_over.push(format!("{} is version {}", dir.display(), binaries.version.text)),
            Err(why) => found.passed_over.push(why),
        }
    }
    found
}

fn fits(version: &Version, wanted: Option<u16>) -> bool {
    SUPPORTED.contains(&version.major) && wanted.is_none_or(|major| major == version.major)
}

/// `HEALTH_PG_BIN` is an order, not a hint: what it names has to work.
fn named(dir: &Path, owner: &Owner, wanted: Option<u16>) -> Result<Binaries, Failure> {
    // The programs are run elsewhere, so a relative folder has to be made absolute here.
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    let binaries = probe(&dir, owner).map_err(|why| {
        Failure::new(Kind::Config, format!("HEALTH_PG_BIN does not work: {why}"))
            .next("unset HEALTH_PG_BIN, or name the folder that holds initdb and pg_ctl")
    })?;
    if fits(&binaries.version, wanted) {
        return Ok(binaries);
    }
    let what = match wanted {
        Some(major) => {
            format!("HEALTH_PG_BIN is PostgreSQL {}, but the cluster was made by {major}", binaries.version.text)
        }
        None => format!("HEALTH_PG_BIN is PostgreSQL {}; supported are 15 to 19", binaries.version.text),
    };
    Err(Failure::new(Kind::Config, what)
        .kept("the cluster is untouched")
        .next("unset HEALTH_PG_BIN, or name a folder of the right version"))
}

/// Asks `postgres --version` as the owner, which also proves that the owner may run it. Errors say why a folder is not usable.
pub(super) fn probe(dir: &Path, owner: &Owner) -> Result<Binaries, String> {
    for program in ["initdb", "pg_ctl", "postgres"] {
        if !dir.join(program).is_file() {
            return Err(format!("{} has no {program}", dir.display()));
        }
    }
    let output = owner.command(dir.join("postgres")).arg("--version").output();
    let output =
        output.map_err(|error| format!("account {} may not run {}/postgres: {error}", owner.name(), dir.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let version = Version::parse(&text).ok_or_else(|| {
        let complaint = String::from_utf8_lossy(&output.stderr);
        let first = complaint.lines().next().unwrap_or("no answer");
        format!("{}/postgres does not say its version: {first}", dir.display())
    })?;
    Ok(Binaries { dir: dir.to_owned(), version })
}

impl Version {
    /// Reads `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let (_, rest) = line.split_once("(PostgreSQL) ")?;
        let text = rest.split_whitespace().next()?.to_owned();
        let digits: String = text.chars().take_while(char::is_ascii_digit).collect();
        Some(Self { major: digits.parse().ok()?, text })
    }
}

/// Folders to look into, best first, each once. They need not exist.
fn candidates(settings: &Settings, cluster: &Path) -> Vec<PathBuf> {
    let mut dirs = Vec::new();
    let mut add = |dir: PathBuf| {
        if dir.is_dir() && !dirs.contains(&dir) {
            dirs.push(dir);
        }
    };
    if settings.bin.is_none() {
        on_path(settings).into_iter().for_each(&mut add);
        known_layouts(Path::new("/")).into_iter().for_each(&mut add);
    }
    super::fetch::unpacked(cluster).into_iter().for_each(&mut add);
    dirs
}

/// Where `initdb` and `postgres` of the search path really are, and what `pg_config` there says.
fn on_path(settings: &Settings) -> Vec<PathBuf> {
    let mut dirs = Vec::new();
    for dir in std::env::split_paths(&settings.path) {
        let real = ["initdb", "postgres"].iter().filter_map(|program| dir.join(program).canonicalize().ok());
        dirs.extend(real.filter_map(|file| file.parent().map(Path::to_owned)));
    }
    let mut pg_config = std::process::Command::new("pg_config");
    pg_config.arg("--bindir").env("PATH", &settings.path).stdin(std::process::Stdio::null());
    if let Ok(output) = pg_config.output()
        && let Ok(text) = String::from_utf8(output.stdout)
    {
        dirs.push(PathBuf::from(text.trim_end()));
    }
    dirs
}

/// Where packages put the server, newest first within each layout. Debian's was tried, the others are as their packages document them.
fn known_layouts(root: &Path) -> Vec<PathBuf> {
    let layouts: [(&str, &str, &str); 6] = [
        ("usr/lib/postgresql", "", "bin"),          // Debian, Ubuntu
        ("usr", "pgsql-", "bin"),                   // rpm packages of the PostgreSQL project
        ("usr/libexec", "postgresql", ""),          // Alpine
        ("opt/homebrew/opt", "postgresql@", "bin"), // Homebrew, Apple silicon
        ("usr/local/opt", "postgresql@", "bin"),    // Homebrew, Intel
        ("opt/local/lib", "postgresql", "bin"),     // MacPorts
    ];
    let mut dirs = Vec::new();
    for (parent, prefix, bin) in layouts {
        dirs.extend(numbered(&root.join(parent), prefix).into_iter().map(|dir| dir.join(bin)));
    }
    dirs.push(root.join("usr/bin")); // Fedora, Arch
    let app = root.join("Applications/Postgres.app/Contents/Versions");
    dirs.extend(numbered(&app, "").into_iter().map(|dir| dir.join("bin")));
    dirs
}

/// Entries of `parent` named `<prefix><number>`, highest number first.
fn numbered(parent: &Path, prefix: &str) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
    let number = |entry: &fs::DirEntry| entry.file_name().to_str()?.strip_prefix(prefix)?.parse::<u16>().ok();
    let mut found: Vec<(u16, PathBuf)> =
        entries.flatten().filter_map(|entry| Some((number(&entry)?, entry.path()))).collect();
    found.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    found.into_iter().map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_as_programs_print_them() {
        let cases = [
            ("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n", Some((15, "15.18"))),
            ("postgres (PostgreSQL) 18.6\n", Some((18, "18.6"))),
            ("postgres (PostgreSQL) 19devel", Some((19, "19devel"))),
            ("postgres (PostgreSQL) 18beta1", Some((18, "18beta1"))),
            ("postgres (EnterpriseDB) 16.1", None),
            ("", None),
        ];
        for (line, expected) in cases {
            let parsed = Version::parse(line).map(|version| (version.major, version.text));
            assert_eq!(parsed, expected.map(|(major, text)| (major, text.to_owned())), "{line}");
        }
    }

    #[test]
    fn only_supported_majors_fit_and_a_cluster_keeps_its_own() {
        let version = |major| Version { major, text: String::new() };
        assert!(!fits(&version(14), None));
        assert!(fits(&version(15), None));
        assert!(fits(&version(19), None));
        assert!(!fits(&version(20), None));
        assert!(fits(&version(15), Some(15)));
        assert!(!fits(&version(18), Some(15)));
    }

    #[test]
    fn the_newest_of_a_layout_comes_first() {
        let root = tempfile::tempdir().unwrap();
        for dir in [
            "usr/lib/postgresql/9/bin",
            "usr/lib/postgresql/15/bin",
            "usr/lib/postgresql/18/bin",
            "usr/libexec/postgresql16",
        ] {
            fs::create_dir_all(root.path().join(dir)).unwrap();
        }
        let found = known_layouts(root.path());
        let expected = [
            "usr/lib/postgresql/18/bin",
            "usr/lib/postgresql/15/bin",
            "usr/lib/postgresql/9/bin",
            "usr/libexec/postgresql16",
            "usr/bin",
        ];
        assert_eq!(found, expected.map(|dir| root.path().join(dir)));
    }
}
