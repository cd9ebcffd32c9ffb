//! Values and days that no phone should write, and some do: nothing overflows, nothing is guessed, and what was odd can be seen.

use super::Phone;
use super::reckoned::{EXPORTED, export, record, said, stage};
use crate::support::rows::{count, rows};

fn steps(value: &str, at: &str) -> String {
    record("QuantityTypeIdentifierStepCount", "count", value, at, at, "Alex\u{2019}s iPhone")
}

/// Sums are taken in billionths in 128 bits, and units are converted by multiplying.
#[test]
fn numbers_beyond_all_measure_neither_overflow_nor_stay_unseen() {
    let phone = Phone::new();
    let at = "2026-01-10 09:00:00";
    let mut all = String::new();
    for value in ["70", "1e30", "-1e30", "1e99", "1e300", "1e308"] {
        all += &steps(value, at);
    }
    for value in ["1e99", "1e300"] {
        all += &record("QuantityTypeIdentifierHeartRate", "count/s", value, at, at, "Watch");
    }
    all += &steps("30", "2026-01-11 09:00:00");
    phone.import_text("a.xml", export(EXPORTED, &all)).expect(3);
    let mut sql = phone.sql();
    assert_eq!(count(&mut sql, "meta.rejects where code = 'bad_number' and resolved_run_id is null"), 3);
    assert_eq!(count(&mut sql, "canonical.samples"), 6);
    assert_eq!(count(&mut sql, "api.samples where 'implausible' = any (flags)"), 4, "1e99, ±1e30 and a heart rate");
    let day = "select value_num::text from canonical.daily_summaries where metric_code = 'steps' and local_date = date '2026-01-11'";
    assert_eq!(said(&mut sql, day), "30");
    phone.home.health(&["transform", "apple-health", "--rebuild"]).expect(0);
    assert_eq!(said(&mut sql, day), "30");
}

/// Two cuff readings in one minute that share a number are two, each with its own other half.
#[test]
fn readings_of_one_minute_keep_their_halves() {
    let phone = Phone::new();
    let at = "2026-01-10 10:00:00";
    let half = |kind: &str, value: &str, made: &str| {
        format!(
            "  <Record type=\"HKQuantityTypeIdentifierBloodPressure{kind}\" sourceName=\"Health\" unit=\"mmHg\" \
             creationDate=\"2026-01-10 {made} +0000\" startDate=\"{at} +0000\" endDate=\"{at} +0000\" value=\"{value}\"/>\n"
        )
    };
    let mut all = String::new();
    for (systolic, diastolic, made) in
        [("130", "85", "10:01:00"), ("140", "85", "10:02:00"), ("120", "80", "10:03:00"), ("120", "80", "10:04:00")]
    {
        let halves = half("Systolic", systolic, made) + &half("Diastolic", diastolic, made);
        all += &format!(
            " <Correlation type=\"HKCorrelationTypeIdentifierBloodPressure\" sourceName=\"Health\" creationDate=\"2026-01-10 {made} +0000\" \
             startDate=\"{at} +0000\" endDate=\"{at} +0000\">\n{halves} </Correlation>\n{halves}"
        );
    }
    phone.import_text("a.xml", export(EXPORTED, &all)).expect(0);
    let pairs = "select string_agg(pair, ', ' order by pair) from (
        select string_agg(value_num::text, '/' order by metric_code desc) as pair from canonical.biometrics_vitals group by event_id) e";
    assert_eq!(said(&mut phone.sql(), pairs), "120/80, 120/80, 130/85, 140/85");
}

