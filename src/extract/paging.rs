//! How a slice and a page token become a request, and how the next page follows from a reply.

use chrono::{DateTime, Days, SecondsFormat, Utc};

use crate::source::{Call, PageToken, Paging, Resource, Slice, Stamp, Window};

/// The call of a resource that does nothing unusual: path, window and page size as parameters, the token last.
pub(crate) fn standard_call(resource: &Resource, slice: &Slice, token: Option<&PageToken>) -> Call {
    if let (Paging::NextLink { .. }, Some(token)) = (resource.paging, token) {
        return Call::Follow { link: token.0.clone() };
    }
    let mut window = Vec::new();
    if let Window::Range { start, end, format, .. } = resource.window {
        let (from, to) = stamps(format, slice);
        window.push((start.to_owned(), from));
        window.push((end.to_owned(), to));
    }
    call(resource, window, token)
}

/// The call for what came or changed since the beginning of `slice`, whatever time it is of.
pub(crate) fn changes_call(resource: &Resource, slice: &Slice, token: Option<&PageToken>) -> Call {
    let since = slice.from.timestamp().to_string();
    call(resource, vec![(resource.changed_since.to_owned(), since)], token)
}

/// The call of a resource with these parameters, those of its pages behind them.
pub(crate) fn call(resource: &Resource, mut query: Vec<(String, String)>, token: Option<&PageToken>) -> Call {
    if let Paging::Token { param, size, .. } = resource.paging {
        if let Some((name, value)) = size {
            query.push((name.to_owned(), value.to_string()));
        }
        if let Some(token) = token {
            query.push((param.to_owned(), token.0.clone()));
        }
    }
    if let Paging::Number { page, size: (name, value) } = resource.paging {
        query.push((name.to_owned(), value.to_string()));
        query.push((page.to_owned(), token.map_or_else(|| "1".to_owned(), |token| token.0.clone())));
    }
    if let (Paging::Offset { param, .. }, Some(token)) = (resource.paging, token) {
        query.push((param.to_owned(), token.0.clone()));
    }
    let path = resource.path.to_owned();
    let Some(fixed) = resource.form else { return Call::Get { path, query } };
    let fixed = fixed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Call::Form { path, fields: fixed.chain(query).collect() }
}

/// The same call with `id` wherever `{id}` stands.
///
/// # Errors
/// An id that could lead elsewhere: one with a slash, a dot alone, or other signs that no provider puts into one.
pub(crate) fn call_for(call: Call, id: &str) -> Result<Call, &'static str> {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '~' | ':');
    if id.is_empty() || !id.chars().all(safe) {
        return Err("an id holds signs that do not belong into an address");
    }
    let with_id = |pairs: Vec<(String, String)>| {
        pairs.into_iter().map(|(name, value)| (name, value.replace("{id}", id))).collect()
    };
    Ok(match call {
        Call::Get { path, query } => Call::Get { path: path.replace("{id}", id), query: with_id(query) },
        Call::Form { path, fields } => Call::Form { path: path.replace("{id}", id), fields: with_id(fields) },
        other => other,
    })
}

/// The two ends of a window as the provider takes them.
pub(crate) fn stamps(format: Stamp, slice: &Slice) -> (String, String) {
    match format {
        Stamp::Rfc3339 => {
            let text = |instant: DateTime<Utc>| instant.to_rfc3339_opts(SecondsFormat::Millis, true);
            (text(slice.from), text(slice.to))
        }
        Stamp::Epoch => (slice.from.timestamp().to_string(), slice.to.timestamp().to_string()),
        Stamp::EpochDays => {
            (super::slices::midnight(slice.from).timestamp().to_string(), slice.to.timestamp().to_string())
        }
        Stamp::Days { before, after } => {
            let (from, to) = (slice.from.date_naive(), slice.to.date_naive());
            let from = from.checked_sub_days(Days::new(before.into())).unwrap_or(from);
            let to = to.checked_add_days(Days::new(after.into())).unwrap_or(to);
            (from.to_string(), to.to_string())
        }
    }
}

