//! The token store: one encrypted file per source and account, a lock between processes, and what a renewal leaves
//! behind for whoever comes after a crash (docs/adr/11). Knows files, not providers.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretSlice};
use serde::{Deserialize, Serialize};

use super::disk::{self, NewFile};
use super::error::StoreError;
use super::lock::{self, Held};
use super::record::{NotARecord, Record};
use super::vault::{Unreadable, Vault};
use crate::config::Dirs;
use crate::failpoint::failpoint;
use crate::failure::Kind;

/// The files of one account.
#[derive(Clone, Debug)]
pub(super) struct Store {
    source: String,
    account: String,
    tokens: PathBuf,
    locks: PathBuf,
    config: PathBuf,
}

/// Written before a renewal's request, removed after its answer is safe: its presence means the old token may be spent.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Intent {
    pub(super) started_at: DateTime<Utc>,
    pub(super) attempt: u32,
    /// Of the token that the renewal spends.
    fingerprint: String,
    /// The file, beside this one, that takes the answer.
    raw: String,
}

impl Store {
    /// # Errors
    /// An account name that is no file name.
    pub(super) fn new(dirs: &Dirs, source: &str, account: &str) -> Result<Self, StoreError> {
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        if account.is_empty() || account.len() > 64 || !account.chars().all(plain) {
            return Err(StoreError::new(
                Kind::Usage,
                "an account name is made of up to 64 letters, digits, hyphens and underscores",
            )
            .next("health auth    shows the accounts there are"));
        }
        Ok(Self {
            source: source.into(),
            account: account.into(),
            tokens: dirs.data.join("tokens"),
            locks: dirs.state.join("tokens"),
            config: dirs.config.clone(),
        })
    }

    /// The accounts that have a token file, as source and account, sorted.
    pub(super) fn known(dirs: &Dirs) -> Result<Vec<(String, String)>, StoreError> {
        let path = dirs.data.join("tokens");
        let entries = match std::fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(StoreError::local(format!("cannot read {}: {error}", path.display()))),
        };
        let mut found: Vec<(String, String)> = entries
            .filter_map(|entry| {
                let name = entry.ok()?.file_name().into_string().ok()?;
                let (source, account) = name.strip_suffix(".age")?.split_once('-')?;
                (!source.starts_with('.')).then(|| (source.to_owned(), account.to_owned()))
            })
            .collect();
        found.sort();
        Ok(found)
    }

    fn stem(&self) -> String {
        format!("{}-{}", self.source, self.account)
    }

    /// The file of the tokens.
    pub(super) fn path(&self) -> PathBuf {
        self.tokens.join(format!("{}.age", self.stem()))
    }

    fn intent_path(&self) -> PathBuf {
        self.tokens.join(format!("{}.intent", self.stem()))
    }

    /// The record as it is now; none when nobody logged in. Takes no lock: files are replaced in one step.
    pub(super) fn load(&self) -> Result<Option<Record>, StoreError> {
        let path = self.path();
        let Some(bytes) = disk::read_private(&path)? else { return Ok(None) };
        let relogin = format!("health auth {}    (the file is kept under another name)", self.source.replace('_', "-"));
        let Some(vault) = Vault::open(&self.config)? else {
            return Err(StoreError::local(format!(
                "the key of the token store is missing: {}",
                self.config.join("key").display()
            ))
            .next(format!("put the key back, or {relogin}")));
        };
        let damaged = || {
            StoreError::local(format!("the token file {} is damaged; it stays as it is", path.display())).next(&relogin)
        };
        let plain = vault.decrypt(&bytes).map_err(|unreadable| match unreadable {
            Unreadable::Damaged => damaged(),
            Unreadable::WrongKey => StoreError::local(format!(
                "the token file {} was written with another key than {}",
                path.display(),
                vault.path().display()
            ))
            .next(format!("put the right key back, or {relogin}")),
        })?;
        let record = Record::from_json(plain.expose_secret()).map_err(|error| match error {
            NotARecord::Malformed => damaged(),
            NotARecord::Newer(version) => StoreError::local(format!(
                "the token file {} was written by a newer health (form {version}); it was not touched",
                path.display()
            ))
            .next("update the program")
            .newer(),
        })?;
        if record.source != self.source || record.account != self.account {
            return Err(StoreError::local(format!(
                "the token file {} holds another login ({} {})",
                path.display(),
                crate::output::clean(&record.source),
                crate::output::clean(&record.account),
            ))
            .next("put the files back where they belong, or log in again"));
        }
        Ok(Some(record))
    }

    /// Whether there is a token file, readable or not.
    pub(super) fn exists(&self) -> bool {
        self.path().symlink_metadata().is_ok()
    }

    /// Whether a renewal was begun and not ended, by a crash or by somebody who is at it now.
    pub(super) fn renewal_is_open(&self) -> bool {
        self.intent_path().symlink_metadata().is_ok()
    }

    /// Whether a renewal that spends `record`'s token was begun and not ended.
    pub(super) fn renewal_is_open_from(&self, record: &Record) -> bool {
        let fingerprint = Vault::open(&self.config).ok().flatten().map(|vault| vault.fingerprint(record.spends()));
        let bytes = disk::read_private(&self.intent_path()).ok().flatten();
        let intent = bytes.and_then(|bytes| serde_json::from_slice::<Intent>(&bytes).ok());
        intent.is_some_and(|intent| Some(intent.fingerprint) == fingerprint)
    }

    /// The key's fingerprint of `record`'s refresh token, short: for showing.
    pub(super) fn shown_fingerprint(&self, record: &Record) -> Option<String> {
        let vault = Vault::open(&self.config).ok()??;
        Some(vault.fingerprint(record.spends()).chars().take(4).collect())
    }

    /// Makes sure that a login can be saved, before anybody is sent anywhere for one.
    pub(super) fn check_writable(&self) -> Result<(), StoreError> {
        disk::private_dir(&self.tokens)?;
        Vault::open_or_create(&self.config)?;
        NewFile::create(&self.tokens, &self.stem())?.reserve()
    }

    /// Takes the account for this process, waiting at most `limit`, and puts in order what a crash left behind.
    pub(super) fn lock(&self, limit: Duration) -> Result<Locked<'_>, StoreError> {
        disk::private_dir(&self.locks)?;
        disk::private_dir(&self.tokens)?;
        let what = format!("the login of {} is being renewed", self.source);
        let held = lock::take(&self.locks.join(format!("{}.lock", self.stem())), limit, &what)?;
        let vault = Vault::open_or_create(&self.config)?;
        let locked = Locked { store: self, vault, _held: held };
        locked.sweep()?;
        Ok(locked)
    }

    /// Keeps a second consent of the same account from starting.
    pub(super) fn lock_consent(&self) -> Result<Held, StoreError> {
        disk::private_dir(&self.locks)?;
        let what = format!("another login at {} is waiting for its answer, started", self.source);
        lock::take(&self.locks.join(format!("{}.auth.lock", self.stem())), Duration::ZERO, &what)
    }
}

