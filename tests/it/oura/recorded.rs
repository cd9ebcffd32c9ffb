//! Recorded and written answers of Oura, with the rows that they mean stated by hand from the documents.

use std::collections::BTreeSet;

use chrono::DateTime;
use serde_json::{Value, json};

use crate::providers::oura::{Doc, Oura};
use crate::support::rows::{count, rows};
use crate::support::world::World;

/// The answers at hand, and the collection that each is of.
const RECORDED: &[(&str, &str)] = &[
    ("recorded/multiple_sleep", "sleep"),
    ("recorded/multiple_daily_activity", "daily_activity"),
    ("recorded/multiple_daily_readiness", "daily_readiness"),
    ("recorded/multiple_daily_sp02_invalid_arguments", "daily_spo2"),
    ("recorded/multiple_daily_stress_invalid_arguments", "daily_stress"),
    ("recorded/single_daily_stress", "daily_stress"),
    ("synthetic/daily_stress", "daily_stress"),
    ("recorded/multiple_daily_resilience_invalid_arguments", "daily_resilience"),
    ("recorded/multiple_daily_cardiovascular_age_invalid_arguments", "daily_cardiovascular_age"),
    ("recorded/multiple_enhanced_tag", "enhanced_tag"),
    ("recorded/multiple_session", "session"),
    ("recorded/single_session", "session"),
    ("recorded/multiple_tag_with_token", "tag"),
    ("recorded/single_tag", "tag"),
    ("recorded/multiple_rest_mode_period_invalid_arguments", "rest_mode_period"),
    ("recorded/single_rest_mode_period", "rest_mode_period"),
    ("recorded/multiple_ring_configuration", "ring_configuration"),
    ("recorded/single_ring_configuration", "ring_configuration"),
    ("recorded/single_sleep_time", "sleep_time"),
    ("synthetic/heartrate_page1", "heartrate"),
    ("synthetic/heartrate_page2", "heartrate"),
    ("synthetic/vo2_max", "vo2_max"),
];

/// The documents of an answer, of which some recordings hold the whole exchange. A single one is an answer too.
fn documents(folder: &str, file: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(format!("{folder}/oura/{file}.json")).expect("a recording");
    let recorded: Value = serde_json::from_str(&text).expect("a recording");
    let body = recorded.pointer("/0/response/body").unwrap_or(&recorded);
    let body = body.as_str().map_or_else(|| body.clone(), |text| serde_json::from_str(text).expect("a body"));
    body.get("data").map_or_else(|| vec![body.clone()], |data| data.as_array().expect("documents").clone())
}

fn recorded() -> Option<Oura> {
    let Ok(folder) = std::env::var("HEALTH_CORPUS") else {
        eprintln!("HEALTH_CORPUS is not set: recorded answers are not read");
        return None;
    };
    let mut oura = Oura::nobody();
    for (file, resource) in RECORDED {
        for document in documents(&folder, file) {
            let doc = match *resource {
                "ring_configuration" => {
                    Doc::new(resource, DateTime::UNIX_EPOCH.naive_utc(), DateTime::UNIX_EPOCH, document)
                }
                _ => Doc::sent(resource, document),
            };
            if !oura.docs.iter().any(|held| held.resource == doc.resource && held.id == doc.id) {
                oura.docs.push(doc); // what was recorded both alone and in a list is one
            }
        }
    }
    Some(oura)
}

