//! The token store against torn files, other keys, planted files, and a crash at each step of a renewal.

use std::os::unix::fs::PermissionsExt;

use secrecy::SecretString;

use super::super::record::tests::sample;
use super::*;

struct Home {
    dir: tempfile::TempDir,
    store: Store,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let dirs =
            Dirs { data: dir.path().join("data"), config: dir.path().join("config"), state: dir.path().join("state") };
        let store = Store::new(&dirs, "whoop", "default").unwrap();
        Self { dir, store }
    }

    fn with(refresh: &str) -> Self {
        let home = Self::new();
        home.store.lock(Duration::ZERO).unwrap().save(&sample(refresh)).unwrap();
        home
    }

    fn files(&self) -> Vec<String> {
        let mut names: Vec<String> = std::fs::read_dir(self.dir.path().join("data/tokens"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    fn spends(&self) -> String {
        self.store.load().unwrap().unwrap().spends().to_owned()
    }
}

fn now() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_000_000, 0).unwrap()
}

#[test]
fn a_file_cut_or_changed_anywhere_is_damage_and_stays_until_a_new_login() {
    let home = Home::with("r1");
    let path = home.store.path();
    let whole = std::fs::read(&path).unwrap();
    for end in 0..whole.len() {
        std::fs::write(&path, &whole[..end]).unwrap();
        let error = home.store.load().unwrap_err();
        assert!(error.what.contains("is damaged"), "cut at {end}: {error}");
        assert_eq!(std::fs::read(&path).unwrap(), &whole[..end], "reading changes nothing");
    }
    home.store.lock(Duration::ZERO).unwrap().save_login(&sample("r2"), now()).unwrap();
    assert_eq!(home.spends(), "r2");
    let bad: Vec<String> = home.files().into_iter().filter(|name| name.contains(".bad-")).collect();
    assert_eq!(bad.len(), 1);
    assert_eq!(std::fs::read(home.dir.path().join("data/tokens").join(&bad[0])).unwrap(), &whole[..whole.len() - 1]);
}

#[test]
fn another_key_is_told_from_damage_and_a_missing_key_from_both() {
    let home = Home::with("r1");
    let key = home.dir.path().join("config/key");
    std::fs::rename(&key, home.dir.path().join("config/old")).unwrap();
    assert!(home.store.load().unwrap_err().what.contains("key of the token store is missing"));
    Vault::open_or_create(&home.dir.path().join("config")).unwrap();
    assert!(home.store.load().unwrap_err().what.contains("another key"));
    std::fs::rename(home.dir.path().join("config/old"), &key).unwrap();
    assert_eq!(home.spends(), "r1");
}

#[test]
fn a_newer_form_is_never_replaced() {
    let home = Home::with("r1");
    let mut record = sample("r9");
    record.version = 99;
    home.store.lock(Duration::ZERO).unwrap().save(&record).unwrap();
    let before = std::fs::read(home.store.path()).unwrap();
    assert!(home.store.load().unwrap_err().what.contains("newer health"));
    assert!(home.store.lock(Duration::ZERO).unwrap().save_login(&sample("r2"), now()).is_err());
    assert_eq!(std::fs::read(home.store.path()).unwrap(), before);
}

#[test]
fn swapped_files_are_refused() {
    let home = Home::with("r1");
    let mut other = home.store.clone();
    other.account = "other".into();
    std::fs::copy(home.store.path(), other.path()).unwrap();
    assert!(other.load().unwrap_err().what.contains("holds another login"));
}

#[test]
fn names_that_are_no_file_names_are_refused() {
    let home = Home::new();
    let dirs = Dirs { data: home.dir.path().into(), config: home.dir.path().into(), state: home.dir.path().into() };
    for bad in ["", "a/b", "..", ".x", "a b", "a\n", "é", &"x".repeat(65)] {
        assert_eq!(Store::new(&dirs, "whoop", bad).unwrap_err().kind, Kind::Usage, "{bad:?}");
    }
}

