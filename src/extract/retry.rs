//! How long to wait between attempts at one request: doubling, with jitter, a few times (the only importer of `backon`).

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};

/// The pauses of one request; `None` means that it was tried often enough.
pub(crate) fn pauses() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(Duration::from_millis(250))
        .with_max_delay(Duration::from_secs(8))
        .with_max_times(4)
        .with_jitter()
        .build()
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_few_growing_pauses() {
        let pauses: Vec<_> = super::pauses().collect();
        assert_eq!(pauses.len(), 4);
        assert!(pauses.windows(2).all(|pair| pair[0] < pair[1] * 2));
        assert!(pauses.iter().sum::<std::time::Duration>().as_secs() < 10);
    }
}
