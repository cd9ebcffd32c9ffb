//! The simulated providers do what their documentation says: a test of the tests.

use std::time::Duration;

use crate::providers::whoop::Whoop;
use crate::support::faults::{What, When};
use crate::support::net::{Answer, call, get};
use crate::support::provider::{Provider, Quota, consent, param};
use crate::support::subject::Subject;
use crate::support::tokens::s256;
use crate::support::world::now;

const REDIRECT: &str = "http://localhost:9/callback";

fn whoop(days: i64) -> Provider<Whoop> {
    Provider::start(Whoop::with_days(days, now()), now(), REDIRECT)
}

fn authorize(provider: &Provider<Whoop>, extra: &str) -> String {
    let client = provider.grants(|g| g.client_id.clone());
    format!(
        "{}?response_type=code&client_id={client}&redirect_uri=http%3A%2F%2Flocalhost%3A9%2Fcallback&state=12345678&scope=offline%20read%3Acycles%20read%3Asleep{extra}",
        provider.authorize_url()
    )
}

fn post(provider: &Provider<Whoop>, form: &str) -> Answer {
    let (id, secret) = provider.grants(|g| (g.client_id.clone(), g.client_secret.clone()));
    let body = format!("client_id={id}&client_secret={secret}&{form}");
    call("POST", &provider.token_url(), &[("content-type", "application/x-www-form-urlencoded")], &body)
        .expect("an answer")
}

fn field(answer: &Answer, name: &str) -> String {
    let body: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
    body[name].as_str().unwrap_or_default().to_owned()
}

/// Access and refresh token.
fn login(provider: &Provider<Whoop>) -> (String, String) {
    let code = param(&consent(&authorize(provider, "")), "code").expect("a code");
    let answer = post(provider, &format!("grant_type=authorization_code&code={code}&redirect_uri={REDIRECT}"));
    assert_eq!(answer.status, 200, "{}", answer.body);
    (field(&answer, "access_token"), field(&answer, "refresh_token"))
}

fn data(provider: &Provider<Whoop>, access: &str, path: &str) -> Answer {
    let bearer = format!("Bearer {access}");
    call("GET", &format!("{}{path}", provider.base_url()), &[("authorization", &bearer)], "").expect("an answer")
}

fn ids(answer: &Answer) -> Vec<String> {
    let body: serde_json::Value = serde_json::from_str(&answer.body).expect("JSON");
    body["records"].as_array().expect("records").iter().map(|r| r["id"].to_string()).collect()
}

#[test]
fn codes_and_refresh_tokens_work_once() {
    let provider = whoop(3);
    let code = param(&consent(&authorize(&provider, "")), "code").expect("a code");
    let form = format!("grant_type=authorization_code&code={code}&redirect_uri={REDIRECT}");
    let first = post(&provider, &form);
    assert_eq!(first.status, 200);
    assert_eq!(post(&provider, &form).status, 400);
    let (access, refresh) = (field(&first, "access_token"), field(&first, "refresh_token"));
    assert_eq!(data(&provider, &access, "/v2/cycle").status, 200);
    let form = format!("grant_type=refresh_token&refresh_token={refresh}&scope=offline");
    let second = post(&provider, &form);
    assert_eq!(second.status, 200);
    assert_ne!(field(&second, "refresh_token"), refresh);
    let third = post(&provider, &form);
    assert_eq!((third.status, field(&third, "error")), (400, "invalid_grant".into()));
    // The old access token dies with the old refresh token.
    assert_eq!(data(&provider, &access, "/v2/cycle").status, 401);
    assert_eq!(data(&provider, &field(&second, "access_token"), "/v2/cycle").status, 200);
    assert_eq!(provider.grants(|g| g.ledger.len()), 4);
}

