//! What others recorded and wrote down of Withings, held against what is read and made of it.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::providers::withings::{Doc, Withings};
use crate::support::rows::{count, rows};
use crate::support::world::{World, now};

fn corpus() -> Option<String> {
    let folder = std::env::var("HEALTH_CORPUS").ok();
    if folder.is_none() {
        eprintln!("HEALTH_CORPUS is not set: recorded answers and descriptions are not read");
    }
    folder
}

fn recorded(folder: &str, file: &str) -> Value {
    let text = std::fs::read_to_string(format!("{folder}/withings/{file}.json")).expect("a recording");
    serde_json::from_str(&text).expect("a recording")
}

/// Some recordings are a bare list, without the envelope.
fn list(recording: &Value, name: &str) -> Vec<Value> {
    recording.as_array().or_else(|| recording["body"][name].as_array()).expect("a list").clone()
}

fn world_of(docs: Vec<Doc>) -> World<Withings> {
    let mut withings = Withings::nobody();
    withings.docs = docs;
    withings.page = 500;
    World::connected(withings)
}

/// An integer and a power of ten as a person writes the number.
fn decimal(value: i64, unit: i64) -> String {
    let digits = format!("{:0>1$}", value.abs(), usize::try_from(1 - unit).expect("a small power"));
    let (whole, part) = digits.split_at(digits.len() - usize::try_from(-unit).expect("a small power"));
    let text = format!("{}{whole}.{part}", if value < 0 { "-" } else { "" });
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[test]
fn recorded_measures_land_and_make_exact_decimals() {
    let Some(folder) = corpus() else { return };
    for file in ["measurement_list", "measurement_list_2", "measurement_list_trimmed"] {
        let groups = list(&recorded(&folder, &format!("recorded/{file}")), "measuregrps");
        let world = world_of(groups.iter().map(|group| Doc::sent("measures", group.clone())).collect());
        let run = world.ingest().expect(0);
        let mut sql = world.sql();
        assert_eq!(count(&mut sql, "meta.rejects"), 0, "{file}\n{}", run.report());
        assert_eq!(count(&mut sql, "withings_raw.measures"), i64::try_from(groups.len()).expect("a count"), "{file}");
        for (kind, metric) in
            [(1, "weight"), (6, "fat_pct"), (9, "bp_diastolic"), (10, "bp_systolic"), (91, "pulse_wave_velocity")]
        {
            let expected: BTreeSet<(String, String)> = groups
                .iter()
                .filter(|group| group["attrib"] != 1)
                .flat_map(|group| {
                    group["measures"].as_array().expect("measures").iter().map(move |measure| (group, measure))
                })
                .filter(|(_, measure)| measure["type"] == kind)
                .map(|(group, measure)| {
                    let number = |name: &str| measure[name].as_i64().expect("an integer");
                    (format!("{}|{}", group["grpid"], group["attrib"]), decimal(number("value"), number("unit")))
                })
                .collect();
            let held = rows(
                &mut sql,
                &format!(
                    "select raw_source_id as id, value_raw as value from canonical.biometrics_vitals where metric_code = '{metric}'"
                ),
            );
            let text = |row: &Value, name: &str| row[name].as_str().expect("a text").to_owned();
            assert_eq!(
                held.iter().map(|row| (text(row, "id"), text(row, "value"))).collect::<BTreeSet<_>>(),
                expected,
                "{file}: {metric}"
            );
        }
        // Two pressures and a pulse of one group are one event.
        let pairs =
            "(select event_id from canonical.biometrics_vitals where metric_code in ('bp_systolic', 'bp_diastolic')
                       group by event_id having count(*) <> 2 or count(distinct raw_source_id) <> 1) x";
        assert_eq!(count(&mut sql, pairs), 0, "{file}");
        let manual = groups.iter().filter(|group| group["attrib"] == 2).count();
        let said = count(
            &mut sql,
            "(select distinct raw_source_id from canonical.biometrics_vitals where is_self_reported and 'manual' = any (flags)) x",
        );
        assert_eq!(usize::try_from(said).expect("a count"), manual, "{file}");
    }
}

