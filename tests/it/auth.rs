//! Logging in: the callback, everything that can be wrong with it, and the commands around a login.

use nix::sys::signal::Signal;
use std::collections::HashSet;
use std::net::TcpListener;

use crate::providers::whoop::Whoop;
use crate::support::faults::{What, When};
use crate::support::net::{call, get};
use crate::support::pg::files;
use crate::support::provider::{consent, param};
use crate::support::rows::value;
use crate::support::subject::Subject;
use crate::support::world::{World, now};

fn world() -> World<Whoop> {
    World::new(Whoop::few(now()))
}

#[test]
fn a_login_through_the_callback() {
    let world = world();
    let run = world.login();
    assert_eq!(
        run.stdout.lines().next().map(|l| l.starts_with(&world.provider.authorize_url())),
        Some(true),
        "{}",
        run.report()
    );
    assert_eq!(world.provider.grants(|g| g.statuses()), [("authorization_code".to_owned(), 200)]);
    let list = world.health(&["auth"]).expect(0).says("whoop").says("7 of 7");
    assert!(!list.stdout.contains('\u{1b}'), "escape codes in a pipe");
    world.assert_safe(&mut world.sql());
    world.ingest().expect(0);
    assert_eq!(value(&mut world.sql(), "select status from meta.source_accounts").as_deref(), Some("active"));
    assert!(run.next().is_empty() || run.next().starts_with("health "), "{}", run.report());
}

#[test]
fn the_address_is_what_the_provider_asks_for() {
    let world = world();
    let mut states = HashSet::new();
    for _ in 0..2 {
        let mut auth = world.start_login();
        let address = auth.line();
        let get = |name: &str| param(&address, name).unwrap_or_default();
        assert_eq!(get("response_type"), "code");
        assert_eq!(get("client_id"), world.provider.grants(|g| g.client_id.clone()));
        assert_eq!(get("redirect_uri"), format!("http://localhost:{}/callback", world.redirect_port));
        let scopes: HashSet<String> = get("scope").split(' ').map(str::to_owned).collect();
        let wanted: HashSet<String> = [
            "offline",
            "read:profile",
            "read:body_measurement",
            "read:cycles",
            "read:sleep",
            "read:recovery",
            "read:workout",
        ]
        .map(str::to_owned)
        .into();
        assert_eq!(scopes, wanted);
        // 128 bits of state are at least 22 characters of base64 or 32 of hex.
        assert!(get("state").len() >= 22, "a short state: {}", get("state"));
        if param(&address, "code_challenge").is_some() {
            assert_eq!(get("code_challenge_method"), "S256");
        }
        assert!(!address.contains(&world.provider.grants(|g| g.client_secret.clone())));
        assert!(states.insert(get("state")), "the same state twice");
        auth.signal(Signal::SIGINT);
        auth.wait(&world.home).expect(130);
    }
}

#[test]
fn the_pasted_address_serves_as_well() {
    let world = world();
    let mut auth = world.start_login();
    let callback = consent(&auth.line());
    auth.type_line(&callback);
    auth.wait(&world.home).expect(0);
    world.ingest().expect(0);
    world.oracle().check();
}

#[test]
fn a_pasted_address_of_another_login_is_refused() {
    let world = world();
    let mut auth = world.start_login();
    let callback = consent(&auth.line());
    let state = param(&callback, "state").expect("a state");
    auth.type_line(&callback.replace(&state, "0123456789abcdef0123456789abcdef"));
    auth.type_line("hello");
    auth.type_line(&callback);
    auth.wait(&world.home).expect(0);
    assert_eq!(world.provider.grants(|g| g.ledger.len()), 1);
}

#[test]
fn a_denied_consent_leaves_the_old_login() {
    let world = world();
    world.login();
    world.provider.grants(|g| g.deny = true);
    let mut auth = world.home.start_with_input(&["auth", "whoop", "--no-browser", "--again"]);
    get(&consent(&auth.line()));
    let run = auth.wait(&world.home).expect(4);
    assert!(run.stderr.contains("den") || run.stderr.contains("declined"), "{}", run.report());
    assert!(run.next().contains("health auth whoop"), "{}", run.report());
    world.ingest().expect(0);
    world.oracle().check();
}

