//! Between the program and PostgreSQL: passes everything on, and loses the answer to one COMMIT, which has happened.
//! Knows of the protocol no more than what a COMMIT looks like.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use url::Url;

/// A simple query: its letter, its length, its text.
const COMMIT: &[u8] = b"Q\0\0\0\x0bCOMMIT\0";

struct Plan {
    /// Where PostgreSQL listens.
    to: Url,
    /// Which COMMIT's answer is lost, counted over all connections.
    lose: usize,
    seen: AtomicUsize,
    lost: AtomicUsize,
    stopped: AtomicBool,
}

pub struct Proxy {
    port: u16,
    plan: Arc<Plan>,
}

impl Proxy {
    /// In front of the database at `url`; loses the answer to the nth COMMIT, counted from 1.
    pub fn start(url: &str, lose: usize) -> Proxy {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let port = listener.local_addr().expect("an address").port();
        let plan = Arc::new(Plan {
            to: Url::parse(url).expect("a database address"),
            lose,
            seen: AtomicUsize::default(),
            lost: AtomicUsize::default(),
            stopped: AtomicBool::default(),
        });
        let shared = Arc::clone(&plan);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                if shared.stopped.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(client), Ok(server)) = (client, connect(&shared.to)) else { continue };
                between(&shared, any_socket(client), server);
            }
        });
        Proxy { port, plan }
    }

    /// The same database, by way of this proxy.
    pub fn url(&self) -> String {
        let mut url = self.plan.to.clone();
        let kept: Vec<(String, String)> =
            url.query_pairs().into_owned().filter(|(name, _)| name != "host" && name != "port").collect();
        url.query_pairs_mut().clear().extend_pairs(kept);
        url.set_host(Some("127.0.0.1")).expect("a host");
        url.set_port(Some(self.port)).expect("a port");
        url.to_string()
    }

    /// How many answers were lost.
    pub fn lost(&self) -> usize {
        self.plan.lost.load(Ordering::SeqCst)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.plan.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(("127.0.0.1", self.port)); // wakes the accept loop
    }
}

/// Reading, writing and shutting down are the same for every kind of stream socket.
fn any_socket(socket: impl Into<OwnedFd>) -> UnixStream {
    UnixStream::from(socket.into())
}

fn connect(to: &Url) -> std::io::Result<UnixStream> {
    let param = |name: &str| to.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned());
    match param("host").filter(|host| host.starts_with('/')) {
        Some(folder) => {
            UnixStream::connect(format!("{folder}/.s.PGSQL.{}", param("port").unwrap_or_else(|| "5432".into())))
        }
        None => TcpStream::connect((to.host_str().unwrap_or("localhost"), to.port().unwrap_or(5432))).map(any_socket),
    }
}

/// One connection: both directions on threads of their own.
fn between(plan: &Arc<Plan>, client: UnixStream, server: UnixStream) {
    let lose = Arc::new(AtomicBool::default());
    let copy = |socket: &UnixStream| socket.try_clone().expect("a copy of a socket");
    let (mut client_in, mut server_out) = (copy(&client), copy(&server));
    let (shared, flag) = (Arc::clone(plan), Arc::clone(&lose));
    std::thread::spawn(move || {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(n @ 1..) = client_in.read(&mut bytes) {
            if bytes[..n].windows(COMMIT.len()).any(|w| w == COMMIT)
                && shared.seen.fetch_add(1, Ordering::SeqCst) + 1 == shared.lose
            {
                flag.store(true, Ordering::SeqCst);
            }
            if server_out.write_all(&bytes[..n]).is_err() {
                break;
            }
        }
        let _ = server_out.shutdown(Shutdown::Both);
    });
    let plan = Arc::clone(plan);
    let (mut client, mut server) = (client, server);
    std::thread::spawn(move || {
        let mut bytes = vec![0; 64 * 1024];
        while let Ok(n @ 1..) = server.read(&mut bytes) {
            if lose.load(Ordering::SeqCst) {
                // The server has answered, so the commit is durable; nobody will hear of it.
                plan.lost.fetch_add(1, Ordering::SeqCst);
                break;
            }
            if client.write_all(&bytes[..n]).is_err() {
                break;
            }
        }
        let _ = client.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Both);
    });
}
