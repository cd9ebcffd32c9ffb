//! The configuration files: what may stand in them, and which of several wins. Unknown keys are errors.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;

use super::Dirs;
use super::trust::expect_ours;
use crate::failure::{Failure, Kind};

/// One file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    database: DatabaseKeys,
    person: PersonKeys,
    sources: BTreeMap<String, SourceKeys>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct DatabaseKeys {
    url: Option<SecretString>,
    url_file: Option<PathBuf>,
    url_command: Option<Vec<String>>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct PersonKeys {
    name: Option<String>,
    timezone: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct SourceKeys {
    enabled: Option<bool>,
    client_id: Option<String>,
    client_secret: Option<SecretString>,
    client_secret_file: Option<PathBuf>,
    client_secret_command: Option<Vec<String>>,
    redirect_uri: Option<String>,
    redirect_port: Option<u16>,
    base_url: Option<String>,
    authorize_url: Option<String>,
    token_url: Option<String>,
}

/// The files that were found, the strongest first, and the environment of the commands that they name.
#[derive(Default)]
pub(super) struct Merged {
    files: Vec<File>,
    environment: Vec<(String, String)>,
}

/// How long a command may take to print a secret: a person may have to unlock a key for it.
const COMMAND: Duration = Duration::from_mins(1);

impl Merged {
    /// `named` replaces the user's file and must exist.
    pub(super) fn read(dirs: &Dirs, named: Option<&Path>, environment: Vec<(String, String)>) -> Result<Self, Failure> {
        let mut paths: Vec<PathBuf> = Vec::new();
        if let Ok(here) = std::env::current_dir() {
            paths.extend(here.ancestors().map(|dir| dir.join("health.toml")).find(|path| path.is_file()));
        }
        match named {
            Some(path) if !path.is_file() => {
                let shown = crate::output::clean(&path.display().to_string());
                return Err(Failure::new(Kind::Config, format!("there is no configuration file {shown}"))
                    .next("name one that exists in --config or HEALTH_CONFIG, or leave both out"));
            }
            Some(path) => paths.push(path.to_owned()),
            None => paths.push(dirs.config.join("config.toml")),
        }
        paths.push(PathBuf::from("/etc/health/config.toml"));
        let files = paths.iter().filter(|path| path.is_file()).map(|path| read_one(path)).collect::<Result<_, _>>()?;
        Ok(Self { files, environment })
    }

    fn first<T>(&self, get: impl Fn(&File) -> Option<T>) -> Option<T> {
        self.files.iter().find_map(get)
    }

    fn first_of_source<T>(&self, id: &str, get: impl Fn(&SourceKeys) -> Option<T>) -> Option<T> {
        self.first(|file| file.sources.get(id).and_then(&get))
    }

    pub(super) fn person_name(&self) -> Option<String> {
        self.first(|file| file.person.name.clone())
    }

    pub(super) fn person_timezone(&self) -> Option<String> {
        self.first(|file| file.person.timezone.clone())
    }

    pub(super) fn enabled(&self, id: &str) -> bool {
        self.first_of_source(id, |keys| keys.enabled).unwrap_or(true)
    }

    pub(super) fn redirect_port(&self, id: &str) -> Option<u16> {
        self.first_of_source(id, |keys| keys.redirect_port)
    }

    pub(super) fn source_text(&self, id: &str, key: &str) -> Option<String> {
        self.first_of_source(id, |keys| {
            match key {
                "client_id" => &keys.client_id,
                "redirect_uri" => &keys.redirect_uri,
                "base_url" => &keys.base_url,
                "authorize_url" => &keys.authorize_url,
                "token_url" => &keys.token_url,
                _ => &None,
            }
            .clone()
        })
    }

    pub(super) fn source_secret(&self, id: &str) -> Result<Option<SecretString>, Failure> {
        let key = format!("sources.{id}.client_secret");
        self.first_of_source(id, |keys| {
            resolve(
                &key,
                keys.client_secret.as_ref(),
                keys.client_secret_file.as_deref(),
                keys.client_secret_command.as_deref(),
                &self.environment,
            )
        })
        .transpose()
    }

    pub(super) fn database_url(&self) -> Result<Option<SecretString>, Failure> {
        self.first(|file| {
            let keys = &file.database;
            let (text, file, command) = (keys.url.as_ref(), keys.url_file.as_deref(), keys.url_command.as_deref());
            resolve("database.url", text, file, command, &self.environment)
        })
        .transpose()
    }
}

fn read_one(path: &Path) -> Result<File, Failure> {
    let shown = crate::output::clean(&path.display().to_string());
    let unread = |error: std::io::Error| {
        Failure::new(Kind::Config, format!("{shown}: {error}"))
            .next(format!("ls -l {shown}    and mend its permissions"))
    };
    expect_ours(path, &std::fs::metadata(path).map_err(unread)?)?;
    let text = std::fs::read_to_string(path).map_err(unread)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let at_line = |line: usize, what: &str| {
        Failure::new(Kind::Config, format!("{shown} line {line}: {what}"))
            .next("correct the key; docs/configuration.md lists all of them")
    };
    let mut file: File = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(0, |span| text[..span.start].matches('\n').count() + 1);
        at_line(line, &shown_message(error.message()))
    })?;
    for source in crate::sources::ALL {
        for alias in source.aliases {
            let Some(keys) = file.sources.remove(alias.name) else { continue };
            if file.sources.insert(source.id.to_owned(), keys).is_some() {
                let what = format!("sources.{} and sources.{} are the same source", alias.name, source.id);
                return Err(at_line(0, &what));
            }
        }
    }
    let ids: Vec<&str> = crate::sources::ALL.iter().map(|source| source.id).collect();
    match file.sources.keys().find(|name| !ids.contains(&name.as_str())) {
        None => Ok(file),
        Some(unknown) => {
            let line = text.lines().position(|line| line.contains(unknown.as_str())).map_or(0, |index| index + 1);
            let nearest = ids.iter().max_by(|a, b| strsim::jaro(a, unknown).total_cmp(&strsim::jaro(b, unknown)));
            let hint = nearest.map_or(String::new(), |id| format!("; did you mean sources.{id}?"));
            Err(at_line(line, &format!("sources.{} is no source{hint}", crate::output::clean(unknown))))
        }
    }
}

