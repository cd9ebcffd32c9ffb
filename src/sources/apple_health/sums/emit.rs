//! Sums on their way to their stage. The order of the fields is that of `sql/records/create_sums.sql`.

use std::collections::HashSet;

use super::{Group, Kind, Sum};
use crate::source::{Row, Sink};
use crate::sources::apple_health::SUMS;

/// Hands on the groups of a type, which begins anew.
pub(super) fn groups(kind: &mut Kind, row: &mut Row, sink: &mut dyn Sink) -> anyhow::Result<()> {
    for (group, sum) in std::mem::take(&mut kind.groups) {
        let text = group.text.checked_sub(1).and_then(|place| kind.texts.get(place as usize));
        if !encode(row, kind.number, &group, &sum, text.map(String::as_str)) {
            kind.left.insert(group.day);
            encode(row, kind.number, &group, &Sum { billionths: 0, seconds: 0, counted: None, ..sum }, None);
        }
        sink.row(SUMS, &kind.name, Some(group.day), row)?;
    }
    kind.places.clear();
    kind.texts.clear();
    kind.numbers.clear();
    Ok(())
}

/// Hands on which days are left to the model.
pub(super) fn left(days: &HashSet<(i32, i32)>, row: &mut Row, sink: &mut dyn Sink) -> anyhow::Result<()> {
    for (kind, day) in days {
        let group = Group {
            day: *day,
            unit: 0,
            text: 0,
            source_name: None,
            device: None,
            by_hand: false,
            at_meal: false,
            is_above_one: None,
        };
        encode(row, *kind, &group, &Sum::default(), None);
        sink.row(SUMS, "", Some(*day), row)?;
    }
    Ok(())
}

/// Says whether all sums fit into their columns.
fn encode(row: &mut Row, kind: i32, group: &Group, sum: &Sum, text: Option<&str>) -> bool {
    let mut fits = true;
    let mut narrow = |wide: i128| {
        i64::try_from(wide).ok().or_else(|| {
            fits = false;
            None
        })
    };
    row.clear();
    row.int(Some(kind));
    row.date(group.day);
    row.int(Some(group.unit));
    row.text(text);
    row.int(group.source_name);
    row.int(group.device);
    row.bool(group.by_hand);
    row.bool(group.at_meal);
    row.bool_or_null(group.is_above_one);
    row.long(Some(sum.records));
    row.long(Some(sum.ended));
    row.long(sum.values.and_then(|_| narrow(sum.billionths)));
    row.long(sum.lengths.and_then(|_| narrow(sum.seconds)));
    row.float(sum.values.map(|(low, _)| low));
    row.float(sum.values.map(|(_, high)| high));
    row.long(sum.lengths.map(|(short, _)| short));
    row.long(sum.lengths.map(|(_, long)| long));
    row.long(Some(sum.digest));
    row.int(Some(sum.west));
    row.int(Some(sum.east));
    row.long(sum.counted.and_then(|counted| narrow(counted.billionths)));
    row.long(sum.counted.and_then(|counted| narrow(counted.seconds)));
    row.long(sum.counted.and_then(|counted| narrow(counted.parts)));
    fits
}
