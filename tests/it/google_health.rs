//! Google Health's own oddities, beyond the contract: consent, aliases, types, filters, roll-ups, readings by the hour.

use crate::providers::google_health::Google;
use crate::support::cli::Home;
use crate::support::subject::Subject;
use crate::support::world::{World, now};

#[test]
fn the_consent_asks_for_a_lasting_login_and_proves_itself() {
    let world = World::connected(Google::few(now()));
    let asked = world.provider.grants(|grants| grants.asked.clone());
    let of = |name: &str| asked[0].get(name).map(String::as_str);
    assert_eq!(
        (of("access_type"), of("prompt"), of("include_granted_scopes")),
        (Some("offline"), Some("consent"), Some("true"))
    );
    assert_eq!((of("code_challenge_method"), of("response_type")), (Some("S256"), Some("code")));
    assert!(of("scope").is_some_and(|scope| scope.split(' ').count() == 11), "{:?}", of("scope"));
    // The refresh token stays the same, and the second renewal sends it again.
    for _ in 0..2 {
        world.token_expires();
        world.ingest().expect(0);
    }
    let sent = world
        .provider
        .grants(|grants| grants.refreshes().iter().map(|post| post.credential.clone()).collect::<Vec<_>>());
    assert!(sent.len() == 2 && sent[0] == sent[1], "{} renewals", sent.len());
}

#[test]
fn the_grant_is_withdrawn_by_a_form() {
    let world = World::connected(Google::few(now()));
    world.health(&["auth", "fitbit", "--revoke"]).expect(0).says("withdrew the grant");
    let sent = world.provider.requests("revoke");
    assert_eq!((sent.len(), sent[0].path.as_str(), sent[0].method.as_str()), (1, "/revoke", "POST"));
    assert!(sent[0].body.starts_with("token=") && sent[0].headers.iter().all(|(name, _)| name != "authorization"));
    assert_eq!(world.provider.grants(|grants| grants.live(now())), 0);
}

#[test]
fn fitbit_is_another_name_and_says_what_happened() {
    let home = Home::new();
    let said = home.health(&["auth", "fitbit", "--dry-run"]).expect(0);
    let told = said.stderr.lines().filter(|line| !line.trim().is_empty()).count();
    assert!(said.stderr.contains("2 November 2026") && told == 3, "{}", said.report());
    assert!(!home.health(&["auth", "google-health", "--dry-run"]).expect(0).stderr.contains("2 November"));
    home.health(&["sources", "fitbit"]).expect(0).says("Google Health");
}

#[test]
fn google_fit_has_ended() {
    let home = Home::new();
    for command in [&["auth", "google-fit"][..], &["ingest", "google_fit"]] {
        let run = home.health(command).expect(6).says("Google Fit").says("takeout.google.com");
        assert_eq!(run.next(), "health auth google-health");
    }
}