/// The store of one account, held by this process.
pub(super) struct Locked<'a> {
    store: &'a Store,
    vault: Vault,
    _held: Held,
}

impl Locked<'_> {
    pub(super) fn load(&self) -> Result<Option<Record>, StoreError> {
        self.store.load()
    }

    /// Saves `record` in place of what is there.
    pub(super) fn save(&self, record: &Record) -> Result<(), StoreError> {
        let bytes = self.vault.encrypt(SecretSlice::from(record.to_json()).expose_secret())?;
        disk::replace(&self.store.path(), &self.store.stem(), &bytes)
    }

    /// Saves a new login: what cannot be read goes aside under another name, what a newer program wrote stays.
    pub(super) fn save_login(&self, record: &Record, now: DateTime<Utc>) -> Result<(), StoreError> {
        if let Err(error) = self.load() {
            if error.newer {
                return Err(error);
            }
            let path = self.store.path();
            let aside = self.store.tokens.join(format!("{}.bad-{}", self.store.stem(), now.format("%Y%m%dT%H%M%SZ")));
            if path.symlink_metadata().is_ok_and(|meta| meta.is_file()) {
                std::fs::rename(&path, &aside)
                    .map_err(|error| StoreError::local(format!("cannot keep {}: {error}", path.display())))?;
            }
        }
        self.save(record)?;
        self.forget_intent()
    }

    /// Removes every trace of the login; the lock file stays.
    pub(super) fn remove(&self) -> Result<(), StoreError> {
        self.forget_intent()?;
        disk::remove(&self.store.path())?;
        self.sweep()?;
        disk::sync_dir(&self.store.tokens)
    }

    /// The renewal that was begun from `record` and not ended; one begun from another state is over, and removed.
    pub(super) fn open_renewal(&self, record: &Record) -> Result<Option<Intent>, StoreError> {
        let Some(intent) = self.intent()? else { return Ok(None) };
        if intent.fingerprint == self.vault.fingerprint(record.spends()) {
            return Ok(Some(intent));
        }
        self.forget_intent()?;
        Ok(None)
    }

    fn intent(&self) -> Result<Option<Intent>, StoreError> {
        let path = self.store.intent_path();
        let Some(bytes) = disk::read_private(&path)? else { return Ok(None) };
        match serde_json::from_slice(&bytes) {
            Ok(intent) => Ok(Some(intent)),
            Err(_) => disk::remove(&path).map(|()| None), // it is replaced in one step: this was never ours
        }
    }

    /// The answer that `intent`'s renewal saved before the crash, if it got so far.
    pub(super) fn saved_answer(&self, intent: &Intent) -> Result<Option<SecretSlice<u8>>, StoreError> {
        if !self.is_temporary(&intent.raw) {
            return Ok(None);
        }
        let bytes = disk::read_private(&self.store.tokens.join(&intent.raw))?;
        Ok(bytes.and_then(|bytes| self.vault.decrypt(&bytes).ok()))
    }

    pub(super) fn forget_intent(&self) -> Result<(), StoreError> {
        if let Some(intent) = self.intent()? {
            // The answer first: after a death in between, the intent still leads the next run here.
            if self.is_temporary(&intent.raw) {
                disk::remove(&self.store.tokens.join(&intent.raw))?;
            }
            disk::remove(&self.store.intent_path())?;
        }
        Ok(())
    }

    /// Publishes what a saved answer says, after a crash kept its own process from doing so.
    pub(super) fn publish_recovered(&self, record: &Record) -> Result<(), StoreError> {
        self.publish(NewFile::create(&self.store.tokens, &self.store.stem())?, record)
    }

    fn publish(&self, mut new: NewFile, record: &Record) -> Result<(), StoreError> {
        let store = self.store;
        new.write(&self.vault.encrypt(SecretSlice::from(record.to_json()).expose_secret())?)?;
        failpoint!("token.tmp_fsynced");
        new.rename_to(&store.path())?;
        failpoint!("token.renamed");
        disk::sync_dir(&store.tokens)?;
        failpoint!("token.dir_fsynced");
        self.forget_intent()
    }

    fn is_temporary(&self, name: &str) -> bool {
        name.starts_with(&format!(".{}.", self.store.stem()))
            && Path::new(name).extension().is_some_and(|e| e == "tmp")
            && !name.contains('/')
    }

    /// Removes temporary files that nobody will come back for.
    fn sweep(&self) -> Result<(), StoreError> {
        let keep = self.intent()?.map(|intent| intent.raw);
        let Ok(entries) = std::fs::read_dir(&self.store.tokens) else { return Ok(()) };
        for entry in entries.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if self.is_temporary(&name) && keep.as_deref() != Some(&name) {
                disk::remove(&entry.path())?;
            }
        }
        Ok(())
    }

    /// Does everything that can fail before a renewal's request is sent, and writes down that it will be.
    pub(super) fn prepare(&self, record: &Record, now: DateTime<Utc>) -> Result<Prepared<'_>, StoreError> {
        let before = self.open_renewal(record)?;
        let (dir, stem) = (&self.store.tokens, self.store.stem());
        let mut raw = NewFile::create(dir, &stem)?;
        raw.reserve()?;
        let mut new = NewFile::create(dir, &stem)?;
        new.reserve()?;
        let intent = Intent {
            // The first of several attempts is the one that may have spent the token.
            started_at: before.as_ref().map_or(now, |before| before.started_at),
            attempt: before.as_ref().map_or(1, |before| before.attempt.saturating_add(1)),
            fingerprint: self.vault.fingerprint(record.spends()),
            raw: raw.name(),
        };
        let text = serde_json::to_vec(&intent).map_err(|error| StoreError::local(error.to_string()))?;
        disk::replace(&self.store.intent_path(), &stem, &text)?;
        failpoint!("token.intent_written");
        if let Some(before) = before.as_ref().filter(|before| self.is_temporary(&before.raw)) {
            disk::remove(&dir.join(&before.raw))?; // it held no answer, or this attempt would not be made
        }
        Ok(Prepared { locked: self, raw, new, before })
    }
}

