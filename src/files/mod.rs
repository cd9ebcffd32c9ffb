//! The way in through files.

/// Reads one input and loads it through the import ledger.
pub(crate) type Import = fn();
