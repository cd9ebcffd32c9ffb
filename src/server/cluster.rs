//! Makes a cluster and keeps its configuration files as this program wants them.
//!
//! Knows `initdb` and the text of four files. Whether a server runs is not its business.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::lchown;
use std::path::{Path, PathBuf};

use nix::unistd::geteuid;
use uuid::Uuid;

use super::ROLE;
use super::find::Binaries;
use super::layout::{Cluster, Home, directory, local, remove_tree, replace};
use super::owner::{Owner, account_name};
use crate::failure::{Failure, Kind};

/// What differs from PostgreSQL's defaults.
const SETTINGS: &str = "\
# Written by health; changes here are lost. Put your own settings into postgresql.conf, after the include.
cluster_name = 'health'
listen_addresses = '127.0.0.1'
password_encryption = 'scram-sha-256'
max_connections = 40
max_wal_size = '2GB'
wal_level = 'minimal'
max_wal_senders = 0
jit = off
timezone = 'UTC'
log_timezone = 'UTC'
";

const HBA: &str = "\
# Written by health; changes here are lost.
# The socket asks for the account, TCP for the password in the file `pgpass`.
local all all              peer map=health
host  all all 127.0.0.1/32 scram-sha-256
host  all all ::1/128      scram-sha-256
";

/// A cluster that is being made is called this and the number of the process.
const UNFINISHED: &str = "data.new.";

const INCLUDE: &str = "\n# Added by health.\ninclude_if_exists = 'health.conf'\n";

/// The password for TCP; a lost file gets a new one, which the caller must then tell the server (`true`).
pub(super) fn password(home: &Home) -> Result<(String, bool), Failure> {
    let path = home.password_file();
    if let Ok(text) = fs::read_to_string(&path)
        && text.trim().len() >= 32
    {
        return Ok((text.trim().to_owned(), false));
    }
    let mut text = format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple());
    text.truncate(48);
    replace(&path, text.as_bytes(), None)?;
    Ok((text, true))
}

/// The directory that a cluster and fetched programs go into: the owner may pass through it and can replace nothing in it.
pub(super) fn open_way(dir: &Path, home: &Home, owner: &Owner) -> Result<(), Failure> {
    if owner.chown().is_none() {
        return directory(dir, 0o700);
    }
    directory(dir, 0o711)?;
    if dir == home.pg {
        set_mode(dir, 0o711)?;
    }
    belongs_to_us(dir)
}

/// The directories around the data, made so that the owner can work in them and can replace none of them.
pub(super) fn prepare(cluster: &Cluster, home: &Home, owner: &Owner, socket_dir: &Path) -> Result<(), Failure> {
    let foreign = owner.chown();
    open_way(&cluster.dir, home, owner)?;
    directory(&cluster.major_dir(), if foreign.is_some() { 0o711 } else { 0o700 })?;
    if fs::symlink_metadata(socket_dir).is_err() {
        directory(socket_dir, 0o700)?;
        give(socket_dir, foreign)?;
    }
    private_to(socket_dir, owner)?;
    if !cluster.log().exists() {
        replace(&cluster.log(), b"", foreign)?;
    }
    Ok(())
}

/// Makes a new cluster beside its final place and renames it, so that `data` is always a complete one.
pub(super) fn init(cluster: &Cluster, owner: &Owner, binaries: &Binaries, password: &str) -> Result<(), Failure> {
    // A name of its own: the `initdb` of a call that was killed may still be writing into its directory.
    let fresh = cluster.major_dir().join(format!("{UNFINISHED}{}", std::process::id()));
    remove_unfinished(cluster)?;
    let secret = cluster.major_dir().join("pwfile");
    replace(&secret, password.as_bytes(), owner.chown())?;
    let made = locales(binaries.version.major).iter().try_fold((), |(), locale| {
        match initdb(&fresh, &secret, owner, binaries, locale) {
            Ok(()) => Err(Ok(())), // done: leave the loop
            Err(failure) if locale == locales(binaries.version.major).last().unwrap_or(locale) => Err(Err(failure)),
            Err(_) => Ok(()),
        }
    });
    let _ = fs::remove_file(&secret);
    made.err().unwrap_or(Ok(()))?;
    configure(&fresh, owner)?;
    fs::rename(&fresh, cluster.data())
        .map_err(|error| local(&format!("cannot put the new cluster into {}", cluster.data().display()), &error))?;
    let synced = fs::File::open(cluster.major_dir()).and_then(|dir| dir.sync_all());
    synced.map_err(|error| local(&format!("cannot flush {}", cluster.major_dir().display()), &error))
}

/// Removes what killed calls left; the lock is ours, so nobody needs it.
fn remove_unfinished(cluster: &Cluster) -> Result<(), Failure> {
    let entries = fs::read_dir(cluster.major_dir());
    let entries = entries.map_err(|error| local(&format!("cannot read {}", cluster.major_dir().display()), &error))?;
    let left = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with(UNFINISHED);
    entries.flatten().filter(left).try_for_each(|entry| remove_tree(&entry.path()))
}

/// Locale arguments in order of preference: the builtin provider is immune to updates of the system's collations.
fn locales(major: u16) -> &'static [&'static [&'static str]] {
    if major >= 17 {
        &[&["--locale-provider=builtin", "--locale=C.UTF-8"], &["--locale=C"]]
    } else {
        &[&["--locale=C.UTF-8"], &["--locale=C"]]
    }
}

