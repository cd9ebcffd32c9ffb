//! A page into records: split first, then each strictly, so that a bad one costs itself alone. The record's text stays
//! exactly as it was sent.

use std::borrow::Cow;
use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, Utc};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::borders::{self, BorderError};
use crate::source::{Holds, Lacking, Paging, RawRecord, Rejected, Resource, Stamp, Window};

/// Larger than any record a provider sends.
const MAX_RECORD: usize = 16 << 20;

/// Longer in bytes than any key a provider makes, and short enough for every index that a key stands in.
const MAX_KEY: usize = 1_000;

/// What one page holds.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) records: Vec<RawRecord>,
    pub(crate) rejected: Vec<Rejected>,
    /// Where its earliest record lies in time, about so where records have no time of their own.
    pub(crate) earliest: Option<DateTime<Utc>>,
    /// The provider's ids of the people its records belong to, each once.
    pub(crate) owners: Vec<String>,
}

/// Splits `body`, an answer that passed the verdict. `owner` is the pointer to the person's id in records that do not say
/// it in a way of their own.
///
/// # Errors
/// The answer is no JSON, is cut off, or does not hold the array it should.
pub(crate) fn split(resource: &Resource, owner: &str, body: &[u8], page_number: usize) -> Result<Page, ShapeError> {
    let document = borders::document(body)?;
    let texts = texts(resource, document)?;
    let owner = if resource.owner.is_empty() { owner } else { resource.owner };
    let mut page = Page::default();
    for (index, text) in texts.into_iter().enumerate() {
        let (hour, text) = (text.hour, &*text.bytes);
        let source_id = key(resource, hour, text);
        match strict(resource, hour, text, source_id.as_deref().ok()) {
            Ok(record) => page.take(resource, owner, record),
            Err((code, detail)) => {
                let source_id = source_id.ok().filter(|id| !id.is_empty());
                page.rejected.push(Rejected {
                    locator: json!({"page": page_number, "index": index, "source_id": source_id}),
                    code,
                    detail,
                    source_id,
                    payload: text[..text.len().min(MAX_RECORD)].to_vec(),
                });
            }
        }
    }
    Ok(page)
}

/// The text of one record.
struct Text<'a> {
    bytes: Cow<'a, [u8]>,
    /// The hour that all of it is of; the error is a name that is no instant.
    hour: Option<Result<DateTime<Utc>, ()>>,
}

impl<'a> Text<'a> {
    fn sent(bytes: &'a [u8]) -> Self {
        Self { bytes: Cow::Borrowed(bytes), hour: None }
    }
}

fn texts<'a>(resource: &Resource, document: &'a [u8]) -> Result<Vec<Text<'a>>, ShapeError> {
    if resource.is_list {
        let elements = borders::elements(document)?.ok_or(ShapeError::NotAList)?;
        return Ok(elements.into_iter().map(Text::sent).collect());
    }
    if resource.records.is_empty() {
        return Ok(vec![Text::sent(document)]);
    }
    let no_list = ShapeError::NoList(resource.records);
    let Some(list) = borders::member(document, resource.records)? else {
        return if lacks_only_its_list(resource, document)? { Ok(vec![]) } else { Err(no_list) };
    };
    let elements = borders::elements(list)?;
    match (resource.holds, elements) {
        (Holds::List | Holds::Sparse | Holds::Readings, Some(elements)) => {
            Ok(elements.into_iter().map(Text::sent).collect())
        }
        (Holds::One | Holds::Hours, Some(elements)) if elements.is_empty() => Ok(vec![]),
        (Holds::One, None) if list.first() == Some(&b'{') => Ok(vec![Text::sent(list)]),
        (Holds::Hours, None) => hours(borders::members(list)?.ok_or(ShapeError::NoList(resource.records))?),
        _ => Err(ShapeError::NoList(resource.records)),
    }
}