#[test]
fn a_wrong_state_is_not_this_login() {
    let world = world();
    let mut auth = world.start_login();
    let callback = consent(&auth.line());
    let state = param(&callback, "state").expect("a state");
    let forged = [
        callback.replace(&state, "x".repeat(state.len()).as_str()),
        callback.replace(&format!("state={state}"), "other=1"),
        format!("http://localhost:{}/callback?error=access_denied&state=forged-state-0000", world.redirect_port),
        format!("http://localhost:{}/callback?error=access_denied", world.redirect_port),
    ];
    for address in &forged {
        assert_eq!(get(address).status, 400, "{address}");
    }
    assert!(auth.is_running(), "a forged callback ended the login");
    assert_eq!(world.provider.grants(|g| g.ledger.len()), 0, "a code was exchanged for a forged callback");
    assert_eq!(get(&callback).status, 200);
    auth.wait(&world.home).expect(0);
}

#[test]
fn the_same_callback_twice_is_one_exchange() {
    let world = world();
    // The exchange takes its time, so that the second callback comes meanwhile.
    world.fault(When::resource("token"), What::Delay(std::time::Duration::from_millis(300)));
    let mut auth = world.start_login();
    let callback = consent(&auth.line());
    let again = callback.clone();
    let other = std::thread::spawn(move || call("GET", &again, &[], ""));
    let first = call("GET", &callback, &[], "");
    let second = other.join().expect("a thread");
    let answered = [&first, &second].iter().filter(|a| a.as_ref().is_ok_and(|a| a.status < 500)).count();
    assert!(answered >= 1, "{first:?} {second:?}");
    auth.wait(&world.home).expect(0);
    assert_eq!(world.provider.grants(|g| g.ledger.len()), 1);
    world.ingest().expect(0);
}

#[test]
fn other_requests_do_not_disturb_the_login() {
    let world = world();
    let mut auth = world.start_login();
    let callback = consent(&auth.line());
    let origin = format!("http://localhost:{}", world.redirect_port);
    let long = format!("{callback}&x={}", "a".repeat(100_000));
    for (method, address, status) in [
        ("GET", format!("{origin}/favicon.ico"), vec![404]),
        ("GET", format!("{origin}/"), vec![404]),
        ("POST", callback.clone(), vec![405]),
        ("OPTIONS", callback.clone(), vec![405]),
        ("GET", long, vec![400, 413, 414, 431]),
    ] {
        let answer = call(method, &address, &[], "");
        let got = answer.as_ref().map_or(0, |a| a.status);
        let closed = got == 0 && status.len() > 1; // too long to be read: closing is an answer
        assert!(status.contains(&got) || closed, "{method} {}: {got}", &address[..address.len().min(60)]);
    }
    let foreign = call("GET", &callback, &[("origin", "https://evil.example")], "").expect("an answer");
    assert_eq!(foreign.status, 403, "a cross-site callback");
    let rebound = call("GET", &callback, &[("host", "evil.example")], "").expect("an answer");
    assert!([400, 403, 421].contains(&rebound.status), "a foreign host name: {}", rebound.status);
    assert!(auth.is_running());
    assert_eq!(world.provider.grants(|g| g.ledger.len()), 0);
    assert_eq!(get(&callback).status, 200);
    auth.wait(&world.home).expect(0);
}

#[test]
fn the_callback_page_tells_nothing() {
    let world = world();
    let mut auth = world.start_login();
    let callback = consent(&auth.line());
    let state = param(&callback, "state").expect("a state");
    let bad = get(&format!("{callback}&error_description=%3Cscript%3Ealert(1)%3C/script%3E")
        .replace(&state, "y".repeat(state.len()).as_str()));
    assert!(!bad.body.contains("<script>alert"), "{}", bad.body);
    let page = get(&callback);
    let header = |name: &str| page.header(name).unwrap_or_default().to_lowercase();
    assert!(header("content-security-policy").contains("default-src 'none'"), "{:?}", page.headers);
    assert!(header("cache-control").contains("no-store"), "{:?}", page.headers);
    assert!(header("referrer-policy").contains("no-referrer"), "{:?}", page.headers);
    let code = param(&callback, "code").expect("a code");
    assert!(!page.body.contains(&code) && !page.body.contains(&state));
    auth.wait(&world.home).expect(0);
}

