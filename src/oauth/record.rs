//! What is kept of a login: the tokens, when they end, what was granted, and what went wrong last. One versioned JSON
//! document, which only ever exists encrypted.

use chrono::{DateTime, TimeDelta, Utc};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};

/// The form of the document. A reader refuses a higher one and leaves it alone.
const VERSION: u32 = 1;

/// A token is renewed this long before its end, so that it does not end on its way.
const MARGIN: TimeDelta = TimeDelta::seconds(60);

/// One login of one account at one source.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) version: u32,
    pub(super) source: String,
    pub(super) account: String,
    pub(super) connected_at: DateTime<Utc>,
    #[serde(serialize_with = "expose")]
    pub(super) access: SecretString,
    #[serde(serialize_with = "expose_some")]
    pub(super) refresh: Option<SecretString>,
    /// When the access token was made, by the provider's clock.
    pub(super) minted_at: DateTime<Utc>,
    /// How long it lives; none where the provider did not say.
    pub(super) lives_seconds: Option<i64>,
    /// How far this machine's clock was ahead of the provider's.
    pub(super) skew_seconds: i64,
    pub(super) asked: Vec<String>,
    pub(super) granted: Vec<String>,
    /// Where the tokens came from and where they may go: a token never leaves for another site.
    pub(super) token_site: String,
    /// The endpoint that gave the tokens, where the provider has several.
    #[serde(default)]
    pub(super) token_url: Option<String>,
    pub(super) base_site: String,
    /// The provider's id of the person, where the token answer names it.
    pub(super) owner: Option<String>,
    /// The application, where it was typed in and not configured.
    pub(super) client: Option<Client>,
    /// Answers in a row that refused without a known reason.
    #[serde(default)]
    pub(super) refusals: u32,
    /// Set when a person must log in again; no request is made after that.
    #[serde(default)]
    pub(super) dead: Option<Death>,
}

/// An application's credentials.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Client {
    pub(super) id: String,
    #[serde(serialize_with = "expose_some")]
    pub(super) secret: Option<SecretString>,
}

/// When and why a login died.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Death {
    pub(super) at: DateTime<Utc>,
    pub(super) reason: String,
    /// The start of the renewal whose answer was lost, if that is why.
    pub(super) interrupted_at: Option<DateTime<Utc>>,
}

fn expose<S: Serializer>(secret: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(secret.expose_secret())
}

#[allow(clippy::ref_option, reason = "the form that serde calls")]
fn expose_some<S: Serializer>(secret: &Option<SecretString>, serializer: S) -> Result<S::Ok, S::Error> {
    secret.as_ref().map(ExposeSecret::expose_secret).serialize(serializer)
}

/// Why a document is no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotARecord {
    Newer(u64),
    Malformed,
}

impl Record {
    pub(super) const VERSION: u32 = VERSION;

    pub(super) fn from_json(bytes: &[u8]) -> Result<Self, NotARecord> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u64,
        }
        let Versioned { version } = serde_json::from_slice(bytes).map_err(|_| NotARecord::Malformed)?;
        if version > u64::from(VERSION) {
            return Err(NotARecord::Newer(version));
        }
        serde_json::from_slice(bytes).map_err(|_| NotARecord::Malformed)
    }

    pub(super) fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default() // strings and numbers alone: it cannot fail
    }

    /// When the access token ends, by the provider's clock.
    pub(super) fn ends_at(&self) -> Option<DateTime<Utc>> {
        self.lives_seconds.and_then(|seconds| self.minted_at.checked_add_signed(TimeDelta::try_seconds(seconds)?))
    }

    /// How long the access token is still used for, seen from this machine's `now`; none: until it is refused.
    pub(super) fn use_left(&self, now: DateTime<Utc>) -> Option<TimeDelta> {
        let life = TimeDelta::try_seconds(self.lives_seconds?)?;
        let there = now.checked_sub_signed(TimeDelta::try_seconds(self.skew_seconds)?)?;
        Some(self.ends_at()? - there - MARGIN.min(life / 10))
    }

    pub(super) fn is_fresh(&self, now: DateTime<Utc>) -> bool {
        self.use_left(now).is_none_or(|left| left > TimeDelta::zero())
    }

    /// The token that a renewal spends, or the access token where there is none: tells one state from another.
    pub(super) fn spends(&self) -> &str {
        self.refresh.as_ref().unwrap_or(&self.access).expose_secret()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::oauth) fn sample(refresh: &str) -> Record {
        let at = DateTime::from_timestamp(1_795_000_000, 0).unwrap();
        Record {
            version: VERSION,
            source: "whoop".into(),
            account: "default".into(),
            connected_at: at,
            access: format!("access-of-{refresh}").into(),
            refresh: Some(refresh.to_owned().into()),
            minted_at: at,
            lives_seconds: Some(3600),
            skew_seconds: 0,
            asked: vec!["offline".into()],
            granted: vec!["offline".into()],
            token_site: "https://example.org".into(),
            token_url: None,
            base_site: "https://example.org".into(),
            owner: None,
            client: None,
            refusals: 0,
            dead: None,
        }
    }

    #[test]
    fn a_record_survives_its_document() {
        let record = sample("r\"é\\1");
        let again = Record::from_json(&record.to_json()).unwrap();
        assert_eq!(again.spends(), "r\"é\\1");
        assert_eq!(again.to_json(), record.to_json());
        assert!(!format!("{record:?}").contains("r\\\"é"), "no secret in Debug");
    }

    #[test]
    fn a_newer_form_and_nonsense_are_told_apart() {
        assert_eq!(Record::from_json(b"{\"version\":99,\"x\":1}").unwrap_err(), NotARecord::Newer(99));
        for bytes in [&b""[..], b"{", b"{}", b"[]", b"{\"version\":1}", b"\xff"] {
            assert_eq!(Record::from_json(bytes).unwrap_err(), NotARecord::Malformed);
        }
    }

    #[test]
    fn a_wrong_clock_makes_no_storm_of_renewals() {
        let mut record = sample("r");
        for hours in [-2i64, 0, 2] {
            record.skew_seconds = hours * 3600;
            let here = record.minted_at + TimeDelta::hours(hours);
            assert!(record.is_fresh(here), "{hours}");
            assert!(record.is_fresh(here + TimeDelta::minutes(58)));
            assert!(!record.is_fresh(here + TimeDelta::minutes(60)));
        }
        record.skew_seconds = 0;
        record.lives_seconds = Some(30);
        assert!(record.is_fresh(record.minted_at + TimeDelta::seconds(20)), "short lives keep a short margin");
        record.lives_seconds = None;
        assert!(record.is_fresh(record.minted_at + TimeDelta::days(900)));
    }
}
