//! As much of an HTTP/1.1 server as the simulated WHOOP needs: loopback, small requests, kept connections, a thread for
//! each. Not `tiny_http`: where two connections arrive at once its pool can leave the second waiting for the first to end,
//! and a client that keeps its connections never ends them (seen with 0.12 on a busy machine).

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// Largest head and largest body of a request; more is none of our client's.
const MAX_REQUEST: u64 = 64 << 10;

pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    /// The token after `Authorization: Bearer`.
    pub(super) bearer: Option<String>,
    pub(super) body: Vec<u8>,
}

pub(super) struct Response {
    pub(super) status: u16,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: String,
}

impl Response {
    pub(super) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: String::new() }
    }

    pub(super) fn json(status: u16, body: String) -> Self {
        Self { status, headers: vec![("Content-Type", "application/json".into())], body }
    }

    pub(super) fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// In one piece, so that nothing waits for an acknowledgement.
    fn bytes(&self) -> Vec<u8> {
        let mut text = format!("HTTP/1.1 {} -\r\n", self.status);
        for (name, value) in &self.headers {
            text.extend([name, ": ", value, "\r\n"]);
        }
        text.extend(["Content-Length: ", &self.body.len().to_string(), "\r\n\r\n", &self.body]);
        text.into_bytes()
    }
}

/// Listens until it is dropped; connections that are open then end with their clients.
pub(super) struct Server {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    pub(super) fn start(answer: impl Fn(&Request) -> Response + Send + Sync + 'static) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = listener.local_addr()?;
        let ended = Arc::new(AtomicBool::new(false));
        let (told, answer) = (Arc::clone(&ended), Arc::new(answer));
        let accepting = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if told.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), answer) = (stream, Arc::clone(&answer)) else { continue };
                std::thread::spawn(move || serve(&stream, &*answer));
            }
        });
        Ok(Self { address, ended, accepting: Some(accepting) })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // A last connection wakes the thread that accepts; where none is to be had, it ends with the process.
        if TcpStream::connect(self.address).is_ok()
            && let Some(accepting) = self.accepting.take()
        {
            let _ = accepting.join();
        }
    }
}

fn serve(mut stream: &TcpStream, answer: &dyn Fn(&Request) -> Response) {
    let _ = stream.set_nodelay(true);
    let mut reader = BufReader::new(stream);
    while let Some(request) = read(&mut reader) {
        if stream.write_all(&answer(&request).bytes()).is_err() {
            return;
        }
    }
}

/// The next request of a connection; none when it has ended or says what we do not understand.
fn read(reader: &mut impl BufRead) -> Option<Request> {
    let mut head = String::new();
    let mut limited = reader.take(MAX_REQUEST);
    while !head.ends_with("\r\n\r\n") {
        if limited.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?);
    let headers: Vec<(&str, &str)> = lines.filter_map(|line| line.split_once(':')).collect();
    let header =
        |name: &str| headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim());
    let length: u64 = header("content-length").map_or(Ok(0), str::parse).ok()?;
    if length > MAX_REQUEST {
        return None;
    }
    let mut body = vec![0; usize::try_from(length).ok()?];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    Some(Request {
        method,
        path: path.to_owned(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        bearer: header("authorization").and_then(|value| value.strip_prefix("Bearer ")).map(str::to_owned),
        body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_follow_each_other_on_a_connection() {
        let bytes = b"POST /t HTTP/1.1\r\ncontent-length: 3\r\n\r\na=bGET /x?q=a%20b HTTP/1.1\r\nAUTHORIZATION: Bearer t\r\n\r\n";
        let mut reader = BufReader::new(&bytes[..]);
        let first = read(&mut reader).unwrap();
        assert_eq!((first.method.as_str(), first.path.as_str(), first.body.as_slice()), ("POST", "/t", &b"a=b"[..]));
        let second = read(&mut reader).unwrap();
        assert_eq!(second.query, [("q".to_owned(), "a b".to_owned())]);
        assert_eq!(second.bearer.as_deref(), Some("t"));
        assert!(read(&mut reader).is_none());
    }

    #[test]
    fn many_connections_at_once_are_all_answered() {
        let server = Server::start(|request| Response::json(200, request.path.clone())).unwrap();
        let address = server.address();
        // All stay open, as a client's pool keeps them.
        let ask = |n: usize| {
            let mut stream = TcpStream::connect(address).unwrap();
            write!(stream, "GET /{n} HTTP/1.1\r\n\r\n").unwrap();
            stream
        };
        let open: Vec<TcpStream> = (0..40).map(ask).collect();
        for (n, stream) in open.iter().enumerate() {
            stream.set_read_timeout(Some(std::time::Duration::from_secs(30))).unwrap();
            let mut head = vec![0; 200];
            let mut reader = stream;
            let got = reader.read(&mut head).unwrap();
            let text = String::from_utf8_lossy(&head[..got]).into_owned();
            assert!(text.starts_with("HTTP/1.1 200 ") && text.ends_with(&format!("/{n}")), "{text}");
        }
        drop(server);
        assert!(TcpStream::connect(address).is_err(), "the port is closed");
    }
}
