//! HTTP on plain sockets: a server that can misbehave on the wire, and the client that plays the browser.
//!
//! A fault such as "reset after 40 bytes" needs the socket itself, which no server library hands out.
//! Knows nothing of OAuth, of any provider, or of the program under test.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use url::Url;

/// One request as it arrived.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub query: Vec<(String, String)>,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        lookup(&self.headers, name)
    }

    pub fn param(&self, name: &str) -> Option<&str> {
        first(&self.query, name)
    }

    /// The fields of a form-encoded body.
    pub fn form(&self) -> HashMap<String, String> {
        url::form_urlencoded::parse(self.body.as_bytes()).into_owned().collect()
    }
}

/// How the bytes of a reply leave, when not simply whole.
#[derive(Clone, Debug, Default)]
pub enum Wire {
    #[default]
    Whole,
    /// So many bytes of the reply, then a reset.
    Reset(usize),
    /// So many bytes of the body, then an orderly end in spite of the announced length.
    Cut(usize),
    /// `chunk` bytes, a pause, and so on.
    Slow { chunk: usize, pause: Duration },
    /// Nothing, until the client leaves or the server is dropped.
    Hang,
    /// Nothing, until the test opens the gate; then whole.
    Gate(Gate),
}

/// Holds replies back until the test has done something meanwhile.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<(Mutex<bool>, Condvar)>);

impl Gate {
    pub fn open(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    fn pass(&self) {
        let open = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = Duration::from_mins(2);
        drop(self.0.1.wait_timeout_while(open, limit, |open| !*open));
    }
}

#[derive(Clone, Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub wire: Wire,
    pub delay: Duration,
}

impl Reply {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = vec![("content-type".to_owned(), content_type.to_owned())];
        Reply { status, headers, body: body.into(), wire: Wire::Whole, delay: Duration::ZERO }
    }

    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Reply::new(status, "application/json; charset=utf-8", body)
    }

    pub fn empty(status: u16) -> Self {
        Reply { status, headers: vec![], body: vec![], wire: Wire::Whole, delay: Duration::ZERO }
    }

    /// Sets a header, replacing one of the same name.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.retain(|(n, _)| !n.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    fn bytes(&self) -> Vec<u8> {
        let mut out = format!("HTTP/1.1 {} Simulated\r\n", self.status).into_bytes();
        for (name, value) in &self.headers {
            out.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
        if self.status != 204 && self.status != 304 {
            out.extend_from_slice(format!("content-length: {}\r\n", self.body.len()).as_bytes());
        }
        out.extend_from_slice(b"\r\n");
        if self.status != 204 && self.status != 304 {
            out.extend_from_slice(&self.body);
        }
        out
    }
}

/// A server on a free loopback port, one thread for each connection, gone when dropped.
pub struct Server {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
}

impl Server {
    pub fn start(handler: impl Fn(&Request) -> Reply + Send + Sync + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let address = listener.local_addr().expect("an address");
        let stopped = Arc::new(AtomicBool::new(false));
        let handler = Arc::new(handler);
        let flag = Arc::clone(&stopped);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if flag.load(Ordering::SeqCst) {
                    break;
                }
                let Ok(stream) = stream else { continue };
                let (handler, flag) = (Arc::clone(&handler), Arc::clone(&flag));
                std::thread::spawn(move || converse(&stream, &*handler, &flag));
            }
        });
        Server { address, stopped }
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.address); // wakes the accept loop
    }
}

fn converse(stream: &TcpStream, handler: &dyn Fn(&Request) -> Reply, stopped: &AtomicBool) {
    let _ = stream.set_nodelay(true);
    let _ = stream.set_read_timeout(Some(Duration::from_mins(5)));
    while let Some((request, head)) = read_request(stream) {
        let reply = handler(&request);
        if !reply.delay.is_zero() {
            std::thread::sleep(reply.delay);
        }
        let bytes = reply.bytes();
        let keep = match &reply.wire {
            Wire::Whole => consume(stream, head) && write(stream, &bytes),
            Wire::Gate(gate) => {
                consume(stream, head);
                gate.pass();
                write(stream, &bytes)
            }
            Wire::Reset(at) => {
                // Bytes left unread make the kernel answer the close with a reset.
                write(stream, &bytes[..bytes.len().min(*at)]);
                false
            }
            Wire::Cut(at) => {
                consume(stream, head);
                let head = bytes.len() - reply.body.len();
                write(stream, &bytes[..bytes.len().min(head + at)]);
                let _ = stream.shutdown(Shutdown::Write);
                false
            }
            Wire::Slow { chunk, pause } => {
                consume(stream, head);
                bytes.chunks((*chunk).max(1)).all(|piece| {
                    std::thread::sleep(*pause);
                    write(stream, piece)
                })
            }
            Wire::Hang => {
                consume(stream, head);
                let _ = stream.set_read_timeout(Some(Duration::from_millis(50)));
                let mut byte = [0];
                while !stopped.load(Ordering::SeqCst) {
                    match (&mut &*stream).read(&mut byte) {
                        Ok(0) => break,
                        Err(e) if e.kind() != std::io::ErrorKind::WouldBlock => break,
                        _ => {}
                    }
                }
                false
            }
        };
        let close = request.header("connection").is_some_and(|v| v.eq_ignore_ascii_case("close"));
        if !keep || close || stopped.load(Ordering::SeqCst) {
            return;
        }
    }
}