fn initdb(fresh: &Path, secret: &Path, owner: &Owner, binaries: &Binaries, locale: &[&str]) -> Result<(), Failure> {
    if fresh.exists() {
        remove_tree(fresh)?; // the attempt with another locale
    }
    directory(fresh, 0o700)?;
    give(fresh, owner.chown())?;
    let mut command = owner.command(binaries.dir.join("initdb"));
    command.arg("-D").arg(fresh).args(["-U", ROLE, "-E", "UTF8", "--data-checksums", "--auth-local=peer"]);
    command.arg("--auth-host=scram-sha-256").arg("--pwfile").arg(secret).args(locale);
    let output = command.output().map_err(|error| local("cannot run initdb", &error))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let error = said.lines().find(|line| line.contains("error:") || line.contains("FATAL")).or(said.lines().last());
    let what = format!("cannot make the database cluster: {}", error.unwrap_or("initdb said nothing").trim());
    Err(Failure::new(Kind::Database, what).kept("nothing was there before").next("health db status"))
}

/// Writes the files that this program owns, if they differ; called before every start.
pub(super) fn configure(data: &Path, owner: &Owner) -> Result<(), Failure> {
    write_if_changed(&data.join("health.conf"), SETTINGS, owner)?;
    write_if_changed(&data.join("pg_hba.conf"), HBA, owner)?;
    write_if_changed(&data.join("pg_ident.conf"), &ident(owner), owner)?;
    let main = data.join("postgresql.conf");
    let text = fs::read_to_string(&main).map_err(|error| local(&format!("cannot read {}", main.display()), &error))?;
    if text.contains("include_if_exists = 'health.conf'") {
        return Ok(());
    }
    replace(&main, format!("{text}{INCLUDE}").as_bytes(), owner.chown())
}

/// Who may come in over the socket: the account that runs us, root (who could take that account anyway), the owner.
fn ident(owner: &Owner) -> String {
    let mut names = vec!["root".to_owned(), account_name(geteuid().as_raw()), owner.name().to_owned()];
    names.sort();
    names.dedup();
    let mut text = String::from("# Written by health; changes here are lost.\n");
    for name in names {
        let _ = writeln!(text, "health \"{}\" {ROLE}", name.replace('"', "\"\""));
    }
    text
}

fn write_if_changed(path: &PathBuf, content: &str, owner: &Owner) -> Result<(), Failure> {
    if fs::read_to_string(path).is_ok_and(|there| there == content) {
        return Ok(());
    }
    replace(path, content.as_bytes(), owner.chown())
}

/// Gives a directory that we just made to the owner; never follows a link.
fn give(path: &Path, owner: Option<(u32, u32)>) -> Result<(), Failure> {
    let Some((uid, gid)) = owner else { return Ok(()) };
    lchown(path, Some(uid), Some(gid))
        .map_err(|error| local(&format!("cannot give {} to the owner account", path.display()), &error))
}

fn set_mode(path: &Path, mode: u32) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt;
    let set = fs::set_permissions(path, fs::Permissions::from_mode(mode));
    set.map_err(|error| local(&format!("cannot set the mode of {}", path.display()), &error))
}

/// A directory in a place that others can write to may have been planted.
fn private_to(path: &Path, owner: &Owner) -> Result<(), Failure> {
    use std::os::unix::fs::MetadataExt;
    let metadata =
        fs::symlink_metadata(path).map_err(|error| local(&format!("cannot look at {}", path.display()), &error))?;
    if metadata.is_dir() && metadata.uid() == owner.uid() && metadata.mode() & 0o777 == 0o700 {
        return Ok(());
    }
    let what =
        format!("{} should be a directory of account {} that nobody else may enter", path.display(), owner.name());
    Err(Failure::new(Kind::Local, what)
        .kept("the cluster is untouched")
        .next(format!("rm -r {}    after a look at it", path.display())))
}

fn belongs_to_us(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::MetadataExt;
    let metadata =
        fs::symlink_metadata(path).map_err(|error| local(&format!("cannot look at {}", path.display()), &error))?;
    if metadata.is_dir() && metadata.uid() == geteuid().as_raw() && metadata.mode() & 0o022 == 0 {
        return Ok(());
    }
    let what = format!("{} could be changed by another account", path.display());
    Err(Failure::new(Kind::Local, what).kept("nothing was changed").next("set HEALTH_HOME to another directory"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn older_servers_get_a_locale_they_know() {
        assert!(locales(16).iter().all(|locale| locale.len() == 1));
        assert_eq!(locales(18)[0], ["--locale-provider=builtin", "--locale=C.UTF-8"]);
        assert_eq!(locales(15).last(), Some(&["--locale=C"].as_slice()));
    }

    #[test]
    fn a_lost_password_is_made_anew_and_a_good_one_kept() {
        let dir = tempfile::tempdir().unwrap();
        let home = Home { dir: dir.path().to_owned(), pg: dir.path().to_owned() };
        let (first, fresh) = password(&home).unwrap();
        assert!(fresh && first.len() == 48 && first.bytes().all(|byte| byte.is_ascii_hexdigit()));
        assert_eq!(password(&home).unwrap(), (first.clone(), false));
        fs::write(home.password_file(), "").unwrap();
        let (second, fresh) = password(&home).unwrap();
        assert!(fresh && second != first);
    }
}
