//! Renewals against a provider that answers, refuses, breaks off and crashes at will.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use url::Url;

use super::super::record::tests::sample;
use super::*;
use crate::config::Dirs;

/// What the provider does with one request; the body of the request is handed out.
enum Act {
    Say(u16, &'static str),
    BreakOff,
}

struct Provider {
    url: Url,
    asked: Receiver<String>,
}

fn provider(acts: Vec<Act>) -> Provider {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("http://{}/token", listener.local_addr().unwrap())).unwrap();
    let (sender, asked) = channel();
    std::thread::spawn(move || {
        for act in acts {
            let (mut stream, _) = listener.accept().unwrap();
            let mut text = String::new();
            let mut chunk = [0; 4096];
            while !complete(&text) {
                let size = stream.read(&mut chunk).unwrap();
                text.push_str(std::str::from_utf8(&chunk[..size]).unwrap());
            }
            sender.send(text.split_once("\r\n\r\n").unwrap().1.to_owned()).unwrap();
            if let Act::Say(status, body) = act {
                let head =
                    format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
                stream.write_all((head + body).as_bytes()).unwrap();
            }
        }
    });
    Provider { url, asked }
}

fn complete(request: &str) -> bool {
    let Some((head, body)) = request.split_once("\r\n\r\n") else { return false };
    let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
    body.len() >= length.unwrap_or(0)
}

const GOOD: &str = r#"{"access_token":"a2","refresh_token":"r2","expires_in":3600,"token_type":"bearer"}"#;
const DEAD: &str = r#"{"error":"invalid_grant"}"#;

struct World {
    _dir: tempfile::TempDir,
    site: Site,
    asked: Receiver<String>,
}

impl World {
    /// A login whose access token has ended, at a provider that will do `acts`.
    fn new(acts: Vec<Act>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        let dirs = Dirs { data: at("data"), config: at("config"), state: at("state") };
        let provider = provider(acts);
        let source = crate::sources::find("whoop").unwrap();
        let store = Store::new(&dirs, "whoop", "default").unwrap();
        let mut record = sample("r1");
        record.token_site = "loopback".into();
        record.base_site = "loopback".into();
        let now = record.ends_at().unwrap();
        store.lock(Duration::ZERO).unwrap().save(&record).unwrap();
        let app = App {
            client_id: Some("id".into()),
            client_secret: Some("secret&+".to_owned().into()),
            redirect_uri: None,
            redirect_port: 1,
            base_url: provider.url.clone(),
            authorize_url: provider.url.clone(),
            token_url: provider.url.clone(),
            other_token_urls: vec![],
        };
        let auth = &source.api.as_ref().unwrap().auth;
        let site = Site { source, auth, app, store, clock: Clock::new(Some(now)) };
        Self { _dir: dir, site, asked: provider.asked }
    }

    fn obtain(&self) -> Result<String, Trouble> {
        self.site.obtain(None).map(|obtained| obtained.access.expose_secret().to_owned())
    }

    fn record(&self) -> Record {
        self.site.store.load().unwrap().unwrap()
    }

    fn requests(&self) -> usize {
        self.asked.try_iter().count()
    }
}

#[test]
fn one_request_renews_and_the_next_call_makes_none() {
    let world = World::new(vec![Act::Say(200, GOOD)]);
    assert_eq!(world.obtain().unwrap(), "a2");
    let form = world.asked.recv().unwrap();
    for pair in
        ["grant_type=refresh_token", "refresh_token=r1", "scope=offline", "client_id=id", "client_secret=secret%26%2B"]
    {
        assert_eq!(form.split('&').filter(|part| *part == pair).count(), 1, "{pair} in {form}");
    }
    assert_eq!(world.obtain().unwrap(), "a2");
    assert_eq!(world.requests(), 0);
    assert_eq!((world.record().spends(), world.site.store.renewal_is_open()), ("r2", false));
}

#[test]
fn a_refused_access_token_is_renewed_although_it_has_not_ended() {
    let world = World::new(vec![Act::Say(200, GOOD)]);
    let mut record = world.record();
    record.lives_seconds = None;
    world.site.store.lock(WAIT).unwrap().save(&record).unwrap();
    assert_eq!(world.obtain().unwrap(), "access-of-r1");
    let refused = SecretString::from("access-of-r1".to_owned());
    assert_eq!(world.site.obtain(Some(&refused)).unwrap().access.expose_secret(), "a2");
    assert_eq!(world.site.obtain(Some(&refused)).unwrap().access.expose_secret(), "a2", "somebody renewed already");
    assert_eq!(world.requests(), 1);
}

