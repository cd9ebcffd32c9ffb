//! The year holds what the demo promises, in WHOOP's shapes.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde_json::Value;

use super::year::{Item, Year, year};

const NOW: &str = "2026-11-21T20:00:00Z";

fn made(seed: u64, days: u32) -> Year {
    year(seed, days, NOW.parse().unwrap())
}

/// What a strict parser makes of the second reading; the poisoned record is left out.
fn read(items: &[Item]) -> Vec<Value> {
    items.iter().filter_map(|item| serde_json::from_str(item.second.as_ref()?).ok()).collect()
}

fn number(record: &Value, pointer: &str) -> f64 {
    record.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer} in {record}"))
}

fn instant(record: &Value, field: &str) -> DateTime<Utc> {
    record[field].as_str().unwrap().parse().unwrap()
}

#[test]
fn the_same_arguments_make_the_same_year_and_others_another() {
    assert_eq!(made(1, 365), made(1, 365));
    assert_ne!(made(1, 365).workouts, made(2, 365).workouts);
}

#[test]
fn a_year_is_whole() {
    let year = made(1, 365);
    assert_eq!((year.cycles.len(), year.recoveries.len()), (365, 365));
    assert!((370..480).contains(&year.sleeps.len()), "{} sleeps", year.sleeps.len());
    assert!((200..340).contains(&year.workouts.len()), "{} workouts", year.workouts.len());
    let lists = [&year.cycles, &year.sleeps, &year.recoveries, &year.workouts];
    assert!(lists.iter().all(|list| list.is_sorted_by_key(|item| std::cmp::Reverse(item.start))));
    let now: DateTime<Utc> = NOW.parse().unwrap();
    for record in lists.into_iter().flat_map(|list| read(list)) {
        assert!(instant(&record, "created_at") <= now && instant(&record, "updated_at") <= now, "{record}");
    }
}

#[test]
fn cycles_follow_each_other_and_the_last_is_open() {
    let cycles = read(&made(1, 365).cycles);
    assert!(cycles[0].get("end").is_none());
    for pair in cycles.windows(2) {
        assert_eq!(pair[1]["end"], pair[0]["start"]);
    }
    let open = &made(1, 365).cycles[0];
    let earlier: Value = serde_json::from_str(&open.first).unwrap();
    assert!(number(&cycles[0], "/score/kilojoule") > number(&earlier, "/score/kilojoule"));
}

#[test]
fn the_stages_of_a_night_add_up() {
    for seed in 1..4 {
        for sleep in read(&made(seed, 365).sleeps).iter().filter(|sleep| sleep["score_state"] == "SCORED") {
            let stage = |name: &str| {
                sleep.pointer(&format!("/score/stage_summary/total_{name}_time_milli")).and_then(Value::as_i64).unwrap()
            };
            let parts = ["awake", "no_data", "light_sleep", "slow_wave_sleep", "rem_sleep"].map(stage);
            assert!(parts.iter().all(|part| *part >= 0), "{sleep}");
            assert_eq!(parts.iter().sum::<i64>(), stage("in_bed"), "{sleep}");
            let span = (instant(sleep, "end") - instant(sleep, "start")).num_milliseconds();
            assert!(span > stage("in_bed"), "{sleep}");
        }
    }
}

#[test]
fn offsets_tell_of_the_journey_and_of_the_clock_change() {
    let sleeps = read(&made(1, 365).sleeps);
    let offsets: BTreeSet<&str> = sleeps.iter().filter_map(|sleep| sleep["timezone_offset"].as_str()).collect();
    assert_eq!(offsets, ["+01:00", "-07:00", "-08:00"].into());
    let away: Vec<bool> = sleeps.iter().map(|sleep| sleep["timezone_offset"] == "+01:00").collect();
    assert_eq!(away.windows(2).filter(|pair| pair[0] != pair[1]).count(), 2, "there and back");
}

#[test]
fn a_body_answers_to_strain_and_illness() {
    for seed in 1..4 {
        let year = made(seed, 365);
        let (cycles, recoveries) = (read(&year.cycles), read(&year.recoveries));
        let scored = |record: &Value| record["score_state"] == "SCORED";
        let pairs: Vec<(f64, f64)> = (0..364)
            .filter(|day| scored(&recoveries[*day]))
            .map(|day| (number(&cycles[day + 1], "/score/strain"), number(&recoveries[day], "/score/recovery_score")))
            .collect();
        let well = correlation(&pairs);
        assert!((-0.8..-0.15).contains(&well), "strain and next recovery: {well}");
        let rates: Vec<(f64, f64)> = recoveries
            .iter()
            .filter(|recovery| scored(recovery))
            .map(|r| (number(r, "/score/resting_heart_rate"), number(r, "/score/hrv_rmssd_milli")))
            .collect();
        assert!(correlation(&rates) < -0.4, "heart rate and variability: {}", correlation(&rates));
        let ill = &recoveries[92..95];
        assert!(ill.iter().all(|day| number(day, "/score/recovery_score") < 50.0), "{ill:?}");
    }
}

fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let n = f64::from(u32::try_from(pairs.len()).unwrap());
    let (mx, my) = (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
    let cov: f64 = pairs.iter().map(|p| (p.0 - mx) * (p.1 - my)).sum();
    let (vx, vy): (f64, f64) =
        (pairs.iter().map(|p| (p.0 - mx).powi(2)).sum(), pairs.iter().map(|p| (p.1 - my).powi(2)).sum());
    cov / (vx * vy).sqrt()
}

#[test]
fn every_promised_oddity_is_there() {
    for days in [14, 30, 90, 365, 3_653] {
        let year = made(1, days);
        let poisoned = |item: &&Item| serde_json::from_str::<Value>(&item.first).is_err();
        assert_eq!(year.workouts.iter().filter(poisoned).count(), 1, "{days} days");
        assert_eq!(year.workouts.iter().filter(|item| item.second.is_none()).count(), 1, "{days} days");
        for list in [&year.cycles, &year.sleeps, &year.recoveries] {
            assert_eq!(list.iter().filter(poisoned).count(), 0);
            assert_eq!(list.iter().filter(|item| item.first != *item.second.as_ref().unwrap()).count(), 1);
        }
        assert!(year.sleeps.iter().filter(|item| item.first.contains("PENDING_SCORE")).count() == 1);
        let unscorable = read(&year.recoveries).iter().filter(|day| day["score_state"] == "UNSCORABLE").count();
        assert_eq!(unscorable, days.div_ceil(365).max(1) as usize - usize::from(days == 3_653), "{days} days");
    }
    let recoveries = read(&made(1, 365).recoveries);
    let missing = recoveries.iter().filter(|day| day.pointer("/score/spo2_percentage").is_none()).count();
    assert!((90..120).contains(&missing), "{missing} recoveries without oxygen");
}

#[test]
fn nights_before_ten_in_the_morning_are_not_told_yet() {
    let early = year(1, 30, "2026-11-21T15:00:00Z".parse().unwrap());
    let newest: Value = serde_json::from_str(&early.recoveries[0].first).unwrap();
    assert!(instant(&newest, "created_at") < "2026-11-21T00:00:00Z".parse::<DateTime<Utc>>().unwrap());
}