#[test]
fn only_loopback_listens() {
    let world = world();
    let mut auth = world.start_login();
    let _ = auth.line();
    let port = format!(":{:04X}", world.redirect_port);
    let mut listening = vec![];
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let text = std::fs::read_to_string(table).unwrap_or_default();
        let lines = text.lines().skip(1).map(|l| l.split_whitespace().collect::<Vec<_>>());
        listening.extend(lines.filter(|f| f[1].ends_with(&port) && f[3] == "0A").map(|f| f[1].to_owned()));
    }
    assert!(!listening.is_empty(), "nothing listens on the callback port");
    for address in &listening {
        let loopback =
            ["0100007F", "00000000000000000000000001000000"].iter().any(|l| address.starts_with(&format!("{l}:")));
        assert!(loopback, "listens on {address}");
    }
    auth.signal(Signal::SIGTERM);
    auth.wait(&world.home).expect(143);
    assert!(TcpListener::bind(("127.0.0.1", world.redirect_port)).is_ok(), "the port is still taken");
    assert!(
        files(&world.home.tokens()).iter().all(|f| f.extension().is_some_and(|e| e == "lock")),
        "files of a login that never was"
    );
}

#[test]
fn a_busy_port_is_named() {
    let world = world();
    let _taken = TcpListener::bind(("127.0.0.1", world.redirect_port)).expect("the port");
    let run = world.start_login().wait(&world.home).expect(11);
    assert!(run.stderr.contains(&world.redirect_port.to_string()), "{}", run.report());
    assert_eq!(world.provider.log().len(), 0);
}

#[test]
fn without_a_terminal_it_does_not_wait() {
    let world = world();
    let run = world.health(&["auth", "whoop"]).expect(4);
    assert!(run.took.as_secs() < 5, "waited {:?}", run.took);
    assert!(run.next().contains("health auth whoop"), "{}", run.report());
    assert_eq!(world.provider.log().len(), 0);
}

#[test]
fn a_scope_that_was_not_ticked_is_named() {
    let world = world();
    world.provider.grants(|g| g.ticked.retain(|s| s != "read:body_measurement"));
    world.login().says("body_measurement");
    world.health(&["auth"]).says("6 of 7");
    let run = world.ingest().expect(3);
    assert!(run.report().contains("body_measurement"), "{}", run.report());
    world.provider.with(|sim| sim.person.body = None);
    world.oracle().ends_with(3).check();
}

#[test]
fn without_offline_the_login_is_short() {
    let world = world();
    world.provider.grants(|g| g.ticked.retain(|s| s != "offline"));
    let mut auth = world.start_login();
    get(&consent(&auth.line()));
    let run = auth.wait(&world.home).expect_one_of(&[4]).says("offline");
    assert!(run.report().contains("health auth whoop --again"), "{}", run.report());
    // It works for its hour, and then asks for a person.
    world.ingest().expect(0);
    world.token_expires();
    world.ingest().expect(4);
    assert_eq!(world.provider.grants(|g| g.refreshes().len()), 0);
}

