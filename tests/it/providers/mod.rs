//! Simulated providers, one file or folder each, written from the provider's documentation alone.

pub mod google_health;
pub mod oura;
pub mod strava;
pub mod whoop;
pub mod withings;
