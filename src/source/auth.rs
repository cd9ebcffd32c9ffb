//! The vocabulary of logins. Types only; the loop is in `oauth`.

use std::time::Duration;

/// How a person logs in (RFC 6749 words).
pub(crate) struct Auth {
    pub(crate) authorize_url: &'static str,
    pub(crate) token_url: &'static str,
    /// Where it depends on the application which of several endpoints knows it: all of them, by the words that a person may
    /// set (`auto`: all). The one that worked last is asked first, each other one once when that refuses.
    pub(crate) token_endpoints: &'static [(&'static str, &'static str)],
    /// The name of this machine in the redirect address: `127.0.0.1`, or `localhost` where the provider takes only that.
    pub(crate) redirect_host: &'static str,
    pub(crate) scopes: &'static [&'static str],
    /// What stands between scopes in the address of the consent page: RFC 6749 says a blank.
    pub(crate) scope_separator: &'static str,
    /// The scope without which no refresh token comes, if the provider has one.
    pub(crate) offline_scope: Option<&'static str>,
    /// Whether the provider knows PKCE (RFC 7636); `state` is always sent.
    pub(crate) pkce: bool,
    /// Whether a refresh gives a new refresh token and kills the old one.
    pub(crate) rotates: bool,
    /// Sent with every call to the token endpoint.
    pub(crate) token_params: &'static [(&'static str, &'static str)],
    /// JSON pointer to the tokens in a token answer; empty: it is all of it. Elsewhere they lie in an envelope, whose `status`
    /// is 0 when the call worked, whatever HTTP says.
    pub(crate) token_at: &'static str,
    /// Sent with the person to the consent page, beside what every provider is sent: Google wants `access_type=offline`.
    pub(crate) authorize_params: &'static [(&'static str, &'static str)],
    /// Sent with a refresh beside the token: WHOOP wants `scope=offline`.
    pub(crate) refresh_params: &'static [(&'static str, &'static str)],
    /// `error` words of a token endpoint that mean the login is dead for good.
    pub(crate) dead_errors: &'static [&'static str],
    /// The same for the `status` of an envelope.
    pub(crate) dead_statuses: &'static [i64],
    /// How long the refresh token that was sent still works when the answer is lost; none: it is spent.
    pub(crate) second_chance: Option<Duration>,
    pub(crate) revoke: Revoke,
    /// Where a person creates an own application.
    pub(crate) console: &'static str,
    /// What its form there wants: label and value, in which `{redirect}` stands for the redirect address, `{host}` for the
    /// name of the machine in it and `{scopes}` for the scopes.
    pub(crate) form: &'static [(&'static str, &'static str)],
    /// Things to know before the browser opens, a sentence each.
    pub(crate) notes: &'static [&'static str],
}

impl Auth {
    /// What most providers have in common: a source names what is its own.
    pub(crate) const USUAL: Self = Self {
        authorize_url: "",
        token_url: "",
        token_endpoints: &[],
        redirect_host: "127.0.0.1",
        scopes: &[],
        scope_separator: " ",
        offline_scope: None,
        pkce: false,
        rotates: true,
        token_params: &[],
        token_at: "",
        authorize_params: &[],
        refresh_params: &[],
        dead_errors: &["invalid_grant"],
        dead_statuses: &[],
        second_chance: None,
        revoke: Revoke::Delete(""), // each provider has a way of its own
        console: "",
        form: &[("Redirect URL to paste there, exactly", "{redirect}"), ("Scopes to tick", "{scopes}")],
        notes: &[],
    };
}

/// A scope as a person reads it: of one that is an address its last word, without what says that it only reads.
pub(crate) fn short_scope(scope: &str) -> &str {
    let Some((_, last)) = scope.rsplit_once('/').filter(|_| scope.contains("://")) else { return scope };
    let last = last.strip_suffix(".readonly").unwrap_or(last);
    last.rsplit_once('.').map_or(last, |(_, word)| word)
}

/// How a grant is withdrawn, below the base address unless it says otherwise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Revoke {
    /// A DELETE of this path with the bearer.
    Delete(&'static str),
    /// A POST to this path with the access token as this parameter of the address.
    Post(&'static str, &'static str),
    /// A POST of the token as a form to this path beside the token endpoint, with the application's id and secret as HTTP
    /// Basic (RFC 7009).
    Basic(&'static str),
    /// A POST form to `path` that names the person and is signed with the client secret and a number from `nonce`, which is
    /// good for one call. Answers come in an envelope, as those of [`Auth::token_at`] do.
    Signed { path: &'static str, nonce: &'static str },
    /// A form (RFC 7009) to this path of the server that gave the token, with the token as this field.
    Form(&'static str, &'static str),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_short_where_it_is_an_address() {
        assert_eq!(short_scope("https://www.googleapis.com/auth/googlehealth.sleep.readonly"), "sleep");
        for short in ["read:sleep", "user.metrics", "daily", ""] {
            assert_eq!(short_scope(short), short);
        }
    }
}
