//! What a person enters in the provider's form for an application, in the words of that form.

use url::Url;

use crate::source::{Auth, Source};

/// The lines of the form, label and value, as they are for this redirect address.
pub(super) fn lines(auth: &Auth, redirect: &Url) -> Vec<(&'static str, String)> {
    let host = redirect.host_str().unwrap_or_default();
    let filled = |value: &str| {
        let value = value.replace("{redirect}", redirect.as_str()).replace("{host}", host);
        value.replace("{scopes}", &auth.scopes.join(", "))
    };
    auth.form.iter().map(|(label, value)| (*label, filled(value))).collect()
}

/// The first step of a login: the application, new or known, and what to know before the browser opens.
pub(super) fn first_step(source: &Source, redirect: &Url, is_known: bool) -> String {
    let Some(api) = &source.api else { return String::new() };
    let (title, console) = (source.title, api.auth.console);
    // Of one that is there, what the login hangs on.
    let hangs = |value: &str| ["{redirect}", "{host}"].iter().any(|word| value.contains(word));
    let shown = lines(&api.auth, redirect).into_iter().zip(api.auth.form);
    let shown = shown.filter(|(_, (_, template))| !is_known || hangs(template)).map(|(line, _)| line);
    let mut said = vec![if is_known {
        format!("1  Your application at {title} is known. Its form must say:")
    } else {
        format!("1  Create an application of your own at {title} (once):  {console}")
    }];
    said.extend(shown.map(|(label, value)| format!("   {label}:   {value}")));
    if !is_known {
        said.push(format!("   {title} shows the client id and secret afterwards."));
    }
    said.extend(api.auth.notes.iter().map(|note| format!("   {note}")));
    said.push(String::new());
    said.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(id: &str, redirect: &str, is_known: bool) -> String {
        let source = crate::sources::find(id).expect("a source");
        first_step(source, &Url::parse(redirect).expect("an address"), is_known)
    }

    #[test]
    fn each_form_is_shown_in_its_own_words() {
        let address = "http://localhost:8765/callback/x";
        for id in ["whoop", "oura"] {
            let said = step(id, address, false);
            assert!(said.contains(&format!("exactly:   {address}\n")) && said.contains("Scopes to tick: "), "{said}");
        }
        let strava = step("strava", address, false);
        assert!(strava.contains("Authorization Callback Domain:   localhost\n"), "{strava}");
        let withings = step("withings", address, false);
        assert!(withings.contains(&format!("exactly:   {address}\n")), "{withings}");
        let google = step("google_health", address, false);
        for word in ["Google Health API", "Desktop app", "In production"] {
            assert!(google.contains(word), "{google}");
        }
        for said in [strava, withings, google] {
            assert!(!said.contains("Scopes to tick"), "its form has none: {said}");
            assert!(said.lines().all(|line| line.chars().count() <= 140), "{said}");
        }
    }

    #[test]
    fn what_to_know_comes_before_the_first_question() {
        for source in crate::sources::ALL.iter().filter(|source| source.api.is_some()) {
            for is_known in [false, true] {
                let said = step(source.id, "http://127.0.0.1:8765/callback/x", is_known);
                let notes = source.api.iter().flat_map(|api| api.auth.notes);
                assert!(notes.clone().all(|note| said.contains(note)), "{said}");
                assert!(!said.contains('{'), "{said}");
            }
        }
    }

    #[test]
    fn of_a_known_application_only_what_the_login_hangs_on() {
        let said = step("strava", "http://localhost:9/callback", true);
        assert!(said.contains("Authorization Callback Domain:   localhost\n") && !said.contains("Website"), "{said}");
        assert!(!said.contains("/callback"), "{said}");
    }
}
