//! A synthetic person's data and a simulated WHOOP that serves it on loopback, for `health demo`.
//!
//! Knows the provider's documentation (`docs/sources/whoop.md`) and nothing of our own engine: what the demo shows has
//! taken the real path. The simulated provider of the tests is written separately, on purpose.

mod body;
mod calendar;
mod consent;
mod http;
mod provider;
mod random;
mod shapes;
mod shelf;
#[cfg(test)]
mod tests;
mod year;

pub(crate) use calendar::HOME;
pub(crate) use consent::{CLIENT_ID, CLIENT_SECRET};
pub(crate) use provider::Provider;