#[test]
fn what_an_answer_leaves_out_stays() {
    let body = r#"{"access_token":"a2","expires_in":"60","scope":"offline"}"#;
    let world = World::new(vec![Act::Say(200, body)]);
    let mut record = world.record();
    record.granted = vec!["offline".into(), "read:sleep".into()];
    world.site.store.lock(WAIT).unwrap().save(&record).unwrap();
    world.obtain().unwrap();
    let record = world.record();
    assert_eq!(record.spends(), "r1");
    assert_eq!(record.granted, ["offline", "read:sleep"], "an echo of the scope sent narrows nothing");
}

#[test]
fn a_narrower_scope_is_noted() {
    let body = r#"{"access_token":"a2","refresh_token":"r2","scope":"offline read:sleep"}"#;
    let world = World::new(vec![Act::Say(200, body)]);
    world.obtain().unwrap();
    assert_eq!(world.record().granted, ["offline", "read:sleep"]);
}

#[test]
fn a_dead_login_is_remembered_and_asks_nobody_again() {
    let world = World::new(vec![Act::Say(400, DEAD)]);
    assert!(matches!(world.obtain(), Err(Trouble::Dead { reason, .. }) if reason == "invalid_grant"));
    assert!(matches!(world.obtain(), Err(Trouble::Dead { .. })));
    assert_eq!(world.requests(), 1);
    assert!(!world.site.store.renewal_is_open());
}

#[test]
fn trouble_at_the_provider_never_costs_the_login() {
    for act in [Act::Say(500, ""), Act::Say(503, DEAD), Act::Say(200, "<html>"), Act::Say(200, "{}"), Act::BreakOff] {
        let world = World::new(vec![act, Act::Say(200, GOOD)]);
        assert!(matches!(world.obtain(), Err(Trouble::Later { unsure: true, .. })));
        assert!(world.record().dead.is_none() && world.record().spends() == "r1");
        assert!(world.site.store.renewal_is_open(), "the doubt is written down");
        assert_eq!(world.obtain().unwrap(), "a2");
        assert!(!world.site.store.renewal_is_open());
    }
    for act in [Act::Say(429, ""), Act::Say(403, "<html>"), Act::Say(302, "")] {
        let world = World::new(vec![act]);
        assert!(matches!(world.obtain(), Err(Trouble::Later { unsure: false, .. })));
        assert!(world.record().dead.is_none() && !world.site.store.renewal_is_open());
    }
}

#[test]
fn a_provider_that_cannot_be_reached_leaves_everything_as_it_was() {
    let mut world = World::new(vec![]);
    world.site.app.token_url = Url::parse("http://127.0.0.1:9/token").unwrap();
    assert!(matches!(world.obtain(), Err(Trouble::Later { unsure: false, .. })));
    assert!(!world.site.store.renewal_is_open());
}

#[test]
fn a_lost_answer_is_tried_once_more_and_then_named() {
    let world = World::new(vec![Act::BreakOff, Act::Say(400, DEAD)]);
    assert!(matches!(world.obtain(), Err(Trouble::Later { unsure: true, .. })));
    assert!(matches!(world.obtain(), Err(Trouble::Interrupted { .. })));
    assert!(matches!(world.obtain(), Err(Trouble::Interrupted { .. })), "remembered");
    assert_eq!(world.requests(), 2);
}

