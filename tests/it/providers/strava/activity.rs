//! Activities as Strava sends them: in the list, whole, and their parts; each with the canonical row that it means, stated a
//! second time from `docs/sources/strava.md`.

use chrono::{DateTime, FixedOffset, Utc};
use serde_json::{Value, json};

use super::ATHLETE;
use crate::support::truth::{Columns, stamp};

#[derive(Clone, Debug)]
pub struct Activity {
    pub id: i64,
    pub offset_s: i32,
    pub summary: Value,
    pub detail: Value,
    pub laps: Value,
    /// None: there is no answer for those who do not subscribe.
    pub zones: Option<Value>,
    /// None: 404.
    pub streams: Option<Value>,
    /// What the row says beyond what every row says.
    row: Columns,
}

/// What an activity is of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    Run,
    Ride,
    /// Entered by hand.
    Weights,
    /// A sport that nobody knows, recorded without any series.
    Odd,
}

const SERIES: usize = 5;

impl Activity {
    /// Activity `i`, which began at `start` where the clock was `offset_s` ahead of Greenwich.
    pub fn new(i: i64, kind: Kind, start: DateTime<Utc>, offset_s: i32, zone: &str) -> Self {
        let id = 15_000_000_000 + i;
        let zone_offset = FixedOffset::east_opt(offset_s).expect("an offset");
        let local = start.with_timezone(&zone_offset).format("%Y-%m-%dT%H:%M:%SZ").to_string();
        let elapsed = 1_800 + i % 600;
        let sport = ["Run", "Ride", "WeightTraining", "Quidditch"][kind as usize];
        let is_measured = matches!(kind, Kind::Run | Kind::Ride);
        let mut summary = json!({
            "id": id, "resource_state": 2, "athlete": {"id": ATHLETE, "resource_state": 1}, "name": format!("round {i}"),
            "type": sport, "sport_type": sport, "start_date": start.format("%Y-%m-%dT%H:%M:%SZ").to_string(),
            "start_date_local": local, "timezone": format!("(GMT-08:00) {zone}"), "utc_offset": f64::from(offset_s),
            "elapsed_time": elapsed, "moving_time": elapsed - 60, "distance": 0, "total_elevation_gain": 12, "workout_type": null,
            "map": {"id": format!("a{id}"), "summary_polyline": "", "resource_state": 2}, "start_latlng": [], "end_latlng": [],
            "trainer": false, "commute": false, "manual": kind == Kind::Weights, "private": false, "visibility": "only_me",
            "flagged": false, "gear_id": null, "average_speed": 0, "max_speed": 0.0, "has_heartrate": is_measured,
            "kudos_count": 3, "comment_count": 0, "upload_id": null, "external_id": null,
        });
        if is_measured {
            let more = json!({
                "distance": 6_000.5, "average_speed": 3.25, "max_speed": 7.5, "average_heartrate": 141.5, "max_heartrate": 177.0,
                "average_cadence": 80.5, "suffer_score": 41.0, "start_latlng": [40.75533, -74.002_571], "elev_high": 15,
                "upload_id": id + 7, "upload_id_str": (id + 7).to_string(), "external_id": format!("garmin_ping_{i}"),
                "gear_id": if kind == Kind::Run { if i % 2 == 0 { "g26020551" } else { "g9" } } else { "b16988545" },
            });
            add(&mut summary, &more);
        }
        if kind == Kind::Ride {
            let more = json!({"average_watts": 181.5, "max_watts": 700, "weighted_average_watts": 190, "kilojoules": 320.1,
                              "device_watts": i % 2 == 0});
            add(&mut summary, &more);
        }
        if i % 11 == 3 {
            summary.as_object_mut().expect("an object").remove("utc_offset"); // as in older bodies
        }
        let lap = json!({"id": id * 10, "name": "Lap 1", "lap_index": 1, "elapsed_time": elapsed, "distance": 6_000.5});
        let mut detail = summary.clone();
        let more = json!({"resource_state": 3, "description": null, "calories": 320.5, "device_name": "Watch 945",
                          "perceived_exertion": if i % 2 == 0 { json!(7) } else { Value::Null },
                          "splits_metric": [{"split": 1, "distance": 1001.6, "elapsed_time": 314}], "segment_efforts": []});
        add(&mut detail, &more);
        if i % 5 != 2 {
            detail["laps"] = json!([lap]);
        }
        let zones = is_measured && i % 9 != 4;
        let mut activity = Activity {
            id,
            offset_s,
            row: Columns::new(),
            laps: json!([lap]),
            zones: zones.then(|| zones_of(i)),
            streams: is_measured.then(|| streams_of(kind, i)),
            summary,
            detail,
        };
        activity.state_row(i, kind, start, elapsed, zone);
        activity
    }

    /// One from a file: what it is in the list and whole. Nothing is stated of its row.
    pub fn sent(summary: Value, detail: Value) -> Self {
        let id = summary["id"].as_i64().expect("an id");
        Activity { id, offset_s: 0, summary, detail, laps: json!([]), zones: None, streams: None, row: Columns::new() }
    }