#[test]
fn recorded_sleep_lands_and_its_stages_add_up_to_its_totals() {
    let Some(folder) = corpus() else { return };
    let nights = list(&recorded(&folder, "recorded/sleep_summary"), "series");
    let stretches = list(&recorded(&folder, "recorded/sleep"), "series");
    let end = stretches.iter().filter_map(|one| one["enddate"].as_i64()).max().expect("an end");
    // Details cost a request a day: the nights of that week and the days before it.
    let near = |night: &&Value| night["enddate"].as_i64().is_some_and(|at| at < end && at > end - 12 * 86_400);
    let mut docs: Vec<Doc> =
        nights.iter().filter(near).map(|night| Doc::sent("sleep_summary", night.clone())).collect();
    docs.extend(stretches.iter().map(|one| Doc::sent("sleep", one.clone())));
    let world = world_of(docs);
    let run = world.ingest().expect(0);
    let mut sql = world.sql();
    assert_eq!(count(&mut sql, "meta.rejects"), 0, "{}", run.report());
    // The night of 18 April 2021, and what the recorded summary says of it.
    let staged = rows(
        &mut sql,
        "select g.stage, sum(extract(epoch from g.end_at - g.start_at))::bigint as seconds
           from canonical.sleep_sessions s join canonical.sleep_stages g using (user_id, sleep_id)
          where s.raw_source_id = '2081804182' group by g.stage order by g.stage",
    );
    let found: Vec<(&str, i64)> = staged
        .iter()
        .map(|row| (row["stage"].as_str().expect("a stage"), row["seconds"].as_i64().expect("seconds")))
        .collect();
    assert_eq!(found, [("awake", 3_060), ("deep", 5_820), ("light", 10_440), ("rem", 2_400)]);
    let night = rows(
        &mut sql,
        "select local_date, asleep_s, efficiency_pct, hr_min, resp_rate, score, kind, utc_offset_s, tz_name
           from canonical.sleep_sessions where raw_source_id = '2081804182'",
    );
    assert_eq!(
        night[0],
        serde_json::json!({"local_date": "2021-04-18", "asleep_s": 18_660, "efficiency_pct": 86, "hr_min": 70, "resp_rate": 14, "score": 37,
                           "kind": "main", "utc_offset_s": 7_200, "tz_name": "Europe/Paris"})
    );
    let read = count(&mut sql, "withings_raw.sleep");
    let beats = count(&mut sql, "canonical.sample_points where metric_code = 'heart_rate'");
    assert!(read >= 298, "all stretches of the night at least: {read}");
    let sent: i64 = rows(&mut sql, "select coalesce(sum((select count(*) from json_object_keys(payload->'hr'))), 0)::bigint as n from withings_raw.sleep")[0]["n"]
        .as_i64()
        .expect("a count");
    assert_eq!(beats, sent, "a value a minute, none lost");
}

#[test]
fn recorded_summaries_are_nights_whatever_was_asked_for() {
    let Some(folder) = corpus() else { return };
    for (file, scored) in [("sleep_summary", true), ("sleep_summary_no_datafields", false)] {
        let nights = list(&recorded(&folder, &format!("recorded/{file}")), "series");
        let world = world_of(nights.iter().map(|night| Doc::sent("sleep_summary", night.clone())).collect());
        world.health(&["ingest", "withings", "sleep_summary"]).expect(0);
        let mut sql = world.sql();
        let sessions = "canonical.sleep_sessions where light_s is not null and asleep_s = light_s + deep_s + rem_s and efficiency_pct between 1 and 100";
        assert_eq!(count(&mut sql, sessions), 300, "{file}");
        assert_eq!(count(&mut sql, "canonical.scores"), if scored { 300 } else { 0 }, "{file}");
        let days = count(&mut sql, "(select distinct local_date from canonical.sleep_sessions where kind = 'main') x");
        assert_eq!(days, 300, "{file}: a night a day");
    }
}

