//! Filters of Google Health: comparisons of one member with a literal, joined by AND. Which member depends on the type, and
//! any other is refused.

use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime};

use super::Point;
use super::types::{Kind, Type};

/// One comparison.
struct Term {
    member: String,
    at_least: bool,
    literal: String,
}

/// Whether a point passes, or the reason why the filter is refused.
pub fn passing(of: Type, filter: &str) -> Result<impl Fn(&Point) -> bool + use<>, &'static str> {
    let terms: Vec<Term> = match filter {
        "" => vec![],
        _ if of.kind == Kind::Plain => return Err("INVALID_DATA_POINT_FILTER"),
        _ => filter.split(" AND ").map(|term| read(term, of)).collect::<Result<_, _>>()?,
    };
    Ok(move |point: &Point| terms.iter().all(|term| holds(term, point)))
}

fn read(term: &str, of: Type) -> Result<Term, &'static str> {
    let mut words = term.splitn(3, ' ');
    let (member, sign, literal) = (words.next().unwrap_or_default(), words.next(), words.next().unwrap_or_default());
    let literal =
        literal.strip_prefix('"').and_then(|l| l.strip_suffix('"')).ok_or("INVALID_DATA_POINT_FILTER_SYNTAX")?;
    let members: &[&str] = match of.kind {
        Kind::Interval => &["interval.start_time", "interval.civil_start_time"],
        Kind::Sample => &["sample_time.physical_time", "sample_time.civil_time"],
        Kind::Daily => &["date"],
        Kind::Session => &["interval.civil_start_time"],
        Kind::Sleep => &["interval.end_time", "interval.civil_end_time"],
        Kind::Ecg => &["interval.start_time"],
        Kind::Plain => &[],
    };
    let own = member.strip_prefix(of.name).and_then(|rest| rest.strip_prefix('.'));
    if !own.is_some_and(|own| members.contains(&own)) {
        return Err("INVALID_DATA_POINT_FILTER_DATA_TYPE_MEMBER");
    }
    let at_least = match sign {
        Some(">=") => true,
        Some("<") if of.kind != Kind::Ecg => false,
        _ => return Err("INVALID_DATA_POINT_FILTER"),
    };
    let is_civil = member.contains("civil") || member.ends_with("date");
    if is_civil && civil(literal).is_none() || !is_civil && DateTime::parse_from_rfc3339(literal).is_err() {
        return Err("INVALID_FILTER_FORMAT");
    }
    Ok(Term { member: member.to_owned(), at_least, literal: literal.to_owned() })
}

fn civil(literal: &str) -> Option<NaiveDateTime> {
    let day = literal.parse::<NaiveDate>().ok().map(|day| day.and_time(NaiveTime::MIN));
    day.or_else(|| literal.parse().ok())
}

fn holds(term: &Term, point: &Point) -> bool {
    let is_civil = term.member.contains("civil") || term.member.ends_with("date");
    let (value, border) = if is_civil {
        (point.civil, civil(&term.literal).expect("checked"))
    } else {
        (point.at.naive_utc(), DateTime::parse_from_rfc3339(&term.literal).expect("checked").naive_utc())
    };
    if term.at_least { value >= border } else { value < border }
}