#[test]
fn a_failed_exchange_is_told_apart() {
    for (what, code) in [
        (What::status(400), 4),
        (What::status(500), 5),
        (What::html(200), 5),
        (What::html(503), 5),
        (What::reset(0), 5),
        (What::Answer(401, vec![], r#"{"error":"invalid_client"}"#), 13),
    ] {
        let world = world();
        let fault = world.fault(When::resource("token").before_work(), what);
        let mut auth = world.start_login();
        let _ = call("GET", &consent(&auth.line()), &[], "");
        let run = auth.wait(&world.home);
        assert_eq!(run.code, code, "{}", run.report());
        fault.assert();
        assert_eq!(world.provider.grants(|g| g.ledger.len()), 0);
        assert_eq!(world.provider.requests("token").len(), 1, "a code is sent once");
        world.assert_safe(&mut world.sql());
        world.provider.no_faults();
        world.login();
    }
}

#[test]
fn the_kind_of_token_matters() {
    let world = world();
    world.provider.grants(|g| g.token_type = Some("mac"));
    let mut auth = world.start_login();
    let _ = call("GET", &consent(&auth.line()), &[], "");
    auth.wait(&world.home).expect_one_of(&[4, 6]);
    world.ingest().expect(4);
    world.provider.grants(|g| g.token_type = None);
    world.login();
    world.ingest().expect(0);
    world.assert_safe(&mut world.sql());
}

#[test]
fn two_logins_at_once() {
    let world = world();
    let mut first = world.start_login();
    let address = first.line();
    world.start_login().wait(&world.home).expect(10);
    get(&consent(&address));
    first.wait(&world.home).expect(0);
}

#[test]
fn revoking_tells_the_provider() {
    let world = World::<Whoop>::loaded_few();
    world.health(&["auth", "whoop", "--revoke"]).expect(0);
    let calls = world.provider.requests("revoke");
    assert_eq!(calls.iter().map(|c| c.status).collect::<Vec<_>>(), [204]);
    assert_eq!(world.provider.grants(|g| g.live(now())), 0);
    world.provider.clear_log();
    let run = world.ingest().expect(4);
    assert!(run.next().contains("health auth whoop"), "{}", run.report());
    assert_eq!(world.provider.log().len(), 0);
    world.assert_truth(); // the data stays
    world.assert_safe(&mut world.sql());
}

#[test]
fn revoking_without_an_answer_still_forgets_here() {
    let world = World::connected(Whoop::few(now()));
    let fault = world.fault(When::resource("revoke"), What::status(503));
    world.health(&["auth", "whoop", "--revoke"]).expect(3);
    fault.assert();
    world.provider.no_faults();
    world.ingest().expect(4);
}

#[test]
fn forgetting_stays_at_home() {
    let world = World::connected(Whoop::few(now()));
    world.provider.clear_log();
    world.health(&["auth", "whoop", "--forget"]).expect(0);
    assert_eq!(world.provider.log().len(), 0);
    world.ingest().expect(4);
    assert!(
        files(&world.home.tokens()).iter().all(|f| f.extension().is_some_and(|e| e == "lock")),
        "a token is still there"
    );
}

#[test]
fn never_logged_in() {
    let world = world();
    let run = world.ingest().expect(4).says("WHOOP is not connected");
    assert!(run.next().contains("health auth whoop"), "{}", run.report());
    assert_eq!(world.provider.log().len(), 0);
}

#[test]
fn without_an_app_there_is_no_login() {
    let world = world();
    world.home.unset("WHOOP_CLIENT_ID");
    let run = world.start_login().wait(&world.home).expect(13);
    assert!(run.stderr.contains("WHOOP_CLIENT_ID"), "{}", run.report());
}

#[test]
fn h10_a_proxy_is_not_asked_for_this_machine() {
    let world = world();
    for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        world.home.set(name, "http://127.0.0.1:9");
    }
    world.login();
    world.ingest().expect(0);
    world.token_expires();
    world.ingest().expect(0);
    world.oracle().check();
}

#[test]
fn a_dry_run_says_what_would_happen_and_contacts_nobody() {
    let world = world();
    let dry = |more: &[&str]| {
        let (kept, asked) = (files(&world.home.tokens()), world.provider.log().len());
        let run = world.health(&[&["auth", "whoop", "--dry-run"], more].concat()).expect(0);
        assert_eq!((files(&world.home.tokens()), world.provider.log().len()), (kept, asked), "{}", run.report());
        run
    };
    let plan = dry(&[]).says("Would log in at WHOOP").says("yours, from the configuration").says("read:recovery");
    assert!(plan.stdout.contains(&format!("http://localhost:{}/callback", world.redirect_port)), "{}", plan.report());
    assert!(plan.stdout.ends_with("Next:  health auth whoop\n"), "{}", plan.report());
    dry(&["--forget"]).says("is not connected");

    world.login();
    dry(&[]).says("WHOOP is connected");
    assert_eq!(dry(&["--again", "--json"]).json()["dry_run"], true);
    let port = world.redirect_port.to_string();
    dry(&["--again", "--no-browser", "--port", &port])
        .says(&format!("Next:  health auth whoop --again --no-browser --port {port}"));
    dry(&["--revoke"]).says("would ask WHOOP to withdraw the grant");
    dry(&["--forget"]).says("would remove the login");
    world.health(&["auth"]).expect(0).says("7 of 7");
}
