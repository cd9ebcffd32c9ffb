//! The small web server that a browser lands on after consent: literal loopback addresses, one path, one fixed page.
//! Everything that does not belong to this login is refused and the waiting goes on (docs/adr/13).

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use tiny_http::{Header, Method, Request, Response, Server};
use tokio::sync::mpsc::UnboundedSender;
use url::Url;

use crate::failure::{Failure, Kind};
use crate::output::clean;

/// No honest redirect is longer.
const MAX_ADDRESS: usize = 8 << 10;

/// How long the server answers on after its work is done: the browser may ask twice.
const LINGER: Duration = Duration::from_millis(200);

const PAGE: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>health</title>\
<p>Received. The terminal says how it went; this page can be closed.</p></html>\n";

/// What belongs to this login alone.
#[derive(Debug)]
pub(super) struct Expected {
    pub(super) state: SecretString,
    /// Where the person was sent.
    pub(super) authorize_url: Url,
}

/// How a consent ended.
#[derive(Debug)]
pub(super) enum Landing {
    Code {
        code: SecretString,
        /// What was granted, where the redirect tells it; a token answer that tells it counts for more.
        scopes: Option<Vec<String>>,
    },
    Denied,
    /// The provider's word and description, cleaned.
    Error(String),
    /// The answer names another server as its maker (RFC 9207).
    ForeignIssuer,
}

impl Expected {
    /// What `query` says, if it belongs to this login: the state is looked at before anything else.
    pub(super) fn read(&self, query: &str) -> Option<Landing> {
        let pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let one = |name: &str| -> Option<Option<&str>> {
            let mut found = pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str());
            let first = found.next();
            found.next().is_none().then_some(first)
        };
        let state = one("state")??;
        // Equal digests are equal texts, and how far two digests agree says nothing about the text.
        if Sha256::digest(state) != Sha256::digest(self.state.expose_secret()) {
            return None;
        }
        let (issuer, error, code) = (one("iss")?, one("error")?, one("code")?);
        if let Some(issuer) = issuer {
            let same = Url::parse(issuer).is_ok_and(|issuer| issuer.origin() == self.authorize_url.origin());
            if !same {
                return Some(Landing::ForeignIssuer);
            }
        }
        match (error, code) {
            (Some("access_denied"), _) => Some(Landing::Denied),
            (Some(error), _) => Some(Landing::Error(match one("error_description").flatten() {
                Some(said) => format!("{}: {}", clean(error), clean(said)),
                None => clean(error),
            })),
            (None, Some(code)) if !code.is_empty() => {
                let scopes = one("scope").flatten().and_then(super::answer::scope_words);
                Some(Landing::Code { code: code.to_owned().into(), scopes })
            }
            _ => None,
        }
    }

    /// The same for an address that a person pasted, whole or from the question mark on.
    pub(super) fn read_pasted(&self, line: &str) -> Option<Landing> {
        let line = line.trim();
        match Url::parse(line) {
            Ok(url) => self.read(url.query()?),
            Err(_) => self.read(line.rsplit('?').next()?),
        }
    }
}

/// A running server; it stops, and its port is free, when this goes.
pub(super) struct Callback {
    done: Arc<AtomicBool>,
    threads: Vec<std::thread::JoinHandle<()>>,
}

impl Callback {
    /// Listens for `redirect`, whose host decides the address families. None for a host that is not this machine:
    /// then an address can only be pasted. `other_port` says how a person chooses another port.
    ///
    /// # Errors
    /// Local, naming the port and its holder, when it is taken.
    pub(super) fn listen(
        redirect: &Url,
        expected: &Arc<Expected>,
        landed: &UnboundedSender<Landing>,
        other_port: &str,
    ) -> Result<Option<Self>, Failure> {
        let port = redirect.port_or_known_default().unwrap_or(80);
        let addresses = addresses(redirect, port);
        if addresses.is_empty() {
            return Ok(None);
        }
        let mut servers = Vec::new();
        for address in &addresses {
            match TcpListener::bind(address) {
                Ok(listener) => {
                    let server = Server::from_listener(listener, None).map_err(|error| {
                        Failure::new(Kind::Local, format!("the callback server cannot start: {error}"))
                    })?;
                    servers.push(server);
                }
                // A machine without one of the families has the other.
                Err(error) if error.kind() == std::io::ErrorKind::AddrNotAvailable && addresses.len() > 1 => {}
                Err(error) => return Err(cannot_listen(port, &error, other_port)),
            }
        }
        if servers.is_empty() {
            return Err(Failure::new(Kind::Local, "this machine has no loopback address to listen on"));
        }
        let done = Arc::new(AtomicBool::new(false));
        let spawn = |server: Server| {
            let desk = Desk {
                authority: authority(redirect),
                path: redirect.path().to_owned(),
                expected: expected.clone(),
                landed: landed.clone(),
            };
            let done = done.clone();
            std::thread::spawn(move || desk.serve(&server, &done))
        };
        let threads = servers.into_iter().map(spawn).collect();
        Ok(Some(Self { done, threads }))
    }
}

