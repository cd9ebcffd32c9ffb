//! The private PostgreSQL through the real program: first start, kill, stale files, several processes, other accounts,
//! fetched programs. Every test has a home of its own and removes what it made.

mod accounts;
mod fetched;
mod lifecycle;
pub mod sandbox;
mod trouble;
