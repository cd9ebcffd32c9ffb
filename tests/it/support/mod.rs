//! What the tests stand on: a throwaway database, the binary, simulated providers, the oracle.

pub mod cli;
pub mod faults;
mod gzip;
pub mod net;
pub mod oracle;
pub mod order;
pub mod pg;
pub mod provider;
pub mod proxy;
pub mod rows;
pub mod scenes;
pub mod secrets;
pub mod strace;
pub mod subject;
pub mod tokens;
pub mod truth;
pub mod world;
