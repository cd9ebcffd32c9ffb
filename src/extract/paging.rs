//! How a slice and a page token become a request, and how the next page follows from a reply.

use chrono::{DateTime, SecondsFormat, Utc};

use crate::source::{Call, PageToken, Paging, Resource, Slice, Stamp, Window};

/// The call of a resource that does nothing unusual: path, window and page size as parameters, the token last.
pub(crate) fn standard_call(resource: &Resource, slice: &Slice, token: Option<&PageToken>) -> Call {
    if let (Paging::NextLink { .. }, Some(token)) = (resource.paging, token) {
        return Call::Follow { link: token.0.clone() };
    }
    let mut query = Vec::new();
    if let Window::Range { start, end, format, .. } = resource.window {
        query.push((start.to_owned(), stamp(format, slice.from)));
        query.push((end.to_owned(), stamp(format, slice.to)));
    }
    if let Paging::Token { param, size, .. } = resource.paging {
        if let Some((name, value)) = size {
            query.push((name.to_owned(), value.to_string()));
        }
        if let Some(token) = token {
            query.push((param.to_owned(), token.0.clone()));
        }
    }
    Call::Get { path: resource.path.to_owned(), query }
}

fn stamp(format: Stamp, instant: DateTime<Utc>) -> String {
    match format {
        Stamp::Rfc3339 => instant.to_rfc3339_opts(SecondsFormat::Millis, true),
    }
}
