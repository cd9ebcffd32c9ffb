//! The callback server against requests that a browser, a page or a neighbour may send.

use std::io::{Read, Write};
use std::net::TcpStream;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::*;

fn expected() -> Expected {
    Expected { state: "right-state".to_owned().into(), authorize_url: Url::parse("https://example.org/auth").unwrap() }
}

fn server() -> (Callback, u16, UnboundedReceiver<Landing>) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (sender, receiver) = unbounded_channel();
    let redirect = Url::parse(&format!("http://127.0.0.1:{port}/callback/whoop")).unwrap();
    let callback = Callback::listen(&redirect, &Arc::new(expected()), &sender, "use --port N").unwrap().unwrap();
    (callback, port, receiver)
}

/// Status line and whole answer.
fn ask(port: u16, head: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(format!("{head}\r\nConnection: close\r\n\r\n").as_bytes()).unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    (text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0), text)
}

#[test]
fn strangers_are_refused_and_the_right_answer_is_taken_once() {
    let (callback, port, mut landed) = server();
    let good = "/callback/whoop?code=c1&state=right-state";
    let host = format!("Host: 127.0.0.1:{port}");
    let long = format!("/callback/whoop?state=right-state&code={}", "x".repeat(MAX_ADDRESS));
    for (status, head) in [
        (404, format!("GET /favicon.ico HTTP/1.1\r\n{host}")),
        (404, format!("GET /callback/oura?code=c1&state=right-state HTTP/1.1\r\n{host}")),
        (405, format!("HEAD {good} HTTP/1.1\r\n{host}")),
        (405, format!("OPTIONS {good} HTTP/1.1\r\n{host}")),
        (405, format!("POST {good} HTTP/1.1\r\n{host}\r\nContent-Length: 0")),
        (414, format!("GET {long} HTTP/1.1\r\n{host}")),
        (403, format!("GET {good} HTTP/1.1\r\nHost: evil.example:{port}")),
        (403, format!("GET {good} HTTP/1.1\r\n{host}\r\nOrigin: https://evil.example")),
        (403, format!("GET {good} HTTP/1.1\r\n{host}\r\nOrigin: null")),
        (400, format!("GET /callback/whoop?code=c1&state=wrong HTTP/1.1\r\n{host}")),
        (400, format!("GET /callback/whoop?code=c1 HTTP/1.1\r\n{host}")),
        (400, format!("GET /callback/whoop?code=c1&state=right-state&state=x HTTP/1.1\r\n{host}")),
        (400, format!("GET /callback/whoop?state=right-state HTTP/1.1\r\n{host}")),
        (400, format!("GET /callback/whoop?error=access_denied HTTP/1.1\r\n{host}")),
    ] {
        assert_eq!(ask(port, &head).0, status, "{head}");
    }
    assert!(landed.try_recv().is_err(), "none of these is an answer");
    for _ in 0..3 {
        let (status, text) = ask(port, &format!("GET {good} HTTP/1.1\r\n{host}"));
        assert_eq!(status, 200);
        for header in
            ["Content-Security-Policy: default-src 'none'", "Cache-Control: no-store", "Referrer-Policy: no-referrer"]
        {
            assert!(text.contains(header), "{text}");
        }
        assert!(!text.contains("c1"), "the page is fixed");
    }
    assert!(matches!(landed.try_recv().unwrap(), Landing::Code { code, .. } if code.expose_secret() == "c1"));
    assert!(landed.try_recv().is_err(), "one exchange");
    drop(callback);
    std::thread::sleep(Duration::from_millis(50));
    assert!(TcpListener::bind(("127.0.0.1", port)).is_ok(), "the port is free");
}

#[test]
fn a_taken_port_is_named_with_its_holder() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let (sender, _receiver) = unbounded_channel();
    let redirect = Url::parse(&format!("http://localhost:{port}/callback")).unwrap();
    let failure = Callback::listen(&redirect, &Arc::new(expected()), &sender, "use --port N").err().unwrap();
    assert_eq!(failure.kind, Kind::Local);
    assert!(failure.error.to_string().starts_with(&format!("port {port} is used by ")), "{}", failure.error);
}

#[test]
fn a_pasted_address_is_held_to_the_same_rules() {
    let expected = expected();
    for good in [
        "http://localhost:8765/callback?code=c&state=right-state",
        "  https://dummy.example/?state=right-state&code=c  ",
        "code=c&state=right-state",
        "?code=c&state=right-state",
    ] {
        assert!(matches!(expected.read_pasted(good), Some(Landing::Code { .. })), "{good}");
    }
    for bad in ["", "c", "http://localhost/callback?code=c", "http://localhost/callback?code=c&state=other", "code=c"] {
        assert!(expected.read_pasted(bad).is_none(), "{bad}");
    }
    let denied = "error=access_denied&state=right-state";
    assert!(matches!(expected.read(denied), Some(Landing::Denied)));
    let foreign = "code=c&state=right-state&iss=https://evil.example";
    assert!(matches!(expected.read(foreign), Some(Landing::ForeignIssuer)));
    let same = "code=c&state=right-state&iss=https://example.org";
    assert!(matches!(expected.read(same), Some(Landing::Code { .. })));
}

#[test]
fn only_loopback_hosts_are_listened_on() {
    let of = |text: &str| addresses(&Url::parse(text).unwrap(), 1);
    assert_eq!(of("http://localhost:1/x").len(), 2);
    for one in ["http://127.0.0.1:1/x", "http://[::1]:1/x"] {
        assert!(of(one).len() == 1 && of(one)[0].ip().is_loopback());
    }
    for none in ["http://0.0.0.0:1/", "http://[::]:1/", "http://example.org:1/", "https://localhost:1/", "whoop://x"] {
        assert!(of(none).is_empty(), "{none}");
    }
}

#[test]
fn the_redirect_may_tell_what_was_granted() {
    let granted = |query: &str| match expected().read(query) {
        Some(Landing::Code { scopes, .. }) => scopes,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        granted("state=right-state&code=c&scope=read,activity:read_all").unwrap(),
        ["read", "activity:read_all"]
    );
    assert_eq!(granted("state=right-state&code=c&scope=read+write").unwrap(), ["read", "write"]);
    assert_eq!(granted("state=right-state&code=c"), None);
    assert_eq!(granted("state=right-state&code=c&scope="), None, "an empty word tells nothing");
}