#[test]
fn recorded_answers_land_and_make_rows() {
    let Some(oura) = recorded() else { return };
    let world = World::connected(oura);
    let run = world.ingest().expect(0);
    let mut sql = world.sql();
    assert_eq!(count(&mut sql, "meta.rejects"), 0, "{}", run.report());
    let docs = world.provider.with(|sim| sim.docs.clone());
    let of = |resource: &str| docs.iter().filter(|doc| doc.resource == resource).collect::<Vec<_>>();
    for (_, resource) in RECORDED {
        // Readings of an hour are one record.
        let key = |doc: &&Doc| if *resource == "heartrate" { doc.id[..13].to_owned() } else { doc.id.clone() };
        let different: BTreeSet<String> = of(resource).iter().map(key).collect();
        let held = usize::try_from(count(&mut sql, &format!("oura_raw.{resource}"))).expect("a count");
        assert_eq!(held, different.len(), "{resource}");
    }
    let slept =
        of("sleep").iter().filter(|d| !["rest", "deleted"].contains(&d.value["type"].as_str().unwrap_or(""))).count();
    assert_eq!(usize::try_from(count(&mut sql, "canonical.sleep_sessions")).expect("a count"), slept);
    // Stages fill the sleep but for a step: a series may be one short. Here each step is five minutes.
    let wrong = "(select s.raw_source_id from canonical.sleep_sessions s
                    join canonical.sleep_stages g using (user_id, sleep_id)
                   group by s.raw_source_id, s.start_at, s.end_at
                  having min(g.start_at) <> s.start_at or max(g.end_at) > s.end_at or s.end_at - max(g.end_at) > interval '5 minutes'
                      or sum(g.end_at - g.start_at) <> max(g.end_at) - min(g.start_at)) x";
    assert_eq!(count(&mut sql, wrong), 0);
    assert_eq!(count(&mut sql, "canonical.sleep_sessions where hr_min = 255"), 0);
    let means = of("daily_spo2").iter().filter(|doc| doc.value["spo2_percentage"]["average"].is_number()).count();
    assert_eq!(
        usize::try_from(count(&mut sql, "canonical.biometrics_vitals where metric_code = 'spo2'")).expect("a count"),
        means
    );
}

/// The rows of a query, each in one line: its columns, null left out.
#[track_caller]
fn lines(world: &World<Oura>, columns: &str, rest: &str) -> Vec<String> {
    let sql = format!("select concat_ws('|', {columns}) as line from {rest}");
    rows(&mut world.sql(), &sql).iter().map(|row| row["line"].as_str().expect("a line").to_owned()).collect()
}