fn write(mut stream: &TcpStream, bytes: &[u8]) -> bool {
    stream.write_all(bytes).and_then(|()| stream.flush()).is_ok()
}

/// Takes the last byte of a request off the socket; see `Wire::Reset`.
fn consume(mut stream: &TcpStream, left: usize) -> bool {
    let mut rest = vec![0; left];
    stream.read_exact(&mut rest).is_ok()
}

/// Reads one request but for its last byte, and says how many bytes are still unread.
fn read_request(mut stream: &TcpStream) -> Option<(Request, usize)> {
    let mut peeked = vec![0; 64 * 1024];
    let mut known = 0;
    let end = loop {
        let n = stream.peek(&mut peeked).ok()?;
        if n == 0 {
            return None;
        }
        if let Some(at) = peeked[..n].windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        if n == known {
            std::thread::yield_now();
        }
        known = n;
    };
    let head = String::from_utf8_lossy(&peeked[..end]).into_owned();
    let mut lines = head.split("\r\n");
    let mut first_line = lines.next()?.split(' ');
    let (method, target) = (first_line.next()?.to_owned(), first_line.next()?.to_owned());
    let headers: Vec<(String, String)> =
        lines.filter_map(|l| l.split_once(':')).map(|(n, v)| (n.trim().to_owned(), v.trim().to_owned())).collect();
    let length: usize = lookup(&headers, "content-length").and_then(|v| v.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    let left = if length == 0 {
        consume(stream, end - 1);
        1
    } else {
        consume(stream, end);
        stream.read_exact(&mut body).ok()?;
        0
    };
    let url = Url::parse("http://host/").ok()?.join(&target).ok()?;
    let request = Request {
        method,
        path: url.path().to_owned(),
        query: url.query_pairs().into_owned().collect(),
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    Some((request, left))
}

fn lookup<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, v)| v.as_str())
}

fn first<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
}

/// What the browser, or a plain client, was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        lookup(&self.headers, name)
    }

    pub fn location(&self) -> String {
        self.header("location").expect("a redirect").to_owned()
    }
}

/// Asks for an address as a browser does: no redirect is followed. Panics when nobody answers.
pub fn get(address: &str) -> Answer {
    call("GET", address, &[], "").expect("an answer")
}

/// Sends one request on its own connection.
pub fn call(method: &str, address: &str, headers: &[(&str, &str)], body: &str) -> std::io::Result<Answer> {
    let url = Url::parse(address).expect("an address");
    let port = url.port_or_known_default().expect("a port");
    let host = url.host_str().expect("a host");
    let mut stream = match host {
        "localhost" => TcpStream::connect(("127.0.0.1", port)).or_else(|_| TcpStream::connect(("::1", port)))?,
        host => TcpStream::connect((host.trim_matches(['[', ']']), port))?,
    };
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let target = url[url::Position::BeforePath..url::Position::AfterQuery].to_owned();
    let mut text = format!("{method} {target} HTTP/1.1\r\nconnection: close\r\n");
    if !headers.iter().any(|(n, _)| n.eq_ignore_ascii_case("host")) {
        text.push_str(&format!("host: {host}:{port}\r\n"));
    }
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        text.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    text.push_str("\r\n");
    text.push_str(body);
    stream.write_all(text.as_bytes())?;
    let mut bytes = Vec::new();
    if let Err(error) = stream.read_to_end(&mut bytes)
        && !bytes.windows(4).any(|w| w == b"\r\n\r\n")
    {
        return Err(error);
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return Err(std::io::Error::other("no reply"));
    };
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|l| l.split(' ').nth(1)).and_then(|s| s.parse().ok()).unwrap_or(0);
    let headers =
        lines.filter_map(|l| l.split_once(':')).map(|(n, v)| (n.trim().to_owned(), v.trim().to_owned())).collect();
    Ok(Answer { status, headers, body: body.to_owned() })
}
