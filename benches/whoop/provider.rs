//! A simulated WHOOP that costs next to nothing: a thread for each connection, bodies put together from ready texts,
//! latency and an enforced rate limit on demand. Counts what it is asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};

use crate::records::Records;

const PAGE: usize = 25;

/// What a provider does beside answering.
#[derive(Clone, Copy, Default)]
pub(crate) struct Manner {
    /// Added to each request of the data interface.
    pub(crate) latency: Duration,
    /// Requests in a window: announced, and enforced from the first request on.
    pub(crate) limit: Option<(u32, Duration)>,
}

/// What was asked, by kind of answer.
#[derive(Default)]
pub(crate) struct Counts {
    pub(crate) data: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) token: AtomicU64,
}

pub(crate) struct Provider {
    pub(crate) address: String,
    shared: Arc<Shared>,
}

struct Shared {
    records: Records,
    manner: Mutex<Manner>,
    window: Mutex<Option<(Instant, u32)>>,
    counts: Counts,
}

impl Provider {
    /// Listens until the process ends.
    pub(crate) fn start(records: Records) -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let address = format!("http://{}", listener.local_addr()?);
        let shared =
            Arc::new(Shared { records, manner: Mutex::default(), window: Mutex::default(), counts: Counts::default() });
        let handed = Arc::clone(&shared);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = Arc::clone(&handed);
                std::thread::spawn(move || shared.serve(stream));
            }
        });
        Ok(Self { address, shared })
    }

    /// From the next request on; counts and the limit's window start again.
    pub(crate) fn behave(&self, manner: Manner) {
        *lock(&self.shared.manner) = manner;
        *lock(&self.shared.window) = None;
        for count in [&self.counts().data, &self.counts().refused, &self.counts().token] {
            count.store(0, Ordering::SeqCst);
        }
    }

    pub(crate) fn counts(&self) -> &Counts {
        &self.shared.counts
    }
}

/// One request, as far as we care.
struct Asked {
    method: String,
    path: String,
    query: Vec<(String, String)>,
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) {
        let _ = stream.set_nodelay(true);
        let Ok(reading) = stream.try_clone() else { return };
        let mut reader = BufReader::new(reading);
        while let Some(asked) = read(&mut reader) {
            if stream.write_all(self.answer(&asked).as_bytes()).is_err() {
                return;
            }
        }
    }

    fn answer(&self, asked: &Asked) -> String {
        match (asked.method.as_str(), asked.path.as_str()) {
            ("GET", "/oauth/oauth2/auth") => {
                let value = |name: &str| asked.query.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value);
                let back = format!("{}?code=bench-code&state={}", value("redirect_uri"), value("state"));
                respond("302 Found", &format!("Location: {back}\r\n"), "")
            }
            ("POST", "/oauth/oauth2/token") => {
                let n = self.counts.token.fetch_add(1, Ordering::SeqCst);
                let scope =
                    "offline read:recovery read:cycles read:workout read:sleep read:profile read:body_measurement";
                let body = format!(
                    "{{\"access_token\":\"bench-access-{n}\",\"refresh_token\":\"bench-refresh-{n}\",\
                     \"expires_in\":3600,\"scope\":\"{scope}\",\"token_type\":\"bearer\"}}"
                );
                respond("200 OK", "Content-Type: application/json\r\n", &body)
            }
            ("GET", path) => self.data(path.strip_prefix("/developer").unwrap_or(""), &asked.query),
            _ => respond("405 Method Not Allowed", "", ""),
        }
    }

    fn data(&self, path: &str, query: &[(String, String)]) -> String {
        let manner = *lock(&self.manner);
        let (allowed, headers) = self.admit(manner.limit);
        if !allowed {
            self.counts.refused.fetch_add(1, Ordering::SeqCst);
            return respond("429 Too Many Requests", &headers, "");
        }
        self.counts.data.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(manner.latency);
        let headers = format!("Content-Type: application/json\r\n{headers}");
        match path {
            "/v2/user/profile/basic" => respond(
                "200 OK",
                &headers,
                r#"{"user_id":4101001,"email":"b@example.org","first_name":"B","last_name":"M"}"#,
            ),
            "/v2/user/measurement/body" => {
                respond("200 OK", &headers, r#"{"height_meter":1.78,"weight_kilogram":74.3,"max_heart_rate":189}"#)
            }
            _ => match self.page(path, query) {
                Some(body) => respond("200 OK", &headers, &body),
                None => respond("404 Not Found", &headers, ""),
            },
        }
    }

    /// Fixed windows from the first request on. Without a limit of its own it announces one that nobody meets.
    fn admit(&self, limit: Option<(u32, Duration)>) -> (bool, String) {
        let Some((most, per)) = limit else {
            return (true, "X-RateLimit-Limit: 100000, 100000;window=60\r\nX-RateLimit-Remaining: 99999\r\n".into());
        };
        let mut window = lock(&self.window);
        let (begun, used) = match *window {
            Some((begun, used)) if begun.elapsed() < per => (begun, used),
            _ => (Instant::now(), 0),
        };
        let allowed = used < most;
        *window = Some((begun, used + u32::from(allowed)));
        let left = per.saturating_sub(begun.elapsed());
        let headers = format!(
            "X-RateLimit-Limit: {most}, {most};window={}\r\nX-RateLimit-Remaining: {}\r\nX-RateLimit-Reset: {}\r\n",
            per.as_secs(),
            most - used - u32::from(allowed),
            left.as_secs() + u64::from(left.subsec_nanos() > 0),
        );
        (allowed, headers)
    }

    fn page(&self, path: &str, query: &[(String, String)]) -> Option<String> {
        let (_, records) = self.records.lists.iter().find(|(known, _)| *known == path)?;
        let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        let instant = |name: &str| value(name).and_then(|text| text.parse::<DateTime<Utc>>().ok());
        let (start, end) = (instant("start"), instant("end"));
        let limit = value("limit").and_then(|text| text.parse().ok()).unwrap_or(10).min(PAGE);
        let skip: usize = value("nextToken").and_then(|text| text.strip_prefix('p')?.parse().ok()).unwrap_or(0);
        let mut inside = records.iter().filter(|record| {
            record.end.is_none_or(|last| start.is_none_or(|start| last >= start))
                && end.is_none_or(|end| record.start < end)
        });
        let texts: Vec<&str> = inside.by_ref().skip(skip).take(limit).map(|record| record.json.as_str()).collect();
        let next = match inside.next() {
            Some(_) => format!("\"p{}\"", skip + texts.len()),
            None => "null".into(),
        };
        Some(format!("{{\"records\":[{}],\"next_token\":{next}}}", texts.join(",")))
    }
}

fn respond(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// Reads one request with its body; none when the connection has ended.
fn read(reader: &mut BufReader<TcpStream>) -> Option<Asked> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let header = header.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    Some(Asked { method, path: path.to_owned(), query })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
