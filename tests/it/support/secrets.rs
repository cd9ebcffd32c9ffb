//! Where nothing secret may turn up: output, database, files, arguments.

use postgres::Client;

use super::cli::Home;
use super::pg::files;
use super::rows::dump;
use super::tokens::base64url;

/// The forms in which a secret could leak.
fn forms(secret: &str) -> Vec<String> {
    let encoded: String = url::form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let base64 = base64url(secret.as_bytes());
    // Without the last characters, which depend on what follows.
    let base64 = base64[..base64.len() - 4].to_owned();
    let hex = secret.bytes().map(|b| format!("{b:02x}")).collect();
    vec![secret.to_owned(), encoded, base64.replace('-', "+").replace('_', "/"), base64, hex]
}

/// Panics when a secret is found in what was printed, in the database, or in a file of this home.
#[track_caller]
pub fn assert_hidden(home: &Home, client: &mut Client, secrets: &[String]) {
    let mut sinks: Vec<(String, String)> = vec![];
    for run in home.runs() {
        sinks.push((format!("stdout of {:?}", run.args), run.stdout));
        sinks.push((format!("stderr of {:?}", run.args), run.stderr));
        sinks.push(("arguments".into(), run.args.join(" ")));
    }
    let printed = sinks.len();
    sinks.extend(dump(client));
    for path in files(home.path()) {
        let text = String::from_utf8_lossy(&std::fs::read(&path).unwrap_or_default()).into_owned();
        sinks.push((path.display().to_string(), text));
    }
    for secret in secrets {
        for form in forms(secret) {
            for (place, text) in &sinks {
                assert!(
                    !text.contains(&form),
                    "{} is in {place}:\n{text}",
                    secret.rsplit('.').next().unwrap_or("a secret")
                );
            }
        }
        // Eight characters identify a token well enough to be worth hiding.
        for (place, text) in &sinks[..printed] {
            assert!(!text.contains(&secret[..8]), "the beginning of a secret is in {place}:\n{text}");
        }
    }
}

/// Panics unless every file of the token store is private and nothing temporary is left.
#[track_caller]
pub fn assert_store(home: &Home) {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("metadata").permissions().mode() & 0o777;
    let store = home.tokens();
    if !store.exists() {
        return;
    }
    assert_eq!(mode(&store), 0o700, "{}", store.display());
    for path in files(&store) {
        assert_eq!(mode(&path), 0o600, "{}", path.display());
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        for word in ["tmp", "temp", "intent", "prepared", "raw", "new"] {
            let left = name.split(['.', '-', '_', '~']).any(|part| part == word);
            assert!(!left, "left over in the token store: {name}");
        }
    }
    let key = home.path().join("config/health/key");
    assert_eq!(mode(&key), 0o600, "{}", key.display());
}