#[test]
fn a_summary_of_no_day_and_one_in_an_unknown_unit_are_rejects() {
    let phone = Phone::new();
    let summary = |day: &str, unit: &str| {
        format!(
            " <ActivitySummary dateComponents=\"{day}\" activeEnergyBurned=\"500\" activeEnergyBurnedGoal=\"400\" \
             activeEnergyBurnedUnit=\"{unit}\" appleExerciseTime=\"30\" appleExerciseTimeGoal=\"30\"/>\n"
        )
    };
    let all = summary("2026-01-10", "kcal") + &summary("2026-01-11", "BTU") + &summary("today", "kcal");
    phone.import_text("a.xml", export(EXPORTED, &all)).expect(3);
    let mut sql = phone.sql();
    let days = "select string_agg(local_date || ' ' || metric_code, ', ' order by local_date, metric_code) from canonical.daily_summaries";
    assert_eq!(said(&mut sql, days), "2026-01-10 active_time, 2026-01-10 energy_active, 2026-01-11 active_time");
    let rejects =
        "select string_agg(code || ': ' || detail, '; ' order by code) from meta.rejects where resolved_run_id is null";
    let rejects = said(&mut sql, rejects);
    assert!(rejects.contains("unit_unknown: ActivitySummary: the unit \"BTU\" cannot be converted"), "{rejects}");
    assert!(rejects.contains("22007: a date or time is impossible"), "{rejects}");
}

#[test]
fn clocks_that_were_wrong_show_in_food_and_in_days() {
    let phone = Phone::new();
    let food =
        |value: &str, at: &str| record("QuantityTypeIdentifierDietaryEnergyConsumed", "kcal", value, at, at, "Log");
    let all =
        food("200", "1969-07-20 12:00:00") + &food("-500", "2026-01-10 12:00:00") + &food("300", "2030-01-10 12:00:00");
    phone.import_text("a.xml", export(EXPORTED, &all)).expect(0);
    let mut sql = phone.sql();
    let flags = |table: &str, day: &str| {
        format!("select array_to_string(flags, ' ') from canonical.{table} where local_date = date '{day}'")
    };
    assert_eq!(said(&mut sql, &flags("nutrition_entries", "1969-07-20")), "clock_wrong");
    assert_eq!(said(&mut sql, &flags("nutrition_entries", "2026-01-10")), "implausible");
    assert_eq!(said(&mut sql, &flags("nutrition_entries", "2030-01-10")), "clock_wrong");
    assert_eq!(said(&mut sql, &flags("daily_summaries", "1969-07-20")), "computed_totals clock_wrong");
    assert_eq!(said(&mut sql, &flags("daily_summaries", "2026-01-10")), "computed_totals implausible");
    assert_eq!(said(&mut sql, &flags("daily_summaries", "2030-01-10")), "computed_totals partial_day clock_wrong");
}

/// Who wrote only the time in bed does not know how long anybody slept; and the watch of an afternoon is not the night.
#[test]
fn time_in_bed_is_no_sleep_and_an_afternoon_is_no_night() {
    let phone = Phone::new();
    let all = stage("InBed", "2026-01-10 06:00:00", "2026-01-10 14:00:00", "Alex\u{2019}s iPhone")
        + &stage("AsleepUnspecified", "2026-01-12 06:00:00", "2026-01-12 13:00:00", "AutoSleep")
        + &stage("AsleepCore", "2026-01-12 22:00:00", "2026-01-12 22:20:00", "Alex\u{2019}s Apple Watch");
    phone.import_text("a.xml", export(EXPORTED, &all)).expect(0);
    let mut sql = phone.sql();
    let night = |day: &str| {
        format!(
            "select concat_ws(' ', raw_source_id, stage_scheme, coalesce(asleep_s::text, 'unknown'), in_bed_s) from api.sleep_night_preferred where local_date = date '{day}'"
        )
    };
    assert_eq!(said(&mut sql, &night("2026-01-10")), "Alex\u{2019}s iPhone none unknown 28800");
    assert_eq!(said(&mut sql, &night("2026-01-12")), "AutoSleep asleep_only 25200 25200");
    let day = "select asleep_s || ' ' || extra_asleep_s from api.sleep_day where local_date = date '2026-01-12'";
    assert_eq!(said(&mut sql, day), "26400 1200");
}