#[test]
fn a_challenge_needs_its_verifier() {
    let provider = whoop(1);
    let challenge = s256("correct-verifier-correct-verifier-correct-verifier");
    // RFC 7636, appendix B.
    assert_eq!(s256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    let ask = format!("&code_challenge={challenge}&code_challenge_method=S256");
    for (verifier, status) in [("wrong", 400), ("correct-verifier-correct-verifier-correct-verifier", 200)] {
        let code = param(&consent(&authorize(&provider, &ask)), "code").expect("a code");
        let form =
            format!("grant_type=authorization_code&code={code}&redirect_uri={REDIRECT}&code_verifier={verifier}");
        assert_eq!(post(&provider, &form).status, status);
    }
}

#[test]
fn the_app_must_be_known() {
    let provider = whoop(1);
    let answer = call("POST", &provider.token_url(), &[], "grant_type=refresh_token&client_id=x&client_secret=y")
        .expect("an answer");
    assert_eq!((answer.status, field(&answer, "error")), (401, "invalid_client".into()));
    let other = authorize(&provider, "").replace("%3A9", "%3A10");
    assert_eq!(get(&other).status, 400);
    let short = authorize(&provider, "").replace("12345678", "1234567");
    assert_eq!(param(&consent(&short), "error").as_deref(), Some("invalid_state"));
}

#[test]
fn pages_follow_each_other_newest_first() {
    let provider = whoop(58);
    let (access, _) = login(&provider);
    let mut seen = vec![];
    let mut path = "/v2/activity/sleep?limit=25".to_owned();
    let mut pages = 0;
    loop {
        let page = data(&provider, &access, &path);
        assert_eq!(page.status, 200, "{}", page.body);
        pages += 1;
        seen.extend(ids(&page));
        let token = field(&page, "next_token");
        if token.is_empty() {
            break;
        }
        path = format!("/v2/activity/sleep?limit=25&nextToken={token}");
    }
    let mut sleeps = provider.with(|w| w.person.sleeps.clone());
    sleeps.sort_by_key(|s| std::cmp::Reverse(s.start));
    let expected: Vec<String> = sleeps.iter().map(|s| format!("{:?}", s.id)).collect();
    assert_eq!(seen, expected);
    assert!(pages >= 3);
}

#[test]
fn listings_keep_their_rules() {
    let provider = whoop(30);
    let (access, _) = login(&provider);
    let ask = |path: &str| data(&provider, &access, path);
    assert_eq!(ids(&ask("/v2/cycle")).len(), 10, "the default limit");
    assert_eq!(ask("/v2/cycle?limit=26").status, 400);
    assert_eq!(ask("/v2/cycle?nextToken=made-up").status, 400);
    assert_eq!(ask("/v2/cycle?start=yesterday").status, 400);
    // camelCase in the query: the other spelling is not a parameter at all.
    let first = ask("/v2/cycle?limit=5");
    let again = ask(&format!("/v2/cycle?limit=5&next_token={}", field(&first, "next_token")));
    assert_eq!(ids(&first), ids(&again));
    // A token belongs to its window.
    let other = ask(&format!("/v2/cycle?limit=6&nextToken={}", field(&first, "next_token")));
    assert_eq!(other.status, 400);
    // Start inclusive, end exclusive.
    let (early, late) = provider.with(|w| (w.person.cycles[10].start, w.person.cycles[12].start));
    let stamp = crate::support::truth::stamp;
    let window = ask(&format!("/v2/cycle?start={}&end={}", stamp(early), stamp(late)));
    let expected: Vec<String> = provider.with(|w| [11, 10].map(|i| w.person.cycles[i].id.to_string()).to_vec());
    assert_eq!(ids(&window), expected);
    assert_eq!(ask("/v2/recovery/900").status, 404);
    assert_eq!(ask("/v2/activity/workout").status, 403, "a scope that was not asked for");
}

#[test]
fn limits_are_announced_and_kept() {
    let provider = whoop(3);
    let (access, _) = login(&provider);
    provider.state().quota = Some(Quota { requests: 2, window: Duration::from_mins(1) });
    let first = data(&provider, &access, "/v2/cycle");
    assert_eq!(first.header("x-ratelimit-remaining"), Some("1"));
    assert_eq!(first.header("x-ratelimit-limit"), Some("2, 2;window=60, 10000000;window=86400"));
    assert_eq!(data(&provider, &access, "/v2/cycle").status, 200);
    let third = data(&provider, &access, "/v2/cycle");
    assert_eq!(third.status, 429);
    assert!(third.header("x-ratelimit-reset").is_some_and(|s| s.parse::<u32>().is_ok_and(|s| s > 0)));
}

#[test]
fn faults_fire_when_planned() {
    let provider = whoop(3);
    let (access, _) = login(&provider);
    let third = provider.fault(When::resource("cycles").nth(2), What::status(503));
    let reset = provider.fault(When::resource("sleeps").nth(1), What::reset(30));
    let cut = provider.fault(When::resource("sleeps").nth(2), What::cut(200));
    assert_eq!(data(&provider, &access, "/v2/cycle").status, 200);
    assert_eq!(third.count(), 0);
    assert_eq!(data(&provider, &access, "/v2/cycle").status, 503);
    assert_eq!(data(&provider, &access, "/v2/cycle").status, 200);
    assert_eq!(third.count(), 1);
    let bearer = format!("Bearer {access}");
    let sleep = format!("{}/v2/activity/sleep", provider.base_url());
    assert!(call("GET", &sleep, &[("authorization", &bearer)], "").is_err(), "a reset connection");
    assert_eq!(reset.count(), 1);
    let short = call("GET", &sleep, &[("authorization", &bearer)], "").expect("half an answer");
    let promised: usize = short.header("content-length").and_then(|l| l.parse().ok()).expect("a length");
    assert!(short.body.len() < promised);
    cut.assert();
}

#[test]
fn revoking_ends_every_token() {
    let provider = whoop(3);
    let (access, refresh) = login(&provider);
    let bearer = format!("Bearer {access}");
    let address = format!("{}/v2/user/access", provider.base_url());
    assert_eq!(call("DELETE", &address, &[("authorization", &bearer)], "").expect("an answer").status, 204);
    assert_eq!(data(&provider, &access, "/v2/cycle").status, 401);
    assert_eq!(post(&provider, &format!("grant_type=refresh_token&refresh_token={refresh}&scope=offline")).status, 400);
}

#[test]
fn records_are_json_and_changes_are_changes() {
    let mut sim = Whoop::many(now());
    let before = crate::support::provider::Simulation::truth(&sim);
    for text in before.raw.values() {
        serde_json::from_str::<serde_json::Value>(text).expect("JSON");
    }
    for resource in Whoop::LISTINGS {
        let n = before.raw.keys().filter(|(r, _)| r == resource).count();
        assert!(n > 50, "{resource} has only {n} records: not three pages");
    }
    let key = sim.edit_recent();
    let after = crate::support::provider::Simulation::truth(&sim);
    let at = (key.resource.to_owned(), key.id);
    assert_ne!(before.raw[&at], after.raw[&at]);
    assert_eq!(before.raw.len(), after.raw.len());
}