/// What may be said of a mistake: messages about keys name the key, all others could repeat a value.
fn shown_message(message: &str) -> String {
    if ["unknown field", "duplicate field", "duplicate key", "missing field"]
        .iter()
        .any(|kind| message.starts_with(kind))
    {
        return crate::output::clean(message);
    }
    "it cannot be read; text goes between quotes, and each key stands there once".into()
}

/// A secret given directly, in a file, or by a command (an argument vector, no shell).
fn resolve(
    key: &str,
    text: Option<&SecretString>,
    file: Option<&Path>,
    command: Option<&[String]>,
    environment: &[(String, String)],
) -> Option<Result<SecretString, Failure>> {
    if let Some(text) = text {
        return Some(Ok(text.clone()));
    }
    let fail = |what: String| {
        let whole = what.split([' ', ':']).next().unwrap_or_default();
        Failure::new(Kind::Config, format!("{key}{what}"))
            .next(format!("correct {key}{whole} in the file of settings; docs/configuration.md"))
    };
    if let Some(path) = file {
        return Some(
            std::fs::read_to_string(path)
                .map(|text| text.trim_end().to_owned().into())
                .map_err(|error| fail(format!("_file: {error}"))),
        );
    }
    let (program, arguments) = command?.split_first()?;
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(environment.iter().cloned());
    Some(
        printed(command.stdin(Stdio::null()).stderr(Stdio::inherit())).map_err(|what| fail(format!("_command {what}"))),
    )
}

/// What a command prints, if it ends well and in time.
fn printed(command: &mut Command) -> Result<SecretString, String> {
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| format!("cannot be run: {error}"))?;
    let mut stdout = child.stdout.take().ok_or("has no output")?;
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let read = stdout.read_to_end(&mut bytes).map(|_| bytes);
        let _ = sender.send(read);
    });
    let Ok(read) = receiver.recv_timeout(COMMAND) else {
        let _ = child.kill();
        let _ = child.wait();
        return Err(format!("did not end within {} s", COMMAND.as_secs()));
    };
    let status = child.wait().map_err(|error| error.to_string())?;
    if !status.success() {
        return Err(format!("ended with {status}"));
    }
    let bytes = read.map_err(|error| error.to_string())?;
    let text = String::from_utf8(bytes).map_err(|_| "gave something that is not text")?;
    Ok(text.trim_end().to_owned().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_an_error_that_names_its_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        std::fs::write(&path, "[person]\nname = \"a\"\ntimezoone = \"UTC\"\n").unwrap();
        let failure = read_one(&path).err().unwrap();
        let text = failure.error.to_string();
        assert!(text.contains("line 3") && text.contains("timezoone"), "{text}");
    }

    #[test]
    fn a_byte_order_mark_and_crlf_are_accepted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        std::fs::write(&path, "\u{feff}[person]\r\nname = \"a\"\r\n").unwrap();
        assert_eq!(read_one(&path).ok().unwrap().person.name.as_deref(), Some("a"));
    }
}