/// Whether an answer without a list says that there is nothing: it may, and it says nothing else but where the next page is.
fn lacks_only_its_list(resource: &Resource, document: &[u8]) -> Result<bool, ShapeError> {
    if !matches!(resource.holds, Holds::Sparse | Holds::Readings) {
        return Ok(false);
    }
    let token = if let Paging::Token { at, .. } = resource.paging { at } else { "" };
    Ok(borders::members(document)?.is_some_and(|all| all.iter().all(|(name, _)| token.strip_prefix('/') == Some(name))))
}

/// Members whose names are instants, as one object an hour; each member stays as it was sent.
fn hours(members: Vec<borders::Member<'_>>) -> Result<Vec<Text<'_>>, ShapeError> {
    let mut of_hour: BTreeMap<i64, Vec<(i64, &[u8])>> = BTreeMap::new();
    let mut odd = Vec::new();
    for (name, text) in members {
        match name.parse::<i64>() {
            Ok(at) => of_hour.entry(at.div_euclid(3600)).or_default().push((at, text)),
            Err(_) => odd.push(text),
        }
    }
    let object = |parts: Vec<&[u8]>| Cow::Owned([b"{", parts.join(&b',').as_slice(), b"}"].concat());
    let mut texts = Vec::new();
    for (hour, mut parts) in of_hour {
        parts.sort_by_key(|(at, _)| *at);
        let hour = DateTime::from_timestamp(hour.saturating_mul(3600), 0).ok_or(());
        texts.push(Text { bytes: object(parts.into_iter().map(|(_, text)| text).collect()), hour: Some(hour) });
    }
    texts.extend(odd.into_iter().map(|text| Text { bytes: object(vec![text]), hour: Some(Err(())) }));
    Ok(texts)
}

/// The one record of a reply, for a resource whose records are asked for one by one: whatever stands at its pointer, which
/// need not be an object. Its key is the id that was asked for.
///
/// # Errors
/// The answer is no JSON, is cut off, or holds nothing at the pointer.
pub(crate) fn single(resource: &Resource, owner: &str, body: &[u8], asked: &Lacking) -> Result<Page, ShapeError> {
    let document = borders::document(body)?;
    let text = borders::member(document, resource.records)?.ok_or(ShapeError::NoRecord(resource.records))?;
    let owner = if resource.owner.is_empty() { owner } else { resource.owner };
    let mut page = Page::default();
    match exact(text) {
        Ok((_, payload)) => {
            let source_id = Some(asked.id.clone());
            page.take(resource, owner, RawRecord { source_id, record_at: asked.at, payload });
        }
        Err((code, detail)) => page.rejected.push(Rejected {
            locator: json!({"source_id": asked.id}),
            code,
            detail,
            source_id: Some(asked.id.clone()),
            payload: text[..text.len().min(MAX_RECORD)].to_vec(),
        }),
    }
    Ok(page)
}

/// Why a page is not what the documentation says.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ShapeError {
    #[error(transparent)]
    Border(#[from] BorderError),
    #[error("the answer holds no list at {0}")]
    NoList(&'static str),
    #[error("the answer holds no record at {0}")]
    NoRecord(&'static str),
    #[error("the answer is no list")]
    NotAList,
    #[error("the answer names the next page by a text with the character U+0000")]
    NulToken,
}

impl Page {
    fn take(&mut self, resource: &Resource, owner: &str, record: RawRecord) {
        let text = record.payload.get().as_bytes();
        if !owner.is_empty()
            && let Ok(Some(id)) = borders::member(text, owner)
        {
            let id = scalar_text(id);
            if !id.is_empty() && !self.owners.contains(&id) {
                self.owners.push(id);
            }
        }
        let near = || {
            let said = borders::member(text, resource.near).ok().flatten().map(scalar_text)?;
            crate::time::parse_instant(&said)
        };
        let at = record.record_at.or_else(|| if resource.near.is_empty() { None } else { near() });
        self.earliest = self.earliest.into_iter().chain(at).min();
        self.records.push(record);
    }
}

type Refusal = (&'static str, String);

/// The record's key as text, exactly as sent: a number keeps its digits. Empty for a snapshot. It goes into text columns,
/// JSON and indexes whether the record is kept or rejected: one that these cannot hold is none.
fn key(resource: &Resource, hour: Option<Result<DateTime<Utc>, ()>>, text: &[u8]) -> Result<String, Refusal> {
    if let Some(hour) = hour {
        let hour = hour.map_err(|()| ("bad_time", "a name is no instant".to_owned()))?;
        return Ok(hour.to_rfc3339_opts(SecondsFormat::AutoSi, true));
    }
    let mut parts = Vec::new();
    for pointer in resource.key {
        let (pointer, stand_in) = match pointer.strip_prefix('?') {
            Some(pointer) => (pointer, Some("-".to_owned())),
            None => (*pointer, None),
        };
        let value = borders::member(text, pointer).ok().flatten().map(scalar_text).filter(|part| !part.is_empty());
        let value = value.or(stand_in).ok_or(("missing_key", format!("{pointer} is missing or empty")))?;
        // One instant is one record, whether it is written with Z or with an offset.
        let instant = if pointer == resource.at { crate::time::parse_instant(&value) } else { None };
        parts.push(instant.map_or(value, |at| at.to_rfc3339_opts(SecondsFormat::AutoSi, true)));
    }
    let key = parts.join("|");
    if key.contains('\0') {
        return Err(("nul_character", "the key holds the character U+0000".into()));
    }
    if key.len() > MAX_KEY {
        return Err(("key_too_long", format!("the key is longer than {MAX_KEY} bytes")));
    }
    Ok(key)
}

/// The text of a string, number or day; empty for null and for what is none of them.
fn scalar_text(value: &[u8]) -> String {
    match value.first() {
        Some(b'"') => serde_json::from_slice(value).unwrap_or_default(),
        Some(b'-' | b'0'..=b'9') => String::from_utf8_lossy(value).into_owned(),
        Some(b'{') => {
            let day = serde_json::from_slice::<Value>(value).ok().and_then(|value| civil_day(&value));
            day.map_or_else(String::new, |day| day.to_string())
        }
        _ => String::new(),
    }
}

/// The day at `pointer` of a record: text, of which what follows the day does not count, or three numbers.
pub(super) fn day_at(record: &RawRecord, pointer: &str) -> Option<NaiveDate> {
    let said = scalar_text(borders::member(record.payload.get().as_bytes(), pointer).ok()??);
    said.get(..10)?.parse().ok()
}

/// A day in three numbers.
fn civil_day(value: &Value) -> Option<NaiveDate> {
    let part = |name: &str| value.get(name).and_then(Value::as_i64);
    NaiveDate::from_ymd_opt(
        i32::try_from(part("year")?).ok()?,
        u32::try_from(part("month")?).ok()?,
        u32::try_from(part("day")?).ok()?,
    )
}

fn strict(
    resource: &Resource,
    hour: Option<Result<DateTime<Utc>, ()>>,
    text: &[u8],
    source_id: Option<&str>,
) -> Result<RawRecord, Refusal> {
    let (value, payload) = exact(text)?;
    if !value.is_object() {
        return Err(("not_an_object", "the record is no JSON object".into()));
    }
    let id = match source_id {
        Some(id) => id.to_owned(),
        None => key(resource, hour, text)?,
    };
    let record_at = if let Some(Ok(hour)) = hour {
        Some(hour)
    } else if resource.at.is_empty() {
        None
    } else {
        let at = match value.pointer(resource.at) {
            Some(Value::String(said)) => crate::time::parse_instant(said).or_else(|| day(resource, said)),
            Some(date @ Value::Object(_)) => civil_day(date).and_then(|date| day(resource, &date.to_string())),
            Some(Value::Number(seconds)) => seconds.as_i64().and_then(|seconds| DateTime::from_timestamp(seconds, 0)),
            _ => None,
        };
        let at = at.ok_or_else(|| ("bad_time", format!("{} is missing or no instant", resource.at)))?;
        Some(at)
    };
    Ok(RawRecord { source_id: (hour.is_some() || !resource.key.is_empty()).then_some(id), record_at, payload })
}

/// A text that raw can keep: its value, and the text as it was sent.
fn exact(text: &[u8]) -> Result<(Value, Box<RawValue>), Refusal> {
    if text.len() > MAX_RECORD {
        return Err(("too_large", format!("the record is larger than {MAX_RECORD} bytes")));
    }
    let not_json =
        |error: &serde_json::Error| ("not_json", format!("not readable as JSON at column {}", error.column()));
    let value: Value = serde_json::from_slice(text).map_err(|error| not_json(&error))?;
    if holds_nul(&value) {
        return Err(("nul_character", "a text holds the character U+0000".into()));
    }
    let exact = std::str::from_utf8(text).map_err(|_| ("not_utf8", "the record is not UTF-8".to_owned()))?;
    let payload = RawValue::from_string(exact.to_owned()).map_err(|error| not_json(&error))?;
    Ok((value, payload))
}

/// A day as a record's place in time, for a resource whose windows are days: its beginning at Greenwich.
fn day(resource: &Resource, said: &str) -> Option<DateTime<Utc>> {
    let Window::Range { format: Stamp::Days { .. }, .. } = resource.window else { return None };
    let day: NaiveDate = said.parse().ok()?;
    Some(day.and_time(NaiveTime::MIN).and_utc())
}

/// PostgreSQL's text cannot hold U+0000, and its JSON operators fail on it.
fn holds_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(holds_nul),
        Value::Object(members) => members.iter().any(|(name, item)| name.contains('\0') || holds_nul(item)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SLEEPS: Resource = Resource::get("sleeps", "/sleep")
        .window(Window::Range { start: "start", end: "end", format: Stamp::Rfc3339, max_days: None })
        .paging(Paging::Token { at: "/next_token", param: "nextToken", size: None })
        .records("/records")
        .key(&["/id"])
        .at("/start");

    fn page(records: &str) -> Page {
        split(&SLEEPS, "/user_id", format!("{{\"records\":[{records}]}}").as_bytes(), 1).unwrap()
    }

    #[test]
    fn each_kind_of_poison_costs_its_record_alone() {
        let good = r#"{"id": 9007199254740993, "user_id": 7, "start":"2026-01-05T07:00:00.120Z","end":"x", "v": 1.10}"#;
        for bad in [
            r#"{"id":"a","start":"2026-01-05T07:00:00Z","v":1e400}"#,
            r#"{"id":"a","start":"2026-01-05T07:00:00Z","v":"\ud800"}"#,
            r#"{"id":"a","start":"2026-01-05T07:00:00Z","v":"\u0000"}"#,
            r#"{"id":"a","start":"2026-01-05T07:00:00Z","v":NaN}"#,
            r#"{"id":"a","start":"yesterday"}"#,
            r#"{"start":"2026-01-05T07:00:00Z"}"#,
            r#"{"id":null,"start":"2026-01-05T07:00:00Z"}"#,
            "17",
            "[1]",
        ] {
            let page = page(&format!("{bad},{good}"));
            assert_eq!((page.records.len(), page.rejected.len()), (1, 1), "{bad}");
            assert_eq!(page.records[0].source_id.as_deref(), Some("9007199254740993"), "digits are kept");
            assert_eq!(page.records[0].payload.get(), good, "text is kept");
            assert_eq!(page.owners, ["7"]);
        }
    }

    #[test]
    fn a_key_that_nothing_can_hold_is_no_key() {
        let long = "k".repeat(MAX_KEY + 1);
        for (key, code) in [("a\\u0000b", "nul_character"), (long.as_str(), "key_too_long")] {
            let page = page(&format!(
                r#"{{"id":"{key}","start":"2026-01-05T07:00:00Z"}},{{"id":1,"start":"2026-01-05T07:00:00Z"}}"#
            ));
            assert_eq!((page.records.len(), page.rejected[0].code), (1, code));
            assert_eq!(
                (page.rejected[0].source_id.as_deref(), &page.rejected[0].locator["source_id"]),
                (None, &Value::Null)
            );
        }
        let longest = "k".repeat(MAX_KEY);
        assert_eq!(page(&format!(r#"{{"id":"{longest}","start":"2026-01-05T07:00:00Z"}}"#)).records.len(), 1);
    }

    #[test]
    fn an_instant_in_a_key_counts_and_not_its_spelling() {
        let rows = SLEEPS.key(&["/start", "/kind"]);
        let body = br#"{"records":[{"start":"2026-01-05T07:00:00.000Z","kind":"a"},{"start":"2026-01-05T08:00:00+01:00","kind":"a"}]}"#;
        let page = split(&rows, "", body, 1).unwrap();
        let keys: Vec<_> = page.records.iter().filter_map(|record| record.source_id.as_deref()).collect();
        assert_eq!(keys, ["2026-01-05T07:00:00Z|a", "2026-01-05T07:00:00Z|a"]);
    }

    #[test]
    fn a_part_of_a_key_may_be_missing_where_that_is_known() {
        let rows = SLEEPS.key(&["/start", "?/device"]);
        for (device, id) in [(r#""d1""#, "d1"), ("null", "-"), (r#""""#, "-")] {
            let body = format!(r#"{{"records":[{{"start":"2026-01-05T07:00:00Z","device":{device}}}]}}"#);
            let page = split(&rows, "", body.as_bytes(), 1).unwrap();
            assert_eq!(page.records[0].source_id.clone().unwrap(), format!("2026-01-05T07:00:00Z|{id}"));
        }
    }

    #[test]
    fn a_time_may_be_a_number_of_seconds() {
        let body = br#"{"records":[{"id":1,"start":1795158000},{"id":2,"start":1795158000.5},{"id":3,"start":true}]}"#;
        let page = split(&SLEEPS, "", body, 1).unwrap();
        assert_eq!(page.records[0].record_at.unwrap().to_rfc3339(), "2026-11-20T07:00:00+00:00");
        assert_eq!(page.rejected.iter().map(|r| r.code).collect::<Vec<_>>(), ["bad_time", "bad_time"]);
    }

    #[test]
    fn members_named_by_instants_are_records_of_an_hour() {
        let rows = SLEEPS.holds(Holds::Hours).key(&[]).at("");
        let body = br#"{"records":{"1795161600": {"a":1.10},"1795158060":{"a":2},"1795158000":{"a":3}, "x":{"a":4}}}"#;
        let page = split(&rows, "", body, 1).unwrap();
        let held: Vec<_> = page.records.iter().map(|r| (r.source_id.clone().unwrap(), r.payload.get())).collect();
        assert_eq!(
            held,
            [
                ("2026-11-20T07:00:00Z".into(), r#"{"1795158000":{"a":3},"1795158060":{"a":2}}"#),
                ("2026-11-20T08:00:00Z".into(), r#"{"1795161600": {"a":1.10}}"#),
            ]
        );
        assert_eq!(page.earliest.unwrap().to_rfc3339(), "2026-11-20T07:00:00+00:00");
        assert_eq!(page.rejected[0].code, "bad_time");
        assert!(split(&rows, "", br#"{"records":[]}"#, 1).unwrap().records.is_empty(), "none, said with an array");
        assert!(split(&rows, "", br#"{"records":[1]}"#, 1).is_err());
    }

    #[test]
    fn one_record_or_an_empty_array() {
        let goals = SLEEPS.holds(Holds::One).key(&[]).at("").records("/body/goals");
        let of = |body: &str| split(&goals, "", body.as_bytes(), 1).map(|page| page.records.len());
        assert_eq!(of(r#"{"body":{"goals":[]}}"#), Ok(0));
        assert_eq!(of(r#"{"body":{"goals":{"steps":10000}}}"#), Ok(1));
        assert!(of(r#"{"body":{"goals":7}}"#).is_err() && of(r#"{"body":{}}"#).is_err());
    }

    #[test]
    fn a_day_is_a_place_in_time_where_windows_are_days() {
        let body = br#"{"records":[{"id":"a","start":"2026-01-05"}]}"#;
        assert_eq!(split(&SLEEPS, "", body, 1).unwrap().rejected[0].code, "bad_time");
        let format = Stamp::Days { before: 1, after: 2 };
        let days = SLEEPS.window(Window::Range { start: "s", end: "e", format, max_days: None });
        let record = split(&days, "", body, 1).unwrap().records.remove(0);
        assert_eq!(record.record_at.unwrap().to_rfc3339(), "2026-01-05T00:00:00+00:00");
    }

    #[test]
    fn one_record_is_kept_whole_under_the_id_that_was_asked_for() {
        let asked = Lacking { id: "7".into(), version: "v".into(), at: None };
        let streams = Resource::get("x", "/x/{id}");
        for whole in [r#"[{"a":1.10},{"a":2}]"#, r#"{"athlete":{"id":5},"v":1}"#] {
            let page = single(&streams, "/athlete/id", whole.as_bytes(), &asked).unwrap();
            assert_eq!((page.records[0].source_id.as_deref(), page.records[0].payload.get()), (Some("7"), whole));
            assert_eq!(page.owners.len(), usize::from(whole.starts_with('{')));
        }
        let inside = single(&streams.records("/body"), "", br#"{"status":0,"body":[1]}"#, &asked).unwrap();
        assert_eq!(inside.records[0].payload.get(), "[1]");
        assert!(single(&streams.records("/body"), "", br#"{"status":0}"#, &asked).is_err());
        let poisoned = single(&streams, "", br#"{"a":"\u0000"}"#, &asked).unwrap();
        assert_eq!(poisoned.rejected[0].source_id.as_deref(), Some("7"));
    }

    #[test]
    fn a_reply_may_be_the_list_itself() {
        let list = Resource::get("x", "/x").list().key(&["/id"]);
        let page = split(&list, "", br#"[{"id":1},{"id":2}]"#, 1).unwrap();
        assert_eq!(page.records.iter().filter_map(|r| r.source_id.as_deref()).collect::<Vec<_>>(), ["1", "2"]);
        assert!(split(&list, "", b"[]", 1).unwrap().records.is_empty());
        for body in ["{}", "null", r#"{"message":"x"}"#, "[{}"] {
            assert!(split(&list, "", body.as_bytes(), 1).is_err(), "{body}");
        }
    }

    #[test]
    fn a_day_in_three_numbers_is_a_key_and_a_place_in_time() {
        let format = Stamp::Days { before: 0, after: 2 };
        let days = SLEEPS.window(Window::Range { start: "s", end: "e", format, max_days: None });
        let days = days.key(&["/start", "?/of/device"]);
        let good = br#"{"records":[{"start":{"year":2026,"month":11,"day":5}}]}"#;
        let record = split(&days, "", good, 1).unwrap().records.remove(0);
        assert_eq!(record.source_id.as_deref(), Some("2026-11-05|-"));
        assert_eq!(record.record_at.unwrap().to_rfc3339(), "2026-11-05T00:00:00+00:00");
        let bad = br#"{"records":[{"start":{"year":2026,"month":11}}]}"#;
        assert_eq!(split(&days, "", bad, 1).unwrap().rejected[0].code, "missing_key");
    }

    #[test]
    fn a_list_that_may_be_left_out_is_empty_where_nothing_else_is_said() {
        let sparse = SLEEPS.holds(Holds::Sparse);
        for body in ["{}", r#"{"next_token":"x"}"#, r#"{"records":[]}"#] {
            assert!(split(&sparse, "", body.as_bytes(), 1).is_ok_and(|page| page.records.is_empty()), "{body}");
        }
        for body in [r#"{"error":{}}"#, "[]", r#"{"records":null}"#, r#"{"next_token":"x","error":1}"#] {
            assert!(split(&sparse, "", body.as_bytes(), 1).is_err(), "{body}");
        }
    }

    #[test]
    fn a_reply_without_its_list_is_no_empty_page() {
        for body in ["{}", r#"{"records":null}"#, r#"{"records":{}}"#, "[]", "", "{\"records\":["] {
            assert!(split(&SLEEPS, "", body.as_bytes(), 1).is_err(), "{body}");
        }
        assert!(split(&SLEEPS, "", br#"{"records":[]}"#, 1).is_ok());
    }
}
