//! Whose account runs the server. PostgreSQL refuses root and refuses an account without a name, so both need a stand-in.
//!
//! Knows accounts, privilege drop and the namespace prefix. Knows nothing about clusters or SQL.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::unistd::{Uid, User, geteuid};

use super::Settings;
use super::layout::{Cluster, Home};
use crate::failure::{Failure, Kind};

/// The account `nobody` of every Linux; inside the namespace our files seem to be its own.
const NOBODY: &str = "65534";

#[derive(Debug, Clone, PartialEq)]
enum Means {
    /// The account that runs `health`.
    Myself,
    /// Root steps down to this account.
    Switch { uid: u32, gid: u32 },
    /// A user namespace in which the caller looks like `nobody`: for root that may not change its account, and for an account without a name.
    Namespace,
}

/// The account that owns the cluster and runs its programs.
#[derive(Debug, Clone)]
pub(crate) struct Owner {
    name: String,
    means: Means,
    path: std::ffi::OsString,
}

/// An owner and the directory its cluster lives in.
pub(super) struct Place {
    pub(super) owner: Owner,
    pub(super) dir: PathBuf,
}

impl Owner {
    /// The account's name as the server sees it.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Who the files must belong to, where that is somebody else than the caller.
    pub(super) fn chown(&self) -> Option<(u32, u32)> {
        match self.means {
            Means::Switch { uid, gid } => Some((uid, gid)),
            Means::Myself | Means::Namespace => None,
        }
    }

    /// The account number that owns the files.
    pub(super) fn uid(&self) -> u32 {
        self.chown().map_or_else(|| geteuid().as_raw(), |(uid, _)| uid)
    }

    /// How it is said to a person: "postgres", or "nobody (in a user namespace)".
    pub(super) fn describe(&self) -> String {
        match self.means {
            Means::Namespace => format!("{} (in a user namespace)", self.name),
            Means::Myself | Means::Switch { .. } => self.name.clone(),
        }
    }

    /// A program run as the owner, with nothing of our environment but the search path: the server lives on and must not keep secrets or `PG*` in it.
    pub(super) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = match self.means {
            Means::Namespace => {
                let mut command = Command::new("unshare");
                command
                    .args(["--user", &format!("--map-user={NOBODY}"), &format!("--map-group={NOBODY}"), "--"])
                    .arg(program);
                command
            }
            Means::Myself | Means::Switch { .. } => Command::new(program),
        };
        if let Means::Switch { uid, gid } = self.means {
            command.uid(uid).gid(gid);
        }
        command.env_clear().env("PATH", &self.path).env("LC_ALL", "C").current_dir("/").stdin(Stdio::null());
        command
    }

    fn can(&self, script: &str, argument: &Path) -> Result<bool, std::io::Error> {
        let mut command = self.command("/bin/sh");
        command.args(["-c", script, "sh"]).arg(argument).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(command.status()?.success())
    }
}

/// The owner of a cluster that exists: whoever its files belong to.
pub(super) fn of_existing(settings: &Settings, cluster: &Cluster) -> Result<Owner, Failure> {
    let data = cluster.data();
    let metadata = fs::metadata(&data).map_err(|error| {
        Failure::new(Kind::Local, format!("cannot look at the cluster in {}: {error}", data.display()))
    })?;
    let me = geteuid();
    if metadata.uid() == me.as_raw() {
        return myself(settings);
    }
    if !me.is_root() {
        let what = format!("the cluster in {} belongs to {}", data.display(), account_name(metadata.uid()));
        return Err(Failure::new(Kind::Local, what)
            .kept("nothing was changed")
            .next("run health as that account, or set HEALTH_HOME"));
    }
    let means = Means::Switch { uid: metadata.uid(), gid: metadata.gid() };
    Ok(Owner { name: account_name(metadata.uid()), means, path: settings.path.clone() })
}

/// The owner and place of a cluster that is still to be made.
pub(super) fn of_new(settings: &Settings, home: &Home, note: &dyn Fn(&str)) -> Result<Place, Failure> {
    let here = home.pg.clone();
    if !geteuid().is_root() {
        return Ok(Place { owner: usable(myself(settings)?)?, dir: here });
    }
    let account = account_for_root(settings)?;
    let means = Means::Switch { uid: account.uid.as_raw(), gid: account.gid.as_raw() };
    let owner = Owner { name: account.name.clone(), means, path: settings.path.clone() };
    match owner.can("cd \"$1\"", &home.dir) {
        Ok(true) => Ok(Place { owner, dir: here }),
        Ok(false) => {
            let dir = root_place(home);
            note(&format!(
                "the database lives in {}, because account {} may not enter {}",
                dir.display(),
                account.name,
                home.dir.display()
            ));
            Ok(Place { owner, dir })
        }
        Err(error) => {
            note(&format!(
                "cannot step down to account {} ({error}); the server runs in a user namespace instead",
                account.name
            ));
            Ok(Place { owner: usable(myself(settings)?)?, dir: here })
        }
    }
}

/// Where root's cluster lives when its owner may not enter the home.
pub(super) fn root_place(home: &Home) -> PathBuf {
    Path::new("/var/lib/health").join(home.hash())
}

/// The caller's own account, through the namespace where PostgreSQL would refuse it.
fn myself(settings: &Settings) -> Result<Owner, Failure> {
    let me = geteuid();
    let path = settings.path.clone();
    match User::from_uid(me) {
        Ok(Some(user)) if !me.is_root() => Ok(Owner { name: user.name, means: Means::Myself, path }),
        Ok(_) => Ok(Owner { name: "nobody".to_owned(), means: Means::Namespace, path }),
        Err(error) => Err(Failure::new(Kind::Local, format!("cannot look up the account with number {me}: {error}"))),
    }
}

/// Makes sure that the namespace works before anything is built on it.
fn usable(owner: Owner) -> Result<Owner, Failure> {
    if owner.means != Means::Namespace || owner.can("id -un | grep -q .", Path::new("/")).unwrap_or(false) {
        return Ok(owner);
    }
    let what = format!(
        "PostgreSQL does not run as account {}, and this machine allows neither another account nor a user namespace",
        account_name(geteuid().as_raw())
    );
    Err(Failure::new(Kind::Database, what)
        .kept("nothing was changed")
        .next("set DATABASE_URL to a PostgreSQL of your own, or run health as an ordinary user"))
}

fn account_for_root(settings: &Settings) -> Result<User, Failure> {
    if let Some(name) = &settings.user {
        return match User::from_name(name) {
            Ok(Some(user)) if !user.uid.is_root() => Ok(user),
            Ok(Some(_)) => Err(Failure::new(Kind::Config, "HEALTH_PG_USER is root, which PostgreSQL refuses")),
            _ => Err(Failure::new(Kind::Config, format!("HEALTH_PG_USER names no account of this machine: {name}"))),
        };
    }
    let candidates = settings.sudo_user.iter().map(String::as_str).chain(["postgres", "_postgres", "nobody"]);
    let known = candidates.filter_map(|name| User::from_name(name).ok().flatten());
    known.into_iter().find(|user| !user.uid.is_root()).ok_or_else(|| {
        let what = "PostgreSQL refuses to run as root, and there is no other account to run it";
        Failure::new(Kind::Database, what)
            .next("set HEALTH_PG_USER to an account, or DATABASE_URL to a PostgreSQL of your own")
    })
}

/// The account's name, or `#number` where it has none.
pub(super) fn account_name(uid: u32) -> String {
    User::from_uid(Uid::from_raw(uid)).ok().flatten().map_or_else(|| format!("#{uid}"), |user| user.name)
}
