//! The six collections of the simulated WHOOP: windows, pages, order (`docs/sources/whoop.md`, endpoints). Knows no HTTP.

use chrono::{DateTime, Utc};

use super::year::{Item, Year};

/// Largest page; a larger one is refused.
const MAX_LIMIT: usize = 25;
const DEFAULT_LIMIT: usize = 10;

/// Which of the two states of the data is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Reading {
    First,
    Second,
}

/// An answer of the data interface.
#[derive(Debug, PartialEq)]
pub(super) enum Answer {
    Json(String),
    BadRequest(&'static str),
    NotFound,
}

/// `GET path?query`, below the base address.
pub(super) fn get(year: &Year, reading: Reading, path: &str, query: &[(String, String)]) -> Answer {
    match path {
        "/v2/user/profile/basic" => Answer::Json(year.profile.clone()),
        "/v2/user/measurement/body" => Answer::Json(year.body.clone()),
        "/v2/cycle" => page(&year.cycles, reading, query),
        "/v2/recovery" => page(&year.recoveries, reading, query),
        "/v2/activity/sleep" => page(&year.sleeps, reading, query),
        "/v2/activity/workout" => page(&year.workouts, reading, query),
        _ => Answer::NotFound,
    }
}

/// Newest first. A record is in the window when it lasts into it: `start` inclusive, `end` exclusive.
fn page(items: &[Item], reading: Reading, query: &[(String, String)]) -> Answer {
    let value = |name: &str| query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let limit = match value("limit").map(str::parse) {
        None => DEFAULT_LIMIT,
        Some(Ok(limit @ 1..=MAX_LIMIT)) => limit,
        Some(_) => return Answer::BadRequest("limit"),
    };
    let instant = |name: &str| value(name).map(str::parse::<DateTime<Utc>>).transpose();
    let (Ok(start), Ok(end)) = (instant("start"), instant("end")) else { return Answer::BadRequest("start or end") };
    let window = format!("{}-{}", stamp(start), stamp(end));
    let skip = match value("nextToken") {
        None => 0,
        // A token belongs to the window it was given for.
        Some(token) => match token.split_once('~').map(|(place, rest)| (place.parse(), rest == window)) {
            Some((Ok(place), true)) => place,
            _ => return Answer::BadRequest("nextToken"),
        },
    };
    let inside = |item: &&Item| {
        item.end.is_none_or(|last| start.is_none_or(|start| last >= start)) && end.is_none_or(|end| item.start < end)
    };
    let mut shown = items.iter().filter(inside).filter_map(|item| match reading {
        Reading::First => Some(&item.first),
        Reading::Second => item.second.as_ref(),
    });
    let records: Vec<&str> = shown.by_ref().skip(skip).take(limit).map(String::as_str).collect();
    let next = match shown.next() {
        Some(_) => format!(",\"next_token\":\"{}~{window}\"", skip + records.len()),
        None => String::new(),
    };
    Answer::Json(format!("{{\"records\":[{}]{next}}}", records.join(",")))
}

fn stamp(instant: Option<DateTime<Utc>>) -> i64 {
    instant.map_or(0, |instant| instant.timestamp_millis())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(count: i64) -> Vec<Item> {
        let item = |n: i64| Item {
            start: DateTime::from_timestamp(n * 3600, 0).unwrap(),
            end: DateTime::from_timestamp(n * 3600 + 60, 0),
            first: n.to_string(),
            second: (n != 7).then(|| format!("-{n}")),
        };
        (0..count).rev().map(item).collect()
    }

    fn ask(items: &[Item], reading: Reading, query: &[(&str, &str)]) -> Answer {
        let query: Vec<(String, String)> = query.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        page(items, reading, &query)
    }

    #[test]
    fn pages_follow_each_other_and_the_last_has_no_token() {
        let items = items(12);
        let first = Answer::Json("{\"records\":[11,10,9,8,7,6,5,4,3,2],\"next_token\":\"10~0-0\"}".into());
        assert_eq!(ask(&items, Reading::First, &[]), first);
        let rest = Answer::Json("{\"records\":[1,0]}".into());
        assert_eq!(ask(&items, Reading::First, &[("nextToken", "10~0-0")]), rest);
        let other_window = [("nextToken", "10~0-0"), ("start", "1970-01-01T02:00:00Z")];
        assert_eq!(ask(&items, Reading::First, &other_window), Answer::BadRequest("nextToken"));
    }

    #[test]
    fn windows_are_half_open_and_deleted_records_are_gone() {
        let items = items(12);
        let query = [("start", "1970-01-01T06:01:00Z"), ("end", "1970-01-01T09:00:00Z"), ("limit", "25")];
        assert_eq!(ask(&items, Reading::First, &query), Answer::Json("{\"records\":[8,7,6]}".into()));
        assert_eq!(ask(&items, Reading::Second, &query), Answer::Json("{\"records\":[-8,-6]}".into()));
        assert_eq!(ask(&items, Reading::First, &[("limit", "26")]), Answer::BadRequest("limit"));
        assert_eq!(ask(&items, Reading::First, &[("start", "yesterday")]), Answer::BadRequest("start or end"));
    }
}
