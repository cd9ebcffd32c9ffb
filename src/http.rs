//! One HTTP client for all: no redirects, no cookies, every wait bounded, every body capped (docs/adr/10).

use std::time::Duration;

use crate::failure::{Failure, Kind};

/// Largest decoded page that is read; a larger one is an error, not memory.
pub(crate) const MAX_PAGE: usize = 32 << 20;

/// The client for calls to the host of `to`. Roots come from the system's store, so that private authorities work. The
/// proxy that the environment names is used, but not for this machine: it would look for the address on its own.
pub(crate) fn client(to: &url::Url) -> Result<reqwest::Client, Failure> {
    // A second installation answers Err and changes nothing.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = reqwest::Client::builder();
    let builder = if crate::config::is_loopback(to) { builder.no_proxy() } else { builder };
    builder
        .user_agent(concat!("health/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(10))
        .read_timeout(Duration::from_secs(30))
        .timeout(Duration::from_mins(2))
        .pool_idle_timeout(Duration::from_secs(20))
        .build()
        .map_err(|_| {
            Failure::new(Kind::Local, "the system has no usable certificates for TLS")
                .next("install the package ca-certificates, or set SSL_CERT_FILE")
        })
}

/// Why a body could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BodyError {
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    #[error("the answer broke off")]
    Broken(#[source] reqwest::Error),
}

/// The decoded body, at most `limit` bytes of it.
pub(crate) async fn body(mut response: reqwest::Response, limit: usize) -> Result<Vec<u8>, BodyError> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| BodyError::Broken(error.without_url()))? {
        if bytes.len() + chunk.len() > limit {
            return Err(BodyError::TooLarge(limit));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

/// What a transport error means, in words that name no address with a query.
pub(crate) fn transport_error(error: &reqwest::Error) -> String {
    let mut chain: Vec<String> = Vec::new();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(inner) = cause {
        chain.push(inner.to_string());
        cause = inner.source();
    }
    let deepest = chain.last().map(|text| crate::output::clean(text)).unwrap_or_default();
    let host = error.url().and_then(|url| url.host_str()).unwrap_or("the provider");
    let what = if error.is_timeout() {
        "did not answer in time"
    } else if deepest.contains("certificate") {
        "showed a certificate that this machine does not trust; check the clock and the proxy"
    } else if error.is_connect() {
        "cannot be reached"
    } else {
        "broke the connection"
    };
    if deepest.is_empty() { format!("{host} {what}") } else { format!("{host} {what} ({deepest})") }
}