#[test]
fn unknown_refusals_ask_a_person_after_the_third_in_a_row() {
    let no = r#"{"error":"odd"}"#;
    let world = World::new(vec![
        Act::Say(400, no),
        Act::Say(400, no),
        Act::Say(200, r#"{"access_token":"a2","refresh_token":"r2","expires_in":1}"#),
        Act::Say(400, no),
        Act::Say(400, no),
        Act::Say(400, no),
    ]);
    let later = |world: &World| assert!(matches!(world.obtain(), Err(Trouble::Later { unsure: false, .. })));
    later(&world);
    later(&world);
    world.obtain().unwrap();
    let mut record = world.record();
    record.lives_seconds = Some(1);
    record.minted_at -= TimeDelta::hours(1);
    world.site.store.lock(WAIT).unwrap().save(&record).unwrap();
    later(&world);
    later(&world);
    assert!(matches!(world.obtain(), Err(Trouble::Dead { .. })));
}

#[test]
fn an_unknown_application_is_a_setting_and_costs_no_token() {
    let world = World::new(vec![Act::Say(401, r#"{"error":"invalid_client"}"#), Act::Say(200, GOOD)]);
    assert!(matches!(world.obtain(), Err(Trouble::Config { .. })));
    assert_eq!(world.obtain().unwrap(), "a2");
}

#[test]
fn an_unusable_token_is_not_stored() {
    let world = World::new(vec![Act::Say(200, r#"{"access_token":"a","token_type":"mac","refresh_token":"r2"}"#)]);
    assert!(matches!(world.obtain(), Err(Trouble::Unusable { .. })));
    assert_eq!(world.record().spends(), "r1");
}

#[test]
fn a_crash_after_the_answer_was_saved_loses_nothing() {
    let world = World::new(vec![]);
    {
        let locked = world.site.store.lock(WAIT).unwrap();
        let prepared = locked.prepare(&world.record(), world.site.clock.now()).unwrap();
        let head = super::super::answer::Head { status: 200, received_at: world.site.clock.now(), server_date: None };
        let answer = Answer { head, body: GOOD.as_bytes().to_vec().into() };
        drop(prepared.persist(answer.to_bytes().expose_secret()).unwrap());
    }
    assert_eq!(world.obtain().unwrap(), "a2", "without a request");
    assert_eq!((world.record().spends(), world.site.store.renewal_is_open()), ("r2", false));
}

#[test]
fn a_token_never_leaves_for_another_site() {
    let mut world = World::new(vec![]);
    let mut record = world.record();
    record.base_site = "https://api.example.org".into();
    record.lives_seconds = None;
    world.site.store.lock(WAIT).unwrap().save(&record).unwrap();
    assert!(matches!(world.obtain(), Err(Trouble::Config { .. })));
    world.site.app.base_url = Url::parse("https://api.example.org/developer").unwrap();
    assert_eq!(world.obtain().unwrap(), "access-of-r1");
}

#[test]
fn a_login_without_a_refresh_token_ends() {
    let world = World::new(vec![]);
    let mut record = world.record();
    record.refresh = None;
    world.site.store.lock(WAIT).unwrap().save(&record).unwrap();
    assert_eq!(world.obtain(), Err(Trouble::Ended));
}

#[test]
fn eight_processes_at_once_make_one_request() {
    let world = World::new(vec![Act::Say(200, GOOD)]);
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(|| world.site.obtain(None))).collect();
        for one in all {
            assert_eq!(one.join().unwrap().unwrap().access.expose_secret(), "a2");
        }
    });
}

#[test]
fn where_the_old_token_still_serves_a_lost_answer_is_asked_for_again() {
    static AUTH: Auth = Auth { second_chance: Some(Duration::from_hours(8)), ..Auth::USUAL };
    let mut world = World::new(vec![Act::BreakOff, Act::Say(200, GOOD)]);
    world.site.auth = &AUTH;
    assert_eq!(world.obtain().unwrap(), "a2", "in the same call");
    let sent: Vec<String> = world.asked.try_iter().collect();
    assert!(sent.len() == 2 && sent.iter().all(|form| form.contains("refresh_token=r1")), "{sent:?}");
    assert!(!world.site.store.renewal_is_open());
    // Once and not for ever: what is lost twice is for the next run.
    let mut world = World::new(vec![Act::BreakOff, Act::BreakOff, Act::Say(200, GOOD)]);
    world.site.auth = &AUTH;
    assert!(matches!(world.obtain(), Err(Trouble::Later { unsure: true, .. })));
    assert_eq!(world.obtain().unwrap(), "a2");
    // When it serves no more, a person is told what happened.
    let mut world = World::new(vec![Act::BreakOff, Act::Say(400, DEAD)]);
    world.site.auth = &AUTH;
    assert!(matches!(world.obtain(), Err(Trouble::Interrupted { .. })));
}

#[test]
fn tokens_of_somebody_else_are_not_kept() {
    let theirs = r#"{"access_token":"a2","refresh_token":"r2","userid":"2"}"#;
    let world = World::new(vec![Act::Say(200, theirs)]);
    let mut record = world.record();
    record.owner = Some("1".into());
    world.site.store.lock(WAIT).unwrap().save(&record).unwrap();
    assert!(matches!(world.obtain(), Err(Trouble::Unusable { .. })));
    assert!(matches!(world.obtain(), Err(Trouble::Dead { .. })), "a person must log in");
    assert_eq!(world.requests(), 1);
    assert_eq!((world.record().spends(), world.site.store.renewal_is_open()), ("r1", false));
}
