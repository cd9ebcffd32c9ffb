//! What is particular to Withings.
