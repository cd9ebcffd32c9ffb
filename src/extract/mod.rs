//! Asks providers, page by page. Async; knows no SQL.

pub(crate) mod paging;