    fn state_row(&mut self, i: i64, kind: Kind, start: DateTime<Utc>, elapsed: i64, zone: &str) {
        let end = start + chrono::TimeDelta::seconds(elapsed);
        let local = start.with_timezone(&FixedOffset::east_opt(self.offset_s).expect("an offset"));
        let sport = ["running", "cycling", "strength_training", "other"][kind as usize];
        let is_measured = matches!(kind, Kind::Run | Kind::Ride);
        let measured = |value: Value| if is_measured { value } else { Value::Null };
        let has_meter = kind == Kind::Ride && i % 2 == 0;
        let with_meter = |value: Value| if has_meter { value } else { Value::Null };
        let cadence = if kind == Kind::Run { 161.0 } else { 80.5 }; // one leg
        let zones = self.zones.as_ref().map(|_| json!([19, 57, 1390, 6934 + i % 7, 0]));
        self.row = [
            ("start_at", json!(stamp(start))),
            ("end_at", json!(stamp(end))),
            ("utc_offset_s", json!(self.offset_s)),
            ("tz_basis", json!("record")),
            ("tz_name", json!(zone)),
            ("local_date", json!(local.date_naive())),
            ("elapsed_s", json!(elapsed)),
            ("moving_s", json!(elapsed - 60)),
            ("sport", json!(sport)),
            ("distance_m", measured(json!(6_000.5))),
            ("hr_avg", measured(json!(141.5))),
            ("hr_max", measured(json!(177))),
            ("hr_zone_s", zones.clone().unwrap_or_default()),
            ("hr_zone_scheme", zones.map(|_| json!("strava_5")).unwrap_or_default()),
            ("speed_avg_mps", measured(json!(3.25))),
            ("cadence_avg", measured(json!(cadence))),
            ("power_avg_w", with_meter(json!(181.5))),
            ("power_max_w", with_meter(json!(700))),
            ("power_norm_w", with_meter(json!(190))),
            ("energy_kcal", json!(320.5)),
            ("training_load", measured(json!(41))),
            ("rpe", if i % 2 == 0 { json!(7) } else { Value::Null }),
            ("laps", self.laps.clone()),
            ("upstream_hint", measured(json!(format!("garmin_ping_{i}")))),
            ("flags", if kind == Kind::Weights { json!(["manual"]) } else { json!([]) }),
        ]
        .into_iter()
        .collect();
    }

    pub fn start(&self) -> DateTime<Utc> {
        crate::support::truth::instant(self.summary["start_date"].as_str().expect("a start"))
    }

    /// What the person sees and can change.
    pub fn rename(&mut self, name: &str) {
        self.summary["name"] = json!(name);
        self.detail["name"] = json!(name);
    }

    /// The columns of its canonical row.
    pub fn workout(&self) -> Columns {
        let mut row = self.row.clone();
        row.insert("title", self.summary["name"].clone());
        row.insert("sport_raw", self.summary["sport_type"].clone());
        row
    }

    /// Whether any of its series is one that canonical has.
    pub fn has_series(&self) -> bool {
        self.streams.as_ref().is_some_and(|streams| streams.get("time").is_some() && streams.get("heartrate").is_some())
    }
}

fn add(to: &mut Value, more: &Value) {
    for (name, value) in more.as_object().expect("members") {
        to[name] = value.clone();
    }
}

fn zones_of(i: i64) -> Value {
    let bucket = |min: i64, max: i64, time: f64| json!({"min": min, "max": max, "time": time});
    let last = f64::from(i32::try_from(6934 + i % 7).expect("small"));
    json!([
        {"type": "pace", "score": 8, "sensor_based": true, "distribution_buckets": [{"min": 0, "max": -1, "time": 9}]},
        {"type": "heartrate", "score": 28.0, "sensor_based": true, "custom_zones": false, "points": 582,
         "distribution_buckets": [bucket(0, 116, 19.0), bucket(117, 144, 57.0), bucket(145, 158, 1390.0), bucket(159, 173, last),
                                  bucket(174, -1, 0.0)]},
    ])
}

fn streams_of(kind: Kind, i: i64) -> Value {
    let series =
        |data: Value| json!({"data": data, "series_type": "distance", "original_size": SERIES, "resolution": "high"});
    let mut streams = json!({
        "time": series(json!([0, 1, 2, 4, 9])),
        "distance": series(json!([0.0, 1.4, 2.8, 5.0, 9.9])),
        "heartrate": series(json!([98, 99, 100, 101, 120 + i % 20])),
        "altitude": series(json!([34, 34.25, 34.5, 34.75, 35.0])),
        "cadence": series(json!([0, 80, 81, 82, 83])),
        "moving": series(json!([false, true, true, true, true])),
    });
    if kind == Kind::Ride {
        streams["watts"] = series(json!([null, null, 232, 233, 234]));
    }
    streams
}
