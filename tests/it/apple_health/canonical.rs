//! What exports become in canonical: units, days, flags, and the same again from raw.

use super::Phone;
use super::exports::{Export, record};
use crate::support::rows::{count, rows, value};

#[test]
fn steps_pulse_and_weight_in_the_units_of_the_dictionary() {
    let phone = Phone::new();
    let mut export = Export::new("2026-02-01");
    export.add_steps("2026-01-10 09:00:00", 1, 120);
    for (kind, unit, value, day) in [
        ("HeartRate", "count/min", "61", 11),
        ("HeartRate", "count/s", "1.5", 12),
        ("HeartRate", "count/min", "300", 13),
        ("BodyMass", "kg", "70.5", 11),
        ("BodyMass", "lb", "155.5", 12),
        ("BodyMass", "st", "11", 13),
        ("BodyMass", "g", "70500", 14),
    ] {
        export.records.push(record(kind, unit, value, &format!("2026-01-{day} 09:00:00")));
    }
    phone.import_text("export.xml", export.xml()).expect(0);
    let mut sql = phone.sql();
    let found = rows(
        &mut sql,
        "select metric_code, local_date, value_num, unit_raw, value_raw, flags, quality, end_at is null as point from canonical.samples order by 1, 2",
    );
    let heart: Vec<_> = found.iter().filter(|row| row["metric_code"] == "heart_rate").collect();
    assert_eq!((heart[0]["value_num"].as_f64(), heart[1]["value_num"].as_f64()), (Some(61.0), Some(90.0)));
    assert_eq!(
        (&heart[2]["flags"], &heart[2]["quality"]),
        (&serde_json::json!(["implausible"]), &serde_json::json!(0.1))
    );
    let steps = found.iter().find(|row| row["metric_code"] == "steps").expect("steps");
    assert_eq!(
        (&steps["value_num"], &steps["unit_raw"], &steps["point"]),
        (&120.into(), &"count".into(), &false.into())
    );
    let kilograms = "select string_agg(round(value_num::numeric, 5)::text, ' ' order by observed_at) from canonical.biometrics_vitals where metric_code = 'weight'";
    assert_eq!(value(&mut sql, kilograms).as_deref(), Some("70.50000 70.53361 69.85322 70.50000"));
    assert_eq!(
        count(
            &mut sql,
            "canonical.biometrics_vitals where raw_table <> 'apple_health_raw.published_vitals' or source_system <> 'apple_health'"
        ),
        0
    );
}

#[test]
fn a_unit_that_cannot_be_converted_costs_its_row() {
    let phone = Phone::new();
    let mut export = Export::new("2026-02-01");
    export.add_steps("2026-01-10 09:00:00", 5, 120);
    export.records.push(record("BodyMass", "stein", "7", "2026-01-11 09:00:00"));
    export.records.push(record("HeartRate", "furlong", "7", "2026-01-11 09:00:00"));
    phone.import_text("export.xml", export.xml()).expect(3).says("2 could not be used");
    let mut sql = phone.sql();
    assert_eq!((count(&mut sql, "canonical.samples"), count(&mut sql, "canonical.biometrics_vitals")), (5, 0));
    assert_eq!(count(&mut sql, "apple_health_raw.records"), 7);
    let rejects = "meta.rejects where code = 'unit_unknown' and resource = 'apple_health.unconvertible'";
    assert_eq!(count(&mut sql, rejects), 2);
}

/// A walk of summer, exported in summer and in winter: the phone writes another offset, and nothing moves.
#[test]
fn the_offset_of_the_export_moves_no_day() {
    let day = |offset_hours: i64| {
        let phone = Phone::new();
        let mut export = Export::new("2026-12-01");
        export.offset_hours = offset_hours;
        export.add_steps("2026-07-10 22:50:00", 1, 100); // 23:50 at home, where it is summer
        let mut night = record("HeartRate", "count/min", "50", "2026-07-10 22:50:00");
        night.metadata = vec![("HKTimeZone", "Europe/Berlin")];
        export.records.push(night);
        phone.import_text("export.xml", export.xml()).expect(0);
        rows(
            &mut phone.sql(),
            "select metric_code, start_at, local_date, utc_offset_s, tz_name, tz_basis, raw_source_id from canonical.samples order by 1",
        )
    };
    let (winter, summer, elsewhere) = (day(0), day(1), day(10));
    assert_eq!(winter, summer);
    assert_eq!(winter, elsewhere);
    let (pulse, walk) = (&winter[0], &winter[1]);
    assert_eq!(
        (&walk["local_date"], &walk["utc_offset_s"], &walk["tz_basis"]),
        (&"2026-07-10".into(), &(-25200).into(), &"home".into())
    );
    assert_eq!(
        (&pulse["local_date"], &pulse["utc_offset_s"], &pulse["tz_basis"]),
        (&"2026-07-11".into(), &7200.into(), &"record".into())
    );
    assert_eq!(pulse["tz_name"], "Europe/Berlin");
}

#[test]
fn canonical_rows_can_be_made_again_from_raw() {
    let phone = Phone::new();
    let mut export = Export::year();
    phone.import_text("a.xml", export.xml()).expect(0);
    export.records.remove(0);
    export.add_steps("2026-03-01 12:00:00", 30, 33);
    export.made = "2026-04-01".into();
    phone.import_text("b.xml", export.xml()).expect(0);
    let retired_too = phone.canonical();
    assert_eq!(count(&mut phone.sql(), "canonical.samples where retired_at is not null"), 1);
    phone.home.health(&["transform", "apple-health", "--rebuild"]).expect(0);
    assert!(phone.canonical() == retired_too, "over the rows there are");
    phone.sql().batch_execute("truncate canonical.sample_values, canonical.biometrics_vitals, canonical.daily_summaries, canonical.sleep_sessions cascade").expect("truncate");
    phone.home.health(&["transform", "apple-health", "--rebuild"]).expect(0);
    assert!(phone.canonical() == retired_too, "from nothing");
}