impl Drop for Callback {
    fn drop(&mut self) {
        self.done.store(true, Ordering::SeqCst);
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// The literal addresses for the redirect's host: `localhost` may mean either family.
fn addresses(redirect: &Url, port: u16) -> Vec<SocketAddr> {
    let (v4, v6) = (SocketAddr::from((Ipv4Addr::LOCALHOST, port)), SocketAddr::from((Ipv6Addr::LOCALHOST, port)));
    if redirect.scheme() != "http" {
        return Vec::new();
    }
    match redirect.host() {
        Some(url::Host::Domain("localhost")) => vec![v4, v6],
        Some(url::Host::Ipv4(ip)) if ip.is_loopback() => vec![SocketAddr::from((ip, port))],
        Some(url::Host::Ipv6(ip)) if ip.is_loopback() => vec![v6],
        _ => Vec::new(),
    }
}

fn cannot_listen(port: u16, error: &std::io::Error, other_port: &str) -> Failure {
    match error.kind() {
        std::io::ErrorKind::AddrInUse => {
            let holder = super::port::holder(port).unwrap_or_else(|| "another program".into());
            Failure::new(Kind::Local, format!("port {port} is used by {holder}"))
                .kept("the login as it was")
                .next(format!("end that program, or {other_port} and register the changed redirect address"))
        }
        std::io::ErrorKind::PermissionDenied => {
            Failure::new(Kind::Local, format!("port {port} may not be used without being root"))
                .next("register a redirect address with a port above 1023")
        }
        _ => Failure::new(Kind::Local, format!("port {port} cannot be listened on: {error}")),
    }
}

/// Host and port as a browser writes them in `Host`.
fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

struct Desk {
    authority: String,
    path: String,
    expected: Arc<Expected>,
    landed: UnboundedSender<Landing>,
}

impl Desk {
    fn serve(&self, server: &Server, done: &AtomicBool) {
        let mut received = false;
        let mut closing: Option<Instant> = None;
        loop {
            if let Ok(Some(request)) = server.recv_timeout(Duration::from_millis(20)) {
                let (status, landing) = self.judge(&request);
                answer(request, status);
                if let Some(landing) = landing.filter(|_| !received) {
                    received = true;
                    let _ = self.landed.send(landing);
                }
            }
            if done.load(Ordering::SeqCst) {
                let since = *closing.get_or_insert_with(Instant::now);
                if !received || since.elapsed() > LINGER {
                    return;
                }
            }
        }
    }

    /// The status to answer with, and what arrived if it belongs to this login.
    fn judge(&self, request: &Request) -> (u16, Option<Landing>) {
        let all = |name: &'static str| -> Vec<&str> {
            request.headers().iter().filter(|header| header.field.equiv(name)).map(|h| h.value.as_str()).collect()
        };
        let (hosts, origins) = (all("Host"), all("Origin"));
        if hosts.len() != 1 || !hosts[0].eq_ignore_ascii_case(&self.authority) {
            return (403, None); // a name that somebody else points at this machine
        }
        let own = format!("http://{}", self.authority);
        if origins.iter().any(|origin| !origin.eq_ignore_ascii_case(&own)) {
            return (403, None);
        }
        if request.url().len() > MAX_ADDRESS {
            return (414, None);
        }
        let (path, query) = request.url().split_once('?').unwrap_or((request.url(), ""));
        if path != self.path {
            return (404, None);
        }
        if *request.method() != Method::Get {
            return (405, None);
        }
        match self.expected.read(query) {
            Some(Landing::ForeignIssuer) => (400, Some(Landing::ForeignIssuer)),
            Some(landing) => (200, Some(landing)),
            None => (400, None),
        }
    }
}

fn answer(request: Request, status: u16) {
    let text = match status {
        200 => PAGE,
        400 => "This address does not belong to the login that is under way.\n",
        403 => "Not from here.\n",
        405 => "Only GET.\n",
        414 => "Too long.\n",
        _ => "Nothing here.\n",
    };
    let mut response = Response::from_string(text).with_status_code(status);
    let kind = if status == 200 { "text/html; charset=utf-8" } else { "text/plain; charset=utf-8" };
    for (name, value) in [
        ("Content-Type", kind),
        ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
        ("Cache-Control", "no-store"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
        ("Connection", "close"),
        ("Allow", "GET"),
    ] {
        if let Ok(header) = Header::from_bytes(name, value) {
            response.add_header(header);
        }
    }
    let _ = request.respond(response); // a browser that went away needs no answer
}

#[cfg(test)]
#[path = "callback_tests.rs"]
mod tests;