/// Where an interrupted list is taken up again. Numbers of pages move when something is deleted meanwhile: a page is read
/// once more, so that nothing slips through.
pub(crate) fn resume_at(resource: &Resource, token: PageToken) -> Option<PageToken> {
    if !matches!(resource.paging, Paging::Number { .. }) {
        return Some(token);
    }
    let before = token.0.parse::<u32>().ok()?.checked_sub(1)?;
    (before > 1).then(|| PageToken(before.to_string()))
}

/// Where the next page is, after reading the reply `document` at `token`, which holds `records` records; none where the
/// list ends.
///
/// # Errors
/// The reply's token is neither text nor number, or a text that cannot be kept.
pub(crate) fn next_page(
    resource: &Resource,
    document: &[u8],
    token: Option<&PageToken>,
    records: usize,
) -> Result<Option<PageToken>, super::records::ShapeError> {
    let at = match resource.paging {
        Paging::Single => return Ok(None),
        Paging::Number { .. } => {
            let page = token.map_or(Ok(1), |token| token.0.parse::<u32>()).unwrap_or(u32::MAX);
            return Ok((records > 0).then(|| PageToken(page.saturating_add(1).to_string())));
        }
        Paging::Offset { more, at, .. } => {
            let document = super::borders::document(document)?;
            match super::borders::member(document, more)?.unwrap_or(b"false") {
                b"false" | b"0" | b"null" => return Ok(None),
                _ => at,
            }
        }
        Paging::Token { at, .. } | Paging::NextLink { at } => at,
    };
    let document = super::borders::document(document)?;
    let value = super::borders::member(document, at)?.unwrap_or(b"null");
    let token = match serde_json::from_slice(value) {
        Ok(serde_json::Value::Null) => String::new(),
        Ok(serde_json::Value::String(text)) => text,
        Ok(serde_json::Value::Number(_)) => String::from_utf8_lossy(value).into_owned(),
        _ => return Err(super::borders::BorderError::Broken.into()),
    };
    // It is kept with the coverage, so that a later run may go on from it.
    if token.contains('\0') {
        return Err(super::records::ShapeError::NulToken);
    }
    Ok((!token.is_empty()).then_some(PageToken(token)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: Resource = Resource::get("x", "/v2/x")
        .window(Window::Range { start: "start", end: "end", format: Stamp::Rfc3339, max_days: None })
        .paging(Paging::Token { at: "/next_token", param: "nextToken", size: Some(("limit", 25)) });

    #[test]
    fn every_page_repeats_the_window_and_the_size() {
        let slice =
            Slice { from: DateTime::UNIX_EPOCH, to: DateTime::from_timestamp(86_400, 120_000_000).unwrap_or_default() };
        let Call::Get { path, query } = standard_call(&LIST, &slice, Some(&PageToken("t".into()))) else { panic!() };
        let pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(path, "/v2/x");
        assert_eq!(
            pairs,
            ["start=1970-01-01T00:00:00.000Z", "end=1970-01-02T00:00:00.120Z", "limit=25", "nextToken=t"]
        );
    }

    #[test]
    fn a_window_of_days_is_widened_at_both_ends() {
        let format = Stamp::Days { before: 1, after: 2 };
        let days = Resource::get("x", "/x").window(Window::Range {
            start: "start_date",
            end: "end_date",
            format,
            max_days: None,
        });
        let slice = Slice { from: DateTime::UNIX_EPOCH, to: DateTime::from_timestamp(86_399, 0).unwrap_or_default() };
        let Call::Get { query, .. } = standard_call(&days, &slice, None) else { panic!() };
        let pairs: Vec<String> = query.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(pairs, ["start_date=1969-12-31", "end_date=1970-01-03"]);
    }

    #[test]
    fn a_form_has_the_fixed_fields_then_the_window_then_the_offset() {
        let rows = Resource::post("x", "/measure", &[("action", "getmeas")])
            .window(Window::Range { start: "startdate", end: "enddate", format: Stamp::Epoch, max_days: None })
            .paging(Paging::Offset { more: "/body/more", at: "/body/offset", param: "offset" })
            .changed_since("lastupdate");
        let slice = Slice {
            from: DateTime::from_timestamp(1_000, 5_000).unwrap_or_default(),
            to: DateTime::from_timestamp(90_000, 0).unwrap_or_default(),
        };
        let fields = |call: Call| match call {
            Call::Form { path, fields } if path == "/measure" => {
                fields.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&")
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(
            fields(standard_call(&rows, &slice, Some(&PageToken("300".into())))),
            "action=getmeas&startdate=1000&enddate=90000&offset=300"
        );
        assert_eq!(fields(changes_call(&rows, &slice, None)), "action=getmeas&lastupdate=1000");
        let days = Window::Range { start: "startdate", end: "enddate", format: Stamp::EpochDays, max_days: Some(1) };
        assert_eq!(
            fields(standard_call(&rows.window(days), &slice, None)),
            "action=getmeas&startdate=0&enddate=90000",
            "a whole day from midnight on"
        );
    }

    #[test]
    fn an_offset_counts_only_while_there_is_more() {
        let rows = LIST.paging(Paging::Offset { more: "/more", at: "/offset", param: "offset" });
        for end in ["{}", r#"{"more":false,"offset":200}"#, r#"{"more":0,"offset":3}"#, r#"{"more":null,"offset":3}"#] {
            assert_eq!(next_page(&rows, end.as_bytes(), None, 1), Ok(None), "{end}");
        }
        for on in [r#"{"more":true,"offset":300}"#, r#"{"more":1,"offset":300}"#] {
            assert_eq!(next_page(&rows, on.as_bytes(), None, 1), Ok(Some(PageToken("300".into()))), "{on}");
        }
    }

    #[test]
    fn absent_null_and_empty_tokens_end_the_list() {
        for end in ["{}", r#"{"next_token":null}"#, r#"{"next_token":""}"#] {
            assert_eq!(next_page(&LIST, end.as_bytes(), None, 1), Ok(None));
        }
        assert_eq!(next_page(&LIST, br#"{"next_token":"a\"b"}"#, None, 1), Ok(Some(PageToken("a\"b".into()))));
        assert!(next_page(&LIST, br#"{"next_token":{}}"#, None, 1).is_err());
        assert!(next_page(&LIST, br#"{"next_token":"a\u0000b"}"#, None, 1).is_err());
    }

    #[test]
    fn an_id_stands_in_the_path_or_in_a_parameter_and_leads_nowhere_else() {
        let call = || Call::Get { path: "/x/{id}/y".into(), query: vec![("of".into(), "{id}".into())] };
        let asked = Call::Get { path: "/x/b12_3/y".into(), query: vec![("of".into(), "b12_3".into())] };
        assert_eq!(call_for(call(), "b12_3"), Ok(asked));
        for bad in ["", "..", "1/2", "1?x=2", "1#", "é", "1 2", "%2e"] {
            assert!(call_for(call(), bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn numbered_pages_are_read_until_one_is_empty() {
        let numbered = Resource::get("x", "/x").paging(Paging::Number { page: "page", size: ("per_page", 200) });
        let slice = Slice { from: DateTime::UNIX_EPOCH, to: DateTime::UNIX_EPOCH };
        let asked = |token: Option<&PageToken>| match standard_call(&numbered, &slice, token) {
            Call::Get { query, .. } => query.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        assert_eq!(asked(None), ["per_page=200", "page=1"]);
        let second = next_page(&numbered, b"[{}]", None, 1).unwrap().expect("a short page is not the last");
        assert_eq!(asked(Some(&second)), ["per_page=200", "page=2"]);
        assert_eq!(next_page(&numbered, b"[{}]", Some(&second), 200), Ok(Some(PageToken("3".into()))));
        assert_eq!(next_page(&numbered, b"[]", Some(&second), 0), Ok(None));
        let resumed = |page: &str| resume_at(&numbered, PageToken(page.into())).map(|token| token.0);
        assert_eq!(resumed("7").as_deref(), Some("6"), "something may have moved up by a page");
        assert_eq!([resumed("2"), resumed("1"), resumed("x")], [None, None, None]);
        assert_eq!(resume_at(&LIST, PageToken("t".into())), Some(PageToken("t".into())));
    }
}
