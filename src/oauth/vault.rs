//! The key of the token store, and age encryption with it. Each file also names the key it was written for, so that a
//! wrong key and a damaged file can be told apart. The files open with the age tool and the key file alone.

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use age::secrecy::ExposeSecret;
use age::x25519;
use age_core::format::{FileKey, Stanza};
use secrecy::SecretSlice;
use sha2::{Digest, Sha256};

use super::disk;
use super::error::StoreError;

/// Our stanza in the header of each file: its argument is the id of the key.
const KEY_STANZA: &str = "health-key-id";

pub(super) struct Vault {
    identity: x25519::Identity,
    id: String,
    path: PathBuf,
}

/// Why a file does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// Written with another key.
    WrongKey,
    /// Cut, changed, or never one of ours.
    Damaged,
}

impl Vault {
    /// The key in `dir`, if there is one.
    pub(super) fn open(dir: &Path) -> Result<Option<Self>, StoreError> {
        let path = dir.join("key");
        let Some(bytes) = disk::read_private(&path)? else { return Ok(None) };
        let bytes = SecretSlice::from(bytes);
        let identity = std::str::from_utf8(bytes.expose_secret()).ok().and_then(|text| {
            text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'))?.parse().ok()
        });
        match identity {
            Some(identity) => Ok(Some(Self::new(identity, path))),
            None => Err(StoreError::local(format!("{} is not a key of the token store", path.display()))
                .next("put the right key back, or move this one away and log in again: health auth")),
        }
    }

    /// The key in `dir`, made on first use.
    pub(super) fn open_or_create(dir: &Path) -> Result<Self, StoreError> {
        if let Some(vault) = Self::open(dir)? {
            return Ok(vault);
        }
        disk::private_dir(dir)?;
        let identity = x25519::Identity::generate();
        let text = format!(
            "# key of the token store of `health`; back it up apart from the tokens, or not at all\n# public key: {}\n",
            identity.to_public()
        );
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(identity.to_string().expose_secret().as_bytes());
        bytes.push(b'\n');
        let bytes = SecretSlice::from(bytes);
        let mut file = disk::NewFile::create(dir, "key")?;
        file.write(bytes.expose_secret())?;
        // Somebody else may have made one in between; theirs stands.
        if file.link_to(&dir.join("key"))? {
            disk::sync_dir(dir)?;
        }
        Self::open(dir)?.ok_or_else(|| StoreError::local(format!("the key in {} vanished", dir.display())))
    }

    fn new(identity: x25519::Identity, path: PathBuf) -> Self {
        let id = hex(&Sha256::digest(identity.to_public().to_string()), 8);
        Self { identity, id, path }
    }

    /// Where the key is, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What stands for a secret where people may read it: the same for the same secret and key, and of no other use.
    pub(super) fn fingerprint(&self, secret: &str) -> String {
        let key = Sha256::digest(self.identity.to_string().expose_secret());
        let mut digest = Sha256::new();
        digest.update(key);
        digest.update(secret);
        hex(&digest.finalize(), 8)
    }

    pub(super) fn encrypt(&self, plain: &[u8]) -> Result<Vec<u8>, StoreError> {
        let recipient = Recipient { to: self.identity.to_public(), id: &self.id };
        let failed = |detail: String| StoreError::local(format!("cannot encrypt: {detail}"));
        let encryptor = age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
            .map_err(|error| failed(error.to_string()))?;
        let mut bytes = Vec::with_capacity(plain.len() + 1024);
        let mut writer = encryptor.wrap_output(&mut bytes).map_err(|error| failed(error.to_string()))?;
        writer.write_all(plain).map_err(|error| failed(error.to_string()))?;
        writer.finish().map_err(|error| failed(error.to_string()))?;
        Ok(bytes)
    }

    pub(super) fn decrypt(&self, bytes: &[u8]) -> Result<SecretSlice<u8>, Unreadable> {
        let opener = Opener { vault: self, other_key: std::cell::Cell::new(false) };
        let decryptor = age::Decryptor::new_buffered(bytes).map_err(|_| Unreadable::Damaged)?;
        let mut plain = Vec::new();
        let read = decryptor
            .decrypt(std::iter::once(&opener as &dyn age::Identity))
            .map(|mut reader| reader.read_to_end(&mut plain));
        let plain = SecretSlice::from(plain);
        match read {
            Ok(Ok(_)) => Ok(plain),
            _ if opener.other_key.get() => Err(Unreadable::WrongKey),
            _ => Err(Unreadable::Damaged),
        }
    }
}