#[test]
fn recorded_answers_mean_what_was_read_in_them() {
    let Some(oura) = recorded() else { return };
    let world = World::loaded(oura);
    let night = lines(
        &world,
        "kind, in_bed_s, asleep_s, awake_s, light_s, deep_s, rem_s, latency_s, efficiency_pct, hr_avg, hr_min, hrv_rmssd_ms, resp_rate,
         local_date, utc_offset_s, stage_scheme, flags::text,
         (select count(*) from canonical.sleep_stages g where g.sleep_id = s.sleep_id),
         (select string_agg(g.stage, ' ' order by g.seq) from canonical.sleep_stages g where g.sleep_id = s.sleep_id and g.seq < 4),
         (select count(*) || ' ' || min(p.seq) || ' ' || (array_agg(p.value_num order by p.seq))[1]
            from canonical.sample_origins o join canonical.sample_points p using (user_id, origin_id) where o.raw_source_id = s.raw_source_id)",
        "canonical.sleep_sessions s where raw_source_id = 'ceae0801-2135-47f9-9160-35d98cccab81'",
    );
    let totals = "main|31420|28590|2830|20460|4410|3720|630|91|69.25|58|37|15.125|2024-11-02|3600|stages|{}";
    assert_eq!(night, [format!("{totals}|38|awake light awake deep|89 2 21")]);
    let day = "canonical.daily_summaries where local_date in ('2024-11-11', '2024-11-12') and raw_table <> 'oura_raw.daily_sleep' order by 1";
    let day = lines(&world, "metric_code, local_date, value_num", day);
    assert!(!day.is_empty());
    for stated in [
        "steps|2024-11-11|15185",
        "energy_active|2024-11-11|1153",
        "energy_total|2024-11-11|3502",
        "intensity_light_time|2024-11-11|18060",
        "intensity_moderate_time|2024-11-11|4860",
        "intensity_vigorous_time|2024-11-11|2460",
        "sedentary_time|2024-11-11|38100",
        "non_wear_time|2024-11-11|60",
        "stress_time_high|2024-11-12|1800",
        "recovery_time_high|2024-11-12|9900",
    ] {
        assert!(day.iter().any(|line| line == stated), "{stated} is not in {day:#?}");
    }
    let scores = "canonical.scores where raw_source_id in ('3e8de08b-9fa1-4fb0-8edc-0ccf097f6693', 'd90a1159-664e-49e4-b668-78ebf7463f8a',
                    'dba37165-c029-448f-b4a6-316a37ad5750', '87046195-ea16-4ddc-b0bd-d7fee4bb0e7f', '7c4d1981-ad05-4f24-b2c7-9ac826936555', '2024-11-12')
                    and raw_path in ('score', 'level', 'day_summary', 'vascular_age') order by 1";
    assert_eq!(
        lines(&world, "kind, value_num, level, local_date, is_final", scores),
        [
            "activity|95|2024-11-11|t",
            "other|35|2024-11-12|t",
            "readiness|87|2024-11-12|t",
            "resilience|adequate|2024-11-12|t",
            "stress|2023-09-17|f",
            "stress|restored|2024-11-12|t"
        ]
    );
    let vitals = "canonical.biometrics_vitals where local_date in ('2024-11-12', '2026-11-20') and raw_table <> 'oura_raw.sleep' order by 1";
    assert_eq!(
        lines(&world, "metric_code, value_num, unit_raw, time_precision, local_date", vitals),
        [
            "breathing_disturbances|6|{index}|day|2024-11-12",
            "skin_temperature_delta|-0.29|Cel|day|2024-11-12",
            "spo2|96.153|%|day|2024-11-12",
            "vo2max|44|mL/kg/min|day|2026-11-20"
        ]
    );
    // Two hours of heart rates, whichever page they were on; a body status with a rate every five seconds, four of them null.
    let rates = "canonical.sample_origins o join canonical.sample_points p using (user_id, origin_id) where o.raw_table = 'oura_raw.heartrate' order by p.start_at";
    assert_eq!(
        lines(&world, "o.context->>'source', o.raw_source_id, p.value_num, p.local_date", rates),
        [
            "sleep|2026-11-19T23:00:00Z|sleep|54|2026-11-19",
            "sleep|2026-11-19T23:00:00Z|sleep|53|2026-11-19",
            "awake|2026-11-20T09:00:00Z|awake|71|2026-11-20"
        ]
    );
    let session = "canonical.sample_origins o join canonical.sample_points p using (user_id, origin_id)
                    where o.raw_source_id = '759082a5-76ef-4e48-b285-f84902428322' group by metric_code";
    assert_eq!(
        lines(
            &world,
            "metric_code, count(*), min(p.value_num), max(p.value_num), min(p.start_at at time zone 'UTC'), min(p.local_date)",
            session
        ),
        ["heart_rate|145|83.2|87.2|2019-11-24 20:56:31|2019-11-24"]
    );
    let mindful = "canonical.samples where source_system = 'oura' order by 1";
    assert_eq!(lines(&world, "metric_code, value_num, local_date", mindful), ["mindful_time|277|2024-10-09"]);
    let moods = "canonical.mood_entries order by local_date, observed_at";
    assert_eq!(
        lines(&world, "kind, labels::text, note, local_date", moods),
        [
            "momentary|{good}|2019-11-24",
            "journal|{workout}|Morning workout|2024-01-15",
            "journal|{meditation}|Evening meditation|2024-01-15",
            "journal|{tag_generic_fasting}|2024-08-05",
            "momentary|{same}|2024-10-09",
            "journal|{tag_generic_party}|2024-11-09"
        ]
    );
    let kept = "select payload->>'recommendation' as word from oura_raw.sleep_time";
    assert_eq!(rows(&mut world.sql(), kept), [json!({"word": "earlier_bedtime"})]);
}