#[test]
fn recorded_days_devices_and_goals_land() {
    let Some(folder) = corpus() else { return };
    let mut docs: Vec<Doc> = list(&recorded(&folder, "recorded/activity"), "activities")
        .into_iter()
        .map(|day| Doc::sent("activity", day))
        .collect();
    docs.extend(
        list(&recorded(&folder, "recorded/device"), "devices").into_iter().map(|one| Doc::sent("devices", one)),
    );
    docs.extend(
        list(&recorded(&folder, "synthetic/heart_list"), "series").into_iter().map(|one| Doc::sent("heart", one)),
    );
    for page in ["getmeas_page1", "getmeas_page2"] {
        docs.extend(
            list(&recorded(&folder, &format!("synthetic/{page}")), "measuregrps")
                .into_iter()
                .map(|one| Doc::sent("measures", one)),
        );
    }
    docs.push(Doc::sent("intraday_activity", recorded(&folder, "synthetic/intraday")["body"]["series"].clone()));
    let world = world_of(docs);
    world.provider.with(|sim| sim.signals_refused = true);
    let run = world.ingest();
    assert_eq!(run.code, 3, "the signal of the recorded electrocardiogram was not recorded\n{}", run.report());
    let mut sql = world.sql();
    assert_eq!(count(&mut sql, "meta.rejects"), 0, "{}", run.report());
    let day = rows(
        &mut sql,
        "select metric_code, stat, value_num, device_key, device_type, flags from canonical.daily_summaries
          where local_date = '2023-10-20' order by metric_code, stat",
    );
    let found: Vec<(&str, &str, f64)> = day
        .iter()
        .map(|row| {
            (
                row["metric_code"].as_str().expect("a metric"),
                row["stat"].as_str().expect("a statistic"),
                row["value_num"].as_f64().expect("a number"),
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("active_time", "total", 292.0),
            ("distance_total", "total", 1028.559),
            ("energy_active", "total", 85.497),
            ("energy_total", "total", 2303.788),
            ("floors", "total", 0.0),
            ("heart_rate", "avg", 80.0),
            ("heart_rate", "max", 80.0),
            ("heart_rate", "min", 70.0),
            ("intensity_light_time", "total", 1864.0),
            ("intensity_moderate_time", "total", 292.0),
            ("intensity_vigorous_time", "total", 0.0),
            ("steps", "total", 1209.0),
        ]
    );
    assert!(
        day.iter().all(|row| row["flags"] == serde_json::json!(["foreign_copy"]) && row["device_key"] == "brand 18")
    );
    assert_eq!(
        count(
            &mut sql,
            "canonical.biometrics_vitals where metric_code = 'ecg_afib_result' and value_code = 'negative'"
        ),
        1
    );
    assert_eq!(
        count(&mut sql, "canonical.biometrics_vitals where metric_code = 'bp_systolic'"),
        1,
        "once, though two lists have one"
    );
    assert_eq!(count(&mut sql, "canonical.sample_points where metric_code = 'steps' and value_num = 31"), 1);
    for (file, held) in [("goals_1", 1), ("goals_2", 2), ("no_goals", 2)] {
        world.provider.with(|sim| sim.goals = recorded(&folder, &format!("recorded/{file}"))["body"]["goals"].clone());
        world.health(&["ingest", "withings", "goals", "devices"]).expect(0);
        assert_eq!(count(&mut sql, "withings_raw.goals"), held, "{file}");
    }
    assert_eq!(count(&mut sql, "withings_raw.devices"), 1, "the recorded devices share one id");
}

/// The description as far as it is needed: what operations there are, their fields, and the properties of their answers, by
/// the indentation of its YAML.
struct Operation {
    path: String,
    action: String,
    fields: BTreeSet<String>,
    answer: String,
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn operations(text: &str) -> Vec<Operation> {
    let mut found = vec![];
    let paths = &text[text.find("\npaths:").expect("paths")..];
    for block in paths.split("\n  /").skip(1) {
        let path = format!("/{}", block.split(':').next().expect("a path"));
        let action =
            block.lines().find_map(|line| line.trim().strip_prefix("enum: [")?.strip_suffix(']')).expect("an action");
        let answer =
            block.rsplit("#/components/schemas/").next().expect("an answer").split('\'').next().expect("a name");
        let mut fields = BTreeSet::new();
        let mut of_form = None;
        for line in block.lines() {
            match of_form {
                None if line.trim() == "properties:" => of_form = Some(indent(line) + 2),
                Some(depth) if indent(line) == depth && line.trim_end().ends_with(':') => {
                    fields.insert(line.trim().trim_end_matches(':').to_owned());
                }
                Some(depth) if indent(line) < depth => break,
                _ => {}
            }
        }
        // Several operations of one address are told apart by a suffix that the address does not have.
        let path = path.split_once('-').map_or(path.clone(), |(path, _)| path.to_owned());
        found.push(Operation { path, action: action.to_owned(), fields, answer: answer.to_owned() });
    }
    found
}

/// Names of all properties below a schema that are not objects or lists themselves.
fn properties(text: &str, schema: &str) -> BTreeSet<String> {
    let from = text.find(&format!("\n    {schema}:\n")).expect("a schema");
    let block: Vec<&str> =
        text[from + 1..].lines().skip(1).take_while(|line| line.is_empty() || indent(line) > 4).collect();
    let name = |line: &str| line.trim_end().strip_suffix(':').map(|name| name.trim().to_owned());
    let words = [
        "properties",
        "items",
        "body",
        "status",
        "series",
        "measuregrps",
        "activities",
        "measures",
        "devices",
        "data",
        "additionalProperties",
    ];
    block.iter().filter_map(|line| name(line)).filter(|name| !words.contains(&name.as_str())).collect()
}

fn description(folder: &str) -> String {
    std::fs::read_to_string(format!("{folder}/withings/openapi/tryagi-withings-openapi.yaml")).expect("a description")
}

#[test]
fn requests_are_those_that_the_description_knows() {
    let Some(folder) = corpus() else { return };
    let operations = operations(&description(&folder));
    assert_eq!(operations.len(), 15, "as many as it had when this was written");
    let world = World::connected(Withings::with_days(37, now()));
    world.ingest().expect(0);
    world.later(std::time::Duration::from_hours(24));
    world.ingest().expect(0);
    let mut asked = BTreeSet::new();
    for entry in world.provider.data_requests() {
        let action = entry.param("action").expect("an action").to_owned();
        let known = operations.iter().find(|one| one.path == entry.path && one.action == action);
        // Hand-made, it leaves some out; those stand in the document.
        if ["getgoals"].contains(&action.as_str()) || entry.path == "/v2/stetho" {
            continue;
        }
        let known = known.unwrap_or_else(|| panic!("{} {action} is not described", entry.path));
        for (name, _) in &entry.query {
            assert!(known.fields.contains(name), "{action}: {name} is no field of {:?}", known.fields);
        }
        assert_eq!(entry.method, "POST");
        asked.insert(format!("{} {action}", entry.path));
    }
    assert_eq!(asked.len(), 9, "{asked:?}");
}

/// Every property of a record is either read by a model or named in the document as kept raw.
#[test]
fn every_property_that_is_described_is_accounted_for() {
    let Some(folder) = corpus() else { return };
    let text = description(&folder);
    let page = include_str!("../../../docs/sources/withings.md");
    let world = World::new(Withings::nobody());
    let mut checked = 0;
    for operation in operations(&text) {
        let models: &[&str] = match operation.action.as_str() {
            "getmeas" => &["vitals_measures", "scores_measures"],
            "getactivity" => &["daily_activity"],
            "getintradayactivity" => &["series_intraday"],
            "getworkouts" => &["workouts"],
            "getsummary" => &["sleep_sessions", "vitals_sleep", "scores_sleep"],
            "get" if operation.path == "/v2/sleep" => &["sleep_sessions", "series_sleep"],
            "list" if operation.path == "/v2/heart" => &["vitals_heart"],
            "get" if operation.path == "/v2/heart" => &[],
            _ => continue, // devices, kept raw as a whole; notifications; the profile
        };
        let shown: String = models
            .iter()
            .map(|name| world.health(&["transform", "--show", &format!("withings.{name}")]).expect(0).stdout)
            .collect();
        for property in properties(&text, &operation.answer) {
            let is_known = shown.contains(&format!("'{property}'"))
                || shown.contains(&format!(",{property}}}"))
                || shown.contains(&format!("{{{property},"))
                || page.contains(&format!("`{property}`"));
            assert!(is_known, "{}: {property} is neither read nor named as kept raw", operation.action);
            checked += 1;
        }
    }
    assert!(checked > 100, "{checked}");
}