/// The first `bytes` bytes, in hex.
fn hex(digest: &[u8], bytes: usize) -> String {
    let mut text = String::with_capacity(2 * bytes);
    for byte in digest.iter().take(bytes) {
        let _ = write!(text, "{byte:02x}"); // a String takes everything
    }
    text
}

/// Encrypts to the key and says which one it was.
struct Recipient<'a> {
    to: x25519::Recipient,
    id: &'a str,
}

impl age::Recipient for Recipient<'_> {
    fn wrap_file_key(
        &self,
        file_key: &FileKey,
    ) -> Result<(Vec<Stanza>, std::collections::HashSet<String>), age::EncryptError> {
        let (mut stanzas, labels) = self.to.wrap_file_key(file_key)?;
        stanzas.push(Stanza { tag: KEY_STANZA.into(), args: vec![self.id.into()], body: Vec::new() });
        Ok((stanzas, labels))
    }
}

/// Opens with the key, and notices that a file is for another one.
struct Opener<'a> {
    vault: &'a Vault,
    other_key: std::cell::Cell<bool>,
}

impl age::Identity for Opener<'_> {
    fn unwrap_stanza(&self, stanza: &Stanza) -> Option<Result<FileKey, age::DecryptError>> {
        self.vault.identity.unwrap_stanza(stanza)
    }

    fn unwrap_stanzas(&self, stanzas: &[Stanza]) -> Option<Result<FileKey, age::DecryptError>> {
        let opened = stanzas.iter().find_map(|stanza| self.unwrap_stanza(stanza));
        if !matches!(opened, Some(Ok(_))) {
            let named = stanzas.iter().find(|stanza| stanza.tag == KEY_STANZA);
            self.other_key.set(named.is_some_and(|stanza| stanza.args.first() != Some(&self.vault.id)));
        }
        opened
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vault() -> Vault {
        Vault::new(x25519::Identity::generate(), PathBuf::from("key"))
    }

    #[test]
    fn what_goes_in_comes_out_for_the_right_key_alone() {
        let (ours, theirs) = (vault(), vault());
        for size in [0, 1, 64 << 10, 300_000] {
            let plain = vec![0x5a; size];
            let bytes = ours.encrypt(&plain).unwrap();
            assert_eq!(ours.decrypt(&bytes).unwrap().expose_secret(), plain);
            assert_eq!(theirs.decrypt(&bytes).err(), Some(Unreadable::WrongKey));
        }
    }

    #[test]
    fn any_cut_and_any_flipped_bit_is_damage_and_not_a_wrong_key() {
        let vault = vault();
        let bytes = vault.encrypt(b"{\"version\":1}").unwrap();
        for end in 0..bytes.len() {
            assert_eq!(vault.decrypt(&bytes[..end]).err(), Some(Unreadable::Damaged), "cut at {end}");
        }
        let id = bytes.windows(KEY_STANZA.len()).position(|w| w == KEY_STANZA.as_bytes()).unwrap();
        for at in 0..bytes.len() {
            let mut broken = bytes.clone();
            broken[at] ^= 1;
            let found = vault.decrypt(&broken).err();
            // In the stanza that names the key the flip may read as another key only if the rest is broken as well.
            assert_eq!(found, Some(Unreadable::Damaged), "flipped at {at}, the key id is at {id}");
        }
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(vault.decrypt(&longer).err(), Some(Unreadable::Damaged));
    }

    #[test]
    fn the_key_alone_opens_a_file_without_us() {
        let vault = vault();
        let bytes = vault.encrypt(b"plain").unwrap();
        assert_eq!(age::decrypt(&vault.identity, &bytes).unwrap(), b"plain");
    }

    #[test]
    fn the_key_is_made_once_and_stays() {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("config");
        assert!(Vault::open(&config).unwrap().is_none());
        let first = Vault::open_or_create(&config).unwrap();
        let again = Vault::open_or_create(&config).unwrap();
        assert_eq!(first.id, again.id);
        assert_eq!(std::fs::read_dir(&config).unwrap().count(), 1, "no temporary file stays");
        let sealed = first.encrypt(b"x").unwrap();
        assert_eq!(again.decrypt(&sealed).unwrap().expose_secret(), b"x");
        assert_ne!(first.fingerprint("a"), first.fingerprint("b"));
        std::fs::write(config.join("key"), "nonsense").unwrap();
        assert!(Vault::open(&config).is_err());
    }
}