/// A renewal that may send its request now.
pub(super) struct Prepared<'a> {
    locked: &'a Locked<'a>,
    raw: NewFile,
    new: NewFile,
    /// The attempt before this one, whose answer is not known.
    pub(super) before: Option<Intent>,
}

impl<'a> Prepared<'a> {
    /// Nothing was renewed: the old token is as good as before.
    pub(super) fn nothing_happened(self) -> Result<&'a Locked<'a>, StoreError> {
        match &self.before {
            Some(_) => {} // what an earlier attempt did is as unknown as it was
            None => self.locked.forget_intent()?,
        }
        Ok(self.locked)
    }

    /// The provider answered for good: the state is known.
    pub(super) fn settled(self) -> Result<&'a Locked<'a>, StoreError> {
        self.locked.forget_intent()?;
        Ok(self.locked)
    }

    /// Saves the provider's answer, unread: from here on no crash loses it.
    pub(super) fn persist(mut self, answer: &[u8]) -> Result<Durable<'a>, StoreError> {
        let bytes = self.locked.vault.encrypt(answer)?;
        // Also when the write fails: what is there may be whole, and the next run can tell. It is the only copy of a
        // token, so a write that fails is tried once more.
        self.raw.keep();
        self.raw.write(&bytes).or_else(|_| self.raw.write(&bytes))?;
        failpoint!("token.raw_persisted");
        Ok(Durable(self))
    }
}

/// A renewal whose answer is safe.
pub(super) struct Durable<'a>(Prepared<'a>);

impl<'a> Durable<'a> {
    /// The answer is no token: what became of the old one is not known by it.
    pub(super) fn no_token(mut self) -> Prepared<'a> {
        self.0.raw.let_go();
        self.0
    }

    /// Publishes the new record; only after this may its token be used.
    pub(super) fn finish(self, record: &Record) -> Result<(), StoreError> {
        self.0.locked.publish(self.0.new, record)
    }
}

#[cfg(test)]
#[path = "store_tests.rs"]
mod tests;
