//! An address as people write it, made into one the driver understands: it knows only three kinds of `sslmode` and
//! refuses parameters it does not know (docs/database.md). TLS is verified for every host that is not this machine.

use postgres::config::{Host, SslMode};
use rustls::pki_types::pem::PemObject;
use secrecy::{ExposeSecret, SecretString};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::failure::{Failure, Kind};

/// The driver's configuration, TLS where it is used, and `database on host` for messages.
pub(super) fn normalised(
    url: &SecretString,
    origin: &str,
) -> Result<(postgres::Config, Option<MakeRustlsConnect>, String), Failure> {
    let bad = |what: &str| {
        Failure::new(Kind::Config, format!("{origin}: {what}"))
            .next("use an address like postgresql://user@localhost:5432/health")
    };
    let text = url.expose_secret();
    if has_stray_at(text) {
        return Err(bad("the password holds a character that must be written with %: @ as %40, / as %2F, ? as %3F"));
    }
    let (text, mode, root) = match text.split_once('?') {
        Some((base, query)) if text.contains("://") => split_query(base, query),
        _ => (text.to_owned(), None, None),
    };
    let mut config: postgres::Config = text.parse().map_err(|_| bad("this is not the address of a database"))?;
    if config.get_hosts().is_empty() {
        return Err(bad("the address names no host"));
    }
    config.connect_timeout(std::time::Duration::from_secs(10));
    config.keepalives_idle(std::time::Duration::from_secs(15));
    config.tcp_user_timeout(std::time::Duration::from_secs(30));
    let remote = config.get_hosts().iter().any(|host| !is_local(host));
    let wants_tls = matches!(mode.as_deref(), Some("require" | "verify-ca" | "verify-full"));
    if remote && mode.as_deref().is_some_and(|mode| !matches!(mode, "require" | "verify-ca" | "verify-full")) {
        return Err(bad(
            "a server elsewhere needs TLS; sslmode may be require, verify-ca or verify-full, and is always verified",
        ));
    }
    let tls = if remote || wants_tls {
        config.ssl_mode(SslMode::Require);
        Some(connector(root.as_deref(), origin)?)
    } else {
        config.ssl_mode(SslMode::Disable);
        None
    };
    let shown = shown(&config);
    Ok((config, tls, shown))
}

/// Whether an `@` stands where only one that belongs to the password can stand: behind it the driver would look for a host,
/// and part of the password would be shown as one.
fn has_stray_at(text: &str) -> bool {
    let Some((_, rest)) = text.split_once("://") else { return false };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    authority.matches('@').count() > 1 || rest[authority.len()..].contains('@')
}

/// Takes `sslmode` and `sslrootcert` out of the parameters, which the driver would refuse.
fn split_query(base: &str, query: &str) -> (String, Option<String>, Option<String>) {
    let (mut mode, mut root, mut rest) = (None, None, Vec::new());
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let value = || url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned());
        match pair.split('=').next() {
            Some("sslmode") => mode = value(),
            Some("sslrootcert") => root = value(),
            Some("channel_binding" | "sslcert" | "sslkey" | "gssencmode") => {}
            _ => rest.push(pair),
        }
    }
    (format!("{base}?{}", rest.join("&")).trim_end_matches('?').to_owned(), mode, root)
}

fn is_local(host: &Host) -> bool {
    match host {
        #[cfg(unix)]
        Host::Unix(_) => true,
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
        }
    }
}

fn shown(config: &postgres::Config) -> String {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(name)) => name.clone(),
        #[cfg(unix)]
        Some(Host::Unix(path)) => path.display().to_string(),
        None => "localhost".to_owned(),
    };
    let database = config.get_dbname().or(config.get_user()).unwrap_or("health");
    crate::output::clean(&format!("{database} on {host}"))
}

/// TLS that verifies certificate and name, against the system's roots or the file that `sslrootcert` names.
fn connector(root: Option<&str>, origin: &str) -> Result<MakeRustlsConnect, Failure> {
    let fail = |what: String| {
        Failure::new(Kind::Config, format!("{origin}: {what}"))
            .next("name a readable file of certificates in sslrootcert, or leave it out for those of the system")
    };
    let mut roots = rustls::RootCertStore::empty();
    if let Some(path) = root.filter(|path| *path != "system") {
        let found = rustls::pki_types::CertificateDer::pem_file_iter(path)
            .map_err(|error| fail(format!("sslrootcert: {error}")))?;
        for certificate in found {
            let certificate = certificate.map_err(|error| fail(format!("sslrootcert: {error}")))?;
            roots.add(certificate).map_err(|error| fail(format!("sslrootcert: {error}")))?;
        }
    } else {
        for certificate in rustls_native_certs::load_native_certs().certs {
            let _ = roots.add(certificate); // one odd certificate of the system must not stop the others
        }
    }
    let _ = rustls::crypto::ring::default_provider().install_default();
    let config = rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<(bool, String), String> {
        normalised(&url.to_owned().into(), "DATABASE_URL")
            .map(|(_, tls, shown)| (tls.is_some(), shown))
            .map_err(|failure| failure.error.to_string())
    }

    #[test]
    fn tls_is_for_other_machines_and_always_verified() {
        assert_eq!(parse("postgresql://u:p@localhost/h"), Ok((false, "h on localhost".into())));
        assert_eq!(parse("postgresql:///h?host=/run/pg&port=1"), Ok((false, "h on /run/pg".into())));
        assert_eq!(
            parse("postgresql://u@db.example.org/h?sslmode=verify-full"),
            Ok((true, "h on db.example.org".into()))
        );
        assert_eq!(parse("postgresql://u@127.0.0.1/h?sslmode=require"), Ok((true, "h on 127.0.0.1".into())));
        let weak = parse("postgresql://u:secret@db.example.org/h?sslmode=prefer").unwrap_err();
        assert!(weak.contains("needs TLS") && !weak.contains("secret"), "{weak}");
    }

    #[test]
    fn a_malformed_address_shows_no_password() {
        for text in ["postgresql://u:secret@[::/h", "secret", "postgresql://u:secret@h:notaport/x"] {
            let error = parse(text).unwrap_err();
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
