//! Google Health: what Fitbit trackers, Pixel watches and apps bring to the API v4, which took the place of Fitbit's own.
//!
//! Facts: `docs/sources/google_health.md`. Data types are many and of few shapes: `types` is a table of them. A type is
//! filtered by a member of its own; numbers of 64 bits are texts, zeros and empty lists are left out. There is no "updated
//! since": the last days are read again.

mod models;
mod types;
mod verdict;

use std::time::Duration;

use crate::source::{Alias, Api, Auth, Limits, Revoke, Source};

pub(crate) static SOURCE: Source = Source {
    id: "google_health",
    aliases: &[Alias {
        name: "fitbit",
        says: &[
            "Fitbit's own interface was switched off on 2 November 2026: its logins and applications no longer work.",
            "Google Health has the same data, back to your first tracker. It takes a Google account and a project of yours there.",
            "Nothing carries over but your history: you consent once more, at Google, and everything is read anew.",
        ],
    }],
    title: "Google Health",
    brings: "sleep stages, exercise, heart rate, HRV, SpO2, steps, weight, food, ECG",
    needs: "Fitbit or Pixel device or app, own Google Cloud project",
    notices: &[],
    api: Some(Api {
        base_url: "https://health.googleapis.com/v4",
        auth: AUTH,
        terms: &[],
        limits: LIMITS,
        verdict: verdict::judge,
        owner: "", // points do not say whose they are; identity does
        resources: types::RESOURCES,
    }),
    files: None,
    models: models::MODELS,
    shown: &[],
    references: &[],
};

const AUTH: Auth = Auth {
    authorize_url: "https://accounts.google.com/o/oauth2/v2/auth",
    token_url: "https://oauth2.googleapis.com/token",
    scopes: &[
        types::ACTIVITY,
        types::METRICS,
        types::SLEEP,
        types::NUTRITION,
        types::PROFILE,
        types::SETTINGS,
        types::ECG,
        types::IRN,
        types::REPRODUCTIVE,
        types::SYMPTOMS,
        types::MINDFULNESS,
        types::LOCATION,
    ],
    // Both of the first, or a second consent brings no refresh token.
    authorize_params: &[("access_type", "offline"), ("prompt", "consent"), ("include_granted_scopes", "true")],
    pkce: true,
    rotates: false,
    revoke: Revoke::Form("/revoke", "token"),
    console: "https://console.cloud.google.com",
    form: &[
        ("Project", "a new one; any name"),
        ("APIs & Services, Library", "enable the Google Health API"),
        ("OAuth consent screen, Audience", "External, then Publish app: \"In production\"; Data access stays empty"),
        ("Credentials, OAuth client ID", "Desktop app, which takes any redirect address of this machine"),
        ("Redirect address, for a Web application alone", "{redirect}"),
    ],
    notes: &[
        "Google warns that it has not verified your application: choose \"Advanced\", then go on to it. It is your own.",
        "Tick every box on Google's page: a box that is not ticked leaves its data out. Location is for tracks of exercises alone.",
        "While the consent screen is in \"Testing\", Google ends every login after 7 days: set it to \"In production\".",
    ],
    ..Auth::USUAL
};

/// 300 requests a minute and person; about half of that in a project that Google has not verified, as one's own is.
const LIMITS: Limits =
    Limits { requests: 150, per: Duration::from_mins(1), max_wait: Duration::from_secs(90), quotas: &[] };