/// A ride knows the steps to the bicycle too, a climb may be written in feet, and a day is over when it is over at home.
#[test]
fn a_ride_is_what_was_ridden_and_a_day_ends_at_home() {
    let phone = Phone::new();
    let statistics = |kind: &str, sum: &str| {
        format!(
            "  <WorkoutStatistics type=\"HKQuantityTypeIdentifier{kind}\" startDate=\"2026-01-10 18:00:00 +0000\" endDate=\"2026-01-10 19:00:00 +0000\" sum=\"{sum}\" unit=\"km\"/>\n"
        )
    };
    let ride = format!(
        " <Workout workoutActivityType=\"HKWorkoutActivityTypeCycling\" duration=\"60\" durationUnit=\"min\" sourceName=\"Watch\" \
         creationDate=\"2026-01-10 19:00:00 +0000\" startDate=\"2026-01-10 18:00:00 +0000\" endDate=\"2026-01-10 19:00:00 +0000\">\n\
         {}{}  <MetadataEntry key=\"HKElevationAscended\" value=\"100 ft\"/>\n </Workout>\n",
        statistics("DistanceCycling", "20"),
        statistics("DistanceWalkingRunning", "0.4"),
    );
    // Midday of the 10th in Los Angeles, where the phone that is abroad writes the 11th already.
    let abroad = export("2026-01-11 05:00:00", &(ride + &steps("30", "2026-01-10 09:00:00")))
        .replace("05:00:00 +0000", "05:00:00 +0900");
    phone.import_text("a.xml", abroad).expect(0);
    let mut sql = phone.sql();
    assert_eq!(
        said(&mut sql, "select distance_m || ' ' || round(elev_gain_m::numeric, 2) from canonical.workouts"),
        "20000 30.48"
    );
    let steps_day = "select is_partial::text from canonical.daily_summaries where metric_code = 'steps' and local_date = date '2026-01-10' and retired_at is null";
    assert_eq!(said(&mut sql, steps_day), "true");

    phone.import_text("b.xml", export("2026-01-12 20:00:00", &steps("30", "2026-01-10 09:00:00"))).expect(0);
    assert_eq!(said(&mut sql, steps_day), "false");
    phone.home.health(&["ingest", "apple-health", "--undo", "2"]).expect(0);
    assert_eq!(said(&mut sql, steps_day), "true", "the export that had ended the day does not count");
    let days = "select local_date, metric_code, stat, value_num, is_partial, flags from canonical.daily_summaries where retired_at is null order by 1, 2, 3";
    let before = rows(&mut sql, days);
    phone.home.health(&["transform", "apple-health", "--rebuild"]).expect(0);
    assert_eq!(rows(&mut sql, days), before);
}

/// A phone whose clock runs ahead must not hold all later exports for older than itself.
#[test]
fn an_export_from_the_future_is_one_of_now() {
    let phone = Phone::new();
    let few = steps("30", "2026-01-10 09:00:00");
    let all = (10..30).map(|day| steps("40", &format!("2026-01-{day} 12:00:00"))).collect::<String>() + &few;
    phone.home.set("HEALTH_NOW", "2026-02-01T12:00:00Z");
    phone
        .import_text("a.xml", export("2031-07-10 10:00:00", &all))
        .expect(0)
        .says("still to come; it counts as made now");
    phone.home.set("HEALTH_NOW", "2026-02-03T12:00:00Z");
    let status = phone.home.health(&["status"]).expect(0);
    assert!(!status.stdout.contains("2031"), "{}", status.report());
    let gone = all.replacen(&steps("40", "2026-01-10 12:00:00"), "", 1);
    phone.import_text("b.xml", export("2026-02-02 10:00:00", &gone)).expect(0);
    assert_eq!(count(&mut phone.sql(), "apple_health_raw.published_records where missing_since_run_id is not null"), 1);
    // A document that is read twice says it once.
    phone.home.set("HEALTH_NOW", "2026-02-05T12:00:00Z");
    let more = format!("{gone}{}", steps("50", "2026-02-04 12:00:00"));
    let said = phone.import_text("c.xml", export("2031-07-11 10:00:00", &more)).expect(0);
    assert_eq!(said.stderr.matches("still to come").count(), 1, "{}", said.report());
}
