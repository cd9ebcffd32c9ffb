//! A person's stays in the database, and stored offsets that follow when they change. Sources say which of their rows
//! have an offset that was derived; nothing else is touched.

use chrono::{DateTime, TimeZone, Utc};
use chrono_tz::Tz;
use postgres::{GenericClient, Transaction};

use super::{Range, Stay, Zones};
use crate::db::Sql;
use crate::failure::{Failure, Kind};
use crate::source::Files;

/// No record is later: phones with a wrong clock write up to 2038.
const LAST_YEAR: i32 = 2200;

/// What is known of a person, with the home zone of this call.
pub(crate) fn load(client: &mut impl GenericClient, user_id: i64, home: Tz) -> Result<Zones, Failure> {
    let rows = client.query(include_str!("sql/list.sql"), &[&user_id]).sql()?;
    let stays: Result<Vec<Stay>, Failure> = rows
        .iter()
        .map(|row| {
            let name: String = row.get(2);
            let zone = zone_of(&name, "meta.zones", "health zones remove DATE")?;
            Ok(Stay { from: row.get(0), until: row.get(1), zone })
        })
        .collect();
    Ok(Zones::new(home, stays?))
}

/// Years that models of records without a zone reach into.
const EXPANDED: std::ops::Range<i32> = 2000..2060;

/// Where a person was in all of the time that records without a zone may be of, as ranges of constant offset.
pub(crate) fn expanded(client: &mut impl GenericClient, user_id: i64) -> Result<Vec<Range>, Failure> {
    let name: String = client.query_one(include_str!("sql/home.sql"), &[&user_id]).sql()?.get(0);
    let zones = load(client, user_id, zone_of(&name, "meta.users", "health doctor")?)?;
    let new_year = |year| Utc.with_ymd_and_hms(year, 1, 1, 0, 0, 0).single().unwrap_or_default();
    Ok(zones.ranges(new_year(EXPANDED.start), new_year(EXPANDED.end)))
}

/// Writes them where models look them up (`meta.zone_ranges`); nothing is written where they are as they were.
pub(crate) fn keep(client: &mut impl GenericClient, user_id: i64, ranges: &[Range]) -> Result<(), Failure> {
    let starts: Vec<DateTime<Utc>> = ranges.iter().map(|range| range.from).collect();
    let offsets: Vec<i32> = ranges.iter().map(|range| range.place.offset_s).collect();
    let names: Vec<&str> = ranges.iter().map(|range| range.place.zone.name()).collect();
    client.execute(include_str!("sql/expand.sql"), &[&user_id, &starts, &offsets, &names]).sql()?;
    Ok(())
}

fn zone_of(name: &str, table: &str, next: &'static str) -> Result<Tz, Failure> {
    name.parse().map_err(|_| {
        let shown = crate::output::clean(name);
        Failure::new(Kind::Config, format!("{table} holds \"{shown}\", which is no time zone")).next(next)
    })
}

/// Writes a stay down; one that began at the same instant is replaced.
pub(crate) fn set(t: &mut Transaction, user_id: i64, stay: &Stay) -> Result<(), Failure> {
    t.query_one(include_str!("../run/sql/lock_person.sql"), &[&user_id]).sql()?;
    t.execute(include_str!("sql/set.sql"), &[&user_id, &stay.from, &stay.until, &stay.zone.name()]).sql()?;
    Ok(())
}

/// Takes a stay back.
pub(crate) fn remove(t: &mut Transaction, user_id: i64, stay: &Stay) -> Result<(), Failure> {
    t.query_one(include_str!("../run/sql/lock_person.sql"), &[&user_id]).sql()?;
    t.execute(include_str!("sql/remove.sql"), &[&user_id, &stay.from]).sql()?;
    Ok(())
}

/// Derives the offsets of an account's rows between two instants again; says how many changed. Rows that name their zone
/// stay as they are.
pub(crate) fn rezone(
    t: &mut Transaction,
    (user_id, account_id, run_id): (i64, i64, i64),
    files: &Files,
    zones: &Zones,
    (from, until): (DateTime<Utc>, Option<DateTime<Utc>>),
) -> Result<u64, Failure> {
    let last = Utc.with_ymd_and_hms(LAST_YEAR, 1, 1, 0, 0, 0).single().unwrap_or(DateTime::<Utc>::MAX_UTC);
    let ranges = zones.ranges(from, until.unwrap_or(last));
    let starts: Vec<DateTime<Utc>> = ranges.iter().map(|range| range.from).collect();
    let ends: Vec<DateTime<Utc>> = ranges.iter().map(|range| range.until).collect();
    let offsets: Vec<i32> = ranges.iter().map(|range| range.place.offset_s).collect();
    let names: Vec<&str> = ranges.iter().map(|range| range.place.zone.name()).collect();
    let mut changed = 0;
    for statement in files.rezone {
        changed += t.execute(*statement, &[&user_id, &account_id, &run_id, &starts, &ends, &offsets, &names]).sql()?;
    }
    Ok(changed)
}