#[test]
fn files_and_directories_are_for_our_eyes_alone() {
    let home = Home::with("r1");
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&home.store.path()), 0o600);
    assert_eq!(mode(&home.dir.path().join("config/key")), 0o600);
    assert_eq!(mode(&home.dir.path().join("data/tokens")), 0o700);
    std::fs::set_permissions(home.store.path(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let next = home.store.load().unwrap_err().next.unwrap();
    assert_eq!(next, format!("chmod 600 {}", home.store.path().display()));
}

#[test]
fn a_crash_before_the_answer_leaves_the_old_token_and_a_mark() {
    let home = Home::with("r1");
    {
        let locked = home.store.lock(Duration::ZERO).unwrap();
        let prepared = locked.prepare(&sample("r1"), now()).unwrap();
        std::mem::forget(prepared); // as a crash does
    }
    assert!(home.store.renewal_is_open());
    let locked = home.store.lock(Duration::ZERO).unwrap();
    let intent = locked.open_renewal(&sample("r1")).unwrap().unwrap();
    assert_eq!((intent.attempt, intent.started_at), (1, now()));
    assert!(locked.saved_answer(&intent).unwrap().is_none());
    let again = locked.prepare(&sample("r1"), now() + chrono::TimeDelta::hours(1)).unwrap();
    assert_eq!(again.before.as_ref().unwrap().started_at, now());
    again.nothing_happened().unwrap();
    assert_eq!(home.files(), ["whoop-default.age", "whoop-default.intent"], "the first attempt's files are gone");
    let intent = locked.open_renewal(&sample("r1")).unwrap().unwrap();
    assert_eq!((intent.attempt, intent.started_at), (2, now()), "an earlier doubt stays");
    assert!(locked.open_renewal(&sample("r2")).unwrap().is_none(), "a mark of another state is over");
    assert!(!home.store.renewal_is_open());
}

#[test]
fn an_answer_on_the_disk_is_found_again_whatever_came_after() {
    let answer: SecretString = "x".repeat(100_000).into();
    let home = Home::with("r1");
    {
        let locked = home.store.lock(Duration::ZERO).unwrap();
        let durable = locked.prepare(&sample("r1"), now()).unwrap().persist(answer.expose_secret().as_bytes()).unwrap();
        drop(durable); // an error on the way keeps it, too
    }
    let locked = home.store.lock(Duration::ZERO).unwrap();
    let intent = locked.open_renewal(&sample("r1")).unwrap().unwrap();
    let saved = locked.saved_answer(&intent).unwrap().unwrap();
    assert_eq!(saved.expose_secret(), answer.expose_secret().as_bytes());
    locked.publish_recovered(&sample("r2")).unwrap();
    assert_eq!(home.spends(), "r2");
    assert_eq!(home.files(), ["whoop-default.age"], "nothing is left behind");
}

#[test]
fn an_answer_cut_at_any_byte_counts_as_none() {
    let home = Home::with("r1");
    let locked = home.store.lock(Duration::ZERO).unwrap();
    let durable = locked.prepare(&sample("r1"), now()).unwrap().persist(b"{}").unwrap();
    let intent = locked.open_renewal(&sample("r1")).unwrap().unwrap();
    let raw = home.store.tokens.join(&intent.raw);
    let whole = std::fs::read(&raw).unwrap();
    for end in 0..whole.len() {
        std::fs::write(&raw, &whole[..end]).unwrap();
        assert!(locked.saved_answer(&intent).unwrap().is_none(), "cut at {end}");
    }
    drop(durable);
}

#[test]
fn the_mark_never_leads_out_of_the_directory() {
    let home = Home::with("r1");
    let victim = home.dir.path().join("victim.tmp");
    std::fs::write(&victim, "precious").unwrap();
    let locked = home.store.lock(Duration::ZERO).unwrap();
    let text = serde_json::json!({
        "started_at": now(), "attempt": 1, "raw": "../../victim.tmp",
        "fingerprint": locked.vault.fingerprint(sample("r1").spends()),
    });
    disk::replace(&home.store.intent_path(), "whoop-default", text.to_string().as_bytes()).unwrap();
    let intent = locked.open_renewal(&sample("r1")).unwrap().unwrap();
    assert!(locked.saved_answer(&intent).unwrap().is_none());
    locked.forget_intent().unwrap();
    assert!(victim.exists() && !home.store.renewal_is_open());
}

#[test]
fn forgetting_leaves_no_trace_but_the_lock() {
    let home = Home::with("r1");
    {
        let locked = home.store.lock(Duration::ZERO).unwrap();
        drop(locked.prepare(&sample("r1"), now()).unwrap().persist(b"{}").unwrap());
    }
    home.store.lock(Duration::ZERO).unwrap().remove().unwrap();
    assert_eq!(home.files(), Vec::<String>::new());
    assert!(home.store.load().unwrap().is_none());
    assert!(home.dir.path().join("state/tokens/whoop-default.lock").exists());
}

#[test]
fn the_whole_store_holds_no_secret_in_the_open() {
    let home = Home::with("canary-refresh");
    let locked = home.store.lock(Duration::ZERO).unwrap();
    let durable = locked.prepare(&sample("canary-refresh"), now()).unwrap().persist(b"canary-raw").unwrap();
    for name in home.files() {
        let bytes = std::fs::read(home.store.tokens.join(&name)).unwrap();
        assert!(!bytes.windows(6).any(|window| window == b"canary"), "{name}");
    }
    drop(durable);
}
