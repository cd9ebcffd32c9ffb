//! How a running server is reached: the driver's parameters and the addresses for other programs.

use std::path::PathBuf;
use std::time::Duration;

use postgres::Config;

use super::ROLE;
use super::layout::{Home, State, local};
use crate::failure::Failure;

/// A server that was running a moment ago, and how to reach it.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    pub(crate) socket_dir: PathBuf,
    /// On 127.0.0.1, and in the socket's name.
    pub(crate) port: u16,
    /// As the server names it: "18.6".
    pub(crate) version: String,
    pub(crate) bindir: PathBuf,
    /// Ready for `PGPASSFILE`.
    pub(crate) pgpass_file: PathBuf,
    password_file: PathBuf,
}

impl Running {
    pub(super) fn new(home: &Home, state: State) -> Self {
        Self {
            socket_dir: state.socket_dir,
            port: state.port,
            version: state.version,
            bindir: state.bindir,
            pgpass_file: home.pgpass_file(),
            password_file: home.password_file(),
        }
    }

    /// The driver's parameters over the socket, where the account is the proof and no password is needed.
    pub(crate) fn config(&self, database: &str) -> Config {
        let mut config = Config::new();
        config.host_path(&self.socket_dir).port(self.port).user(ROLE).dbname(database);
        config.application_name("health").connect_timeout(Duration::from_secs(10));
        config
    }

    /// The address for `psql` and other libpq programs.
    pub(crate) fn url(&self, database: &str) -> String {
        let host = encoded(&self.socket_dir.to_string_lossy());
        format!("postgresql:///{}?host={host}&port={}&user={ROLE}", encoded(database), self.port)
    }

    /// The address for tools that know TCP only, with the password if it is given.
    pub(crate) fn tcp_url(&self, database: &str, password: Option<&str>) -> String {
        let password = password.map(|password| format!(":{}", encoded(password))).unwrap_or_default();
        format!("postgresql://{ROLE}{password}@127.0.0.1:{}/{}", self.port, encoded(database))
    }

    /// The password for TCP. Show it only when asked to.
    pub(crate) fn password(&self) -> Result<secrecy::SecretString, Failure> {
        let text = std::fs::read_to_string(&self.password_file);
        let text = text.map_err(|error| local(&format!("cannot read {}", self.password_file.display()), &error))?;
        Ok(text.trim().to_owned().into())
    }
}

/// Percent-encodes everything that could end a part of an address.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn running() -> Running {
        Running {
            socket_dir: PathBuf::from("/home/a b/é/pg/run"),
            port: 54321,
            version: "18.6".into(),
            bindir: PathBuf::new(),
            pgpass_file: PathBuf::new(),
            password_file: PathBuf::new(),
        }
    }

    #[test]
    fn addresses_survive_odd_directories_and_passwords() {
        let url = "postgresql:///health?host=/home/a%20b/%C3%A9/pg/run&port=54321&user=health";
        assert_eq!(running().url("health"), url);
        let config: Config = url.parse().unwrap();
        assert_eq!(config.get_hosts(), running().config("health").get_hosts());
        assert_eq!(running().tcp_url("health", None), "postgresql://health@127.0.0.1:54321/health");
        assert_eq!(running().tcp_url("health", Some("a@/b")), "postgresql://health:a%40/b@127.0.0.1:54321/health");
    }
}
